/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/core/family.h"
#include "user/core/unit.h"
#include "user/sink/phrase.h"
#include "user/sink/table.h"
#include "user/util/fmt.h"

/* Widths of the columns, each followed by a space. */
#define PID_WIDTH   7
#define COMM_WIDTH  12
#define PROTO_WIDTH 5
#define STATE_WIDTH 10
#define PORT_WIDTH  5
#define FROM_WIDTH  8
#define AGE_WIDTH   4

#define TABLE_ROOM 4096
_Static_assert(2 * COLUMNS_ADDRESS + 2 * ESCAPE_ROOM(COLUMNS_NAME) + 1024 < TABLE_ROOM,
	       "a line fits");

static const char table_header[] = "    PID COMM         PROTO STATE       PORT FROM      AGE S "
				   "LOCAL > PEER, DESCRIPTOR, OPTIONS\n";

void table_text_header(struct out *out)
{
	out_write(out, table_header, sizeof(table_header) - 1);
}

/* As the column has it, at most STATE_WIDTH; JSON has the long ones. */
static const char *table_state(const struct port_row *row)
{
	const char *state = port_state(row);

	return strcmp(state, "established") != 0 ? state : "estab";
}

static char *table_who(const struct columns *columns, char *p, const struct port_row *row)
{
	const struct wire_who *who = &row->holders[0].who;

	if (port_keeper(row) != KEPT_BY_PROCESS) {
		p = fmt_literal(p, "      - ");
		return columns_word(p, "-", COMM_WIDTH);
	}
	if (who->pid)
		p = fmt_u64_right(p, who->pid, PID_WIDTH);
	else
		p = fmt_literal(p, "      -");
	*p++ = ' ';
	return columns_comm(columns, p, who, COMM_WIDTH);
}

/* ">37s": at least so long */
static char *table_age(char *p, const struct port_row *row)
{
	uint32_t seconds = port_age_min_ms(row) / 1000;
	char text[FMT_U64_MAX + 2], *end = text;

	if (seconds) {
		*end++ = '>';
		end = fmt_u64(end, seconds);
		*end++ = 's';
	} else {
		*end++ = '-';
	}
	p = fmt_spaces(p, AGE_WIDTH - (size_t)(end - text));
	p = fmt_bytes(p, text, (size_t)(end - text));
	*p++ = ' ';
	return p;
}

static char *table_left(char *p, uint32_t left_ms)
{
	p = fmt_u64(p, (left_ms + 999) / 1000);
	return fmt_literal(p, " s left)");
}

/* What keeps the port where no process does. */
static char *table_keeper(char *p, const struct port_row *row)
{
	switch (port_keeper(row)) {
	case KEPT_BY_QUEUE:
		return fmt_literal(p, " (not accepted)");
	case KEPT_BY_ORPHAN:
		if (!row->time_wait_left_ms)
			return fmt_literal(p, " (orphan)");
		return table_left(fmt_literal(p, " (orphan, "), row->time_wait_left_ms);
	case KEPT_BY_KERNEL:
		return fmt_literal(p, " (kernel)");
	case KEPT_BY_UNKNOWN:
		return fmt_literal(p, " (process not seen)");
	case KEPT_BY_TIME_WAIT:
		if (!row->time_wait_left_ms)
			return fmt_literal(p, " (no process)");
		return table_left(fmt_literal(p, " ("), row->time_wait_left_ms);
	case KEPT_BY_PROCESS:
		break;
	}
	p = fmt_literal(p, " fd ");
	p = fmt_u64(p, (uint64_t)row->holders[0].fd);
	if (row->holders_len > 1) {
		p = fmt_literal(p, " (+");
		p = fmt_u64(p, row->holders_len - 1);
		p = row->holders_len > 2 ? fmt_literal(p, " processes)")
					 : fmt_literal(p, " process)");
	}
	return p;
}

/* What one could stop: the service, the container. */
static char *table_unit(const struct columns *columns, char *p, const struct port_row *row)
{
	const char *path, *unit;
	size_t len = 0;

	if (port_keeper(row) != KEPT_BY_PROCESS)
		return p;
	path = names_find(columns->names, WIRE_NAME_CGROUP, row->holders[0].who.cgroup, 0);
	unit = path ? unit_find(path, &len) : NULL;
	if (!unit)
		return p;
	p = fmt_literal(p, " in ");
	return escape_text(p, unit, len, COLUMNS_NAME, columns->escape, &len);
}

static char *table_options(char *p, unsigned int options)
{
	char separator = ' ';

	for (unsigned int bit = 0; options; bit++, options >>= 1) {
		if (!(options & 1))
			continue;
		*p++ = separator;
		p = columns_string(p, option_name(bit));
		separator = ',';
	}
	return p;
}

void table_text_row(struct out *out, const struct columns *columns, const struct port_row *row)
{
	const struct life life = port_life(row);
	const char *protocol = protocol_name(life.protocol);
	char *p = out_room(out, TABLE_ROOM);

	p = table_who(columns, p, row);
	p = columns_word(p, protocol ? protocol : "-", PROTO_WIDTH);
	p = columns_word(p, table_state(row), STATE_WIDTH);
	if (life_number(&life, life.local.port))
		p = fmt_u64_right(p, life_number(&life, life.local.port), PORT_WIDTH);
	else
		p = fmt_literal(p, "    -");
	*p++ = ' ';
	p = columns_word(p, origin_name(port_row_origin(row)), FROM_WIDTH);
	p = table_age(p, row);
	*p++ = row->owners > 1 ? 'S' : '-';
	*p++ = ' ';
	p = columns_address(columns, p, &life.local, life.ifindex, life.netns);
	if (phrase_has_peer(&life.peer)) {
		p = fmt_literal(p, " > ");
		p = columns_endpoint(columns, p, &life.peer, 0, life.netns);
	}
	p = table_keeper(p, row);
	p = table_unit(columns, p, row);
	p = table_options(p, life.options);
	p = columns_netns(columns, p, life.netns);
	*p++ = '\n';
	out_advance(out, p);
}
