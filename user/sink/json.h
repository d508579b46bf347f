/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json.h owns the stream of JSON lines: which keys an object has, in which order. It must not
 * know where events come from or where the bytes go.
 */
#ifndef PORTLIFE_SINK_JSON_H
#define PORTLIFE_SINK_JSON_H

#include "user/core/sink.h"
#include "user/util/json_writer.h"
#include "user/util/when.h"

#define JSON_SCHEMA 1

struct json_sink {
	struct json_writer json;
	struct when when;
	const char *version;
	const struct run_info *run;
	const struct names *names;
};

/* Makes a sink of self, which must outlive it, as must out and version. Flushes at a loss and at
 * the summary; else the caller flushes out. */
struct sink json_sink_init(struct json_sink *self, struct out *out, const char *version);

#endif
