/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_conflict.c: the kernel's rules for two sockets on one port.
 */
#include <arpa/inet.h>

#include "tests/unit/records.h"
#include "user/core/conflict.h"

#define ADDR   WIRE_O_REUSEADDR
#define PORT   WIRE_O_REUSEPORT
#define V6ONLY WIRE_O_V6ONLY

static struct conflict_side side_of(const char *addr, uint16_t options)
{
	struct conflict_side side = { .options = options, .uid = 1000, .uid_known = true };

	side.family = strchr(addr, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(side.family, addr, side.addr), 1);
	return side;
}

static void addresses_overlap_as_in_the_kernel(void **state)
{
	static const struct {
		const char *asked, *holder;
		uint16_t asked_options, holder_options;
		enum conflict_overlap overlap;
	} cases[] = {
		{ "127.0.0.1", "127.0.0.1", 0, 0, OVERLAP_SAME_ADDRESS },
		{ "0.0.0.0", "0.0.0.0", 0, 0, OVERLAP_SAME_ADDRESS },
		{ "127.0.0.1", "127.0.0.2", 0, 0, OVERLAP_NONE },
		{ "127.0.0.1", "0.0.0.0", 0, 0, OVERLAP_WILDCARD_HOLDER },
		{ "0.0.0.0", "127.0.0.1", 0, 0, OVERLAP_WILDCARD_ASKED },
		{ "::1", "::1", 0, 0, OVERLAP_SAME_ADDRESS },
		{ "::", "::", V6ONLY, 0, OVERLAP_SAME_ADDRESS },
		{ "::1", "::", 0, V6ONLY, OVERLAP_WILDCARD_HOLDER },
		{ "::", "::1", V6ONLY, 0, OVERLAP_WILDCARD_ASKED },
		{ "::1", "fe80::1", 0, 0, OVERLAP_NONE },
		{ "::", "0.0.0.0", 0, 0, OVERLAP_DUAL_STACK },
		{ "::", "0.0.0.0", V6ONLY, 0, OVERLAP_NONE },
		{ "0.0.0.0", "::", 0, 0, OVERLAP_DUAL_STACK },
		{ "0.0.0.0", "::", 0, V6ONLY, OVERLAP_NONE },
		{ "127.0.0.1", "::", 0, 0, OVERLAP_DUAL_STACK },
		{ "::", "127.0.0.1", 0, 0, OVERLAP_DUAL_STACK },
		/* bind() to one address of IPv6 makes it one of IPv6 only */
		{ "0.0.0.0", "::1", 0, V6ONLY, OVERLAP_NONE },
		{ "::1", "0.0.0.0", 0, 0, OVERLAP_NONE },
		/* a connection of a socket that was bound to :: */
		{ "0.0.0.0", "::1", 0, 0, OVERLAP_DUAL_STACK },
		{ "127.0.0.1", "::1", 0, 0, OVERLAP_NONE },
		{ "::ffff:127.0.0.1", "::1", 0, 0, OVERLAP_NONE },
		/* an address of IPv4 on a socket of IPv6 */
		{ "127.0.0.1", "::ffff:127.0.0.1", 0, 0, OVERLAP_SAME_ADDRESS },
		{ "::ffff:127.0.0.1", "0.0.0.0", 0, 0, OVERLAP_WILDCARD_HOLDER },
		{ "::ffff:127.0.0.1", "::ffff:127.0.0.2", 0, 0, OVERLAP_NONE },
		{ "::ffff:127.0.0.1", "::", 0, V6ONLY, OVERLAP_NONE },
		{ "::", "::ffff:127.0.0.1", 0, 0, OVERLAP_DUAL_STACK },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conflict_side asked = side_of(cases[i].asked, cases[i].asked_options);
		struct conflict_side holder = side_of(cases[i].holder, cases[i].holder_options);
		struct conflict c = conflict_rule(&asked, &holder, true);

		if (c.overlap != cases[i].overlap)
			print_error("%s against %s\n", cases[i].asked, cases[i].holder);
		assert_int_equal(c.overlap, cases[i].overlap);
		assert_int_equal(c.answer, c.overlap ? YES : NO);
		assert_int_equal(c.reason, c.overlap ? REASON_NO_REUSE : REASON_NONE);
	}
}

enum kind { BOUND, LISTENS, WAITS };

static void options_share_as_in_the_kernel(void **state)
{
	static const struct {
		bool stream;
		uint16_t asked, holder;
		enum kind kind;
		uint32_t holder_uid;
		enum tristate answer;
		enum conflict_reason reason;
	} cases[] = {
		{ true, 0, 0, BOUND, 1000, YES, REASON_NO_REUSE },
		{ true, ADDR, 0, BOUND, 1000, YES, REASON_REUSEADDR_HOLDER },
		{ true, 0, ADDR, BOUND, 1000, YES, REASON_REUSEADDR_ASKED },
		{ true, ADDR, ADDR, BOUND, 1000, NO, REASON_NONE },
		{ true, ADDR, ADDR, LISTENS, 1000, YES, REASON_LISTENING },
		{ true, 0, 0, LISTENS, 1000, YES, REASON_LISTENING },
		{ true, PORT, PORT, LISTENS, 1000, NO, REASON_NONE },
		{ true, PORT, 0, LISTENS, 1000, YES, REASON_REUSEPORT_HOLDER },
		{ true, 0, PORT, LISTENS, 1000, YES, REASON_REUSEPORT_ASKED },
		{ true, ADDR, ADDR | PORT, LISTENS, 1000, YES, REASON_REUSEPORT_ASKED },
		{ true, ADDR, PORT, BOUND, 1000, YES, REASON_REUSEADDR_HOLDER },
		{ true, PORT, PORT, LISTENS, 33, YES, REASON_REUSEPORT_UID },
		{ true, ADDR | PORT, ADDR | PORT, BOUND, 33, NO, REASON_NONE },
		/* a restart: the old socket's options count as much as the new one's */
		{ true, 0, 0, WAITS, 1000, YES, REASON_NO_REUSE },
		{ true, ADDR, 0, WAITS, 1000, YES, REASON_REUSEADDR_HOLDER },
		{ true, 0, ADDR, WAITS, 1000, YES, REASON_REUSEADDR_ASKED },
		{ true, ADDR, ADDR, WAITS, 1000, NO, REASON_NONE },
		{ true, PORT, PORT, WAITS, 33, NO, REASON_NONE }, /* whoever it was */
		{ false, 0, 0, BOUND, 1000, YES, REASON_NO_REUSE },
		{ false, ADDR, 0, BOUND, 1000, YES, REASON_REUSEADDR_HOLDER },
		{ false, ADDR, ADDR, BOUND, 33, NO, REASON_NONE },
		{ false, PORT, PORT, BOUND, 1000, NO, REASON_NONE },
		{ false, PORT, PORT, BOUND, 33, YES, REASON_REUSEPORT_UID },
		{ false, PORT, 0, BOUND, 1000, YES, REASON_REUSEPORT_HOLDER },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conflict_side asked = side_of("0.0.0.0", cases[i].asked);
		struct conflict_side holder = side_of("0.0.0.0", cases[i].holder);
		struct conflict c;

		holder.uid = cases[i].holder_uid;
		holder.listening = cases[i].kind == LISTENS;
		holder.time_wait = cases[i].kind == WAITS;
		c = conflict_rule(&asked, &holder, cases[i].stream);
		if (c.answer != cases[i].answer || c.reason != cases[i].reason)
			print_error("case %zu\n", i);
		assert_int_equal(c.answer, cases[i].answer);
		assert_int_equal(c.reason, cases[i].reason);
	}
}

static void a_user_that_is_not_known_leaves_it_open(void **state)
{
	struct conflict_side asked = side_of("0.0.0.0", PORT), holder = side_of("0.0.0.0", PORT);
	struct conflict c;

	(void)state;
	holder.uid_known = false;
	c = conflict_rule(&asked, &holder, true);
	assert_int_equal(c.answer, NULL_STATE);
	assert_int_equal(c.reason, REASON_REUSEPORT_UID);
	holder.options = ADDR;
	asked.options = ADDR; /* then it does not matter */
	assert_int_equal(conflict_rule(&asked, &holder, true).answer, NO);
}

static void devices_keep_sockets_apart(void **state)
{
	struct conflict_side asked = side_of("0.0.0.0", 0), holder = side_of("0.0.0.0", 0);

	(void)state;
	asked.ifindex = 2;
	assert_int_equal(conflict_rule(&asked, &holder, true).answer, YES);
	assert_false(conflict_rule(&asked, &holder, true).same_device);
	holder.ifindex = 3;
	assert_int_equal(conflict_rule(&asked, &holder, true).answer, NO);
	holder.ifindex = 2;
	assert_int_equal(conflict_rule(&asked, &holder, true).answer, YES);
	assert_true(conflict_rule(&asked, &holder, true).same_device);
}

static void everything_has_a_name(void **state)
{
	(void)state;
	assert_null(conflict_overlap_name(OVERLAP_NONE));
	assert_null(conflict_reason_name(REASON_NONE));
	for (int i = 1; i < OVERLAP_KINDS; i++)
		assert_non_null(conflict_overlap_name((enum conflict_overlap)i));
	for (int i = 1; i < REASON_KINDS; i++)
		assert_non_null(conflict_reason_name((enum conflict_reason)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_overlap_as_in_the_kernel),
		cmocka_unit_test(options_share_as_in_the_kernel),
		cmocka_unit_test(a_user_that_is_not_known_leaves_it_open),
		cmocka_unit_test(devices_keep_sockets_apart),
		cmocka_unit_test(everything_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
