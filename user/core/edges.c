/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * edges.c owns what happens to a socket outside of its program's calls: outcomes of connection
 * attempts, releases, other owners, the end. A socket that is not in the table is one whose first
 * record was lost: nothing can be said about it.
 */
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/state.h"

/* Longer than TIME_WAIT (60 s) after the longest FIN_WAIT2 (120 s, TCP_FIN_TIMEOUT_MAX) lasts. */
#define REMNANT_MAX_NS (UINT64_C(300) * 1000000000)
#define TIME_WAIT_NS   (UINT64_C(60) * 1000000000) /* TCP_TIMEWAIT_LEN */

static void set_duration(struct event *e, uint64_t since_ns)
{
	e->has_duration = since_ns && e->ts_ns >= since_ns;
	e->duration_ns = e->has_duration ? e->ts_ns - since_ns : 0;
}

static int on_established(struct core *core, struct slot *slot, const struct wire_edge *edge)
{
	uint64_t since_ns = attempt_since(slot);
	struct event e;

	if (record_is_datagram(slot->life.protocol)) /* not one of ours */
		return 0;
	slot->attempt = ATTEMPT_NONE;
	slot->established = true;
	slot->state = TCP_ESTABLISHED;
	if (event_only_counts(core, slot, EVENT_ESTABLISHED, NULL))
		return 0;
	e = event_make(slot, EVENT_ESTABLISHED, edge->head.ts_ns);
	set_duration(&e, since_ns);
	return event_emit(core, slot, &e);
}

/* The port may have been given up just before: the event still names it. */
static int on_connect_error(struct core *core, struct slot *slot, const struct wire_edge *edge)
{
	struct event e = event_make(slot, EVENT_CONNECT_FAILED, edge->head.ts_ns);

	if (slot->attempt == ATTEMPT_FAILED || /* the call has told */
	    record_is_datagram(slot->life.protocol))
		return 0;
	e.error = edge->error;
	e.tenure = tenure_since(slot, slot->attempt_ns);
	e.port = e.tenure ? e.tenure->port : 0;
	set_duration(&e, attempt_since(slot));
	slot->attempt = ATTEMPT_FAILED;
	slot->state = TCP_CLOSE;
	return event_emit(core, slot, &e);
}

static int remnant_release(struct core *core, struct remnant *remnant, uint64_t ts_ns,
			   bool reconciled)
{
	struct tenure tenure;
	struct life life;
	struct event e;

	lives_take_remnant(&core->lives, remnant, &life, &tenure);
	tenure.released_ns = ts_ns;
	e = (struct event){
		.kind = EVENT_RELEASE,
		.ts_ns = ts_ns,
		.life = &life,
		.tenure = &tenure,
		.who = life.who_known ? &life.who : NULL,
		.fd = -1,
		.port = tenure.port,
		.options = life.options,
		.reconciled = reconciled,
	};
	return event_emit_late(core, &e);
}

int time_wait_end(struct core *core, uint64_t id, uint16_t port, uint64_t ts_ns, bool reconciled)
{
	struct remnant *remnant = lives_find_remnant(&core->lives, id, port);
	struct slot *slot = lives_find(&core->lives, id);

	int err;

	if (!slot)
		return remnant ? remnant_release(core, remnant, ts_ns, reconciled) : 0;
	if (remnant)
		lives_drop_remnant(&core->lives, remnant);
	err = tenure_end_wait(core, slot, port, ts_ns, reconciled);
	lives_list(&core->lives, slot);
	return err;
}

static int on_time_wait_begin(struct core *core, struct slot *slot, const struct wire_edge *edge)
{
	struct tenure_wait wait = {
		.ts_ns = edge->head.ts_ns,
		.port = edge->port,
		.keeps = edge->keeps,
	};

	return tenure_wait(core, slot, &wait);
}

/* A release older than the port that is held now, and of another one, was told of too late. */
static int on_release(struct core *core, struct slot *slot, const struct wire_edge *edge)
{
	const struct tenure *held = tenure_held(slot);
	bool stale = held && edge->port && edge->port != held->port &&
		     edge->head.ts_ns < held->assigned_ns;

	return stale ? 0 : tenure_release(core, slot, edge->port, edge->head.ts_ns);
}

static int edge_of(struct core *core, struct slot *slot, const struct wire_edge *edge)
{
	switch (edge->head.kind) {
	case WIRE_ESTABLISHED:
		return on_established(core, slot, edge);
	case WIRE_CONNECT_ERROR:
		return on_connect_error(core, slot, edge);
	case WIRE_TIME_WAIT:
		return on_time_wait_begin(core, slot, edge);
	default:
		return on_release(core, slot, edge);
	}
}

int edge_apply(struct core *core, const struct wire_edge *edge)
{
	struct slot *slot = lives_find(&core->lives, edge->id);
	int err;

	if (slot)
		slot->seen = core->pass.epoch;
	if (edge->head.kind == WIRE_TW_END)
		return time_wait_end(core, edge->id, edge->port, edge->head.ts_ns, false);
	if (!slot)
		return 0;
	err = edge_of(core, slot, edge);
	lives_list(&core->lives, slot);
	return err;
}

int owner_apply(struct core *core, const struct wire_owner *owner)
{
	struct slot *slot = lives_find(&core->lives, owner->id);

	if (slot)
		slot->seen = core->pass.epoch;
	if (slot && (owner->facts & WIRE_F_WHO))
		owner_touch(core, slot, &owner->who, owner->facts);
	return 0;
}

/* --- the end ----------------------------------------------------------------------------- */

static int on_close(struct core *core, struct slot *slot, uint64_t close_ns)
{
	struct event e;

	if (!close_ns || event_only_counts(core, slot, EVENT_CLOSE, NULL))
		return 0;
	e = event_make(slot, EVENT_CLOSE, close_ns);
	return event_emit(core, slot, &e);
}

/* When a walk found it gone, 0 if it did not. */
static uint64_t found_gone_ns(const struct wire_end *end)
{
	return end->flags & WIRE_E_PASS ? end->head.ts_ns : 0;
}

static int on_time_wait(struct core *core, struct slot *slot, const struct wire_end *end)
{
	struct tenure *tenure;
	struct event e;
	int err = tenure_claim(core, slot, end->port, end->time_wait_ns, &tenure);

	if (err)
		return err;
	slot->life.holds_port = tenure != NULL; /* NULL: TIME_WAIT has ended already */
	slot->life.time_wait = true;
	if (event_only_counts(core, slot, EVENT_TIME_WAIT, NULL))
		return 0;
	e = event_make(slot, EVENT_TIME_WAIT, end->time_wait_ns);
	e.reconciled = end->time_wait_ns == found_gone_ns(end);
	e.tenure = lives_last_tenure(slot);
	e.port = e.tenure ? e.tenure->port : 0;
	return event_emit(core, slot, &e);
}

/* When the port was given up; 0 if it was not, or if that is not known. */
static uint64_t gone_ns(const struct slot *slot, const struct wire_end *end)
{
	if (end->flags & WIRE_E_TIME_WAIT)
		return end->time_wait_ns;
	if (end->release_ns)
		return end->release_ns;
	return slot->life.holds_port && (end->port || found_gone_ns(end)) ? end->head.ts_ns : 0;
}

static int on_gone(struct core *core, struct slot *slot, const struct wire_end *end, uint64_t gone)
{
	if (end->flags & WIRE_E_TIME_WAIT)
		return on_time_wait(core, slot, end);
	if (gone == found_gone_ns(end))
		return tenure_found_gone(core, slot, gone);
	return tenure_release(core, slot, end->port, gone);
}

static int end_events(struct core *core, struct slot *slot, const struct wire_end *end)
{
	uint64_t gone = gone_ns(slot, end);
	bool close_is_first = !gone || end->close_ns <= gone;
	int err = close_is_first ? on_close(core, slot, end->close_ns) : 0;

	if (!err && gone)
		err = on_gone(core, slot, end, gone);
	if (!err && !close_is_first)
		err = on_close(core, slot, end->close_ns);
	return err;
}

int remnant_keep(struct core *core, const struct life *life, const struct tenure *tenure,
		 bool found)
{
	int err = found ? 0 : time_wait_told(core, life, tenure->port);
	struct remnant *r;

	if (err)
		return err;
	if (life->ended_ns > REMNANT_MAX_NS)
		lives_expire_remnants(&core->lives, life->ended_ns - REMNANT_MAX_NS);
	time_wait_expire(core, life->ended_ns);
	r = lives_keep_remnant(&core->lives, life, tenure, core->pass.epoch, found);
	/* a walk that found the TIME_WAIT entry will miss it, too */
	if (r && (core->run.blind & WIRE_B_TIME_WAIT_END) && !found && !life->reconciled)
		lives_unfollow(&core->lives, r);
	return r ? 0 : -ENOMEM;
}

void time_wait_expire(struct core *core, uint64_t now_ns)
{
	if (now_ns > TIME_WAIT_NS)
		lives_expire_unfollowed(&core->lives, now_ns - TIME_WAIT_NS);
}

/* There is one entry for a connection: the same one again has taken its place. */
void time_wait_replaced(struct core *core, const struct slot *slot)
{
	const struct life *life = &slot->life;
	struct port_key key = { life->netns, ports_protocol(life->protocol), life->local.port };
	struct port_link *link = ports_first(&core->lives.ports, PORT_LIST_TIME_WAIT, key), *next;

	for (; link; link = next) {
		struct remnant *r = remnant_of_link(link);

		next = link->next;
		if (r->unfollowed && r->netns == life->netns && r->key.port == life->local.port &&
		    r->peer_port == life->peer.port && !memcmp(r->local, life->local.addr, 16) &&
		    !memcmp(r->peer, life->peer.addr, 16))
			lives_drop_remnant(&core->lives, r);
	}
}

/* Only for somebody: what would not be shown or counted needs nothing kept. */
static bool leaves_remnant(const struct slot *slot)
{
	const struct life *life = &slot->life;

	return life->time_wait && life->holds_port && life->chosen;
}

int life_end(struct core *core, struct slot *slot, const struct wire_end *end)
{
	int err = end_events(core, slot, end);

	if (err)
		return err;
	slot->life.ended = true;
	slot->life.ended_ns = end->head.ts_ns;
	slot->life.reconciled = found_gone_ns(end) != 0;
	err = life_emit(core, slot);
	if (!err && leaves_remnant(slot))
		err = remnant_keep(core, &slot->life, lives_last_tenure(slot),
				   end->time_wait_ns == found_gone_ns(end));
	if (slot->life.local.family == AF_UNIX)
		family_forget(&core->paths, end->id);
	lives_forget(&core->lives, slot);
	return err;
}

int end_apply(struct core *core, const struct wire_end *end)
{
	struct slot *slot = lives_find(&core->lives, end->id);

	return slot ? life_end(core, slot, end) : 0;
}
