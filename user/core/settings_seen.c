/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings_seen.c owns the table of settings by network namespace.
 */
#include "user/core/settings_seen.h"

#include <errno.h>
#include <stdlib.h>

#include "user/core/hash.h"

struct settings_entry {
	uint32_t netns;
	UT_hash_handle hh;
	struct settings settings;
};

static struct settings_entry *find(const struct settings_seen *seen, uint32_t netns)
{
	struct settings_entry *entry;

	HASH_FIND_BYHASHVALUE(hh, seen->table, &netns, sizeof(netns), hash_number(netns), entry);
	return entry;
}

static void drop(struct settings_seen *seen, struct settings_entry *entry)
{
	HASH_DELETE(hh, seen->table, entry);
	free(entry);
}

void settings_seen_free(struct settings_seen *seen)
{
	struct settings_entry *entry = seen->table, *next;

	HASH_CLEAR(hh, seen->table); /* not of the entries, which are linked still */
	for (; entry; entry = next) {
		next = entry->hh.next;
		free(entry);
	}
}

static struct settings_entry *insert(struct settings_seen *seen, uint32_t netns)
{
	struct settings_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->netns = netns;
	HASH_ADD_BYHASHVALUE(hh, seen->table, netns, sizeof(entry->netns), hash_number(netns),
			     entry);
	if (entry->hh.tbl)
		return entry;
	free(entry);
	return NULL;
}

int settings_seen_learn(struct settings_seen *seen, const struct wire_settings *r, const char *text)
{
	struct settings_entry *entry = find(seen, r->netns);

	if (entry)
		drop(seen, entry); /* it becomes the youngest */
	if (HASH_COUNT(seen->table) >= SETTINGS_SEEN_MAX)
		drop(seen, seen->table); /* the oldest */
	entry = insert(seen, r->netns);
	if (!entry)
		return -ENOMEM;
	settings_of_record(&entry->settings, r, text);
	return 0;
}

const struct settings *settings_seen_find(const struct settings_seen *seen, uint32_t netns)
{
	const struct settings_entry *entry = find(seen, netns);

	return entry ? &entry->settings : NULL;
}
