/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_handmade.c: the golden recording handmade.plr: in one story what no single kernel shows at
 * will: walks at the start and after a loss, datagrams, sends, shared ports. Written again, it is
 * the same, byte for byte. `test_handmade FILE` writes it there.
 */
#include <unistd.h>

#include "tests/unit/records.h"
#include "user/sink/recording.h"

#define GOLDEN "tests/golden/rec/handmade.plr"
#define MS(n)  (BOOT_NS + (n)*UINT64_C(1000000))

enum number {
	NGINX = 1 << 10,
	DNSMASQ = 2 << 10,
	CURL = 3 << 10,
	LEFT = 4 << 10, /* a TIME_WAIT entry */
	DIG = 5 << 10,
	NTP = 6 << 10,
	FULL = 7 << 10,
	LITE = 8 << 10,
	FAST = 9 << 10,
	WORKER1 = 10 << 10,
	WORKER2 = 11 << 10,
	LATE = 12 << 10,
	MOVED = 13 << 10,
	CLOSED = 14 << 10,
	CALLING = 15 << 10,
	GONE = 16 << 10,
};

static struct recording out;

static void add(const void *record)
{
	struct wire_head head;
	const char *why;

	memcpy(&head, record, sizeof(head));
	assert_int_equal(wire_check(record, head.len_bytes, &why), 0);
	assert_int_equal(recording_add(&out, record, head.len_bytes), 0);
}

static void add_pass(uint32_t number, uint16_t stage, uint16_t flags, uint64_t ts_ns)
{
	struct wire_pass pass = pass_new(number, stage, flags, ts_ns);

	add(&pass);
}

static void add_edge(uint8_t kind, uint64_t id, uint64_t ts_ns, uint16_t port, int error)
{
	struct wire_edge edge = edge_new(kind, id, ts_ns, port, error);

	add(&edge);
}

/* By this program, over the loopback. */
static struct wire_call made(uint8_t kind, uint64_t id, uint64_t ts_ns, uint16_t port_before,
			     uint16_t port, const char *comm)
{
	struct wire_call c = port_call(kind, id, ts_ns, port_before, port);

	c.start_ns = ts_ns - 20000;
	c.who = who_new(4000 + (uint32_t)(id >> 10), comm);
	c.sock.local[0] = 127;
	c.sock.local[3] = 1;
	if (kind == WIRE_SEND || kind == WIRE_CONNECT || kind == WIRE_CONNECT_FAILED)
		c.facts |= WIRE_F_SEARCHED;
	return c;
}

static void ask(struct wire_call *c, uint16_t port)
{
	static const uint8_t addr[] = { 10, 0, 0, 1 };

	call_request(c, port);
	memcpy(c->req_addr, addr, sizeof(addr));
}

static void meet(struct wire_call *c, uint16_t port)
{
	static const uint8_t addr[] = { 10, 0, 0, 1 };

	ask(c, port);
	memcpy(c->sock.peer, addr, sizeof(addr));
	c->sock.peer_port = port;
}

static struct wire_call found(uint64_t id, uint64_t ts_ns, uint16_t port, const char *comm)
{
	struct wire_call c = found_new(id, ts_ns, port, comm ? WIRE_F_WHO : 0);

	if (comm)
		c.who = who_new(4000 + (uint32_t)(id >> 10), comm);
	c.sock.local[0] = 127;
	c.sock.local[3] = 1;
	return c;
}

static void what_was_there(void)
{
	struct wire_call c = found(NGINX, MS(1), 80, "nginx");

	add_pass(1, WIRE_PASS_BEGIN, WIRE_P_START | WIRE_P_FULL, MS(1));
	c.facts |= WIRE_F_EXISTING;
	c.sock.state = 10;
	c.sock.userlocks = 8;
	c.fd = 6;
	add(&c);
	c = found(DNSMASQ, MS(2), 53, "dnsmasq");
	c.facts |= WIRE_F_EXISTING;
	c.sock.protocol = IPPROTO_UDP;
	c.sock.netns = 4026532222;
	add(&c);
	c = found(CURL, MS(3), 48822, NULL);
	c.facts |= WIRE_F_EXISTING;
	c.sock.state = 1;
	c.sock.userlocks = 16; /* bound by connect(), says the kernel */
	c.sock.peer[0] = 10;
	c.sock.peer_port = 443;
	add(&c);
	c = found(LEFT, MS(4), 45000, NULL);
	c.facts |= WIRE_F_EXISTING;
	c.sock.state = 6;
	c.sock.peer[0] = 10;
	c.sock.peer_port = 443;
	add(&c);
	add_pass(1, WIRE_PASS_END, WIRE_P_START | WIRE_P_FULL, MS(5));
}

static void datagrams(void)
{
	struct wire_call c = made(WIRE_SEND, DIG, MS(100), 0, 40001, "dig");

	c.sock.protocol = IPPROTO_UDP;
	c.facts |= WIRE_F_OWNERS;
	ask(&c, 53);
	add(&c);
	c = made(WIRE_CONNECT, DIG, MS(101), 40001, 40001, "dig");
	c.sock.protocol = IPPROTO_UDP;
	c.sock.state = 1;
	meet(&c, 53);
	add(&c);
	c = made(WIRE_CONNECT, DIG, MS(102), 40001, 40001, "dig");
	c.sock.protocol = IPPROTO_UDP;
	c.sock.state = 1;
	meet(&c, 5353);
	add(&c);
	add_edge(WIRE_RELEASE, DIG, MS(103) - 10000, 40001, 0);
	c = made(WIRE_DISCONNECT, DIG, MS(103), 40001, 0, "dig");
	c.sock.protocol = IPPROTO_UDP;
	add(&c);
	c = made(WIRE_CONNECT_FAILED, NTP, MS(104), 0, 40003, "ntpdate");
	c.sock.protocol = IPPROTO_UDP;
	c.error = ENETUNREACH;
	ask(&c, 123);
	add(&c);
	c = made(WIRE_SEND, FULL, MS(105), 0, 0, "flood");
	c.sock.protocol = IPPROTO_UDP;
	c.error = EAGAIN;
	c.cause = EADDRINUSE;
	c.search_tried = 28232;
	ask(&c, 9);
	add(&c);
	c = made(WIRE_BIND, LITE, MS(106), 0, 40005, "lite");
	c.sock.protocol = IPPROTO_UDPLITE;
	c.sock.family = AF_INET6;
	memset(c.sock.local, 0, sizeof(c.sock.local));
	c.sock.local[15] = 1;
	c.facts |= WIRE_F_SEARCHED | WIRE_F_REQUEST;
	c.req_family = AF_INET6;
	add(&c);
}

static void sharers_and_fast_open(void)
{
	struct wire_call c = made(WIRE_BIND, WORKER1, MS(200), 0, 8080, "worker");
	struct wire_owner owner = owner_new(WORKER1, MS(202), 4099, "worker");

	c.sock.options = WIRE_O_REUSEPORT;
	c.facts |= WIRE_F_OWNERS;
	call_request(&c, 8080);
	add(&c);
	c = made(WIRE_BIND, WORKER2, MS(201), 0, 8080, "worker");
	c.sock.options = WIRE_O_REUSEPORT;
	c.facts |= WIRE_F_OWNERS | WIRE_F_SHARED;
	call_request(&c, 8080);
	add(&c);
	add(&owner);
	c = made(WIRE_SEND, FAST, MS(203), 0, 40006, "fast");
	c.sock.state = 2;
	meet(&c, 80);
	add(&c);
	add_edge(WIRE_ESTABLISHED, FAST, MS(204), 0, 0);
}

/* Of these only the beginning reached the recording. */
static void what_will_be_lost(void)
{
	struct wire_call c = made(WIRE_CONNECT, MOVED, MS(210), 0, 40008, "moved");

	meet(&c, 80);
	add(&c);
	c = made(WIRE_CONNECT, CLOSED, MS(211), 0, 40010, "closed");
	meet(&c, 80);
	add(&c);
	c = made(WIRE_BIND, GONE, MS(212), 0, 9999, "gone");
	call_request(&c, 9999);
	add(&c);
}

static void add_known(uint64_t id, uint64_t ts_ns, uint16_t port, uint16_t protocol)
{
	struct wire_call c = found(id, ts_ns, port, NULL);

	c.sock.protocol = protocol;
	c.sock.netns = id == DNSMASQ ? 4026532222 : c.sock.netns;
	add(&c);
}

static void after_a_loss(void)
{
	struct wire_lost lost = { .head = head_new(WIRE_LOST, sizeof(lost), MS(300)),
				  .count = 7,
				  .cause = WIRE_LOST_BUFFER };
	struct wire_call c;

	add(&lost);
	add_pass(2, WIRE_PASS_BEGIN, WIRE_P_FULL, MS(310));
	add_known(NGINX, MS(311), 80, IPPROTO_TCP);
	add_known(DNSMASQ, MS(312), 53, IPPROTO_UDP);
	add_known(NTP, MS(313), 40003, IPPROTO_UDP);
	add_known(WORKER1, MS(314), 8080, IPPROTO_TCP);
	add_known(WORKER2, MS(315), 8080, IPPROTO_TCP);
	add_known(LATE, MS(316), 40012, IPPROTO_TCP);
	add_known(MOVED, MS(317), 40014, IPPROTO_TCP);
	c = found(CLOSED, MS(318), 40010, NULL);
	c.sock.state = 6;
	c.sock.peer[0] = 10;
	c.sock.peer[3] = 1;
	c.sock.peer_port = 80;
	add(&c);
	/* the walk comes by while a program is in its call */
	add_known(CALLING, MS(319), 40016, IPPROTO_TCP);
	c = made(WIRE_CONNECT, CALLING, MS(319) + 5000, 0, 40016, "calling");
	meet(&c, 80);
	add(&c);
	add_pass(2, WIRE_PASS_END, WIRE_P_FULL, MS(320));
	add_pass(3, WIRE_PASS_BEGIN, WIRE_P_FULL, MS(330));
	add_pass(3, WIRE_PASS_ABORTED, WIRE_P_FULL, MS(331));
}

static void the_end(void)
{
	struct wire_end end = end_new(NTP, MS(400));
	struct wire_stop stop = { .head = head_new(WIRE_STOP, sizeof(stop), MS(500)) };

	end.close_ns = MS(400) - 2000;
	end.release_ns = MS(400) - 1000;
	end.port = 40003;
	add(&end);
	end = end_new(WORKER1, MS(401));
	end.flags = WIRE_E_PASS;
	end.close_ns = MS(390);
	end.port = 8080;
	add(&end);
	add_edge(WIRE_TW_END, CLOSED, MS(402), 40010, 0);
	add(&stop);
}

static void write_to(const char *path)
{
	union start_record start = start_new("6.18.0", "golden", "", 0);
	union name_record name = name_new(WIRE_NAME_NETNS, 4026532222, 0, "blue");

	assert_int_equal(recording_open(&out, path, false), 0);
	add(&start);
	add(&name);
	what_was_there();
	datagrams();
	sharers_and_fast_open();
	what_will_be_lost();
	after_a_loss();
	the_end();
	assert_int_equal(recording_close(&out), 0);
}

static size_t content(const char *path, char *bytes, size_t room)
{
	FILE *file = fopen(path, "r");
	size_t len;

	if (!file)
		fail_msg("cannot open %s: run this at the top of the tree", path);
	len = fread(bytes, 1, room, file);
	assert_int_equal(fclose(file), 0);
	return len;
}

static void the_golden_recording_is_this(void **state)
{
	static char golden[16384], again[16384];
	char path[] = "/tmp/handmade-XXXXXX";
	int fd = mkstemp(path);
	size_t len;

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	write_to(path);
	len = content(path, again, sizeof(again));
	unlink(path);
	assert_int_equal(content(GOLDEN, golden, sizeof(golden)), len);
	assert_memory_equal(again, golden, len);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(the_golden_recording_is_this) };

	if (argc == 2) {
		write_to(argv[1]);
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
