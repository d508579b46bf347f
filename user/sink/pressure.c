/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/pressure.h"

#include <netinet/in.h>
#include <stdio.h>

#include "user/sink/json_parts.h"
#include "user/sink/paragraph.h"
#include "user/sink/settings.h"
#include "user/util/fmt.h"

#define INDENT	  24
#define LINE_ROOM (2 * COLUMNS_ADDRESS + 256)

static unsigned int percent(uint32_t part, uint32_t whole)
{
	return whole ? (unsigned int)((uint64_t)part * 100 / whole) : 0;
}

static const char *protocol_title(const struct pressure *p)
{
	return p->protocol == IPPROTO_TCP ? "TCP" : "UDP";
}

static void text_title(struct out *out, const struct columns *columns, const struct pressure *p)
{
	char *q = out_room(out, ESCAPE_ROOM(COLUMNS_NAME) + 64);

	q = columns_string(q, protocol_title(p));
	q = fmt_literal(q, " in network namespace ");
	q = fmt_u64(q, p->settings->netns);
	q = columns_netns(columns, q, p->settings->netns);
	*q++ = '\n';
	out_advance(out, q);
}

static void text_taken(struct out *out, const struct pressure *p)
{
	const char *const words[PRESSURE_KINDS] = {
		[PRESSURE_BIND] = "bind",
		[PRESSURE_CONNECT] = "connect",
		[PRESSURE_TIME_WAIT] = "TIME_WAIT",
		[PRESSURE_UNKNOWN] =
			p->protocol == IPPROTO_TCP ? "bind or connect" : "bind(0), connect or send",
	};
	char by[160] = "";
	size_t used = 0;

	for (enum pressure_kind k = 0; k < PRESSURE_KINDS; k++)
		if (p->by[k])
			used += (size_t)snprintf(by + used, sizeof(by) - used, "%s%u by %s",
						 used ? ", " : ": ", p->by[k], words[k]);
	paragraph_print(out, "  taken", INDENT, "%u of %u (%u%%)%s", p->taken, p->usable,
			percent(p->taken, p->usable), by);
}

static void text_destination(struct out *out, const struct columns *columns,
			     const struct pressure *p, const struct pressure_destination *d)
{
	uint32_t netns = p->settings->netns;
	char *q = out_room(out, LINE_ROOM);

	q = fmt_u64_right(q, d->used, 8);
	q = fmt_u64_right(q, percent(d->used, p->usable), 5);
	q = fmt_literal(q, "%");
	q = fmt_u64_right(q, d->connections, 12);
	q = fmt_u64_right(q, d->time_wait, 10);
	q = fmt_literal(q, "  ");
	q = columns_address(columns, q, &d->local, 0, netns);
	q = fmt_literal(q, " > ");
	q = columns_endpoint(columns, q, &d->peer, 0, netns);
	*q++ = '\n';
	out_advance(out, q);
}

static void text_destinations(struct out *out, const struct columns *columns,
			      const struct pressure *p)
{
	static const char header[] =
		"    USED     % CONNECTIONS TIME_WAIT  FROM > TO: ports that one more connect() to "
		"there cannot have\n";

	if (!p->top_len || p->protocol != IPPROTO_TCP)
		return;
	out_write(out, header, sizeof(header) - 1);
	for (size_t i = 0; i < p->top_len; i++)
		text_destination(out, columns, p, &p->top[i]);
	if (p->destinations > p->top_len)
		paragraph_print(out, "", 2, "and %zu more destinations",
				p->destinations - p->top_len);
}

void pressure_text(struct out *out, const struct columns *columns, const struct pressure *p)
{
	text_title(out, columns, p);
	if (!p->settings->range_hi) {
		paragraph_write(out, "  ip_local_port_range", INDENT, "cannot be read");
		return;
	}
	paragraph_print(out, "  ip_local_port_range", INDENT, "%u-%u: %u ports, %u of them %s",
			p->settings->range_lo, p->settings->range_hi,
			settings_range_size(p->settings), settings_reserved_in_range(p->settings),
			p->settings->reserved_known ? "reserved" : "known to be reserved");
	text_taken(out, p);
	text_destinations(out, columns, p);
}

static void json_by(struct json_writer *json, const struct pressure *p)
{
	json_object_begin(json);
	for (enum pressure_kind k = 0; k < PRESSURE_KINDS; k++) {
		json_key_string(json, pressure_kind_name(k));
		json_u64(json, p->by[k]);
	}
	json_object_end(json);
}

static void json_destination(struct json_sink *self, const struct pressure *p,
			     const struct pressure_destination *d)
{
	uint32_t netns = p->settings->netns;
	struct json_writer *json = &self->json;

	json_object_begin(json);
	json_key(json, "local");
	json_endpoint(self, &d->local, 0, netns);
	json_key(json, "peer");
	json_endpoint(self, &d->peer, d->peer.port, netns);
	json_key(json, "connections");
	json_u64(json, d->connections);
	json_key(json, "time_wait");
	json_u64(json, d->time_wait);
	json_key(json, "used");
	json_u64(json, d->used);
	json_key(json, "left");
	json_u64(json, p->usable > d->used ? p->usable - d->used : 0);
	json_object_end(json);
}

static void json_counts(struct json_writer *json, const struct pressure *p)
{
	bool known = p->settings->range_hi;

	json_key(json, "usable");
	json_u64_or_null(json, known, p->usable);
	json_key(json, "taken");
	json_u64_or_null(json, known, p->taken);
	json_key(json, "left");
	json_u64_or_null(json, known, p->usable - p->taken);
	json_key(json, "by");
	json_by(json, p);
}

void pressure_json_keys(struct json_sink *self, const struct pressure *p)
{
	struct json_writer *json = &self->json;

	json_key(json, "netns");
	json_u64_or_null(json, p->settings->netns, p->settings->netns);
	json_key(json, "proto");
	json_string_or_null(json, protocol_name(p->protocol));
	settings_json(json, p->settings);
	json_counts(json, p);
	json_key(json, "destinations");
	json_array_begin(json);
	for (size_t i = 0; i < p->top_len; i++) {
		json_item(json);
		json_destination(self, p, &p->top[i]);
	}
	json_array_end(json);
	json_key(json, "destinations_omitted");
	json_u64(json, p->destinations - p->top_len);
}

void pressure_json(struct out *out, const struct names *names, const struct pressure *p)
{
	struct json_sink self = { .json = { .out = out }, .names = names };
	struct json_writer *json = &self.json;

	json_object_begin(json);
	json_key(json, "type");
	json_put_literal(json, "\"pressure\"");
	pressure_json_keys(&self, p);
	json_line_end(json);
}
