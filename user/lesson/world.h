/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * world.h owns the network that a lesson's program runs in: a namespace of its own, so that nothing
 * on the machine is touched. It does not know the program.
 */
#ifndef PORTLIFE_LESSON_WORLD_H
#define PORTLIFE_LESSON_WORLD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Moves this process, which must have one thread, into a new network namespace whose loopback is
 * up; without privilege into a new user namespace too, in which it is root. Returns 0 or a
 * negative errno.
 */
int world_enter(void);

/* Gives the loopback device its index-th (from 1) address more. 0 or a negative errno. */
int world_add_address(const char *addr, unsigned int index);

/* A file below /proc/sys/net/ipv4. 0 or a negative errno; count is set to the numbers read. */
int world_write_setting(const char *name, const char *value);
int world_read_setting(const char *name, int numbers[2], size_t *count);
/* Does the kernel have it, as its /proc/net/protocols calls it? Nothing is loaded. */
bool world_has_protocol(const char *name);

/* With or without CAP_NET_BIND_SERVICE, which must be among the permitted ones. Same returns. */
int world_set_privilege(bool on);

#endif
