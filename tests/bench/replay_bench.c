/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast a recording is replayed, and what writing one costs: replay_bench RECORDING.
 *
 * Figures of one run side by side, on one core. To count instructions a record of the writer:
 *	valgrind --tool=callgrind --toggle-collect=recording_add build/tests/replay_bench FILE
 * and divide the total by the records.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "user/core/core.h"
#include "user/sink/json.h"
#include "user/sink/recording.h"
#include "user/source/replay.h"
#include "user/util/out.h"

struct bench {
	struct core *core;	     /* or NULL */
	struct recording *recording; /* or NULL */
};

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static int feed(void *arg, const void *record, size_t len)
{
	struct bench *b = arg;
	int error = b->core ? core_feed(b->core, record, len) : 0;

	if (!error && b->recording)
		error = recording_add(b->recording, record, len);
	return error;
}

static int batch(void *arg)
{
	(void)arg;
	return 0;
}

/* Replays once; returns the nanoseconds of CPU it took, 0 if it failed. */
static uint64_t replay(const char *path, struct bench *b, uint64_t *records)
{
	const struct live_handler handler = { .feed = feed, .batch = batch, .arg = b };
	struct replay_result result;
	uint64_t begin = cpu_ns();

	if (replay_file(path, false, &handler, &result)) {
		fprintf(stderr, "%s: %s\n", path, result.reason);
		return 0;
	}
	*records = result.records;
	return cpu_ns() - begin;
}

static void tell(const char *what, uint64_t ns, uint64_t count, const char *unit)
{
	if (ns && count)
		printf("%-28s %8.2f million %s/s, %6.1f ns each\n", what,
		       (double)count * 1000 / (double)ns, unit, (double)ns / (double)count);
}

int main(int argc, char **argv)
{
	static const struct filter everything = { .states = true };
	struct bench nothing = { 0 }, summary = { 0 }, with_json = { 0 }, written = { 0 };
	struct recording recording;
	struct json_sink json;
	struct sink sink;
	struct out out;
	FILE *null = fopen("/dev/null", "w");
	uint64_t records = 0, reading, lines;

	if (argc != 2 || !null || out_open(&out, fileno(null), false, 256 << 10) ||
	    recording_open(&recording, "/dev/null", false)) {
		fprintf(stderr, "usage: replay_bench RECORDING\n");
		return 2;
	}
	sink = json_sink_init(&json, &out, "bench");
	summary.core = core_new(&everything, NULL, 0);
	with_json.core = core_new(&everything, &sink, 1);
	written.recording = &recording;
	reading = replay(argv[1], &nothing, &records);
	if (!reading || !summary.core || !with_json.core)
		return 1;
	tell("read and unpack", reading, records, "records");
	tell("replay to a summary", replay(argv[1], &summary, &records), records, "records");
	lines = replay(argv[1], &with_json, &records);
	tell("replay to JSON, events", lines, core_summary(with_json.core)->shown, "events");
	tell("write a recording", replay(argv[1], &written, &records) - reading, records,
	     "records");
	recording_close(&recording);
	printf("%-28s %8.2f bytes a record\n", "size",
	       records ? (double)recording.bytes / (double)records : 0.0);
	core_free(summary.core);
	core_free(with_json.core);
	out_close(&out);
	fclose(null);
	return 0;
}
