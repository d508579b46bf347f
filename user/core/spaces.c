/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spaces.c owns the table of network namespaces. There are few, and mostly the same is asked for
 * again: a list will do.
 */
#include "user/core/spaces.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int spaces_init(struct spaces *spaces)
{
	*spaces = (struct spaces){ .list = calloc(SPACES_MAX, sizeof(*spaces->list)) };
	return spaces->list ? 0 : -ENOMEM;
}

void spaces_free(struct spaces *spaces)
{
	free(spaces->list);
	spaces->list = NULL;
}

static struct space *find(const struct spaces *spaces, uint32_t netns)
{
	for (size_t i = 0; i < spaces->len; i++)
		if (spaces->list[i].settings.netns == netns)
			return &spaces->list[i];
	return NULL;
}

const struct space *spaces_find(const struct spaces *spaces, uint32_t netns)
{
	return find(spaces, netns);
}

/* A place for one more: a new one, or that of whoever was not asked for longest. */
static size_t make_room(struct spaces *spaces)
{
	size_t oldest = 0;

	if (spaces->len < SPACES_MAX)
		return spaces->len++;
	for (size_t i = 1; i < spaces->len; i++)
		if (spaces->list[i].used < spaces->list[oldest].used)
			oldest = i;
	spaces->dropped++;
	return oldest;
}

struct space *spaces_get(struct spaces *spaces, uint32_t netns)
{
	struct space *space = &spaces->list[spaces->latest];

	if (spaces->len && space->settings.netns == netns) {
		space->used = ++spaces->requests;
		return space;
	}
	space = find(spaces, netns);
	if (!space) {
		space = &spaces->list[make_room(spaces)];
		memset(space, 0, sizeof(*space));
		space->settings.netns = netns;
	}
	spaces->latest = (size_t)(space - spaces->list);
	space->used = ++spaces->requests;
	return space;
}

/* Told of nothing: it may have been changed, or nobody can look any more. The latest stays. */
void spaces_learn(struct spaces *spaces, const struct wire_settings *told, const char *text)
{
	struct space *space;

	if (told->known) {
		space = spaces_get(spaces, told->netns);
		settings_of_record(&space->settings, told, text);
	} else {
		space = find(spaces, told->netns);
	}
	if (space)
		space->holds = told->known != 0;
}

unsigned int space_protocol(uint16_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return SPACE_TCP;
	case IPPROTO_UDP:
		return SPACE_UDP;
	default:
		return SPACE_PROTOCOLS;
	}
}

uint16_t space_protocol_number(unsigned int index)
{
	return index == SPACE_TCP ? IPPROTO_TCP : IPPROTO_UDP;
}

void spaces_count(struct spaces *spaces, const struct life *life, const struct tenure *tenure,
		  bool released)
{
	unsigned int protocol = space_protocol(life->protocol);
	struct space *space;

	if (protocol == SPACE_PROTOCOLS || tenure->origin == ORIGIN_ACCEPT)
		return;
	space = spaces_get(spaces, life->netns);
	if (!settings_in_range(&space->settings, tenure->port))
		return;
	if (released)
		space->turnover[protocol].released++;
	else
		space->turnover[protocol].assigned++;
}
