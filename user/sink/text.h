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

struct text_sink {
	struct out *out;
	struct text_options options;
	struct when when;
	struct columns columns;
};

/* Makes a sink of self, which must outlive it, as must out. Flushes at a loss and at the summary
 * (that talk.h puts into words); else the caller flushes out. */
struct sink text_sink_init(struct text_sink *self, struct out *out,
			   const struct text_options *options);

#endif
