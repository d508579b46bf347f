/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pressure_count.h owns how full the ephemeral range of a network namespace is: counted from the
 * table of ports that are taken. It must not know how the table came to be.
 */
#ifndef PORTLIFE_CORE_PRESSURE_COUNT_H
#define PORTLIFE_CORE_PRESSURE_COUNT_H

#include "user/core/settings.h"
#include "user/core/taken.h"

#define PRESSURE_TOP 10

/*
 * What keeps a port of the range from others. A port that connect() took serves connections to
 * other destinations too; one that has an owner from bind() serves none (__inet_hash_connect skips
 * its bucket).
 */
enum pressure_kind {
	PRESSURE_BIND,	    /* an owner from bind(), listen() or accept() */
	PRESSURE_CONNECT,   /* only connect() took it */
	PRESSURE_TIME_WAIT, /* nothing but TIME_WAIT entries is left on it */
	PRESSURE_UNKNOWN,   /* UDP: chosen by the kernel, in whatever call; TCP before Linux 6.17:
			     * by bind() or connect() */
	PRESSURE_KINDS,
};

/* Connections from one address to one address and port. */
struct pressure_destination {
	const struct port_row *sample; /* one of them */
	uint32_t connections;	       /* that are no TIME_WAIT entries */
	uint32_t time_wait;
	uint32_t unknown; /* ports of these that are PRESSURE_UNKNOWN */
	uint32_t used;	  /* ports of the range that one more connect() to there cannot have */
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

/*
 * protocol: IPPROTO_TCP or IPPROTO_UDP. Pointers into the table and at settings stay in it.
 * 0 or -ENOMEM.
 */
int pressure_count(struct pressure *pressure, const struct taken *taken,
		   const struct settings *settings, uint16_t protocol);

/*
 * The same for one destination of TCP, which need not be among the top. from: its port does not
 * count. d->sample is NULL if there is no connection to there.
 */
int pressure_towards(struct pressure *pressure, struct pressure_destination *d,
		     const struct taken *taken, const struct settings *settings,
		     const struct endpoint *from, const struct endpoint *to);

const char *pressure_kind_name(enum pressure_kind kind); /* "time_wait" */

#endif
