/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_lessons.c: the rules of the lessons, on recordings of kernels that differ: right as they
 * are, and wrong when anything that they stand on is changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "user/core/core.h"
#include "user/core/record.h"
#include "user/lesson/python.h"
#include "user/lesson/run.h"
#include "user/source/replay.h"

#define LESSONS_MAX 64

/* One recording of all lessons, replayed. */
struct loaded {
	const char *path;
	struct core *core;
	struct run run; /* under way */
	const struct names *names;
	struct run runs[LESSONS_MAX]; /* each by its number - 1; lesson NULL: not in it */
	size_t len;
};

static struct loaded old = { .path = "tests/golden/rec/lesson-5.10.plr" };
static struct loaded middle = { .path = "tests/golden/rec/lesson-6.12.plr" };
static struct loaded recent = { .path = "tests/golden/rec/lesson-newest.plr" };
static struct loaded syscalls = { .path = "tests/golden/rec/lesson-tracepoint.plr" };

static struct loaded *const all[] = { &old, &middle, &recent, &syscalls };

#define FOR_EACH_RUN(l, run)                                                                       \
	for (size_t i_ = 0; i_ < sizeof(all) / sizeof(all[0]); i_++)                               \
		for (struct loaded *l = all[i_]; l; l = NULL)                                      \
			for (struct run *run = l->runs; run < l->runs + l->len; run++)

static int take_start(void *arg, const struct run_info *info, const struct names *names)
{
	struct loaded *l = arg;

	l->names = names;
	l->run.traced = true;
	l->run.blind = info->blind;
	return 0;
}

static int take_event(void *arg, const struct event *e)
{
	struct loaded *l = arg;

	return run_event(&l->run, e, l->names);
}

static const struct sink_ops ops = { .start = take_start, .event = take_event };

static void keep(struct loaded *l, size_t number)
{
	struct run *kept = &l->runs[number - 1];

	*kept = l->run;
	kept->seen_size = kept->seen_len + 1;
	kept->seen = calloc(kept->seen_size, sizeof(*kept->seen));
	assert_non_null(kept->seen);
	memcpy(kept->seen, l->run.seen, kept->seen_len * sizeof(*kept->seen));
	if (number > l->len)
		l->len = number;
	run_end(&l->run);
}

static int feed(void *arg, const void *record, size_t len_bytes)
{
	struct loaded *l = arg;
	const struct lesson *lesson;
	const char *text, *why;
	char name[64];
	union record r;
	size_t number;
	int err = core_feed(l->core, record, len_bytes);

	if (err || record_decode(record, len_bytes, &r, &text, &why) || r.head.kind != WIRE_STEP)
		return err;
	snprintf(name, sizeof(name), "%.*s", (int)r.step.text_len, text);
	lesson = lesson_find(name, &number);
	assert_non_null(lesson);
	if (!l->run.lesson)
		run_begin(&l->run, lesson);
	err = run_step(&l->run, &r.step);
	if (err == 1)
		keep(l, number);
	return err < 0 ? err : 0;
}

static int batch(void *arg)
{
	(void)arg;
	return 0;
}

static int load(void **state)
{
	static const struct filter filter = { .states = true };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct loaded *l = all[i];
		const struct sink sink = { .ops = &ops, .self = l };
		const struct live_handler handler = { .feed = feed, .batch = batch, .arg = l };
		struct replay_result result;

		l->core = core_new(&filter, &sink, 1);
		assert_non_null(l->core);
		assert_int_equal(replay_file(l->path, false, &handler, &result), 0);
		core_free(l->core);
		run_forget(&l->run);
	}
	return 0;
}

static int unload(void **state)
{
	(void)state;
	FOR_EACH_RUN(l, run)
	run_forget(run);
	return 0;
}

/* --- as it was --------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum ruling ruling;
} expected[] = {
	{ "why-no-client-bind", VERDICT_DEPENDS },
	{ "what-bind-changes", VERDICT_TRUE },
	{ "bind-listen-accept", VERDICT_FALSE },
	{ "which-address", VERDICT_FALSE },
	{ "listen-without-bind", VERDICT_FALSE },
	{ "data-connection", VERDICT_FALSE },
	{ "implicit-bind", VERDICT_FALSE },
	{ "client-bind", VERDICT_FALSE },
	{ "low-ports", VERDICT_FALSE },
	{ "udp-without-bind", VERDICT_FALSE },
	{ "other-sockets", VERDICT_FALSE },
	{ "time-wait", VERDICT_FALSE },
	{ "reuse-both-sides", VERDICT_FALSE },
	{ "one-port-one-socket", VERDICT_FALSE },
	{ "one-port-two-connections", VERDICT_FALSE },
	{ "how-many-connections", VERDICT_FALSE },
	{ "early-bind", VERDICT_FALSE },
	{ "own-range", VERDICT_NONE },	  /* by kernel */
	{ "spoiled-port", VERDICT_NONE }, /* by kernel */
	{ "odd-and-even", VERDICT_DEPENDS },
	{ "last-port", VERDICT_DEPENDS },
	{ "puzzle-1", VERDICT_FALSE },
	{ "puzzle-2", VERDICT_FALSE },
	{ "puzzle-3", VERDICT_TRUE },
	{ "puzzle-4", VERDICT_FALSE },
	{ "puzzle-5", VERDICT_TRUE },
	{ "puzzle-6", VERDICT_FALSE },
	{ "puzzle-7", VERDICT_FALSE },
	{ "puzzle-8", VERDICT_TRUE },
};

static enum ruling expected_ruling(const struct loaded *l, size_t i)
{
	if (!strcmp(expected[i].name, "own-range"))
		return l == &old ? VERDICT_TRUE : VERDICT_FALSE;
	if (!strcmp(expected[i].name, "spoiled-port"))
		return l == &old || l == &middle ? VERDICT_FALSE : VERDICT_TRUE;
	return expected[i].ruling;
}

static void verdicts(void **state)
{
	size_t len;

	(void)state;
	lessons_all(&len);
	assert_int_equal(len, sizeof(expected) / sizeof(expected[0]));
	FOR_EACH_RUN(l, run)
	{
		size_t i = (size_t)(run - l->runs);
		struct verdict v;

		assert_int_equal(l->len, len);
		assert_non_null(run->lesson);
		assert_string_equal(run->lesson->name, expected[i].name);
		run_judge(run, &v);
		assert_string_equal(v.contradiction, "");
		assert_int_equal(v.ruling, expected_ruling(l, i));
		/* nobody watched: the calls suffice */
		run->traced = false;
		run_judge(run, &v);
		run->traced = true;
		assert_int_equal(v.ruling, expected_ruling(l, i));
	}
}

/* --- changed ----------------------------------------------------------------------------- */

static bool is_tcp_or_udp(const struct run *run, const struct did *did)
{
	const struct did *made =
		did_nth(run, STEP_SOCKET, did->step->from ? did->step->from : did->step->socket, 0);

	return made->done && (made->step->family == AF_INET || made->step->family == AF_INET6) &&
	       made->step->type != SOCK_RAW && !made->step->protocol;
}

/* Does an event tell of this call? */
static bool is_told(const struct run *run, const struct did *did)
{
	switch (did->step->op) {
	case STEP_BIND:
	case STEP_LISTEN:
	case STEP_CONNECT:
	case STEP_ACCEPT:
		return did->done && is_tcp_or_udp(run, did);
	case STEP_SEND_TO:
		return did->done && is_tcp_or_udp(run, did) &&
		       (did->error || did->before.port != did->after.port);
	default:
		return false;
	}
}

static void flip_to(struct did *did, int error)
{
	did->error = did->error ? 0 : error;
	did->after.port = did->error ? did->before.port : 50000;
}

static void flip(struct did *did)
{
	flip_to(did, ENFILE);
}

/* A call that returned something else than the events say. */
static void other_outcome_contradicts(void **state)
{
	(void)state;
	FOR_EACH_RUN(l, run)
	{
		for (size_t i = 0; i < run->lesson->steps_len; i++) {
			struct did saved = run->did[i];
			struct verdict v;

			if (!is_told(run, &saved))
				continue;
			flip(&run->did[i]);
			run_judge(run, &v);
			run->did[i] = saved;
			assert_string_not_equal(v.contradiction, "");
		}
	}
}

/* An event that tells of a call, and of a port that the socket has after it. */
static bool gives_port(const struct run *run, const struct seen *seen)
{
	size_t at = (size_t)(seen - run->seen);

	for (size_t i = 0; i < run->lesson->steps_len; i++)
		if (at >= run->did[i].events && at < run->did[i].events + run->did[i].events_len &&
		    /* refused: it has no port that could be compared */
		    (run->did[i].error || !is_tcp_or_udp(run, &run->did[i])))
			return false;
	return seen->assigned && (seen->kind == EVENT_BIND || seen->kind == EVENT_LISTEN ||
				  seen->kind == EVENT_CONNECT || seen->kind == EVENT_SEND);
}

static void other_port_contradicts(void **state)
{
	(void)state;
	FOR_EACH_RUN(l, run)
	{
		for (size_t i = 0; i < run->seen_len; i++) {
			struct seen *seen = &run->seen[i];
			struct verdict v;

			if (!gives_port(run, seen))
				continue;
			seen->port++;
			run_judge(run, &v);
			seen->port--;
			if (!v.contradiction[0])
				fail_msg("%s: %s of port %u", run->lesson->name,
					 event_name(seen->kind), seen->port);
		}
	}
}

static void other_origin_contradicts(void **state)
{
	(void)state;
	FOR_EACH_RUN(l, run)
	{
		for (size_t i = 0; i < run->seen_len; i++) {
			struct seen *seen = &run->seen[i];
			uint8_t origin = seen->origin;
			struct verdict v;

			if (!gives_port(run, seen))
				continue;
			seen->origin = ORIGIN_UNKNOWN;
			run_judge(run, &v);
			seen->origin = origin;
			assert_string_not_equal(v.contradiction, "");
		}
	}
}

/* Nothing was seen: that is no silence to be taken for consent, unless a loss explains it. */
static void no_events_contradict(void **state)
{
	(void)state;
	FOR_EACH_RUN(l, run)
	{
		struct run bare = *run;
		struct verdict v;

		for (size_t i = 0; i < LESSON_STEPS_MAX; i++)
			bare.did[i].events_len = 0;
		run_judge(&bare, &v);
		if (strcmp(run->lesson->name, "other-sockets") != 0)
			assert_string_not_equal(v.contradiction, "");
		bare.lost = 1;
		run_judge(&bare, &v);
		assert_string_equal(v.contradiction, "");
	}
}

/* Is there a call on whose outcome the verdict hangs? */
static bool hangs_on_a_call(struct run *run)
{
	static const int errors[] = { EADDRINUSE, EADDRNOTAVAIL, EACCES, ENOPROTOOPT };
	struct verdict before, after;
	bool hangs = false;

	run_judge(run, &before);
	for (size_t i = 0; i < 4 * run->lesson->steps_len && !hangs; i++) {
		struct did *did = &run->did[i / 4], saved = *did;

		if (!saved.done)
			continue;
		flip_to(did, errors[i % 4]);
		run_judge(run, &after);
		*did = saved;
		hangs = after.ruling != before.ruling && after.ruling != VERDICT_NONE &&
			after.ruling != VERDICT_NOT_SHOWN;
	}
	return hangs;
}

/*
 * Every lesson would say otherwise if the kernel did otherwise: one call with another outcome is
 * another verdict. Of these, more than one call would have to be different.
 */
static void other_outcome_is_another_verdict(void **state)
{
	static const char *const more[] = { "bind-listen-accept", "which-address",
					    "one-port-one-socket", "odd-and-even",
					    "how-many-connections" };
	unsigned int rigid = 0;

	(void)state;
	FOR_EACH_RUN(l, run)
	{
		bool exempt = false;

		for (size_t i = 0; i < sizeof(more) / sizeof(more[0]); i++)
			exempt |= !strcmp(more[i], run->lesson->name);
		run->traced = false;
		if (!exempt && !hangs_on_a_call(run)) {
			print_error("%s: no call decides\n", run->lesson->name);
			rigid++;
		}
		run->traced = true;
	}
	assert_int_equal(rigid, 0);
}

/* ... and these are. */
static void other_worlds(void **state)
{
	struct run *run = &recent.runs[2];
	struct run other = *run;
	struct verdict v;

	(void)state;
	other.traced = false;
	((struct did *)did_accept(&other, "conn"))->after.port = 5001;
	run_judge(&other, &v);
	assert_int_equal(v.ruling, VERDICT_TRUE);

	other = recent.runs[3];
	other.traced = false;
	flip((struct did *)did_connect(&other, "c"));
	flip((struct did *)did_connect(&other, "d"));
	run_judge(&other, &v);
	assert_int_equal(v.ruling, VERDICT_TRUE);

	other = recent.runs[13];
	other.traced = false;
	((struct did *)did_accept(&other, "conn1"))->after.port = 5005;
	flip((struct did *)did_listen(&other, "right"));
	run_judge(&other, &v);
	assert_int_equal(v.ruling, VERDICT_TRUE);

	other = recent.runs[15];
	other.traced = false;
	flip((struct did *)did_connect(&other, "d"));
	flip((struct did *)did_connect(&other, "e"));
	flip((struct did *)did_connect(&other, "f"));
	run_judge(&other, &v);
	assert_int_equal(v.ruling, VERDICT_TRUE);

	other = recent.runs[19];
	other.traced = false;
	((struct did *)did_bind(&other, "k"))->after.port &= ~1U;
	run_judge(&other, &v);
	assert_int_equal(v.ruling, VERDICT_FALSE);
}

/* A program that was never run, or another one. */
static void nothing_is_made_up(void **state)
{
	size_t len;
	const struct lesson *const *lessons = lessons_all(&len);

	(void)state;
	for (size_t i = 0; i < len; i++) {
		struct wire_step step = { .program = lesson_program(lessons[i]) + 1 };
		struct run run = { .lesson = NULL };
		struct verdict v;

		run_begin(&run, lessons[i]);
		assert_int_equal(run_step(&run, &step), -EPROTO);
		run_judge(&run, &v);
		assert_int_equal(v.ruling, VERDICT_NONE);
		run.failed = EPERM;
		run_judge(&run, &v);
		assert_int_equal(v.ruling, VERDICT_NOT_SHOWN);
		run_forget(&run);
	}
}

/* A sandbox in which nothing can be set shows nothing, and that is no verdict. */
static void what_cannot_be_set_up_is_not_shown(void **state)
{
	struct run other = recent.runs[6];
	struct verdict v;

	(void)state;
	((struct did *)did_nth(&other, STEP_SETTING, NULL, 0))->error = EROFS;
	run_judge(&other, &v);
	assert_int_equal(v.ruling, VERDICT_NOT_SHOWN);
	assert_null(strstr(v.text, "needs root")); /* it is root: it traced */
	assert_non_null(strstr(v.text, "not even root"));
	assert_non_null(strstr(v.text, "EROFS"));
	other.traced = false;
	run_judge(&other, &v);
	assert_non_null(strstr(v.text, "needs root"));
}

/* A kernel without IPv6: half of a lesson fails, and that is no contradiction. */
static void a_family_may_be_missing(void **state)
{
	struct run other = recent.runs[3];
	struct verdict v;

	(void)state;
	for (size_t i = 0; i < other.lesson->steps_len; i++) {
		struct did *did = &other.did[i];
		const char *socket = did->step->socket;

		if (socket && (!strcmp(socket, "both") || !strcmp(socket, "h"))) {
			did->error = did->step->op == STEP_SOCKET ? EAFNOSUPPORT : EBADF;
			did->events_len = 0;
		}
	}
	run_judge(&other, &v);
	assert_string_equal(v.contradiction, "");
	assert_int_equal(v.ruling, VERDICT_FALSE);
	assert_non_null(strstr(v.more, "IPv6 is not to be had here"));
}

/* --- words ------------------------------------------------------------------------------- */

static void lines_fit(void **state)
{
	size_t len, number;
	const struct lesson *const *lessons = lessons_all(&len);
	char line[PYTHON_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < len; i++) {
		assert_true(lessons[i]->steps_len < LESSON_STEPS_MAX);
		assert_ptr_equal(lesson_find(lessons[i]->name, &number), lessons[i]);
		assert_int_equal(number, i + 1);
		for (size_t j = 0; j < lessons[i]->steps_len; j++) {
			python_line(line, &lessons[i]->steps[j]);
			assert_in_range(strlen(line), 1, 76); /* behind ">>> " */
		}
	}
	assert_null(lesson_find("0", &number));
	assert_null(lesson_find("30", &number));
	assert_null(lesson_find("", &number));
	assert_ptr_equal(lesson_find("29", &number), lessons[28]);
}

static void python(void **state)
{
	static const struct step steps[] = {
		SOCKET("r", AF_INET, SOCK_RAW, IPPROTO_ICMP),
		SET("s", RANGE, 45000 | 45009U << 16),
		CONNECT_TO("s", "127.0.0.1", "t"),
		CONNECT_TO("s", "127.0.0.1", TOLD),
		BIND("u", "@name", 0),
		BIND("u", "", 0),
		ACCEPT("c", "s"),
	};
	static const char *const lines[] = {
		"r = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP)",
		"s.setsockopt(IPPROTO_IP, IP_LOCAL_PORT_RANGE, between(45000, 45009))",
		"s.connect((\"127.0.0.1\", port(t)))",
		"s.connect((\"127.0.0.1\", told))",
		"u.bind(\"\\0name\")",
		"u.bind(\"\")",
		"c = s.accept()[0]",
	};
	struct wire_place place = { .family = AF_UNIX, .port = 6, .addr = "\0abcde" };
	char text[PYTHON_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		python_line(text, &steps[i]);
		assert_string_equal(text, lines[i]);
	}
	python_place(text, &place);
	assert_string_equal(text, "@abcde");
	place = (struct wire_place){ .family = AF_INET6, .port = 7 };
	python_place(text, &place);
	assert_string_equal(text, "[::]:7");
	place.family = 0;
	python_place(text, &place);
	assert_string_equal(text, "-");
	place = (struct wire_place){ .family = AF_UNIX, .port = 9, .addr = "\0\33[2Jab\377c" };
	python_place(text, &place);
	assert_string_equal(text, "@?[2Jab?c");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(verdicts),
		cmocka_unit_test(other_outcome_contradicts),
		cmocka_unit_test(other_port_contradicts),
		cmocka_unit_test(other_origin_contradicts),
		cmocka_unit_test(no_events_contradict),
		cmocka_unit_test(other_outcome_is_another_verdict),
		cmocka_unit_test(other_worlds),
		cmocka_unit_test(nothing_is_made_up),
		cmocka_unit_test(what_cannot_be_set_up_is_not_shown),
		cmocka_unit_test(a_family_may_be_missing),
		cmocka_unit_test(lines_fit),
		cmocka_unit_test(python),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
