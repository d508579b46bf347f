// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about TIME_WAIT: what holds the port when the socket is gone, and how that ends. */
#include <errno.h>

#include "tests/live/scenarios.h"

#define PORT	    5000
#define CLIENT_PORT 5001

/* tcp_tw_reuse (for loopback by default) asks for a second between the connections. */
#define REUSE_MS 1100
#define TICK_MS	 20 /* of the clock behind TCP's time stamps, and some */

static struct sock *server_at(int port)
{
	struct sock *server = sock_new("server");

	sock_bind(server, LOOPBACK, port, OK);
	sock_listen(server, 8, OK);
	return server;
}

/* One port for everyone, and the first connection's TIME_WAIT has it. */
static void time_wait_uses_up_range(void)
{
	struct sock *server = server_at(PORT);
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");

	scenario_sysctl("net/ipv4/tcp_tw_reuse", "0");
	sock_connect(first, LOOPBACK, PORT, OK);
	sock_close_pair(first, sock_accept(server, "conn"));
	sock_connect(second, LOOPBACK, PORT, EADDRNOTAVAIL);
	sock_close(second);
	sock_close(server);
}

static void time_wait_is_too_young(void)
{
	struct sock *server = server_at(PORT);
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");

	sock_connect(first, LOOPBACK, PORT, OK);
	sock_close_pair(first, sock_accept(server, "conn"));
	sock_connect(second, LOOPBACK, PORT, EADDRNOTAVAIL);
	sock_close(second);
	sock_close(server);
}

/* A second later connect() may take the port over, and the TIME_WAIT entry is gone. */
static void time_wait_recycled(void)
{
	struct sock *server = server_at(PORT);
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");

	sock_connect(first, LOOPBACK, PORT, OK);
	sock_will_be_replaced(first);
	sock_close_pair(first, sock_accept(server, "conn1"));
	scenario_sleep_ms(REUSE_MS);
	sock_is_replaced_now(first);
	sock_connect(second, LOOPBACK, PORT, OK);
	sock_close_pair(sock_accept(server, "conn2"), second);
	sock_close(server);
}

/* The server's TIME_WAIT gives way to a new SYN from the same port. */
static void time_wait_replaced_by_child(void)
{
	struct sock *server = server_at(PORT);
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");
	struct sock *conn1;

	sock_bind(first, LOOPBACK, CLIENT_PORT, OK);
	sock_connect(first, LOOPBACK, PORT, OK);
	conn1 = sock_accept(server, "conn1");
	sock_will_be_replaced(conn1);
	sock_close_pair(conn1, first);
	scenario_sleep_ms(TICK_MS);
	sock_bind(second, LOOPBACK, CLIENT_PORT, OK);
	sock_is_replaced_now(conn1);
	sock_connect(second, LOOPBACK, PORT, OK);
	sock_close_pair(sock_accept(server, "conn2"), second);
	sock_close(server);
}

/* bind() is refused as long as the entry is there, and named what it holds, with the listener gone.
 */
static void bind_to_time_wait(void)
{
	struct sock *server = server_at(PORT);
	struct sock *client = sock_new("client");
	struct sock *late = sock_new("late");

	sock_connect(client, LOOPBACK, PORT, OK);
	sock_close_pair(sock_accept(server, "conn"), client);
	sock_close(server);
	sock_bind(late, LOOPBACK, PORT, EADDRINUSE);
	sock_bind(late, LOOPBACK, CLIENT_PORT, OK);
	sock_close(late);
}

/* A client's bound port in TIME_WAIT: taken for bind(), too. */
static void bind_to_clients_time_wait(void)
{
	struct sock *server = server_at(PORT);
	struct sock *client = sock_new("client");
	struct sock *late = sock_new("late");

	sock_bind(client, LOOPBACK, CLIENT_PORT, OK);
	sock_connect(client, LOOPBACK, PORT, OK);
	sock_close_pair(client, sock_accept(server, "conn"));
	sock_bind(late, LOOPBACK, CLIENT_PORT, EADDRINUSE);
	sock_close(late);
	sock_close(server);
}

/* No room for entries: the connection ends without one, and the port is free at once. */
static void no_room_for_time_wait(void)
{
	struct sock *server = server_at(PORT);
	struct sock *client = sock_new("client");
	struct sock *again = sock_new("again");
	struct sock *conn;

	scenario_sysctl("net/ipv4/tcp_max_tw_buckets", "0");
	sock_bind(client, LOOPBACK, CLIENT_PORT, OK);
	sock_connect(client, LOOPBACK, PORT, OK);
	conn = sock_accept(server, "conn");
	sock_close_without_time_wait(client, conn);
	sock_bind(again, LOOPBACK, CLIENT_PORT, OK);
	sock_close(again);
	sock_close(server);
}

const struct scenario time_wait_scenarios[] = {
	{ .name = "time_wait_uses_up_range",
	  .run = time_wait_uses_up_range,
	  .range = { 40000, 40000 } },
	{ .name = "time_wait_is_too_young",
	  .run = time_wait_is_too_young,
	  .range = { 40000, 40000 } },
	{ .name = "time_wait_recycled", .run = time_wait_recycled, .range = { 40000, 40000 } },
	{ .name = "time_wait_replaced_by_child", .run = time_wait_replaced_by_child },
	{ .name = "bind_to_time_wait", .run = bind_to_time_wait },
	{ .name = "bind_to_clients_time_wait", .run = bind_to_clients_time_wait },
	{ .name = "no_room_for_time_wait", .run = no_room_for_time_wait },
	{ .name = 0 },
};
