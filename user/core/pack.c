/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pack.c owns the transformation of pack.h, both ways. Writing is in the path of a live run: it
 * touches each word of a record once.
 */
#include "user/core/pack.h"

#include <errno.h>
#include <string.h>

#define WORD(type, field) (offsetof(struct type, field) / 8)
#define BIT(type, field)  (UINT32_C(1) << WORD(type, field))
#define TS_WORD		  WORD(wire_head, ts_ns)
#define NO_WORD		  0xff

#define ID_CPU_SHIFT (64 - WIRE_SOCKET_CPU_BITS)
#define ID_NS_MASK   ((1ULL << ID_CPU_SHIFT) - 1)

/* Where the words are that are transformed in their own way. */
struct layout {
	uint8_t words;	     /* 0: not a record of fixed size */
	uint8_t id, created; /* NO_WORD if there is none */
	uint32_t times;	     /* a bit for each that is relative to head.ts_ns */
};

#define CALL                                                                                       \
	{                                                                                          \
		sizeof(struct wire_call) / 8, WORD(wire_call, sock.id),                            \
			WORD(wire_call, sock.created_ns),                                          \
			BIT(wire_call, sock.created_ns) | BIT(wire_call, sock.established_ns) |    \
				BIT(wire_call, start_ns)                                           \
	}
#define EDGE                                                                                       \
	{                                                                                          \
		sizeof(struct wire_edge) / 8, WORD(wire_edge, id), NO_WORD, 0                      \
	}
#define END                                                                                        \
	{                                                                                          \
		sizeof(struct wire_end) / 8, WORD(wire_end, id), NO_WORD,                          \
			BIT(wire_end, close_ns) | BIT(wire_end, time_wait_ns) |                    \
				BIT(wire_end, release_ns)                                          \
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
	[WIRE_OWNER] = { sizeof(struct wire_owner) / 8, WORD(wire_owner, id), NO_WORD, 0 },
	[WIRE_END] = END,
	[WIRE_ADDRESS] = { sizeof(struct wire_address) / 8, WORD(wire_address, id), NO_WORD, 0 },
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

/*
 * Words that stand alone, a bit for each: they are remembered as zero, since XOR with that changes
 * nothing.
 */
static inline __attribute__((always_inline)) uint32_t own_words(const struct layout *l)
{
	uint32_t id = l->id != NO_WORD && l->created == NO_WORD ? UINT32_C(1) << l->id : 0;

	return l->times | UINT32_C(1) << TS_WORD | id;
}

static inline uint64_t word_of(const void *record, unsigned int word)
{
	uint64_t value;

	memcpy(&value, (const char *)record + (size_t)word * 8, sizeof(value));
	return value;
}

/* A word of a record to one that is mostly zero once XORed. */
static inline __attribute__((always_inline)) uint64_t
transform(const struct pack *pack, const struct layout *l, const void *record, unsigned int word)
{
	uint64_t value = word_of(record, word);

	if (word == TS_WORD)
		return zigzag(value - pack->last_ts_ns);
	if (word == l->id)
		return l->created != NO_WORD ? id_fold(value, word_of(record, l->created))
					     : id_step(value, pack->last_id);
	return l->times >> word & 1 ? mirror(word_of(record, TS_WORD), value) : value;
}

static void untransform(struct pack *pack, const struct layout *l, uint64_t *words)
{
	uint64_t ts_ns = pack->last_ts_ns + unzigzag(words[TS_WORD]);

	words[TS_WORD] = pack->last_ts_ns = ts_ns;
	for (uint32_t times = l->times; times; times &= times - 1)
		words[__builtin_ctz(times)] = mirror(ts_ns, words[__builtin_ctz(times)]);
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

/* Inlined with a constant layout, so that the compiler knows all counts and places. */
static inline __attribute__((always_inline)) size_t
pack_fixed(struct pack *pack, const struct layout *l, const void *record, uint64_t *previous,
	   unsigned char *out)
{
	unsigned char *at = out + 1 + mask_bytes(l);
	const uint32_t own = own_words(l);
	uint32_t mask = 0;

#pragma GCC unroll 32
	for (unsigned int i = 0; i < l->words; i++) {
		uint64_t word = transform(pack, l, record, i);
		uint64_t changed = own >> i & 1 ? word : word ^ previous[i];

		if (!changed)
			continue;
		if (!(own >> i & 1))
			previous[i] = word;
		mask |= 1U << i;
		at = pack_word(at, changed);
	}
	pack->last_ts_ns = word_of(record, TS_WORD);
	if (l->id != NO_WORD)
		pack->last_id = word_of(record, l->id);
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
	for (uint32_t own = own_words(l); own; own &= own - 1)
		previous[__builtin_ctz(own)] = 0;
	untransform(pack, l, words);
	memcpy(out, words, (size_t)l->words * 8);
	*len_bytes = (size_t)l->words * 8;
	return (ssize_t)at;
}
