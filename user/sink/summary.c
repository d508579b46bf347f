/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/summary.h"

#include <inttypes.h>
#include <stdio.h>

#include "user/sink/json_parts.h"
#include "user/sink/pressure.h"

#define FULL_PERCENT 50 /* told of though no port came or went */
#define LINE_ROOM    (ESCAPE_ROOM(COLUMNS_NAME) + 512)

/* --- a second's worth ---------------------------------------------------------------------- */

/* In thousandths. */
static uint64_t per_second(uint64_t count, uint64_t elapsed_ns)
{
	double rate = elapsed_ns ? (double)count * 1e12 / (double)elapsed_ns : 0;

	return (uint64_t)(rate + 0.5);
}

/* "4.2", or "4.217" with three digits */
static char *rate_format(char *p, uint64_t thousandths, unsigned int digits)
{
	uint32_t rest = (uint32_t)(thousandths % 1000);

	p = fmt_u64(p, thousandths / 1000);
	*p++ = '.';
	return fmt_digits(p, digits == 1 ? rest / 100 : rest, digits);
}

/* --- text ---------------------------------------------------------------------------------- */

static bool is_worth_a_line(const struct space_summary *s)
{
	const struct pressure *p = &s->pressure;

	return s->assigned || s->released ||
	       (uint64_t)p->taken * 100 >= (uint64_t)p->usable * FULL_PERCENT;
}

static char *text_by(char *p, const struct pressure *pressure)
{
	static const char *const words[PRESSURE_KINDS] = {
		[PRESSURE_BIND] = "bind",
		[PRESSURE_CONNECT] = "connect",
		[PRESSURE_TIME_WAIT] = "TIME_WAIT",
		[PRESSURE_UNKNOWN] = "from before",
	};
	const char *before = " (";

	for (enum pressure_kind k = 0; k < PRESSURE_KINDS; k++) {
		if (!pressure->by[k])
			continue;
		p = columns_string(p, before);
		p = fmt_u64(p, pressure->by[k]);
		*p++ = ' ';
		p = columns_string(p, words[k]);
		before = ", ";
	}
	return pressure->taken ? fmt_literal(p, ")") : p;
}

static char *text_turnover(char *p, uint64_t count, uint64_t elapsed_ns, const char *what)
{
	uint64_t rate = per_second(count, elapsed_ns);

	p = fmt_literal(p, ", ");
	p = fmt_u64(p, count);
	*p++ = ' ';
	p = columns_string(p, what);
	p = fmt_literal(p, " (");
	p = rate_format(p, rate, rate < 1000 ? 3 : 1);
	return fmt_literal(p, " a second)");
}

/* "tcp @blue 32768-60999, 2 reserved: 412 of 28230 taken (400 connect, 12 bind), ..." */
static void text_space(struct out *out, const struct columns *columns,
		       const struct space_summary *s, uint64_t elapsed_ns)
{
	const struct settings *settings = s->pressure.settings;
	char *p = out_room(out, LINE_ROOM);

	p = columns_string(p, protocol_name(s->pressure.protocol));
	p = columns_netns(columns, p, settings->netns);
	*p++ = ' ';
	p = fmt_u64(p, settings->range_lo);
	*p++ = '-';
	p = fmt_u64(p, settings->range_hi);
	if (settings->reserved_known) {
		p = fmt_literal(p, ", ");
		p = fmt_u64(p, settings_reserved_in_range(settings));
		p = fmt_literal(p, " reserved");
	}
	p = fmt_literal(p, ": ");
	p = fmt_u64(p, s->pressure.taken);
	p = fmt_literal(p, " of ");
	p = fmt_u64(p, s->pressure.usable);
	p = s->all ? fmt_literal(p, " taken") : fmt_literal(p, " taken by those followed");
	p = text_by(p, &s->pressure);
	p = text_turnover(p, s->assigned, elapsed_ns, "assigned");
	if (s->released_known)
		p = text_turnover(p, s->released, elapsed_ns, "released");
	else
		p = fmt_literal(p, ", releases not seen");
	*p++ = '\n';
	out_advance(out, p);
}

static char *text_duration(char *p, uint64_t ns)
{
	if (ns < 1000000) {
		p = rate_format(p, ns, 1);
		return fmt_literal(p, " us");
	}
	p = rate_format(p, ns / 1000, 1);
	return fmt_literal(p, " ms");
}

/* "<1us", "<16us", "<2ms": powers of two; the last has no end */
static char *text_bucket(char *p, size_t bucket)
{
	uint64_t us = search_below_ns(bucket == SEARCH_BUCKETS - 1 ? bucket - 1 : bucket) / 1000;

	*p++ = bucket == SEARCH_BUCKETS - 1 ? '>' : '<';
	p = fmt_u64(p, us < 1024 ? us : us / 1024);
	return us < 1024 ? fmt_literal(p, "us") : fmt_literal(p, "ms");
}

/* "port searches: 412, mean 3.1 us, longest 42.0 us: <1us 3, <2us 300, <64us 109" */
static void text_search(struct out *out, const struct search_summary *s)
{
	const char *before = ": ";
	char *p = out_room(out, LINE_ROOM);

	p = fmt_literal(p, "port searches: ");
	p = fmt_u64(p, s->count);
	p = fmt_literal(p, ", mean ");
	p = text_duration(p, s->sum_ns / s->count);
	p = fmt_literal(p, ", longest ");
	p = text_duration(p, s->max_ns);
	for (size_t i = 0; i < SEARCH_BUCKETS; i++) {
		if (!s->buckets[i])
			continue;
		p = columns_string(p, before);
		p = text_bucket(p, i);
		*p++ = ' ';
		p = fmt_u64(p, s->buckets[i]);
		before = ", ";
	}
	if (s->tried_count) {
		p = fmt_literal(p, "; most candidates ");
		p = fmt_u64(p, s->tried_max);
	}
	*p++ = '\n';
	out_advance(out, p);
}

void summary_text(struct out *out, const struct columns *columns, const struct run_summary *s)
{
	for (size_t i = 0; i < s->spaces_len && s->lives; i++)
		if (is_worth_a_line(&s->spaces[i]))
			text_space(out, columns, &s->spaces[i], s->elapsed_ns);
	if (s->search.count)
		text_search(out, &s->search);
}

/* --- JSON ---------------------------------------------------------------------------------- */

static void json_rate(struct json_writer *json, bool known, uint64_t count, uint64_t elapsed_ns)
{
	char *p;

	if (!known || !elapsed_ns) {
		json_null(json);
		return;
	}
	p = out_room(json->out, FMT_U64_MAX + 4);
	out_advance(json->out, rate_format(p, per_second(count, elapsed_ns), 3));
}

static void json_space(struct json_sink *self, const struct space_summary *s, uint64_t elapsed_ns)
{
	struct json_writer *json = &self->json;

	json_object_begin(json);
	pressure_json_keys(self, &s->pressure);
	json_key(json, "all");
	json_bool(json, s->all);
	json_key(json, "assigned");
	json_u64(json, s->assigned);
	json_key(json, "released");
	json_u64_or_null(json, s->released_known, s->released);
	json_key(json, "assigned_per_s");
	json_rate(json, true, s->assigned, elapsed_ns);
	json_key(json, "released_per_s");
	json_rate(json, s->released_known, s->released, elapsed_ns);
	json_object_end(json);
}

static void json_histogram(struct json_writer *json, const struct search_summary *s)
{
	json_array_begin(json);
	for (size_t i = 0; i < SEARCH_BUCKETS; i++) {
		if (!s->buckets[i])
			continue;
		json_item(json);
		json_object_begin(json);
		json_key(json, "below_ns");
		json_u64_or_null(json, i < SEARCH_BUCKETS - 1, search_below_ns(i));
		json_key(json, "count");
		json_u64(json, s->buckets[i]);
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_tried(struct json_writer *json, const struct search_summary *s)
{
	if (!s->tried_count) {
		json_null(json);
		return;
	}
	json_object_begin(json);
	json_key(json, "count");
	json_u64(json, s->tried_count);
	json_key(json, "sum");
	json_u64(json, s->tried_sum);
	json_key(json, "max");
	json_u64(json, s->tried_max);
	json_object_end(json);
}

/* null where the backend does not see searches, which `blind` says. */
static void json_search(struct json_sink *self, const struct search_summary *s)
{
	struct json_writer *json = &self->json;

	if (!s->count && (self->run->blind & WIRE_B_SEARCH_NS)) {
		json_null(json);
		return;
	}
	json_object_begin(json);
	json_key(json, "count");
	json_u64(json, s->count);
	json_key(json, "sum_ns");
	json_u64(json, s->sum_ns);
	json_key(json, "max_ns");
	json_u64(json, s->max_ns);
	json_key(json, "histogram");
	json_histogram(json, s);
	json_key(json, "tried");
	json_tried(json, s);
	json_object_end(json);
}

static void json_finding_counts(struct json_writer *json, const struct run_summary *s)
{
	json_object_begin(json);
	for (unsigned int id = 0; id < FINDING_KINDS; id++) {
		if (!s->found[id])
			continue;
		json_key_string(json, finding_name(id));
		json_u64(json, s->found[id]);
	}
	json_object_end(json);
}

void summary_json_keys(struct json_sink *self, const struct run_summary *s)
{
	struct json_writer *json = &self->json;

	json_key(json, "elapsed_ns");
	json_u64(json, s->elapsed_ns);
	json_key(json, "pressure");
	json_array_begin(json);
	for (size_t i = 0; i < s->spaces_len; i++) {
		json_item(json);
		json_space(self, &s->spaces[i], s->elapsed_ns);
	}
	json_array_end(json);
	json_key(json, "pressure_omitted");
	json_u64(json, s->spaces_omitted);
	json_key(json, "search");
	json_search(self, &s->search);
	json_key(json, "findings");
	json_finding_counts(json, s);
}
