/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay.h owns the way from a recording to a stream of records: the same calls, in the same
 * order, that live_run() made when it was written. It does not know what a record means.
 */
#ifndef PORTLIFE_SOURCE_REPLAY_H
#define PORTLIFE_SOURCE_REPLAY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "user/source/live.h"

struct replay_result {
	char reason[512]; /* one line for a person when it fails, without newline */
	uint64_t records; /* given to the handler */
	uint64_t bytes;	  /* read */
};

/*
 * Where the bytes come from, like read(2): a short count is allowed, 0 is the end, a negative
 * errno an error.
 */
typedef ssize_t (*replay_read)(void *arg, void *buffer, size_t len_bytes);

/*
 * Replays what read() gives. Calls handler->feed and ->batch, not ->ready. Returns 0 after a
 * complete recording or LIVE_ENOUGH; -EBADMSG if the recording is damaged or ends too early, after
 * giving what was good; -EPROTONOSUPPORT if it is of a newer format; or the negative errno of
 * read(), feed() or batch(). Memory does not depend on what the recording says.
 */
int replay_stream(replay_read read, void *arg, const struct live_handler *handler,
		  struct replay_result *result);

/*
 * Replays a file ("-": standard input). With progress, how far it is is shown on standard error
 * while it takes long; the caller has seen that it is a terminal.
 */
int replay_file(const char *path, bool progress, const struct live_handler *handler,
		struct replay_result *result);

#endif
