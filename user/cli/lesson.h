/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lesson.h owns the command `lesson`: which lessons, traced or not, live or replayed. It does not
 * know what they teach.
 */
#ifndef PORTLIFE_CLI_LESSON_H
#define PORTLIFE_CLI_LESSON_H

#include "user/cli/options.h"

/* Returns the exit status. */
int lesson_run(const struct options *o);

#endif
