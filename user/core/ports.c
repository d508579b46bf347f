/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports.c owns the heads of the lists: as many as there are ports, so that those of one namespace
 * and protocol do not meet.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>

#include "user/core/hash.h"
#include "user/core/ports.h"

#define HEADS 65536U

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

int ports_init(struct port_index *index)
{
	index->heads = calloc((size_t)PORT_LISTS * HEADS, sizeof(struct port_link *));
	return index->heads ? 0 : -ENOMEM;
}

void ports_free(struct port_index *index)
{
	free(index->heads);
	index->heads = NULL;
}

uint16_t ports_protocol(uint16_t protocol)
{
	if (protocol == IPPROTO_ICMPV6) /* ping_table is one for both */
		return IPPROTO_ICMP;
	return protocol == IPPROTO_MPTCP ? IPPROTO_TCP : protocol;
}

static struct port_link **head_of(const struct port_index *index, enum port_list list,
				  struct port_key key)
{
	uint64_t space = (uint64_t)ports_protocol(key.protocol) << 32 | key.netns;

	return &index->heads[list * HEADS + (hash_number(space) + key.port) % HEADS];
}

void ports_add(struct port_index *index, enum port_list list, struct port_key key,
	       struct port_link *link)
{
	struct port_link **head = head_of(index, list, key);

	link->next = *head;
	link->prev = head;
	if (link->next)
		link->next->prev = &link->next;
	*head = link;
}

void ports_remove(struct port_link *link)
{
	*link->prev = link->next;
	if (link->next)
		link->next->prev = link->prev;
}

struct port_link *ports_first(const struct port_index *index, enum port_list list,
			      struct port_key key)
{
	return *head_of(index, list, key);
}

bool ports_any(const struct port_index *index, struct port_key key)
{
	struct port_link **head = head_of(index, PORT_LIST_BOUND, key);

	return head[0] || head[PORT_LIST_CONNECTED * HEADS] || head[PORT_LIST_TIME_WAIT * HEADS];
}
