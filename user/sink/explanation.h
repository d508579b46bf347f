/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explanation.h owns how the sentences of an explanation look under their event. It must not know
 * what they say.
 */
#ifndef PORTLIFE_SINK_EXPLANATION_H
#define PORTLIFE_SINK_EXPLANATION_H

#include "user/core/explain.h"
#include "user/util/escape.h"
#include "user/util/json_writer.h"
#include "user/util/out.h"

#define EXPLANATION_INDENT 4
#define EXPLANATION_WIDTH  80

/* Each on lines of its own, indented and broken before column 80. */
void explanation_write(struct out *out, const struct explanation *x, struct escape escape);
/* The value: an array of strings, null for NULL. */
void explanation_json(struct json_writer *json, const struct explanation *x);

#endif
