/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tenures.c owns the holds of sockets on ports: when one begins and ends, and what is said where
 * the beginning or the end was not seen. Nothing is guessed: what is not known stays zero.
 */
#include <errno.h>

#include "user/core/state.h"

#define SOCK_CONNECT_BIND 16 /* 6.17: the port was assigned by connect() */

static int give_up(struct core *core, struct slot *slot, struct tenure *tenure, uint64_t ts_ns,
		   bool reconciled)
{
	struct event e;

	tenure->released_ns = ts_ns;
	slot->life.holds_port = false;
	if (event_only_counts(core, slot, EVENT_RELEASE, tenure))
		return 0;
	e = event_make(slot, EVENT_RELEASE, ts_ns);
	e.tenure = tenure;
	e.port = tenure->port;
	e.reconciled = reconciled;
	return event_emit(core, slot, &e);
}

/* A socket has one port at a time: whatever release was not told of has been by now. */
static int end_latest(struct core *core, struct slot *slot, uint64_t ts_ns)
{
	struct tenure *last = lives_last_tenure(slot);

	if (!last || last->released_ns || last->waits)
		return 0;
	return give_up(core, slot, last, ts_ns, true);
}

int tenure_begin(struct core *core, struct slot *slot, const struct tenure *model, uint64_t ts_ns)
{
	int err = end_latest(core, slot, ts_ns);
	struct tenure *tenure;

	if (err)
		return err;
	tenure = lives_add_tenure(slot);
	if (!tenure)
		return -ENOMEM;
	*tenure = *model;
	slot->found_ns = 0;
	slot->life.holds_port = true;
	slot->life.local.port = model->port;
	return 0;
}

struct tenure tenure_unseen(const struct life *life, const struct wire_call *c, uint16_t port)
{
	bool by_connect = life->existing && (c->sock.userlocks & SOCK_CONNECT_BIND);

	return (struct tenure){
		.port = port,
		.origin = by_connect ? ORIGIN_CONNECT : ORIGIN_UNKNOWN,
		.by = BY_NONE,
		.shared = NULL_STATE,
	};
}

static int begin_unseen(struct core *core, struct slot *slot, const struct wire_call *c,
			uint16_t port)
{
	struct tenure model = tenure_unseen(&slot->life, c, port);
	int err = tenure_begin(core, slot, &model, c->head.ts_ns);

	if (!err)
		slot->found_ns = c->head.ts_ns;
	return err;
}

struct tenure *tenure_held(const struct slot *slot)
{
	return slot->life.holds_port ? lives_last_tenure(slot) : NULL;
}

struct tenure *tenure_since(const struct slot *slot, uint64_t since_ns)
{
	struct tenure *last = lives_last_tenure(slot);

	if (slot->life.holds_port)
		return last;
	return last && since_ns && last->released_ns >= since_ns ? last : NULL;
}

struct tenure *tenure_found_between(const struct slot *slot, uint64_t since_ns, uint64_t until_ns)
{
	struct tenure *held = tenure_held(slot);

	if (!held || held->assigned_ns || held->by != BY_NONE)
		return NULL;
	return slot->found_ns >= since_ns && slot->found_ns <= until_ns ? held : NULL;
}

int tenure_found_gone(struct core *core, struct slot *slot, uint64_t ts_ns)
{
	struct tenure *held = tenure_held(slot);

	if (held && held->waits)
		slot->life.holds_port = false;
	return held && !held->waits ? give_up(core, slot, held, ts_ns, true) : 0;
}

int tenure_claim(struct core *core, struct slot *slot, uint16_t port, uint64_t ts_ns,
		 struct tenure **tenure)
{
	struct tenure *last = lives_last_tenure(slot);
	struct tenure model = { .port = port, .origin = ORIGIN_UNKNOWN, .shared = NULL_STATE };
	int err;

	*tenure = NULL;
	if (last && (last->port == port || !port)) {
		/* released_ns: another record came first */
		if (slot->life.holds_port || !(last->released_ns || last->waits))
			*tenure = last;
		return 0;
	}
	if (!port)
		return 0;
	if (!last && slot->child) {
		model.origin = ORIGIN_ACCEPT;
		model.shared = NO;
		model.assigned_ns = slot->life.created_ns;
	}
	err = tenure_begin(core, slot, &model, ts_ns);
	if (!err)
		*tenure = lives_last_tenure(slot);
	return err;
}

/*
 * TIME_WAIT takes the port over while the socket goes on. Only for somebody: what would not be
 * shown or counted needs nothing kept, nor does an end that nobody will see.
 */
int tenure_wait(struct core *core, struct slot *slot, const struct tenure_wait *wait)
{
	struct tenure *tenure;
	struct event e;
	struct life left;
	int err = tenure_claim(core, slot, wait->port, wait->ts_ns, &tenure);

	if (err || !tenure)
		return err;
	slot->life.time_wait = true;
	slot->life.holds_port = wait->keeps;
	e = event_make(slot, EVENT_TIME_WAIT, wait->ts_ns);
	e.tenure = tenure;
	e.port = tenure->port;
	e.reconciled = wait->reconciled;
	tenure->waits = true;
	err = event_emit(core, slot, &e);
	if (err)
		return err;
	left = slot->life;
	left.ended_ns = wait->ts_ns;
	return left.chosen ? remnant_keep(core, &left, tenure, wait->reconciled) : 0;
}

int tenure_end_wait(struct core *core, struct slot *slot, uint16_t port, uint64_t ts_ns,
		    bool reconciled)
{
	struct life *life = &slot->life;

	for (size_t i = life->tenures_len; i-- > 0;) {
		struct tenure *tenure = &life->tenures[i];
		struct event e;

		if (!tenure->waits || tenure->port != port)
			continue;
		tenure->waits = false;
		if (tenure == tenure_held(slot)) /* the socket has it still */
			return 0;
		tenure->released_ns = ts_ns;
		e = event_make(slot, EVENT_RELEASE, ts_ns);
		e.tenure = tenure;
		e.port = tenure->port;
		e.reconciled = reconciled;
		return event_emit(core, slot, &e);
	}
	return tenure_release(core, slot, port, ts_ns);
}

int tenure_release(struct core *core, struct slot *slot, uint16_t port, uint64_t ts_ns)
{
	struct tenure *tenure;
	int err = tenure_claim(core, slot, port, ts_ns, &tenure);

	if (err || !tenure)
		return err;
	if (tenure->waits) { /* it is not free, TIME_WAIT has it */
		slot->life.holds_port = false;
		return 0;
	}
	return give_up(core, slot, tenure, ts_ns, false);
}

int tenure_correct(struct core *core, struct slot *slot, const struct wire_call *c, uint16_t port)
{
	const struct tenure *held = tenure_held(slot);

	if (held && held->port == port)
		return 0;
	return port ? begin_unseen(core, slot, c, port)
		    : tenure_found_gone(core, slot, c->head.ts_ns);
}
