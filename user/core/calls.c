/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * calls.c owns the meaning of a program's calls: from what the kernel showed before and after one
 * to the event that it is, and to the origin of the port that it assigned.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/state.h"

#define SOCK_BINDPORT_LOCK 8 /* set by bind() to a port that the program named, never else */

/* --- events ------------------------------------------------------------------------------ */

struct event event_of_call(const struct slot *slot, const struct wire_call *c, enum event_kind kind)
{
	struct event e = event_make(slot, kind, c->head.ts_ns);
	bool has_range = c->range_lo <= c->range_hi && record_has_range(c->sock.protocol);

	if (c->facts & WIRE_F_WHO)
		e.who = &c->who;
	e.fd = c->fd;
	e.error = c->error;
	e.cause = c->cause;
	if (c->facts & WIRE_F_REQUEST) {
		e.has_request = true;
		e.request = endpoint_make(c->req_family, c->req_addr, c->req_port, c->req_scope);
	}
	e.range_lo = has_range ? c->range_lo : 0;
	e.range_hi = has_range ? c->range_hi : 0;
	e.has_socket = true;
	e.port_after = c->sock.local_port;
	e.state = c->sock.state;
	e.userlocks = c->sock.userlocks;
	e.own_range = (c->facts & WIRE_F_OWN_RANGE) != 0;
	e.has_search = (c->facts & WIRE_F_SEARCH_TIMED) != 0;
	e.search_ns = c->search_ns;
	e.search_tried = c->facts & WIRE_F_SOCK_UID ? 0 : c->search_tried;
	if ((c->facts & WIRE_F_TIMED) && c->head.ts_ns >= c->start_ns) {
		e.has_duration = true;
		e.duration_ns = c->head.ts_ns - c->start_ns;
	}
	return e;
}

static void name_tenure(struct event *e, const struct tenure *tenure)
{
	e->tenure = tenure;
	e->port = tenure ? tenure->port : 0;
}

/* --- tenures ----------------------------------------------------------------------------- */

/*
 * Did the program name the port? What it passed decides, unless the port is another: then the
 * request was rewritten after it was read, and the kernel's own note is believed.
 */
static bool port_was_named(const struct wire_call *c)
{
	if ((c->facts & WIRE_F_REQUEST) && (!c->req_port || c->req_port == c->sock.local_port))
		return c->req_port != 0;
	return !(c->facts & WIRE_F_SEARCHED) && (c->sock.userlocks & SOCK_BINDPORT_LOCK);
}

static enum port_origin call_origin(const struct wire_call *c)
{
	if (c->facts & WIRE_F_UNCONFIRMED)
		return ORIGIN_UNKNOWN;
	switch (c->head.kind) {
	case WIRE_BIND:
		return port_was_named(c) ? ORIGIN_BIND : ORIGIN_BIND0;
	case WIRE_LISTEN:
		return ORIGIN_LISTEN;
	case WIRE_CONNECT:
	case WIRE_CONNECT_FAILED:
		return ORIGIN_CONNECT;
	case WIRE_SEND:
		return ORIGIN_SEND;
	default:
		return ORIGIN_ACCEPT;
	}
}

static enum port_by call_by(const struct wire_call *c, enum port_origin origin)
{
	if (origin == ORIGIN_ACCEPT || origin == ORIGIN_UNKNOWN)
		return BY_NONE;
	if (c->facts & WIRE_F_BPF)
		return BY_BPF;
	if (c->facts & WIRE_F_KERN_SOCK)
		return BY_KERNEL;
	return c->facts & WIRE_F_IO_URING ? BY_IO_URING : BY_USER;
}

/* A child has its listener's port as of right: that is not sharing. */
static enum tristate call_shared(const struct wire_call *c, enum port_origin origin)
{
	if (origin == ORIGIN_ACCEPT)
		return NO;
	if (origin == ORIGIN_UNKNOWN || !(c->facts & WIRE_F_OWNERS))
		return NULL_STATE;
	return c->facts & WIRE_F_SHARED ? YES : NO;
}

/* The tenure that a call begins: its own origin, its range where the kernel chose. */
static struct tenure call_tenure(const struct slot *slot, const struct wire_call *c)
{
	struct tenure t = {
		.assigned_ns = c->head.ts_ns,
		.port = c->sock.local_port,
		.origin = (uint8_t)call_origin(c),
	};

	t.by = (uint8_t)call_by(c, t.origin);
	t.shared = (uint8_t)call_shared(c, t.origin);
	t.deferred = slot->life.deferred && tenure_is_implicit(&t) == YES;
	if ((tenure_is_ephemeral(&t) == YES || (c->facts & WIRE_F_SEARCHED)) &&
	    c->range_lo <= c->range_hi && record_has_range(c->sock.protocol)) {
		t.range_lo = c->range_lo;
		t.range_hi = c->range_hi;
	}
	return t;
}

/* When the call began, as far as it is known; 0 if not. */
static uint64_t call_since(const struct slot *slot, const struct wire_call *c)
{
	if (c->facts & WIRE_F_TIMED)
		return c->start_ns;
	return slot->attempt == ATTEMPT_UNDER_WAY ? slot->attempt_ns : 0;
}

/*
 * A call on a socket with a port that nobody has told of. Where the call's own event does not show
 * that the socket holds it (a failure, a disconnect), it is an event of its own, ahead of that.
 */
static int tell_unseen(struct core *core, struct slot *slot, const struct wire_call *c)
{
	struct event e = event_make(slot, EVENT_EXISTING, c->head.ts_ns);

	if (c->facts & WIRE_F_WHO)
		e.who = &c->who;
	e.fd = c->fd;
	e.reconciled = !slot->life.existing;
	return event_emit(core, slot, &e);
}

/*
 * Brings the tenures to where the socket was when the call began: port_before is the truth, what
 * the table has may lack a record. A tenure that began or ended within this very call (bpf_bind()
 * of a cgroup program, the release of a refused attempt) is no contradiction.
 */
static int reconcile_before(struct core *core, struct slot *slot, const struct wire_call *c)
{
	const struct tenure *last = lives_last_tenure(slot), *held = tenure_held(slot);
	uint64_t since = call_since(slot, c);
	bool hides = c->error || c->head.kind == WIRE_DISCONNECT;
	bool unseen = !held && c->port_before;
	int err;

	if (held && !c->port_before && since && held->assigned_ns >= since)
		return 0;
	if (!held && c->port_before && last && last->port == c->port_before &&
	    tenure_since(slot, since))
		return 0;
	err = tenure_correct(core, slot, c, c->port_before);
	return !err && unseen && hides ? tell_unseen(core, slot, c) : err;
}

/*
 * The tenure that this call began, if another record has shown it before: a walk, or another
 * thread's call, saw the socket while this call was under way.
 */
static struct tenure *shown_before(const struct slot *slot, const struct wire_call *c)
{
	struct tenure *held;

	if (c->port_before || !c->sock.local_port || !(c->facts & WIRE_F_TIMED))
		return NULL;
	held = tenure_found_between(slot, c->start_ns, c->head.ts_ns);
	return held && held->port == c->sock.local_port ? held : NULL;
}

/* Sets *assigned if the socket got its port in this call, and begins the tenure. */
static int assign(struct core *core, struct slot *slot, const struct wire_call *c, bool *assigned)
{
	struct tenure model, *shown = shown_before(slot, c);
	int err = shown ? 0 : reconcile_before(core, slot, c);

	*assigned = false;
	if (err || !c->sock.local_port)
		return err; /* without a port: WIRE_RELEASE tells, before or after */
	if (!shown && (c->port_before || tenure_held(slot)))
		return tenure_correct(core, slot, c, c->sock.local_port);
	model = call_tenure(slot, c);
	*assigned = true;
	if (!shown)
		return tenure_begin(core, slot, &model, c->head.ts_ns);
	*shown = model;
	slot->life.existing = false;
	return 0;
}

/* --- bind, listen, connect --------------------------------------------------------------- */

static int on_bind(struct core *core, struct slot *slot, const struct wire_call *c)
{
	bool assigned;
	int err = assign(core, slot, c, &assigned);
	struct event e;

	if (err)
		return err;
	/* success without a port: bind(addr, 0) under IP_BIND_ADDRESS_NO_PORT */
	if (!c->error)
		slot->life.deferred = !c->sock.local_port && record_has_range(c->sock.protocol);
	e = event_of_call(slot, c, EVENT_BIND);
	e.assigned = assigned;
	if (c->error && e.has_request)
		e.port = c->req_port;
	return event_emit(core, slot, &e);
}

static int on_listen(struct core *core, struct slot *slot, const struct wire_call *c)
{
	bool assigned;
	int err = assign(core, slot, c, &assigned);
	struct event e;

	if (err)
		return err;
	e = event_of_call(slot, c, EVENT_LISTEN);
	e.assigned = assigned;
	return event_emit(core, slot, &e);
}

/* From now on the kernel tries to connect; a datagram socket already is. */
static void begin_attempt(struct slot *slot, const struct wire_call *c)
{
	bool timed = c->facts & WIRE_F_TIMED;

	if (record_connects_at_once(c->sock.protocol))
		return;
	slot->timed = timed;
	slot->attempt_ns = timed ? c->start_ns : c->head.ts_ns;
	slot->attempt = ATTEMPT_UNDER_WAY;
}

static int on_connect(struct core *core, struct slot *slot, const struct wire_call *c)
{
	bool assigned;
	int err = assign(core, slot, c, &assigned);
	struct event e;

	if (err)
		return err;
	begin_attempt(slot, c);
	if (core->lives.unfollowed)
		time_wait_replaced(core, slot);
	e = event_of_call(slot, c, EVENT_CONNECT);
	e.assigned = assigned;
	return event_emit(core, slot, &e);
}

/* "Wait", "still waiting" and "it is there" are no outcomes of an attempt. */
static bool is_outcome(int error)
{
	return error != EINPROGRESS && error != EALREADY && error != EISCONN;
}

static int on_connect_failed(struct core *core, struct slot *slot, const struct wire_call *c)
{
	bool told = slot->attempt == ATTEMPT_FAILED && (c->facts & WIRE_F_TIMED) &&
		    c->start_ns == slot->attempt_ns;
	uint64_t since_ns = attempt_since(slot);
	struct event e;
	bool assigned;
	int err;

	if (told || !is_outcome(c->error))
		return 0;
	err = assign(core, slot, c, &assigned);
	if (err)
		return err;
	e = event_of_call(slot, c, EVENT_CONNECT_FAILED);
	name_tenure(&e, tenure_since(slot, call_since(slot, c)));
	e.assigned = assigned;
	if (!e.has_duration && since_ns && c->head.ts_ns >= since_ns) {
		e.has_duration = true;
		e.duration_ns = c->head.ts_ns - since_ns;
	}
	/* EINTR: the attempt goes on without the program */
	if (c->error != EINTR && !record_connects_at_once(c->sock.protocol))
		slot->attempt = ATTEMPT_FAILED;
	return event_emit(core, slot, &e);
}

/* The first datagram of a socket without a port, or the SYN that carries data. */
static int on_send(struct core *core, struct slot *slot, const struct wire_call *c)
{
	bool assigned;
	int err = assign(core, slot, c, &assigned);
	struct event e;

	if (err)
		return err;
	if (!c->error)
		begin_attempt(slot, c);
	e = event_of_call(slot, c, EVENT_SEND);
	e.assigned = assigned;
	return event_emit(core, slot, &e);
}

static int on_disconnect(struct core *core, struct slot *slot, const struct wire_call *c)
{
	int err = reconcile_before(core, slot, c);
	struct event e;

	if (err)
		return err;
	e = event_of_call(slot, c, EVENT_DISCONNECT);
	name_tenure(&e, tenure_since(slot, call_since(slot, c)));
	err = event_emit(core, slot, &e);
	if (err || c->error)
		return err;
	slot->attempt = ATTEMPT_NONE;
	if (tenure_held(slot) && !c->sock.local_port)
		err = tenure_release(core, slot, 0, c->head.ts_ns);
	socket_set_endpoints(&slot->life, &c->sock);
	return err;
}

/* --- sockets that the kernel made, sockets found ------------------------------------------ */

/*
 * The port of a child: its own, or, if it has given that up already, its listener's (only a
 * transparent proxy's child has another).
 */
static uint16_t child_port(struct core *core, const struct wire_call *c)
{
	const struct slot *listener;

	if (c->sock.local_port || !c->sock.parent)
		return c->sock.local_port;
	listener = lives_find(&core->lives, c->sock.parent);
	if (!listener || (listener->life.options & WIRE_O_TRANSPARENT))
		return 0;
	return listener->life.local.port;
}

/*
 * What a walk has shown of a child that waited for accept(): where its port is from is known only
 * now.
 */
static struct tenure *shown_waiting(const struct slot *slot)
{
	struct tenure *held = tenure_held(slot);
	bool unseen = held && !held->assigned_ns && held->origin == ORIGIN_UNKNOWN;

	return unseen && slot->life.tenures_len == 1 ? held : NULL;
}

/* The tenure of a child begins when the kernel makes it, before any process has it. */
int child_begin(struct core *core, struct slot *slot, const struct wire_call *c, bool *assigned)
{
	bool existing = c->facts & WIRE_F_EXISTING;
	struct tenure model = call_tenure(slot, c), *shown = shown_waiting(slot);
	int err = 0;

	*assigned = false;
	model.port = child_port(core, c);
	if (!model.port || (shown ? shown->port != model.port : slot->life.tenures_len))
		return 0;
	if (c->sock.created_ns)
		model.assigned_ns = c->sock.created_ns;
	else if (c->sock.established_ns || existing)
		model.assigned_ns = c->sock.established_ns;
	if (shown)
		*shown = model;
	else
		err = tenure_begin(core, slot, &model, c->head.ts_ns);
	if (err)
		return err;
	slot->life.holds_port = c->sock.local_port != 0;
	*assigned = !existing && !slot->life.existing;
	return 0;
}

/* Seen by nobody when it happened: the record of the child brings it along. */
int child_tell_established(struct core *core, struct slot *slot, const struct wire_call *c,
			   bool assigned)
{
	struct event e;

	if (!c->sock.established_ns || slot->established)
		return 0;
	slot->established = true;
	if (!assigned && !(c->facts & WIRE_F_SEARCH_TIMED) &&
	    event_only_counts(core, slot, EVENT_ESTABLISHED, NULL))
		return 0;
	e = event_of_call(slot, c, EVENT_ESTABLISHED);
	name_tenure(&e, lives_last_tenure(slot));
	e.ts_ns = c->sock.established_ns;
	e.fd = -1;
	e.has_duration = false;
	e.duration_ns = 0;
	e.assigned = assigned;
	return event_emit(core, slot, &e);
}

static int on_accept(struct core *core, struct slot *slot, const struct wire_call *c)
{
	bool unseen = !slot->life.tenures_len && !c->sock.created_ns && !c->sock.established_ns;
	bool assigned;
	int err = child_begin(core, slot, c, &assigned);
	struct event e;

	if (!err)
		err = child_tell_established(core, slot, c, false);
	if (err)
		return err;
	e = event_of_call(slot, c, EVENT_ACCEPT);
	name_tenure(&e, lives_last_tenure(slot)); /* the peer may have ended it already */
	e.assigned = assigned;
	err = event_emit(core, slot, &e);
	if (err || !unseen || c->sock.local_port || !slot->life.tenures_len)
		return err;
	/* ... before anyone looked: no other record will tell */
	slot->life.holds_port = true;
	return tenure_found_gone(core, slot, c->head.ts_ns);
}

/* A port that no call was seen to give is told of now; of a child `established` has told. */
static int on_found(struct core *core, struct slot *slot, const struct wire_call *c, bool is_new)
{
	const struct tenure *held = tenure_held(slot);
	uint16_t before = held ? held->port : 0;
	bool existing = c->facts & WIRE_F_EXISTING, unseen;
	struct event e;
	bool assigned;
	int err;

	if (c->facts & WIRE_F_CHILD) {
		err = child_begin(core, slot, c, &assigned);
		if (!err)
			err = child_tell_established(core, slot, c, assigned);
		if (err)
			return err;
	}
	err = tenure_correct(core, slot, c, c->sock.local_port);
	held = tenure_held(slot);
	unseen = held && held->port != before && !(c->facts & WIRE_F_CHILD);
	if (err || !(unseen || (is_new && existing)))
		return err;
	e = event_of_call(slot, c, EVENT_EXISTING);
	e.reconciled = !existing;
	return event_emit(core, slot, &e);
}

static int call_of(struct core *core, struct slot *slot, const struct wire_call *c, bool is_new)
{
	switch (c->head.kind) {
	case WIRE_BIND:
		return on_bind(core, slot, c);
	case WIRE_LISTEN:
		return on_listen(core, slot, c);
	case WIRE_CONNECT:
		return on_connect(core, slot, c);
	case WIRE_CONNECT_FAILED:
		return on_connect_failed(core, slot, c);
	case WIRE_DISCONNECT:
		return on_disconnect(core, slot, c);
	case WIRE_ACCEPT:
		return on_accept(core, slot, c);
	case WIRE_SEND:
		return on_send(core, slot, c);
	default:
		return on_found(core, slot, c, is_new);
	}
}

int call_apply(struct core *core, const struct wire_call *c)
{
	uint64_t numbered = core->lives.numbered;
	struct slot *slot;
	int err;

	if (c->facts & WIRE_F_PASS)
		return found_apply(core, c);
	slot = socket_of(core, c);
	if (!slot)
		return -ENOMEM;
	err = call_of(core, slot, c, core->lives.numbered != numbered);
	if (core->notes && c->head.kind != WIRE_FOUND)
		notes_forget(core->notes, c->sock.id);
	lives_list(&core->lives, slot);
	return err;
}
