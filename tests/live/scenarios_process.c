// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about who acts: threads, children, a process that ends, a call that hangs. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/scenarios.h"

#define THREADS 4

static const char *tag(char *buffer, const char *name, long number)
{
	snprintf(buffer, TAG_LEN, "%s%ld", name, number);
	return buffer;
}

static void *live_in_thread(void *arg)
{
	long number = (long)arg;
	char buffer[TAG_LEN];
	struct sock *server = sock_new(tag(buffer, "server", number));
	struct sock *client = sock_new(tag(buffer, "client", number));

	sock_listen(server, 8, OK);
	sock_connect(client, LOOPBACK, sock_port(server), OK);
	sock_close_pair(client, sock_accept(server, tag(buffer, "conn", number)));
	sock_close(server);
	return NULL;
}

static void threads(void)
{
	pthread_t all[THREADS];

	for (long i = 0; i < THREADS; i++)
		if (pthread_create(&all[i], NULL, live_in_thread, (void *)i))
			scenario_fail("cannot create a thread");
	for (int i = 0; i < THREADS; i++)
		pthread_join(all[i], NULL);
}

/* --- parent and child ------------------------------------------------------------------------ */

struct turn {
	int parent_moved[2];
	int child_moved[2];
};

static void turn_init(struct turn *t)
{
	if (pipe2(t->parent_moved, O_CLOEXEC) || pipe2(t->child_moved, O_CLOEXEC))
		scenario_fail("cannot create a pipe");
}

static void turn_give(const int moved[2])
{
	if (write(moved[1], "", 1) != 1)
		scenario_fail("the other process is gone");
}

static void turn_await(const int moved[2])
{
	char byte;

	if (read(moved[0], &byte, 1) != 1)
		scenario_fail("the other process is gone");
}

static void await_child(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || status)
		scenario_fail("the child did not end well");
}

/* The parent listens, the child accepts on the descriptor it inherited and closes last. */
static void child_accepts(void)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");
	struct turn turn;
	pid_t child;

	turn_init(&turn);
	sock_listen(server, 8, OK);
	sock_connect(client, LOOPBACK, sock_port(server), OK);
	child = fork();
	if (child == 0) {
		struct sock *conn;

		sock_drop(client);
		turn_await(turn.parent_moved);
		conn = sock_accept(server, "conn");
		turn_give(turn.child_moved);
		turn_await(turn.parent_moved); /* the client has closed */
		sock_close(conn);
		sock_close(server);
		_exit(0);
	}
	sock_drop(server);
	turn_give(turn.parent_moved);
	turn_await(turn.child_moved);
	sock_close_first(client);
	turn_give(turn.parent_moved);
	await_child(child);
}

static void closed_by_exit(void)
{
	pid_t child = fork();

	if (child == 0) {
		struct sock *server = sock_new("server");
		struct sock *bound = sock_new("bound");
		struct sock *client = sock_new("client");
		struct sock *conn;

		sock_bind(server, LOOPBACK, scenario_free_port(), OK);
		sock_listen(server, 8, OK);
		sock_bind(bound, LOOPBACK, 0, OK);
		sock_connect(client, LOOPBACK, sock_port(server), OK);
		conn = sock_accept(server, "conn");
		sock_leave_to_exit(bound, false);
		sock_leave_to_exit(client, true);
		sock_leave_to_exit(conn, true);
		sock_leave_to_exit(server, false);
		_exit(0);
	}
	await_child(child);
}

/* A queue of one is full after one: the second connect() gets no answer. */
static void connect_hangs(void)
{
	struct sock *server = sock_new("server");
	struct sock *first = sock_new("first");
	struct sock *hanging = sock_new("hanging");

	sock_listen(server, 0, OK);
	sock_connect(first, LOOPBACK, sock_port(server), OK);
	sock_connect_hanging(hanging, LOOPBACK, sock_port(server));
	sock_close(hanging);
	sock_close_pair(first, sock_accept(server, "conn"));
	sock_close(server);
}

const struct scenario process_scenarios[] = {
	{ .name = "threads", .run = threads },
	{ .name = "child_accepts", .run = child_accepts },
	{ .name = "closed_by_exit", .run = closed_by_exit },
	{ .name = "connect_hangs", .run = connect_hangs },
	{ .name = 0 },
};
