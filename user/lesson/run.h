/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run.h owns what happened when a lesson's program ran: each call as the program saw it, and under
 * it the events that portlife saw. It has no kernel: live and replayed, the same records give the
 * same run and the same verdict.
 */
#ifndef PORTLIFE_LESSON_RUN_H
#define PORTLIFE_LESSON_RUN_H

#include "user/core/explain.h"
#include "user/core/sink.h"
#include "user/lesson/lesson.h"

#define SEEN_WHY_MAX  160
#define SEEN_NAME_MAX 32

/* An event, kept: what of it a lesson shows and judges by. */
struct seen {
	enum event_kind kind;
	uint64_t ts_ns;
	uint64_t socket; /* life.number, 0 if not known */
	uint64_t parent;
	int fd;
	int error;
	uint16_t port;
	uint8_t origin; /* enum port_origin, of the tenure; ORIGIN_NONE if there is none */
	uint8_t shared; /* enum tristate */
	bool assigned, deferred, reconciled, waits;
	uint16_t range_lo, range_hi;
	uint16_t protocol;		 /* as life.protocol */
	struct endpoint local, peer;	 /* family 0: not of IP; local also: neither a number */
	char name[SEEN_NAME_MAX];	 /* of AF_UNIX, "@letters"; else "" */
	char why[SEEN_WHY_MAX];		 /* who is in the way, "" if nobody is known */
	const char *owner;		 /* name of the socket in the program, NULL if not known */
	struct explanation *explanation; /* owned; NULL if none was asked for */
};

/* A call that was made. */
struct did {
	const struct step *step;
	bool done;
	int error;  /* positive errno, 0 if it succeeded */
	int result; /* what it returned, if it succeeded */
	int other;  /* as wire_step.other */
	struct wire_place before, after, peer;
	uint64_t begin_ns, end_ns;
	size_t events; /* index of the first one under it */
	size_t events_len;
};

struct run {
	const struct lesson *lesson; /* NULL: none is under way */
	bool traced;		     /* there was a tracer: events are complete */
	uint64_t lost;		     /* ... but for so many records */
	uint32_t blind;		     /* enum wire_blind of the tracer */
	int failed; /* positive errno: the lesson's network could not be made; else 0 */
	struct did did[LESSON_STEPS_MAX];
	struct seen *seen;
	size_t seen_len, seen_size;
};

/*
 * A run from its first call on. Events may have come before it: they are sorted by their time when
 * it is over. run_end() forgets all of them; their memory is kept.
 */
void run_begin(struct run *run, const struct lesson *lesson);
void run_end(struct run *run);
void run_forget(struct run *run);

/* Checksum of a lesson's program: who replays must have the same one. */
uint32_t lesson_program(const struct lesson *lesson);

/*
 * A call, or the end of the program. Returns 1 at the end, when the run is whole and events stand
 * under their calls; else 0; -EPROTO if it does not belong to this lesson's program.
 */
int run_step(struct run *run, const struct wire_step *step);
/* 0 or -ENOMEM */
int run_event(struct run *run, const struct event *event, const struct names *names);

/*
 * The claim judged by the rule of its lesson; before that, each call is compared with the events
 * under it. Sets every field of *verdict.
 */
void run_judge(const struct run *run, struct verdict *verdict);

/* --- for judges -------------------------------------------------------------------------- */

/* The nth (from 0) call of this kind on this socket (NULL: on any). Never NULL: of a step that is
 * not there or was not made, `done` is false. */
const struct did *did_nth(const struct run *run, enum step_op op, const char *socket, size_t nth);
#define did_bind(run, s)    did_nth(run, STEP_BIND, s, 0)
#define did_listen(run, s)  did_nth(run, STEP_LISTEN, s, 0)
#define did_connect(run, s) did_nth(run, STEP_CONNECT, s, 0)
#define did_accept(run, s)  did_nth(run, STEP_ACCEPT, s, 0)
#define did_send(run, s)    did_nth(run, STEP_SEND_TO, s, 0)

static inline bool worked(const struct did *did)
{
	return did->done && !did->error;
}

static inline bool failed_with(const struct did *did, int error)
{
	return did->done && did->error == error;
}

static inline bool failed(const struct did *did)
{
	return did->done && did->error;
}

/* The call gave a port to a socket that had none. */
static inline bool gave_port(const struct did *did)
{
	return worked(did) && !did->before.port && did->after.port;
}

/* An event of this kind under the call, NULL if there is none or nobody watched. */
const struct seen *did_see(const struct run *run, const struct did *did, enum event_kind kind);

/* "EADDRINUSE", "0" */
const char *did_outcome(const struct did *did);

__attribute__((format(printf, 3, 4))) void verdict_say(struct verdict *v, enum ruling ruling,
						       const char *format, ...);
__attribute__((format(printf, 2, 3))) void verdict_more(struct verdict *v, const char *format, ...);
/* What a traced run must have seen: else a contradiction is noted. */
void verdict_needs(struct verdict *v, const struct run *run, const struct did *did,
		   enum event_kind kind, enum port_origin origin);

#endif
