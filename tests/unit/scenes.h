/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenes.h owns how the sentences of --explain are tested: a scene is what happens to one socket,
 * as records, and it is played several times over by one program, so that all that may be said of
 * it is. Then a sentence is among them, or it is not.
 */
#ifndef PORTLIFE_TESTS_SCENES_H
#define PORTLIFE_TESTS_SCENES_H

#include <netinet/tcp.h>

#include "tests/unit/records.h"

#define SCENE_MAX  12
#define SCENE_PLAY 8 /* times; more than the sentences of any event */

#define LOCK_ADDRESS 4
#define LOCK_PORT    8
#define LOCK_CONNECT 16

struct scene {
	const char *kernel;
	uint32_t blind;
	const char *reserved; /* NULL: nothing is known of the settings */
	uint32_t step_width;
	bool step_known;
	uint32_t unprivileged_start; /* 0: 1024 */
	bool lost;		     /* records were, before */
	struct filter filter;
	size_t len;
	union {
		struct wire_head head;
		struct wire_call call;
		struct wire_edge edge;
		struct wire_end end;
	} records[SCENE_MAX];
};

MAYBE static struct scene scene_new(void)
{
	return (struct scene){ .kernel = "6.12.95",
			       .reserved = "",
			       .filter = { .states = true, .existing = true } };
}

MAYBE static struct wire_call *scene_add(struct scene *s, struct wire_call c)
{
	assert_true(s->len < SCENE_MAX);
	s->records[s->len].call = c;
	return &s->records[s->len++].call;
}

MAYBE static struct wire_edge *scene_add_edge(struct scene *s, struct wire_edge e)
{
	assert_true(s->len < SCENE_MAX);
	s->records[s->len].edge = e;
	return &s->records[s->len++].edge;
}

MAYBE static struct wire_end *scene_add_end(struct scene *s, struct wire_end e)
{
	assert_true(s->len < SCENE_MAX);
	s->records[s->len].end = e;
	return &s->records[s->len++].end;
}

/* The same socket, created while portlife watched. Its records carry 1 as the number. */
MAYBE static struct wire_call seen_call(uint8_t kind, uint64_t ts_ns, uint16_t before,
					uint16_t port)
{
	struct wire_call c = port_call(kind, 1, BOOT_NS + ts_ns, before, port);

	c.sock.created_ns = BOOT_NS + 1;
	c.range_lo = 32768;
	c.range_hi = 60999;
	return c;
}

MAYBE static void ask_for(struct wire_call *c, const uint8_t addr[4], uint16_t port)
{
	call_request(c, port);
	memcpy(c->req_addr, addr, 4);
}

static const uint8_t any4[4] = { 0, 0, 0, 0 }, home4[4] = { 127, 0, 0, 1 },
		     own4[4] = { 10, 0, 0, 1 }, far4[4] = { 10, 0, 0, 9 };

/* bind() to a port that the program named. */
MAYBE static struct wire_call named_bind(const uint8_t addr[4], uint16_t port)
{
	struct wire_call c = seen_call(WIRE_BIND, 100, 0, port);

	ask_for(&c, addr, port);
	memcpy(c.sock.local, addr, 4);
	c.sock.userlocks = LOCK_PORT | (memcmp(addr, any4, 4) ? LOCK_ADDRESS : 0);
	return c;
}

/* bind() to port 0. */
MAYBE static struct wire_call zero_bind(const uint8_t addr[4], uint16_t port)
{
	struct wire_call c = named_bind(addr, port);

	c.req_port = 0;
	c.facts |= WIRE_F_SEARCHED;
	c.sock.userlocks &= (uint8_t)~LOCK_PORT;
	return c;
}

MAYBE static struct wire_call refused_bind(const uint8_t addr[4], uint16_t port, int error)
{
	struct wire_call c = seen_call(WIRE_BIND, 200, 0, 0);

	ask_for(&c, addr, port);
	c.error = error;
	return c;
}

MAYBE static struct wire_call listening(const uint8_t addr[4], uint16_t before, uint16_t port)
{
	struct wire_call c = seen_call(WIRE_LISTEN, 300, before, port);

	memcpy(c.sock.local, addr, 4);
	c.sock.state = TCP_LISTEN;
	if (!before)
		c.facts |= WIRE_F_SEARCHED;
	return c;
}

/* connect() to 10.0.0.9:443 from 10.0.0.1. */
MAYBE static struct wire_call connecting(uint16_t before, uint16_t port)
{
	struct wire_call c = seen_call(WIRE_CONNECT, 400, before, port);

	ask_for(&c, far4, 443);
	memcpy(c.sock.local, own4, 4);
	memcpy(c.sock.peer, far4, 4);
	c.sock.peer_port = 443;
	c.sock.state = TCP_SYN_SENT;
	if (!before)
		c.facts |= WIRE_F_SEARCHED | WIRE_F_SEARCH_TIMED;
	return c;
}

MAYBE static struct wire_call refused_connect(uint16_t before, uint16_t port, int error)
{
	struct wire_call c = connecting(before, port);

	c.head.kind = WIRE_CONNECT_FAILED;
	c.head.ts_ns += 100;
	c.start_ns = c.head.ts_ns - 50;
	c.sock.state = TCP_CLOSE;
	c.error = error;
	return c;
}

/* A connection from 10.0.0.9:443 to 10.0.0.1:8080. */
MAYBE static struct wire_call accepted(uint32_t facts)
{
	struct wire_call c = connecting(8080, 8080);

	c.head.kind = WIRE_ACCEPT;
	c.facts = WIRE_F_WHO | WIRE_F_CHILD | facts;
	c.start_ns = 0;
	c.sock.state = TCP_ESTABLISHED;
	c.sock.established_ns = BOOT_NS + 390;
	c.req_family = c.req_port = 0;
	memset(c.req_addr, 0, 16);
	return c;
}

MAYBE static struct wire_call as_udp(struct wire_call c)
{
	c.sock.protocol = IPPROTO_UDP;
	c.sock.state = TCP_CLOSE;
	return c;
}

/* Closed, and gone; time_wait_ns: what TIME_WAIT took over at that time, 0 if nothing. */
MAYBE static void scene_close(struct scene *s, uint64_t ts_ns, uint16_t port, uint64_t time_wait_ns)
{
	struct wire_end end = end_new(1, BOOT_NS + ts_ns);

	end.close_ns = BOOT_NS + ts_ns - 10;
	end.port = port;
	end.release_ns = time_wait_ns || !port ? 0 : BOOT_NS + ts_ns - 1;
	end.time_wait_ns = time_wait_ns ? BOOT_NS + time_wait_ns : 0;
	end.flags = time_wait_ns ? WIRE_E_TIME_WAIT : 0;
	scene_add_end(s, end);
}

MAYBE static struct scene scene_of(struct wire_call c)
{
	struct scene s = scene_new();

	scene_add(&s, c);
	return s;
}

static void scene_feed(struct world *w, const struct scene *s, uint64_t round)
{
	for (size_t i = 0; i < s->len; i++) {
		union {
			struct wire_head head;
			struct wire_call call;
			struct wire_edge edge;
			struct wire_end end;
		} r;

		memcpy(&r, &s->records[i], sizeof(r));
		if (r.head.kind <= WIRE_SEND)
			r.call.sock.id += round * 100;
		else if (r.head.kind == WIRE_END)
			r.end.id += round * 100;
		else
			r.edge.id += round * 100;
		assert_int_equal(feed(w, &r), 0);
	}
}

static void scene_start(struct world *w, const struct scene *s)
{
	union start_record start = start_new(s->kernel, "box", "", 0);
	struct wire_lost lost = { .head = head_new(WIRE_LOST, sizeof(lost), BOOT_NS + 3),
				  .count = 1,
				  .cause = WIRE_LOST_BUFFER };

	start.start.blind = s->blind;
	FEED(w, start);
	feed_pass(w, 1, WIRE_PASS_BEGIN, WIRE_P_START | WIRE_P_FULL, BOOT_NS + 1);
	feed_pass(w, 1, WIRE_PASS_END, WIRE_P_START | WIRE_P_FULL, BOOT_NS + 2);
	if (s->lost)
		FEED(w, lost);
	if (s->reserved) {
		union settings_record r = settings_new(BOOT_NS + 3, s->reserved);

		if (s->unprivileged_start)
			r.settings.unprivileged_start = s->unprivileged_start;
		r.settings.known |= s->step_known ? WIRE_S_STEP_WIDTH : 0;
		r.settings.step_width = s->step_width;
		FEED(w, r);
	}
}

/* All that is said of it in so many rounds; valid until the next time. */
MAYBE static const char *scene_play(const struct scene *s, unsigned int rounds)
{
	static char said[sizeof(((struct world *)0)->explained)];
	struct world *w = world_new(&s->filter);

	assert_int_equal(core_explain(w->core), 0);
	scene_start(w, s);
	for (unsigned int round = 0; round < rounds; round++)
		scene_feed(w, s, round);
	memcpy(said, w->explained, sizeof(said));
	world_free(w);
	return said;
}

static bool scene_says(const struct scene *s, const char *sentence)
{
	return strstr(scene_play(s, SCENE_PLAY), sentence) != NULL;
}

#define SAYS(scene, sentence)                                                                      \
	do {                                                                                       \
		if (!scene_says(scene, sentence))                                                  \
			fail_msg("not said: %s\nbut:\n%s", sentence, scene_play(scene, 3));        \
	} while (0)

#define SAYS_NOT(scene, sentence)                                                                  \
	do {                                                                                       \
		if (scene_says(scene, sentence))                                                   \
			fail_msg("said: %s\n%s", sentence, scene_play(scene, 3));                  \
	} while (0)

#endif
