// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about how a port is given up, shared, or held by what is left of a connection. */
#include <errno.h>
#include <sys/socket.h>

#include "tests/live/scenarios.h"

struct connection {
	struct sock *server;
	struct sock *client;
	struct sock *conn;
};

static struct connection connect_pair(void)
{
	struct connection c = { .server = sock_new("server"), .client = sock_new("client") };

	sock_listen(c.server, 8, OK);
	sock_connect(c.client, LOOPBACK, sock_port(c.server), OK);
	c.conn = sock_accept(c.server, "conn");
	return c;
}

static void client_closes_first(void)
{
	struct connection c = connect_pair();

	sock_close_pair(c.client, c.conn);
	sock_close(c.server);
}

static void server_closes_first(void)
{
	struct connection c = connect_pair();

	sock_close_pair(c.conn, c.client);
	sock_close(c.server);
}

/* The child keeps the port after the listener is gone. */
static void listener_closes_first(void)
{
	struct connection c = connect_pair();

	sock_close(c.server);
	sock_close_pair(c.client, c.conn);
}

static void client_resets(void)
{
	struct connection c = connect_pair();

	sock_reset(c.client, c.conn);
	sock_close(c.conn);
	sock_close(c.server);
}

static void server_resets(void)
{
	struct connection c = connect_pair();

	sock_reset(c.conn, c.client);
	sock_close(c.client);
	sock_close(c.server);
}

static void never_accepted(void)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");

	sock_listen(server, 8, OK);
	sock_connect(client, LOOPBACK, sock_port(server), OK);
	sock_close_listener_with(server, "conn", client);
	sock_close(client);
}

static void disconnect_implicit(void)
{
	struct connection c = connect_pair();

	sock_disconnect(c.client, c.conn);
	sock_close(c.client);
	sock_close(c.conn);
	sock_close(c.server);
}

static void disconnect_explicit(void)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");
	struct sock *conn;

	sock_listen(server, 8, OK);
	sock_bind(client, LOOPBACK, scenario_free_port(), OK);
	sock_connect(client, LOOPBACK, sock_port(server), OK);
	conn = sock_accept(server, "conn");
	sock_disconnect(client, conn);
	sock_close(conn);
	sock_close(client);
	sock_close(server);
}

static void disconnect_and_connect_again(void)
{
	struct connection c = connect_pair();

	sock_disconnect(c.client, c.conn);
	sock_close(c.conn);
	sock_connect(c.client, LOOPBACK, sock_port(c.server), OK);
	sock_close_pair(c.client, sock_accept(c.server, "again"));
	sock_close(c.server);
}

static void listener_disconnects(void)
{
	struct sock *server = sock_new("server");

	sock_listen(server, 8, OK);
	sock_disconnect_alone(server);
	sock_listen(server, 8, OK); /* on another port */
	sock_close(server);
}

static void listener_shuts_down(void)
{
	struct sock *server = sock_new("server");

	sock_listen(server, 8, OK);
	sock_shut_down_listener(server);
	sock_listen(server, 8, OK);
	sock_close(server);
}

static void bound_listener_shuts_down(void)
{
	struct sock *server = sock_new("server");

	sock_bind(server, LOOPBACK, scenario_free_port(), OK);
	sock_listen(server, 8, OK);
	sock_shut_down_listener(server);
	sock_listen(server, 8, OK);
	sock_close(server);
}

/* --- sharing -------------------------------------------------------------------------------- */

/* Both may bind, one may listen: a listener needs the port for itself. */
static void reuse_address(void)
{
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");
	int port = scenario_free_port();

	sock_reuse_address(first);
	sock_reuse_address(second);
	sock_bind(first, LOOPBACK, port, OK);
	sock_bind(second, LOOPBACK, port, OK);
	sock_listen(first, 8, OK);
	sock_listen(second, 8, EADDRINUSE);
	sock_close(second);
	sock_close(first);
}

static void reuse_address_one_sided(void)
{
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");
	int port = scenario_free_port();

	sock_bind(first, LOOPBACK, port, OK);
	sock_reuse_address(second);
	sock_bind(second, LOOPBACK, port, EADDRINUSE);
	sock_close(second);
	sock_close(first);
}

static int leave_time_wait(bool reusable)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");
	int port = scenario_free_port();

	if (reusable)
		sock_reuse_address(server);
	sock_bind(server, LOOPBACK, port, OK);
	sock_listen(server, 8, OK);
	sock_connect(client, LOOPBACK, port, OK);
	sock_close_pair(sock_accept(server, "conn"), client);
	sock_close(server);
	return port;
}

static void rebind_time_wait(void)
{
	struct sock *plain = sock_new("plain");
	struct sock *again = sock_new("again");
	int port = leave_time_wait(true);

	sock_bind(plain, LOOPBACK, port, EADDRINUSE);
	sock_close(plain);
	sock_reuse_address(again);
	sock_bind(again, LOOPBACK, port, OK);
	sock_listen(again, 8, OK);
	sock_close(again);
}

static void rebind_time_wait_one_sided(void)
{
	struct sock *again = sock_new("again");
	int port = leave_time_wait(false);

	sock_reuse_address(again);
	sock_bind(again, LOOPBACK, port, EADDRINUSE);
	sock_close(again);
}

static void reuse_port(void)
{
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");
	struct sock *plain = sock_new("plain");
	int port = scenario_free_port();

	sock_reuse_port(first);
	sock_reuse_port(second);
	sock_bind(first, LOOPBACK, port, OK);
	sock_listen(first, 8, OK);
	sock_bind(second, LOOPBACK, port, OK);
	sock_listen(second, 8, OK);
	sock_bind(plain, LOOPBACK, port, EADDRINUSE);
	sock_close(plain);
	sock_close(second);
	sock_close(first);
}

const struct scenario closing_scenarios[] = {
	{ .name = "client_closes_first", .run = client_closes_first },
	{ .name = "server_closes_first", .run = server_closes_first },
	{ .name = "listener_closes_first", .run = listener_closes_first },
	{ .name = "client_resets", .run = client_resets },
	{ .name = "server_resets", .run = server_resets },
	{ .name = "never_accepted", .run = never_accepted },
	{ .name = "disconnect_implicit", .run = disconnect_implicit },
	{ .name = "disconnect_explicit", .run = disconnect_explicit },
	{ .name = "disconnect_and_connect_again", .run = disconnect_and_connect_again },
	{ .name = "listener_disconnects", .run = listener_disconnects },
	{ .name = "listener_shuts_down", .run = listener_shuts_down },
	{ .name = "bound_listener_shuts_down", .run = bound_listener_shuts_down },
	{ .name = "reuse_address", .run = reuse_address },
	{ .name = "reuse_address_one_sided", .run = reuse_address_one_sided },
	{ .name = "rebind_time_wait", .run = rebind_time_wait },
	{ .name = "rebind_time_wait_one_sided", .run = rebind_time_wait_one_sided },
	{ .name = "reuse_port", .run = reuse_port },
	{ .name = 0 },
};
