/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_passes.c: what walks through the kernel's sockets teach: sockets from before the start, what
 * was lost or could not be seen, what is gone, and what looks so in the middle of a call.
 */
#include <netinet/tcp.h>

#include "tests/unit/passes.h"

/* --- sockets found ------------------------------------------------------------------------ */

static void the_first_walk_finds_what_was_there(void **state)
{
	struct world *w = *state;
	struct wire_call c = found_new(2, 2000010, 48822, WIRE_F_EXISTING | WIRE_F_WHO);

	feed_pass(w, 1, WIRE_PASS_BEGIN, WIRE_P_START | WHOLE, 2000000);
	feed_found(w, 1, 2000005, 5000, WIRE_F_EXISTING);
	assert_false(w->who_known);
	assert_int_equal(w->tenure.shared, NULL_STATE);
	assert_int_equal(w->tenure.by, BY_NONE);
	c.who = who_new(300, "nginx");
	c.fd = 7;
	c.sock.userlocks = 16; /* 6.17: connect() took it */
	FEED(w, c);
	assert_true(w->who_known && w->who.pid == 300);
	assert_int_equal(w->event.fd, 7);
	/* without a port: its first operation will tell */
	feed_found(w, 3, 2000011, 0, WIRE_F_EXISTING);
	feed_pass(w, 1, WIRE_PASS_END, WIRE_P_START | WHOLE, 2000020);
	assert_int_equal(core_lives(w->core), 2);
	feed_end(w, 1, 3000000, 5000);
	feed_stop(w, 4000000);
	SAID(w, "2000005 #1 existing 5000 unknown ??\n"
		"2000010 #2 existing 48822 connect IE\n"
		"3000000 #1 close 5000 unknown ??\n"
		"3000001 #1 release 5000 unknown ??\n"
		"life #1 ended existing: 5000 unknown ?? 0..3000001\n"
		"life #2 open existing: 48822 connect IE 0..\n");
	assert_int_equal(w->summary.origins[ORIGIN_UNKNOWN], 0); /* given before, not now */
	assert_int_equal(w->summary.events[EVENT_EXISTING], 2);
}

/* Probes are there before the walk: what they have told of is not told of again. */
static void a_walk_finds_what_is_known(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_LISTEN, 2, 2000003, 5001, 5001);

	feed_bind(w, 1, 2000000, 5000);
	FEED(w, c); /* it was there before, and nobody had found it yet */
	SAID(w, "2000000 #1 bind 5000 bind -- +\n"
		"2000003 #2 listen 5001 unknown ??\n");
	feed_pass(w, 1, WIRE_PASS_BEGIN, WIRE_P_START | WHOLE, 2000004);
	feed_found(w, 1, 2000005, 5000, 0);
	feed_found(w, 2, 2000006, 5001, WIRE_F_EXISTING);
	feed_pass(w, 1, WIRE_PASS_END, WIRE_P_START | WHOLE, 2000007);
	SAID(w, "");
	assert_int_equal(core_lives(w->core), 2);
	assert_true(w->life.existing);
}

static void a_later_walk_finds_what_nobody_saw(void **state)
{
	struct world *w = *state;

	feed_pass(w, 2, WIRE_PASS_BEGIN, 0, 2000000);
	feed_found(w, 1, 2000005, 5000, 0);
	assert_false(w->life.existing);
	assert_true(w->event.reconciled);
	feed_pass(w, 2, WIRE_PASS_END, 0, 2000010);
	feed_end(w, 1, 3000000, 5000);
	SAID(w, "2000005 #1 existing 5000 unknown ?? late\n"
		"3000000 #1 close 5000 unknown ??\n"
		"3000001 #1 release 5000 unknown ??\n"
		"life #1 ended: 5000 unknown ?? 0..3000001\n");
}

static void a_walk_brings_tenures_to_the_truth(void **state)
{
	struct world *w = *state;

	feed_bind(w, 1, 2000000, 5000);
	feed_found(w, 1, 2000010, 0, 0); /* gone */
	feed_found(w, 1, 2000020, 0, 0);
	feed_found(w, 1, 2000030, 6000, 0); /* come */
	feed_found(w, 1, 2000040, 6001, 0); /* another */
	feed_found(w, 1, 2000050, 6001, 0);
	assert_int_equal(w->life.local.port, 6001);
	feed_edge(w, WIRE_RELEASE, 1, 2000060, 6001, 0);
	feed_stop(w, 3000000);
	SAID(w, "2000000 #1 bind 5000 bind -- +\n"
		"2000010 #1 release 5000 bind -- late\n"
		"2000030 #1 existing 6000 unknown ?? late\n"
		"2000040 #1 release 6000 unknown ?? late\n"
		"2000040 #1 existing 6001 unknown ?? late\n"
		"2000060 #1 release 6001 unknown ??\n"
		"life #1 open: 5000 bind -- 2000000..2000010, 6000 unknown ?? 0..2000040, "
		"6001 unknown ?? 0..2000060\n");
}

/* What was told late is not told again when its record turns up after all. */
static void a_release_after_it_was_found(void **state)
{
	struct world *w = *state;
	struct wire_call c;

	feed_bind(w, 1, 2000000, 5000);
	feed_found(w, 1, 2000010, 0, 0);
	feed_edge(w, WIRE_RELEASE, 1, 2000009, 5000, 0);
	SAID(w, "2000000 #1 bind 5000 bind -- +\n"
		"2000010 #1 release 5000 bind -- late\n");
	/* a release that comes after the next port: the socket keeps that one */
	c = port_call(WIRE_CONNECT, 1, 2000020, 0, 40000);
	FEED(w, c);
	feed_edge(w, WIRE_RELEASE, 1, 2000009, 5000, 0);
	feed_end(w, 1, 2000030, 40000);
	SAID(w, "2000020 #1 connect 40000 connect IE +\n"
		"2000030 #1 close 40000 connect IE\n"
		"2000031 #1 release 40000 connect IE\n"
		"life #1 ended: 5000 bind -- 2000000..2000010, 40000 connect IE "
		"2000020..2000031\n");
}

/* One holder of many: it does not become the owner where one is known. */
static void a_holder_is_better_than_nobody(void **state)
{
	struct world *w = *state;
	struct wire_call c = found_new(1, 2000010, 5001, WIRE_F_WHO);

	c.who = who_new(300, "nginx");
	feed_bind(w, 1, 2000000, 5000);
	FEED(w, c);
	assert_int_equal(w->life.who.pid, 100);
	c = found_new(2, 2000020, 5002, 0);
	FEED(w, c);
	c = found_new(2, 2000030, 5003, WIRE_F_WHO);
	c.who = who_new(300, "nginx");
	FEED(w, c);
	assert_int_equal(w->life.who.pid, 300);
}

static void a_holder_who_is_asked_for_chooses_the_socket(void **state)
{
	uint32_t pid = 300;
	struct filter f = { .states = true, .pids = &pid, .pids_len = 1 };
	struct world *w = world_new(&f);
	struct wire_call c = found_new(1, 2000010, 5000, WIRE_F_WHO);

	(void)state;
	world_start(w, 0);
	feed_bind(w, 1, 2000000, 5000);
	c.who = who_new(300, "nginx");
	FEED(w, c);
	feed_end(w, 1, 2000020, 5000);
	SAID(w, "2000020 #1 close 5000 bind --\n"
		"2000021 #1 release 5000 bind --\n"
		"life #1 ended: 5000 bind -- 2000000..2000021\n");
	world_free(w);
}

/* What a failed attempt cleared in the kernel stays in the events that follow. */
static void addresses_of_a_closed_socket_stay(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000000, 5000, 5000);

	c.sock.peer_port = 80;
	c.sock.state = 2;
	FEED(w, c);
	feed_found(w, 1, 2000010, 5000, 0);
	feed_edge(w, WIRE_CONNECT_ERROR, 1, 2000020, 0, ECONNREFUSED);
	assert_int_equal(w->life.peer.port, 80);
}

/* --- in the middle of a call -------------------------------------------------------------- */

static const struct {
	uint8_t kind;
	const char *said;
} calls[] = {
	{ WIRE_BIND, "2000100 #1 bind 5000 bind0 -E +\n" },
	{ WIRE_LISTEN, "2000100 #1 listen 5000 listen IE +\n" },
	{ WIRE_CONNECT, "2000100 #1 connect 5000 connect IE +\n" },
	{ WIRE_SEND, "2000100 #1 send 5000 send IE +\n" },
};

/* The walk looked while the call was under way: the call says where the port is from. */
static void a_call_tells_the_origin_of_what_was_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct filter all = { .states = true, .existing = true };
		struct world *w = world_new(&all);
		struct wire_call c = port_call(calls[i].kind, 1, 2000100, 0, 5000);

		world_start(w, 0);
		c.start_ns = 2000000;
		c.facts |= WIRE_F_OWNERS;
		feed_found(w, 1, 2000050, 5000, i % 2 ? WIRE_F_EXISTING : 0);
		w->story[w->story_len = 0] = 0;
		FEED(w, c);
		assert_int_equal(w->life.tenures_len, 1);
		assert_int_equal(w->tenure.assigned_ns, 2000100);
		assert_int_equal(w->tenure.by, BY_USER);
		assert_int_equal(w->tenure.shared, NO);
		assert_int_equal(w->tenure.range_lo, 32768);
		assert_false(w->life.existing);
		SAID(w, calls[i].said);
		feed_stop(w, 3000000);
		assert_int_equal(w->summary.origins[ORIGIN_UNKNOWN], 0);
		world_free(w);
	}
}

/* Likewise of a socket that was known without a port, and of a failed call of UDP. */
static void a_known_socket_found_in_a_call(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 0);

	call_request(&c, 80);
	c.error = EADDRINUSE;
	c.sock.protocol = IPPROTO_UDP;
	FEED(w, c);
	c = found_new(1, 2000050, 40000, 0);
	c.sock.protocol = IPPROTO_UDP;
	FEED(w, c);
	c = port_call(WIRE_CONNECT_FAILED, 1, 2000100, 0, 40000);
	c.start_ns = 2000040;
	c.error = ENETUNREACH;
	c.sock.protocol = IPPROTO_UDP;
	FEED(w, c);
	feed_end(w, 1, 2000200, 40000);
	SAID(w, "2000000 #1 bind 80 - EADDRINUSE\n"
		"2000050 #1 existing 40000 unknown ?? late\n"
		"2000100 #1 connect_failed 40000 connect IE + ENETUNREACH\n"
		"2000200 #1 close 40000 connect IE\n"
		"2000201 #1 release 40000 connect IE\n"
		"life #1 ended: 40000 connect IE 2000100..2000201\n");
}

/* The walk was before the call, or saw another port: then it is another hold. */
static void another_hold_than_the_one_found(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000100, 0, 5000);

	c.start_ns = 2000060;
	feed_found(w, 1, 2000050, 5000, 0);
	FEED(w, c);
	SAID(w, "2000050 #1 existing 5000 unknown ?? late\n"
		"2000100 #1 release 5000 unknown ?? late\n"
		"2000100 #1 connect 5000 connect IE +\n");
	c = port_call(WIRE_CONNECT, 2, 2000200, 0, 5001);
	c.start_ns = 2000140;
	feed_found(w, 2, 2000150, 5000, 0);
	FEED(w, c);
	SAID(w, "2000150 #2 existing 5000 unknown ?? late\n"
		"2000200 #2 release 5000 unknown ?? late\n"
		"2000200 #2 connect 5001 connect IE +\n");
	/* a call that does not say when it began */
	c = port_call(WIRE_CONNECT, 3, 2000300, 0, 5000);
	c.facts &= ~(uint32_t)WIRE_F_TIMED;
	c.start_ns = 0;
	feed_found(w, 3, 2000250, 5000, 0);
	FEED(w, c);
	SAID(w, "2000250 #3 existing 5000 unknown ?? late\n"
		"2000300 #3 release 5000 unknown ?? late\n"
		"2000300 #3 connect 5000 connect IE +\n");
}

/* A child that waited for accept() when the walk came by. */
static void a_child_found_and_then_accepted(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_ACCEPT, 1, 2000100, 5000, 5000);

	feed_found(w, 1, 2000050, 5000, WIRE_F_EXISTING);
	c.facts |= WIRE_F_CHILD;
	FEED(w, c);
	assert_int_equal(w->tenure.shared, NO);
	SAID(w, "2000050 #1 existing 5000 unknown ??\n"
		"2000100 #1 accept 5000 accept --\n");
	feed_found(w, 2, 2000150, 5000, 0);
	c = port_call(WIRE_ACCEPT, 2, 2000200, 5000, 5000);
	c.facts |= WIRE_F_CHILD;
	c.sock.created_ns = 2000110;
	FEED(w, c);
	feed_end(w, 2, 2000300, 5000);
	SAID(w, "2000150 #2 existing 5000 unknown ?? late\n"
		"2000200 #2 accept 5000 accept -- +\n"
		"2000300 #2 close 5000 accept --\n"
		"2000301 #2 release 5000 accept --\n"
		"life #2 ended: 5000 accept -- 2000110..2000301\n");
}

/* A child that the probes know and no process has taken. */
static void a_child_that_waits(void **state)
{
	struct world *w = *state;
	struct wire_call c = found_new(2, 2000050, 5000, WIRE_F_CHILD);

	feed_bind(w, 1, 2000000, 5000);
	c.sock.parent = 1;
	c.sock.state = TCP_ESTABLISHED;
	c.sock.created_ns = 2000030;
	c.sock.established_ns = 2000040;
	FEED(w, c);
	assert_int_equal(w->life.parent, 1);
	SAID(w, "2000000 #1 bind 5000 bind -- +\n"
		"2000040 #2 established 5000 accept -- +\n"
		"2000050 #2 existing 5000 accept -- late\n");
	c = port_call(WIRE_ACCEPT, 2, 2000100, 5000, 5000);
	c.facts |= WIRE_F_CHILD;
	c.sock.established_ns = 2000040;
	FEED(w, c);
	SAID(w, "2000100 #2 accept 5000 accept --\n");
}

/* Accept, reset by the peer and bind() were lost: its connection is none of this port's. */
static void a_child_that_has_bound_itself(void **state)
{
	struct world *w = *state;
	struct wire_call c = found_new(2, 2000050, 6000, WIRE_F_CHILD);

	c.sock.created_ns = 2000030;
	c.sock.established_ns = 2000040;
	FEED(w, c);
	SAID(w, "2000050 #1 existing 6000 unknown ?? late\n");
}

/* --- before and after every kind of record ------------------------------------------------- */

static size_t any_record(uint8_t kind, uint64_t id, uint64_t ts_ns, void *out)
{
	struct wire_call c = port_call(kind, id, ts_ns, 5000, 5000);
	struct wire_edge edge = edge_new(kind, id, ts_ns, 0, 0);
	struct wire_owner owner = owner_new(id, ts_ns, 200, "worker");
	struct wire_end end = end_new(id, ts_ns);
	const void *record = &c;

	c.error = kind == WIRE_CONNECT_FAILED ? ECONNREFUSED : 0;
	edge.error = kind == WIRE_CONNECT_ERROR ? ECONNREFUSED : 0;
	edge.port = kind == WIRE_RELEASE || kind == WIRE_TW_END ? 5000 : 0;
	end.release_ns = ts_ns;
	end.port = 5000;
	if (kind >= WIRE_ESTABLISHED && kind <= WIRE_TW_END)
		record = &edge;
	else if (kind == WIRE_OWNER)
		record = &owner;
	else if (kind == WIRE_END)
		record = &end;
	memcpy(out, record, ((const struct wire_head *)record)->len_bytes);
	return ((const struct wire_head *)record)->len_bytes;
}

static bool is_kind(uint8_t kind)
{
	return (kind >= WIRE_BIND && kind <= WIRE_SEND) ||
	       (kind >= WIRE_ESTABLISHED && kind <= WIRE_TW_END) || kind == WIRE_OWNER ||
	       kind == WIRE_END;
}

/* Each kind before or after a walk: one life at most, one hold at most, and it is the truth. */
static void any_record_before_and_after_a_walk(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2 * 32; i++) {
		struct filter all = { .states = true, .existing = true };
		uint8_t kind = (uint8_t)(i / 2);
		struct wire_call f = found_new(1, 2000100, 5000, WIRE_F_EXISTING);
		union start_record r;
		struct world *w;
		size_t len;

		if (!is_kind(kind))
			continue;
		w = world_new(&all);
		world_start(w, 0);
		len = any_record(kind, 1, i % 2 ? 2000200 : 2000000, &r);
		if (i % 2)
			FEED(w, f);
		assert_int_equal(core_feed(w->core, &r, len), 0);
		if (!(i % 2))
			FEED(w, f);
		assert_int_equal(core_lives(w->core), kind != WIRE_END || !(i % 2));
		feed_stop(w, 3000000);
		assert_int_equal(w->summary.lives, 1);
		assert_int_equal(w->life.number, 1);
		assert_int_equal(w->life.tenures_len, 1);
		assert_int_equal(w->life.tenures[0].port, 5000);
		if (kind == WIRE_RELEASE || kind == WIRE_TW_END || kind == WIRE_END)
			assert_int_equal(w->life.holds_port, !(i % 2));
		else
			assert_true(w->life.holds_port);
		world_free(w);
	}
}

/* --- whole walks -------------------------------------------------------------------------- */

static void what_a_whole_walk_misses_is_gone(void **state)
{
	struct world *w = *state;
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000000, 0, 40000);

	FEED(w, c);
	c = port_call(WIRE_CONNECT_FAILED, 2, 2000001, 0, 0);
	c.error = ENETUNREACH;
	FEED(w, c);
	feed_bind(w, 3, 2000002, 5000);
	feed_bind(w, 4, 2000003, 5001);
	feed_pass(w, 1, WIRE_PASS_BEGIN, WHOLE, 2000010);
	feed_found(w, 3, 2000011, 5000, 0);
	feed_edge(w, WIRE_ESTABLISHED, 4, 2000012, 0, 0); /* any record will do */
	feed_bind(w, 5, 2000013, 5002);			  /* younger than the walk */
	w->story[w->story_len = 0] = 0;
	feed_pass(w, 1, WIRE_PASS_END, WHOLE, 2000020);
	SAID(w, "2000020 #1 release 40000 connect IE late\n"
		"life #1 ended late: 40000 connect IE 2000000..2000020\n"
		"life #2 ended late:\n");
	assert_int_equal(core_lives(w->core), 3);
	assert_int_equal(core_summary(w->core)->lives_ended, 2);
	/* the next one: now nobody has told of 5 */
	feed_pass(w, 2, WIRE_PASS_BEGIN, WHOLE, 2000030);
	feed_found(w, 3, 2000031, 5000, 0);
	feed_found(w, 4, 2000032, 5001, 0);
	feed_pass(w, 2, WIRE_PASS_END, WHOLE, 2000040);
	SAID(w, "2000040 #5 release 5002 bind -- late\n"
		"life #5 ended late: 5002 bind -- 2000013..2000040\n");
	/* records of what is gone come to nothing */
	feed_edge(w, WIRE_RELEASE, 5, 2000035, 5002, 0);
	feed_end(w, 1, 2000036, 40000);
	SAID(w, "");
}

static void an_owner_or_an_end_during_a_walk(void **state)
{
	struct world *w = *state;
	struct wire_owner owner = owner_new(1, 2000012, 200, "worker");

	feed_bind(w, 1, 2000000, 5000);
	feed_bind(w, 2, 2000001, 5001);
	feed_pass(w, 1, WIRE_PASS_BEGIN, WHOLE, 2000010);
	feed_end(w, 2, 2000011, 5001);
	FEED(w, owner);
	w->story[w->story_len = 0] = 0;
	feed_pass(w, 1, WIRE_PASS_END, WHOLE, 2000020);
	SAID(w, "");
	assert_int_equal(core_lives(w->core), 1);
}

/* Absence proves nothing where not everything was told of. */
static void walks_that_prove_nothing(void **state)
{
	struct world *w = *state;

	feed_bind(w, 1, 2000000, 5000);
	w->story[w->story_len = 0] = 0;
	feed_pass(w, 1, WIRE_PASS_BEGIN, WIRE_P_START | WHOLE, 2000002);
	feed_pass(w, 1, WIRE_PASS_END, WIRE_P_START | WHOLE, 2000003);
	feed_pass(w, 1, WIRE_PASS_BEGIN, WHOLE, 2000010);
	feed_pass(w, 1, WIRE_PASS_ABORTED, WHOLE, 2000020);
	feed_pass(w, 1, WIRE_PASS_END, WHOLE, 2000021); /* it was over */
	feed_pass(w, 2, WIRE_PASS_BEGIN, 0, 2000030);	/* only what differs */
	feed_pass(w, 2, WIRE_PASS_END, 0, 2000040);
	feed_pass(w, 3, WIRE_PASS_BEGIN, WHOLE, 2000050);
	feed_pass(w, 4, WIRE_PASS_BEGIN, WHOLE, 2000060); /* the end of 3 was lost */
	feed_found(w, 1, 2000061, 5000, 0);
	feed_pass(w, 4, WIRE_PASS_END, WHOLE, 2000070);
	feed_pass(w, 9, WIRE_PASS_END, WHOLE, 2000080); /* the begin of 9 was lost */
	SAID(w, "");
	assert_int_equal(core_lives(w->core), 1);
}

/* The probes may be told by a walk, too: WIRE_END with WIRE_E_PASS. */
static void an_end_that_a_walk_found(void **state)
{
	struct world *w = *state;
	struct wire_end end = end_new(1, 2000100);

	feed_bind(w, 1, 2000000, 5000);
	end.flags = WIRE_E_PASS;
	end.close_ns = 2000050;
	FEED(w, end);
	SAID(w, "2000000 #1 bind 5000 bind -- +\n"
		"2000050 #1 close 5000 bind --\n"
		"2000100 #1 release 5000 bind -- late\n"
		"life #1 ended late: 5000 bind -- 2000000..2000100\n");
	feed_bind(w, 2, 2000200, 5000);
	end = end_new(2, 2000300);
	end.flags = WIRE_E_PASS;
	end.release_ns = 2000250; /* that was seen */
	end.port = 5000;
	FEED(w, end);
	SAID(w, "2000200 #2 bind 5000 bind -- +\n"
		"2000250 #2 release 5000 bind --\n"
		"life #2 ended late: 5000 bind -- 2000200..2000250\n");
}

static void a_peer_that_nobody_told_of(void **state)
{
	struct world *w = *state;
	struct wire_call found = found_new(1, 2000011, 81, 0);

	feed_bind(w, 1, 2000000, 81);
	feed_pass(w, 1, WIRE_PASS_BEGIN, WHOLE, 2000010);
	found.sock.peer_port = 80;
	FEED(w, found);
	FEED(w, found);
	feed_pass(w, 1, WIRE_PASS_END, WHOLE, 2000020);
	SAID(w, "2000000 #1 bind 81 bind -- +\n"
		"2000011 #1 existing 81 bind -- late\n");
	assert_int_equal(w->life.peer.port, 80);
}

/* What such a backend told of by its socket is not told of again by its TIME_WAIT entry. */
/* --- very many ---------------------------------------------------------------------------- */

#define MANY 100000

static int count_event(void *self, const struct event *e)
{
	uint64_t *counts = self;

	assert_true(e->kind == EVENT_EXISTING || (e->kind == EVENT_RELEASE && e->reconciled));
	counts[e->kind]++;
	return 0;
}

static void a_hundred_thousand_are_swept(void **state)
{
	static const struct sink_ops ops = { .event = count_event };
	uint64_t counts[EVENT_KINDS] = { 0 };
	struct filter all = { .states = true, .existing = true };
	struct sink sink = { .ops = &ops, .self = counts };
	struct core *core = core_new(&all, &sink, 1);
	union start_record start = start_new("6.1", "box", "", 0);
	uint64_t ts_ns = 2000000;

	(void)state;
	assert_int_equal(core_feed(core, &start, start.start.head.len_bytes), 0);
	/* each walk finds every second of those that the one before has found, and as many others
	 */
	for (uint32_t n = 1; n <= 4; n++) {
		struct wire_pass pass = pass_new(n, WIRE_PASS_BEGIN, WHOLE, ts_ns);

		assert_int_equal(core_feed(core, &pass, sizeof(pass)), 0);
		for (uint64_t i = 0; i < MANY; i++) {
			uint64_t which = n + i % 2;
			struct wire_call c = found_new(which << 32 | i / 2 << 10, ts_ns++, 5000, 0);

			c.sock.state = i % 4 < 2 ? 10 : TIME_WAIT;
			assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
		}
		pass = pass_new(n, WIRE_PASS_END, WHOLE, ts_ns);
		assert_int_equal(core_feed(core, &pass, sizeof(pass)), 0);
		assert_int_equal(core_lives(core), MANY / 2);
		assert_int_equal(counts[EVENT_EXISTING], MANY + (n - 1) * (MANY / 2));
		assert_int_equal(counts[EVENT_RELEASE], (n - 1) * (MANY / 2));
	}
	assert_int_equal(core_summary(core)->lives_ended, 3 * (MANY / 4));
	core_free(core);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(the_first_walk_finds_what_was_there),
		WORLD_TEST(a_walk_finds_what_is_known),
		WORLD_TEST(a_later_walk_finds_what_nobody_saw),
		WORLD_TEST(a_walk_brings_tenures_to_the_truth),
		WORLD_TEST(a_release_after_it_was_found),
		WORLD_TEST(a_holder_is_better_than_nobody),
		cmocka_unit_test(a_holder_who_is_asked_for_chooses_the_socket),
		WORLD_TEST(addresses_of_a_closed_socket_stay),
		cmocka_unit_test(a_call_tells_the_origin_of_what_was_found),
		WORLD_TEST(a_known_socket_found_in_a_call),
		WORLD_TEST(another_hold_than_the_one_found),
		WORLD_TEST(a_child_found_and_then_accepted),
		WORLD_TEST(a_child_that_waits),
		WORLD_TEST(a_child_that_has_bound_itself),
		cmocka_unit_test(any_record_before_and_after_a_walk),
		WORLD_TEST(what_a_whole_walk_misses_is_gone),
		WORLD_TEST(an_owner_or_an_end_during_a_walk),
		WORLD_TEST(walks_that_prove_nothing),
		WORLD_TEST(an_end_that_a_walk_found),
		WORLD_TEST(a_peer_that_nobody_told_of),
		cmocka_unit_test(a_hundred_thousand_are_swept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
