/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text sink against the lines that DESIGN and portlife(1) promise, byte for byte.
 */
#include "tests/unit/text_fixture.h"

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

/* A reset took the port of an accepted socket before the program closed it. */
static void peer_of_an_accepted_socket_stays_one_that_connected(void **state)
{
	struct fixture *f = *state;

	fixture_open(f, (struct text_options){ .header = false });
	event_assigns(f, EVENT_CLOSE, ORIGIN_ACCEPT, 80);
	f->life.tenures = &f->tenure;
	f->life.tenures_len = 1;
	f->life.local = end_of("127.0.0.1", 0);
	f->life.peer = end_of("127.0.0.1", 48822);
	f->event.tenure = NULL;
	f->event.port = 0;
	f->event.assigned = false;
	assert_string_equal(fixture_event(f),
			    "13:45:01.123    4123 python3      tcp   close        - -        -- "
			    "127.0.0.1 < 127.0.0.1:48822\n");
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
		TEST(peer_of_an_accepted_socket_stays_one_that_connected),
		TEST(loss_is_a_line_at_once),
		TEST(a_finding_is_a_line_of_its_own),
		TEST(summary_counts),
		TEST(an_explanation),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
