/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings.h owns what the tests of findings share: sockets of a server, calls that were refused.
 */
#ifndef PORTLIFE_TESTS_FINDINGS_H
#define PORTLIFE_TESTS_FINDINGS_H

#include <netinet/tcp.h>

#include "tests/unit/records.h"
#include "user/core/unit.h"

#define SECOND UINT64_C(1000000000)

/* A walk from before the first socket of the test: nobody is hidden. */
MAYBE static struct world *walked(void **state)
{
	struct world *w = *state;

	feed_pass(w, 1, WIRE_PASS_BEGIN, WIRE_P_START | WIRE_P_FULL, BOOT_NS + 1);
	feed_pass(w, 1, WIRE_PASS_END, WIRE_P_START | WIRE_P_FULL, BOOT_NS + 2);
	return w;
}

/* Like port_call(), with an address of 10.0.0.x; last 0 is the wildcard. */
MAYBE static struct wire_call local_call(uint8_t kind, uint64_t id, uint64_t ts_ns, uint16_t before,
					 uint16_t port, uint8_t last)
{
	struct wire_call c = port_call(kind, id, ts_ns, before, port);

	if (last)
		memcpy(c.sock.local, (uint8_t[]){ 10, 0, 0, last }, 4);
	return c;
}

/* Somebody listens on port. */
MAYBE static void feed_server(struct world *w, uint64_t id, uint64_t ts_ns, uint16_t port,
			      uint8_t last, uint16_t options)
{
	struct wire_call c = local_call(WIRE_BIND, id, ts_ns, 0, port, last);

	call_request(&c, port);
	memcpy(c.req_addr, c.sock.local, 4);
	c.who = who_new(811, "apache2");
	c.sock.options = options;
	FEED(w, c);
	c = local_call(WIRE_LISTEN, id, ts_ns + 10, port, port, last);
	c.who = who_new(811, "apache2");
	c.sock.state = TCP_LISTEN;
	c.sock.options = options;
	FEED(w, c);
}

/* bind() to 10.0.0.last:port has failed. */
MAYBE static struct wire_call failed_bind(uint64_t id, uint64_t ts_ns, uint16_t port, uint8_t last,
					  int error)
{
	struct wire_call c = port_call(WIRE_BIND, id, ts_ns, 0, 0);

	call_request(&c, port);
	if (last)
		memcpy(c.req_addr, (uint8_t[]){ 10, 0, 0, last }, 4);
	c.error = error;
	c.range_lo = 32768;
	c.range_hi = 60999;
	return c;
}

MAYBE static struct wire_call failed_connect(uint64_t id, uint64_t ts_ns, uint16_t port, int error)
{
	struct wire_call c = port_call(WIRE_CONNECT_FAILED, id, ts_ns, port, port);

	call_request(&c, 443);
	memcpy(c.req_addr, (uint8_t[]){ 10, 0, 0, 9 }, 4);
	c.error = error;
	c.range_lo = 32768;
	c.range_hi = 60999;
	if (!port) {
		c.facts |= WIRE_F_SEARCHED | WIRE_F_SEARCH_TIMED;
		c.search_ns = 100;
	}
	return c;
}

#endif
