/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * out.h owns buffered bytes on their way into one descriptor, and the first error that befell
 * them. It must not know what the bytes mean.
 */
#ifndef PORTLIFE_UTIL_OUT_H
#define PORTLIFE_UTIL_OUT_H

#include <stdbool.h>
#include <stddef.h>

#define OUT_ROOM_MAX 8192 /* the most out_room() may be asked for */

struct out {
	char *buf;
	size_t len_bytes;
	size_t size_bytes;
	int fd;
	int error;  /* first negative errno, sticky: from then on everything is dropped */
	bool owned; /* out_close() closes fd */
};

/* Returns 0 or -ENOMEM. fd stays open on failure. size_bytes is at least 2 * OUT_ROOM_MAX. */
int out_open(struct out *out, int fd, bool owned, size_t size_bytes);

/* Writes what waits. Returns the first error of this out's life, or 0. */
int out_flush(struct out *out);

/*
 * Flushes, closes the descriptor if owned (a disk may be found full only then), frees the buffer.
 * Returns the first error of this out's life, or 0. An out that is all zero may be closed.
 */
int out_close(struct out *out);

void out_write(struct out *out, const char *bytes, size_t len_bytes);

/* Room for len_bytes <= OUT_ROOM_MAX, never NULL; then out_advance() to the end of what was put
 * there. */
static inline char *out_room(struct out *out, size_t len_bytes)
{
	if (__builtin_expect(out->size_bytes - out->len_bytes < len_bytes, 0))
		out_flush(out);
	return out->buf + out->len_bytes;
}

static inline void out_advance(struct out *out, const char *end)
{
	out->len_bytes = (size_t)(end - out->buf);
}

#endif
