/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holders.h owns the answer to "who is in the way?": the sockets and TIME_WAIT entries that hold
 * what another one was refused, with the rule by which they do. Where the table of lives does not
 * know, nobody is named.
 */
#ifndef PORTLIFE_CORE_HOLDERS_H
#define PORTLIFE_CORE_HOLDERS_H

#include "user/core/conflict.h"

#define HOLDERS_MAX 8 /* named; the others are counted */

struct holder {
	uint64_t socket;	    /* as life.number */
	const struct wire_who *who; /* NULL if not known; of a TIME_WAIT entry: who had it */
	struct endpoint local, peer;
	uint32_t netns;
	uint32_t ifindex; /* device bound to, 0 if none */
	uint16_t options; /* enum wire_option */
	uint8_t state;	  /* TCP_* as last seen; TCP_CLOSE: bound, or UDP that is not connected */
	uint8_t origin;	  /* enum port_origin */
	bool kern;	  /* the kernel's own socket */
	bool left_known;  /* of a TIME_WAIT entry ... */
	uint32_t left_ms; /* ... what is left of its minute */
	struct conflict conflict;
};

/* Who is most in the way comes first: what listens, what is bound, connections, TIME_WAIT. */
struct holders {
	size_t len;
	uint32_t omitted; /* of very many, at least so many */
	struct holder list[HOLDERS_MAX];
};

#endif
