/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * make.h owns the records that the collector itself puts into the stream, so that whatever
 * reaches a sink is a record. Each function fills a buffer and returns the record's length.
 */
#ifndef PORTLIFE_SOURCE_MAKE_H
#define PORTLIFE_SOURCE_MAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"
#include "user/core/settings.h"

#define MAKE_MAX 8192 /* no record made here is longer; longer texts are cut */

/* Aligned as every record is. */
struct made {
	_Alignas(8) unsigned char bytes[MAKE_MAX];
};

/* What only the probes know. */
struct start {
	uint32_t backend; /* enum wire_backend */
	uint32_t blind;	  /* enum wire_blind */
	uint16_t filter;  /* enum wire_filter */
};

uint64_t clock_boot_ns(void);
/* The length of a jiffy, 0 if it is not known. */
uint32_t clock_tick_ns(void);

/* WIRE_START: samples the clocks, names kernel, host, namespace and range. */
size_t make_start(struct made *made, const struct start *start, char *const *command);
size_t make_name(struct made *made, uint64_t ts_ns, enum wire_name_what what, uint64_t id,
		 uint32_t netns, const char *text);
/* From now on. Reserved ports that are too many for a record are left out: not known. */
size_t make_settings(struct made *made, uint64_t ts_ns, const struct settings *settings);
size_t make_lost(struct made *made, uint64_t count, enum wire_lost_cause cause, uint32_t cpu);
size_t make_pass(struct made *made, uint32_t number, enum wire_pass_stage stage, uint16_t flags);
size_t make_tick(struct made *made);
size_t make_command(struct made *made, int exit, int signal);
size_t make_stop(struct made *made, uint64_t records);
/* All but the head of *holder is filled. */
size_t make_holder(struct made *made, const struct wire_holder *holder);
/* What was looked up, after the conflict, of the one who was refused this port. */
size_t make_holders(struct made *made, uint64_t asker, uint16_t port, uint32_t told, bool cut);

/* Inode number of a namespace of this process ("net", "pid"), 0 if it cannot be read. */
uint32_t namespace_inum(const char *which);

/* Inode number of this process's pid namespace, 0 if that is the initial one. */
uint32_t pid_namespace_nested(void);

#endif
