/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many event lines a second a sink writes on one core, into /dev/null: the events of a client
 * and its accepted child, in turn. Usage: sink_bench [LINES]
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/sink/json.h"
#include "user/sink/text.h"
#include "user/util/parse.h"

#define LINES_DEFAULT 4000000
#define LINES_BATCH   1000  /* between two flushes */
#define STEP_NS	      15000 /* between two events */

struct bench {
	struct tenure tenure[2];
	struct life life[2];
	struct event event[2];
};

static struct endpoint bench_end(uint16_t family, uint16_t port)
{
	struct endpoint end = { .family = family, .port = port };

	if (family == AF_INET)
		memcpy(end.addr, &(uint32_t){ htonl(0x7f000001) }, 4);
	else
		memcpy(end.addr, &in6addr_loopback, 16);
	return end;
}

static void bench_fill(struct bench *b, uint16_t family)
{
	for (int i = 0; i < 2; i++) {
		b->tenure[i] = (struct tenure){
			.port = i ? 8080 : 48822,
			.range_lo = 32768,
			.range_hi = 60999,
			.origin = i ? ORIGIN_ACCEPT : ORIGIN_CONNECT,
			.by = BY_USER,
			.shared = NULL_STATE,
		};
		b->life[i] = (struct life){
			.number = 123456,
			.parent = i ? 1 : 0,
			.who = { .pid = 41230, .tid = 41230, .uid = 1000, .comm = "python3" },
			.local = bench_end(family, i ? 8080 : 48822),
			.peer = bench_end(family, i ? 48822 : 8080),
			.netns = 4026531840,
			.protocol = IPPROTO_TCP,
		};
		b->event[i] = (struct event){
			.kind = i ? EVENT_ACCEPT : EVENT_CONNECT,
			.life = &b->life[i],
			.tenure = &b->tenure[i],
			.who = &b->life[i].who,
			.fd = 7,
			.port = b->tenure[i].port,
			.assigned = true,
			.has_request = !i,
			.request = b->life[i].peer,
			.range_lo = 32768,
			.range_hi = 60999,
			.has_duration = true,
			.duration_ns = 23456,
		};
	}
}

static double bench_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void bench_run(const char *name, struct sink sink, struct out *out, uint16_t family,
		      uint64_t lines)
{
	struct run_info run = {
		.boot_ns = 1000000000,
		.wall_ns = 1795391101000000000,
		.backend = WIRE_TRACEPOINT,
		.netns = 4026531840,
		.kernel = "6.18.0",
		.host = "bench",
	};
	struct bench bench;
	double begin, took;

	bench_fill(&bench, family);
	sink.ops->start(sink.self, &run, NULL);
	begin = bench_now();
	for (uint64_t i = 0; i < lines; i++) {
		struct event *e = &bench.event[i & 1];

		e->ts_ns = run.boot_ns + i * STEP_NS;
		sink.ops->event(sink.self, e);
		if (i % LINES_BATCH == 0)
			out_flush(out);
	}
	out_flush(out);
	took = bench_now() - begin;
	printf("%s %.0f lines/s, %.0f ns a line\n", name, (double)lines / took,
	       took / (double)lines * 1e9);
}

int main(int argc, char **argv)
{
	const struct text_options options = { .header = true, .utc = true };
	uint64_t lines = LINES_DEFAULT;
	struct json_sink json;
	struct text_sink text;
	struct out out;
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (argc > 1 && parse_number(argv[1], strlen(argv[1]), 1, UINT64_MAX, &lines))
		return 2;
	if (fd < 0 || out_open(&out, fd, true, 256U << 10))
		return 1;
	bench_run("json inet ", json_sink_init(&json, &out, "bench"), &out, AF_INET, lines);
	bench_run("json inet6", json_sink_init(&json, &out, "bench"), &out, AF_INET6, lines);
	bench_run("text inet ", text_sink_init(&text, &out, &options), &out, AF_INET, lines);
	bench_run("text inet6", text_sink_init(&text, &out, &options), &out, AF_INET6, lines);
	return out_close(&out) ? 1 : 0;
}
