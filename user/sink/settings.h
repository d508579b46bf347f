/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings.h owns how a network namespace's settings are shown.
 */
#ifndef PORTLIFE_SINK_SETTINGS_H
#define PORTLIFE_SINK_SETTINGS_H

#include "user/core/settings.h"
#include "user/util/json_writer.h"
#include "user/util/out.h"

/* A line for each; which: enum meaning_setting. */
void settings_text(struct out *out, const struct settings *s, unsigned int which);

/* Keys range, reserved (an array of [first,last]), unprivileged_port_start. */
void settings_json(struct json_writer *json, const struct settings *s);

#endif
