/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings.c owns the set of reserved ports and the counts within the range.
 */
#include "user/core/settings.h"

#include <string.h>

#include "user/util/parse.h"

bool settings_parse_reserved(struct settings *s, const char *text, size_t len)
{
	uint64_t from = 0;

	while (len) {
		const char *comma = text;
		uint64_t first, last;
		size_t item;

		while (comma < text + len && *comma != ',')
			comma++;
		item = (size_t)(comma - text);
		if (parse_range(text, item, from, SETTINGS_PORTS - 1, &first, &last))
			return false;
		for (uint64_t port = first; port <= last && s; port++)
			s->reserved[port / 8] |= (uint8_t)(1U << (port % 8));
		from = last + 1;
		len -= item + (item < len);
		text = comma + 1;
	}
	return true;
}

void settings_of_record(struct settings *s, const struct wire_settings *r, const char *text)
{
	*s = (struct settings){
		.netns = r->netns,
		.range_lo = r->range_lo,
		.range_hi = r->range_hi,
		.unprivileged_known = r->known & WIRE_S_UNPRIVILEGED,
		.unprivileged_start = r->unprivileged_start,
		.step_width_known = r->known & WIRE_S_STEP_WIDTH,
		.step_width = r->step_width,
	};
	s->reserved_known =
		(r->known & WIRE_S_RESERVED) && settings_parse_reserved(s, text, r->text_len);
}

bool settings_is_reserved(const struct settings *s, uint16_t port)
{
	return s->reserved[port / 8] >> (port % 8) & 1;
}

bool settings_in_range(const struct settings *s, uint16_t port)
{
	return s->range_hi && port >= s->range_lo && port <= s->range_hi;
}

uint32_t settings_range_size(const struct settings *s)
{
	return s->range_hi ? (uint32_t)s->range_hi - s->range_lo + 1 : 0;
}

uint32_t settings_reserved_between(const struct settings *s, uint16_t lo, uint16_t hi)
{
	uint32_t port = lo, end = hi + 1U, count = 0;

	for (; port < end && port % 8; port++)
		count += settings_is_reserved(s, (uint16_t)port);
	for (; port + 8 <= end; port += 8)
		count += (uint32_t)__builtin_popcount(s->reserved[port / 8]);
	for (; port < end; port++)
		count += settings_is_reserved(s, (uint16_t)port);
	return count;
}

uint32_t settings_reserved_in_range(const struct settings *s)
{
	return s->range_hi ? settings_reserved_between(s, s->range_lo, s->range_hi) : 0;
}

/* None of this port and the 63 behind it. */
static bool is_free_block(const struct settings *s, uint32_t port)
{
	uint64_t bits;

	memcpy(&bits, s->reserved + port / 8, sizeof(bits));
	return !bits;
}

bool settings_next_reserved(const struct settings *s, uint32_t *first, uint32_t *last)
{
	uint32_t port = *first;

	while (port < SETTINGS_PORTS && !settings_is_reserved(s, (uint16_t)port))
		port += port % 64 == 0 && is_free_block(s, port) ? 64 : 1;
	if (port >= SETTINGS_PORTS)
		return false;
	*first = port;
	while (port < SETTINGS_PORTS && settings_is_reserved(s, (uint16_t)port))
		port++;
	*last = port - 1;
	return true;
}
