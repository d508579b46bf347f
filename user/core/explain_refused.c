/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_refused.c owns the sentences about a bind() that failed: not who is in the way, which is
 * a finding, but by which rule, and what that leaves. The rules are those of conflict.h.
 */
#include <errno.h>
#include <netinet/tcp.h>

#include "user/core/explain_rules.h"

#define NOT_DONE (FACT_FAILED | FACT_SEEN)
#define REFUSED	 (NOT_DONE | FACT_REQUEST)

static bool is_taken(const struct about *a)
{
	return a->event->error == EADDRINUSE && a->event->request.port;
}

static bool is_taken_everywhere(const struct about *a)
{
	return is_taken(a) && explain_is_wildcard(&a->event->request) && !explain_is_on_device(a);
}

static bool is_used_up(const struct about *a)
{
	return a->event->error == EADDRINUSE && !a->event->request.port;
}

static bool is_privileged(const struct about *a)
{
	return a->event->error == EACCES && a->event->request.port &&
	       a->event->request.port < a->settings->unprivileged_start;
}

static bool is_denied(const struct about *a)
{
	return a->event->error == EACCES || a->event->error == EPERM;
}

static bool is_denied_any(const struct about *a)
{
	return is_denied(a) && !a->event->request.port;
}

/* Of IPv6 the address must be one of the very device. */
static bool is_foreign_there(const struct about *a)
{
	return a->event->error == EADDRNOTAVAIL && explain_is_on_device(a);
}

static bool is_foreign(const struct about *a)
{
	return a->event->error == EADDRNOTAVAIL;
}

static bool is_second(const struct about *a)
{
	return a->event->error == EINVAL && a->event->tenure;
}

static const struct explain_rule first[] = {
	{ ON(BIND), REFUSED, is_taken_everywhere,
	  "{Who} asked for port {request-port} on {every-asked} of this machine, but it is "
	  "taken." },
	{ ON(BIND), REFUSED, is_taken,
	  "{Who} asked for port {request-port} at the address {request}, but it is taken." },
	{ ON(BIND), REFUSED, is_used_up,
	  "{Who} asked for any free port, and the kernel found none." },
	{ ON(BIND), REFUSED | FACT_UNPRIVILEGED, is_privileged,
	  "{Who} asked for port {request-port}, which here only privileged programs may have." },
	{ ON(BIND), REFUSED, is_denied_any,
	  "{Who} asked for any free port, and is not allowed to have one." },
	{ ON(BIND), REFUSED, is_denied,
	  "{Who} asked for port {request-port}, and is not allowed to have it." },
	{ ON(BIND), REFUSED, is_foreign_there,
	  "{Who} asked for the address {request}, which this machine does not have there." },
	{ ON(BIND), REFUSED, is_foreign,
	  "{Who} asked for the address {request}, which is not one of this machine." },
	{ ON(BIND), NOT_DONE, is_second, "{Who} asked for a port, but it has {had} already." },
	{ ON(BIND), NOT_DONE, NULL, "{Who} asked for a port, and the kernel refused." },
};

/* --- the rule ----------------------------------------------------------------------------- */

static const struct conflict *conflict_of(const struct about *a)
{
	return &a->event->holders->list[0].conflict;
}

static bool is_time_wait(const struct about *a)
{
	return a->event->holders->list[0].state == TCP_TIME_WAIT;
}

static bool overlaps(const struct about *a, enum conflict_overlap overlap)
{
	return is_taken(a) && conflict_of(a)->overlap == overlap;
}

static bool is_same_address(const struct about *a)
{
	return overlaps(a, OVERLAP_SAME_ADDRESS);
}

static bool is_wildcard_holder(const struct about *a)
{
	return overlaps(a, OVERLAP_WILDCARD_HOLDER);
}

static bool is_wildcard_asked(const struct about *a)
{
	return overlaps(a, OVERLAP_WILDCARD_ASKED);
}

static bool is_dual_stack(const struct about *a)
{
	return overlaps(a, OVERLAP_DUAL_STACK);
}

static bool fails_by(const struct about *a, enum conflict_reason reason)
{
	return is_taken(a) && !is_time_wait(a) && conflict_of(a)->reason == reason;
}

static bool neither_reuses(const struct about *a)
{
	return fails_by(a, REASON_NO_REUSE);
}

static bool asked_has_no_reuseaddr(const struct about *a)
{
	return fails_by(a, REASON_REUSEADDR_ASKED);
}

static bool holder_has_no_reuseaddr(const struct about *a)
{
	return fails_by(a, REASON_REUSEADDR_HOLDER);
}

static bool holder_listens(const struct about *a)
{
	return fails_by(a, REASON_LISTENING);
}

static bool reuseport_is_on_one(const struct about *a)
{
	return fails_by(a, REASON_REUSEPORT_ASKED) || fails_by(a, REASON_REUSEPORT_HOLDER);
}

static bool users_differ(const struct about *a)
{
	return fails_by(a, REASON_REUSEPORT_UID);
}

static bool waits(const struct about *a)
{
	return is_taken(a) && is_time_wait(a);
}

/* --- what it leaves ----------------------------------------------------------------------- */

static bool is_free_to_ask(const struct about *a)
{
	return !a->event->tenure && a->event->state == TCP_CLOSE;
}

static bool named_foreign(const struct about *a)
{
	return is_foreign(a) && a->event->request.port;
}

static bool is_policy(const struct about *a)
{
	return a->event->error == EACCES && !is_privileged(a);
}

static bool second_after_implicit(const struct about *a)
{
	return is_second(a) && tenure_is_implicit(a->event->tenure) == YES;
}

static bool second_after_accept(const struct about *a)
{
	return is_second(a) && explain_origin(a) == ORIGIN_ACCEPT;
}

static bool second_after_bind(const struct about *a)
{
	enum port_origin origin = explain_origin(a);

	return is_second(a) && (origin == ORIGIN_BIND || origin == ORIGIN_BIND0);
}

static bool is_not_permitted(const struct about *a)
{
	return a->event->error == EPERM;
}

static bool is_other(const struct about *a)
{
	switch (a->event->error) {
	case EADDRINUSE:
	case EADDRNOTAVAIL:
	case EACCES:
	case EPERM:
		return false;
	default:
		return !is_second(a);
	}
}

static const struct explain_rule more[] = {
	{ ON(BIND), REFUSED | FACT_HOLDER, is_same_address,
	  "The one who has it has the very address {holder}; without leave from both sides the "
	  "kernel gives an address with a port to one socket only." },
	{ ON(BIND), REFUSED | FACT_HOLDER, is_wildcard_holder,
	  "The one who has it is bound to {holder}, which stands for every address, and {request} "
	  "is one of them: the two overlap." },
	{ ON(BIND), REFUSED | FACT_HOLDER, is_wildcard_asked,
	  "{request} stands for every address, and the one who has the port is bound to one of "
	  "them, {holder}: the two overlap." },
	{ ON(BIND), REFUSED | FACT_HOLDER, is_dual_stack,
	  "IPv4 and IPv6 have their ports in common where a socket of :: has no IPV6_V6ONLY: "
	  "{request} and {holder} overlap." },
	{ ON(BIND), REFUSED | FACT_HOLDER | FACT_TCP, neither_reuses,
	  "With SO_REUSEADDR on both sockets before bind() they could share the port, as long as "
	  "neither listens." },
	{ ON(BIND), REFUSED | FACT_HOLDER | FACT_UDP, neither_reuses,
	  "With SO_REUSEADDR on both sockets before bind() they could share the port." },
	{ ON(BIND), REFUSED | FACT_HOLDER, asked_has_no_reuseaddr,
	  "SO_REUSEADDR is a leave that both must give: this socket does not have it." },
	{ ON(BIND), REFUSED | FACT_HOLDER, holder_has_no_reuseaddr,
	  "SO_REUSEADDR is a leave that both must give: this socket has it, the other one does "
	  "not." },
	{ ON(BIND), REFUSED | FACT_HOLDER, holder_listens,
	  "The other one listens, so SO_REUSEADDR does not help: only SO_REUSEPORT on both "
	  "sockets, "
	  "by one user, shares the port of a listener." },
	{ ON(BIND), REFUSED | FACT_HOLDER, reuseport_is_on_one,
	  "SO_REUSEPORT is a leave that both must give: only one of the two has it." },
	{ ON(BIND), REFUSED | FACT_HOLDER, users_differ,
	  "SO_REUSEPORT is on both sockets, but they belong to two users: one user shall not take "
	  "connections away from another." },
	{ ON(BIND), REFUSED | FACT_HOLDER | FACT_TCP, waits,
	  "The port is held by no program but by TIME_WAIT, the rest of a connection; SO_REUSEADDR "
	  "shares it if the old socket and the new one had it both." },
	{ ON(BIND), REFUSED | FACT_RANGE | FACT_TCP, is_used_up,
	  "Each port of {range} ({ports}) that the kernel may pick is held by somebody who does "
	  "not share it: bind() wants one for itself, where connect() would share one with other "
	  "destinations." },
	{ ON(BIND), REFUSED | FACT_RANGE | FACT_UDP, is_used_up,
	  "Each port of {range} ({ports}) that the kernel may pick is held by somebody who does "
	  "not share it." },
	{ ON(BIND), REFUSED | FACT_UNPRIVILEGED, is_privileged,
	  "bind() compares the number with net.ipv4.ip_unprivileged_port_start ({start}) before it "
	  "looks whether the port is free: EACCES says nothing of that." },
	{ ON(BIND), REFUSED, is_not_permitted,
	  "EPERM comes from a program of the administrator or from a security module, not from the "
	  "kernel's own rules about ports." },
	{ ON(BIND), REFUSED | FACT_UNPRIVILEGED, is_policy,
	  "EACCES comes from a security module or a program of the administrator here: "
	  "net.ipv4.ip_unprivileged_port_start is {start}, and no number below it was named." },
	{ ON(BIND), REFUSED, named_foreign,
	  "bind() looks at the address first: whether port {request-port} is free was not looked "
	  "at, and EADDRNOTAVAIL says nothing of that." },
	{ ON(BIND), NOT_DONE | FACT_ORIGIN, second_after_implicit,
	  "bind() is for sockets that have no port: {origin} has given this one its port, so "
	  "bind() "
	  "comes too late (EINVAL)." },
	{ ON(BIND), NOT_DONE | FACT_ORIGIN, second_after_accept,
	  "bind() is for sockets that have no port: this one came out of accept() with the "
	  "listener's, so bind() comes too late (EINVAL)." },
	{ ON(BIND), NOT_DONE | FACT_ORIGIN, second_after_bind,
	  "bind() is for sockets that have no port: the second one is refused with EINVAL, and the "
	  "port stays as it is." },
	{ ON(BIND), NOT_DONE, is_other, "bind() failed with {errno}." },
	{ ON(BIND), NOT_DONE | FACT_SOCKET | FACT_TCP, is_free_to_ask,
	  "The socket still has no port and is in state CLOSE: the program may bind() it again." },
};

const struct explain_table explain_bind_failed = { EXPLAIN_FIRST(first), EXPLAIN_MORE(more) };
