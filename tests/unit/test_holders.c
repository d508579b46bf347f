/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_holders.c: what the kernel showed of a conflict, what was looked up, and what the table
 * knows become one list of those in the way.
 */
#include <netinet/tcp.h>

#include "tests/unit/records.h"

#define ASKER 50

static struct world *walked(void **state)
{
	struct world *w = *state;

	feed_pass(w, 1, WIRE_PASS_BEGIN, WIRE_P_START | WIRE_P_FULL, BOOT_NS + 1);
	feed_pass(w, 1, WIRE_PASS_END, WIRE_P_START | WIRE_P_FULL, BOOT_NS + 2);
	return w;
}

static void feed_server(struct world *w, uint64_t id, uint16_t port, uint16_t options)
{
	struct wire_call c = port_call(WIRE_BIND, id, BOOT_NS + 100, 0, port);

	call_request(&c, port);
	c.who = who_new(811, "nginx");
	c.sock.options = options;
	FEED(w, c);
	c = port_call(WIRE_LISTEN, id, BOOT_NS + 110, port, port);
	c.who = who_new(811, "nginx");
	c.sock.state = TCP_LISTEN;
	c.sock.options = options;
	FEED(w, c);
}

static struct wire_call refused_bind(uint16_t port)
{
	struct wire_call c = port_call(WIRE_BIND, ASKER, BOOT_NS + 1000, 0, 0);

	call_request(&c, port);
	c.error = EADDRINUSE;
	return c;
}

static void feed_end_of(struct world *w, uint16_t port, uint32_t told, uint32_t flags)
{
	struct wire_holders end = holders_new(ASKER, port, told, flags);

	FEED(w, end);
}

static void feed_refusal(struct world *w, uint16_t port)
{
	struct wire_call c = refused_bind(port);

	FEED(w, c);
}

/* In no record, since another process has it: the kernel's list tells of it all the same. */
static void a_stranger_is_named(void **state)
{
	struct world *w = walked(state);
	struct wire_holder h = holder_new(ASKER, 0, 80, TCP_LISTEN), looked;
	union name_record n = name_new(WIRE_NAME_CGROUP, 77, 0, "/system.slice/nginx.service");

	h.inode = 4711;
	FEED(w, h);
	feed_end_of(w, 80, 1, 0);
	looked = h;
	holder_looked_up(&looked, 811, "nginx", 6, 5);
	FEED(w, n);
	FEED(w, looked);
	feed_end_of(w, 80, 1, WIRE_HS_LATER);
	feed_refusal(w, 80);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by nginx.service: 811 nginx fd 6 (+4 workers) "
		 "(listening)\n");
	assert_int_equal(w->holders.len, 1);
	assert_int_equal(w->holders.list[0].socket, 0);
	assert_int_equal(w->holders.list[0].processes, 5);
	assert_int_equal(w->holders.list[0].source, HOLDER_BY_KERNEL);
	assert_int_equal(w->holders.list[0].keeper, KEPT_BY_PROCESS);
	/* and it was about that call only */
	feed_refusal(w, 80);
	FOUND(w, "");
	assert_null(w->event.holders);
}

static void nobody_looked_it_up(void **state)
{
	struct world *w = walked(state);
	struct wire_holder h = holder_new(ASKER, 0, 80, TCP_LISTEN);

	FEED(w, h);
	feed_end_of(w, 80, 1, 0);
	feed_refusal(w, 80);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by a process not known (listening)\n");
	assert_int_equal(w->holders.list[0].keeper, KEPT_BY_UNKNOWN);
}

/* The table has the number, and how the port came to it. */
static void the_table_completes_the_kernels_list(void **state)
{
	struct world *w = walked(state);
	struct wire_holder h = holder_new(ASKER, 1, 80, TCP_LISTEN);

	feed_server(w, 1, 80, 0);
	FEED(w, h);
	feed_end_of(w, 80, 1, 0);
	feed_refusal(w, 80);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by 811 nginx (listening)\n");
	assert_int_equal(w->holders.list[0].socket, 1);
	assert_int_equal(w->holders.list[0].origin, ORIGIN_BIND);
}

/* What the kernel does not show is not in the way, whatever the table says. */
static void the_kernels_list_is_believed(void **state)
{
	struct world *w = walked(state);
	struct wire_holder h = holder_new(ASKER, 0, 80, TCP_CLOSE);

	feed_server(w, 1, 80, 0);
	FEED(w, h);
	feed_end_of(w, 80, 1, 0);
	feed_refusal(w, 80);
	assert_int_equal(w->holders.len, 1);
	assert_int_equal(w->holders.list[0].state, TCP_CLOSE);
}

static void a_list_that_is_cut_is_completed(void **state)
{
	struct world *w = walked(state);
	struct wire_holder h = holder_new(ASKER, 0, 80, TCP_ESTABLISHED);
	struct wire_holders end = holders_new(ASKER, 80, 1, WIRE_HS_CUT);

	feed_server(w, 1, 80, 0);
	FEED(w, h);
	end.omitted = 240;
	FEED(w, end);
	feed_refusal(w, 80);
	assert_int_equal(w->holders.len, 2);
	assert_int_equal(w->holders.omitted, 240);
	assert_int_equal(w->holders.list[0].source, HOLDER_BY_TABLE);
	assert_int_equal(w->holders.list[1].source, HOLDER_BY_KERNEL);
}

static void a_list_with_a_loss_is_completed(void **state)
{
	struct world *w = walked(state);

	feed_server(w, 1, 80, 0);
	feed_end_of(w, 80, 1, 0);
	feed_refusal(w, 80);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by 811 nginx (listening); by portlife's "
		 "table\n");
}

static void what_no_process_has_is_said(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = refused_bind(81);
	struct wire_holder h = holder_new(ASKER, 0, 80, TCP_TIME_WAIT);

	h.flags = WIRE_H_LEFT;
	h.left_ms = 36500;
	FEED(w, h);
	feed_end_of(w, 80, 1, 0);
	feed_refusal(w, 80);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by TIME_WAIT, 37 s left, no process; neither "
		 "has SO_REUSEADDR\n"
		 "time-wait-holds-port 1: the port is kept by TIME_WAIT of a connection to "
		 "0.0.0.0:0, for another 37 s\n");
	h = holder_new(ASKER, 0, 81, TCP_LAST_ACK);
	h.flags = WIRE_H_ORPHAN | WIRE_H_UID;
	FEED(w, h);
	feed_end_of(w, 81, 1, 0);
	c.who = who_new(200, "other"); /* one finding a minute, by one program */
	FEED(w, c);
	assert_int_equal(w->holders.list[0].keeper, KEPT_BY_ORPHAN);
	FOUND(w, "bind-in-use 1: 0.0.0.0:81 is held by an orphan in LAST_ACK; neither has "
		 "SO_REUSEADDR\n");
	assert_non_null(strstr(w->hint, "closed it"));
	h = holder_new(ASKER, 0, 83, TCP_TIME_WAIT);
	h.flags = WIRE_H_LEFT | WIRE_H_FIN_WAIT;
	h.left_ms = 36500;
	FEED(w, h);
	feed_end_of(w, 83, 1, 0);
	c = refused_bind(83);
	c.who = who_new(201, "third");
	FEED(w, c);
	assert_int_equal(w->holders.list[0].keeper, KEPT_BY_ORPHAN);
	FOUND(w, "bind-in-use 1: 0.0.0.0:83 is held by an orphan in FIN_WAIT2; neither has "
		 "SO_REUSEADDR\n");
	h = holder_new(ASKER, 0, 82, TCP_LISTEN);
	h.flags = WIRE_H_KERN | WIRE_H_UID;
	FEED(w, h);
	feed_end_of(w, 82, 1, 0);
	feed_refusal(w, 82);
	assert_int_equal(w->holders.list[0].keeper, KEPT_BY_KERNEL);
	assert_true(w->holders.list[0].kern);
}

/* SO_REUSEPORT shares by the socket's user, not by that of who calls. */
static void the_sockets_user_decides(void **state)
{
	struct world *w = walked(state);
	struct wire_holder h = holder_new(ASKER, 1, 80, TCP_LISTEN);
	struct wire_holders end = holders_new(ASKER, 80, 1, WIRE_HS_UID);
	struct wire_call c = refused_bind(80);

	feed_server(w, 1, 80, WIRE_O_REUSEPORT);
	h.sock.options = c.sock.options = WIRE_O_REUSEPORT;
	h.flags = WIRE_H_UID;
	h.uid = 33;
	FEED(w, h);
	end.uid = 34;
	FEED(w, end);
	FEED(w, c); /* who calls has the same uid as the holder's process */
	assert_int_equal(w->holders.list[0].conflict.reason, REASON_REUSEPORT_UID);
}

/* The tracepoint backend has no list of the kernel's. */
static void who_was_found_afterwards_is_said_to_be(void **state)
{
	struct world *w = walked(state);
	struct wire_holder h = holder_new(ASKER, 0, 80, TCP_LISTEN);

	h.inode = 4711;
	holder_looked_up(&h, 811, "nginx", 6, 2);
	FEED(w, h);
	feed_end_of(w, 80, 1, WIRE_HS_LATER);
	feed_refusal(w, 80);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by 811 nginx fd 6 (+1 worker) (listening); "
		 "looked up afterwards\n");
	assert_int_equal(w->holders.list[0].source, HOLDER_BY_LOOKUP);
}

/* A descriptor that a child has inherited: its process is named, not who called last. */
static void who_has_it_now_is_named(void **state)
{
	struct world *w = walked(state);
	struct wire_holder h = holder_new(ASKER, 1, 80, TCP_LISTEN);

	feed_server(w, 1, 80, 0);
	holder_looked_up(&h, 900, "sleep", 3, 1);
	FEED(w, h);
	feed_end_of(w, 80, 1, WIRE_HS_LATER);
	feed_refusal(w, 80);
	FOUND(w, "bind-in-use 1: 0.0.0.0:80 is held by 900 sleep fd 3 (listening); looked up "
		 "afterwards\n");
	assert_int_equal(w->holders.len, 1);
	assert_int_equal(w->holders.list[0].socket, 1);
	assert_int_equal(w->holders.list[0].origin, ORIGIN_BIND);
}

/* A connection closed by its program, found later without a number: one holder, and an orphan. */
static void a_closed_connection_is_one_holder(void **state)
{
	struct world *w = walked(state);
	struct wire_call c = port_call(WIRE_BIND, 1, BOOT_NS + 100, 0, 80);
	struct wire_holder h = holder_new(ASKER, 0, 80, TCP_FIN_WAIT1);
	struct wire_holders end = holders_new(ASKER, 80, 1, WIRE_HS_LATER);

	call_request(&c, 80);
	FEED(w, c);
	c = port_call(WIRE_CONNECT, 1, BOOT_NS + 110, 80, 80);
	c.sock.state = TCP_ESTABLISHED;
	c.sock.peer_port = 443;
	FEED(w, c);
	memcpy(h.sock.local, c.sock.local, sizeof(h.sock.local));
	memcpy(h.sock.peer, c.sock.peer, sizeof(h.sock.peer));
	h.sock.peer_port = 443;
	h.flags = WIRE_H_LATER | WIRE_H_ORPHAN;
	FEED(w, h);
	feed_end_of(w, 80, 1, WIRE_HS_LATER);
	feed_refusal(w, 80);
	assert_int_equal(w->holders.len, 1);
	assert_int_equal(w->holders.list[0].socket, 1);
	assert_int_equal(w->holders.list[0].keeper, KEPT_BY_ORPHAN);
	assert_int_equal(w->holders.list[0].state, TCP_FIN_WAIT1);
	end.asker = h.asker = ASKER + 1; /* of another peer: two of them */
	h.sock.peer_port = 444;
	FEED(w, h);
	c = refused_bind(80);
	c.sock.id = ASKER + 1;
	FEED(w, end);
	FEED(w, c);
	assert_int_equal(w->holders.len, 2);
}

/* A socket that was bound and may not listen is not in its own way. */
static void nobody_is_in_its_own_way(void **state)
{
	struct world *w = walked(state);
	struct wire_holder own = holder_new(ASKER, ASKER, 80, TCP_CLOSE);
	struct wire_call c = port_call(WIRE_LISTEN, ASKER, BOOT_NS + 1000, 80, 80);

	FEED(w, own);
	feed_end_of(w, 80, 1, WIRE_HS_LATER);
	c.error = EADDRINUSE;
	FEED(w, c);
	assert_null(w->event.holders);
	FOUND(w, "listen-lost-port 1: port 80, which bind() had given, is held by no socket known; "
		 "it may be gone by now\n");
}

/* More of them at a time than there are places for: the oldest gives way, nothing breaks. */
static void many_at_once(void **state)
{
	struct world *w = walked(state);

	for (uint64_t asker = 100; asker < 140; asker++) {
		for (unsigned int i = 0; i < 40; i++) {
			struct wire_holder h = holder_new(asker, 0, 80, TCP_LISTEN);

			FEED(w, h);
		}
	}
	feed_server(w, 1, 80, 0);
	feed_refusal(w, 80);
	assert_int_equal(w->holders.len, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WORLD_TEST(a_stranger_is_named),
		WORLD_TEST(nobody_looked_it_up),
		WORLD_TEST(the_table_completes_the_kernels_list),
		WORLD_TEST(the_kernels_list_is_believed),
		WORLD_TEST(a_list_that_is_cut_is_completed),
		WORLD_TEST(a_list_with_a_loss_is_completed),
		WORLD_TEST(what_no_process_has_is_said),
		WORLD_TEST(the_sockets_user_decides),
		WORLD_TEST(who_was_found_afterwards_is_said_to_be),
		WORLD_TEST(who_has_it_now_is_named),
		WORLD_TEST(a_closed_connection_is_one_holder),
		WORLD_TEST(nobody_is_in_its_own_way),
		WORLD_TEST(many_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
