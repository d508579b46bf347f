/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_refused.c: one wrong thing at a time, and what is said about it.
 */
#include "tests/unit/records.h"

/* --- one wrong thing at a time ------------------------------------------------------------- */

static void refused(const void *record, const char *reason)
{
	const char *why = NULL;
	struct wire_head head;

	memcpy(&head, record, sizeof(head));
	assert_int_equal(wire_check(record, head.len_bytes, &why), -EBADMSG);
	assert_string_equal(why, reason);
}

#define REFUSED(good, assignment, reason)                                                          \
	do {                                                                                       \
		__typeof__(good) r = (good);                                                       \
		assignment;                                                                        \
		refused(&r, reason);                                                               \
	} while (0)

static void wrong_heads(void **state)
{
	struct wire_edge e = edge_new(WIRE_RELEASE, 7, 2000000, 80, 0);
	static const uint8_t unknown[] = { 0, 9, 15, 21, 23, 29, 63, 72, 255 };

	(void)state;
	REFUSED(e, r.head.version = 0, "another version of the format");
	REFUSED(e, r.head.version = 2, "another version of the format");
	REFUSED(e, r.head.pad = 1, "padding is not zero");
	for (size_t i = 0; i < sizeof(unknown); i++)
		REFUSED(e, r.head.kind = unknown[i], "unknown kind of record");
	REFUSED(e, r.head.kind = WIRE_END, "length and kind do not agree");
}

static void wrong_sockets(void **state)
{
	struct wire_call c = call_new(WIRE_LISTEN, 7, 2000000), six;
	const char *why;

	(void)state;
	REFUSED(c, r.sock.id = 0, "a socket without a number");
	REFUSED(c, r.sock.parent = 7, "a socket that is its own listener");
	REFUSED(c, r.sock.family = AF_UNIX, "unknown address family");
	REFUSED(c, r.sock.family = AF_UNSPEC, "unknown address family");
	REFUSED(c, r.sock.protocol = 0, "unknown protocol");
	REFUSED(c, r.sock.protocol = 263, "unknown protocol");
	REFUSED(c, r.sock.state = 0, "unknown socket state");
	REFUSED(c, r.sock.state = 14, "unknown socket state");
	REFUSED(c, r.sock.userlocks = 32, "unknown lock bit of a socket");
	REFUSED(c, r.sock.options = WIRE_O_ALL + 1, "unknown socket option bit");
	REFUSED(c, r.sock.local[4] = 1, "an IPv4 address with more than four bytes");
	REFUSED(c, r.sock.peer[15] = 1, "an IPv4 address with more than four bytes");
	six = c;
	six.sock.family = AF_INET6;
	six.sock.local[15] = six.sock.peer[4] = 1;
	six.sock.protocol = 262;
	six.sock.userlocks = 31;
	six.sock.options = WIRE_O_ALL;
	six.facts = WIRE_F_ALL & ~(uint32_t)(WIRE_F_PASS | WIRE_F_SOCK_UID);
	assert_int_equal(wire_check(&six, sizeof(six), &why), 0);
}

static void wrong_names(void **state)
{
	struct wire_call c = call_new(WIRE_BIND, 7, 2000000);
	struct wire_address a = { .head = { .len_bytes = sizeof(a),
					    .kind = WIRE_ADDRESS,
					    .version = WIRE_VERSION,
					    .ts_ns = 2000000 },
				  .id = 7,
				  .side = WIRE_ADDRESS_LOCAL,
				  .path_bytes = 4,
				  .path = "/a/b" };
	const char *why;

	(void)state;
	c.sock.family = AF_VSOCK;
	c.sock.protocol = WIRE_PROTOCOL_VSOCK;
	c.sock.peer_port = 0;
	c.sock.local_port = 1;
	assert_int_equal(wire_check(&c, sizeof(c), &why), 0);
	REFUSED(c, r.sock.local_port = 2, "a port where a name should be");
	REFUSED(c, r.sock.peer_port = 1, "a port where a name should be");
	REFUSED(c, r.sock.family = AF_INET, "a port where a name should be");
	REFUSED(c, r.sock.family = AF_UNIX, "unknown address family");
	REFUSED(c, r.sock.protocol = IPPROTO_TCP, "unknown address family");
	c.sock.family = AF_INET;
	c.sock.protocol = WIRE_PROTOCOL_RAW;
	REFUSED(c, r.sock.local_port = 1, "a raw socket with a port");
	assert_int_equal(wire_check(&a, sizeof(a), &why), 0);
	REFUSED(a, r.id = 0, "a socket without a number");
	REFUSED(a, r.pad = 1, "padding is not zero");
	REFUSED(a, r.side = 0, "unknown side of a connection");
	REFUSED(a, r.side = 4, "unknown side of a connection");
	REFUSED(a, r.path_bytes = 109, "a name that is too long");
	REFUSED(a, r.path_bytes = 3, "padding is not zero");
	REFUSED(a, r.path[2] = 0, "NUL in a path");
	a.path[0] = 0; /* abstract */
	a.path[2] = 0;
	assert_int_equal(wire_check(&a, sizeof(a), &why), 0);
}

static void wrong_calls(void **state)
{
	struct wire_call c = call_new(WIRE_LISTEN, 7, 2000000);

	(void)state;
	REFUSED(c, r.facts |= WIRE_F_ALL + 1, "unknown fact bit");
	REFUSED(c, r.facts |= 1u << 31, "unknown fact bit");
	REFUSED(c, r.fd = -2, "file descriptor out of range");
	REFUSED(c, r.facts = 0, "a process that is not announced");
	REFUSED(c, r.start_ns = 1, "a start time that is not announced");
	REFUSED(c, r.search_ns = 1, "a search time that is not announced");
	REFUSED(c, r.error = -1, "errno out of range");
	REFUSED(c, r.error = 4096, "errno out of range");
	REFUSED(c, r.cause = 1, "a cause without a failure");
	REFUSED(c, (r.head.kind = WIRE_CONNECT, r.error = 1), "an errno where none can be");
	REFUSED(c, (r.head.kind = WIRE_ACCEPT, r.error = 1), "an errno where none can be");
	REFUSED(c, (r.head.kind = WIRE_FOUND, r.error = 1), "an errno where none can be");
	REFUSED(c, (r.head.kind = WIRE_SEND, r.error = -1), "errno out of range");
	REFUSED(c, (r.error = 1, r.cause = 4096), "a cause without a failure");
	REFUSED(c, r.head.kind = WIRE_CONNECT_FAILED, "a failed connect without errno");
}

static void wrong_facts(void **state)
{
	struct wire_call c = call_new(WIRE_CONNECT, 7, 2000000), udp = c;
	struct wire_call found = found_new(7, 2000000, 80, 0);
	const char *why;

	(void)state;
	REFUSED(c, r.facts |= WIRE_F_SHARED, "another owner of a port where nobody looked");
	REFUSED(c, r.facts |= WIRE_F_PASS, "a walk that finds no socket");
	REFUSED(c, (r.head.kind = WIRE_SEND, r.facts |= WIRE_F_PASS),
		"a walk that finds no socket");
	REFUSED(c, r.facts |= WIRE_F_SOCK_UID, "a socket's user where none can be");
	REFUSED(found, (r.facts |= WIRE_F_SOCK_UID, r.sock.state = 6),
		"a socket's user where none can be");
	REFUSED(c, r.sock.state = 6, "a TIME_WAIT entry where only a socket can be");
	found.sock.state = 6;
	assert_int_equal(wire_check(&found, sizeof(found), &why), 0);
	REFUSED(found, r.facts = 0, "a TIME_WAIT entry where only a socket can be");
	udp.sock.protocol = IPPROTO_UDPLITE;
	for (uint8_t s = 1; s <= 13; s++) {
		udp.sock.state = s;
		assert_int_equal(wire_check(&udp, sizeof(udp), &why),
				 s == 1 || s == 7 ? 0 : -EBADMSG);
	}
	assert_string_equal(why, "a datagram socket in a state of TCP");
	udp.sock.state = 7;
	REFUSED(udp, r.head.kind = WIRE_ACCEPT, "a datagram socket that was accepted");
}

static void wrong_requests(void **state)
{
	struct wire_call c = call_new(WIRE_BIND, 7, 2000000), good;
	const char *why;

	(void)state;
	REFUSED(c, r.req_family = AF_INET, "a request that is not announced");
	REFUSED(c, r.req_port = 80, "a request that is not announced");
	REFUSED(c, r.req_scope = 2, "a request that is not announced");
	REFUSED(c, r.req_addr[15] = 1, "a request that is not announced");
	c.facts |= WIRE_F_REQUEST;
	c.req_family = 77; /* programs pass what they like */
	assert_int_equal(wire_check(&c, sizeof(c), &why), 0);
	REFUSED(c, r.req_port = 80, "a requested address of an unknown family");
	REFUSED(c, r.req_addr[0] = 80, "a requested address of an unknown family");
	c.req_family = AF_INET;
	REFUSED(c, r.req_addr[4] = 1, "a requested address that is too long for its family");
	REFUSED(c, r.req_scope = 1, "a requested address that is too long for its family");
	good = c;
	good.req_family = AF_INET6;
	good.req_addr[15] = 1;
	good.req_scope = 3;
	assert_int_equal(wire_check(&good, sizeof(good), &why), 0);
	good = c;
	good.req_family = AF_UNSPEC;
	good.req_addr[0] = 127;
	assert_int_equal(wire_check(&good, sizeof(good), &why), 0);
}

static void wrong_steps(void **state)
{
	struct wire_edge e = edge_new(WIRE_CONNECT_ERROR, 7, 2000000, 0, ETIMEDOUT);
	struct wire_owner o = owner_new(7, 2000000, 200, "worker");
	struct wire_end end = end_new(7, 2000000);

	(void)state;
	REFUSED(e, r.id = 0, "a socket without a number");
	REFUSED(e, r.error = 0, "errno out of range");
	REFUSED(e, r.error = -1, "errno out of range");
	REFUSED(e, r.error = 4096, "errno out of range");
	REFUSED(e, r.port = 80, "a port where none can be");
	REFUSED(e, r.keeps = 1, "a port kept where none can be");
	REFUSED(e, r.head.kind = WIRE_TW_END, "an errno where none can be");
	REFUSED(o, r.id = 0, "a socket without a number");
	REFUSED(o, r.facts |= WIRE_F_TIMED, "unknown fact bit");
	REFUSED(o, r.facts = WIRE_F_FOLLOWED, "a process that is not announced");
	REFUSED(o, r.pad = 1, "padding is not zero");
	REFUSED(end, r.id = 0, "a socket without a number");
	REFUSED(end, r.flags = WIRE_E_ALL + 1, "unknown flag of an end");
	REFUSED(end, r.flags = WIRE_E_TIME_WAIT, "TIME_WAIT and its time do not agree");
	REFUSED(end, r.time_wait_ns = 1, "TIME_WAIT and its time do not agree");
	REFUSED(end, r.flags = WIRE_E_INFERRED, "an inferred TIME_WAIT that is none");
	REFUSED(end, r.pad = 1, "padding is not zero");
}

static void wrong_starts(void **state)
{
	union start_record s = start_new("6.1", "box", "a\0b", 4);
	union start_record unended = start_new("6.1", "box", "abc", 3);
	size_t text = sizeof(struct wire_start);

	(void)state;
	REFUSED(s, r.start.backend = 0, "unknown backend");
	REFUSED(s, r.start.backend = 4, "unknown backend");
	REFUSED(s, r.start.blind = WIRE_B_ALL + 1, "unknown blind spot");
	REFUSED(s, r.start.pid_initial = 2, "a truth value that is neither 0 nor 1");
	REFUSED(s, r.start.pad[1] = 1, "padding is not zero");
	REFUSED(s, r.start.filter = WIRE_FILTER_ALL + 1, "unknown kind of filter");
	REFUSED(s, r.start.kernel_len = 60000, "text and record differ in length");
	REFUSED(s, (r.start.kernel_len = r.start.host_len = r.start.command_len = UINT16_MAX),
		"text and record differ in length");
	REFUSED(s, r.bytes[text + 1] = 0, "NUL in a text");
	REFUSED(s, r.bytes[text + 5] = 0, "NUL in a text");
	REFUSED(s, r.bytes[text + 10] = 1, "padding is not zero");
	refused(&unended, "an argument without an end");
}

static void wrong_others(void **state)
{
	union name_record n = name_new(WIRE_NAME_NETNS, 5, 0, "blue");
	struct wire_lost l = { .head = head_new(WIRE_LOST, sizeof(l), 1), .cause = 1 };
	struct wire_command c = { .head = head_new(WIRE_COMMAND, sizeof(c), 1) };
	struct wire_pass p = pass_new(1, WIRE_PASS_END, WIRE_P_FULL, 1);

	(void)state;
	REFUSED(n, r.name.what = 0, "unknown kind of name");
	REFUSED(n, r.name.what = 4, "unknown kind of name");
	REFUSED(n, r.name.netns = 1, "a network namespace where none can be");
	REFUSED(n, r.name.id = 1ULL << 32, "a number that is too big");
	REFUSED(n, r.name.text_len = 9, "text and record differ in length");
	REFUSED(n, r.bytes[sizeof(struct wire_name)] = 0, "NUL in a text");
	REFUSED(n, r.bytes[sizeof(struct wire_name) + 4] = 1, "padding is not zero");
	REFUSED(l, r.cause = 0, "unknown cause of a loss");
	REFUSED(l, r.cause = WIRE_LOST_LATE + 1, "unknown cause of a loss");
	REFUSED(c, r.exit = -2, "exit status out of range");
	REFUSED(c, r.exit = 256, "exit status out of range");
	REFUSED(c, r.signal = -1, "signal out of range");
	REFUSED(c, r.signal = 65, "signal out of range");
	REFUSED(c, (r.exit = 1, r.signal = 9), "an exit status and a signal at once");
	REFUSED(p, r.number = 0, "a walk without a number");
	REFUSED(p, r.stage = 0, "unknown stage of a walk");
	REFUSED(p, r.stage = WIRE_PASS_ABORTED + 1, "unknown stage of a walk");
	REFUSED(p, r.flags = WIRE_P_ALL + 1, "unknown flag of a walk");
	REFUSED(p, r.head.len_bytes = 16, "length and kind do not agree");
}

static void wrong_holders(void **state)
{
	struct wire_holder h = holder_new(7, 0, 80, 10), w = holder_new(7, 0, 80, 6);
	struct wire_holders e = holders_new(7, 80, 1, WIRE_HS_UID);
	const char *why;

	(void)state;
	w.flags = WIRE_H_LEFT;
	w.left_ms = 60000;
	assert_int_equal(wire_check(&h, sizeof(h), &why), 0);
	assert_int_equal(wire_check(&w, sizeof(w), &why), 0);
	assert_int_equal(wire_check(&e, sizeof(e), &why), 0);
	REFUSED(h, r.asker = 0, "a socket without a number");
	REFUSED(h, r.sock.state = 0, "unknown socket state");
	REFUSED(h, r.sock.local_port = 0, "a holder without a port");
	REFUSED(h, r.sock.parent = 1, "more of a holder than is told of one");
	REFUSED(h, r.sock.created_ns = 1, "more of a holder than is told of one");
	REFUSED(h, r.owner = 1, "an owner of a socket without a number");
	REFUSED(h, r.fd = -2, "file descriptor out of range");
	REFUSED(h, r.fd = 3, "a process that is not announced");
	REFUSED(h, r.who.pid = 3, "a process that is not announced");
	REFUSED(h, r.processes = 1, "processes and their number do not agree");
	REFUSED(h, r.flags = WIRE_H_ALL + 1, "unknown flag of a holder");
	REFUSED(h, r.uid = 1, "a user where none can be");
	REFUSED(h, r.left_ms = 1, "a time left where none can be");
	REFUSED(h, r.flags = WIRE_H_LEFT, "a time left where none can be");
	REFUSED(h, (r.flags = WIRE_H_WHO, r.processes = 1), "a process where none can be");
	REFUSED(h, r.flags = WIRE_H_LATER | WIRE_H_WHO, "processes and their number do not agree");
	REFUSED(w, r.flags |= WIRE_H_UID, "a user where none can be");
	REFUSED(w, r.flags |= WIRE_H_ORPHAN, "a TIME_WAIT entry where only a socket can be");
	REFUSED(h, r.flags = WIRE_H_FIN_WAIT, "a socket where only a TIME_WAIT entry can be");
	REFUSED(e, r.asker = 0, "a socket without a number");
	REFUSED(e, r.flags = WIRE_HS_ALL + 1, "unknown flag of holders");
	REFUSED(e, (r.flags = 0, r.uid = 1), "a user where none can be");
	REFUSED(e, r.port = 0, "holders of no port");
	REFUSED(e, r.pad[2] = 1, "padding is not zero");
	REFUSED(e, r.head.len_bytes = 40, "length and kind do not agree");
}

static void wrong_settings(void **state)
{
	union settings_record s = settings_new(1, "80,8000-8099");

	(void)state;
	assert_int_equal(wire_check(&s, s.settings.head.len_bytes, NULL), 0);
	REFUSED(s, r.settings.known |= WIRE_S_ALL + 1, "unknown bit of settings");
	REFUSED(s, r.settings.pad = 1, "padding is not zero");
	REFUSED(s, r.settings.range_lo = 0, "a range that is none");
	REFUSED(s, r.settings.range_hi = 32767, "a range that is none");
	REFUSED(s, r.settings.known &= ~(uint32_t)WIRE_S_RANGE, "a range that is none");
	REFUSED(s, r.settings.known &= ~(uint32_t)WIRE_S_RESERVED,
		"reserved ports that are not announced");
	REFUSED(s, r.bytes[sizeof(s.settings)] = 'x', "reserved ports that are none");
	REFUSED(s, r.bytes[sizeof(s.settings)] = 0, "reserved ports that are none");
	REFUSED(s, r.settings.text_len = 20, "text and record differ in length");
	REFUSED(s, r.settings.unprivileged_start = 65537, "a privileged port that is none");
	REFUSED(s, r.settings.known &= ~(uint32_t)WIRE_S_UNPRIVILEGED,
		"a privileged port that is none");
	REFUSED(s, r.settings.step_width = 1, "a step width that is not announced");
	REFUSED(s, r.settings.head.len_bytes = 32, "length and kind do not agree");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wrong_heads),	  cmocka_unit_test(wrong_sockets),
		cmocka_unit_test(wrong_names),	  cmocka_unit_test(wrong_calls),
		cmocka_unit_test(wrong_requests), cmocka_unit_test(wrong_facts),
		cmocka_unit_test(wrong_steps),	  cmocka_unit_test(wrong_starts),
		cmocka_unit_test(wrong_others),	  cmocka_unit_test(wrong_settings),
		cmocka_unit_test(wrong_holders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
