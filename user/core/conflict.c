/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conflict.c owns the kernel's rules for two sockets on one port, told as functions of two
 * descriptions. They have been the same from 5.10 to the newest: the tables with addresses
 * (inet_bhash2_conflict, 6.1) and the cached verdicts of a bucket (sk_reuseport_match) are
 * short cuts to the same answers.
 */
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/conflict.h"

static const uint8_t zero[16];
static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static bool is_any(const struct conflict_side *side)
{
	return memcmp(side->addr, zero, side->family == AF_INET6 ? 16 : 4) == 0;
}

static bool is_mapped(const struct conflict_side *side)
{
	return side->family == AF_INET6 && !memcmp(side->addr, mapped_prefix, 12);
}

/* Has it an address of IPv4, whatever its family? */
static bool is_ipv4(const struct conflict_side *side)
{
	return side->family == AF_INET || is_mapped(side);
}

static const uint8_t *ipv4_addr(const struct conflict_side *side)
{
	return is_mapped(side) ? side->addr + 12 : side->addr;
}

static bool ipv4_is_any(const struct conflict_side *side)
{
	return !memcmp(ipv4_addr(side), zero, 4);
}

/* Will it be, after bind()? One address of IPv6 sets it too (__inet6_bind, sk_ipv6only = 1). */
static bool becomes_v6only(const struct conflict_side *asked)
{
	return (asked->options & WIRE_O_V6ONLY) || !is_any(asked);
}

/* ipv4_rcv_saddr_equal(), net/ipv4/inet_connection_sock.c */
static enum conflict_overlap ipv4_overlap(const struct conflict_side *asked,
					  const struct conflict_side *holder)
{
	if (!memcmp(ipv4_addr(asked), ipv4_addr(holder), 4))
		return OVERLAP_SAME_ADDRESS;
	if (ipv4_is_any(holder))
		return OVERLAP_WILDCARD_HOLDER;
	return ipv4_is_any(asked) ? OVERLAP_WILDCARD_ASKED : OVERLAP_NONE;
}

/*
 * :: without IPV6_V6ONLY has the addresses of IPv4 too. A connection on it, made or accepted, has
 * one address of IPv6, and for sockets of IPv4 that are bound to all addresses it is one of theirs
 * (LOOPBACK4_IPV6 in sk_rcv_saddr).
 */
static enum conflict_overlap overlap_of_ipv6(const struct conflict_side *asked,
					     const struct conflict_side *holder)
{
	if (holder->options & WIRE_O_V6ONLY)
		return OVERLAP_NONE;
	if (!is_any(holder) && (asked->family != AF_INET || !ipv4_is_any(asked)))
		return OVERLAP_NONE;
	return OVERLAP_DUAL_STACK;
}

/* inet_rcv_saddr_equal() with wildcards that match, net/ipv4/inet_connection_sock.c */
static enum conflict_overlap address_overlap(const struct conflict_side *asked,
					     const struct conflict_side *holder)
{
	if (is_ipv4(asked) && is_ipv4(holder))
		return ipv4_overlap(asked, holder);
	if (is_ipv4(asked))
		return overlap_of_ipv6(asked, holder);
	if (is_ipv4(holder))
		return becomes_v6only(asked) ? OVERLAP_NONE : OVERLAP_DUAL_STACK;
	/* ipv6_rcv_saddr_equal(), same file: two of IPv6 */
	if (!memcmp(asked->addr, holder->addr, 16))
		return OVERLAP_SAME_ADDRESS;
	if (is_any(holder))
		return OVERLAP_WILDCARD_HOLDER;
	return is_any(asked) ? OVERLAP_WILDCARD_ASKED : OVERLAP_NONE;
}

/* inet_bind_conflict(), udp_lib_lport_inuse(): no device, or the same one */
static bool devices_meet(const struct conflict_side *asked, const struct conflict_side *holder)
{
	return !asked->ifindex || !holder->ifindex || asked->ifindex == holder->ifindex;
}

static bool both(const struct conflict_side *a, const struct conflict_side *b, uint16_t option)
{
	return a->options & b->options & option;
}

/*
 * SO_REUSEADDR on both sides shares, for TCP only with what does not listen (inet_bind_conflict():
 * sk->sk_reuse && sk2->sk_reuse && sk2->sk_state != TCP_LISTEN). For a TIME_WAIT entry the option
 * is that of the socket it replaced (tw_reuse).
 */
static bool reuseaddr_shares(const struct conflict_side *asked, const struct conflict_side *holder,
			     bool stream)
{
	return both(asked, holder, WIRE_O_REUSEADDR) && !(stream && holder->listening);
}

/*
 * SO_REUSEPORT on both sides shares between sockets of one user; TIME_WAIT has none
 * (inet_bind_conflict(): sk2->sk_state == TCP_TIME_WAIT || uid_eq()).
 */
static enum tristate reuseport_shares(const struct conflict_side *asked,
				      const struct conflict_side *holder)
{
	if (!both(asked, holder, WIRE_O_REUSEPORT))
		return NO;
	if (holder->time_wait)
		return YES;
	if (!asked->uid_known || !holder->uid_known)
		return NULL_STATE;
	return asked->uid == holder->uid ? YES : NO;
}

/* Of the two that may not share: what would have to be another. */
static enum conflict_reason why_not(const struct conflict_side *asked,
				    const struct conflict_side *holder, bool stream)
{
	bool listens = stream && holder->listening;
	uint16_t any = asked->options | holder->options;

	if (both(asked, holder, WIRE_O_REUSEPORT))
		return REASON_REUSEPORT_UID;
	if ((any & WIRE_O_REUSEPORT) && (listens || !(any & WIRE_O_REUSEADDR)))
		return asked->options & WIRE_O_REUSEPORT ? REASON_REUSEPORT_HOLDER
							 : REASON_REUSEPORT_ASKED;
	if (listens)
		return REASON_LISTENING;
	if (asked->options & WIRE_O_REUSEADDR)
		return REASON_REUSEADDR_HOLDER;
	return holder->options & WIRE_O_REUSEADDR ? REASON_REUSEADDR_ASKED : REASON_NO_REUSE;
}

struct conflict conflict_rule(const struct conflict_side *asked, const struct conflict_side *holder,
			      bool stream)
{
	struct conflict c = { .answer = NO };
	enum tristate reuseport = reuseport_shares(asked, holder);

	if (!devices_meet(asked, holder))
		return c;
	c.overlap = address_overlap(asked, holder);
	c.same_device = asked->ifindex && asked->ifindex == holder->ifindex;
	if (!c.overlap || reuseaddr_shares(asked, holder, stream))
		return c;
	c.by_reuseport = reuseport == YES;
	if (c.by_reuseport)
		return c;
	c.answer = reuseport == NULL_STATE ? NULL_STATE : YES;
	c.reason = why_not(asked, holder, stream);
	return c;
}

const char *conflict_overlap_name(enum conflict_overlap overlap)
{
	static const char *const names[OVERLAP_KINDS] = {
		[OVERLAP_SAME_ADDRESS] = "same-address",
		[OVERLAP_WILDCARD_HOLDER] = "wildcard-holder",
		[OVERLAP_WILDCARD_ASKED] = "wildcard-asked",
		[OVERLAP_DUAL_STACK] = "dual-stack",
		[OVERLAP_CONNECTION] = "same-connection",
	};

	return overlap < OVERLAP_KINDS ? names[overlap] : NULL;
}

const char *conflict_reason_name(enum conflict_reason reason)
{
	static const char *const names[REASON_KINDS] = {
		[REASON_NO_REUSE] = "no-reuseaddr",
		[REASON_REUSEADDR_ASKED] = "reuseaddr-missing-here",
		[REASON_REUSEADDR_HOLDER] = "reuseaddr-missing-there",
		[REASON_LISTENING] = "listening",
		[REASON_REUSEPORT_ASKED] = "reuseport-missing-here",
		[REASON_REUSEPORT_HOLDER] = "reuseport-missing-there",
		[REASON_REUSEPORT_UID] = "reuseport-of-another-user",
		[REASON_UNKNOWN] = "unknown",
	};

	return reason < REASON_KINDS ? names[reason] : NULL;
}
