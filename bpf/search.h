/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * search.h owns how many ports the kernel looked at in a search: worked out from where the search
 * began and where it ended, so that nothing runs for a candidate. Reserved ports, which a search
 * steps over, do not count. 0 is: not known.
 *
 * connect() begins at a number out of table_perturb, at a place that its destination gives, plus a
 * hash of the destination (RFC 6056, algorithm 4; 5.10.119 to 7.3, __inet_hash_connect). It goes
 * through the ports with the parity of the range's lower end, then through the others; and leaves
 * the table's number raised by how far it came. Only if that fits what was worked out it is told: a
 * table that is another one, or a search for the same place meanwhile, is found so. Not found:
 * one that ends between our reading of the number and the kernel's.
 */
#ifndef PORTLIFE_SEARCH_H
#define PORTLIFE_SEARCH_H

#include "bpf/call.h"

/* 1 << CONFIG_INET_TABLE_PERTURB_ORDER; where that is another, no search passes the check. */
#define PERTURB_SIZE 65536
#define NOISE	     7 /* steps that the kernel goes on by chance, at most */

struct search {
	struct net *net;
	u32 lo;
	u32 size;  /* ports of the range */
	u32 cycle; /* what the kernel goes back by at the range's end */
	u32 step;  /* 2: first one parity, then the other */
};

#define CHUNK 8 /* words of a bitmap that are counted at once */

/* In each four bits: how many of them were set. */
static __always_inline u64 bits_by_fours(u64 bits)
{
	bits -= bits >> 1 & 0x5555555555555555;
	return (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
}

/* The same of each byte, of up to three words whose fours are added up. */
static __always_inline u64 bits_by_bytes(u64 fours)
{
	return (fours & 0x0f0f0f0f0f0f0f0f) + (fours >> 4 & 0x0f0f0f0f0f0f0f0f);
}

static __always_inline u32 bytes_sum(u64 bytes)
{
	bytes = (bytes & 0x00ff00ff00ff00ff) + (bytes >> 8 & 0x00ff00ff00ff00ff);
	return bytes * 0x0001000100010001 >> 48;
}

static __always_inline u32 bits_set(u64 bits)
{
	return bytes_sum(bits_by_bytes(bits_by_fours(bits)));
}

/* All ones if n is negative, else none; clang would branch, and the verifier go both ways. */
static __always_inline u64 ones_if_negative(s64 n)
{
#ifdef __bpf__
	asm volatile("%0 s>>= 63" : "+r"(n));
#else
	n >>= 63;
#endif
	return n;
}

/*
 * How many bits of `every` are set in the first `len` words of a chunk; -1 if it cannot be read. A
 * function that the verifier goes through once, not once for each chunk.
 */
__noinline int chunk_count(u64 chunk, u64 every, s64 len)
{
	u64 words[CHUNK], bytes = 0;

	if (bpf_probe_read_kernel(words, sizeof(words), (void *)chunk))
		return -1;
	for (int i = 0; i < CHUNK; i += 2) {
		u64 one = words[i] & every & ones_if_negative(i - len);
		u64 other = words[i + 1] & every & ones_if_negative(i + 1 - len);

		bytes += bits_by_bytes(bits_by_fours(one) + bits_by_fours(other));
	}
	return bytes_sum(bytes);
}

/*
 * How many of first, first + step, ... last are set in a bitmap of 65536, step being 1 or 2; -1 if
 * it cannot be read.
 */
__noinline int bitmap_count(u64 bitmap, u32 first, u32 last, u32 step)
{
	u64 every = step == 1 ? ~0ULL : 0x5555555555555555ULL << (first & 1), bits;
	u64 begin = ~0ULL << (first & 63), end = ~0ULL >> (63 - (last & 63));
	u32 word = first / 64, count;

	if (bpf_probe_read_kernel(&bits, sizeof(bits), (void *)(bitmap + word * 8)))
		return -1;
	if (word == last / 64)
		return bits_set(bits & every & begin & end);
	count = bits_set(bits & every & begin);
	word++;
	for (int i = 0; i < 65536 / 64 / CHUNK && word < last / 64; i++) {
		int more = chunk_count(bitmap + word * 8, every, (s64)(last / 64) - word);

		if (more < 0)
			return -1;
		count += more;
		word += CHUNK;
	}
	if (bpf_probe_read_kernel(&bits, sizeof(bits), (void *)(bitmap + last / 64 * 8)))
		return -1;
	return count + bits_set(bits & every & end);
}

/*
 * Address of the namespace's bitmap. A number by a probe read: the pointer itself is one of a type
 * to the verifier from 6.17 on, which would not let it go to bitmap_count().
 */
static __always_inline u64 search_reserved(const struct search *s)
{
	struct net *net = s->net;

	return (u64)BPF_CORE_READ(net, ipv4.sysctl_local_reserved_ports);
}

/* Ports looked at in so many steps from the offset `from` on; sets *known to false if unknown. */
static __always_inline u32 search_way(const struct search *s, u32 from, u32 steps, bool *known)
{
	u32 fits = (s->size - 1 - from) / s->step + 1, first = s->lo + from;
	u32 before = steps < fits ? steps : fits, again;
	u64 bitmap = search_reserved(s);
	int reserved, more = 0;

	reserved = bitmap_count(bitmap, first, first + s->step * (before - 1), s->step);
	if (steps > fits) {
		again = first + s->step * fits - s->cycle;
		more = bitmap_count(bitmap, again, again + s->step * (steps - fits - 1), s->step);
	}
	if (reserved < 0 || more < 0)
		*known = false;
	return steps - reserved - more;
}

u64 perturb_table; /* what config.perturb leads to, once it has been read: it does not change */

/* connect() looks for a port. */
static __always_inline void search_begins(struct call *call, u64 port_offset)
{
	u64 table = perturb_table;

	if (!config.perturb)
		return;
	if (!table) {
		bpf_probe_read_kernel(&table, sizeof(table), (void *)config.perturb);
		if (!table)
			return;
		perturb_table = table;
	}
	call->start_at = table + (port_offset & (PERTURB_SIZE - 1)) * sizeof(u32);
	call->start_hash = port_offset >> 32;
	if (bpf_probe_read_kernel(&call->start_number, sizeof(call->start_number),
				  (void *)call->start_at))
		call->start_at = 0;
}

/* Is the table's number now what it must be after a search that came so far, in ports? */
static __always_inline bool start_has_moved(const struct call *call, u32 came, u32 step)
{
	u32 now, moved, most = came > NOISE * step ? came : NOISE * step;

	if (bpf_probe_read_kernel(&now, sizeof(now), (void *)call->start_at))
		return false;
	moved = now - call->start_number - step;
	return moved >= came && moved <= most && moved % step == 0;
}

/*
 * The range of sk and the way that connect() goes through it. From 6.8 on, where the socket's own
 * range is one word, that goes port by port if the socket has one.
 */
static __always_inline bool search_describe(struct search *s, struct sock *sk)
{
	struct net *net = FIELD(sk, __sk_common.skc_net.net);
	struct inet_sock___word *word = (void *)sk;
	u16 lo = 0, hi = 0;
	bool own = sock_range(sk, &lo, &hi);

	if (lo > hi)
		return false;
	s->net = net;
	s->lo = lo;
	s->size = hi - lo + 1;
	s->step = own && bpf_core_field_exists(word->local_port_range) ? 1 : 2;
	s->cycle = s->step == 2 && s->size > 1 ? s->size & ~1U : s->size;
	return true;
}

/* connect() has given the port. */
static __always_inline u32 search_found(struct sock *sk, const struct call *call, u16 port)
{
	struct net___step *net = (void *)FIELD(sk, __sk_common.skc_net.net);
	u32 at, start, came, tried = 0;
	struct search s = {};
	bool known = true;

	if (!call->start_at || !search_describe(&s, sk))
		return 0;
	/* 7.1: if it is set, steps are of a width that chance gives */
	if (bpf_core_field_exists(net->ipv4.sysctl_ip_local_port_step_width) &&
	    FIELD(net, ipv4.sysctl_ip_local_port_step_width))
		return 0;
	at = port - s.lo;
	start = (call->start_number + call->start_hash) % s.cycle;
	if (s.step == 2)
		start &= ~1U;
	if (port < s.lo || at >= s.size)
		return 0;
	if (s.step == 2 && at & 1) {
		tried = search_way(&s, start, s.cycle / 2, &known);
		start++;
	}
	came = at >= start ? at - start : at + s.cycle - start;
	if (came) /* those before it; itself is not reserved */
		tried += search_way(&s, start, came / s.step, &known);
	return known && start_has_moved(call, came, s.step) ? tried + 1 : 0;
}

/*
 * No port was to be had: each of the range was looked at, but for one if TCP goes by twos through
 * an odd number of them. Which one hangs on the start; bind() with SO_REUSEADDR goes through the
 * lower half first, so it is in the upper one.
 */
static __always_inline u32 search_in_vain(struct sock *sk, bool connects)
{
	struct search s = {};
	u32 first, last;
	int reserved;
	u64 bitmap;

	if (!search_describe(&s, sk))
		return 0;
	bitmap = search_reserved(&s);
	first = s.lo;
	last = s.lo + s.size - 1;
	reserved = bitmap_count(bitmap, first, last, 1);
	if (reserved < 0)
		return 0;
	if (!sock_is_tcp(sk) || s.size == 1 || s.size % 2 == 0 || (connects && s.step == 1))
		return s.size - reserved;
	if (!connects && s.size >= 4 && FIELD_BITS(sk, __sk_common.skc_reuse))
		first += s.size / 4 * 2;
	if (bitmap_count(bitmap, first, first, 1) != bitmap_count(bitmap, last, last, 1))
		return 0;
	return s.size - reserved - !bitmap_count(bitmap, last, last, 1);
}

#endif
