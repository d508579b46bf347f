/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lesson_show.h owns how lessons look: for a person in 80 columns, and as JSON lines. It does not
 * know how a run came about.
 */
#ifndef PORTLIFE_CLI_LESSON_SHOW_H
#define PORTLIFE_CLI_LESSON_SHOW_H

#include "user/lesson/run.h"
#include "user/util/json_writer.h"

/* What is said about a lesson that was run. */
struct lesson_shown {
	const struct run *run;
	size_t number;
	const struct verdict *verdict;
	const char *kernel;  /* "6.18.44"; "" if not known */
	const char *backend; /* NULL: nobody watched */
	const char *guess;   /* "yes", "no", or NULL */
	bool verbose;	     /* what the program's end brought, too */
};

/* --- text -------------------------------------------------------------------------------- */

void lesson_text_list(struct out *out);

/* The question and the claim. */
void lesson_text_head(struct out *out, const struct lesson *lesson, size_t number);

/* How to read what follows. */
void lesson_text_legend(struct out *out, bool traced);

/* The program alone, for who shall guess. */
void lesson_text_program(struct out *out, const struct lesson *lesson);

/* Each call with what it brought, and the verdict. */
void lesson_text_run(struct out *out, const struct lesson_shown *shown);

/* After several lessons: counts[] by enum ruling; contradicted: verdicts that events contradict. */
void lesson_text_summary(struct out *out, const size_t counts[], size_t contradicted);

/* --- JSON -------------------------------------------------------------------------------- */

/* A line for each lesson. */
void lesson_json_list(struct out *out);

/* `step` lines and a `verdict` line; start_ns: of the stream. */
void lesson_json_run(struct out *out, const struct lesson_shown *shown, uint64_t start_ns);

#endif
