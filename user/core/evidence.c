/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * evidence.c owns the facts behind a finding, for who wants to check it: what was asked and
 * answered, each of those in the way, what has the range.
 */
#include <stddef.h>
#include <string.h>

#include "user/core/findings.h"

#define DESTINATIONS_SHOWN 5

struct evidence {
	const struct telling *t;
	struct sentence *lines;
	size_t len;
};

static struct sentence *begin(struct evidence *ev, const char *what)
{
	struct sentence *s = &ev->lines[ev->len++];

	s->names = ev->t->core->names;
	s->len = 0;
	sentence_add(s, what);
	return s;
}

static void add_options(struct sentence *s, unsigned int options)
{
	const char *before = ", options ";

	for (unsigned int bit = 0; options >> bit; bit++) {
		if (!(options >> bit & 1))
			continue;
		sentence_add(s, before);
		sentence_add(s, option_name(bit));
		before = " ";
	}
}

static void add_who(struct sentence *s, const struct wire_who *who)
{
	if (who->pid) {
		sentence_add_number(s, who->pid);
		sentence_add(s, " ");
	}
	sentence_add_bytes(s, who->comm, strnlen(who->comm, sizeof(who->comm)));
	sentence_add(s, " of user ");
	sentence_add_number(s, who->uid);
}

/* What was asked, and what came of it. */
static void tell_event(struct evidence *ev)
{
	const struct event *e = ev->t->event;
	struct sentence *s = begin(ev, "event: ");

	sentence_add(s, event_name(e->kind));
	if (e->has_request) {
		sentence_add(s, " asked for ");
		sentence_add_endpoint(s, &e->request, e->request.port, 0, e->life->netns);
	}
	if (e->error) {
		sentence_add(s, ", ");
		sentence_add(s, errno_symbol(e->error));
	} else if (e->port) {
		sentence_add(s, ", port ");
		sentence_add_number(s, e->port);
	}
	add_options(s, e->options);
	if (!e->who)
		return;
	sentence_add(s, ", by ");
	add_who(s, e->who);
}

static void tell_holder(struct evidence *ev, const struct holder *h)
{
	const char *overlap = conflict_overlap_name(h->conflict.overlap);
	const char *reason = conflict_reason_name(h->conflict.reason);
	struct sentence *s = begin(ev, "holder: ");

	sentence_add_holder(s, h);
	sentence_add(s, " ");
	sentence_add_endpoint(s, &h->local, h->local.port, h->ifindex, h->netns);
	if (h->peer.port) {
		sentence_add(s, " > ");
		sentence_add_endpoint(s, &h->peer, h->peer.port, 0, h->netns);
	}
	add_options(s, h->options);
	if (h->who) {
		sentence_add(s, ", user ");
		sentence_add_number(s, h->who->uid);
	}
	sentence_add(s, overlap ? ", rule " : "");
	sentence_add(s, overlap ? overlap : "");
	sentence_add(s, overlap && reason ? " " : "");
	sentence_add(s, reason ? reason : "");
}

static void tell_holders(struct evidence *ev)
{
	const struct holders *h = ev->t->event->holders;

	for (size_t i = 0; h && i < h->len; i++)
		tell_holder(ev, &h->list[i]);
	if (h && h->omitted) {
		struct sentence *s = begin(ev, "holder: and ");

		sentence_add_number(s, h->omitted);
		sentence_add(s, " more");
	}
}

static void tell_range(struct evidence *ev)
{
	const struct settings *settings = &ev->t->scarcity->settings;
	const struct pressure *p = &ev->t->scarcity->pressure;
	struct sentence *s = begin(ev, "range: ");
	const char *unseen;

	sentence_add_number(s, settings->range_lo);
	sentence_add(s, "-");
	sentence_add_number(s, settings->range_hi);
	sentence_add(s, ", usable ");
	sentence_add_number(s, p->usable);
	sentence_add(s, ", taken ");
	sentence_add_number(s, p->taken);
	for (enum pressure_kind k = 0; k < PRESSURE_KINDS; k++) {
		sentence_add(s, ", ");
		sentence_add(s, pressure_kind_name(k));
		sentence_add(s, " ");
		sentence_add_number(s, p->by[k]);
	}
	unseen = core_unseen(ev->t->core);
	sentence_add(s, unseen ? unseen : "");
}

static void tell_destination(struct evidence *ev, const struct pressure_destination *d)
{
	uint32_t netns = ev->t->event->life->netns;
	struct sentence *s = begin(ev, "destination: ");

	sentence_add_address(s, &d->local, 0, netns);
	sentence_add(s, " > ");
	sentence_add_endpoint(s, &d->peer, d->peer.port, 0, netns);
	sentence_add(s, ", connections ");
	sentence_add_number(s, d->connections);
	sentence_add(s, ", TIME_WAIT ");
	sentence_add_number(s, d->time_wait);
	sentence_add(s, ", ports of the range it cannot have ");
	sentence_add_number(s, d->used);
}

static void tell_scarcity(struct evidence *ev)
{
	const struct pressure *p = &ev->t->scarcity->pressure;

	if (!ev->t->scarcity->settings.range_hi)
		return;
	tell_range(ev);
	for (size_t i = 0; i < p->top_len && i < DESTINATIONS_SHOWN; i++)
		tell_destination(ev, &p->top[i]);
}

static void tell_first_unprivileged(struct evidence *ev)
{
	const struct space *space = spaces_find(&ev->t->core->spaces, ev->t->event->life->netns);
	struct sentence *s;

	if (!space || !space->settings.unprivileged_known)
		return;
	s = begin(ev, "net.ipv4.ip_unprivileged_port_start: ");
	sentence_add_number(s, space->settings.unprivileged_start);
}

_Static_assert(1 + HOLDERS_MAX + 1 + 1 + DESTINATIONS_SHOWN <= EVIDENCE_MAX, "there is room");

size_t evidence_gather(const struct telling *t, enum finding_id id, struct sentence *lines)
{
	struct evidence ev = { .t = t, .lines = lines };

	tell_event(&ev);
	tell_holders(&ev);
	if (t->scarcity)
		tell_scarcity(&ev);
	if (id == FINDING_BIND_DENIED || id == FINDING_BIND_REFUSED_BY_POLICY)
		tell_first_unprivileged(&ev);
	return ev.len;
}
