/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passes.c owns what a walk through the kernel's sockets teaches: sockets that nobody told of,
 * ports that came and went unseen, lives that are over. What a walk finds is true at its place
 * in the stream; when it happened is not known, so it is told of as found late (reconciled).
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>

#include "user/core/state.h"

/* --- a socket found ---------------------------------------------------------------------- */

static uint16_t port_held(const struct slot *slot)
{
	const struct tenure *held = tenure_held(slot);

	return held ? held->port : 0;
}

/* What was a child has, by now, lost its connection: the port is another one, or of other origin.
 */
static bool was_child(const struct wire_call *c)
{
	return c->sock.state == TCP_CLOSE || c->sock.state == TCP_LISTEN;
}

/* Brings the life to what was found, and tells of a port or a peer that nobody has told of. */
static int tell_found(struct core *core, struct slot *slot, const struct wire_call *c, bool moved,
		      bool late)
{
	uint16_t before = port_held(slot);
	bool assigned;
	struct event e;
	int err = 0;

	if ((c->facts & WIRE_F_CHILD) && !was_child(c)) {
		err = child_begin(core, slot, c, &assigned);
		if (!err)
			err = child_tell_established(core, slot, c, assigned);
	}
	if (!err)
		err = tenure_correct(core, slot, c, c->sock.local_port);
	if (err || !c->sock.local_port || (port_held(slot) == before && !moved))
		return err;
	e = event_of_call(slot, c, EVENT_EXISTING);
	e.reconciled = late;
	return event_emit(core, slot, &e);
}

/* --- a TIME_WAIT entry found -------------------------------------------------------------- */

/* Of a life that is still open: the socket may be there still, a walk will tell of it too. */
static int wait_found(struct core *core, struct slot *slot, const struct wire_call *c)
{
	const struct tenure *held = tenure_held(slot);
	struct tenure_wait wait = {
		.ts_ns = c->head.ts_ns,
		.port = c->sock.local_port,
		.keeps = held && held->port == c->sock.local_port && held->origin == ORIGIN_BIND,
		.reconciled = true,
	};

	return tenure_wait(core, slot, &wait);
}

/* Of a life that nobody has seen: all that there is to tell is who has the port. */
static int begin_remnant(struct core *core, const struct wire_call *c)
{
	struct tenure tenure;
	struct slot entry = { .life = { .id = c->sock.id, .tenures = &tenure } };
	struct life *life = &entry.life;
	struct event e;
	int err;

	socket_describe(core, &entry, c);
	if (!life->chosen)
		return 0;
	life->number = ++core->lives.numbered;
	life->existing = c->facts & WIRE_F_EXISTING;
	tenure = tenure_unseen(life, c, c->sock.local_port);
	life->tenures_len = 1;
	life->holds_port = life->time_wait = life->ended = true;
	life->ended_ns = c->head.ts_ns;
	e = event_of_call(&entry, c, EVENT_EXISTING);
	e.tenure = &tenure;
	e.reconciled = !life->existing;
	err = event_emit_late(core, &e);
	return err ? err : remnant_keep(core, life, &tenure, true);
}

/*
 * A backend that does not see TIME_WAIT entries tells of one by the socket that went before. A walk
 * meets it under another number: the connection tells that it is the same.
 */
static bool is_told_of(const struct core *core, const struct wire_sock *s)
{
	struct connection connection = {
		.netns = s->netns,
		.local_port = s->local_port,
		.peer_port = s->peer_port,
	};

	memcpy(connection.local, s->local, 16);
	memcpy(connection.peer, s->peer, 16);
	return told_has(core->told, &connection);
}

/* Is a walk under way that takes in every TIME_WAIT entry? The first one is, or is to come. */
static bool wants_told(const struct core *core)
{
	bool whole = core->pass.number && (core->pass.flags & WIRE_P_FULL);

	return (core->run.blind & WIRE_B_TIME_WAIT_END) && (whole || !core->pass.started);
}

int time_wait_told(struct core *core, const struct life *life, uint16_t port)
{
	struct connection connection = {
		.netns = life->netns,
		.local_port = port,
		.peer_port = life->peer.port,
	};

	if (!wants_told(core))
		return 0;
	memcpy(connection.local, life->local.addr, 16);
	memcpy(connection.peer, life->peer.addr, 16);
	return told_add(&core->told, &connection);
}

/* Those from before the walk. */
static int tell_remnants(struct core *core)
{
	struct remnant *r = wants_told(core) ? lives_next_remnant(&core->lives, NULL) : NULL;
	int err = 0;

	for (; r && !err; r = lives_next_remnant(&core->lives, r)) {
		struct connection connection = {
			.netns = r->netns,
			.local_port = (uint16_t)r->key.port,
			.peer_port = r->peer_port,
		};

		memcpy(connection.local, r->local, 16);
		memcpy(connection.peer, r->peer, 16);
		err = told_add(&core->told, &connection);
	}
	return err;
}

static int on_time_wait_found(struct core *core, const struct wire_call *c)
{
	struct slot *slot = lives_find(&core->lives, c->sock.id);
	struct remnant *remnant = lives_find_remnant(&core->lives, c->sock.id, c->sock.local_port);

	if (!c->sock.local_port) /* on its way out */
		return 0;
	if (remnant) {
		remnant->seen = core->pass.epoch;
		return 0;
	}
	if (slot) {
		int err = wait_found(core, slot, c);

		lives_list(&core->lives, slot);
		return err;
	}
	return is_told_of(core, &c->sock) ? 0 : begin_remnant(core, c);
}

int found_apply(struct core *core, const struct wire_call *c)
{
	struct slot *slot = lives_find(&core->lives, c->sock.id);
	struct endpoint local = { 0 }, peer = { 0 }; /* as they were */
	bool is_new = !slot, moved;
	int err;

	if (c->sock.state == TCP_TIME_WAIT)
		return on_time_wait_found(core, c);
	if (is_new && !c->sock.local_port)
		return 0; /* its first operation will tell */
	if (slot) {
		local = slot->life.local;
		peer = slot->life.peer;
	}
	slot = socket_of(core, c);
	if (!slot)
		return -ENOMEM;
	/* connected, or to another peer, while records were lost */
	moved = !is_new && !(endpoint_is_same(&peer, &slot->life.peer) &&
			     !memcmp(local.addr, slot->life.local.addr, 16));
	err = tell_found(core, slot, c, moved, !is_new || !(c->facts & WIRE_F_EXISTING));
	lives_list(&core->lives, slot);
	return err;
}

/* --- the walk itself ---------------------------------------------------------------------- */

static int sweep_lives(struct core *core, uint64_t ts_ns)
{
	struct slot *slot = lives_next(&core->lives, NULL), *next;

	for (; slot; slot = next) {
		struct wire_end end = {
			.head = { .ts_ns = ts_ns },
			.id = slot->life.id,
			.flags = WIRE_E_PASS,
		};
		int err;

		next = lives_next(&core->lives, slot);
		if (slot->seen == core->pass.epoch || !record_is_walked(slot->life.protocol))
			continue;
		err = life_end(core, slot, &end);
		if (err)
			return err;
	}
	return 0;
}

static int sweep_remnants(struct core *core, uint64_t ts_ns)
{
	struct remnant *remnant = lives_next_remnant(&core->lives, NULL), *next;

	for (; remnant; remnant = next) {
		int err;

		next = lives_next_remnant(&core->lives, remnant);
		if (remnant->seen == core->pass.epoch || remnant->unfollowed)
			continue;
		err = time_wait_end(core, remnant->key.id, (uint16_t)remnant->key.port, ts_ns,
				    true);
		if (err)
			return err;
	}
	return 0;
}

/* Whatever no record has mentioned since the walk began is not there any more. */
static int sweep(struct core *core, uint64_t ts_ns)
{
	int err = sweep_lives(core, ts_ns);

	return err ? err : sweep_remnants(core, ts_ns);
}

/*
 * Has the walk that ends so told of all that there is? The first one of a run tells of what was
 * there before; what began since then was told of by the probes, and need not be told of again.
 */
static bool is_whole(const struct pass *now, const struct wire_pass *pass)
{
	uint16_t flags = pass->flags & now->flags;

	return pass->stage == WIRE_PASS_END && pass->number == now->number &&
	       (flags & WIRE_P_FULL) && !(flags & WIRE_P_START);
}

int pass_apply(struct core *core, const struct wire_pass *pass)
{
	struct pass *now = &core->pass;
	bool whole = is_whole(now, pass);

	if (pass->stage == WIRE_PASS_BEGIN) {
		now->epoch++;
		now->number = pass->number;
		now->flags = pass->flags;
		return tell_remnants(core);
	}
	now->number = 0;
	if (pass->flags & WIRE_P_START)
		now->started = true;
	if (now->started)
		told_free(&core->told);
	return whole ? sweep(core, pass->head.ts_ns) : 0;
}
