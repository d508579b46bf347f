/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/settings.h"

#include <stdio.h>

#include "user/core/meanings.h"
#include "user/sink/json_parts.h"
#include "user/sink/paragraph.h"

#define RUNS_SHOWN 8 /* of reserved ports, in text */

static void settings_text_range(struct out *out, const struct settings *s)
{
	if (s->range_hi)
		paragraph_print(out, "  ip_local_port_range", 32, "%u-%u: %u ports", s->range_lo,
				s->range_hi, settings_range_size(s));
	else
		paragraph_write(out, "  ip_local_port_range", 32, "cannot be read");
}

/* Every port may be in it: the first runs, and how many more there are. */
static void settings_text_reserved(struct out *out, const struct settings *s)
{
	char text[RUNS_SHOWN * 16 + 64] = "none";
	uint32_t first = 0, last;
	size_t used = 0, runs = 0, more = 0;

	for (; settings_next_reserved(s, &first, &last); first = last + 1) {
		if (runs++ >= RUNS_SHOWN) {
			more++;
			continue;
		}
		used += (size_t)snprintf(text + used, sizeof(text) - used,
					 first == last ? "%s%u" : "%s%u-%u", used ? ", " : "",
					 first, last);
	}
	if (more)
		snprintf(text + used, sizeof(text) - used, " and %zu more", more);
	if (!s->reserved_known)
		paragraph_write(out, "  ip_local_reserved_ports", 32, "cannot be read");
	else if (runs)
		paragraph_print(out, "  ip_local_reserved_ports", 32, "%s: %u ports of the range",
				text, settings_reserved_in_range(s));
	else
		paragraph_write(out, "  ip_local_reserved_ports", 32, text);
}

void settings_text(struct out *out, const struct settings *s, unsigned int which)
{
	if (which & MEANING_RANGE) {
		settings_text_range(out, s);
		settings_text_reserved(out, s);
	}
	if (which & MEANING_PRIVILEGED) {
		if (s->unprivileged_known)
			paragraph_print(out, "  ip_unprivileged_port_start", 32, "%u",
					s->unprivileged_start);
		else
			paragraph_write(out, "  ip_unprivileged_port_start", 32, "cannot be read");
	}
	if (which & MEANING_NONLOCAL)
		paragraph_print(out, "  ip_nonlocal_bind", 32, "IPv4 %u, IPv6 %u", s->nonlocal4,
				s->nonlocal6);
}

void settings_json(struct json_writer *json, const struct settings *s)
{
	uint32_t first = 0, last;

	json_key(json, "range");
	json_range(json, s->range_lo, s->range_hi);
	json_key(json, "reserved");
	if (!s->reserved_known) {
		json_null(json);
	} else {
		json_array_begin(json);
		for (; settings_next_reserved(s, &first, &last); first = last + 1) {
			json_item(json);
			/* port 0 is none, so this is never null */
			json_range(json, (uint16_t)first, (uint16_t)last);
		}
		json_array_end(json);
	}
	json_key(json, "unprivileged_port_start");
	json_u64_or_null(json, s->unprivileged_known, s->unprivileged_start);
}
