// SPDX-License-Identifier: GPL-2.0-or-later
/* The calls of UDP, and TCP Fast Open. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live/scenarios.h"
#include "tests/live/scenarios_door.h"
#include "tests/live/scenarios_sock.h"

/* --- UDP ------------------------------------------------------------------------------------- */

/*
 * inet_dgram_connect() looks for a port before it looks for a route: without one the call fails and
 * the port stays. A failed search is always EAGAIN.
 */
void connect_datagram(struct sock *s, enum place place, int port, int error)
{
	struct expected e = { .event = "connect", .s = s, .by_call = true };
	struct address local;
	bool searched = !s->holds;
	struct call c;

	sock_enter(&c, s, "connect");
	c.requested = address_of(s->family, place, port);
	call_return(&c, door()->connect(s->fd, &c.requested.any, c.requested.len), error);

	if (searched && error != EAGAIN)
		tenure_begin(s, "connect", door()->by, address_port(&c.local));
	e.fd = sock_told_fd(s);
	e.error = error;
	e.cause = error == EAGAIN ? EADDRINUSE : 0;
	e.searched = searched;
	e.requested = &c.requested;
	e.tenure = held_tenure(s);
	e.no_tenure = !s->holds;
	if (error) {
		e.event = "connect_failed";
	} else {
		local = sock_source(s, place, sock_port(s));
		if (!address_equal(&local, &c.local))
			scenario_fail("%s: connected from an unexpected address", s->tag);
		e.local = &local;
		e.peer = &c.requested;
	}
	call_expect(&c, e);
	call_print(&c);
}

static int send_message(const struct sock *s, const struct address *to, int flags, bool many)
{
	char byte = 'x';
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct mmsghdr message = { .msg_hdr = {
					   .msg_name = (void *)(uintptr_t)&to->any,
					   .msg_namelen = to->len,
					   .msg_iov = &data,
					   .msg_iovlen = 1,
				   } };

	if (many)
		return sendmmsg(s->fd, &message, 1, flags);
	return (int)sendmsg(s->fd, &message.msg_hdr, flags);
}

static int send_from_pipe(const struct sock *s)
{
	int ends[2];
	int result, error;

	if (pipe2(ends, O_CLOEXEC) || write(ends[1], "x", 1) != 1)
		scenario_fail("cannot fill a pipe");
	result = (int)splice(ends[0], NULL, s->fd, NULL, 1, 0);
	error = errno;
	close(ends[0]);
	close(ends[1]);
	errno = error;
	return result;
}

static int send_somehow(const struct sock *s, enum send_how how, const struct address *to,
			int flags)
{
	switch (how) {
	case SENDTO:
		return door()->send(s->fd, flags, &to->any, to->len);
	case SENDMSG:
		return send_message(s, to, flags, false);
	case SENDMMSG:
		return send_message(s, to, flags, true);
	case SPLICE:
		return send_from_pipe(s);
	case SEND:
		return (int)send(s->fd, "x", 1, flags);
	default:
		return (int)write(s->fd, "x", 1);
	}
}

static const char *send_name(enum send_how how)
{
	static const char *const names[] = { "sendto", "sendmsg", "sendmmsg",
					     "send",   "write",	  "splice" };

	return names[how];
}

void sock_send(struct sock *s, enum send_how how, enum place place, int port, int error)
{
	struct expected e = { .event = "send", .s = s, .by_call = true };
	bool searched = !s->holds;
	struct call c;

	sock_enter(&c, s, send_name(how));
	c.requested = address_of(s->family, place, port);
	call_return(&c, send_somehow(s, how, &c.requested, 0), error);

	/* the port is there before anything else can fail */
	if (searched && error != EAGAIN)
		tenure_begin(s, "send", door()->by, address_port(&c.local));
	e.fd = how == SPLICE ? 0 : sock_told_fd(s); /* that is not the call's first argument */
	e.error = error == EAGAIN ? EAGAIN : OK;
	e.cause = error == EAGAIN ? EADDRINUSE : 0;
	e.searched = true;
	if (!error && how <= SENDMMSG && !door()->blind)
		e.requested = &c.requested;
	e.tenure = held_tenure(s);
	e.no_tenure = !s->holds;
	if (s->holds)
		e.local = &c.local;
	if (searched)
		call_expect(&c, e);
	call_print(&c);
}

struct sender {
	struct sock *s;
	struct address to;
	pthread_barrier_t *both;
};

static void *send_at_once(void *arg)
{
	struct sender *sender = arg;

	pthread_barrier_wait(sender->both);
	if (door()->send(sender->s->fd, 0, &sender->to.any, sender->to.len) != 1)
		scenario_fail("a thread cannot send: %s", error_name(errno));
	return NULL;
}

void sock_send_from_threads(struct sock *s, enum place place, int port)
{
	pthread_barrier_t both;
	struct sender sender = { .s = s, .to = address_of(s->family, place, port), .both = &both };
	struct expected e = { .event = "send", .s = s, .any_thread = true, .searched = true };
	pthread_t threads[2];
	struct call c;

	pthread_barrier_init(&both, NULL, 2);
	sock_enter(&c, s, "sendto");
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, send_at_once, &sender))
			scenario_fail("cannot create a thread");
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	call_return(&c, 0, OK);
	tenure_begin(s, "send", door()->by, address_port(&c.local));
	e.tenure = held_tenure(s);
	e.local = &c.local;
	e.fd = s->fd;
	call_expect(&c, e);
	call_print(&c);
}

void sock_disconnect_udp(struct sock *s)
{
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	struct expected e = { .event = "disconnect", .s = s, .by_call = true };
	struct tenure *gone;
	struct call c;

	sock_enter(&c, s, "disconnect");
	call_return(&c, door()->connect(s->fd, &unspecified, sizeof(unspecified)), OK);

	gone = tenure_end_with_connection(s);
	if (address_port(&c.local) != (s->holds ? sock_port(s) : 0))
		scenario_fail("%s: port %d after the disconnect", s->tag, address_port(&c.local));
	e.fd = sock_told_fd(s);
	e.tenure = held_tenure(s);
	call_expect(&c, e);
	if (gone)
		call_expect(&c, (struct expected){ .event = "release", .s = s, .tenure = gone });
	call_print(&c);
}

/* --- TCP Fast Open -----------------------------------------------------------------------------
 */

void sock_fast_open(struct sock *s, enum send_how how, enum place place, int port, int error)
{
	bool searched = !s->holds;
	struct call c;

	sock_enter(&c, s, send_name(how));
	c.requested = address_of(s->family, place, port);
	call_return(&c, send_somehow(s, how, &c.requested, MSG_FASTOPEN), error);

	if (error && error != EINPROGRESS && error != ECONNREFUSED) {
		expect_attempt_without_port(&c, s, error);
		call_print(&c);
		return;
	}
	if (searched)
		tenure_begin(s, "send", door()->by, address_port(&c.local));
	expect_attempt(&c, s, searched ? "send" : "connect", place, searched, 0);
	expect_attempt_ends(&c, s, place, error);
	call_print(&c);
}

void sock_connect_put_off(struct sock *s, enum place place, int port)
{
	bool searched = !s->holds;
	struct call c;

	sock_enter(&c, s, "connect");
	c.requested = address_of(s->family, place, port);
	call_return(&c, connect(s->fd, &c.requested.any, c.requested.len), OK);
	if (searched)
		tenure_begin(s, "connect", door()->by, address_port(&c.local));
	expect_attempt(&c, s, "connect", place, searched, 0);
	call_print(&c);
}

void sock_write_put_off(struct sock *s)
{
	struct call c;

	sock_enter(&c, s, "write");
	call_return(&c, (int)write(s->fd, "x", 1), OK);
	expect_established(&c, s, c.entered_ns);
	call_print(&c);
}
