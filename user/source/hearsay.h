/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hearsay.h owns what can be had without BPF: the sockets of this network namespace as sock_diag
 * tells them, and the processes that /proc shows to this user. Records as a walk would make them,
 * with less in them.
 */
#ifndef PORTLIFE_SOURCE_HEARSAY_H
#define PORTLIFE_SOURCE_HEARSAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

struct hearsay_handler {
	/* WIRE_FOUND records */
	int (*give)(void *arg, const void *record, size_t len_bytes);
	void (*time_wait)(void *arg, const struct wire_sock *sock, uint32_t left_ms);
	void *arg;
};

/* 0, what give() returned, or a negative errno. */
int hearsay_take(const struct hearsay_handler *handler);

/*
 * The same about sockets of other families (enum wire_family), of which nobody tells more:
 * WIRE_ADDRESS comes before its WIRE_FOUND. -ENOENT: the kernel cannot tell of some of them.
 */
int hearsay_families(const struct hearsay_handler *handler, uint32_t families);

/* Does this kernel tell of sockets of AF_VSOCK? */
bool hearsay_knows_vsock(void);

#endif
