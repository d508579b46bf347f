/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/family.h"
#include "user/core/unit.h"
#include "user/sink/paragraph.h"
#include "user/sink/phrase.h"
#include "user/sink/table.h"
#include "user/sink/why.h"
#include "user/util/fmt.h"

#define INDENT 16

static const char *protocol_title(uint16_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "TCP";
	case IPPROTO_UDP:
		return "UDP";
	case IPPROTO_UDPLITE:
		return "UDP-Lite";
	case IPPROTO_SCTP:
		return "SCTP";
	default:
		return protocol_name(protocol);
	}
}

/* "bind() to 0.0.0.0:80, TCP, by uid 33 in network namespace 4026531840: no" */
static void text_question(struct out *out, const struct columns *columns, const struct why *w)
{
	char *p = out_room(out, COLUMNS_ADDRESS + 2 * ESCAPE_ROOM(COLUMNS_NAME) + 256);
	struct endpoint local = w->local;

	local.scope = 0; /* the device's name is as it was given */
	p = fmt_literal(p, "bind() to ");
	p = columns_endpoint(columns, p, &local, 0, w->netns);
	if (w->device) {
		p = fmt_literal(p, " on ");
		p = columns_name(columns, p, w->device);
	}
	p = fmt_literal(p, ", ");
	p = columns_string(p, protocol_title(w->protocol));
	p = fmt_literal(p, ", by uid ");
	p = fmt_u64(p, w->uid);
	p = fmt_literal(p, " in network namespace ");
	p = fmt_u64(p, w->netns);
	p = columns_netns(columns, p, w->netns);
	p = fmt_literal(p, ": ");
	p = columns_string(p, why_answer_name(why_answer(w)));
	p = fmt_literal(p, "\n\n");
	out_advance(out, p);
}

static void text_answers(struct out *out, const struct why *w)
{
	static const char *const labels[WITH_KINDS] = {
		[WITH_NOTHING] = "  plain",
		[WITH_REUSEADDR] = "  SO_REUSEADDR",
		[WITH_REUSEPORT] = "  SO_REUSEPORT",
		[WITH_BOTH] = "  both",
	};

	for (enum why_with with = 0; with < WITH_KINDS; with++)
		paragraph_write(out, labels[with], INDENT + 2, why_answer_name(w->answers[with]));
	if (why_missing(w))
		paragraph_print(out, "", 2, "It depends: %s.", why_missing(w));
}

static const char *overlap_words(enum conflict_overlap overlap)
{
	switch (overlap) {
	case OVERLAP_SAME_ADDRESS:
		return "the same address";
	case OVERLAP_WILDCARD_HOLDER:
		return "it has all addresses, this one too";
	case OVERLAP_WILDCARD_ASKED:
		return "all addresses are asked for, its one too";
	case OVERLAP_DUAL_STACK:
		return ":: without IPV6_V6ONLY has the addresses of IPv4 too";
	case OVERLAP_CONNECTION:
	case OVERLAP_NONE:
	case OVERLAP_KINDS:
		break;
	}
	return "the addresses overlap";
}

static const char *overlap_of(const struct why *w, enum conflict_overlap overlap)
{
	if (w->protocol == IPPROTO_ICMP)
		return "the same id";
	if (endpoint_is_named(&w->local))
		return w->local.family == AF_UNIX ? "the same name" : "the same number";
	return overlap_words(overlap);
}

static void text_in_the_way(struct out *out, const struct columns *columns, const struct why *w)
{
	if (!w->holders.len)
		return;
	out_write(out, "\nIn the way:\n", 13);
	table_text_header(out);
	for (size_t i = 0; i < w->holders.len; i++) {
		const struct conflict *c = &w->holders.list[i].conflict;

		table_text_row(out, columns, w->rows[i]);
		paragraph_print(out, "", INDENT, "%s%s", overlap_of(w, c->overlap),
				c->same_device ? ", on the same device" : "");
	}
	if (w->holders.omitted)
		paragraph_print(out, "", INDENT, "and %u more", w->holders.omitted);
}

/* What is good to know whether or not something is in the way. */
static void text_notes(struct out *out, const struct why *w, const struct settings *s)
{
	if (endpoint_is_named(&w->local)) {
		if (why_name_note(w))
			paragraph_write(out, "\nNote:", 7, why_name_note(w));
		return;
	}
	if (w->protocol == IPPROTO_ICMP) {
		paragraph_write(out, "\nNote:", 7,
				"an ICMP id: sockets of ping are made with SO_REUSEADDR, so many "
				"may have one.");
		return;
	}
	if (settings_is_reserved(s, w->local.port))
		paragraph_print(out, "\nNote:", 7,
				"%u is in ip_local_reserved_ports: the kernel does not choose it, "
				"bind() by name may have it.",
				w->local.port);
	else if (settings_in_range(s, w->local.port))
		paragraph_print(out, "\nNote:", 7,
				"%u lies in ip_local_port_range (%u-%u): an outgoing connection "
				"may get it at any time. A service should have its port in "
				"net.ipv4.ip_local_reserved_ports.",
				w->local.port, s->range_lo, s->range_hi);
	if (w->obstacle == OBSTACLE_PRIVILEGE)
		paragraph_print(out, "\nNote:", 7,
				"ports below %u (ip_unprivileged_port_start) take "
				"CAP_NET_BIND_SERVICE, which uid %u does not have.",
				s->unprivileged_start, w->uid);
	if (w->obstacle == OBSTACLE_ADDRESS)
		paragraph_write(out, "\nNote:", 7,
				"the address is none of this network namespace's; bind() says "
				"EADDRNOTAVAIL.");
	if (!w->holders.len && w->obstacle == OBSTACLE_NONE)
		paragraph_write(out, "\nNote:", 7,
				"no socket holds it; NAT and firewalls are not examined.");
}

/* systemctl stop UNIT, where a unit of systemd has it. */
static void text_unit(struct out *out, const struct columns *columns, const struct why *w)
{
	const struct port_row *row = w->rows[0];
	const char *path, *unit;
	size_t len;
	char *p;

	if (w->obstacle != OBSTACLE_HELD || !row || port_keeper(row) != KEPT_BY_PROCESS ||
	    !columns->names)
		return;
	path = names_find(columns->names, WIRE_NAME_CGROUP, row->holders[0].who.cgroup, 0);
	unit = path ? unit_find(path, &len) : NULL;
	if (!unit || len < 8 || memcmp(unit + len - 8, ".service", 8) != 0)
		return;
	p = out_room(out, ESCAPE_ROOM(COLUMNS_NAME) + 64);
	p = fmt_literal(p, "       systemctl stop ");
	p = escape_text(p, unit, len, COLUMNS_NAME, columns->escape, &len);
	*p++ = '\n';
	out_advance(out, p);
}

void why_text_port(struct out *out, const struct columns *columns, const struct why *w,
		   const struct settings *s)
{
	text_question(out, columns, w);
	text_answers(out, w);
	text_in_the_way(out, columns, w);
	text_notes(out, w, s);
	if (!why_hint(w))
		return;
	paragraph_print(out, "\nTo do:", 7, "%s.", why_hint(w));
	text_unit(out, columns, w);
}
