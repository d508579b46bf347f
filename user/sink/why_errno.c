/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

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
