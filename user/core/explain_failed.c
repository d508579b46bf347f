/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_failed.c owns the sentences about a connect() that failed: in the call, or later, when
 * the other side or nobody answered.
 */
#include <errno.h>
#include <sys/socket.h>

#include "user/core/explain_rules.h"

#define FAILED (FACT_FAILED | FACT_SEEN)

static bool has_error(const struct about *a, int error)
{
	return a->event->error == error;
}

static bool is_refused(const struct about *a)
{
	return has_error(a, ECONNREFUSED);
}

static bool is_silent(const struct about *a)
{
	return has_error(a, ETIMEDOUT);
}

static bool is_interrupted(const struct about *a)
{
	return has_error(a, EINTR);
}

static bool has_no_route(const struct about *a)
{
	return has_error(a, ENETUNREACH) && !a->event->tenure;
}

static bool is_unreachable(const struct about *a)
{
	return has_error(a, ENETUNREACH) || has_error(a, EHOSTUNREACH);
}

/* IPv6 says so, too, where no address of the machine fits the destination's (ipv6_dev_get_saddr()).
 */
static bool is_used_up(const struct about *a)
{
	return has_error(a, EADDRNOTAVAIL) && !a->event->tenure &&
	       (a->event->has_search || a->peer.family == AF_INET);
}

static bool has_no_address(const struct about *a)
{
	return has_error(a, EADDRNOTAVAIL) && !a->event->tenure && !is_used_up(a);
}

static bool is_twice(const struct about *a)
{
	return has_error(a, EADDRNOTAVAIL) && a->event->tenure &&
	       (a->event->has_search || a->peer.family == AF_INET);
}

static bool has_no_address_or_is_twice(const struct about *a)
{
	return has_error(a, EADDRNOTAVAIL) && a->event->tenure && !is_twice(a);
}

static bool is_used_up_datagram(const struct about *a)
{
	return has_error(a, EAGAIN) && !a->event->tenure;
}

static const struct explain_rule first[] = {
	{ ON(CONNECT_FAILED), FAILED | FACT_PEER, is_refused,
	  "The other side, {peer}, refused to talk." },
	{ ON(CONNECT_FAILED), FAILED | FACT_PEER, is_silent,
	  "Nobody answered at {peer}, and the kernel gave up." },
	{ ON(CONNECT_FAILED), FAILED | FACT_PEER, is_interrupted,
	  "The program was interrupted while it waited for {peer}; the kernel goes on trying." },
	{ ON(CONNECT_FAILED), FAILED | FACT_PEER, has_no_route,
	  "From this machine no way leads to {peer-address}, so no port was needed." },
	{ ON(CONNECT_FAILED), FAILED | FACT_PEER, is_unreachable, "{peer} could not be reached." },
	{ ON(CONNECT_FAILED), FAILED | FACT_PEER | FACT_TCP, is_used_up,
	  "The kernel has no port left that it may pick for a connection to {peer}." },
	{ ON(CONNECT_FAILED), FAILED | FACT_PEER | FACT_TCP | FACT_PORT, is_twice,
	  "There is a connection from port {port} to {peer} already, or the rest of one, and there "
	  "can be only one." },
	{ ON(CONNECT_FAILED), FAILED | FACT_UDP, is_used_up_datagram,
	  "The program had no port, and the kernel found no free one." },
	{ ON(CONNECT_FAILED), FAILED | FACT_PEER, NULL,
	  "{Who} wanted to reach {peer}, and that failed." },
	{ ON(CONNECT_FAILED), FAILED, NULL, "{Who} wanted to reach somebody, and that failed." },
};

/* --- why, and what becomes of the port ---------------------------------------------------- */

static bool is_silent_for(const struct about *a)
{
	return is_silent(a) && a->event->has_duration;
}

/* Seen after the call; else the socket's own error came to an attempt that was under way. */
static bool loses_port(const struct about *a)
{
	enum port_origin origin = explain_origin(a);

	return !is_interrupted(a) && origin != ORIGIN_BIND && origin != ORIGIN_ACCEPT &&
	       !(a->event->has_socket && a->event->port_after);
}

static bool keeps_port(const struct about *a)
{
	return !is_interrupted(a) && explain_origin(a) == ORIGIN_BIND &&
	       !(a->event->has_socket && !a->event->port_after);
}

static bool has_cause(const struct about *a)
{
	return is_used_up_datagram(a) && a->event->cause;
}

static bool is_plain(const struct about *a)
{
	return !is_refused(a) && !is_silent(a) && !is_interrupted(a) && !has_no_route(a) &&
	       !(is_unreachable(a) && (a->facts & FACT_UDP)) && !has_error(a, EADDRNOTAVAIL) &&
	       !is_used_up_datagram(a);
}

static const struct explain_rule more[] = {
	{ ON(CONNECT_FAILED), FAILED | FACT_PEER | FACT_TCP, is_refused,
	  "ECONNREFUSED: an answer came back that nobody takes connections at port {peer-port} of "
	  "{peer-address}; the port of this side had nothing to do with it." },
	{ ON(CONNECT_FAILED), FAILED | FACT_TCP, is_silent_for,
	  "ETIMEDOUT: for {seconds} no answer came to the SYN and its repetitions; whether anybody "
	  "listens there is not known." },
	{ ON(CONNECT_FAILED), FAILED, has_no_route,
	  "connect() looks for the route before it looks for a port: {errno}, and the socket has "
	  "none." },
	{ ON(CONNECT_FAILED), FAILED | FACT_TCP | FACT_RANGE | FACT_PEER, is_used_up,
	  "EADDRNOTAVAIL: of {range} ({ports}) each one that may be picked has a connection to "
	  "{peer} from this address already, or the rest of one, or was taken by bind(), with "
	  "which connect() does not share." },
	{ ON(CONNECT_FAILED), FAILED | FACT_TCP | FACT_PEER, is_used_up,
	  "For ports that only connect() has given out the limit is one for each destination: to "
	  "another address or port the same numbers can be used again." },
	{ ON(CONNECT_FAILED), FAILED | FACT_TCP, has_no_address,
	  "EADDRNOTAVAIL has two reasons here: no address of this machine fits that destination, "
	  "or no port is left; which one is not known." },
	{ ON(CONNECT_FAILED), FAILED | FACT_TCP, has_no_address_or_is_twice,
	  "EADDRNOTAVAIL has two reasons here: no address of this machine fits that destination, "
	  "or there is a connection from this port to there already; which one is not known." },
	{ ON(CONNECT_FAILED), FAILED | FACT_TCP | FACT_PORT, is_twice,
	  "A connection is known by its two addresses and two ports; the port was fixed, so "
	  "connect() could not look for another one: EADDRNOTAVAIL." },
	{ ON(CONNECT_FAILED), FAILED | FACT_UDP, has_cause,
	  "The search for a port said {cause}; the program is told EAGAIN, whatever the reason "
	  "was." },
	{ ON(CONNECT_FAILED), FAILED | FACT_UDP | FACT_PORT, is_unreachable,
	  "connect() on UDP sees to the port, here {port}, before it looks for the route: {errno}, "
	  "and nothing was sent." },
	{ ON(CONNECT_FAILED), FAILED, is_plain, "connect() failed with {errno}." },
	{ ON(CONNECT_FAILED), FAILED | FACT_TCP | FACT_ORIGIN, loses_port,
	  "Port {port} goes back with the failure: the program had not named it, so it is not "
	  "locked (no SOCK_BINDPORT_LOCK); another connect() looks for one anew." },
	{ ON(CONNECT_FAILED), FAILED | FACT_TCP | FACT_ORIGIN, keeps_port,
	  "Port {port} stays with the socket: the program had named it, so it is locked "
	  "(SOCK_BINDPORT_LOCK) until the socket is closed." },
};

const struct explain_table explain_connect_failed = { EXPLAIN_FIRST(first), EXPLAIN_MORE(more) };
