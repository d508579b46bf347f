/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * symbols.h owns the kernel's list of symbols, /proc/kallsyms: under which name a function is
 * there, and where something is. It knows nothing of probes.
 */
#ifndef PORTLIFE_SOURCE_SYMBOLS_H
#define PORTLIFE_SOURCE_SYMBOLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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

/*
 * Where a symbol of the kernel proper is, whatever it is of; 0 if it is not in the list or
 * addresses are hidden (kptr_restrict). The same cost.
 */
uint64_t symbol_address(const char *name);

#endif
