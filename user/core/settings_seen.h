/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings_seen.h owns what WIRE_SETTINGS records said: the sysctls of each network namespace at
 * this place of the stream. It does not know where they come from.
 */
#ifndef PORTLIFE_CORE_SETTINGS_SEEN_H
#define PORTLIFE_CORE_SETTINGS_SEEN_H

#include "bpf/wire.h"
#include "user/core/settings.h"

/* Namespaces kept at once (8 KiB each): of more, the one told of longest ago is forgotten. */
#define SETTINGS_SEEN_MAX 512

struct settings_entry;

struct settings_seen {
	struct settings_entry *table;
};

void settings_seen_free(struct settings_seen *seen);
/* text: text_len bytes; it replaces what was known. Returns 0 or -ENOMEM. */
int settings_seen_learn(struct settings_seen *seen, const struct wire_settings *r,
			const char *text);
/* NULL: nothing was told of this namespace. Valid until the next record. */
const struct settings *settings_seen_find(const struct settings_seen *seen, uint32_t netns);

#endif
