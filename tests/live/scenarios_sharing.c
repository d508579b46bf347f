// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about TCP ports with several owners, and about who keeps them taken. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tests/live/scenarios.h"

#define PORT	   5000
#define OTHER_PORT 5001

static struct sock *listener(const char *tag, enum place place, int port)
{
	struct sock *s = sock_new(tag);

	sock_bind(s, place, port, OK);
	sock_listen(s, 8, OK);
	return s;
}

/* One port for everyone: connections to different peers share it, to the same one they cannot. */
static void share_by_peers(void)
{
	struct sock *server = listener("server", LOOPBACK, PORT);
	struct sock *other = listener("other", LOOPBACK, OTHER_PORT);
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");
	struct sock *third = sock_new("third");
	struct sock *conn1, *conn2;

	sock_connect(first, LOOPBACK, PORT, OK);
	conn1 = sock_accept(server, "conn1");
	sock_connect(second, LOOPBACK, OTHER_PORT, OK);
	conn2 = sock_accept(other, "conn2");
	sock_connect(third, LOOPBACK, PORT, EADDRNOTAVAIL);
	sock_close(third);
	sock_close_pair(conn1, first);
	sock_close_pair(conn2, second);
	sock_close(server);
	sock_close(other);
}

/* A port that bind() took is not shared by the kernel's own choice. */
static void bound_port_is_not_shared(void)
{
	struct sock *server = listener("server", LOOPBACK, PORT);
	struct sock *bound = sock_new("bound");
	struct sock *client = sock_new("client");

	sock_bind(bound, LOOPBACK, 0, OK);
	sock_connect(client, LOOPBACK, PORT, EADDRNOTAVAIL);
	sock_close(bound);
	sock_connect(client, LOOPBACK, PORT, OK);
	sock_close_pair(sock_accept(server, "conn"), client);
	sock_close(server);
}

/* ... and bind(0) takes none that connect() has. */
static void connected_port_is_not_bound(void)
{
	struct sock *server = listener("server", LOOPBACK, PORT);
	struct sock *client = sock_new("client");
	struct sock *bound = sock_new("bound");
	struct sock *conn;

	sock_connect(client, LOOPBACK, PORT, OK);
	conn = sock_accept(server, "conn");
	sock_bind(bound, LOOPBACK, 0, EADDRINUSE);
	sock_reset(conn, client);
	sock_bind(bound, LOOPBACK, 0, OK);
	sock_close(bound);
	sock_close(client);
	sock_close(server);
}

static void two_addresses(void)
{
	struct sock *first = listener("first", LOOPBACK, PORT);
	struct sock *second = listener("second", SECOND, PORT);

	sock_close(first);
	sock_close(second);
}

static void two_addresses_and_anywhere(void)
{
	struct sock *first = listener("first", LOOPBACK, PORT);
	struct sock *all = sock_new("all");

	sock_bind(all, ANYWHERE, PORT, EADDRINUSE);
	sock_close(first);
	sock_bind(all, ANYWHERE, PORT, OK);
	sock_listen(all, 8, OK);
	sock_close(all);
}

/* Both families have the same ports; a listener on one alone leaves the other. */
static void both_families(void)
{
	struct sock *six = sock_new_of("six", AF_INET6);
	struct sock *four = sock_new_of("four", AF_INET);

	sock_set(six, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	sock_bind(six, ANYWHERE, PORT, OK);
	sock_bind(four, ANYWHERE, PORT, OK);
	sock_listen(six, 8, OK);
	sock_listen(four, 8, OK);
	sock_close(six);
	sock_close(four);
}

static void reuse_port_three(void)
{
	struct sock *all[3] = { sock_new("first"), sock_new("second"), sock_new("third") };

	for (int i = 0; i < 3; i++) {
		sock_reuse_port(all[i]);
		sock_bind(all[i], ANYWHERE, PORT, OK);
		sock_listen(all[i], 8, OK);
	}
	for (int i = 0; i < 3; i++)
		sock_close(all[i]);
}

/* Two may bind, one may listen: the check at listen() fails, the port stays. */
static void listen_fails_on_bound_port(void)
{
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");

	sock_reuse_address(first);
	sock_reuse_address(second);
	sock_bind(first, ANYWHERE, PORT, OK);
	sock_bind(second, ANYWHERE, PORT, OK);
	sock_listen(first, 8, OK);
	sock_listen(second, 8, EADDRINUSE);
	sock_close(first);
	sock_listen(second, 8, OK);
	sock_close(second);
}

/* --- who keeps it taken -------------------------------------------------------------------------
 */

static void child_keeps_port(void)
{
	struct sock *server = listener("server", LOOPBACK, PORT);
	struct sock *client = sock_new("client");
	struct sock *next = sock_new("next");
	struct sock *conn;

	sock_connect(client, LOOPBACK, PORT, OK);
	conn = sock_accept(server, "conn");
	sock_close(server);
	sock_bind(next, LOOPBACK, PORT, EADDRINUSE);
	sock_reset(conn, client);
	sock_bind(next, LOOPBACK, PORT, OK);
	sock_close(next);
	sock_close(client);
}

static void sharer_keeps_port(void)
{
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");
	struct sock *plain = sock_new("plain");

	sock_reuse_address(first);
	sock_reuse_address(second);
	sock_bind(first, LOOPBACK, PORT, OK);
	sock_bind(second, LOOPBACK, PORT, OK);
	sock_close(first);
	sock_bind(plain, LOOPBACK, PORT, EADDRINUSE);
	sock_close(second);
	sock_bind(plain, LOOPBACK, PORT, OK);
	sock_close(plain);
}

/* With SO_REUSEADDR on both, a new listener may come while connections of the old one live. */
static void listener_beside_child(void)
{
	struct sock *server = sock_new("server");
	struct sock *next = sock_new("next");
	struct sock *client = sock_new("client");
	struct sock *conn;

	sock_reuse_address(server);
	sock_reuse_address(next);
	sock_bind(server, LOOPBACK, PORT, OK);
	sock_listen(server, 8, OK);
	sock_connect(client, LOOPBACK, PORT, OK);
	conn = sock_accept(server, "conn");
	sock_close(server);
	sock_bind(next, LOOPBACK, PORT, OK);
	sock_listen(next, 8, OK);
	sock_close_pair(client, conn);
	sock_close(next);
}

const struct scenario sharing_scenarios[] = {
	{ .name = "share_by_peers", .run = share_by_peers, .range = { 40000, 40000 } },
	{ .name = "bound_port_is_not_shared",
	  .run = bound_port_is_not_shared,
	  .range = { 40000, 40000 } },
	{ .name = "connected_port_is_not_bound",
	  .run = connected_port_is_not_bound,
	  .range = { 40000, 40000 } },
	{ .name = "two_addresses", .run = two_addresses, .two_addresses = true },
	{ .name = "two_addresses_and_anywhere", .run = two_addresses_and_anywhere },
	{ .name = "both_families", .run = both_families, .only_inet6 = true },
	{ .name = "reuse_port_three", .run = reuse_port_three },
	{ .name = "listen_fails_on_bound_port", .run = listen_fails_on_bound_port },
	{ .name = "child_keeps_port", .run = child_keeps_port },
	{ .name = "sharer_keeps_port", .run = sharer_keeps_port },
	{ .name = "listener_beside_child", .run = listener_beside_child },
	{ .name = 0 },
};
