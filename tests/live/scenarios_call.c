// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <net/if.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live/scenarios_call.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

/* --- what was seen --------------------------------------------------------------------------- */

void call_enter(struct call *c, struct sock *s, const char *name)
{
	struct address local = local_address(s->fd);

	c->s = s;
	c->name = name;
	c->requested.len = 0;
	c->local.len = 0;
	c->peer.len = 0;
	c->before = address_port(&local);
	c->expected_len = 0;
	c->entered_ns = world_clock_ns();
}

void call_return(struct call *c, int result, int error)
{
	int errno_seen = result < 0 ? errno : OK;
	struct sock *s = c->s;

	c->returned_ns = world_clock_ns();
	if (errno_seen != error)
		scenario_fail("%s: %s gave %s instead of %s", s->tag, c->name,
			      error_name(errno_seen), error_name(error));
	c->local = local_address(s->fd);
	c->peer = peer_address(s->fd);

	line_begin(&c->line);
	line_add(&c->line, ",\"tag\":\"%s\",\"call\":\"%s\",\"fd\":%d", s->tag, c->name, s->fd);
	line_add(&c->line, ",\"errno\":");
	line_add(&c->line, error ? "\"%s\"" : "null", error_name(error));
	line_add(&c->line, ",\"before\":%d", c->before);
	line_add_address(&c->line, "requested", &c->requested, s);
	line_add_address(&c->line, "local", &c->local, s);
	line_add_address(&c->line, "peer", &c->peer, s);
	line_add(&c->line, ",\"entered_ns\":%llu,\"returned_ns\":%llu,\"expect\":[",
		 (unsigned long long)c->entered_ns, (unsigned long long)c->returned_ns);
}

/* --- what must be said ----------------------------------------------------------------------- */

static const char *json_bool(bool value)
{
	return value ? "true" : "false";
}

static void line_add_string(struct line *l, const char *key, const char *value)
{
	line_add(l, value ? ",\"%s\":\"%s\"" : ",\"%s\":null", key, value);
}

static const char *sock_family_name(const struct sock *s)
{
	switch (s->family) {
	case AF_UNIX:
		return "unix";
	case AF_NETLINK:
		return "netlink";
	case AF_VSOCK:
		return "vsock";
	default:
		return s->family == AF_INET ? "inet" : "inet6";
	}
}

static const char *sock_protocol_name(const struct sock *s)
{
	if (s->family != AF_INET && s->family != AF_INET6)
		return sock_family_name(s);
	if (s->type == SOCK_RAW)
		return "raw";
	switch (s->protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDPLITE:
		return "udplite";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "ping";
	case IPPROTO_SCTP:
		return "sctp";
	case PROTOCOL_MPTCP:
		return "mptcp";
	default:
		return "udp";
	}
}

/* Is there a range that what the kernel chooses comes from, and an owner whom others could join? */
static bool sock_has_range(const struct sock *s)
{
	bool ping = s->protocol == IPPROTO_ICMP || s->protocol == IPPROTO_ICMPV6;

	return (s->family == AF_INET || s->family == AF_INET6) && s->type != SOCK_RAW && !ping;
}

/* Not all that look for a port are asked how long it took, or whose it is. */
static bool sock_is_timed(const struct sock *s)
{
	return s->type != SOCK_RAW && s->protocol != IPPROTO_SCTP &&
	       s->protocol != PROTOCOL_MPTCP && (s->family == AF_INET || s->family == AF_INET6);
}

static void line_add_socket(struct line *l, const struct sock *s)
{
	line_add_string(l, "inet", sock_family_name(s));
	line_add_string(l, "proto", sock_protocol_name(s));
	line_add_string(l, "parent", s->parent[0] ? s->parent : NULL);
	line_add(l, ",\"netns\":%u", s->netns);
}

static void line_add_tenure(struct line *l, const struct sock *s, const struct tenure *t)
{
	if (s->family == AF_UNIX)
		line_add(l, ",\"port\":null");
	else
		line_add(l, ",\"port\":%u", (unsigned int)t->port);
	line_add_string(l, "port_origin", t->origin);
	line_add_string(l, "by", t->by);
	line_add(l, ",\"implicit\":%s,\"ephemeral\":%s,\"deferred\":%s", json_bool(t->implicit),
		 json_bool(t->ephemeral), json_bool(t->deferred));
	if (t->shared != NOT_SAID && sock_has_range(s) && sock_is_timed(s))
		line_add(l, ",\"shared\":%s", json_bool(t->shared == SHARED));
}

static void line_add_range(struct line *l, const struct sock *s)
{
	if (sock_has_range(s))
		line_add(l, ",\"range\":[%d,%d]", s->range[0], s->range[1]);
	else
		line_add(l, ",\"range\":null");
}

static bool sock_has(int fd, int level, int option)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return !getsockopt(fd, level, option, &value, &len) && value;
}

static void line_add_options(struct line *l, const struct sock *s)
{
	const struct {
		const char *name;
		int level, option;
		bool only_inet6;
	} all[] = {
		{ "reuseaddr", SOL_SOCKET, SO_REUSEADDR, false },
		{ "reuseport", SOL_SOCKET, SO_REUSEPORT, false },
		{ "bind_address_no_port", IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, false },
		{ "v6only", IPPROTO_IPV6, IPV6_V6ONLY, true },
		{ "freebind", IPPROTO_IP, IP_FREEBIND, false },
		{ "transparent", IPPROTO_IP, IP_TRANSPARENT, false },
	};
	const char *comma = "";

	line_add(l, ",\"options\":[");
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (all[i].only_inet6 && s->family != AF_INET6)
			continue;
		if (!sock_has(s->fd, all[i].level, all[i].option))
			continue;
		line_add(l, "%s\"%s\"", comma, all[i].name);
		comma = ",";
	}
	if (s->device)
		line_add(l, "%s\"bindtodevice\"", comma);
	line_add(l, "]");
}

static void line_add_actor(struct line *l, const struct expected *e)
{
	pid_t pid = e->pid ? e->pid : getpid();

	if (!e->anyone)
		line_add(l, ",\"pid\":%d", pid);
	if (e->by_call)
		line_add(l, ",\"tid\":%d", gettid());
	if (e->fd)
		line_add(l, ",\"fd\":%d", e->fd);
}

static void line_add_moment(struct line *l, const struct call *c, const struct expected *e)
{
	uint64_t after_ns = e->after_ns ? e->after_ns : c->entered_ns;
	uint64_t before_ns = e->by_call || e->any_thread ? c->returned_ns : e->before_ns;

	line_add(l, ",\"after_ns\":%llu", (unsigned long long)after_ns);
	if (before_ns)
		line_add(l, ",\"before_ns\":%llu", (unsigned long long)before_ns);
}

void call_expect(struct call *c, struct expected e)
{
	struct line *l = &c->line;
	const char *blind = e.blind ? e.blind : e.s->blind;

	line_add(l, "%s{\"tag\":\"%s\",\"event\":\"%s\"", c->expected_len++ ? "," : "", e.s->tag,
		 e.event);
	line_add_socket(l, e.s);
	line_add(l, ",\"optional\":%s", json_bool(e.optional));
	if (blind)
		line_add_string(l, "blind", blind);
	if (e.found)
		line_add(l, ",\"found\":true");
	line_add_string(l, "errno", e.error ? error_name(e.error) : NULL);
	line_add_string(l, "cause", e.cause ? error_name(e.cause) : NULL);
	line_add_moment(l, c, &e);
	line_add_actor(l, &e);
	if (e.by_call && !e.untimed && !strcmp(e.event, c->name) && strcmp(e.event, "accept") != 0)
		line_add(l, ",\"timed\":true");
	if (e.tenure)
		line_add_tenure(l, e.s, e.tenure);
	else if (e.no_tenure)
		line_add(l,
			 ",\"port_origin\":null,\"by\":null,\"implicit\":null,\"ephemeral\":null");
	if (e.searched) {
		if (sock_is_timed(e.s))
			line_add(l, ",\"searched\":true");
		line_add_range(l, e.s);
	}
	if (e.requested)
		line_add_address(l, "requested", e.requested, e.s);
	if (e.local)
		line_add_address(l, "local", e.local, e.s);
	if (e.peer)
		line_add_address(l, "peer", e.peer, e.s);
	else if (e.no_peer)
		line_add(l, ",\"peer\":null");
	if (e.s->device) /* the name, or the number of a device in another namespace */
		line_add(l, ",\"devs\":[\"%s\",\"if%u\"]", e.s->device,
			 if_nametoindex(e.s->device));
	if (e.by_call && e.s->fd >= 0)
		line_add_options(l, e.s);
	line_add(l, "}");
}

void call_print(struct call *c)
{
	line_add(&c->line, "]");
	line_print(&c->line);
}

void life_print(const struct sock *s, const char *time_wait)
{
	struct line l;

	line_begin(&l);
	line_add(&l, ",\"tag\":\"%s\",\"life\":{\"ended\":true,\"time_wait\":%s", s->tag,
		 time_wait);
	line_add_socket(&l, s);
	if (s->blind)
		line_add_string(&l, "blind", s->blind);
	line_add(&l, ",\"ports\":[");
	for (int i = 0; i < s->tenures_len; i++) {
		const struct tenure *t = &s->tenures[i];

		line_add(&l, "%s{\"number\":%d", i ? "," : "", i + 1);
		line_add_tenure(&l, s, t);
		if (t->ephemeral)
			line_add_range(&l, s);
		line_add(&l, "}");
	}
	line_add(&l, "]}");
	line_print(&l);
}
