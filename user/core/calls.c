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

/* --- the socket as the record has it ----------------------------------------------------- */

static bool is_link_local(uint16_t family, const uint8_t *addr)
{
	return family == AF_INET6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

static struct endpoint endpoint(uint16_t family, const uint8_t *addr, uint16_t port, uint32_t scope)
{
	struct endpoint e = { .port = port, .family = family };

	memcpy(e.addr, addr, sizeof(e.addr));
	e.scope = is_link_local(family, addr) ? scope : 0;
	return e;
}

/* life.local.port is the last port it had: a record without one does not change it. */
static void set_endpoints(struct life *life, const struct wire_sock *s)
{
	uint16_t port = s->local_port ? s->local_port : life->local.port;

	life->local = endpoint(s->family, s->local, port, s->scope);
	life->peer = endpoint(s->family, s->peer, s->peer_port, s->scope);
}

/*
 * After a failed attempt or a disconnect the kernel has cleared the addresses, while the event is
 * about those that there were.
 */
static bool clears_endpoints(const struct wire_call *c)
{
	return (c->head.kind == WIRE_CONNECT_FAILED || c->head.kind == WIRE_DISCONNECT) &&
	       !c->sock.peer_port;
}

static void set_socket(struct life *life, const struct wire_call *c)
{
	const struct wire_sock *s = &c->sock;

	life->netns = s->netns;
	life->ifindex = s->ifindex;
	life->protocol = s->protocol;
	life->options = s->options;
	life->kern = (c->facts & WIRE_F_KERN_SOCK) != 0;
	if (!life->local.family || !clears_endpoints(c))
		set_endpoints(life, s);
}

/*
 * A port that was there before the first call seen: given before portlife started, unless the
 * socket is younger than that (then a record was lost, or this backend could not see the call).
 */
static bool had_port_before(const struct core *core, const struct wire_call *c)
{
	bool is_young = c->sock.created_ns && c->sock.created_ns >= core->run.boot_ns;

	if (c->facts & WIRE_F_EXISTING)
		return true;
	return c->port_before && !is_young && !(c->facts & WIRE_F_CHILD) &&
	       c->head.kind != WIRE_ACCEPT && c->head.kind != WIRE_FOUND;
}

static struct slot *first_sight(struct core *core, const struct wire_call *c)
{
	struct slot *slot = lives_begin(&core->lives, c->sock.id);
	struct phase created = { .ts_ns = c->sock.created_ns, .kind = PHASE_CREATED };

	if (!slot)
		return NULL;
	slot->life.created_ns = c->sock.created_ns;
	slot->life.existing = had_port_before(core, c);
	slot->life.chosen = filter_chooses(core->filter, NULL, c->facts);
	/* the first phase always has room */
	if (created.ts_ns)
		lives_add_phase(&core->lives, slot, created);
	return slot;
}

/* The life of a call's socket, with what the record says about socket and task. */
static struct slot *find_or_begin(struct core *core, const struct wire_call *c)
{
	struct slot *slot = lives_find(&core->lives, c->sock.id);

	if (!slot)
		slot = first_sight(core, c);
	if (!slot)
		return NULL;
	set_socket(&slot->life, c);
	slot->child |= c->head.kind == WIRE_ACCEPT || (c->facts & WIRE_F_CHILD);
	if (c->sock.parent && !slot->life.parent)
		owner_inherit(core, slot, c->sock.parent);
	if (c->facts & WIRE_F_WHO)
		owner_touch(core, slot, &c->who, c->facts);
	return slot;
}

/* --- events ------------------------------------------------------------------------------ */

static struct event call_event(const struct slot *slot, const struct wire_call *c,
			       enum event_kind kind)
{
	struct event e = event_make(slot, kind, c->head.ts_ns);
	bool has_range = c->range_lo <= c->range_hi;

	if (c->facts & WIRE_F_WHO)
		e.who = &c->who;
	e.fd = c->fd;
	e.error = c->error;
	if (c->facts & WIRE_F_REQUEST) {
		e.has_request = true;
		e.request = endpoint(c->req_family, c->req_addr, c->req_port, c->req_scope);
	}
	e.range_lo = has_range ? c->range_lo : 0;
	e.range_hi = has_range ? c->range_hi : 0;
	e.has_search = (c->facts & WIRE_F_SEARCH_TIMED) != 0;
	e.search_ns = c->search_ns;
	e.search_tried = c->search_tried;
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

/* The tenure that a call begins: its own origin, its range where the kernel chose. */
static struct tenure call_tenure(const struct slot *slot, const struct wire_call *c)
{
	struct tenure t = {
		.assigned_ns = c->head.ts_ns,
		.port = c->sock.local_port,
		.origin = (uint8_t)call_origin(c),
	};

	t.by = (uint8_t)call_by(c, t.origin);
	t.deferred = slot->life.deferred && tenure_is_implicit(&t) == YES;
	if ((tenure_is_ephemeral(&t) == YES || (c->facts & WIRE_F_SEARCHED)) &&
	    c->range_lo <= c->range_hi) {
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
 * Brings the tenures to where the socket was when the call began: port_before is the truth, what
 * the table has may lack a record. A tenure that began or ended within this very call (bpf_bind()
 * of a cgroup program, the release of a refused attempt) is no contradiction.
 */
static int reconcile_before(struct slot *slot, const struct wire_call *c)
{
	const struct tenure *last = lives_last_tenure(slot), *held = tenure_held(slot);
	uint64_t since = call_since(slot, c);

	if (held && !c->port_before && since && held->assigned_ns >= since)
		return 0;
	if (held ? held->port == c->port_before : !c->port_before)
		return 0;
	if (!held && last && last->port == c->port_before && tenure_since(slot, since))
		return 0;
	tenure_lose(slot);
	if (!c->port_before)
		return 0;
	return tenure_begin_unseen(slot, c->port_before, c->sock.userlocks) ? 0 : -ENOMEM;
}

/* Brings the tenures to where the socket is now, when no call is known that would explain it. */
static int reconcile_after(struct slot *slot, const struct wire_call *c)
{
	const struct tenure *held = tenure_held(slot);

	if (held && held->port == c->sock.local_port)
		return 0;
	tenure_lose(slot);
	if (!c->sock.local_port)
		return 0;
	return tenure_begin_unseen(slot, c->sock.local_port, c->sock.userlocks) ? 0 : -ENOMEM;
}

/* Sets *assigned if the socket got its port in this call, and begins the tenure. */
static int assign(struct slot *slot, const struct wire_call *c, bool *assigned)
{
	int err = reconcile_before(slot, c);
	struct tenure model;

	*assigned = false;
	if (err || !c->sock.local_port)
		return err; /* without a port: WIRE_RELEASE tells, before or after */
	if (c->port_before || tenure_held(slot))
		return reconcile_after(slot, c);
	model = call_tenure(slot, c);
	*assigned = true;
	return tenure_begin(slot, &model) ? 0 : -ENOMEM;
}

/* --- bind, listen, connect --------------------------------------------------------------- */

static int on_bind(struct core *core, struct slot *slot, const struct wire_call *c)
{
	bool assigned;
	int err = assign(slot, c, &assigned);
	struct event e;

	if (err)
		return err;
	/* success without a port: bind(addr, 0) under IP_BIND_ADDRESS_NO_PORT */
	if (!c->error)
		slot->life.deferred = !c->sock.local_port;
	e = call_event(slot, c, EVENT_BIND);
	e.assigned = assigned;
	if (c->error && e.has_request)
		e.port = c->req_port;
	return event_emit(core, slot, &e);
}

static int on_listen(struct core *core, struct slot *slot, const struct wire_call *c)
{
	bool assigned;
	int err = assign(slot, c, &assigned);
	struct event e;

	if (err)
		return err;
	e = call_event(slot, c, EVENT_LISTEN);
	e.assigned = assigned;
	return event_emit(core, slot, &e);
}

static int on_connect(struct core *core, struct slot *slot, const struct wire_call *c)
{
	bool timed = c->facts & WIRE_F_TIMED, assigned;
	int err = assign(slot, c, &assigned);
	struct event e;

	if (err)
		return err;
	slot->life.call_ns = timed ? c->start_ns : 0;
	slot->attempt_ns = timed ? c->start_ns : c->head.ts_ns;
	slot->attempt = ATTEMPT_UNDER_WAY;
	e = call_event(slot, c, EVENT_CONNECT);
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
	struct event e;
	bool assigned;
	int err;

	if (told || !is_outcome(c->error))
		return 0;
	err = assign(slot, c, &assigned);
	if (err)
		return err;
	e = call_event(slot, c, EVENT_CONNECT_FAILED);
	name_tenure(&e, tenure_since(slot, call_since(slot, c)));
	e.assigned = assigned;
	if (!e.has_duration && slot->life.call_ns && c->head.ts_ns >= slot->life.call_ns) {
		e.has_duration = true;
		e.duration_ns = c->head.ts_ns - slot->life.call_ns;
	}
	if (c->error != EINTR) { /* the attempt goes on without the program */
		slot->life.call_ns = 0;
		slot->attempt = ATTEMPT_FAILED;
	}
	return event_emit(core, slot, &e);
}

static int on_disconnect(struct core *core, struct slot *slot, const struct wire_call *c)
{
	int err = reconcile_before(slot, c);
	struct event e;

	if (err)
		return err;
	e = call_event(slot, c, EVENT_DISCONNECT);
	name_tenure(&e, tenure_since(slot, call_since(slot, c)));
	err = event_emit(core, slot, &e);
	if (err || c->error)
		return err;
	slot->life.call_ns = 0;
	slot->attempt = ATTEMPT_NONE;
	if (tenure_held(slot) && !c->sock.local_port)
		err = tenure_release(core, slot, 0, c->head.ts_ns);
	set_endpoints(&slot->life, &c->sock);
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

/* The tenure of a child begins when the kernel makes it, before any process has it. */
static int begin_child(struct core *core, struct slot *slot, const struct wire_call *c,
		       bool *assigned)
{
	bool existing = c->facts & WIRE_F_EXISTING;
	struct tenure model = call_tenure(slot, c);

	*assigned = false;
	model.port = child_port(core, c);
	if (slot->life.tenures_len || !model.port)
		return 0;
	if (c->sock.created_ns)
		model.assigned_ns = c->sock.created_ns;
	else if (c->sock.established_ns || existing)
		model.assigned_ns = c->sock.established_ns;
	if (!tenure_begin(slot, &model))
		return -ENOMEM;
	slot->life.holds_port = c->sock.local_port != 0;
	*assigned = !existing;
	return 0;
}

/* Seen by nobody when it happened: the record of the child brings it along. */
static int tell_established(struct core *core, struct slot *slot, const struct wire_call *c,
			    bool assigned)
{
	struct event e;

	if (!c->sock.established_ns || slot->established)
		return 0;
	slot->established = true;
	e = call_event(slot, c, EVENT_ESTABLISHED);
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
	bool assigned;
	int err = begin_child(core, slot, c, &assigned);
	struct event e;

	if (!err)
		err = tell_established(core, slot, c, false);
	if (err)
		return err;
	e = call_event(slot, c, EVENT_ACCEPT);
	name_tenure(&e, lives_last_tenure(slot)); /* the peer may have ended it already */
	e.assigned = assigned;
	return event_emit(core, slot, &e);
}

static int on_found(struct core *core, struct slot *slot, const struct wire_call *c, bool is_new)
{
	struct event e;
	bool assigned;
	int err;

	if (c->facts & WIRE_F_CHILD) {
		err = begin_child(core, slot, c, &assigned);
		if (!err)
			err = tell_established(core, slot, c, assigned);
		if (err)
			return err;
	}
	err = reconcile_after(slot, c);
	if (err || !is_new || !(c->facts & WIRE_F_EXISTING))
		return err;
	e = call_event(slot, c, EVENT_EXISTING);
	return event_emit(core, slot, &e);
}

int call_apply(struct core *core, const struct wire_call *c)
{
	uint64_t numbered = core->lives.numbered;
	struct slot *slot = find_or_begin(core, c);

	if (!slot)
		return -ENOMEM;
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
	default:
		return on_found(core, slot, c, core->lives.numbered != numbered);
	}
}
