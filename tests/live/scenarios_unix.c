// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about AF_UNIX and AF_NETLINK. */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "tests/live/scenarios_steps.h"

#define PORTID 0x70000000U

static char path_text[64];

/* A path of this process's own; gone at the end of the scenario only if it is unlinked. */
static struct address path_new(void)
{
	snprintf(path_text, sizeof(path_text), "/tmp/portlife-%d.sock", getpid());
	unlink(path_text);
	return step_unix(path_text);
}

/* Abstract names are of the network namespace, which is the scenario's own. */
static struct address name_new(void)
{
	return step_unix("@portlife");
}

static struct sock *stream_new(const char *tag)
{
	return step_new(tag, AF_UNIX, SOCK_STREAM, 0);
}

static struct sock *datagram_new(const char *tag)
{
	return step_new(tag, AF_UNIX, SOCK_DGRAM, 0);
}

/* Without it a client of AF_UNIX gets no name. */
static void pass_credentials(struct sock *s)
{
	sock_set(s, SOL_SOCKET, SO_PASSCRED, 1);
}

static void unix_bind_path(void)
{
	struct sock *s = datagram_new("s");

	step_bind(s, path_new(), false, OK);
	step_close(s);
	unlink(path_text);
}

static void unix_bind_abstract(void)
{
	struct sock *s = stream_new("s");

	step_bind(s, name_new(), false, OK);
	step_close(s);
}

static void unix_autobind(void)
{
	struct sock *s = stream_new("s");

	step_bind(s, step_unix_unnamed(), true, OK);
	step_close(s);
}

/* A file stays behind when its socket is gone, and is in the way. */
static void unix_bind_taken_path(void)
{
	struct address path = path_new();
	struct sock *holder = stream_new("holder");
	struct sock *late = stream_new("late");

	step_bind(holder, path, false, OK);
	step_bind(late, path, false, EADDRINUSE);
	step_close(holder);
	step_bind(late, path, false, EADDRINUSE);
	unlink(path_text);
	step_bind(late, path, false, OK);
	step_close(late);
	unlink(path_text);
}

static void unix_bind_taken_name(void)
{
	struct sock *holder = stream_new("holder");
	struct sock *late = stream_new("late");

	step_bind(holder, name_new(), false, OK);
	step_bind(late, name_new(), false, EADDRINUSE);
	step_close(holder);
	step_bind(late, name_new(), false, OK);
	step_close(late);
}

static void unix_bind_twice(void)
{
	struct sock *s = stream_new("s");

	step_bind(s, name_new(), false, OK);
	step_bind(s, step_unix("@portlife-2"), false, EINVAL);
	step_close(s);
}

/* The client has no name, and needs none. */
static void unix_stream(void)
{
	struct sock *server = stream_new("server");
	struct sock *client = stream_new("client");

	step_bind(server, name_new(), false, OK);
	step_listen(server, OK);
	step_connect(client, name_new(), OK);
	step_close(step_accept(server, "conn"));
	step_close(client);
	step_close(server);
}

static void unix_connect_named(void)
{
	struct sock *server = stream_new("server");
	struct sock *client = stream_new("client");

	step_bind(server, name_new(), false, OK);
	step_listen(server, OK);
	pass_credentials(client);
	step_connect(client, name_new(), OK);
	step_close(step_accept(server, "conn"));
	step_close(client);
	step_close(server);
}

static void unix_datagram_connect(void)
{
	struct sock *server = datagram_new("server");
	struct sock *client = datagram_new("client");

	step_bind(server, name_new(), false, OK);
	pass_credentials(client);
	step_connect(client, name_new(), OK);
	step_disconnect(client, false);
	step_close(client);
	step_close(server);
}

static void unix_send(void)
{
	struct sock *server = datagram_new("server");
	struct sock *client = datagram_new("client");

	step_bind(server, name_new(), false, OK);
	pass_credentials(client);
	step_send(client, name_new(), "x", 1, OK);
	step_send(client, name_new(), "x", 1, OK);
	step_close(client);
	step_close(server);
}

static void unix_connect_refused(void)
{
	struct sock *s = stream_new("s");

	step_connect(s, name_new(), ECONNREFUSED);
	step_connect(s, path_new(), ENOENT);
	step_close(s);
}

/* --- netlink -------------------------------------------------------------------------------------
 */

static struct sock *netlink_new(const char *tag)
{
	return step_new(tag, AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
}

static void netlink_bind(void)
{
	struct sock *s = netlink_new("s");

	step_bind(s, step_netlink(PORTID), false, OK);
	step_close(s);
}

static void netlink_bind_zero(void)
{
	struct sock *first = netlink_new("first");
	struct sock *second = netlink_new("second");

	step_bind(first, step_netlink(0), true, OK);
	step_bind(second, step_netlink(0), true, OK);
	step_close(second);
	step_close(first);
}

static void netlink_connect(void)
{
	struct sock *s = netlink_new("s");

	step_connect(s, step_netlink(0), OK);
	step_close(s);
}

static void netlink_send(void)
{
	struct nlmsghdr nothing = { .nlmsg_len = sizeof(nothing), .nlmsg_type = NLMSG_NOOP };
	struct sock *s = netlink_new("s");

	step_send(s, step_netlink(0), &nothing, sizeof(nothing), OK);
	step_close(s);
}

static void netlink_bind_taken(void)
{
	struct sock *holder = netlink_new("holder");
	struct sock *late = netlink_new("late");

	step_bind(holder, step_netlink(PORTID), false, OK);
	step_bind(late, step_netlink(PORTID), false, EADDRINUSE);
	step_close(late);
	step_close(holder);
}

const struct scenario unix_scenarios[] = {
	{ .name = "unix_bind_path", .run = unix_bind_path, .only_inet = true },
	{ .name = "unix_bind_abstract", .run = unix_bind_abstract, .only_inet = true },
	{ .name = "unix_autobind", .run = unix_autobind, .only_inet = true },
	{ .name = "unix_bind_taken_path", .run = unix_bind_taken_path, .only_inet = true },
	{ .name = "unix_bind_taken_name", .run = unix_bind_taken_name, .only_inet = true },
	{ .name = "unix_bind_twice", .run = unix_bind_twice, .only_inet = true },
	{ .name = "unix_stream", .run = unix_stream, .only_inet = true },
	{ .name = "unix_connect_named", .run = unix_connect_named, .only_inet = true },
	{ .name = "unix_datagram_connect", .run = unix_datagram_connect, .only_inet = true },
	{ .name = "unix_send", .run = unix_send, .only_inet = true },
	{ .name = "unix_connect_refused", .run = unix_connect_refused, .only_inet = true },
	{ .name = "netlink_bind", .run = netlink_bind, .only_inet = true },
	{ .name = "netlink_bind_zero", .run = netlink_bind_zero, .only_inet = true },
	{ .name = "netlink_connect", .run = netlink_connect, .only_inet = true },
	{ .name = "netlink_send", .run = netlink_send, .only_inet = true },
	{ .name = "netlink_bind_taken", .run = netlink_bind_taken, .only_inet = true },
	{ .name = 0 },
};
