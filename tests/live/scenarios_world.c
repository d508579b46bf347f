// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/live/scenarios_world.h"

#define RANGE_FILE "/proc/sys/net/ipv4/ip_local_port_range"

static const struct scenario *current;
static int current_family;
static int current_range[2];

int scenario_family(void)
{
	return current_family;
}

const int *world_range(void)
{
	return current_range;
}

uint64_t world_clock_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

const char *error_name(int error)
{
	const char *name = strerrorname_np(error);

	return name ? name : "?";
}

/* --- lines --------------------------------------------------------------------------------- */

void line_add(struct line *l, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(l->text + l->len, sizeof(l->text) - l->len, format, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(l->text) - l->len)
		abort();
	l->len += (size_t)n;
}

void line_begin(struct line *l)
{
	l->len = 0;
	line_add(l, "{\"scenario\":\"%s\",\"family\":%d,\"pid\":%d,\"tid\":%d", current->name,
		 current_family == AF_INET ? 4 : 6, getpid(), gettid());
}

void line_print(struct line *l)
{
	line_add(l, "}\n");
	if (write(STDOUT_FILENO, l->text, l->len) != (ssize_t)l->len)
		abort();
}

void scenario_skip(const char *why)
{
	struct line l;

	line_begin(&l);
	line_add(&l, ",\"skip\":\"%s\"", why);
	line_print(&l);
	_exit(0);
}

void scenario_fail(const char *format, ...)
{
	struct line l;
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	line_begin(&l);
	line_add(&l, ",\"failed\":\"%s\"", text);
	line_print(&l);
	_exit(1);
}

/* --- the network namespace ----------------------------------------------------------------- */

static void bring_loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &request))
		scenario_fail("cannot see lo: %s", error_name(errno));
	request.ifr_flags |= IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		scenario_fail("cannot bring lo up: %s", error_name(errno));
	close(fd);
}

static void enter_own_namespace(const int range[2])
{
	FILE *f;

	if (unshare(CLONE_NEWNET))
		scenario_fail("unshare(CLONE_NEWNET): %s", error_name(errno));
	bring_loopback_up();
	f = fopen(RANGE_FILE, "we");
	if (!f || fprintf(f, "%d %d\n", range[0], range[1]) < 0 || fclose(f))
		scenario_fail("cannot set the port range: %s", error_name(errno));
}

static void read_range(void)
{
	FILE *f = fopen(RANGE_FILE, "re");

	if (!f || fscanf(f, "%d %d", &current_range[0], &current_range[1]) != 2)
		scenario_fail("cannot read the port range");
	fclose(f);
}

/* The unified hierarchy's line: "0::/path". */
static void read_cgroup(char *path, size_t size)
{
	char line[512];
	FILE *f = fopen("/proc/self/cgroup", "re");

	*path = '\0';
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "0::", 3))
			snprintf(path, size, "%s", line + 3);
	}
	if (f)
		fclose(f);
}

void world_begin(const struct scenario *s, int family)
{
	char cgroup[512], comm[32] = "";
	struct stat netns;
	struct line l;
	FILE *f;

	current = s;
	current_family = family;
	if (s->range[0])
		enter_own_namespace(s->range);
	read_range();
	read_cgroup(cgroup, sizeof(cgroup));
	f = fopen("/proc/self/comm", "re");
	if (!f || fscanf(f, "%31s", comm) != 1 || stat("/proc/self/ns/net", &netns))
		scenario_fail("cannot read /proc/self");
	fclose(f);

	line_begin(&l);
	line_add(&l, ",\"begin\":{\"ns\":%llu,\"netns\":%llu,\"range\":[%d,%d],\"uid\":%u",
		 (unsigned long long)world_clock_ns(), (unsigned long long)netns.st_ino,
		 current_range[0], current_range[1], getuid());
	line_add(&l, ",\"comm\":\"%s\",\"cgroup\":\"%s\"}", comm, cgroup);
	line_print(&l);
}

void world_end(void)
{
	struct line l;

	line_begin(&l);
	line_add(&l, ",\"end\":{\"ns\":%llu}", (unsigned long long)world_clock_ns());
	line_print(&l);
}

/* --- ports --------------------------------------------------------------------------------- */

/* Looks in the kernel's table, without a socket of its own that would have to be explained. */
static bool port_is_listed(const char *table, int port)
{
	char line[512];
	unsigned int local;
	bool found = false;
	FILE *f = fopen(table, "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, " %*u: %*[0-9A-Fa-f]:%x", &local) == 1 && (int)local == port;
	if (f)
		fclose(f);
	return found;
}

#define FREE_FIRST 10000
#define FREE_COUNT 20000

int scenario_free_port(void)
{
	static int next;
	int port;

	if (!next)
		next = getpid() * 7;
	do {
		port = FREE_FIRST + next++ % FREE_COUNT;
	} while (port_is_listed("/proc/net/tcp", port) || port_is_listed("/proc/net/tcp6", port));
	return port;
}
