/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * paragraph.h owns lines of prose that are broken between words. It must not know what they say.
 */
#ifndef PORTLIFE_SINK_PARAGRAPH_H
#define PORTLIFE_SINK_PARAGRAPH_H

#include "user/util/out.h"

#define PARAGRAPH_WIDTH 92

/*
 * label, then text from column indent on, broken before column 92; a label that is too long has a
 * line of its own, and a newline before it makes an empty line. Text of ours only: nothing is
 * escaped.
 */
void paragraph_write(struct out *out, const char *label, size_t indent, const char *text);

/* The same, broken before another column. */
void paragraph_fill(struct out *out, const char *label, size_t indent, size_t width,
		    const char *text);

/* As paragraph_write(), formatted. */
__attribute__((format(printf, 4, 5))) void paragraph_print(struct out *out, const char *label,
							   size_t indent, const char *format, ...);

#endif
