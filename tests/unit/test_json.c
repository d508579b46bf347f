/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The JSON writer and sink: the exact lines, and whether a real parser takes whatever bytes.
 */
#include "tests/unit/json_fixture.h"

/* --- the lines ---------------------------------------------------------------------------- */

static void start_line(void **state)
{
	struct fixture *f = *state;

	fixture_start(f);
	assert_string_equal(
		fixture_text(f),
		"{\"type\":\"start\",\"schema\":1,\"version\":\"0.1.0\",\"backend\":\"tracepoint\","
		"\"kernel\":\"6.18.0\",\"host\":\"box\",\"time\":\"2026-11-22T13:45:01."
		"123456789Z\","
		"\"boot_ns\":\"100000000000\",\"netns\":4026531840,\"ranges\":[{\"netns\":"
		"4026531840,\"range\":[32768,60999]}],\"blind\":[\"holders\",\"shared\"],"
		"\"command\":[\"sh\",\"-c\",\"exit \\\"3\\\"\"]}\n");
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

static void event_line_is_full(void **state)
{
	struct fixture *f = *state;
	struct tenure tenure = {
		.port = 48822,
		.origin = ORIGIN_CONNECT,
		.by = BY_USER,
		.deferred = true,
		.shared = NULL_STATE,
	};
	struct life life = {
		.number = 7,
		.parent = 3,
		.local = { .family = AF_INET6, .addr = { 0xfe, 0x80, [15] = 1 }, .scope = 2 },
		.peer = { .family = AF_INET6,
			  .addr = { 0xfe, 0x80, [15] = 2 },
			  .port = 80,
			  .scope = 4 },
		.netns = 77,
		.ifindex = 2,
		.protocol = IPPROTO_TCP,
	};
	struct wire_who who = {
		.cgroup = 99,
		.pid = 12,
		.tid = 13,
		.pid_host = 4012,
		.uid = 1000,
		.comm = "exactly16bytes!!",
	};
	struct event event = {
		.kind = EVENT_CONNECT,
		.ts_ns = run.boot_ns + 876543211,
		.life = &life,
		.tenure = &tenure,
		.who = &who,
		.fd = 0,
		.port = 48822,
		.options = WIRE_O_REUSEADDR | WIRE_O_BINDTODEVICE,
		.assigned = true,
		.has_request = true,
		.request = { .family = AF_INET6, .addr = { 0xfe, 0x80, [15] = 2 }, .port = 80 },
		.range_lo = 32768,
		.range_hi = 60999,
		.has_search = true,
		.search_ns = 0,
		.search_tried = 2,
		.has_duration = true,
		.duration_ns = 23456,
	};

	learn(f, WIRE_NAME_CGROUP, 99, 0, "/system.slice/\"a\\b\"");
	learn(f, WIRE_NAME_DEVICE, 2, 77, "eth0");
	fixture_start(f);
	fixture_text(f);
	assert_int_equal(f->sink.ops->event(f->sink.self, &event), 0);
	assert_string_equal(
		fixture_text(f),
		"{\"type\":\"event\",\"event\":\"connect\",\"time\":"
		"\"2026-11-22T13:45:02.000000000Z\",\"ts_ns\":876543211,\"socket\":7,\"parent\":3,"
		"\"fd\":0,\"pid\":12,\"pid_host\":4012,\"tid\":13,\"comm\":\"exactly16bytes!!\","
		"\"uid\":1000,\"netns\":77,\"cgroup\":\"/system.slice/\\\"a\\\\b\\\"\","
		"\"dev\":\"eth0\",\"family\":\"inet6\",\"proto\":\"tcp\","
		"\"local\":{\"addr\":\"fe80::1\",\"port\":48822,\"scope\":\"eth0\"},"
		"\"peer\":{\"addr\":\"fe80::2\",\"port\":80,\"scope\":\"if4\"},"
		"\"requested\":{\"addr\":\"fe80::2\",\"port\":80},\"errno\":null,\"cause\":null,"
		"\"port_origin\":\"connect\",\"by\":\"user\",\"implicit\":true,\"ephemeral\":true,"
		"\"deferred\":true,\"shared\":null,\"existing\":false,\"reconciled\":false,"
		"\"range\":[32768,60999],"
		"\"search_ns\":0,\"search_tried\":2,\"duration_ns\":23456,"
		"\"options\":[\"reuseaddr\",\"bindtodevice\"],\"holders\":null,"
		"\"holders_omitted\":null,\"findings\":[],\"explain\":null}\n");
}

static void holders_and_findings_lines(void **state)
{
	struct fixture *f = *state;
	struct wire_who who = { .cgroup = 99, .pid = 811, .uid = 33, .comm = "a\"b" };
	struct holders holders = {
		.len = 2,
		.omitted = 3,
		.list = { {
				  .socket = 5,
				  .who = &who,
				  .local = { .family = AF_INET, .port = 80 },
				  .netns = 77,
				  .options = WIRE_O_REUSEADDR,
				  .state = TCP_LISTEN,
				  .origin = ORIGIN_BIND,
				  .source = HOLDER_BY_KERNEL,
				  .keeper = KEPT_BY_PROCESS,
				  .processes = 5,
				  .fd = 6,
				  .conflict = { YES, OVERLAP_WILDCARD_HOLDER, REASON_LISTENING,
						true },
			  },
			  {
				  .socket = 6,
				  .local = { .family = AF_INET, .port = 80 },
				  .netns = 77,
				  .state = TCP_TIME_WAIT,
				  .origin = ORIGIN_ACCEPT,
				  .keeper = KEPT_BY_TIME_WAIT,
				  .fd = -1,
				  .left_known = true,
				  .left_ms = 37000,
				  .conflict = { YES, OVERLAP_CONNECTION, REASON_NONE, false },
			  } },
	};
	struct life life = {
		.number = 7, .netns = 77, .local = { .family = AF_INET }, .protocol = IPPROTO_TCP
	};
	struct event event = {
		.kind = EVENT_BIND,
		.ts_ns = run.boot_ns + 1,
		.life = &life,
		.fd = -1,
		.error = EADDRINUSE,
		.port = 80,
		.has_request = true,
		.request = { .family = AF_INET, .port = 80 },
		.findings = 1 << FINDING_BIND_IN_USE | 1 << FINDING_TIME_WAIT_HOLDS_PORT,
		.holders = &holders,
	};
	struct finding finding = { .id = FINDING_BIND_IN_USE,
				   .severity = SEVERITY_ERROR,
				   .text = "held by a\"b\n and others",
				   .text_len = 11,
				   .hint = "stop it",
				   .event = &event,
				   .count = 2 };
	static const char said_holders[] =
		"\"holders\":[{\"socket\":5,\"pid\":811,\"comm\":\"a\\\"b\",\"uid\":33,"
		"\"netns\":77,\"unit\":\"web.service\",\"fds\":5,\"fd\":6,\"held_by\":\"process\","
		"\"source\":\"kernel\","
		"\"local\":{\"addr\":\"0.0.0.0\",\"port\":80},\"state\":\"listening\","
		"\"options\":[\"reuseaddr\"],\"port_origin\":\"bind\","
		"\"time_wait_left_ms\":null,\"rule\":\"wildcard-holder,same-device,listening\"},"
		"{\"socket\":6,\"pid\":null,\"comm\":null,\"uid\":null,\"netns\":77,"
		"\"unit\":null,\"fds\":null,\"fd\":null,\"held_by\":\"time_wait\","
		"\"source\":\"table\",\"local\":{\"addr\":\"0.0.0.0\",\"port\":80},"
		"\"state\":\"time_wait\",\"options\":[],\"port_origin\":\"accept\","
		"\"time_wait_left_ms\":37000,\"rule\":\"same-connection\"}],"
		"\"holders_omitted\":3";
	const char *said;

	learn(f, WIRE_NAME_CGROUP, 99, 0, "/system.slice/web.service");
	fixture_start(f);
	fixture_text(f);
	assert_int_equal(f->sink.ops->event(f->sink.self, &event), 0);
	said = fixture_text(f);
	assert_non_null(strstr(said, said_holders));
	assert_non_null(strstr(said, ",\"findings\":[\"bind-in-use\",\"time-wait-holds-port\"],"));
	assert_int_equal(f->sink.ops->finding(f->sink.self, &finding), 0);
	said = fixture_text(f);
	assert_ptr_equal(said, strstr(said, "{\"type\":\"finding\",\"finding\":\"bind-in-use\","
					    "\"severity\":\"error\",\"text\":\"held by a\\\"b\","
					    "\"hint\":\"stop it\",\"count\":2,\"time\":"));
	assert_non_null(strstr(said, said_holders));
}

static void event_line_is_empty(void **state)
{
	struct fixture *f = *state;
	struct event event = {
		.kind = EVENT_BIND,
		.ts_ns = run.boot_ns - 1, /* seen before the start */
		.fd = -1,
		.error = EAFNOSUPPORT,
		.has_request = true,
		.request = { .family = AF_UNIX },
	};

	fixture_start(f);
	fixture_text(f);
	assert_int_equal(f->sink.ops->event(f->sink.self, &event), 0);
	assert_string_equal(
		fixture_text(f),
		"{\"type\":\"event\",\"event\":\"bind\",\"time\":"
		"\"2026-11-22T13:45:01.123456788Z\",\"ts_ns\":-1,\"socket\":null,\"parent\":null,"
		"\"fd\":null,\"pid\":null,\"pid_host\":null,\"tid\":null,\"comm\":null,"
		"\"uid\":null,\"netns\":null,\"cgroup\":null,\"dev\":null,\"family\":null,"
		"\"proto\":null,\"local\":null,\"peer\":null,\"requested\":null,"
		"\"errno\":\"EAFNOSUPPORT\",\"cause\":null,\"port_origin\":null,\"by\":null,"
		"\"implicit\":null,"
		"\"ephemeral\":null,\"deferred\":null,\"shared\":null,\"existing\":false,"
		"\"reconciled\":false,"
		"\"range\":null,\"search_ns\":null,\"search_tried\":null,\"duration_ns\":null,"
		"\"options\":[],\"holders\":null,\"holders_omitted\":null,\"findings\":[],"
		"\"explain\":null}\n");
}

static void causes_and_what_was_found_late(void **state)
{
	struct fixture *f = *state;
	struct life life = { .number = 1, .local = { .family = AF_INET }, .protocol = IPPROTO_UDP };
	struct event event = {
		.kind = EVENT_SEND,
		.ts_ns = run.boot_ns,
		.life = &life,
		.fd = -1,
		.error = EAGAIN,
		.cause = EADDRINUSE,
		.reconciled = true,
	};
	const char *text;

	fixture_start(f);
	fixture_text(f);
	assert_int_equal(f->sink.ops->event(f->sink.self, &event), 0);
	text = fixture_text(f);
	assert_non_null(strstr(text, "\"event\":\"send\""));
	assert_non_null(strstr(text, "\"proto\":\"udp\""));
	assert_non_null(strstr(text, "\"errno\":\"EAGAIN\",\"cause\":\"EADDRINUSE\""));
	assert_non_null(strstr(text, "\"existing\":false,\"reconciled\":true"));
}

static void failed_bind_keeps_the_port_it_had(void **state)
{
	struct fixture *f = *state;
	struct tenure tenure = { .port = 8080, .origin = ORIGIN_BIND };
	struct life life = { .number = 1, .local = { .family = AF_INET, .port = 8080 } };
	struct event event = {
		.kind = EVENT_BIND,
		.ts_ns = run.boot_ns,
		.life = &life,
		.tenure = &tenure,
		.fd = -1,
		.error = EINVAL,
		.port = 9090,
		.has_request = true,
		.request = { .family = AF_INET, .port = 9090 },
	};

	fixture_start(f);
	fixture_text(f);
	f->sink.ops->event(f->sink.self, &event);
	assert_non_null(strstr(fixture_text(f),
			       "\"local\":{\"addr\":\"0.0.0.0\",\"port\":8080},\"peer\":null,"
			       "\"requested\":{\"addr\":\"0.0.0.0\",\"port\":9090}"));
	event.tenure = NULL;
	event.error = EADDRINUSE;
	f->sink.ops->event(f->sink.self, &event);
	assert_non_null(strstr(fixture_text(f), "\"local\":{\"addr\":\"0.0.0.0\",\"port\":0}"));
}

static void life_line(void **state)
{
	struct fixture *f = *state;
	struct tenure tenures[] = {
		{ .assigned_ns = run.boot_ns + 5,
		  .released_ns = run.boot_ns + 9,
		  .port = 40001,
		  .range_lo = 32768,
		  .range_hi = 60999,
		  .origin = ORIGIN_BIND0,
		  .by = BY_USER,
		  .shared = NO },
		{ .port = 80, .origin = ORIGIN_UNKNOWN, .shared = NULL_STATE },
	};
	struct phase phases[] = {
		{ .ts_ns = run.boot_ns + 1, .kind = PHASE_CREATED },
		{ .ts_ns = run.boot_ns + 9, .kind = EVENT_CONNECT_FAILED, .error = ECONNREFUSED },
	};
	struct life life = {
		.number = 2,
		.created_ns = run.boot_ns + 1,
		.ended_ns = run.boot_ns + 11,
		.local = { .family = AF_INET, .addr = { 127, 0, 0, 1 }, .port = 80 },
		.netns = 77,
		.protocol = IPPROTO_TCP,
		.tenures = tenures,
		.tenures_len = 2,
		.phases = phases,
		.phases_len = 2,
		.time_wait = true,
		.reconciled = true,
	};

	fixture_start(f);
	fixture_text(f);
	assert_int_equal(f->sink.ops->life(f->sink.self, &life, true), 0);
	assert_string_equal(
		fixture_text(f),
		"{\"type\":\"life\",\"ended\":true,\"time\":\"2026-11-22T13:45:01.123456800Z\","
		"\"ts_ns\":11,\"socket\":2,\"parent\":null,\"pid\":null,\"pid_host\":null,"
		"\"comm\":null,\"uid\":null,\"netns\":77,\"cgroup\":null,\"dev\":null,"
		"\"family\":\"inet\",\"proto\":\"tcp\",\"local\":{\"addr\":\"127.0.0.1\","
		"\"port\":80},\"peer\":null,\"existing\":false,\"reconciled\":true,\"time_wait\":"
		"true,\"ports\":["
		"{\"port\":40001,\"port_origin\":\"bind0\",\"by\":\"user\",\"implicit\":false,"
		"\"ephemeral\":true,\"deferred\":false,\"shared\":false,\"range\":[32768,60999],"
		"\"assigned_ns\":5,\"released_ns\":9},"
		"{\"port\":80,\"port_origin\":\"unknown\",\"by\":null,\"implicit\":null,"
		"\"ephemeral\":null,\"deferred\":null,\"shared\":null,\"range\":null,"
		"\"assigned_ns\":null,\"released_ns\":null}],\"ports_omitted\":0,\"phases\":["
		"{\"phase\":\"created\",\"ts_ns\":1,\"errno\":null},"
		"{\"phase\":\"connect_failed\",\"ts_ns\":9,\"errno\":\"ECONNREFUSED\"}],"
		"\"phases_omitted\":0,\"age_ns\":10}\n");
}

static void lost_and_summary_lines(void **state)
{
	struct fixture *f = *state;
	struct run_summary s = {
		.ts_ns = run.boot_ns + 1,
		.events = { [EVENT_BIND] = 2 },
		.origins = { [ORIGIN_BIND] = 1, [ORIGIN_ACCEPT] = 4 },
		.errors = { { EADDRINUSE, 1 } },
		.errors_len = 1,
		.lives = 6,
		.lives_ended = 5,
		.shown = 2,
		.lost = 12,
		.has_command = true,
		.command_exit = -1,
		.command_signal = 9,
	};

	fixture_start(f);
	fixture_text(f);
	f->sink.ops->lost(f->sink.self, run.boot_ns, 12, WIRE_LOST_BUFFER, 1);
	assert_string_equal(
		fixture_text(f),
		"{\"type\":\"lost\",\"time\":\"2026-11-22T13:45:01.123456789Z\",\"ts_ns\":0,"
		"\"count\":12,\"cause\":\"buffer\",\"cpu\":1,"
		"\"action\":\"counted; lives they told of may stay incomplete\"}\n");
	f->sink.ops->summary(f->sink.self, &s);
	assert_string_equal(
		fixture_text(f),
		"{\"type\":\"summary\",\"time\":\"2026-11-22T13:45:01.123456790Z\",\"ts_ns\":1,"
		"\"events\":{\"bind\":2,\"listen\":0,\"connect\":0,\"established\":0,"
		"\"connect_failed\":0,\"accept\":0,\"send\":0,\"disconnect\":0,\"close\":0,"
		"\"time_wait\":0,\"release\":0,\"existing\":0},\"origins\":{\"bind\":1,\"bind0\":0,"
		"\"connect\":0,\"listen\":0,\"send\":0,\"accept\":4,\"unknown\":0},"
		"\"errors\":{\"EADDRINUSE\":1},\"ports_given\":1,\"implicit\":0,\"ephemeral\":0,"
		"\"lives\":6,\"lives_ended\":5,\"shown\":2,\"lost\":12,"
		"\"command\":{\"exit\":null,\"signal\":9},\"elapsed_ns\":0,\"pressure\":[],"
		"\"pressure_omitted\":0,\"search\":{\"count\":0,\"sum_ns\":0,\"max_ns\":0,"
		"\"histogram\":[],\"tried\":null},\"findings\":{}}\n");
}

static void summary_has_pressure_and_searches(void **state)
{
	struct fixture *f = *state;
	static struct settings settings = { .netns = 77, .range_lo = 40000, .range_hi = 40009 };
	struct space_summary space = {
		.pressure = {
			.settings = &settings,
			.protocol = IPPROTO_TCP,
			.usable = 8,
			.taken = 3,
			.blocked = 1,
			.by = { [PRESSURE_BIND] = 1, [PRESSURE_CONNECT] = 2 },
			.top = { { .local = { .family = AF_INET, .addr = { 10, 0, 0, 1 } },
				   .peer = { .family = AF_INET, .port = 443 },
				   .connections = 2,
				   .used = 3 } },
			.top_len = 1,
			.destinations = 4,
		},
		.all = true,
		.assigned = 5,
		.released = 2,
	};
	struct run_summary s = {
		.elapsed_ns = 4 * SECOND,
		.spaces = &space,
		.spaces_len = 1,
		.spaces_omitted = 1,
		.found = { [FINDING_EARLY_BIND] = 7 },
		.search = {
			.count = 3,
			.sum_ns = 12,
			.max_ns = 9,
			.buckets = { [1] = 2, [SEARCH_BUCKETS - 1] = 1 },
			.tried_count = 1,
			.tried_sum = 8,
			.tried_max = 8,
		},
	};
	const char *said;

	fixture_start(f);
	fixture_text(f);
	assert_true(settings_parse_reserved(&settings, "40001-40002", 11));
	settings.reserved_known = true;
	f->sink.ops->summary(f->sink.self, &s);
	said = strstr(fixture_text(f), "\"elapsed_ns\"");
	assert_non_null(said);
	assert_string_equal(
		said,
		"\"elapsed_ns\":4000000000,\"pressure\":[{\"netns\":77,\"proto\":\"tcp\","
		"\"range\":[40000,40009],\"reserved\":[[40001,40002]],"
		"\"unprivileged_port_start\":null,\"usable\":8,\"taken\":3,\"left\":5,"
		"\"by\":{\"bind\":1,\"connect\":2,\"time_wait\":0,\"unknown\":0},"
		"\"destinations\":[{\"local\":{\"addr\":\"10.0.0.1\",\"port\":0},"
		"\"peer\":{\"addr\":\"0.0.0.0\",\"port\":443},\"connections\":2,\"time_wait\":0,"
		"\"used\":3,\"left\":5}],\"destinations_omitted\":3,\"all\":true,\"assigned\":5,"
		"\"released\":null,\"assigned_per_s\":1.250,\"released_per_s\":null}],"
		"\"pressure_omitted\":1,\"search\":{\"count\":3,\"sum_ns\":12,\"max_ns\":9,"
		"\"histogram\":[{\"below_ns\":2000,\"count\":2},{\"below_ns\":null,\"count\":1}],"
		"\"tried\":{\"count\":1,\"sum\":8,\"max\":8}},\"findings\":{\"early-bind\":7}}\n");
	memset(settings.reserved, 0, sizeof(settings.reserved));
}

/* Nothing was seen, which is not the same as nothing happened. */
static void a_search_that_nobody_sees_is_null(void **state)
{
	struct run_info blind = run;
	struct fixture *f = *state;
	struct run_summary s = { .ts_ns = 1 };

	blind.blind = WIRE_B_SEARCH_NS;
	assert_int_equal(f->sink.ops->start(f->sink.self, &blind, f->names), 0);
	fixture_text(f);
	f->sink.ops->summary(f->sink.self, &s);
	assert_non_null(strstr(fixture_text(f), "\"search\":null,"));
}

static void a_full_disk_is_an_error(void **state)
{
	struct out out;

	(void)state;
	assert_int_equal(out_open(&out, STDOUT_FILENO, false, 0), 0);
	out.fd = 1000000; /* EBADF stands for any failure of write() */
	out_write(&out, "x", 1);
	assert_int_equal(out_flush(&out), -EBADF);
	out_write(&out, "y", 1);
	assert_int_equal(out_close(&out), -EBADF);
	assert_int_equal(out_close(&out), 0);
}

static void an_explanation_is_a_list(void **state)
{
	struct fixture *f = *state;
	struct explanation x = {
		.len = 2, .list = { { .len = 2, .text = "A." }, { .len = 3, .text = "\"x." } }
	};
	struct event event = { .kind = EVENT_CLOSE, .fd = -1, .explanation = &x };

	assert_int_equal(f->sink.ops->start(f->sink.self, &run, f->names), 0);
	fixture_text(f);
	assert_int_equal(f->sink.ops->event(f->sink.self, &event), 0);
	assert_non_null(strstr(fixture_text(f), ",\"explain\":[\"A.\",\"\\\"x.\"]}\n"));
	x.len = 0;
	assert_int_equal(f->sink.ops->event(f->sink.self, &event), 0);
	assert_non_null(strstr(fixture_text(f), ",\"explain\":[]}\n"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(an_explanation_is_a_list),
		TEST(start_line),
		TEST(event_line_is_full),
		TEST(event_line_is_empty),
		TEST(holders_and_findings_lines),
		TEST(causes_and_what_was_found_late),
		TEST(failed_bind_keeps_the_port_it_had),
		TEST(life_line),
		TEST(lost_and_summary_lines),
		TEST(summary_has_pressure_and_searches),
		TEST(a_search_that_nobody_sees_is_null),
		TEST(a_full_disk_is_an_error),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
