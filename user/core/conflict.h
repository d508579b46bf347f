/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conflict.h owns the question "may these two sockets have the same port?", as the kernel answers
 * it in bind() and listen(). It knows two descriptions of sockets, no table and no event.
 */
#ifndef PORTLIFE_CORE_CONFLICT_H
#define PORTLIFE_CORE_CONFLICT_H

#include "user/core/event.h"

/* What of a socket decides. Protocol, port and network namespace are the same on both sides. */
struct conflict_side {
	uint16_t family;  /* AF_INET, AF_INET6 */
	uint8_t addr[16]; /* as struct endpoint has it */
	uint32_t ifindex; /* device bound to, 0 if none */
	uint16_t options; /* enum wire_option: REUSEADDR, REUSEPORT, V6ONLY count */
	uint32_t uid;	  /* of who made the socket */
	bool uid_known;
	bool listening; /* the holder is */
	bool time_wait; /* the holder is a TIME_WAIT entry */
};

/* How the two overlap. */
enum conflict_overlap {
	OVERLAP_NONE,		 /* other address, other device, or only one of IPv4 and IPv6 */
	OVERLAP_SAME_ADDRESS,	 /* both the same one, or both the wildcard of one family */
	OVERLAP_WILDCARD_HOLDER, /* the holder has all addresses, the other one of them */
	OVERLAP_WILDCARD_ASKED,	 /* the other way round */
	OVERLAP_DUAL_STACK,	 /* :: without IPV6_V6ONLY on one side, IPv4 on the other */
	OVERLAP_CONNECTION,	 /* not by bind(): the same two addresses and ports */
	OVERLAP_KINDS,
};

/* Why what overlaps may not be shared. */
enum conflict_reason {
	REASON_NONE,
	REASON_NO_REUSE,	 /* SO_REUSEADDR on neither side */
	REASON_REUSEADDR_ASKED,	 /* ... only on the holder */
	REASON_REUSEADDR_HOLDER, /* ... only on the socket that asks */
	REASON_LISTENING,	 /* TCP: SO_REUSEADDR does not share with a listener */
	REASON_REUSEPORT_ASKED,	 /* SO_REUSEPORT would do, and only the holder has it */
	REASON_REUSEPORT_HOLDER, /* ... only the socket that asks */
	REASON_REUSEPORT_UID,	 /* SO_REUSEPORT on both, but of two users */
	REASON_UNKNOWN,		 /* what is known of the two would let them share */
	REASON_KINDS,
};

struct conflict {
	enum tristate answer; /* YES: they conflict; NULL_STATE: only if the users differ */
	enum conflict_overlap overlap;
	enum conflict_reason reason;
	bool same_device;  /* both are bound to one device */
	bool by_reuseport; /* NO: they overlap, and only SO_REUSEPORT lets them share */
};

/*
 * May asked, in bind() to a port that the program names or in listen(), have the port that holder
 * has? stream: TCP (inet_csk_bind_conflict), else UDP and its like (udp_lib_lport_inuse). The
 * kernel's own sources stand beside each rule in conflict.c.
 */
struct conflict conflict_rule(const struct conflict_side *asked, const struct conflict_side *holder,
			      bool stream);

/* Names as in JSON: "wildcard-holder", "reuseaddr-missing-here"; NULL for NONE. */
const char *conflict_overlap_name(enum conflict_overlap overlap);
const char *conflict_reason_name(enum conflict_reason reason);

#endif
