/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * perform.h owns the making of a lesson's calls: a process of its own that waits to be told which
 * lesson, makes its calls in a network of its own, and writes down what each returned. It does not
 * know that anybody watches.
 */
#ifndef PORTLIFE_LESSON_PERFORM_H
#define PORTLIFE_LESSON_PERFORM_H

#include <stddef.h>
#include <sys/types.h>

#include "bpf/wire.h"
#include "user/lesson/lesson.h"

/* The longest record it writes. */
#define PERFORM_RECORD_MAX (sizeof(struct wire_step) + 64)

struct performer {
	pid_t pid;   /* 0: none */
	int orders;  /* write end: a byte is the number of a lesson */
	int results; /* read end, does not block */
	size_t got;  /* bytes of the record that is under way */
	_Alignas(8) unsigned char record[PERFORM_RECORD_MAX];
};

/* Forks it. 0 or a negative errno. */
int performer_start(struct performer *p);

/* Has it perform the lesson of this number (from 1, as lesson_find() counts). Same returns. */
int performer_order(struct performer *p, size_t number);

/* The next record, valid until the next call; NULL: none yet, or with *ended, never more. */
const struct wire_step *performer_next(struct performer *p, bool *ended);

/* Ends it and closes what is open. */
void performer_free(struct performer *p);

#endif
