/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names.h owns what WIRE_NAME records said: how cgroups, network namespaces and interfaces are
 * called. It does not know where names come from. Lookups are names_find() of sink.h.
 */
#ifndef PORTLIFE_CORE_NAMES_H
#define PORTLIFE_CORE_NAMES_H

#include "user/core/sink.h"

/* Names kept at once: cgroups come and go for weeks, those that nobody asks for make room. */
#define NAMES_MAX 16384

/* NULL if memory is short. */
struct names *names_new(void);
void names_free(struct names *n);

/* text is text_len bytes, not ended by NUL; it replaces what was known. Returns 0 or -ENOMEM. */
int names_learn(struct names *n, const struct wire_name *name, const char *text);

#endif
