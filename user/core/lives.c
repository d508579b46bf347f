/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lives.c owns the memory of lives: slots, their tenures and phases. What ended is used again, and
 * a life costs the same however often its socket connects.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/lives.h"

int lives_init(struct lives *lives)
{
	memset(lives, 0, sizeof(*lives));
	pool_init(&lives->slots, sizeof(struct slot));
	pool_init(&lives->remnant_pool, sizeof(struct remnant));
	pool_init(&lives->few_phases, LIFE_PHASES_FEW * sizeof(struct phase));
	pool_init(&lives->some_phases, LIFE_PHASES_SOME * sizeof(struct phase));
	HASH_ADD_BYHASHVALUE(hh, lives->table, life.id, sizeof(uint64_t), hash_number(0),
			     &lives->anchor);
	HASH_ADD_BYHASHVALUE(hh, lives->remnants, key, sizeof(struct remnant_key), hash_number(0),
			     &lives->remnant_anchor);
	if (lives->table && lives->remnants && !ports_init(&lives->ports))
		return 0;
	lives_free(lives);
	return -ENOMEM;
}

/* Their number tells where the phases are. */
static void free_phases(struct lives *lives, struct life *life)
{
	if (life->phases_len > LIFE_PHASES_SOME)
		free(life->phases);
	else if (life->phases_len > LIFE_PHASES_FEW)
		pool_give(&lives->some_phases, life->phases);
	else if (life->phases_len)
		pool_give(&lives->few_phases, life->phases);
}

static void free_steps(struct lives *lives, struct slot *slot)
{
	if (slot->life.tenures_len > LIFE_TENURES_INLINE)
		free(slot->life.tenures);
	free_phases(lives, &slot->life);
}

void lives_free(struct lives *lives)
{
	if (lives->table) {
		struct slot *slot = NULL;

		while ((slot = lives_next(lives, slot)))
			free_steps(lives, slot);
		HASH_CLEAR(hh, lives->table);
	}
	if (lives->remnants)
		HASH_CLEAR(hh, lives->remnants);
	pool_free(&lives->slots);
	pool_free(&lives->remnant_pool);
	pool_free(&lives->few_phases);
	pool_free(&lives->some_phases);
	ports_free(&lives->ports);
}

struct slot *lives_find(struct lives *lives, uint64_t id)
{
	struct slot *slot;

	HASH_FIND_BYHASHVALUE(hh, lives->table, &id, sizeof(id), hash_number(id), slot);
	return slot;
}

struct slot *lives_begin(struct lives *lives, uint64_t id)
{
	struct slot *slot = pool_take(&lives->slots);

	if (!slot)
		return NULL;
	memset(slot, 0, sizeof(*slot));
	slot->life.id = id;
	slot->life.tenures = &slot->tenure;
	HASH_ADD_BYHASHVALUE(hh, lives->table, life.id, sizeof(id), hash_number(id), slot);
	if (!slot->hh.tbl) {
		pool_give(&lives->slots, slot);
		return NULL;
	}
	slot->life.number = ++lives->numbered;
	return slot;
}

void lives_forget(struct lives *lives, struct slot *slot)
{
	free_steps(lives, slot);
	if (slot->listed_port)
		ports_remove(&slot->link);
	HASH_DELETE(hh, lives->table, slot);
	pool_give(&lives->slots, slot);
}

/* uthash keeps the order of insertion, which is the order of numbers. */
struct slot *lives_next(const struct lives *lives, struct slot *after)
{
	return after ? after->hh.next : lives->anchor.hh.next;
}

size_t lives_count(const struct lives *lives)
{
	return HASH_COUNT(lives->table) - 1;
}

static enum port_list list_of(const struct tenure *held)
{
	bool connects = held->origin == ORIGIN_CONNECT || held->origin == ORIGIN_ACCEPT ||
			held->origin == ORIGIN_SEND;

	return connects ? PORT_LIST_CONNECTED : PORT_LIST_BOUND;
}

void lives_list(struct lives *lives, struct slot *slot)
{
	const struct life *life = &slot->life;
	/* the port of MPTCP is its subflow's, which stands there itself */
	bool own = life->protocol != WIRE_PROTOCOL_MPTCP;
	const struct tenure *held = life->holds_port && own ? lives_last_tenure(slot) : NULL;
	uint16_t port = held ? held->port : 0;
	struct port_key key = { life->netns, life->protocol, port };

	if (slot->listed_port == port)
		return;
	if (slot->listed_port)
		ports_remove(&slot->link);
	slot->listed_port = port;
	if (port)
		ports_add(&lives->ports, list_of(held), key, &slot->link);
}

/* --- tenures and phases ------------------------------------------------------------------ */

/* Moves the tenures to where there is room for one more. The length tells where they are. */
static int grow_tenures(struct life *life)
{
	bool is_inline = life->tenures_len == LIFE_TENURES_INLINE;
	size_t room = is_inline ? LIFE_TENURES_SOME : LIFE_TENURES_MAX;
	struct tenure *moved = realloc(is_inline ? NULL : life->tenures, room * sizeof(*moved));

	if (!moved)
		return -ENOMEM;
	if (is_inline)
		memcpy(moved, life->tenures, life->tenures_len * sizeof(*moved));
	life->tenures = moved;
	return 0;
}

struct tenure *lives_add_tenure(struct slot *slot)
{
	struct life *life = &slot->life;
	struct tenure *tenure;

	if (life->tenures_len == LIFE_TENURES_MAX) {
		life->tenures_omitted += life->tenures_omitted < UINT32_MAX;
		life->tenures_len--;
	} else if (life->tenures_len == LIFE_TENURES_INLINE ||
		   life->tenures_len == LIFE_TENURES_SOME) {
		if (grow_tenures(life))
			return NULL;
	}
	tenure = &life->tenures[life->tenures_len++];
	memset(tenure, 0, sizeof(*tenure));
	return tenure;
}

struct tenure *lives_last_tenure(const struct slot *slot)
{
	return slot->life.tenures_len ? &slot->life.tenures[slot->life.tenures_len - 1] : NULL;
}

/* Moves the phases to where there is room for one more. */
static int grow_phases(struct lives *lives, struct life *life)
{
	struct phase *moved = life->phases_len == 0 ? pool_take(&lives->few_phases)
			      : life->phases_len == LIFE_PHASES_FEW
				      ? pool_take(&lives->some_phases)
				      : malloc(LIFE_PHASES_MAX * sizeof(*moved));

	if (!moved)
		return -ENOMEM;
	if (life->phases_len)
		memcpy(moved, life->phases, life->phases_len * sizeof(*moved));
	free_phases(lives, life);
	life->phases = moved;
	return 0;
}

int lives_add_phase(struct lives *lives, struct slot *slot, struct phase phase)
{
	struct life *life = &slot->life;

	if (life->phases_len == LIFE_PHASES_MAX) {
		life->phases_omitted += life->phases_omitted < UINT32_MAX;
		return 0;
	}
	if (!life->phases_len || life->phases_len == LIFE_PHASES_FEW ||
	    life->phases_len == LIFE_PHASES_SOME) {
		int err = grow_phases(lives, life);

		if (err)
			return err;
	}
	life->phases[life->phases_len++] = phase;
	return 0;
}
