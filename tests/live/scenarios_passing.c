// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about sockets that go from one process to another: the one who acts is told. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/scenarios.h"

#define PORT 5000

/* --- by SCM_RIGHTS ------------------------------------------------------------------------------
 */

union control {
	struct cmsghdr header;
	char space[CMSG_SPACE(sizeof(int))];
};

/* Gives the descriptor away: this process keeps none. */
static void give(int channel, struct sock *s)
{
	union control control = { .space = { 0 } };
	char byte = 0;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &s->fd, sizeof(int));
	if (sendmsg(channel, &message, 0) != 1)
		scenario_fail("cannot pass a descriptor");
	sock_drop(s);
	if (send(channel, &byte, 1, 0) != 1)
		scenario_fail("the other process is gone");
}

static int take(int channel)
{
	union control control;
	char byte;
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.space,
		.msg_controllen = sizeof(control.space),
	};
	int fd;

	if (recvmsg(channel, &message, MSG_CMSG_CLOEXEC) != 1 ||
	    control.header.cmsg_type != SCM_RIGHTS)
		scenario_fail("no descriptor has come");
	memcpy(&fd, CMSG_DATA(&control.header), sizeof(fd));
	if (recv(channel, &byte, 1, 0) != 1) /* this one is the last descriptor now */
		scenario_fail("the other process is gone");
	return fd;
}

static void channel_open(int channel[2])
{
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel))
		scenario_fail("cannot make a channel");
}

static void listen_on_taken(void *arg)
{
	const int *channel = arg;
	struct sock *server =
		sock_adopt("server", take(channel[1]), scenario_family(), SOCK_STREAM);

	sock_listen(server, 8, OK);
	sock_close(server);
}

static void passed_and_listening(void)
{
	int channel[2];
	pid_t child;

	channel_open(channel);
	child = scenario_child(listen_on_taken, channel);
	give(channel[0], sock_new("server"));
	scenario_await(child);
}

static void listen_on_taken_bound(void *arg)
{
	const int *channel = arg;
	struct sock *server =
		sock_adopt("server", take(channel[1]), scenario_family(), SOCK_STREAM);

	sock_know_port(server, "bind");
	sock_listen(server, 8, OK);
	sock_close(server);
}

static void passed_when_bound(void)
{
	struct sock *server;
	int channel[2];
	pid_t child;

	channel_open(channel);
	child = scenario_child(listen_on_taken_bound, channel);
	server = sock_new("server"); /* the child does not inherit it */
	sock_bind(server, LOOPBACK, PORT, OK);
	give(channel[0], server);
	scenario_await(child);
}

static void connect_taken(void *arg)
{
	const int *channel = arg;
	struct sock *client =
		sock_adopt("client", take(channel[1]), scenario_family(), SOCK_STREAM);

	sock_connect(client, LOOPBACK, PORT, OK);
	sock_close_first(client);
}

static void passed_and_connecting(void)
{
	struct sock *server = sock_new("server");
	struct sock *conn;
	int channel[2];
	pid_t child;

	sock_bind(server, LOOPBACK, PORT, OK);
	sock_listen(server, 8, OK);
	channel_open(channel);
	child = scenario_child(connect_taken, channel);
	give(channel[0], sock_new("client"));
	sock_await(server);
	conn = sock_accept(server, "conn");
	scenario_await(child);
	sock_await_end(conn);
	sock_close(conn);
	sock_close(server);
}

static void send_by_taken(void *arg)
{
	const int *channel = arg;
	struct sock *s = sock_adopt("s", take(channel[1]), scenario_family(), SOCK_DGRAM);

	sock_send(s, SENDTO, LOOPBACK, PORT, OK);
	sock_close(s);
}

static void passed_and_sending(void)
{
	int channel[2];
	pid_t child;

	channel_open(channel);
	child = scenario_child(send_by_taken, channel);
	give(channel[0], sock_new_udp("s"));
	scenario_await(child);
}

/* --- by exec ------------------------------------------------------------------------------------
 */

static void keep_over_exec(const struct sock *s)
{
	if (fcntl(s->fd, F_SETFD, 0))
		scenario_fail("cannot keep a descriptor over exec");
}

static void bind_and_exec(void *arg)
{
	struct sock *server = arg;

	sock_bind(server, LOOPBACK, 0, OK);
	keep_over_exec(server);
	scenario_exec(server->fd, sock_port(server));
}

static void listen_after_exec(int fd, int port)
{
	struct sock *server = sock_adopt("server", fd, scenario_family(), SOCK_STREAM);

	sock_know_port(server, "bind0");
	if (sock_port(server) != port)
		scenario_fail("another port after exec");
	sock_listen(server, 8, OK);
	sock_close(server);
}

static void inherited_over_exec(void)
{
	struct sock *server = sock_new("server");
	pid_t child = scenario_held_child(bind_and_exec, server);

	sock_drop(server);
	scenario_let_go();
	scenario_await(child);
}

static void exec_at_once(void *arg)
{
	struct sock *server = arg;

	keep_over_exec(server);
	scenario_exec(server->fd, 0);
}

static void bind_after_exec(int fd, int port)
{
	struct sock *server = sock_adopt("server", fd, scenario_family(), SOCK_STREAM);

	(void)port;
	sock_bind(server, LOOPBACK, PORT, OK);
	sock_listen(server, 8, OK);
	sock_close(server);
}

static void bound_after_exec(void)
{
	struct sock *server = sock_new("server");
	pid_t child = scenario_held_child(exec_at_once, server);

	sock_drop(server);
	scenario_let_go();
	scenario_await(child);
}

/* --- by fork ------------------------------------------------------------------------------------
 */

static void bind_and_listen(void *arg)
{
	struct sock *server = arg;

	sock_bind(server, LOOPBACK, PORT, OK);
	sock_listen(server, 8, OK);
	sock_drop(server);
}

/* The child does everything and is gone; the port stays with the parent's descriptor. */
static void bound_by_child(void)
{
	struct sock *server = sock_new("server");

	scenario_await(scenario_child(bind_and_listen, server));
	sock_know_port(server, "bind");
	sock_close(server);
}

static void close_last(void *arg)
{
	sock_close(arg);
}

static void closed_by_child(void)
{
	struct sock *server = sock_new("server");
	pid_t child;

	sock_bind(server, LOOPBACK, PORT, OK);
	sock_listen(server, 8, OK);
	child = scenario_held_child(close_last, server);
	sock_drop(server);
	scenario_let_go();
	scenario_await(child);
}

/* Two processes with one table of descriptors: what one opens, the other has. */
static void one_table_of_descriptors(void)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");
	struct sock *conn;
	pid_t child;

	sock_bind(server, LOOPBACK, PORT, OK);
	sock_listen(server, 8, OK);
	child = (pid_t)syscall(SYS_clone, CLONE_FILES | SIGCHLD, 0, 0, 0, 0);
	if (child < 0)
		scenario_fail("cannot clone");
	if (child == 0) {
		sock_connect(client, LOOPBACK, PORT, OK);
		sock_close_first(client);
		_exit(0);
	}
	scenario_await(child);
	if (fcntl(client->fd, F_GETFD) >= 0)
		scenario_fail("the child has a table of its own");
	conn = sock_accept(server, "conn");
	sock_await_end(conn);
	sock_close(conn);
	sock_close(server);
}

const struct scenario passing_scenarios[] = {
	{ .name = "passed_and_listening", .run = passed_and_listening },
	{ .name = "passed_when_bound", .run = passed_when_bound },
	{ .name = "passed_and_connecting", .run = passed_and_connecting },
	{ .name = "passed_and_sending", .run = passed_and_sending },
	{ .name = "inherited_over_exec",
	  .run = inherited_over_exec,
	  .after_exec = listen_after_exec },
	{ .name = "bound_after_exec", .run = bound_after_exec, .after_exec = bind_after_exec },
	{ .name = "bound_by_child", .run = bound_by_child },
	{ .name = "closed_by_child", .run = closed_by_child },
	{ .name = "one_table_of_descriptors", .run = one_table_of_descriptors },
	{ .name = 0 },
};
