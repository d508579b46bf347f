// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about who acts: threads, children, a process that ends, a call that hangs. */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/live/scenarios.h"

#define PORT	5000
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
		sock_await_end(conn);
		sock_close(conn);
		sock_close(server);
		_exit(0);
	}
	sock_drop(server);
	turn_give(turn.parent_moved);
	turn_await(turn.child_moved);
	sock_close_first(client);
	turn_give(turn.parent_moved);
	scenario_await(child);
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
	scenario_await(child);
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

/* --- a call that does not come to its end ----------------------------------------------------- */

struct attempt {
	struct sock *s;
	int port;
};

static void connect_and_hang(void *arg)
{
	const struct attempt *attempt = arg;

	sock_connect_silently(attempt->s, LOOPBACK, attempt->port);
}

static void *hang_in_thread(void *arg)
{
	connect_and_hang(arg);
	return NULL;
}

/* A listener whose queue is full. */
static struct sock *full_server(struct sock **first)
{
	struct sock *server = sock_new("server");

	*first = sock_new("first");
	sock_listen(server, 0, OK);
	sock_connect(*first, LOOPBACK, sock_port(server), OK);
	return server;
}

/* Another thread closes the descriptor meanwhile: the socket lives until connect() is back. */
static void closed_during_connect(void)
{
	struct sock *first;
	struct sock *server = full_server(&first);
	struct attempt attempt = { .s = sock_new("hanging"), .port = sock_port(server) };
	pthread_t thread;
	int port;

	sock_send_timeout(attempt.s, 1);
	if (pthread_create(&thread, NULL, hang_in_thread, &attempt))
		scenario_fail("cannot create a thread");
	port = scenario_await_attempt(attempt.port);
	sock_drop(attempt.s);
	pthread_join(thread, NULL);
	sock_ended_in_connect(attempt.s, getpid(), LOOPBACK, port, attempt.port);
	sock_close_pair(first, sock_accept(server, "conn"));
	sock_close(server);
}

/* The kernel ends what the process began; nobody is left to say what connect() returned. */
static void killed_in_connect(void)
{
	struct sock *first;
	struct sock *server = full_server(&first);
	struct attempt attempt = { .s = sock_new("hanging"), .port = sock_port(server) };
	int port, status;
	pid_t child;

	child = scenario_child(connect_and_hang, &attempt);
	port = scenario_await_attempt(attempt.port);
	sock_drop(attempt.s);
	if (kill(child, SIGKILL) || waitpid(child, &status, 0) != child)
		scenario_fail("cannot kill the child");
	sock_ended_in_connect(attempt.s, child, LOOPBACK, port, attempt.port);
	sock_close_pair(first, sock_accept(server, "conn"));
	sock_close(server);
}

/* --- two network namespaces ------------------------------------------------------------------ */

/* A socket stays where it was made, wherever the process is when it calls. */
static void two_namespaces(void)
{
	int here = scenario_netns(), there;
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");
	struct sock *far_server, *far_client, *far_conn;

	there = scenario_new_netns();
	far_server = sock_new("far_server");
	far_client = sock_new("far_client");
	sock_bind(far_server, LOOPBACK, PORT, OK);
	sock_bind(server, LOOPBACK, PORT, OK);
	sock_listen(server, 8, OK);
	scenario_enter_netns(here);
	sock_listen(far_server, 8, OK);
	sock_connect(far_client, LOOPBACK, PORT, OK);
	sock_connect(client, LOOPBACK, PORT, OK);
	far_conn = sock_accept(far_server, "far_conn");
	scenario_enter_netns(there);
	sock_close_pair(client, sock_accept(server, "conn"));
	sock_close_pair(far_client, far_conn);
	sock_close(server);
	sock_close(far_server);
}

static void two_namespaces_udp(void)
{
	struct sock *near = sock_new_udp("near");
	struct sock *far;

	scenario_new_netns();
	far = sock_new_udp("far");
	sock_bind(far, LOOPBACK, PORT, OK);
	sock_bind(near, LOOPBACK, PORT, OK);
	sock_close(near);
	sock_close(far);
}

const struct scenario process_scenarios[] = {
	{ .name = "threads", .run = threads },
	{ .name = "child_accepts", .run = child_accepts },
	{ .name = "closed_by_exit", .run = closed_by_exit },
	{ .name = "connect_hangs", .run = connect_hangs },
	{ .name = "closed_during_connect", .run = closed_during_connect },
	{ .name = "killed_in_connect", .run = killed_in_connect },
	{ .name = "two_namespaces", .run = two_namespaces },
	{ .name = "two_namespaces_udp", .run = two_namespaces_udp },
	{ .name = 0 },
};
