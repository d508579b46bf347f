/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pressure_lives.c owns what a life or a TIME_WAIT remnant says about its port, and the summary of
 * all namespaces: one walk through the table, sorted by namespace.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/state.h"

static uint8_t met_by_origin(unsigned int origin)
{
	switch (origin) {
	case ORIGIN_CONNECT:
	case ORIGIN_SEND:
		return MET_CONNECT;
	case ORIGIN_BIND:
	case ORIGIN_BIND0:
	case ORIGIN_LISTEN:
	case ORIGIN_ACCEPT:
		return MET_BIND | MET_BLOCKS;
	default:
		return 0;
	}
}

static bool has_peer(const struct slot *slot)
{
	return slot->state != TCP_CLOSE && slot->state != TCP_LISTEN && slot->life.peer.port;
}

static struct pressure_use use_of_slot(const struct slot *slot)
{
	const struct life *life = &slot->life;
	const struct tenure *held = tenure_held(slot);
	struct pressure_use use = {
		.scope = life->peer.scope,
		.family = life->local.family,
		.port = slot->listed_port,
		.peer_port = has_peer(slot) ? life->peer.port : 0,
		.met = met_by_origin(held ? held->origin : ORIGIN_UNKNOWN),
	};

	/* a TCP socket without a peer got its port from bind() or listen() */
	if (!use.met)
		use.met = life->protocol == IPPROTO_TCP && !use.peer_port ? MET_BIND | MET_BLOCKS
									  : MET_UNKNOWN;
	memcpy(use.local, life->local.addr, sizeof(use.local));
	memcpy(use.peer, life->peer.addr, sizeof(use.peer));
	return use;
}

static struct pressure_use use_of_remnant(const struct remnant *r)
{
	struct pressure_use use = {
		.scope = r->scope,
		.family = r->inet6 ? AF_INET6 : AF_INET,
		.port = (uint16_t)r->key.port,
		.peer_port = r->peer_port,
		.met = MET_TIME_WAIT | (met_by_origin(r->origin) & MET_BLOCKS),
		.time_wait = true,
	};

	memcpy(use.local, r->local, sizeof(use.local));
	memcpy(use.peer, r->peer, sizeof(use.peer));
	return use;
}

static bool is_counted(const struct slot *slot)
{
	return slot->listed_port && slot->life.chosen;
}

static void add_slot(struct pressure_counter *c, const struct slot *slot)
{
	struct pressure_use use = use_of_slot(slot);

	pressure_add(c, &use);
}

static void add_remnant(struct pressure_counter *c, const struct remnant *r)
{
	struct pressure_use use = use_of_remnant(r);

	pressure_add(c, &use);
}

int pressure_of_lives(const struct core *core, struct pressure_counter *c,
		      struct pressure *pressure, const struct settings *settings, uint16_t protocol)
{
	const struct lives *lives = &core->lives;
	size_t max = lives_count(lives) + HASH_COUNT(lives->remnants);
	int err = pressure_begin(c, pressure, settings, protocol, max);
	struct slot *slot = NULL;
	const struct remnant *r = NULL;

	if (err)
		return err;
	while ((slot = lives_next(lives, slot)))
		if (is_counted(slot) && slot->life.netns == settings->netns &&
		    slot->life.protocol == protocol)
			add_slot(c, slot);
	while ((r = lives_next_remnant(lives, r)))
		if (r->netns == settings->netns && r->protocol == protocol)
			add_remnant(c, r);
	pressure_ports(c);
	return 0;
}

/* --- the summary -------------------------------------------------------------------------- */

#define SUMMARY_MAX 64 /* namespaces and protocols told of */

/* Something on a port, sorted by namespace and protocol. */
struct met {
	uint32_t netns;
	uint16_t protocol;
	bool waits; /* what is a remnant, else a slot */
	const void *what;
};

struct gathering {
	struct met *list;
	size_t len;
};

static int compare_met(const void *left, const void *right)
{
	const struct met *a = left, *b = right;

	if (a->netns != b->netns)
		return a->netns < b->netns ? -1 : 1;
	return (a->protocol > b->protocol) - (a->protocol < b->protocol);
}

/* 0 or -ENOMEM */
static int gather(struct core *core, struct gathering *g)
{
	size_t max = lives_count(&core->lives) + HASH_COUNT(core->lives.remnants);
	struct slot *slot = NULL;
	const struct remnant *r = NULL;

	*g = (struct gathering){ .list = calloc(max + 1, sizeof(*g->list)) };
	if (!g->list)
		return -ENOMEM;
	while ((slot = lives_next(&core->lives, slot)))
		if (is_counted(slot))
			g->list[g->len++] = (struct met){ .netns = slot->life.netns,
							  .protocol = slot->life.protocol,
							  .what = slot };
	while ((r = lives_next_remnant(&core->lives, r)))
		g->list[g->len++] = (struct met){
			.netns = r->netns, .protocol = r->protocol, .waits = true, .what = r
		};
	qsort(g->list, g->len, sizeof(*g->list), compare_met);
	return 0;
}

static size_t first_of(const struct gathering *g, const struct met *key)
{
	size_t lo = 0, hi = g->len;

	while (lo < hi) {
		size_t middle = lo + (hi - lo) / 2;

		if (compare_met(&g->list[middle], key) < 0)
			lo = middle + 1;
		else
			hi = middle;
	}
	return lo;
}

static int count_space(struct pressure *pressure, const struct gathering *g,
		       const struct settings *settings, uint16_t protocol)
{
	struct met key = { .netns = settings->netns, .protocol = protocol };
	size_t first = first_of(g, &key), end = first;
	struct pressure_counter c;
	int err;

	while (end < g->len && !compare_met(&g->list[end], &key))
		end++;
	err = pressure_begin(&c, pressure, settings, protocol, end - first);
	for (size_t i = first; i < end && !err; i++) {
		if (g->list[i].waits)
			add_remnant(&c, g->list[i].what);
		else
			add_slot(&c, g->list[i].what);
	}
	if (!err) {
		pressure_ports(&c);
		pressure_destinations(&c);
	}
	pressure_end(&c);
	return err;
}

/* Is it asked for, and is there anything to tell? */
static bool is_asked(const struct core *core, const struct space *space, unsigned int protocol)
{
	const struct filter *f = core->filter;
	uint32_t bit = protocol_bit(space_protocol_number(protocol));

	return space->settings.range_hi && (!f->has_netns || f->netns == space->settings.netns) &&
	       (!f->protocols || (f->protocols & bit));
}

static bool is_worth_telling(const struct core *core, const struct space_summary *s)
{
	return s->pressure.taken || s->assigned || s->released ||
	       s->pressure.settings->netns == core->run.netns;
}

/* released_known: a release that TIME_WAIT puts off is not seen by every backend. */
static int summarise(struct core *core, const struct gathering *g, const struct space *space,
		     unsigned int protocol, struct space_summary *s)
{
	*s = (struct space_summary){
		.all = !core_unseen(core),
		.assigned = space->turnover[protocol].assigned,
		.released = space->turnover[protocol].released,
		.released_known =
			protocol != SPACE_TCP || !(core->run.blind & WIRE_B_TIME_WAIT_END),
	};
	return count_space(&s->pressure, g, &space->settings, space_protocol_number(protocol));
}

int pressure_summarise(struct core *core)
{
	struct run_summary *summary = &core->summary;
	struct space_summary *list = calloc(SUMMARY_MAX, sizeof(*list));
	struct space_summary one;
	struct gathering g = { .list = NULL };
	int err = list ? gather(core, &g) : -ENOMEM;

	summary->spaces = list;
	summary->spaces_len = 0;
	summary->spaces_omitted = core->spaces.dropped;
	for (size_t i = 0; i < core->spaces.len * SPACE_PROTOCOLS && !err; i++) {
		const struct space *space = &core->spaces.list[i / SPACE_PROTOCOLS];
		unsigned int protocol = (unsigned int)(i % SPACE_PROTOCOLS);

		if (!is_asked(core, space, protocol))
			continue;
		err = summarise(core, &g, space, protocol, &one);
		if (err || !is_worth_telling(core, &one))
			continue;
		if (summary->spaces_len < SUMMARY_MAX)
			list[summary->spaces_len++] = one;
		else
			summary->spaces_omitted++;
	}
	free(g.list);
	return err;
}
