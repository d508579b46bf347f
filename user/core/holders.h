/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holders.h owns the answer to "who is in the way?": the sockets and TIME_WAIT entries that hold
 * what another one was refused, with the rule by which they do. Where neither the kernel's list nor
 * the table of lives knows, nobody is named.
 */
#ifndef PORTLIFE_CORE_HOLDERS_H
#define PORTLIFE_CORE_HOLDERS_H

#include "user/core/conflict.h"
#include "user/core/taken.h"

#define HOLDERS_MAX 8 /* named; the others are counted */

/* Where it is known from that the holder was in the way. */
enum holder_source {
	HOLDER_BY_TABLE,  /* what the records so far say of all sockets */
	HOLDER_BY_KERNEL, /* the kernel's own list, at the moment of the conflict */
	HOLDER_BY_LOOKUP, /* the kernel's sockets, looked at after it */
	HOLDER_SOURCES,
};

struct holder {
	uint64_t socket;	    /* as life.number, 0 if it is in no record */
	const struct wire_who *who; /* NULL if not known; of a TIME_WAIT entry: who had it */
	uint32_t processes;	    /* that have it open, 0 if nobody looked */
	int fd;			    /* in who, if processes are known; else -1 */
	struct endpoint local, peer;
	uint32_t netns;
	uint32_t ifindex; /* device bound to, 0 if none */
	uint16_t options; /* enum wire_option */
	uint8_t state;	  /* TCP_* as last seen; TCP_CLOSE: bound, or UDP that is not connected */
	uint8_t origin;	  /* enum port_origin */
	uint8_t source;	  /* enum holder_source */
	uint8_t keeper;	  /* enum port_keeper */
	bool uid_known;
	uint32_t uid;	 /* of the socket: SO_REUSEPORT shares by it */
	bool kern;	 /* the kernel's own socket */
	bool fin_wait;	 /* a TIME_WAIT entry to the kernel, but in FIN_WAIT2: shown as an orphan */
	bool left_known; /* of a TIME_WAIT entry ... */
	uint32_t left_ms; /* ... what is left of its minute */
	struct conflict conflict;
};

/* Who is most in the way comes first: what listens, what is bound, connections, TIME_WAIT. */
struct holders {
	size_t len;
	uint32_t omitted; /* of very many, at least so many */
	struct holder list[HOLDERS_MAX];
};

/* As in JSON: "table", "kernel", "lookup". */
const char *holder_source_name(enum holder_source source);

#endif
