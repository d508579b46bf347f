/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/first_line.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/utsname.h>

#define LIST_SHOWN 8 /* items of a list; the others are counted */

struct line {
	char *text;
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void line_add(struct line *line, const char *format,
							   ...)
{
	size_t room = FIRST_LINE_MAX - line->len;
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(line->text + line->len, room, format, args);
	va_end(args);
	if (len > 0)
		line->len += (size_t)len < room ? (size_t)len : room - 1;
}

static void line_add_who(struct line *line, const struct options *o)
{
	const struct filter *f = &o->filter;

	if (o->live.command)
		line_add(line, "%s and its descendants", o->live.command[0]);
	else if (f->pids_len)
		line_add(line, "pid");
	else if (!f->comm && !f->has_uid)
		line_add(line, "every process");
	else
		line_add(line, "processes");
	for (size_t i = 0; i < f->pids_len && i < LIST_SHOWN; i++)
		line_add(line, "%s%u", i ? "," : " ", f->pids[i]);
	if (f->pids_len > LIST_SHOWN)
		line_add(line, " and %zu more", f->pids_len - LIST_SHOWN);
	if (f->comm)
		line_add(line, " named %s", f->comm);
	if (f->has_uid)
		line_add(line, " of uid %u", f->uid);
}

static void line_add_ports(struct line *line, const char *before, const struct port_range *ranges,
			   size_t len)
{
	if (!len)
		return;
	line_add(line, "%s", before);
	for (size_t i = 0; i < len && i < LIST_SHOWN; i++) {
		line_add(line, "%s%u", i ? "," : "", ranges[i].lo);
		if (ranges[i].hi != ranges[i].lo)
			line_add(line, "-%u", ranges[i].hi);
	}
	if (len > LIST_SHOWN)
		line_add(line, " and %zu more", len - LIST_SHOWN);
}

static void line_add_what(struct line *line, const struct options *o)
{
	const struct filter *f = &o->filter;

	line_add_ports(line, ", port ", f->ports, f->ports_len);
	line_add_ports(line, ", peer port ", f->peer_ports, f->peer_ports_len);
	if (f->has_addr)
		line_add(line, ", one address range");
	if (f->cgroup)
		line_add(line, ", cgroup %s", f->cgroup);
	if (f->has_netns)
		line_add(line, ", network namespace %u", f->netns);
	if (f->dev)
		line_add(line, ", device %s", f->dev);
	if (f->inet4 != f->inet6)
		line_add(line, ", %s only", f->inet4 ? "IPv4" : "IPv6");
	if (f->failed)
		line_add(line, ", failures only");
	if (f->implicit)
		line_add(line, ", implicit only");
	if (f->ephemeral)
		line_add(line, ", ephemeral only");
}

/* 0: those of every run, or all that there are. */
static void line_add_protocols(struct line *line, uint32_t protocols, bool all)
{
	static const struct {
		uint16_t protocol;
		const char *name;
	} known[] = {
		{ IPPROTO_TCP, "TCP" },
		{ IPPROTO_UDP, "UDP" },
		{ IPPROTO_UDPLITE, "UDP-Lite" },
		{ IPPROTO_ICMP, "ping" },
		{ WIRE_PROTOCOL_RAW, "raw" },
		{ WIRE_PROTOCOL_MPTCP, "MPTCP" },
		{ IPPROTO_SCTP, "SCTP" },
		{ WIRE_PROTOCOL_UNIX, "UNIX" },
		{ WIRE_PROTOCOL_NETLINK, "netlink" },
		{ WIRE_PROTOCOL_VSOCK, "VSOCK" },
	};
	const char *before = "";

	if (!protocols)
		line_add(line, "%s", all ? "all" : "TCP, UDP and ping");
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (!(protocols & protocol_bit(known[i].protocol)))
			continue;
		line_add(line, "%s%s", before, known[i].name);
		before = ", ";
	}
}

static void line_add_stop(struct line *line, const struct options *o)
{
	uint64_t ms = o->live.duration_ns / 1000000;

	line_add(line, "; ");
	if (o->live.command)
		line_add(line, "stops when it ends");
	else
		line_add(line, "Ctrl-C stops");
	if (!o->live.duration_ns)
		return;
	if (ms % 1000)
		line_add(line, ", or after %llu ms", (unsigned long long)ms);
	else
		line_add(line, ", or after %llu s", (unsigned long long)(ms / 1000));
}

void first_line_write(char *text, const struct options *o, uint32_t backend)
{
	struct line line = { .text = text };
	struct utsname kernel;

	text[0] = 0;
	line_add(&line, "watching ");
	line_add_protocols(&line, o->filter.protocols, o->all_protocols);
	line_add(&line, " sockets of ");
	line_add_who(&line, o);
	line_add_what(&line, o);
	line_add(&line, "; %s backend", backend_name(backend));
	if (!uname(&kernel))
		line_add(&line, ", %s %s", kernel.sysname, kernel.release);
	line_add_stop(&line, o);
}
