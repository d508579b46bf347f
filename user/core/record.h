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

/* Any record, aligned; of WIRE_START and WIRE_NAME only what comes before the text. */
union record {
	struct wire_head head;
	struct wire_call call;
	struct wire_edge edge;
	struct wire_owner owner;
	struct wire_end end;
	struct wire_start start;
	struct wire_name name;
	struct wire_lost lost;
	struct wire_command command;
	struct wire_stop stop;
	struct wire_pass pass;
	struct wire_holder holder;
	struct wire_holders holders;
};

/* Is a record of this kind a struct wire_call? */
static inline bool record_is_call(uint8_t kind)
{
	return kind >= WIRE_BIND && kind <= WIRE_SEND;
}

/* Does connect() on such a socket only note the peer's address? */
static inline bool record_is_datagram(uint16_t protocol)
{
	return protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE;
}

/*
 * Copies one record of at most len_bytes into *out after validating every byte of it. bytes need
 * not be aligned. *text is where the text of WIRE_START or WIRE_NAME is within bytes, else NULL.
 * Returns 0, or -EBADMSG with a reason (static string) in *why; nothing past len_bytes is read.
 */
int record_decode(const void *bytes, size_t len_bytes, union record *out, const char **text,
		  const char **why);

#endif
