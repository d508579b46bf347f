/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * summary.h owns what the end of a run says about ports as a whole: how full each range is, how
 * fast its ports came and went, how long the searches took. As text and as JSON.
 */
#ifndef PORTLIFE_SINK_SUMMARY_H
#define PORTLIFE_SINK_SUMMARY_H

#include "user/sink/columns.h"
#include "user/sink/json.h"

/* A line for each range that was used, and one for the searches; none if nothing was selected. */
void summary_text(struct out *out, const struct columns *columns, const struct run_summary *s);

/* The keys `elapsed_ns`, `pressure`, `pressure_omitted`, `search`, `findings`. */
void summary_json_keys(struct json_sink *self, const struct run_summary *s);

#endif
