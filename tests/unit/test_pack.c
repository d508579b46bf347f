/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_pack.c: what is packed comes back, whatever its values; what is no packed record is refused,
 * whatever its bytes; what is read or written lies right before a page that may not be touched.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/records.h"
#include "user/core/pack.h"

#define ROUNDS	    20000
#define FENCE_BYTES (256 * 1024)

static struct pack packer, unpacker;
static unsigned char *fence; /* the first byte that may not be touched */
static uint64_t seed;

static int setup(void **state)
{
	unsigned char *pages = mmap(NULL, FENCE_BYTES + (size_t)sysconf(_SC_PAGESIZE),
				    PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	if (pages == MAP_FAILED)
		return -1;
	fence = pages + FENCE_BYTES;
	return mprotect(fence, (size_t)sysconf(_SC_PAGESIZE), PROT_NONE);
}

static int teardown(void **state)
{
	(void)state;
	return munmap(fence - FENCE_BYTES, FENCE_BYTES + (size_t)sysconf(_SC_PAGESIZE));
}

static int begin(void **state)
{
	(void)state;
	pack_reset(&packer);
	pack_reset(&unpacker);
	seed = 0x9e3779b97f4a7c15;
	return 0;
}

static uint64_t chance(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	return seed ^= seed << 17;
}

/* --- records ----------------------------------------------------------------------------- */

struct kind {
	uint8_t kind;
	size_t len; /* 0: any */
};

static const struct kind kinds[] = {
	{ WIRE_BIND, sizeof(struct wire_call) },
	{ WIRE_LISTEN, sizeof(struct wire_call) },
	{ WIRE_CONNECT, sizeof(struct wire_call) },
	{ WIRE_CONNECT_FAILED, sizeof(struct wire_call) },
	{ WIRE_ACCEPT, sizeof(struct wire_call) },
	{ WIRE_DISCONNECT, sizeof(struct wire_call) },
	{ WIRE_FOUND, sizeof(struct wire_call) },
	{ WIRE_SEND, sizeof(struct wire_call) },
	{ WIRE_ESTABLISHED, sizeof(struct wire_edge) },
	{ WIRE_CONNECT_ERROR, sizeof(struct wire_edge) },
	{ WIRE_RELEASE, sizeof(struct wire_edge) },
	{ WIRE_TW_END, sizeof(struct wire_edge) },
	{ WIRE_OWNER, sizeof(struct wire_owner) },
	{ WIRE_END, sizeof(struct wire_end) },
	{ WIRE_START, 0 },
	{ WIRE_NAME, 0 },
	{ WIRE_LOST, sizeof(struct wire_lost) },
	{ WIRE_TICK, sizeof(struct wire_head) },
	{ WIRE_COMMAND, sizeof(struct wire_command) },
	{ WIRE_STOP, sizeof(struct wire_stop) },
	{ WIRE_PASS, sizeof(struct wire_pass) },
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* The longest record there can be: its length has 16 bits and is a multiple of 8. */
#define LEN_MAX 65528

union record {
	struct wire_head head;
	uint64_t words[8192];
	unsigned char bytes[65536];
};

static union record in, out; /* too large for a stack */

/* A word like those that are hard: extreme, or near something that it is compared with. */
static uint64_t word(uint64_t ts_ns, uint64_t before)
{
	switch (chance() % 12) {
	case 0:
	case 1:
		return 0;
	case 2:
		return UINT64_MAX;
	case 3:
		return ts_ns;
	case 4:
		return ts_ns + 1;
	case 5:
		return ts_ns - 1;
	case 6:
	case 7:
		return before;
	case 8:
		return 1ULL << chance() % 64;
	case 9:
		return before + chance() % 1000;
	case 10:
		return chance() << chance() % 64;
	default:
		return chance();
	}
}

/* Leaves what the record before had in each word as it may be. */
static void make_record(const struct kind *k)
{
	size_t len = k->len ? k->len : sizeof(struct wire_head) + chance() % 64 * 8;

	in.head = (struct wire_head){
		.len_bytes = (uint16_t)len,
		.kind = k->kind,
		.version = WIRE_VERSION,
		.cpu = (uint16_t)(chance() % 3 ? 1 : chance()),
		.ts_ns = word(in.head.ts_ns, in.head.ts_ns),
	};
	for (size_t i = sizeof(struct wire_head) / 8; i < len / 8; i++)
		in.words[i] = word(in.head.ts_ns, in.words[i]);
}

/* Packs `in` to the fence, checks the length; returns where it begins. */
static unsigned char *pack_to_fence(size_t *packed_len)
{
	static unsigned char packed[PACK_MAX(65536)];
	size_t len = in.head.len_bytes;

	*packed_len = pack_record(&packer, &in, len, packed);
	assert_in_range(*packed_len, 1, PACK_MAX(len));
	memcpy(fence - *packed_len, packed, *packed_len);
	return fence - *packed_len;
}

static size_t goes_round(void)
{
	size_t len = in.head.len_bytes, packed_len, out_len = 0;
	const unsigned char *at = pack_to_fence(&packed_len);

	memset(&out, 0xa5, sizeof(out));
	assert_int_equal(unpack_record(&unpacker, at, packed_len, &out, &out_len), packed_len);
	assert_int_equal(out_len, len);
	assert_memory_equal(&in, &out, len);
	return packed_len;
}

/* --- tests ------------------------------------------------------------------------------- */

static void every_kind_goes_round(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < ROUNDS; i++) {
		make_record(&kinds[chance() % KINDS]);
		goes_round();
		if (chance() % 500 == 0) {
			pack_reset(&packer);
			pack_reset(&unpacker);
		}
	}
}

/* All bits, no bits, and from one to the other. */
static void extremes_go_round(void **state)
{
	static const int fills[] = { 0, 0xff, 0xff, 0, 0x80, 0x01, 0 };

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		for (size_t f = 0; f < sizeof(fills) / sizeof(fills[0]); f++) {
			size_t len = kinds[k].len ? kinds[k].len : LEN_MAX;

			memset(&in, fills[f], sizeof(in));
			in.head.len_bytes = (uint16_t)len;
			in.head.kind = kinds[k].kind;
			goes_round();
		}
	}
}

/* Each time of a call and of an end at each place around the moment of the record. */
static void times_go_round(void **state)
{
	static const uint64_t moments[] = { 0, 1, 1000, INT64_MAX, 1ULL << 63, UINT64_MAX };
	static const int64_t distances[] = { 0, 1, -1, 2, -2, 1000, -1000, INT64_MAX, INT64_MIN };

	(void)state;
	for (size_t m = 0; m < sizeof(moments) / sizeof(moments[0]); m++) {
		for (size_t d = 0; d < sizeof(distances) / sizeof(distances[0]); d++) {
			uint64_t time_ns = moments[m] + (uint64_t)distances[d];
			struct wire_call call = call_new(WIRE_CONNECT, UINT64_MAX, moments[m]);
			struct wire_end end = end_new(0, moments[m]);

			call.sock.created_ns = call.start_ns = time_ns;
			call.sock.established_ns = moments[m];
			memcpy(&in, &call, sizeof(call));
			goes_round();
			call.sock.id = time_ns;
			call.sock.established_ns = time_ns;
			memcpy(&in, &call, sizeof(call));
			goes_round();
			end.close_ns = end.time_wait_ns = time_ns;
			end.id = time_ns;
			memcpy(&in, &end, sizeof(end));
			goes_round();
		}
	}
}

/* Of a record that is cut off nothing is read, and nothing behind it. */
static void cut_records_are_refused(void **state)
{
	static unsigned char whole[PACK_MAX(65536)];

	(void)state;
	for (unsigned int i = 0; i < 20 * KINDS; i++) {
		struct pack before = unpacker;
		size_t packed_len, out_len;
		unsigned char *at;

		make_record(&kinds[i % KINDS]);
		at = pack_to_fence(&packed_len);
		memcpy(whole, at, packed_len);
		for (size_t len = 0; len < packed_len; len++) {
			unsigned char *cut = memcpy(fence - len, whole, len);

			unpacker = before;
			assert_int_equal(unpack_record(&unpacker, cut, len, &out, &out_len),
					 -EBADMSG);
		}
		memcpy(at, whole, packed_len);
		unpacker = before;
		assert_int_equal(unpack_record(&unpacker, at, packed_len, &out, &out_len),
				 packed_len);
		assert_memory_equal(&in, &out, out_len);
	}
}

/* Any bytes: refused, or a record with a head of at most 64 KiB, taken from within. */
static void any_bytes_are_safe(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 10 * ROUNDS; i++) {
		size_t len = chance() % 300, out_len = 0;
		unsigned char *at = fence - len;
		ssize_t taken;

		for (size_t b = 0; b < len; b++)
			at[b] = (unsigned char)(chance() % 4 ? chance() : chance() % 4);
		if (len && chance() % 4)
			at[0] = kinds[chance() % KINDS].kind;
		taken = unpack_record(&unpacker, at, len, &out, &out_len);
		if (taken == -EBADMSG)
			continue;
		assert_in_range(taken, 1, len);
		assert_in_range(out_len, sizeof(struct wire_head), sizeof(out));
	}
}

/* A packed record with some bytes wrong is any bytes too, but goes further. */
static void spoiled_records_are_safe(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 2 * ROUNDS; i++) {
		size_t packed_len, out_len = 0;
		unsigned char *at;
		ssize_t taken;

		make_record(&kinds[chance() % KINDS]);
		at = pack_to_fence(&packed_len);
		for (uint64_t wrong = chance() % 4; wrong; wrong--)
			at[chance() % packed_len] ^= (unsigned char)chance();
		taken = unpack_record(&unpacker, at, packed_len, &out, &out_len);
		assert_true(taken == -EBADMSG || (taken > 0 && (size_t)taken <= packed_len));
	}
}

/* The same state and the same bytes: the same record. */
static void a_reset_forgets_all(void **state)
{
	static const struct pack fresh;
	size_t packed_len;

	(void)state;
	for (size_t k = 0; k < KINDS; k++) {
		make_record(&kinds[k]);
		pack_to_fence(&packed_len);
	}
	pack_reset(&packer);
	assert_memory_equal(&packer, &fresh, sizeof(fresh));
}

/* One connection of a busy loop: ids and times as they come, else the same as before. */
static size_t loop_cycle(uint64_t i)
{
	uint64_t ts_ns = BOOT_NS + i * 24000, id = (ts_ns - 900000) << WIRE_SOCKET_CPU_BITS | 1;
	struct wire_call connect = port_call(WIRE_CONNECT, id, ts_ns, 0, (uint16_t)(32768 + i * 2));
	struct wire_call accept =
		port_call(WIRE_ACCEPT, id + (3000 << WIRE_SOCKET_CPU_BITS), ts_ns + 9000, 80, 80);
	struct wire_edge established = edge_new(WIRE_ESTABLISHED, id, ts_ns + 4000, 0, 0);
	struct wire_end end = end_new(id, ts_ns + 14000);
	size_t sum = 0;

	connect.sock.created_ns = accept.sock.created_ns = ts_ns - 2000;
	connect.sock.cookie = accept.sock.cookie = i;
	connect.sock.peer_port = 80;
	accept.sock.peer_port = connect.sock.local_port;
	end.close_ns = ts_ns + 12000;
	end.time_wait_ns = ts_ns + 13000;
	end.flags = WIRE_E_TIME_WAIT;
	end.port = connect.sock.local_port;
	memcpy(&in, &connect, sizeof(connect));
	sum += goes_round();
	memcpy(&in, &established, sizeof(established));
	sum += goes_round();
	memcpy(&in, &accept, sizeof(accept));
	sum += goes_round();
	memcpy(&in, &end, sizeof(end));
	return sum + goes_round();
}

static void a_busy_loop_is_small(void **state)
{
	size_t sum = 0;

	(void)state;
	loop_cycle(0);
	for (uint64_t i = 1; i <= 100; i++)
		sum += loop_cycle(i);
	assert_in_range(sum / 400, 1, 24);
}

static void nothing_new_is_smallest(void **state)
{
	struct wire_edge edge = edge_new(WIRE_RELEASE, 5 << WIRE_SOCKET_CPU_BITS, BOOT_NS, 80, 0);

	(void)state;
	memcpy(&in, &edge, sizeof(edge));
	goes_round();
	assert_int_equal(goes_round(), 2); /* the kind, and that no word has changed */
}

#define TEST(function) cmocka_unit_test_setup(function, begin)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_kind_goes_round),   TEST(extremes_go_round),
		TEST(times_go_round),	       TEST(cut_records_are_refused),
		TEST(any_bytes_are_safe),      TEST(spoiled_records_are_safe),
		TEST(a_reset_forgets_all),     TEST(a_busy_loop_is_small),
		TEST(nothing_new_is_smallest),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
