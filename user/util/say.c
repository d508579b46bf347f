/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/util/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "user/util/escape.h"
#include "user/util/fmt.h"

#define SAY_COLUMNS 1000

void say(const char *format, ...)
{
	char message[SAY_COLUMNS + 1];
	char line[ESCAPE_ROOM(SAY_COLUMNS) + 16];
	size_t used;
	va_list args;
	char *p;
	int len;

	va_start(args, format);
	len = vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(message))
		len = sizeof(message) - 1;
	p = fmt_literal(line, "portlife: ");
	p = escape_text(p, message, (size_t)len, SAY_COLUMNS, (struct escape){ .keep_slash = true },
			&used);
	*p++ = '\n';
	if (write(STDERR_FILENO, line, (size_t)(p - line)) < 0)
		return;
}
