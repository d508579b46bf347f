/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios_world.h owns what surrounds the sockets of a scenario: its name and family, its
 * network namespace and port range, the clock, and the lines it prints. It knows no socket.
 */
#ifndef PORTLIFE_TESTS_SCENARIOS_WORLD_H
#define PORTLIFE_TESTS_SCENARIOS_WORLD_H

#include <stddef.h>
#include <stdint.h>

#include "tests/live/scenarios.h"

/* Enters the scenario's own network namespace, and prints what it finds there. */
void world_begin(const struct scenario *s, int family);
void world_resume(const struct scenario *s, int family); /* after exec: all is there */
void world_end(void);

const int *world_range(void);	   /* ip_local_port_range of the namespace: lo, hi */
unsigned int world_netns(void);	   /* inode number of the thread's namespace */
const char *world_cgroup(void);	   /* directory of the scenario's own cgroup, or "" */
uint64_t world_clock_ns(void);	   /* CLOCK_BOOTTIME */
const char *error_name(int error); /* "EINVAL" */

/*
 * A line of JSON that grows. line_begin() opens the object with the keys of every line; strings
 * are the program's own and need no escape. line_print() closes the object and writes it at once,
 * so that lines of threads and of a child never mix.
 */
struct line {
	char text[8192];
	size_t len;
};

void line_begin(struct line *l);
void line_add(struct line *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
void line_print(struct line *l);

#endif
