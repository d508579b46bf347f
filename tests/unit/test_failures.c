/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_failures.c: calls that fail before, with and after a port, and disconnecting.
 */
#include "tests/unit/records.h"

/* --- failures ---------------------------------------------------------------------------- */

static void bind_to_a_taken_port_shows_the_port_asked_for(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 0);

	call_request(&c, 80);
	c.error = EADDRINUSE;
	FEED(w, c);
	assert_true(w->event.has_request);
	SAID(w, "2000000 #1 bind 80 - EADDRINUSE\n");
	feed_end(w, 1, 2000100, 0);
	SAID(w, "2000100 #1 close 0 -\n"
		"life #1 ended:\n");
	assert_false(w->life.deferred);
}

static void bind_twice_keeps_the_first_port(void **state)
{
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 5000);

	call_request(&c, 5000);
	FEED(*state, c);
	c = port_call(WIRE_BIND, 1, 2000010, 5000, 5000);
	call_request(&c, 6000);
	c.error = EINVAL;
	FEED(*state, c);
	feed_end(*state, 1, 2000100, 5000);
	SAID((struct world *)*state, "2000000 #1 bind 5000 bind -- +\n"
				     "2000010 #1 bind 6000 bind -- EINVAL\n"
				     "2000100 #1 close 5000 bind --\n"
				     "2000101 #1 release 5000 bind --\n"
				     "life #1 ended: 5000 bind -- 2000000..2000101\n");
}

/* 5.10: a veto by a post_bind program leaves the port with the socket. */
static void bind_that_failed_with_a_port(void **state)
{
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 5000);

	call_request(&c, 5000);
	c.error = EPERM;
	FEED(*state, c);
	SAID((struct world *)*state, "2000000 #1 bind 5000 bind -- + EPERM\n");
}

static void connect_that_never_got_a_port_stands_alone(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT_FAILED, 1, 2000000, 0, 0);

	call_request(&c, 443);
	c.error = EADDRNOTAVAIL;
	FEED(w, c);
	assert_true(w->event.has_duration && w->event.duration_ns == 5);
	SAID(w, "2000000 #1 connect_failed 0 - EADDRNOTAVAIL\n");
}

/* bind(0), connect refused, connect again: two tenures. The release may come first or last. */
static void refused_then_again_is_two_tenures(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 43595);

	call_request(&c, 0);
	FEED(w, c);
	c = port_call(WIRE_CONNECT, 1, 2000010, 43595, 43595);
	FEED(w, c);
	feed_edge(w, WIRE_RELEASE, 1, 2000019, 43595, 0);
	feed_edge(w, WIRE_CONNECT_ERROR, 1, 2000020, 0, ECONNREFUSED);
	assert_true(w->event.has_duration && w->event.duration_ns == 15);
	c = port_call(WIRE_CONNECT, 1, 2000030, 0, 43777);
	FEED(w, c);
	feed_edge(w, WIRE_CONNECT_ERROR, 1, 2000040, 0, ECONNREFUSED);
	feed_edge(w, WIRE_RELEASE, 1, 2000041, 43777, 0);
	feed_end(w, 1, 2000050, 0);
	SAID(w, "2000000 #1 bind 43595 bind0 -E +\n"
		"2000010 #1 connect 43595 bind0 -E\n"
		"2000019 #1 release 43595 bind0 -E\n"
		"2000020 #1 connect_failed 43595 bind0 -E ECONNREFUSED\n"
		"2000030 #1 connect 43777 connect IE +\n"
		"2000040 #1 connect_failed 43777 connect IE ECONNREFUSED\n"
		"2000041 #1 release 43777 connect IE\n"
		"2000050 #1 close 0 -\n"
		"life #1 ended: 43595 bind0 -E 2000000..2000019, 43777 connect IE "
		"2000030..2000041\n");
}

/* The call's own failure, after the port: same tenure whether or not the release came first. */
static void connect_failed_after_its_port(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000010, 0, 40000);

	FEED(w, c);
	feed_edge(w, WIRE_RELEASE, 1, 2000015, 40000, 0);
	c = port_call(WIRE_CONNECT_FAILED, 1, 2000020, 0, 0);
	c.start_ns = 2000005;
	c.error = ETIMEDOUT;
	FEED(w, c);
	SAID(w, "2000010 #1 connect 40000 connect IE +\n"
		"2000015 #1 release 40000 connect IE\n"
		"2000020 #1 connect_failed 40000 connect IE ETIMEDOUT\n");
	/* the next one fails before it has a port, and says nothing of the old one */
	c = port_call(WIRE_CONNECT_FAILED, 1, 2000100, 0, 0);
	c.error = EADDRNOTAVAIL;
	FEED(w, c);
	SAID(w, "2000100 #1 connect_failed 0 - EADDRNOTAVAIL\n");

	c = port_call(WIRE_CONNECT, 2, 2000210, 0, 40000);
	FEED(w, c);
	c = port_call(WIRE_CONNECT_FAILED, 2, 2000220, 0, 0);
	c.start_ns = 2000205;
	c.error = ECONNREFUSED;
	FEED(w, c);
	feed_edge(w, WIRE_RELEASE, 2, 2000221, 40000, 0);
	SAID(w, "2000210 #2 connect 40000 connect IE +\n"
		"2000220 #2 connect_failed 40000 connect IE ECONNREFUSED\n"
		"2000221 #2 release 40000 connect IE\n");
}

static void a_failure_is_told_once(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000010, 0, 40000);

	FEED(w, c);
	feed_edge(w, WIRE_CONNECT_ERROR, 1, 2000020, 0, ECONNREFUSED);
	c = port_call(WIRE_CONNECT_FAILED, 1, 2000030, 0, 0);
	c.start_ns = 2000005;
	c.error = ECONNREFUSED;
	FEED(w, c);
	c = port_call(WIRE_CONNECT, 2, 2000110, 0, 40001);
	FEED(w, c);
	c = port_call(WIRE_CONNECT_FAILED, 2, 2000120, 0, 0);
	c.start_ns = 2000105;
	c.error = ECONNREFUSED;
	FEED(w, c);
	feed_edge(w, WIRE_CONNECT_ERROR, 2, 2000121, 0, ECONNREFUSED);
	SAID(w, "2000010 #1 connect 40000 connect IE +\n"
		"2000020 #1 connect_failed 40000 connect IE ECONNREFUSED\n"
		"2000110 #2 connect 40001 connect IE +\n"
		"2000120 #2 connect_failed 40001 connect IE ECONNREFUSED\n");
	assert_int_equal(core_summary(w->core)->events[EVENT_CONNECT_FAILED], 2);
}

static void waiting_is_no_outcome(void **state)
{
	static const int errors[] = { EINPROGRESS, EALREADY, EISCONN };
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000010, 0, 40000);

	FEED(w, c);
	for (size_t i = 0; i < 3; i++) {
		c = port_call(WIRE_CONNECT_FAILED, 1, 2000020, 40000, 40000);
		c.error = errors[i];
		FEED(w, c);
	}
	feed_edge(w, WIRE_ESTABLISHED, 1, 2000030, 0, 0);
	assert_int_equal(w->event.duration_ns, 25);
	SAID(w, "2000010 #1 connect 40000 connect IE +\n"
		"2000030 #1 established 40000 connect IE\n");
}

/* A signal ends the call, not the attempt. */
static void interrupted_goes_on(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000010, 0, 40000);

	FEED(w, c);
	c = port_call(WIRE_CONNECT_FAILED, 1, 2000020, 0, 40000);
	c.start_ns = 2000005;
	c.error = EINTR;
	FEED(w, c);
	feed_edge(w, WIRE_ESTABLISHED, 1, 2000030, 0, 0);
	SAID(w, "2000010 #1 connect 40000 connect IE +\n"
		"2000020 #1 connect_failed 40000 connect IE EINTR\n"
		"2000030 #1 established 40000 connect IE\n");
	assert_int_equal(w->event.duration_ns, 25);
}

static void listen_that_failed_keeps_the_tenure(void **state)
{
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 5000);

	call_request(&c, 5000);
	FEED(*state, c);
	c = port_call(WIRE_LISTEN, 1, 2000010, 5000, 5000);
	c.error = EADDRINUSE;
	FEED(*state, c);
	c = port_call(WIRE_LISTEN, 2, 2000020, 0, 0);
	c.error = EADDRINUSE;
	FEED(*state, c);
	SAID((struct world *)*state, "2000000 #1 bind 5000 bind -- +\n"
				     "2000010 #1 listen 5000 bind -- EADDRINUSE\n"
				     "2000020 #2 listen 0 - EADDRINUSE\n");
}

/* --- disconnect -------------------------------------------------------------------------- */

static void disconnect_gives_up_what_the_kernel_chose(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000010, 0, 40000);

	c.sock.peer_port = 80;
	FEED(w, c);
	c = port_call(WIRE_DISCONNECT, 1, 2000020, 40000, 0);
	FEED(w, c);
	SAID(w, "2000010 #1 connect 40000 connect IE +\n"
		"2000020 #1 disconnect 40000 connect IE\n"
		"2000020 #1 release 40000 connect IE\n");
	assert_int_equal(w->life.peer.port, 80); /* the events are about what there was */
	c = port_call(WIRE_CONNECT, 1, 2000030, 0, 40001);
	FEED(w, c);
	feed_edge(w, WIRE_RELEASE, 1, 2000038, 40001, 0);
	c = port_call(WIRE_DISCONNECT, 1, 2000040, 40001, 0);
	FEED(w, c);
	SAID(w, "2000030 #1 connect 40001 connect IE +\n"
		"2000038 #1 release 40001 connect IE\n"
		"2000040 #1 disconnect 40001 connect IE\n");
}

static void disconnect_keeps_a_port_that_was_named(void **state)
{
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 5000);

	call_request(&c, 5000);
	FEED(*state, c);
	c = port_call(WIRE_DISCONNECT, 1, 2000020, 5000, 5000);
	FEED(*state, c);
	c = port_call(WIRE_DISCONNECT, 1, 2000030, 5000, 5000);
	c.error = EINVAL;
	FEED(*state, c);
	feed_end(*state, 1, 2000050, 5000);
	SAID((struct world *)*state, "2000000 #1 bind 5000 bind -- +\n"
				     "2000020 #1 disconnect 5000 bind --\n"
				     "2000030 #1 disconnect 5000 bind -- EINVAL\n"
				     "2000050 #1 close 5000 bind --\n"
				     "2000051 #1 release 5000 bind --\n"
				     "life #1 ended: 5000 bind -- 2000000..2000051\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(bind_to_a_taken_port_shows_the_port_asked_for),
		WORLD_TEST(bind_twice_keeps_the_first_port),
		WORLD_TEST(bind_that_failed_with_a_port),
		WORLD_TEST(connect_that_never_got_a_port_stands_alone),
		WORLD_TEST(refused_then_again_is_two_tenures),
		WORLD_TEST(connect_failed_after_its_port),
		WORLD_TEST(a_failure_is_told_once),
		WORLD_TEST(waiting_is_no_outcome),
		WORLD_TEST(interrupted_goes_on),
		WORLD_TEST(listen_that_failed_keeps_the_tenure),
		WORLD_TEST(disconnect_gives_up_what_the_kernel_chose),
		WORLD_TEST(disconnect_keeps_a_port_that_was_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
