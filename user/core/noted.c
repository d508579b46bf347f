/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * noted.c owns the few notes that there are at a time: calls that fail on several CPUs at once.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/noted.h"

#define NOTES 8

struct notes {
	size_t next; /* the one that makes room */
	struct noted list[NOTES];
};

const struct noted *notes_find(const struct notes *notes, uint64_t asker)
{
	for (size_t i = 0; notes && i < NOTES; i++)
		if (notes->list[i].asker == asker)
			return &notes->list[i];
	return NULL;
}

static struct noted *note_of(struct notes **notes, uint64_t asker)
{
	struct noted *noted;

	if (!*notes)
		*notes = calloc(1, sizeof(**notes));
	if (!*notes)
		return NULL;
	noted = (struct noted *)notes_find(*notes, asker);
	if (noted)
		return noted;
	noted = &(*notes)->list[(*notes)->next++ % NOTES];
	memset(noted, 0, sizeof(*noted));
	noted->asker = asker;
	return noted;
}

/* A look that begins anew: what the one before found was for a call that no record has told of. */
static void begin(struct look *look)
{
	if (look->end.port)
		memset(look, 0, sizeof(*look));
}

int notes_add_holder(struct notes **notes, const struct wire_holder *holder)
{
	struct noted *noted = note_of(notes, holder->asker);
	bool later = holder->flags & WIRE_H_LATER;
	size_t room = later ? NOTED_LATER : NOTED_KERNEL;
	struct look *look;

	if (!noted)
		return -ENOMEM;
	look = later ? &noted->later : &noted->now;
	begin(look);
	if (look->len == room)
		look->missed++;
	else if (later)
		noted->by_lookup[look->len++] = *holder;
	else
		noted->by_kernel[look->len++] = *holder;
	return 0;
}

int notes_add_end(struct notes **notes, const struct wire_holders *end)
{
	struct noted *noted = note_of(notes, end->asker);
	struct look *look;

	if (!noted)
		return -ENOMEM;
	look = end->flags & WIRE_HS_LATER ? &noted->later : &noted->now;
	begin(look);
	look->end = *end;
	return 0;
}

void notes_forget(struct notes *notes, uint64_t asker)
{
	struct noted *noted = (struct noted *)notes_find(notes, asker);

	if (noted && asker)
		memset(noted, 0, sizeof(*noted));
}

void notes_free(struct notes *notes)
{
	free(notes);
}
