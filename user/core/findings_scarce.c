/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings_scarce.c owns the words for ports that run out, or are taken without need: which range,
 * how much of it is reserved, and what has the others.
 */
#include <netinet/in.h>
#include <string.h>

#include "user/core/findings.h"

/* --- the count ---------------------------------------------------------------------------- */

static bool shares_by_peer(const struct event *e)
{
	return e->life->protocol == IPPROTO_TCP && e->kind != EVENT_BIND && e->kind != EVENT_LISTEN;
}

/* Where the connection was to go, and where from; without a family if that is not known. */
static struct endpoint peer_of(const struct event *e)
{
	return e->error && e->has_request ? e->request : e->life->peer;
}

static struct endpoint source_of(const struct event *e)
{
	static const uint8_t any[16];
	struct endpoint from = e->life->local;

	if (!memcmp(from.addr, any, sizeof(any)))
		from.family = 0;
	return from;
}

static bool is_early(const struct slot *slot, const struct event *e)
{
	const struct tenure *held = tenure_held(slot);

	return held && held->origin == ORIGIN_BIND0 && slot->life.peer.port &&
	       slot->life.protocol == IPPROTO_TCP && slot->life.netns == e->life->netns &&
	       slot->life.who_known && e->who &&
	       !memcmp(slot->life.who.comm, e->who->comm, sizeof(e->who->comm));
}

static uint32_t count_early(const struct core *core, const struct event *e)
{
	struct slot *slot = NULL;
	uint32_t count = 0;

	while ((slot = lives_next(&core->lives, slot)))
		count += is_early(slot, e);
	return count;
}

/* The range that was in force is another one: the sysctls were changed after they were read. */
static bool are_stale(const struct settings *s, const struct event *e)
{
	return e->range_lo && !e->own_range &&
	       (e->range_lo != s->range_lo || e->range_hi != s->range_hi);
}

int scarcity_count(struct scarcity *scarcity, const struct core *core, const struct event *e)
{
	const struct space *space = spaces_find(&core->spaces, e->life->netns);
	const struct endpoint from = source_of(e), to = peer_of(e);
	struct settings *settings = &scarcity->settings;
	struct pressure_counter c;
	int err;

	if (space)
		*settings = space->settings;
	else
		*settings = (struct settings){ .netns = e->life->netns };
	if (are_stale(settings, e)) {
		settings->reserved_known = false;
		memset(settings->reserved, 0, sizeof(settings->reserved));
	}
	if (e->range_lo && e->range_lo <= e->range_hi) { /* the socket's own */
		settings->range_lo = e->range_lo;
		settings->range_hi = e->range_hi;
	}
	scarcity->for_peer = shares_by_peer(e);
	err = pressure_of_lives(core, &c, &scarcity->pressure, settings, e->life->protocol);
	if (!err) {
		pressure_towards(&c, &from, &to, &scarcity->peer);
		pressure_destinations(&c);
	}
	pressure_end(&c);
	scarcity->early = count_early(core, e);
	return err;
}

/* --- the words ---------------------------------------------------------------------------- */

static void say_span(const struct telling *t, uint16_t lo, uint16_t hi)
{
	sentence_add_number(t->s, lo);
	sentence_add(t->s, "-");
	sentence_add_number(t->s, hi);
}

static void say_range(const struct telling *t)
{
	const struct event *e = t->event;
	const struct settings *s = t->scarcity ? &t->scarcity->settings : NULL;

	if (e->range_lo || e->range_hi)
		say_span(t, e->range_lo, e->range_hi);
	else if (s && s->range_hi)
		say_span(t, s->range_lo, s->range_hi);
	else
		sentence_add(t->s, "the range");
}

/*
 * Of an odd number of ports each search of TCP leaves one out (inet_csk_find_open_port(),
 * __inet_hash_connect()), which one differs; but for a connect() within a range of the socket's
 * own, from 6.8 on.
 */
static bool leaves_one(const struct telling *t)
{
	const struct event *e = t->event;
	const struct settings *s = &t->scarcity->settings;
	uint32_t size = settings_range_size(s);

	return e->life->protocol == IPPROTO_TCP && size > 1 && size % 2 &&
	       !(t->scarcity->for_peer && e->own_range) && !settings_is_reserved(s, s->range_hi);
}

/* " (12 ports, 2 of them reserved)" */
static void say_size(const struct telling *t)
{
	const struct settings *s = &t->scarcity->settings;
	uint32_t reserved = settings_reserved_in_range(s);

	if (!s->range_hi)
		return;
	sentence_add(t->s, " (");
	sentence_add_number(t->s, settings_range_size(s));
	sentence_add(t->s, settings_range_size(s) == 1 ? " port" : " ports");
	if (s->reserved_known || reserved) {
		sentence_add(t->s, ", ");
		sentence_add_number(t->s, reserved);
		sentence_add(t->s, " of them reserved");
	}
	if (leaves_one(t))
		sentence_add(t->s, ", one left out");
	sentence_add(t->s, ")");
}

/* Parts of a list: ": " before the first that is not zero, ", " before the others. */
struct listing {
	const struct telling *t;
	uint32_t sum;
};

static void list_part(struct listing *l, uint32_t count, const char *what)
{
	if (!count)
		return;
	sentence_add(l->t->s, l->sum ? ", " : ": ");
	sentence_add_number(l->t->s, count);
	sentence_add(l->t->s, what);
	l->sum += count;
}

/* What keeps ports from one more connect() to the peer; returns how many. */
static uint32_t list_for_peer(const struct telling *t)
{
	const struct pressure *p = &t->scarcity->pressure;
	const struct pressure_destination *d = &t->scarcity->peer;
	struct listing l = { .t = t };

	list_part(&l, p->blocked, " bound");
	list_part(&l, d->used - p->blocked - d->used_time_wait, " connected to there");
	list_part(&l, d->used_time_wait, " in TIME_WAIT to there");
	return l.sum;
}

static uint32_t list_for_all(const struct telling *t)
{
	const struct pressure *p = &t->scarcity->pressure;
	bool stream = p->protocol == IPPROTO_TCP;
	struct listing l = { .t = t };

	list_part(&l, p->by[PRESSURE_BIND], " bound");
	list_part(&l, p->by[PRESSURE_CONNECT], stream ? " connected" : " from connect() or a send");
	list_part(&l, p->by[PRESSURE_TIME_WAIT], " in TIME_WAIT");
	list_part(&l, p->by[PRESSURE_UNKNOWN], " given before portlife started");
	return l.sum;
}

static uint32_t list_uses(const struct telling *t)
{
	return t->scarcity->for_peer ? list_for_peer(t) : list_for_all(t);
}

void scarcity_say_exhausted(const struct telling *t)
{
	const struct event *e = t->event;
	const char *unseen = core_unseen(t->core);
	uint32_t listed, usable = t->scarcity->pressure.usable;

	sentence_add(t->s, "no port of ");
	say_range(t);
	say_size(t);
	sentence_add(t->s, " was free for ");
	sentence_add(t->s, e->kind == EVENT_CONNECT_FAILED ? "connect" : event_name(e->kind));
	sentence_add(t->s, "()");
	if (e->kind == EVENT_BIND) {
		sentence_add(t->s, " to ");
		findings_say_request(t);
	} else if (e->kind != EVENT_LISTEN && peer_of(e).port) {
		sentence_add(t->s, " to ");
		findings_say_peer(t);
	}
	sentence_add(t->s, ", hence ");
	sentence_add(t->s, errno_symbol(e->error));
	listed = list_uses(t);
	if (leaves_one(t) && usable)
		usable--;
	if (listed >= usable)
		return;
	if (listed) {
		sentence_add(t->s, "; what has the other ");
		sentence_add_number(t->s, usable - listed);
		sentence_add(t->s, " is not known");
	} else {
		sentence_add(t->s, "; what has them is not known");
	}
	sentence_add(t->s, unseen ? unseen : "");
}

void scarcity_say_low(const struct telling *t)
{
	const struct pressure *p = &t->scarcity->pressure;

	sentence_add_number(t->s, t->scarcity->for_peer ? t->scarcity->peer.used : p->taken);
	sentence_add(t->s, " of the ");
	sentence_add_number(t->s, p->usable);
	sentence_add(t->s, " ports of ");
	say_range(t);
	if (p->usable < settings_range_size(&t->scarcity->settings))
		sentence_add(t->s, " that are not reserved");
	sentence_add(t->s, " are taken");
	if (t->scarcity->for_peer) {
		sentence_add(t->s, " for connections to ");
		findings_say_peer(t);
	} else if (p->protocol == IPPROTO_TCP) {
		sentence_add(t->s, " for sockets that bind");
	}
	list_uses(t);
}

/* "; python3 keeps 312 of the 28232 ports of 32768-60999 from everyone so" */
void scarcity_say_early(const struct telling *t)
{
	const struct event *e = t->event;
	const struct settings *s = &t->scarcity->settings;

	sentence_add(t->s, "bind() to port 0 took port ");
	sentence_add_number(t->s, e->port);
	sentence_add(t->s, " before connect(): nobody else can have it, to whatever peer");
	if (!t->scarcity->early || !s->range_hi)
		return;
	sentence_add(t->s, "; ");
	sentence_add_bytes(t->s, e->who->comm, strnlen(e->who->comm, sizeof(e->who->comm)));
	sentence_add(t->s, " keeps ");
	sentence_add_number(t->s, t->scarcity->early);
	sentence_add(t->s, " of the ");
	sentence_add_number(t->s, t->scarcity->pressure.usable);
	sentence_add(t->s, " ports of ");
	say_span(t, s->range_lo, s->range_hi);
	sentence_add(t->s, " from everyone so");
}

void scarcity_say_slow(const struct telling *t)
{
	const struct event *e = t->event;

	sentence_add(t->s, "the search for a port in ");
	say_range(t);
	sentence_add(t->s, " took ");
	sentence_add_number(t->s, e->search_ns / 1000);
	sentence_add(t->s, " us");
	if (!e->search_tried)
		return;
	sentence_add(t->s, " and ");
	sentence_add_number(t->s, e->search_tried);
	sentence_add(t->s, " tries");
}

const char *scarcity_hint(const struct event *e)
{
	if (e->own_range)
		return "the program keeps its sockets to this range by IP_LOCAL_PORT_RANGE: widen "
		       "that, or close sockets that are not needed";
	switch (e->kind) {
	case EVENT_BIND:
		return "sockets that connect() should set IP_BIND_ADDRESS_NO_PORT before bind(); "
		       "widen net.ipv4.ip_local_port_range";
	case EVENT_CONNECT:
	case EVENT_CONNECT_FAILED:
		if (record_is_datagram(e->life->protocol))
			break;
		return "use connections again, connect to more addresses or from more; widen "
		       "net.ipv4.ip_local_port_range";
	default:
		break;
	}
	return "close sockets that are not needed; widen net.ipv4.ip_local_port_range";
}
