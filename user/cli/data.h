/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * data.h owns where the data goes: a file, standard output, or standard error beside a COMMAND.
 * It must not know what the data is.
 */
#ifndef PORTLIFE_CLI_DATA_H
#define PORTLIFE_CLI_DATA_H

#include "user/cli/options.h"
#include "user/util/out.h"

struct data {
	struct out out;
	const char *name; /* for a person */
};

/* Opens and empties -o FILE, or takes a standard descriptor. Returns 0, or a negative errno after
 * one line on standard error. */
int data_open(struct data *data, const struct options *o);

/*
 * Writes what waits and closes. Returns 0, also if the reader left; or a negative errno after one
 * line on standard error. May be called twice, and on a struct that is all zero.
 */
int data_close(struct data *data);

/* Do data and standard error end up in the same place? */
bool data_is_stderr(const struct data *data);

/* Shall the data be coloured? */
bool data_wants_color(const struct data *data, enum options_color color);

#endif
