/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_facts.c owns what may be asked about an event before a sentence is chosen: what is known,
 * and the kernel's rules as far as they follow from its release and settings.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/explain_rules.h"
#include "user/core/family.h"

/* "6.18.44-fc" */
static uint32_t kernel_of(const char *release)
{
	uint32_t part[2] = { 0, 0 };

	for (unsigned int i = 0; i < 2; i++) {
		const char *first = release;

		for (; *release >= '0' && *release <= '9' && part[i] < 1000; release++)
			part[i] = part[i] * 10 + (uint32_t)(*release - '0');
		if (release == first || (!i && *release++ != '.'))
			return 0;
	}
	return KERNEL(part[0], part[1]);
}

/* A connect() that failed leaves nothing in the socket, nor does a send() to an address. */
static struct endpoint peer_of(const struct event *e)
{
	bool connects = e->kind == EVENT_CONNECT || e->kind == EVENT_CONNECT_FAILED;
	bool asks = (connects && e->error) || e->kind == EVENT_SEND;

	if (e->kind == EVENT_BIND || e->kind == EVENT_LISTEN)
		return (struct endpoint){ .family = 0 };
	if (asks && e->has_request && e->request.port &&
	    (e->request.family == AF_INET || e->request.family == AF_INET6))
		return e->request;
	return e->life->peer.port ? e->life->peer : (struct endpoint){ .family = 0 };
}

static bool is_inet(const struct endpoint *end)
{
	return end->family == AF_INET || end->family == AF_INET6;
}

static uint32_t if_so(bool so, uint32_t facts)
{
	return so ? facts : 0;
}

static uint32_t facts_of_event(const struct event *e)
{
	return if_so(e->life->protocol == IPPROTO_TCP, FACT_TCP) |
	       if_so(e->life->protocol == IPPROTO_UDP || e->life->protocol == IPPROTO_UDPLITE,
		     FACT_UDP) |
	       (e->error ? FACT_FAILED : FACT_OK) | (e->reconciled ? FACT_LATE : FACT_SEEN) |
	       if_so(e->has_socket, FACT_SOCKET) |
	       if_so(e->has_request && (is_inet(&e->request) || endpoint_is_named(&e->request)),
		     FACT_REQUEST) |
	       if_so(e->range_lo && e->range_lo <= e->range_hi, FACT_RANGE) |
	       if_so(e->holders && e->holders->len, FACT_HOLDER);
}

static uint32_t facts_of_tenure(const struct event *e)
{
	const struct tenure *t = e->tenure;
	bool user = t && (t->by == BY_USER || t->by == BY_IO_URING);

	if (!t || t->origin == ORIGIN_NONE)
		return if_so(!e->life->kern, FACT_USER);
	return FACT_PORT | if_so(t->origin != ORIGIN_UNKNOWN, FACT_ORIGIN) |
	       if_so(e->assigned, FACT_GIVEN) |
	       if_so(user || (t->by == BY_NONE && !e->life->kern), FACT_USER) |
	       if_so(t->shared != NULL_STATE, FACT_SHARED);
}

/* Was everything seen that anybody did with this socket? */
static bool is_whole(const struct about *a)
{
	const struct filter *f = a->core->filter;
	const struct life *l = a->life;

	return l->created_ns && !l->existing && !l->phases_omitted && !l->tenures_omitted &&
	       !a->core->summary.lost && !f->pids_len && !f->comm && !f->has_uid;
}

/* Before 7.1 there is no step width. */
static bool stride_is_known(const struct about *a)
{
	return (a->kernel && a->kernel < KERNEL(7, 1)) ||
	       (a->settings && a->settings->step_width_known);
}

struct about explain_about(const struct core *core, const struct event *e)
{
	struct about a = {
		.core = core,
		.event = e,
		.life = e->life,
		.settings = settings_seen_find(&core->settings, e->life->netns),
		.peer = peer_of(e),
		.kernel = kernel_of(core->run.kernel),
	};

	a.facts = facts_of_event(e) | facts_of_tenure(e) | if_so(a.peer.family, FACT_PEER) |
		  if_so(a.kernel, FACT_KERNEL) | if_so(is_whole(&a), FACT_WHOLE_LIFE) |
		  if_so(stride_is_known(&a), FACT_STRIDE) |
		  if_so(!(core->run.blind & WIRE_B_TIME_WAIT_START), FACT_TIME_WAIT);
	if (a.settings)
		a.facts |=
			if_so(a.settings->range_hi && a.settings->reserved_known, FACT_SETTINGS) |
			if_so(a.settings->unprivileged_known, FACT_UNPRIVILEGED);
	return a;
}

bool explain_prefers_even(const struct about *a, bool connect)
{
	return (a->event->range_lo % 2 == 0) == connect;
}

bool explain_is_wildcard(const struct endpoint *end)
{
	static const uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff }, none[16];

	if (end->family == AF_INET)
		return !memcmp(end->addr, none, 4);
	return !memcmp(end->addr, none, 16) || !memcmp(end->addr, mapped, 16);
}

bool explain_is_mapped(const struct endpoint *end)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return end->family == AF_INET6 && !memcmp(end->addr, prefix, sizeof(prefix));
}

bool explain_is_loopback(const struct endpoint *end)
{
	static const uint8_t mapped[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 };

	if (end->family == AF_INET)
		return end->addr[0] == 127;
	return !memcmp(end->addr, &in6addr_loopback, 16) || !memcmp(end->addr, mapped, 13);
}

/* The event itself is the last of the phases. */
static bool was_before(const struct about *a, enum event_kind kind, bool only_done)
{
	const struct life *l = a->life;
	unsigned int last = l->phases_len;

	if (!l->phases_omitted && last && l->phases[last - 1].kind == a->event->kind)
		last--;
	for (unsigned int i = 0; i < last; i++)
		if (l->phases[i].kind == kind && !(only_done && l->phases[i].error))
			return true;
	return false;
}

bool explain_was_tried(const struct about *a, enum event_kind kind)
{
	return was_before(a, kind, false);
}

bool explain_was_done(const struct about *a, enum event_kind kind)
{
	return was_before(a, kind, true);
}

bool explain_is_on_device(const struct about *a)
{
	return a->life->ifindex != 0;
}

bool explain_never_asked(const struct about *a)
{
	return !explain_was_tried(a, EVENT_BIND) && !(a->event->userlocks & LOCK_ADDRESS) &&
	       a->life->tenures_len <= 1 && !a->event->tenure->deferred;
}

enum port_origin explain_origin(const struct about *a)
{
	return a->event->tenure ? a->event->tenure->origin : ORIGIN_NONE;
}

uint32_t explain_range_size(const struct about *a)
{
	return (uint32_t)a->event->range_hi - a->event->range_lo + 1;
}

/*
 * inet_csk_find_open_port() and __inet_hash_connect() take an even number of ports (remaining &=
 * ~1U), 5.10 to 7.3; connect() within a range of the socket's own takes all of them from 6.8 on.
 */
bool explain_leaves_one(const struct about *a)
{
	bool binds = a->event->kind == EVENT_BIND || a->event->kind == EVENT_LISTEN;
	uint32_t size = explain_range_size(a);

	if (a->life->protocol != IPPROTO_TCP || size < 2 || size % 2 == 0)
		return false;
	return binds || !a->event->own_range || (a->kernel && a->kernel < KERNEL(6, 8));
}

uint32_t explain_reserved(const struct about *a)
{
	return settings_reserved_between(a->settings, a->event->range_lo, a->event->range_hi);
}
