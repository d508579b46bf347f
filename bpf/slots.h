/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * slots.h owns the places in front of a hash map: an array in which each key has one slot that it
 * may have for itself. What has its slot is found, made and removed without the map; what finds it
 * taken goes into the map, and the slot counts that, so that a key that is in neither costs no
 * look-up in the map. It knows nothing of what is kept.
 *
 * Nothing here waits: programs interrupt each other. Whoever wants a slot, or wants to give one up,
 * adds itself to a count, and goes on only if it finds itself alone. So a slot has one owner at
 * most, and goes back once; two who meet both leave it as it is.
 */
#ifndef PORTLIFE_SLOTS_H
#define PORTLIFE_SLOTS_H

struct slot {
	u64 key;    /* whose it is, 0: nobody's */
	u32 claims; /* the owner, and who tries to be it */
	u32 frees;  /* who tries to give it back */
	u32 others; /* entries of the map whose keys lead here */
	u32 pad;
};

static __always_inline u32 slot_count(u32 *count, s32 change)
{
	__sync_fetch_and_add(count, change);
	return *(volatile u32 *)count;
}

/*
 * True if the slot is the caller's from now on. It fills in what belongs to the key, then the key.
 * Only where stores are seen in the order in which they are made.
 */
static __always_inline bool slot_claim(struct slot *slot)
{
#if defined(__TARGET_ARCH_x86)
	if (slot->key)
		return false;
	if (slot_count(&slot->claims, 1) == 1)
		return true;
	slot_count(&slot->claims, -1);
#endif
	return false;
}

/* False if it is not the key's. */
static __always_inline bool slot_release(struct slot *slot, u64 key)
{
	if (slot->key != key)
		return false;
	if (slot_count(&slot->frees, 1) == 1 && *(volatile u64 *)&slot->key == key) {
		*(volatile u64 *)&slot->key = 0;
		slot_count(&slot->claims, -1);
	}
	slot_count(&slot->frees, -1);
	return true;
}

#endif
