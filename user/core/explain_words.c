/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_words.c owns the {words} of the sentences: the values that an event has for them.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/explain_rules.h"
#include "user/core/family.h"

static void say_who(const struct about *a, struct sentence *s)
{
	const struct tenure *t = a->event->tenure;

	if (t && t->by == BY_BPF)
		sentence_add(s, "A program that the administrator gave to the kernel");
	else
		sentence_add(s, a->life->kern ? "A part of the kernel" : "The program");
}

static void say_port(const struct about *a, struct sentence *s)
{
	sentence_add_number(s, a->event->port);
}

static void say_number_of_family(const struct about *a, struct sentence *s)
{
	sentence_add_number(s, life_number(a->life, a->event->port));
}

static void say_parity(const struct about *a, struct sentence *s)
{
	sentence_add(s, a->event->port % 2 ? "odd" : "even");
}

static void say_peer(const struct about *a, struct sentence *s)
{
	sentence_add_endpoint(s, &a->peer, a->peer.port, 0, a->life->netns);
}

static void say_peer_address(const struct about *a, struct sentence *s)
{
	sentence_add_address(s, &a->peer, 0, a->life->netns);
}

static void say_peer_port(const struct about *a, struct sentence *s)
{
	sentence_add_number(s, a->peer.port);
}

static void say_local(const struct about *a, struct sentence *s)
{
	sentence_add_address(s, &a->life->local, a->life->ifindex, a->life->netns);
}

static void say_own(const struct about *a, struct sentence *s)
{
	sentence_add_endpoint(s, &a->life->local, a->event->port, a->life->ifindex, a->life->netns);
}

static void say_request(const struct about *a, struct sentence *s)
{
	sentence_add_address(s, &a->event->request, a->life->ifindex, a->life->netns);
}

static void say_request_port(const struct about *a, struct sentence *s)
{
	sentence_add_number(s, a->event->request.port);
}

static void say_request_number(const struct about *a, struct sentence *s)
{
	sentence_add_number(s, endpoint_number(&a->event->request));
}

/* What a wildcard stands for: an address of IPv6 has those of IPv4 in it, unless it is told not to.
 */
static void say_every(const struct about *a, const struct endpoint *end, struct sentence *s)
{
	if (end->family == AF_INET || explain_is_mapped(end))
		sentence_add(s, "every IPv4 address");
	else
		sentence_add(s, a->event->options & WIRE_O_V6ONLY ? "every IPv6 address"
								  : "every address");
}

static void say_every_asked(const struct about *a, struct sentence *s)
{
	say_every(a, &a->event->request, s);
}

static void say_every_local(const struct about *a, struct sentence *s)
{
	say_every(a, &a->life->local, s);
}

static void say_holder(const struct about *a, struct sentence *s)
{
	const struct holder *h = &a->event->holders->list[0];

	sentence_add_address(s, &h->local, h->ifindex, h->netns);
}

static void say_had(const struct about *a, struct sentence *s)
{
	sentence_add_number(s, a->event->tenure->port);
}

/* --- the range ---------------------------------------------------------------------------- */

static void say_span(struct sentence *s, uint32_t lo, uint32_t hi)
{
	sentence_add_number(s, lo);
	sentence_add(s, "-");
	sentence_add_number(s, hi);
}

static void say_range(const struct about *a, struct sentence *s)
{
	say_span(s, a->event->range_lo, a->event->range_hi);
}

/* "(28232 ports, none reserved", and what the caller closes with {taken} */
static void say_ports(const struct about *a, struct sentence *s)
{
	uint32_t size = explain_range_size(a), reserved;

	sentence_add_number(s, size);
	sentence_add(s, size == 1 ? " port" : " ports");
	if (explain_leaves_one(a))
		sentence_add(s, ", of which one is left out");
	if (!(a->facts & FACT_SETTINGS))
		return;
	reserved = explain_reserved(a);
	sentence_add(s, reserved ? ", " : ", none reserved");
	if (!reserved)
		return;
	sentence_add_number(s, reserved);
	sentence_add(s, " of them reserved");
}

/*
 * What is known to be taken: at least so many, since not everybody may be followed, and a port may
 * be out of reach in other ways.
 */
static void say_taken(const struct about *a, struct sentence *s)
{
	bool for_peer;
	uint32_t taken = pressure_taken(a->core, a->event, &for_peer);

	if (!taken)
		return;
	sentence_add(s, ", at least ");
	sentence_add_number(s, taken);
	sentence_add(s, for_peer ? " in use for this destination" : " in use");
}

static void say_namespace_range(const struct about *a, struct sentence *s)
{
	say_span(s, a->settings->range_lo, a->settings->range_hi);
}

/* Where bind() with SO_REUSEADDR looks first (inet_csk_find_open_port(), attempt_half). */
static void say_half(const struct about *a, struct sentence *s)
{
	uint32_t lo = a->event->range_lo, end = a->event->range_hi + 1U;

	say_span(s, lo, lo + ((end - lo) >> 2 << 1) - 1);
}

static void say_bind_first(const struct about *a, struct sentence *s)
{
	sentence_add(s, explain_prefers_even(a, false) ? "even" : "odd");
}

static void say_connect_first(const struct about *a, struct sentence *s)
{
	sentence_add(s, explain_prefers_even(a, true) ? "even" : "odd");
}

static void say_step(const struct about *a, struct sentence *s)
{
	sentence_add_number(s, a->settings->step_width);
}

/* The width is doubled where odd and even are told apart: scan_step *= step. */
static void say_steps(const struct about *a, struct sentence *s)
{
	if (a->settings && a->settings->step_width)
		sentence_add(s, " and in random steps (net.ipv4.ip_local_port_step_width)");
}

static void say_start(const struct about *a, struct sentence *s)
{
	sentence_add_number(s, a->settings->unprivileged_start);
}

/* --- others ------------------------------------------------------------------------------- */

static void say_errno(const struct about *a, struct sentence *s)
{
	sentence_add(s, errno_symbol(a->event->error));
}

static void say_cause(const struct about *a, struct sentence *s)
{
	sentence_add(s, errno_symbol(a->event->cause));
}

static void say_seconds(const struct about *a, struct sentence *s)
{
	uint64_t ms = a->event->duration_ns / 1000000;

	sentence_add_number(s, ms < 1000 ? ms : (ms + 500) / 1000);
	sentence_add(s, ms < 1000 ? " ms" : " s");
}

static void say_call(const struct about *a, struct sentence *s)
{
	sentence_add(s, a->event->kind == EVENT_CONNECT_FAILED ? "connect"
							       : event_name(a->event->kind));
	sentence_add(s, "()");
}

static void say_origin(const struct about *a, struct sentence *s)
{
	enum port_origin origin = explain_origin(a);

	sentence_add(s, origin == ORIGIN_BIND0 ? "bind" : origin_name(origin));
	sentence_add(s, "()");
}

static const struct word {
	const char *name;
	bool lasts; /* the same for many events of one program */
	void (*say)(const struct about *a, struct sentence *s);
} words[] = {
	{ "Who", true, say_who },
	{ "port", false, say_port },		   /* of the event */
	{ "number", false, say_number_of_family }, /* what it has instead of one */
	{ "parity", true, say_parity },		   /* of that */
	{ "had", false, say_had },   /* the socket's, where the event is about another */
	{ "peer", false, say_peer }, /* ADDR:PORT */
	{ "peer-address", false, say_peer_address },
	{ "peer-port", false, say_peer_port },
	{ "local", false, say_local },	   /* ADDR */
	{ "own", false, say_own },	   /* ADDR:PORT */
	{ "request", false, say_request }, /* ADDR */
	{ "every-asked", true, say_every_asked },
	{ "every-local", true, say_every_local },
	{ "request-port", false, say_request_port },
	{ "request-number", false, say_request_number }, /* as {number} */
	{ "holder", false, say_holder },		 /* ADDR */
	{ "range", true, say_range },			 /* of the socket */
	{ "ports", true, say_ports },			 /* in it */
	{ "taken", false, say_taken },			 /* of it */
	{ "namespace-range", true, say_namespace_range },
	{ "half", true, say_half },
	{ "bind-first", true, say_bind_first },
	{ "connect-first", true, say_connect_first },
	{ "step", true, say_step },
	{ "steps", true, say_steps }, /* "", where they are of 2 */
	{ "start", true, say_start }, /* of the ports for everybody */
	{ "errno", true, say_errno },
	{ "cause", true, say_cause },
	{ "seconds", false, say_seconds },
	{ "call", true, say_call },
	{ "origin", true, say_origin },
};

static const struct word *word_find(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i].name) == len && !memcmp(words[i].name, name, len))
			return &words[i];
	return NULL;
}

void explain_expand(const struct about *a, const char *text, bool only_lasting, struct sentence *s)
{
	while (*text) {
		size_t len = strcspn(text, "{");
		const struct word *word;

		sentence_add_bytes(s, text, len);
		text += len;
		if (!*text)
			return;
		len = strcspn(text, "}");
		word = word_find(text + 1, len - 1);
		if (word && (word->lasts || !only_lasting))
			word->say(a, s);
		text += len + (text[len] == '}');
	}
}
