/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * when.h owns how a moment of the boot clock is written. It must not read a clock: one sample,
 * taken when the run started, is all it knows.
 */
#ifndef PORTLIFE_UTIL_WHEN_H
#define PORTLIFE_UTIL_WHEN_H

#include <stdbool.h>
#include <stdint.h>

enum when_style {
	WHEN_WALL,  /* 13:45:01.123 */
	WHEN_BOOT,  /* seconds since boot, 4711.123 */
	WHEN_DELTA, /* seconds since the line before, 0.000123 */
	WHEN_NONE,
};

#define WHEN_COLUMN   12 /* columns of every style but WHEN_NONE */
#define WHEN_ROOM     32
#define WHEN_RFC_ROOM 40

/* Zero-initialised but for the first four; keeps the last second it wrote. */
struct when {
	enum when_style style;
	bool utc;
	uint64_t boot_ns; /* the sample: this moment of the boot clock ... */
	uint64_t wall_ns; /* ... was this since the Epoch */
	uint64_t last_ns; /* WHEN_DELTA: the line before */
	bool has_last;
	bool has_second;
	uint64_t second; /* that prefix[] spells */
	char prefix[WHEN_RFC_ROOM];
	uint8_t prefix_len;
};

/* For a person: WHEN_COLUMN columns, right-aligned, more if the number is. Room: WHEN_ROOM. */
char *when_format(struct when *when, char *p, uint64_t ts_ns);

/* RFC 3339, UTC, nine digits: 2026-11-22T13:45:01.123456789Z. Room: WHEN_RFC_ROOM. A struct when
 * is used for one of the two formats only. */
char *when_format_rfc3339(struct when *when, char *p, uint64_t ts_ns);

#endif
