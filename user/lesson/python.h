/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * python.h owns a lesson's program as lines of Python: what is shown above each call, and a whole
 * script that does and shows the same by itself. It makes no call.
 */
#ifndef PORTLIFE_LESSON_PYTHON_H
#define PORTLIFE_LESSON_PYTHON_H

#include "bpf/wire.h"
#include "user/lesson/lesson.h"
#include "user/util/out.h"

#define PYTHON_LINE_MAX	 160
#define PYTHON_PLACE_MAX 72

/* One step as a line, without a newline. */
void python_line(char line[PYTHON_LINE_MAX], const struct step *step);

/* "127.0.0.1:5000", "[::]:5004", "@name", "no name"; "-" if there was no socket. */
void python_place(char text[PYTHON_PLACE_MAX], const struct wire_place *place);

/* A recording may be a stranger's: what is no printable ASCII becomes a question mark. */
void python_printable(char *text);

/* The script. number: of the lesson. */
void python_script(struct out *out, const struct lesson *lesson, size_t number);

#endif
