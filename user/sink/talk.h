/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * talk.h owns what a run says to a person beside its data: a loss when it happens, the summary,
 * what the backend cannot see. It must not show events.
 */
#ifndef PORTLIFE_SINK_TALK_H
#define PORTLIFE_SINK_TALK_H

#include "user/core/sink.h"
#include "user/sink/columns.h"
#include "user/util/out.h"

struct talk_options {
	bool blind;   /* name what the backend cannot see */
	bool lost;    /* the data does not go to the same place */
	bool summary; /* the data does not have one */
};

struct talk_sink {
	struct out *out;
	struct talk_options options;
	struct columns columns; /* how names are written */
};

/* Makes a sink of self, which must outlive it, as must out. Flushes whatever it says; an out that
 * fails is nobody's error. */
struct sink talk_sink_init(struct talk_sink *self, struct out *out,
			   const struct talk_options *options);

#endif
