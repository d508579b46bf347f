/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sentence.c owns how facts are worded, the same in a finding and behind an event.
 */
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/family.h"
#include "user/core/sentence.h"
#include "user/core/unit.h"
#include "user/util/fmt.h"

void sentence_add_bytes(struct sentence *s, const char *bytes, size_t len)
{
	size_t room = sizeof(s->text) - s->len;

	if (len > room)
		len = room;
	memcpy(s->text + s->len, bytes, len);
	s->len += len;
}

void sentence_add(struct sentence *s, const char *text)
{
	sentence_add_bytes(s, text, strlen(text));
}

void sentence_add_number(struct sentence *s, uint64_t number)
{
	char room[FMT_U64_MAX];

	sentence_add_bytes(s, room, (size_t)(fmt_u64(room, number) - room));
}

static void add_device(struct sentence *s, uint32_t ifindex, uint32_t netns)
{
	const char *name = names_find(s->names, WIRE_NAME_DEVICE, ifindex, netns);

	sentence_add(s, name ? "%" : "%if");
	if (name)
		sentence_add(s, name);
	else
		sentence_add_number(s, ifindex);
}

static void add_named(struct sentence *s, const struct endpoint *end)
{
	const struct path *path = endpoint_path(end);

	if (path) {
		sentence_add(s, path->bytes[0] ? "" : "@");
		sentence_add_bytes(s, path->bytes + !path->bytes[0],
				   path->len - (size_t)!path->bytes[0]);
	} else if (end->family == AF_VSOCK) {
		if (endpoint_cid(end) == VSOCK_ANY)
			sentence_add(s, "any");
		else
			sentence_add_number(s, endpoint_cid(end));
		sentence_add(s, ":");
		sentence_add_number(s, endpoint_number(end));
	} else if (end->family == AF_NETLINK) {
		sentence_add(s, "port id ");
		sentence_add_number(s, endpoint_number(end));
	} else {
		sentence_add(s, "-");
	}
}

void sentence_add_address(struct sentence *s, const struct endpoint *end, uint32_t ifindex,
			  uint32_t netns)
{
	uint32_t scope = end->scope ? end->scope : ifindex;
	char room[FMT_INET6_MAX];
	char *p = room;

	if (endpoint_is_named(end)) {
		add_named(s, end);
		return;
	}
	if (end->family == AF_INET)
		p = fmt_inet4(p, end->addr);
	else if (end->family == AF_INET6)
		p = fmt_inet6(p, end->addr);
	else
		*p++ = '-';
	sentence_add_bytes(s, room, (size_t)(p - room));
	if (scope)
		add_device(s, scope, netns);
}

void sentence_add_endpoint(struct sentence *s, const struct endpoint *end, uint16_t port,
			   uint32_t ifindex, uint32_t netns)
{
	bool brackets = end->family == AF_INET6;

	if (endpoint_is_named(end)) {
		add_named(s, end);
		return;
	}
	sentence_add(s, brackets ? "[" : "");
	sentence_add_address(s, end, ifindex, netns);
	sentence_add(s, brackets ? "]:" : ":");
	sentence_add_number(s, port);
}

/* What one could stop: the service, the container. */
static void add_unit(struct sentence *s, const struct wire_who *who)
{
	const char *path = names_find(s->names, WIRE_NAME_CGROUP, who->cgroup, 0);
	size_t len = 0;
	const char *unit = path ? unit_find(path, &len) : NULL;

	if (!unit)
		return;
	sentence_add_bytes(s, unit, len);
	sentence_add(s, ": ");
}

static void add_process(struct sentence *s, const struct wire_who *who)
{
	if (who->pid) {
		sentence_add_number(s, who->pid);
		sentence_add(s, " ");
	}
	sentence_add_bytes(s, who->comm, strnlen(who->comm, sizeof(who->comm)));
}

/* The descriptor, and how many others have it. */
static void add_workers(struct sentence *s, const struct holder *h)
{
	if (!h->processes)
		return;
	sentence_add(s, " fd ");
	sentence_add_number(s, (uint64_t)h->fd);
	if (h->processes == 1)
		return;
	sentence_add(s, " (+");
	sentence_add_number(s, h->processes - 1);
	sentence_add(s, h->processes == 2 ? " worker)" : " workers)");
}

static void add_who(struct sentence *s, const struct holder *h, bool at_length)
{
	if (h->kern) {
		sentence_add(s, "the kernel");
		return;
	}
	if (h->keeper == KEPT_BY_QUEUE) {
		sentence_add(s, "a connection that no process has accepted");
		return;
	}
	if (!h->who) {
		sentence_add(s, "a process not known");
		return;
	}
	if (at_length)
		add_unit(s, h->who);
	add_process(s, h->who);
	if (at_length)
		add_workers(s, h);
}

static void add_time_wait(struct sentence *s, const struct holder *h)
{
	sentence_add(s, "TIME_WAIT");
	if (h->left_known) {
		sentence_add(s, ", ");
		sentence_add_number(s, (h->left_ms + 999) / 1000);
		sentence_add(s, " s left");
	}
	sentence_add(s, ", no process");
	if (!h->who)
		return;
	sentence_add(s, ", was ");
	add_process(s, h->who);
}

static const char *orphan_state(uint8_t state)
{
	switch (state) {
	case TCP_FIN_WAIT1:
		return "FIN_WAIT1";
	case TCP_FIN_WAIT2:
		return "FIN_WAIT2";
	case TCP_CLOSING:
		return "CLOSING";
	case TCP_LAST_ACK:
		return "LAST_ACK";
	case TCP_CLOSE_WAIT:
		return "CLOSE_WAIT";
	default:
		return state_name(state);
	}
}

/* Closed by its process: the kernel ends the connection. */
static void add_orphan(struct sentence *s, const struct holder *h)
{
	sentence_add(s, "an orphan in ");
	sentence_add(s, orphan_state(h->state));
	if (!h->who)
		return;
	sentence_add(s, ", was ");
	add_process(s, h->who);
}

static const char *state_word(uint8_t state)
{
	switch (state) {
	case TCP_ESTABLISHED:
		return "connected";
	case TCP_SYN_SENT:
	case TCP_SYN_RECV:
		return "connecting";
	default:
		return state_name(state);
	}
}

static void add_holder(struct sentence *s, const struct holder *h, bool at_length)
{
	if (h->state == TCP_TIME_WAIT) {
		add_time_wait(s, h);
		return;
	}
	if (h->keeper == KEPT_BY_ORPHAN) {
		add_orphan(s, h);
		return;
	}
	add_who(s, h, at_length);
	sentence_add(s, " (");
	sentence_add(s, state_word(h->state));
	sentence_add(s, ")");
}

void sentence_add_holder(struct sentence *s, const struct holder *h)
{
	add_holder(s, h, false);
}

static void add_holders(struct sentence *s, const struct holders *h, bool at_length)
{
	uint64_t more = h->len - 1 + h->omitted;

	add_holder(s, &h->list[0], at_length);
	if (!more)
		return;
	sentence_add(s, " (+");
	sentence_add_number(s, more);
	sentence_add(s, " more)");
}

void sentence_add_holders(struct sentence *s, const struct holders *h)
{
	add_holders(s, h, false);
}

void sentence_add_holders_at_length(struct sentence *s, const struct holders *h)
{
	add_holders(s, h, true);
}

const char *sentence_source(const struct holders *h)
{
	switch (h->list[0].source) {
	case HOLDER_BY_TABLE:
		return "; by portlife's table";
	case HOLDER_BY_LOOKUP:
		return "; looked up afterwards";
	default:
		return "";
	}
}
