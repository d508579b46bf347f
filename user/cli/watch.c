/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/watch.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "user/cli/data.h"
#include "user/cli/first_line.h"
#include "user/cli/gate.h"
#include "user/cli/status.h"
#include "user/core/core.h"
#include "user/sink/json.h"
#include "user/sink/recording.h"
#include "user/sink/talk.h"
#include "user/sink/text.h"
#include "user/source/replay.h"
#include "user/util/say.h"
#include "user/util/version.h"

#define TALK_BUFFER 16384

/* A run, from opening the data to the last line. */
struct watch {
	const struct options *options;
	struct core *core;
	struct data data;
	struct out talk_out; /* standard error, unless the data goes there */
	struct text_sink text;
	struct json_sink json;
	struct talk_sink talk;
	struct gate gate;
	struct sink sinks[2];
	struct recording recording; /* -w */
	bool record_only;	    /* -w without -j or -o: nothing is shown, only a count */
	int record_error;	    /* first error of the recording */
	uint64_t damaged;	    /* records that did not decode, not told of yet */
	struct wire_head last;	    /* of the record read last */
	bool enough;		    /* --count: the source was told to stop */
	bool begun;		    /* a record was read */
	struct run_summary summary; /* when the run is over */
};

static struct sink watch_data_sink(struct watch *w)
{
	const struct options *o = w->options;
	struct text_options text = {
		.time = o->time,
		.utc = o->utc,
		.header = !o->no_header,
		.verbose = o->verbose,
		.color = data_wants_color(&w->data, o->color),
		.escape = { .utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8") },
	};

	if (o->json)
		return json_sink_init(&w->json, &w->data.out, PORTLIFE_VERSION);
	return text_sink_init(&w->text, &w->data.out, &text);
}

static struct sink watch_talk_sink(struct watch *w)
{
	const struct options *o = w->options;
	struct talk_options talk = {
		.blind = o->verbose,
		.lost = o->json || !data_is_stderr(&w->data),
		.summary = !o->json && !o->quiet && !w->record_only,
	};
	bool shared = w->data.out.fd == STDERR_FILENO;

	return talk_sink_init(&w->talk, shared ? &w->data.out : &w->talk_out, &talk);
}

static int watch_open_recording(struct watch *w)
{
	const char *path = w->options->record;
	int err = recording_open(&w->recording, path, w->options->compress);

	if (err == -ENOTTY)
		say("-w %s: a terminal is no place for a recording; give a FILE or a pipe", path);
	else if (err && err != -ENOMEM)
		say("cannot write %s: %s", path, strerror(-err));
	return err;
}

static int watch_open(struct watch *w)
{
	const struct options *o = w->options;
	int err = 0;

	w->record_only = o->record && !o->json && !o->output;
	if (o->record)
		err = watch_open_recording(w);
	if (!err && !w->record_only)
		err = data_open(&w->data, o);
	if (!err)
		err = out_open(&w->talk_out, STDERR_FILENO, false, TALK_BUFFER);
	if (err)
		return err;
	w->sinks[0] = watch_talk_sink(w);
	if (!w->record_only)
		w->sinks[1] = gate_init(&w->gate, watch_data_sink(w), o->count);
	w->core = core_new(&o->filter, w->sinks, w->record_only ? 1 : 2);
	if (!w->core)
		return -ENOMEM;
	return o->explain && !w->record_only ? core_explain(w->core) : 0;
}

/*
 * One good record: understood and shown, then recorded as it came. When nothing is shown, only
 * what the collector itself put into the stream is looked at (losses, the end).
 */
static int watch_take(struct watch *w, const void *record, size_t len_bytes)
{
	const struct wire_head *head = record;
	int err = 0;

	if (!w->record_only || w->options->fail_on || head->kind >= WIRE_START)
		err = core_feed(w->core, record, len_bytes);
	if (err || !w->options->record)
		return err;
	w->record_error = recording_add(&w->recording, record, len_bytes);
	return w->record_error;
}

/* Most of the records of a run that shows nothing: the short way. */
static bool watch_only_records(const struct watch *w, const void *record, size_t len_bytes)
{
	const struct wire_head *head = record;

	return w->record_only && w->begun && !w->options->fail_on && len_bytes >= sizeof(*head) &&
	       head->kind < WIRE_START;
}

/* Tells the stream itself of damaged records, so that they count as lost like all others. */
static int watch_tell_damage(struct watch *w)
{
	struct wire_lost lost = {
		.head = {
			.len_bytes = sizeof(lost),
			.kind = WIRE_LOST,
			.version = WIRE_VERSION,
			.cpu = w->last.cpu,
			.ts_ns = w->last.ts_ns,
		},
		.count = w->damaged,
		.cause = WIRE_LOST_DAMAGED,
		.cpu = w->last.cpu,
	};

	if (!w->damaged)
		return 0;
	w->damaged = 0;
	return watch_take(w, &lost, sizeof(lost));
}

/* LIVE_ENOUGH once: what the source still has, the end of the stream, is wanted. */
static int watch_go_on(struct watch *w)
{
	if (w->enough || w->record_only || !gate_is_shut(&w->gate))
		return LIVE_GO_ON;
	w->enough = true;
	return LIVE_ENOUGH;
}

static int watch_feed(void *arg, const void *record, size_t len_bytes)
{
	struct watch *w = arg;
	struct wire_head head = { .kind = WIRE_NONE };
	int err;

	if (watch_only_records(w, record, len_bytes))
		return w->record_error = recording_add(&w->recording, record, len_bytes);
	if (len_bytes >= sizeof(head))
		memcpy(&head, record, sizeof(head));
	if (head.kind == WIRE_STOP) {
		err = watch_tell_damage(w);
		if (err)
			return err;
	}
	err = watch_take(w, record, len_bytes);
	if (err == -EBADMSG && w->begun) {
		w->damaged++;
		return LIVE_GO_ON;
	}
	if (err)
		return err;
	w->begun = true;
	w->last = head;
	return watch_go_on(w);
}

static int watch_batch(void *arg)
{
	struct watch *w = arg;
	int err = watch_tell_damage(w);

	if (!err && w->options->record)
		err = w->record_error = recording_beat(&w->recording);
	if (err || w->record_only)
		return err;
	return out_flush(&w->data.out);
}

static void watch_ready(void *arg, uint32_t backend, const char *note, const char *probes)
{
	struct watch *w = arg;
	char line[FIRST_LINE_MAX];

	snprintf(w->recording.probes, sizeof(w->recording.probes), "%s", probes);
	if (w->options->quiet)
		return;
	first_line_write(line, w->options, backend);
	say("%s", line);
	if (note)
		say("%s", note);
	if (w->record_only && w->options->explain)
		say("--explain: -w alone shows no events, so there is nothing to explain here; "
		    "portlife -r %s --explain does it afterwards",
		    w->options->record);
}

/* Says what was recorded, or why no more could be. */
static int watch_close_recording(struct watch *w)
{
	const struct recording *r = &w->recording;
	int err;

	if (!r->packed)
		return 0; /* there is none, or it could not be opened, which was told */
	err = recording_close(&w->recording);
	if (w->record_error || err) {
		err = w->record_error ? w->record_error : err;
		say("cannot write %s: %s; %" PRIu64 " records are in it", w->options->record,
		    strerror(-err), r->stored);
	} else if (r->begun && !w->options->quiet) {
		say("%" PRIu64 " records, %" PRIu64 " bytes written to %s", r->records, r->bytes,
		    w->options->record);
	}
	return err;
}

static int watch_close(struct watch *w)
{
	int recording_err = watch_close_recording(w);
	int err = w->record_only ? 0 : data_close(&w->data);

	if (!err)
		err = recording_err;
	out_close(&w->talk_out);
	if (w->core)
		w->summary = *core_summary(w->core);
	core_free(w->core);
	return err;
}

/* Ends as COMMAND did. The core, if any, was COMMAND's to leave. */
static int watch_raise(int number)
{
	static const struct rlimit none = { 0, 0 };
	sigset_t set;

	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_DUMPABLE, 0); /* a core_pattern with a pipe does not ask the limit */
	signal(number, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	raise(number);
	return 128 + number; /* as a shell has it, if the signal did not end us */
}

static int watch_command_status(const struct live_result *result)
{
	if (!result->started)
		return STATUS_DONE;
	if (result->command_signal > 0)
		return watch_raise(result->command_signal);
	return result->command_exit > 0 ? result->command_exit : STATUS_DONE;
}

static uint32_t watch_found(const struct run_summary *s)
{
	return s->findings | (s->implicit ? 1U << FINDING_IMPLICIT_BIND : 0) |
	       (s->ephemeral ? 1U << FINDING_EPHEMERAL_PORT : 0);
}

/* Of a run in which nothing else went wrong: --strict, --fail-on. */
static int watch_verdict(const struct options *o, const struct run_summary *s)
{
	uint32_t found = watch_found(s) & o->fail_on;

	if (o->strict && s->lost) {
		if (!o->quiet)
			say("--strict: %" PRIu64 " lost", s->lost);
		return STATUS_LOST;
	}
	for (unsigned int id = 0; id < FINDING_NAMES && !o->quiet; id++)
		if (found >> id & 1)
			say("--fail-on: found %s", finding_name(id));
	return found ? STATUS_FOUND : STATUS_DONE;
}

/* ret: of the run; data_err: of closing the data, already told. */
static int watch_status(const struct watch *w, int ret, int data_err,
			const struct live_result *result)
{
	const struct options *o = w->options;
	int status;

	if (result->exec_error) {
		say("cannot run %s: %s", o->live.command[0], strerror(result->exec_error));
		return result->exec_error == ENOENT ? STATUS_NO_FILE : STATUS_NO_EXEC;
	}
	if (data_err)
		return STATUS_FAILED;
	if (ret < 0 && ret != -EPIPE) {
		say("%s", result->reason[0] ? result->reason : strerror(-ret));
		return w->begun || o->replay ? STATUS_FAILED : STATUS_CANNOT;
	}
	status = watch_command_status(result);
	return status == STATUS_DONE ? watch_verdict(o, &w->summary) : status;
}

static int watch_replay(const struct options *o, const struct live_handler *handler,
			struct live_result *live)
{
	bool standard = !strcmp(o->replay, "-");
	struct replay_result result;
	int ret;

	if (standard && isatty(STDIN_FILENO)) {
		snprintf(live->reason, sizeof(live->reason),
			 "-r -: a terminal holds no recording; give a FILE or a pipe");
		return -EINVAL;
	}
	signal(SIGPIPE, SIG_IGN); /* as live_run() does */
	ret = replay_file(o->replay, !o->quiet && isatty(STDERR_FILENO), handler, &result);
	if (ret < 0 && result.reason[0])
		snprintf(live->reason, sizeof(live->reason), "%.180s: %.300s",
			 standard ? "standard input" : o->replay, result.reason);
	return ret;
}

int watch_run(const struct options *o)
{
	struct watch w = { .options = o };
	struct live_result result = { .command_exit = -1 };
	const struct live_handler handler = {
		.feed = watch_feed,
		.batch = watch_batch,
		.ready = watch_ready,
		.arg = &w,
	};
	int err = watch_open(&w);
	int ret;

	if (err) {
		if (err == -ENOMEM)
			say("out of memory");
		watch_close(&w);
		return STATUS_FAILED;
	}
	ret = o->replay ? watch_replay(o, &handler, &result)
			: live_run(&o->live, &handler, &result);
	signal(SIGPIPE, SIG_IGN); /* a reader that left now is as quiet as one that left before */
	err = watch_close(&w);
	return watch_status(&w, ret, err, &result);
}
