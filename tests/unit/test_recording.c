/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_recording.c: what recording.c writes replay.c gives back, record by record; of a file that
 * is cut off or damaged it gives what is good, and says so.
 */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/records.h"
#include "user/core/recording.h"
#include "user/sink/recording.h"
#include "user/source/replay.h"

#define BYTES_MAX (4u << 20)
#define CYCLES	  3000 /* several blocks */
#define FEW	  3

/* --- a recording in memory --------------------------------------------------------------- */

struct tape {
	char path[64];
	unsigned char *written; /* the records as they were given, one after the other */
	size_t written_len;
	unsigned char *file;
	size_t file_len;
	/* the replay */
	size_t at, end;	 /* of the file: what is read is from there to there */
	size_t piece;	 /* at most so much at once */
	size_t replayed; /* bytes of records that came back, all as they were */
	uint64_t records, batches;
	uint64_t stop_at; /* feed() returns `answer` then */
	int answer;
	struct wire_head last;
	struct replay_result result;
};

static int tape_setup(void **state)
{
	struct tape *t = calloc(1, sizeof(*t));
	int fd;

	assert_non_null(t);
	t->written = malloc(BYTES_MAX);
	t->file = malloc(BYTES_MAX);
	assert_true(t->written && t->file);
	snprintf(t->path, sizeof(t->path), "/tmp/portlife-test-XXXXXX");
	fd = mkstemp(t->path);
	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0644), 0);
	close(fd);
	*state = t;
	return 0;
}

static int tape_teardown(void **state)
{
	struct tape *t = *state;

	unlink(t->path);
	free(t->written);
	free(t->file);
	free(t);
	return 0;
}

static void add(struct tape *t, struct recording *r, const void *record)
{
	struct wire_head head;

	memcpy(&head, record, sizeof(head));
	assert_true(t->written_len + head.len_bytes <= BYTES_MAX);
	memcpy(t->written + t->written_len, record, head.len_bytes);
	t->written_len += head.len_bytes;
	assert_int_equal(recording_add(r, record, head.len_bytes), 0);
}

static void add_cycle(struct tape *t, struct recording *r, uint64_t i)
{
	uint64_t ts_ns = BOOT_NS + i * 30000, id = (i + 1) << WIRE_SOCKET_CPU_BITS;
	struct wire_call connect = port_call(WIRE_CONNECT, id, ts_ns, 0, (uint16_t)(i + 1));
	struct wire_edge edge = edge_new(WIRE_ESTABLISHED, id, ts_ns + 100, 0, 0);
	struct wire_owner owner = owner_new(id, ts_ns + 200, (uint32_t)i, "worker");
	struct wire_end end = end_new(id, ts_ns + 300);
	struct wire_head tick = head_new(WIRE_TICK, sizeof(tick), ts_ns + 400);

	end.close_ns = ts_ns + 250;
	add(t, r, &connect);
	add(t, r, &edge);
	add(t, r, &owner);
	add(t, r, &end);
	if (i % 100 == 0)
		add(t, r, &tick);
}

static void slurp(struct tape *t)
{
	int fd = open(t->path, O_RDONLY | O_CLOEXEC);
	ssize_t n = read(fd, t->file, BYTES_MAX);

	assert_in_range(n, 1, BYTES_MAX - 1);
	close(fd);
	t->file_len = (size_t)n;
}

/* Records a run of so many cycles and reads the file. */
static void tape_record(struct tape *t, bool compress, uint64_t cycles)
{
	union start_record start = start_new("6.1.0", "box", "true\0-x", 8);
	union name_record name = name_new(WIRE_NAME_CGROUP, 77, 0, "/user\n");
	struct wire_lost lost = { .head = head_new(WIRE_LOST, sizeof(lost), BOOT_NS),
				  .count = 3,
				  .cause = WIRE_LOST_BUFFER };
	struct wire_command command = { .head = head_new(WIRE_COMMAND, sizeof(command), BOOT_NS),
					.exit = -1,
					.signal = 9 };
	struct wire_stop stop = { .head = head_new(WIRE_STOP, sizeof(stop), BOOT_NS * 9),
				  .records = cycles };
	struct recording r;

	assert_int_equal(recording_open(&r, t->path, compress), 0);
	snprintf(r.probes, sizeof(r.probes), "one,two");
	add(t, &r, &start);
	add(t, &r, &name);
	for (uint64_t i = 0; i < cycles; i++) {
		add_cycle(t, &r, i);
		assert_int_equal(recording_beat(&r), 0);
	}
	add(t, &r, &lost);
	add(t, &r, &command);
	add(t, &r, &stop);
	assert_int_equal(recording_close(&r), 0);
	assert_int_equal(r.stored, r.records);
	slurp(t);
	assert_int_equal(r.bytes, t->file_len);
}

static ssize_t tape_read(void *arg, void *buffer, size_t len)
{
	struct tape *t = arg;
	size_t left = t->end - t->at;

	len = len < left ? len : left;
	len = len < t->piece ? len : t->piece;
	memcpy(buffer, t->file + t->at, len);
	t->at += len;
	return (ssize_t)len;
}

static int tape_feed(void *arg, const void *record, size_t len)
{
	struct tape *t = arg;

	memcpy(&t->last, record, sizeof(t->last));
	t->records++;
	if (t->stop_at && t->records > t->stop_at) /* the end that a replay makes itself */
		return LIVE_GO_ON;
	assert_true(t->replayed + len <= t->written_len);
	assert_memory_equal(record, t->written + t->replayed, len);
	t->replayed += len;
	return t->records == t->stop_at ? t->answer : LIVE_GO_ON;
}

static int tape_batch(void *arg)
{
	struct tape *t = arg;

	t->batches++;
	return 0;
}

/* Replays the first len bytes. */
static int tape_replay(struct tape *t, size_t len)
{
	const struct live_handler handler = { .feed = tape_feed, .batch = tape_batch, .arg = t };

	t->at = t->replayed = 0;
	t->records = t->batches = 0;
	t->end = len;
	t->piece = t->piece ? t->piece : BYTES_MAX;
	return replay_stream(tape_read, t, &handler, &t->result);
}

/* --- good ones --------------------------------------------------------------------------- */

static void check_round(struct tape *t)
{
	assert_int_equal(tape_replay(t, t->file_len), 0);
	assert_int_equal(t->replayed, t->written_len);
	assert_int_equal(t->result.records, t->records);
	assert_int_equal(t->result.bytes, t->file_len);
	assert_true(t->batches > 0);
}

static void all_comes_back(void **state)
{
	tape_record(*state, false, CYCLES);
	check_round(*state);
}

static void all_comes_back_deflated(void **state)
{
	struct tape *t = *state;
	size_t plain;

	tape_record(t, false, CYCLES);
	plain = t->file_len;
	t->written_len = 0;
	tape_record(t, true, CYCLES);
	check_round(t);
	assert_in_range(t->file_len, 1, plain * 3 / 4);
}

static void all_comes_back_in_pieces(void **state)
{
	static const size_t pieces[] = { 1, 7, 24, 4096 };
	struct tape *t = *state;

	tape_record(t, false, 100);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		t->piece = pieces[i];
		check_round(t);
	}
}

static void a_run_without_events_comes_back(void **state)
{
	tape_record(*state, false, 0);
	check_round(*state);
}

static void the_longest_records_come_back(void **state)
{
	static union {
		struct wire_head head;
		char bytes[65528];
	} name;
	union start_record start = start_new("6.1.0", "box", "", 0);
	struct wire_stop stop = { .head = head_new(WIRE_STOP, sizeof(stop), BOOT_NS) };
	struct tape *t = *state;
	struct recording r;

	for (int compress = 0; compress < 2; compress++) {
		t->written_len = 0;
		assert_int_equal(recording_open(&r, t->path, compress), 0);
		add(t, &r, &start);
		for (int i = 0; i < 10; i++) {
			for (size_t b = 0; b < sizeof(name); b++)
				name.bytes[b] = (char)(b * 2654435761u >> (i + 7));
			name.head = head_new(WIRE_NAME, sizeof(name), BOOT_NS);
			add(t, &r, &name);
		}
		add(t, &r, &stop);
		assert_int_equal(recording_close(&r), 0);
		slurp(t);
		check_round(t);
	}
}

static void the_head_is_for_people(void **state)
{
	static const char *const lines[] = { "kernel=6.1.0\n",
					     "host=box\n",
					     "command=true -x \n",
					     "backend=fentry\n",
					     "probes=one,two\n",
					     "\nblind=\n",
					     "\nclock=boot 1000000 wall 1700000000000000000\n",
					     "\narch=" };
	struct tape *t = *state;
	struct recording_head head;
	char text[16384];

	tape_record(t, false, FEW);
	memcpy(&head, t->file, sizeof(head));
	assert_memory_equal(head.magic, RECORDING_MAGIC, sizeof(head.magic));
	assert_int_equal(head.version, RECORDING_VERSION);
	assert_int_equal(head.wire_version, WIRE_VERSION);
	assert_int_equal(head.flags, 0);
	assert_in_range(head.text_len, 1, sizeof(text) - 1);
	memcpy(text, t->file + sizeof(head), head.text_len);
	text[head.text_len] = 0;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_non_null(strstr(text, lines[i]));
}

static void a_file_is_for_its_owner(void **state)
{
	struct tape *t = *state;
	struct stat st;

	tape_record(t, false, FEW); /* the file was there, with mode 0644 */
	assert_int_equal(stat(t->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

/* The sizes that people and disks feel. */
static void a_record_is_small(void **state)
{
	struct tape *t = *state;

	tape_record(t, false, CYCLES);
	assert_in_range(t->file_len / (4 * CYCLES), 1, 24);
}

/* --- bad ones ---------------------------------------------------------------------------- */

static void cut_anywhere(void **state)
{
	struct tape *t = *state;
	size_t before = 0;

	tape_record(t, false, FEW);
	for (size_t len = 0; len < t->file_len; len++) {
		assert_int_equal(tape_replay(t, len), -EBADMSG);
		assert_true(t->result.reason[0] && !strchr(t->result.reason, '\n'));
		assert_true(t->replayed >= before);
		before = t->replayed;
	}
}

/* What is cut off in a later block leaves the blocks before it. */
static void cut_late(void **state)
{
	struct tape *t = *state;

	tape_record(t, true, CYCLES);
	assert_int_equal(tape_replay(t, t->file_len - 1), -EBADMSG);
	assert_in_range(t->replayed, t->written_len / 2, t->written_len - 1);
	assert_int_equal(tape_replay(t, t->file_len / 2), -EBADMSG);
	assert_in_range(t->replayed, t->written_len / 10, t->written_len - 1);
}

static void one_bit_wrong(void **state)
{
	struct tape *t = *state;

	for (int compress = 0; compress < 2; compress++) {
		t->written_len = 0;
		tape_record(t, compress, FEW);
		for (size_t at = 0; at < t->file_len; at++) {
			for (int bit = 0; bit < 8; bit++) {
				t->file[at] ^= (unsigned char)(1 << bit);
				assert_true(tape_replay(t, t->file_len) < 0);
				assert_true(t->result.reason[0]);
				t->file[at] ^= (unsigned char)(1 << bit);
			}
		}
	}
}

static void bytes_behind_the_end(void **state)
{
	struct tape *t = *state;

	tape_record(t, false, FEW);
	t->file[t->file_len] = 0;
	assert_int_equal(tape_replay(t, t->file_len + 1), -EBADMSG);
	assert_int_equal(t->replayed, t->written_len);
}

static void newer_ones_are_refused(void **state)
{
	struct recording_head head;
	struct tape *t = *state;

	tape_record(t, false, FEW);
	memcpy(&head, t->file, sizeof(head));
	head.version++;
	memcpy(t->file, &head, sizeof(head));
	assert_int_equal(tape_replay(t, t->file_len), -EPROTONOSUPPORT);
	head.version--;
	head.wire_version++;
	memcpy(t->file, &head, sizeof(head));
	assert_int_equal(tape_replay(t, t->file_len), -EPROTONOSUPPORT);
	assert_int_equal(t->records, 0);
}

/* --- the other side's say ---------------------------------------------------------------- */

static void errors_are_passed_on(void **state)
{
	struct tape *t = *state;

	tape_record(t, false, CYCLES);
	t->stop_at = 1000;
	t->answer = -EPIPE;
	assert_int_equal(tape_replay(t, t->file_len), -EPIPE);
	assert_int_equal(t->records, 1000);
}

static void enough_ends_in_a_stop(void **state)
{
	struct tape *t = *state;

	tape_record(t, false, CYCLES);
	t->stop_at = 1000;
	t->answer = LIVE_ENOUGH;
	assert_int_equal(tape_replay(t, t->file_len), 0);
	assert_int_equal(t->records, 1001);
	assert_int_equal(t->last.kind, WIRE_STOP);
}

/* --- what cannot be written -------------------------------------------------------------- */

static void a_recording_begins_with_a_start(void **state)
{
	struct wire_edge edge = edge_new(WIRE_ESTABLISHED, 1, BOOT_NS, 0, 0);
	struct tape *t = *state;
	struct recording r;

	assert_int_equal(recording_open(&r, t->path, false), 0);
	assert_int_equal(recording_add(&r, &edge, sizeof(edge)), -EINVAL);
	assert_int_equal(recording_close(&r), 0);
}

static void a_full_disk_is_told(void **state)
{
	union start_record start = start_new("6.1.0", "box", "", 0);
	struct wire_edge edge = edge_new(WIRE_ESTABLISHED, 1, BOOT_NS, 0, 0);
	struct recording r;

	(void)state;
	assert_int_equal(recording_open(&r, "/dev/full", false), 0);
	assert_int_equal(recording_add(&r, &start, start.start.head.len_bytes), -ENOSPC);
	assert_int_equal(recording_add(&r, &edge, sizeof(edge)), -ENOSPC);
	assert_int_equal(recording_beat(&r), -ENOSPC);
	assert_int_equal(r.stored, 0);
	assert_int_equal(recording_close(&r), -ENOSPC);
}

static void what_cannot_be_opened(void **state)
{
	struct recording r;

	(void)state;
	assert_int_equal(recording_open(&r, "/nowhere/file", false), -ENOENT);
	recording_close(&r);
	assert_int_equal(recording_open(&r, "/tmp", true), -EISDIR);
	recording_close(&r);
	memset(&r, 0, sizeof(r));
	assert_int_equal(recording_close(&r), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, tape_setup, tape_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_comes_back),
		TEST(all_comes_back_deflated),
		TEST(all_comes_back_in_pieces),
		TEST(a_run_without_events_comes_back),
		TEST(the_longest_records_come_back),
		TEST(the_head_is_for_people),
		TEST(a_file_is_for_its_owner),
		TEST(a_record_is_small),
		TEST(cut_anywhere),
		TEST(cut_late),
		TEST(one_bit_wrong),
		TEST(bytes_behind_the_end),
		TEST(newer_ones_are_refused),
		TEST(errors_are_passed_on),
		TEST(enough_ends_in_a_stop),
		TEST(a_recording_begins_with_a_start),
		TEST(a_full_disk_is_told),
		TEST(what_cannot_be_opened),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
