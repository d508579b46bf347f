/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot.h owns one walk through the kernel's sockets by itself, without a backend: the iterators
 * of existing.bpf.c on maps of their own. Nothing is attached and nothing stays behind. It knows no
 * port and no table of them.
 */
#ifndef PORTLIFE_SOURCE_SNAPSHOT_H
#define PORTLIFE_SOURCE_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

struct snapshot_handler {
	/*
	 * Takes records: WIRE_FOUND for every descriptor of a TCP or UDP socket with a port (so a
	 * socket comes once for each process that has it, with the same sock.id) and for every such
	 * socket that no descriptor leads to; WIRE_NAME ahead of the first that needs it. Not 0: no
	 * more.
	 */
	int (*give)(void *arg, const void *record, size_t len_bytes);
	/* How long a TIME_WAIT entry has to live; only addresses, ports and netns of sock hold. */
	void (*time_wait)(void *arg, const struct wire_sock *sock, uint32_t left_ms);
	void *arg;
};

struct snapshot_result {
	char reason[256]; /* for a person, if the walk cannot be made */
	char note[160];	  /* one line about what it could not look at, "" if nothing */
};

/* 0, what give() returned, or a negative errno with a reason: -EPERM where BPF is not allowed. */
int snapshot_take(const struct snapshot_handler *handler, struct snapshot_result *result);

#endif
