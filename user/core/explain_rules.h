/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_rules.h owns what a rule of --explain is: of which events it speaks, what must be known,
 * when it holds, and its sentence. The tables, by subject, know neither each other nor what was
 * said before.
 */
#ifndef PORTLIFE_CORE_EXPLAIN_RULES_H
#define PORTLIFE_CORE_EXPLAIN_RULES_H

#include "user/core/state.h"

/* What is known of an event. A rule is asked only if all that it needs is. */
enum explain_fact {
	FACT_TCP = 1 << 0,
	FACT_UDP = 1 << 1,	     /* or its like */
	FACT_OK = 1 << 2,	     /* it did not fail */
	FACT_FAILED = 1 << 3,	     /* it did */
	FACT_SEEN = 1 << 4,	     /* when it happened, not found later */
	FACT_LATE = 1 << 5,	     /* found later */
	FACT_PORT = 1 << 6,	     /* the socket has, or had, the port that the event is about */
	FACT_ORIGIN = 1 << 7,	     /* ... and it is known how that was given */
	FACT_GIVEN = 1 << 8,	     /* ... in this event */
	FACT_SOCKET = 1 << 9,	     /* state and locks after the call */
	FACT_REQUEST = 1 << 10,	     /* what the program passed, of the socket's family */
	FACT_PEER = 1 << 11,	     /* who is, or was to be, on the other side */
	FACT_RANGE = 1 << 12,	     /* of this socket */
	FACT_SETTINGS = 1 << 13,     /* range of the namespace, and reserved ports */
	FACT_UNPRIVILEGED = 1 << 14, /* ip_unprivileged_port_start */
	FACT_KERNEL = 1 << 15,	     /* its release */
	FACT_SHARED = 1 << 16,	     /* whether others have the port */
	FACT_HOLDER = 1 << 17,	     /* who is in the way */
	FACT_WHOLE_LIFE = 1 << 18,   /* from the socket's creation, and nothing was lost */
	FACT_TIME_WAIT = 1 << 19,    /* seen, not concluded from the states */
	FACT_USER = 1 << 20,	     /* a program asked, not the kernel or a BPF program */
	FACT_STRIDE = 1 << 21, /* which numbers connect() prefers: kernel and step width known */
};

/* struct event.userlocks: SOCK_BINDADDR_LOCK, SOCK_BINDPORT_LOCK, SOCK_CONNECT_BIND (6.17) */
#define LOCK_ADDRESS 4
#define LOCK_PORT    8
#define LOCK_CONNECT 16

#define KERNEL(major, minor) ((major) << 16 | (minor))

/* An event, and all that may be asked about it. */
struct about {
	const struct core *core;
	const struct event *event;
	const struct life *life;
	const struct settings *settings; /* of the socket's namespace, NULL: not known */
	struct endpoint peer;		 /* family 0: there is none */
	uint32_t kernel;		 /* KERNEL(), 0: not known */
	uint32_t facts;			 /* enum explain_fact */
};

struct explain_rule {
	uint32_t events;		     /* bit set by enum event_kind */
	uint32_t needs;			     /* enum explain_fact, all of them */
	bool (*when)(const struct about *a); /* NULL: always */
	const char *text;		     /* with {words}, see explain_words.c */
};

#define ON(kind) (UINT32_C(1) << EVENT_##kind)

/*
 * A subject: of `first` the first rule that holds says what happened, in plain words; of `more` all
 * that hold are said, in this order, as far as there is room and they were not said before.
 */
struct explain_table {
	const struct explain_rule *first, *more;
	size_t first_len, more_len;
};

#define EXPLAIN_MORE(array)  .more = (array), .more_len = sizeof(array) / sizeof((array)[0])
#define EXPLAIN_FIRST(array) .first = (array), .first_len = sizeof(array) / sizeof((array)[0])

extern const struct explain_table explain_bind, explain_bind_failed, explain_listen,
	explain_connect, explain_connect_failed, explain_send, explain_accept, explain_end,
	explain_other;

/* explain_search.c: how a port was looked for; said ahead of what the call's own table has */
extern const struct explain_table explain_search;

/* explain_words.c */

/*
 * Puts text with its {words} filled in at the end of s. only_lasting: without those that differ
 * from event to event (ports, addresses, counts), so that it tells whether the same was said.
 */
void explain_expand(const struct about *a, const char *text, bool only_lasting, struct sentence *s);

/* explain_facts.c: the questions that rules ask */

/* Does connect() (bind() and listen() if not) look at even numbers first, in this range? */
bool explain_prefers_even(const struct about *a, bool connect);
bool explain_is_wildcard(const struct endpoint *end);
bool explain_is_loopback(const struct endpoint *end);
bool explain_is_mapped(const struct endpoint *end); /* IPv4 in an address of IPv6 */
/* Was there such an event in this life before this one; with success? */
bool explain_was_tried(const struct about *a, enum event_kind kind);
bool explain_was_done(const struct about *a, enum event_kind kind);
/* Only what comes in through one device reaches it: SO_BINDTODEVICE, or a link-local address. */
bool explain_is_on_device(const struct about *a);
/* From the socket's creation on, bind() was asked for nothing. Needs FACT_WHOLE_LIFE and a port. */
bool explain_never_asked(const struct about *a);
/* What the event is about: of a tenure, its origin. */
enum port_origin explain_origin(const struct about *a);
/* Ports from lo to hi. */
uint32_t explain_range_size(const struct about *a);
/* Of an odd number each search leaves one out: known to be so here? */
bool explain_leaves_one(const struct about *a);
/* Reserved ones of the event's range. */
uint32_t explain_reserved(const struct about *a);
struct about explain_about(const struct core *core, const struct event *e);

#endif
