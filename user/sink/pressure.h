/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pressure.h owns how the fill of a range is shown, as text and as JSON.
 */
#ifndef PORTLIFE_SINK_PRESSURE_H
#define PORTLIFE_SINK_PRESSURE_H

#include "user/core/pressure_count.h"
#include "user/sink/columns.h"
#include "user/sink/json.h"
#include "user/util/out.h"

void pressure_text(struct out *out, const struct columns *columns, const struct pressure *p);

/* A `pressure` line. */
void pressure_json(struct out *out, const struct names *names, const struct pressure *p);

/* The keys of that line, of an object that is under way. */
void pressure_json_keys(struct json_sink *self, const struct pressure *p);

#endif
