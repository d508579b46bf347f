/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * named.h owns how end points without an IP address are written: names of AF_UNIX, context ids of
 * AF_VSOCK, port ids of AF_NETLINK; and ICMP ids, which stand where others have a port. It must not
 * know who reads it.
 */
#ifndef PORTLIFE_SINK_NAMED_H
#define PORTLIFE_SINK_NAMED_H

#include "user/core/family.h"
#include "user/sink/json.h"
#include "user/util/escape.h"

/* Room that named_format() may need, and named_format_peer(). */
#define NAMED_ROOM ESCAPE_ROOM(WIRE_PATH_MAX + 1)

/*
 * For people: the name, whole; the context id, `any` for all; `-` where there is none. An abstract
 * name begins with an at sign, as in ss. The second one has the port, too.
 */
char *named_format(char *p, const struct endpoint *end, struct escape how);
char *named_format_peer(char *p, const struct endpoint *end, struct escape how);

/* A JSON object; null for no name. */
void named_json(struct json_writer *json, const struct endpoint *end);

/* The end point of a socket of this protocol; port: as the socket has it. */
void named_json_of(struct json_sink *self, uint16_t protocol, const struct endpoint *end,
		   uint16_t port, uint32_t netns);

#endif
