// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/sysctls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/core/record.h"
#include "user/source/make.h"
#include "user/source/namespaces.h"
#include "user/source/settings.h"

/*
 * Other namespaces are entered at most once in this time, whatever goes on there. Their numbers
 * are used again, so what is known of one is read anew for another process.
 */
#define ENTER_NS UINT64_C(20000000)
#define KEPT_MAX 64

struct sysctls {
	int own_fd; /* of this process's namespace, -1: no way back, so none is entered */
	uint32_t own;
	uint64_t entered_ns;
	struct kept {
		uint32_t netns, pid;
	} kept[KEPT_MAX]; /* the process that a namespace was read for */
	unsigned int next;
	struct settings settings;
	struct made made, told; /* told: the latest of this namespace */
	size_t told_len;
};

struct sysctls *sysctls_new(void)
{
	struct sysctls *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->own = namespace_inum("net");
	s->own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return s;
}

void sysctls_free(struct sysctls *s)
{
	if (s && s->own_fd >= 0)
		close(s->own_fd);
	free(s);
}

int sysctls_read(struct sysctls *s, sysctls_give give, void *arg)
{
	const size_t body = sizeof(struct wire_head);
	size_t len;

	settings_read(&s->settings);
	len = make_settings(&s->made, clock_boot_ns(), &s->settings);
	if (len == s->told_len && !memcmp(s->made.bytes + body, s->told.bytes + body, len - body))
		return 0;
	memcpy(s->told.bytes, s->made.bytes, len);
	s->told_len = len;
	return give(arg, s->made.bytes, len);
}

static int read_here(void *arg)
{
	settings_read(arg);
	return 0;
}

static int read_there(struct sysctls *s, uint32_t netns, uint32_t pid)
{
	char path[64];
	const struct netns there = { .inum = netns, .path = path, .fd = -1 };

	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	return netns_visit(&there, s->own_fd, read_here, &s->settings);
}

static bool is_kept(const struct sysctls *s, uint32_t netns, uint32_t pid)
{
	for (size_t i = 0; i < KEPT_MAX; i++)
		if (s->kept[i].netns == netns && s->kept[i].pid == pid)
			return true;
	return false;
}

static void keep(struct sysctls *s, uint32_t netns, uint32_t pid)
{
	s->kept[s->next++ % KEPT_MAX] = (struct kept){ netns, pid };
}

int sysctls_look(struct sysctls *s, const void *record, sysctls_give give, void *arg)
{
	const struct wire_call *call = record;
	uint64_t now;
	int error;

	if (!record_is_call(call->head.kind) || call->sock.netns == s->own || !call->who.pid ||
	    s->own_fd < 0 || is_kept(s, call->sock.netns, call->who.pid))
		return 0;
	now = clock_boot_ns();
	if (now - s->entered_ns < ENTER_NS)
		return 0;
	s->entered_ns = now;
	error = read_there(s, call->sock.netns, call->who.pid);
	if (error) /* the process may be gone: then another one's record will do */
		return error == -ENOTRECOVERABLE ? error : 0;
	keep(s, call->sock.netns, call->who.pid);
	return give(arg, s->made.bytes, make_settings(&s->made, call->head.ts_ns, &s->settings));
}
