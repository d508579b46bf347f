/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_fixture.h owns what the tests of JSON share: a run, and a file that takes what is written.
 */
#ifndef PORTLIFE_TESTS_JSON_FIXTURE_H
#define PORTLIFE_TESTS_JSON_FIXTURE_H

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
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/core/explain.h"
#include "user/core/holders.h"
#include "user/core/names.h"
#include "user/sink/json.h"

#define MAYBE  __attribute__((unused))
#define SECOND 1000000000ULL

static const char *const command[] = { "sh", "-c", "exit \"3\"", NULL };

static const struct run_info run = {
	.boot_ns = 100 * SECOND,
	.wall_ns = 1795355101123456789,
	.backend = WIRE_TRACEPOINT,
	.blind = WIRE_B_HOLDERS | WIRE_B_SHARED,
	.netns = 4026531840,
	.range_lo = 32768,
	.range_hi = 60999,
	.kernel = "6.18.0",
	.host = "box",
	.command = command,
};

struct fixture {
	struct out out;
	struct json_sink json;
	struct sink sink;
	struct names *names;
	char got[65536];
};

MAYBE static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd = memfd_create("json", 0);

	if (!f || fd < 0 || out_open(&f->out, fd, true, 0))
		return -1;
	f->sink = json_sink_init(&f->json, &f->out, "0.1.0");
	f->names = names_new();
	*state = f;
	return f->names ? 0 : -1;
}

MAYBE static int teardown(void **state)
{
	struct fixture *f = *state;

	out_close(&f->out);
	names_free(f->names);
	free(f);
	return 0;
}

/* What was written since the last time. */
MAYBE static const char *fixture_text(struct fixture *f)
{
	ssize_t len;

	assert_int_equal(out_flush(&f->out), 0);
	len = pread(f->out.fd, f->got, sizeof(f->got) - 1, 0);
	assert_true(len >= 0);
	f->got[len] = 0;
	assert_int_equal(ftruncate(f->out.fd, 0), 0);
	assert_int_equal(lseek(f->out.fd, 0, SEEK_SET), 0);
	return f->got;
}

MAYBE static void fixture_start(struct fixture *f)
{
	assert_int_equal(f->sink.ops->start(f->sink.self, &run, f->names), 0);
}

#endif
