/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * backends.h owns the list of backends and of the programs of each: what they hook, which must be
 * there, what is lost without one.
 */
#ifndef PORTLIFE_SOURCE_BACKENDS_H
#define PORTLIFE_SOURCE_BACKENDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct probe {
	const char *program; /* in the object */
	const char *hook;    /* what it hooks, and for people: "fexit inet_csk_get_port" */
	bool required;
	uint32_t blind;	   /* enum wire_blind without it */
	const char *loses; /* what portlife cannot see without it */
	const char *other; /* program that takes its place on other kernels, or NULL */
};

struct backend {
	uint32_t id; /* enum wire_backend */
	const char *name;
	uint32_t blind; /* enum wire_blind, whatever the kernel */
	bool needs_cgroup;
	bool needs_kprobes;
	const unsigned char *object, *object_end;
	const struct probe *probes; /* in the order to attach: the end of a life first */
	size_t probes_len;
};

/* All backends, in the order of preference. *len is set. */
const struct backend *backends_all(size_t *len);

#define PROBES_MAX 80

#endif
