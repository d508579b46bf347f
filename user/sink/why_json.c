/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * why_json.c owns the `why` line. Whatever was asked it has the same keys; null where they do not
 * apply.
 */
#include "user/sink/json_parts.h"
#include "user/sink/settings.h"
#include "user/sink/why.h"

static void json_meanings(struct json_writer *json, const struct meanings *m)
{
	json_key(json, "errno");
	json_string_or_null(json, m ? m->name : NULL);
	json_key(json, "meanings");
	if (!m) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (size_t i = 0; i < m->len; i++) {
		json_item(json);
		json_object_begin(json);
		json_key(json, "call");
		json_string_or_null(json, m->list[i].call);
		json_key(json, "text");
		json_string_or_null(json, m->list[i].text);
		json_key(json, "hint");
		json_string_or_null(json, m->list[i].hint);
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_answers(struct json_writer *json, const struct why *w)
{
	json_key(json, "answer");
	if (!w) {
		json_null(json);
		return;
	}
	json_object_begin(json);
	for (enum why_with with = 0; with < WITH_KINDS; with++) {
		json_key_string(json, why_with_name(with));
		json_string_or_null(json, why_answer_name(w->answers[with]));
	}
	json_object_end(json);
}

static void json_port(struct json_sink *self, const struct why *w, const struct settings *s)
{
	struct json_writer *json = &self->json;

	json_key(json, "proto");
	json_string_or_null(json, w ? protocol_name(w->protocol) : NULL);
	json_key(json, "local");
	if (w)
		json_endpoint(self, &w->local, w->local.port, w->netns);
	else
		json_null(json);
	json_key(json, "dev");
	json_string_or_null(json, w ? w->device : NULL);
	json_key(json, "uid");
	json_u64_or_null(json, w, w ? w->uid : 0);
	json_answers(json, w);
	json_key(json, "obstacle");
	json_string_or_null(json, w ? why_obstacle_name(w->obstacle) : NULL);
	json_key(json, "hint");
	json_string_or_null(json, w ? why_hint(w) : NULL);
	json_key(json, "missing");
	json_string_or_null(json, w ? why_missing(w) : NULL);
	json_key(json, "is_reserved");
	json_tristate(json,
		      w && s->reserved_known ? settings_is_reserved(s, w->local.port) : NULL_STATE);
	json_key(json, "is_ephemeral");
	json_tristate(json, w && s->range_hi ? settings_in_range(s, w->local.port) : NULL_STATE);
	json_holders(self, w ? &w->holders : NULL);
}

static void json_line(struct out *out, const struct names *names, const struct meanings *m,
		      const struct why *w, const struct settings *s)
{
	struct json_sink self = { .json = { .out = out }, .names = names };
	struct json_writer *json = &self.json;

	json_object_begin(json);
	json_key(json, "type");
	json_put_literal(json, "\"why\"");
	json_key(json, "subject");
	json_string_or_null(json, m ? "errno" : "port");
	json_key(json, "netns");
	json_u64_or_null(json, s->netns, s->netns);
	json_meanings(json, m);
	json_port(&self, w, s);
	settings_json(json, s);
	json_line_end(json);
}

void why_json_errno(struct out *out, const struct meanings *m, const struct settings *s)
{
	json_line(out, NULL, m, NULL, s);
}

void why_json_port(struct out *out, const struct names *names, const struct why *w,
		   const struct settings *s)
{
	json_line(out, names, NULL, w, s);
}
