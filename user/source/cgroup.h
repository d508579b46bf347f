/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cgroup.h owns the way to the root of the cgroup2 hierarchy. */
#ifndef PORTLIFE_SOURCE_CGROUP_H
#define PORTLIFE_SOURCE_CGROUP_H

#include <stddef.h>

/* Where it is mounted; "" if it is not. */
void cgroup_root(char *path, size_t path_len);

/* The root, opened for reading: a descriptor to close; or a negative errno, -ENOENT if it is not
 * mounted. */
int cgroup_open(void);

#endif
