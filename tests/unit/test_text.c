/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text sink against the lines that DESIGN and portlife(1) promise, byte for byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <locale.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/core/explain.h"
#include "user/core/holders.h"
#include "user/core/names.h"
#include "user/sink/talk.h"
#include "user/sink/text.h"
#include "user/util/fmt.h"
#include "user/util/parse.h"

#define OWN_NETNS 4026531840
#define SECOND	  1000000000ULL

/* 2026-11-22 13:45:01.123 UTC, when the machine had been up for 100 s. */
static const struct run_info run = {
	.boot_ns = 100 * SECOND,
	.wall_ns = 1795355101123000000,
	.backend = WIRE_TRACEPOINT,
	.netns = OWN_NETNS,
	.kernel = "6.18.0",
	.host = "box",
};

struct fixture {
	struct out out;
	struct text_sink text;
	struct sink sink;
	struct names *names;
	struct tenure tenure;
	struct life life;
	struct event event;
	char got[8192];
};

static void fixture_open(struct fixture *f, struct text_options options)
{
	int fd = memfd_create("text", 0);

	assert_true(fd >= 0);
	assert_int_equal(out_open(&f->out, fd, true, 0), 0);
	options.utc = true;
	f->sink = text_sink_init(&f->text, &f->out, &options);
	assert_int_equal(f->sink.ops->start(f->sink.self, &run, f->names), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->names = names_new();
	f->tenure = (struct tenure){ .by = BY_USER, .shared = NULL_STATE };
	f->life = (struct life){
		.number = 1,
		.who = { .pid = 4123, .tid = 4123, .comm = "python3" },
		.who_known = true,
		.local = { .family = AF_INET },
		.netns = OWN_NETNS,
		.protocol = IPPROTO_TCP,
	};
	f->event = (struct event){
		.ts_ns = run.boot_ns,
		.life = &f->life,
		.who = &f->life.who,
		.fd = 3,
	};
	*state = f;
	return f->names ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	out_close(&f->out);
	names_free(f->names);
	free(f);
	return 0;
}

static const char *fixture_text(struct fixture *f)
{
	ssize_t len;

	assert_int_equal(out_flush(&f->out), 0);
	len = pread(f->out.fd, f->got, sizeof(f->got) - 1, 0);
	assert_true(len >= 0);
	f->got[len] = 0;
	return f->got;
}

static const char *fixture_event(struct fixture *f)
{
	assert_int_equal(f->sink.ops->event(f->sink.self, &f->event), 0);
	return fixture_text(f);
}

static struct endpoint end_of(const char *addr, uint16_t port)
{
	struct endpoint end = { .port = port };

	end.family = strchr(addr, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(end.family, addr, end.addr), 1);
	return end;
}

static void event_assigns(struct fixture *f, enum event_kind kind, enum port_origin origin,
			  uint16_t port)
{
	f->tenure.port = port;
	f->tenure.origin = (uint8_t)origin;
	f->event.kind = kind;
	f->event.tenure = &f->tenure;
	f->event.port = port;
	f->event.assigned = true;
}

static void learn(struct fixture *f, enum wire_name_what what, uint64_t id, uint32_t netns,
		  const char *text)
{
	struct wire_name name = {
		.id = id,
		.netns = netns,
		.what = (uint16_t)what,
		.text_len = (uint16_t)strlen(text),
	};

	assert_int_equal(names_learn(f->names, &name, text), 0);
}

/* --- the sample of DESIGN 5 --------------------------------------------------------------- */

static void sample_is_exact(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = true });
	event_assigns(f, EVENT_LISTEN, ORIGIN_LISTEN, 36053);
	fixture_event(f);
	event_assigns(f, EVENT_CONNECT, ORIGIN_CONNECT, 48822);
	f->life.local = end_of("127.0.0.1", 48822);
	f->life.peer = end_of("127.0.0.1", 36053);
	f->event.ts_ns += 1000000;
	fixture_event(f);
	event_assigns(f, EVENT_ACCEPT, ORIGIN_ACCEPT, 36053);
	f->life.peer = end_of("127.0.0.1", 48822);
	fixture_event(f);
	f->life.who = (struct wire_who){ .pid = 4130, .comm = "nginx" };
	f->life.local = end_of("0.0.0.0", 0);
	f->life.peer = (struct endpoint){ .family = 0 };
	f->event = (struct event){
		.kind = EVENT_BIND,
		.ts_ns = run.boot_ns + 1077000000,
		.life = &f->life,
		.who = &f->life.who,
		.fd = 6,
		.error = EADDRINUSE,
		.port = 80,
		.has_request = true,
		.request = end_of("0.0.0.0", 80),
	};
	assert_string_equal(
		fixture_event(f),
		"TIME             PID COMM         PROTO EVENT     PORT FROM     IE LOCAL > PEER, "
		"OR WHY NOT\n"
		"13:45:01.123    4123 python3      tcp   listen   36053 listen   IE 0.0.0.0\n"
		"13:45:01.124    4123 python3      tcp   connect  48822 connect  IE 127.0.0.1 > "
		"127.0.0.1:36053\n"
		"13:45:01.124    4123 python3      tcp   accept   36053 accept   -- 127.0.0.1 < "
		"127.0.0.1:48822\n"
		"13:45:02.200    4130 nginx        tcp   bind        80 -        -- EADDRINUSE "
		"0.0.0.0\n");
}

/* --- origins and flags -------------------------------------------------------------------- */

static void unknown_origin_has_question_marks(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = false });
	event_assigns(f, EVENT_EXISTING, ORIGIN_UNKNOWN, 22);
	f->event.assigned = false;
	assert_string_equal(
		fixture_event(f),
		"13:45:01.123    4123 python3      tcp   existing    22 unknown  ?? 0.0.0.0\n");
}

static void bind0_is_not_implicit(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = false });
	event_assigns(f, EVENT_BIND, ORIGIN_BIND0, 40001);
	assert_string_equal(
		fixture_event(f),
		"13:45:01.123    4123 python3      tcp   bind     40001 bind0    -E 0.0.0.0\n");
}

static void deferred_bind_has_no_port_yet(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = false });
	f->event.kind = EVENT_BIND;
	f->life.deferred = true;
	fixture_event(f);
	event_assigns(f, EVENT_CONNECT, ORIGIN_CONNECT, 48822);
	f->tenure.deferred = true;
	f->life.peer = end_of("10.0.0.1", 80);
	assert_string_equal(
		fixture_event(f),
		"13:45:01.123    4123 python3      tcp   bind         - -        -- 0.0.0.0 (no "
		"port yet: IP_BIND_ADDRESS_NO_PORT)\n"
		"13:45:01.123    4123 python3      tcp   connect  48822 connect  IE 0.0.0.0 > "
		"10.0.0.1:80 (deferred)\n");
}

static void bind_twice_shows_the_port_asked_for(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = false });
	event_assigns(f, EVENT_BIND, ORIGIN_BIND, 8080);
	f->event.assigned = false;
	f->event.error = EINVAL;
	f->event.port = 9090;
	f->event.has_request = true;
	f->event.request = end_of("127.0.0.1", 9090);
	assert_string_equal(
		fixture_event(f),
		"13:45:01.123    4123 python3      tcp   bind      9090 -        -- EINVAL "
		"127.0.0.1\n");
}

static void failed_connect_shows_whom_it_was_for(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = false });
	f->event.kind = EVENT_CONNECT_FAILED;
	f->event.error = EADDRNOTAVAIL;
	f->event.has_request = true;
	f->event.request = end_of("10.0.0.1", 443);
	assert_string_equal(fixture_event(f),
			    "13:45:01.123    4123 python3      tcp   failed       - -        -- "
			    "EADDRNOTAVAIL 0.0.0.0 > 10.0.0.1:443\n");
}

static void send_shows_to_whom(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = false });
	f->life.protocol = IPPROTO_UDP;
	event_assigns(f, EVENT_SEND, ORIGIN_SEND, 40000);
	f->event.has_request = true;
	f->event.request = end_of("10.0.0.1", 53);
	fixture_event(f);
	f->event = (struct event){
		.kind = EVENT_SEND,
		.ts_ns = run.boot_ns,
		.life = &f->life,
		.who = &f->life.who,
		.error = EAGAIN,
		.cause = EADDRINUSE,
	};
	fixture_event(f);
	f->life.protocol = IPPROTO_UDPLITE;
	f->life.peer = end_of("10.0.0.2", 54); /* connected, and then given no address */
	event_assigns(f, EVENT_SEND, ORIGIN_SEND, 40000);
	f->event.error = f->event.cause = 0;
	assert_string_equal(
		fixture_event(f),
		"13:45:01.123    4123 python3      udp   send     40000 send     IE 0.0.0.0 > "
		"10.0.0.1:53\n"
		"13:45:01.123    4123 python3      udp   send         - -        -- EAGAIN "
		"(EADDRINUSE) 0.0.0.0\n"
		"13:45:01.123    4123 python3      udpl+ send     40000 send     IE 0.0.0.0 > "
		"10.0.0.2:54\n");
}

static void what_was_found_late_says_so(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = false });
	event_assigns(f, EVENT_EXISTING, ORIGIN_UNKNOWN, 40000);
	f->event.assigned = false;
	f->event.reconciled = true;
	f->life.netns = 111;
	learn(f, WIRE_NAME_NETNS, 111, 0, "blue");
	assert_string_equal(
		fixture_event(f),
		"13:45:01.123    4123 python3      tcp   existing 40000 unknown  ?? 0.0.0.0 "
		"(found late) @blue\n");
}

static void owner_not_known_is_a_dash(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = false });
	event_assigns(f, EVENT_CLOSE, ORIGIN_BIND, 80);
	f->event.who = NULL;
	assert_string_equal(
		fixture_event(f),
		"13:45:01.123       - -            tcp   close       80 bind     -- 0.0.0.0\n");
}

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

/* --- losses and the summary ---------------------------------------------------------------- */

static void loss_is_a_line_at_once(void **state)
{
	struct fixture *f = *state;
	ssize_t len;

	fixture_open(f, (struct text_options){ .header = false });
	f->sink.ops->lost(f->sink.self, run.boot_ns, 12, WIRE_LOST_BUFFER, 1);
	len = pread(f->out.fd, f->got, sizeof(f->got) - 1, 0);
	assert_true(len > 0);
	f->got[len] = 0;
	assert_string_equal(f->got, "13:45:01.123       - -            -     lost         - -      "
				    "  -- records not written, the ring buffer was full "
				    "(--buffer): 12\n");
}

static void summary_counts(void **state)
{
	struct fixture *f = *state;
	struct talk_sink talk;
	struct talk_options options = { .summary = true };
	struct run_summary s = {
		.origins = { [ORIGIN_BIND] = 9,
			     [ORIGIN_BIND0] = 2,
			     [ORIGIN_CONNECT] = 388,
			     [ORIGIN_SEND] = 13,
			     [ORIGIN_ACCEPT] = 5 },
		.errors = { { EADDRINUSE, 2 }, { ECONNREFUSED, 1 } },
		.errors_len = 2,
		.lives = 800,
		.has_command = true,
		.command_exit = 3,
	};
	struct sink sink;

	fixture_open(f, (struct text_options){ .header = false });
	sink = talk_sink_init(&talk, &f->out, &options);
	assert_int_equal(sink.ops->summary(sink.self, &s), 0);
	assert_string_equal(fixture_text(f),
			    "412 ports given: 9 bind, 2 bind(0), 388 connect, 13 send; 5 accepted; "
			    "3 failed: 2 EADDRINUSE, 1 ECONNREFUSED; 800 sockets followed, 0 lost; "
			    "COMMAND exited with 3\n");
}

static void a_finding_is_a_line_of_its_own(void **state)
{
	struct fixture *f = *state;
	struct wire_who who = { .pid = 811,
				.comm = "apa\x1b"
					"che" };
	struct holders holders = {
		.len = 1,
		.omitted = 2,
		.list = { { .who = &who, .state = TCP_LISTEN, .origin = ORIGIN_BIND } },
	};
	struct finding finding = { .id = FINDING_BIND_IN_USE,
				   .severity = SEVERITY_ERROR,
				   .text = "held by \x1b[31m",
				   .text_len = 13,
				   .hint = "stop it",
				   .event = &f->event,
				   .count = 3 };

	f->life.protocol = IPPROTO_TCP;
	f->event = (struct event){
		.kind = EVENT_BIND,
		.ts_ns = run.boot_ns,
		.life = &f->life,
		.who = &f->life.who,
		.fd = -1,
		.error = EADDRINUSE,
		.port = 80,
		.has_request = true,
		.request = { .family = AF_INET, .port = 80 },
		.holders = &holders,
	};
	fixture_open(f, (struct text_options){ .header = false });
	assert_int_equal(f->sink.ops->event(f->sink.self, &f->event), 0);
	assert_int_equal(f->sink.ops->finding(f->sink.self, &finding), 0);
	finding.severity = SEVERITY_INFO; /* with -v only */
	assert_int_equal(f->sink.ops->finding(f->sink.self, &finding), 0);
	f->text.options.verbose = true;
	finding.count = 1;
	assert_int_equal(f->sink.ops->finding(f->sink.self, &finding), 0);
	assert_string_equal(
		fixture_text(f),
		"13:45:01.123    4123 python3      tcp   bind        80 -        -- EADDRINUSE "
		"0.0.0.0 held by 811 apa\\x1bche (listening) (+2 more)\n"
		"13:45:01.123    4123 python3      tcp   finding     80 -        -- bind-in-use: "
		"held by \\x1b[31m. Hint: stop it (3 times)\n"
		"13:45:01.123    4123 python3      tcp   finding     80 -        -- bind-in-use: "
		"held by \\x1b[31m. Hint: stop it\n");
}

/* Under its event, in 80 columns, and nothing that a terminal takes for a command. */
static void an_explanation(void **state)
{
	struct fixture *f = *state;
	static const char *const sentences[] = {
		"The program asked for port 8080, and got it.",
		"A name of a stranger, \033[31mred\n, is shown as it is written, and a line is not "
		"longer than 80 columns.",
	};
	struct explanation x = { .len = 2 };

	for (size_t i = 0; i < x.len; i++) {
		x.list[i].len = strlen(sentences[i]);
		memcpy(x.list[i].text, sentences[i], x.list[i].len);
	}
	fixture_open(f, (struct text_options){ .time = WHEN_NONE });
	f->event.kind = EVENT_BIND;
	f->event.tenure = &f->tenure;
	f->tenure.origin = ORIGIN_BIND;
	f->tenure.port = f->event.port = 8080;
	f->event.explanation = &x;
	assert_string_equal(
		fixture_event(f),
		"   4123 python3      tcp   bind      8080 bind     -- 0.0.0.0\n"
		"    The program asked for port 8080, and got it.\n"
		"    A name of a stranger, \\x1b[31mred\\n, is shown as it is written, and a line\n"
		"    is not longer than 80 columns.\n");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(sample_is_exact),
		TEST(unknown_origin_has_question_marks),
		TEST(bind0_is_not_implicit),
		TEST(deferred_bind_has_no_port_yet),
		TEST(bind_twice_shows_the_port_asked_for),
		TEST(failed_connect_shows_whom_it_was_for),
		TEST(send_shows_to_whom),
		TEST(what_was_found_late_says_so),
		TEST(owner_not_known_is_a_dash),
		TEST(inet6_peer_has_brackets),
		TEST(devices_and_namespaces_are_named),
		TEST(addresses_are_as_the_library_writes_them),
		TEST(comm_is_escaped_and_cut),
		TEST(ascii_only_where_the_locale_says_so),
		TEST(time_none_leaves_the_column_out),
		TEST(time_boot_and_delta),
		TEST(no_escape_code_without_colour),
		TEST(colour_when_asked),
		TEST(loss_is_a_line_at_once),
		TEST(a_finding_is_a_line_of_its_own),
		TEST(summary_counts),
		TEST(an_explanation),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
