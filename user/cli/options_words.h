/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options_words.h owns the words of a command line that are no options: the name of a command, and
 * the advice for whoever left a `--` or a `-P` out. It must not know options.
 */
#ifndef PORTLIFE_CLI_OPTIONS_WORDS_H
#define PORTLIFE_CLI_OPTIONS_WORDS_H

#include "user/cli/options.h"

/* Takes argv[at]. Returns 0, or -EINVAL after one line on standard error. */
int options_take_word(struct options *o, int argc, char **argv, int at);

/* Takes COMMAND, argv[at] and all that follows it. Returns likewise. */
int options_take_command(struct options *o, char **argv, int at);

#endif
