// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/sysctls.h"

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

#define FRESH_NS    UINT64_C(5000000)  /* what was read is taken to hold for so long */
#define WINDOW_NS   UINT64_C(50000000) /* in which ... */
#define ENTERED_MAX 16U		       /* ... other namespaces are entered at most so often */
#define KNOWN_MAX   64U

/* What was read of a namespace: it held from since_ns to read_ns. */
struct known {
	uint32_t netns;
	bool told; /* in the stream it holds now */
	uint64_t since_ns, read_ns;
	void *record; /* WIRE_SETTINGS, owned; NULL: it could not be read */
	size_t len;
	char path[64]; /* that led there */
};

struct sysctls {
	int own_fd; /* of this process's namespace, -1: no way back, so none is entered */
	uint32_t own;
	uint64_t fresh_ns;
	uint64_t window_ns;
	unsigned int entered; /* since then */
	struct known known[KNOWN_MAX];
	unsigned int next;
	struct settings settings;
	struct made made;
};

struct sysctls *sysctls_new(bool exact)
{
	struct sysctls *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->fresh_ns = exact ? 0 : FRESH_NS;
	s->own = namespace_inum("net");
	s->own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return s;
}

void sysctls_free(struct sysctls *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < KNOWN_MAX; i++)
		free(s->known[i].record);
	if (s->own_fd >= 0)
		close(s->own_fd);
	free(s);
}

/* --- reading ----------------------------------------------------------------------------- */

static int read_here(void *arg)
{
	settings_read_ports(arg);
	return 0;
}

static int read_by_path(struct sysctls *s, uint32_t netns, char *path)
{
	const struct netns there = { .inum = netns, .path = path, .fd = -1 };

	return netns_visit(&there, s->own_fd, read_here, &s->settings);
}

static bool may_enter(struct sysctls *s, uint64_t now)
{
	if (now - s->window_ns >= WINDOW_NS) {
		s->window_ns = now;
		s->entered = 0;
	}
	return s->own_fd >= 0 && s->entered++ < ENTERED_MAX;
}

/* By the process that acts there, or as it was reached before. */
static int read_there(struct sysctls *s, struct known *known, uint32_t pid, uint64_t now)
{
	char path[sizeof(known->path)];
	int error = -ENOENT;

	if (!may_enter(s, now))
		return -EAGAIN;
	snprintf(path, sizeof(path), "/proc/%u/ns/net", pid);
	if (pid)
		error = read_by_path(s, known->netns, path);
	if (!error)
		memcpy(known->path, path, sizeof(path));
	else if (error != -ENOTRECOVERABLE && known->path[0])
		error = read_by_path(s, known->netns, known->path);
	return error;
}

/* Takes what was just read; before: the time until which it surely had been so. */
static int remember(struct sysctls *s, struct known *known, uint64_t before)
{
	const size_t body = sizeof(struct wire_head);
	size_t len = make_settings(&s->made, 0, &s->settings);
	void *record;

	known->read_ns = before;
	if (known->record && known->len == len &&
	    !memcmp((char *)known->record + body, s->made.bytes + body, len - body))
		return 0;
	record = malloc(len);
	if (!record)
		return -ENOMEM;
	memcpy(record, s->made.bytes, len);
	free(known->record);
	known->record = record;
	known->len = len;
	known->since_ns = clock_boot_ns();
	known->read_ns = known->since_ns;
	return 0;
}

static int refresh(struct sysctls *s, struct known *known, uint32_t pid)
{
	uint64_t now = clock_boot_ns();
	int error = 0;

	if (known->netns == s->own)
		settings_read_ports(&s->settings);
	else
		error = read_there(s, known, pid, now);
	return error ? error : remember(s, known, now);
}

/* --- telling ----------------------------------------------------------------------------- */

static int give_known(struct known *known, uint64_t ts_ns, sysctls_give give, void *arg)
{
	((struct wire_head *)known->record)->ts_ns = ts_ns;
	known->told = true;
	return give(arg, known->record, known->len);
}

static int take_back(struct sysctls *s, struct known *known, uint64_t ts_ns, sysctls_give give,
		     void *arg)
{
	const struct settings nothing = { .netns = known->netns };

	known->told = false;
	return give(arg, s->made.bytes, make_settings(&s->made, ts_ns, &nothing));
}

/*
 * The first look into a namespace comes after what made it interesting. What it finds is told, for
 * who asks for the latest that is known, and taken back at once: nobody knows whether it held.
 */
static int tell_first(struct sysctls *s, struct known *known, uint64_t ts_ns, sysctls_give give,
		      void *arg)
{
	int error = give_known(known, ts_ns, give, arg);

	return error ? error : take_back(s, known, ts_ns, give, arg);
}

static struct known *find(struct sysctls *s, uint32_t netns)
{
	for (size_t i = 0; i < KNOWN_MAX; i++)
		if (s->known[i].netns == netns)
			return &s->known[i];
	return NULL;
}

/* A place for another one; whose it was is not watched any more. */
static int add(struct sysctls *s, uint32_t netns, uint64_t ts_ns, sysctls_give give, void *arg,
	       struct known **where)
{
	struct known *known = &s->known[s->next++ % KNOWN_MAX];
	int error;

	if (known->netns == s->own)
		known = &s->known[s->next++ % KNOWN_MAX];
	error = known->told ? take_back(s, known, ts_ns, give, arg) : 0;
	free(known->record);
	*known = (struct known){ .netns = netns };
	*where = known;
	return error;
}

/*
 * A record tells of a moment before now. What is read now held then, if it is what had been read
 * before that moment; else nobody knows which of the two did.
 */
static int tell(struct sysctls *s, struct known *known, uint32_t pid, uint64_t ts_ns,
		sysctls_give give, void *arg)
{
	uint64_t since = known->since_ns;
	bool first = !known->record;
	int error = ts_ns > known->read_ns + s->fresh_ns ? refresh(s, known, pid) : 0;
	bool holds = !error && known->record && ts_ns >= known->since_ns;

	if (error == -ENOTRECOVERABLE || error == -ENOMEM)
		return error;
	if (first && known->record && !holds)
		return tell_first(s, known, ts_ns, give, arg);
	if (since != known->since_ns && known->told && holds)
		known->told = false; /* something else was told */
	if (holds == known->told)
		return 0;
	return holds ? give_known(known, ts_ns, give, arg) : take_back(s, known, ts_ns, give, arg);
}

static int look(struct sysctls *s, uint32_t netns, uint32_t pid, uint64_t ts_ns, sysctls_give give,
		void *arg)
{
	struct known *known = find(s, netns);
	int error = known ? 0 : add(s, netns, ts_ns, give, arg, &known);

	return error ? error : tell(s, known, pid, ts_ns, give, arg);
}

int sysctls_look(struct sysctls *s, const void *record, sysctls_give give, void *arg)
{
	const struct wire_call *call = record;

	if (!record_is_call(call->head.kind) || !call->sock.netns)
		return 0;
	return look(s, call->sock.netns, call->who.pid, call->head.ts_ns, give, arg);
}

/* --- the start --------------------------------------------------------------------------- */

static int read_other(struct sysctls *s, const struct netns *netns)
{
	struct known *known;
	int error;

	if (!netns->path || strlen(netns->path) >= sizeof(known->path) || find(s, netns->inum))
		return 0;
	error = netns_visit(netns, s->own_fd, read_here, &s->settings);
	if (error)
		return error == -ENOTRECOVERABLE ? error : 0;
	known = &s->known[s->next++ % KNOWN_MAX];
	known->netns = netns->inum;
	memcpy(known->path, netns->path, strlen(netns->path) + 1);
	return remember(s, known, clock_boot_ns());
}

/* Those that are there now are told when something happens there. */
static int read_others(struct sysctls *s)
{
	struct namespaces n;
	int error = namespaces_list(&n);

	for (size_t i = 0; i < n.len && !error && s->next < KNOWN_MAX; i++)
		error = read_other(s, &n.list[i]);
	namespaces_free(&n);
	return error;
}

int sysctls_start(struct sysctls *s, sysctls_give give, void *arg)
{
	struct known *known = &s->known[s->next++];
	int error;

	known->netns = s->own;
	error = refresh(s, known, 0);
	if (!error)
		error = give_known(known, known->since_ns, give, arg);
	return !error && s->own_fd >= 0 ? read_others(s) : error;
}
