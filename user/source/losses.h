/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * losses.h owns what the kernel counts as lost (struct wire_counters, mapped: reading takes no
 * system call), and what of it has been told.
 */
#ifndef PORTLIFE_SOURCE_LOSSES_H
#define PORTLIFE_SOURCE_LOSSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

struct losses {
	struct wire_counters *counters; /* one a CPU */
	struct wire_counters *told;	/* what WIRE_LOST has said so far */
	size_t counters_bytes;
	int cpus;
	uint64_t missed; /* program runs, told so far */
};

typedef int losses_give(void *arg, const void *record, size_t len_bytes);

/* Maps the counters of the map with this descriptor. 0, or a negative errno. */
int losses_open(struct losses *losses, int counters_fd);

/* Allowed after no or a failed losses_open(). */
void losses_close(struct losses *losses);

/* Calls give() with a WIRE_LOST record for each cause that has more than was told. True if any had.
 */
bool losses_tell(struct losses *losses, losses_give *give, void *arg);

/*
 * The same of program runs that the kernel skipped because the same program was under way on that
 * CPU: so many since they were attached.
 */
bool losses_tell_missed(struct losses *losses, uint64_t missed, losses_give *give, void *arg);

/* Records that the probes have put into the ring buffer so far, on all CPUs. */
uint64_t losses_written(const struct losses *losses);

#endif
