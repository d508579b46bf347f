/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports.h owns the way from a port to those who have it: lists of links that stand inside of lives
 * and TIME_WAIT remnants. It does not know what they stand in, nor who holds what.
 */
#ifndef PORTLIFE_CORE_PORTS_H
#define PORTLIFE_CORE_PORTS_H

#include <stdbool.h>
#include <stdint.h>

struct port_link {
	struct port_link *next, **prev;
};

/*
 * Who may be in the way first: there are few of the first list, and of the others there may be
 * very many on one port (the connections of a server).
 */
enum port_list { PORT_LIST_BOUND, PORT_LIST_CONNECTED, PORT_LIST_TIME_WAIT, PORT_LISTS };

/* IPv4 and IPv6 have their ports in common; MPTCP has those of TCP. */
struct port_key {
	uint32_t netns;
	uint16_t protocol;
	uint16_t port;
};

struct port_index {
	struct port_link **heads; /* memory is touched only for ports that are held */
};

/* Returns 0 or -ENOMEM. */
int ports_init(struct port_index *index);
void ports_free(struct port_index *index);

void ports_add(struct port_index *index, enum port_list list, struct port_key key,
	       struct port_link *link);
void ports_remove(struct port_link *link);
/* NULL: none. Links of other keys stand between those of this one. */
struct port_link *ports_first(const struct port_index *index, enum port_list list,
			      struct port_key key);
/* false: nobody has it, surely */
bool ports_any(const struct port_index *index, struct port_key key);
/* IPPROTO_TCP for MPTCP: the protocol whose ports these are. */
uint16_t ports_protocol(uint16_t protocol);

#endif
