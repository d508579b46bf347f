// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "tests/live/scenarios.h"
#include "tests/live/scenarios_world.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

#define PEER_TIMEOUT_MS 2000
#define HANG_SECONDS	1
#define HANG_SEEN_NS	500000000 /* a connect that hangs must be told of within this time */

/* --- addresses ----------------------------------------------------------------------------- */

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len; /* 0: none */
};

static struct address address_of(int family, enum place place, int port)
{
	static const char *const inet[] = { "0.0.0.0", "127.0.0.1", "192.0.2.1", NULL };
	static const char *const inet6[] = { "::", "::1", "2001:db8::1", "::ffff:127.0.0.1" };
	struct address a = { .len = 0 };

	if (family == AF_INET) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons((uint16_t)port);
		inet_pton(AF_INET, inet[place], &a.in.sin_addr);
		a.len = sizeof(a.in);
	} else {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons((uint16_t)port);
		inet_pton(AF_INET6, inet6[place], &a.in6.sin6_addr);
		a.len = sizeof(a.in6);
	}
	return a;
}

static int address_port(const struct address *a)
{
	if (!a->len)
		return 0;
	return ntohs(a->any.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
}

static struct address local_address(int fd)
{
	struct address a = { .len = sizeof(a.in6) };

	if (fd < 0 || getsockname(fd, &a.any, &a.len))
		a.len = 0;
	return a;
}

static struct address peer_address(int fd)
{
	struct address a = { .len = sizeof(a.in6) };

	if (fd < 0 || getpeername(fd, &a.any, &a.len))
		a.len = 0;
	return a;
}

static bool address_equal(const struct address *a, const struct address *b)
{
	return a->len == b->len && !memcmp(&a->any, &b->any, a->len);
}

static void line_add_address(struct line *l, const char *key, const struct address *a)
{
	char text[INET6_ADDRSTRLEN];

	if (!a->len) {
		line_add(l, ",\"%s\":null", key);
		return;
	}
	if (a->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->in.sin_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof(text));
	line_add(l, ",\"%s\":{\"addr\":\"%s\",\"port\":%d}", key, text, address_port(a));
}

/* --- tenures: the kernel's rules ----------------------------------------------------------- */

static struct tenure *last_tenure(struct sock *s)
{
	return s->tenures_len ? &s->tenures[s->tenures_len - 1] : NULL;
}

static struct tenure *held_tenure(struct sock *s)
{
	return s->holds ? last_tenure(s) : NULL;
}

static void tenure_begin(struct sock *s, const char *origin, int port)
{
	bool implicit = !strcmp(origin, "connect") || !strcmp(origin, "listen");

	if (s->holds || s->tenures_len == TENURES || !port)
		scenario_fail("%s: %s cannot give it port %d", s->tag, origin, port);
	s->tenures[s->tenures_len++] = (struct tenure){
		.origin = origin,
		.port = port,
		.implicit = implicit,
		.ephemeral = implicit || !strcmp(origin, "bind0"),
		.deferred = implicit && s->port_deferred,
	};
	s->holds = true;
	s->port_locked = !strcmp(origin, "bind");
}

/* The connection is gone, the socket is not: only a port that bind() named stays. */
static struct tenure *tenure_end_with_connection(struct sock *s)
{
	struct tenure *t = held_tenure(s);

	if (!t || s->port_locked)
		return NULL;
	s->holds = false;
	return t;
}

int sock_port(const struct sock *s)
{
	if (!s->tenures_len)
		scenario_fail("%s never had a port", s->tag);
	return s->tenures[s->tenures_len - 1].port;
}

/* --- sockets and options ------------------------------------------------------------------- */

static struct sock *sock_with(const char *tag, int fd, int family)
{
	struct sock *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	snprintf(s->tag, sizeof(s->tag), "%s", tag);
	s->fd = fd;
	s->family = family;
	memcpy(s->range, world_range(), sizeof(s->range));
	return s;
}

struct sock *sock_new_of(const char *tag, int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		scenario_fail("socket: %s", error_name(errno));
	return sock_with(tag, fd, family);
}

struct sock *sock_new(const char *tag)
{
	return sock_new_of(tag, scenario_family());
}

static void sock_set(struct sock *s, int level, int option, int value)
{
	if (setsockopt(s->fd, level, option, &value, sizeof(value)))
		scenario_fail("%s: setsockopt %d: %s", s->tag, option, error_name(errno));
}

void sock_reuse_address(struct sock *s)
{
	sock_set(s, SOL_SOCKET, SO_REUSEADDR, 1);
}

void sock_reuse_port(struct sock *s)
{
	sock_set(s, SOL_SOCKET, SO_REUSEPORT, 1);
}

void sock_defer_port(struct sock *s)
{
	sock_set(s, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	s->defers = true;
}

static void sock_set_flag(struct sock *s, int flag, bool on)
{
	int flags = fcntl(s->fd, F_GETFL);

	if (flags < 0 || fcntl(s->fd, F_SETFL, on ? flags | flag : flags & ~flag))
		scenario_fail("%s: fcntl: %s", s->tag, error_name(errno));
}

void sock_nonblocking(struct sock *s)
{
	sock_set_flag(s, O_NONBLOCK, true);
}

void sock_send_timeout(struct sock *s, int seconds)
{
	struct timeval timeout = { .tv_sec = seconds };

	if (setsockopt(s->fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)))
		scenario_fail("%s: SO_SNDTIMEO: %s", s->tag, error_name(errno));
}

bool sock_narrow_range(struct sock *s, int lo, int hi)
{
	uint32_t range = (uint32_t)lo | (uint32_t)hi << 16;

	if (setsockopt(s->fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof(range)))
		return false;
	s->range[0] = lo;
	s->range[1] = hi;
	return true;
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
	line_add(l, "]");
}

/* --- one call, what was seen of it, what must be said of it -------------------------------- */

struct call {
	struct line line;
	struct sock *s;
	const char *name;
	struct address requested; /* as passed, or none */
	struct address local;	  /* getsockname() after the call */
	struct address peer;
	uint64_t entered_ns;
	uint64_t returned_ns;
	int before; /* port by getsockname() before the call */
	int expected_len;
};

/* Keys that are not set are not compared. */
struct expected {
	const char *event;
	const struct sock *s;
	const struct tenure *tenure; /* that the event belongs to */
	bool no_tenure;		     /* the socket has no port and must be said to have none */
	bool by_call;		     /* made by this call, in this thread, while it ran */
	bool anyone;		     /* no process need be named */
	bool optional;
	bool searched; /* the kernel looked for a port */
	bool no_peer;
	int error;
	int fd; /* 0: not compared */
	const struct address *requested;
	const struct address *local;
	const struct address *peer;
	uint64_t after_ns; /* 0: while or after the call */
	uint64_t before_ns;
};

static void call_enter(struct call *c, struct sock *s, const char *name)
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

/* After the system call; result as it returned, error as it must be. */
static void call_return(struct call *c, int result, int error)
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
	line_add_address(&c->line, "requested", &c->requested);
	line_add_address(&c->line, "local", &c->local);
	line_add_address(&c->line, "peer", &c->peer);
	line_add(&c->line, ",\"entered_ns\":%llu,\"returned_ns\":%llu,\"expect\":[",
		 (unsigned long long)c->entered_ns, (unsigned long long)c->returned_ns);
}

static void line_add_tenure(struct line *l, const struct tenure *t)
{
	/* nobody asked for an accepted child's port: it came with the listener's */
	bool asked = strcmp(t->origin, "accept") != 0;

	line_add(l, "\"port_origin\":\"%s\",\"by\":%s,\"implicit\":%s", t->origin,
		 asked ? "\"user\"" : "null", t->implicit ? "true" : "false");
	line_add(l, ",\"ephemeral\":%s,\"deferred\":%s", t->ephemeral ? "true" : "false",
		 t->deferred ? "true" : "false");
}

static void line_add_range(struct line *l, const struct sock *s)
{
	line_add(l, ",\"range\":[%d,%d]", s->range[0], s->range[1]);
}

static void call_expect(struct call *c, struct expected e)
{
	struct line *l = &c->line;
	uint64_t after_ns = e.after_ns ? e.after_ns : c->entered_ns;
	uint64_t before_ns = e.by_call ? c->returned_ns : e.before_ns;

	line_add(l, "%s{\"tag\":\"%s\",\"event\":\"%s\"", c->expected_len++ ? "," : "", e.s->tag,
		 e.event);
	line_add(l, ",\"inet\":\"%s\",\"optional\":%s", e.s->family == AF_INET ? "inet" : "inet6",
		 e.optional ? "true" : "false");
	line_add(l, e.error ? ",\"errno\":\"%s\"" : ",\"errno\":null", error_name(e.error));
	line_add(l, ",\"after_ns\":%llu", (unsigned long long)after_ns);
	if (before_ns)
		line_add(l, ",\"before_ns\":%llu", (unsigned long long)before_ns);
	if (e.s->parent[0])
		line_add(l, ",\"parent\":\"%s\"", e.s->parent);
	else
		line_add(l, ",\"parent\":null");
	if (!e.anyone)
		line_add(l, ",\"pid\":%d", getpid());
	if (e.by_call)
		line_add(l, ",\"tid\":%d", gettid());
	if (e.fd)
		line_add(l, ",\"fd\":%d", e.fd);
	if (e.tenure) {
		line_add(l, ",\"port\":%d,", e.tenure->port);
		line_add_tenure(l, e.tenure);
	} else if (e.no_tenure) {
		line_add(l, ",\"port_origin\":null,\"by\":null,\"implicit\":null");
		line_add(l, ",\"ephemeral\":null");
	}
	if (e.searched) {
		line_add(l, ",\"searched\":true");
		line_add_range(l, e.s);
	}
	if (e.requested)
		line_add_address(l, "requested", e.requested);
	if (e.local)
		line_add_address(l, "local", e.local);
	if (e.peer)
		line_add_address(l, "peer", e.peer);
	else if (e.no_peer)
		line_add(l, ",\"peer\":null");
	if (e.by_call && e.s->fd >= 0)
		line_add_options(l, e.s);
	line_add(l, "}");
}

static void call_print(struct call *c)
{
	line_add(&c->line, "]");
	line_print(&c->line);
}

/* --- bind, listen -------------------------------------------------------------------------- */

void sock_bind(struct sock *s, enum place place, int port, int error)
{
	struct call c;
	bool deferred = s->defers && !port;
	struct expected e = { .event = "bind", .s = s, .by_call = true, .no_peer = true };

	call_enter(&c, s, "bind");
	c.requested = address_of(s->family, place, port);
	call_return(&c, bind(s->fd, &c.requested.any, c.requested.len), error);

	if (!error && deferred)
		s->port_deferred = true;
	else if (!error)
		tenure_begin(s, port ? "bind" : "bind0", address_port(&c.local));

	e.error = error;
	e.fd = s->fd;
	e.requested = &c.requested;
	e.searched = !port && !deferred && error != EADDRNOTAVAIL;
	e.no_tenure = !s->holds;
	if (!error) {
		e.local = &c.local;
		e.tenure = held_tenure(s);
	}
	call_expect(&c, e);
	call_print(&c);
}

void sock_listen(struct sock *s, int backlog, int error)
{
	struct call c;
	bool searched = !s->holds;
	struct expected e = { .event = "listen", .s = s, .by_call = true, .no_peer = true };

	call_enter(&c, s, "listen");
	call_return(&c, listen(s->fd, backlog), error);

	if (!error && !s->holds)
		tenure_begin(s, "listen", address_port(&c.local));

	e.error = error;
	e.fd = s->fd;
	e.searched = searched;
	if (!error)
		e.local = &c.local;
	e.tenure = held_tenure(s);
	e.no_tenure = !s->holds;
	call_expect(&c, e);
	call_print(&c);
}

/* --- connect ------------------------------------------------------------------------------- */

/* Over loopback, a connection comes from the address that it goes to. */
static struct address source_of(const struct sock *s, enum place to, int port)
{
	return address_of(s->family, to, port);
}

static void expect_established(struct call *c, struct sock *s, uint64_t after_ns)
{
	call_expect(c, (struct expected){
			       .event = "established",
			       .s = s,
			       .tenure = held_tenure(s),
			       .after_ns = after_ns,
			       .local = &c->local,
			       .peer = &c->peer,
		       });
}

static void expect_refused(struct call *c, struct sock *s, uint64_t after_ns, bool by_call)
{
	struct tenure *gone;

	call_expect(c, (struct expected){
			       .event = "connect_failed",
			       .s = s,
			       .error = ECONNREFUSED,
			       .tenure = last_tenure(s),
			       .by_call = by_call,
			       .after_ns = after_ns,
		       });
	gone = tenure_end_with_connection(s);
	if (gone)
		call_expect(c, (struct expected){
				       .event = "release",
				       .s = s,
				       .tenure = gone,
				       .after_ns = after_ns,
			       });
}

/* The event `connect`: the port is there, the first packet is not sent yet. */
static void expect_connect(struct call *c, struct sock *s, enum place to, bool searched,
			   uint64_t before_ns)
{
	struct address local = source_of(s, to, sock_port(s));
	struct expected e = { .event = "connect", .s = s, .by_call = !before_ns };

	e.tenure = last_tenure(s);
	e.fd = s->fd;
	e.searched = searched;
	e.requested = &c->requested;
	e.local = &local;
	e.peer = &c->requested;
	e.before_ns = before_ns;
	call_expect(c, e);
}

/* The kernel found no port, or the one that the socket has does not do for this peer. */
static void expect_connect_without_port(struct call *c, struct sock *s, int error)
{
	struct expected e = { .event = "connect_failed", .s = s, .by_call = true };

	e.error = error;
	e.fd = s->fd;
	e.tenure = held_tenure(s);
	e.no_tenure = !s->holds;
	e.searched = !s->holds;
	e.requested = &c->requested;
	call_expect(c, e);
}

static void connect_somehow(struct sock *s, enum place place, int port, int error, bool hangs)
{
	struct call c;
	bool searched = !s->holds;

	call_enter(&c, s, "connect");
	c.requested = address_of(s->family, place, port);
	call_return(&c, connect(s->fd, &c.requested.any, c.requested.len), error);

	if (error && error != EINPROGRESS && error != ECONNREFUSED) {
		expect_connect_without_port(&c, s, error);
		call_print(&c);
		return;
	}
	if (searched)
		tenure_begin(s, "connect", address_port(&c.local));
	if (!error) {
		struct address source = source_of(s, place, sock_port(s));

		if (!address_equal(&source, &c.local))
			scenario_fail("%s: connected from an unexpected address", s->tag);
	}
	expect_connect(&c, s, place, searched, hangs ? c.entered_ns + HANG_SEEN_NS : 0);
	if (!error)
		expect_established(&c, s, c.entered_ns);
	else if (error == ECONNREFUSED)
		expect_refused(&c, s, c.entered_ns, true);
	s->connect_ns = c.entered_ns;
	call_print(&c);
}

void sock_connect(struct sock *s, enum place place, int port, int error)
{
	connect_somehow(s, place, port, error, false);
}

void sock_connect_hanging(struct sock *s, enum place place, int port)
{
	sock_send_timeout(s, HANG_SECONDS);
	connect_somehow(s, place, port, EINPROGRESS, true);
}

void sock_connect_outcome(struct sock *s, int error)
{
	struct pollfd p = { .fd = s->fd, .events = POLLOUT };
	struct call c;
	int outcome = -1;
	socklen_t len = sizeof(outcome);

	call_enter(&c, s, "poll");
	call_return(&c, poll(&p, 1, PEER_TIMEOUT_MS), OK);
	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &outcome, &len) || outcome != error)
		scenario_fail("%s: SO_ERROR is %s", s->tag, error_name(outcome));
	if (!error)
		expect_established(&c, s, s->connect_ns);
	else
		expect_refused(&c, s, s->connect_ns, false);
	call_print(&c);
}

/* --- accept, disconnect -------------------------------------------------------------------- */

/* The kernel has made a child: it has the listener's port, and keeps none of its lock. */
static struct sock *child_of(const struct sock *listener, const char *tag, int fd)
{
	struct sock *s = sock_with(tag, fd, listener->family);

	snprintf(s->parent, sizeof(s->parent), "%s", listener->tag);
	memcpy(s->range, listener->range, sizeof(s->range));
	tenure_begin(s, "accept", sock_port(listener));
	return s;
}

struct sock *sock_accept(struct sock *listener, const char *tag)
{
	struct expected e = { .event = "accept", .by_call = true };
	struct call c;
	struct sock *s;
	int fd;

	call_enter(&c, listener, "accept");
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd < 0)
		scenario_fail("%s: accept: %s", listener->tag, error_name(errno));
	s = child_of(listener, tag, fd);
	c.s = s;
	call_return(&c, fd, OK);

	e.s = s;
	e.fd = fd;
	e.tenure = held_tenure(s);
	e.local = &c.local;
	e.peer = &c.peer;
	call_expect(&c, e);
	/* the handshake was over before, without any process of ours */
	call_expect(&c, (struct expected){ .event = "established",
					   .s = s,
					   .anyone = true,
					   .after_ns = 1,
					   .before_ns = c.returned_ns,
					   .tenure = held_tenure(s) });
	call_print(&c);
	return s;
}

static void wait_for_end_of_connection(const struct sock *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLIN };
	char byte;

	if (poll(&p, 1, PEER_TIMEOUT_MS) != 1)
		scenario_fail("%s: the peer's end has not come", s->tag);
	if (recv(s->fd, &byte, 1, MSG_DONTWAIT) > 0)
		scenario_fail("%s: read data that nobody sent", s->tag);
}

/* The peer of s has sent a reset. */
static void expect_reset(struct call *c, struct sock *s)
{
	struct tenure *gone;

	wait_for_end_of_connection(s);
	gone = tenure_end_with_connection(s);
	if (gone)
		call_expect(c, (struct expected){ .event = "release", .s = s, .tenure = gone });
}

void sock_disconnect(struct sock *s, struct sock *peer)
{
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	struct expected e = { .event = "disconnect", .s = s, .by_call = true };
	struct tenure *gone;
	struct call c;

	call_enter(&c, s, "disconnect");
	call_return(&c, connect(s->fd, &unspecified, sizeof(unspecified)), OK);

	e.fd = s->fd;
	gone = tenure_end_with_connection(s);
	if (!gone)
		e.tenure = held_tenure(s);
	call_expect(&c, e);
	if (gone)
		call_expect(&c, (struct expected){ .event = "release", .s = s, .tenure = gone });
	expect_reset(&c, peer);
	call_print(&c);
}

/* --- endings ------------------------------------------------------------------------------- */

static void print_life(const struct sock *s, const char *time_wait)
{
	struct line l;

	line_begin(&l);
	line_add(&l, ",\"tag\":\"%s\",\"life\":{\"ended\":true,\"time_wait\":%s", s->tag,
		 time_wait);
	line_add(&l, ",\"inet\":\"%s\"", s->family == AF_INET ? "inet" : "inet6");
	if (s->parent[0])
		line_add(&l, ",\"parent\":\"%s\"", s->parent);
	else
		line_add(&l, ",\"parent\":null");
	line_add(&l, ",\"ports\":[");
	for (int i = 0; i < s->tenures_len; i++) {
		const struct tenure *t = &s->tenures[i];

		line_add(&l, "%s{\"port\":%d,", i ? "," : "", t->port);
		line_add_tenure(&l, t);
		if (t->ephemeral)
			line_add_range(&l, s);
		line_add(&l, "}");
	}
	line_add(&l, "]}");
	line_print(&l);
}

static void call_close(struct call *c, struct sock *s)
{
	int fd = s->fd;

	call_enter(c, s, "close");
	s->fd = -1;
	call_return(c, close(fd), OK);
	call_expect(c, (struct expected){ .event = "close",
					  .s = s,
					  .tenure = held_tenure(s),
					  .before_ns = c->returned_ns });
}

static void expect_release_at_close(struct call *c, struct sock *s)
{
	if (s->holds)
		call_expect(c, (struct expected){
				       .event = "release", .s = s, .tenure = held_tenure(s) });
	s->holds = false;
}

void sock_close(struct sock *s)
{
	struct call c;

	call_close(&c, s);
	expect_release_at_close(&c, s);
	call_print(&c);
	print_life(s, "false");
}

void sock_close_first(struct sock *s)
{
	struct tenure *t = held_tenure(s);
	struct call c;

	call_close(&c, s);
	call_expect(&c, (struct expected){ .event = "time_wait", .s = s, .tenure = t });
	/* TIME_WAIT ends in a minute, or with its namespace */
	call_expect(&c,
		    (struct expected){ .event = "release", .s = s, .tenure = t, .optional = true });
	call_print(&c);
	print_life(s, "true");
}

void sock_close_pair(struct sock *first, struct sock *second)
{
	sock_close_first(first);
	wait_for_end_of_connection(second);
	sock_close(second);
}

void sock_reset(struct sock *s, struct sock *peer)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };
	struct call c;

	if (setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)))
		scenario_fail("%s: SO_LINGER: %s", s->tag, error_name(errno));
	call_close(&c, s);
	expect_release_at_close(&c, s);
	expect_reset(&c, peer);
	call_print(&c);
	print_life(s, "false");
}

void sock_close_listener_with(struct sock *listener, const char *child_tag, struct sock *client)
{
	struct sock *child = child_of(listener, child_tag, -1);
	struct call c;

	call_close(&c, listener);
	expect_release_at_close(&c, listener);
	call_expect(&c, (struct expected){ .event = "established",
					   .s = child,
					   .optional = true,
					   .anyone = true,
					   .after_ns = 1 });
	call_expect(&c, (struct expected){ .event = "release",
					   .s = child,
					   .anyone = true,
					   .tenure = held_tenure(child) });
	expect_reset(&c, client);
	call_print(&c);
	print_life(listener, "false");
	print_life(child, "false");
}

void sock_drop(struct sock *s)
{
	struct call c;
	int fd = s->fd;

	call_enter(&c, s, "close");
	s->fd = -1;
	call_return(&c, close(fd), OK);
	call_print(&c);
}

void sock_leave_to_exit(struct sock *s, bool connected)
{
	struct tenure *t = held_tenure(s);
	struct call c;

	call_enter(&c, s, "exit");
	call_return(&c, 0, OK);
	call_expect(&c, (struct expected){ .event = "close", .s = s });
	call_expect(&c, (struct expected){
				.event = "release", .s = s, .tenure = t, .optional = connected });
	if (connected)
		call_expect(&c,
			    (struct expected){
				    .event = "time_wait", .s = s, .tenure = t, .optional = true });
	call_print(&c);
	print_life(s, connected ? "\"either\"" : "false");
}
