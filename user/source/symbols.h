/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * symbols.h owns the kernel's list of functions, /proc/kallsyms: under which name one is there. It
 * knows nothing of probes.
 */
#ifndef PORTLIFE_SOURCE_SYMBOLS_H
#define PORTLIFE_SOURCE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>

#define SYMBOL_LEN 128

/*
 * The name of a kernel function as a kprobe needs it: name itself, or a copy that the compiler made
 * in its place (name.isra.0, name.constprop.0, name.llvm.123). 0, -ENOENT if there is none, or the
 * errno of reading the list. Reads the whole list: some milliseconds.
 */
int symbol_find(const char *name, char found[SYMBOL_LEN]);

/*
 * Which of these functions are there, under their own names, those of modules too: reads the list
 * once. there has room for as many; names that are NULL are passed over. 0, or a negative errno.
 */
int symbols_find(const char *const *names, bool *there, size_t len);

#endif
