/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state.h owns the seams between the files that together are core: what a run is made of, and the
 * steps from a validated record to events. Nothing outside of user/core includes it.
 */
#ifndef PORTLIFE_CORE_STATE_H
#define PORTLIFE_CORE_STATE_H

#include "user/core/core.h"
#include "user/core/lives.h"
#include "user/core/names.h"
#include "user/core/record.h"

struct core {
	const struct filter *filter;
	const struct sink *sinks;
	size_t sinks_len;
	struct lives lives;
	struct names *names;
	struct run_info run;
	char *run_text;		  /* the strings of run */
	const char **run_command; /* the array of run.command */
	struct run_summary summary;
	bool started, stopped;
};

/* All functions that return int return 0, -ENOMEM, or what a sink returned. */

/* run.c: what a record says about the run as a whole */
int run_start(struct core *core, const struct wire_start *start, const char *text);
int run_lost(struct core *core, const struct wire_lost *lost);
void run_command(struct core *core, const struct wire_command *command);
int run_stop(struct core *core);
void run_free(struct core *core);

/* calls.c, edges.c: one record about a socket */
int call_apply(struct core *core, const struct wire_call *call);
int edge_apply(struct core *core, const struct wire_edge *edge);
int owner_apply(struct core *core, const struct wire_owner *owner);
int end_apply(struct core *core, const struct wire_end *end);

/* emit.c: from the table to the sinks */

/* An event of this life as it is now: its tenure if it holds one, its owner. */
struct event event_make(const struct slot *slot, enum event_kind kind, uint64_t ts_ns);
/* Notes the phase, counts the event, shows it if it is to be shown. */
int event_emit(struct core *core, struct slot *slot, const struct event *e);
/* Likewise for an event after the end of a life. */
int event_emit_late(struct core *core, const struct event *e);
/* The `life` line. */
int life_emit(struct core *core, struct slot *slot);

/* owner.c: whose socket it is */

/* A task has touched the socket. who is not kept. */
void owner_touch(struct core *core, struct slot *slot, const struct wire_who *who, uint32_t facts);
/* The socket came out of this listener. */
void owner_inherit(struct core *core, struct slot *slot, uint64_t listener_id);

/* tenures.c: who holds what */

/* Begins a tenure; the model's shared is not looked at. NULL if memory is short. */
struct tenure *tenure_begin(struct slot *slot, const struct tenure *model);
/* The same for a port that was assigned unseen. */
struct tenure *tenure_begin_unseen(struct slot *slot, uint16_t port, uint8_t userlocks);
/* The tenure that is open, NULL if there is none. */
struct tenure *tenure_held(const struct slot *slot);
/* The open tenure, or the last one if it was released since then (0: never). */
struct tenure *tenure_since(const struct slot *slot, uint64_t since_ns);
/* The socket no longer has it; nobody saw when it gave it up. */
void tenure_lose(struct slot *slot);
/*
 * What a record says the socket is giving up: the open tenure, or one made up for what was not
 * seen. *tenure is NULL if it was told before, or if there is nothing to tell.
 */
int tenure_claim(struct slot *slot, uint16_t port, struct tenure **tenure);
/* The port is given up: closes the tenure and tells of it, once. */
int tenure_release(struct core *core, struct slot *slot, uint16_t port, uint64_t ts_ns);

#endif
