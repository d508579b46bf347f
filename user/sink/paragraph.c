/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/paragraph.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/util/fmt.h"

#define PARAGRAPH_MAX 2048

static void paragraph_spaces(struct out *out, size_t len)
{
	out_advance(out, fmt_spaces(out_room(out, len), len));
}

void paragraph_fill(struct out *out, const char *label, size_t indent, size_t width,
		    const char *text)
{
	size_t column = strlen(label);
	bool first = true;

	out_write(out, label, column);
	column -= *label == '\n';
	if (column >= indent && column) {
		out_write(out, "\n", 1);
		column = 0;
	}
	paragraph_spaces(out, column < indent ? indent - column : 0);
	column = indent;
	while (*text) {
		size_t len = strcspn(text, " ");

		if (!first && column + 1 + len > width) {
			out_write(out, "\n", 1);
			paragraph_spaces(out, indent);
			column = indent;
		} else if (!first) {
			out_write(out, " ", 1);
			column++;
		}
		out_write(out, text, len);
		column += len;
		first = false;
		text += len + strspn(text + len, " ");
	}
	out_write(out, "\n", 1);
}

void paragraph_write(struct out *out, const char *label, size_t indent, const char *text)
{
	paragraph_fill(out, label, indent, PARAGRAPH_WIDTH, text);
}

void paragraph_print(struct out *out, const char *label, size_t indent, const char *format, ...)
{
	char text[PARAGRAPH_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	paragraph_write(out, label, indent, text);
}
