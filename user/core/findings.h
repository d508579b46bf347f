/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings.h owns the seams between the files that word findings. Nothing outside of user/core
 * includes it.
 */
#ifndef PORTLIFE_CORE_FINDINGS_H
#define PORTLIFE_CORE_FINDINGS_H

#include "user/core/pressure_count.h"
#include "user/core/sentence.h"
#include "user/core/state.h"

#define FINDING_BIT(id) (UINT32_C(1) << (id))

/* How full a range is, as far as the table of lives knows; counted only when it is told. */
struct scarcity {
	struct settings settings; /* the namespace's, with the range of the event's socket */
	struct pressure pressure;
	bool for_peer;			  /* connect() of TCP: ports are shared, but not for ... */
	struct pressure_destination peer; /* ... this one */
	uint32_t early; /* ports that this program's sockets took by bind(0) before connect() */
};

/* What a finding is told with. */
struct telling {
	const struct core *core;
	const struct event *event;
	const struct scarcity *scarcity; /* of those that say so in the table; else NULL */
	struct sentence *s;
};

struct finding_rule {
	enum severity severity;
	void (*say)(const struct telling *t);
	const char *hint;
	const char *(*choose_hint)(const struct event *e); /* instead of hint */
	bool counts;					   /* needs a scarcity */
};

/* findings.c */
const struct finding_rule *finding_rule(enum finding_id id);
void findings_say_request(const struct telling *t);
void findings_say_peer(const struct telling *t);

/* findings_scarce.c: ports run out, or are taken without need */
/* Returns 0 or -ENOMEM. */
int scarcity_count(struct scarcity *scarcity, const struct core *core, const struct event *e);
void scarcity_say_exhausted(const struct telling *t);
void scarcity_say_low(const struct telling *t);
void scarcity_say_early(const struct telling *t);
void scarcity_say_slow(const struct telling *t);
const char *scarcity_hint(const struct event *e);

/* evidence.c: what a finding rests on, one fact a line; returns how many there are */
#define EVIDENCE_MAX 16
size_t evidence_gather(const struct telling *t, enum finding_id id, struct sentence *lines);

#endif
