/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * types.h owns the kernel's type information (BTF), read once for all who ask: it takes tens of
 * milliseconds, and megabytes that a run has no use for.
 */
#ifndef PORTLIFE_SOURCE_TYPES_H
#define PORTLIFE_SOURCE_TYPES_H

struct btf;

/* Those of the kernel proper; NULL if they cannot be read. Valid until types_forget(). */
struct btf *types_of_kernel(void);
void types_forget(void);

#endif
