// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * loop CYCLES [4|6 [PAUSE]]: connects, accepts and closes in a tight loop over loopback and prints
 * how long that took. With PAUSE it stops after that many cycles and again at the end: it prints a
 * line and waits for one, so that a test can look around.
 */
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/*
 * A port of the range is free for the same destination again only when its TIME_WAIT is a second
 * old. Several destinations make the range last longer than that.
 */
#define LISTENERS 16

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

struct listener {
	struct address address;
	int fd;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static struct listener start_listener(int family)
{
	struct listener l = { .address = { .len = sizeof(struct sockaddr_in6) } };
	struct address *a = &l.address;

	l.fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (l.fd < 0 || listen(l.fd, 16) || getsockname(l.fd, &a->any, &a->len))
		err(1, "listen");
	if (family == AF_INET)
		a->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		a->in6.sin6_addr = in6addr_loopback;
	return l;
}

static void cycle(const struct listener *l, int family)
{
	int client = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int child;

	if (client < 0 || connect(client, &l->address.any, l->address.len))
		err(1, "connect");
	child = accept(l->fd, NULL, NULL);
	if (child < 0)
		err(1, "accept");
	close(client);
	close(child);
}

static void pause_for_a_line(const char *why)
{
	char line[16];

	printf("%s\n", why);
	fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		errx(1, "nobody says go on");
}

/* Returns 0 for anything but a positive number. */
static unsigned long parse_count(const char *text)
{
	char *end;
	unsigned long count = strtoul(text, &end, 10);

	return *end || *text == '-' ? 0 : count;
}

int main(int argc, char **argv)
{
	unsigned long cycles = argc > 1 ? parse_count(argv[1]) : 0;
	unsigned long pause_after = argc > 3 ? parse_count(argv[3]) : 0;
	bool six = argc > 2 && !strcmp(argv[2], "6");
	int family = six ? AF_INET6 : AF_INET;
	struct listener all[LISTENERS];
	uint64_t spent_ns = 0, start_ns;

	if (!cycles || argc > 4 || (argc > 2 && !six && strcmp(argv[2], "4") != 0) ||
	    (argc > 3 && !pause_after)) {
		fprintf(stderr, "usage: loop CYCLES [4|6 [PAUSE]]\n");
		return 2;
	}
	for (int i = 0; i < LISTENERS; i++)
		all[i] = start_listener(family);

	start_ns = now_ns();
	for (unsigned long i = 0; i < cycles; i++) {
		if (pause_after && i == pause_after) {
			spent_ns += now_ns() - start_ns;
			pause_for_a_line("paused");
			start_ns = now_ns();
		}
		cycle(&all[i % LISTENERS], family);
	}
	spent_ns += now_ns() - start_ns;

	if (pause_after)
		pause_for_a_line("done");
	printf("{\"cycles\":%lu,\"sockets\":%lu,\"seconds\":%.6f,\"ns_per_cycle\":%llu}\n", cycles,
	       2 * cycles + LISTENERS, (double)spent_ns / 1e9,
	       (unsigned long long)(spent_ns / cycles));
	return 0;
}
