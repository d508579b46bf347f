/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_memory.c: what lives cost. A run needs what its busiest moment needed, however much has
 * passed.
 */
#include <malloc.h>

#include "tests/unit/records.h"
#include "user/core/lives.h"

static size_t in_use(void)
{
	struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* A sanitizer's malloc() does not say. */
static void need_counts(void)
{
	void *volatile some = malloc(1000);
	bool counts = in_use() >= 1000;

	free(some);
	if (!counts) {
		print_message("skipped: mallinfo2() does not count here\n");
		skip();
	}
}

/* A sink would only slow this down. */
static struct core *quiet_core(const struct filter *f)
{
	union start_record start = start_new("6.1", "box", "", 0);
	struct core *core = core_new(f, NULL, 0);

	assert_non_null(core);
	assert_int_equal(core_feed(core, &start, start.start.head.len_bytes), 0);
	return core;
}

/* bind(0), connect, refused, connect: two tenures and more phases than a slot has room for. */
static void feed_long_life(struct core *core, uint64_t id, uint64_t ts_ns)
{
	struct wire_call c = port_call(WIRE_BIND, id, ts_ns, 0, 40000);
	struct wire_edge e = edge_new(WIRE_CONNECT_ERROR, id, ts_ns + 20, 0, ECONNREFUSED);

	c.sock.created_ns = ts_ns;
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	for (unsigned int i = 0; i < 8; i++) {
		c = port_call(WIRE_CONNECT, id, ts_ns + 10, i ? 0 : 40000, 40000);
		assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
		assert_int_equal(core_feed(core, &e, sizeof(e)), 0);
		e = edge_new(WIRE_RELEASE, id, ts_ns + 21, 40000, 0);
		assert_int_equal(core_feed(core, &e, sizeof(e)), 0);
		e = edge_new(WIRE_CONNECT_ERROR, id, ts_ns + 20, 0, ECONNREFUSED);
	}
}

static void feed_life(struct core *core, uint64_t id, uint64_t ts_ns, bool time_wait)
{
	struct wire_call c = port_call(WIRE_CONNECT, id, ts_ns, 0, 40000);
	struct wire_edge e = edge_new(WIRE_ESTABLISHED, id, ts_ns + 10, 0, 0);
	struct wire_end end = end_new(id, ts_ns + 30);

	c.sock.created_ns = ts_ns;
	end.close_ns = ts_ns + 20;
	end.port = 40000;
	if (time_wait) {
		end.flags = WIRE_E_TIME_WAIT;
		end.time_wait_ns = ts_ns + 25;
	} else {
		end.release_ns = ts_ns + 25;
	}
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_int_equal(core_feed(core, &e, sizeof(e)), 0);
	assert_int_equal(core_feed(core, &end, sizeof(end)), 0);
	if (time_wait) {
		e = edge_new(WIRE_TW_END, id, ts_ns + 60, 40000, 0);
		assert_int_equal(core_feed(core, &e, sizeof(e)), 0);
	}
}

static void a_million_lives_that_ended_cost_nothing(void **state)
{
	struct filter all = { 0 };
	size_t after_some = 0;
	struct core *core;

	(void)state;
	need_counts();
	core = quiet_core(&all);
	for (uint64_t i = 1; i <= 1000000; i++) {
		feed_life(core, i << 10, BOOT_NS + i * 100, i % 2);
		if (i % 1000 == 0) {
			struct wire_end end = end_new(i << 20 | 1, BOOT_NS + i * 100);

			feed_long_life(core, end.id, BOOT_NS + i * 100);
			assert_int_equal(core_feed(core, &end, sizeof(end)), 0);
		}
		if (i == 10000)
			after_some = in_use();
	}
	assert_int_equal(core_lives(core), 0);
	assert_int_equal(core_summary(core)->lives_ended, 1001000);
	assert_true(in_use() <= after_some);
	core_free(core);
}

static void a_hundred_thousand_live_lives_fit(void **state)
{
	struct filter all = { 0 };
	size_t before = in_use(), cost;
	struct core *core;

	(void)state;
	need_counts();
	core = quiet_core(&all);
	for (uint64_t i = 1; i <= 100000; i++) {
		struct wire_call c = port_call(WIRE_CONNECT, i << 10, BOOT_NS + i, 0, 40000);
		struct wire_edge e = edge_new(WIRE_ESTABLISHED, i << 10, BOOT_NS + i, 0, 0);

		c.sock.created_ns = BOOT_NS;
		assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
		assert_int_equal(core_feed(core, &e, sizeof(e)), 0);
	}
	assert_int_equal(core_lives(core), 100000);
	cost = in_use() - before;
	print_message("a life: %zu bytes, a TIME_WAIT: %zu bytes, 100,000 lives: %zu KiB\n",
		      sizeof(struct slot), sizeof(struct remnant), cost / 1024);
	assert_true(cost <= 40u * 1000 * 1000);
	/* and when they are gone, others take their place */
	for (uint64_t i = 1; i <= 100000; i++) {
		struct wire_end end = end_new(i << 10, 3000000 + i);
		struct wire_call c = port_call(WIRE_LISTEN, i << 10 | 1, 3000000 + i, 0, 40000);

		assert_int_equal(core_feed(core, &end, sizeof(end)), 0);
		assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	}
	assert_true(in_use() - before <= cost + cost / 16); /* the hash table may be unlucky */
	core_free(core);
	assert_true(in_use() <= before + 4096); /* what malloc() keeps at hand counts as used */
}

/* A client that connects in a loop with one socket, for weeks. */
static void a_life_of_very_many_steps_does_not_grow(void **state)
{
	struct filter all = { 0 };
	size_t after_some = 0;
	struct core *core;

	(void)state;
	need_counts();
	core = quiet_core(&all);
	for (uint64_t i = 0; i < 100000; i++) {
		feed_long_life(core, 7, BOOT_NS + i * 100);
		if (i == 100)
			after_some = in_use();
	}
	assert_int_equal(core_lives(core), 1);
	assert_true(in_use() <= after_some);
	core_free(core);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_million_lives_that_ended_cost_nothing),
		cmocka_unit_test(a_hundred_thousand_live_lives_fit),
		cmocka_unit_test(a_life_of_very_many_steps_does_not_grow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
