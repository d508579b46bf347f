/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h owns the step from bytes to a record that can be trusted. It knows the wire format and
 * nothing of what a record means.
 */
#ifndef PORTLIFE_CORE_RECORD_H
#define PORTLIFE_CORE_RECORD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

/* Any record, aligned; of those with a text only what comes before it. */
union record {
	struct wire_head head;
	struct wire_call call;
	struct wire_edge edge;
	struct wire_owner owner;
	struct wire_end end;
	struct wire_address address;
	struct wire_start start;
	struct wire_name name;
	struct wire_lost lost;
	struct wire_command command;
	struct wire_stop stop;
	struct wire_pass pass;
	struct wire_holder holder;
	struct wire_holders holders;
	struct wire_settings settings;
	struct wire_step step;
};

/* Is a record of this kind a struct wire_call? */
static inline bool record_is_call(uint8_t kind)
{
	return kind >= WIRE_BIND && kind <= WIRE_SEND;
}

static inline bool record_is_ping(uint16_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* Does connect() on such a socket only note the peer's address? */
static inline bool record_is_datagram(uint16_t protocol)
{
	return protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE || record_is_ping(protocol);
}

/* Has it something else instead of a port, which is not 16 bits wide? See enum wire_protocol. */
static inline bool record_is_named(uint16_t protocol)
{
	return protocol == WIRE_PROTOCOL_UNIX || protocol == WIRE_PROTOCOL_NETLINK ||
	       protocol == WIRE_PROTOCOL_VSOCK;
}

/* Is a connect() over when it returns, for all that is told of it? */
static inline bool record_connects_at_once(uint16_t protocol)
{
	return record_is_datagram(protocol) || record_is_named(protocol) ||
	       protocol == WIRE_PROTOCOL_RAW || protocol == IPPROTO_SCTP ||
	       protocol == WIRE_PROTOCOL_MPTCP;
}

/* Does ip_local_port_range rule what the kernel chooses? */
static inline bool record_has_range(uint16_t protocol)
{
	return !record_is_named(protocol) && !record_is_ping(protocol) &&
	       protocol != WIRE_PROTOCOL_RAW;
}

/* Are such sockets found by walks through the kernel's sockets? */
static inline bool record_is_walked(uint16_t protocol)
{
	return protocol == IPPROTO_TCP || record_is_datagram(protocol);
}

/*
 * Copies one record of at most len_bytes into *out after validating every byte of it. bytes need
 * not be aligned. *text is where the text of a record that has one is within bytes, else NULL.
 * Returns 0, or -EBADMSG with a reason (static string) in *why; nothing past len_bytes is read.
 */
int record_decode(const void *bytes, size_t len_bytes, union record *out, const char **text,
		  const char **why);

#endif
