/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meanings.h owns what an error means when a call about ports gives it. It knows no machine: which
 * of its settings matter is said, their values are not.
 */
#ifndef PORTLIFE_CORE_MEANINGS_H
#define PORTLIFE_CORE_MEANINGS_H

#include <stddef.h>

struct meaning {
	const char *call; /* "bind", "listen", "connect", "send" */
	const char *text;
	const char *hint; /* what to do, NULL if there is nothing to say */
};

/* Settings of the network namespace that have to do with an error. */
enum meaning_setting {
	MEANING_RANGE = 1 << 0,	     /* ip_local_port_range, ip_local_reserved_ports */
	MEANING_PRIVILEGED = 1 << 1, /* ip_unprivileged_port_start */
	MEANING_NONLOCAL = 1 << 2,   /* ip_nonlocal_bind */
};

struct meanings {
	const char *name; /* "EADDRINUSE" */
	int error;
	const char *text;      /* in general, as strerror(3) has it */
	unsigned int settings; /* enum meaning_setting */
	const struct meaning *list;
	size_t len;
};

/* NULL if the word names none of them. Either case. */
const struct meanings *meanings_find(const char *name);

/* In the order in which they are best learnt; NULL after the last. */
const struct meanings *meanings_at(size_t index);

#endif
