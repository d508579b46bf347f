/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_family.c: sockets that have something else instead of a port. What stands for it inside of
 * core must not show.
 */
#include "tests/unit/records.h"
#include "user/core/family.h"
#include "user/core/finding.h"

struct seen {
	size_t events, lives;
	enum event_kind kind;
	char local[128], requested[128], peer[128];
	uint32_t number, findings, holder_pid;
	uint8_t origin; /* ORIGIN_NONE: no tenure */
	bool has_range;
	char sentence[256];
};

static void write_end(char room[128], const struct endpoint *end)
{
	const struct path *path = endpoint_path(end);

	if (path)
		snprintf(room, 128, "%s%.*s", path->bytes[0] ? "" : "@",
			 (int)path->len - !path->bytes[0], path->bytes + !path->bytes[0]);
	else
		snprintf(room, 128, "%u:%u", endpoint_cid(end), endpoint_number(end));
}

static int see_event(void *self, const struct event *e)
{
	struct seen *s = self;

	s->events++;
	s->kind = e->kind;
	write_end(s->local, &e->life->local);
	write_end(s->peer, &e->life->peer);
	s->requested[0] = '\0';
	if (e->has_request)
		write_end(s->requested, &e->request);
	s->number = life_number(e->life, e->port);
	s->origin = e->tenure ? e->tenure->origin : ORIGIN_NONE;
	s->findings = e->findings;
	s->has_range = e->range_lo || e->range_hi;
	s->holder_pid = e->holders && e->holders->len ? e->holders->list[0].who->pid : 0;
	return 0;
}

static int see_finding(void *self, const struct finding *f)
{
	struct seen *s = self;

	snprintf(s->sentence, sizeof(s->sentence), "%.*s", (int)f->text_len, f->text);
	return 0;
}

static int see_life(void *self, const struct life *l, bool ended)
{
	struct seen *s = self;

	(void)ended;
	s->lives++;
	write_end(s->local, &l->local);
	return 0;
}

static const struct sink_ops seeing = { .event = see_event,
					.finding = see_finding,
					.life = see_life };

static const struct filter everything = { .states = true, .existing = true };

static struct core *begin(struct seen *s, struct sink *sink, const struct filter *f)
{
	union start_record start = start_new("6.1", "box", "", 0);
	struct core *core;

	*s = (struct seen){ .events = 0 };
	*sink = (struct sink){ .ops = &seeing, .self = s };
	core = core_new(f, sink, 1);
	assert_non_null(core);
	assert_int_equal(core_feed(core, &start, start.start.head.len_bytes), 0);
	return core;
}

static void feed_path(struct core *core, uint64_t id, uint16_t side, const char *bytes, size_t len)
{
	struct wire_address a = {
		.head = head_new(WIRE_ADDRESS, sizeof(a), 2000000),
		.id = id,
		.side = side,
		.path_bytes = (uint16_t)len,
	};

	memcpy(a.path, bytes, len);
	assert_int_equal(core_feed(core, &a, sizeof(a)), 0);
}

static struct wire_call named(uint8_t kind, uint64_t id, uint16_t family, uint16_t protocol)
{
	struct wire_call c = call_new(kind, id, 2000000 + id * 1000);

	c.sock.family = family;
	c.sock.protocol = protocol;
	c.sock.local_port = 1;
	c.sock.peer_port = 0;
	memset(c.sock.local, 0, 16);
	memset(c.sock.peer, 0, 16);
	c.port_before = 0;
	c.facts |= WIRE_F_REQUEST;
	c.req_family = family;
	c.req_port = 1;
	memset(c.req_addr, 0, 16);
	return c;
}

static void put(uint8_t *addr, uint32_t first, uint32_t second)
{
	memcpy(addr, &first, 4);
	memcpy(addr + 4, &second, 4);
}

static void feed_the_end(struct core *core, uint64_t id, uint64_t ts_ns)
{
	struct wire_end e = { .head = head_new(WIRE_END, sizeof(e), ts_ns), .id = id };

	e.close_ns = e.release_ns = ts_ns;
	assert_int_equal(core_feed(core, &e, sizeof(e)), 0);
}

static void names_of_unix(void **state)
{
	struct seen s;
	struct sink sink;
	struct core *core = begin(&s, &sink, &everything);
	struct wire_call c = named(WIRE_BIND, 1, AF_UNIX, WIRE_PROTOCOL_UNIX);

	(void)state;
	feed_path(core, 1, WIRE_ADDRESS_LOCAL, "\0a\0b", 4);
	feed_path(core, 1, WIRE_ADDRESS_REQUEST, "\0a\0b", 4);
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_string_equal(s.local, "@a");
	assert_int_equal(s.origin, ORIGIN_BIND);
	assert_int_equal(s.number, 0);
	assert_false(s.has_range);

	/* the same name: refused, by the first */
	c = named(WIRE_BIND, 2, AF_UNIX, WIRE_PROTOCOL_UNIX);
	c.sock.local_port = 0;
	c.error = EADDRINUSE;
	feed_path(core, 2, WIRE_ADDRESS_REQUEST, "\0a\0b", 4);
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_string_equal(s.requested, "@a");
	assert_int_equal(s.origin, ORIGIN_NONE);
	assert_int_equal(s.findings, 1 << FINDING_BIND_IN_USE);
	assert_int_equal(s.holder_pid, 100);

	/* a path that no socket has: its file */
	c.sock.id = 3;
	feed_path(core, 3, WIRE_ADDRESS_REQUEST, "/a", 2);
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_string_equal(s.requested, "/a");
	assert_int_equal(s.holder_pid, 0);

	feed_the_end(core, 1, 9000000);
	assert_int_equal(s.lives, 1);
	assert_string_equal(s.local, "@a");
	assert_int_equal(s.kind, EVENT_RELEASE);
	core_free(core);
}

static void the_sentence_names_it(void **state)
{
	struct seen s;
	struct sink sink;
	struct core *core = begin(&s, &sink, &everything);
	struct wire_call c = named(WIRE_BIND, 1, AF_UNIX, WIRE_PROTOCOL_UNIX);

	(void)state;
	c.sock.local_port = 0;
	c.error = EADDRINUSE;
	feed_path(core, 1, WIRE_ADDRESS_REQUEST, "/a", 2);
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_string_equal(s.sentence, "/a is taken by a file, and no socket known has it");
	core_free(core);
}

static void ports_of_vsock(void **state)
{
	struct seen s;
	struct sink sink;
	struct core *core = begin(&s, &sink, &everything);
	struct wire_call c = named(WIRE_BIND, 1, AF_VSOCK, WIRE_PROTOCOL_VSOCK);

	(void)state;
	put(c.sock.local, UINT32_MAX, 70000);
	put(c.req_addr, UINT32_MAX, 70000);
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_int_equal(s.number, 70000);
	assert_int_equal(s.origin, ORIGIN_BIND);

	/* chosen by the kernel */
	c = named(WIRE_BIND, 2, AF_VSOCK, WIRE_PROTOCOL_VSOCK);
	put(c.sock.local, 1, 80000);
	put(c.req_addr, 1, UINT32_MAX);
	c.req_port = 0;
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_int_equal(s.number, 80000);
	assert_int_equal(s.origin, ORIGIN_BIND0);

	/* on one context id what another socket has on all */
	c = named(WIRE_BIND, 3, AF_VSOCK, WIRE_PROTOCOL_VSOCK);
	c.sock.local_port = 0;
	c.error = EADDRINUSE;
	put(c.req_addr, 1, 70000);
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_string_equal(s.requested, "1:70000");
	assert_int_equal(s.holder_pid, 100);
	/* ... and what is another's context id is not in the way */
	put(c.req_addr, 2, 80000);
	c.sock.id = 4;
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_int_equal(s.holder_pid, 0);
	core_free(core);
}

static void filters_know_the_number(void **state)
{
	const struct port_range range = { 70000, 70001 };
	const struct filter f = { .states = true, .ports = &range, .ports_len = 1 };
	struct seen s;
	struct sink sink;
	struct core *core = begin(&s, &sink, &f);
	struct wire_call c = named(WIRE_BIND, 1, AF_NETLINK, WIRE_PROTOCOL_NETLINK);

	(void)state;
	put(c.sock.local, 70000, 0);
	put(c.req_addr, 70000, 0);
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_int_equal(s.events, 1);
	c.sock.id = 2;
	put(c.sock.local, 70002, 0);
	put(c.req_addr, 70002, 0);
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_int_equal(s.events, 1);
	core_free(core);
}

/* Two of ping may have one id, if both have SO_REUSEADDR, as they are made. */
static void ids_of_ping(void **state)
{
	struct seen s;
	struct sink sink;
	struct core *core = begin(&s, &sink, &everything);
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 77);

	(void)state;
	c.sock.protocol = IPPROTO_ICMP;
	c.facts |= WIRE_F_REQUEST;
	c.req_family = AF_INET;
	c.req_port = 77;
	c.sock.options = WIRE_O_REUSEADDR;
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_int_equal(s.number, 77);
	assert_false(s.has_range);
	c.sock.id = 2;
	c.sock.local_port = 0;
	c.sock.options = 0;
	c.error = EADDRINUSE;
	assert_int_equal(core_feed(core, &c, sizeof(c)), 0);
	assert_int_equal(s.findings, 1 << FINDING_BIND_IN_USE);
	assert_int_equal(s.holder_pid, 100);
	core_free(core);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_of_unix),  cmocka_unit_test(the_sentence_names_it),
		cmocka_unit_test(ports_of_vsock), cmocka_unit_test(filters_know_the_number),
		cmocka_unit_test(ids_of_ping),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
