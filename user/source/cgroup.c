// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>

void cgroup_root(char *path, size_t path_len)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char line[8192];
	struct mntent entry;

	path[0] = '\0';
	if (!mounts)
		return;
	while (!path[0] && getmntent_r(mounts, &entry, line, sizeof(line)))
		if (!strcmp(entry.mnt_type, "cgroup2"))
			snprintf(path, path_len, "%s", entry.mnt_dir);
	endmntent(mounts);
}

int cgroup_open(void)
{
	char path[4096];
	int fd;

	cgroup_root(path, sizeof(path));
	if (!path[0])
		return -ENOENT;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
