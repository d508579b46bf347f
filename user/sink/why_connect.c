/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/paragraph.h"
#include "user/sink/why.h"
#include "user/util/fmt.h"

#define INDENT 24

static void text_question(struct out *out, const struct columns *columns,
			  const struct why_connect *w)
{
	char *p = out_room(out, 2 * COLUMNS_ADDRESS + ESCAPE_ROOM(COLUMNS_NAME) + 256);

	p = fmt_literal(p, "connect() to ");
	p = columns_endpoint(columns, p, &w->to, 0, w->netns);
	p = fmt_literal(p, " from ");
	p = columns_address(columns, p, &w->from, 0, w->netns);
	p = fmt_literal(p, ", TCP, in network namespace ");
	p = fmt_u64(p, w->netns);
	p = columns_netns(columns, p, w->netns);
	p = fmt_literal(p, ": ");
	p = columns_string(p, why_answer_name(w->answer));
	p = fmt_literal(p, "\n\n");
	out_advance(out, p);
}

static void text_counts(struct out *out, const struct why_connect *w, const struct settings *s)
{
	const struct pressure_destination *d = &w->destination;
	uint32_t usable = w->pressure.usable;

	paragraph_print(out, "  ip_local_port_range", INDENT,
			"%u-%u: %u ports, without the reserved ones %u", s->range_lo, s->range_hi,
			settings_range_size(s), usable);
	paragraph_print(out, "  used up for this", INDENT,
			"%u (%u%%): %u connections to there, %u in TIME_WAIT; bind() keeps %u from "
			"every connect()",
			d->used, usable ? (unsigned int)((uint64_t)d->used * 100 / usable) : 0,
			d->connections, d->time_wait, w->pressure.blocked);
	paragraph_print(out, "  left", INDENT, "%u", w->left);
}

void why_text_connect(struct out *out, const struct columns *columns, const struct why_connect *w,
		      const struct settings *s)
{
	text_question(out, columns, w);
	if (!w->has_route)
		paragraph_write(out, "", 2, "There is no route to there.");
	else if (w->is_local == NO)
		paragraph_write(out, "", 2,
				"The address to connect from is none of this network "
				"namespace's.");
	else if (s->range_hi && w->seen)
		text_counts(out, w, s);
	if (why_connect_missing(w))
		paragraph_print(out, "", 2, "It depends: %s.", why_connect_missing(w));
	if (why_connect_hint(w))
		paragraph_print(out, "\nTo do:", 7, "%s.", why_connect_hint(w));
}
