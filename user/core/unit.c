/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unit.c owns how systemd and container runtimes name cgroups.
 */
#include <stdbool.h>
#include <string.h>

#include "user/core/unit.h"

#define CONTAINER_ID  64 /* hexadecimal digits: docker, containerd, podman, cri-o */
#define CONTAINER_CUT 12 /* as docker ps shows it */

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* docker-ID.scope, cri-containerd-ID.scope, libpod-ID.scope, or ID alone */
static const char *find_container(const char *name, size_t len)
{
	size_t run = 0;

	for (size_t i = 0; i < len; i++) {
		run = is_hex(name[i]) ? run + 1 : 0;
		if (run == CONTAINER_ID && (i + 1 == len || !is_hex(name[i + 1])))
			return name + i + 1 - CONTAINER_ID;
	}
	return NULL;
}

static bool ends_in(const char *name, size_t len, const char *suffix)
{
	size_t suffix_len = strlen(suffix);

	return len > suffix_len && !memcmp(name + len - suffix_len, suffix, suffix_len);
}

/* session-3.scope: the session 3 of a user */
static size_t unit_len(const char *name, size_t len)
{
	if (len > 8 && !memcmp(name, "session-", 8) && ends_in(name, len, ".scope"))
		return len - strlen(".scope");
	if (ends_in(name, len, ".service") || ends_in(name, len, ".scope") ||
	    ends_in(name, len, ".socket"))
		return len;
	return 0;
}

const char *unit_find(const char *path, size_t *len)
{
	const char *unit = NULL;

	while (*path) {
		size_t name_len = strcspn(path, "/");
		const char *container = find_container(path, name_len);

		if (container) {
			*len = CONTAINER_CUT;
			return container;
		}
		if (unit_len(path, name_len)) {
			unit = path;
			*len = unit_len(path, name_len);
		}
		path += name_len + (path[name_len] == '/');
	}
	return unit;
}
