/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_loss.c: what becomes of a life when records of it are lost, and when there are very many.
 */
#include "tests/unit/records.h"

/* --- loss -------------------------------------------------------------------------------- */

static void a_release_was_lost(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000000, 0, 40000);

	FEED(w, c);
	/* it has none before the call: the first tenure is over, since when is not known */
	c = port_call(WIRE_CONNECT, 1, 2000100, 0, 40001);
	FEED(w, c);
	/* it has another than before: the assignment was not seen either */
	c = port_call(WIRE_CONNECT, 1, 2000200, 40002, 40002);
	FEED(w, c);
	assert_false(w->life.existing);
	feed_end(w, 1, 2000300, 40002);
	SAID(w, "2000000 #1 connect 40000 connect IE +\n"
		"2000100 #1 release 40000 connect IE late\n"
		"2000100 #1 connect 40001 connect IE +\n"
		"2000200 #1 release 40001 connect IE late\n"
		"2000200 #1 connect 40002 unknown ??\n"
		"2000300 #1 close 40002 unknown ??\n"
		"2000301 #1 release 40002 unknown ??\n"
		"life #1 ended: 40000 connect IE 2000000..2000100, "
		"40001 connect IE 2000100..2000200, 40002 unknown ?? 0..2000301\n");
	assert_int_equal(core_summary(w->core)->origins[ORIGIN_CONNECT], 2);
	assert_int_equal(core_summary(w->core)->origins[ORIGIN_UNKNOWN], 0);
}

static void the_port_changed_within_a_call(void **state)
{
	struct wire_call c = port_call(WIRE_LISTEN, 1, 2000000, 5000, 5000);

	c.sock.created_ns = BOOT_NS + 1;
	FEED(*state, c);
	c = port_call(WIRE_LISTEN, 1, 2000100, 5000, 5001);
	FEED(*state, c);
	feed_end(*state, 1, 2000200, 5001);
	SAID((struct world *)*state, "2000000 #1 listen 5000 unknown ??\n"
				     "2000100 #1 release 5000 unknown ?? late\n"
				     "2000100 #1 listen 5001 unknown ??\n"
				     "2000200 #1 close 5001 unknown ??\n"
				     "2000201 #1 release 5001 unknown ??\n"
				     "life #1 ended: 5000 unknown ?? 0..2000100, 5001 unknown ?? "
				     "0..2000201\n");
}

static void a_pass_finds_what_was_lost(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000000, 0, 40000);

	FEED(w, c);
	c = port_call(WIRE_FOUND, 1, 2000100, 0, 0);
	FEED(w, c);
	c = port_call(WIRE_FOUND, 1, 2000200, 5000, 5000);
	FEED(w, c);
	feed_end(w, 1, 2000300, 5000);
	SAID(w, "2000000 #1 connect 40000 connect IE +\n"
		"2000100 #1 release 40000 connect IE late\n"
		"2000200 #1 existing 5000 unknown ?? late\n"
		"2000300 #1 close 5000 unknown ??\n"
		"2000301 #1 release 5000 unknown ??\n"
		"life #1 ended: 40000 connect IE 2000000..2000100, 5000 unknown ?? "
		"0..2000301\n");
}

static void a_release_of_a_port_never_seen(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000000, 0, 40000);

	FEED(w, c);
	feed_edge(w, WIRE_RELEASE, 1, 2000100, 5000, 0);
	feed_end(w, 1, 2000300, 0);
	SAID(w, "2000000 #1 connect 40000 connect IE +\n"
		"2000100 #1 release 40000 connect IE late\n"
		"2000100 #1 release 5000 unknown ??\n"
		"2000300 #1 close 0 -\n"
		"life #1 ended: 40000 connect IE 2000000..2000100, 5000 unknown ?? "
		"0..2000100\n");
}

static void time_wait_of_a_port_never_seen(void **state)
{
	struct wire_call c = port_call(WIRE_CONNECT_FAILED, 1, 2000000, 0, 0);

	c.error = ENETUNREACH;
	FEED(*state, c);
	feed_time_wait(*state, 1, 2000100, 40000);
	feed_edge(*state, WIRE_TW_END, 1, 2000200, 40000, 0);
	SAID((struct world *)*state, "2000000 #1 connect_failed 0 - ENETUNREACH\n"
				     "2000100 #1 close 0 -\n"
				     "2000101 #1 time_wait 40000 unknown ??\n"
				     "life #1 ended time_wait: 40000 unknown ?? 0..\n"
				     "2000200 #1 release 40000 unknown ??\n");
	assert_int_equal(core_lives(((struct world *)*state)->core), 0);
}

/* --- very many steps --------------------------------------------------------------------- */

static void a_life_of_many_tenures(void **state)
{
	struct world *w = *state;
	const unsigned int many = 1000;

	for (unsigned int i = 0; i < many; i++) {
		struct wire_call c =
			port_call(WIRE_CONNECT, 1, 2000000 + i * 10, 0, (uint16_t)(40000 + i));

		FEED(w, c);
		feed_edge(w, WIRE_RELEASE, 1, 2000005 + i * 10, (uint16_t)(40000 + i), 0);
		assert_int_equal(w->tenure.port, 40000 + i);
		assert_int_equal(w->tenure.released_ns, 2000005 + i * 10);
		w->story[w->story_len = 0] = 0;
	}
	assert_int_equal(w->life.tenures_len, 64);
	assert_int_equal(w->life.tenures_omitted, many - 64);
	assert_int_equal(w->life.phases_len, 64);
	assert_int_equal(w->life.phases_omitted, 2 * many - 64);
	for (unsigned int i = 0; i < 63; i++) {
		assert_int_equal(w->life.tenures[i].port, 40000 + i);
		assert_int_equal(w->life.phases[i].kind, i % 2 ? EVENT_RELEASE : EVENT_CONNECT);
		assert_int_equal(w->life.phases[i].ts_ns, 2000000 + i / 2 * 10 + i % 2 * 5);
	}
	assert_int_equal(w->life.tenures[63].port, 40000 + many - 1);
	assert_int_equal(core_summary(w->core)->origins[ORIGIN_CONNECT], many);
}

static void phases_of_a_life(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 0);

	call_request(&c, 80);
	c.error = EADDRINUSE;
	c.sock.created_ns = 1999999;
	FEED(w, c);
	assert_int_equal(w->life.phases_len, 2);
	assert_int_equal(w->life.phases[0].kind, PHASE_CREATED);
	assert_int_equal(w->life.phases[0].ts_ns, 1999999);
	assert_int_equal(w->life.phases[1].kind, EVENT_BIND);
	assert_int_equal(w->life.phases[1].error, EADDRINUSE);
	assert_int_equal(w->life.created_ns, 1999999);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_release_was_lost),
		WORLD_TEST(the_port_changed_within_a_call),
		WORLD_TEST(a_pass_finds_what_was_lost),
		WORLD_TEST(a_release_of_a_port_never_seen),
		WORLD_TEST(time_wait_of_a_port_never_seen),
		WORLD_TEST(a_life_of_many_tenures),
		WORLD_TEST(phases_of_a_life),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
