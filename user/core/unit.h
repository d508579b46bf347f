/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * unit.h owns what the path of a cgroup says about whom one could stop: a container, a service, a
 * session. It asks nobody else.
 */
#ifndef PORTLIFE_CORE_UNIT_H
#define PORTLIFE_CORE_UNIT_H

#include <stddef.h>

/*
 * Where in path the name stands: the first 12 digits of a container's id; else the innermost
 * service, scope or socket unit; of a session session-N. Returns NULL if there is none,
 * else sets *len.
 */
const char *unit_find(const char *path, size_t *len);

#endif
