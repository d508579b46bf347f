/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_filter.c: every option that says what to show, alone, and how the verdict on a socket
 * stays with it.
 */
#include "tests/unit/records.h"

/* --- which sockets ----------------------------------------------------------------------- */

static void processes_are_chosen(void **state)
{
	static const uint32_t pids[] = { 100, 200 }, nobody = 0;
	struct wire_who python = who_new(100, "python3"), hidden = who_new(0, "python3");
	struct wire_who cut = who_new(300, "a-very-long-name"),
			whole = who_new(300, "exactly-15-byte");
	struct filter f = { 0 };

	(void)state;
	assert_true(filter_chooses(&f, &python, 0));
	assert_true(filter_chooses(&f, NULL, 0));

	f = (struct filter){ .pids = pids, .pids_len = 2 };
	assert_true(filter_chooses(&f, &python, 0));
	python.pid = 200;
	assert_true(filter_chooses(&f, &python, 0));
	python.pid = 300;
	assert_false(filter_chooses(&f, &python, 0));
	assert_false(filter_chooses(&f, NULL, 0));
	assert_false(filter_chooses(&f, &hidden, 0));
	f.pids = &nobody; /* a process that cannot be seen from here has no number */
	f.pids_len = 1;
	assert_false(filter_chooses(&f, &hidden, 0));

	f = (struct filter){ .command = true };
	assert_true(filter_chooses(&f, &python, WIRE_F_FOLLOWED | WIRE_F_WHO));
	assert_false(filter_chooses(&f, &python, WIRE_F_WHO));

	f = (struct filter){ .has_uid = true, .uid = 1000 };
	assert_true(filter_chooses(&f, &python, 0));
	assert_false(filter_chooses(&f, NULL, 0));
	f.uid = 0;
	assert_false(filter_chooses(&f, &python, 0));

	f = (struct filter){ .comm = "python3" };
	assert_true(filter_chooses(&f, &python, 0));
	assert_false(filter_chooses(&f, NULL, 0));
	f.comm = "python";
	assert_false(filter_chooses(&f, &python, 0));
	f.comm = "python3.11";
	assert_false(filter_chooses(&f, &python, 0));
	f.comm = "a-very-long-name-cut"; /* by the kernel, after 15 bytes */
	assert_true(filter_chooses(&f, &cut, 0));
	f.comm = "a-very-long-nam";
	assert_true(filter_chooses(&f, &cut, 0));
	f.comm = "a-very-long-na";
	assert_false(filter_chooses(&f, &cut, 0));
	f.comm = "exactly-15-byte";
	assert_true(filter_chooses(&f, &whole, 0));

	f.command = true; /* all that is asked for must hold */
	assert_false(filter_chooses(&f, &whole, 0));
}

/* --- which events ------------------------------------------------------------------------ */

struct scene {
	struct filter f;
	struct life l;
	struct tenure t;
	struct event e;
};

/* A connect from 10.1.2.3:40000 to 192.0.2.9:443 that got its port. */
static struct scene *scene_set(struct scene *s)
{
	*s = (struct scene){
		.l = {
			.local = { .addr = { 10, 1, 2, 3 }, .port = 40000, .family = AF_INET },
			.peer = { .addr = { 192, 0, 2, 9 }, .port = 443, .family = AF_INET },
			.protocol = IPPROTO_TCP,
			.tenures_len = 1,
		},
		.t = { .port = 40000, .origin = ORIGIN_CONNECT },
		.e = { .kind = EVENT_CONNECT, .fd = -1, .port = 40000, .assigned = true },
	};
	s->l.tenures = &s->t;
	s->e.life = &s->l;
	s->e.tenure = &s->t;
	return s;
}

static bool shows(const struct scene *s)
{
	return filter_shows(&s->f, &s->e);
}

static bool shows_life(const struct scene *s)
{
	return filter_shows_life(&s->f, &s->l);
}

static void kinds_shown_by_default(void **state)
{
	static const bool shown[EVENT_KINDS] = {
		[EVENT_BIND] = true,	       [EVENT_LISTEN] = true, [EVENT_CONNECT] = true,
		[EVENT_CONNECT_FAILED] = true, [EVENT_ACCEPT] = true, [EVENT_SEND] = true,
	};
	struct scene s;

	(void)state;
	for (int kind = 0; kind < EVENT_KINDS; kind++) {
		scene_set(&s)->e.kind = (enum event_kind)kind;
		assert_int_equal(shows(&s), shown[kind]);
		s.f.states = true;
		assert_int_equal(shows(&s), kind != EVENT_EXISTING);
		s.e.reconciled = true; /* nobody saw it: as much a state as the others */
		assert_true(shows(&s));
		s.f.states = false;
		assert_int_equal(shows(&s), shown[kind]);
		s.e.reconciled = false;
		s.f = (struct filter){ .existing = true };
		assert_int_equal(shows(&s), shown[kind] || kind == EVENT_EXISTING);
		s.f = (struct filter){ 0 };
		s.e.error = EINVAL; /* whatever failed */
		assert_true(shows(&s));
	}
}

static void failed_only(void **state)
{
	struct phase phases[] = { { .kind = EVENT_BIND }, { .kind = EVENT_CONNECT_FAILED } };
	struct scene s;

	(void)state;
	scene_set(&s)->f.failed = true;
	s.l.phases = phases;
	s.l.phases_len = 2;
	assert_false(shows(&s));
	assert_false(shows_life(&s));
	s.e.error = phases[1].error = ECONNREFUSED;
	assert_true(shows(&s));
	assert_true(shows_life(&s));
}

static void implicit_and_ephemeral_only(void **state)
{
	static const struct {
		enum port_origin origin;
		bool implicit, ephemeral;
	} cases[] = {
		{ ORIGIN_BIND, false, false },	  { ORIGIN_BIND0, false, true },
		{ ORIGIN_CONNECT, true, true },	  { ORIGIN_LISTEN, true, true },
		{ ORIGIN_SEND, true, true },	  { ORIGIN_ACCEPT, false, false },
		{ ORIGIN_UNKNOWN, false, false },
	};
	struct scene s;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		scene_set(&s)->t.origin = (uint8_t)cases[i].origin;
		s.f.implicit = true;
		assert_int_equal(shows(&s), cases[i].implicit);
		assert_int_equal(shows_life(&s), cases[i].implicit);
		s.e.assigned = false; /* only the event that assigned it */
		assert_false(shows(&s));
		scene_set(&s)->t.origin = (uint8_t)cases[i].origin;
		s.f.ephemeral = true;
		assert_int_equal(shows(&s), cases[i].ephemeral);
		assert_int_equal(shows_life(&s), cases[i].ephemeral);
		s.e.assigned = false;
		assert_false(shows(&s));
	}
	s.e.tenure = NULL;
	s.e.assigned = true;
	assert_false(shows(&s));
}

static void local_ports(void **state)
{
	static const struct port_range ranges[] = { { 80, 80 }, { 39999, 40001 } };
	struct scene s;

	(void)state;
	scene_set(&s)->f.ports = ranges;
	s.f.ports_len = 2;
	assert_true(shows(&s));
	assert_true(shows_life(&s));
	s.e.port = s.l.local.port = s.t.port = 40002;
	assert_false(shows(&s));
	assert_false(shows_life(&s));
	s.e.port = 40001;
	assert_true(shows(&s));
	/* the socket had it last */
	s.e.port = 0;
	s.l.local.port = 80;
	assert_true(shows(&s));
	assert_true(shows_life(&s));
	/* any of its tenures */
	s.l.local.port = 0;
	s.t.port = 39999;
	assert_true(shows_life(&s));
	assert_false(shows(&s));
	/* asked for: the port of bind() is local, that of connect() is not */
	s.e.has_request = true;
	s.e.request.port = 80;
	assert_false(shows(&s));
	s.e.kind = EVENT_BIND;
	assert_true(shows(&s));
	s.e.has_request = false;
	assert_false(shows(&s));
	/* "no port" is in no range, not even in one that begins at 0 */
	static const struct port_range all[] = { { 0, 65535 } };
	s.t.port = 0;
	s.f.ports = all;
	s.f.ports_len = 1;
	assert_false(shows(&s));
	assert_false(shows_life(&s));
}

static void peer_ports(void **state)
{
	static const struct port_range ranges[] = { { 443, 444 } };
	struct scene s;

	(void)state;
	scene_set(&s)->f.peer_ports = ranges;
	s.f.peer_ports_len = 1;
	assert_true(shows(&s));
	assert_true(shows_life(&s));
	s.l.peer.port = 445;
	assert_false(shows(&s));
	assert_false(shows_life(&s));
	s.e.has_request = true;
	s.e.request.port = 444;
	assert_true(shows(&s));
	s.e.kind = EVENT_BIND;
	assert_false(shows(&s));
}

static void set_network(struct filter *f, const char *mapped, uint8_t bits)
{
	f->has_addr = true;
	memcpy(f->addr, mapped, 16);
	f->addr_bits = bits;
}

#define V4(addr) "\0\0\0\0\0\0\0\0\0\0\xff\xff" addr

static void addresses(void **state)
{
	struct scene s;

	(void)state;
	set_network(&scene_set(&s)->f, V4("\x0a\x01\x02\x03"), 128); /* local */
	assert_true(shows(&s) && shows_life(&s));
	set_network(&s.f, V4("\xc0\x00\x02\x09"), 128); /* peer */
	assert_true(shows(&s) && shows_life(&s));
	s.l.peer.port = 0; /* there is none */
	assert_false(shows(&s) || shows_life(&s));
	s.e.has_request = true;
	s.e.request = s.l.peer;
	assert_true(shows(&s));
	s.e.request.family = AF_UNSPEC;
	assert_false(shows(&s));

	set_network(&scene_set(&s)->f, V4("\x0a\x01\x02\x02"), 127);
	assert_true(shows(&s));
	s.f.addr_bits = 128;
	assert_false(shows(&s));
	set_network(&s.f, V4("\x0a\x01\x80\x00"), 96 + 17);
	assert_false(shows(&s));
	set_network(&s.f, V4("\x0a\x01\x00\x00"), 96 + 17);
	assert_true(shows(&s));
	set_network(&s.f, V4("\0\0\0\0"), 96); /* 0.0.0.0/0 is all of IPv4 */
	assert_true(shows(&s));
	s.l.local.family = s.l.peer.family = AF_INET6;
	memset(s.l.local.addr, 0xfe, 16);
	memset(s.l.peer.addr, 0xfe, 16);
	assert_false(shows(&s));
	set_network(&s.f, V4("\0\0\0\0"), 0); /* ::/0 is all there is */
	assert_true(shows(&s));
	memcpy(s.l.peer.addr, V4("\x0a\x01\x02\x03"), 16); /* a v4-mapped peer */
	set_network(&s.f, V4("\x0a\x01\x02\x03"), 128);
	assert_true(shows(&s));
}

static void families_and_protocols(void **state)
{
	struct scene s;

	(void)state;
	scene_set(&s)->f.inet4 = true;
	assert_true(shows(&s) && shows_life(&s));
	s.f.inet6 = true;
	assert_true(shows(&s));
	s.f.inet4 = false;
	assert_false(shows(&s) || shows_life(&s));
	s.l.local.family = AF_INET6;
	memcpy(s.l.local.addr, V4("\x0a\x01\x02\x03"), 16);
	assert_true(shows(&s) && shows_life(&s)); /* v4-mapped: by the socket's family */
	s.f.inet6 = false;
	s.f.inet4 = true;
	assert_false(shows(&s) || shows_life(&s));

	scene_set(&s)->f.protocols = protocol_bit(IPPROTO_TCP);
	assert_true(shows(&s) && shows_life(&s));
	s.f.protocols = protocol_bit(IPPROTO_UDP);
	assert_false(shows(&s) || shows_life(&s));
	s.f.protocols |= protocol_bit(IPPROTO_TCP);
	assert_true(shows(&s));
	s.l.protocol = 99;
	assert_false(shows(&s));
	assert_int_equal(protocol_bit(99), 0);
}

static void cgroups_are_chosen_with_those_below(void **state)
{
	struct filter f = { 0 };

	(void)state;
	assert_true(filter_chooses_cgroup(&f, NULL));
	f.cgroup = "/system.slice";
	assert_true(filter_chooses_cgroup(&f, "/system.slice"));
	assert_true(filter_chooses_cgroup(&f, "/system.slice/nginx.service"));
	assert_false(filter_chooses_cgroup(&f, "/system.slice2"));
	assert_false(filter_chooses_cgroup(&f, "/"));
	assert_false(filter_chooses_cgroup(&f, NULL));
	f.cgroup = "/";
	assert_true(filter_chooses_cgroup(&f, "/system.slice"));
	assert_false(filter_chooses_cgroup(&f, NULL));
}

static void namespaces_are_selected(void **state)
{
	struct scene s;

	(void)state;
	scene_set(&s)->l.netns = 4026531840;
	s.f.has_netns = true;
	s.f.netns = 4026531840;
	assert_true(shows(&s) && shows_life(&s));
	s.f.netns = 4026532000;
	assert_false(shows(&s) || shows_life(&s));
}

/* Names are learned from the stream. */
static void cgroups_and_devices_by_name(void **state)
{
	struct filter f = { .cgroup = "/web.slice", .dev = "eth0" };
	union name_record cgroup = name_new(WIRE_NAME_CGROUP, 77, 0, "/web.slice/a");
	union name_record device = name_new(WIRE_NAME_DEVICE, 2, 4026531840, "eth0");
	struct wire_call c = port_call(WIRE_CONNECT, 1, 2000000, 0, 40000);
	struct world *w = world_new(&f);

	(void)state;
	world_start(w, 0);
	c.sock.ifindex = 2;
	FEED(w, c); /* before its names are known */
	FEED(w, cgroup.name);
	c = port_call(WIRE_CONNECT, 2, 2000010, 0, 40001);
	c.sock.ifindex = 2;
	FEED(w, c);
	SAID(w, "");
	FEED(w, device.name);
	c = port_call(WIRE_CONNECT, 3, 2000020, 0, 40002);
	c.sock.ifindex = 2;
	FEED(w, c);
	c = port_call(WIRE_CONNECT, 4, 2000030, 0, 40003); /* no device */
	FEED(w, c);
	c = port_call(WIRE_CONNECT, 5, 2000040, 0, 40004); /* another cgroup */
	c.sock.ifindex = 2;
	c.who.cgroup = 78;
	FEED(w, c);
	SAID(w, "2000020 #3 connect 40002 connect IE +\n");
	feed_end(w, 3, 2000050, 40002);
	feed_end(w, 4, 2000060, 40003);
	SAID(w, "life #3 ended: 40002 connect IE 2000020..2000051\n");
	world_free(w);
}

static void every_protocol_has_its_own_bit(void **state)
{
	uint32_t all = 0;

	(void)state;
	for (uint32_t p = 0; p <= UINT16_MAX; p++) {
		uint32_t bit = protocol_bit((uint16_t)p);

		assert_int_equal(bit != 0, protocol_name((uint16_t)p) != NULL);
		assert_int_equal(bit & (bit - 1), 0);
		assert_int_equal(bit & all, 0);
		all |= bit;
	}
	assert_true(all & protocol_bit(IPPROTO_TCP));
}

/* --- the verdict stays with the socket ---------------------------------------------------- */

static void yes_stays_and_no_is_reconsidered(void **state)
{
	static const uint32_t pids[] = { 200 };
	struct filter f = { .pids = pids, .pids_len = 1, .states = true };
	struct wire_owner owner = owner_new(1, 2000010, 200, "worker");
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 80);
	struct world *w = world_new(&f);

	(void)state;
	world_start(w, 0);
	call_request(&c, 80);
	FEED(w, c);
	SAID(w, "");
	assert_int_equal(core_lives(w->core), 1);
	FEED(w, owner);
	c = port_call(WIRE_LISTEN, 1, 2000020, 80, 80);
	FEED(w, c); /* by 100 again */
	/* the children of a chosen listener are chosen, whoever takes them */
	c = port_call(WIRE_ACCEPT, 2, 2000030, 80, 80);
	c.sock.parent = 1;
	FEED(w, c);
	/* a call with the right process decides at once */
	c = port_call(WIRE_CONNECT, 3, 2000040, 0, 40000);
	c.who.pid = 200;
	FEED(w, c);
	feed_end(w, 3, 2000050, 40000);
	/* a stranger's life passes unseen, and is not counted */
	c = port_call(WIRE_CONNECT, 4, 2000060, 0, 40001);
	FEED(w, c);
	feed_time_wait(w, 4, 2000070, 40001);
	feed_edge(w, WIRE_TW_END, 4, 2000080, 40001, 0);
	feed_stop(w, 2000100);
	SAID(w, "2000020 #1 listen 80 bind --\n"
		"2000030 #2 accept 80 accept -- +\n"
		"2000040 #3 connect 40000 connect IE +\n"
		"2000050 #3 close 40000 connect IE\n"
		"2000051 #3 release 40000 connect IE\n"
		"life #3 ended: 40000 connect IE 2000040..2000051\n"
		"life #1 open: 80 bind -- 2000000..\n"
		"life #2 open: 80 accept -- 2000030..\n");
	assert_int_equal(w->summary.lives, 3);
	assert_int_equal(w->summary.lives_ended, 1);
	assert_int_equal(w->summary.origins[ORIGIN_BIND], 0); /* it was not chosen then */
	assert_int_equal(w->summary.origins[ORIGIN_CONNECT], 1);
	world_free(w);
}

/* Live, with the filter of COMMAND, and replayed without one: the same. */
static void a_child_of_command_may_outlive_its_listener(void **state)
{
	static const uint32_t pids[] = { 200 };
	static const struct filter filters[] = {
		{ .command = true, .states = true },
		{ .states = true },
		{ .pids = pids, .pids_len = 1, .states = true },
	};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		union start_record start = start_new("6.1.0", "box", "nc", 3);
		struct wire_call c = port_call(WIRE_FOUND, 2, 2000000, 80, 80);
		struct world *w = world_new(&filters[i]);

		FEED(w, start);
		c.sock.parent = 1; /* gone */
		c.facts = (c.facts & ~(uint32_t)WIRE_F_WHO) | WIRE_F_CHILD;
		memset(&c.who, 0, sizeof(c.who));
		FEED(w, c);
		feed_end(w, 2, 2000010, 80);
		SAID(w, i == 2 ? ""
			       : "2000010 #1 close 80 accept --\n"
				 "2000011 #1 release 80 accept --\n"
				 "life #1 ended: 80 accept -- 2000000..2000011\n");
		world_free(w);
	}
}

static void what_is_selected_is_counted_what_is_displayed_is_shown(void **state)
{
	static const struct port_range ranges[] = { { 80, 80 } };
	struct filter f = { .ports = ranges, .ports_len = 1 };
	struct wire_call c = port_call(WIRE_BIND, 1, 2000000, 0, 80);
	struct world *w = world_new(&f);

	(void)state;
	world_start(w, 0);
	call_request(&c, 80);
	FEED(w, c);
	feed_end(w, 1, 2000010, 80);
	c = port_call(WIRE_CONNECT, 2, 2000020, 0, 40000);
	FEED(w, c);
	feed_end(w, 2, 2000030, 40000);
	/* one that asked for the port and got another: its event is shown, so its life is too */
	c = port_call(WIRE_BIND, 3, 2000032, 0, 0);
	c.error = EADDRINUSE;
	call_request(&c, 80);
	FEED(w, c);
	c = port_call(WIRE_BIND, 3, 2000034, 0, 81);
	call_request(&c, 81);
	FEED(w, c);
	feed_end(w, 3, 2000036, 81);
	feed_stop(w, 2000040);
	SAID(w, "2000000 #1 bind 80 bind -- +\n"
		"life #1 ended: 80 bind -- 2000000..2000011\n"
		"2000032 #3 bind 80 - EADDRINUSE\n"
		"life #3 ended: 81 bind -- 2000034..2000037\n");
	assert_int_equal(w->summary.events[EVENT_BIND], 2);
	assert_int_equal(w->summary.events[EVENT_CLOSE], 1);
	assert_int_equal(w->summary.events[EVENT_RELEASE], 1);
	assert_int_equal(w->summary.events[EVENT_CONNECT], 0);
	assert_int_equal(w->summary.shown, 2);
	assert_int_equal(w->summary.lives, 2);
	assert_int_equal(w->summary.lives_ended, 2);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(processes_are_chosen),
		cmocka_unit_test(kinds_shown_by_default),
		cmocka_unit_test(failed_only),
		cmocka_unit_test(implicit_and_ephemeral_only),
		cmocka_unit_test(local_ports),
		cmocka_unit_test(peer_ports),
		cmocka_unit_test(addresses),
		cmocka_unit_test(families_and_protocols),
		cmocka_unit_test(cgroups_are_chosen_with_those_below),
		cmocka_unit_test(namespaces_are_selected),
		cmocka_unit_test(cgroups_and_devices_by_name),
		cmocka_unit_test(every_protocol_has_its_own_bit),
		cmocka_unit_test(yes_stays_and_no_is_reconsidered),
		cmocka_unit_test(a_child_of_command_may_outlive_its_listener),
		cmocka_unit_test(what_is_selected_is_counted_what_is_displayed_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
