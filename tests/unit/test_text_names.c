/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text sink: addresses, names of strangers, widths, times and colours.
 */
#include "tests/unit/text_fixture.h"

/* --- addresses ---------------------------------------------------------------------------- */

static void inet6_peer_has_brackets(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = false });
	event_assigns(f, EVENT_CONNECT, ORIGIN_CONNECT, 48822);
	f->life.local = end_of("::1", 48822);
	f->life.peer = end_of("::1", 80);
	assert_string_equal(
		fixture_event(f),
		"13:45:01.123    4123 python3      tcp   connect  48822 connect  IE ::1 > "
		"[::1]:80\n");
}

static void devices_and_namespaces_are_named(void **state)
{
	struct fixture *f = *state;

	learn(f, WIRE_NAME_DEVICE, 2, 77, "eth0");
	learn(f, WIRE_NAME_NETNS, 77, 0, "blue");
	fixture_open(f, (struct text_options){ .header = false });
	event_assigns(f, EVENT_CONNECT, ORIGIN_CONNECT, 48822);
	f->life.netns = 77;
	f->life.local = end_of("fe80::1", 48822);
	f->life.local.scope = 2;
	f->life.peer = end_of("fe80::2", 80);
	f->life.peer.scope = 2;
	fixture_event(f);
	event_assigns(f, EVENT_LISTEN, ORIGIN_BIND, 80);
	f->event.assigned = false;
	f->life.netns = 78;
	f->life.ifindex = 9;
	f->life.local = end_of("0.0.0.0", 80);
	assert_string_equal(
		fixture_event(f),
		"13:45:01.123    4123 python3      tcp   connect  48822 connect  IE fe80::1%eth0 > "
		"[fe80::2%eth0]:80 @blue\n"
		"13:45:01.123    4123 python3      tcp   listen      80 bind     -- 0.0.0.0%if9 "
		"@78\n");
}

static void addresses_are_as_the_library_writes_them(void **state)
{
	static const char *const addresses[] = {
		"::",
		"::1",
		"1::",
		"1:0:0:2::3",
		"1::2:0:0:3",
		"fe80::1",
		"2001:db8::",
		"::2:0:0:0:0:0",
		"1:2:3:4:5:6:7:8",
		"0:1:2:3:4:5:6:7",
		"1:0:3:4:5:6:7:8",
		"::ffff:10.20.30.255",
		"ff02::fb",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		char want[INET6_ADDRSTRLEN], got[FMT_INET6_MAX + 1];
		uint8_t addr[16];

		assert_int_equal(inet_pton(AF_INET6, addresses[i], addr), 1);
		assert_non_null(inet_ntop(AF_INET6, addr, want, sizeof(want)));
		*fmt_inet6(got, addr) = 0;
		assert_string_equal(got, want);
	}
}

/* --- hostile names, widths, time, colour --------------------------------------------------- */

static const char *comm_column(struct fixture *f, const char *comm, size_t len)
{
	memset(f->life.who.comm, 0, sizeof(f->life.who.comm));
	memcpy(f->life.who.comm, comm, len);
	assert_int_equal(ftruncate(f->out.fd, 0), 0);
	assert_int_equal(lseek(f->out.fd, 0, SEEK_SET), 0);
	return fixture_event(f) + 21;
}

static void comm_is_escaped_and_cut(void **state)
{
	struct fixture *f = *state;

	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	fixture_open(f, (struct text_options){ .escape = { .utf8 = true } });
	event_assigns(f, EVENT_BIND, ORIGIN_BIND, 80);
#define COLUMN(comm, want)                                                                         \
	assert_memory_equal(comm_column(f, comm, sizeof(comm) - 1), want " tcp",                   \
			    sizeof(want " tcp") - 1)
	COLUMN("twelve-bytes", "twelve-bytes");
	COLUMN("systemd-resolve", "systemd-res+");
	COLUMN("a\033[31m", "a\\x1b[31m   ");
	COLUMN("a\nb\tc", "a\\nb\\tc     ");
	COLUMN("back\\slash", "back\\\\slash ");
	COLUMN("\xff\xfe\xfd\xfc", "\\xff\\xfe+   "); /* cut at a whole one */
	COLUMN("caf\xc3\xa9", "caf\xc3\xa9        ");
	COLUMN("\xe2\x80\xae"
	       "evil",
	       "\\xe2\\x80+   "); /* right-to-left override */
	COLUMN("\xc2\x9b"
	       "31m",
	       "\\xc2\\x9b31m ");						/* CSI of C1 */
	COLUMN("\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac        "); /* two wide */
#undef COLUMN
}

static void ascii_only_where_the_locale_says_so(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = false });
	event_assigns(f, EVENT_BIND, ORIGIN_BIND, 80);
	assert_memory_equal(comm_column(f, "caf\xc3\xa9", 5), "caf\\xc3\\xa9  tcp", 16);
}

static void time_none_leaves_the_column_out(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .time = WHEN_NONE, .header = true });
	event_assigns(f, EVENT_BIND, ORIGIN_BIND, 80);
	assert_string_equal(
		fixture_event(f),
		"    PID COMM         PROTO EVENT     PORT FROM     IE LOCAL > PEER, OR WHY NOT\n"
		"   4123 python3      tcp   bind        80 bind     -- 0.0.0.0\n");
}

static void time_boot_and_delta(void **state)
{
	struct fixture *f = *state;
	struct when when = { .style = WHEN_BOOT };
	char text[WHEN_ROOM];

	(void)f;
	*when_format(&when, text, 4711123456789) = 0;
	assert_string_equal(text, "    4711.123");
	when = (struct when){ .style = WHEN_DELTA };
	*when_format(&when, text, 5 * SECOND) = 0;
	assert_string_equal(text, "    0.000000");
	*when_format(&when, text, 6 * SECOND + 123456) = 0;
	assert_string_equal(text, "    1.000123");
	*when_format(&when, text, 6 * SECOND) = 0;
	assert_string_equal(text, "   -0.000123");
}

static void no_escape_code_without_colour(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = true });
	event_assigns(f, EVENT_CONNECT_FAILED, ORIGIN_CONNECT, 80);
	f->event.error = ECONNREFUSED;
	assert_null(strchr(fixture_event(f), '\033'));
}

static void colour_when_asked(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .color = true });
	event_assigns(f, EVENT_CONNECT_FAILED, ORIGIN_CONNECT, 80);
	f->event.error = ECONNREFUSED;
	assert_non_null(strstr(fixture_event(f), "\033[31mECONNREFUSED\033[0m 0.0.0.0\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(inet6_peer_has_brackets),
		TEST(devices_and_namespaces_are_named),
		TEST(addresses_are_as_the_library_writes_them),
		TEST(comm_is_escaped_and_cut),
		TEST(ascii_only_where_the_locale_says_so),
		TEST(time_none_leaves_the_column_out),
		TEST(time_boot_and_delta),
		TEST(no_escape_code_without_colour),
		TEST(colour_when_asked),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
