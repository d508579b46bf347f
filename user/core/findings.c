/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings.c owns the rules over events: what is worth telling a person, and in which words. What
 * is about ports that run out is worded in findings_scarce.c, how often is findings_tell.c's.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "user/core/family.h"
#include "user/core/findings.h"

#define SLOW_SEARCH_NS	UINT64_C(1000000)
#define PRIVILEGED_PORT 1024 /* net.ipv4.ip_unprivileged_port_start, if nobody has told */

#define BIT FINDING_BIT

/* --- which ones an event is --------------------------------------------------------------- */

/* The namespace of the event, NULL if its first port for everybody is not known. */
static const struct space *space_of(const struct core *core, const struct event *e)
{
	const struct space *space = spaces_find(&core->spaces, e->life->netns);

	return space && space->settings.unprivileged_known ? space : NULL;
}

static bool is_first_port_known(const struct core *core, const struct event *e)
{
	const struct space *space = space_of(core, e);

	return space && space->holds;
}

/* The setting may have been changed a moment ago: of the usual one and what was read either may. */
static bool is_privileged(const struct core *core, const struct event *e, uint16_t port)
{
	const struct space *space = space_of(core, e);

	if (port && space && port < space->settings.unprivileged_start)
		return true;
	return port && !is_first_port_known(core, e) && port < PRIVILEGED_PORT;
}

static uint32_t of_failed_bind(const struct core *core, const struct event *e)
{
	uint16_t asked = e->has_request ? e->request.port : 0;

	switch (e->error) {
	case EADDRINUSE:
		if (!e->has_request)
			return 0;
		return asked ? BIT(FINDING_BIND_IN_USE) : BIT(FINDING_PORTS_EXHAUSTED);
	case EADDRNOTAVAIL:
		return BIT(FINDING_BIND_NOT_LOCAL);
	case EACCES:
		return is_privileged(core, e, asked) ? BIT(FINDING_BIND_DENIED)
						     : BIT(FINDING_BIND_REFUSED_BY_POLICY);
	case EPERM:
		return BIT(FINDING_BIND_REFUSED_BY_POLICY);
	case EINVAL:
		return e->tenure ? BIT(FINDING_BIND_TWICE) : 0;
	default:
		return 0;
	}
}

static uint32_t of_failed_listen(const struct event *e)
{
	if (e->error != EADDRINUSE)
		return 0;
	return e->tenure ? BIT(FINDING_LISTEN_LOST_PORT) : BIT(FINDING_PORTS_EXHAUSTED);
}

/*
 * IPv6 says EADDRNOTAVAIL also where no address of the machine suits the peer
 * (ip6_dst_lookup_tail(), 5.10 to 7.3), before any search. Where that is not seen it is certain
 * only of ::1 and of IPv4 in IPv6.
 */
static bool has_searched(const struct core *core, const struct event *e)
{
	static const uint8_t zeros[16];

	if (!(core->run.blind & WIRE_B_SEARCH_NS))
		return e->has_search;
	if (e->life->local.family != AF_INET6)
		return true;
	return memcmp(e->life->local.addr, zeros, 16) != 0 ||
	       (e->has_request && memcmp(e->request.addr, zeros, 10) == 0);
}

/*
 * connect() says EADDRNOTAVAIL when its search found nothing, and when the port that the socket
 * has is taken for this peer; a datagram socket says EAGAIN (inet_autobind()).
 */
static uint32_t of_failed_search(const struct core *core, const struct event *e)
{
	if (e->error == EAGAIN && record_is_datagram(e->life->protocol))
		return e->tenure ? 0 : BIT(FINDING_PORTS_EXHAUSTED);
	if (e->error != EADDRNOTAVAIL || e->life->protocol != IPPROTO_TCP)
		return 0;
	if (e->tenure)
		return BIT(FINDING_CONNECT_TUPLE_IN_USE);
	return has_searched(core, e) ? BIT(FINDING_PORTS_EXHAUSTED) : 0;
}

static uint32_t of_failure(const struct core *core, const struct event *e)
{
	switch (e->kind) {
	case EVENT_BIND:
		return of_failed_bind(core, e);
	case EVENT_LISTEN:
		return of_failed_listen(e);
	case EVENT_CONNECT_FAILED:
	case EVENT_SEND:
		return of_failed_search(core, e);
	default:
		return 0;
	}
}

/* Datagram sockets do not share ports by peer: the option would save nothing. */
static bool is_early_bind(const struct event *e)
{
	return e->kind == EVENT_CONNECT && e->tenure && e->tenure->origin == ORIGIN_BIND0 &&
	       e->life->protocol == IPPROTO_TCP && !(e->options & WIRE_O_BIND_ADDRESS_NO_PORT);
}

/* Sockets that have something else than a port: no rule about ranges is theirs. */
static uint32_t of_portless(const struct event *e)
{
	if (e->kind != EVENT_BIND || !e->has_request)
		return 0;
	if (e->error == EADDRINUSE && e->request.port)
		return BIT(FINDING_BIND_IN_USE);
	if (e->error == EADDRNOTAVAIL && !record_is_named(e->life->protocol))
		return BIT(FINDING_BIND_NOT_LOCAL);
	return 0;
}

uint32_t findings_of(const struct core *core, const struct event *e)
{
	uint32_t found = 0;

	if (e->reconciled)
		return 0;
	if (!record_has_range(e->life->protocol))
		return of_portless(e);
	if (e->error)
		found = of_failure(core, e);
	else if (e->kind == EVENT_LISTEN && e->assigned)
		found = BIT(FINDING_LISTEN_RANDOM_PORT);
	else if (is_early_bind(e))
		found = BIT(FINDING_EARLY_BIND);
	if (e->has_search && e->search_ns >= SLOW_SEARCH_NS)
		found |= BIT(FINDING_SLOW_PORT_SEARCH);
	return found;
}

static bool only_time_wait(const struct holders *h)
{
	/* they come last */
	return h->len && h->list[0].state == TCP_TIME_WAIT;
}

void findings_judge(const struct core *core, const struct slot *slot, struct event *e,
		    struct holders *room)
{
	bool bound = e->findings & (BIT(FINDING_BIND_IN_USE) | BIT(FINDING_LISTEN_LOST_PORT));

	room->len = 0;
	if (bound)
		holders_of_port(core, slot, e, room);
	else if (e->findings & BIT(FINDING_CONNECT_TUPLE_IN_USE))
		holders_of_connection(core, slot, e, room);
	if (!room->len)
		return;
	e->holders = room;
	if (bound && only_time_wait(room))
		e->findings |= BIT(FINDING_TIME_WAIT_HOLDS_PORT);
}

/* --- the sentences ------------------------------------------------------------------------ */

/* Live by the filter, in a replay by what was recorded. */
static bool hides_others(const struct core *core)
{
	const struct filter *f = core->filter;

	return f->command || f->pids_len || f->comm || f->has_uid || core->run.filter ||
	       core->run.command;
}

const char *core_unseen(const struct core *core)
{
	if (!core->pass.started)
		return "; sockets from before the start were not looked at";
	if (hides_others(core) || core->filter->cgroup)
		return "; other processes are not followed here";
	return NULL;
}

/* Was the kernel asked, about all sockets of the port? */
static bool was_looked_at(const struct core *core, const struct event *e)
{
	const struct noted *noted = notes_find(core->notes, e->life->id);

	return noted && (look_is_whole(&noted->now) || look_is_whole(&noted->later));
}

static const char *why_nobody(const struct core *core, const struct event *e)
{
	if (was_looked_at(core, e))
		return " by no socket known; it may be gone by now";
	if (!core->pass.started)
		return "; by whom is not known: sockets from before the start were not looked at";
	if (hides_others(core))
		return "; by whom is not known: other processes are not followed here";
	if (core->run.blind & WIRE_B_TIME_WAIT_END)
		return " by no socket known; this backend does not see TIME_WAIT";
	return " by no socket known; it may be gone by now";
}

/* A name in the file system: its file outlives its socket. */
static bool is_path(const struct event *e)
{
	const struct path *path = e->has_request ? endpoint_path(&e->request) : NULL;

	return path && path->bytes[0];
}

static void say_held(const struct telling *t)
{
	const struct holders *h = t->event->holders;

	if (!h && is_path(t->event)) {
		sentence_add(t->s, "taken by a file, and no socket known has it");
	} else if (h) {
		sentence_add(t->s, "held by ");
		sentence_add_holders_at_length(t->s, h);
	} else {
		sentence_add(t->s, "held");
		sentence_add(t->s, why_nobody(t->core, t->event));
	}
}

static const char *overlap_phrase(const struct conflict *c)
{
	switch (c->overlap) {
	case OVERLAP_WILDCARD_HOLDER:
		return " on all addresses";
	case OVERLAP_WILDCARD_ASKED:
		return " on one of its addresses";
	case OVERLAP_DUAL_STACK:
		return ", IPv6 and IPv4 in one";
	default:
		return c->same_device ? " on the same device" : "";
	}
}

static const char *reason_phrase(const struct conflict *c)
{
	switch (c->reason) {
	case REASON_NO_REUSE:
		return "; neither has SO_REUSEADDR";
	case REASON_REUSEADDR_ASKED:
		return "; only the holder has SO_REUSEADDR";
	case REASON_REUSEADDR_HOLDER:
		return "; the holder has no SO_REUSEADDR";
	case REASON_REUSEPORT_ASKED:
		return "; only the holder has SO_REUSEPORT";
	case REASON_REUSEPORT_HOLDER:
		return "; the holder has no SO_REUSEPORT";
	case REASON_REUSEPORT_UID:
		return "; SO_REUSEPORT shares only within one user";
	default:
		return "";
	}
}

static void say_rule(const struct telling *t)
{
	const struct holders *h = t->event->holders;

	if (!h)
		return;
	sentence_add(t->s, overlap_phrase(&h->list[0].conflict));
	sentence_add(t->s, reason_phrase(&h->list[0].conflict));
	sentence_add(t->s, sentence_source(h));
}

void findings_say_request(const struct telling *t)
{
	const struct event *e = t->event;
	const struct endpoint *end = e->has_request ? &e->request : &e->life->local;
	uint16_t port = e->has_request ? e->request.port : e->port;

	sentence_add_endpoint(t->s, end, port, e->life->ifindex, e->life->netns);
}

static void say_bind_in_use(const struct telling *t)
{
	findings_say_request(t);
	sentence_add(t->s, " is ");
	say_held(t);
	say_rule(t);
}

static void say_time_wait(const struct telling *t)
{
	const struct holder *h = &t->event->holders->list[0];

	sentence_add(t->s, "the port is kept by TIME_WAIT of a connection to ");
	sentence_add_endpoint(t->s, &h->peer, h->peer.port, 0, h->netns);
	if (h->left_known) {
		sentence_add(t->s, ", for another ");
		sentence_add_number(t->s, (h->left_ms + 999) / 1000);
		sentence_add(t->s, " s");
	}
}

void findings_say_peer(const struct telling *t)
{
	const struct event *e = t->event;
	const struct endpoint *peer = e->has_request ? &e->request : &e->life->peer;

	sentence_add_endpoint(t->s, peer, peer->port, 0, e->life->netns);
}

static void say_tuple(const struct telling *t)
{
	const struct event *e = t->event;

	sentence_add(t->s, "port ");
	sentence_add_number(t->s, e->port);
	sentence_add(t->s, " has a connection to ");
	findings_say_peer(t);
	sentence_add(t->s, " already");
	if (!e->holders)
		return;
	sentence_add(t->s, ": ");
	sentence_add_holders_at_length(t->s, e->holders);
	sentence_add(t->s, sentence_source(e->holders));
}

static void say_denied(const struct telling *t)
{
	const struct space *space = space_of(t->core, t->event);
	uint16_t port = t->event->request.port;

	sentence_add(t->s, "port ");
	sentence_add_number(t->s, port);
	sentence_add(t->s, " is below net.ipv4.ip_unprivileged_port_start (");
	if (space && port < space->settings.unprivileged_start)
		sentence_add_number(t->s, space->settings.unprivileged_start);
	else
		sentence_add(t->s, "1024, unless set");
	sentence_add(t->s, "), and there is no CAP_NET_BIND_SERVICE");
}

static void say_refused(const struct telling *t)
{
	sentence_add(t->s, "bind() to ");
	findings_say_request(t);
	sentence_add(t->s, " was refused with ");
	sentence_add(t->s, errno_symbol(t->event->error));
	sentence_add(t->s, ": by a security module or a cgroup's program");
	if (t->event->error == EACCES && t->event->has_request && t->event->request.port &&
	    !is_first_port_known(t->core, t->event))
		sentence_add(t->s, ", or the port is below net.ipv4.ip_unprivileged_port_start, "
				   "which is not known for that moment");
}

static void say_not_local(const struct telling *t)
{
	const struct event *e = t->event;

	sentence_add_address(t->s, e->has_request ? &e->request : &e->life->local, e->life->ifindex,
			     e->life->netns);
	sentence_add(t->s, " is no address of this network namespace");
}

static void say_twice(const struct telling *t)
{
	const struct tenure *tenure = t->event->tenure;

	sentence_add(t->s, "the socket has port ");
	sentence_add_number(t->s, tenure->port);
	sentence_add(t->s, " already");
	if (tenure->origin == ORIGIN_UNKNOWN)
		return;
	sentence_add(t->s, ", from ");
	sentence_add(t->s, tenure->origin == ORIGIN_BIND0 ? "bind" : origin_name(tenure->origin));
	sentence_add(t->s, "()");
}

static void say_random(const struct telling *t)
{
	sentence_add(t->s, "listen() came without bind(): the kernel chose port ");
	sentence_add_number(t->s, t->event->port);
}

static void say_lost(const struct telling *t)
{
	sentence_add(t->s, "port ");
	sentence_add_number(t->s, t->event->port);
	sentence_add(t->s, ", which bind() had given, is ");
	say_held(t);
	say_rule(t);
}

/* --- the hints ---------------------------------------------------------------------------- */

/* Did the kernel choose the holder's port? Then it may choose it again. */
static bool is_by_chance(const struct holder *h)
{
	struct tenure tenure = { .origin = h->origin };

	return tenure_is_ephemeral(&tenure) == YES;
}

/* It has the sockets of services that are to be started when somebody comes. */
static bool is_systemd(const struct holder *h)
{
	return h->who && h->who->pid == 1 && !memcmp(h->who->comm, "systemd", sizeof("systemd"));
}

static const char *hint_holder(const struct event *e)
{
	const struct holder *first = e->holders ? &e->holders->list[0] : NULL;

	if (is_path(e))
		return "if no program listens there, unlink() the file; a server does so before "
		       "bind()";
	if (endpoint_is_named(&e->life->local))
		return "stop the holder, or take another name or number";
	if (!first)
		return "portlife why names who has it now";
	if (first->state == TCP_TIME_WAIT)
		return "set SO_REUSEADDR before bind(), in the old and the new program, or wait";
	if (first->keeper == KEPT_BY_ORPHAN)
		return "its process has closed it: wait until the connection is over, or set "
		       "SO_REUSEADDR before bind(), in the old and the new program";
	if (first->kern)
		return "a service of the kernel has the port: stop it, or take another port";
	if (is_systemd(first) && first->state != TCP_ESTABLISHED)
		return "systemd has the port for a service: `systemctl list-sockets` tells which, "
		       "stop that .socket unit";
	if (is_by_chance(first))
		return "the kernel chose this port for the holder: put it into "
		       "net.ipv4.ip_local_reserved_ports, or take one outside of the range";
	if (first->conflict.overlap == OVERLAP_DUAL_STACK)
		return "set IPV6_V6ONLY on the socket of IPv6, or stop the holder";
	if (first->conflict.reason == REASON_REUSEPORT_UID)
		return "run both as one user, or stop the holder";
	if (first->origin == ORIGIN_ACCEPT)
		return "connections of a server have its port: SO_REUSEADDR before bind() on its "
		       "listener and on this socket shares it with them";
	if (first->state == TCP_LISTEN)
		return "stop the holder, take another port, or set SO_REUSEPORT on both sockets "
		       "before bind()";
	return "stop the holder, or set SO_REUSEADDR on both sockets before bind()";
}

/* --- the table ---------------------------------------------------------------------------- */

static const struct finding_rule rules[FINDING_KINDS] = {
	[FINDING_BIND_IN_USE] = { SEVERITY_ERROR, say_bind_in_use, NULL, hint_holder, false },
	[FINDING_PORTS_EXHAUSTED] = { SEVERITY_ERROR, scarcity_say_exhausted, NULL, scarcity_hint,
				      true },
	[FINDING_PORTS_LOW] = { SEVERITY_WARNING, scarcity_say_low, NULL, scarcity_hint, true },
	[FINDING_CONNECT_TUPLE_IN_USE] = { SEVERITY_ERROR, say_tuple,
					   "bind() to another port or address, or do not bind()",
					   NULL, false },
	[FINDING_BIND_DENIED] = { SEVERITY_ERROR, say_denied,
				  "give the program CAP_NET_BIND_SERVICE or a socket from "
				  "systemd, or lower net.ipv4.ip_unprivileged_port_start",
				  NULL, false },
	[FINDING_BIND_REFUSED_BY_POLICY] = { SEVERITY_ERROR, say_refused,
					     "look into the audit log and at `bpftool cgroup "
					     "tree`; EACCES: at "
					     "net.ipv4.ip_unprivileged_port_start, too",
					     NULL, false },
	[FINDING_BIND_NOT_LOCAL] = { SEVERITY_ERROR, say_not_local,
				     "compare `ip address`; start when the address is there, or "
				     "set IP_FREEBIND before bind()",
				     NULL, false },
	[FINDING_BIND_TWICE] = { SEVERITY_ERROR, say_twice,
				 "bind() once, before listen(), connect() and send()", NULL,
				 false },
	[FINDING_EARLY_BIND] = { SEVERITY_WARNING, scarcity_say_early,
				 "set IP_BIND_ADDRESS_NO_PORT before bind(): connect() then takes "
				 "a port that others can share",
				 NULL, true },
	[FINDING_TIME_WAIT_HOLDS_PORT] = { SEVERITY_WARNING, say_time_wait,
					   "let the side that does not need its port close first",
					   NULL, false },
	[FINDING_LISTEN_RANDOM_PORT] = { SEVERITY_INFO, say_random,
					 "bind() to the port that clients are to find", NULL,
					 false },
	[FINDING_LISTEN_LOST_PORT] = { SEVERITY_ERROR, say_lost,
				       "SO_REUSEADDR lets many bind() and one listen(): listen() "
				       "at once, or set SO_REUSEPORT on all",
				       NULL, false },
	[FINDING_SLOW_PORT_SEARCH] = { SEVERITY_WARNING, scarcity_say_slow,
				       "if it stays so, the range is nearly used up: close "
				       "sockets, or widen net.ipv4.ip_local_port_range",
				       NULL, false },
};

const struct finding_rule *finding_rule(enum finding_id id)
{
	return &rules[id];
}

enum severity finding_severity(enum finding_id id)
{
	return id < FINDING_KINDS ? rules[id].severity : SEVERITY_INFO;
}
