/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_run.c: a stream as a whole: how it must begin and end, what the summary says, what happens
 * when a sink gives up.
 */
#include "tests/unit/records.h"

static struct world *world_unstarted(void)
{
	struct filter all = { .states = true, .existing = true };

	return world_new(&all);
}

static void the_start_says_what_the_run_is(void **state)
{
	static const char args[] = "python3\0-c\0\0print(1)";
	struct world *w = world_unstarted();
	union start_record start = start_new("6.12.95", "box", args, sizeof(args));

	(void)state;
	start.start.blind = WIRE_B_HOLDERS;
	FEED(w, start);
	assert_int_equal(w->run->boot_ns, BOOT_NS);
	assert_int_equal(w->run->wall_ns, 1700000000000000000);
	assert_int_equal(w->run->backend, WIRE_FENTRY);
	assert_int_equal(w->run->blind, WIRE_B_HOLDERS);
	assert_int_equal(w->run->netns, 4026531840);
	assert_int_equal(w->run->range_lo, 32768);
	assert_int_equal(w->run->range_hi, 60999);
	assert_true(w->run->pid_initial);
	assert_string_equal(w->run->kernel, "6.12.95");
	assert_string_equal(w->run->host, "box");
	memset(&start, 0, sizeof(start)); /* the strings are core's own */
	assert_string_equal(w->run->command[0], "python3");
	assert_string_equal(w->run->command[1], "-c");
	assert_string_equal(w->run->command[2], "");
	assert_string_equal(w->run->command[3], "print(1)");
	assert_null(w->run->command[4]);
	assert_true(core_summary(w->core)->has_command);
	assert_int_equal(core_summary(w->core)->command_exit, -1);
	assert_int_equal(core_summary(w->core)->command_signal, 0);
	world_free(w);
}

static void a_start_without_much(void **state)
{
	struct world *w = world_unstarted();
	union start_record start = start_new("", "", "", 0);

	(void)state;
	start.start.range_lo = 5; /* read while it was being changed: not a range */
	start.start.range_hi = 4;
	FEED(w, start);
	assert_string_equal(w->run->kernel, "");
	assert_string_equal(w->run->host, "");
	assert_null(w->run->command);
	assert_int_equal(w->run->range_lo, 0);
	assert_int_equal(w->run->range_hi, 0);
	assert_false(core_summary(w->core)->has_command);
	world_free(w);
}

static void nothing_before_the_start_or_after_the_stop(void **state)
{
	struct world *w = world_unstarted();
	union start_record start = start_new("6.1", "box", "", 0);
	struct wire_call c = port_call(WIRE_LISTEN, 1, 2000000, 0, 80);

	(void)state;
	assert_int_equal(feed(w, &c), -EBADMSG);
	assert_int_equal(core_lives(w->core), 0);
	FEED(w, start);
	assert_int_equal(feed(w, &start), -EBADMSG);
	FEED(w, c);
	feed_stop(w, 3000000);
	assert_int_equal(feed(w, &c), -EBADMSG);
	assert_int_equal(feed(w, &start), -EBADMSG);
	SAID(w, "2000000 #1 listen 80 listen IE +\n"
		"life #1 open: 80 listen IE 2000000..\n");
	world_free(w);
}

static void records_need_not_be_aligned(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_LISTEN, 1, 2000000, 0, 80);
	char buffer[sizeof(c) + 1];

	memcpy(buffer + 1, &c, sizeof(c));
	assert_int_equal(core_feed(w->core, buffer + 1, sizeof(c)), 0);
	SAID(w, "2000000 #1 listen 80 listen IE +\n");
}

static void a_record_that_is_refused_changes_nothing(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_LISTEN, 1, 2000000, 0, 80);

	c.cause = 1;
	assert_int_equal(feed(w, &c), -EBADMSG);
	c.cause = 0;
	assert_int_equal(core_feed(w->core, &c, sizeof(c) - 1), -EBADMSG);
	SAID(w, "");
	assert_int_equal(core_lives(w->core), 0);
	assert_int_equal(core_summary(w->core)->ts_ns, BOOT_NS);
}

static void open_lives_are_told_in_the_order_of_their_numbers(void **state)
{
	static const uint64_t ids[] = { 900, 100, 500, 300, 700 };
	struct world *w = *state;

	for (size_t i = 0; i < 5; i++) {
		struct wire_call c =
			port_call(WIRE_LISTEN, ids[i], 2000000 + i, 0, (uint16_t)(80 + i));

		FEED(w, c);
	}
	feed_end(w, 100, 2000100, 81);
	w->story[w->story_len = 0] = 0;
	feed_stop(w, 2000200);
	SAID(w, "life #1 open: 80 listen IE 2000000..\n"
		"life #3 open: 82 listen IE 2000002..\n"
		"life #4 open: 83 listen IE 2000003..\n"
		"life #5 open: 84 listen IE 2000004..\n");
	assert_true(w->summary.complete);
	assert_int_equal(w->summary.ts_ns, 2000200);
	assert_int_equal(w->summary.lives, 5);
	assert_int_equal(w->summary.lives_ended, 1);
}

static void the_summary_counts(void **state)
{
	struct world *w = *state;
	struct wire_lost lost = { .head = head_new(WIRE_LOST, sizeof(lost), 2000050),
				  .count = 7,
				  .cause = WIRE_LOST_SOCKETS,
				  .cpu = 3 };
	struct wire_command command = { .head = head_new(WIRE_COMMAND, sizeof(command), 2000060),
					.exit = 42 };
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 80);

	call_request(&c, 80);
	FEED(w, c);
	c = port_call(WIRE_BIND, 2, 2000001, 0, 40000);
	call_request(&c, 0);
	FEED(w, c);
	c = port_call(WIRE_CONNECT, 3, 2000002, 0, 40001);
	FEED(w, c);
	c = port_call(WIRE_LISTEN, 4, 2000003, 0, 40002);
	FEED(w, c);
	for (uint64_t id = 5; id < 8; id++) {
		c = port_call(WIRE_BIND, id, 2000004, 0, 0);
		call_request(&c, 80);
		c.error = id == 5 ? EACCES : EADDRINUSE;
		FEED(w, c);
	}
	w->story[w->story_len = 0] = 0;
	FEED(w, lost);
	SAID(w, "2000050 lost 7 cause 2 cpu 3\n");
	lost.count = 5;
	FEED(w, lost);
	FEED(w, command);
	feed_stop(w, 2000100);
	assert_int_equal(w->summary.events[EVENT_BIND], 5);
	assert_int_equal(w->summary.events[EVENT_CONNECT], 1);
	assert_int_equal(w->summary.events[EVENT_LISTEN], 1);
	assert_int_equal(w->summary.origins[ORIGIN_BIND], 1);
	assert_int_equal(w->summary.origins[ORIGIN_BIND0], 1);
	assert_int_equal(w->summary.origins[ORIGIN_CONNECT], 1);
	assert_int_equal(w->summary.origins[ORIGIN_LISTEN], 1);
	assert_int_equal(w->summary.implicit, 2);
	assert_int_equal(w->summary.ephemeral, 3);
	assert_int_equal(w->summary.errors_len, 2);
	assert_int_equal(w->summary.errors[0].error, EACCES);
	assert_int_equal(w->summary.errors[0].count, 1);
	assert_int_equal(w->summary.errors[1].error, EADDRINUSE);
	assert_int_equal(w->summary.errors[1].count, 2);
	assert_int_equal(w->summary.lives, 7);
	assert_int_equal(w->summary.lives_ended, 0);
	assert_int_equal(w->summary.lost, 12);
	assert_int_equal(w->summary.shown, 7);
	assert_true(w->summary.has_command);
	assert_int_equal(w->summary.command_exit, 42);
	assert_int_equal(w->summary.command_signal, 0);
}

static void errnos_past_the_table_are_summed(void **state)
{
	struct world *w = *state;
	const struct run_summary *s = core_summary(w->core);
	uint64_t sum = 0;

	for (int round = 0; round < 2; round++) {
		for (int error = 1; error <= 100; error++) {
			struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 0);

			c.error = error;
			FEED(w, c);
			w->story[w->story_len = 0] = 0;
		}
	}
	assert_int_equal(s->errors_len, 64);
	for (int i = 0; i < 63; i++) {
		assert_int_equal(s->errors[i].error, i + 1);
		assert_int_equal(s->errors[i].count, 2);
	}
	assert_int_equal(s->errors[63].error, 0);
	for (int i = 0; i < 64; i++)
		sum += s->errors[i].count;
	assert_int_equal(sum, 200);
}

static void what_a_sink_returns_comes_back(void **state)
{
	struct world *w = world_unstarted();
	union start_record start = start_new("6.1", "box", "", 0);
	struct wire_lost lost = { .head = head_new(WIRE_LOST, sizeof(lost), 2000050),
				  .count = 7,
				  .cause = WIRE_LOST_BUFFER };
	struct wire_end end = end_new(1, 2000100);
	struct wire_stop stop = { .head = head_new(WIRE_STOP, sizeof(stop), 2000200) };
	struct wire_call c = port_call(WIRE_LISTEN, 1, 2000000, 0, 80);

	(void)state;
	w->sink_returns = -EPIPE;
	assert_int_equal(feed(w, &start), -EPIPE);
	assert_int_equal(feed(w, &c), -EPIPE);
	assert_int_equal(feed(w, &lost), -EPIPE);
	assert_int_equal(feed(w, &end), -EPIPE); /* the life line */
	c.sock.id = 2;
	assert_int_equal(feed(w, &c), -EPIPE);
	assert_int_equal(feed(w, &stop), -EPIPE);
	world_free(w);
}

/* A sink may care for some of the calls only; several sinks hear the same. */
static void sinks_may_be_many_and_deaf(void **state)
{
	static const struct sink_ops deaf = { .event = NULL };
	struct filter f = { .states = true };
	struct sink sinks[] = { { .ops = &deaf }, { .ops = &world_ops }, { .ops = &world_ops } };
	struct world *a = world_new(&f), *b = world_new(&f);
	struct core *core;
	union start_record start = start_new("6.1", "box", "", 0);
	struct wire_call c = port_call(WIRE_LISTEN, 1, 2000000, 0, 80);
	struct wire_lost lost = { .head = head_new(WIRE_LOST, sizeof(lost), 2000050),
				  .count = 7,
				  .cause = WIRE_LOST_BUFFER };
	struct wire_stop stop = { .head = head_new(WIRE_STOP, sizeof(stop), 2000200) };

	(void)state;
	sinks[1].self = a;
	sinks[2].self = b;
	core = core_new(&f, sinks, 3);
	assert_int_equal(core_feed(core, &start, start.start.head.len_bytes), 0);
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_int_equal(core_feed(core, &lost, sizeof(lost)), 0);
	assert_int_equal(core_feed(core, &stop, sizeof(stop)), 0);
	assert_string_equal(a->story, b->story);
	SAID(a, "2000000 #1 listen 80 listen IE +\n"
		"2000050 lost 7 cause 1 cpu 0\n"
		"life #1 open: 80 listen IE 2000000..\n");
	assert_true(a->has_summary && b->has_summary);
	core_free(core);
	world_free(a);
	world_free(b);
}

static void free_takes_null(void **state)
{
	(void)state;
	core_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_start_says_what_the_run_is),
		cmocka_unit_test(a_start_without_much),
		cmocka_unit_test(nothing_before_the_start_or_after_the_stop),
		WORLD_TEST(records_need_not_be_aligned),
		WORLD_TEST(a_record_that_is_refused_changes_nothing),
		WORLD_TEST(open_lives_are_told_in_the_order_of_their_numbers),
		WORLD_TEST(the_summary_counts),
		WORLD_TEST(errnos_past_the_table_are_summed),
		cmocka_unit_test(what_a_sink_returns_comes_back),
		cmocka_unit_test(sinks_may_be_many_and_deaf),
		cmocka_unit_test(free_takes_null),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
