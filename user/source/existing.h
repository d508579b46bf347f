/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * existing.h owns the walks through the kernel's sockets: the iterator programs beside a loaded
 * backend, and reading them in helpings, so that nobody waits long. What a walk finds goes through
 * the ring buffer like everything else; when to walk is not decided here.
 */
#ifndef PORTLIFE_SOURCE_EXISTING_H
#define PORTLIFE_SOURCE_EXISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

struct bpf_object;
struct existing;
struct probes;

/*
 * The object with the walks, not loaded: of those through the table of sockets what this kernel
 * needs, or none. NULL if it cannot be opened.
 */
struct bpf_object *existing_open(bool with_table);

/*
 * Loads the iterators beside a loaded backend. buffer_bytes: of the ring buffer. NULL with a
 * reason for a person if this kernel cannot have them. note is filled with one line if some
 * network namespaces cannot be entered, else "".
 */
struct existing *existing_load(const struct probes *probes, size_t buffer_bytes, char *reason,
			       size_t reason_len, char *note, size_t note_len);
void existing_free(struct existing *existing);
/* The object, loaded, for lookup.h; NULL if existing is. */
struct bpf_object *existing_loaded(const struct existing *existing);

/* Begins a walk; one that is under way is dropped. 0 or a negative errno. */
int existing_begin(struct existing *existing, const struct wire_walk *walk);

/*
 * Goes on for a helping: at most an eighth of the ring buffer fills. 1: there is more. 0: the walk
 * is over. A negative errno: it cannot be finished.
 */
int existing_step(struct existing *existing);

/* The walk has found a socket that a process has open: its namespace is walked through, too. */
void existing_met(struct existing *existing, const struct wire_call *found);

/* The last walk saw differences that only another one, 10 ms later or more, can judge. */
bool existing_undecided(const struct existing *existing);

/* The walks, for the doctor: their names; NULL after the last. */
const char *existing_name(size_t index);

/*
 * Those for this kernel, a bit for each index, found by loading a tiny program. The table is gone
 * through by bpf_for_each_map_elem() (5.13), by iterators before.
 */
uint32_t existing_used(void);

/* Tries one of them alone: 0 if it loads and attaches, else a negative errno. */
int existing_try(size_t index);

#endif
