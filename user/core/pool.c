/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool.c owns the chunks behind the pools. A chunk is touched item by item as items are taken, so
 * that what was never needed is no resident memory.
 */
#include <stdlib.h>
#include <string.h>

#include "user/core/pool.h"

#define CHUNK_BYTES  65536
#define CHUNK_HEADER 16 /* the link, and the alignment of malloc() kept */

void pool_init(struct pool *pool, size_t item_bytes)
{
	*pool = (struct pool){ .item_bytes = item_bytes };
}

void pool_free(struct pool *pool)
{
	while (pool->chunks) {
		void *next;

		memcpy(&next, pool->chunks, sizeof(next));
		free(pool->chunks);
		pool->chunks = next;
	}
	pool_init(pool, pool->item_bytes);
}

void *pool_take(struct pool *pool)
{
	void *item = pool->given_back;

	if (item) {
		memcpy(&pool->given_back, item, sizeof(pool->given_back));
		return item;
	}
	if (!pool->fresh_len) {
		char *chunk = malloc(CHUNK_BYTES);

		if (!chunk)
			return NULL;
		memcpy(chunk, &pool->chunks, sizeof(pool->chunks));
		pool->chunks = chunk;
		pool->fresh = chunk + CHUNK_HEADER;
		pool->fresh_len = (CHUNK_BYTES - CHUNK_HEADER) / pool->item_bytes;
	}
	item = pool->fresh;
	pool->fresh += pool->item_bytes;
	pool->fresh_len--;
	return item;
}

void pool_give(struct pool *pool, void *item)
{
	memcpy(item, &pool->given_back, sizeof(pool->given_back));
	pool->given_back = item;
}
