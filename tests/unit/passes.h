/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * passes.h owns what the tests of walks share: records of what a walk has found.
 */
#ifndef PORTLIFE_TESTS_PASSES_H
#define PORTLIFE_TESTS_PASSES_H

#include "tests/unit/records.h"

#define TIME_WAIT 6
#define WHOLE	  WIRE_P_FULL

MAYBE static void feed_found(struct world *w, uint64_t id, uint64_t ts_ns, uint16_t port,
			     uint32_t facts)
{
	struct wire_call c = found_new(id, ts_ns, port, facts);

	FEED(w, c);
}

MAYBE static void feed_entry(struct world *w, uint64_t id, uint64_t ts_ns, uint16_t port,
			     uint32_t facts)
{
	struct wire_call c = found_new(id, ts_ns, port, facts);

	c.sock.state = TIME_WAIT;
	c.sock.peer_port = 80;
	FEED(w, c);
}

/* A socket with this explicit port, bound by pid 100. */
MAYBE static void feed_bind(struct world *w, uint64_t id, uint64_t ts_ns, uint16_t port)
{
	struct wire_call c = port_call(WIRE_BIND, id, ts_ns, 0, port);

	call_request(&c, port);
	FEED(w, c);
}

#endif
