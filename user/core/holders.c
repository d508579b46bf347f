/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holders.c owns the search for those in the way, with the kernel's rule asked of each: through
 * what the kernel showed of the port at the moment of the conflict, else through the index of ports
 * and what was looked up since.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/family.h"
#include "user/core/state.h"

#define LOCK_CONNECT 16				 /* SOCK_CONNECT_BIND, wire_sock.userlocks */
#define TIME_WAIT_NS (UINT64_C(60) * 1000000000) /* TCP_TIMEWAIT_LEN */
/* A server has as many connections on its port as it likes; a refusal must not take a second. */
#define VISITED_MAX 8192

/* What is looked for. */
struct search {
	const struct slot *asker;
	struct conflict_side asked;
	struct endpoint local; /* likewise */
	struct port_key key;
	const struct endpoint *peer; /* of a connection, NULL: who conflicts with a bind() */
	uint64_t ts_ns;
	const struct noted *noted; /* what was read of the conflict, NULL: nothing */
	bool any_options;	   /* what is known of the options says that nobody is in the way */
	unsigned int visited;
	struct holders *found;
};

/* --- what a holder is --------------------------------------------------------------------- */

static struct holder holder_of_slot(const struct slot *slot)
{
	const struct life *life = &slot->life;
	const struct tenure *held = tenure_held(slot);

	return (struct holder){
		.socket = life->number,
		.who = life->who_known ? &life->who : NULL,
		.local = life->local,
		.peer = life->peer,
		.netns = life->netns,
		.ifindex = life->ifindex,
		.options = life->options,
		.state = slot->state,
		.origin = held ? held->origin : ORIGIN_UNKNOWN,
		.source = HOLDER_BY_TABLE,
		.keeper = life->kern	    ? KEPT_BY_KERNEL
			  : life->who_known ? KEPT_BY_PROCESS
					    : KEPT_BY_UNKNOWN,
		.fd = -1,
		.kern = life->kern,
	};
}

static struct endpoint remnant_end(const struct remnant *r, const uint8_t *addr, uint64_t port,
				   bool scoped)
{
	return endpoint_make(r->inet6 ? AF_INET6 : AF_INET, addr, (uint16_t)port,
			     scoped ? r->scope : 0);
}

static struct holder holder_of_remnant(const struct remnant *r, uint64_t ts_ns)
{
	uint64_t age_ns = ts_ns > r->ended_ns ? ts_ns - r->ended_ns : 0;

	return (struct holder){
		.socket = r->number,
		.who = r->who_known ? &r->who : NULL,
		.local = remnant_end(r, r->local, r->key.port, r->local_scoped),
		.peer = remnant_end(r, r->peer, r->peer_port, r->peer_scoped),
		.netns = r->netns,
		.ifindex = r->ifindex,
		.options = r->options,
		.state = TCP_TIME_WAIT,
		.origin = r->origin,
		.source = HOLDER_BY_TABLE,
		.keeper = KEPT_BY_TIME_WAIT,
		.fd = -1,
		.kern = r->kern,
		.left_known = !r->found,
		.left_ms =
			age_ns < TIME_WAIT_NS ? (uint32_t)((TIME_WAIT_NS - age_ns) / 1000000) : 0,
	};
}

/* --- what a record of a holder is ----------------------------------------------------------- */

static enum port_keeper keeper_of(const struct wire_holder *r)
{
	if (r->sock.state == TCP_TIME_WAIT)
		return KEPT_BY_TIME_WAIT;
	if (r->flags & WIRE_H_KERN)
		return KEPT_BY_KERNEL;
	if (r->flags & WIRE_H_ORPHAN)
		return KEPT_BY_ORPHAN;
	if (r->flags & WIRE_H_QUEUED)
		return KEPT_BY_QUEUE;
	/* what has a file is open somewhere */
	return r->inode || (r->flags & WIRE_H_WHO) ? KEPT_BY_PROCESS : KEPT_BY_UNKNOWN;
}

/* What the table has on the socket: its number, whose it was, how it got the port. */
static void complete_from_table(const struct core *core, const struct wire_sock *sock,
				struct holder *h)
{
	struct slot *slot = sock->id ? lives_find((struct lives *)&core->lives, sock->id) : NULL;
	struct remnant *r;

	if (slot) {
		const struct holder known = holder_of_slot(slot);

		h->socket = known.socket;
		h->who = known.who;
		h->origin = known.origin;
		return;
	}
	r = sock->id ? lives_find_remnant((struct lives *)&core->lives, sock->id, sock->local_port)
		     : NULL;
	if (!r)
		return;
	h->socket = r->number;
	h->who = r->who_known ? &r->who : NULL;
	h->origin = r->origin;
}

static struct holder holder_of_record(const struct core *core, const struct wire_holder *r)
{
	const struct wire_sock *sock = &r->sock;
	struct holder h = {
		.local = endpoint_make(sock->family, sock->local, sock->local_port, sock->scope),
		.peer = endpoint_make(sock->family, sock->peer, sock->peer_port, sock->scope),
		.netns = sock->netns,
		.ifindex = sock->ifindex,
		.options = sock->options,
		.state = sock->state,
		.origin = sock->userlocks & LOCK_CONNECT ? ORIGIN_CONNECT : ORIGIN_UNKNOWN,
		.source = r->flags & WIRE_H_LATER ? HOLDER_BY_LOOKUP : HOLDER_BY_KERNEL,
		.keeper = (uint8_t)keeper_of(r),
		.uid = r->uid,
		.uid_known = r->flags & WIRE_H_UID,
		.kern = r->flags & WIRE_H_KERN,
		.fin_wait = r->flags & WIRE_H_FIN_WAIT,
		.fd = -1,
		.left_known = r->flags & WIRE_H_LEFT,
		.left_ms = r->left_ms,
	};

	complete_from_table(core, sock, &h);
	return h;
}

/* Who has it open, where that was looked up: more is known than who touched it last. */
static void complete_from_lookup(const struct search *s, uint64_t id, uint64_t inode,
				 struct holder *h)
{
	for (size_t i = 0; s->noted && i < s->noted->later.len; i++) {
		const struct wire_holder *r = &s->noted->by_lookup[i];

		if (!(r->flags & WIRE_H_WHO) ||
		    !((inode && r->inode == inode) || (id && r->sock.id == id)))
			continue;
		h->who = &r->who;
		h->fd = r->fd;
		h->processes = r->processes;
		h->keeper = KEPT_BY_PROCESS;
		if (h->source == HOLDER_BY_TABLE)
			h->source = HOLDER_BY_LOOKUP;
		h->uid = r->uid;
		h->uid_known = true;
		return;
	}
}

/* --- who is in the way -------------------------------------------------------------------- */

static struct conflict_side side_of(const struct holder *h)
{
	struct conflict_side side = {
		.family = h->local.family,
		.ifindex = h->ifindex,
		.options = h->options,
		.uid = h->uid_known ? h->uid
		       : h->who	    ? h->who->uid
				    : 0,
		.uid_known = h->uid_known || h->who,
		.listening = h->state == TCP_LISTEN,
		.time_wait = h->state == TCP_TIME_WAIT,
	};

	memcpy(side.addr, h->local.addr, sizeof(side.addr));
	return side;
}

/* Bound to the wildcard, the socket gets its address from the route: not known after a failure. */
static bool may_be_local(const struct search *s, const struct conflict_side *holder)
{
	static const uint8_t any[16];

	return !memcmp(s->asked.addr, any, sizeof(any)) ||
	       !memcmp(s->asked.addr, holder->addr, sizeof(any));
}

/*
 * A name is one socket's: nothing shares it, and what accept() has made has its listener's name
 * without holding it (5.10 to 7.3: unix_stream_connect(), vsock_insert_connected()). An ICMP id is
 * shared by those that all have SO_REUSEADDR, whatever their addresses (ping_get_port()).
 */
static struct conflict conflict_without_port(const struct search *s, const struct holder *h)
{
	const unsigned int reuse = WIRE_O_REUSEADDR;
	struct conflict c = { .answer = NO };

	if (endpoint_is_named(&s->local)) {
		if (h->origin != ORIGIN_ACCEPT && endpoint_is_same_name(&s->local, &h->local))
			c = (struct conflict){ .answer = YES, .overlap = OVERLAP_SAME_ADDRESS };
		return c;
	}
	c.overlap = OVERLAP_SAME_ADDRESS;
	if (!(s->asked.options & h->options & reuse)) {
		c.answer = YES;
		c.reason = s->asked.options & reuse ? REASON_REUSEADDR_HOLDER
			   : h->options & reuse	    ? REASON_REUSEADDR_ASKED
						    : REASON_NO_REUSE;
	}
	return c;
}

static struct conflict conflict_with(const struct search *s, const struct holder *h)
{
	bool stream = s->key.protocol == IPPROTO_TCP || s->key.protocol == IPPROTO_SCTP;
	struct conflict_side holder = side_of(h);
	struct conflict c;

	if (s->peer) {
		c = (struct conflict){ .answer = NO };
		if (endpoint_is_same(s->peer, &h->peer) && may_be_local(s, &holder)) {
			c.answer = YES;
			c.overlap = OVERLAP_CONNECTION;
		}
		return c;
	}
	if (endpoint_is_named(&s->local) || s->key.protocol == IPPROTO_ICMP)
		return conflict_without_port(s, h);
	c = conflict_rule(&s->asked, &holder, stream);
	/* which SO_REUSEADDR it had was not to be seen */
	if (h->source == HOLDER_BY_LOOKUP && holder.time_wait && c.reason == REASON_NO_REUSE)
		c.reason = REASON_UNKNOWN;
	if (s->any_options && c.overlap && c.answer == NO) {
		c.answer = YES;
		c.reason = REASON_UNKNOWN;
	}
	return c;
}

static unsigned int rank_of(const struct holder *h)
{
	switch (h->state) {
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

static bool comes_before(const struct holder *a, const struct holder *b)
{
	unsigned int rank_a = rank_of(a), rank_b = rank_of(b);

	return rank_a != rank_b ? rank_a < rank_b : a->socket < b->socket;
}

/*
 * TIME_WAIT entries that were found by themselves have no number, nor has a connection that was
 * closed before it was looked up: the two ends tell.
 */
static bool is_same(const struct search *s, const struct holder *a, const struct holder *b)
{
	if (a->socket && a->socket == b->socket)
		return true;
	if (a->socket && b->socket && (a->state != TCP_TIME_WAIT || b->state != TCP_TIME_WAIT))
		return false;
	return s->key.protocol == IPPROTO_TCP && a->peer.port &&
	       endpoint_is_same(&a->local, &b->local) && endpoint_is_same(&a->peer, &b->peer);
}

static struct holder *find_same(const struct search *s, const struct holder *h)
{
	for (size_t i = 0; i < s->found->len; i++)
		if (is_same(s, &s->found->list[i], h))
			return &s->found->list[i];
	return NULL;
}

/*
 * Nobody has it open any more, and only a TIME_WAIT entry may be left: no record tells of that
 * before the end of the connection.
 */
static void learn_orphan(struct holder *known, const struct holder *found)
{
	if (known->keeper != KEPT_BY_PROCESS || known->processes ||
	    (found->keeper != KEPT_BY_ORPHAN && found->keeper != KEPT_BY_TIME_WAIT))
		return;
	known->keeper = found->keeper;
	known->state = found->state;
	known->source = found->source;
	known->left_known = found->left_known;
	known->left_ms = found->left_ms;
}

static void insert(struct holders *found, const struct holder *h)
{
	size_t at = found->len;

	while (at > 0 && comes_before(h, &found->list[at - 1]))
		at--;
	if (found->len == HOLDERS_MAX) {
		found->omitted++;
		if (at == HOLDERS_MAX)
			return;
	} else {
		found->len++;
	}
	memmove(&found->list[at + 1], &found->list[at],
		(found->len - 1 - at) * sizeof(found->list[0]));
	found->list[at] = *h;
}

static void consider(struct search *s, struct holder *h)
{
	struct holder *same;

	h->conflict = conflict_with(s, h);
	if (h->conflict.answer == NO)
		return;
	same = find_same(s, h);
	if (same) {
		learn_orphan(same, h);
		same->fin_wait = same->fin_wait || h->fin_wait;
	} else {
		insert(s->found, h);
	}
}

static void look_at_slot(struct search *s, const struct slot *slot)
{
	const struct life *life = &slot->life;
	struct holder h;

	if (slot == s->asker || slot->listed_port != s->key.port || life->netns != s->key.netns ||
	    ports_protocol(life->protocol) != s->key.protocol)
		return;
	h = holder_of_slot(slot);
	complete_from_lookup(s, life->id, 0, &h);
	consider(s, &h);
}

static void look_at_remnant(struct search *s, const struct remnant *r)
{
	struct holder h;

	if (r->key.port != s->key.port || r->netns != s->key.netns ||
	    ports_protocol(r->protocol) != s->key.protocol)
		return;
	h = holder_of_remnant(r, s->ts_ns);
	consider(s, &h);
}

static void look_through(const struct core *core, struct search *s)
{
	const struct port_index *index = &core->lives.ports;

	s->visited = 0;
	for (enum port_list list = 0; list < PORT_LISTS; list++) {
		struct port_link *link = ports_first(index, list, s->key);

		for (; link && s->visited < VISITED_MAX; link = link->next, s->visited++) {
			if (list == PORT_LIST_TIME_WAIT)
				look_at_remnant(s, remnant_of_link(link));
			else
				look_at_slot(s, slot_of_link(link));
		}
	}
}

static bool is_in_kernels_list(const struct noted *noted, const struct wire_holder *r)
{
	for (size_t i = 0; r->inode && i < noted->now.len; i++)
		if (noted->by_kernel[i].inode == r->inode)
			return true;
	return false;
}

/*
 * What the kernel showed, or what was looked up. Of a socket that the records are about, the table
 * knows better than a look afterwards whether it had the port then.
 */
static void look_at_noted(const struct core *core, struct search *s, bool later)
{
	const struct look *look = later ? &s->noted->later : &s->noted->now;
	const struct wire_holder *list = later ? s->noted->by_lookup : s->noted->by_kernel;

	for (size_t i = 0; i < look->len; i++) {
		struct holder h;

		if (list[i].sock.id == s->noted->asker ||
		    (later && (list[i].sock.id || is_in_kernels_list(s->noted, &list[i]))))
			continue;
		h = holder_of_record(core, &list[i]);
		complete_from_lookup(s, list[i].sock.id, list[i].inode, &h);
		consider(s, &h);
	}
}

/*
 * The kernel's list is the truth of that moment. Where it is not whole, or was not read (UDP, the
 * tracepoint backend), there is the table, and what was looked up since.
 */
static void look_everywhere(const struct core *core, struct search *s)
{
	const struct noted *noted = s->noted;
	bool whole = noted && look_is_whole(&noted->now);

	if (noted && noted->now.end.port) {
		look_at_noted(core, s, false);
		s->found->omitted += noted->now.end.omitted;
	}
	if (whole && !(noted->now.end.flags & WIRE_HS_CUT) && s->found->len)
		return;
	look_through(core, s);
	if (noted && noted->later.len)
		look_at_noted(core, s, true);
}

/*
 * One that listens or is bound has the name; what is connected and was not seen to begin was then
 * accepted by it.
 */
static void leave_only_who_has_the_name(struct holders *found)
{
	size_t len = 0;

	while (len < found->len && found->list[len].state != TCP_ESTABLISHED)
		len++;
	if (!len || len == found->len)
		return;
	found->len = len;
	found->omitted = 0;
}

/* Compared by the rules for TIME_WAIT, which the kernel has for both, they get their own name. */
static void name_fin_wait(struct holders *found)
{
	for (size_t i = 0; i < found->len; i++)
		if (found->list[i].fin_wait) {
			found->list[i].state = TCP_FIN_WAIT2;
			found->list[i].keeper = KEPT_BY_ORPHAN;
		}
}

static struct search search_new(const struct core *core, const struct slot *asker,
				const struct event *e, const struct endpoint *local,
				struct holders *found)
{
	const struct life *life = &asker->life;
	struct search s = {
		.asker = asker,
		.asked = {
			.family = local->family,
			.ifindex = life->ifindex ? life->ifindex : local->scope,
			.options = e->options,
			.uid = e->who ? e->who->uid : 0,
			.uid_known = e->who != NULL,
		},
		.key = { life->netns, ports_protocol(life->protocol), local->port },
		.local = *local,
		.ts_ns = e->ts_ns,
		.noted = notes_find(core->notes, life->id),
		.found = found,
	};

	if (s.noted && (s.noted->now.end.flags & WIRE_HS_UID)) {
		s.asked.uid = s.noted->now.end.uid;
		s.asked.uid_known = true;
	}
	memcpy(s.asked.addr, local->addr, sizeof(s.asked.addr));
	found->len = 0;
	found->omitted = 0;
	return s;
}

void holders_of_port(const struct core *core, const struct slot *asker, const struct event *e,
		     struct holders *found)
{
	bool binds = e->kind == EVENT_BIND && e->has_request;
	struct endpoint local = binds ? e->request : asker->life.local;
	struct search s;

	/* bind(AF_UNSPEC) is 0.0.0.0 */
	if (local.family != AF_INET && local.family != AF_INET6 && !endpoint_is_named(&local))
		local.family = asker->life.local.family;
	s = search_new(core, asker, e, &local, found);
	look_everywhere(core, &s);
	if (endpoint_is_named(&local))
		leave_only_who_has_the_name(found);
	if (!found->len) {
		s.any_options = true; /* they were changed since, which no record tells */
		found->omitted = 0;
		look_everywhere(core, &s);
	}
	name_fin_wait(found);
}

void holders_of_connection(const struct core *core, const struct slot *asker, const struct event *e,
			   struct holders *found)
{
	struct endpoint local = asker->life.local;
	struct search s;

	local.port = e->port;
	s = search_new(core, asker, e, &local, found);
	s.peer = e->has_request ? &e->request : &asker->life.peer;
	look_everywhere(core, &s);
	name_fin_wait(found);
}

const char *holder_source_name(enum holder_source source)
{
	static const char *const names[HOLDER_SOURCES] = {
		[HOLDER_BY_TABLE] = "table",
		[HOLDER_BY_KERNEL] = "kernel",
		[HOLDER_BY_LOOKUP] = "lookup",
	};

	return source < HOLDER_SOURCES ? names[source] : NULL;
}
