/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * columns.h owns how cells of a table for a person are written: words, names, addresses. It must
 * not know which table. Every function writes at p and returns the end.
 */
#ifndef PORTLIFE_SINK_COLUMNS_H
#define PORTLIFE_SINK_COLUMNS_H

#include "user/core/sink.h"
#include "user/util/escape.h"
#include "user/util/fmt.h"

#define COLUMNS_NAME 64 /* of an interface, a network namespace: cut there */
/* room of an address, port and all; or of a name of AF_UNIX */
#define COLUMNS_ADDRESS (48 + ESCAPE_ROOM(COLUMNS_NAME) + ESCAPE_ROOM(WIRE_PATH_MAX + 1) + 16)

struct columns {
	const struct names *names;
	uint32_t own_netns;
	struct escape escape;
};

static inline char *columns_string(char *p, const char *text)
{
	return fmt_bytes(p, text, strlen(text));
}

/* A word of ours, left-aligned in width columns, and the space behind it. */
char *columns_word(char *p, const char *word, size_t width);

/* A process's name, likewise. Room: ESCAPE_ROOM(width) + 1. */
char *columns_comm(const struct columns *self, char *p, const struct wire_who *who, size_t width);

/* A name of strangers. Room: ESCAPE_ROOM(COLUMNS_NAME). */
char *columns_name(const struct columns *self, char *p, const char *name);

/* ADDR%DEV; ifindex: of the device bound to, 0 if none. */
char *columns_address(const struct columns *self, char *p, const struct endpoint *end,
		      uint32_t ifindex, uint32_t netns);

/* ADDR%DEV:PORT */
char *columns_endpoint(const struct columns *self, char *p, const struct endpoint *end,
		       uint32_t ifindex, uint32_t netns);

/* " @NAME", or nothing for the own network namespace. */
char *columns_netns(const struct columns *self, char *p, uint32_t netns);

#endif
