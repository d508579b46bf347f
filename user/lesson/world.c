/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/lesson/world.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) != (ssize_t)len)
		err = -errno;
	close(fd);
	return err;
}

/* In a user namespace of its own an ordinary user may have a network of its own. */
static int world_enter_as_user(void)
{
	unsigned int uid = geteuid(), gid = getegid();
	char map[64];
	int err;

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET))
		return -errno;
	snprintf(map, sizeof(map), "0 %u 1", uid);
	err = write_file("/proc/self/uid_map", map);
	if (err)
		return err;
	err = write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", gid);
	return err ? err : write_file("/proc/self/gid_map", map);
}

/* ifr_name is filled in. */
static int set_device(unsigned long request, struct ifreq *ifr)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, request, ifr))
		err = -errno;
	close(fd);
	return err;
}

int world_enter(void)
{
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int err = 0;

	if (unshare(CLONE_NEWNET))
		err = world_enter_as_user();
	return err ? err : set_device(SIOCSIFFLAGS, &ifr);
}

static int set_address(unsigned long request, const char *addr, unsigned int index)
{
	struct sockaddr_in sin = { .sin_family = AF_INET };
	struct ifreq ifr = { .ifr_name = "" };

	if (inet_pton(AF_INET, addr, &sin.sin_addr) != 1)
		return -EINVAL;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "lo:%u", index);
	memcpy(&ifr.ifr_addr, &sin, sizeof(sin));
	return set_device(request, &ifr);
}

int world_add_address(const char *addr, unsigned int index)
{
	int err = set_address(SIOCSIFADDR, addr, index);

	/* this one address, not the network around it */
	return err ? err : set_address(SIOCSIFNETMASK, "255.255.255.255", index);
}

static void setting_path(char path[128], const char *name)
{
	snprintf(path, 128, "/proc/sys/net/ipv4/%s", name);
}

int world_write_setting(const char *name, const char *value)
{
	char path[128];

	setting_path(path, name);
	return write_file(path, value);
}

int world_read_setting(const char *name, int numbers[2], size_t *count)
{
	char path[128];
	FILE *file;
	int got;

	setting_path(path, name);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	got = fscanf(file, "%9d %9d", &numbers[0], &numbers[1]);
	fclose(file);
	if (got < 1)
		return -EIO;
	*count = (size_t)got;
	return 0;
}

int world_set_privilege(bool on)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	if (on)
		data[0].effective |= 1U << CAP_NET_BIND_SERVICE;
	else
		data[0].effective &= ~(1U << CAP_NET_BIND_SERVICE);
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

bool world_has_protocol(const char *name)
{
	FILE *file = fopen("/proc/net/protocols", "re");
	char line[256], first[32];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "%31s", first) == 1 && !strcmp(first, name);
	if (file)
		fclose(file);
	return found;
}
