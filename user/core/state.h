/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state.h owns the seams between the files that together are core: what a run is made of, and the
 * steps from a validated record to events. Nothing outside of user/core includes it.
 */
#ifndef PORTLIFE_CORE_STATE_H
#define PORTLIFE_CORE_STATE_H

#include "user/core/core.h"
#include "user/core/explain.h"
#include "user/core/holders.h"
#include "user/core/lives.h"
#include "user/core/names.h"
#include "user/core/noted.h"
#include "user/core/pressure_count.h"
#include "user/core/record.h"
#include "user/core/spaces.h"
#include "user/core/settings_seen.h"
#include "user/core/told.h"

/* The walk through the kernel's sockets that is under way, see passes.c. */
struct pass {
	uint32_t epoch;	 /* walks begun so far; what a record was about carries it */
	uint32_t number; /* 0: none is under way */
	uint16_t flags;	 /* enum wire_pass_flag */
	bool started;	 /* the first walk, of what was there before, is over */
};

/* Findings told of lately, by program; a few, since few programs have trouble at a time. */
#define REPEATS_MAX 64

struct repeats {
	struct repeat {
		char comm[WIRE_COMM_LEN];
		uint16_t protocol;
		uint8_t id, kind; /* enum finding_id, enum event_kind */
		uint16_t port;	  /* that was refused, 0: it is about no port by name */
		uint32_t netns;
		bool used;
		uint64_t told_ns;
		uint64_t count; /* since then */
	} list[REPEATS_MAX];
};

/* pressure.c: when it is next asked how many ports of a range are left. */
#define PRESSURE_ASKS 16
struct pressure_ask {
	uint32_t netns;
	uint16_t protocol, lo, hi;
	uint32_t until;	     /* so many more are given before */
	uint64_t quiet_ns;   /* nor is it asked before */
	uint64_t counted_ns; /* a large range: when each of its ports was looked at */
};

struct pressure_asks {
	struct pressure_ask list[PRESSURE_ASKS];
	size_t latest, next; /* next: that makes room */
};

struct paths; /* family.c */

struct core {
	const struct filter *filter;
	const struct sink *sinks;
	size_t sinks_len;
	bool tells_lives; /* a sink has lines of lives */
	struct lives lives;
	struct spaces spaces;
	struct paths *paths; /* names of AF_UNIX, by socket */
	struct names *names;
	struct settings_seen settings;
	struct explain *explain; /* NULL: nobody asked */
	struct run_info run;
	char *run_text;		  /* the strings of run */
	const char **run_command; /* the array of run.command */
	struct run_summary summary;
	struct pass pass;
	struct told *told; /* where TIME_WAIT entries are not seen: until the first walk is over */
	struct repeats repeats;
	struct notes *notes; /* of conflicts whose call is not told of yet */
	struct pressure_asks asks;
	bool started, stopped;
};

/* All functions that return int return 0, -ENOMEM, or what a sink returned. */

/* run.c: what a record says about the run as a whole */
int run_start(struct core *core, const struct wire_start *start, const char *text);
int run_lost(struct core *core, const struct wire_lost *lost);
void run_command(struct core *core, const struct wire_command *command);
int run_stop(struct core *core);
void run_free(struct core *core);

/* sockets.c: the socket as a record has it */

struct endpoint endpoint_make(uint16_t family, const uint8_t *addr, uint16_t port, uint32_t scope);
bool endpoint_is_same(const struct endpoint *a, const struct endpoint *b);
/* The life of a call's socket, with what the record says about socket and task; NULL: no memory. */
struct slot *socket_of(struct core *core, const struct wire_call *c);
/* What the record says about socket and task, put into a life that exists. */
void socket_describe(struct core *core, struct slot *slot, const struct wire_call *c);
/* life.local.port is the last port it had: a record without one does not change it. */
void socket_set_endpoints(struct life *life, const struct wire_sock *s);

/* calls.c, edges.c, passes.c: one record about a socket */
int call_apply(struct core *core, const struct wire_call *call);
int edge_apply(struct core *core, const struct wire_edge *edge);
int owner_apply(struct core *core, const struct wire_owner *owner);
int end_apply(struct core *core, const struct wire_end *end);
/* WIRE_FOUND with WIRE_F_PASS */
int found_apply(struct core *core, const struct wire_call *c);
/* Where nobody tells of the end of TIME_WAIT entries: those that are over are forgotten ... */
void time_wait_expire(struct core *core, uint64_t now_ns);
/* ... and the one of a connection that this socket has begun again. */
void time_wait_replaced(struct core *core, const struct slot *slot);
/* A TIME_WAIT entry goes on without the life that it is from; and ends, with it or without. */
int remnant_keep(struct core *core, const struct life *life, const struct tenure *tenure,
		 bool found);
int time_wait_end(struct core *core, uint64_t id, uint16_t port, uint64_t ts_ns, bool reconciled);
/* The life is over as this says; slot is gone afterwards. */
int life_end(struct core *core, struct slot *slot, const struct wire_end *end);
/* The child's tenure begins, if it did not before; sets *assigned if while watched. */
int child_begin(struct core *core, struct slot *slot, const struct wire_call *c, bool *assigned);
/* The child's `established`, once. */
int child_tell_established(struct core *core, struct slot *slot, const struct wire_call *c,
			   bool assigned);

/* passes.c: walks through the kernel's sockets */
int pass_apply(struct core *core, const struct wire_pass *pass);
/* The life's connection on this port is in TIME_WAIT and has been told of: for the first walk. */
int time_wait_told(struct core *core, const struct life *life, uint16_t port);

/* family.c: what stands for a port where there is none */

/* Ports become tokens, addresses of AF_UNIX lead to their names. */
void family_translate(struct paths *table, struct wire_call *c);
int family_learn(struct paths **table, const struct wire_address *a);
void family_forget(struct paths **table, uint64_t id);
void family_free(struct paths **table);

/* emit.c: from the table to the sinks */

/* An event of this life as it is now: its tenure if it holds one, its owner. */
struct event event_make(const struct slot *slot, enum event_kind kind, uint64_t ts_ns);
/* Likewise of this call. */
struct event event_of_call(const struct slot *slot, const struct wire_call *c,
			   enum event_kind kind);
/* Does anybody ask for the phases of lives? */
bool phases_are_kept(const struct core *core);
/*
 * The short way for an event of a state (established, close, time_wait, release) that brings no
 * port: true if nobody wants to see such events, and then it has been counted. tenure: that a
 * release ends.
 */
bool event_only_counts(struct core *core, struct slot *slot, enum event_kind kind,
		       const struct tenure *tenure);
/* Notes the phase, counts the event, shows it if it is to be shown. */
int event_emit(struct core *core, struct slot *slot, const struct event *e);
/* Likewise for an event after the end of a life. */
int event_emit_late(struct core *core, const struct event *e);
/* The `life` line. */
int life_emit(struct core *core, struct slot *slot);

/* holders.c: who is in the way; asker's socket is not, *found is filled anew */

/* ... of a bind() or listen() that failed */
void holders_of_port(const struct core *core, const struct slot *asker, const struct event *e,
		     struct holders *found);
/* ... of a connect() from a bound port: the same connection */
void holders_of_connection(const struct core *core, const struct slot *asker, const struct event *e,
			   struct holders *found);

/* pressure.c: is a range nearly used up? */

/* Is it time to ask, at this event that assigned a port? Once in a while. */
bool pressure_is_due(struct core *core, const struct event *e);
/* Is most of the event's range taken, for others of its kind? */
bool pressure_is_low(struct core *core, const struct event *e);
/* How many are taken, for the event's peer if that is what matters; the event's own socket is not
 * counted when it was just given its port. */
uint32_t pressure_taken(const struct core *core, const struct event *e, bool *for_peer);

/* pressure_lives.c: how full a range is, counted */

/*
 * Ports of the range by the table of lives; pressure_destinations() and the like may follow.
 * Returns 0 or -ENOMEM; pressure_end() in any case.
 */
int pressure_of_lives(const struct core *core, struct pressure_counter *c,
		      struct pressure *pressure, const struct settings *settings,
		      uint16_t protocol);
/* Of all namespaces, into core->summary. Returns 0 or -ENOMEM; free what was put there. */
int pressure_summarise(struct core *core);

/* explain.c: what happened, in sentences */
struct explain *explain_new(void);
void explain_free(struct explain *explain);
void explain_event(struct core *core, const struct event *e, struct explanation *x);

/* findings.c: what a person should know */

/* A bit set by enum finding_id: what the event alone tells. */
uint32_t findings_of(const struct core *core, const struct event *e);
/* ... and those in the way, who are put into *room, and what they tell. */
void findings_judge(const struct core *core, const struct slot *slot, struct event *e,
		    struct holders *room);
/* Tells of e->findings, but not too often. */
int findings_tell(struct core *core, const struct event *e);
/* Why the table of lives lacks sockets, as "; ..."; NULL if it has all that there are. */
const char *core_unseen(const struct core *core);

/* owner.c: whose socket it is */

/* The filter's verdict, of pid, name, user and cgroup; who is NULL if nobody is known. */
bool owner_chooses(const struct core *core, const struct wire_who *who, uint32_t facts);
/* A task has touched the socket. who is not kept. */
void owner_touch(struct core *core, struct slot *slot, const struct wire_who *who, uint32_t facts);
/* The socket came out of this listener. */
void owner_inherit(struct core *core, struct slot *slot, uint64_t listener_id);

/* tenures.c: who holds what */

/* Begins a tenure like this; what the socket held until then is gone at ts_ns at the latest. */
int tenure_begin(struct core *core, struct slot *slot, const struct tenure *model, uint64_t ts_ns);
/*
 * One of a port that was assigned unseen. Of a socket (or TIME_WAIT entry) that was there before,
 * the kernel may still know how.
 */
struct tenure tenure_unseen(const struct life *life, const struct wire_call *c, uint16_t port);
/* The tenure that is open, NULL if there is none. */
struct tenure *tenure_held(const struct slot *slot);
/* The open tenure, or the last one if it was released since then (0: never). */
struct tenure *tenure_since(const struct slot *slot, uint64_t since_ns);
/*
 * Brings the tenures to what a record of ts_ns shows: this port, or 0 for none. A port that went
 * unseen is told of as released, one that came unseen begins a tenure of unknown origin.
 */
int tenure_correct(struct core *core, struct slot *slot, const struct wire_call *c, uint16_t port);
/* The open tenure if its beginning was not seen, but a record between since_ns and until_ns had
 * it; else NULL. */
struct tenure *tenure_found_between(const struct slot *slot, uint64_t since_ns, uint64_t until_ns);
/*
 * What a record says the socket is giving up: the open tenure, or one made up for what was not
 * seen. *tenure is NULL if it was told before, or if there is nothing to tell.
 */
int tenure_claim(struct core *core, struct slot *slot, uint16_t port, uint64_t ts_ns,
		 struct tenure **tenure);
/* A TIME_WAIT entry takes over a port; the socket keeps it too if bind() had named it. */
struct tenure_wait {
	uint64_t ts_ns;
	uint16_t port;
	bool keeps, reconciled;
};
int tenure_wait(struct core *core, struct slot *slot, const struct tenure_wait *wait);
/* That entry is gone: the port is released unless the socket has it still. */
int tenure_end_wait(struct core *core, struct slot *slot, uint16_t port, uint64_t ts_ns,
		    bool reconciled);
/* The port is given up: closes the tenure and tells of it, once. */
int tenure_release(struct core *core, struct slot *slot, uint16_t port, uint64_t ts_ns);
/* The port that is held was found to be gone at ts_ns. */
int tenure_found_gone(struct core *core, struct slot *slot, uint64_t ts_ns);

#endif
