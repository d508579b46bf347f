/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h owns where the state of a live socket is kept: in the slot that its address leads to, or
 * in the map `sockets`. A slot is for sockets that a probe saw begin, when nobody else can know
 * them yet; the map for those that were there before, for TIME_WAIT entries, which are many and
 * live long, and for whoever finds its slot taken.
 */
#ifndef PORTLIFE_TABLE_H
#define PORTLIFE_TABLE_H

#include "bpf/kernel.h"

/*
 * NULL only if the map is smaller than it should be. The key may be a pointer that the verifier
 * knows, of which only a copy of the lower half is a number to it.
 */
static __always_inline struct socket_slot *socket_slot_of(u64 key)
{
	u32 index;

	asm volatile("%0 = %1" : "=w"(index) : "w"((u32)key));
	index = (index * 0x9e3779b1U) >> (32 - SOCKET_SLOTS_BITS);

	return bpf_map_lookup_elem(&socket_slots, &index);
}

static __always_inline struct socket_state *socket_find(const void *sk)
{
	u64 key = (u64)sk;
	struct socket_slot *place = socket_slot_of(key);

	if (place) {
		if (place->slot.key == key)
			return &place->state;
		if (!place->slot.others)
			return 0;
	}
	return bpf_map_lookup_elem(&sockets, &key);
}

/* 0, -EEXIST, or another negative errno: no room. */
static __always_inline long table_insert(u64 key, const struct socket_state *state)
{
	struct socket_slot *place = socket_slot_of(key);
	long error;

	if (place)
		__sync_fetch_and_add(&place->slot.others, 1);
	error = bpf_map_update_elem(&sockets, &key, state, BPF_NOEXIST);
	if (error && place)
		__sync_fetch_and_add(&place->slot.others, -1);
	return error;
}

static __always_inline void table_delete(u64 key)
{
	struct socket_slot *place = socket_slot_of(key);

	if (!bpf_map_delete_elem(&sockets, &key) && place)
		__sync_fetch_and_add(&place->slot.others, -1);
}

static __always_inline void socket_forget(const void *sk)
{
	u64 key = (u64)sk;
	struct socket_slot *place = socket_slot_of(key);

	if (!place || !slot_release(&place->slot, key))
		table_delete(key);
}

/* Of a socket that has just begun: the table has nothing at its address. NULL: no room. */
static __always_inline struct socket_state *socket_insert_new(const void *sk,
							      const struct socket_state *state)
{
	u64 key = (u64)sk;
	struct socket_slot *place = socket_slot_of(key);

	if (place && slot_claim(&place->slot)) {
		place->state = *state;
		*(volatile u64 *)&place->slot.key = key;
		return &place->state;
	}
	if (table_insert(key, state)) {
		COUNT(lost_sockets);
		return 0;
	}
	return bpf_map_lookup_elem(&sockets, &key);
}

/* Of a TIME_WAIT entry: whatever is at its address is over. */
static __always_inline void socket_insert_time_wait(const void *tw,
						    const struct socket_state *state)
{
	u64 key = (u64)tw;
	long error = table_insert(key, state);

	if (error == -EEXIST)
		error = bpf_map_update_elem(&sockets, &key, state, BPF_ANY);
	if (error)
		COUNT(lost_sockets);
}

/*
 * Of a socket that is not new. A walk through existing sockets may have made an entry a moment
 * ago, and then that one holds, which -EEXIST says.
 */
static __always_inline long socket_try_insert(const void *sk, const struct socket_state *state)
{
	u64 key = (u64)sk;
	struct socket_slot *place = socket_slot_of(key);

	if (place && place->slot.key == key)
		return -EEXIST;
	return table_insert(key, state);
}

/* Likewise; the entry that holds, NULL if there is no room. */
static __always_inline struct socket_state *socket_insert_once(const void *sk,
							       const struct socket_state *state)
{
	long error = socket_try_insert(sk, state);

	if (error && error != -EEXIST) {
		COUNT(lost_sockets);
		return 0;
	}
	return socket_find(sk);
}

#endif
