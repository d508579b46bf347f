/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_datagrams.c: how UDP sockets get and lose their ports, sends that assign one (TCP Fast Open
 * too), the errno behind EAGAIN, and ports with other owners.
 */
#include "tests/unit/records.h"

static struct wire_call udp_call(uint8_t kind, uint64_t id, uint64_t ts_ns, uint16_t port_before,
				 uint16_t local_port)
{
	struct wire_call c = port_call(kind, id, ts_ns, port_before, local_port);

	c.sock.protocol = IPPROTO_UDP;
	return c;
}

static void connected(struct wire_call *c, uint16_t peer_port)
{
	c->sock.state = 1;
	c->sock.peer_port = peer_port;
	c->sock.peer[0] = 127;
}

/* --- UDP ---------------------------------------------------------------------------------- */

static void bind_and_bind0(void **state)
{
	struct wire_call c = udp_call(WIRE_BIND, 1, 2000000, 0, 53);

	call_request(&c, 53);
	FEED(*state, c);
	c = udp_call(WIRE_BIND, 2, 2000010, 0, 40000);
	call_request(&c, 0);
	c.sock.protocol = IPPROTO_UDPLITE;
	FEED(*state, c);
	feed_end(*state, 1, 2000100, 53);
	feed_end(*state, 2, 2000200, 40000);
	SAID((struct world *)*state, "2000000 #1 bind 53 bind -- +\n"
				     "2000010 #2 bind 40000 bind0 -E +\n"
				     "2000100 #1 close 53 bind --\n"
				     "2000101 #1 release 53 bind --\n"
				     "life #1 ended: 53 bind -- 2000000..2000101\n"
				     "2000200 #2 close 40000 bind0 -E\n"
				     "2000201 #2 release 40000 bind0 -E\n"
				     "life #2 ended: 40000 bind0 -E 2000010..2000201\n");
}

static void the_first_send_assigns(void **state)
{
	struct world *w = *state;
	struct wire_call c = udp_call(WIRE_SEND, 1, 2000000, 0, 40000);

	call_request(&c, 53); /* to whom */
	c.facts |= WIRE_F_SEARCHED;
	FEED(w, c);
	assert_int_equal(w->tenure.by, BY_USER);
	assert_int_equal(w->tenure.range_lo, 32768);
	assert_int_equal(w->tenure.range_hi, 60999);
	assert_int_equal(w->event.request.port, 53);
	assert_int_equal(w->life.peer.port, 0);
	assert_true(w->event.has_duration && w->event.duration_ns == 5);
	feed_stop(w, 3000000);
	SAID(w, "2000000 #1 send 40000 send IE +\n"
		"life #1 open: 40000 send IE 2000000..\n");
	assert_int_equal(w->summary.events[EVENT_SEND], 1);
	assert_int_equal(w->summary.origins[ORIGIN_SEND], 1);
	assert_int_equal(w->summary.implicit, 1);
	assert_int_equal(w->summary.ephemeral, 1);
}

/* bind(addr, 0) under IP_BIND_ADDRESS_NO_PORT goes with the first send. */
static void a_deferred_bind_then_send(void **state)
{
	struct world *w = *state;
	struct wire_call c = udp_call(WIRE_BIND, 1, 2000000, 0, 0);

	call_request(&c, 0);
	c.sock.options = WIRE_O_BIND_ADDRESS_NO_PORT;
	FEED(w, c);
	c = udp_call(WIRE_SEND, 1, 2000010, 0, 40000);
	FEED(w, c);
	assert_true(w->tenure.deferred);
	SAID(w, "2000000 #1 bind 0 -\n"
		"2000010 #1 send 40000 send IE deferred +\n");
}

/* No attempt that goes on: nothing is established, no errno comes later. */
static void connect_reconnect_disconnect(void **state)
{
	struct world *w = *state;
	struct wire_call c = udp_call(WIRE_CONNECT, 1, 2000000, 0, 40000);

	connected(&c, 53);
	FEED(w, c);
	assert_int_equal(w->life.peer.port, 53);
	feed_edge(w, WIRE_ESTABLISHED, 1, 2000005, 0, 0);
	feed_edge(w, WIRE_CONNECT_ERROR, 1, 2000006, 0, ECONNREFUSED);
	c = udp_call(WIRE_CONNECT, 1, 2000010, 40000, 40000);
	connected(&c, 54);
	FEED(w, c);
	assert_int_equal(w->life.peer.port, 54);
	feed_edge(w, WIRE_RELEASE, 1, 2000019, 40000, 0);
	c = udp_call(WIRE_DISCONNECT, 1, 2000020, 40000, 0);
	c.start_ns = 2000015;
	FEED(w, c);
	assert_int_equal(w->life.peer.port, 54); /* of whom it was */
	c = udp_call(WIRE_SEND, 1, 2000030, 0, 40001);
	FEED(w, c);
	assert_int_equal(w->life.peer.port, 0);
	feed_end(w, 1, 2000040, 40001);
	SAID(w, "2000000 #1 connect 40000 connect IE +\n"
		"2000010 #1 connect 40000 connect IE\n"
		"2000019 #1 release 40000 connect IE\n"
		"2000020 #1 disconnect 40000 connect IE\n"
		"2000030 #1 send 40001 send IE +\n"
		"2000040 #1 close 40001 send IE\n"
		"2000041 #1 release 40001 send IE\n"
		"life #1 ended: 40000 connect IE 2000000..2000019, "
		"40001 send IE 2000030..2000041\n");
}

/* A port that bind() named stays. */
static void disconnect_of_a_bound_socket(void **state)
{
	struct world *w = *state;
	struct wire_call c = udp_call(WIRE_BIND, 1, 2000000, 0, 5000);

	call_request(&c, 5000);
	FEED(w, c);
	c = udp_call(WIRE_CONNECT, 1, 2000010, 5000, 5000);
	connected(&c, 53);
	FEED(w, c);
	c = udp_call(WIRE_DISCONNECT, 1, 2000020, 5000, 5000);
	FEED(w, c);
	SAID(w, "2000000 #1 bind 5000 bind -- +\n"
		"2000010 #1 connect 5000 bind --\n"
		"2000020 #1 disconnect 5000 bind --\n");
}

/* Autobind found a port, then there was no route: the port stays, and the next call uses it. */
static void a_failed_connect_that_got_a_port(void **state)
{
	struct world *w = *state;
	struct wire_call c = udp_call(WIRE_CONNECT_FAILED, 1, 2000000, 0, 40000);

	c.error = ENETUNREACH;
	FEED(w, c);
	c = udp_call(WIRE_CONNECT_FAILED, 1, 2000010, 40000, 40000);
	c.error = ENETUNREACH;
	FEED(w, c);
	c = udp_call(WIRE_CONNECT, 1, 2000020, 40000, 40000);
	connected(&c, 53);
	FEED(w, c);
	feed_stop(w, 3000000);
	SAID(w, "2000000 #1 connect_failed 40000 connect IE + ENETUNREACH\n"
		"2000010 #1 connect_failed 40000 connect IE ENETUNREACH\n"
		"2000020 #1 connect 40000 connect IE\n"
		"life #1 open: 40000 connect IE 2000000..\n");
	assert_int_equal(w->summary.origins[ORIGIN_CONNECT], 1);
}

static void no_port_was_left(void **state)
{
	struct world *w = *state;
	struct wire_call c = udp_call(WIRE_CONNECT_FAILED, 1, 2000000, 0, 0);

	c.error = EAGAIN;
	c.cause = EADDRINUSE;
	FEED(w, c);
	assert_int_equal(w->event.cause, EADDRINUSE);
	c = udp_call(WIRE_SEND, 1, 2000010, 0, 0);
	c.error = EAGAIN;
	c.cause = EADDRINUSE;
	FEED(w, c);
	c = udp_call(WIRE_SEND, 1, 2000020, 0, 40000);
	FEED(w, c);
	feed_stop(w, 3000000);
	SAID(w, "2000000 #1 connect_failed 0 - EAGAIN (EADDRINUSE)\n"
		"2000010 #1 send 0 - EAGAIN (EADDRINUSE)\n"
		"2000020 #1 send 40000 send IE +\n"
		"life #1 open: 40000 send IE 2000020..\n");
	assert_int_equal(w->summary.errors_len, 1);
	assert_int_equal(w->summary.errors[0].error, EAGAIN);
	assert_int_equal(w->summary.errors[0].count, 2);
}

/* After a loss nothing is made up: what is not known is unknown, and the next call is right. */
static void losses(void **state)
{
	struct world *w = *state;
	struct wire_call c = udp_call(WIRE_CONNECT, 1, 2000000, 40000, 40000);

	c.sock.created_ns = BOOT_NS + 1;
	connected(&c, 53);
	FEED(w, c); /* its send was lost */
	c = udp_call(WIRE_CONNECT, 1, 2000010, 0, 40001);
	connected(&c, 53);
	FEED(w, c); /* its release was lost */
	feed_end(w, 2, 2000020, 40002);
	feed_edge(w, WIRE_RELEASE, 3, 2000030, 40003, 0);
	SAID(w, "2000000 #1 connect 40000 unknown ??\n"
		"2000010 #1 release 40000 unknown ?? late\n"
		"2000010 #1 connect 40001 connect IE +\n");
}

/* --- TCP Fast Open ------------------------------------------------------------------------ */

static void a_send_that_begins_a_connection(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_SEND, 1, 2000000, 0, 40000);

	c.sock.state = 2;
	c.sock.peer_port = 80;
	FEED(w, c);
	feed_edge(w, WIRE_ESTABLISHED, 1, 2000020, 0, 0);
	assert_true(w->event.has_duration && w->event.duration_ns == 25);
	SAID(w, "2000000 #1 send 40000 send IE +\n"
		"2000020 #1 established 40000 send IE\n");

	c = port_call(WIRE_SEND, 2, 2000100, 0, 40001);
	FEED(w, c);
	feed_edge(w, WIRE_RELEASE, 2, 2000110, 40001, 0);
	feed_edge(w, WIRE_CONNECT_ERROR, 2, 2000111, 0, ECONNREFUSED);
	c = port_call(WIRE_CONNECT_FAILED, 2, 2000120, 0, 0);
	c.start_ns = 2000095;
	c.error = ECONNREFUSED;
	FEED(w, c); /* told already */
	SAID(w, "2000100 #2 send 40001 send IE +\n"
		"2000110 #2 release 40001 send IE\n"
		"2000111 #2 connect_failed 40001 send IE ECONNREFUSED\n");
}

/* --- shared ------------------------------------------------------------------------------- */

static void ports_with_other_owners(void **state)
{
	static const struct {
		uint32_t facts;
		enum tristate shared;
	} cases[] = {
		{ 0, NULL_STATE },
		{ WIRE_F_OWNERS, NO },
		{ WIRE_F_OWNERS | WIRE_F_SHARED, YES },
		{ WIRE_F_OWNERS | WIRE_F_SHARED | WIRE_F_UNCONFIRMED, NULL_STATE },
	};
	static const uint8_t kinds[] = { WIRE_BIND, WIRE_LISTEN, WIRE_CONNECT, WIRE_SEND };
	struct world *w = *state;
	uint64_t id = 1;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		for (size_t k = 0; k < sizeof(kinds); k++, id++) {
			struct wire_call c = port_call(kinds[k], id, 2000000 + id, 0, 5000);

			c.facts |= cases[i].facts;
			FEED(w, c);
			assert_true(w->event.assigned);
			assert_int_equal(w->tenure.shared, cases[i].shared);
			/* a call that assigns nothing changes nothing */
			c = port_call(WIRE_LISTEN, id, 2000100 + id, 5000, 5000);
			c.facts |= WIRE_F_OWNERS;
			FEED(w, c);
			assert_int_equal(w->tenure.shared, cases[i].shared);
		}
	}
}

static void children_and_ports_unseen(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_ACCEPT, 1, 2000000, 0, 5000);

	c.facts |= WIRE_F_CHILD | WIRE_F_OWNERS | WIRE_F_SHARED;
	FEED(w, c);
	assert_int_equal(w->tenure.shared, NO);
	c = port_call(WIRE_LISTEN, 2, 2000010, 5001, 5001);
	c.facts |= WIRE_F_OWNERS | WIRE_F_SHARED;
	FEED(w, c);
	assert_int_equal(w->tenure.origin, ORIGIN_UNKNOWN);
	assert_int_equal(w->tenure.shared, NULL_STATE);
	/* in TIME_WAIT it is still known */
	c = port_call(WIRE_CONNECT, 3, 2000020, 0, 40000);
	c.facts |= WIRE_F_OWNERS | WIRE_F_SHARED;
	FEED(w, c);
	feed_time_wait(w, 3, 2000030, 40000);
	feed_edge(w, WIRE_TW_END, 3, 2000040, 40000, 0);
	assert_int_equal(w->event.kind, EVENT_RELEASE);
	assert_int_equal(w->tenure.shared, YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(bind_and_bind0),
		WORLD_TEST(the_first_send_assigns),
		WORLD_TEST(a_deferred_bind_then_send),
		WORLD_TEST(connect_reconnect_disconnect),
		WORLD_TEST(disconnect_of_a_bound_socket),
		WORLD_TEST(a_failed_connect_that_got_a_port),
		WORLD_TEST(no_port_was_left),
		WORLD_TEST(losses),
		WORLD_TEST(a_send_that_begins_a_connection),
		WORLD_TEST(ports_with_other_owners),
		WORLD_TEST(children_and_ports_unseen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
