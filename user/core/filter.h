/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.h owns the question "is this shown?". Two pure functions: one decides whether a socket
 * belongs to the chosen processes and stays with it, the other looks at one event.
 */
#ifndef PORTLIFE_CORE_FILTER_H
#define PORTLIFE_CORE_FILTER_H

#include "user/core/event.h"

struct port_range {
	uint32_t lo, hi; /* VSOCK and netlink have more than 65535 */
};

/* What to show. Zero-initialised: everything but --states and --existing. Lists are owned by the
 * caller. */
struct filter {
	const uint32_t *pids; /* -p, of the collector's pid namespace */
	size_t pids_len;
	bool command;	    /* COMMAND is given: only WIRE_F_FOLLOWED tasks' sockets */
	const char *cgroup; /* --cgroup: a path below the mount, with what is below it; or NULL */
	const char *comm;   /* --comm, NULL if none; compared as the kernel cuts it (15 bytes) */
	bool has_uid;
	uint32_t uid;
	const struct port_range *ports; /* -P: local or requested port */
	size_t ports_len;
	const struct port_range *peer_ports; /* --peer-port */
	size_t peer_ports_len;
	bool has_netns; /* --netns */
	uint32_t netns;
	const char *dev;    /* --dev: bound to it, or link-local there; NULL if none */
	bool has_addr;	    /* --addr: local or requested or peer address within addr/addr_bits */
	uint8_t addr[16];   /* v4 as ::ffff:a.b.c.d */
	uint8_t addr_bits;  /* 0-128, of that form */
	bool inet4, inet6;  /* -4, -6: neither or both: all */
	uint32_t protocols; /* bit set by protocol_bit(); 0: all */
	bool failed;	    /* -x: only what failed */
	bool implicit;	    /* only events that assigned a port implicitly */
	bool ephemeral;	    /* only events that assigned an ephemeral port */
	bool states; /* --states: also established, disconnect, close, time_wait, release, and what
		      * a walk found late */
	bool existing; /* --existing */
};

/* A bit for --proto; 0 if the protocol is not one that portlife knows. */
uint32_t protocol_bit(uint16_t protocol);

/*
 * Does a socket touched by this task belong to the chosen ones? facts: enum wire_fact. who is NULL
 * if nobody is known to have touched it: then yes only if no process is asked for.
 */
bool filter_chooses(const struct filter *f, const struct wire_who *who, uint32_t facts);

/* ... in this cgroup? path: as names_find() has it, NULL if not known. */
bool filter_chooses_cgroup(const struct filter *f, const char *path);

/* Is it this device? name: as names_find() has it, NULL if not known. */
bool filter_selects_device(const struct filter *f, const char *name);

/*
 * The two halves of filter_shows(): is the event about the ports, addresses, namespaces, families
 * and protocols asked for (such events are counted), and is its kind displayed (failed, implicit,
 * ephemeral, states, existing)?
 */
bool filter_selects(const struct filter *f, const struct event *e);

/* Does it select whatever comes? */
static inline bool filter_selects_all(const struct filter *f)
{
	return !f->ports_len && !f->peer_ports_len && !f->has_addr && !f->has_netns &&
	       !f->protocols && f->inet4 == f->inet6;
}

bool filter_displays(const struct filter *f, const struct event *e);

/* Is this event of a chosen socket shown? */
bool filter_shows(const struct filter *f, const struct event *e);

/*
 * Is this chosen socket one of those asked for, by its addresses at the end and by the ports that
 * it had (selects), and is its `life` line of a kind that is asked for (displays: -x, --implicit,
 * --ephemeral by any of its tenures and phases)? The first is so also if one of its events was
 * selected, which the caller knows.
 */
bool filter_selects_life(const struct filter *f, const struct life *l);
bool filter_displays_life(const struct filter *f, const struct life *l);

/* Both. */
bool filter_shows_life(const struct filter *f, const struct life *l);

#endif
