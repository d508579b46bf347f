/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctls.h owns the settings about ports in the stream: a WIRE_SETTINGS record for this process's
 * network namespace at the start and whenever they are changed, and one for another namespace ahead
 * of the first record from there, if a process of it can be found. It must not know what they mean.
 */
#ifndef PORTLIFE_SOURCE_SYSCTLS_H
#define PORTLIFE_SOURCE_SYSCTLS_H

#include <stddef.h>
#include <stdint.h>

struct sysctls;

typedef int (*sysctls_give)(void *arg, const void *record, size_t len_bytes);

/* NULL if memory is short. */
struct sysctls *sysctls_new(void);
void sysctls_free(struct sysctls *sysctls);

/*
 * Reads those of this namespace, and gives them if they are not what was given before. Returns 0 or
 * what give() returned.
 */
int sysctls_read(struct sysctls *sysctls, sysctls_give give, void *arg);

/*
 * Looks at a record: of a process in another namespace that namespace's settings are given first,
 * once for each of its processes and not too often. The same returns, or -ENOTRECOVERABLE: no way
 * back from there, the process must end.
 */
int sysctls_look(struct sysctls *sysctls, const void *record, sysctls_give give, void *arg);

#endif
