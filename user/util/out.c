/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/util/out.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int out_open(struct out *out, int fd, bool owned, size_t size_bytes)
{
	*out = (struct out){ .fd = fd, .owned = owned };
	if (size_bytes < 2 * OUT_ROOM_MAX)
		size_bytes = 2 * OUT_ROOM_MAX;
	out->buf = malloc(size_bytes);
	if (!out->buf)
		return -ENOMEM;
	out->size_bytes = size_bytes;
	return 0;
}

/* Somebody else may have made a shared descriptor non-blocking: then wait for the reader. */
static int out_wait(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLOUT };

	if (poll(&poll_fd, 1, -1) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

static int out_write_fd(int fd, const char *bytes, size_t len_bytes)
{
	while (len_bytes) {
		ssize_t done = write(fd, bytes, len_bytes);

		if (done < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			int err = out_wait(fd);

			if (err)
				return err;
			continue;
		}
		if (done < 0 && errno != EINTR)
			return -errno;
		if (done > 0) {
			bytes += done;
			len_bytes -= (size_t)done;
		}
	}
	return 0;
}

int out_flush(struct out *out)
{
	if (!out->error && out->len_bytes)
		out->error = out_write_fd(out->fd, out->buf, out->len_bytes);
	out->len_bytes = 0;
	return out->error;
}

int out_close(struct out *out)
{
	int err;

	if (!out->buf)
		return 0;
	err = out_flush(out);
	if (out->owned && close(out->fd) && !err)
		err = -errno;
	free(out->buf);
	out->buf = NULL;
	return err;
}

void out_write(struct out *out, const char *bytes, size_t len_bytes)
{
	while (len_bytes) {
		size_t part = len_bytes < OUT_ROOM_MAX ? len_bytes : OUT_ROOM_MAX;
		char *p = out_room(out, part);

		memcpy(p, bytes, part);
		out_advance(out, p + part);
		bytes += part;
		len_bytes -= part;
	}
}
