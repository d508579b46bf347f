/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * text_fixture.h owns what the tests of the text sink share: a run, and a file that takes lines.
 */
#ifndef PORTLIFE_TESTS_TEXT_FIXTURE_H
#define PORTLIFE_TESTS_TEXT_FIXTURE_H

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

#define MAYBE	  __attribute__((unused))
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

MAYBE static void fixture_open(struct fixture *f, struct text_options options)
{
	int fd = memfd_create("text", 0);

	assert_true(fd >= 0);
	assert_int_equal(out_open(&f->out, fd, true, 0), 0);
	options.utc = true;
	f->sink = text_sink_init(&f->text, &f->out, &options);
	assert_int_equal(f->sink.ops->start(f->sink.self, &run, f->names), 0);
}

MAYBE static int setup(void **state)
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

MAYBE static int teardown(void **state)
{
	struct fixture *f = *state;

	out_close(&f->out);
	names_free(f->names);
	free(f);
	return 0;
}

MAYBE static const char *fixture_text(struct fixture *f)
{
	ssize_t len;

	assert_int_equal(out_flush(&f->out), 0);
	len = pread(f->out.fd, f->got, sizeof(f->got) - 1, 0);
	assert_true(len >= 0);
	f->got[len] = 0;
	return f->got;
}

MAYBE static const char *fixture_event(struct fixture *f)
{
	assert_int_equal(f->sink.ops->event(f->sink.self, &f->event), 0);
	return fixture_text(f);
}

MAYBE static struct endpoint end_of(const char *addr, uint16_t port)
{
	struct endpoint end = { .port = port };

	end.family = strchr(addr, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(end.family, addr, end.addr), 1);
	return end;
}

MAYBE static void event_assigns(struct fixture *f, enum event_kind kind, enum port_origin origin,
				uint16_t port)
{
	f->tenure.port = port;
	f->tenure.origin = (uint8_t)origin;
	f->event.kind = kind;
	f->event.tenure = &f->tenure;
	f->event.port = port;
	f->event.assigned = true;
}

MAYBE static void learn(struct fixture *f, enum wire_name_what what, uint64_t id, uint32_t netns,
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

#endif
