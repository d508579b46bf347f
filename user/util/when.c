/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/util/when.h"

#include <time.h>

#include "user/util/fmt.h"

#define NS_PER_S 1000000000ULL

static char *fmt_clock(char *p, const struct tm *tm)
{
	p = fmt_digits(p, (uint32_t)tm->tm_hour, 2);
	*p++ = ':';
	p = fmt_digits(p, (uint32_t)tm->tm_min, 2);
	*p++ = ':';
	p = fmt_digits(p, (uint32_t)tm->tm_sec, 2);
	*p++ = '.';
	return p;
}

static char *fmt_date(char *p, const struct tm *tm)
{
	p = fmt_digits(p, (uint32_t)(tm->tm_year + 1900), 4);
	*p++ = '-';
	p = fmt_digits(p, (uint32_t)(tm->tm_mon + 1), 2);
	*p++ = '-';
	p = fmt_digits(p, (uint32_t)tm->tm_mday, 2);
	*p++ = 'T';
	return p;
}

/* Breaking a second down costs far more than copying it, and events come in bursts. */
static void when_spell_second(struct when *when, uint64_t second, bool date, bool utc)
{
	time_t clock = (time_t)second;
	struct tm tm = { .tm_mday = 1 };
	char *p = when->prefix;

	if (utc)
		gmtime_r(&clock, &tm);
	else
		localtime_r(&clock, &tm);
	if (date)
		p = fmt_date(p, &tm);
	p = fmt_clock(p, &tm);
	when->prefix_len = (uint8_t)(p - when->prefix);
	when->second = second;
	when->has_second = true;
}

static uint64_t when_wall(const struct when *when, uint64_t ts_ns)
{
	return when->wall_ns + (ts_ns - when->boot_ns);
}

static char *when_format_delta(struct when *when, char *p, uint64_t ts_ns)
{
	uint64_t delta_ns = when->has_last ? ts_ns - when->last_ns : 0;
	bool back = when->has_last && ts_ns < when->last_ns;
	char text[WHEN_ROOM];
	char *end = text;
	size_t len;

	if (back) { /* records of several CPUs may come out of order */
		delta_ns = 0 - delta_ns;
		*end++ = '-';
	}
	when->last_ns = ts_ns;
	when->has_last = true;
	end = fmt_u64(end, delta_ns / NS_PER_S);
	*end++ = '.';
	end = fmt_digits(end, (uint32_t)(delta_ns % NS_PER_S / 1000), 6);
	len = (size_t)(end - text);
	if (len < WHEN_COLUMN)
		p = fmt_spaces(p, WHEN_COLUMN - len);
	return fmt_bytes(p, text, len);
}

char *when_format(struct when *when, char *p, uint64_t ts_ns)
{
	uint64_t wall_ns;

	switch (when->style) {
	case WHEN_NONE:
		return p;
	case WHEN_DELTA:
		return when_format_delta(when, p, ts_ns);
	case WHEN_BOOT:
		p = fmt_u64_right(p, ts_ns / NS_PER_S, WHEN_COLUMN - 4);
		*p++ = '.';
		return fmt_digits(p, (uint32_t)(ts_ns % NS_PER_S / 1000000), 3);
	case WHEN_WALL:
		break;
	}
	wall_ns = when_wall(when, ts_ns);
	if (!when->has_second || when->second != wall_ns / NS_PER_S)
		when_spell_second(when, wall_ns / NS_PER_S, false, when->utc);
	p = fmt_bytes(p, when->prefix, when->prefix_len);
	return fmt_digits(p, (uint32_t)(wall_ns % NS_PER_S / 1000000), 3);
}

char *when_format_rfc3339(struct when *when, char *p, uint64_t ts_ns)
{
	uint64_t wall_ns = when_wall(when, ts_ns);

	if (!when->has_second || when->second != wall_ns / NS_PER_S)
		when_spell_second(when, wall_ns / NS_PER_S, true, true);
	p = fmt_bytes(p, when->prefix, when->prefix_len);
	p = fmt_digits(p, (uint32_t)(wall_ns % NS_PER_S), 9);
	*p++ = 'Z';
	return p;
}
