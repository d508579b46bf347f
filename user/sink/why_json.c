/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * why_json.c owns the `why` line. Whatever was asked it has the same keys; null where they do not
 * apply.
 */
#include "user/core/family.h"
#include "user/sink/json_parts.h"
#include "user/sink/named.h"
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

/* One of the three questions; the others are NULL. */
struct question {
	const struct meanings *meanings;
	const struct why *port;
	const struct why_connect *connect;
	const struct settings *settings;
};

/* Options make no difference to connect(). */
static void json_answers(struct json_writer *json, const struct question *q)
{
	json_key(json, "answer");
	if (!q->port && !q->connect) {
		json_null(json);
		return;
	}
	json_object_begin(json);
	for (enum why_with with = 0; with < WITH_KINDS; with++) {
		enum why_answer answer = q->port ? q->port->answers[with] : q->connect->answer;
		bool asked = q->port || with == WITH_NOTHING;

		json_key_string(json, why_with_name(with));
		json_string_or_null(json, asked ? why_answer_name(answer) : NULL);
	}
	json_object_end(json);
}

static void json_destination(struct json_writer *json, const struct why_connect *w)
{
	json_key(json, "destination");
	if (!w) {
		json_null(json);
		return;
	}
	json_object_begin(json);
	json_key(json, "usable");
	json_u64(json, w->pressure.usable);
	json_key(json, "connections");
	json_u64(json, w->destination.connections);
	json_key(json, "time_wait");
	json_u64(json, w->destination.time_wait);
	json_key(json, "blocked");
	json_u64(json, w->pressure.blocked);
	json_key(json, "used");
	json_u64(json, w->destination.used);
	json_key(json, "left");
	json_u64(json, w->left);
	json_object_end(json);
}

static void json_ends(struct json_sink *self, const struct question *q)
{
	struct json_writer *json = &self->json;
	const struct why *w = q->port;

	json_key(json, "proto");
	json_string_or_null(json, w ? protocol_name(w->protocol) : q->connect ? "tcp" : NULL);
	json_key(json, "local");
	if (w && endpoint_is_named(&w->local))
		named_json(json, &w->local);
	else if (w)
		json_endpoint(self, &w->local, w->local.port, w->netns);
	else if (q->connect)
		json_endpoint(self, &q->connect->from, 0, q->connect->netns);
	else
		json_null(json);
	json_key(json, "peer");
	if (q->connect)
		json_endpoint(self, &q->connect->to, q->connect->to.port, q->connect->netns);
	else
		json_null(json);
}

static const char *hint_of(const struct question *q)
{
	if (q->port)
		return why_hint(q->port);
	return q->connect ? why_connect_hint(q->connect) : NULL;
}

static const char *missing_of(const struct question *q)
{
	if (q->port)
		return why_missing(q->port);
	return q->connect ? why_connect_missing(q->connect) : NULL;
}

static void json_port(struct json_sink *self, const struct question *q)
{
	struct json_writer *json = &self->json;
	const struct settings *s = q->settings;
	const struct why *w = q->port;
	bool port = w && !endpoint_is_named(&w->local);

	json_key(json, "dev");
	json_string_or_null(json, w ? w->device : NULL);
	json_key(json, "uid");
	json_u64_or_null(json, w, w ? w->uid : 0);
	json_answers(json, q);
	json_key(json, "obstacle");
	json_string_or_null(json, w ? why_obstacle_name(w->obstacle) : NULL);
	json_key(json, "hint");
	json_string_or_null(json, hint_of(q));
	json_key(json, "missing");
	json_string_or_null(json, missing_of(q));
	json_key(json, "is_reserved");
	json_tristate(json, port && s->reserved_known ? settings_is_reserved(s, w->local.port)
						      : NULL_STATE);
	json_key(json, "is_ephemeral");
	json_tristate(json, port && s->range_hi ? settings_in_range(s, w->local.port) : NULL_STATE);
	json_destination(json, q->connect);
	json_holders(self, w ? &w->holders : NULL);
}

static const char *subject_of(const struct question *q)
{
	if (q->meanings)
		return "errno";
	return q->port ? "port" : "connect";
}

static void json_line(struct out *out, const struct names *names, const struct question *q)
{
	struct json_sink self = { .json = { .out = out }, .names = names };
	struct json_writer *json = &self.json;

	json_object_begin(json);
	json_key(json, "type");
	json_put_literal(json, "\"why\"");
	json_key(json, "subject");
	json_string_or_null(json, subject_of(q));
	json_key(json, "netns");
	json_u64_or_null(json, q->settings->netns, q->settings->netns);
	json_meanings(json, q->meanings);
	json_ends(&self, q);
	json_port(&self, q);
	settings_json(json, q->settings);
	json_line_end(json);
}

void why_json_errno(struct out *out, const struct meanings *m, const struct settings *s)
{
	json_line(out, NULL, &(struct question){ .meanings = m, .settings = s });
}

void why_json_port(struct out *out, const struct names *names, const struct why *w,
		   const struct settings *s)
{
	json_line(out, names, &(struct question){ .port = w, .settings = s });
}

void why_json_connect(struct out *out, const struct names *names, const struct why_connect *w,
		      const struct settings *s)
{
	json_line(out, names, &(struct question){ .connect = w, .settings = s });
}
