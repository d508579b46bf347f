/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * told.h owns the connections that are known to be in TIME_WAIT while a walk is under way, by
 * address: so that the walk's entry of one of them is known to be the same. It does not know lives.
 */
#ifndef PORTLIFE_CORE_TOLD_H
#define PORTLIFE_CORE_TOLD_H

#include <stdbool.h>
#include <stdint.h>

/* Host byte order; without padding, for it is compared as bytes. */
struct connection {
	uint32_t netns;
	uint16_t local_port;
	uint16_t peer_port;
	uint8_t local[16];
	uint8_t peer[16];
};

struct told; /* the table; NULL is an empty one */

/* Returns 0 or -ENOMEM. */
int told_add(struct told **told, const struct connection *connection);
bool told_has(struct told *told, const struct connection *connection);
void told_free(struct told **told);

#endif
