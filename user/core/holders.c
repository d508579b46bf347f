/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holders.c owns the search for those in the way: through the index of ports, with the kernel's
 * rule asked of each.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/family.h"
#include "user/core/state.h"

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
	bool any_options; /* what is known of the options says that nobody is in the way */
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
		.kern = r->kern,
		.left_known = !r->found,
		.left_ms =
			age_ns < TIME_WAIT_NS ? (uint32_t)((TIME_WAIT_NS - age_ns) / 1000000) : 0,
	};
}

/* --- who is in the way -------------------------------------------------------------------- */

static struct conflict_side side_of(const struct holder *h)
{
	struct conflict_side side = {
		.family = h->local.family,
		.ifindex = h->ifindex,
		.options = h->options,
		.uid = h->who ? h->who->uid : 0,
		.uid_known = h->who != NULL,
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
 * A name is one socket's: nothing shares it. An ICMP id is shared by those that all have
 * SO_REUSEADDR, whatever their addresses (5.10 to 7.3, ping_get_port()).
 */
static struct conflict conflict_without_port(const struct search *s, const struct holder *h)
{
	const unsigned int reuse = WIRE_O_REUSEADDR;
	struct conflict c = { .answer = NO };

	if (endpoint_is_named(&s->local)) {
		if (endpoint_is_same_name(&s->local, &h->local))
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
	h->conflict = conflict_with(s, h);
	if (h->conflict.answer != NO)
		insert(s->found, h);
}

static void look_at_slot(struct search *s, const struct slot *slot)
{
	const struct life *life = &slot->life;
	struct holder h;

	if (slot == s->asker || slot->listed_port != s->key.port || life->netns != s->key.netns ||
	    ports_protocol(life->protocol) != s->key.protocol)
		return;
	h = holder_of_slot(slot);
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

static struct search search_new(const struct slot *asker, const struct event *e,
				const struct endpoint *local, struct holders *found)
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
		.found = found,
	};

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
	s = search_new(asker, e, &local, found);
	look_through(core, &s);
	if (found->len)
		return;
	s.any_options = true; /* they were changed since, which no record tells */
	look_through(core, &s);
}

void holders_of_connection(const struct core *core, const struct slot *asker, const struct event *e,
			   struct holders *found)
{
	struct endpoint local = asker->life.local;
	struct search s;

	local.port = e->port;
	s = search_new(asker, e, &local, found);
	s.peer = e->has_request ? &e->request : &asker->life.peer;
	look_through(core, &s);
}
