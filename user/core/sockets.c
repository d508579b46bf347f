/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockets.c owns what a record says about the socket itself, whatever was done with it: its
 * addresses and options, whose it is, and that it is seen for the first time.
 */
#include <string.h>
#include <sys/socket.h>

#include "user/core/state.h"

#define STATE_CLOSED 7 /* TCP_CLOSE */

static bool is_link_local(uint16_t family, const uint8_t *addr)
{
	return family == AF_INET6 && addr[0] == 0xfe && (addr[1] & 0xc0) == 0x80;
}

struct endpoint endpoint_make(uint16_t family, const uint8_t *addr, uint16_t port, uint32_t scope)
{
	struct endpoint e = { .port = port, .family = family };

	memcpy(e.addr, addr, sizeof(e.addr));
	e.scope = is_link_local(family, addr) ? scope : 0;
	return e;
}

bool endpoint_is_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->port == b->port && a->family == b->family && !memcmp(a->addr, b->addr, 16);
}

void socket_set_endpoints(struct life *life, const struct wire_sock *s)
{
	uint16_t port = s->local_port ? s->local_port : life->local.port;

	life->local = endpoint_make(s->family, s->local, port, s->scope);
	life->peer = endpoint_make(s->family, s->peer, s->peer_port, s->scope);
}

/*
 * After a failed attempt or a disconnect the kernel has cleared the addresses, while the event is
 * about those that there were.
 */
static bool clears_endpoints(const struct life *life, const struct wire_call *c)
{
	uint16_t port = c->sock.local_port;
	bool after = c->head.kind == WIRE_CONNECT_FAILED || c->head.kind == WIRE_DISCONNECT;

	if (c->facts & WIRE_F_PASS) /* which does not know what was before */
		after = c->sock.state == STATE_CLOSED && (!port || port == life->local.port) &&
			!record_is_datagram(c->sock.protocol);
	return after && !c->sock.peer_port;
}

static void set_socket(struct life *life, const struct wire_call *c)
{
	const struct wire_sock *s = &c->sock;

	life->netns = s->netns;
	life->ifindex = s->ifindex;
	life->protocol = s->protocol;
	life->options = s->options;
	life->kern = (c->facts & WIRE_F_KERN_SOCK) != 0;
	if (!life->local.family || record_is_named(s->protocol) ||
	    s->protocol == WIRE_PROTOCOL_RAW || !clears_endpoints(life, c))
		socket_set_endpoints(life, s);
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
	if (created.ts_ns && phases_are_kept(core) &&
	    lives_add_phase(&core->lives, slot, created)) {
		lives_forget(&core->lives, slot);
		return NULL;
	}
	return slot;
}

/*
 * Who has called is the owner from now on. Whom a walk met by a descriptor is one holder of maybe
 * many: better than nobody, no more.
 */
static void touch(struct core *core, struct slot *slot, const struct wire_call *c)
{
	struct life *life = &slot->life;

	if (!(c->facts & WIRE_F_WHO))
		return;
	if (!(c->facts & WIRE_F_PASS) || !life->who_known)
		owner_touch(core, slot, &c->who, c->facts);
	else if (!life->chosen)
		life->chosen = owner_chooses(core, &c->who, c->facts);
}

void socket_describe(struct core *core, struct slot *slot, const struct wire_call *c)
{
	if (!slot->life.local.family)
		slot->life.chosen = owner_chooses(core, NULL, c->facts);
	set_socket(&slot->life, c);
	slot->state = c->sock.state;
	slot->child |= c->head.kind == WIRE_ACCEPT || (c->facts & WIRE_F_CHILD);
	if (c->sock.parent && !slot->life.parent)
		owner_inherit(core, slot, c->sock.parent);
	slot->seen = core->pass.epoch;
	touch(core, slot, c);
}

struct slot *socket_of(struct core *core, const struct wire_call *c)
{
	struct slot *slot = lives_find(&core->lives, c->sock.id);

	if (!slot)
		slot = first_sight(core, c);
	if (slot)
		socket_describe(core, slot, c);
	return slot;
}
