// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * operations connect|bind|send COUNT: one thing a program does with a port, over and over, and how
 * long one took: connect + accept + close, bind(0) + close, or a first send on a UDP socket +
 * close.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static struct sockaddr_in loopback = { .sin_family = AF_INET };

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int new_socket(int type)
{
	int fd = socket(AF_INET, type, 0);

	if (fd < 0)
		err(1, "socket");
	return fd;
}

static void connect_cycle(int listener)
{
	/* a reset, so that no TIME_WAIT is left and the range lasts */
	static const struct linger reset = { 1, 0 };
	int client = new_socket(SOCK_STREAM), child;

	if (connect(client, (struct sockaddr *)&loopback, sizeof(loopback)))
		err(1, "connect");
	child = accept(listener, NULL, NULL);
	if (child < 0)
		err(1, "accept");
	setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	close(client);
	close(child);
}

static void bind_cycle(int unused)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr = loopback.sin_addr };
	int fd = new_socket(SOCK_STREAM);

	(void)unused;
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)))
		err(1, "bind");
	close(fd);
}

static void send_cycle(int unused)
{
	int fd = new_socket(SOCK_DGRAM);

	(void)unused;
	if (sendto(fd, "x", 1, 0, (struct sockaddr *)&loopback, sizeof(loopback)) != 1)
		err(1, "sendto");
	close(fd);
}

/* A socket of this type on loopback; its address is where the operations go. */
static int serve(int type)
{
	socklen_t len = sizeof(loopback);
	int fd = new_socket(type);

	if (bind(fd, (struct sockaddr *)&loopback, len) ||
	    (type == SOCK_STREAM && listen(fd, 16)) ||
	    getsockname(fd, (struct sockaddr *)&loopback, &len))
		err(1, "server");
	return fd;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int server;
		void (*run)(int server);
	} all[] = {
		{ "connect", SOCK_STREAM, connect_cycle },
		{ "bind", 0, bind_cycle },
		{ "send", SOCK_DGRAM, send_cycle },
	};
	unsigned long count = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

	loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (size_t i = 0; count && i < sizeof(all) / sizeof(all[0]); i++) {
		uint64_t start_ns;
		int server;

		if (strcmp(argv[1], all[i].name))
			continue;
		server = all[i].server ? serve(all[i].server) : -1;
		for (unsigned long n = 0; n < count / 10; n++) /* caches, the allocator */
			all[i].run(server);
		start_ns = now_ns();
		for (unsigned long n = 0; n < count; n++)
			all[i].run(server);
		printf("%llu\n", (unsigned long long)((now_ns() - start_ns) / count));
		return 0;
	}
	fprintf(stderr, "usage: operations connect|bind|send COUNT\n");
	return 2;
}
