/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_findings.c: what is found, who is named as in the way, and how often it is told.
 */
#include "tests/unit/findings.h"

/* --- bind-in-use -------------------------------------------------------------------------- */

static void a_listener_is_named(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_bind(2, BOOT_NS + 1000, 80, 0, EADDRINUSE);

	feed_server(w, 1, BOOT_NS + 100, 80, 0, 0);
	FEED(w, c);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by 811 apache2 (listening); by portlife's "
		 "table\n");
	assert_int_equal(w->holders.len, 1);
	assert_int_equal(w->holders.omitted, 0);
	assert_int_equal(w->holders.list[0].socket, 1);
	assert_int_equal(w->holders.list[0].state, TCP_LISTEN);
	assert_int_equal(w->holders.list[0].conflict.overlap, OVERLAP_SAME_ADDRESS);
	assert_int_equal(w->holders.list[0].conflict.reason, REASON_LISTENING);
	assert_string_equal(w->evidence,
			    "event: bind asked for 0.0.0.0:80, EADDRINUSE, by 100 python3 of user "
			    "1000\n"
			    "holder: 811 apache2 (listening) 0.0.0.0:80, user 1000, rule "
			    "same-address listening\n");
}

static void only_who_is_in_the_way_is_named(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_bind(9, BOOT_NS + 1000, 80, 2, EADDRINUSE);
	struct wire_call other = local_call(WIRE_BIND, 4, BOOT_NS + 400, 0, 80, 2);
	struct wire_call udp = local_call(WIRE_BIND, 5, BOOT_NS + 500, 0, 80, 2);

	feed_server(w, 1, BOOT_NS + 100, 80, 1, 0); /* another address */
	feed_server(w, 2, BOOT_NS + 200, 81, 2, 0); /* another port */
	other.sock.netns = 4026532000;		    /* another namespace */
	FEED(w, other);
	udp.sock.protocol = IPPROTO_UDP;
	FEED(w, udp);
	FEED(w, c);
	FOUND(w, "bind-in-use 1: 10.0.0.2:80 is held by no socket known; it may be gone by now\n");
	assert_null(w->event.holders);
}

static void a_wildcard_is_in_the_way_of_an_address(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_bind(2, BOOT_NS + 1000, 80, 2, EADDRINUSE);

	feed_server(w, 1, BOOT_NS + 100, 80, 0, 0);
	FEED(w, c);
	FOUND(w, "bind-in-use 1: 10.0.0.2:80 is held by 811 apache2 (listening) on all "
		 "addresses; by portlife's table\n");
	c = failed_bind(4, BOOT_NS + 3000, 81, 0, EADDRINUSE);
	c.who = who_new(200, "other");
	feed_server(w, 3, BOOT_NS + 2000, 81, 2, 0);
	FEED(w, c);
	FOUND(w, "bind-in-use 1: 0.0.0.0:81 is held by 811 apache2 (listening) on one of its "
		 "addresses; by portlife's table\n");
}

static void a_connection_that_took_the_port_is_named(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = port_call(WIRE_CONNECT, 1, BOOT_NS + 100, 0, 40000);
	struct wire_call bind = failed_bind(2, BOOT_NS + 1000, 40000, 0, EADDRINUSE);
	struct wire_edge e = edge_new(WIRE_ESTABLISHED, 1, BOOT_NS + 200, 0, 0);

	memcpy(c.sock.local, (uint8_t[]){ 10, 0, 0, 1 }, 4);
	FEED(w, c);
	FEED(w, e);
	FEED(w, bind);
	FOUND(w, "bind-in-use 1: 0.0.0.0:40000 is held by 100 python3 (connected) on one of its "
		 "addresses; neither has SO_REUSEADDR; by portlife's table\n");
	assert_int_equal(w->holders.list[0].origin, ORIGIN_CONNECT);
}

static void who_let_go_is_in_nobodys_way(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_bind(2, BOOT_NS + 1000, 80, 0, EADDRINUSE);

	feed_server(w, 1, BOOT_NS + 100, 80, 0, 0);
	feed_end(w, 1, BOOT_NS + 500, 80);
	FEED(w, c);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by no socket known; it may be gone by now\n");
}

static void very_many_are_counted(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_bind(900, BOOT_NS + 9000, 80, 0, EADDRINUSE);

	for (uint8_t i = 0; i < 20; i++)
		feed_server(w, 100u + i, BOOT_NS + 100 + 20u * i, 80, i + 1, WIRE_O_REUSEPORT);
	FEED(w, c);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by 811 apache2 (listening) (+19 more) on one "
		 "of its addresses; only the holder has SO_REUSEPORT; by portlife's table\n");
	assert_int_equal(w->holders.len, HOLDERS_MAX);
	assert_int_equal(w->holders.omitted, 12);
	for (size_t i = 0; i < HOLDERS_MAX; i++)
		assert_int_equal(w->holders.list[i].socket, i + 1);
}

static void the_hint_is_about_the_holder(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = port_call(WIRE_LISTEN, 1, BOOT_NS + 100, 0, 40000);
	struct wire_call bind = failed_bind(2, BOOT_NS + 1000, 40000, 0, EADDRINUSE);

	FEED(w, c);
	FEED(w, bind);
	assert_non_null(strstr(w->hint, "ip_local_reserved_ports"));
	c = port_call(WIRE_BIND, 3, BOOT_NS + 2000, 0, 2049);
	call_request(&c, 2049);
	c.facts |= WIRE_F_KERN_SOCK;
	FEED(w, c);
	bind = failed_bind(4, BOOT_NS + 3000, 2049, 0, EADDRINUSE);
	bind.who = who_new(200, "nfs");
	FEED(w, bind);
	assert_non_null(strstr(w->hint, "kernel"));
	c = port_call(WIRE_BIND, 5, BOOT_NS + 4000, 0, 22);
	call_request(&c, 22);
	c.who = who_new(1, "systemd");
	FEED(w, c);
	bind = failed_bind(6, BOOT_NS + 5000, 22, 0, EADDRINUSE);
	bind.who = who_new(300, "sshd");
	FEED(w, bind);
	assert_non_null(strstr(w->hint, "list-sockets"));
}

static void options_that_changed_unseen_hide_nobody(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_bind(2, BOOT_NS + 1000, 80, 0, EADDRINUSE);

	c.sock.options = WIRE_O_REUSEPORT;
	feed_server(w, 1, BOOT_NS + 100, 80, 0, WIRE_O_REUSEPORT);
	FEED(w, c);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by 811 apache2 (listening); by portlife's "
		 "table\n");
	assert_int_equal(w->holders.list[0].conflict.reason, REASON_UNKNOWN);
}

static void what_cannot_be_known_is_said(void **state)
{
	struct world *w = *state; /* no walk */
	struct wire_call c = failed_bind(2, BOOT_NS + 1000, 80, 0, EADDRINUSE);
	struct filter one = { .comm = "python3" };

	FEED(w, c);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held; by whom is not known: sockets from before the "
		 "start were not looked at\n");
	w = world_new(&one);
	world_start(w, 0);
	feed_pass(w, 1, WIRE_PASS_BEGIN, WIRE_P_START | WIRE_P_FULL, BOOT_NS + 1);
	feed_pass(w, 1, WIRE_PASS_END, WIRE_P_START | WIRE_P_FULL, BOOT_NS + 2);
	FEED(w, c);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held; by whom is not known: other processes are not "
		 "followed here\n");
	world_free(w);
}

/* --- TIME_WAIT ---------------------------------------------------------------------------- */

static void time_wait_is_named_with_the_time_left(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = local_call(WIRE_CONNECT, 1, BOOT_NS + 100, 0, 8080, 1);
	struct wire_call bind = failed_bind(2, BOOT_NS + 23 * SECOND, 8080, 0, EADDRINUSE);

	memcpy(c.sock.peer, (uint8_t[]){ 10, 0, 0, 9 }, 4);
	c.sock.peer_port = 443;
	FEED(w, c);
	feed_time_wait(w, 1, BOOT_NS + 200, 8080);
	bind.sock.options = WIRE_O_REUSEADDR;
	FEED(w, bind);
	FOUND(w, "bind-in-use 1: 0.0.0.0:8080 is held by TIME_WAIT, 37 s left, no process, was 100 "
		 "python3 on "
		 "one of its addresses; the holder has no SO_REUSEADDR; by portlife's table\n"
		 "time-wait-holds-port 1: the port is kept by TIME_WAIT of a connection to "
		 "10.0.0.9:443, for another 37 s\n");
	assert_int_equal(w->holders.list[0].state, TCP_TIME_WAIT);
	assert_true(w->holders.list[0].left_known);
	assert_in_range(w->holders.list[0].left_ms, 37000, 37001);
	/* and after its end there is nobody */
	feed_edge(w, WIRE_TW_END, 1, BOOT_NS + 60 * SECOND, 8080, 0);
	bind = failed_bind(3, BOOT_NS + 90 * SECOND, 8080, 0, EADDRINUSE);
	FEED(w, bind);
	FOUND(w, "bind-in-use 1: 0.0.0.0:8080 is held by no socket known; it may be gone by now\n");
}

static void time_wait_beside_a_listener_stops_nobody(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = local_call(WIRE_ACCEPT, 1, BOOT_NS + 100, 0, 80, 1);
	struct wire_call bind = failed_bind(3, BOOT_NS + 1000, 80, 0, EADDRINUSE);

	FEED(w, c);
	feed_time_wait(w, 1, BOOT_NS + 200, 80);
	feed_server(w, 2, BOOT_NS + 500, 80, 0, 0);
	FEED(w, bind);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by 811 apache2 (listening) (+1 more); by "
		 "portlife's table\n");
}

/* --- the others --------------------------------------------------------------------------- */

static void refusals_of_a_peer_are_not_exhaustion(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_connect(2, BOOT_NS + 200, 0, ECONNREFUSED);

	FEED(w, c);
	c = failed_connect(3, BOOT_NS + 300, 0, ENETUNREACH);
	FEED(w, c);
	FOUND(w, "");
}

static void the_same_connection_is_named(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = local_call(WIRE_BIND, 1, BOOT_NS + 100, 0, 5000, 1);

	call_request(&c, 5000);
	FEED(w, c);
	c = local_call(WIRE_CONNECT, 1, BOOT_NS + 200, 5000, 5000, 1);
	memcpy(c.sock.peer, (uint8_t[]){ 10, 0, 0, 9 }, 4);
	c.sock.peer_port = 443;
	c.sock.state = TCP_SYN_SENT;
	FEED(w, c);
	c = local_call(WIRE_BIND, 2, BOOT_NS + 300, 0, 5000, 1);
	call_request(&c, 5000);
	FEED(w, c);
	FOUND(w, "");
	c = failed_connect(2, BOOT_NS + 400, 5000, EADDRNOTAVAIL);
	memcpy(c.sock.local, (uint8_t[]){ 10, 0, 0, 1 }, 4);
	FEED(w, c);
	FOUND(w, "connect-tuple-in-use 1: port 5000 has a connection to 10.0.0.9:443 already: 100 "
		 "python3 (connecting); by portlife's table\n");
	assert_int_equal(w->holders.list[0].conflict.overlap, OVERLAP_CONNECTION);
}

static void bind_is_refused(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_bind(1, BOOT_NS + 100, 80, 1, EACCES);
	union settings_record settings;

	FEED(w, c);
	FOUND(w, "bind-denied 1: port 80 is below net.ipv4.ip_unprivileged_port_start (1024, "
		 "unless set), and there is no CAP_NET_BIND_SERVICE\n");
	c = failed_bind(1, BOOT_NS + 200, 8080, 1, EACCES);
	FEED(w, c);
	FOUND(w, "bind-refused-by-policy 1: bind() to 10.0.0.1:8080 was refused with EACCES: by a "
		 "security module or a cgroup's program, or the port is below "
		 "net.ipv4.ip_unprivileged_port_start, which is not known for that moment\n");
	settings = settings_of(BOOT_NS + 210, 32768, 60999, "", 80);
	FEED(w, settings); /* 80 is everybody's from now on */
	c = failed_bind(1, BOOT_NS + 220, 80, 1, EACCES);
	c.who = who_new(3, "third");
	FEED(w, c);
	FOUND(w, "bind-refused-by-policy 1: bind() to 10.0.0.1:80 was refused with EACCES: by a "
		 "security module or a cgroup's program\n");
	c = failed_bind(1, BOOT_NS + 230, 79, 1, EACCES);
	c.who = who_new(4, "fourth");
	FEED(w, c);
	FOUND(w, "bind-denied 1: port 79 is below net.ipv4.ip_unprivileged_port_start (80), and "
		 "there is no CAP_NET_BIND_SERVICE\n");
	assert_non_null(strstr(w->evidence, "\nnet.ipv4.ip_unprivileged_port_start: 80\n"));
	settings = settings_of(BOOT_NS + 240, 32768, 60999, "", 9000);
	FEED(w, settings);
	c = failed_bind(1, BOOT_NS + 250, 8080, 1, EACCES);
	c.who = who_new(5, "fifth");
	FEED(w, c);
	FOUND(w, "bind-denied 1: port 8080 is below net.ipv4.ip_unprivileged_port_start (9000), "
		 "and there is no CAP_NET_BIND_SERVICE\n");
	c.sock.netns++; /* of another namespace nothing is known */
	c.sock.id = 77;
	c.who = who_new(6, "sixth");
	FEED(w, c);
	assert_non_null(strstr(w->found, "which is not known for that moment"));
	w->found[w->found_len = 0] = 0;
	settings = settings_of(BOOT_NS + 260, 32768, 60999, "", 80);
	FEED(w, settings);
	settings = settings_of(BOOT_NS + 260, 0, 0, "", 0);
	settings.settings.known =
		0; /* read afterwards: it may have been 1024, it may have been 80 */
	FEED(w, settings);
	c = failed_bind(1, BOOT_NS + 270, 80, 1, EACCES);
	c.who = who_new(7, "seventh");
	FEED(w, c);
	FOUND(w, "bind-denied 1: port 80 is below net.ipv4.ip_unprivileged_port_start (1024, "
		 "unless set), and there is no CAP_NET_BIND_SERVICE\n");
	c = failed_bind(1, BOOT_NS + 300, 80, 1, EPERM);
	c.who = who_new(2, "other");
	FEED(w, c);
	FOUND(w, "bind-refused-by-policy 1: bind() to 10.0.0.1:80 was refused with EPERM: by a "
		 "security module or a cgroup's program\n");
	c = failed_bind(1, BOOT_NS + 400, 80, 1, EADDRNOTAVAIL);
	FEED(w, c);
	FOUND(w, "bind-not-local 1: 10.0.0.1 is no address of this network namespace\n");
	c = failed_bind(1, BOOT_NS + 500, 80, 1, EFAULT);
	FEED(w, c);
	FOUND(w, "");
}

static void bind_comes_twice(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_bind(1, BOOT_NS + 100, 81, 1, EINVAL);

	FEED(w, c); /* no port yet: something else is wrong */
	FOUND(w, "");
	feed_server(w, 1, BOOT_NS + 200, 80, 1, 0);
	c = failed_bind(1, BOOT_NS + 300, 81, 1, EINVAL);
	c.sock.local_port = c.port_before = 80;
	FEED(w, c);
	FOUND(w, "bind-twice 1: the socket has port 80 already, from bind()\n");
}

static void listen_has_its_own(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = port_call(WIRE_LISTEN, 1, BOOT_NS + 100, 0, 40001);

	FEED(w, c);
	FOUND(w, "listen-random-port 1: listen() came without bind(): the kernel chose port "
		 "40001\n");
	c = local_call(WIRE_BIND, 3, BOOT_NS + 150, 0, 80, 0);
	c.sock.options = WIRE_O_REUSEADDR;
	call_request(&c, 80);
	FEED(w, c);
	feed_server(w, 2, BOOT_NS + 200, 80, 0, WIRE_O_REUSEADDR);
	FOUND(w, ""); /* bound before */
	c = port_call(WIRE_LISTEN, 3, BOOT_NS + 300, 80, 80);
	c.sock.options = WIRE_O_REUSEADDR;
	c.error = EADDRINUSE;
	FEED(w, c);
	FOUND(w, "listen-lost-port 1: port 80, which bind() had given, is held by 811 apache2 "
		 "(listening); by portlife's table\n");
}

/* --- how often ---------------------------------------------------------------------------- */

static void repeats_are_counted(void **state)
{
	struct world *w = walked(state);
	struct wire_call c;

	for (uint64_t i = 0; i < 70; i++) {
		c = failed_bind(10 + i, BOOT_NS + 1000 + i * SECOND, 80, 1, EACCES);
		FEED(w, c);
		assert_int_equal(w->event.findings, 1u << FINDING_BIND_DENIED);
		c.who = who_new(5, "other");
		c.sock.id += 1000;
		if (i == 1)
			FEED(w, c);
	}
	FOUND(w, "bind-denied 1: port 80 is below net.ipv4.ip_unprivileged_port_start (1024, "
		 "unless set), and there is no CAP_NET_BIND_SERVICE\n"
		 "bind-denied 1: port 80 is below net.ipv4.ip_unprivileged_port_start (1024, "
		 "unless set), and there is no CAP_NET_BIND_SERVICE\n"
		 "bind-denied 60: port 80 is below net.ipv4.ip_unprivileged_port_start (1024, "
		 "unless set), and there is no CAP_NET_BIND_SERVICE\n");
}

static void another_port_is_no_repeat(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = failed_bind(10, BOOT_NS + 1000, 80, 1, EPERM);

	FEED(w, c);
	c = failed_bind(11, BOOT_NS + 2000, 80, 1, EPERM);
	FEED(w, c);
	c = failed_bind(12, BOOT_NS + 3000, 81, 1, EPERM);
	FEED(w, c);
	c = failed_bind(13, BOOT_NS + 4000, 81, 1, EPERM);
	c.sock.netns++;
	FEED(w, c);
	FOUND(w, "bind-refused-by-policy 1: bind() to 10.0.0.1:80 was refused with EPERM: by a "
		 "security module or a cgroup's program\n"
		 "bind-refused-by-policy 1: bind() to 10.0.0.1:81 was refused with EPERM: by a "
		 "security module or a cgroup's program\n"
		 "bind-refused-by-policy 1: bind() to 10.0.0.1:81 was refused with EPERM: by a "
		 "security module or a cgroup's program\n");
}

static void what_is_not_shown_is_not_told(void **state)
{
	struct filter ports = { .ports = &(struct port_range){ 443, 443 }, .ports_len = 1 };
	struct world *w = world_new(&ports);
	struct wire_call c = failed_bind(1, BOOT_NS + 100, 80, 1, EACCES);

	(void)state;
	world_start(w, 0);
	FEED(w, c);
	FOUND(w, "");
	assert_int_equal(core_summary(w->core)->findings, 0);
	world_free(w);
}

static void findings_have_names(void **state)
{
	(void)state;
	for (unsigned int id = 0; id < FINDING_NAMES; id++)
		assert_non_null(finding_name(id));
	assert_string_equal(finding_name(FINDING_EARLY_BIND), "early-bind");
	assert_string_equal(severity_name(finding_severity(FINDING_EARLY_BIND)), "warning");
}

/* --- units -------------------------------------------------------------------------------- */

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void units_are_in_the_path(void **state)
{
	static const struct {
		const char *path, *unit;
	} cases[] = {
		{ "/system.slice/nginx.service", "nginx.service" },
		{ "/user.slice/user-1000.slice/session-3.scope", "session-3" },
		{ "/user.slice/user-1000.slice/user@1000.service/app.slice/a.service",
		  "a.service" },
		{ "/system.slice/docker-" ID ".scope", "0123456789ab" },
		{ "/docker/" ID, "0123456789ab" },
		{ "/docker/" ID "/system.slice/nginx.service", "0123456789ab" },
		{ "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope",
		  "0123456789ab" },
		{ "/machine.slice/libpod-" ID ".scope/container", "0123456789ab" },
		{ "/init.scope", "init.scope" },
		{ "/", NULL },
		{ "", NULL },
		{ "/user.slice", NULL },
		{ "/.service", NULL },
		{ "/a" ID, NULL }, /* longer than an id */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = 0;
		const char *unit = unit_find(cases[i].path, &len);

		if (!cases[i].unit) {
			assert_null(unit);
			continue;
		}
		assert_non_null(unit);
		assert_int_equal(len, strlen(cases[i].unit));
		assert_memory_equal(unit, cases[i].unit, len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_listener_is_named),
		WORLD_TEST(only_who_is_in_the_way_is_named),
		WORLD_TEST(a_wildcard_is_in_the_way_of_an_address),
		WORLD_TEST(a_connection_that_took_the_port_is_named),
		WORLD_TEST(who_let_go_is_in_nobodys_way),
		WORLD_TEST(very_many_are_counted),
		WORLD_TEST(the_hint_is_about_the_holder),
		WORLD_TEST(options_that_changed_unseen_hide_nobody),
		WORLD_TEST(what_cannot_be_known_is_said),
		WORLD_TEST(time_wait_is_named_with_the_time_left),
		WORLD_TEST(time_wait_beside_a_listener_stops_nobody),
		WORLD_TEST(refusals_of_a_peer_are_not_exhaustion),
		WORLD_TEST(the_same_connection_is_named),
		WORLD_TEST(bind_is_refused),
		WORLD_TEST(bind_comes_twice),
		WORLD_TEST(listen_has_its_own),
		WORLD_TEST(repeats_are_counted),
		WORLD_TEST(another_port_is_no_repeat),
		cmocka_unit_test(what_is_not_shown_is_not_told),
		cmocka_unit_test(findings_have_names),
		cmocka_unit_test(units_are_in_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
