/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * why.c owns the order in which bind() looks: address, privilege, then who else has the port
 * (__inet_bind, __inet6_bind).
 */
#include "user/core/ports.h"
#include "user/core/record.h"
#include "user/core/why.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define REUSE (WIRE_O_REUSEADDR | WIRE_O_REUSEPORT)

static const uint16_t options_of[WITH_KINDS] = {
	[WITH_REUSEADDR] = WIRE_O_REUSEADDR,
	[WITH_REUSEPORT] = WIRE_O_REUSEPORT,
	[WITH_BOTH] = REUSE,
};

static const struct wire_sock *sock_of(const struct port_row *row)
{
	return &row->holders[0].sock;
}

static bool is_ping(const struct why *w)
{
	return w->protocol == IPPROTO_ICMP;
}

/* Are sockets that listen in the way of those that share? */
static bool has_listeners(uint16_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_SCTP;
}

/* --- one row ------------------------------------------------------------------------------ */

/* Sockets of ping are made with it (INET_PROTOSW_REUSE). */
static uint16_t default_options(const struct why *w)
{
	return is_ping(w) ? WIRE_O_REUSEADDR : 0;
}

static struct conflict_side asked_side(const struct why *w, enum why_with with)
{
	struct conflict_side side = {
		.family = w->local.family,
		.ifindex = w->ifindex,
		.options = options_of[with] | default_options(w),
		.uid = w->uid,
		.uid_known = true,
	};

	memcpy(side.addr, w->local.addr, sizeof(side.addr));
	return side;
}

static struct conflict_side holder_side(const struct port_row *row, uint16_t more_options)
{
	const struct port_holder *h = row->holders;
	struct conflict_side side = {
		.family = h->sock.family,
		.ifindex = h->sock.ifindex,
		.options = h->sock.options | more_options,
		.uid = h->sock_uid,
		.uid_known = h->facts & WIRE_F_SOCK_UID,
		.listening = has_listeners(h->sock.protocol) && h->sock.state == TCP_LISTEN,
		.time_wait = h->sock.state == TCP_TIME_WAIT,
	};

	memcpy(side.addr, h->sock.local, sizeof(side.addr));
	return side;
}

/* ping_get_port() looks neither at addresses nor at SO_REUSEPORT. */
static struct conflict conflict_of_ids(const struct conflict_side *asked,
				       const struct conflict_side *holder)
{
	bool share = asked->options & holder->options & WIRE_O_REUSEADDR;

	return (struct conflict){ .answer = share ? NO : YES, .overlap = OVERLAP_SAME_ADDRESS };
}

static struct conflict conflict_of(const struct why *w, const struct port_row *row,
				   enum why_with with, uint16_t more_options)
{
	const struct conflict_side asked = asked_side(w, with);
	const struct conflict_side holder = holder_side(row, more_options);

	if (is_ping(w))
		return conflict_of_ids(&asked, &holder);
	return conflict_rule(&asked, &holder, has_listeners(w->protocol));
}

/* sock_diag(7) does not tell of a connection whether it has IPV6_V6ONLY. */
static uint16_t hidden_options(const struct port_row *row)
{
	uint8_t state = sock_of(row)->state;

	return state == TCP_LISTEN || state == TCP_CLOSE ? REUSE : REUSE | WIRE_O_V6ONLY;
}

static bool is_of_port(const struct why *w, const struct port_row *row)
{
	const struct wire_sock *sock = sock_of(row);

	return sock->netns == w->netns && ports_protocol(sock->protocol) == w->protocol &&
	       sock->local_port == w->local.port;
}

/* A connection that has its port from the listener; before Linux 6.17 also one of connect(). */
static bool may_be_accepted(const struct port_row *row)
{
	uint8_t state = sock_of(row)->state;

	return state != TCP_LISTEN && state != TCP_CLOSE && state != TCP_TIME_WAIT &&
	       port_row_origin(row) != ORIGIN_BIND && port_row_origin(row) != ORIGIN_CONNECT;
}

/*
 * sk_reuseport_match(): where all who bound the port have set SO_REUSEPORT, and are one user's, one
 * more of that user gets it, and nobody else is looked at: accepted connections are the user's who
 * called accept(). The bucket remembers that, and whoever spoilt it, when they are gone; nobody can
 * see it.
 */
static bool is_bound_by_others(const struct why *w, const struct taken *taken)
{
	size_t len;
	const struct port_row *rows = taken_rows(taken, &len);

	for (size_t i = 0; i < len; i++) {
		const struct port_holder *h = rows[i].holders;

		if (!is_of_port(w, &rows[i]))
			continue;
		if (!(h->sock.options & WIRE_O_REUSEPORT))
			return true;
		if (may_be_accepted(&rows[i]) || h->sock.state == TCP_TIME_WAIT)
			continue;
		if (!(h->facts & WIRE_F_SOCK_UID) || h->sock_uid != w->uid)
			return true;
	}
	return w->protocol != IPPROTO_TCP;
}

/* Options that are not known are taken to be there, and not: if it matters, it depends. */
static enum why_answer answer_of_row(const struct why *w, const struct port_row *row,
				     enum why_with with)
{
	const struct conflict conflict = conflict_of(w, row, with, 0);
	enum tristate without = conflict.answer;
	enum tristate best = without;

	if (!w->options_known)
		best = conflict_of(w, row, with, hidden_options(row)).answer;
	if (conflict.reason == REASON_REUSEPORT_UID && !w->bound_by_others)
		best = NO;
	if (without == NO)
		return ANSWER_YES;
	return without == YES && best == YES ? ANSWER_NO : ANSWER_DEPENDS;
}

/*
 * udp_lib_lport_inuse() goes through the sockets of the port and is content with the first that
 * overlaps and shares by SO_REUSEPORT: one behind it that does not share is not asked. In which
 * order they come depends on when each was bound.
 */
static bool ends_the_search(const struct why *w, const struct port_row *row, enum why_with with)
{
	return !has_listeners(w->protocol) && conflict_of(w, row, with, 0).by_reuseport;
}

/* --- who is in the way ------------------------------------------------------------------- */

/* What listens, what is bound, connections, TIME_WAIT. */
static unsigned int rank_of(const struct port_row *row)
{
	switch (sock_of(row)->state) {
	case TCP_LISTEN:
		return 0;
	case TCP_CLOSE:
		return 1;
	case TCP_TIME_WAIT:
		return 3;
	default:
		return 2;
	}
}

static struct holder holder_of(const struct why *w, const struct port_row *row)
{
	const struct port_holder *h = row->holders;
	const struct life life = port_life(row);

	return (struct holder){
		.who = h->facts & WIRE_F_WHO ? &h->who : NULL,
		.local = life.local,
		.peer = life.peer,
		.netns = life.netns,
		.ifindex = life.ifindex,
		.options = life.options,
		.state = row->in_fin_wait ? TCP_FIN_WAIT2 : h->sock.state,
		.origin = (uint8_t)port_row_origin(row),
		.source = HOLDER_BY_LOOKUP,
		.keeper = (uint8_t)port_keeper(row),
		.processes = port_keeper(row) == KEPT_BY_PROCESS ? row->holders_len : 0,
		.fd = h->fd < 0 ? -1 : h->fd,
		.kern = life.kern,
		.left_known = row->time_wait_left_ms,
		.left_ms = row->time_wait_left_ms,
		.conflict = conflict_of(w, row, WITH_NOTHING, 0),
	};
}

static void put_in_the_way(struct why *w, const struct port_row *row)
{
	struct holders *found = &w->holders;
	size_t at = found->len;

	while (at > 0 && rank_of(row) < rank_of(w->rows[at - 1]))
		at--;
	if (found->len == HOLDERS_MAX) {
		found->omitted++;
		if (at == HOLDERS_MAX)
			return;
	} else {
		found->len++;
	}
	for (size_t i = found->len - 1; i > at; i--) {
		w->rows[i] = w->rows[i - 1];
		found->list[i] = found->list[i - 1];
	}
	w->rows[at] = row;
	found->list[at] = holder_of(w, row);
}

/* --- all together ------------------------------------------------------------------------- */

static enum why_answer worse(enum why_answer a, enum why_answer b)
{
	static const int badness[] = {
		[ANSWER_YES] = 0,
		[ANSWER_UNKNOWN] = 1,
		[ANSWER_DEPENDS] = 2,
		[ANSWER_NO] = 3,
	};

	return badness[a] >= badness[b] ? a : b;
}

static void worsen(struct why *w, enum why_answer answer)
{
	for (enum why_with with = 0; with < WITH_KINDS; with++)
		w->answers[with] = worse(w->answers[with], answer);
}

static void judge_rows(struct why *w, const struct taken *taken)
{
	bool may_end[WITH_KINDS] = { false };
	size_t len;
	const struct port_row *rows = taken_rows(taken, &len);

	for (size_t i = 0; i < len; i++) {
		if (!is_of_port(w, &rows[i]))
			continue;
		for (enum why_with with = 0; with < WITH_KINDS; with++) {
			w->answers[with] =
				worse(w->answers[with], answer_of_row(w, &rows[i], with));
			may_end[with] |= ends_the_search(w, &rows[i], with);
		}
		if (conflict_of(w, &rows[i], WITH_NOTHING, 0).answer != NO)
			put_in_the_way(w, &rows[i]);
	}
	for (enum why_with with = 0; with < WITH_KINDS; with++) {
		if (!may_end[with] || w->answers[with] != ANSWER_NO)
			continue;
		w->answers[with] = ANSWER_DEPENDS;
		w->order_decides = true;
	}
	if (!w->bound_known)
		worsen(w, ANSWER_DEPENDS);
}

/* What __inet6_bind() says EINVAL to, whatever the addresses of the machine. */
enum flaw {
	FLAW_NONE,
	FLAW_MULTICAST, /* a stream to many */
	FLAW_SCOPE,	/* an address of one link, and no device */
};

static enum flaw flaw_of(const struct why *w)
{
	const uint8_t *addr = w->local.addr;
	bool multicast = addr[0] == 0xff;
	/* __ipv6_addr_needs_scope_id() */
	bool of_link = (addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80) ||
		       (multicast && ((addr[1] & 0xf) == 1 || (addr[1] & 0xf) == 2));

	if (w->local.family != AF_INET6)
		return FLAW_NONE;
	if (multicast && w->protocol == IPPROTO_TCP)
		return FLAW_MULTICAST;
	return of_link && !w->ifindex ? FLAW_SCOPE : FLAW_NONE;
}

static void judge_privilege(struct why *w, const struct settings *s)
{
	/* ids are for everybody who may have such a socket (net.ipv4.ping_group_range) */
	if (is_ping(w) || (s->unprivileged_known && w->local.port >= s->unprivileged_start))
		w->is_privileged = YES; /* does not matter */
	if (w->is_privileged == YES)
		return;
	worsen(w, w->is_privileged == NO && s->unprivileged_known ? ANSWER_NO : ANSWER_DEPENDS);
	w->obstacle = OBSTACLE_PRIVILEGE;
}

static bool is_nonlocal_allowed(const struct why *w, const struct settings *s)
{
	return w->local.family == AF_INET6 ? s->nonlocal6 : s->nonlocal4;
}

static void judge_address(struct why *w, const struct settings *s)
{
	if (flaw_of(w))
		w->is_local = NO;
	else if (is_nonlocal_allowed(w, s))
		w->is_local = YES;
	if (w->is_local == YES)
		return;
	worsen(w, w->is_local == NO ? ANSWER_NO : ANSWER_UNKNOWN);
	w->obstacle = OBSTACLE_ADDRESS;
}

/* Who has the port is asked last; what is asked first is the obstacle. */
void why_judge(struct why *w, const struct taken *taken, const struct settings *s)
{
	w->obstacle = OBSTACLE_NONE;
	w->holders.len = w->holders.omitted = 0;
	w->order_decides = false;
	w->bound_by_others = is_bound_by_others(w, taken);
	for (enum why_with with = 0; with < WITH_KINDS; with++)
		w->answers[with] = ANSWER_YES;
	judge_rows(w, taken);
	if (w->holders.len)
		w->obstacle = OBSTACLE_HELD;
	/* __inet_bind() looks at the address before the privilege, __inet6_bind() after it */
	if (w->local.family == AF_INET6 && flaw_of(w) != FLAW_MULTICAST) {
		judge_address(w, s);
		judge_privilege(w, s);
	} else {
		judge_privilege(w, s);
		judge_address(w, s);
	}
}

enum why_answer why_answer(const struct why *w)
{
	return w->answers[WITH_NOTHING];
}

/* --- words -------------------------------------------------------------------------------- */

const char *why_answer_name(enum why_answer answer)
{
	static const char *const names[] = {
		[ANSWER_YES] = "yes",
		[ANSWER_NO] = "no",
		[ANSWER_DEPENDS] = "depends",
		[ANSWER_UNKNOWN] = "unknown",
	};

	return names[answer];
}

const char *why_obstacle_name(enum why_obstacle obstacle)
{
	static const char *const names[] = {
		[OBSTACLE_ADDRESS] = "address",
		[OBSTACLE_PRIVILEGE] = "privilege",
		[OBSTACLE_HELD] = "held",
	};

	return names[obstacle];
}

const char *why_with_name(enum why_with with)
{
	static const char *const names[] = {
		[WITH_NOTHING] = "plain",
		[WITH_REUSEADDR] = "reuseaddr",
		[WITH_REUSEPORT] = "reuseport",
		[WITH_BOTH] = "both",
	};

	return names[with];
}

static bool depends(const struct why *w)
{
	for (enum why_with with = 0; with < WITH_KINDS; with++)
		if (w->answers[with] == ANSWER_DEPENDS || w->answers[with] == ANSWER_UNKNOWN)
			return true;
	return false;
}

const char *why_missing(const struct why *w)
{
	if (!depends(w) || record_is_named(w->protocol))
		return NULL;
	if (w->is_local == NULL_STATE)
		return "whether the address is one of this network namespace's could not be read";
	if (w->is_privileged == NULL_STATE)
		return "whether the process has CAP_NET_BIND_SERVICE there could not be read";
	if (w->holders.len && !w->options_known && w->protocol != IPPROTO_SCTP)
		return "the options of the sockets in the way can only be read by root";
	if (w->protocol == IPPROTO_SCTP)
		return "the kernel tells only of SCTP sockets of its own network namespace that "
		       "listen or are connected, not of their options";
	if (!w->bound_known)
		return "only root can see sockets that are bound and no more (before Linux 6.8), "
		       "and "
		       "those of another network namespace";
	if (w->order_decides)
		return "of several UDP sockets on a port the kernel takes the first that shares, "
		       "or does not; which of them it comes to first is not to be seen";
	if (!w->bound_by_others)
		return "connections that another user accepted are in the way of SO_REUSEPORT only "
		       "if somebody else, or somebody without it, has bound the port too, which "
		       "the kernel alone remembers";
	return "whose a socket in the way is could not be read";
}

/* The option must have been set on the socket that left the entry behind, too (tw_reuse). */
static const char *hint_time_wait(const struct why *w)
{
	if (!w->options_known)
		return "set SO_REUSEADDR before bind(); the program that had the port must have "
		       "set it too. Else wait: TIME_WAIT lasts a minute";
	if (w->answers[WITH_REUSEADDR] == ANSWER_YES)
		return "set SO_REUSEADDR before bind(): the program that had the port had set it "
		       "too";
	return "wait: TIME_WAIT lasts a minute, and the program that had the port had not set "
	       "SO_REUSEADDR; have it set that before bind(), and the new one too, for the next "
	       "time";
}

/* What has it, and how one gets it back. */
static const char *hint_held(const struct why *w)
{
	const struct holder *first = &w->holders.list[0];

	switch (port_keeper(w->rows[0])) {
	case KEPT_BY_TIME_WAIT:
		return hint_time_wait(w);
	case KEPT_BY_ORPHAN:
		return "its program is gone and the kernel finishes the connection: set "
		       "SO_REUSEADDR on both sides, or wait";
	case KEPT_BY_KERNEL:
		return "the kernel itself has it: stop the service it does this for (nfs, rpc, "
		       "wireguard, ...), or take another port";
	case KEPT_BY_QUEUE:
	case KEPT_BY_PROCESS:
	case KEPT_BY_UNKNOWN:
		break;
	}
	if (first->origin == ORIGIN_CONNECT)
		return "an outgoing connection got the port as its own: end it, and put the port "
		       "into net.ipv4.ip_local_reserved_ports, so that it does not happen again";
	if (w->answers[WITH_REUSEADDR] == ANSWER_YES)
		return "set SO_REUSEADDR before bind(): whoever has the port has set it too, and "
		       "nobody listens there; or stop it, or take another port";
	if (w->answers[WITH_REUSEPORT] == ANSWER_YES)
		return "set SO_REUSEPORT before bind(): whoever has the port has set it too, and "
		       "is the same user; or stop it, or take another port";
	if (first->conflict.overlap == OVERLAP_WILDCARD_HOLDER)
		return "stop it, or have it bind one address instead of all, or take another port";
	if (first->conflict.overlap == OVERLAP_WILDCARD_ASKED)
		return "stop it, or bind another address instead of all, or take another port";
	if (first->conflict.overlap == OVERLAP_DUAL_STACK)
		return "set IPV6_V6ONLY on the socket that is bound to ::, or stop it, or take "
		       "another port";
	return "stop it, or take another port or address";
}

static const char *hint_address(const struct why *w)
{
	switch (flaw_of(w)) {
	case FLAW_MULTICAST:
		return "EINVAL: a TCP socket has no multicast address; bind ::, or one of `ip "
		       "address`";
	case FLAW_SCOPE:
		return "EINVAL: an address of one link needs its device: ask for ADDRESS%DEVICE, "
		       "and put it into sin6_scope_id";
	case FLAW_NONE:
		break;
	}
	return "bind 0.0.0.0 or ::, or an address that `ip address` shows; or set "
	       "IP_FREEBIND to bind before the address is there";
}

const char *why_hint(const struct why *w)
{
	if (record_is_named(w->protocol))
		return why_name_hint(w);
	switch (w->obstacle) {
	case OBSTACLE_ADDRESS:
		return hint_address(w);
	case OBSTACLE_PRIVILEGE:
		return "give the program CAP_NET_BIND_SERVICE (setcap cap_net_bind_service=+ep, "
		       "AmbientCapabilities= of systemd), or lower "
		       "net.ipv4.ip_unprivileged_port_start, or take another port";
	case OBSTACLE_HELD:
		return hint_held(w);
	case OBSTACLE_NONE:
		break;
	}
	return NULL;
}

/* --- connect() ---------------------------------------------------------------------------- */

static bool is_loopback(const struct endpoint *end)
{
	static const uint8_t one[16] = { [15] = 1 };

	return end->family == AF_INET ? end->addr[0] == 127 : !memcmp(end->addr, one, sizeof(one));
}

/* tcp_twsk_unique(): a TIME_WAIT entry older than a second may make room. */
static bool may_recycle(const struct why_connect *w, const struct settings *s)
{
	return w->destination.time_wait &&
	       (s->tw_reuse == 1 || (s->tw_reuse == 2 && is_loopback(&w->to)));
}

/* __inet_hash_connect() looks at pairs: one number of a range of 3, 5, ... is left out each time.
 */
static bool is_odd(const struct settings *s)
{
	return settings_range_size(s) > 1 && settings_range_size(s) % 2;
}

static enum why_answer answer_connect(const struct why_connect *w, const struct settings *s)
{
	if (!w->has_route || w->is_local == NO)
		return ANSWER_NO;
	if (!s->range_hi || !s->reserved_known || w->is_local != YES || !w->seen)
		return ANSWER_UNKNOWN;
	if (!w->left)
		return may_recycle(w, s) ? ANSWER_DEPENDS : ANSWER_NO;
	if (w->left == 1 && is_odd(s))
		return ANSWER_DEPENDS;
	/* whether the others keep their ports from everybody is not known */
	return w->left > w->pressure.by[PRESSURE_UNKNOWN] - w->destination.unknown ? ANSWER_YES
										   : ANSWER_DEPENDS;
}

int why_judge_connect(struct why_connect *w, const struct taken *taken, const struct settings *s)
{
	int error = pressure_of_taken_towards(&w->pressure, &w->destination, taken, s, &w->from,
					      &w->to);

	if (error)
		return error;
	w->left = w->pressure.usable > w->destination.used
			  ? w->pressure.usable - w->destination.used
			  : 0;
	w->answer = answer_connect(w, s);
	return 0;
}

const char *why_connect_missing(const struct why_connect *w)
{
	if (w->answer == ANSWER_UNKNOWN)
		return "the range, the address to connect from or the sockets of that network "
		       "namespace could not be read";
	if (w->answer != ANSWER_DEPENDS)
		return NULL;
	if (w->left == 1 && is_odd(w->pressure.settings))
		return "of an odd number of ports the search leaves one out, another one each "
		       "time: it may be the one that is left";
	if (!w->left)
		return "with tcp_tw_reuse a TIME_WAIT entry that is older than a second makes room";
	return "this kernel (before Linux 6.17) or user cannot tell which ports bind() keeps from "
	       "connect()";
}

const char *why_connect_hint(const struct why_connect *w)
{
	if (!w->has_route)
		return "`ip route get` shows what is missing";
	if (w->is_local == NO)
		return "connect from an address that `ip address` shows";
	if (w->answer == ANSWER_YES || w->answer == ANSWER_UNKNOWN)
		return NULL;
	if (w->pressure.blocked > w->pressure.usable / 2)
		return "most ports are kept by bind(): set IP_BIND_ADDRESS_NO_PORT on sockets that "
		       "bind(ADDRESS, 0) before connect(); portlife ports shows whose they are";
	return "keep connections open and use them again, connect to more addresses or from more, "
	       "or widen net.ipv4.ip_local_port_range";
}
