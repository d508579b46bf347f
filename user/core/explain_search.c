/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_search.c owns the sentences about the search for a port: through which range, from where,
 * in which order, and what the number picked hints at. inet_csk_find_open_port() looks for bind(0)
 * and listen(), __inet_hash_connect() for connect(), udp_lib_get_port() for datagrams.
 */
#include "user/core/explain_rules.h"

#define BY_BIND	   (ON(BIND) | ON(LISTEN))
#define BY_CONNECT (ON(CONNECT) | ON(SEND)) /* send: TCP Fast Open */

/* A port was picked, and all that the sentences name is known. */
#define PICKED		  (FACT_OK | FACT_SEEN | FACT_GIVEN | FACT_ORIGIN | FACT_RANGE)
#define PICKED_TCP	  (PICKED | FACT_TCP)
#define PICKED_BY_CONNECT (PICKED_TCP | FACT_PEER | FACT_STRIDE)

#define LOOKED_THROUGH "{call} looked through {range} ({ports}{taken}), beginning at "
#define COMPUTED                                                                                   \
	"{call} looked through {range} ({ports}{taken}), beginning at a place computed from the "  \
	"destination {peer} (and from {local})"

static bool is_picked(const struct about *a)
{
	enum port_origin origin = explain_origin(a);

	return origin == ORIGIN_BIND0 || origin == ORIGIN_LISTEN || origin == ORIGIN_CONNECT ||
	       origin == ORIGIN_SEND;
}

/* One of one has no choice. */
static bool is_choice(const struct about *a)
{
	return is_picked(a) && explain_range_size(a) > 1;
}

static bool is_even(const struct about *a)
{
	return a->event->port % 2 == 0;
}

/* --- bind() to port 0, listen() ----------------------------------------------------------- */

/* Halves only if there is enough to halve, as inet_csk_find_open_port() has it. */
static bool has_halves(const struct about *a)
{
	return (a->event->options & WIRE_O_REUSEADDR) && explain_range_size(a) >= 4;
}

static bool in_halves(const struct about *a)
{
	return is_choice(a) && has_halves(a);
}

static bool bind_followed(const struct about *a)
{
	return is_choice(a) && !has_halves(a) && is_even(a) == explain_prefers_even(a, false);
}

static bool bind_did_not_follow(const struct about *a)
{
	return is_choice(a) && !has_halves(a) && is_even(a) != explain_prefers_even(a, false);
}

/* --- connect() ---------------------------------------------------------------------------- */

/* Since 6.8 a range of its own is gone through number by number, or in random steps (7.1). */
static bool has_no_parity(const struct about *a)
{
	return is_choice(a) && a->event->own_range && a->kernel >= KERNEL(6, 8);
}

static bool has_step(const struct about *a)
{
	return has_no_parity(a) && a->settings && a->settings->step_width;
}

static bool one_by_one(const struct about *a)
{
	return has_no_parity(a) && !has_step(a);
}

/* A random step is an even one here (scan_step *= step): the halves stay apart. */
static bool has_parity(const struct about *a)
{
	return is_choice(a) && a->kernel && !has_no_parity(a);
}

static bool connect_followed(const struct about *a)
{
	return has_parity(a) && is_even(a) == explain_prefers_even(a, true);
}

static bool connect_did_not_follow(const struct about *a)
{
	return has_parity(a) && is_even(a) != explain_prefers_even(a, true);
}

static bool no_stride_known(const struct about *a)
{
	return is_choice(a) && !(a->facts & FACT_STRIDE);
}

static bool has_no_choice(const struct about *a)
{
	return is_picked(a) && explain_range_size(a) == 1;
}

/* --- the range itself --------------------------------------------------------------------- */

static bool is_narrowed(const struct about *a)
{
	return is_picked(a) && a->event->own_range &&
	       (a->event->range_lo != a->settings->range_lo ||
		a->event->range_hi != a->settings->range_hi);
}

static bool is_shared(const struct about *a)
{
	return a->event->tenure->shared == YES;
}

static const struct explain_rule more[] = {
	{ BY_BIND | BY_CONNECT, PICKED, has_no_choice,
	  "{range} is the whole range: {port} was the only port that the kernel may pick." },
	{ BY_BIND, PICKED_TCP, bind_followed,
	  LOOKED_THROUGH "a random place, {bind-first} numbers first: {port} is {parity}, which "
			 "hints at bind() or listen() and proves nothing." },
	{ BY_BIND, PICKED_TCP, bind_did_not_follow,
	  LOOKED_THROUGH "a random place, {bind-first} numbers first: {port} is {parity}, so no "
			 "{bind-first} one was to be had." },
	{ BY_BIND, PICKED_TCP, in_halves,
	  LOOKED_THROUGH "a random place; with SO_REUSEADDR it looks into the lower half ({half}) "
			 "first, and there at {bind-first} numbers; {port} is {parity}." },
	{ BY_CONNECT, PICKED_BY_CONNECT, connect_followed,
	  COMPUTED ", {connect-first} numbers first{steps}: {port} is {parity}, which hints at "
		   "connect() and proves nothing." },
	{ BY_CONNECT, PICKED_BY_CONNECT, connect_did_not_follow,
	  COMPUTED ", {connect-first} numbers first{steps}: {port} is {parity}, so no "
		   "{connect-first} one was to be had for it." },
	{ BY_CONNECT, PICKED_BY_CONNECT, one_by_one,
	  COMPUTED ", number by number, as the socket has a range of its own: odd and even tell "
		   "nothing here." },
	{ BY_CONNECT, PICKED_BY_CONNECT, has_step,
	  COMPUTED ", in steps of a random width of at most {step} "
		   "(net.ipv4.ip_local_port_step_width), odd and even alike, as the socket has a "
		   "range of its own." },
	{ BY_CONNECT, PICKED_TCP | FACT_PEER, no_stride_known, COMPUTED "." },
	{ BY_BIND | BY_CONNECT, PICKED | FACT_UDP, is_choice,
	  "The kernel looked through {range} ({ports}{taken}), beginning at a random place; for "
	  "UDP "
	  "odd and even are the same." },
	{ BY_BIND | BY_CONNECT, PICKED | FACT_SETTINGS, is_narrowed,
	  "{range} is this socket's own range, set by IP_LOCAL_PORT_RANGE within "
	  "{namespace-range}, the range of everybody here (net.ipv4.ip_local_port_range)." },
	{ BY_CONNECT, PICKED_TCP | FACT_PEER | FACT_SHARED, is_shared,
	  "Another socket, or what is left of one, had {port} already; connect() takes a port "
	  "again as long as no two connections have both ends alike, here {own} and {peer}." },
};

const struct explain_table explain_search = { EXPLAIN_MORE(more) };
