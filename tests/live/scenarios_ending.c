// SPDX-License-Identifier: GPL-2.0-or-later
/* How sockets end. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live/scenarios_sock.h"

#define SETTLE_MS 50 /* until the last packet of a connection has come to its end */

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
	struct tenure *gone = tenure_end(s);

	if (gone)
		call_expect(c, (struct expected){ .event = "release", .s = s, .tenure = gone });
}

void sock_close(struct sock *s)
{
	struct call c;

	call_close(&c, s);
	expect_release_at_close(&c, s);
	call_print(&c);
	life_print(s, "false");
}

void sock_close_first(struct sock *s)
{
	struct tenure *t = held_tenure(s);
	struct call c;

	call_close(&c, s);
	call_expect(&c, (struct expected){ .event = "time_wait", .s = s, .tenure = t });
	/* TIME_WAIT ends in a minute, or with its namespace, or see sock_is_replaced_now() */
	if (!s->replaced)
		call_expect(&c,
			    (struct expected){
				    .event = "release", .s = s, .tenure = t, .optional = true });
	call_print(&c);
	life_print(s, "true");
}

void sock_close_pair(struct sock *first, struct sock *second)
{
	sock_close_first(first);
	sock_await_end(second);
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
	life_print(s, "false");
}

void sock_close_listener_with(struct sock *listener, const char *child_tag, struct sock *client)
{
	struct sock *child = sock_child(listener, child_tag, -1);
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
	life_print(listener, "false");
	life_print(child, "false");
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
	life_print(s, connected ? "\"either\"" : "false");
}

void sock_will_be_replaced(struct sock *s)
{
	s->replaced = true;
}

void sock_is_replaced_now(struct sock *s)
{
	struct tenure *gone = tenure_end(s);
	struct call c;

	call_enter(&c, s, "replaced");
	call_return(&c, 0, OK);
	call_expect(&c, (struct expected){ .event = "release",
					   .s = s,
					   .tenure = gone,
					   .anyone = true,
					   .blind = "time_wait_end" });
	call_print(&c);
}

void sock_close_without_time_wait(struct sock *first, struct sock *second)
{
	struct call c;

	call_close(&c, first);
	first->blind = "time_wait_start"; /* who infers it from the states is wrong here */
	expect_release_at_close(&c, first);
	call_print(&c);
	life_print(first, "false");
	sock_await_end(second);
	sock_close(second);
	scenario_sleep_ms(SETTLE_MS);
}

void sock_connect_silently(struct sock *s, enum place place, int port)
{
	struct address to = address_of(s->family, place, port);

	if (!connect(s->fd, &to.any, to.len))
		scenario_fail("%s: the peer has answered", s->tag);
}

void sock_ended_in_connect(struct sock *s, pid_t pid, enum place place, int port, int peer_port)
{
	struct address local = sock_source(s, place, port);
	struct address peer = address_of(s->family, place, peer_port);
	struct expected e = { .event = "connect", .s = s, .pid = pid };
	struct call c;

	call_enter(&c, s, "end of connect");
	call_return(&c, 0, OK);
	tenure_begin(s, "connect", "user", port);
	e.after_ns = s->created_ns;
	e.tenure = last_tenure(s);
	e.searched = true;
	e.requested = e.peer = &peer;
	e.local = &local;
	e.before_ns = c.entered_ns;
	call_expect(&c, e);
	e = (struct expected){ .event = "close", .s = s, .pid = pid, .tenure = e.tenure };
	e.after_ns = s->created_ns;
	call_expect(&c, e);
	e.event = "release";
	e.tenure = tenure_end(s);
	call_expect(&c, e);
	call_print(&c);
	life_print(s, "false");
}
