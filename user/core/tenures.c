/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tenures.c owns the holds of sockets on ports: when one begins and ends, and what is said where
 * the beginning or the end was not seen. Nothing is guessed: what is not known stays zero.
 */
#include <errno.h>

#include "user/core/state.h"

#define SOCK_CONNECT_BIND 16 /* 6.17: the port was assigned by connect() */

struct tenure *tenure_begin(struct slot *slot, const struct tenure *model)
{
	struct tenure *tenure = lives_add_tenure(slot);

	if (!tenure)
		return NULL;
	*tenure = *model;
	tenure->shared = NULL_STATE;
	slot->life.holds_port = true;
	slot->life.local.port = model->port;
	return tenure;
}

/* Of a socket that was there before, the kernel may still know. */
struct tenure *tenure_begin_unseen(struct slot *slot, uint16_t port, uint8_t userlocks)
{
	bool by_connect = slot->life.existing && (userlocks & SOCK_CONNECT_BIND);
	struct tenure model = {
		.port = port,
		.origin = by_connect ? ORIGIN_CONNECT : ORIGIN_UNKNOWN,
		.by = BY_NONE,
	};

	return tenure_begin(slot, &model);
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

void tenure_lose(struct slot *slot)
{
	slot->life.holds_port = false;
}

int tenure_claim(struct slot *slot, uint16_t port, struct tenure **tenure)
{
	struct tenure *last = lives_last_tenure(slot);
	struct tenure model = { .port = port, .origin = ORIGIN_UNKNOWN };

	*tenure = NULL;
	if (last && (last->port == port || !port)) {
		/* released_ns: another record came first */
		if (slot->life.holds_port || !last->released_ns)
			*tenure = last;
		return 0;
	}
	if (!port)
		return 0;
	if (!last && slot->child) {
		model.origin = ORIGIN_ACCEPT;
		model.assigned_ns = slot->life.created_ns;
	}
	*tenure = tenure_begin(slot, &model);
	return *tenure ? 0 : -ENOMEM;
}

int tenure_release(struct core *core, struct slot *slot, uint16_t port, uint64_t ts_ns)
{
	struct tenure *tenure;
	struct event e;
	int err = tenure_claim(slot, port, &tenure);

	if (err || !tenure)
		return err;
	tenure->released_ns = ts_ns;
	slot->life.holds_port = false;
	e = event_make(slot, EVENT_RELEASE, ts_ns);
	e.tenure = tenure;
	e.port = tenure->port;
	return event_emit(core, slot, &e);
}
