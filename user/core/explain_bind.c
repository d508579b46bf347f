/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_bind.c owns the sentences about a bind() that succeeded: __inet_bind() and what it leaves
 * in the socket.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "user/core/explain_rules.h"

#define DONE   (FACT_OK | FACT_SEEN | FACT_PORT | FACT_ORIGIN)
#define SOCKET (DONE | FACT_SOCKET)

static bool is_named(const struct about *a)
{
	return explain_origin(a) == ORIGIN_BIND;
}

static bool is_zero(const struct about *a)
{
	return explain_origin(a) == ORIGIN_BIND0;
}

static bool has_no_port(const struct about *a)
{
	return !a->event->tenure;
}

static bool is_everywhere(const struct about *a)
{
	return explain_is_wildcard(&a->event->request);
}

static bool is_here(const struct about *a)
{
	return explain_is_loopback(&a->event->request);
}

static bool named_everywhere(const struct about *a)
{
	return is_named(a) && is_everywhere(a) && !explain_is_on_device(a);
}

static bool named_on_device(const struct about *a)
{
	return is_named(a) && is_everywhere(a) && explain_is_on_device(a);
}

static bool named_here(const struct about *a)
{
	return is_named(a) && is_here(a);
}

static bool zero_at_address(const struct about *a)
{
	return is_zero(a) && !is_everywhere(a);
}

static const struct explain_rule first[] = {
	{ ON(BIND), DONE | FACT_REQUEST, named_everywhere,
	  "{Who} asked for port {port} on {every-asked} of this machine, and got it." },
	{ ON(BIND), DONE | FACT_REQUEST, named_on_device,
	  "{Who} asked for port {port}, for what comes in through one network device, and got "
	  "it." },
	{ ON(BIND), DONE | FACT_REQUEST, named_here,
	  "{Who} asked for port {port} at {request}, which only this machine can reach, and got "
	  "it." },
	{ ON(BIND), DONE | FACT_REQUEST, is_named,
	  "{Who} asked for port {port} at the address {request}, and got it." },
	{ ON(BIND), DONE, is_named, "{Who} asked for port {port}, and got it." },
	{ ON(BIND), DONE | FACT_REQUEST, zero_at_address,
	  "{Who} asked for any free port at the address {request}, and the kernel picked {port}." },
	{ ON(BIND), DONE, is_zero, "{Who} asked for any free port, and the kernel picked {port}." },
	{ ON(BIND), FACT_OK | FACT_SEEN | FACT_REQUEST, has_no_port,
	  "{Who} asked for the address {request} and for no port yet, and has none." },
};

/* --- what is in the socket ---------------------------------------------------------------- */

static bool waits_for_listen(const struct about *a)
{
	return (is_named(a) || is_zero(a)) && a->event->state == TCP_CLOSE;
}

static bool keeps_port(const struct about *a)
{
	return is_named(a) && (a->event->userlocks & LOCK_PORT);
}

static bool gives_back_port(const struct about *a)
{
	return is_zero(a) && !(a->event->userlocks & LOCK_PORT);
}

static bool is_deferred(const struct about *a)
{
	return has_no_port(a) && (a->event->options & WIRE_O_BIND_ADDRESS_NO_PORT);
}

static bool is_dual_stack(const struct about *a)
{
	return a->life->local.family == AF_INET6 && a->event->request.family == AF_INET6 &&
	       named_everywhere(a) && !explain_is_mapped(&a->event->request) &&
	       !(a->event->options & WIRE_O_V6ONLY);
}

/* --- what the number means ---------------------------------------------------------------- */

static bool is_privileged(const struct about *a)
{
	return is_named(a) && a->event->port < a->settings->unprivileged_start;
}

static bool is_reserved(const struct about *a)
{
	return is_named(a) && settings_in_range(a->settings, a->event->port) &&
	       settings_is_reserved(a->settings, a->event->port);
}

static bool is_in_range(const struct about *a)
{
	return is_named(a) && settings_in_range(a->settings, a->event->port) &&
	       !settings_is_reserved(a->settings, a->event->port);
}

static bool is_outside(const struct about *a)
{
	return is_named(a) && !settings_in_range(a->settings, a->event->port);
}

/* --- with whom it is shared --------------------------------------------------------------- */

static bool is_shared(const struct about *a)
{
	return a->event->tenure->shared == YES;
}

static bool has_reuseaddr(const struct about *a)
{
	return is_named(a) && (a->event->options & WIRE_O_REUSEADDR);
}

static bool has_reuseport(const struct about *a)
{
	return is_named(a) && (a->event->options & WIRE_O_REUSEPORT);
}

static const struct explain_rule more[] = {
	{ ON(BIND), SOCKET | FACT_TCP, waits_for_listen,
	  "bind() wrote {own} into the socket and entered it as an owner of port {port} (the "
	  "kernel's bind bucket); the state is still CLOSE: nobody can connect before listen()." },
	{ ON(BIND), SOCKET | FACT_UDP, NULL,
	  "bind() wrote {own} into the socket; UDP knows no listen(): what is sent to there can "
	  "reach the socket from now on." },
	{ ON(BIND), FACT_OK | FACT_SEEN | FACT_TCP, is_deferred,
	  "IP_BIND_ADDRESS_NO_PORT is set: bind() wrote the address only, and the port comes "
	  "later; one from connect() can serve connections to different destinations." },
	{ ON(BIND), DONE | FACT_UNPRIVILEGED | FACT_USER, is_privileged,
	  "Ports below {start} (net.ipv4.ip_unprivileged_port_start) are not for everybody: the "
	  "program has CAP_NET_BIND_SERVICE, or a cgroup's program let it pass." },
	{ ON(BIND), DONE | FACT_SHARED, is_shared,
	  "Another socket, or what is left of one, has port {port} too: the kernel found nothing "
	  "in their addresses and options against it." },
	{ ON(BIND), SOCKET | FACT_TCP, keeps_port,
	  "SOCK_BINDPORT_LOCK is set, as the program named the number: the socket keeps the port "
	  "when a connect() fails, until it is closed." },
	{ ON(BIND), SOCKET | FACT_UDP, keeps_port,
	  "SOCK_BINDPORT_LOCK is set, as the program named the number: the socket keeps the port "
	  "when it is disconnected, until it is closed." },
	{ ON(BIND), SOCKET | FACT_TCP, gives_back_port,
	  "SOCK_BINDPORT_LOCK is not set, as the program named no number: a connect() that fails "
	  "gives the port back." },
	{ ON(BIND), SOCKET | FACT_UDP, gives_back_port,
	  "SOCK_BINDPORT_LOCK is not set, as the program named no number: a disconnect gives the "
	  "port back." },
	{ ON(BIND), DONE | FACT_TCP, is_zero,
	  "As long as bind() holds port {port}, connect() picks it for nobody, to whatever "
	  "destination; a port from connect() itself could serve one connection to each." },
	{ ON(BIND), DONE | FACT_REQUEST, is_dual_stack,
	  ":: without IPV6_V6ONLY takes IPv4 as well, so 0.0.0.0:{port} is taken, too." },
	{ ON(BIND), DONE | FACT_SETTINGS, is_reserved,
	  "Port {port} is one of net.ipv4.ip_local_reserved_ports: the kernel picks it for nobody, "
	  "but who names it may have it." },
	{ ON(BIND), DONE | FACT_SETTINGS, is_in_range,
	  "Port {port} lies in {namespace-range} (net.ipv4.ip_local_port_range), from which the "
	  "kernel picks: another time somebody may have it already." },
	{ ON(BIND), DONE | FACT_SETTINGS, is_outside,
	  "Port {port} lies outside of {namespace-range} (net.ipv4.ip_local_port_range): the "
	  "kernel "
	  "picks it for nobody." },
	{ ON(BIND), DONE | FACT_TCP, has_reuseaddr,
	  "SO_REUSEADDR is set: sockets that have it, too, may share the port as long as none of "
	  "them listens, and so may what is left of theirs in TIME_WAIT." },
	{ ON(BIND), DONE, has_reuseport,
	  "SO_REUSEPORT is set: sockets of the same user that have it, too, may share the port." },
};

const struct explain_table explain_bind = { EXPLAIN_FIRST(first), EXPLAIN_MORE(more) };
