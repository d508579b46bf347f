// SPDX-License-Identifier: GPL-2.0-or-later
/* Sockets, their options, and the calls of TCP. */
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
#include "tests/live/scenarios_call.h"
#include "tests/live/scenarios_door.h"
#include "tests/live/scenarios_sock.h"

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51
#endif

#define PEER_TIMEOUT_MS 2000
#define HANG_SECONDS	1
#define HANG_SEEN_NS	500000000 /* a connect that hangs must be told of within this time */

/* --- sockets and options ------------------------------------------------------------------- */

struct sock *sock_adopt(const char *tag, int fd, int family, int type)
{
	struct sock *s = calloc(1, sizeof(*s));

	if (!s)
		abort();
	snprintf(s->tag, sizeof(s->tag), "%s", tag);
	s->fd = fd;
	s->family = family;
	s->type = type;
	s->protocol = type == SOCK_STREAM ? IPPROTO_TCP : IPPROTO_UDP;
	s->netns = world_netns();
	s->created_ns = world_clock_ns();
	memcpy(s->range, world_range(), sizeof(s->range));
	return s;
}

void sock_know_port(struct sock *s, const char *origin)
{
	struct address local = local_address(s->fd);

	tenure_know(s, origin, "user", address_port(&local));
}

struct sock *sock_new_kind(const char *tag, int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);
	struct sock *s;

	if (fd < 0 && errno == EPROTONOSUPPORT)
		scenario_skip("no protocol %d: %s", protocol, error_name(errno));
	if (fd < 0)
		scenario_fail("socket: %s", error_name(errno));
	s = sock_adopt(tag, fd, family, type);
	if (protocol)
		s->protocol = protocol;
	return s;
}

struct sock *sock_new_of(const char *tag, int family)
{
	return sock_new_kind(tag, family, SOCK_STREAM, 0);
}

struct sock *sock_new(const char *tag)
{
	return sock_new_of(tag, scenario_family());
}

struct sock *sock_new_udp(const char *tag)
{
	return sock_new_kind(tag, scenario_family(), SOCK_DGRAM, 0);
}

void sock_set(struct sock *s, int level, int option, int value)
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

void sock_bind_to_device(struct sock *s, const char *device)
{
	if (setsockopt(s->fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1))
		scenario_fail("%s: SO_BINDTODEVICE: %s", s->tag, error_name(errno));
	s->device = device;
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

/* --- bind, listen -------------------------------------------------------------------------- */

void sock_enter(struct call *c, struct sock *s, const char *name)
{
	if (door()->blind)
		s->blind = door()->blind;
	call_enter(c, s, name);
}

/* An io_uring request has a descriptor that no system call has named. */
int sock_told_fd(const struct sock *s)
{
	return strcmp(door()->by, "io_uring") ? s->fd : 0;
}

static void bind_call(struct sock *s, enum place place, int port, int error, bool denied)
{
	struct call c;
	bool deferred = s->defers && !port;
	struct expected e = { .event = "bind", .s = s, .by_call = true, .no_peer = true };

	sock_enter(&c, s, "bind");
	c.requested = address_of(s->family, place, port);
	call_return(&c, door()->bind(s->fd, &c.requested.any, c.requested.len), error);

	if (!error) {
		s->bound_to = place;
		s->port_deferred = deferred;
	}
	if (!error && !deferred)
		tenure_begin(s, port ? "bind" : "bind0", door()->by, address_port(&c.local));

	e.error = error;
	e.fd = sock_told_fd(s);
	e.requested = &c.requested;
	e.searched = !port && !deferred && !denied && error != EADDRNOTAVAIL && error != EINVAL;
	e.untimed = denied;
	e.no_tenure = !s->holds;
	if (!error) {
		e.local = &c.local;
		e.tenure = held_tenure(s);
	}
	call_expect(&c, e);
	call_print(&c);
}

void sock_bind(struct sock *s, enum place place, int port, int error)
{
	bind_call(s, place, port, error, false);
}

void sock_bind_denied(struct sock *s, enum place place, int port, int error)
{
	bind_call(s, place, port, error, true);
}

void sock_listen(struct sock *s, int backlog, int error)
{
	struct call c;
	bool searched = !s->holds;
	struct expected e = { .event = "listen", .s = s, .by_call = true, .no_peer = true };

	sock_enter(&c, s, "listen");
	call_return(&c, door()->listen(s->fd, backlog), error);

	if (!error && !s->holds)
		tenure_begin(s, "listen", door()->by, address_port(&c.local));

	e.error = error;
	e.fd = sock_told_fd(s);
	e.searched = searched;
	if (!error)
		e.local = &c.local;
	e.tenure = held_tenure(s);
	e.no_tenure = !s->holds;
	call_expect(&c, e);
	call_print(&c);
}

/* --- connect ------------------------------------------------------------------------------- */

/* Over loopback a connection comes from the address that it goes to; but all of 127/8 is 127.0.0.1.
 */
struct address sock_source(const struct sock *s, enum place to, int port)
{
	if (s->bound_to != ANYWHERE)
		return address_of(s->family, s->bound_to, port);
	if (to == SECOND && s->family == AF_INET)
		return address_of(s->family, LOOPBACK, port);
	return address_of(s->family, to, port);
}

void expect_established(struct call *c, struct sock *s, uint64_t after_ns)
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

void expect_refused(struct call *c, struct sock *s, uint64_t after_ns, bool by_call)
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

void expect_attempt(struct call *c, struct sock *s, const char *event, enum place to, bool searched,
		    uint64_t before_ns)
{
	struct address local = sock_source(s, to, sock_port(s));
	struct expected e = { .event = event, .s = s, .by_call = !before_ns };

	e.tenure = last_tenure(s);
	e.fd = sock_told_fd(s);
	e.searched = searched;
	e.requested = &c->requested;
	e.local = &local;
	e.peer = &c->requested;
	e.before_ns = before_ns;
	call_expect(c, e);
}

void expect_attempt_without_port(struct call *c, struct sock *s, int error)
{
	struct expected e = { .event = "connect_failed", .s = s, .by_call = true };

	e.error = error;
	e.fd = sock_told_fd(s);
	e.tenure = held_tenure(s);
	e.no_tenure = !s->holds;
	e.searched = !s->holds && error == EADDRNOTAVAIL;
	e.requested = &c->requested;
	call_expect(c, e);
}

void expect_attempt_ends(struct call *c, struct sock *s, enum place to, int error)
{
	struct address source = sock_source(s, to, sock_port(s));

	if (!error && !address_equal(&source, &c->local))
		scenario_fail("%s: connected from an unexpected address", s->tag);
	if (!error)
		expect_established(c, s, c->entered_ns);
	else if (error == ECONNREFUSED)
		expect_refused(c, s, c->entered_ns, true);
	s->connect_ns = c->entered_ns;
}

static void connect_stream(struct sock *s, enum place place, int port, int error, bool hangs)
{
	struct call c;
	bool searched = !s->holds;

	sock_enter(&c, s, "connect");
	c.requested = address_of(s->family, place, port);
	call_return(&c, door()->connect(s->fd, &c.requested.any, c.requested.len), error);

	if (error && error != EINPROGRESS && error != ECONNREFUSED) {
		expect_attempt_without_port(&c, s, error);
		call_print(&c);
		return;
	}
	if (searched)
		tenure_begin(s, "connect", door()->by, address_port(&c.local));
	expect_attempt(&c, s, "connect", place, searched, hangs ? c.entered_ns + HANG_SEEN_NS : 0);
	expect_attempt_ends(&c, s, place, error);
	call_print(&c);
}

void sock_connect(struct sock *s, enum place place, int port, int error)
{
	if (s->type == SOCK_DGRAM)
		connect_datagram(s, place, port, error);
	else
		connect_stream(s, place, port, error, false);
}

void sock_connect_hanging(struct sock *s, enum place place, int port)
{
	sock_send_timeout(s, HANG_SECONDS);
	connect_stream(s, place, port, EINPROGRESS, true);
}

void sock_connect_rebound(struct sock *s, enum place place, int port, enum place at, int bound_port)
{
	struct address bound = address_of(s->family, at, bound_port);
	struct expected e = { .event = "bind", .s = s, .any_thread = true, .no_peer = true };
	bool searched = !bound_port;
	struct call c;

	s->blind = "non_syscall";
	sock_enter(&c, s, "connect");
	c.requested = address_of(s->family, place, port);
	call_return(&c, connect(s->fd, &c.requested.any, c.requested.len), OK);

	s->bound_to = at;
	s->port_deferred = !bound_port;
	if (bound_port)
		tenure_begin(s, "bind", "bpf", bound_port);
	e.tenure = held_tenure(s);
	e.no_tenure = !s->holds;
	e.requested = &bound;
	e.local = &bound;
	call_expect(&c, e);
	if (!s->holds)
		tenure_begin(s, "connect", "user", address_port(&c.local));
	expect_attempt(&c, s, "connect", place, searched, 0);
	if (s->type == SOCK_STREAM)
		expect_attempt_ends(&c, s, place, OK);
	call_print(&c);
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
struct sock *sock_child(const struct sock *listener, const char *tag, int fd)
{
	struct sock *s = sock_adopt(tag, fd, listener->family, listener->type);

	snprintf(s->parent, sizeof(s->parent), "%s", listener->tag);
	memcpy(s->range, listener->range, sizeof(s->range));
	s->netns = listener->netns;
	s->blind = listener->blind;
	s->device = listener->device;
	tenure_begin(s, "accept", NULL, sock_port(listener));
	return s;
}

struct sock *sock_accept(struct sock *listener, const char *tag)
{
	struct expected e = { .event = "accept", .by_call = true };
	struct call c;
	struct sock *s;
	int fd;

	call_enter(&c, listener, "accept");
	fd = door()->accept(listener->fd);
	if (fd < 0)
		scenario_fail("%s: accept: %s", listener->tag, error_name(errno));
	s = sock_child(listener, tag, fd);
	if (door()->blind)
		s->blind = door()->blind;
	c.s = s;
	call_return(&c, fd, OK);

	e.s = s;
	e.fd = sock_told_fd(s);
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

void sock_await(const struct sock *listener)
{
	struct pollfd p = { .fd = listener->fd, .events = POLLIN };

	if (poll(&p, 1, PEER_TIMEOUT_MS) != 1)
		scenario_fail("%s: nobody has connected", listener->tag);
}

/* FIN or reset; data of a Fast Open may be there before. */
void sock_await_end(const struct sock *s)
{
	struct pollfd p = { .fd = s->fd, .events = POLLRDHUP };
	char byte;

	if (poll(&p, 1, PEER_TIMEOUT_MS) != 1)
		scenario_fail("%s: the peer's end has not come", s->tag);
	while (recv(s->fd, &byte, 1, MSG_DONTWAIT) > 0)
		;
}

void expect_reset(struct call *c, struct sock *s)
{
	struct tenure *gone;

	sock_await_end(s);
	gone = tenure_end_with_connection(s);
	if (gone)
		call_expect(c, (struct expected){ .event = "release", .s = s, .tenure = gone });
}

static void disconnect_stream(struct sock *s, struct sock *peer)
{
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	struct expected e = { .event = "disconnect", .s = s, .by_call = true };
	struct tenure *gone;
	struct call c;

	sock_enter(&c, s, "disconnect");
	call_return(&c, door()->connect(s->fd, &unspecified, sizeof(unspecified)), OK);

	e.fd = sock_told_fd(s);
	gone = tenure_end_with_connection(s);
	if (!gone)
		e.tenure = held_tenure(s);
	call_expect(&c, e);
	if (gone)
		call_expect(&c, (struct expected){ .event = "release", .s = s, .tenure = gone });
	if (peer)
		expect_reset(&c, peer);
	call_print(&c);
}

void sock_disconnect(struct sock *s, struct sock *peer)
{
	disconnect_stream(s, peer);
}

void sock_disconnect_alone(struct sock *s)
{
	disconnect_stream(s, NULL);
}

/* inet_shutdown() of a listener is a disconnect: only a port that bind() named stays. */
void sock_shut_down_listener(struct sock *s)
{
	struct tenure *gone;
	struct call c;

	call_enter(&c, s, "shutdown");
	call_return(&c, shutdown(s->fd, SHUT_RD), OK);
	gone = tenure_end_with_connection(s);
	if (gone)
		call_expect(&c, (struct expected){ .event = "release", .s = s, .tenure = gone });
	call_print(&c);
}
