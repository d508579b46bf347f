/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * family.h owns sockets that have something else instead of a port: a name (AF_UNIX), a port id
 * (AF_NETLINK), a port of 32 bits (AF_VSOCK). Inside of core such a thing stands as a port of 16
 * bits, a token: equal things have equal tokens, and 0 is none. What it really is stands in the
 * address of the end point, which only this file knows to read.
 */
#ifndef PORTLIFE_CORE_FAMILY_H
#define PORTLIFE_CORE_FAMILY_H

#include "user/core/event.h"

/* A name of AF_UNIX. Abstract ones begin with a byte that is 0. Valid as long as the life is. */
struct path {
	uint16_t len;
	char bytes[WIRE_PATH_MAX];
};

#define VSOCK_ANY UINT32_MAX /* VMADDR_CID_ANY, VMADDR_PORT_ANY */

/* Is it of a family whose ports are not those of IP? */
bool endpoint_is_named(const struct endpoint *end);
/* The name of an end point of AF_UNIX, NULL if it has none. */
const struct path *endpoint_path(const struct endpoint *end);
/* Makes it an end point of AF_UNIX with this name; NULL: without one. path must outlive it. */
void endpoint_set_path(struct endpoint *end, const struct path *path);
/* The context id of an end point of AF_VSOCK. */
uint32_t endpoint_cid(const struct endpoint *end);
/* Port, ICMP id, or port id; 0 for a name. */
uint32_t endpoint_number(const struct endpoint *end);
/* What the socket holds where it is said to have this port; 0 for a name. */
uint32_t life_number(const struct life *life, uint16_t port);
/* Do two end points of one named family stand for the same thing, as far as bind() is concerned? */
bool endpoint_is_same_name(const struct endpoint *a, const struct endpoint *b);

#endif
