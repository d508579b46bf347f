/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * escape.h owns how bytes from strangers are shown to a person: what a terminal could take for a
 * command never reaches it. It must not know whose bytes they are.
 */
#ifndef PORTLIFE_UTIL_ESCAPE_H
#define PORTLIFE_UTIL_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

/* Room that columns shown may need at most. */
#define ESCAPE_ROOM(columns) (4 * (size_t)(columns))

struct escape {
	bool utf8;	 /* printable UTF-8 passes; needs LC_CTYPE set to a UTF-8 locale */
	bool keep_slash; /* a backslash passes: what is shown need not be reversible */
};

/*
 * Writes text of len bytes at p, which has ESCAPE_ROOM(columns), in C style: \n \t \x1b \\.
 * What needs more than columns is cut at a whole character and ends in `+`. *used is how many
 * columns were taken. Returns the end; no NUL.
 */
char *escape_text(char *p, const char *text, size_t len, size_t columns, struct escape how,
		  size_t *used);

#endif
