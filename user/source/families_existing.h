/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * families_existing.h owns the walk at the start to the sockets beyond TCP, UDP and ping that were
 * there before. What it finds comes as records in the ring buffer.
 */
#ifndef PORTLIFE_SOURCE_FAMILIES_EXISTING_H
#define PORTLIFE_SOURCE_FAMILIES_EXISTING_H

#include <stddef.h>

struct bpf_object;
struct families_existing;

/*
 * Loaded beside a backend and the probes of its families, on their maps. NULL with errno set if the
 * kernel refused. The caller owns it.
 */
struct families_existing *families_existing_load(const struct bpf_object *backend,
						 const struct bpf_object *families,
						 size_t buffer_bytes);
void families_existing_free(struct families_existing *e);

/*
 * Goes on for as much as an eighth of the ring buffer holds; the caller empties it in between. 1 if
 * there is more, 0 at the end, or a negative errno.
 */
int families_existing_step(struct families_existing *e);

#endif
