/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table.h owns the lines of the table of ports, as text and as JSON. It must not know which rows
 * were chosen.
 */
#ifndef PORTLIFE_SINK_TABLE_H
#define PORTLIFE_SINK_TABLE_H

#include "user/core/taken.h"
#include "user/sink/columns.h"
#include "user/util/out.h"

void table_text_header(struct out *out);
void table_text_row(struct out *out, const struct columns *columns, const struct port_row *row);

/* A `port` line. */
void table_json_row(struct out *out, const struct names *names, const struct port_row *row);

#endif
