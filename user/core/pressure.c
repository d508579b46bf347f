/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pressure.c owns the question whether a range is nearly used up. It is asked now and then, of the
 * index of ports, so that nobody has to count while sockets come and go.
 */
#include <netinet/in.h>
#include <string.h>

#include "user/core/state.h"

#define ASK_TIMES    16U /* while a range is filled up */
#define LOW_PERCENT  80U
#define VISITED_MAX  4096		  /* sockets on one port */
#define QUIET_NS     UINT64_C(1000000000) /* after it was low: it took a while to count */
#define SAMPLE_PORTS 512U
#define PORTS_MIN    16U /* of a range so small, somebody has seen to it */

/* For what a port is wanted. */
struct want {
	const struct lives *lives;
	struct port_key key;
	const struct endpoint *peer; /* connect(): ports may be shared, but not for this peer */
	const struct space *space;   /* NULL: its settings are not known */
};

static uint32_t ports_in(const struct event *e)
{
	return e->range_lo && e->range_lo <= e->range_hi ? e->range_hi - e->range_lo + 1U : 0;
}

bool pressure_is_due(struct core *core, const struct event *e)
{
	uint32_t ports;

	if (tenure_is_ephemeral(e->tenure) != YES)
		return false;
	ports = ports_in(e);
	if (ports < PORTS_MIN)
		return false;
	if (core->until_pressure) {
		core->until_pressure--;
		return false;
	}
	core->until_pressure = ports / ASK_TIMES - 1;
	return e->ts_ns >= core->pressure_quiet_ns;
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

	for (; link; link = link->next) {
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

static struct want want_of(const struct core *core, const struct event *e)
{
	return (struct want){
		.lives = &core->lives,
		.key = { e->life->netns, ports_protocol(e->life->protocol), 0 },
		.peer = is_for_peer(e) ? &e->life->peer : NULL,
		.space = spaces_find(&core->spaces, e->life->netns),
	};
}

static bool is_low(uint32_t taken, uint32_t ports)
{
	return (uint64_t)taken * 100 >= (uint64_t)ports * LOW_PERCENT;
}

static bool is_taken(struct want *want, uint32_t port)
{
	want->key.port = (uint16_t)port;
	return ports_any(&want->lives->ports, want->key) &&
	       (is_bound(want) || is_connected(want) || waits(want));
}

static bool is_reserved(const struct want *want, uint32_t port)
{
	return want->space && settings_is_reserved(&want->space->settings, (uint16_t)port);
}

/* Is that much of every step-th port taken? */
static bool is_range_low(struct want *want, const struct event *e, uint32_t step)
{
	uint32_t ports = 0, taken = 0;

	for (uint32_t port = e->range_lo; port <= e->range_hi; port += step) {
		if (is_reserved(want, port))
			continue;
		ports++;
		taken += is_taken(want, port);
	}
	return ports && is_low(taken, ports);
}

uint32_t pressure_taken(const struct core *core, const struct event *e, bool *for_peer)
{
	struct want want = want_of(core, e);
	uint32_t taken = 0, ports = ports_in(e);

	for (uint32_t port = e->range_lo; ports && port <= e->range_hi; port++)
		taken += is_taken(&want, port);
	*for_peer = want.peer != NULL;
	return taken;
}

bool pressure_is_low(struct core *core, const struct event *e)
{
	uint32_t step = ports_in(e) / SAMPLE_PORTS;
	struct want want = want_of(core, e);

	/* some ports stand for all: is it worth the time to look at each? */
	if ((step > 1 && !is_range_low(&want, e, step)) || !is_range_low(&want, e, 1))
		return false;
	core->pressure_quiet_ns = e->ts_ns + QUIET_NS;
	return true;
}
