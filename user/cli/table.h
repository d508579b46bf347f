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

/* Where the rows come from. */
enum table_source {
	TABLE_WALKED,	 /* a walk through the kernel's sockets */
	TABLE_HEARD_ALL, /* sock_diag(7), with sockets that are only bound: Linux 6.8+ */
	TABLE_HEARD,	 /* sock_diag(7) without them */
};

/*
 * The table, to be given to taken_free(). NULL after one line on standard error.
 */
struct taken *table_take(const struct options *o, enum table_source *source);

/* Does the filter choose the row? -p and its like by any process that has the socket. */
bool table_chooses(const struct filter *f, const struct names *names, const struct port_row *row);

/* How its names are written. */
struct columns table_columns(const struct taken *taken);

#endif
