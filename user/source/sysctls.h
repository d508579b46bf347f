/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sysctls.h owns the settings about ports in the stream: WIRE_SETTINGS records of this process's
 * network namespace and of others, each ahead of the first record for which it holds. What may have
 * been changed just before or after a record is not told for it. It must not know what they mean.
 */
#ifndef PORTLIFE_SOURCE_SYSCTLS_H
#define PORTLIFE_SOURCE_SYSCTLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sysctls;

typedef int (*sysctls_give)(void *arg, const void *record, size_t len_bytes);

/* exact: what was read a few milliseconds ago is read again. NULL if memory is short. */
struct sysctls *sysctls_new(bool exact);
void sysctls_free(struct sysctls *sysctls);

/*
 * Once, right behind the start of the stream: gives the settings of this namespace, and reads those
 * of others that are there. Returns 0, -ENOMEM, what give() returned, or -ENOTRECOVERABLE: no way
 * back from another namespace, the process must end.
 */
int sysctls_start(struct sysctls *sysctls, sysctls_give give, void *arg);

/*
 * Looks at a record: gives the settings of its namespace ahead of it if they are not what was given
 * before, or takes them back if they are not known for it. The same returns.
 */
int sysctls_look(struct sysctls *sysctls, const void *record, sysctls_give give, void *arg);

#endif
