// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about TCP Fast Open: a send that begins a connection. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "tests/live/scenarios.h"

#define PORT	    5000
#define CLIENT_PORT 5001
#define CLOSED_PORT 5002

static struct sock *fast_server(void)
{
	struct sock *server = sock_new("server");

	scenario_sysctl("net/ipv4/tcp_fastopen", "3"); /* clients and servers */
	sock_set(server, IPPROTO_TCP, TCP_FASTOPEN, 8);
	sock_bind(server, LOOPBACK, PORT, OK);
	sock_listen(server, 8, OK);
	return server;
}

static void serve(struct sock *server, struct sock *client, const char *tag)
{
	sock_close_pair(client, sock_accept(server, tag));
}

/* The first connection asks the server for a cookie. */
static struct sock *server_with_cookie(void)
{
	struct sock *server = fast_server();
	struct sock *asking = sock_new("asking");

	sock_fast_open(asking, SENDTO, LOOPBACK, PORT, OK);
	serve(server, asking, "conn0");
	return server;
}

static void fast_open_sendto(void)
{
	sock_close(server_with_cookie());
}

/* With the cookie, data goes with the SYN and the server has its child before the handshake ends.
 */
static void fast_open_with_cookie(void)
{
	struct sock *server = server_with_cookie();
	struct sock *client = sock_new("client");

	sock_fast_open(client, SENDTO, LOOPBACK, PORT, OK);
	serve(server, client, "conn");
	sock_close(server);
}

static void fast_open_sendmsg(void)
{
	struct sock *server = server_with_cookie();
	struct sock *client = sock_new("client");

	sock_fast_open(client, SENDMSG, LOOPBACK, PORT, OK);
	serve(server, client, "conn");
	sock_close(server);
}

static void fast_open_when_bound(void)
{
	struct sock *server = server_with_cookie();
	struct sock *client = sock_new("client");

	sock_bind(client, LOOPBACK, CLIENT_PORT, OK);
	sock_fast_open(client, SENDTO, LOOPBACK, PORT, OK);
	serve(server, client, "conn");
	sock_close(server);
}

static void fast_open_deferred(void)
{
	struct sock *server = fast_server();
	struct sock *client = sock_new("client");

	sock_defer_port(client);
	sock_bind(client, LOOPBACK, 0, OK);
	sock_fast_open(client, SENDTO, LOOPBACK, PORT, OK);
	serve(server, client, "conn");
	sock_close(server);
}

static void fast_open_nonblocking(void)
{
	struct sock *server = fast_server();
	struct sock *client = sock_new("client");

	sock_nonblocking(client);
	sock_fast_open(client, SENDTO, LOOPBACK, PORT, EINPROGRESS);
	sock_connect_outcome(client, OK);
	serve(server, client, "conn");
	sock_close(server);
}

static void fast_open_refused(void)
{
	struct sock *client = sock_new("client");

	sock_fast_open(client, SENDTO, LOOPBACK, CLOSED_PORT, ECONNREFUSED);
	sock_close(client);
}

static void fast_open_refused_when_bound(void)
{
	struct sock *client = sock_new("client");

	sock_bind(client, LOOPBACK, CLIENT_PORT, OK);
	sock_fast_open(client, SENDTO, LOOPBACK, CLOSED_PORT, ECONNREFUSED);
	sock_close(client);
}

static void fast_open_range_used_up(void)
{
	struct sock *server = fast_server();
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");

	sock_fast_open(first, SENDTO, LOOPBACK, PORT, OK);
	sock_fast_open(second, SENDTO, LOOPBACK, PORT, EADDRNOTAVAIL);
	sock_close(second);
	serve(server, first, "conn");
	sock_close(server);
}

/* Without a cookie connect() goes on as ever; with one it leaves the SYN to the first write. */
static void fast_open_connect_option(void)
{
	struct sock *server = fast_server();
	struct sock *asking = sock_new("asking");
	struct sock *client = sock_new("client");

	sock_set(asking, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	sock_connect(asking, LOOPBACK, PORT, OK);
	serve(server, asking, "conn0");
	sock_set(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	sock_connect_put_off(client, LOOPBACK, PORT);
	sock_write_put_off(client);
	serve(server, client, "conn");
	sock_close(server);
}

/* Nothing was ever sent. */
static void fast_open_put_off_and_closed(void)
{
	struct sock *server = server_with_cookie();
	struct sock *client = sock_new("client");

	sock_set(client, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
	sock_connect_put_off(client, LOOPBACK, PORT);
	sock_close(client);
	sock_close(server);
}

const struct scenario fast_open_scenarios[] = {
	{ .name = "fast_open_sendto", .run = fast_open_sendto },
	{ .name = "fast_open_with_cookie", .run = fast_open_with_cookie },
	{ .name = "fast_open_sendmsg", .run = fast_open_sendmsg },
	{ .name = "fast_open_when_bound", .run = fast_open_when_bound },
	{ .name = "fast_open_deferred", .run = fast_open_deferred },
	{ .name = "fast_open_nonblocking", .run = fast_open_nonblocking },
	{ .name = "fast_open_refused", .run = fast_open_refused },
	{ .name = "fast_open_refused_when_bound", .run = fast_open_refused_when_bound },
	{ .name = "fast_open_range_used_up",
	  .run = fast_open_range_used_up,
	  .range = { 40000, 40000 } },
	{ .name = "fast_open_connect_option", .run = fast_open_connect_option },
	{ .name = "fast_open_put_off_and_closed", .run = fast_open_put_off_and_closed },
	{ .name = 0 },
};
