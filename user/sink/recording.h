/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recording.h owns the writing of a recording: wire records as they came, packed, in blocks
 * (format: core/recording.h). It does not know where records come from or what they mean.
 */
#ifndef PORTLIFE_SINK_RECORDING_H
#define PORTLIFE_SINK_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "user/core/pack.h"

struct recording {
	int fd;
	const char *path;
	bool created;	   /* by us: taken away again if the run never begins */
	bool owned;	   /* recording_close() closes fd */
	bool begun;	   /* the head is written */
	int error;	   /* first negative errno, sticky */
	char probes[2048]; /* for the head: the hooks in use */
	struct pack pack;
	unsigned char *packed,
		*deflated; /* block under way; and its deflated form, NULL if not wanted */
	size_t packed_len;
	uint32_t block_records;
	uint64_t block_since_ns; /* when its first record came, by the monotonic clock */
	uint64_t records, bytes; /* so far */
	uint64_t stored;	 /* records in blocks that are written */
};

/*
 * Opens path ("-": standard output), which must outlive it; a file gets mode 0600 and is emptied
 * when the first record comes. Returns 0, -ENOMEM, the errno of
 * open(2), or -ENOTTY: a terminal is no place for a recording. Nothing is left open then.
 */
int recording_open(struct recording *r, const char *path, bool compress);

/*
 * Adds one record. The first must be WIRE_START, from which the head is written. Returns 0 or
 * the first error of this recording's life (-EPIPE: the reader left).
 */
int recording_add(struct recording *r, const void *record, size_t len_bytes);

/* Between batches: writes the block under way if it is half a second old. Same returns. */
int recording_beat(struct recording *r);

/* Writes what is left, closes, frees. Same returns. Allowed on a struct that is all zero. */
int recording_close(struct recording *r);

#endif
