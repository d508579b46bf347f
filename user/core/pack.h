/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pack.h owns the compact form of wire records: what changed since the last record of that kind,
 * word by word. It does not look into records more than that and has no file.
 *
 * A packed record, all numbers in host order:
 *
 *	u8	kind
 *	kinds that the collector makes: u16 length of the record, then the record as it is
 *	kinds that the probes make, whose size S is fixed:
 *	u8[]	(S / 8 + 7) / 8 bytes: a bit for each 64-bit word that is not zero after the
 *		transformation below
 *	per such word: u8, first << 3 | (last - first): which bytes, from the first to the last
 *		that is not zero, follow
 *
 * The transformation, undone in reverse: head.ts_ns becomes the zigzag difference to the time of
 * the record before; other times become the distance to head.ts_ns (0 stays 0); a socket's number
 * becomes the difference to its creation, or to the last number seen; every word but these is
 * then XORed with its predecessor in the last record of that kind. A state begins all zero.
 */
#ifndef PORTLIFE_CORE_PACK_H
#define PORTLIFE_CORE_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/wire.h"

#define PACK_WORDS_MAX (sizeof(struct wire_call) / 8)
#define PACK_KINDS     32 /* kinds from the probes are below that */
/* A packed record is never longer than this. */
#define PACK_MAX(len_bytes) ((len_bytes) + (len_bytes) / 8 + 16)

/* What a packer and its unpacker both know. Zero-initialised, again at the start of each block. */
struct pack {
	uint64_t last_ts_ns;
	uint64_t last_id;
	uint64_t previous[PACK_KINDS][PACK_WORDS_MAX];
};

void pack_reset(struct pack *pack);

/*
 * Packs one valid record (wire_check) of len bytes, 8-aligned, into out, which has room for
 * PACK_MAX(len). Returns the packed length.
 */
size_t pack_record(struct pack *pack, const void *record, size_t len_bytes, unsigned char *out);

/*
 * Unpacks one record from in_len bytes into out, which has room for 65536 bytes and is 8-aligned.
 * Returns the bytes taken and sets *len_bytes, or -EBADMSG. What comes out is not validated.
 */
ssize_t unpack_record(struct pack *pack, const unsigned char *in, size_t in_len, void *out,
		      size_t *len_bytes);

#endif
