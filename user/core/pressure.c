/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pressure.c owns the question how much of a range is taken. It is asked now and then, of the index
 * of ports, so that nobody has to count while sockets come and go.
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

static struct want want_of(const struct core *core, const struct event *e, bool connects)
{
	return (struct want){
		.lives = &core->lives,
		.key = { e->life->netns, ports_protocol(e->life->protocol), 0 },
		.peer = connects ? &e->life->peer : NULL,
	};
}

static bool is_low(uint32_t taken, uint32_t ports)
{
	return (uint64_t)taken * 100 >= (uint64_t)ports * LOW_PERCENT;
}

/* Counts one port; false if it is free. */
static bool count_port(struct want *want, uint32_t port, struct pressure *p)
{
	want->key.port = (uint16_t)port;
	if (!ports_any(&want->lives->ports, want->key))
		return false;
	if (is_bound(want))
		p->bound++;
	else if (is_connected(want))
		p->connected++;
	else if (waits(want))
		p->waiting++;
	else
		return false;
	return true;
}

/* Of some ports that stand for all: is it worth the time to look at each? */
static bool may_be_low(struct want *want, const struct event *e, uint32_t ports)
{
	uint32_t step = ports > SAMPLE_PORTS ? ports / SAMPLE_PORTS : 1;
	uint32_t sampled = (ports + step - 1) / step, taken = sampled;
	struct pressure sample = { 0 };

	for (uint32_t port = e->range_lo; port <= e->range_hi && is_low(taken, sampled);
	     port += step)
		taken -= !count_port(want, port, &sample);
	return is_low(taken, sampled);
}

static bool is_for_peer(const struct event *e)
{
	return e->life->protocol == IPPROTO_TCP &&
	       (e->kind == EVENT_CONNECT || e->kind == EVENT_SEND);
}

void pressure_measure(const struct core *core, const struct event *e, struct pressure *p)
{
	bool connects = is_for_peer(e);
	struct want want = want_of(core, e, connects);

	*p = (struct pressure){ .ports = ports_in(e), .for_peer = connects };
	for (uint32_t port = e->range_lo; p->ports && port <= e->range_hi; port++)
		count_port(&want, port, p);
}

bool pressure_is_low(struct core *core, const struct event *e, struct pressure *p)
{
	bool connects = is_for_peer(e);
	struct want want = want_of(core, e, connects);

	*p = (struct pressure){ .ports = ports_in(e), .for_peer = connects };
	if (!may_be_low(&want, e, p->ports))
		return false;
	for (uint32_t port = e->range_lo; port <= e->range_hi; port++)
		count_port(&want, port, p);
	if (!is_low(p->bound + p->connected + p->waiting, p->ports))
		return false;
	core->pressure_quiet_ns = e->ts_ns + QUIET_NS;
	return true;
}
