/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pressure.c owns the question whether a range is nearly used up. It is asked now and then, of the
 * index of ports, so that nobody has to count while sockets come and go.
 */
#include <netinet/in.h>
#include <string.h>

#include "user/core/state.h"

#define ASK_TIMES    16U /* at least, while a range is filled up */
#define LOW_PERCENT  80U
#define NEAR_PERCENT 65U  /* of some ports, which may be wrong by a few: then all are counted */
#define VISITED_MAX  4096 /* sockets on one port */
#define QUIET_NS     UINT64_C(1000000000) /* after it was low: it took a while to count */
#define NEAR_NS	     UINT64_C(50000000)	  /* after a large range was counted twice */
#define SAMPLE_PORTS 512U
#define PORTS_MIN    5U /* of fewer, four fifths are all */

/* For what a port is wanted. */
struct want {
	const struct lives *lives;
	struct port_key key;
	const struct endpoint *peer; /* connect(): ports may be shared, but not for this peer */
	const struct space *space;   /* NULL: its settings are not known */
	uint16_t given;		     /* by this very event, not yet in the index */
	bool only_seen;		     /* not what was concluded */
};

static uint32_t ports_in(const struct event *e)
{
	return e->range_lo && e->range_lo <= e->range_hi ? e->range_hi - e->range_lo + 1U : 0;
}

static bool is_ask_of(const struct pressure_ask *ask, const struct event *e)
{
	return ask->netns == e->life->netns && ask->protocol == ports_protocol(e->life->protocol) &&
	       ask->lo == e->range_lo && ask->hi == e->range_hi;
}

/* Each range has its own: many ports given from another one say nothing about it. */
static struct pressure_ask *ask_of(struct pressure_asks *asks, const struct event *e)
{
	if (is_ask_of(&asks->list[asks->latest], e))
		return &asks->list[asks->latest];
	for (asks->latest = 0; asks->latest < PRESSURE_ASKS; asks->latest++)
		if (is_ask_of(&asks->list[asks->latest], e))
			return &asks->list[asks->latest];
	asks->latest = asks->next++ % PRESSURE_ASKS;
	asks->list[asks->latest] = (struct pressure_ask){
		.netns = e->life->netns,
		.protocol = ports_protocol(e->life->protocol),
		.lo = e->range_lo,
		.hi = e->range_hi,
	};
	return &asks->list[asks->latest];
}

bool pressure_is_due(struct core *core, const struct event *e)
{
	struct pressure_ask *ask;

	if (tenure_is_ephemeral(e->tenure) != YES || ports_in(e) < PORTS_MIN)
		return false;
	ask = ask_of(&core->asks, e);
	if (ask->until) {
		ask->until--;
		return false;
	}
	return e->ts_ns >= ask->quiet_ns;
}

static bool is_ours(const struct want *want, const struct slot *slot)
{
	return slot->listed_port == want->key.port && slot->life.netns == want->key.netns &&
	       ports_protocol(slot->life.protocol) == want->key.protocol;
}

static bool same_peer(const struct endpoint *peer, const uint8_t *addr, uint16_t port)
{
	return peer->port == port && !memcmp(peer->addr, addr, sizeof(peer->addr));
}

static bool is_bound(const struct want *want)
{
	struct port_link *link = ports_first(&want->lives->ports, PORT_LIST_BOUND, want->key);

	while (link && !is_ours(want, slot_of_link(link)))
		link = link->next;
	return link != NULL;
}

static bool is_connected(const struct want *want)
{
	struct port_link *link = ports_first(&want->lives->ports, PORT_LIST_CONNECTED, want->key);

	for (unsigned int i = 0; link && i < VISITED_MAX; link = link->next, i++) {
		const struct slot *slot = slot_of_link(link);

		if (is_ours(want, slot) &&
		    (!want->peer ||
		     same_peer(want->peer, slot->life.peer.addr, slot->life.peer.port)))
			return true;
	}
	return false;
}

static bool waits(const struct want *want)
{
	struct port_link *link = ports_first(&want->lives->ports, PORT_LIST_TIME_WAIT, want->key);

	for (; link && !want->only_seen; link = link->next) {
		const struct remnant *r = remnant_of_link(link);

		if (r->key.port == want->key.port && r->netns == want->key.netns &&
		    ports_protocol(r->protocol) == want->key.protocol &&
		    (!want->peer || same_peer(want->peer, r->peer, r->peer_port)))
			return true;
	}
	return false;
}

static bool is_for_peer(const struct event *e)
{
	return e->life->protocol == IPPROTO_TCP &&
	       (e->kind == EVENT_CONNECT || e->kind == EVENT_SEND);
}

static struct want want_of(const struct core *core, const struct event *e, uint16_t given)
{
	return (struct want){
		.lives = &core->lives,
		.key = { e->life->netns, ports_protocol(e->life->protocol), 0 },
		.peer = is_for_peer(e) ? &e->life->peer : NULL,
		.space = spaces_find(&core->spaces, e->life->netns),
		.given = given,
	};
}

static bool is_taken(struct want *want, uint32_t port)
{
	want->key.port = (uint16_t)port;
	return port == want->given || (ports_any(&want->lives->ports, want->key) &&
				       (is_bound(want) || is_connected(want) || waits(want)));
}

static bool is_reserved(const struct want *want, uint32_t port)
{
	return want->space && settings_is_reserved(&want->space->settings, (uint16_t)port);
}

struct share {
	uint32_t ports, taken;
};

/* Of every step-th port that is not reserved. */
static struct share share_of(struct want *want, const struct event *e, uint32_t step)
{
	struct share share = { 0 };

	for (uint32_t port = e->range_lo; port <= e->range_hi; port += step) {
		if (is_reserved(want, port))
			continue;
		share.ports++;
		share.taken += is_taken(want, port);
	}
	return share;
}

static bool is_low(const struct share *share, uint32_t percent)
{
	return share->ports && (uint64_t)share->taken * 100 >= (uint64_t)share->ports * percent;
}

uint32_t pressure_taken(const struct core *core, const struct event *e, bool *for_peer)
{
	struct want want = want_of(core, e, 0);
	uint32_t taken = 0, ports = ports_in(e);

	/* where its end is not seen, a TIME_WAIT may be gone, and a namespace with it */
	want.only_seen = core->run.blind & WIRE_B_TIME_WAIT_END;
	for (uint32_t port = e->range_lo; ports && port <= e->range_hi; port++)
		taken += is_taken(&want, port);
	*for_peer = want.peer != NULL;
	return taken;
}

/* A call takes one port: how many more it needs at least until that is low. */
static uint32_t calls_until_low(const struct share *share)
{
	return (share->ports * LOW_PERCENT + 99) / 100 - share->taken;
}

/* Where a large range stays near the limit it is not counted again and again. */
static void rest_a_while(struct pressure_ask *ask, uint64_t ts_ns)
{
	if (ask->counted_ns && ts_ns - ask->counted_ns < NEAR_NS)
		ask->quiet_ns = ts_ns + NEAR_NS;
	ask->counted_ns = ts_ns;
}

bool pressure_is_low(struct core *core, const struct event *e)
{
	uint32_t ports = ports_in(e), step = ports / SAMPLE_PORTS;
	uint32_t later = ports < ASK_TIMES ? 1 : ports / ASK_TIMES;
	struct pressure_ask *ask = ask_of(&core->asks, e);
	struct want want = want_of(core, e, e->port);
	struct share share;

	ask->until = later - 1;
	/* some ports stand for all: is it worth the time to look at each? */
	if (step > 1) {
		share = share_of(&want, e, step);
		if (!is_low(&share, NEAR_PERCENT))
			return false;
	}
	share = share_of(&want, e, 1);
	if (!is_low(&share, LOW_PERCENT)) {
		if (!share.ports || calls_until_low(&share) >= later)
			return false;
		ask->until = calls_until_low(&share) - 1;
		if (step > 1)
			rest_a_while(ask, e->ts_ns);
		return false;
	}
	ask->until = 0;
	ask->quiet_ns = e->ts_ns + QUIET_NS;
	return true;
}
