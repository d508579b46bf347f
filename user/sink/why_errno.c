/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "user/sink/json_parts.h"
#include "user/sink/paragraph.h"
#include "user/sink/settings.h"
#include "user/sink/why.h"

#define CALL_INDENT 10

void why_text_errno(struct out *out, const struct meanings *m, const struct settings *s)
{
	const char *call = "";

	paragraph_print(out, "", 0, "%s: %s", m->name, m->text);
	out_write(out, "\n", 1);
	for (size_t i = 0; i < m->len; i++) {
		const struct meaning *meaning = &m->list[i];

		paragraph_write(out, strcmp(call, meaning->call) ? meaning->call : "", CALL_INDENT,
				meaning->text);
		if (meaning->hint)
			paragraph_print(out, "", CALL_INDENT + 3, "To do: %s.", meaning->hint);
		call = meaning->call;
	}
	if (m->settings)
		paragraph_print(out, "", 0, "\nHere, in network namespace %u:", s->netns);
	settings_text(out, s, m->settings);
}

static void why_json_meanings(struct json_writer *json, const struct meanings *m)
{
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

void why_json_errno(struct out *out, const struct meanings *m, const struct settings *s)
{
	struct json_writer json = { .out = out };

	json_object_begin(&json);
	json_key(&json, "type");
	json_put_literal(&json, "\"why\"");
	json_key(&json, "subject");
	json_put_literal(&json, "\"errno\"");
	json_key(&json, "netns");
	json_u64_or_null(&json, s->netns, s->netns);
	json_key(&json, "errno");
	json_string_or_null(&json, m->name);
	json_key(&json, "meanings");
	why_json_meanings(&json, m);
	settings_json(&json, s);
	json_line_end(&json);
}
