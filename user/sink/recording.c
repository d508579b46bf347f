/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "user/core/event.h"
#include "user/core/recording.h"

#define BLOCK_FULL   (8 * 1024)	  /* then a block is written: what a cut file loses at most */
#define BLOCK_OLD_NS 500000000ULL /* or when it is this old */
#define ROOM	     (BLOCK_FULL + PACK_MAX(65536))
#define BLOCK_HEAD   sizeof(struct recording_block) /* in front, so that one write is enough */

_Static_assert(ROOM <= RECORDING_PACKED_MAX, "a reader takes every block");

static uint64_t monotonic_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

/* Opens without emptying: a run that never begins leaves an old recording as it was. */
static int open_file(struct recording *r, const char *path)
{
	r->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	r->created = r->fd >= 0;
	if (r->fd < 0 && errno == EEXIST)
		r->fd = open(path, O_WRONLY | O_CLOEXEC);
	return r->fd < 0 ? -errno : 0;
}

int recording_open(struct recording *r, const char *path, bool compress)
{
	int error = 0;

	memset(r, 0, sizeof(*r));
	r->path = path;
	r->fd = STDOUT_FILENO;
	r->owned = strcmp(path, "-") != 0;
	if (r->owned)
		error = open_file(r, path);
	if (!error && isatty(r->fd))
		error = -ENOTTY;
	if (!error) {
		r->packed = malloc(BLOCK_HEAD + ROOM);
		r->deflated = compress ? malloc(BLOCK_HEAD + compressBound(ROOM)) : NULL;
		if (!r->packed || (compress && !r->deflated))
			error = -ENOMEM;
	}
	if (error) {
		recording_close(r);
		r->error = error;
	}
	return error;
}

/* What was in the file goes, and what will be in it is for the owner only. */
static int empty_file(struct recording *r)
{
	struct stat st;

	if (r->owned && !r->error && !fstat(r->fd, &st) && S_ISREG(st.st_mode) &&
	    (ftruncate(r->fd, 0) || fchmod(r->fd, 0600)))
		r->error = -errno;
	return r->error;
}

static int write_all(struct recording *r, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len && !r->error) {
		ssize_t n = write(r->fd, at, len);

		if (n < 0 && errno != EINTR)
			r->error = -errno;
		if (n <= 0)
			continue;
		at += n;
		len -= (size_t)n;
		r->bytes += (uint64_t)n;
	}
	return r->error;
}

static int write_block(struct recording *r)
{
	struct recording_block block = {
		.magic = RECORDING_BLOCK_MAGIC,
		.stored_len = (uint32_t)r->packed_len,
		.packed_len = (uint32_t)r->packed_len,
		.records = r->block_records,
	};
	unsigned char *stored = r->packed;
	uLongf len = compressBound(ROOM);

	if (!r->block_records)
		return r->error;
	if (r->deflated &&
	    compress2(r->deflated + BLOCK_HEAD, &len, r->packed + BLOCK_HEAD, r->packed_len, 6) ==
		    Z_OK &&
	    len < r->packed_len) {
		stored = r->deflated;
		block.stored_len = (uint32_t)len;
		block.flags = RECORDING_DEFLATED;
	}
	block.crc = (uint32_t)crc32(0, stored + BLOCK_HEAD, block.stored_len);
	memcpy(stored, &block, sizeof(block));
	if (!write_all(r, stored, BLOCK_HEAD + block.stored_len))
		r->stored += r->block_records;
	pack_reset(&r->pack);
	r->packed_len = r->block_records = 0;
	return r->error;
}

/* One KEY=VALUE line; what would end or hide it in the value becomes '?'. */
static void head_line(char *text, size_t size, const char *key, const char *value, size_t len)
{
	size_t at = strlen(text);

	at += (size_t)snprintf(text + at, size - at, "%s=", key);
	for (size_t i = 0; i < len && at + 2 < size; i++) {
		unsigned char c = (unsigned char)value[i];

		text[at++] = (char)(c == '\0' ? ' ' : c < ' ' || c == 0x7f ? '?' : c);
	}
	text[at++] = '\n';
	text[at] = '\0';
}

static void head_word(char *text, size_t size, const char *key, const char *value)
{
	head_line(text, size, key, value, strlen(value));
}

static int write_head(struct recording *r, const struct wire_start *start)
{
	struct recording_head head = {
		.magic = RECORDING_MAGIC,
		.version = RECORDING_VERSION,
		.wire_version = WIRE_VERSION,
	};
	const size_t size = 16384;
	char *text = calloc(1, size), number[64], blind[512] = "";
	struct utsname uts;

	if (!text)
		return r->error = -ENOMEM;
	head_line(text, size, "kernel", start->text, start->kernel_len);
	head_word(text, size, "arch", uname(&uts) ? "" : uts.machine);
	head_line(text, size, "host", start->text + start->kernel_len, start->host_len);
	snprintf(number, sizeof(number), "boot %" PRIu64 " wall %" PRIu64,
		 (uint64_t)start->head.ts_ns, (uint64_t)start->wall_ns);
	head_word(text, size, "clock", number);
	head_line(text, size, "command", start->text + start->kernel_len + start->host_len,
		  start->command_len < 4096 ? start->command_len : 4096);
	head_word(text, size, "backend", backend_name(start->backend));
	head_word(text, size, "probes", r->probes);
	for (unsigned int bit = 0; bit < 32 && start->blind >> bit; bit++)
		if (start->blind & 1U << bit)
			snprintf(blind + strlen(blind), sizeof(blind) - strlen(blind), "%s%s",
				 blind[0] ? " " : "", blind_name(bit));
	head_word(text, size, "blind", blind);
	head.text_len = (uint32_t)strlen(text);
	head.crc = (uint32_t)crc32(0, (const unsigned char *)text, head.text_len);
	write_all(r, &head, sizeof(head));
	write_all(r, text, head.text_len);
	free(text);
	return r->error;
}

int recording_add(struct recording *r, const void *record, size_t len_bytes)
{
	if (r->error)
		return r->error;
	if (!r->begun) {
		if (((const struct wire_head *)record)->kind != WIRE_START)
			return -EINVAL;
		r->begun = true;
		if (empty_file(r) || write_head(r, record))
			return r->error;
	}
	if (!r->block_records)
		r->block_since_ns = monotonic_ns();
	r->packed_len +=
		pack_record(&r->pack, record, len_bytes, r->packed + BLOCK_HEAD + r->packed_len);
	r->block_records++;
	r->records++;
	return r->packed_len >= BLOCK_FULL ? write_block(r) : 0;
}

int recording_beat(struct recording *r)
{
	if (r->block_records && monotonic_ns() - r->block_since_ns >= BLOCK_OLD_NS)
		write_block(r);
	return r->error;
}

int recording_close(struct recording *r)
{
	if (r->packed)
		write_block(r);
	if (r->created && !r->begun)
		unlink(r->path);
	if (r->owned && r->fd >= 0 && close(r->fd) && !r->error)
		r->error = -errno;
	free(r->packed);
	free(r->deflated);
	r->packed = r->deflated = NULL;
	r->owned = r->created = false;
	return r->error;
}
