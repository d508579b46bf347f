/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options_where.c owns options about a part of the machine: --cgroup, --netns, --dev, and the one
 * about findings.
 */
#include <errno.h>
#include <linux/magic.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "user/cli/options_values.h"
#include "user/util/parse.h"
#include "user/util/say.h"

#define PID_MAX 4194304 /* PID_MAX_LIMIT of <linux/threads.h>; namespaces have greater numbers */

/* Where cgroups are usually mounted; what JSON has as `cgroup` is below that. */
static const char *const mounts[] = { "/sys/fs/cgroup/unified", "/sys/fs/cgroup" };
#define MOUNTS (sizeof(mounts) / sizeof(mounts[0]))

static const char *options_below_mount(const char *path)
{
	for (size_t i = 0; i < MOUNTS; i++) {
		size_t len = strlen(mounts[i]);

		if (!strncmp(path, mounts[i], len) && (!path[len] || path[len] == '/'))
			return path + len;
	}
	return path;
}

int options_set_cgroup(struct options *o, const char *name, const char *text)
{
	const char *path = options_below_mount(text);
	size_t len = strlen(path);

	if (!*text) {
		say("%s: the path is empty; write --cgroup=/system.slice/nginx.service", name);
		return -EINVAL;
	}
	while (len && path[len - 1] == '/')
		len--;
	while (len && *path == '/') {
		path++;
		len--;
	}
	free(o->cgroup);
	o->cgroup = malloc(len + 2);
	if (!o->cgroup)
		return -ENOMEM;
	o->cgroup[0] = '/';
	memcpy(o->cgroup + 1, path, len);
	o->cgroup[len + 1] = 0;
	o->filter.cgroup = o->cgroup;
	return 0;
}

static bool is_there(const char *mount, const char *name)
{
	char path[4096];

	return (size_t)snprintf(path, sizeof(path), "%s%s", mount, name) < sizeof(path) &&
	       !access(path, F_OK);
}

void options_note_cgroup(const struct options *o)
{
	bool mounted = false;

	for (size_t i = 0; i < MOUNTS; i++) {
		mounted = mounted || is_there(mounts[i], "/cgroup.procs");
		if (is_there(mounts[i], o->cgroup))
			return;
	}
	if (mounted)
		say("--cgroup=%s: no such cgroup now; nothing is shown before there is one",
		    o->cgroup);
}

/* The namespace that a file stands for. */
static int options_netns_of(const char *name, const char *text, const char *path, uint32_t *inum)
{
	struct statfs fs;
	struct stat st;

	if (stat(path, &st) || statfs(path, &fs)) {
		say("%s: '%s': %s: %s", name, text, path, strerror(errno));
		return -EINVAL;
	}
	if (fs.f_type != NSFS_MAGIC) {
		say("%s: '%s' is no namespace; write a PID, /run/netns/NAME, or the number that "
		    "JSON has as netns",
		    name, text);
		return -EINVAL;
	}
	*inum = (uint32_t)st.st_ino;
	return 0;
}

int options_set_netns(struct options *o, const char *name, const char *text)
{
	char path[64];
	uint64_t number;
	int err = parse_number(text, strlen(text), 1, UINT32_MAX, &number);

	o->filter.has_netns = true;
	o->netns_asked = err || number <= PID_MAX;
	if (err)
		return options_netns_of(name, text, text, &o->filter.netns);
	if (o->netns_asked) {
		snprintf(path, sizeof(path), "/proc/%u/ns/net", (unsigned int)number);
		return options_netns_of(name, text, path, &o->filter.netns);
	}
	o->filter.netns = (uint32_t)number;
	return 0;
}

int options_set_device(struct options *o, const char *name, const char *text)
{
	if (!*text || strlen(text) >= IF_NAMESIZE) {
		say("%s: '%s' is no name of a device; write one as `ip link` shows it", name, text);
		return -EINVAL;
	}
	o->filter.dev = text;
	return 0;
}

static bool options_is_finding(unsigned int id, const char *item, size_t len)
{
	const char *known = finding_name(id);

	return strlen(known) == len && !memcmp(known, item, len);
}

int options_add_fail_on(struct options *o, const char *name, const char *list)
{
	const char *rest = list;
	const char *item;
	size_t len;

	while (parse_list_next(&rest, &item, &len)) {
		unsigned int id = 0;

		while (id < FINDING_NAMES && !options_is_finding(id, item, len))
			id++;
		if (id == FINDING_NAMES) {
			say("%s: '%.*s' is no finding; portlife(1) has them, as bind-in-use", name,
			    (int)len, item);
			return -EINVAL;
		}
		o->fail_on |= 1U << id;
	}
	return 0;
}
