/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * probes.h owns the way of a backend's programs into the kernel: which fit it, loading, attaching.
 * It knows libbpf and nothing of records.
 */
#ifndef PORTLIFE_SOURCE_PROBES_H
#define PORTLIFE_SOURCE_PROBES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/source/backends.h"

struct bpf_object;
struct bpf_link;

/* Without the kernel's type information no backend can be loaded. */
bool probes_have_btf(void);
extern const char probes_no_btf[]; /* says so */

/* A kernel without kprobes loads their programs all the same, and has nothing to attach them to. */
bool probes_kernel_has_kprobes(void);

/* Must the tables of this backend be allocated as a whole, on this kernel? */
bool probes_preallocates(const struct backend *backend);

/* A backend in the kernel. */
struct probes {
	const struct backend *backend;
	struct bpf_object *object;
	struct bpf_link *links[PROBES_MAX];
	uint32_t blind;	  /* of this backend on this kernel */
	char note[256];	  /* one line about missing optional probes, "" if none is missing */
	char reason[400]; /* why it could not be loaded or attached */
};

/* What is decided before the load. */
struct probes_config {
	struct wire_config wire;
	size_t buffer_bytes;
	uint32_t sockets_max; /* live sockets followed at once, 0: the default */
};

/*
 * Loads a backend, without attaching. 0; or a negative errno with a reason for a person in
 * probes->reason, and nothing left behind.
 */
int probes_load(struct probes *probes, const struct backend *backend,
		const struct probes_config *config);

/* Attaches what was loaded. 0, or a negative errno with a reason; then call probes_free(). */
int probes_attach(struct probes *probes);

/* Detaches and unloads. Allowed after a failed or no load. */
void probes_free(struct probes *probes);

/* The hooks in use, separated by commas, cut to len. */
void probes_list(const struct probes *probes, char *list, size_t len);

/*
 * Runs of its programs that the kernel skipped so far: bpf_prog_info.recursion_misses (5.12+; of
 * kprobe programs 6.7+) and the kprobes that it did not deliver (6.7+). Not kretprobes: frames.h
 * counts them.
 */
uint64_t probes_missed(const struct probes *probes);

/* Descriptor of a map of the loaded object, or -ENOENT. */
int probes_map(const struct probes *probes, const char *name);

/*
 * Tries one program alone: 0 if it loads and attaches, -ENOENT if this kernel has no such hook,
 * or the refusal's negative errno. Leaves nothing behind.
 */
int probes_try(const struct backend *backend, size_t index);

#endif
