/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * core.h owns the way from records to results: it decodes and validates bytes, keeps the table of
 * lives, asks the filter and calls the sinks. It has no clock, no file and no kernel: the same
 * bytes give the same results, live or replayed.
 */
#ifndef PORTLIFE_CORE_CORE_H
#define PORTLIFE_CORE_CORE_H

#include "user/core/filter.h"
#include "user/core/sink.h"

struct core;

/*
 * Makes an empty table. filter and sinks must outlive it. Returns NULL if memory is short.
 * netns_inum is used for nothing but the text column "@NAME".
 */
struct core *core_new(const struct filter *filter, const struct sink *sinks, size_t sinks_len);
void core_free(struct core *core);

/*
 * From now on every event comes with its explanation (core/explain.h). To be called before the
 * first record. Returns 0 or -ENOMEM.
 */
int core_explain(struct core *core);

/*
 * Takes one record, as it came, of at most len bytes. Returns 0; -EBADMSG if the bytes are no
 * valid record (nothing is changed, the caller decides); -ENOMEM; or what a sink returned.
 * After WIRE_STOP the lives still open are reported (ended: false), then the summary.
 */
int core_feed(struct core *core, const void *record, size_t len_bytes);

/* Validates without applying: 0, or -EBADMSG with a reason for a person in *why (static string). */
int wire_check(const void *record, size_t len_bytes, const char **why);

/* Counts so far. Owned by core. */
const struct run_summary *core_summary(const struct core *core);

/* Lives now open. */
size_t core_lives(const struct core *core);

#endif
