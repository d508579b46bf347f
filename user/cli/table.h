/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h owns the filling of the table of ports for a command: by a walk, or by what the kernel
 * tells anybody, and what is said about the difference.
 */
#ifndef PORTLIFE_CLI_TABLE_H
#define PORTLIFE_CLI_TABLE_H

#include "user/cli/options.h"
#include "user/core/taken.h"
#include "user/sink/columns.h"

/*
 * The table, to be given to taken_free(). NULL after one line on standard error.
 * *complete: every socket of the machine is in it, with all that the kernel knows.
 */
struct taken *table_take(const struct options *o, bool *complete);

/* Does the filter choose the row? -p and its like by any process that has the socket. */
bool table_chooses(const struct filter *f, const struct port_row *row);

/* How its names are written. */
struct columns table_columns(const struct taken *taken);

#endif
