// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the probes work out about a search (bpf/search.h), compared with the search itself: the
 * loops of __inet_hash_connect() and inet_csk_find_open_port(), over small ranges.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

/* What search.h takes from the kernel and from the files before it. */
struct net {
	struct {
		unsigned long *sysctl_local_reserved_ports;
	} ipv4;
};

struct net___step {
	struct {
		u32 sysctl_ip_local_port_step_width;
	} ipv4;
};

struct inet_sock___word {
	u32 local_port_range;
};

struct sock {
	struct {
		struct {
			struct net *net;
		} skc_net;
		bool skc_reuse;
	} __sk_common;
	u16 lo, hi;
	bool own_range, tcp;
};

struct call {
	u64 start_at;
	u32 start_number, start_hash;
};

static struct {
	u64 perturb;
} config;

static bool field_exists(const char *field)
{
	return !strcmp(field, "word->local_port_range");
}

static bool sock_range(const struct sock *sk, u16 *lo, u16 *hi)
{
	*lo = sk->lo;
	*hi = sk->hi;
	return sk->own_range;
}

static bool sock_is_tcp(const struct sock *sk)
{
	return sk->tcp;
}

static long bpf_probe_read_kernel(void *to, u32 len, const void *from)
{
	memcpy(to, from, len);
	return 0;
}

#define PORTLIFE_CALL_H
#undef __always_inline
#define __always_inline		     inline
#define __noinline		     __attribute__((noinline))
#define FIELD(ptr, field)	     ((ptr)->field)
#define FIELD_BITS(ptr, field)	     ((ptr)->field)
#define BPF_CORE_READ(ptr, field)    ((ptr)->field)
#define bpf_core_field_exists(field) ((void)sizeof(field), field_exists(#field))

int chunk_count(u64 chunk, u64 every, s64 len);
int bitmap_count(u64 bitmap, u32 first, u32 last, u32 step);
#include "bpf/search.h"

#define PORTS 65536

static unsigned long bitmap[PORTS / 64];
static struct net net = { .ipv4.sysctl_local_reserved_ports = bitmap };
static u32 table[PERTURB_SIZE];

static bool is_reserved(u32 port)
{
	return bitmap[port / 64] >> (port % 64) & 1;
}

/* A search: where it begins, and what it finds, as the kernel goes. */
struct walk {
	u32 low, size, start, step;
	u32 free; /* port to be had, 0: none */
	u32 looked, came;
};

static bool walk_pass(struct walk *w, u32 remaining, u32 offset)
{
	u32 high = w->low + w->size, port = w->low + offset;

	for (u32 i = 0; i < remaining; i += w->step, port += w->step) {
		if (port >= high)
			port -= remaining;
		if (is_reserved(port))
			continue;
		w->looked++;
		w->came = i;
		if (port == w->free)
			return true;
	}
	return false;
}

/* __inet_hash_connect() */
static bool walk_connect(struct walk *w)
{
	u32 remaining = w->size, offset;

	if (w->step == 2 && remaining > 1)
		remaining &= ~1U;
	offset = w->start % remaining;
	if (w->step == 2)
		offset &= ~1U;
	w->looked = 0;
	if (walk_pass(w, remaining, offset))
		return true;
	return w->step == 2 && remaining > 1 && walk_pass(w, remaining, offset + 1);
}

static void reserve_some(u32 low, u32 size)
{
	memset(bitmap, 0, sizeof(bitmap));
	for (u32 port = low - 2; port < low + size; port++)
		if (rand() % 3 == 0)
			bitmap[port / 64] |= 1UL << (port % 64);
}

/* The walk in which one port is free, with each raise of the table's number that chance may give.
 */
static void compare_found(struct sock *sk, struct walk *w)
{
	struct call call = { 0 };
	u32 chance, port;

	if (!walk_connect(w))
		return; /* the one that an odd range leaves out */
	port = w->free;
	for (u32 noise = 0; noise <= NOISE; noise++) {
		chance = noise * w->step;
		table[3] = w->start - 1000;
		search_begins(&call, (u64)1000 << 32 | 3);
		table[3] += (w->came > chance ? w->came : chance) + w->step;
		assert_int_equal(search_found(sk, &call, (u16)port), w->looked);
		table[3] += 2 * (NOISE + w->size); /* somebody else's search */
		assert_int_equal(search_found(sk, &call, (u16)port), 0);
	}
}

static void compare_range(u32 low, u32 size, bool one_by_one)
{
	struct sock sk = { .__sk_common.skc_net.net = &net, .tcp = true, .own_range = one_by_one };

	sk.lo = (u16)low;
	sk.hi = (u16)(low + size - 1);
	for (u32 start = 0; start < size + 3; start++) {
		struct walk w = { .low = low, .size = size, .start = start };

		w.step = one_by_one ? 1 : 2;
		reserve_some(low, size);
		for (w.free = low; w.free < low + size; w.free++)
			if (!is_reserved(w.free))
				compare_found(&sk, &w);
		w.free = 0;
		walk_connect(&w);
		if (one_by_one || size == 1 || size % 2 == 0 ||
		    is_reserved(low) == is_reserved(low + size - 1))
			assert_int_equal(search_in_vain(&sk, true), w.looked);
		else
			assert_int_equal(search_in_vain(&sk, true), 0);
	}
}

static void connect_is_followed(void **state)
{
	const void *where = table;

	(void)state;
	config.perturb = (uintptr_t)&where;
	for (u32 low = 40050; low < 40066; low += 5)
		for (u32 size = 1; size < 40; size++)
			for (int round = 0; round < 4; round++)
				compare_range(low, size, round % 2);
	compare_range(PORTS - 300, 300, false);
}

static void without_the_table_nothing_is_told(void **state)
{
	struct sock sk = { .__sk_common.skc_net.net = &net, .tcp = true, .lo = 40000, .hi = 40009 };
	struct call call = { 0 };

	(void)state;
	memset(bitmap, 0, sizeof(bitmap));
	config.perturb = 0;
	search_begins(&call, 3);
	assert_int_equal(search_found(&sk, &call, 40000), 0);
	assert_int_equal(search_in_vain(&sk, true), 10);
}

/* bind() and UDP: from anywhere */
static void others_go_through_the_range(void **state)
{
	struct sock sk = { .__sk_common.skc_net.net = &net, .tcp = true, .lo = 40000, .hi = 40010 };

	(void)state;
	memset(bitmap, 0, sizeof(bitmap));
	assert_int_equal(search_in_vain(&sk, false), 10); /* one of eleven is left out */
	bitmap[40000 / 64] |= 1UL << (40000 % 64);
	assert_int_equal(search_in_vain(&sk, false), 0); /* this one, or the last? */
	sk.__sk_common.skc_reuse = true;		 /* 40000 to 40003, then 40004 to 40010 */
	assert_int_equal(search_in_vain(&sk, false), 9);
	sk.tcp = false;
	assert_int_equal(search_in_vain(&sk, false), 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connect_is_followed),
		cmocka_unit_test(without_the_table_nothing_is_told),
		cmocka_unit_test(others_go_through_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
