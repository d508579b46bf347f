// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about how a socket gets its port. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/live/scenarios.h"

#define SERVER_PORT 5000 /* in a namespace of one's own */

static struct sock *new_server(void)
{
	struct sock *server = sock_new("server");

	sock_listen(server, 8, OK);
	return server;
}

/* client is connected to server: take the connection, end it, end the server. */
static void serve_and_close(struct sock *server, struct sock *client)
{
	struct sock *conn = sock_accept(server, "conn");

	sock_close_pair(client, conn);
	sock_close(server);
}

static void bind_and_listen(void)
{
	struct sock *server = sock_new("server");

	sock_bind(server, LOOPBACK, scenario_free_port(), OK);
	sock_listen(server, 8, OK);
	sock_close(server);
}

static void bind_anywhere_and_listen(void)
{
	struct sock *server = sock_new("server");

	sock_bind(server, ANYWHERE, scenario_free_port(), OK);
	sock_listen(server, 8, OK);
	sock_close(server);
}

static void bind_zero(void)
{
	struct sock *s = sock_new("s");

	sock_bind(s, LOOPBACK, 0, OK);
	sock_close(s);
}

static void bind_zero_and_listen(void)
{
	struct sock *server = sock_new("server");

	sock_bind(server, ANYWHERE, 0, OK);
	sock_listen(server, 8, OK);
	sock_close(server);
}

static void listen_without_bind(void)
{
	sock_close(new_server());
}

static void listen_twice(void)
{
	struct sock *server = new_server();

	sock_listen(server, 16, OK);
	sock_close(server);
}

static void connect_without_bind(void)
{
	struct sock *server = new_server();
	struct sock *client = sock_new("client");

	sock_connect(client, LOOPBACK, sock_port(server), OK);
	serve_and_close(server, client);
}

static void bind_then_connect(void)
{
	struct sock *server = new_server();
	struct sock *client = sock_new("client");

	sock_bind(client, LOOPBACK, scenario_free_port(), OK);
	sock_connect(client, LOOPBACK, sock_port(server), OK);
	serve_and_close(server, client);
}

static void bind_zero_then_connect(void)
{
	struct sock *server = new_server();
	struct sock *client = sock_new("client");

	sock_bind(client, LOOPBACK, 0, OK);
	sock_connect(client, LOOPBACK, sock_port(server), OK);
	serve_and_close(server, client);
}

static void deferred_bind_then_connect(void)
{
	struct sock *server = new_server();
	struct sock *client = sock_new("client");

	sock_defer_port(client);
	sock_bind(client, LOOPBACK, 0, OK);
	sock_connect(client, LOOPBACK, sock_port(server), OK);
	serve_and_close(server, client);
}

static void deferred_bind_then_listen(void)
{
	struct sock *server = sock_new("server");

	sock_defer_port(server);
	sock_bind(server, LOOPBACK, 0, OK);
	sock_listen(server, 8, OK);
	sock_close(server);
}

/* The option defers only a port that was left to the kernel. */
static void deferred_option_with_port(void)
{
	struct sock *server = sock_new("server");

	sock_defer_port(server);
	sock_bind(server, LOOPBACK, scenario_free_port(), OK);
	sock_listen(server, 8, OK);
	sock_close(server);
}

static void accept_three(void)
{
	struct sock *server = new_server();
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");
	struct sock *third = sock_new("third");

	sock_connect(first, LOOPBACK, sock_port(server), OK);
	sock_connect(second, LOOPBACK, sock_port(server), OK);
	sock_close_pair(first, sock_accept(server, "conn1"));
	sock_connect(third, LOOPBACK, sock_port(server), OK);
	sock_close_pair(second, sock_accept(server, "conn2"));
	sock_close_pair(third, sock_accept(server, "conn3"));
	sock_close(server);
}

static void dual_stack_listener(void)
{
	struct sock *server = new_server();
	struct sock *client = sock_new_of("client", AF_INET);

	sock_connect(client, LOOPBACK, sock_port(server), OK);
	serve_and_close(server, client);
}

static void connect_to_mapped_address(void)
{
	struct sock *server = sock_new_of("server", AF_INET);
	struct sock *client = sock_new("client");

	sock_listen(server, 8, OK);
	sock_connect(client, MAPPED, sock_port(server), OK);
	serve_and_close(server, client);
}

static void local_port_range(void)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");
	struct sock *bound = sock_new("bound");

	if (!sock_narrow_range(client, 40100, 40109) || !sock_narrow_range(bound, 40200, 40209))
		scenario_skip("this kernel has no IP_LOCAL_PORT_RANGE");
	sock_bind(server, LOOPBACK, SERVER_PORT, OK);
	sock_listen(server, 8, OK);
	sock_bind(bound, LOOPBACK, 0, OK);
	sock_close(bound);
	sock_connect(client, LOOPBACK, SERVER_PORT, OK);
	if (sock_port(client) < 40100 || sock_port(client) > 40109)
		scenario_fail("port %d is outside of the socket's range", sock_port(client));
	serve_and_close(server, client);
}

/* An address that nobody has (yet). */
static void freebind(void)
{
	struct sock *s = sock_new("s");

	sock_set(s, IPPROTO_IP, IP_FREEBIND, 1);
	sock_bind(s, FOREIGN, SERVER_PORT, OK);
	sock_listen(s, 8, OK);
	sock_close(s);
}

static void bound_to_device(void)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");

	sock_bind_to_device(server, "lo");
	sock_bind(server, LOOPBACK, SERVER_PORT, OK);
	sock_listen(server, 8, OK);
	sock_connect(client, LOOPBACK, SERVER_PORT, OK);
	serve_and_close(server, client);
}

/* A SYN that comes back to its sender: both ends are one socket. */
static void self_connect(void)
{
	struct sock *s = sock_new("s");

	sock_bind(s, LOOPBACK, SERVER_PORT, OK);
	sock_connect(s, LOOPBACK, SERVER_PORT, OK);
	sock_close_first(s);
}

/* The only port to connect from is the one to connect to. */
static void self_connect_implicit(void)
{
	struct sock *s = sock_new("s");

	sock_connect(s, LOOPBACK, 40000, OK);
	sock_close_first(s);
}

const struct scenario assign_scenarios[] = {
	{ .name = "bind_and_listen", .run = bind_and_listen },
	{ .name = "bind_anywhere_and_listen", .run = bind_anywhere_and_listen },
	{ .name = "bind_zero", .run = bind_zero },
	{ .name = "bind_zero_and_listen", .run = bind_zero_and_listen },
	{ .name = "listen_without_bind", .run = listen_without_bind },
	{ .name = "listen_twice", .run = listen_twice },
	{ .name = "connect_without_bind", .run = connect_without_bind },
	{ .name = "bind_then_connect", .run = bind_then_connect },
	{ .name = "bind_zero_then_connect", .run = bind_zero_then_connect },
	{ .name = "deferred_bind_then_connect", .run = deferred_bind_then_connect },
	{ .name = "deferred_bind_then_listen", .run = deferred_bind_then_listen },
	{ .name = "deferred_option_with_port", .run = deferred_option_with_port },
	{ .name = "accept_three", .run = accept_three },
	{ .name = "dual_stack_listener", .run = dual_stack_listener, .only_inet6 = true },
	{ .name = "connect_to_mapped_address",
	  .run = connect_to_mapped_address,
	  .only_inet6 = true },
	{ .name = "local_port_range", .run = local_port_range, .range = { 40000, 40999 } },
	{ .name = "freebind", .run = freebind },
	{ .name = "bound_to_device", .run = bound_to_device },
	{ .name = "self_connect", .run = self_connect },
	{ .name = "self_connect_implicit",
	  .run = self_connect_implicit,
	  .range = { 40000, 40000 } },
	{ .name = 0 },
};
