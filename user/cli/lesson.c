/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/lesson.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "user/cli/data.h"
#include "user/cli/lesson_show.h"
#include "user/cli/status.h"
#include "user/core/core.h"
#include "user/core/record.h"
#include "user/lesson/perform.h"
#include "user/lesson/python.h"
#include "user/sink/json.h"
#include "user/sink/recording.h"
#include "user/source/make.h"
#include "user/source/replay.h"
#include "user/source/stop.h"
#include "user/util/say.h"
#include "user/util/version.h"

#define SETTLE_NS    30000000ULL   /* the last events of a lesson come within that, ... */
#define SETTLE_BEATS 2		   /* ... and by then the reader has come so often */
#define WALK_NS	     5000000000ULL /* longest wait for the walk through existing sockets */
#define BEAT_MS	     50 /* without a tracer: how soon a signal is noticed, at the latest */

/* The teaching of one or of several lessons. */
struct teach {
	const struct options *o;
	struct data data;
	struct json_sink json;
	struct sink json_sink;
	struct filter filter;
	struct sink sink; /* what core is told to */
	struct core *core;
	struct recording recording;
	int record_error;
	const struct run_info *info; /* NULL: nothing is traced */
	const struct names *names;
	char kernel[65]; /* as utsname has it */
	const char *guess;

	struct performer performer;
	size_t number;	    /* of the lesson that was ordered */
	size_t last;	    /* the last one to order */
	uint64_t ready_ns;  /* the probes were live */
	bool walked;	    /* the walk through existing sockets is over: the lesson may begin */
	bool begun;	    /* a record was read */
	bool over;	    /* the stream is: what the program still says comes too late */
	bool broken;	    /* the process that performs is gone */
	unsigned int beats; /* since the end of the lesson was read */
	size_t end_len;
	_Alignas(8) unsigned char end[PERFORM_RECORD_MAX]; /* held until its events are there */

	struct run run;
	size_t run_number;
	size_t counts[VERDICT_NOT_SHOWN + 1];
	size_t contradicted;
	size_t shown;
};

/* --- what core tells --------------------------------------------------------------------- */

static int teach_start(void *arg, const struct run_info *info, const struct names *names)
{
	struct teach *t = arg;

	t->info = info;
	t->names = names;
	t->run.traced = true;
	t->run.blind = info->blind;
	snprintf(t->kernel, sizeof(t->kernel), "%s", info->kernel);
	python_printable(t->kernel);
	return t->o->json ? t->json_sink.ops->start(t->json_sink.self, info, names) : 0;
}

static int teach_event(void *arg, const struct event *e)
{
	struct teach *t = arg;

	return run_event(&t->run, e, t->names);
}

static int teach_lost(void *arg, uint64_t ts_ns, uint64_t count, enum wire_lost_cause cause,
		      uint32_t cpu)
{
	struct teach *t = arg;

	t->run.lost += count;
	return t->o->json ? t->json_sink.ops->lost(t->json_sink.self, ts_ns, count, cause, cpu) : 0;
}

static int teach_summary(void *arg, const struct run_summary *s)
{
	struct teach *t = arg;

	return t->o->json ? t->json_sink.ops->summary(t->json_sink.self, s) : 0;
}

static const struct sink_ops teach_ops = {
	.start = teach_start,
	.event = teach_event,
	.lost = teach_lost,
	.summary = teach_summary,
};

/* --- a lesson that is over --------------------------------------------------------------- */

static void teach_show_text(struct teach *t, const struct lesson_shown *shown)
{
	if (t->shown)
		out_write(&t->data.out, "\n\n", 2);
	if (!t->guess)
		lesson_text_head(&t->data.out, t->run.lesson, t->run_number);
	if (!t->shown && !t->run.failed)
		lesson_text_legend(&t->data.out, t->info != NULL);
	lesson_text_run(&t->data.out, shown);
}

static void teach_show(struct teach *t)
{
	struct verdict verdict;
	const struct lesson_shown shown = {
		.run = &t->run,
		.number = t->run_number,
		.verdict = &verdict,
		.kernel = t->kernel,
		.backend = t->info ? backend_name(t->info->backend) : NULL,
		.guess = t->guess,
		.verbose = t->o->verbose,
	};

	run_judge(&t->run, &verdict);
	t->counts[verdict.ruling]++;
	t->contradicted += verdict.contradiction[0] != '\0';
	if (t->o->json)
		lesson_json_run(&t->data.out, &shown, t->info ? t->info->boot_ns : t->ready_ns);
	else
		teach_show_text(t, &shown);
	t->shown++;
}

static bool teach_is_wanted(const struct teach *t, const struct lesson *lesson)
{
	return !t->o->replay || !t->o->lesson || t->o->lesson == lesson;
}

/* Which lesson a record is of; NULL: of one that this version does not have. */
static const struct lesson *step_lesson(const struct wire_step *step, const char *text,
					size_t *number)
{
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)step->text_len, text);
	return lesson_find(name, number);
}

static int teach_step(struct teach *t, const struct wire_step *step, const char *text)
{
	int ret;

	if (!t->run.lesson) {
		const struct lesson *lesson = step_lesson(step, text, &t->run_number);

		if (!lesson)
			return -EPROTO;
		run_begin(&t->run, lesson);
	}
	ret = run_step(&t->run, step);
	if (ret != 1)
		return ret;
	if (teach_is_wanted(t, t->run.lesson))
		teach_show(t);
	run_end(&t->run);
	return out_flush(&t->data.out);
}

/* --- records ----------------------------------------------------------------------------- */

static int teach_take(struct teach *t, const void *record, size_t len_bytes)
{
	const char *text, *why;
	union record r;
	int err = core_feed(t->core, record, len_bytes);

	if (!err && t->o->record)
		err = t->record_error = recording_add(&t->recording, record, len_bytes);
	if (err || record_decode(record, len_bytes, &r, &text, &why))
		return err;
	t->begun = true;
	t->over = r.head.kind == WIRE_STOP;
	if (r.head.kind == WIRE_PASS && r.pass.stage != WIRE_PASS_BEGIN)
		t->walked = true;
	return r.head.kind == WIRE_STEP ? teach_step(t, &r.step, text) : 0;
}

static int teach_feed(void *arg, const void *record, size_t len_bytes)
{
	struct teach *t = arg;
	int err = teach_take(t, record, len_bytes);

	/* one damaged record of a live run is no reason to stop */
	return err == -EBADMSG && t->begun && !t->o->replay ? LIVE_GO_ON : err;
}

/* Takes what the program has written; the end of a lesson is held. */
static int teach_take_steps(struct teach *t)
{
	const struct wire_step *step;
	const struct lesson *const *lessons;
	size_t len;
	int err;

	lessons = lessons_all(&len);
	while (!t->end_len && (step = performer_next(&t->performer, &t->broken))) {
		if (step->number == lessons[t->number - 1]->steps_len) {
			memcpy(t->end, step, step->head.len_bytes);
			t->end_len = step->head.len_bytes;
			t->beats = 0;
			break;
		}
		err = teach_take(t, step, step->head.len_bytes);
		if (err)
			return err;
	}
	return 0;
}

/* The next lesson, if there is one. */
static int teach_order(struct teach *t, size_t number)
{
	if (number > t->last)
		return LIVE_ENOUGH;
	t->number = number;
	return performer_order(&t->performer, number);
}

static int teach_beat(struct teach *t)
{
	const struct wire_step *end = (const struct wire_step *)t->end;
	uint64_t now = clock_boot_ns();
	int err;

	if (!t->number) {
		if (!t->walked && now - t->ready_ns < WALK_NS)
			return LIVE_GO_ON;
		return teach_order(t, (size_t)t->o->lesson_first);
	}
	err = teach_take_steps(t);
	if (err || t->broken)
		return err ? err : LIVE_ENOUGH;
	if (!t->end_len || t->beats++ < SETTLE_BEATS || now - end->end_ns < SETTLE_NS)
		return LIVE_GO_ON;
	err = teach_take(t, t->end, t->end_len);
	t->end_len = 0;
	return err ? err : teach_order(t, t->number + 1);
}

static int teach_batch(void *arg)
{
	struct teach *t = arg;
	int err = 0;

	if (t->o->record)
		err = t->record_error = recording_beat(&t->recording);
	if (err || t->o->replay || !t->begun || t->over)
		return err;
	return teach_beat(t);
}

static void teach_ready(void *arg, uint32_t backend, const char *note, const char *probes)
{
	struct teach *t = arg;

	(void)backend;
	t->ready_ns = clock_boot_ns();
	snprintf(t->recording.probes, sizeof(t->recording.probes), "%s", probes);
	if (note && t->o->verbose)
		say("%s", note);
}

/* --- without a tracer -------------------------------------------------------------------- */

static void teach_start_untraced(struct teach *t)
{
	struct timespec wall = { 0 };
	struct run_info info = { .host = "" };
	struct utsname uts;

	t->info = NULL;
	t->run.traced = false;
	t->ready_ns = clock_boot_ns();
	clock_gettime(CLOCK_REALTIME, &wall);
	if (!uname(&uts))
		snprintf(t->kernel, sizeof(t->kernel), "%s", uts.release);
	info.kernel = t->kernel;
	info.boot_ns = t->ready_ns;
	info.wall_ns = (uint64_t)wall.tv_sec * 1000000000U + (uint64_t)wall.tv_nsec;
	if (t->o->json)
		t->json_sink.ops->start(t->json_sink.self, &info, NULL);
}

static int teach_untraced_steps(struct teach *t)
{
	struct pollfd p = { .fd = t->performer.results, .events = POLLIN };
	const struct wire_step *step;
	size_t before = t->shown;
	int err = 0;

	while (!err && t->shown == before && !t->broken && !stop_asked()) {
		if (poll(&p, 1, BEAT_MS) < 0 && errno != EINTR)
			return -errno;
		while (!err && (step = performer_next(&t->performer, &t->broken)))
			err = teach_step(t, step, (const char *)(step + 1));
	}
	return err;
}

static int teach_untraced(struct teach *t)
{
	struct run_summary none = { .complete = true, .command_exit = -1 };
	int err = 0;

	teach_start_untraced(t);
	stop_watch(false);
	for (size_t n = t->o->lesson_first; n <= t->last && !err && !t->broken && !stop_asked();
	     n++) {
		t->number = n;
		err = performer_order(&t->performer, n);
		if (!err)
			err = teach_untraced_steps(t);
	}
	stop_unwatch();
	signal(SIGPIPE, SIG_IGN);
	none.ts_ns = clock_boot_ns();
	return err ? err : teach_summary(t, &none);
}

/* --- the command ------------------------------------------------------------------------- */

static uint32_t step_family(const struct step *s)
{
	switch (s->family) {
	case AF_UNIX:
		return WIRE_FAMILY_UNIX;
	case AF_NETLINK:
		return WIRE_FAMILY_NETLINK;
	case AF_VSOCK:
		return WIRE_FAMILY_VSOCK;
	default:
		break;
	}
	if (s->type == SOCK_RAW)
		return WIRE_FAMILY_RAW;
	return s->protocol == IPPROTO_SCTP   ? WIRE_FAMILY_SCTP
	       : s->protocol == LESSON_MPTCP ? WIRE_FAMILY_MPTCP
					     : 0;
}

/* Beyond TCP, UDP and ping: what the programs of the lessons have. */
static uint32_t teach_families(const struct teach *t)
{
	const struct lesson *const *lessons;
	uint32_t families = 0;
	size_t len;

	lessons = lessons_all(&len);
	for (size_t i = t->o->lesson_first - 1; i < t->last; i++)
		for (size_t j = 0; j < lessons[i]->steps_len; j++)
			if (lessons[i]->steps[j].op == STEP_SOCKET)
				families |= step_family(&lessons[i]->steps[j]);
	return families;
}

static int teach_live(struct teach *t, struct live_result *result)
{
	const struct live_handler handler = {
		.feed = teach_feed,
		.batch = teach_batch,
		.ready = teach_ready,
		.arg = t,
	};
	struct live_options live = t->o->live;
	uint32_t pid = (uint32_t)t->performer.pid;
	int ret;

	live.pids = &pid;
	live.pids_len = 1;
	live.families |= teach_families(t);
	ret = live_run(&live, &handler, result);
	signal(SIGPIPE, SIG_IGN);
	if (t->begun || !ret || t->o->record)
		return ret;
	if (!t->o->quiet)
		say("not traced: %s", result->reason);
	result->reason[0] = '\0';
	return teach_untraced(t);
}

static int teach_replay(struct teach *t, struct live_result *result)
{
	const struct live_handler handler = {
		.feed = teach_feed,
		.batch = teach_batch,
		.ready = teach_ready,
		.arg = t,
	};
	struct replay_result replay;
	int ret = replay_file(t->o->replay, false, &handler, &replay);

	if (ret == -EPROTO)
		snprintf(result->reason, sizeof(result->reason),
			 "%.300s: recorded with other lessons than this version has", t->o->replay);
	else if (ret < 0 && replay.reason[0])
		snprintf(result->reason, sizeof(result->reason), "%.180s: %.300s", t->o->replay,
			 replay.reason);
	if (!ret && !t->shown) {
		snprintf(result->reason, sizeof(result->reason), "%.180s: %s", t->o->replay,
			 t->o->lesson ? "that lesson is not in it"
				      : "no lesson is in it; portlife -r shows the recording");
		ret = -EINVAL;
	}
	return ret;
}

/* The beginning of a line; the rest of it is no answer. False at the end. */
static bool read_answer(char *line, int size)
{
	int c = 0;

	if (!fgets(line, size, stdin))
		return false;
	while (!strchr(line, '\n') && c != '\n' && c != EOF)
		c = getchar();
	return true;
}

/* Who sits at a terminal is asked before the kernel is. */
static void teach_ask(struct teach *t)
{
	const struct lesson *lesson = t->o->lesson;
	char line[64];

	if (!lesson || !lesson->quiz || t->o->json || !isatty(STDIN_FILENO))
		return;
	lesson_text_head(&t->data.out, lesson, t->o->lesson_first);
	lesson_text_program(&t->data.out, lesson);
	out_write(&t->data.out, lesson->quiz, strlen(lesson->quiz));
	out_write(&t->data.out, " (y/n) ", 7);
	out_flush(&t->data.out);
	while (read_answer(line, sizeof(line))) {
		if (line[0] == 'y' || line[0] == 'Y')
			t->guess = "yes";
		else if (line[0] == 'n' || line[0] == 'N')
			t->guess = "no";
		if (t->guess)
			break;
		out_write(&t->data.out, "y or n? ", 8);
		out_flush(&t->data.out);
	}
	out_write(&t->data.out, "\n", 1);
}

static int teach_status(const struct teach *t, int ret, const struct live_result *result)
{
	if (t->record_error) {
		say("cannot write %s: %s", t->o->record, strerror(-t->record_error));
		return STATUS_FAILED;
	}
	if (t->data.out.error && t->data.out.error != -EPIPE)
		return STATUS_FAILED; /* data_close() says what is wrong */
	if (ret < 0 && ret != -EPIPE) {
		say("%s", result->reason[0] ? result->reason : strerror(-ret));
		return t->begun || t->o->replay ? STATUS_FAILED : STATUS_CANNOT;
	}
	if (t->broken) {
		say("the program of the lesson ended too early");
		return STATUS_FAILED;
	}
	if (t->contradicted || t->counts[VERDICT_NONE])
		return STATUS_FAILED;
	if (t->shown && t->counts[VERDICT_NOT_SHOWN] == t->shown)
		return STATUS_CANNOT;
	return STATUS_DONE;
}

static int teach_open(struct teach *t)
{
	const struct options *o = t->o;
	int err = 0;

	t->json_sink = json_sink_init(&t->json, &t->data.out, PORTLIFE_VERSION);
	t->filter.states = true;
	t->sink = (struct sink){ .ops = &teach_ops, .self = t };
	t->core = core_new(&t->filter, &t->sink, 1);
	if (!t->core || (o->explain && core_explain(t->core)))
		return -ENOMEM;
	if (o->record)
		err = recording_open(&t->recording, o->record, o->compress);
	if (err)
		say("cannot write %s: %s", o->record,
		    err == -ENOTTY ? "a terminal is no place for a recording" : strerror(-err));
	return err;
}

static int teach_run(struct teach *t)
{
	struct live_result result = { .reason = "" };
	int ret;

	teach_ask(t);
	if (t->o->replay) {
		ret = teach_replay(t, &result);
	} else {
		ret = performer_start(&t->performer);
		if (!ret)
			ret = teach_live(t, &result);
		performer_free(&t->performer);
	}
	if (t->shown > 1 && !t->o->json)
		lesson_text_summary(&t->data.out, t->counts, t->contradicted);
	if (t->recording.packed && recording_close(&t->recording) && !t->record_error)
		t->record_error = t->recording.error ? t->recording.error : -EIO;
	return teach_status(t, ret, &result);
}

/* The list, or the source of one. */
static bool lesson_only_tell(const struct options *o, struct out *out)
{
	if (o->lesson && o->lesson_source)
		python_script(out, o->lesson, o->lesson_first);
	else if (!o->lesson && !o->lesson_all && !o->replay && o->json)
		lesson_json_list(out);
	else if (!o->lesson && !o->lesson_all && !o->replay)
		lesson_text_list(out);
	else
		return false;
	return true;
}

int lesson_run(const struct options *o)
{
	struct teach t = { .o = o, .last = o->lesson_first };
	int status = STATUS_DONE;

	signal(SIGPIPE, SIG_IGN);
	if (o->lesson_all)
		lessons_all(&t.last);
	if (data_open(&t.data, o))
		return STATUS_FAILED;
	if (!lesson_only_tell(o, &t.data.out))
		status = teach_open(&t) ? STATUS_FAILED : teach_run(&t);
	run_forget(&t.run);
	core_free(t.core);
	return data_close(&t.data) && status == STATUS_DONE ? STATUS_FAILED : status;
}
