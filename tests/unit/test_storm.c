/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_storm.c: records that are each valid but make no sense together, as after a heavy loss or
 * out of a hostile recording. Whatever they say, what core says must hold together.
 */
#include "tests/unit/records.h"

#define SOCKETS 6
#define RECORDS 300000

static uint32_t rolls = 2463534242;

/* The same sequence on every machine: 0 to n - 1. */
static uint32_t roll(uint32_t n)
{
	rolls ^= rolls << 13;
	rolls ^= rolls >> 17;
	rolls ^= rolls << 5;
	return rolls % n;
}

/* What was heard about each life, by its number; numbers are few as lives are long. */
struct hearing {
	uint64_t highest, events, assigned, lives_ended, lives_open;
	uint64_t late;
	uint16_t held[SOCKETS + 1]; /* by id: the port as the events have it, 0 if none */
};

static void check_life(const struct life *l)
{
	assert_true(l->number > 0 && l->id > 0 && l->id <= SOCKETS);
	assert_true(l->tenures_len <= 64 && l->phases_len <= 64);
	assert_true(!l->holds_port || l->tenures_len);
	for (size_t i = 0; i < l->tenures_len; i++) {
		const struct tenure *t = &l->tenures[i];

		assert_true(t->port != 0);
		assert_true(t->origin > ORIGIN_NONE && t->origin < ORIGIN_KINDS);
		if (t->origin == ORIGIN_ACCEPT)
			assert_int_equal(t->shared, NO);
		if (t->origin == ORIGIN_UNKNOWN)
			assert_int_equal(t->shared, NULL_STATE);
		if (t->origin == ORIGIN_UNKNOWN || t->origin == ORIGIN_ACCEPT)
			assert_int_equal(t->by, BY_NONE);
		if (t->deferred)
			assert_int_equal(tenure_is_implicit(t), YES);
		if (l->holds_port && i + 1u == l->tenures_len)
			assert_int_equal(t->released_ns, 0);
	}
}

/* Of the latest tenure, unless it was told of as released. */
static uint16_t port_of(const struct life *l)
{
	const struct tenure *t = l->tenures_len ? &l->tenures[l->tenures_len - 1] : NULL;

	return t && !t->released_ns && (!t->waits || l->holds_port) ? t->port : 0;
}

/* The socket may give up a port that TIME_WAIT has too: nobody gets it, so nothing is said. */
static bool waits(const struct life *l, uint16_t port)
{
	for (size_t i = 0; i < l->tenures_len; i++) {
		if (l->tenures[i].waits && l->tenures[i].port == port)
			return true;
	}
	return false;
}

/* Whoever follows the events knows at any time which socket has which port. */
static void check_table(struct hearing *h, const struct event *e)
{
	uint16_t *held = &h->held[e->life->id];

	if (e->kind == EVENT_RELEASE) { /* by the socket, or by what it left to TIME_WAIT */
		if (*held == e->port)
			*held = 0;
		return;
	}
	if (e->kind == EVENT_TIME_WAIT && !e->life->holds_port)
		*held = 0;
	assert_true(!*held || *held == port_of(e->life) || waits(e->life, *held));
	*held = port_of(e->life);
}

static int hear_event(void *self, const struct event *e)
{
	struct hearing *h = self;

	check_life(e->life);
	h->events++;
	h->assigned += e->assigned;
	if (e->life->number > h->highest)
		h->highest = e->life->number;
	if (e->assigned)
		assert_non_null(e->tenure);
	if (e->tenure && !(e->kind == EVENT_BIND && e->error))
		assert_int_equal(e->port, e->tenure->port);
	if (e->kind == EVENT_RELEASE) {
		assert_int_equal(e->tenure->released_ns, e->ts_ns);
		assert_false(e->life->holds_port &&
			     e->tenure == &e->life->tenures[e->life->tenures_len - 1]);
	}
	if (e->kind == EVENT_CONNECT_FAILED)
		assert_true(e->error > 0);
	assert_non_null(e->explanation);
	assert_true(e->explanation->len <= EXPLANATION_MAX);
	h->late += e->reconciled;
	if (e->reconciled)
		assert_true(e->kind == EVENT_RELEASE || e->kind == EVENT_EXISTING ||
			    e->kind == EVENT_TIME_WAIT);
	if (!e->life->ended) /* else what TIME_WAIT left */
		check_table(h, e);
	return 0;
}

static int hear_life(void *self, const struct life *l, bool ended)
{
	struct hearing *h = self;

	check_life(l);
	assert_int_equal(l->ended, ended);
	assert_true(!h->held[l->id] || h->held[l->id] == port_of(l) || waits(l, h->held[l->id]));
	h->held[l->id] = 0;
	h->lives_ended += ended;
	h->lives_open += !ended;
	return 0;
}

static size_t roll_call(union start_record *out)
{
	struct wire_call c =
		call_new((uint8_t)(WIRE_BIND + roll(8)), 1 + roll(SOCKETS), BOOT_NS + roll(100000));

	c.facts |= roll(WIRE_F_ALL + 1) & ~(uint32_t)(WIRE_F_REQUEST | WIRE_F_SEARCH_TIMED);
	if (!(c.facts & WIRE_F_OWNERS))
		c.facts &= ~(uint32_t)WIRE_F_SHARED;
	if (c.head.kind != WIRE_FOUND)
		c.facts &= ~(uint32_t)WIRE_F_PASS;
	else if ((c.facts & WIRE_F_PASS) && !roll(3))
		c.sock.state = 6;
	if (!(c.facts & WIRE_F_PASS) || c.sock.state == 6)
		c.facts &= ~(uint32_t)WIRE_F_SOCK_UID;
	if (c.sock.id <= 2 && c.head.kind != WIRE_ACCEPT && c.sock.state != 6)
		c.sock.protocol = IPPROTO_UDP;
	c.start_ns = c.facts & WIRE_F_TIMED ? BOOT_NS + roll(100000) : 0;
	c.sock.parent = roll(SOCKETS + 1);
	if (c.sock.parent == c.sock.id)
		c.sock.parent = 0;
	c.sock.created_ns = roll(2) ? BOOT_NS + roll(1000) : 0;
	c.sock.established_ns = roll(2) ? BOOT_NS + roll(1000) : 0;
	c.sock.options = (uint16_t)roll(WIRE_O_ALL + 1);
	c.sock.userlocks = (uint8_t)roll(32);
	c.sock.local_port = roll(2) ? (uint16_t)(80 + roll(3)) : 0;
	c.port_before = roll(2) ? (uint16_t)(80 + roll(3)) : 0;
	if (roll(2))
		call_request(&c, (uint16_t)(80 * roll(2)));
	if (c.head.kind == WIRE_CONNECT_FAILED)
		c.error = 1 + (int)roll(4095);
	else if (c.head.kind <= WIRE_LISTEN || c.head.kind == WIRE_DISCONNECT ||
		 c.head.kind == WIRE_SEND)
		c.error = roll(2) ? EADDRINUSE : 0;
	c.cause = c.error && roll(2) ? EADDRINUSE : 0;
	memcpy(out, &c, sizeof(c));
	return sizeof(c);
}

static size_t roll_step(union start_record *out)
{
	uint8_t kind = (uint8_t)(WIRE_ESTABLISHED + roll(5));
	uint64_t id = 1 + roll(SOCKETS), ts_ns = BOOT_NS + roll(100000);
	bool frees = kind >= WIRE_RELEASE;
	struct wire_edge edge = edge_new(kind, id, ts_ns, frees ? (uint16_t)(roll(2) * 80) : 0,
					 kind == WIRE_CONNECT_ERROR ? ECONNREFUSED : 0);
	struct wire_owner owner = owner_new(id, ts_ns, 200, "worker");
	struct wire_end end = end_new(id, ts_ns);

	struct wire_pass pass = { .head = head_new(WIRE_PASS, sizeof(pass), ts_ns) };

	if (!roll(8)) {
		pass.number = 1 + roll(3);
		pass.stage = (uint16_t)(WIRE_PASS_BEGIN + roll(3));
		pass.flags = (uint16_t)roll(WIRE_P_ALL + 1);
		memcpy(out, &pass, sizeof(pass));
		return sizeof(pass);
	}
	if (roll(4)) {
		memcpy(out, &edge, sizeof(edge));
		return sizeof(edge);
	}
	if (roll(2)) {
		memcpy(out, &owner, sizeof(owner));
		return sizeof(owner);
	}
	end.close_ns = roll(2) * (ts_ns - 1);
	end.release_ns = roll(2) * (ts_ns - roll(3));
	end.flags = roll(2) ? WIRE_E_TIME_WAIT : 0;
	end.time_wait_ns = end.flags ? ts_ns - 1 : 0;
	end.flags |= roll(2) ? WIRE_E_PASS : 0;
	end.port = (uint16_t)(roll(2) * (80 + roll(3)));
	memcpy(out, &end, sizeof(end));
	return sizeof(end);
}

static int hear_no_state(void *self, const struct event *e)
{
	(void)self;
	assert_true(e->error || e->kind < EVENT_ESTABLISHED || e->kind == EVENT_ACCEPT ||
		    e->kind == EVENT_SEND);
	return 0;
}

/* What nobody sees is counted all the same. */
static void compare_counts(const struct run_summary *a, const struct run_summary *b)
{
	assert_memory_equal(a->events, b->events, sizeof(a->events));
	assert_memory_equal(a->origins, b->origins, sizeof(a->origins));
	assert_memory_equal(a->errors, b->errors, sizeof(a->errors));
	assert_memory_equal(a->found, b->found, sizeof(a->found));
	assert_memory_equal(&a->search, &b->search, sizeof(a->search));
	assert_int_equal(a->implicit, b->implicit);
	assert_int_equal(a->ephemeral, b->ephemeral);
	assert_int_equal(a->lives, b->lives);
	assert_int_equal(a->lives_ended, b->lives_ended);
	assert_int_equal(a->findings, b->findings);
}

static void storm(uint32_t blind)
{
	static const struct sink_ops short_ops = { .event = hear_no_state };
	const struct filter plain = { 0 };
	struct sink short_sink = { .ops = &short_ops };
	struct core *short_way = core_new(&plain, &short_sink, 1);
	static const struct sink_ops ops = { .event = hear_event, .life = hear_life };
	struct filter all = { .states = true, .existing = true };
	struct hearing h = { 0 };
	struct sink sink = { .ops = &ops, .self = &h };
	struct core *core = core_new(&all, &sink, 1);
	union start_record r = start_new("6.1", "box", "", 0);
	struct wire_stop stop = { .head = head_new(WIRE_STOP, sizeof(stop), 9000000) };
	const struct run_summary *s = core_summary(core);
	uint64_t events = 0, origins = 0;

	assert_int_equal(core_explain(core), 0);
	r.start.blind = blind;
	assert_int_equal(core_feed(core, &r, r.start.head.len_bytes), 0);
	assert_int_equal(core_feed(short_way, &r, r.start.head.len_bytes), 0);
	for (int i = 0; i < RECORDS; i++) {
		size_t len = roll(3) ? roll_call(&r) : roll_step(&r);

		assert_int_equal(core_feed(core, &r, len), 0);
		assert_int_equal(core_feed(short_way, &r, len), 0);
		assert_true(core_lives(core) <= SOCKETS);
	}
	h.lives_open = 0;
	assert_int_equal(core_feed(core, &stop, sizeof(stop)), 0);
	assert_int_equal(core_feed(short_way, &stop, sizeof(stop)), 0);
	compare_counts(s, core_summary(short_way));
	core_free(short_way);
	for (int i = 0; i < EVENT_KINDS; i++) {
		assert_true(s->events[i] > 0);
		events += s->events[i];
	}
	for (int i = 0; i < ORIGIN_KINDS; i++)
		origins += s->origins[i];
	assert_int_equal(events, h.events);
	assert_int_equal(s->shown, h.events);
	assert_int_equal(origins, h.assigned);
	assert_int_equal(s->lives_ended, h.lives_ended);
	assert_int_equal(s->lives, h.lives_ended + h.lives_open);
	assert_int_equal(h.lives_open, core_lives(core));
	assert_true(h.lives_ended > 1000);
	assert_true(h.late > 1000);
	core_free(core);
}

static void a_storm_of_records(void **state)
{
	(void)state;
	storm(0);
}

static void a_storm_where_time_wait_is_not_seen(void **state)
{
	(void)state;
	storm(WIRE_B_TIME_WAIT_END);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_storm_of_records),
		cmocka_unit_test(a_storm_where_time_wait_is_not_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
