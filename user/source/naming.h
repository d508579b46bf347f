/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * naming.h owns the looking-up of what the kernel gives only numbers for: cgroup paths, names of
 * network namespaces and interfaces. What it finds becomes WIRE_NAME records, ahead of the first
 * record that needs it.
 */
#ifndef PORTLIFE_SOURCE_NAMING_H
#define PORTLIFE_SOURCE_NAMING_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/source/make.h"

struct naming;

/* NULL if memory is short. own_netns: inode number of this process's network namespace. */
struct naming *naming_new(uint32_t own_netns);
void naming_free(struct naming *naming);

/*
 * Looks at a record; calls give() with each WIRE_NAME record to put ahead of it. Returns 0 or
 * what give() returned.
 */
int naming_look(struct naming *naming, const void *record,
		int (*give)(void *arg, const void *record, size_t len_bytes), void *arg);

#endif
