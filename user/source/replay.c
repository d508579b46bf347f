/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/source/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "user/core/pack.h"
#include "user/core/recording.h"

struct replay {
	replay_read read;
	void *arg;
	const struct live_handler *handler;
	struct replay_result *result;
	struct pack pack;
	unsigned char *stored, *inflated; /* RECORDING_PACKED_MAX each */
	uint64_t *record;		  /* 65536 bytes, aligned */
	bool stopped;			  /* WIRE_STOP was given */
};

static int fail(struct replay *r, int error, const char *what)
{
	snprintf(r->result->reason, sizeof(r->result->reason),
		 "%s (at byte %" PRIu64 ", after %" PRIu64 " records)", what, r->result->bytes,
		 r->result->records);
	return error;
}

/* Reads exactly len bytes: 1; none because it is the end: 0; less, or an error: negative. */
static int take(struct replay *r, void *buffer, size_t len, const char *what)
{
	size_t have = 0;

	while (have < len) {
		ssize_t n = r->read(r->arg, (char *)buffer + have, len - have);

		if (n < 0)
			return fail(r, (int)n, strerror((int)-n));
		if (!n)
			break;
		have += (size_t)n;
		r->result->bytes += (uint64_t)n;
	}
	if (have == len)
		return 1;
	return have ? fail(r, -EBADMSG, what) : 0;
}

static int read_head(struct replay *r)
{
	struct recording_head head;
	int got = take(r, &head, sizeof(head), "not a recording: too short");

	if (got < 0)
		return got;
	if (!got)
		return fail(r, -EBADMSG, "not a recording: empty");
	if (memcmp(head.magic, RECORDING_MAGIC, sizeof(head.magic)) != 0)
		return fail(r, -EBADMSG, "not a recording of portlife");
	if (head.version > RECORDING_VERSION || head.wire_version > WIRE_VERSION)
		return fail(r, -EPROTONOSUPPORT,
			    "the recording is of a newer format than this portlife reads; use a "
			    "newer one");
	if (!head.version || !head.wire_version || head.flags || head.text_len > RECORDING_TEXT_MAX)
		return fail(r, -EBADMSG, "the head is damaged");
	got = take(r, r->stored, head.text_len, "ends in its head");
	if (got < 0)
		return got;
	if ((head.text_len && !got) || crc32(0, r->stored, head.text_len) != head.crc)
		return fail(r, -EBADMSG, "the head is damaged");
	return 0;
}

static int give_records(struct replay *r, const unsigned char *packed, size_t len, uint32_t count)
{
	size_t record_len;

	pack_reset(&r->pack);
	for (; count; count--) {
		ssize_t taken = unpack_record(&r->pack, packed, len, r->record, &record_len);
		int error;

		if (taken < 0)
			return fail(r, -EBADMSG, "a block does not unpack");
		if (r->stopped)
			return fail(r, -EBADMSG, "there are records after the end");
		packed += taken;
		len -= (size_t)taken;
		error = r->handler->feed(r->handler->arg, r->record, record_len);
		if (error == -EBADMSG)
			return fail(r, error, "a record is damaged");
		if (error)
			return error;
		r->result->records++;
		r->stopped = ((const struct wire_head *)r->record)->kind == WIRE_STOP;
	}
	return len ? fail(r, -EBADMSG, "a block is longer than its records") : 0;
}

/* 1: a block was given; 0: the end; LIVE_ENOUGH is told apart by *enough. */
static int give_block(struct replay *r, bool *enough)
{
	struct recording_block block;
	const unsigned char *packed = r->stored;
	uLongf inflated = RECORDING_PACKED_MAX;
	int got = take(r, &block, sizeof(block), "ends in the head of a block"), error;

	if (got <= 0)
		return got;
	if (block.magic != RECORDING_BLOCK_MAGIC || (block.flags & ~(uint32_t)RECORDING_DEFLATED) ||
	    block.stored_len > RECORDING_PACKED_MAX || block.packed_len > RECORDING_PACKED_MAX)
		return fail(r, -EBADMSG, "the head of a block is damaged");
	got = take(r, r->stored, block.stored_len, "ends in a block");
	if (got < 0)
		return got;
	if (!got && block.stored_len)
		return fail(r, -EBADMSG, "ends in a block");
	if (crc32(0, r->stored, block.stored_len) != block.crc)
		return fail(r, -EBADMSG, "a block is damaged");
	if (block.flags & RECORDING_DEFLATED) {
		if (uncompress(r->inflated, &inflated, r->stored, block.stored_len) != Z_OK ||
		    inflated != block.packed_len)
			return fail(r, -EBADMSG, "a block does not inflate");
		packed = r->inflated;
	} else if (block.stored_len != block.packed_len) {
		return fail(r, -EBADMSG, "the head of a block is damaged");
	}
	error = give_records(r, packed, block.packed_len, block.records);
	if (error >= 0 && !r->stopped && error != LIVE_ENOUGH)
		error = r->handler->batch(r->handler->arg);
	*enough = error == LIVE_ENOUGH;
	return error < 0 ? error : 1;
}

/* --count is reached: the stream ends here as a live run would have ended it. */
static int end_early(struct replay *r)
{
	struct wire_stop stop = {
		.head = { .len_bytes = sizeof(stop), .kind = WIRE_STOP, .version = WIRE_VERSION },
		.records = r->result->records,
	};
	int error;

	stop.head.ts_ns = ((const struct wire_head *)r->record)->ts_ns;
	error = r->handler->feed(r->handler->arg, &stop, sizeof(stop));
	if (error >= 0)
		error = r->handler->batch(r->handler->arg);
	return error < 0 ? error : 0;
}

static int run(struct replay *r)
{
	bool enough = false;
	int got = read_head(r), error;

	if (got)
		return got;
	do
		got = give_block(r, &enough);
	while (got > 0 && !enough);
	if (enough)
		return end_early(r);
	error = r->handler->batch(r->handler->arg); /* also of what came before the damage */
	if (got < 0)
		return got;
	if (!r->stopped)
		return fail(r, -EBADMSG, "the recording ends before its run did");
	return error < 0 ? error : 0;
}

int replay_stream(replay_read read_bytes, void *arg, const struct live_handler *handler,
		  struct replay_result *result)
{
	struct replay *r = calloc(1, sizeof(*r));
	int error = -ENOMEM;

	memset(result, 0, sizeof(*result));
	if (!r)
		return error;
	r->read = read_bytes;
	r->arg = arg;
	r->handler = handler;
	r->result = result;
	r->stored = malloc(RECORDING_PACKED_MAX);
	r->inflated = malloc(RECORDING_PACKED_MAX);
	r->record = malloc(65536);
	if (r->stored && r->inflated && r->record)
		error = run(r);
	free(r->stored);
	free(r->inflated);
	free(r->record);
	free(r);
	return error;
}

/* --- files ------------------------------------------------------------------------------- */

struct file {
	int fd;
	bool progress;
	uint64_t size_bytes, read_bytes;
	time_t begin, told; /* seconds */
};

/* A line that is written over, at most once a second, and only when it takes longer than two. */
static void tell_progress(struct file *f)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (!f->begin)
		f->begin = now.tv_sec;
	if (now.tv_sec - f->begin < 2 || now.tv_sec == f->told)
		return;
	f->told = now.tv_sec;
	fprintf(stderr, "\rreplaying: %3u%%",
		(unsigned int)(f->read_bytes * 100 / (f->size_bytes ? f->size_bytes : 1)));
}

static ssize_t read_file(void *arg, void *buffer, size_t len)
{
	struct file *f = arg;
	ssize_t n;

	do
		n = read(f->fd, buffer, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	f->read_bytes += (uint64_t)n;
	if (f->progress)
		tell_progress(f);
	return n;
}

int replay_file(const char *path, bool progress, const struct live_handler *handler,
		struct replay_result *result)
{
	struct file f = { .fd = STDIN_FILENO };
	struct stat st;
	int error;

	memset(result, 0, sizeof(*result));
	if (strcmp(path, "-") != 0) {
		f.fd = open(path, O_RDONLY | O_CLOEXEC);
		if (f.fd < 0) {
			error = -errno;
			snprintf(result->reason, sizeof(result->reason), "%s", strerror(errno));
			return error;
		}
	}
	if (!fstat(f.fd, &st) && S_ISREG(st.st_mode) && st.st_size > 0) {
		f.size_bytes = (uint64_t)st.st_size;
		f.progress = progress;
	}
	error = replay_stream(read_file, &f, handler, result);
	if (f.told)
		fprintf(stderr, "\r%16s\r", "");
	if (f.fd != STDIN_FILENO)
		close(f.fd);
	return error;
}
