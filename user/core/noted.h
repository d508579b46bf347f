/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * noted.h owns what was read of a conflict until the call that failed is told of: the records of
 * its holders, by the socket that was refused. It knows no life and no rule.
 */
#ifndef PORTLIFE_CORE_NOTED_H
#define PORTLIFE_CORE_NOTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

#define NOTED_KERNEL 16 /* as many as a probe tells of */
#define NOTED_LATER  32

/* One look: at the moment of the conflict, or after it. */
struct look {
	struct wire_holders end; /* what it said of itself; port 0: it is not over */
	size_t len;
	size_t missed; /* records that there was no room for */
};

struct noted {
	uint64_t asker; /* 0: free */
	struct look now, later;
	struct wire_holder by_kernel[NOTED_KERNEL];
	struct wire_holder by_lookup[NOTED_LATER];
};

struct notes;

/* *notes is made when the first record comes, NULL before. 0 or -ENOMEM. */
int notes_add_holder(struct notes **notes, const struct wire_holder *holder);
int notes_add_end(struct notes **notes, const struct wire_holders *end);
/* What was read for this socket, NULL if nothing was. */
const struct noted *notes_find(const struct notes *notes, uint64_t asker);
void notes_forget(struct notes *notes, uint64_t asker);
void notes_free(struct notes *notes);

/* All that it told of is here. */
static inline bool look_is_whole(const struct look *look)
{
	return look->end.port && look->end.told == look->len + look->missed;
}

#endif
