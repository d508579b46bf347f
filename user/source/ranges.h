/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ranges.h owns when the stream is told what the sysctls of a network namespace say about ports:
 * when one is first met, when a call failed that they may explain, and when they have changed. It
 * must not know what is concluded from them.
 */
#ifndef PORTLIFE_SOURCE_RANGES_H
#define PORTLIFE_SOURCE_RANGES_H

#include <stddef.h>
#include <stdint.h>

struct ranges;
typedef int ranges_give(void *arg, const void *record, size_t len);

/* NULL if memory is short. */
struct ranges *ranges_new(void);
void ranges_free(struct ranges *ranges);

/* Gives a WIRE_SETTINGS of this process's own namespace. Returns what give() returned. */
int ranges_begin(struct ranges *ranges, ranges_give *give, void *arg);

/*
 * Before a record is passed on: gives what core should know to understand it. A namespace that
 * cannot be entered, or is gone, is not told of. Returns what give() returned, or
 * -ENOTRECOVERABLE: there is no way back into the own namespace.
 */
int ranges_look(struct ranges *ranges, const void *record, ranges_give *give, void *arg);

/* Now and then: gives what has changed. Returns likewise. */
int ranges_beat(struct ranges *ranges, ranges_give *give, void *arg);

#endif
