/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_why.c: would bind() succeed, and what the answer depends on where not everything is known.
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

#include "user/core/why.h"

#define OWN 7

static const struct settings settings = {
	.netns = OWN,
	.range_lo = 32768,
	.range_hi = 60999,
	.reserved_known = true,
	.unprivileged_known = true,
	.unprivileged_start = 1024,
};

static struct why question(uint16_t port)
{
	return (struct why){
		.local = { .family = AF_INET, .port = port },
		.protocol = IPPROTO_TCP,
		.netns = OWN,
		.uid = 1000,
		.is_local = YES,
		.is_privileged = NO,
		.options_known = true,
		.bound_known = true,
	};
}

static struct wire_call holder(uint64_t id, uint8_t state, uint16_t options)
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
			  .options = options,
			  .local_port = 8080 },
		.who = { .pid = 811, .pid_host = 811, .uid = 1000, .comm = "nginx" },
		.facts = WIRE_F_PASS | WIRE_F_WHO | WIRE_F_SOCK_UID,
		.fd = 6,
		.sock_uid = 1000,
	};
}

static const char *hint; /* of the latest answer */

/* Asks with the table of these holders; the pointers in *w hold only within. */
static void judge(struct why *w, const struct wire_call *holders, size_t len)
{
	struct taken *t = taken_new(OWN);

	for (size_t i = 0; i < len; i++)
		assert_int_equal(taken_add(t, &holders[i]), 0);
	assert_int_equal(taken_finish(t), 0);
	why_judge(w, t, &settings);
	hint = why_hint(w);
	if (why_answer(w) == ANSWER_YES)
		assert_null(hint);
	else if (why_answer(w) == ANSWER_NO)
		assert_non_null(hint);
	taken_free(t);
}

static void expect(const struct why *w, enum why_answer plain, enum why_answer reuseaddr,
		   enum why_answer reuseport, enum why_answer both)
{
	assert_int_equal(w->answers[WITH_NOTHING], plain);
	assert_int_equal(w->answers[WITH_REUSEADDR], reuseaddr);
	assert_int_equal(w->answers[WITH_REUSEPORT], reuseport);
	assert_int_equal(w->answers[WITH_BOTH], both);
}

static void test_nobody(void **state)
{
	struct why w = question(8080);
	struct wire_call elsewhere = holder(1, TCP_LISTEN, 0), udp = elsewhere;

	(void)state;
	elsewhere.sock.netns++;
	udp.sock.id = 2;
	udp.sock.protocol = IPPROTO_UDP;
	judge(&w, (struct wire_call[]){ elsewhere, udp }, 2);
	expect(&w, ANSWER_YES, ANSWER_YES, ANSWER_YES, ANSWER_YES);
	assert_null(why_missing(&w));
	assert_int_equal(w.obstacle, OBSTACLE_NONE);
}

/* UDP-Lite has a table of its own, MPTCP that of TCP, and ids of ping are for many. */
static void test_other_protocols(void **state)
{
	struct why w = question(8080);
	struct wire_call lite = holder(1, TCP_CLOSE, 0), ping = lite, ping6 = lite;

	(void)state;
	lite.sock.protocol = IPPROTO_UDPLITE;
	w.protocol = IPPROTO_UDP;
	judge(&w, &lite, 1);
	expect(&w, ANSWER_YES, ANSWER_YES, ANSWER_YES, ANSWER_YES);
	w.protocol = IPPROTO_UDPLITE;
	judge(&w, &lite, 1);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_NO, ANSWER_NO);
	/* made with SO_REUSEADDR; ping_get_port() looks at it alone, and asks for no privilege */
	ping.sock.protocol = IPPROTO_ICMP;
	ping.sock.options = WIRE_O_REUSEADDR;
	ping6.sock.id = 2;
	ping6.sock.protocol = IPPROTO_ICMPV6;
	w = question(8080);
	w.protocol = IPPROTO_ICMP;
	w.local.port = ping.sock.local_port = ping6.sock.local_port = 77;
	judge(&w, &ping, 1);
	expect(&w, ANSWER_YES, ANSWER_YES, ANSWER_YES, ANSWER_YES);
	judge(&w, (struct wire_call[]){ ping, ping6 }, 2);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_NO, ANSWER_NO);
	assert_int_equal(w.holders.len, 1);
}

static enum why_answer answer_of_vsock(uint32_t cid, uint32_t number, uint8_t holder_state)
{
	const uint32_t taken[] = { 1, 1235 }, asked[] = { cid, number };
	struct why w = { .local = { .family = AF_VSOCK, .port = 1 },
			 .protocol = WIRE_PROTOCOL_VSOCK,
			 .netns = OWN,
			 .bound_known = true };
	struct wire_call c = holder(1, holder_state, 0);
	struct taken *t = taken_new(OWN);

	c.sock.family = AF_VSOCK;
	c.sock.protocol = WIRE_PROTOCOL_VSOCK;
	memcpy(c.sock.local, taken, sizeof(taken));
	memcpy(w.local.addr, asked, sizeof(asked));
	assert_int_equal(taken_add(t, &c), 0);
	assert_int_equal(taken_finish(t), 0);
	why_judge_name(&w, t, NO);
	assert_non_null(why_answer(&w) == ANSWER_NO ? why_hint(&w) : why_name_note(&w));
	taken_free(t);
	return why_answer(&w);
}

/*
 * Whether a context id is one of this machine's is not known; nor whether a connected socket was
 * bound there, or accepted.
 */
static void test_vsock(void **state)
{
	(void)state;
	assert_int_equal(answer_of_vsock(UINT32_MAX, 1234, TCP_CLOSE), ANSWER_YES);
	assert_int_equal(answer_of_vsock(UINT32_MAX, 1235, TCP_CLOSE), ANSWER_NO);
	assert_int_equal(answer_of_vsock(1, 1235, TCP_CLOSE), ANSWER_NO);
	assert_int_equal(answer_of_vsock(1, 1235, TCP_LISTEN), ANSWER_NO);
	assert_int_equal(answer_of_vsock(1, 1235, TCP_ESTABLISHED), ANSWER_DEPENDS);
	assert_int_equal(answer_of_vsock(2, 1235, TCP_CLOSE), ANSWER_UNKNOWN);
}

static void test_bound_with_both_options(void **state)
{
	struct wire_call h = holder(1, TCP_CLOSE, WIRE_O_REUSEADDR | WIRE_O_REUSEPORT);
	struct why w = question(8080);

	(void)state;
	judge(&w, &h, 1);
	expect(&w, ANSWER_NO, ANSWER_YES, ANSWER_YES, ANSWER_YES);
	assert_non_null(strstr(hint, "set SO_REUSEADDR"));
	h.sock.state = TCP_LISTEN;
	judge(&w, &h, 1);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_YES, ANSWER_YES);
	assert_non_null(strstr(hint, "set SO_REUSEPORT"));
	w.uid = 33;
	judge(&w, &h, 1);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_NO, ANSWER_NO);
	h.sock_uid = 33; /* it was made before its process became another user */
	judge(&w, &h, 1);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_YES, ANSWER_YES);
	h.facts &= ~(uint32_t)WIRE_F_SOCK_UID; /* whose it is cannot be seen */
	judge(&w, &h, 1);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_DEPENDS, ANSWER_DEPENDS);
	assert_non_null(why_missing(&w));
}

/* The listener is one user's, who accepted its connections is another: of nginx root and www-data.
 */
static void test_accepted_by_another_user(void **state)
{
	struct wire_call h[] = { holder(1, TCP_ESTABLISHED, WIRE_O_REUSEPORT),
				 holder(2, TCP_LISTEN, WIRE_O_REUSEPORT) };
	struct why w = question(8080);

	(void)state;
	h[0].sock_uid = 33;
	h[1].sock.userlocks = 8; /* bind() named the port */
	judge(&w, h, 2);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_DEPENDS, ANSWER_DEPENDS);
	assert_non_null(strstr(why_missing(&w), "another user accepted"));
	w.uid = 33;
	judge(&w, h, 2);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_NO, ANSWER_NO);
	judge(&w, h, 1); /* the listener is gone */
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_YES, ANSWER_YES);
	w.uid = 1000;
	judge(&w, h, 1);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_DEPENDS, ANSWER_DEPENDS);
	h[0].sock.userlocks = 8; /* not accepted: it bound the port itself, and then connected */
	judge(&w, h, 1);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_NO, ANSWER_NO);
}

/* UDP: the first that shares by SO_REUSEPORT is enough, one behind it is not asked. */
static void test_the_order_decides(void **state)
{
	struct wire_call h[] = { holder(1, TCP_CLOSE, WIRE_O_REUSEADDR | WIRE_O_REUSEPORT),
				 holder(2, TCP_CLOSE, WIRE_O_REUSEADDR) };
	struct why w = question(8080);

	(void)state;
	judge(&w, h, 2);
	expect(&w, ANSWER_NO, ANSWER_YES, ANSWER_NO, ANSWER_YES);
	h[0].sock.protocol = h[1].sock.protocol = w.protocol = IPPROTO_UDP;
	judge(&w, h, 2);
	expect(&w, ANSWER_NO, ANSWER_YES, ANSWER_DEPENDS, ANSWER_YES);
	assert_non_null(strstr(why_missing(&w), "comes to first"));
	h[0].sock_uid = 33; /* of another user it does not share */
	judge(&w, h, 2);
	expect(&w, ANSWER_NO, ANSWER_YES, ANSWER_NO, ANSWER_YES);
	assert_null(why_missing(&w));
}

static void test_options_not_known(void **state)
{
	struct wire_call h = holder(1, TCP_CLOSE, 0);
	struct why w = question(8080);

	(void)state;
	w.options_known = false;
	judge(&w, &h, 1);
	expect(&w, ANSWER_NO, ANSWER_DEPENDS, ANSWER_DEPENDS, ANSWER_DEPENDS);
	assert_non_null(strstr(why_missing(&w), "options"));
	h.sock.state = TCP_LISTEN; /* SO_REUSEADDR never shares with it */
	judge(&w, &h, 1);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_DEPENDS, ANSWER_DEPENDS);
	w.bound_known = false;
	judge(&w, NULL, 0);
	expect(&w, ANSWER_DEPENDS, ANSWER_DEPENDS, ANSWER_DEPENDS, ANSWER_DEPENDS);
}

static void test_time_wait_and_rank(void **state)
{
	struct wire_call h[3] = { holder(1, TCP_TIME_WAIT, 0), holder(2, TCP_ESTABLISHED, 0),
				  holder(3, TCP_LISTEN, 0) };
	struct why w = question(8080);

	(void)state;
	h[0].facts = WIRE_F_PASS;
	h[0].fd = -1;
	judge(&w, h, 1);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_NO, ANSWER_NO);
	assert_non_null(strstr(hint, "had not set SO_REUSEADDR"));
	h[0].sock.options = WIRE_O_REUSEADDR; /* of the socket that left it */
	judge(&w, h, 1);
	expect(&w, ANSWER_NO, ANSWER_YES, ANSWER_NO, ANSWER_YES);
	assert_null(why_missing(&w));
	assert_non_null(strstr(hint, "had set it too"));
	h[0].sock.options = WIRE_O_REUSEPORT; /* of whatever user */
	judge(&w, h, 1);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_YES, ANSWER_YES);
	w.options_known = false;
	h[0].sock.options = 0;
	judge(&w, h, 1);
	expect(&w, ANSWER_NO, ANSWER_DEPENDS, ANSWER_DEPENDS, ANSWER_DEPENDS);
	assert_non_null(strstr(why_missing(&w), "options"));
	w.options_known = true;
	judge(&w, h, 3);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_NO, ANSWER_NO);
	assert_int_equal(w.holders.len, 3);
	assert_int_equal(w.holders.list[0].state, TCP_LISTEN);
	assert_int_equal(w.holders.list[2].state, TCP_TIME_WAIT);
}

static void test_very_many(void **state)
{
	struct wire_call h[HOLDERS_MAX + 5];
	struct why w = question(8080);

	(void)state;
	for (size_t i = 0; i < HOLDERS_MAX + 5; i++)
		h[i] = holder(i + 1, i < HOLDERS_MAX + 4 ? TCP_ESTABLISHED : TCP_LISTEN, 0);
	judge(&w, h, HOLDERS_MAX + 5);
	assert_int_equal(w.holders.len, HOLDERS_MAX);
	assert_int_equal(w.holders.omitted, 5);
	assert_int_equal(w.holders.list[0].state, TCP_LISTEN);
}

static void test_address_and_privilege(void **state)
{
	struct why w = question(80);

	(void)state;
	judge(&w, NULL, 0);
	assert_int_equal(w.obstacle, OBSTACLE_PRIVILEGE);
	expect(&w, ANSWER_NO, ANSWER_NO, ANSWER_NO, ANSWER_NO);
	w.is_privileged = NULL_STATE;
	judge(&w, NULL, 0);
	expect(&w, ANSWER_DEPENDS, ANSWER_DEPENDS, ANSWER_DEPENDS, ANSWER_DEPENDS);
	assert_non_null(strstr(why_missing(&w), "CAP_NET_BIND_SERVICE"));
	w = question(8080);
	w.is_local = NO;
	judge(&w, NULL, 0);
	assert_int_equal(w.obstacle, OBSTACLE_ADDRESS);
	assert_int_equal(why_answer(&w), ANSWER_NO);
	w.is_local = NULL_STATE;
	judge(&w, NULL, 0);
	assert_int_equal(why_answer(&w), ANSWER_UNKNOWN);
}

/* Of both, which is told depends on the family. */
static void test_what_comes_first(void **state)
{
	struct why w = question(80);

	(void)state;
	w.is_local = NO;
	judge(&w, NULL, 0);
	assert_int_equal(w.obstacle, OBSTACLE_ADDRESS);
	w.local = (struct endpoint){ .family = AF_INET6, .port = 80, .addr = { 0x20, [15] = 2 } };
	judge(&w, NULL, 0);
	assert_int_equal(w.obstacle, OBSTACLE_PRIVILEGE);
	w.is_privileged = YES;
	judge(&w, NULL, 0);
	assert_int_equal(w.obstacle, OBSTACLE_ADDRESS);
}

/* What bind() says EINVAL to. */
static void test_flawed_addresses(void **state)
{
	struct why w = question(8080);

	(void)state;
	w.local = (struct endpoint){ .family = AF_INET6, .port = 8080, .addr = { 0xfe, 0x80 } };
	judge(&w, NULL, 0);
	assert_int_equal(why_answer(&w), ANSWER_NO);
	assert_non_null(strstr(hint, "%DEVICE"));
	w.is_local = YES;
	w.ifindex = 2;
	judge(&w, NULL, 0);
	assert_int_equal(why_answer(&w), ANSWER_YES);
	w.local.addr[0] = 0xff; /* ff80:: is of no link, and of many */
	w.ifindex = 0;
	judge(&w, NULL, 0);
	assert_int_equal(why_answer(&w), ANSWER_NO);
	assert_non_null(strstr(hint, "multicast"));
	w.is_local = YES;
	w.protocol = IPPROTO_UDP;
	judge(&w, NULL, 0);
	assert_int_equal(why_answer(&w), ANSWER_YES);
	w.local.addr[1] = 0x02;
	judge(&w, NULL, 0);
	assert_int_equal(why_answer(&w), ANSWER_NO);
	assert_non_null(strstr(hint, "%DEVICE"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nobody),
		cmocka_unit_test(test_other_protocols),
		cmocka_unit_test(test_vsock),
		cmocka_unit_test(test_bound_with_both_options),
		cmocka_unit_test(test_accepted_by_another_user),
		cmocka_unit_test(test_the_order_decides),
		cmocka_unit_test(test_options_not_known),
		cmocka_unit_test(test_time_wait_and_rank),
		cmocka_unit_test(test_very_many),
		cmocka_unit_test(test_address_and_privilege),
		cmocka_unit_test(test_what_comes_first),
		cmocka_unit_test(test_flawed_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
