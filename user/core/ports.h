/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports.h owns the table of ports that are taken at one moment: from what a walk found to one row
 * for each socket (or TIME_WAIT entry), with the processes that have it and how many share the
 * port. It must not know how the walk was made.
 */
#ifndef PORTLIFE_CORE_PORTS_H
#define PORTLIFE_CORE_PORTS_H

#include "user/core/sink.h"

/* What has a socket. */
enum port_keeper {
	KEPT_BY_PROCESS,
	KEPT_BY_QUEUE,	   /* a connection that no process has accepted yet */
	KEPT_BY_TIME_WAIT, /* no socket any more */
	KEPT_BY_ORPHAN,	   /* closed, the kernel finishes the connection */
	KEPT_BY_KERNEL,	   /* the kernel's own */
	KEPT_BY_UNKNOWN,
};

/* One process that has a descriptor of it; or nobody: fd -1, WIRE_F_WHO not in facts. */
struct port_holder {
	struct wire_sock sock;
	struct wire_who who;
	uint32_t facts; /* enum wire_fact */
	int32_t fd;
};

struct port_row {
	const struct port_holder *holders; /* at least one, by pid */
	uint32_t holders_len;		   /* processes; 1 also if there is none */
	uint32_t owners;		   /* sockets that have the port, this one too */
	uint32_t time_wait_left_ms;	   /* 0: not known */
};

struct ports;

/* own_netns: its rows come first. NULL if memory is short. */
struct ports *ports_new(uint32_t own_netns);
void ports_free(struct ports *ports);

/* Takes a WIRE_FOUND or WIRE_NAME record, passes over others. 0 or -ENOMEM. */
int ports_add(struct ports *ports, const void *record);

/*
 * All has been added: makes the rows, in the order of network namespace, protocol, port, listeners
 * first, address. 0 or -ENOMEM. The rows are the table's.
 */
int ports_finish(struct ports *ports);
const struct port_row *ports_rows(const struct ports *ports, size_t *len);
const struct names *ports_names(const struct ports *ports);

/* Notes how long a TIME_WAIT entry has to live; only the addresses and ports of sock count. */
void ports_note_time_wait(struct ports *ports, const struct wire_sock *sock, uint32_t left_ms);

enum port_keeper port_keeper(const struct port_row *row);
enum port_origin port_row_origin(const struct port_row *row);
const char *port_state(const struct port_row *row); /* "listening", "time_wait" */
const char *port_keeper_name(enum port_keeper keeper); /* NULL for KEPT_BY_UNKNOWN */
bool port_is_listener(const struct port_row *row); /* or a UDP socket that anybody may send to */

/* The same row as other parts of portlife know a socket: for the filter and for the sinks. */
struct life port_life(const struct port_row *row);
struct tenure port_tenure(const struct port_row *row);

#endif
