/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passes.h owns when the kernel's sockets are walked through: at the start, after a loss, now and
 * then where the backend has blind spots, at the stop. A pass is a walk between two WIRE_PASS
 * records. It goes on in steps, between which the reader takes what waits.
 */
#ifndef PORTLIFE_SOURCE_PASSES_H
#define PORTLIFE_SOURCE_PASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

struct existing;

enum pass_stage {
	PASS_NONE,
	PASS_WALKS,
	PASS_ARRIVES, /* walked through: its records are on their way */
};

struct passes {
	struct existing *existing; /* NULL: no pass is ever made */
	bool resync;		   /* not only at the start */
	bool periodic;		   /* the backend has blind spots */
	bool time_wait; /* the backend sees the end of TIME_WAIT: entries that it missed always
			   count */
	enum pass_stage stage;
	uint16_t flags; /* enum wire_pass_flag of the pass under way */
	uint16_t walk;	/* number of the walk */
	uint32_t number;
	uint64_t walked_ns;	    /* PASS_ARRIVES: since when */
	uint64_t light_ns, full_ns; /* when the next one is due; 0: none */
	bool lost;		    /* records were, since the pass began */
	bool overtaken;		    /* a record came that was made after the walk */
	bool second;		    /* the pass only judges what the one before left undecided */
};

/* Puts a record into the stream; not 0: no more. */
typedef int passes_give(void *arg, const void *record, size_t len_bytes);

/* Makes the first pass due. backend: enum wire_backend. */
void passes_init(struct passes *passes, struct existing *existing, uint32_t backend, bool resync);

/* Records were lost: all is looked at again once that is over. */
void passes_lost(struct passes *passes);

/* A record has been taken from the ring buffer: the pass is over when later ones come. */
void passes_saw(struct passes *passes, const struct wire_head *record);

/*
 * Begins a pass if one is due, or goes on with the one under way for a step. emptied: every record
 * written so far has been taken. True: call it again as soon as what waits is taken.
 */
bool passes_step(struct passes *passes, bool emptied, passes_give *give, void *arg);

/* A pass is under way. */
bool passes_busy(const struct passes *passes);

/*
 * The run is about to stop: makes due what still has to be looked at. Then call passes_step()
 * until neither passes_busy() nor passes_due().
 */
void passes_finish(struct passes *passes);
bool passes_due(const struct passes *passes);

/* A pass that is under way is not finished. */
void passes_abort(struct passes *passes, passes_give *give, void *arg);

#endif
