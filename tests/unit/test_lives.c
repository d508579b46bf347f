/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lives.c: how lives begin unseen, change hands, end, outlive themselves in TIME_WAIT, and
 * what becomes of them when records are lost.
 */
#include "tests/unit/records.h"

/* --- sockets that were there before ------------------------------------------------------ */

static void existing_is_told_and_its_origin_unknown(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_FOUND, 1, 2000000, 80, 80);

	c.facts |= WIRE_F_EXISTING;
	FEED(w, c);
	assert_true(w->life.existing);
	assert_int_equal(w->tenure.by, BY_NONE);
	FEED(w, c); /* another pass over the kernel's sockets: nothing new */
	feed_end(w, 1, 3000000, 80);
	SAID(w, "2000000 #1 existing 80 unknown ??\n"
		"3000000 #1 close 80 unknown ??\n"
		"3000001 #1 release 80 unknown ??\n"
		"life #1 ended existing: 80 unknown ?? 0..3000001\n");
	assert_int_equal(core_summary(w->core)->origins[ORIGIN_UNKNOWN], 0);
}

/* 6.17 remembers that connect() chose the port. */
static void existing_bound_by_connect(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_FOUND, 1, 2000000, 40000, 40000);

	c.facts |= WIRE_F_EXISTING;
	c.sock.userlocks = 16;
	FEED(w, c);
	assert_int_equal(w->tenure.range_lo, 0);
	SAID(w, "2000000 #1 existing 40000 connect IE\n");
}

static void bound_before_the_start(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000000, 5000, 5000);

	FEED(w, c);
	assert_true(w->life.existing);
	c = port_call(WIRE_LISTEN, 2, 2000001, 5001, 5001);
	c.sock.created_ns = BOOT_NS + 1; /* younger than the run: it was bound unseen */
	FEED(w, c);
	assert_false(w->life.existing);
	SAID(w, "2000000 #1 connect 5000 unknown ??\n"
		"2000001 #2 listen 5001 unknown ??\n");
}

static void found_by_a_pass_without_being_old(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_FOUND, 1, 2000000, 5000, 5000);

	c.sock.userlocks = 16;
	FEED(w, c);
	SAID(w, "2000000 #1 existing 5000 unknown ?? late\n");
	feed_end(w, 1, 3000000, 5000);
	SAID(w, "3000000 #1 close 5000 unknown ??\n"
		"3000001 #1 release 5000 unknown ??\n"
		"life #1 ended: 5000 unknown ?? 0..3000001\n");
}

/* --- children ---------------------------------------------------------------------------- */

static void feed_listener(struct world *w, uint64_t id)
{
	struct wire_call c = port_call(WIRE_BIND, id, 2000000, 0, 80);

	call_request(&c, 80);
	FEED(w, c);
	w->story[w->story_len = 0] = 0;
}

static struct wire_call child_new(uint8_t kind, uint64_t id, uint64_t ts_ns, uint16_t port)
{
	struct wire_call c = call_new(kind, id, ts_ns);

	c.facts = WIRE_F_CHILD;
	c.who = (struct wire_who){ 0 };
	c.fd = -1;
	c.sock.parent = 1;
	c.sock.created_ns = 2000100;
	c.sock.established_ns = 2000101;
	c.port_before = c.sock.local_port = port;
	return c;
}

static void a_child_never_accepted(void **state)
{
	struct world *w = *state;
	struct wire_call c = child_new(WIRE_FOUND, 2, 3000000, 80);

	feed_listener(w, 1);
	c.fd = 9;
	c.facts |= WIRE_F_TIMED;
	FEED(w, c);
	SAID(w, "2000101 #2 established 80 accept -- +\n");
	assert_int_equal(w->event.fd, -1); /* of the call that brought the news */
	assert_false(w->event.has_duration);
	assert_int_equal(w->life.parent, 1);
	assert_true(w->who_known);
	assert_int_equal(w->who.pid, 100); /* the listener's owner */
	feed_end(w, 2, 3000000, 80);
	SAID(w, "3000000 #2 close 80 accept --\n"
		"3000001 #2 release 80 accept --\n"
		"life #2 ended: 80 accept -- 2000100..3000001\n");
	assert_int_equal(core_summary(w->core)->origins[ORIGIN_ACCEPT], 1);
	assert_int_equal(core_summary(w->core)->events[EVENT_ACCEPT], 0);
}

/* It is told of as it dies, when it has given up its port: the end brings the port along. */
static void a_child_found_dead(void **state)
{
	struct world *w = *state;
	struct wire_call c = child_new(WIRE_FOUND, 2, 3000000, 0);

	c.sock.parent = 9; /* a listener that nobody has told of */
	FEED(w, c);
	feed_end(w, 2, 3000000, 80);
	SAID(w, "2000101 #1 established 0 -\n"
		"3000000 #1 close 0 -\n"
		"3000001 #1 release 80 accept --\n"
		"life #1 ended: 80 accept -- 2000100..3000001\n");
}

/* The peer gave up while the child was in the queue; accept() hands it out all the same. */
static void a_child_reset_before_accept(void **state)
{
	struct world *w = *state;
	struct wire_call c = child_new(WIRE_FOUND, 2, 2000200, 80);

	feed_listener(w, 1);
	FEED(w, c);
	feed_edge(w, WIRE_RELEASE, 2, 2000201, 80, 0);
	c = child_new(WIRE_ACCEPT, 2, 2000300, 0);
	FEED(w, c);
	feed_end(w, 2, 2000400, 0);
	SAID(w, "2000101 #2 established 80 accept -- +\n"
		"2000201 #2 release 80 accept --\n"
		"2000300 #2 accept 80 accept --\n"
		"2000400 #2 close 0 -\n"
		"life #2 ended: 80 accept -- 2000100..2000201\n");
	/* not told of before: the port was its listener's, when it went is not known */
	c = child_new(WIRE_ACCEPT, 3, 2000500, 0);
	FEED(w, c);
	feed_end(w, 3, 2000600, 0);
	SAID(w, "2000101 #3 established 80 accept --\n"
		"2000500 #3 accept 80 accept -- +\n"
		"2000600 #3 close 0 -\n"
		"life #3 ended: 80 accept -- 2000100..?\n");
}

/* It was in the queue when portlife started: its port was not assigned while watched. */
static void a_child_from_before_the_start(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_ACCEPT, 1, 2000000, 80, 80);

	c.facts |= WIRE_F_EXISTING;
	FEED(w, c);
	feed_end(w, 1, 2000100, 80);
	SAID(w, "2000000 #1 accept 80 accept --\n"
		"2000100 #1 close 80 accept --\n"
		"2000101 #1 release 80 accept --\n"
		"life #1 ended existing: 80 accept -- 0..2000101\n");
	assert_int_equal(core_summary(w->core)->origins[ORIGIN_ACCEPT], 0);
}

static void a_transparent_listener_says_nothing_of_its_childs_port(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 80);

	call_request(&c, 80);
	c.sock.options = WIRE_O_TRANSPARENT;
	FEED(w, c);
	c = child_new(WIRE_ACCEPT, 2, 2000300, 0);
	FEED(w, c);
	SAID(w, "2000000 #1 bind 80 bind -- +\n"
		"2000101 #2 established 0 -\n"
		"2000300 #2 accept 0 -\n");
}

/* --- owners ------------------------------------------------------------------------------ */

static void the_owner_is_who_touched_it_last(void **state)
{
	struct world *w = *state;
	struct wire_owner owner = owner_new(1, 2000050, 200, "worker");

	feed_listener(w, 1);
	FEED(w, owner);
	SAID(w, "");
	feed_end(w, 1, 3000000, 80);
	assert_int_equal(w->who.pid, 200);
	assert_string_equal(w->who.comm, "worker");
	FEED(w, owner); /* of a life that is over */
	assert_int_equal(core_lives(w->core), 0);
}

static void the_owner_may_be_nobody(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_FOUND, 1, 2000000, 80, 80);

	c.facts = WIRE_F_EXISTING | WIRE_F_TIMED;
	c.who = (struct wire_who){ 0 };
	FEED(w, c);
	assert_false(w->who_known);
}

/* --- the end ----------------------------------------------------------------------------- */

static void the_steps_of_an_end_come_in_their_order(void **state)
{
	struct world *w = *state;
	struct wire_end end = end_new(1, 2000900);

	feed_listener(w, 1);
	end.close_ns = 2000800;
	end.release_ns = 2000700;
	end.port = 80;
	FEED(w, end);
	SAID(w, "2000700 #1 release 80 bind --\n"
		"2000800 #1 close 0 -\n"
		"life #1 ended: 80 bind -- 2000000..2000700\n");
	assert_int_equal(w->life.ended_ns, 2000900);
}

static void an_end_that_says_little(void **state)
{
	struct world *w = *state;
	struct wire_end end = end_new(1, 2000900);

	/* a port, but not when: at the latest now */
	feed_listener(w, 1);
	end.port = 80;
	FEED(w, end);
	SAID(w, "2000900 #1 release 80 bind --\n"
		"life #1 ended: 80 bind -- 2000000..2000900\n");
	/* not even a port: nothing is made up */
	feed_listener(w, 1);
	end.port = 0;
	FEED(w, end);
	SAID(w, "life #2 ended: 80 bind -- 2000000..\n");
}

static void released_once(void **state)
{
	struct world *w = *state;

	feed_listener(w, 1);
	feed_edge(w, WIRE_RELEASE, 1, 2000500, 80, 0);
	feed_edge(w, WIRE_RELEASE, 1, 2000501, 80, 0);
	feed_edge(w, WIRE_RELEASE, 1, 2000502, 0, 0);
	feed_end(w, 1, 3000000, 80);
	SAID(w, "2000500 #1 release 80 bind --\n"
		"3000000 #1 close 0 -\n"
		"life #1 ended: 80 bind -- 2000000..2000500\n");
}

static void unknown_sockets_are_left_alone(void **state)
{
	struct world *w = *state;

	feed_edge(w, WIRE_ESTABLISHED, 5, 2000000, 0, 0);
	feed_edge(w, WIRE_CONNECT_ERROR, 5, 2000000, 0, ECONNREFUSED);
	feed_edge(w, WIRE_RELEASE, 5, 2000000, 80, 0);
	feed_edge(w, WIRE_TW_END, 5, 2000000, 80, 0);
	feed_end(w, 5, 2000000, 80);
	SAID(w, "");
	assert_int_equal(core_lives(w->core), 0);
	assert_int_equal(core_summary(w->core)->lives, 0);
}

/* --- TIME_WAIT --------------------------------------------------------------------------- */

static void feed_client(struct world *w, uint64_t id)
{
	struct wire_call c = port_call(WIRE_CONNECT, id, 2000000, 0, 40000);

	c.sock.family = AF_INET6;
	memcpy(c.sock.local, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	memcpy(c.sock.peer, "\x20\x01\xd\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
	c.sock.peer_port = 443;
	c.sock.scope = 3;
	c.sock.ifindex = 3;
	c.sock.options = WIRE_O_BINDTODEVICE;
	FEED(w, c);
}

static void the_release_after_the_end(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_BIND, 1, 1900000, 0, 0);
	struct life before;
	struct tenure tenure;

	c.sock.family = AF_INET6;
	FEED(w, c);
	feed_client(w, 1);
	feed_time_wait(w, 1, 2000100, 40000);
	before = w->life;
	tenure = w->tenure;
	assert_int_equal(core_lives(w->core), 0);
	feed_edge(w, WIRE_TW_END, 1, 62000100, 40000, 0);
	SAID(w, "1900000 #1 bind 0 -\n"
		"2000000 #1 connect 40000 connect IE deferred +\n"
		"2000100 #1 close 40000 connect IE deferred\n"
		"2000101 #1 time_wait 40000 connect IE deferred\n"
		"life #1 ended time_wait: 40000 connect IE deferred 2000000..\n"
		"62000100 #1 release 40000 connect IE deferred\n");
	/* as it was, but for the release */
	assert_memory_equal(&w->life.local, &before.local, sizeof(before.local));
	assert_memory_equal(&w->life.peer, &before.peer, sizeof(before.peer));
	assert_int_equal(w->life.local.scope, 3);
	assert_int_equal(w->life.peer.scope, 0);
	assert_int_equal(w->life.id, before.id);
	assert_int_equal(w->life.netns, before.netns);
	assert_int_equal(w->life.ifindex, 3);
	assert_int_equal(w->life.protocol, IPPROTO_TCP);
	assert_int_equal(w->life.options, WIRE_O_BINDTODEVICE);
	assert_int_equal(w->event.options, WIRE_O_BINDTODEVICE);
	assert_true(w->life.ended && w->life.time_wait && w->life.chosen);
	assert_int_equal(w->who.pid, 100);
	tenure.released_ns = 62000100;
	assert_memory_equal(&w->tenure, &tenure, sizeof(tenure));
	feed_edge(w, WIRE_TW_END, 1, 62000101, 40000, 0);
	SAID(w, "");
	assert_int_equal(core_summary(w->core)->events[EVENT_RELEASE], 1);
	assert_int_equal(core_summary(w->core)->lives, 1);
}

static void the_release_after_the_end_of_a_link_local_peer(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000000, 0, 40000);

	c.sock.family = AF_INET6;
	memcpy(c.sock.peer, "\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	c.sock.scope = 3;
	FEED(w, c);
	feed_time_wait(w, 1, 2000100, 40000);
	feed_edge(w, WIRE_TW_END, 1, 62000100, 40000, 0);
	assert_int_equal(w->event.kind, EVENT_RELEASE);
	assert_int_equal(w->life.local.scope, 0);
	assert_int_equal(w->life.peer.scope, 3);
}

/* The program keeps the descriptor for longer than the kernel keeps the port. */
static void time_wait_ends_before_the_socket(void **state)
{
	struct world *w = *state;
	struct wire_end end = end_new(1, 90000002);

	feed_client(w, 1);
	feed_edge(w, WIRE_TW_END, 1, 62000100, 40000, 0);
	end.close_ns = 90000000;
	end.time_wait_ns = 2000100;
	end.flags = WIRE_E_TIME_WAIT | WIRE_E_INFERRED;
	end.port = 40000;
	FEED(w, end);
	feed_edge(w, WIRE_TW_END, 1, 90000003, 40000, 0);
	SAID(w, "2000000 #1 connect 40000 connect IE +\n"
		"62000100 #1 release 40000 connect IE\n"
		"2000100 #1 time_wait 40000 connect IE\n"
		"90000000 #1 close 0 -\n"
		"life #1 ended time_wait: 40000 connect IE 2000000..62000100\n");
}

/* The connection is over, the descriptor is not: it takes another port, TIME_WAIT keeps the first.
 */
static void the_socket_goes_on_without_its_time_wait(void **state)
{
	struct world *w = *state;
	struct wire_call again = port_call(WIRE_BIND, 1, 3000000, 0, 40002);
	struct wire_end end = end_new(1, 4000001);

	feed_client(w, 1);
	feed_edge(w, WIRE_TIME_WAIT, 1, 2000100, 40000, 0);
	call_request(&again, 0);
	again.facts |= WIRE_F_SEARCHED;
	FEED(w, again);
	end.close_ns = 4000000;
	end.release_ns = 4000001;
	end.port = 40002;
	FEED(w, end);
	feed_edge(w, WIRE_TW_END, 1, 62000100, 40000, 0);
	SAID(w, "2000000 #1 connect 40000 connect IE +\n"
		"2000100 #1 time_wait 40000 connect IE\n"
		"3000000 #1 bind 40002 bind0 -E +\n"
		"4000000 #1 close 40002 bind0 -E\n"
		"4000001 #1 release 40002 bind0 -E\n"
		"life #1 ended time_wait: 40000 connect IE 2000000..?, 40002 bind0 -E "
		"3000000..4000001\n"
		"62000100 #1 release 40000 connect IE\n");
}

/* A port that bind() named stays with the socket and goes to TIME_WAIT: free when both are through.
 */
static void time_wait_and_the_socket_have_the_port(void **state)
{
	struct world *w = *state;
	struct wire_call bind = port_call(WIRE_BIND, 1, 1000000, 0, 81);
	struct wire_edge waits = edge_new(WIRE_TIME_WAIT, 1, 2000100, 81, 0);
	struct wire_call other = port_call(WIRE_BIND, 2, 1000001, 0, 82);
	struct wire_edge other_waits = edge_new(WIRE_TIME_WAIT, 2, 2000101, 82, 0);
	struct wire_end end = end_new(1, 4000001), other_end = end_new(2, 90000000);

	call_request(&bind, 81);
	call_request(&other, 82);
	waits.keeps = other_waits.keeps = 1;
	end.release_ns = 4000000;
	end.port = 81;
	other_end.release_ns = 90000000;
	other_end.port = 82;
	FEED(w, bind);
	FEED(w, other);
	FEED(w, waits);
	FEED(w, other_waits);
	FEED(w, end);
	feed_edge(w, WIRE_TW_END, 1, 62000100, 81, 0);
	feed_edge(w, WIRE_TW_END, 2, 62000101, 82, 0);
	FEED(w, other_end);
	SAID(w, "1000000 #1 bind 81 bind -- +\n"
		"1000001 #2 bind 82 bind -- +\n"
		"2000100 #1 time_wait 81 bind --\n"
		"2000101 #2 time_wait 82 bind --\n"
		"life #1 ended time_wait: 81 bind -- 1000000..?\n"
		"62000100 #1 release 81 bind --\n"
		"90000000 #2 release 82 bind --\n"
		"life #2 ended time_wait: 82 bind -- 1000001..90000000\n");
}

/* ... is taken to last its minute, and its end is not told of. */
static void a_time_wait_whose_end_cannot_be_seen(void **state)
{
	struct filter all = { .states = true };
	struct world *w = world_new(&all);
	const uint64_t minute_ns = 60000000000;
	struct wire_head tick = head_new(WIRE_TICK, sizeof(tick), 2000100 + minute_ns / 2);

	(void)state;
	world_start(w, WIRE_B_TIME_WAIT_END);
	feed_client(w, 1);
	feed_time_wait(w, 1, 2000100, 40000);
	feed_client(w, 2);
	feed_time_wait(w, 2, 2000100 + minute_ns / 2, 40000);
	w->story[w->story_len = 0] = 0;
	FEED(w, tick);
	tick.ts_ns = 2000200 + minute_ns; /* the first is over */
	FEED(w, tick);
	feed_edge(w, WIRE_TW_END, 1, tick.ts_ns + 1, 40000, 0);
	SAID(w, "");
	feed_edge(w, WIRE_TW_END, 2, tick.ts_ns + 2, 40000, 0); /* the second is not */
	SAID(w, "60002000202 #2 release 40000 connect IE\n");
	world_free(w);
}

/* The record of its end was lost: it is forgotten some minutes later. */
static void a_time_wait_is_not_waited_for_for_ever(void **state)
{
	struct world *w = *state;
	const uint64_t minute_ns = 60000000000;

	feed_client(w, 1);
	feed_time_wait(w, 1, 2000100, 40000);
	feed_client(w, 2);
	feed_time_wait(w, 2, 2000100 + 3 * minute_ns, 40000);
	feed_client(w, 3);
	feed_time_wait(w, 3, 2000200 + 5 * minute_ns, 40000);
	w->story[w->story_len = 0] = 0;
	feed_edge(w, WIRE_TW_END, 1, 2000200 + 5 * minute_ns, 40000, 0);
	SAID(w, "");
	feed_edge(w, WIRE_TW_END, 2, 300000000001, 40000, 0);
	SAID(w, "300000000001 #2 release 40000 connect IE\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(existing_is_told_and_its_origin_unknown),
		WORLD_TEST(existing_bound_by_connect),
		WORLD_TEST(bound_before_the_start),
		WORLD_TEST(found_by_a_pass_without_being_old),
		WORLD_TEST(a_child_never_accepted),
		WORLD_TEST(a_child_found_dead),
		WORLD_TEST(a_child_reset_before_accept),
		WORLD_TEST(a_child_from_before_the_start),
		WORLD_TEST(a_transparent_listener_says_nothing_of_its_childs_port),
		WORLD_TEST(the_owner_is_who_touched_it_last),
		WORLD_TEST(the_owner_may_be_nobody),
		WORLD_TEST(the_steps_of_an_end_come_in_their_order),
		WORLD_TEST(an_end_that_says_little),
		WORLD_TEST(released_once),
		WORLD_TEST(unknown_sockets_are_left_alone),
		WORLD_TEST(the_release_after_the_end),
		WORLD_TEST(the_release_after_the_end_of_a_link_local_peer),
		WORLD_TEST(time_wait_ends_before_the_socket),
		WORLD_TEST(the_socket_goes_on_without_its_time_wait),
		WORLD_TEST(time_wait_and_the_socket_have_the_port),
		cmocka_unit_test(a_time_wait_whose_end_cannot_be_seen),
		WORLD_TEST(a_time_wait_is_not_waited_for_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
