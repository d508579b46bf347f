/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text.h owns the lines for a person: fixed columns first, the variable one last. It must not
 * know where events come from, nor ask the environment about terminals or zones.
 */
#ifndef PORTLIFE_SINK_TEXT_H
#define PORTLIFE_SINK_TEXT_H

#include "user/core/sink.h"
#include "user/sink/columns.h"
#include "user/util/escape.h"
#include "user/util/out.h"
#include "user/util/when.h"

struct text_options {
	enum when_style time;
	bool utc;
	bool header;
	bool color;
	bool verbose; /* also findings that are no more than a note, and what findings rest on */
	struct escape escape;
};

/* Widths of columns that are kept as they were written, each followed by a space. */
#define TEXT_PROTO_WIDTH 5
#define TEXT_EVENT_WIDTH 8
#define TEXT_FROM_WIDTH	 8

/* The process of the line before, as its two columns have it: mostly it is the next line's too. */
struct text_process {
	bool used;
	uint32_t pid;
	char comm[WIRE_COMM_LEN];
	uint8_t cell_len;
	char cell[80];
};

struct text_sink {
	struct out *out;
	struct text_options options;
	struct when when;
	struct columns columns;
	struct text_process process;
	uint16_t protocol; /* that is in protocol_cell */
	char protocol_cell[TEXT_PROTO_WIDTH + 1];
	char event_cells[EVENT_KINDS][TEXT_EVENT_WIDTH + 1];
	char origin_cells[ORIGIN_KINDS][TEXT_FROM_WIDTH + 1];
};

/* Makes a sink of self, which must outlive it, as must out. Flushes at a loss and at the summary
 * (that talk.h puts into words); else the caller flushes out. */
struct sink text_sink_init(struct text_sink *self, struct out *out,
			   const struct text_options *options);

#endif
