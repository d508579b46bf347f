/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool.h owns memory for many things of one size: what is given back is used again, so that a run
 * needs as much as its busiest moment did. It does not know what the things are.
 */
#ifndef PORTLIFE_CORE_POOL_H
#define PORTLIFE_CORE_POOL_H

#include <stddef.h>

struct pool {
	size_t item_bytes; /* a multiple of the alignment of what is kept, at least a pointer */
	void *given_back;  /* list, linked through the first word */
	void *chunks;	   /* list, likewise */
	char *fresh;	   /* never used so far, in the latest chunk */
	size_t fresh_len;  /* items */
};

void pool_init(struct pool *pool, size_t item_bytes);
/* All items at once, whoever still has one. */
void pool_free(struct pool *pool);

/* Returns an item with undefined contents, NULL if memory is short. */
void *pool_take(struct pool *pool);
void pool_give(struct pool *pool, void *item);

#endif
