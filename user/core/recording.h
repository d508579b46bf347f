/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recording.h owns the format of a recording, which user/sink/recording.c writes and
 * user/source/replay.c reads.
 *
 *	struct recording_head
 *	text of head.text_len bytes: lines KEY=VALUE for people (kernel, arch, host, time, command,
 *		backend, probes, blind, version); what a replay needs of it is also in WIRE_START
 *	blocks: struct recording_block, then block.stored_len bytes
 *
 * A block holds packed records (core/pack.h) of one pack state, which begins anew with each
 * block, and is deflated (zlib) if flagged so. The first record of the first block is
 * WIRE_START; a complete recording ends with WIRE_STOP and nothing after it. Numbers are little
 * endian.
 */
#ifndef PORTLIFE_CORE_RECORDING_H
#define PORTLIFE_CORE_RECORDING_H

#include <stdint.h>

#define RECORDING_MAGIC	      "PORTLIFE"
#define RECORDING_VERSION     1
#define RECORDING_BLOCK_MAGIC 0x6b6c426cU /* "lBlk" */

struct recording_head {
	char magic[8];
	uint16_t version;      /* RECORDING_VERSION: a reader refuses what is newer */
	uint16_t wire_version; /* WIRE_VERSION of the records: likewise */
	uint32_t text_len;
	uint32_t crc;	/* of the text, CRC-32 (zlib) */
	uint32_t flags; /* 0 */
};

enum recording_flag { RECORDING_DEFLATED = 1 };

struct recording_block {
	uint32_t magic;
	uint32_t flags;	     /* enum recording_flag */
	uint32_t stored_len; /* bytes that follow */
	uint32_t packed_len; /* of the records in it, after inflating */
	uint32_t records;
	uint32_t crc; /* of the bytes that follow, CRC-32 (zlib) */
};

#define RECORDING_TEXT_MAX   65536
#define RECORDING_PACKED_MAX (256 * 1024) /* a block's records: bounds the reader's memory */

_Static_assert(sizeof(struct recording_head) == 24, "recording_head");
_Static_assert(sizeof(struct recording_block) == 24, "recording_block");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	       "recordings are little endian; this machine is not");

#endif
