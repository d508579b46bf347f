/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pressure_count.h owns how full the ephemeral range of a network namespace is: counted from what
 * is on its ports. It must not know where that is from.
 */
#ifndef PORTLIFE_CORE_PRESSURE_COUNT_H
#define PORTLIFE_CORE_PRESSURE_COUNT_H

#include "user/core/event.h"
#include "user/core/settings.h"

#define PRESSURE_TOP 10

/*
 * What keeps a port of the range from others. A port that connect() took serves connections to
 * other destinations too; one that has an owner from bind() serves none (__inet_hash_connect skips
 * its bucket).
 */
enum pressure_kind {
	PRESSURE_BIND,	    /* an owner from bind(), listen() or accept() */
	PRESSURE_CONNECT,   /* only connect() took it; UDP: or a send */
	PRESSURE_TIME_WAIT, /* nothing but TIME_WAIT entries is left on it */
	PRESSURE_UNKNOWN,   /* UDP: chosen by the kernel, in whatever call; TCP before Linux 6.17:
			     * by bind() or connect() */
	PRESSURE_KINDS,
};

/* Connections from one address to one address and port. */
struct pressure_destination {
	struct endpoint local, peer; /* of one of them */
	uint32_t connections;	     /* that are no TIME_WAIT entries */
	uint32_t time_wait;
	uint32_t unknown; /* ports of these that are PRESSURE_UNKNOWN */
	uint32_t used;	  /* ports of the range that one more connect() to there cannot have: */
	uint32_t used_time_wait; /* ... by TIME_WAIT, where bind() does not keep the port anyway */
};

struct pressure {
	const struct settings *settings;
	uint16_t protocol;
	uint32_t usable;  /* ports of the range that are not reserved */
	uint32_t taken;	  /* of these, by anything */
	uint32_t blocked; /* of these, kept from every connect(): an owner from bind() */
	uint32_t by[PRESSURE_KINDS];
	struct pressure_destination top[PRESSURE_TOP]; /* the fullest first */
	size_t top_len, destinations;
};

/* What has been met on a port. */
enum pressure_met {
	MET_BIND = 1 << 0,
	MET_CONNECT = 1 << 1,
	MET_TIME_WAIT = 1 << 2,
	MET_UNKNOWN = 1 << 3,
	MET_BLOCKS = 1 << 4, /* its bucket had an owner from bind(): no connect() takes it */
};

/* A socket or TIME_WAIT entry on a port. */
struct pressure_use {
	uint8_t local[16], peer[16]; /* as struct endpoint has them */
	uint32_t scope;
	uint16_t family, port, peer_port; /* peer_port 0: it has no peer */
	uint8_t met;			  /* enum pressure_met */
	bool time_wait;
};

/* A count under way; what is in it is pressure_count.c's. */
struct pressure_counter {
	struct pressure *pressure;
	uint8_t *met; /* of each port */
	struct pressure_use *connections;
	size_t connections_len;
};

/*
 * Counts what pressure_add() is given, at most uses_max times, on ports of the range that are not
 * reserved; pressure_ports() then fills in the ports and pressure_destinations() the destinations.
 * settings must outlive *pressure. Returns 0 or -ENOMEM; pressure_end() in any case.
 */
int pressure_begin(struct pressure_counter *c, struct pressure *pressure,
		   const struct settings *settings, uint16_t protocol, size_t uses_max);
void pressure_add(struct pressure_counter *c, const struct pressure_use *use);
void pressure_ports(struct pressure_counter *c);
void pressure_destinations(struct pressure_counter *c);

/*
 * One destination, which need not be among the top, after pressure_ports(). from: its port does
 * not count; without a family: from any address. d->peer is to also if there is no connection.
 */
void pressure_towards(const struct pressure_counter *c, const struct endpoint *from,
		      const struct endpoint *to, struct pressure_destination *d);
void pressure_end(struct pressure_counter *c);

const char *pressure_kind_name(enum pressure_kind kind); /* "time_wait" */

#endif
