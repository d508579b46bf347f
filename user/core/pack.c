/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pack.c owns the transformation of pack.h, both ways. Writing is in the path of a live run: it
 * touches each word of a record once.
 */
#include "user/core/pack.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define WORD(type, field) (offsetof(struct type, field) / 8)
#define NO_WORD		  0xff

#define ID_CPU_SHIFT (64 - WIRE_SOCKET_CPU_BITS)
#define ID_NS_MASK   ((1ULL << ID_CPU_SHIFT) - 1)

/* Where the words are that are transformed in their own way. */
struct layout {
	uint8_t words;	     /* 0: not a record of fixed size */
	uint8_t id, created; /* NO_WORD if there is none */
	uint8_t times[4];    /* relative to head.ts_ns, NO_WORD ends the list */
	uint32_t own;	     /* a bit for each word that stands alone: no predecessor is kept */
};

#define TS_WORD		 WORD(wire_head, ts_ns)
#define BIT(type, field) (UINT32_C(1) << WORD(type, field))
#define TS_BIT		 (UINT32_C(1) << TS_WORD)

#define CALL_OWN                                                                                   \
	(TS_BIT | BIT(wire_call, sock.created_ns) | BIT(wire_call, sock.established_ns) |          \
	 BIT(wire_call, start_ns))
#define END_OWN                                                                                    \
	(TS_BIT | BIT(wire_end, id) | BIT(wire_end, close_ns) | BIT(wire_end, time_wait_ns) |      \
	 BIT(wire_end, release_ns))

#define CALL                                                                                       \
	{                                                                                          \
		sizeof(struct wire_call) / 8, WORD(wire_call, sock.id),                            \
			WORD(wire_call, sock.created_ns),                                          \
			{ WORD(wire_call, sock.created_ns), WORD(wire_call, sock.established_ns),  \
			  WORD(wire_call, start_ns), NO_WORD },                                    \
			CALL_OWN,                                                                  \
	}
#define EDGE                                                                                       \
	{                                                                                          \
		sizeof(struct wire_edge) / 8, WORD(wire_edge, id), NO_WORD, { NO_WORD },           \
			TS_BIT | BIT(wire_edge, id),                                               \
	}
#define END                                                                                        \
	{                                                                                          \
		sizeof(struct wire_end) / 8, WORD(wire_end, id), NO_WORD,                          \
			{ WORD(wire_end, close_ns), WORD(wire_end, time_wait_ns),                  \
			  WORD(wire_end, release_ns), NO_WORD },                                   \
			END_OWN,                                                                   \
	}

static const struct layout layouts[PACK_KINDS] = {
	[WIRE_BIND] = CALL,
	[WIRE_LISTEN] = CALL,
	[WIRE_CONNECT] = CALL,
	[WIRE_CONNECT_FAILED] = CALL,
	[WIRE_ACCEPT] = CALL,
	[WIRE_DISCONNECT] = CALL,
	[WIRE_FOUND] = CALL,
	[WIRE_SEND] = CALL,
	[WIRE_ESTABLISHED] = EDGE,
	[WIRE_CONNECT_ERROR] = EDGE,
	[WIRE_RELEASE] = EDGE,
	[WIRE_TW_END] = EDGE,
	[WIRE_TIME_WAIT] = EDGE,
	[WIRE_OWNER] = { sizeof(struct wire_owner) / 8,
			 WORD(wire_owner, id),
			 NO_WORD,
			 { NO_WORD },
			 TS_BIT | BIT(wire_owner, id) },
	[WIRE_END] = END,
	[WIRE_ADDRESS] = { sizeof(struct wire_address) / 8,
			   WORD(wire_address, id),
			   NO_WORD,
			   { NO_WORD },
			   TS_BIT | BIT(wire_address, id) },
};

void pack_reset(struct pack *pack)
{
	memset(pack, 0, sizeof(*pack));
}

static inline uint64_t zigzag(uint64_t difference)
{
	return (difference << 1) ^ (0 - (difference >> 63));
}

static inline uint64_t unzigzag(uint64_t value)
{
	return (value >> 1) ^ (0 - (value & 1));
}

/* Its own inverse: 0 stays 0 (no such time), ts_ns stays ts_ns, all else is the distance. */
static inline uint64_t mirror(uint64_t ts_ns, uint64_t time_ns)
{
	return time_ns == 0 || time_ns == ts_ns ? time_ns : ts_ns - time_ns;
}

/* A number without its CPU, and the CPU: the first is a time, the second mostly the same. */
static inline uint64_t id_ns(uint64_t id)
{
	return id >> WIRE_SOCKET_CPU_BITS;
}

static inline uint64_t id_cpu(uint64_t id)
{
	return id << ID_CPU_SHIFT;
}

static inline uint64_t id_join(uint64_t ns, uint64_t cpu_high)
{
	return ns << WIRE_SOCKET_CPU_BITS | cpu_high >> ID_CPU_SHIFT;
}

/*
 * A number, seen from a reference of 54 bits (the creation of the socket, which differs from it
 * by a constant): the difference, with the CPU on top.
 */
static inline uint64_t id_fold(uint64_t id, uint64_t reference)
{
	return ((id_ns(id) - reference) & ID_NS_MASK) | id_cpu(id);
}

static inline uint64_t id_unfold(uint64_t folded, uint64_t reference)
{
	return id_join((folded + reference) & ID_NS_MASK, folded & ~ID_NS_MASK);
}

/* The same from the last number: a difference of 54 bits in zigzag, the CPU as it is. */
static inline uint64_t id_step(uint64_t id, uint64_t last)
{
	uint64_t difference = (id_ns(id) - id_ns(last)) << WIRE_SOCKET_CPU_BITS;

	/* sign-extend the 54 bits, so that a step back is small too */
	difference = (uint64_t)((int64_t)difference >> WIRE_SOCKET_CPU_BITS);
	return (zigzag(difference) & ID_NS_MASK) | (id_cpu(id) ^ id_cpu(last));
}

static inline uint64_t id_unstep(uint64_t step, uint64_t last)
{
	uint64_t difference = unzigzag(step & ID_NS_MASK);

	return id_join((id_ns(last) + difference) & ID_NS_MASK,
		       (step & ~ID_NS_MASK) ^ id_cpu(last));
}

/* Words of a record to words that are mostly zero once XORed. */
static inline __attribute__((always_inline)) void transform(struct pack *pack,
							    const struct layout *l, uint64_t *words)
{
	uint64_t ts_ns = words[TS_WORD], id;

	if (l->id != NO_WORD) {
		id = words[l->id];
		words[l->id] = l->created != NO_WORD ? id_fold(id, words[l->created])
						     : id_step(id, pack->last_id);
		pack->last_id = id;
	}
	for (const uint8_t *time = l->times; *time != NO_WORD; time++)
		words[*time] = mirror(ts_ns, words[*time]);
	words[TS_WORD] = zigzag(ts_ns - pack->last_ts_ns);
	pack->last_ts_ns = ts_ns;
}

static void untransform(struct pack *pack, const struct layout *l, uint64_t *words)
{
	uint64_t ts_ns = pack->last_ts_ns + unzigzag(words[TS_WORD]);

	words[TS_WORD] = pack->last_ts_ns = ts_ns;
	for (const uint8_t *time = l->times; *time != NO_WORD; time++)
		words[*time] = mirror(ts_ns, words[*time]);
	if (l->id != NO_WORD) {
		words[l->id] = l->created != NO_WORD ? id_unfold(words[l->id], words[l->created])
						     : id_unstep(words[l->id], pack->last_id);
		pack->last_id = words[l->id];
	}
}

static inline __attribute__((always_inline)) size_t mask_bytes(const struct layout *l)
{
	return ((size_t)l->words + 7) / 8;
}

static size_t pack_whole(const void *record, size_t len, unsigned char *out)
{
	uint16_t len16 = (uint16_t)len;

	memcpy(out + 1, &len16, sizeof(len16));
	memcpy(out + 3, record, len);
	return 3 + len;
}

/*
 * The span of a word from its first to its last byte that is not zero, put at `at`, which has
 * room for 9 bytes; returns the end.
 */
static inline unsigned char *pack_word(unsigned char *at, uint64_t changed)
{
	unsigned int first = (unsigned int)__builtin_ctzll(changed) & 0x38; /* in bits */
	unsigned int more;

	changed >>= first;
	more = (63U ^ (unsigned int)__builtin_clzll(changed)) / 8; /* bytes but one */
	*at = (unsigned char)(first | more);
	memcpy(at + 1, &changed, sizeof(changed));
	return at + 2 + more;
}

static inline uint64_t word_of(const void *record, unsigned int word)
{
	uint64_t value;

	memcpy(&value, (const char *)record + (size_t)word * 8, sizeof(value));
	return value;
}

/* Inlined with a constant layout, so that the compiler knows all counts and places. */
static inline __attribute__((always_inline)) size_t
pack_fixed(struct pack *pack, const struct layout *l, const void *record, uint64_t *previous,
	   unsigned char *out)
{
	unsigned char *at = out + 1 + mask_bytes(l);
	uint64_t words[PACK_WORDS_MAX];
	uint32_t mask = 0;

	const uint32_t altered = l->own | (l->id != NO_WORD ? UINT32_C(1) << l->id : 0);

#pragma GCC unroll 32
	for (unsigned int i = 0; i < l->words; i++)
		if (altered >> i & 1)
			words[i] = word_of(record, i);
	transform(pack, l, words);
#pragma GCC unroll 32
	for (unsigned int i = 0; i < l->words; i++) {
		uint64_t word = altered >> i & 1 ? words[i] : word_of(record, i);
		bool own = l->own >> i & 1;
		uint64_t changed = own ? word : word ^ previous[i];

		if (!changed)
			continue;
		if (!own)
			previous[i] = word;
		mask |= 1U << i;
		at = pack_word(at, changed);
	}
	memcpy(out + 1, &mask, mask_bytes(l));
	return (size_t)(at - out);
}

size_t pack_record(struct pack *pack, const void *record, size_t len_bytes, unsigned char *out)
{
	static const struct layout call = CALL, edge = EDGE, end = END;
	uint8_t kind = ((const struct wire_head *)record)->kind;
	uint64_t *previous = pack->previous[kind % PACK_KINDS];

	out[0] = kind;
	if (kind <= WIRE_SEND)
		return pack_fixed(pack, &call, record, previous, out);
	if (kind <= WIRE_TW_END)
		return pack_fixed(pack, &edge, record, previous, out);
	if (kind == WIRE_END)
		return pack_fixed(pack, &end, record, previous, out);
	if (kind < PACK_KINDS && layouts[kind].words)
		return pack_fixed(pack, &layouts[kind], record, previous, out);
	return pack_whole(record, len_bytes, out);
}

static ssize_t unpack_whole(const unsigned char *in, size_t in_len, void *out, size_t *len_bytes)
{
	uint16_t len;

	if (in_len < 3)
		return -EBADMSG;
	memcpy(&len, in + 1, sizeof(len));
	if (in_len < 3 + (size_t)len || len < sizeof(struct wire_head))
		return -EBADMSG;
	memcpy(out, in + 3, len);
	*len_bytes = len;
	return 3 + (ssize_t)len;
}

/* One word's span; returns what was taken, 0 if the input is too short or no span. */
static size_t unpack_word(const unsigned char *in, size_t in_len, uint64_t *changed)
{
	size_t first, len;

	*changed = 0;
	if (!in_len)
		return 0;
	first = in[0] >> 3;
	len = (in[0] & 7U) + 1;
	if (first + len > 8 || in_len < 1 + len)
		return 0;
	memcpy(changed, in + 1, len);
	*changed <<= 8 * first;
	return 1 + len;
}

ssize_t unpack_record(struct pack *pack, const unsigned char *in, size_t in_len, void *out,
		      size_t *len_bytes)
{
	uint64_t words[PACK_WORDS_MAX], *previous, changed;
	const struct layout *l;
	uint32_t mask = 0;
	size_t at, taken;

	if (!in_len)
		return -EBADMSG;
	if (in[0] >= PACK_KINDS || !layouts[in[0]].words)
		return unpack_whole(in, in_len, out, len_bytes);
	l = &layouts[in[0]];
	at = 1 + mask_bytes(l);
	if (in_len < at)
		return -EBADMSG;
	memcpy(&mask, in + 1, mask_bytes(l));
	if ((uint64_t)mask >> l->words)
		return -EBADMSG;
	previous = pack->previous[in[0]];
	memcpy(words, previous, (size_t)l->words * 8);
	for (; mask; mask &= mask - 1) {
		taken = unpack_word(in + at, in_len - at, &changed);
		if (!taken)
			return -EBADMSG;
		at += taken;
		words[__builtin_ctz(mask)] ^= changed;
	}
	memcpy(previous, words, (size_t)l->words * 8);
	for (uint32_t own = l->own; own; own &= own - 1)
		previous[__builtin_ctz(own)] = 0;
	untransform(pack, l, words);
	memcpy(out, words, (size_t)l->words * 8);
	*len_bytes = (size_t)l->words * 8;
	return (ssize_t)at;
}
