/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sink.h is the seam between understanding and showing: the calls that core makes, in stream
 * order, on whatever shows or stores results. Core knows no sink; a sink knows no source.
 */
#ifndef PORTLIFE_CORE_SINK_H
#define PORTLIFE_CORE_SINK_H

#include "user/core/event.h"
#include "user/core/finding.h"
#include "user/core/pressure_count.h"

/* What the WIRE_START record said. Strings are NUL-terminated, owned by core, valid for the run. */
struct run_info {
	uint64_t boot_ns; /* start of the run */
	uint64_t wall_ns; /* the same moment since the Epoch */
	uint32_t backend; /* enum wire_backend; 0: nothing is traced (a lesson without privilege) */
	uint32_t blind;	  /* enum wire_blind */
	uint16_t filter;  /* enum wire_filter: sockets of others are not in the stream */
	uint32_t netns;
	uint16_t range_lo, range_hi;
	bool pid_initial;
	const char *kernel;
	const char *host;
	const char *const *command; /* NULL-terminated, NULL if there is none */
};

/* How long the kernel looked for a port, of events that were selected. */
#define SEARCH_BUCKETS 22

struct search_summary {
	uint64_t count, sum_ns, max_ns;
	uint64_t buckets[SEARCH_BUCKETS];	    /* the last is without an end */
	uint64_t tried_count, tried_sum, tried_max; /* candidates, where they are known */
};

/* What is in a bucket took less than this, but not less than that of the bucket before. */
static inline uint64_t search_below_ns(size_t bucket)
{
	return UINT64_C(1000) << bucket;
}

/* The range of a network namespace at the end of a run, for TCP or UDP. */
struct space_summary {
	struct pressure pressure;
	bool all; /* every socket is in the count; else those that were followed */
	uint64_t assigned, released; /* ports of the range during the run */
	bool released_known;	     /* this backend sees all of them */
};

struct run_summary {
	uint64_t ts_ns; /* end of the run */
	uint64_t events[EVENT_KINDS];
	uint64_t origins[ORIGIN_KINDS]; /* tenures by origin; assigned while watched */
	struct {
		int error;
		uint64_t count;
	} errors[64]; /* failed operations, errors_len used */
	size_t errors_len;
	uint64_t lives; /* sockets followed */
	uint64_t lives_ended;
	uint64_t implicit, ephemeral;  /* tenures */
	uint64_t lost;		       /* records and operations, all causes */
	uint64_t shown;		       /* events that passed the filter */
	uint32_t findings;	       /* bit set by enum finding_id: that there were */
	uint64_t found[FINDING_KINDS]; /* events with this finding, told of or not */
	struct search_summary search;
	uint64_t elapsed_ns;		    /* from the start of the run to ts_ns */
	const struct space_summary *spaces; /* NULL but in the sinks' call */
	size_t spaces_len;
	uint64_t spaces_omitted;
	bool complete; /* WIRE_STOP was read */
	bool has_command;
	int command_exit, command_signal; /* -1, 0: not known */
};

/* Names learned from WIRE_NAME; NULL if not known. Valid until the next record. */
struct names;
const char *names_find(const struct names *n, uint16_t what, uint64_t id, uint32_t netns);

struct sink_ops { /* what is NULL is not called */
	int (*start)(void *self, const struct run_info *run, const struct names *names);
	int (*event)(void *self, const struct event *e);
	/* of the event just shown */
	int (*finding)(void *self, const struct finding *f);
	int (*life)(void *self, const struct life *l, bool ended);
	int (*lost)(void *self, uint64_t ts_ns, uint64_t count, enum wire_lost_cause cause,
		    uint32_t cpu);
	int (*summary)(void *self, const struct run_summary *s);
};

/* Each call returns 0 or a negative errno (-EPIPE: the reader left), which core passes on at once.
 */
struct sink {
	const struct sink_ops *ops;
	void *self;
};

#endif
