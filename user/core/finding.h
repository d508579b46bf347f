/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * finding.h owns what a finding is: something about an event that a person should know, in one
 * sentence, and what to do about it in another. It does not know who is told.
 */
#ifndef PORTLIFE_CORE_FINDING_H
#define PORTLIFE_CORE_FINDING_H

#include "user/core/event.h"

enum finding_id {
	FINDING_BIND_IN_USE,
	FINDING_PORTS_EXHAUSTED,
	FINDING_PORTS_LOW,
	FINDING_CONNECT_TUPLE_IN_USE,
	FINDING_BIND_DENIED,
	FINDING_BIND_REFUSED_BY_POLICY,
	FINDING_BIND_NOT_LOCAL,
	FINDING_BIND_TWICE,
	FINDING_EARLY_BIND,
	FINDING_TIME_WAIT_HOLDS_PORT,
	FINDING_LISTEN_RANDOM_PORT,
	FINDING_LISTEN_LOST_PORT,
	FINDING_SLOW_PORT_SEARCH,
	FINDING_KINDS,
	/* flags of every event: for --fail-on, never found by themselves */
	FINDING_IMPLICIT_BIND = FINDING_KINDS,
	FINDING_EPHEMERAL_PORT,
	FINDING_NAMES,
};

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_ERROR };

#define FINDING_TEXT_MAX 1024

struct pressure; /* core/pressure_count.h */
struct sentence; /* core/sentence.h */

/* Valid during the sink's call only. */
struct finding {
	enum finding_id id;
	enum severity severity;
	const char *text; /* text_len bytes, of strangers in part; without a full stop */
	size_t text_len;
	const char *hint;
	const struct event *event;
	uint64_t count; /* of this program since it was told of last, this one included */
	const struct pressure *pressure; /* of the event's range, where it matters; else NULL */
	bool pressure_all;		 /* every socket is in that count */
	const struct sentence *evidence; /* what it rests on, a fact each */
	size_t evidence_len;
};

/* "bind-in-use"; also of the two flags. */
const char *finding_name(unsigned int id);
enum severity finding_severity(enum finding_id id);
const char *severity_name(enum severity severity);

#endif
