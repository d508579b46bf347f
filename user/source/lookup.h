/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lookup.h owns the search for the processes behind a port, when a program was refused it: what
 * the kernel has no way to say at that moment, and what the backend could not see. What it finds
 * becomes records ahead of the one about the refusal. It is made a few times a second at most.
 */
#ifndef PORTLIFE_SOURCE_LOOKUP_H
#define PORTLIFE_SOURCE_LOOKUP_H

#include <stddef.h>
#include <stdint.h>

struct bpf_object;
struct lookup;
struct naming;

/*
 * object: of existing.h, loaded. naming is used for what is found. start_ns: of struct wire_config.
 * NULL if there is no object, or it cannot be used.
 */
struct lookup *lookup_new(struct bpf_object *object, struct naming *naming, uint64_t start_ns);
void lookup_free(struct lookup *lookup);

/*
 * Looks at a record; if it tells of a port that was refused, looks for who has it and calls give()
 * with each WIRE_HOLDER and the WIRE_HOLDERS to put ahead of it. Returns 0 or what give()
 * returned. lookup may be NULL.
 */
int lookup_look(struct lookup *lookup, const void *record,
		int (*give)(void *arg, const void *record, size_t len_bytes), void *arg);

#endif
