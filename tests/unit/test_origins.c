/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_origins.c: every way in which a socket gets a port, and what its life says about it.
 */
#include "tests/unit/records.h"

static void bind_names_its_port(void **state)
{
	struct wire_call c = port_call(WIRE_BIND, 7, 2000000, 0, 80);

	call_request(&c, 80);
	c.sock.created_ns = 1500000;
	FEED(*state, c);
	c = port_call(WIRE_LISTEN, 7, 2000010, 80, 80);
	FEED(*state, c);
	feed_end(*state, 7, 3000000, 80);
	SAID((struct world *)*state, "2000000 #1 bind 80 bind -- +\n"
				     "2000010 #1 listen 80 bind --\n"
				     "3000000 #1 close 80 bind --\n"
				     "3000001 #1 release 80 bind --\n"
				     "life #1 ended: 80 bind -- 2000000..3000001\n");
}

static void bind0_has_a_range_and_bind_has_none(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_BIND, 7, 2000000, 0, 40000);

	call_request(&c, 0);
	c.facts |= WIRE_F_SEARCHED | WIRE_F_SEARCH_TIMED;
	c.search_ns = 123;
	c.search_tried = 2;
	FEED(w, c);
	SAID(w, "2000000 #1 bind 40000 bind0 -E +\n");
	assert_int_equal(w->tenure.range_lo, 32768);
	assert_int_equal(w->tenure.range_hi, 60999);
	assert_int_equal(w->tenure.assigned_ns, 2000000);
	assert_int_equal(w->tenure.by, BY_USER);
	assert_int_equal(w->tenure.shared, NULL_STATE);
	assert_true(w->event.has_search && w->event.search_ns == 123);
	assert_int_equal(w->event.search_tried, 2);
	assert_true(w->event.has_duration && w->event.duration_ns == 5);

	c = port_call(WIRE_BIND, 8, 2000000, 0, 80);
	call_request(&c, 80);
	FEED(w, c);
	assert_int_equal(w->tenure.range_lo, 0);
	assert_int_equal(w->event.range_lo, 32768); /* in force all the same */
	assert_false(w->event.has_search);
}

/* The request is not always readable, and another thread may rewrite it: then the lock decides. */
static void bind_without_a_request_goes_by_the_lock(void **state)
{
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 5000);

	c.sock.userlocks = 8;
	FEED(*state, c);
	c = port_call(WIRE_BIND, 2, 2000001, 0, 5001);
	FEED(*state, c);
	c = port_call(WIRE_BIND, 3, 2000002, 0, 5002);
	call_request(&c, 9999);
	FEED(*state, c);
	c = port_call(WIRE_BIND, 4, 2000003, 0, 5003);
	call_request(&c, 9999);
	c.sock.userlocks = 8;
	FEED(*state, c);
	c = port_call(WIRE_BIND, 5, 2000004, 0, 5004);
	c.facts |= WIRE_F_SEARCHED;
	c.sock.userlocks = 8;
	FEED(*state, c);
	SAID((struct world *)*state, "2000000 #1 bind 5000 bind -- +\n"
				     "2000001 #2 bind 5001 bind0 -E +\n"
				     "2000002 #3 bind 5002 bind0 -E +\n"
				     "2000003 #4 bind 5003 bind -- +\n"
				     "2000004 #5 bind 5004 bind0 -E +\n");
}

/* The question that started it all: listen and connect without bind, and the child of both. */
static void listen_connect_accept_without_bind(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_LISTEN, 10, 2000000, 0, 36053);

	FEED(w, c);
	c = port_call(WIRE_CONNECT, 11, 2000100, 0, 48822);
	c.sock.peer_port = 36053;
	FEED(w, c);
	feed_edge(w, WIRE_ESTABLISHED, 11, 2000150, 0, 0);
	assert_true(w->event.has_duration && w->event.duration_ns == 55);
	c = port_call(WIRE_ACCEPT, 12, 2000200, 0, 36053);
	c.sock.parent = 10;
	c.sock.created_ns = 2000140;
	c.sock.established_ns = 2000145;
	c.facts |= WIRE_F_CHILD;
	FEED(w, c);
	assert_int_equal(w->life.parent, 1);
	assert_int_equal(w->event.fd, 3);
	assert_int_equal(w->tenure.by, BY_NONE);
	feed_end(w, 12, 3000000, 36053);
	feed_time_wait(w, 11, 3000100, 48822);
	feed_end(w, 10, 3000200, 36053);
	SAID(w, "2000000 #1 listen 36053 listen IE +\n"
		"2000100 #2 connect 48822 connect IE +\n"
		"2000150 #2 established 48822 connect IE\n"
		"2000145 #3 established 36053 accept --\n"
		"2000200 #3 accept 36053 accept -- +\n"
		"3000000 #3 close 36053 accept --\n"
		"3000001 #3 release 36053 accept --\n"
		"life #3 ended: 36053 accept -- 2000140..3000001\n"
		"3000100 #2 close 48822 connect IE\n"
		"3000101 #2 time_wait 48822 connect IE\n"
		"life #2 ended time_wait: 48822 connect IE 2000100..\n"
		"3000200 #1 close 36053 listen IE\n"
		"3000201 #1 release 36053 listen IE\n"
		"life #1 ended: 36053 listen IE 2000000..3000201\n");
	assert_int_equal(core_lives(w->core), 0);
}

static void child_begins_when_the_kernel_made_it(void **state)
{
	struct world *w = *state;
	struct wire_call c = call_new(WIRE_ACCEPT, 1, 2000000);

	c.sock.local_port = 80;
	FEED(w, c);
	assert_int_equal(w->tenure.assigned_ns, 2000000); /* nothing better is known */
	assert_int_equal(w->life.parent, 0);
	c.sock.id = 2;
	c.sock.established_ns = 1900000;
	FEED(w, c);
	assert_int_equal(w->tenure.assigned_ns, 1900000);
	c.sock.id = 3;
	c.sock.created_ns = 1800000;
	FEED(w, c);
	assert_int_equal(w->tenure.assigned_ns, 1800000);
	SAID(w, "2000000 #1 accept 80 accept -- +\n"
		"1900000 #2 established 80 accept --\n"
		"2000000 #2 accept 80 accept -- +\n"
		"1900000 #3 established 80 accept --\n"
		"2000000 #3 accept 80 accept -- +\n");
}

static void connect_on_a_bound_socket_assigns_nothing(void **state)
{
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 5000);

	call_request(&c, 5000);
	FEED(*state, c);
	c = port_call(WIRE_CONNECT, 1, 2000010, 5000, 5000);
	FEED(*state, c);
	SAID((struct world *)*state, "2000000 #1 bind 5000 bind -- +\n"
				     "2000010 #1 connect 5000 bind --\n");
}

static void no_port_bind_defers_to_connect_and_listen(void **state)
{
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 0);

	call_request(&c, 0);
	c.sock.userlocks = 4;
	c.sock.options = WIRE_O_BIND_ADDRESS_NO_PORT;
	FEED(*state, c);
	c.sock.id = 2;
	FEED(*state, c);
	c = port_call(WIRE_CONNECT, 1, 2000010, 0, 41000);
	FEED(*state, c);
	c = port_call(WIRE_LISTEN, 2, 2000020, 0, 41001);
	FEED(*state, c);
	/* the address stays bound: so it is again after a refusal */
	feed_edge(*state, WIRE_RELEASE, 1, 2000030, 41000, 0);
	c = port_call(WIRE_CONNECT, 1, 2000040, 0, 41002);
	FEED(*state, c);
	SAID((struct world *)*state, "2000000 #1 bind 0 -\n"
				     "2000000 #2 bind 0 -\n"
				     "2000010 #1 connect 41000 connect IE deferred +\n"
				     "2000020 #2 listen 41001 listen IE deferred +\n"
				     "2000030 #1 release 41000 connect IE deferred\n"
				     "2000040 #1 connect 41002 connect IE deferred +\n");
}

static void a_second_bind_after_no_port_is_not_deferred(void **state)
{
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 0);

	call_request(&c, 0);
	FEED(*state, c);
	c = port_call(WIRE_BIND, 1, 2000010, 0, 5000);
	call_request(&c, 5000);
	FEED(*state, c);
	assert_false(((struct world *)*state)->life.deferred);
	SAID((struct world *)*state, "2000000 #1 bind 0 -\n"
				     "2000010 #1 bind 5000 bind -- +\n");
}

static void who_asked_is_by(void **state)
{
	static const struct {
		uint32_t fact;
		enum port_by by;
	} cases[] = {
		{ 0, BY_USER },
		{ WIRE_F_IO_URING, BY_IO_URING },
		{ WIRE_F_KERN_SOCK, BY_KERNEL },
		{ WIRE_F_BPF, BY_BPF },
		{ WIRE_F_BPF | WIRE_F_KERN_SOCK, BY_BPF },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wire_call c = port_call(WIRE_CONNECT, i + 1, 2000000, 0, 40000);

		c.facts |= cases[i].fact;
		FEED(w, c);
		assert_int_equal(w->tenure.by, cases[i].by);
		assert_int_equal(w->life.kern, (cases[i].fact & WIRE_F_KERN_SOCK) != 0);
	}
}

static void unconfirmed_is_unknown(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000000, 0, 40000);

	c.facts |= WIRE_F_UNCONFIRMED;
	FEED(w, c);
	assert_int_equal(w->tenure.by, BY_NONE);
	SAID(w, "2000000 #1 connect 40000 unknown ?? +\n");
	assert_int_equal(core_summary(w->core)->origins[ORIGIN_UNKNOWN], 1);
	assert_int_equal(core_summary(w->core)->implicit, 0);
}

/* connect() enters without a port, a cgroup program binds, connect() goes on with that port. */
static void bpf_bind_within_connect(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 6000);

	call_request(&c, 6000);
	c.facts |= WIRE_F_BPF;
	FEED(w, c);
	c = port_call(WIRE_CONNECT, 1, 2000010, 0, 6000);
	c.start_ns = 1999990;
	FEED(w, c);
	SAID(w, "2000000 #1 bind 6000 bind -- +\n"
		"2000010 #1 connect 6000 bind --\n");
	assert_int_equal(w->tenure.by, BY_BPF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(bind_names_its_port),
		WORLD_TEST(bind0_has_a_range_and_bind_has_none),
		WORLD_TEST(bind_without_a_request_goes_by_the_lock),
		WORLD_TEST(listen_connect_accept_without_bind),
		WORLD_TEST(child_begins_when_the_kernel_made_it),
		WORLD_TEST(connect_on_a_bound_socket_assigns_nothing),
		WORLD_TEST(no_port_bind_defers_to_connect_and_listen),
		WORLD_TEST(a_second_bind_after_no_port_is_not_deferred),
		WORLD_TEST(who_asked_is_by),
		WORLD_TEST(unconfirmed_is_unknown),
		WORLD_TEST(bpf_bind_within_connect),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
