/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * taken.h owns the table of ports that are taken at one moment: from what a walk found to one row
 * for each socket (or TIME_WAIT entry), with the processes that have it and how many share the
 * port. It must not know how the walk was made.
 */
#ifndef PORTLIFE_CORE_TAKEN_H
#define PORTLIFE_CORE_TAKEN_H

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

/* Of a record: it is no orphan, but who has it open was not to be seen. */
#define TAKEN_FD_UNSEEN (-2)

/*
 * One process that has a descriptor of it; or nobody: fd -1 or TAKEN_FD_UNSEEN, WIRE_F_WHO not in
 * facts.
 */
struct port_holder {
	struct wire_sock sock;
	struct wire_who who;
	uint32_t facts; /* enum wire_fact */
	int32_t fd;
	uint32_t
		sock_uid; /* with WIRE_F_SOCK_UID; not always that of who, which may have changed */
};

struct port_row {
	const struct port_holder *holders; /* at least one, by pid */
	uint32_t holders_len;		   /* processes; 1 also if there is none */
	uint32_t owners;		   /* sockets that have the port, this one too */
	uint32_t time_wait_left_ms;	   /* 0: not known */
	bool in_fin_wait; /* an entry like those of TIME_WAIT, but the peer has not closed yet */
};

struct taken;

/* own_netns: its rows come first. NULL if memory is short. */
struct taken *taken_new(uint32_t own_netns);
void taken_free(struct taken *taken);

/* Takes a WIRE_FOUND or WIRE_NAME record, passes over others. 0 or -ENOMEM. */
int taken_add(struct taken *taken, const void *record);

/*
 * How long a TIME_WAIT entry has to live, and whether the peer has closed (sock->state, else
 * TCP_FIN_WAIT2); addresses, ports and netns of sock say which. 0 or -ENOMEM.
 */
int taken_add_time_wait(struct taken *taken, const struct wire_sock *sock, uint32_t left_ms);

/*
 * All has been added: makes the rows, in the order of network namespace, protocol, port, listeners
 * first, address. 0 or -ENOMEM. The rows are the table's.
 */
int taken_finish(struct taken *taken);
const struct port_row *taken_rows(const struct taken *taken, size_t *len);
const struct names *taken_names(const struct taken *taken);

/*
 * For how long the port is held at least, 0 if nothing is known: no socket has the time of its
 * bind() or connect(), its inode has none either, and a process may have got it from another one.
 * Of a TIME_WAIT entry what is over of its minute.
 */
uint32_t port_age_min_ms(const struct port_row *row);
enum port_keeper port_keeper(const struct port_row *row);
enum port_origin port_row_origin(const struct port_row *row);
const char *port_state(const struct port_row *row);    /* "listening", "time_wait" */
const char *port_keeper_name(enum port_keeper keeper); /* NULL for KEPT_BY_UNKNOWN */
bool port_is_listener(const struct port_row *row); /* or a UDP socket that anybody may send to */

/* The same row as other parts of portlife know a socket: for the filter and for the sinks. */
struct life port_life(const struct port_row *row);
struct tenure port_tenure(const struct port_row *row);

#endif
