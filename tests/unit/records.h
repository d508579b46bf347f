/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * records.h owns what the unit tests share: builders of records as the probes would write them,
 * and a sink that writes down in words what core says, one line for each thing.
 */
#ifndef PORTLIFE_TESTS_RECORDS_H
#define PORTLIFE_TESTS_RECORDS_H

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "user/core/core.h"
#include "user/core/explain.h"
#include "user/core/sentence.h"

#define BOOT_NS 1000000u /* when every run in these tests begins */
#define MAYBE	__attribute__((unused))

/* --- records ----------------------------------------------------------------------------- */

MAYBE static struct wire_head head_new(uint8_t kind, size_t len_bytes, uint64_t ts_ns)
{
	return (struct wire_head){
		.len_bytes = (uint16_t)len_bytes,
		.kind = kind,
		.version = WIRE_VERSION,
		.ts_ns = ts_ns,
	};
}

MAYBE static struct wire_who who_new(uint32_t pid, const char *comm)
{
	struct wire_who who = {
		.cgroup = 77, .pid = pid, .tid = pid, .pid_host = pid + 1000, .uid = 1000
	};
	size_t len = strlen(comm);

	memcpy(who.comm, comm, len < WIRE_COMM_LEN ? len : WIRE_COMM_LEN);
	return who;
}

/* A call of pid 100 on an IPv4 TCP socket with nothing else to it. */
MAYBE static struct wire_call call_new(uint8_t kind, uint64_t id, uint64_t ts_ns)
{
	return (struct wire_call){
		.head = head_new(kind, sizeof(struct wire_call), ts_ns),
		.sock = {
			.id = id,
			.netns = 4026531840,
			.family = AF_INET,
			.protocol = IPPROTO_TCP,
			.state = 7,
		},
		.who = who_new(100, "python3"),
		.facts = WIRE_F_WHO,
		.fd = 3,
	};
}

/* The same, entered at start_ns, with the port before and after. */
MAYBE static struct wire_call port_call(uint8_t kind, uint64_t id, uint64_t ts_ns,
					uint16_t port_before, uint16_t local_port)
{
	struct wire_call c = call_new(kind, id, ts_ns);

	c.facts |= WIRE_F_TIMED;
	c.start_ns = ts_ns - 5;
	c.port_before = port_before;
	c.sock.local_port = local_port;
	if (!port_before && local_port) {
		c.range_lo = 32768;
		c.range_hi = 60999;
	}
	return c;
}

MAYBE static void call_request(struct wire_call *c, uint16_t port)
{
	c->facts |= WIRE_F_REQUEST;
	c->req_family = AF_INET;
	c->req_port = port;
}

/* The same socket found by a walk that met no descriptor of it. */
MAYBE static struct wire_call found_new(uint64_t id, uint64_t ts_ns, uint16_t port, uint32_t facts)
{
	struct wire_call c = call_new(WIRE_FOUND, id, ts_ns);

	c.facts = WIRE_F_PASS | facts;
	c.who = (struct wire_who){ 0 };
	c.fd = -1;
	c.sock.local_port = c.port_before = port;
	return c;
}

MAYBE static struct wire_pass pass_new(uint32_t number, uint16_t stage, uint16_t flags,
				       uint64_t ts_ns)
{
	return (struct wire_pass){
		.head = head_new(WIRE_PASS, sizeof(struct wire_pass), ts_ns),
		.number = number,
		.stage = stage,
		.flags = flags,
	};
}

MAYBE static struct wire_edge edge_new(uint8_t kind, uint64_t id, uint64_t ts_ns, uint16_t port,
				       int error)
{
	return (struct wire_edge){
		.head = head_new(kind, sizeof(struct wire_edge), ts_ns),
		.id = id,
		.error = error,
		.port = port,
	};
}

MAYBE static struct wire_owner owner_new(uint64_t id, uint64_t ts_ns, uint32_t pid,
					 const char *comm)
{
	return (struct wire_owner){
		.head = head_new(WIRE_OWNER, sizeof(struct wire_owner), ts_ns),
		.id = id,
		.facts = WIRE_F_WHO,
		.who = who_new(pid, comm),
	};
}

MAYBE static struct wire_end end_new(uint64_t id, uint64_t ts_ns)
{
	return (struct wire_end){
		.head = head_new(WIRE_END, sizeof(struct wire_end), ts_ns),
		.id = id,
	};
}

/* A socket of the kernel's list that is in this one's way; id 0: no record is about it. */
MAYBE static struct wire_holder holder_new(uint64_t asker, uint64_t id, uint16_t port,
					   uint8_t tcp_state)
{
	return (struct wire_holder){
		.head = head_new(WIRE_HOLDER, sizeof(struct wire_holder), BOOT_NS + 1),
		.asker = asker,
		.sock = {
			.id = id,
			.netns = 4026531840,
			.family = AF_INET,
			.protocol = IPPROTO_TCP,
			.state = tcp_state,
			.local_port = port,
		},
		.fd = -1,
	};
}

/* The same, looked up: this process has it. */
MAYBE static void holder_looked_up(struct wire_holder *h, uint32_t pid, const char *comm, int fd,
				   uint32_t processes)
{
	h->flags = WIRE_H_LATER | WIRE_H_WHO | WIRE_H_UID;
	h->who = who_new(pid, comm);
	h->uid = h->who.uid;
	h->fd = fd;
	h->processes = processes;
	h->owner = 0;
}

MAYBE static struct wire_holders holders_new(uint64_t asker, uint16_t port, uint32_t told,
					     uint32_t flags)
{
	return (struct wire_holders){
		.head = head_new(WIRE_HOLDERS, sizeof(struct wire_holders), BOOT_NS + 1),
		.asker = asker,
		.port = port,
		.told = told,
		.flags = flags,
	};
}

union start_record {
	struct wire_start start;
	char bytes[256];
};

/* args: strings each ended by NUL, args_len bytes. */
MAYBE static union start_record start_new(const char *kernel, const char *host, const char *args,
					  size_t args_len)
{
	union start_record r = { .start = { .wall_ns = 1700000000000000000,
					    .backend = WIRE_FENTRY,
					    .netns = 4026531840,
					    .pid_initial = 1,
					    .range_lo = 32768,
					    .range_hi = 60999 } };
	char *text = r.bytes + sizeof(r.start);
	size_t len = sizeof(r.start) + strlen(kernel) + strlen(host) + args_len;

	r.start.head = head_new(WIRE_START, (len + 7) / 8 * 8, BOOT_NS);
	r.start.kernel_len = (uint16_t)strlen(kernel);
	r.start.host_len = (uint16_t)strlen(host);
	r.start.command_len = (uint16_t)args_len;
	memcpy(text, kernel, strlen(kernel));
	memcpy(text + strlen(kernel), host, strlen(host));
	memcpy(text + strlen(kernel) + strlen(host), args, args_len);
	return r;
}

union name_record {
	struct wire_name name;
	char bytes[256];
};

MAYBE static union name_record name_new(uint16_t what, uint64_t id, uint32_t netns,
					const char *text)
{
	union name_record r = { .name = { .id = id, .netns = netns, .what = what } };

	r.name.text_len = (uint16_t)strlen(text);
	r.name.head = head_new(WIRE_NAME, (sizeof(r.name) + strlen(text) + 7) / 8 * 8, BOOT_NS);
	memcpy(r.bytes + sizeof(r.name), text, strlen(text));
	return r;
}

union settings_record {
	struct wire_settings settings;
	char bytes[256];
};

/* What a namespace has: the usual range, these reserved ports, ports below 1024 not for everybody.
 */
MAYBE static union settings_record settings_new(uint64_t ts_ns, const char *reserved)
{
	union settings_record r = { .settings = { .netns = 4026531840,
						  .known = WIRE_S_RANGE | WIRE_S_RESERVED |
							   WIRE_S_UNPRIVILEGED,
						  .unprivileged_start = 1024,
						  .range_lo = 32768,
						  .range_hi = 60999 } };

	r.settings.text_len = (uint16_t)strlen(reserved);
	r.settings.head =
		head_new(WIRE_SETTINGS, (sizeof(r.settings) + strlen(reserved) + 7) / 8 * 8, ts_ns);
	memcpy(r.bytes + sizeof(r.settings), reserved, strlen(reserved));
	return r;
}

/* The same with another range, and other ports for everybody. */
MAYBE static union settings_record settings_of(uint64_t ts_ns, uint16_t lo, uint16_t hi,
					       const char *reserved, uint32_t unprivileged)
{
	union settings_record r = settings_new(ts_ns, reserved);

	r.settings.range_lo = lo;
	r.settings.range_hi = hi;
	r.settings.unprivileged_start = unprivileged;
	return r;
}

union step_record {
	struct wire_step step;
	char bytes[256];
};

MAYBE static union step_record step_new(uint16_t number, const char *lesson)
{
	union step_record r = { .step = { .number = number, .program = 7, .other = -1 } };

	r.step.text_len = (uint16_t)strlen(lesson);
	r.step.head = head_new(WIRE_STEP, (sizeof(r.step) + strlen(lesson) + 7) / 8 * 8, BOOT_NS);
	r.step.end_ns = BOOT_NS + 5;
	r.step.after = (struct wire_place){ .family = AF_INET, .port = 80 };
	memcpy(r.bytes + sizeof(r.step), lesson, strlen(lesson));
	return r;
}

/* --- what core says ---------------------------------------------------------------------- */

#define SPACES_TOLD 4

struct world {
	struct core *core;
	struct filter filter;
	struct sink sink;
	char *story;
	size_t story_len;
	char found[4096]; /* findings, not in the story */
	size_t found_len;
	const char *hint;     /* of the latest */
	char evidence[4096];  /* likewise, a fact a line */
	char explained[8192]; /* sentences of all events, each ended by a newline */
	size_t explained_len;
	int sink_returns; /* what the sink gives back */
	struct run_summary summary;
	struct space_summary spaces[SPACES_TOLD]; /* without their settings */
	size_t spaces_len;
	bool has_summary;
	const struct run_info *run;
	const struct names *names;
	struct event event; /* the latest, without its pointers */
	struct life life;   /* of the latest event or life line, likewise */
	struct tenure tenure;
	struct wire_who who;
	bool who_known;
	struct holders holders; /* of the latest event, likewise */
};

#define STORY_BYTES 65536

__attribute__((format(printf, 2, 3))) MAYBE static void tell(struct world *w, const char *format,
							     ...)
{
	va_list args;

	va_start(args, format);
	w->story_len += (size_t)vsnprintf(w->story + w->story_len, STORY_BYTES - w->story_len,
					  format, args);
	va_end(args);
	assert_true(w->story_len < STORY_BYTES);
}

static char flag_char(enum tristate flag, char yes)
{
	return flag == YES ? yes : flag == NO ? '-' : '?';
}

/* "connect IE deferred": origin, implicit, ephemeral. */
static void tell_tenure(struct world *w, const struct tenure *t)
{
	if (!t) {
		tell(w, " -");
		return;
	}
	tell(w, " %s %c%c%s", origin_name(t->origin), flag_char(tenure_is_implicit(t), 'I'),
	     flag_char(tenure_is_ephemeral(t), 'E'), t->deferred ? " deferred" : "");
}

static void note_explanation(struct world *w, const struct explanation *x)
{
	assert_true(x->len <= EXPLANATION_MAX);
	for (size_t i = 0; i < x->len; i++) {
		size_t room = sizeof(w->explained) - w->explained_len;
		int len = snprintf(w->explained + w->explained_len, room, "%.*s\n",
				   (int)x->list[i].len, x->list[i].text);

		if ((size_t)len < room)
			w->explained_len += (size_t)len;
	}
}

/*
 * "#1 connect 48822 connect IE +": life, kind, port, tenure, + if it began with this event, late if
 * a walk or another record found it.
 */
static int on_event(void *self, const struct event *e)
{
	struct world *w = self;

	tell(w, "%llu #%llu %s %u", (unsigned long long)e->ts_ns,
	     (unsigned long long)e->life->number, event_name(e->kind), e->port);
	tell_tenure(w, e->tenure);
	if (e->assigned)
		tell(w, " +");
	if (e->error)
		tell(w, " %s", errno_symbol(e->error));
	if (e->cause)
		tell(w, " (%s)", errno_symbol(e->cause));
	if (e->reconciled)
		tell(w, " late");
	tell(w, "\n");
	if (e->explanation)
		note_explanation(w, e->explanation);
	w->holders = e->holders ? *e->holders : (struct holders){ 0 };
	w->event = *e;
	w->life = *e->life;
	w->tenure = e->tenure ? *e->tenure : (struct tenure){ 0 };
	w->who_known = e->who != NULL;
	w->who = e->who ? *e->who : (struct wire_who){ 0 };
	return w->sink_returns;
}

/* "bind-in-use 1: 0.0.0.0:80 is held by ...": how often, and the sentence */
static int on_finding(void *self, const struct finding *f)
{
	struct world *w = self;
	size_t room = sizeof(w->found) - w->found_len;
	int len = snprintf(w->found + w->found_len, room, "%s %llu: %.*s\n", finding_name(f->id),
			   (unsigned long long)f->count, (int)f->text_len, f->text);

	if ((size_t)len < room) /* random records find without end */
		w->found_len += (size_t)len;
	assert_true(f->event->findings >> f->id & 1);
	assert_non_null(f->hint);
	w->hint = f->hint;
	w->evidence[0] = 0;
	for (size_t i = 0; i < f->evidence_len; i++) {
		room = sizeof(w->evidence) - strlen(w->evidence);
		snprintf(w->evidence + strlen(w->evidence), room, "%.*s\n", (int)f->evidence[i].len,
			 f->evidence[i].text);
	}
	return w->sink_returns;
}

/* "life #1 ended: 5000 bind -- 10..20": a tenure that is open ends in "..", one lost in "..?" */
static int on_life(void *self, const struct life *l, bool ended)
{
	struct world *w = self;

	tell(w, "life #%llu %s%s%s%s:", (unsigned long long)l->number, ended ? "ended" : "open",
	     l->existing ? " existing" : "", l->time_wait ? " time_wait" : "",
	     l->reconciled ? " late" : "");
	for (size_t i = 0; i < l->tenures_len; i++) {
		const struct tenure *t = &l->tenures[i];

		tell(w, "%s %u", i ? "," : "", t->port);
		tell_tenure(w, t);
		tell(w, " %llu..", (unsigned long long)t->assigned_ns);
		if (t->released_ns)
			tell(w, "%llu", (unsigned long long)t->released_ns);
		else if (!l->holds_port || i + 1u < l->tenures_len)
			tell(w, "?");
	}
	tell(w, "\n");
	w->life = *l;
	return w->sink_returns;
}

static int on_start(void *self, const struct run_info *run, const struct names *names)
{
	struct world *w = self;

	w->run = run;
	w->names = names;
	return w->sink_returns;
}

static int on_lost(void *self, uint64_t ts_ns, uint64_t count, enum wire_lost_cause cause,
		   uint32_t cpu)
{
	struct world *w = self;

	tell(w, "%llu lost %llu cause %u cpu %u\n", (unsigned long long)ts_ns,
	     (unsigned long long)count, cause, cpu);
	return w->sink_returns;
}

static int on_summary(void *self, const struct run_summary *s)
{
	struct world *w = self;

	w->summary = *s;
	w->summary.spaces = NULL; /* which are core's */
	w->spaces_len = s->spaces_len < SPACES_TOLD ? s->spaces_len : SPACES_TOLD;
	for (size_t i = 0; i < w->spaces_len; i++)
		w->spaces[i] = s->spaces[i];
	w->has_summary = true;
	return w->sink_returns;
}

static const struct sink_ops world_ops = {
	.start = on_start,
	.event = on_event,
	.finding = on_finding,
	.life = on_life,
	.lost = on_lost,
	.summary = on_summary,
};

/* --- a run ------------------------------------------------------------------------------- */

MAYBE static int feed(struct world *w, const void *record)
{
	struct wire_head head;

	memcpy(&head, record, sizeof(head));
	return core_feed(w->core, record, head.len_bytes);
}

#define FEED(world, record) assert_int_equal(feed(world, &(record)), 0)

MAYBE static void feed_edge(struct world *w, uint8_t kind, uint64_t id, uint64_t ts_ns,
			    uint16_t port, int error)
{
	struct wire_edge edge = edge_new(kind, id, ts_ns, port, error);

	FEED(w, edge);
}

MAYBE static void feed_pass(struct world *w, uint32_t number, uint16_t stage, uint16_t flags,
			    uint64_t ts_ns)
{
	struct wire_pass pass = pass_new(number, stage, flags, ts_ns);

	FEED(w, pass);
}

/* Closed at close_ns, gave up port a nanosecond later, destroyed another later. */
MAYBE static void feed_end(struct world *w, uint64_t id, uint64_t close_ns, uint16_t port)
{
	struct wire_end end = end_new(id, close_ns + 2);

	end.close_ns = close_ns;
	end.release_ns = port ? close_ns + 1 : 0;
	end.port = port;
	FEED(w, end);
}

MAYBE static void feed_time_wait(struct world *w, uint64_t id, uint64_t close_ns, uint16_t port)
{
	struct wire_end end = end_new(id, close_ns + 2);

	end.close_ns = close_ns;
	end.time_wait_ns = close_ns + 1;
	end.flags = WIRE_E_TIME_WAIT;
	end.port = port;
	FEED(w, end);
}

MAYBE static void feed_stop(struct world *w, uint64_t ts_ns)
{
	struct wire_stop stop = { .head = head_new(WIRE_STOP, sizeof(stop), ts_ns) };

	FEED(w, stop);
}

/* A run with this filter that has not begun. */
MAYBE static struct world *world_new(const struct filter *filter)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->story = calloc(1, STORY_BYTES);
	assert_non_null(w->story);
	w->filter = *filter;
	w->sink = (struct sink){ .ops = &world_ops, .self = w };
	w->core = core_new(&w->filter, &w->sink, 1);
	assert_non_null(w->core);
	return w;
}

MAYBE static void world_start(struct world *w, uint32_t blind)
{
	union start_record start = start_new("6.1.0", "box", "", 0);

	start.start.blind = blind;
	FEED(w, start);
}

MAYBE static void world_free(struct world *w)
{
	core_free(w->core);
	free(w->story);
	free(w);
}

/* cmocka fixtures: a run that shows everything. */
MAYBE static int world_setup(void **state)
{
	struct filter all = { .states = true, .existing = true };
	struct world *w = world_new(&all);

	world_start(w, 0);
	*state = w;
	return 0;
}

MAYBE static int world_teardown(void **state)
{
	world_free(*state);
	return 0;
}

/* What was said since the last time is exactly this. */
#define SAID(world, text)                                                                          \
	do {                                                                                       \
		assert_string_equal((world)->story, text);                                         \
		(world)->story[(world)->story_len = 0] = 0;                                        \
	} while (0)

/* What was found since the last time is exactly this. */
#define FOUND(world, text)                                                                         \
	do {                                                                                       \
		assert_string_equal((world)->found, text);                                         \
		(world)->found[(world)->found_len = 0] = 0;                                        \
	} while (0)

#define WORLD_TEST(function) cmocka_unit_test_setup_teardown(function, world_setup, world_teardown)

#endif
