/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a recording: through the reader, the decoder, the table of lives and both sinks.
 *
 * So that the fuzzer gets past the checksums, the first byte chooses: 0: the bytes are a recording
 * as they are; 1: they are the packed records of one block behind a good head; 2: they are wire
 * records, one after the other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "user/core/core.h"
#include "user/core/recording.h"
#include "user/sink/json.h"
#include "user/sink/text.h"
#include "user/source/replay.h"
#include "user/util/out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct memory {
	const uint8_t *at;
	size_t left;
};

static ssize_t read_memory(void *arg, void *buffer, size_t len)
{
	struct memory *m = arg;

	if (len > m->left)
		len = m->left;
	memcpy(buffer, m->at, len);
	m->at += len;
	m->left -= len;
	return (ssize_t)len;
}

static int feed(void *arg, const void *record, size_t len)
{
	int error = core_feed(arg, record, len);

	return error == -EBADMSG ? LIVE_GO_ON : error;
}

static int batch(void *arg)
{
	(void)arg;
	return 0;
}

/* A recording around packed records, with right checksums. */
static void wrapped(struct memory *m, uint8_t *buffer, const uint8_t *data, size_t size)
{
	struct recording_head head = { .magic = RECORDING_MAGIC,
				       .version = RECORDING_VERSION,
				       .wire_version = WIRE_VERSION };
	struct recording_block block = { .magic = RECORDING_BLOCK_MAGIC,
					 .stored_len = (uint32_t)size,
					 .packed_len = (uint32_t)size,
					 .records = 1000000,
					 .crc = (uint32_t)crc32(0, data, (uInt)size) };

	memcpy(buffer, &head, sizeof(head));
	memcpy(buffer + sizeof(head), &block, sizeof(block));
	memcpy(buffer + sizeof(head) + sizeof(block), data, size);
	m->at = buffer;
	m->left = sizeof(head) + sizeof(block) + size;
}

static void feed_records(struct core *core, const uint8_t *data, size_t size)
{
	uint64_t aligned[8192];

	while (size >= sizeof(struct wire_head)) {
		uint16_t len;

		memcpy(&len, data, sizeof(len));
		if (!len || len > size)
			len = (uint16_t)(size < 65535 ? size : 65535);
		memcpy(aligned, data, len);
		core_feed(core, aligned, len);
		data += len;
		size -= len;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct filter everything = { .states = true, .existing = true };
	struct text_options text_options = { .header = true };
	struct text_sink text;
	struct json_sink json;
	struct out out;
	struct sink sinks[2];
	struct core *core;
	struct replay_result result;
	struct memory m = { .at = data + 1, .left = size - 1 };
	uint8_t *buffer;

	static int null_fd = -1;

	if (null_fd < 0)
		null_fd = open("/dev/null", O_WRONLY);
	if (!size || out_open(&out, null_fd, false, 4 * OUT_ROOM_MAX))
		return 0;
	sinks[0] = text_sink_init(&text, &out, &text_options);
	sinks[1] = json_sink_init(&json, &out, "0");
	core = core_new(&everything, sinks, 2);
	buffer = malloc(size + 128);
	if (core && buffer && !core_explain(core)) {
		const struct live_handler handler = { .feed = feed, .batch = batch, .arg = core };

		if (data[0] == 2) {
			feed_records(core, data + 1, size - 1);
		} else {
			if (data[0] == 1)
				wrapped(&m, buffer, data + 1, size - 1);
			replay_stream(read_memory, &m, &handler, &result);
		}
	}
	free(buffer);
	core_free(core);
	out_close(&out);
	return 0;
}
