// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/ranges.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/core/record.h"
#include "user/source/make.h"
#include "user/source/namespaces.h"
#include "user/source/settings.h"

#define SPACES_KEPT  256
#define AGAIN_NS     1000000000ULL /* a failure does not ask for the same again before */
#define BEAT_NS	     5000000000ULL
#define BEAT_SPACES  16 /* looked at in one beat */
#define ATTEMPTS_MAX 8	/* to get into one */

/* A namespace that was met. */
struct place {
	uint32_t inum;
	uint32_t pid;	   /* that was in it; 0: the own one, or nobody known */
	uint32_t attempts; /* that failed */
	bool told;
	uint64_t read_ns;
	uint64_t digest; /* of what was told */
};

struct ranges {
	int own_fd;
	uint32_t own;
	size_t len, next, latest;
	uint64_t beat_ns, listed_ns;
	struct place list[SPACES_KEPT];
	struct settings settings;
	struct made made;
};

struct ranges *ranges_new(void)
{
	struct ranges *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->own = namespace_inum("net");
	r->own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return r;
}

void ranges_free(struct ranges *r)
{
	if (r && r->own_fd >= 0)
		close(r->own_fd);
	free(r);
}

static struct place *place_of(struct ranges *r, uint32_t inum)
{
	if (r->len && r->list[r->latest].inum == inum)
		return &r->list[r->latest];
	for (size_t i = 0; i < r->len; i++) {
		if (r->list[i].inum == inum) {
			r->latest = i;
			return &r->list[i];
		}
	}
	/* one after the other is forgotten: it is told of again when it is met again */
	r->latest = r->len < SPACES_KEPT ? r->len++ : r->next++ % SPACES_KEPT;
	r->list[r->latest] = (struct place){ .inum = inum };
	return &r->list[r->latest];
}

/* FNV-1a, of what was given: enough to see a change */
static uint64_t digest_of(const unsigned char *bytes, size_t len)
{
	uint64_t digest = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < len; i++)
		digest = (digest ^ bytes[i]) * 0x100000001b3ULL;
	return digest;
}

static int read_here(void *arg)
{
	struct ranges *r = arg;

	settings_read(&r->settings);
	return 0;
}

/* Another way in, where the process that was met there is gone: any other one, or a mount. */
static int read_listed(struct ranges *r, const struct place *place)
{
	struct namespaces n;
	int error = -ENOENT;

	if (clock_boot_ns() - r->listed_ns < AGAIN_NS || namespaces_list(&n))
		return error;
	r->listed_ns = clock_boot_ns();
	for (size_t i = 0; i < n.len; i++)
		if (n.list[i].inum == place->inum)
			error = netns_visit(&n.list[i], r->own_fd, read_here, r);
	namespaces_free(&n);
	return error;
}

/* Reads the settings there: 0 or a negative errno. */
static int read_place(struct ranges *r, const struct place *place)
{
	char path[64];
	struct netns netns = { .inum = place->inum, .path = path, .fd = -1 };
	int error;

	if (place->inum == r->own)
		return read_here(r);
	if (!place->pid || r->own_fd < 0)
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%u/ns/net", place->pid);
	error = netns_visit(&netns, r->own_fd, read_here, r);
	return error == -ENOENT ? read_listed(r, place) : error;
}

static int tell(struct ranges *r, struct place *place, uint64_t ts_ns, ranges_give *give, void *arg)
{
	int error = read_place(r, place);
	uint64_t digest;
	size_t len;

	place->read_ns = clock_boot_ns();
	if (error) {
		place->attempts++;
		return error == -ENOTRECOVERABLE ? error : 0;
	}
	r->settings.netns = place->inum;
	len = make_settings(&r->made, ts_ns, &r->settings);
	/* the head has the time */
	digest =
		digest_of(r->made.bytes + sizeof(struct wire_head), len - sizeof(struct wire_head));
	if (place->told && digest == place->digest)
		return 0;
	place->told = true;
	place->digest = digest;
	return give(arg, r->made.bytes, len);
}

int ranges_begin(struct ranges *r, ranges_give *give, void *arg)
{
	r->beat_ns = clock_boot_ns();
	return tell(r, place_of(r, r->own), r->beat_ns, give, arg);
}

/* May the settings say why? */
static bool may_explain(int error)
{
	return error == EACCES || error == EADDRINUSE || error == EADDRNOTAVAIL || error == EAGAIN;
}

int ranges_look(struct ranges *r, const void *record, ranges_give *give, void *arg)
{
	const struct wire_call *call = record;
	struct place *place;

	if (!record_is_call(call->head.kind) || !call->sock.netns)
		return 0;
	if (call->sock.netns == r->own && !call->error)
		return 0;
	place = place_of(r, call->sock.netns);
	if (call->who.pid)
		place->pid = call->who.pid;
	if (!place->told && place->pid && place->attempts < ATTEMPTS_MAX)
		return tell(r, place, call->head.ts_ns, give, arg);
	if (!may_explain(call->error) || !place->told ||
	    clock_boot_ns() - place->read_ns < AGAIN_NS)
		return 0;
	return tell(r, place, call->head.ts_ns, give, arg);
}

int ranges_beat(struct ranges *r, ranges_give *give, void *arg)
{
	uint64_t now = clock_boot_ns();
	int error = 0;

	if (now - r->beat_ns < BEAT_NS)
		return 0;
	r->beat_ns = now;
	for (size_t i = 0; i < BEAT_SPACES && i < r->len && !error; i++) {
		struct place *place = &r->list[r->next++ % r->len];

		if (place->told && place->attempts < ATTEMPTS_MAX)
			error = tell(r, place, now, give, arg);
	}
	return error;
}
