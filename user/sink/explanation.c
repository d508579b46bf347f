/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/explanation.h"

#include "user/sink/paragraph.h"

/* Whatever is in a sentence fits, escaped. */
#define COLUMNS_MAX FINDING_TEXT_MAX

void explanation_write(struct out *out, const struct explanation *x, struct escape escape)
{
	char text[ESCAPE_ROOM(COLUMNS_MAX) + 1];

	for (size_t i = 0; i < x->len; i++) {
		size_t used;

		*escape_text(text, x->list[i].text, x->list[i].len, COLUMNS_MAX, escape, &used) =
			'\0';
		paragraph_fill(out, "", EXPLANATION_INDENT, EXPLANATION_WIDTH, text);
	}
}

void explanation_json(struct json_writer *json, const struct explanation *x)
{
	if (!x) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (size_t i = 0; i < x->len; i++) {
		json_item(json);
		json_string(json, x->list[i].text, x->list[i].len);
	}
	json_array_end(json);
}
