/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_taken.c: from what a walk found to rows, and from rows to how full the range is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "user/core/pressure_taken.h"
#include "user/core/taken.h"

#define OWN 7

static struct wire_call socket_of(uint64_t id, uint16_t port, uint8_t state)
{
	return (struct wire_call){
		.head = { .len_bytes = sizeof(struct wire_call),
			  .kind = WIRE_FOUND,
			  .version = WIRE_VERSION },
		.sock = { .id = id,
			  .netns = OWN,
			  .family = AF_INET,
			  .protocol = IPPROTO_TCP,
			  .state = state,
			  .local_port = port,
			  .local = { 127, 0, 0, 1 } },
		.facts = WIRE_F_PASS,
		.fd = -1,
	};
}

static struct wire_call held(struct wire_call c, uint32_t pid, int32_t fd)
{
	c.who = (struct wire_who){ .pid = pid, .pid_host = pid, .comm = "nginx" };
	c.facts |= WIRE_F_WHO;
	c.fd = fd;
	return c;
}

static struct wire_call connected(uint64_t id, uint16_t port, uint8_t state, uint16_t peer_port)
{
	struct wire_call c = socket_of(id, port, state);

	memcpy(c.sock.peer, (uint8_t[]){ 10, 0, 0, 1 }, 4);
	c.sock.peer_port = peer_port;
	c.sock.userlocks = 16;
	return c;
}

static void add(struct taken *t, struct wire_call c)
{
	assert_int_equal(taken_add(t, &c), 0);
}

static void test_processes_of_one_socket_are_one_row(void **state)
{
	struct taken *t = taken_new(OWN);
	const struct port_row *rows;
	size_t len;

	(void)state;
	add(t, held(socket_of(1, 80, TCP_LISTEN), 813, 6));
	add(t, held(socket_of(1, 80, TCP_LISTEN), 811, 9));
	add(t, held(socket_of(1, 80, TCP_LISTEN), 811, 6));
	add(t, held(socket_of(2, 0, TCP_CLOSE), 811, 7));
	add(t, held(socket_of(1, 80, TCP_LISTEN), 812, 6));
	assert_int_equal(taken_finish(t), 0);
	rows = taken_rows(t, &len);
	assert_int_equal(len, 1);
	assert_int_equal(rows[0].holders_len, 3);
	assert_int_equal(rows[0].holders[0].who.pid, 811);
	assert_int_equal(rows[0].holders[0].fd, 6);
	assert_int_equal(rows[0].owners, 1);
	assert_int_equal(port_keeper(&rows[0]), KEPT_BY_PROCESS);
	taken_free(t);
}

static void test_order_and_owners(void **state)
{
	static const uint64_t order[] = { 4, 3, 5, 2, 6, 1 };
	struct taken *t = taken_new(OWN);
	struct wire_call elsewhere = socket_of(1, 22, TCP_LISTEN);
	struct wire_call udp = socket_of(6, 53, TCP_CLOSE);
	const struct port_row *rows;
	size_t len;

	(void)state;
	elsewhere.sock.netns = OWN - 1; /* other namespaces come last, whatever their number */
	udp.sock.protocol = IPPROTO_UDP;
	add(t, elsewhere);
	add(t, held(socket_of(2, 443, TCP_LISTEN), 1, 3));
	add(t, held(socket_of(3, 80, TCP_LISTEN), 1, 4));
	add(t, held(socket_of(5, 80, TCP_ESTABLISHED), 1, 5));
	add(t, held(socket_of(4, 25, TCP_CLOSE), 1, 6));
	add(t, udp);
	assert_int_equal(taken_finish(t), 0);
	rows = taken_rows(t, &len);
	assert_int_equal(len, 6);
	for (size_t i = 0; i < len; i++) {
		assert_int_equal(rows[i].holders[0].sock.id, order[i]);
		assert_int_equal(rows[i].owners, rows[i].holders[0].sock.local_port == 80 ? 2 : 1);
	}
	assert_true(port_is_listener(&rows[4]));
	assert_string_equal(port_state(&rows[4]), "bound");
	assert_string_equal(port_state(&rows[1]), "listening");
	taken_free(t);
}

/* Each protocol of netlink has port ids of its own, and a port here is a token only. */
static void test_numbers_of_netlink_are_shared_by_protocol(void **state)
{
	static const uint32_t of[][2] = { { 4242, 0 }, { 4242, 16 }, { 4242, 0 }, { 4243, 0 } };
	static const uint32_t owners[] = { 2, 1, 2, 1 };
	struct taken *t = taken_new(OWN);
	const struct port_row *rows;
	size_t len;

	(void)state;
	for (uint64_t i = 0; i < 4; i++) {
		struct wire_call c = socket_of(1 + i, 1, TCP_CLOSE);

		c.sock.family = AF_NETLINK;
		c.sock.protocol = WIRE_PROTOCOL_NETLINK;
		memcpy(c.sock.local, of[i], sizeof(of[i]));
		add(t, held(c, 1, 3 + (int32_t)i));
	}
	assert_int_equal(taken_finish(t), 0);
	rows = taken_rows(t, &len);
	assert_int_equal(len, 4);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(rows[i].owners, owners[rows[i].holders[0].sock.id - 1]);
	taken_free(t);
}

static enum port_keeper keeper_of(struct wire_call c)
{
	const struct port_holder holder = { .sock = c.sock, .facts = c.facts, .fd = c.fd };
	const struct port_row row = { .holders = &holder, .holders_len = 1, .owners = 1 };

	return port_keeper(&row);
}

static void test_what_keeps_a_port_without_a_process(void **state)
{
	struct wire_call queued = connected(1, 80, TCP_ESTABLISHED, 4000);
	struct wire_call kernel = socket_of(2, 2049, TCP_LISTEN);

	(void)state;
	queued.facts |= WIRE_F_CHILD;
	kernel.facts |= WIRE_F_KERN_SOCK;
	assert_int_equal(keeper_of(queued), KEPT_BY_QUEUE);
	assert_int_equal(keeper_of(kernel), KEPT_BY_KERNEL);
	assert_int_equal(keeper_of(connected(1, 80, TCP_TIME_WAIT, 4000)), KEPT_BY_TIME_WAIT);
	assert_int_equal(keeper_of(connected(1, 80, TCP_LAST_ACK, 4000)), KEPT_BY_ORPHAN);
	assert_int_equal(keeper_of(socket_of(1, 80, TCP_LISTEN)), KEPT_BY_UNKNOWN);
}

static void test_time_wait_is_joined(void **state)
{
	struct taken *t = taken_new(OWN);
	struct wire_call first = connected(1, 40000, TCP_TIME_WAIT, 80);
	struct wire_call second = connected(2, 40000, TCP_TIME_WAIT, 443);
	struct wire_sock other = first.sock;
	const struct port_row *rows;
	size_t len;

	(void)state;
	other.netns = OWN + 1;
	add(t, first);
	add(t, second);
	assert_int_equal(taken_add_time_wait(t, &second.sock, 37000), 0);
	assert_int_equal(taken_add_time_wait(t, &other, 1), 0);
	assert_int_equal(taken_finish(t), 0);
	rows = taken_rows(t, &len);
	assert_int_equal(len, 2);
	assert_int_equal(rows[0].time_wait_left_ms, 0);
	assert_int_equal(rows[1].time_wait_left_ms, 37000);
	assert_string_equal(port_state(&rows[1]), "time_wait");
	taken_free(t);
}

/* The kernel keeps an entry like that of TIME_WAIT for a socket whose peer has not closed yet. */
static void test_fin_wait_entry(void **state)
{
	struct wire_call entry = connected(1, 40000, TCP_TIME_WAIT, 80);
	struct wire_sock told = entry.sock;
	struct taken *t = taken_new(OWN);
	const struct port_row *row;
	size_t len;

	(void)state;
	told.state = TCP_FIN_WAIT2;
	add(t, entry);
	assert_int_equal(taken_add_time_wait(t, &told, 37000), 0);
	assert_int_equal(taken_finish(t), 0);
	row = taken_rows(t, &len);
	assert_int_equal(len, 1);
	assert_string_equal(port_state(row), "fin_wait_2");
	assert_int_equal(port_keeper(row), KEPT_BY_ORPHAN);
	assert_int_equal(row->time_wait_left_ms, 37000);
	assert_int_equal(port_age_min_ms(row), 0);
	taken_free(t);
}

/* 10 ports, 2 reserved; bind has one, connect two to one place and one to another, one waits. */
static void test_pressure(void **state)
{
	struct settings settings = { .netns = OWN, .range_lo = 40000, .range_hi = 40009 };
	struct endpoint from = { .family = AF_INET, .addr = { 127, 0, 0, 1 } };
	struct endpoint to = { .family = AF_INET6,
			       .port = 80,
			       .addr = { [10] = 0xff, [11] = 0xff, 10, 0, 0, 1 } };
	struct taken *t = taken_new(OWN);
	struct pressure_destination d;
	struct pressure p;

	(void)state;
	assert_true(settings_parse_reserved(&settings, "40008-40009,50000", 17));
	assert_false(settings_parse_reserved(&settings, "80,,81", 6));
	add(t, held(socket_of(1, 40000, TCP_CLOSE), 1, 3));
	add(t, held(connected(2, 40001, TCP_ESTABLISHED, 80), 1, 4));
	add(t, held(connected(3, 40002, TCP_ESTABLISHED, 80), 1, 5));
	add(t, held(connected(4, 40002, TCP_ESTABLISHED, 443), 1, 6));
	add(t, connected(5, 40003, TCP_TIME_WAIT, 80));
	add(t, held(connected(6, 40008, TCP_ESTABLISHED, 80), 1, 7)); /* reserved: not counted */
	add(t, held(connected(7, 50001, TCP_ESTABLISHED, 80), 1, 8)); /* outside */
	assert_int_equal(taken_finish(t), 0);
	assert_int_equal(pressure_of_taken(&p, t, &settings, IPPROTO_TCP), 0);
	assert_int_equal(p.usable, 8);
	assert_int_equal(p.taken, 4);
	assert_int_equal(p.by[PRESSURE_BIND], 1);
	assert_int_equal(p.by[PRESSURE_CONNECT], 2);
	assert_int_equal(p.by[PRESSURE_TIME_WAIT], 1);
	assert_int_equal(p.by[PRESSURE_UNKNOWN], 0);
	assert_int_equal(p.destinations, 2);
	assert_int_equal(p.top[0].peer.port, 80);
	assert_int_equal(p.top[0].connections, 2);
	assert_int_equal(p.top[0].time_wait, 1);
	assert_int_equal(p.top[0].used, 4);
	assert_int_equal(p.top[1].used, 2);
	assert_int_equal(pressure_of_taken_towards(&p, &d, t, &settings, &from, &to), 0);
	assert_int_equal(d.connections, 2);
	assert_int_equal(d.time_wait, 1);
	assert_int_equal(d.used, 4);
	to.port = 22;
	assert_int_equal(pressure_of_taken_towards(&p, &d, t, &settings, &from, &to), 0);
	assert_int_equal(d.connections + d.time_wait, 0);
	assert_int_equal(d.used, 1); /* the bound one is nobody's */
	assert_int_equal(pressure_of_taken(&p, t, &settings, IPPROTO_UDP), 0);
	assert_int_equal(p.taken, 0);
	taken_free(t);
}

/* Before 6.17 nothing says whether bind() or connect() took a port that has a peer. */
static void test_pressure_without_the_mark(void **state)
{
	struct settings settings = { .netns = OWN, .range_lo = 40000, .range_hi = 40009 };
	struct wire_call c = held(connected(1, 40001, TCP_ESTABLISHED, 80), 1, 4);
	struct taken *t = taken_new(OWN);
	struct pressure p;

	(void)state;
	c.sock.userlocks = 0;
	add(t, c);
	assert_int_equal(taken_finish(t), 0);
	assert_int_equal(pressure_of_taken(&p, t, &settings, IPPROTO_TCP), 0);
	assert_int_equal(p.by[PRESSURE_UNKNOWN], 1);
	assert_int_equal(p.top[0].used, 1);
	taken_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_processes_of_one_socket_are_one_row),
		cmocka_unit_test(test_order_and_owners),
		cmocka_unit_test(test_numbers_of_netlink_are_shared_by_protocol),
		cmocka_unit_test(test_what_keeps_a_port_without_a_process),
		cmocka_unit_test(test_time_wait_is_joined),
		cmocka_unit_test(test_fin_wait_entry),
		cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_pressure_without_the_mark),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
