// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about calls that fail, and about ports that run out. */
#include <errno.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/live/scenarios.h"

#define SERVER_PORT	5000 /* in a namespace of one's own */
#define NOBODY		65534
#define PRIVILEGED_PORT 81

static void bind_taken_port(void)
{
	struct sock *holder = sock_new("holder");
	struct sock *late = sock_new("late");
	int port = scenario_free_port();

	sock_bind(holder, LOOPBACK, port, OK);
	sock_listen(holder, 8, OK);
	sock_bind(late, LOOPBACK, port, EADDRINUSE);
	sock_close(late);
	sock_close(holder);
}

static void bind_taken_then_another(void)
{
	struct sock *holder = sock_new("holder");
	struct sock *late = sock_new("late");
	int port = scenario_free_port();

	sock_bind(holder, ANYWHERE, port, OK);
	sock_bind(late, LOOPBACK, port, EADDRINUSE);
	sock_bind(late, LOOPBACK, scenario_free_port(), OK);
	sock_close(late);
	sock_close(holder);
}

/* The first port stays: a socket is bound once. */
static void bind_twice(void)
{
	struct sock *s = sock_new("s");

	sock_bind(s, LOOPBACK, scenario_free_port(), OK);
	sock_bind(s, LOOPBACK, scenario_free_port(), EINVAL);
	sock_listen(s, 8, OK);
	sock_close(s);
}

static void bind_foreign_address(void)
{
	struct sock *s = sock_new("s");

	sock_bind(s, FOREIGN, scenario_free_port(), EADDRNOTAVAIL);
	sock_close(s);
}

static void bind_privileged_port(void)
{
	struct sock *s = sock_new("s");

	if (seteuid(NOBODY))
		scenario_fail("cannot give up privileges");
	sock_bind(s, LOOPBACK, PRIVILEGED_PORT, EACCES);
	if (seteuid(0))
		scenario_fail("cannot take privileges back");
	sock_close(s);
}

/* --- refused by a security module, before the protocol is asked ----------------------------- */

#define LANDLOCK_VERSION (1 << 0) /* LANDLOCK_CREATE_RULESET_VERSION */
#define LANDLOCK_NET_ABI 4	  /* Linux 6.7 */
#define LANDLOCK_NET	 3	  /* LANDLOCK_ACCESS_NET_BIND_TCP, _CONNECT_TCP */

/* From now on this program may neither bind nor connect sockets of TCP. */
static void forbid_ports(void)
{
	struct {
		uint64_t files, net;
	} handled = { .net = LANDLOCK_NET };
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_VERSION);
	long rules;

	if (abi < LANDLOCK_NET_ABI)
		scenario_skip("no Landlock for TCP: %s", abi < 0 ? strerrorname_np(errno) : "old");
	rules = syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);
	if (rules < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    syscall(SYS_landlock_restrict_self, rules, 0))
		scenario_fail("Landlock: %s", strerrorname_np(errno));
	close((int)rules);
}

static void denied_by_landlock(void)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");
	struct sock *udp = sock_new_udp("udp");

	sock_bind(server, LOOPBACK, scenario_free_port(), OK);
	sock_listen(server, 8, OK);
	forbid_ports();
	sock_bind_denied(client, LOOPBACK, scenario_free_port(), EACCES);
	sock_bind_denied(client, ANYWHERE, 0, EACCES);
	sock_connect(client, LOOPBACK, sock_port(server), EACCES);
	sock_bind(udp, LOOPBACK, 0, OK);
	sock_close(udp);
	sock_close(client);
	sock_close(server);
}

static void connect_refused(void)
{
	struct sock *client = sock_new("client");

	sock_connect(client, LOOPBACK, scenario_free_port(), ECONNREFUSED);
	sock_close(client);
}

/* A port that bind() named is kept through a refusal. */
static void bind_refused_connect_again(void)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");

	sock_listen(server, 8, OK);
	sock_bind(client, LOOPBACK, scenario_free_port(), OK);
	sock_connect(client, LOOPBACK, scenario_free_port(), ECONNREFUSED);
	sock_connect(client, LOOPBACK, sock_port(server), OK);
	sock_close_pair(client, sock_accept(server, "conn"));
	sock_close(server);
}

/* A port that the kernel chose is not: the second connect() takes another one. */
static void bind_zero_refused_connect_again(void)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");

	sock_listen(server, 8, OK);
	sock_bind(client, LOOPBACK, 0, OK);
	sock_connect(client, LOOPBACK, scenario_free_port(), ECONNREFUSED);
	sock_connect(client, LOOPBACK, sock_port(server), OK);
	sock_close_pair(client, sock_accept(server, "conn"));
	sock_close(server);
}

static void nonblocking_connect(void)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");

	sock_listen(server, 8, OK);
	sock_nonblocking(client);
	sock_connect(client, LOOPBACK, sock_port(server), EINPROGRESS);
	sock_connect_outcome(client, OK);
	sock_close_pair(client, sock_accept(server, "conn"));
	sock_close(server);
}

static void nonblocking_connect_refused(void)
{
	struct sock *client = sock_new("client");

	sock_nonblocking(client);
	sock_connect(client, LOOPBACK, scenario_free_port(), EINPROGRESS);
	sock_connect_outcome(client, ECONNREFUSED);
	sock_close(client);
}

/* --- with two ports for everyone ------------------------------------------------------------ */

static void connect_range_used_up(void)
{
	struct sock *server = sock_new("server");
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");
	struct sock *third = sock_new("third");
	struct sock *conn1, *conn2;

	sock_bind(server, LOOPBACK, SERVER_PORT, OK);
	sock_listen(server, 8, OK);
	sock_connect(first, LOOPBACK, SERVER_PORT, OK);
	conn1 = sock_accept(server, "conn1");
	sock_connect(second, LOOPBACK, SERVER_PORT, OK);
	conn2 = sock_accept(server, "conn2");
	sock_connect(third, LOOPBACK, SERVER_PORT, EADDRNOTAVAIL);

	/* a reset leaves no TIME_WAIT: its port is free at once */
	sock_reset(first, conn1);
	sock_close(conn1);
	sock_connect(third, LOOPBACK, SERVER_PORT, OK);
	sock_close_pair(third, sock_accept(server, "conn3"));
	sock_close_pair(second, conn2);
	sock_close(server);
}

static void bind_range_used_up(void)
{
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");
	struct sock *third = sock_new("third");
	struct sock *server = sock_new("server");

	sock_bind(first, LOOPBACK, 0, OK);
	sock_bind(second, LOOPBACK, 0, OK);
	sock_bind(third, LOOPBACK, 0, EADDRINUSE);
	sock_listen(server, 8, EADDRINUSE);
	sock_close(server);
	sock_close(third);
	sock_close(second);
	sock_close(first);
}

/* Two sockets share a port that both named; the peer tells them apart, so not the same one twice.
 */
static void connect_same_tuple(void)
{
	struct sock *server = sock_new("server");
	struct sock *first = sock_new("first");
	struct sock *second = sock_new("second");
	int port = scenario_free_port();

	sock_listen(server, 8, OK);
	sock_reuse_address(first);
	sock_reuse_address(second);
	sock_bind(first, LOOPBACK, port, OK);
	sock_bind(second, LOOPBACK, port, OK);
	sock_connect(first, LOOPBACK, sock_port(server), OK);
	sock_connect(second, LOOPBACK, sock_port(server), EADDRNOTAVAIL);
	sock_close(second);
	sock_close_pair(first, sock_accept(server, "conn"));
	sock_close(server);
}

const struct scenario failure_scenarios[] = {
	{ .name = "bind_taken_port", .run = bind_taken_port },
	{ .name = "bind_taken_then_another", .run = bind_taken_then_another },
	{ .name = "bind_twice", .run = bind_twice },
	{ .name = "bind_foreign_address", .run = bind_foreign_address },
	{ .name = "bind_privileged_port", .run = bind_privileged_port, .range = { 40000, 40999 } },
	{ .name = "denied_by_landlock", .run = denied_by_landlock },
	{ .name = "connect_refused", .run = connect_refused },
	{ .name = "bind_refused_connect_again", .run = bind_refused_connect_again },
	{ .name = "bind_zero_refused_connect_again", .run = bind_zero_refused_connect_again },
	{ .name = "nonblocking_connect", .run = nonblocking_connect },
	{ .name = "nonblocking_connect_refused", .run = nonblocking_connect_refused },
	{ .name = "connect_range_used_up",
	  .run = connect_range_used_up,
	  .range = { 40000, 40001 } },
	{ .name = "bind_range_used_up", .run = bind_range_used_up, .range = { 40000, 40001 } },
	{ .name = "connect_same_tuple", .run = connect_same_tuple },
	{ .name = 0 },
};
