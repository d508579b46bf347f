/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.c owns the table of names.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/hash.h"
#include "user/core/names.h"

struct key {
	uint64_t id;
	uint32_t netns;
	uint32_t what;
};

struct entry {
	struct key key;
	UT_hash_handle hh;
	bool wanted; /* asked for since it was last looked at to make room */
	char text[];
};

struct names {
	struct entry *table;
};

static unsigned int hash_key(const struct key *key)
{
	return hash_number(key->id ^ ((uint64_t)key->netns << 32) ^ ((uint64_t)key->what << 61));
}

static struct entry *find(const struct names *n, const struct key *key)
{
	struct entry *entry;

	HASH_FIND_BYHASHVALUE(hh, n->table, key, sizeof(*key), hash_key(key), entry);
	return entry;
}

static void drop(struct names *n, struct entry *entry)
{
	HASH_DELETE(hh, n->table, entry);
	free(entry);
}

static int insert(struct names *n, struct entry *entry)
{
	HASH_ADD_BYHASHVALUE(hh, n->table, key, sizeof(entry->key), hash_key(&entry->key), entry);
	if (entry->hh.tbl)
		return 0;
	free(entry);
	return -ENOMEM;
}

/* Drops the oldest name that nobody has asked for; one that somebody did becomes the youngest. */
static int make_room(struct names *n)
{
	while (HASH_COUNT(n->table) >= NAMES_MAX) {
		struct entry *oldest = n->table;
		int err;

		if (!oldest->wanted) {
			drop(n, oldest);
			return 0;
		}
		oldest->wanted = false;
		HASH_DELETE(hh, n->table, oldest);
		err = insert(n, oldest);
		if (err)
			return err;
	}
	return 0;
}

struct names *names_new(void)
{
	return calloc(1, sizeof(struct names));
}

void names_free(struct names *n)
{
	struct entry *entry, *next;

	if (!n)
		return;
	entry = n->table;
	HASH_CLEAR(hh, n->table); /* not of the entries, which are linked still */
	for (; entry; entry = next) {
		next = entry->hh.next;
		free(entry);
	}
	free(n);
}

int names_learn(struct names *n, const struct wire_name *name, const char *text)
{
	struct key key = { .id = name->id, .netns = name->netns, .what = name->what };
	struct entry *entry = find(n, &key);
	int err;

	if (entry)
		drop(n, entry);
	if (!name->text_len) /* it has no name any more */
		return 0;
	err = make_room(n);
	if (err)
		return err;
	entry = malloc(sizeof(*entry) + name->text_len + 1);
	if (!entry)
		return -ENOMEM;
	memset(entry, 0, sizeof(*entry));
	entry->key = key;
	memcpy(entry->text, text, name->text_len);
	entry->text[name->text_len] = 0;
	return insert(n, entry);
}

const char *names_find(const struct names *n, uint16_t what, uint64_t id, uint32_t netns)
{
	struct key key = { .id = id, .netns = what == WIRE_NAME_DEVICE ? netns : 0, .what = what };
	struct entry *entry = n ? find(n, &key) : NULL;

	if (!entry)
		return NULL;
	entry->wanted = true;
	return entry->text;
}
