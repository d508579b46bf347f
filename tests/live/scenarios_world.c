// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/live/scenarios_world.h"

#define RANGE_FILE	  "/proc/sys/net/ipv4/ip_local_port_range"
#define IFA_TENTATIVE	  0x40
#define SECOND_ADDRESS_MS 2000
#define CGROUP_STAYS_MS	  300

static const struct scenario *current;
static int current_family;
static int current_range[2];
static char own_cgroup[600];   /* directory made for this scenario, or empty */
static char outer_cgroup[600]; /* where the process came from */

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

static void leave_own_cgroup(void);

void scenario_skip(const char *format, ...)
{
	struct line l;
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	line_begin(&l);
	line_add(&l, ",\"skip\":\"%s\"", text);
	line_print(&l);
	leave_own_cgroup();
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
	leave_own_cgroup();
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

/* lo checks for duplicates, too, and later: the address serves once it is no longer tentative. */
static bool second_address_serves(void)
{
	char line[256];
	unsigned int flags;
	bool found = false;
	FILE *f = fopen("/proc/net/if_inet6", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "fd000000000000000000000000000002 %*x %*x %*x %x", &flags) ==
				1 &&
			!(flags & IFA_TENTATIVE);
	if (f)
		fclose(f);
	return found;
}

static void add_second_address(void)
{
	struct in6_ifreq request = { .ifr6_prefixlen = 128 };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	request.ifr6_ifindex = (int)if_nametoindex("lo");
	inet_pton(AF_INET6, "fd00::2", &request.ifr6_addr);
	if (fd < 0 || ioctl(fd, SIOCSIFADDR, &request))
		scenario_fail("cannot give lo an address: %s", error_name(errno));
	close(fd);
	for (int i = 0; i < SECOND_ADDRESS_MS && !second_address_serves(); i++)
		scenario_sleep_ms(1);
	if (!second_address_serves())
		scenario_fail("lo's second address does not come up");
}

void scenario_sysctl(const char *name, const char *value)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/sys/%s", name);
	f = fopen(path, "we");
	if (!f || fputs(value, f) < 0 || fclose(f))
		scenario_fail("cannot write %s: %s", name, error_name(errno));
}

/* A user without privileges stays where he is, for scenarios that need no more than sockets. */
static void enter_own_namespace(const struct scenario *s)
{
	char range[32];

	if (unshare(CLONE_NEWNET)) {
		if (errno == EPERM && geteuid() && !s->range[0] && !s->two_addresses)
			return;
		scenario_fail("unshare(CLONE_NEWNET): %s", error_name(errno));
	}
	bring_loopback_up();
	if (s->two_addresses && current_family == AF_INET6)
		add_second_address();
	if (s->range[0]) {
		snprintf(range, sizeof(range), "%d %d\n", s->range[0], s->range[1]);
		scenario_sysctl("net/ipv4/ip_local_port_range", range);
	}
}

int scenario_netns(void)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		scenario_fail("cannot open the network namespace: %s", error_name(errno));
	return fd;
}

int scenario_new_netns(void)
{
	if (unshare(CLONE_NEWNET))
		scenario_fail("unshare(CLONE_NEWNET): %s", error_name(errno));
	bring_loopback_up();
	return scenario_netns();
}

void scenario_enter_netns(int fd)
{
	if (setns(fd, CLONE_NEWNET))
		scenario_fail("setns: %s", error_name(errno));
}

unsigned int world_netns(void)
{
	struct stat netns;

	if (stat("/proc/thread-self/ns/net", &netns))
		scenario_fail("cannot see the network namespace");
	return (unsigned int)netns.st_ino;
}

static void read_range(void)
{
	FILE *f = fopen(RANGE_FILE, "re");

	if (!f || fscanf(f, "%d %d", &current_range[0], &current_range[1]) != 2)
		scenario_fail("cannot read the port range");
	fclose(f);
}

/* --- the cgroup ---------------------------------------------------------------------------- */

static bool find_cgroup2(char *path, size_t size)
{
	char line[1024], where[256], type[64];
	bool found = false;
	FILE *f = fopen("/proc/self/mounts", "re");

	while (f && !found && fgets(line, sizeof(line), f)) {
		found = sscanf(line, "%*s %255s %63s", where, type) == 2 &&
			!strcmp(type, "cgroup2");
		if (found)
			snprintf(path, size, "%s", where);
	}
	if (f)
		fclose(f);
	return found;
}

static bool move_to_cgroup(const char *directory)
{
	char path[700];
	FILE *f;
	bool moved;

	snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
	f = fopen(path, "we");
	moved = f && fprintf(f, "%d\n", getpid()) > 0;
	if (f && fclose(f))
		moved = false;
	return moved;
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

static void enter_own_cgroup(void)
{
	char mount[256], path[256];

	read_cgroup(path, sizeof(path));
	if (!find_cgroup2(mount, sizeof(mount)))
		scenario_skip("no cgroup2 is mounted");
	snprintf(outer_cgroup, sizeof(outer_cgroup), "%s%s", mount, path);
	snprintf(own_cgroup, sizeof(own_cgroup), "%s/portlife-scenario-%d", mount, getpid());
	if (mkdir(own_cgroup, 0755) || !move_to_cgroup(own_cgroup))
		scenario_fail("cannot enter a cgroup of my own: %s", error_name(errno));
}

/* Those who watch have a moment to read its name. */
static void leave_own_cgroup(void)
{
	if (!own_cgroup[0])
		return;
	move_to_cgroup(outer_cgroup);
	scenario_sleep_ms(CGROUP_STAYS_MS);
	rmdir(own_cgroup);
	own_cgroup[0] = '\0';
}

const char *world_cgroup(void)
{
	return own_cgroup;
}

void world_resume(const struct scenario *s, int family)
{
	current = s;
	current_family = family;
	read_range();
}

void world_begin(const struct scenario *s, int family)
{
	char cgroup[512], comm[32] = "";
	struct line l;
	FILE *f;

	current = s;
	current_family = family;
	enter_own_namespace(s);
	if (s->own_cgroup)
		enter_own_cgroup();
	read_range();
	read_cgroup(cgroup, sizeof(cgroup));
	f = fopen("/proc/self/comm", "re");
	if (!f || fscanf(f, "%31s", comm) != 1)
		scenario_fail("cannot read /proc/self");
	fclose(f);

	line_begin(&l);
	line_add(&l, ",\"begin\":{\"ns\":%llu,\"netns\":%u,\"range\":[%d,%d],\"uid\":%u",
		 (unsigned long long)world_clock_ns(), world_netns(), current_range[0],
		 current_range[1], getuid());
	line_add(&l, ",\"comm\":\"%s\",\"cgroup\":\"%s\"}", comm, cgroup);
	line_print(&l);
}

void world_end(void)
{
	struct line l;

	line_begin(&l);
	line_add(&l, ",\"end\":{\"ns\":%llu}", (unsigned long long)world_clock_ns());
	line_print(&l);
	leave_own_cgroup();
}

/* --- processes ----------------------------------------------------------------------------- */

void scenario_sleep_ms(int ms)
{
	struct timespec left = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&left, &left) && errno == EINTR)
		;
}

pid_t scenario_child(void (*body)(void *), void *arg)
{
	pid_t child = fork();

	if (child < 0)
		scenario_fail("fork: %s", error_name(errno));
	if (child == 0) {
		body(arg);
		_exit(0);
	}
	return child;
}

static int held[2] = { -1, -1 };

pid_t scenario_held_child(void (*body)(void *), void *arg)
{
	pid_t child;
	char byte;

	if (pipe2(held, O_CLOEXEC))
		scenario_fail("pipe: %s", error_name(errno));
	child = fork();
	if (child < 0)
		scenario_fail("fork: %s", error_name(errno));
	if (child > 0) {
		close(held[0]);
		return child;
	}
	close(held[1]);
	if (read(held[0], &byte, 1) != 0)
		scenario_fail("the parent has written");
	close(held[0]);
	body(arg);
	_exit(0);
}

void scenario_let_go(void)
{
	close(held[1]);
}

void scenario_await(pid_t child)
{
	int status;

	if (child < 0 || waitpid(child, &status, 0) != child || status)
		scenario_fail("the child did not end well");
}

void scenario_exec(int fd, int port)
{
	char self[512], fd_text[16], port_text[16];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (n < 0)
		scenario_fail("cannot find my own program");
	self[n] = '\0'; /* by its name, so that the process keeps its own */
	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	snprintf(port_text, sizeof(port_text), "%d", port);
	execl(self, self, "--after-exec", current->name, current_family == AF_INET ? "4" : "6",
	      fd_text, port_text, NULL);
	scenario_fail("exec: %s", error_name(errno));
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

#define ATTEMPT_MS 2000
#define SYN_SENT   2

static int attempt_in(const char *table, int peer_port)
{
	unsigned int local, peer, state;
	char line[512];
	int found = 0;
	FILE *f = fopen(table, "re");

	while (f && !found && fgets(line, sizeof(line), f))
		if (sscanf(line, " %*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%x %x", &local, &peer,
			   &state) == 3 &&
		    (int)peer == peer_port && state == SYN_SENT)
			found = (int)local;
	if (f)
		fclose(f);
	return found;
}

int scenario_await_attempt(int peer_port)
{
	const char *table = current_family == AF_INET ? "/proc/net/tcp" : "/proc/net/tcp6";
	int port = 0;

	for (int i = 0; i < ATTEMPT_MS && !port; i++) {
		scenario_sleep_ms(1);
		port = attempt_in(table, peer_port);
	}
	if (!port)
		scenario_fail("nobody connects to port %d", peer_port);
	return port;
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
	} while (port_is_listed("/proc/net/tcp", port) || port_is_listed("/proc/net/tcp6", port) ||
		 port_is_listed("/proc/net/udp", port) || port_is_listed("/proc/net/udp6", port));
	return port;
}
