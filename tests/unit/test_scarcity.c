/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_scarcity.c: ports run out, are low, or are taken without need.
 */
#include "tests/unit/findings.h"

static void no_port_is_free(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_bind(1, BOOT_NS + 100, 0, 1, EADDRINUSE);

	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 32768-60999 (28232 ports) was free for bind() to "
		 "10.0.0.1:0, hence EADDRINUSE; what has them is not known\n");
	assert_null(w->event.holders);
	c = failed_connect(2, BOOT_NS + 200, 0, EADDRNOTAVAIL);
	c.who = who_new(2, "client");
	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 32768-60999 (28232 ports) was free for connect() "
		 "to 10.0.0.9:443, hence EADDRNOTAVAIL; what has them is not known\n");
	c = port_call(WIRE_LISTEN, 3, BOOT_NS + 300, 0, 0);
	c.who = who_new(3, "server");
	c.error = EADDRINUSE;
	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 32768-60999 (28232 ports) was free for listen(), "
		 "hence EADDRINUSE; what has them is not known\n");
	c = failed_connect(4, BOOT_NS + 400, 0, EAGAIN);
	c.head.kind = WIRE_SEND;
	c.sock.protocol = IPPROTO_UDP;
	c.cause = EADDRINUSE;
	c.who = who_new(4, "resolver");
	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 32768-60999 (28232 ports) was free for send() to "
		 "10.0.0.9:443, hence EAGAIN; what has them is not known\n");
	assert_non_null(strstr(w->hint, "widen net.ipv4.ip_local_port_range"));
	c = failed_connect(5, BOOT_NS + 500, 0, EADDRNOTAVAIL);
	c.facts |= WIRE_F_OWN_RANGE;
	c.range_lo = 40000;
	c.range_hi = 40003;
	c.who = who_new(5, "narrow");
	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 40000-40003 (4 ports) was free for connect() to "
		 "10.0.0.9:443, hence EADDRNOTAVAIL; what has them is not known\n");
	assert_non_null(strstr(w->hint, "IP_LOCAL_PORT_RANGE")); /* the sysctl would not help */
}

/* Where no address of the machine suits the peer nothing was searched: no word about the range. */
static void a_route_is_no_range(void **state)
{
	struct filter all = { .states = true, .existing = true };
	struct world *w = walked(state), *blind = world_new(&all);
	struct wire_call c = failed_connect(1, BOOT_NS + 100, 0, EADDRNOTAVAIL);

	c.facts &= ~(uint32_t)(WIRE_F_SEARCHED | WIRE_F_SEARCH_TIMED);
	c.search_ns = 0;
	FEED(w, c);
	FOUND(w, "");
	/* a backend that sees no search: certain of ::1, and of no other IPv6 peer */
	world_start(blind, WIRE_B_SEARCH_NS);
	c.sock.family = c.req_family = AF_INET6;
	memcpy(c.req_addr, (uint8_t[16]){ 0x20, 0x01, [15] = 9 }, 16);
	memset(c.sock.local, 0, 16);
	memset(c.sock.peer, 0, 16);
	FEED(blind, c);
	FOUND(blind, "");
	memcpy(c.req_addr, (uint8_t[16]){ [15] = 1 }, 16);
	c.sock.id = 2;
	FEED(blind, c);
	FOUND(blind, "ports-exhausted 1: no port of 32768-60999 (28232 ports) was free for "
		     "connect() to [::1]:443, hence EADDRNOTAVAIL; what has them is not known; "
		     "sockets from before the start were not looked at\n");
	world_free(blind);
}

static void a_port_is_bound_too_early(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = port_call(WIRE_BIND, 1, BOOT_NS + 100, 0, 40001);

	call_request(&c, 0);
	FEED(w, c);
	c = port_call(WIRE_CONNECT, 1, BOOT_NS + 200, 40001, 40001);
	FEED(w, c);
	FOUND(w, "early-bind 1: bind() to port 0 took port 40001 before connect(): nobody else can "
		 "have it, to whatever peer\n");
	/* a port that the program named, one that connect() chose, and a datagram socket */
	c = port_call(WIRE_BIND, 2, BOOT_NS + 300, 0, 5000);
	call_request(&c, 5000);
	FEED(w, c);
	c = port_call(WIRE_CONNECT, 2, BOOT_NS + 400, 5000, 5000);
	FEED(w, c);
	c = port_call(WIRE_CONNECT, 3, BOOT_NS + 500, 0, 40002);
	FEED(w, c);
	c = port_call(WIRE_BIND, 4, BOOT_NS + 600, 0, 40003);
	c.sock.protocol = IPPROTO_UDP;
	call_request(&c, 0);
	FEED(w, c);
	c = port_call(WIRE_CONNECT, 4, BOOT_NS + 700, 40003, 40003);
	c.sock.protocol = IPPROTO_UDP;
	FEED(w, c);
	FOUND(w, "");
}

/* How many it takes from everyone. */
static void early_binds_of_a_program_are_counted(void **state)
{
	struct world *w = walked(state);

	for (uint64_t i = 0; i < 5; i++) {
		struct wire_call c =
			port_call(WIRE_BIND, 1 + i, BOOT_NS + 100 + i, 0, (uint16_t)(40001 + i));

		call_request(&c, 0);
		c.who = who_new(7, i == 1 ? "other" : "pool");
		FEED(w, c);
		c = port_call(WIRE_CONNECT, 1 + i, i < 4 ? BOOT_NS + 200 + i : 100 * SECOND,
			      (uint16_t)(40001 + i), (uint16_t)(40001 + i));
		c.who = who_new(7, i == 1 ? "other" : "pool");
		c.sock.state = TCP_SYN_SENT;
		c.sock.peer_port = 443;
		FEED(w, c);
		if (i < 4)
			w->found[w->found_len = 0] = 0;
	}
	FOUND(w, "early-bind 3: bind() to port 0 took port 40005 before connect(): nobody else can "
		 "have it, to whatever peer; pool keeps 4 of the 28232 ports of 32768-60999 from "
		 "everyone so\n");
}

static void a_search_takes_long(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = port_call(WIRE_CONNECT, 1, BOOT_NS + 100, 0, 40001);

	c.facts |= WIRE_F_SEARCHED | WIRE_F_SEARCH_TIMED;
	c.search_ns = 999999;
	FEED(w, c);
	FOUND(w, "");
	c = port_call(WIRE_CONNECT, 2, BOOT_NS + 200, 0, 40002);
	c.facts |= WIRE_F_SEARCHED | WIRE_F_SEARCH_TIMED;
	c.search_ns = 2300000;
	c.search_tried = 14000;
	FEED(w, c);
	FOUND(w, "slow-port-search 1: the search for a port in 32768-60999 took 2300 us and 14000 "
		 "tries\n");
}

/* 40000 to 40009, two of them reserved: 3 bound, 4 connected, one in TIME_WAIT. */
static void fill_up(struct world *w)
{
	union settings_record settings =
		settings_of(BOOT_NS + 50, 40000, 40009, "80,40008-40009", 1024);

	FEED(w, settings);
	for (uint64_t i = 0; i < 8; i++) {
		struct wire_call c =
			local_call(i < 3 ? WIRE_BIND : WIRE_CONNECT, 100 + i,
				   BOOT_NS + 100 + i * 10, 0, (uint16_t)(40000 + i), 1);

		c.range_lo = 40000;
		c.range_hi = 40009;
		if (i < 3) {
			call_request(&c, 0);
		} else {
			c.sock.state = TCP_SYN_SENT;
			c.sock.peer_port = 443;
			memcpy(c.sock.peer, (uint8_t[]){ 10, 0, 0, 9 }, 4);
		}
		FEED(w, c);
	}
	feed_time_wait(w, 107, BOOT_NS + 300, 40007);
	FOUND(w, "ports-low 1: 7 of the 8 ports of 40000-40009 that are not reserved are taken for "
		 "connections to 10.0.0.9:443: 3 bound, 4 connected to there\n");
}

/* The kernel looks at two of three ports (inet_csk_find_open_port(): remaining &= ~1U), and which
 * one of more it leaves out differs from search to search. */
static void an_odd_range_is_not_searched_in_full(void **state)
{
	struct world *w = walked(state);
	union settings_record settings = settings_of(BOOT_NS + 50, 40000, 40002, "", 1024);
	struct wire_call c;

	FEED(w, settings);
	for (uint16_t i = 0; i < 2; i++) {
		c = local_call(WIRE_BIND, 100U + i, BOOT_NS + 100 + i, 0, 40000 + i, 1);
		c.range_lo = 40000;
		c.range_hi = 40002;
		call_request(&c, 0);
		FEED(w, c);
	}
	c = failed_bind(3, BOOT_NS + 3000, 0, 1, EADDRINUSE);
	c.range_lo = 40000;
	c.range_hi = 40002;
	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 40000-40002 (3 ports, 0 of them reserved, one "
		 "left out) was free for bind() to 10.0.0.1:0, hence EADDRINUSE: 2 bound\n");
}

/* Another range was in force: so what is reserved may be something else, too. */
static void settings_that_were_changed_are_not_told(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_bind(1, BOOT_NS + 1000, 0, 1, EADDRINUSE);

	fill_up(w);
	c.range_lo = 40000;
	c.range_hi = 40011;
	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 40000-40011 (12 ports) was free for bind() to "
		 "10.0.0.1:0, hence EADDRINUSE: 3 bound, 4 connected, 1 in TIME_WAIT; what has the "
		 "other 4 is not known\n");
}

static void what_has_the_ports_is_told(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_connect(1, BOOT_NS + 1000, 0, EADDRNOTAVAIL);

	fill_up(w);
	c.range_lo = 40000;
	c.range_hi = 40009;
	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 40000-40009 (10 ports, 2 of them reserved) was "
		 "free for connect() to 10.0.0.9:443, hence EADDRNOTAVAIL: 3 bound, 4 connected "
		 "to there, 1 in TIME_WAIT to there\n");
	assert_string_equal(
		w->evidence,
		"event: connect_failed asked for 10.0.0.9:443, EADDRNOTAVAIL, by 100 "
		"python3 of user 1000\n"
		"range: 40000-40009, usable 8, taken 8, bind 3, connect 4, time_wait 1, "
		"unknown 0\n"
		"destination: 10.0.0.1 > 10.0.0.9:443, connections 4, TIME_WAIT 1, ports "
		"of the range it cannot have 8\n");
	c = failed_connect(2, BOOT_NS + 2000, 0, EADDRNOTAVAIL);
	c.who = who_new(2, "another");
	c.req_port = 80; /* where nobody is connected */
	c.range_lo = 40000;
	c.range_hi = 40009;
	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 40000-40009 (10 ports, 2 of them reserved) was "
		 "free for connect() to 10.0.0.9:80, hence EADDRNOTAVAIL: 3 bound; what has the "
		 "other 5 is not known\n");
	c = failed_bind(3, BOOT_NS + 3000, 0, 1, EADDRINUSE);
	c.range_lo = 40000;
	c.range_hi = 40009;
	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 40000-40009 (10 ports, 2 of them reserved) was "
		 "free for bind() to 10.0.0.1:0, hence EADDRINUSE: 3 bound, 4 connected, 1 in "
		 "TIME_WAIT\n");
}

/* 100 ports, and a socket that connect() or bind(0) gives the next of them. */
static struct wire_call of_a_hundred(uint8_t kind, uint64_t i)
{
	struct wire_call c =
		local_call(kind, 1000 + i, BOOT_NS + 1000 + i * 10, 0, (uint16_t)(40000 + i), 1);

	c.range_lo = 40000;
	c.range_hi = 40099;
	c.sock.peer_port = kind == WIRE_CONNECT ? 443 : 0;
	c.sock.state = kind == WIRE_CONNECT ? TCP_SYN_SENT : TCP_CLOSE;
	memcpy(c.sock.peer, (uint8_t[]){ 10, 0, 0, 9 }, kind == WIRE_CONNECT ? 4 : 0);
	if (kind == WIRE_BIND)
		call_request(&c, 0);
	return c;
}

/* The search looks at pairs of ports: nobody has the third of three. */
static void one_of_an_odd_number_is_left_out(void **state)
{
	struct world *w = walked(state);
	union settings_record settings = settings_of(BOOT_NS + 50, 40000, 40002, "", 1024);
	struct wire_call c;

	FEED(w, settings);
	for (uint64_t i = 0; i < 2; i++) {
		c = of_a_hundred(WIRE_CONNECT, i);
		c.range_hi = 40002;
		FEED(w, c);
	}
	c = failed_connect(1, BOOT_NS + 2000, 0, EADDRNOTAVAIL);
	c.range_lo = 40000;
	c.range_hi = 40002;
	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 40000-40002 (3 ports, 0 of them reserved, one left "
		 "out) was free for connect() to 10.0.0.9:443, hence EADDRNOTAVAIL: 2 connected to "
		 "there\n");
}

static void others_that_are_not_followed_may_have_them(void **state)
{
	struct filter mine = { .pids = &(uint32_t){ 100 }, .pids_len = 1 };
	struct world *w = world_new(&mine);
	struct wire_call c = failed_bind(1, BOOT_NS + 1000, 0, 1, EADDRINUSE);

	(void)state;
	world_start(w, 0);
	walked((void **)&w);
	FEED(w, c);
	FOUND(w, "ports-exhausted 1: no port of 32768-60999 (28232 ports) was free for bind() to "
		 "10.0.0.1:0, hence EADDRINUSE; what has them is not known; other processes are "
		 "not followed here\n");
	world_free(w);
}

/* Where nobody tells of its end, TIME_WAIT is taken to last its minute. */
static void time_wait_that_nobody_follows_is_counted(void **state)
{
	struct world *w = world_new(&(struct filter){ 0 });
	struct wire_call c = failed_bind(1, BOOT_NS + 30 * SECOND, 0, 1, EADDRINUSE);

	(void)state;
	world_start(w, WIRE_B_TIME_WAIT_END);
	walked((void **)&w);
	fill_up(w);
	c.range_lo = 40000;
	c.range_hi = 40007;
	FEED(w, c);
	assert_non_null(strstr(w->found, ": 3 bound, 4 connected, 1 in TIME_WAIT\n"));
	w->found[w->found_len = 0] = 0;
	c.head.ts_ns = BOOT_NS + 91 * SECOND;
	FEED(w, c);
	assert_non_null(strstr(w->found, ": 3 bound, 4 connected; what has the other 1 is"));
	world_free(w);
}

static const struct space_summary *space_of(const struct world *w, uint16_t protocol)
{
	for (size_t i = 0; i < w->spaces_len; i++)
		if (w->spaces[i].pressure.protocol == protocol)
			return &w->spaces[i];
	return NULL;
}

static void the_summary_counts_what_came_and_went(void **state)
{
	struct world *w = walked(state);
	const struct space_summary *tcp;
	struct wire_call c = port_call(WIRE_CONNECT, 5, BOOT_NS + 40, 0, 50000);

	c.facts |= WIRE_F_SEARCHED | WIRE_F_SEARCH_TIMED;
	c.search_ns = 1500;
	FEED(w, c);
	fill_up(w);
	feed_end(w, 106, BOOT_NS + 400, 40006);
	feed_stop(w, BOOT_NS + 2 * SECOND);
	tcp = space_of(w, IPPROTO_TCP);
	assert_non_null(tcp);
	assert_non_null(space_of(w, IPPROTO_UDP)); /* of the own namespace always */
	assert_int_equal(space_of(w, IPPROTO_UDP)->pressure.taken, 0);
	assert_true(tcp->all);
	assert_int_equal(tcp->assigned, 9); /* 50000 was in the range then */
	assert_int_equal(tcp->released, 1); /* not the one in TIME_WAIT */
	assert_true(tcp->released_known);
	assert_int_equal(tcp->pressure.usable, 8);
	assert_int_equal(tcp->pressure.taken, 7);
	assert_int_equal(tcp->pressure.by[PRESSURE_BIND], 3);
	assert_int_equal(tcp->pressure.by[PRESSURE_CONNECT], 3);
	assert_int_equal(tcp->pressure.by[PRESSURE_TIME_WAIT], 1);
	assert_int_equal(tcp->pressure.blocked, 3);
	assert_int_equal(w->summary.elapsed_ns, 2 * SECOND);
	assert_int_equal(w->summary.search.count, 1);
	assert_int_equal(w->summary.search.buckets[1], 1); /* from 1 to 2 us */
}

static void a_summary_of_few_says_so(void **state)
{
	struct filter mine = { .comm = "python3", .protocols = protocol_bit(IPPROTO_TCP) };
	struct world *w = world_new(&mine);

	(void)state;
	world_start(w, WIRE_B_TIME_WAIT_END);
	walked((void **)&w);
	fill_up(w);
	feed_stop(w, BOOT_NS + SECOND);
	assert_int_equal(w->spaces_len, 1);
	assert_false(w->spaces[0].all);
	assert_false(w->spaces[0].released_known);
	world_free(w);
}

static void ports_get_low_for_one_peer(void **state)
{
	struct world *w = walked(state);

	for (uint64_t i = 0; i < 90; i++) {
		struct wire_call c = of_a_hundred(WIRE_CONNECT, i);

		if (i < 30) /* by bind(): nobody else can have those */
			c = of_a_hundred(WIRE_BIND, i);
		FEED(w, c);
		if (i >= 30 && i < 40)
			feed_time_wait(w, 1000 + i, BOOT_NS + 1001 + i * 10, (uint16_t)(40000 + i));
	}
	FOUND(w, "ports-low 1: 80 of the 100 ports of 40000-40099 are taken for connections to "
		 "10.0.0.9:443: 30 bound, 40 connected to there, 10 in TIME_WAIT to there\n");
}

/* Many ports given from a large range do not keep a small one from being asked about. */
static void each_range_is_asked_about(void **state)
{
	struct world *w = walked(state);

	for (uint64_t i = 0; i < 9; i++) {
		struct wire_call c = of_a_hundred(WIRE_CONNECT, i);

		c.sock.id += 500;
		c.range_lo = 32768;
		c.range_hi = 60999;
		c.sock.peer[3] = 8;
		FEED(w, c);
	}
	for (uint64_t i = 0; i < 4; i++) {
		struct wire_call c = of_a_hundred(WIRE_CONNECT, 20 + i);

		c.range_lo = 40020;
		c.range_hi = 40023;
		FEED(w, c);
	}
	FOUND(w, ""); /* of four, four fifths are all */
	for (uint64_t i = 0; i < 4; i++) {
		struct wire_call c = of_a_hundred(WIRE_CONNECT, 30 + i);

		c.range_lo = 40030;
		c.range_hi = 40034;
		FEED(w, c);
		if (i == 2)
			FOUND(w, "");
	}
	FOUND(w, "ports-low 1: 4 of the 5 ports of 40030-40034 are taken for connections to "
		 "10.0.0.9:443: 4 connected to there\n");
}

static void another_peer_has_its_own_ports(void **state)
{
	struct world *w = walked(state);

	for (uint64_t i = 0; i < 100; i++) {
		struct wire_call c = of_a_hundred(WIRE_CONNECT, i);

		c.sock.peer[3] = i % 2;
		FEED(w, c);
	}
	FOUND(w, "");
	for (uint64_t i = 0; i < 6; i++) { /* nor can bind(0) have them */
		struct wire_call c = of_a_hundred(WIRE_BIND, i);

		c.sock.id += 500;
		FEED(w, c);
	}
	FOUND(w, "ports-low 1: 100 of the 100 ports of 40000-40099 are taken for sockets that "
		 "bind: 3 bound, 97 connected\n");
}

static void what_was_given_back_is_not_taken(void **state)
{
	struct world *w = walked(state);

	for (uint64_t i = 0; i < 100; i++) {
		struct wire_call c = of_a_hundred(WIRE_CONNECT, i);

		FEED(w, c);
		if (i % 2)
			feed_end(w, 1000 + i, BOOT_NS + 1001 + i * 10, (uint16_t)(40000 + i));
	}
	FOUND(w, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(no_port_is_free),
		WORLD_TEST(a_route_is_no_range),
		WORLD_TEST(what_has_the_ports_is_told),
		WORLD_TEST(one_of_an_odd_number_is_left_out),
		WORLD_TEST(an_odd_range_is_not_searched_in_full),
		WORLD_TEST(settings_that_were_changed_are_not_told),
		cmocka_unit_test(others_that_are_not_followed_may_have_them),
		cmocka_unit_test(time_wait_that_nobody_follows_is_counted),
		WORLD_TEST(the_summary_counts_what_came_and_went),
		cmocka_unit_test(a_summary_of_few_says_so),
		WORLD_TEST(a_port_is_bound_too_early),
		WORLD_TEST(early_binds_of_a_program_are_counted),
		WORLD_TEST(a_search_takes_long),
		WORLD_TEST(ports_get_low_for_one_peer),
		WORLD_TEST(each_range_is_asked_about),
		WORLD_TEST(another_peer_has_its_own_ports),
		WORLD_TEST(what_was_given_back_is_not_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
