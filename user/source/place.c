// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/nsfs.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/source/make.h"
#include "user/source/namespaces.h"
#include "user/source/settings.h"

/* include/linux/proc_ns.h: PROC_USER_INIT_INO */
#define USER_NAMESPACE_INITIAL 0xEFFFFFFDU

struct look {
	struct place *place;
	const struct endpoint *local;
	const char *device;
};

struct route_request {
	struct nlmsghdr head;
	struct rtmsg route;
	char attributes[64];
};

static void add_attribute(struct route_request *r, unsigned short type, const void *data,
			  size_t len)
{
	struct rtattr *attr = (struct rtattr *)((char *)r + NLMSG_ALIGN(r->head.nlmsg_len));

	attr->rta_type = type;
	attr->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(attr), data, len);
	r->head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(r->head.nlmsg_len) + RTA_ALIGN(attr->rta_len));
}

/* Sends a question about the route to an address; the answer's type is what counts. */
static int ask_route(int fd, const struct endpoint *to, uint32_t ifindex)
{
	size_t addr_len = to->family == AF_INET ? 4 : 16;
	struct route_request r = {
		.head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
			  .nlmsg_type = RTM_GETROUTE,
			  .nlmsg_flags = NLM_F_REQUEST },
		.route = { .rtm_family = (unsigned char)to->family,
			   .rtm_dst_len = (unsigned char)(8 * addr_len) },
	};

	add_attribute(&r, RTA_DST, to->addr, addr_len);
	if (ifindex && to->family == AF_INET6)
		add_attribute(&r, RTA_OIF, &ifindex, sizeof(ifindex));
	return send(fd, &r, r.head.nlmsg_len, 0) < 0 ? -errno : 0;
}

/* The answer, into from (NULL: not asked). Its type, RTN_UNSPEC if none came, RTN_UNREACHABLE. */
static unsigned char read_route(int fd, struct endpoint *from)
{
	_Alignas(8) char answer[8192];
	ssize_t len = recv(fd, answer, sizeof(answer), 0);
	const struct nlmsghdr *head = (const struct nlmsghdr *)answer;
	const struct rtattr *attr;
	const struct rtmsg *route;
	int left;

	if (len < 0 || !NLMSG_OK(head, (size_t)len))
		return RTN_UNSPEC;
	if (head->nlmsg_type == NLMSG_ERROR)
		return RTN_UNREACHABLE;
	if (head->nlmsg_type != RTM_NEWROUTE || head->nlmsg_len < NLMSG_LENGTH(sizeof(*route)))
		return RTN_UNSPEC;
	route = NLMSG_DATA(head);
	left = (int)(head->nlmsg_len - NLMSG_LENGTH(sizeof(*route)));
	for (attr = RTM_RTA(route); from && RTA_OK(attr, left); attr = RTA_NEXT(attr, left)) {
		if (attr->rta_type != RTA_PREFSRC || RTA_PAYLOAD(attr) > sizeof(from->addr))
			continue;
		from->family = route->rtm_family;
		memcpy(from->addr, RTA_DATA(attr), RTA_PAYLOAD(attr));
	}
	return route->rtm_type;
}

static enum tristate is_local_type(unsigned char type)
{
	if (type == RTN_UNSPEC)
		return NULL_STATE;
	return type == RTN_LOCAL || type == RTN_BROADCAST ? YES : NO;
}

static bool is_any(const struct endpoint *end)
{
	static const uint8_t zero[16];

	return !memcmp(end->addr, zero, end->family == AF_INET ? 4 : 16);
}

static bool is_multicast(const struct endpoint *end)
{
	return end->family == AF_INET ? (end->addr[0] & 0xf0) == 0xe0 : end->addr[0] == 0xff;
}

/* 255.255.255.255, which no route leads to: __inet_dev_addr_type() */
static bool is_limited_broadcast(const struct endpoint *end)
{
	static const uint8_t all[4] = { 255, 255, 255, 255 };

	return end->family == AF_INET && !memcmp(end->addr, all, sizeof(all));
}

/* ipv6_chk_addr(): another address may be any device's, whatever the socket is bound to. */
static bool is_of_device(const struct endpoint *end)
{
	static const uint8_t loopback[16] = { [15] = 1 };

	return end->family == AF_INET6 &&
	       ((end->addr[0] == 0xfe && (end->addr[1] & 0xc0) == 0x80) ||
		!memcmp(end->addr, loopback, sizeof(loopback)));
}

/* __inet_bind() takes local, broadcast and multicast addresses; the local table is asked first. */
static enum tristate address_is_local(const struct endpoint *asked, uint32_t ifindex)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct endpoint end = *asked;
	enum tristate is_local = NULL_STATE;
	int fd;

	if (end.family == AF_INET6 && !memcmp(end.addr, mapped, sizeof(mapped))) {
		end.family = AF_INET;
		memmove(end.addr, end.addr + sizeof(mapped), 4);
	}
	if (is_any(&end) || is_multicast(&end) || is_limited_broadcast(&end))
		return YES;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return NULL_STATE;
	if (!ask_route(fd, &end, is_of_device(&end) ? ifindex : 0))
		is_local = is_local_type(read_route(fd, NULL));
	close(fd);
	return is_local;
}

static int look_here(void *arg)
{
	struct look *look = arg;

	settings_read(&look->place->settings);
	if (look->device)
		look->place->ifindex = if_nametoindex(look->device);
	look->place->is_local = address_is_local(look->local, look->place->ifindex);
	return 0;
}

/* Calls look() in a network namespace, by its inode number (0: the own one). */
static int visit(uint32_t inum, int (*look)(void *arg), void *arg)
{
	struct namespaces n = { .len = 0 };
	int found = -ENOENT, error, own_fd;

	if (!inum || inum == namespace_inum("net"))
		return look(arg);
	own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (own_fd < 0)
		return -errno;
	error = namespaces_list(&n);
	for (size_t i = 0; i < n.len; i++)
		if (n.list[i].inum == inum)
			found = netns_visit(&n.list[i], own_fd, look, arg);
	namespaces_free(&n);
	close(own_fd);
	return error ? error : found;
}

int place_look(struct place *place, uint32_t netns, const struct endpoint *local,
	       const char *device)
{
	struct look look = { .place = place, .local = local, .device = device };

	*place = (struct place){ .ifindex = 0 };
	return visit(netns, look_here, &look);
}

struct way {
	const struct endpoint *to;
	struct endpoint *from;
};

static int find_way(void *arg)
{
	struct way *way = arg;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	unsigned char type = RTN_UNSPEC;
	int error;

	if (fd < 0)
		return -errno;
	error = ask_route(fd, way->to, way->to->scope);
	if (!error)
		type = read_route(fd, way->from->family ? NULL : way->from);
	close(fd);
	if (error)
		return error;
	return type == RTN_UNICAST || type == RTN_LOCAL ? 0 : -ENETUNREACH;
}

int place_route(uint32_t netns, const struct endpoint *to, struct endpoint *from)
{
	struct way way = { .to = to, .from = from };

	return visit(netns, find_way, &way);
}

/* --- a process ---------------------------------------------------------------------------- */

/* A line of /proc/PID/status, after its name and the tab; false if there is none. */
static bool read_status(FILE *file, const char *name, char *value, size_t value_len)
{
	size_t name_len = strlen(name);
	char line[256];

	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, name, name_len) != 0)
			continue;
		snprintf(value, value_len, "%s", line + name_len);
		return true;
	}
	return false;
}

/* A namespace ("net", "user") of a process, 0 if it cannot be read. */
static uint32_t namespace_of(pid_t pid, const char *which)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, which);
	return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

/* The user namespace that its network namespace belongs to, 0 if it cannot be read. */
static uint32_t owner_namespace(pid_t pid)
{
	char path[64];
	struct stat st;
	int net, user;

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
	net = open(path, O_RDONLY | O_CLOEXEC);
	if (net < 0)
		return 0;
	user = ioctl(net, NS_GET_USERNS);
	close(net);
	if (user < 0)
		return 0;
	if (fstat(user, &st))
		st.st_ino = 0;
	close(user);
	return (uint32_t)st.st_ino;
}

/* A capability counts where the network namespace belongs to the process's user namespace. */
static enum tristate capability_counts(pid_t pid)
{
	uint32_t own = namespace_of(pid, "user");

	if (own == USER_NAMESPACE_INITIAL)
		return YES;
	return own && own == owner_namespace(pid) ? YES : NULL_STATE;
}

int place_look_process(struct place_process *process, pid_t pid)
{
	char path[64], value[128];
	unsigned long long capabilities;
	unsigned int uid;
	FILE *file;
	bool good;

	if (!pid)
		pid = getpid();
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	file = fopen(path, "re");
	if (!file)
		return -errno;
	good = read_status(file, "Uid:\t", value, sizeof(value)) &&
	       sscanf(value, "%*u %10u", &uid) == 1 &&
	       read_status(file, "CapEff:\t", value, sizeof(value));
	fclose(file);
	if (!good)
		return -ESRCH;
	capabilities = strtoull(value, NULL, 16);
	process->uid = uid;
	process->netns = namespace_of(pid, "net");
	process->is_privileged =
		capabilities >> CAP_NET_BIND_SERVICE & 1 ? capability_counts(pid) : NO;
	return 0;
}
