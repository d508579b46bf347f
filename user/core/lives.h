/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lives.h owns the table of lives and what is kept of those that ended in TIME_WAIT: memory,
 * finding, tenures and phases. It does not know what makes a life begin, go on or end.
 */
#ifndef PORTLIFE_CORE_LIVES_H
#define PORTLIFE_CORE_LIVES_H

#include "user/core/event.h"
#include "user/core/hash.h"
#include "user/core/pool.h"
#include "user/core/ports.h"

/* Most lives have one tenure, which costs no extra memory, and, while they last, three phases. */
#define LIFE_PHASES_FEW	    3
#define LIFE_PHASES_SOME    16
#define LIFE_PHASES_MAX	    64
#define LIFE_TENURES_INLINE 1
#define LIFE_TENURES_SOME   8
#define LIFE_TENURES_MAX    64

enum attempt { ATTEMPT_NONE, ATTEMPT_UNDER_WAY, ATTEMPT_FAILED };

/* A life and what only core needs to know about it. */
struct slot {
	struct life life;
	uint64_t attempt_ns;  /* begin of the latest connection attempt, 0 if there was none */
	uint64_t found_ns;    /* when the open tenure was found, if it began unseen */
	uint32_t seen;	      /* epoch of the latest record about it (struct pass) */
	uint8_t attempt : 2;  /* enum attempt: how the latest one went */
	bool timed : 1;	      /* attempt_ns is when the call began; else when it was told of */
	bool child : 1;	      /* made by the kernel for an accepted connection */
	bool established : 1; /* the event was made */
	bool counted : 1;     /* in the summary */
	uint8_t state;	      /* TCP_* as last seen */
	uint16_t listed_port; /* that link stands under, 0: under none */
	struct port_link link;
	UT_hash_handle hh;
	struct tenure tenure;
};

/* A TIME_WAIT entry that holds the port of a life that ended: enough for its `release`. */
struct remnant {
	struct remnant_key {
		uint64_t id, port; /* a socket may have left several ports to TIME_WAIT */
	} key;
	uint64_t number, parent;
	uint64_t assigned_ns;
	uint64_t ended_ns; /* of the life */
	struct wire_who who;
	uint8_t local[16], peer[16];
	uint32_t scope, netns, ifindex;
	uint16_t peer_port;
	uint16_t range_lo, range_hi;
	uint16_t protocol, options;
	uint8_t inet6 : 1, who_known : 1, existing : 1, kern : 1;
	uint8_t local_scoped : 1, peer_scoped : 1, deferred : 1;
	uint8_t unfollowed : 1; /* nobody will tell of its end: it is taken to last its minute */
	uint8_t origin : 4, by : 4;
	uint8_t shared;
	bool found;    /* by a walk: when it began is not known */
	uint32_t seen; /* as slot.seen */
	struct port_link link;
	UT_hash_handle hh;
};

struct lives {
	struct slot *table;
	struct remnant *remnants;
	struct pool slots, remnant_pool;
	struct pool few_phases, some_phases; /* touched only if somebody asks for the phases */
	struct port_index ports;
	uint64_t numbered;	    /* lives so far */
	struct remnant *unfollowed; /* none that was kept before it is; NULL: none is */
	/* Never found; they keep uthash from freeing and making its table as lives come and go. */
	struct slot anchor;
	struct remnant remnant_anchor;
};

/* When the call began whose connection attempt is under way; 0 if none is, or it was not seen. */
static inline uint64_t attempt_since(const struct slot *slot)
{
	return slot->attempt == ATTEMPT_UNDER_WAY && slot->timed ? slot->attempt_ns : 0;
}

int lives_init(struct lives *lives);
void lives_free(struct lives *lives);

struct slot *lives_find(struct lives *lives, uint64_t id);
/* A new life, numbered, all else zero. id must not be in the table. NULL if memory is short. */
struct slot *lives_begin(struct lives *lives, uint64_t id);
void lives_forget(struct lives *lives, struct slot *slot);

/* Brings the index of ports to what the life holds now. */
void lives_list(struct lives *lives, struct slot *slot);

/* Lives in order of their numbers: NULL begins, NULL ends. */
struct slot *lives_next(const struct lives *lives, struct slot *after);
size_t lives_count(const struct lives *lives);

/*
 * Appends a zeroed tenure. The first and the latest of very many are kept. Pointers to earlier
 * tenures of this life are no longer valid. NULL if memory is short.
 */
struct tenure *lives_add_tenure(struct slot *slot);
/* The latest tenure, NULL if there was none. */
struct tenure *lives_last_tenure(const struct slot *slot);
/* Returns 0 or -ENOMEM. Phases past the first LIFE_PHASES_MAX are counted only. */
int lives_add_phase(struct lives *lives, struct slot *slot, struct phase phase);

/* Keeps what the TIME_WAIT entry of this life will need. NULL if memory is short. */
struct remnant *lives_keep_remnant(struct lives *lives, const struct life *life,
				   const struct tenure *tenure, uint32_t seen, bool found);
/* Nobody will tell of the end of this one, which was kept last. */
void lives_unfollow(struct lives *lives, struct remnant *remnant);
/* Forgets those that nobody follows, of lives that ended before this. */
void lives_expire_unfollowed(struct lives *lives, uint64_t ended_before_ns);
/* NULL if there is none. */
struct remnant *lives_find_remnant(struct lives *lives, uint64_t id, uint16_t port);
/* In the order in which they were kept: NULL begins, NULL ends. */
struct remnant *lives_next_remnant(const struct lives *lives, const struct remnant *after);
void lives_drop_remnant(struct lives *lives, struct remnant *remnant);
/* Takes a remnant out: fills *life and *tenure, which life->tenures then names. */
void lives_take_remnant(struct lives *lives, struct remnant *remnant, struct life *life,
			struct tenure *tenure);
/* What a link of the index of ports stands in. */
static inline struct slot *slot_of_link(struct port_link *link)
{
	return (struct slot *)((char *)link - offsetof(struct slot, link));
}

static inline struct remnant *remnant_of_link(struct port_link *link)
{
	return (struct remnant *)((char *)link - offsetof(struct remnant, link));
}

/* Forgets the remnants of lives that ended before this: the record of their end was lost. */
void lives_expire_remnants(struct lives *lives, uint64_t ended_before_ns);

#endif
