// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * exhaustion: a network namespace in which every port of the range has a connection to one peer.
 * For each line that it reads, `connect COUNT` or `bind COUNT`, it makes that many more connections
 * to that peer, or sockets with bind(0), which must all be refused after the whole range has been
 * gone through, and prints how many nanoseconds one took.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SERVER_PORT 5000
#define RANGE_LO    32768
#define RANGE_HI    60999
#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 /* 6.3 */
#endif

static struct sockaddr_in server = { .sin_family = AF_INET };

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int new_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

static void set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err(1, "%s", path);
	close(fd);
}

static void enter_namespace(void)
{
	struct rlimit files;
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	int fd;

	getrlimit(RLIMIT_NOFILE, &files);
	if (files.rlim_max < 40000)
		files.rlim_max = 40000;
	files.rlim_cur = files.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &files) || unshare(CLONE_NEWNET))
		err(1, "a network namespace");
	fd = new_socket();
	if (ioctl(fd, SIOCSIFFLAGS, &lo))
		err(1, "lo");
	close(fd);
	set("/proc/sys/net/ipv4/ip_local_port_range", "32768 60999");
	set("/proc/sys/net/core/somaxconn", "65535");
	set("/proc/sys/net/ipv4/tcp_max_syn_backlog", "65535");
}

/*
 * One more connection; 0 or the errno. The socket is kept if it has got a port. port: narrows the
 * range to that one, where the kernel can (else filling the range takes a search through half of
 * it for each of the last 14,000); 0: leaves it.
 */
static int attempt_connect(uint32_t port)
{
	int fd = new_socket(), error = 0;
	uint32_t range = port << 16 | port;

	if (port)
		setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof(range));
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)))
		error = errno;
	if (error)
		close(fd);
	return error;
}

static int attempt_bind(void)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = server.sin_addr };
	int fd = new_socket(), error = 0;

	if (bind(fd, (struct sockaddr *)&any, sizeof(any)))
		error = errno;
	close(fd);
	return error;
}

static unsigned long fill(void)
{
	int fd = new_socket();
	unsigned long used = 0;

	server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server.sin_port = htons(SERVER_PORT);
	if (bind(fd, (struct sockaddr *)&server, sizeof(server)) || listen(fd, 65535))
		err(1, "server");
	for (uint32_t port = RANGE_LO; port <= RANGE_HI; port++)
		used += !attempt_connect(port);
	while (!attempt_connect(0))
		used++;
	return used;
}

int main(void)
{
	unsigned long count;
	char what[16];

	enter_namespace();
	printf("%lu\n", fill());
	fflush(stdout);
	while (scanf("%15s %lu", what, &count) == 2 && count) {
		int binds = !strcmp(what, "bind");
		uint64_t start_ns = now_ns();

		for (unsigned long n = 0; n < count; n++) {
			int error = binds ? attempt_bind() : attempt_connect(0);

			if (error != (binds ? EADDRINUSE : EADDRNOTAVAIL))
				errx(1, "%s: %s", what, strerror(error));
		}
		printf("%llu\n", (unsigned long long)((now_ns() - start_ns) / count));
		fflush(stdout);
	}
	return 0;
}
