// SPDX-License-Identifier: GPL-2.0-or-later
#include <arpa/inet.h>
#include <string.h>

#include "tests/live/scenarios_address.h"

struct address address_of(int family, enum place place, int port)
{
	static const char *const inet[] = {
		[ANYWHERE] = "0.0.0.0",	 [LOOPBACK] = "127.0.0.1", [SECOND] = "127.0.0.2",
		[FOREIGN] = "192.0.2.1", [MAPPED] = "127.0.0.1",
	};
	static const char *const inet6[] = {
		[ANYWHERE] = "::",
		[LOOPBACK] = "::1",
		[SECOND] = "fd00::2",
		[FOREIGN] = "2001:db8::1",
		[MAPPED] = "::ffff:127.0.0.1",
	};
	struct address a = { .len = 0 };

	if (family == AF_INET) {
		a.in.sin_family = AF_INET;
		a.in.sin_port = htons((uint16_t)port);
		inet_pton(AF_INET, inet[place], &a.in.sin_addr);
		a.len = sizeof(a.in);
	} else {
		a.in6.sin6_family = AF_INET6;
		a.in6.sin6_port = htons((uint16_t)port);
		inet_pton(AF_INET6, inet6[place], &a.in6.sin6_addr);
		a.len = sizeof(a.in6);
	}
	return a;
}

int address_port(const struct address *a)
{
	if (!a->len)
		return 0;
	switch (a->any.sa_family) {
	case AF_UNIX:
		return a->len > sizeof(sa_family_t);
	case AF_NETLINK:
		return (int)a->nl.nl_pid;
	case AF_VSOCK:
		return a->vm.svm_port == VMADDR_PORT_ANY ? 0 : (int)a->vm.svm_port;
	}
	return ntohs(a->any.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
}

struct address local_address(int fd)
{
	struct address a = { .len = sizeof(a) - sizeof(a.len) };

	if (fd < 0 || getsockname(fd, &a.any, &a.len))
		a.len = 0;
	return a;
}

struct address peer_address(int fd)
{
	struct address a = { .len = sizeof(a) - sizeof(a.len) };

	if (fd < 0 || getpeername(fd, &a.any, &a.len))
		a.len = 0;
	return a;
}

bool address_equal(const struct address *a, const struct address *b)
{
	return a->len == b->len && !memcmp(&a->any, &b->any, a->len);
}

/* An abstract name is written with an at sign for its first byte. */
static void line_add_path(struct line *l, const char *key, const struct address *a)
{
	int len = (int)(a->len - sizeof(sa_family_t));
	bool abstract = len > 0 && !a->un.sun_path[0];

	if (len <= 0)
		line_add(l, ",\"%s\":null", key);
	else if (abstract)
		line_add(l, ",\"%s\":{\"path\":\"@%.*s\"}", key, len - 1, a->un.sun_path + 1);
	else
		line_add(l, ",\"%s\":{\"path\":\"%.*s\"}", key, len, a->un.sun_path);
}

static void line_add_inet(struct line *l, const char *key, const struct address *a,
			  const struct sock *s)
{
	bool ping = s->protocol == IPPROTO_ICMP || s->protocol == IPPROTO_ICMPV6;
	char text[INET6_ADDRSTRLEN];

	if (a->any.sa_family == AF_INET)
		inet_ntop(AF_INET, &a->in.sin_addr, text, sizeof(text));
	else
		inet_ntop(AF_INET6, &a->in6.sin6_addr, text, sizeof(text));
	if (s->type == SOCK_RAW)
		line_add(l, ",\"%s\":{\"addr\":\"%s\",\"port\":null}", key, text);
	else
		line_add(l, ",\"%s\":{\"addr\":\"%s\",\"%s\":%d}", key, text, ping ? "id" : "port",
			 address_port(a));
}

void line_add_address(struct line *l, const char *key, const struct address *a,
		      const struct sock *s)
{
	if (!a->len)
		line_add(l, ",\"%s\":null", key);
	else if (a->any.sa_family == AF_UNIX)
		line_add_path(l, key, a);
	else if (a->any.sa_family == AF_NETLINK)
		line_add(l, ",\"%s\":{\"portid\":%u}", key, a->nl.nl_pid);
	else if (a->any.sa_family == AF_VSOCK)
		line_add(l, ",\"%s\":{\"cid\":%u,\"port\":%u}", key, a->vm.svm_cid, a->vm.svm_port);
	else
		line_add_inet(l, key, a, s);
}
