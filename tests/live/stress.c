// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * stress THREADS OPERATIONS LOG: threads bind, connect, replace and close the same few descriptors,
 * in a network namespace of their own, so that a call may end on another socket than it began
 * with. Every bind() and connect() has an address of its own, 127.X.HIGH.LOW, where X is the
 * thread, plus 8 for each 65536 operations, plus 128 for connect(); so whoever reports it with
 * another outcome, thread or address has mixed things up. The outcomes are in LOG. Without
 * OPERATIONS (0) it goes on, at leisure, until it is killed.
 *
 * Prints "spaces INUM 0", then "done"; a line on stdin has it close all and print what the kernel
 * still has, as the workload of the oracle does.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/oracle/oracle.h"

#define SHARED_FIRST   100 /* descriptors */
#define SHARED	       6
#define BOUND_PORT     20000
#define MARKER_PORT    62000
#define CONNECT_BASE   128
#define THREADS_MAX    7
#define LEISURE_NS     50000
#define OPERATIONS_MAX (15 << 16)

struct worker {
	unsigned int number;
	unsigned int operations;
	uint32_t random;
	FILE *log;
};

static uint16_t listener_port;

uint64_t clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static unsigned int draw(struct worker *w, unsigned int below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 17;
	w->random ^= w->random << 5;
	return w->random % below;
}

static struct sockaddr_in address(unsigned int second, unsigned int index, uint16_t port)
{
	uint32_t addr = 127U << 24 | (second + 8 * (index >> 16)) << 16 | (index & 0xffff);

	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons(port),
				     .sin_addr.s_addr = htonl(addr) };
}

static void *acceptor(void *arg)
{
	int fd = *(int *)arg;

	for (;;) {
		struct linger linger = { .l_onoff = 1 };
		int child = accept4(fd, NULL, NULL, SOCK_CLOEXEC);

		if (child < 0)
			return NULL;
		setsockopt(child, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
		close(child);
	}
}

static void replace(int fd)
{
	struct linger linger = { .l_onoff = 1 };
	int fresh = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fresh < 0)
		err(1, "socket");
	setsockopt(fresh, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	dup2(fresh, fd);
	close(fresh);
}

static void operate(struct worker *w, unsigned int index)
{
	int fd = SHARED_FIRST + (int)draw(w, SHARED);
	struct sockaddr_in a;
	int result;

	switch (draw(w, 8)) {
	case 0:
		close(fd);
		return;
	case 1:
	case 2:
		replace(fd);
		return;
	case 3:
	case 4:
	case 5:
		a = address(w->number, index, BOUND_PORT);
		result = bind(fd, (struct sockaddr *)&a, sizeof(a));
		break;
	default:
		a = address(CONNECT_BASE + w->number, index, listener_port);
		result = connect(fd, (struct sockaddr *)&a, sizeof(a));
	}
	fprintf(w->log, "%s %s %d %s\n", a.sin_port == htons(BOUND_PORT) ? "bind" : "connect",
		inet_ntoa(a.sin_addr), gettid(), result ? strerrorname_np(errno) : "0");
}

static void *work(void *arg)
{
	struct timespec leisure = { .tv_nsec = LEISURE_NS };
	struct worker *w = arg;

	for (unsigned int i = 0; i < (w->operations ? w->operations : OPERATIONS_MAX); i++) {
		operate(w, i);
		if (!w->operations)
			nanosleep(&leisure, NULL);
	}
	return NULL;
}

static void make_world(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd;

	if (unshare(CLONE_NEWNET))
		err(1, "a network namespace");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request))
		err(1, "lo");
	close(fd);
}

static uint32_t world_inum(void)
{
	struct stat status;

	if (stat("/proc/self/ns/net", &status))
		err(1, "/proc/self/ns/net");
	return (uint32_t)status.st_ino;
}

static int start_listener(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || listen(fd, 4096) || getsockname(fd, (struct sockaddr *)&a, &len))
		err(1, "listen");
	listener_port = ntohs(a.sin_port);
	return fd;
}

static bool known(uint64_t cookie)
{
	return cookie != 0;
}

static void mark(uint32_t inum)
{
	struct sockaddr_in a = address(0, 1, MARKER_PORT);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)))
		err(1, "the marker");
	close(fd);
	printf("marker %u %u\n", inum, MARKER_PORT);
}

/* What is left when all descriptors but the listener's are closed and all is at rest. */
static void tell_kernel(int listener)
{
	struct timespec pause = { .tv_nsec = 100000000 };
	struct kernel_table table = { 0 };
	uint32_t inum = world_inum();
	int diag = kernel_open();

	for (int i = 0; i < SHARED; i++)
		close(SHARED_FIRST + i);
	shutdown(listener, SHUT_RDWR);
	close(listener);
	nanosleep(&pause, NULL);
	mark(inum);
	while (kernel_dump(diag, inum, IPPROTO_TCP, &table))
		table.len = 0;
	kernel_print(&table, known);
	printf("end\n");
}

static struct worker *start_workers(unsigned int threads, unsigned int operations, FILE *log,
				    pthread_t *ids)
{
	struct worker *workers = calloc(threads, sizeof(*workers));

	if (!workers)
		err(1, "memory");
	for (unsigned int i = 0; i < threads; i++) {
		workers[i] = (struct worker){ .number = i + 1,
					      .operations = operations,
					      .random = 2463534242U + i * 977,
					      .log = log };
		if (pthread_create(&ids[i], NULL, work, &workers[i]))
			errx(1, "a thread");
	}
	return workers;
}

int main(int argc, char **argv)
{
	unsigned int threads = argc == 4 ? (unsigned int)strtoul(argv[1], NULL, 10) : 0;
	unsigned int operations = argc == 4 ? (unsigned int)strtoul(argv[2], NULL, 10) : 0;
	pthread_t ids[THREADS_MAX], helper;
	struct worker *workers;
	int listener;
	FILE *log;

	if (!threads || threads > THREADS_MAX || operations > OPERATIONS_MAX) {
		fprintf(stderr, "usage: stress THREADS OPERATIONS LOG\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	make_world();
	log = fopen(argv[3], "we");
	if (!log)
		err(1, "%s", argv[3]);
	printf("spaces %u 0\n", world_inum());
	fflush(stdout);
	listener = start_listener();
	if (pthread_create(&helper, NULL, acceptor, &listener))
		errx(1, "a thread");
	workers = start_workers(threads, operations, log, ids);
	for (unsigned int i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	free(workers);
	fclose(log);
	printf("done\n");
	fflush(stdout);
	if (getchar() != EOF)
		tell_kernel(listener);
	return 0;
}
