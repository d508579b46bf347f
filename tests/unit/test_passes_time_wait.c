/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_passes_time_wait.c: what walks through the kernel's sockets teach about TIME_WAIT entries.
 */
#include "tests/unit/passes.h"

/* --- TIME_WAIT ---------------------------------------------------------------------------- */

static void a_time_wait_entry_of_nobody(void **state)
{
	struct world *w = *state;

	feed_pass(w, 1, WIRE_PASS_BEGIN, WIRE_P_START | WHOLE, 2000000);
	feed_entry(w, 1, 2000001, 40000, WIRE_F_EXISTING);
	assert_int_equal(w->life.peer.port, 80);
	feed_entry(w, 2, 2000002, 40001, WIRE_F_EXISTING);
	feed_entry(w, 3, 2000003, 0, WIRE_F_EXISTING); /* on its way out */
	feed_pass(w, 1, WIRE_PASS_END, WIRE_P_START | WHOLE, 2000010);
	SAID(w, "2000001 #1 existing 40000 unknown ??\n"
		"2000002 #2 existing 40001 unknown ??\n");
	assert_int_equal(core_lives(w->core), 0);
	feed_edge(w, WIRE_TW_END, 1, 2000020, 40000, 0);
	feed_pass(w, 2, WIRE_PASS_BEGIN, WHOLE, 2000030);
	feed_entry(w, 2, 2000031, 40001, 0);
	feed_entry(w, 4, 2000032, 40002, 0);
	feed_pass(w, 2, WIRE_PASS_END, WHOLE, 2000040);
	SAID(w, "2000020 #1 release 40000 unknown ??\n"
		"2000032 #3 existing 40002 unknown ?? late\n");
	feed_pass(w, 3, WIRE_PASS_BEGIN, WHOLE, 2000050);
	feed_entry(w, 4, 2000051, 40002, 0);
	feed_pass(w, 3, WIRE_PASS_END, WHOLE, 2000060);
	feed_stop(w, 3000000);
	SAID(w, "2000060 #2 release 40001 unknown ?? late\n");
	assert_int_equal(w->summary.lives, 0);
}

static void a_time_wait_entry_of_a_socket_not_chosen(void **state)
{
	uint32_t pid = 300;
	struct filter f = { .states = true, .existing = true, .pids = &pid, .pids_len = 1 };
	struct world *w = world_new(&f);

	(void)state;
	world_start(w, 0);
	feed_entry(w, 1, 2000001, 40000, WIRE_F_EXISTING);
	feed_edge(w, WIRE_TW_END, 1, 2000020, 40000, 0);
	SAID(w, "");
	world_free(w);
}

/* The end of the life was lost. */
static void a_time_wait_entry_of_an_open_life(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000000, 0, 40000);

	FEED(w, c);
	feed_pass(w, 1, WIRE_PASS_BEGIN, WHOLE, 2000010);
	feed_entry(w, 1, 2000011, 40000, 0);
	feed_pass(w, 1, WIRE_PASS_END, WHOLE, 2000020);
	assert_int_equal(core_lives(w->core), 0);
	SAID(w, "2000000 #1 connect 40000 connect IE +\n"
		"2000011 #1 time_wait 40000 connect IE late\n"
		"life #1 ended time_wait late: 40000 connect IE 2000000..?\n");
	feed_time_wait(w, 1, 2000005, 40000); /* its record after all */
	feed_edge(w, WIRE_TW_END, 1, 2000030, 40000, 0);
	SAID(w, "2000030 #1 release 40000 connect IE\n");
	/* the same with another port than the one it had */
	c = port_call(WIRE_CONNECT, 2, 2000100, 0, 40000);
	FEED(w, c);
	feed_entry(w, 2, 2000111, 40001, 0);
	feed_pass(w, 2, WIRE_PASS_BEGIN, WHOLE, 2000120);
	feed_pass(w, 2, WIRE_PASS_END, WHOLE, 2000130);
	SAID(w, "2000100 #2 connect 40000 connect IE +\n"
		"2000111 #2 release 40000 connect IE late\n"
		"2000111 #2 time_wait 40001 unknown ?? late\n"
		"life #2 ended time_wait late: 40000 connect IE 2000100..2000111, "
		"40001 unknown ?? 0..?\n"
		"2000130 #2 release 40001 unknown ?? late\n");
}

static void a_time_wait_entry_that_is_known(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000000, 0, 40000);

	FEED(w, c);
	feed_time_wait(w, 1, 2000005, 40000);
	w->story[w->story_len = 0] = 0;
	feed_pass(w, 1, WIRE_PASS_BEGIN, WHOLE, 2000010);
	feed_entry(w, 1, 2000011, 40000, 0);
	feed_pass(w, 1, WIRE_PASS_END, WHOLE, 2000020);
	SAID(w, "");
	feed_pass(w, 2, WIRE_PASS_BEGIN, WHOLE, 2000030);
	feed_pass(w, 2, WIRE_PASS_END, WHOLE, 2000040);
	SAID(w, "2000040 #1 release 40000 connect IE late\n");
	feed_edge(w, WIRE_TW_END, 1, 2000050, 40000, 0);
	SAID(w, "");
}

/* Where nobody sees the end of TIME_WAIT, a walk that found the entry misses it. */
static void time_wait_where_its_end_is_not_seen(void **state)
{
	struct filter all = { .states = true, .existing = true };
	struct world *w = world_new(&all);

	(void)state;
	world_start(w, WIRE_B_TIME_WAIT_END);
	feed_pass(w, 1, WIRE_PASS_BEGIN, WIRE_P_START | WHOLE, 2000000);
	feed_entry(w, 1, 2000001, 40000, WIRE_F_EXISTING);
	feed_pass(w, 1, WIRE_PASS_END, WIRE_P_START | WHOLE, 2000010);
	feed_pass(w, 2, WIRE_PASS_BEGIN, WHOLE, 2000020);
	feed_pass(w, 2, WIRE_PASS_END, WHOLE, 2000030);
	SAID(w, "2000001 #1 existing 40000 unknown ??\n"
		"2000030 #1 release 40000 unknown ?? late\n");
	world_free(w);
}

/* A bound socket connected while records were lost. */
static void time_wait_told_of_by_its_socket(void **state)
{
	struct filter all = { .states = true, .existing = true };
	struct world *w = world_new(&all);
	struct wire_call client = port_call(WIRE_CONNECT, 1, 2000001, 0, 40000);

	(void)state;
	world_start(w, WIRE_B_TIME_WAIT_END);
	client.sock.peer_port = 80;
	feed_pass(w, 1, WIRE_PASS_BEGIN, WIRE_P_START | WHOLE, 2000000);
	FEED(w, client);
	feed_time_wait(w, 1, 2000002, 40000);
	w->story[w->story_len = 0] = 0;
	feed_entry(w, 2, 2000005, 40000, WIRE_F_EXISTING);
	feed_entry(w, 3, 2000006, 40001, WIRE_F_EXISTING);
	feed_pass(w, 1, WIRE_PASS_END, WIRE_P_START | WHOLE, 2000010);
	feed_pass(w, 2, WIRE_PASS_BEGIN, WHOLE, 2000020);
	feed_pass(w, 2, WIRE_PASS_END, WHOLE, 2000030);
	SAID(w, "2000006 #2 existing 40001 unknown ??\n"
		"2000030 #2 release 40001 unknown ?? late\n");
	world_free(w);
}

/* Where nobody sees them, only a walk after a loss can tell of those that the loss has hidden. */
static void time_wait_hidden_by_a_loss(void **state)
{
	struct filter all = { .states = true, .existing = true };
	struct world *w = world_new(&all);
	struct wire_call before = port_call(WIRE_CONNECT, 1, 2000011, 0, 40000);
	struct wire_call meanwhile = port_call(WIRE_CONNECT, 2, 2000012, 0, 40001);

	(void)state;
	before.sock.peer_port = meanwhile.sock.peer_port = 80;
	world_start(w, WIRE_B_TIME_WAIT_END);
	feed_pass(w, 1, WIRE_PASS_BEGIN, WIRE_P_START | WHOLE, 2000000);
	feed_pass(w, 1, WIRE_PASS_END, WIRE_P_START | WHOLE, 2000010);
	FEED(w, before);
	FEED(w, meanwhile);
	feed_time_wait(w, 1, 2000013, 40000);
	w->story[w->story_len = 0] = 0;
	feed_pass(w, 2, WIRE_PASS_BEGIN, WHOLE, 2000020);
	feed_time_wait(w, 2, 2000021, 40001);
	w->story[w->story_len = 0] = 0;
	feed_entry(w, 5, 2000022, 40000, 0);
	feed_entry(w, 6, 2000023, 40001, 0);
	feed_entry(w, 7, 2000024, 40002, 0);
	feed_pass(w, 2, WIRE_PASS_END, WHOLE, 2000030);
	SAID(w, "2000024 #3 existing 40002 unknown ?? late\n");
	feed_edge(w, WIRE_TW_END, 5, 2000040, 40000, 0);
	feed_edge(w, WIRE_TW_END, 7, 2000041, 40002, 0);
	SAID(w, "2000041 #3 release 40002 unknown ??\n");
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_time_wait_entry_of_nobody),
		cmocka_unit_test(a_time_wait_entry_of_a_socket_not_chosen),
		WORLD_TEST(a_time_wait_entry_of_an_open_life),
		WORLD_TEST(a_time_wait_entry_that_is_known),
		cmocka_unit_test(time_wait_where_its_end_is_not_seen),
		cmocka_unit_test(time_wait_told_of_by_its_socket),
		cmocka_unit_test(time_wait_hidden_by_a_loss),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
