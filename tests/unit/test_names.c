/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_names.c: the names of cgroups, namespaces and devices, and the words of portlife itself.
 */
#include "tests/unit/records.h"

#include "user/core/names.h"

static void names_are_found_by_kind_number_and_namespace(void **state)
{
	struct world *w = *state;
	union name_record cgroup = name_new(WIRE_NAME_CGROUP, 5, 0, "/user.slice");
	union name_record netns = name_new(WIRE_NAME_NETNS, 5, 0, "blue");
	union name_record device = name_new(WIRE_NAME_DEVICE, 5, 111, "eth0");
	union name_record other = name_new(WIRE_NAME_DEVICE, 5, 222, "wg0-of-15-bytes");

	assert_null(names_find(w->names, WIRE_NAME_CGROUP, 5, 0));
	FEED(w, cgroup);
	FEED(w, netns);
	FEED(w, device);
	FEED(w, other);
	assert_string_equal(names_find(w->names, WIRE_NAME_CGROUP, 5, 0), "/user.slice");
	assert_string_equal(names_find(w->names, WIRE_NAME_NETNS, 5, 0), "blue");
	assert_string_equal(names_find(w->names, WIRE_NAME_DEVICE, 5, 111), "eth0");
	assert_string_equal(names_find(w->names, WIRE_NAME_DEVICE, 5, 222), "wg0-of-15-bytes");
	assert_null(names_find(w->names, WIRE_NAME_DEVICE, 5, 333));
	assert_null(names_find(w->names, WIRE_NAME_CGROUP, 6, 0));
	/* only the index of a device needs a namespace */
	assert_string_equal(names_find(w->names, WIRE_NAME_CGROUP, 5, 111), "/user.slice");
	assert_null(names_find(NULL, WIRE_NAME_CGROUP, 5, 0));
}

static void a_later_name_replaces_the_first(void **state)
{
	struct world *w = *state;
	union name_record name = name_new(WIRE_NAME_NETNS, 5, 0, "blue");

	FEED(w, name);
	name = name_new(WIRE_NAME_NETNS, 5, 0, "a longer name than before");
	FEED(w, name);
	assert_string_equal(names_find(w->names, WIRE_NAME_NETNS, 5, 0),
			    "a longer name than before");
	name = name_new(WIRE_NAME_NETNS, 5, 0, "");
	FEED(w, name);
	assert_null(names_find(w->names, WIRE_NAME_NETNS, 5, 0));
}

/* Weeks of short-lived cgroups: those that are asked for stay, the others make room. */
static void names_do_not_grow_for_ever(void **state)
{
	struct world *w = *state;
	union name_record name;
	size_t kept = 0;

	name = name_new(WIRE_NAME_CGROUP, 1, 0, "/kept");
	FEED(w, name);
	for (uint64_t id = 2; id <= 10 * NAMES_MAX; id++) {
		name = name_new(WIRE_NAME_CGROUP, id, 0, "/passing");
		FEED(w, name);
		if (id % 1000 == 0)
			assert_string_equal(names_find(w->names, WIRE_NAME_CGROUP, 1, 0), "/kept");
	}
	for (uint64_t id = 1; id <= 10 * NAMES_MAX; id++)
		kept += names_find(w->names, WIRE_NAME_CGROUP, id, 0) != NULL;
	assert_int_equal(kept, NAMES_MAX);
	assert_non_null(names_find(w->names, WIRE_NAME_CGROUP, 10 * NAMES_MAX, 0));
}

static void words_of_events_and_origins(void **state)
{
	static const char *const events[] = { "bind",	     "listen",	       "connect",
					      "established", "connect_failed", "accept",
					      "send",	     "disconnect",     "close",
					      "time_wait",   "release",	       "existing" };
	static const char *const origins[] = { "none",	 "bind", "bind0",  "connect",
					       "listen", "send", "accept", "unknown" };

	(void)state;
	for (int i = 0; i < EVENT_KINDS; i++) {
		assert_string_equal(event_name((enum event_kind)i), events[i]);
		assert_string_equal(phase_name((uint8_t)i), events[i]);
	}
	assert_string_equal(phase_name(PHASE_CREATED), "created");
	assert_string_equal(phase_name(255), "?");
	for (int i = 0; i < ORIGIN_KINDS; i++)
		assert_string_equal(origin_name((enum port_origin)i), origins[i]);
	assert_null(by_name(BY_NONE));
	assert_string_equal(by_name(BY_USER), "user");
	assert_string_equal(by_name(BY_IO_URING), "io_uring");
	assert_string_equal(by_name(BY_KERNEL), "kernel");
	assert_string_equal(by_name(BY_BPF), "bpf");
}

static void words_of_sockets(void **state)
{
	(void)state;
	assert_string_equal(protocol_name(IPPROTO_TCP), "tcp");
	assert_string_equal(protocol_name(IPPROTO_UDP), "udp");
	assert_string_equal(protocol_name(262), "mptcp");
	assert_null(protocol_name(0));
	assert_string_equal(family_name(AF_INET), "inet");
	assert_string_equal(family_name(AF_INET6), "inet6");
	assert_string_equal(family_name(AF_UNIX), "unix");
	assert_string_equal(family_name(AF_NETLINK), "netlink");
	assert_string_equal(family_name(AF_VSOCK), "vsock");
	assert_null(family_name(AF_UNSPEC));
	assert_string_equal(option_name(0), "reuseaddr");
	assert_string_equal(option_name(2), "bind_address_no_port");
	assert_string_equal(option_name(6), "bindtodevice");
	assert_string_equal(option_name(7), "?");
	assert_string_equal(blind_name(0), "search_ns");
	assert_string_equal(blind_name(10), "fd");
	assert_string_equal(blind_name(11), "ping_send");
	assert_string_equal(blind_name(12), "families");
	assert_string_equal(blind_name(13), "?");
	assert_string_equal(backend_name(WIRE_FENTRY), "fentry");
	assert_string_equal(backend_name(WIRE_KPROBE), "kprobe");
	assert_string_equal(backend_name(WIRE_TRACEPOINT), "tracepoint");
	assert_string_equal(backend_name(0), "?");
}

static void words_of_errnos(void **state)
{
	char expected[16];

	(void)state;
	assert_string_equal(errno_symbol(EADDRINUSE), "EADDRINUSE");
	assert_string_equal(errno_symbol(EADDRNOTAVAIL), "EADDRNOTAVAIL");
	assert_string_equal(errno_symbol(EAGAIN), "EAGAIN");
	assert_string_equal(errno_symbol(EOPNOTSUPP), "EOPNOTSUPP");
	assert_string_equal(errno_symbol(EDEADLK), "EDEADLK");
	assert_string_equal(errno_symbol(EHWPOISON), "EHWPOISON");
	assert_string_equal(errno_symbol(512), "ERESTARTSYS");
	assert_string_equal(errno_symbol(524), "ENOTSUPP");
	assert_string_equal(errno_symbol(-1), "E?");
	assert_string_equal(errno_symbol(4100), "E?");
	/* every one has a name, and those without a symbol are told by their number */
	for (int error = 0; error < 4096; error++) {
		const char *symbol = errno_symbol(error);

		snprintf(expected, sizeof(expected), "E%d", error);
		assert_int_equal(symbol[0], 'E');
		if (symbol[1] >= '0' && symbol[1] <= '9' && strcmp(symbol, "E2BIG") != 0)
			assert_string_equal(symbol, expected);
		if (error > 0 && error < 134 && error != 41 && error != 58)
			assert_string_not_equal(symbol, expected);
	}
}

static void what_an_origin_implies(void **state)
{
	static const enum tristate implicit[] = {
		NULL_STATE, NO, NO, YES, YES, YES, NO, NULL_STATE
	};
	static const enum tristate ephemeral[] = { NULL_STATE, NO,  YES, YES,
						   YES,	       YES, NO,	 NULL_STATE };

	(void)state;
	for (int i = 0; i < ORIGIN_KINDS; i++) {
		struct tenure t = { .origin = (uint8_t)i };

		assert_int_equal(tenure_is_implicit(&t), implicit[i]);
		assert_int_equal(tenure_is_ephemeral(&t), ephemeral[i]);
	}
	assert_int_equal(tenure_is_implicit(NULL), NULL_STATE);
	assert_int_equal(tenure_is_ephemeral(NULL), NULL_STATE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(names_are_found_by_kind_number_and_namespace),
		WORLD_TEST(a_later_name_replaces_the_first),
		WORLD_TEST(names_do_not_grow_for_ever),
		cmocka_unit_test(words_of_events_and_origins),
		cmocka_unit_test(words_of_sockets),
		cmocka_unit_test(words_of_errnos),
		cmocka_unit_test(what_an_origin_implies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
