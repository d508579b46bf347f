/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_decode.c: what is a record and what is not. Every record lies right before a page that may
 * not be touched, so that a read past its end is the end of the test.
 */
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/records.h"

/* --- where records lie ------------------------------------------------------------------- */

static char *fence; /* the first byte that may not be touched */
static size_t page_bytes;

static int make_fence(void **state)
{
	char *pages;

	(void)state;
	page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	pages = mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (pages == MAP_FAILED)
		return -1;
	fence = pages + page_bytes;
	return mprotect(fence, page_bytes, PROT_NONE);
}

static int remove_fence(void **state)
{
	(void)state;
	return munmap(fence - page_bytes, 2 * page_bytes);
}

static int check(const void *record, size_t len, const char **why)
{
	memcpy(fence - len, record, len);
	return wire_check(fence - len, len, why);
}

/* --- one good record of every kind -------------------------------------------------------- */

#define KINDS 28

struct sample {
	size_t len;
	char bytes[256];
};

static void put(struct sample *s, const void *record)
{
	struct wire_head head;

	memcpy(&head, record, sizeof(head));
	assert_true(head.len_bytes <= sizeof(s->bytes));
	s->len = head.len_bytes;
	memcpy(s->bytes, record, s->len);
}

static size_t put_datagrams(struct sample *s)
{
	struct wire_call c = port_call(WIRE_SEND, 7, 2000000, 0, 0);

	c.sock.protocol = IPPROTO_UDP;
	c.error = EAGAIN;
	c.cause = EADDRINUSE;
	put(&s[0], &c);
	c = found_new(7, 2000000, 80, WIRE_F_EXISTING);
	c.sock.state = 6; /* TCP_TIME_WAIT */
	put(&s[1], &c);
	return 2;
}

static size_t put_calls(struct sample *s)
{
	static const uint8_t kinds[] = { WIRE_BIND,	      WIRE_LISTEN, WIRE_CONNECT,
					 WIRE_CONNECT_FAILED, WIRE_ACCEPT, WIRE_DISCONNECT,
					 WIRE_FOUND,	      WIRE_SEND };
	size_t n = 0;

	for (; n < sizeof(kinds); n++) {
		struct wire_call c = port_call(kinds[n], 7, 2000000, 0, 80);

		call_request(&c, 80);
		c.facts |= WIRE_F_SEARCHED | WIRE_F_SEARCH_TIMED;
		c.search_ns = 99;
		c.error = kinds[n] == WIRE_CONNECT_FAILED ? ECONNREFUSED : 0;
		put(&s[n], &c);
	}
	n += put_datagrams(s + n);
	return n;
}

static size_t put_steps(struct sample *s)
{
	struct wire_edge edge = edge_new(WIRE_ESTABLISHED, 7, 2000000, 0, 0);
	struct wire_owner owner = owner_new(7, 2000000, 200, "worker");
	struct wire_end end = end_new(7, 2000000);

	put(&s[0], &edge);
	edge = edge_new(WIRE_CONNECT_ERROR, 7, 2000000, 0, ETIMEDOUT);
	put(&s[1], &edge);
	edge = edge_new(WIRE_RELEASE, 7, 2000000, 80, 0);
	put(&s[2], &edge);
	edge = edge_new(WIRE_TW_END, 7, 2000000, 80, 0);
	put(&s[3], &edge);
	put(&s[4], &owner);
	put(&s[5], &end);
	end.flags = WIRE_E_TIME_WAIT | WIRE_E_INFERRED;
	end.time_wait_ns = 1999999;
	put(&s[6], &end);
	end = end_new(7, 2000000);
	end.flags = WIRE_E_PASS;
	put(&s[7], &end);
	return 8;
}

static size_t put_others(struct sample *s)
{
	union start_record start = start_new("6.12.95", "box", "true\0-x", 8);
	union name_record name = name_new(WIRE_NAME_DEVICE, 2, 111, "eth0");
	struct wire_lost lost = { .head = head_new(WIRE_LOST, sizeof(lost), 1),
				  .count = 1,
				  .cause = WIRE_LOST_BUFFER };
	struct wire_head tick = head_new(WIRE_TICK, sizeof(tick), 1);
	struct wire_command command = { .head = head_new(WIRE_COMMAND, sizeof(command), 1),
					.exit = -1,
					.signal = 9 };
	struct wire_stop stop = { .head = head_new(WIRE_STOP, sizeof(stop), 1), .records = 3 };
	struct wire_pass pass = pass_new(1, WIRE_PASS_BEGIN, WIRE_P_START | WIRE_P_FULL, 2000000);
	union step_record step = step_new(3, "time-wait");

	put(&s[0], &start);
	put(&s[1], &name);
	name = name_new(WIRE_NAME_CGROUP, 1ULL << 40, 0, "/12345678");
	put(&s[2], &name);
	name = name_new(WIRE_NAME_NETNS, 4026531840, 0, "");
	put(&s[3], &name);
	put(&s[4], &lost);
	put(&s[5], &tick);
	put(&s[6], &command);
	put(&s[7], &stop);
	put(&s[8], &pass);
	put(&s[9], &step);
	return 10;
}

static void put_all(struct sample samples[KINDS])
{
	size_t n = put_calls(samples);

	n += put_steps(samples + n);
	n += put_others(samples + n);
	assert_int_equal(n, KINDS);
}

static void good_records_are_good(void **state)
{
	struct sample samples[KINDS];

	(void)state;
	put_all(samples);
	for (size_t i = 0; i < KINDS; i++) {
		const char *why = "?";

		assert_int_equal(check(samples[i].bytes, samples[i].len, &why), 0);
		assert_null(why);
		assert_int_equal(check(samples[i].bytes, samples[i].len, NULL), 0);
	}
}

static void cut_records_are_refused(void **state)
{
	struct sample samples[KINDS];
	const char *why;

	(void)state;
	put_all(samples);
	for (size_t i = 0; i < KINDS; i++) {
		for (size_t len = 0; len < samples[i].len; len++) {
			why = NULL;
			assert_int_equal(check(samples[i].bytes, len, &why), -EBADMSG);
			assert_non_null(why);
		}
	}
}

/* What follows a record is not its business; what its head says about its length is. */
static void the_length_is_exact(void **state)
{
	struct sample samples[KINDS];
	const char *why;

	(void)state;
	put_all(samples);
	for (size_t i = 0; i < KINDS; i++) {
		struct sample *s = &samples[i];
		size_t len = s->len;

		memset(s->bytes + len, 0, sizeof(s->bytes) - len);
		assert_int_equal(check(s->bytes, sizeof(s->bytes), &why), 0);
		for (uint16_t claimed = 0; claimed <= sizeof(s->bytes); claimed++) {
			memcpy(s->bytes, &claimed, sizeof(claimed));
			assert_int_equal(check(s->bytes, sizeof(s->bytes), &why),
					 claimed == len ? 0 : -EBADMSG);
		}
	}
}

/*
 * Any byte turned into any other: a record is taken or refused with a reason, and what is taken
 * can be lived with.
 */
static void any_byte_may_be_wrong(void **state)
{
	struct sample samples[KINDS];
	size_t taken = 0, refused = 0;

	(void)state;
	put_all(samples);
	for (size_t i = 0; i < KINDS; i++) {
		struct filter all = { .states = true, .existing = true };
		struct sample *s = &samples[i];
		struct world *w = world_new(&all);

		if (s->bytes[offsetof(struct wire_head, kind)] != WIRE_START)
			world_start(w, 0);
		for (size_t at = 0; at < s->len; at++) {
			char good = s->bytes[at];

			for (int value = 0; value < 256; value++) {
				const char *why = NULL;
				int err, fed;

				s->bytes[at] = (char)value;
				err = check(s->bytes, s->len, &why);
				assert_true(err == 0 || err == -EBADMSG);
				assert_int_equal(err != 0, why != NULL);
				taken += !err;
				refused += err != 0;
				fed = core_feed(w->core, fence - s->len, s->len);
				/* good records may come at the wrong moment of a stream */
				assert_true(fed == -EBADMSG || (!err && !fed));
				w->story[w->story_len = 0] = 0;
			}
			s->bytes[at] = good;
		}
		world_free(w);
	}
	assert_true(taken > 10000);
	assert_true(refused > 100000);
}

/* --- what exactly is refused --------------------------------------------------------------- */

/* Fields of which every wrong bit is noticed, in a record where they must be what they are. */
struct strict {
	size_t offset, len;
};

#define FIELD(type, field)                                                                         \
	{                                                                                          \
		offsetof(type, field), sizeof(((type *)0)->field)                                  \
	}

static void every_bit_counts(const void *record, const struct strict *fields, size_t fields_len)
{
	struct sample s;
	const char *why;

	put(&s, record);
	assert_int_equal(check(s.bytes, s.len, &why), 0);
	for (size_t i = 0; i < fields_len; i++) {
		for (size_t bit = 0; bit < fields[i].len * 8; bit++) {
			char *at = &s.bytes[fields[i].offset + bit / 8];

			*at = (char)(*at ^ (1 << bit % 8));
			assert_int_equal(check(s.bytes, s.len, &why), -EBADMSG);
			*at = (char)(*at ^ (1 << bit % 8));
		}
	}
}

#define EVERY_BIT_COUNTS(record, ...)                                                              \
	do {                                                                                       \
		static const struct strict fields_[] = { __VA_ARGS__ };                            \
		every_bit_counts(record, fields_, sizeof(fields_) / sizeof(fields_[0]));           \
	} while (0)

static void fields_that_are_not_announced_are_zero(void **state)
{
	struct wire_call c = call_new(WIRE_FOUND, 8, 2000000);
	struct wire_edge established = edge_new(WIRE_ESTABLISHED, 8, 2000000, 0, 0);
	struct wire_edge release = edge_new(WIRE_RELEASE, 8, 2000000, 80, 0);
	struct wire_owner owner = owner_new(8, 2000000, 0, "");
	struct wire_end end = end_new(8, 2000000);
	union name_record name = name_new(WIRE_NAME_NETNS, 8, 0, "blue!");
	union start_record start = start_new("6.1", "box", "", 0);
	union step_record step = step_new(3, "time-wait");

	(void)state;
	c.facts = 0;
	c.who = (struct wire_who){ 0 };
	EVERY_BIT_COUNTS(&c, FIELD(struct wire_head, len_bytes), FIELD(struct wire_head, version),
			 FIELD(struct wire_head, pad), FIELD(struct wire_call, who),
			 FIELD(struct wire_call, start_ns), FIELD(struct wire_call, search_ns),
			 FIELD(struct wire_call, error), FIELD(struct wire_call, req_family),
			 FIELD(struct wire_call, req_port), FIELD(struct wire_call, req_scope),
			 FIELD(struct wire_call, req_addr), FIELD(struct wire_call, cause),
			 { offsetof(struct wire_call, sock.local) + 4, 12 },
			 { offsetof(struct wire_call, sock.peer) + 4, 12 });
	EVERY_BIT_COUNTS(&established, FIELD(struct wire_edge, error),
			 FIELD(struct wire_edge, port), FIELD(struct wire_edge, keeps));
	EVERY_BIT_COUNTS(&release, FIELD(struct wire_edge, error), FIELD(struct wire_edge, keeps));
	owner.facts = 0;
	owner.who = (struct wire_who){ 0 };
	EVERY_BIT_COUNTS(&owner, FIELD(struct wire_owner, who), FIELD(struct wire_owner, pad));
	EVERY_BIT_COUNTS(&end, FIELD(struct wire_end, time_wait_ns), FIELD(struct wire_end, pad));
	EVERY_BIT_COUNTS(&name, FIELD(struct wire_name, netns), FIELD(struct wire_name, text_len),
			 { sizeof(struct wire_name) + 5, 3 });
	EVERY_BIT_COUNTS(&start, FIELD(struct wire_start, pad),
			 FIELD(struct wire_start, kernel_len), FIELD(struct wire_start, host_len),
			 { sizeof(struct wire_start) + 6, 2 });
	EVERY_BIT_COUNTS(&step, FIELD(struct wire_step, text_len),
			 FIELD(struct wire_step, before.pad), FIELD(struct wire_step, after.pad),
			 FIELD(struct wire_step, peer.pad), { sizeof(struct wire_step) + 9, 7 });
	step.step.result = -4096;
	assert_int_equal(wire_check(&step, step.step.head.len_bytes, NULL), -EBADMSG);
	step.step.result = -4095;
	assert_int_equal(wire_check(&step, step.step.head.len_bytes, NULL), 0);
	step.step.end_ns = step.step.head.ts_ns - 1;
	assert_int_equal(wire_check(&step, step.step.head.len_bytes, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_records_are_good),
		cmocka_unit_test(cut_records_are_refused),
		cmocka_unit_test(the_length_is_exact),
		cmocka_unit_test(any_byte_may_be_wrong),
		cmocka_unit_test(fields_that_are_not_announced_are_zero),
	};

	return cmocka_run_group_tests(tests, make_fence, remove_fence);
}
