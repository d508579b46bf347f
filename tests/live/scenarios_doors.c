// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about calls that do not come by the usual system calls: io_uring, 32-bit programs. */
#include <errno.h>

#include "tests/live/scenarios.h"

#define PORT	    5000
#define CLOSED_PORT 5002

static struct sock *server_by(enum door door)
{
	struct sock *server = sock_new("server");

	scenario_use(door);
	sock_bind(server, LOOPBACK, PORT, OK);
	sock_listen(server, 8, OK);
	return server;
}

static void uring_bind_and_listen(void)
{
	sock_close(server_by(IO_URING));
}

static void uring_bind_zero(void)
{
	struct sock *s = sock_new("s");

	scenario_use(IO_URING);
	sock_bind(s, LOOPBACK, 0, OK);
	sock_close(s);
}

static void uring_bind_taken_port(void)
{
	struct sock *holder = sock_new("holder");
	struct sock *late = sock_new("late");

	sock_bind(holder, LOOPBACK, PORT, OK);
	scenario_use(IO_URING);
	sock_bind(late, LOOPBACK, PORT, EADDRINUSE);
	sock_close(late);
	sock_close(holder);
}

static void uring_listen(void)
{
	struct sock *server = sock_new("server");

	scenario_use(IO_URING);
	sock_listen(server, 8, OK);
	sock_close(server);
}

static void uring_connect(void)
{
	struct sock *server = server_by(SYSTEM_CALL);
	struct sock *client = sock_new("client");
	struct sock *conn;

	scenario_use(IO_URING);
	sock_connect(client, LOOPBACK, PORT, OK);
	scenario_use(SYSTEM_CALL);
	conn = sock_accept(server, "conn");
	sock_close_pair(client, conn);
	sock_close(server);
}

static void uring_connect_refused(void)
{
	struct sock *client = sock_new("client");

	scenario_use(IO_URING);
	sock_connect(client, LOOPBACK, CLOSED_PORT, ECONNREFUSED);
	sock_close(client);
}

static void uring_accept(void)
{
	struct sock *server = server_by(SYSTEM_CALL);
	struct sock *client = sock_new("client");
	struct sock *conn;

	sock_connect(client, LOOPBACK, PORT, OK);
	scenario_use(IO_URING);
	conn = sock_accept(server, "conn");
	scenario_use(SYSTEM_CALL);
	sock_close_pair(client, conn);
	sock_close(server);
}

static void uring_udp_send(void)
{
	struct sock *s = sock_new_udp("s");

	scenario_use(IO_URING);
	sock_send(s, SENDTO, LOOPBACK, PORT, OK);
	sock_close(s);
}

static void uring_udp_connect(void)
{
	struct sock *s = sock_new_udp("s");

	scenario_use(IO_URING);
	sock_connect(s, LOOPBACK, PORT, OK);
	sock_close(s);
}

/* --- 32-bit system calls ------------------------------------------------------------------------
 */

static void tcp_by(enum door door)
{
	struct sock *server = server_by(door);
	struct sock *client = sock_new("client");
	struct sock *refused = sock_new("refused");

	sock_connect(client, LOOPBACK, PORT, OK);
	sock_close_pair(client, sock_accept(server, "conn"));
	sock_connect(refused, LOOPBACK, CLOSED_PORT, ECONNREFUSED);
	sock_close(refused);
	sock_close(server);
}

static void udp_by(enum door door)
{
	struct sock *bound = sock_new_udp("bound");
	struct sock *sender = sock_new_udp("sender");
	struct sock *caller = sock_new_udp("caller");

	scenario_use(door);
	sock_bind(bound, LOOPBACK, PORT, OK);
	sock_send(sender, SENDTO, LOOPBACK, PORT, OK);
	sock_connect(caller, LOOPBACK, PORT, OK);
	sock_close(caller);
	sock_close(sender);
	sock_close(bound);
}

static void int80_tcp(void)
{
	tcp_by(INT80);
}

static void int80_udp(void)
{
	udp_by(INT80);
}

static void socketcall_tcp(void)
{
	tcp_by(SOCKETCALL);
}

static void socketcall_udp(void)
{
	udp_by(SOCKETCALL);
}

/* Of a port that a 32-bit call took away the next call or close() shows that it is another now. */
static void int80_udp_disconnect(void)
{
	struct sock *sender = sock_new_udp("sender");
	struct sock *silent = sock_new_udp("silent");

	sock_connect(sender, LOOPBACK, PORT, OK);
	sock_connect(silent, LOOPBACK, PORT, OK);
	scenario_use(INT80);
	sock_disconnect_udp(sender);
	sock_disconnect_udp(silent);
	scenario_use(SYSTEM_CALL);
	sock_send(sender, SENDTO, LOOPBACK, PORT, OK);
	sock_close(silent);
	sock_close(sender);
}

const struct scenario door_scenarios[] = {
	{ .name = "uring_bind_and_listen", .run = uring_bind_and_listen },
	{ .name = "uring_bind_zero", .run = uring_bind_zero },
	{ .name = "uring_bind_taken_port", .run = uring_bind_taken_port },
	{ .name = "uring_listen", .run = uring_listen },
	{ .name = "uring_connect", .run = uring_connect },
	{ .name = "uring_connect_refused", .run = uring_connect_refused },
	{ .name = "uring_accept", .run = uring_accept },
	{ .name = "uring_udp_send", .run = uring_udp_send },
	{ .name = "uring_udp_connect", .run = uring_udp_connect },
	{ .name = "int80_tcp", .run = int80_tcp },
	{ .name = "int80_udp", .run = int80_udp },
	{ .name = "int80_udp_disconnect", .run = int80_udp_disconnect },
	{ .name = "socketcall_tcp", .run = socketcall_tcp },
	{ .name = "socketcall_udp", .run = socketcall_udp },
	{ .name = 0 },
};
