// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/hearsay.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/core/record.h"
#include "user/core/taken.h"
#include "user/source/census.h"
#include "user/source/diag.h"
#include "user/source/make.h"

struct hearsay {
	const struct hearsay_handler *handler;
	struct diag_sock *socks;
	size_t len, max;
	bool *met; /* some process has it */
	uint32_t netns;
	uint64_t now_ns;
	uint64_t first_id;
};

static int take(void *arg, const struct diag_sock *found)
{
	struct hearsay *h = arg;

	if (h->len == h->max) {
		size_t max = h->max ? 2 * h->max : 256;
		struct diag_sock *grown = reallocarray(h->socks, max, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		h->socks = grown;
		h->max = max;
	}
	h->socks[h->len] = *found;
	h->socks[h->len].sock.netns = h->netns;
	if (found->path) {
		h->socks[h->len].path = malloc(found->path_bytes);
		if (!h->socks[h->len].path)
			return -ENOMEM;
		memcpy(h->socks[h->len].path, found->path, found->path_bytes);
	}
	if (found->is_entry) {
		h->handler->time_wait(h->handler->arg, &h->socks[h->len].sock,
				      found->time_wait_left_ms);
		h->socks[h->len].sock.state = TCP_TIME_WAIT;
	}
	h->len++;
	return 0;
}

static int compare_inodes(const void *left, const void *right)
{
	const struct diag_sock *a = left, *b = right;

	return a->inode < b->inode ? -1 : a->inode > b->inode;
}

static int tell_path(struct hearsay *h, size_t i)
{
	struct wire_address a = {
		.head = {
			.len_bytes = sizeof(a),
			.kind = WIRE_ADDRESS,
			.version = WIRE_VERSION,
			.ts_ns = h->now_ns,
		},
		.id = h->first_id + i,
		.side = WIRE_ADDRESS_LOCAL,
		.path_bytes = h->socks[i].path_bytes,
	};

	memcpy(a.path, h->socks[i].path, h->socks[i].path_bytes);
	return h->handler->give(h->handler->arg, &a, sizeof(a));
}

static int tell(struct hearsay *h, size_t i, const struct wire_who *who, int fd)
{
	struct wire_call found = {
		.head = {
			.len_bytes = sizeof(found),
			.kind = WIRE_FOUND,
			.version = WIRE_VERSION,
			.ts_ns = h->now_ns,
		},
		.sock = h->socks[i].sock,
		.facts = WIRE_F_PASS,
		.fd = fd,
	};
	int error = 0;

	found.sock.id = h->first_id + i;
	if (h->socks[i].inode && record_has_range(found.sock.protocol)) {
		found.sock_uid = h->socks[i].uid;
		found.facts |= WIRE_F_SOCK_UID;
	}
	if (h->socks[i].path && !h->met[i])
		error = tell_path(h, i);
	if (error)
		return error;
	if (who) {
		found.who = *who;
		found.facts |= WIRE_F_WHO;
		h->met[i] = true;
	}
	return h->handler->give(h->handler->arg, &found, sizeof(found));
}

/* Closed, and the kernel finishes the connection: sock_diag(7) knows no file of it. */
static bool is_orphan(const struct diag_sock *found)
{
	switch (found->sock.state) {
	case TCP_FIN_WAIT1:
	case TCP_FIN_WAIT2:
	case TCP_CLOSING:
	case TCP_LAST_ACK:
		return !found->inode;
	default:
		return false;
	}
}

/* The number in "socket:[4711]", 0 if it is none. */
static uint64_t inode_of(const char *text)
{
	char *end;
	unsigned long long inode;

	if (strncmp(text, "socket:[", 8) != 0)
		return 0;
	inode = strtoull(text + 8, &end, 10);
	return *end == ']' ? inode : 0;
}

static int look_descriptor(struct hearsay *h, const struct wire_who *who, int dir_fd,
			   const char *name)
{
	struct diag_sock key = { .inode = 0 };
	const struct diag_sock *found;
	char link[64];
	ssize_t len = readlinkat(dir_fd, name, link, sizeof(link) - 1);

	if (len <= 0)
		return 0;
	link[len] = '\0';
	key.inode = inode_of(link);
	if (!key.inode)
		return 0;
	found = bsearch(&key, h->socks, h->len, sizeof(key), compare_inodes);
	return found ? tell(h, (size_t)(found - h->socks), who, (int)strtol(name, NULL, 10)) : 0;
}

/* Name and user of a process; false if it is gone. */
static bool look_who(const char *pid, struct wire_who *who)
{
	char path[300];
	struct stat st;
	ssize_t len;
	int fd;

	*who = (struct wire_who){ .pid = (uint32_t)strtoul(pid, NULL, 10) };
	who->tid = who->pid_host = who->pid;
	snprintf(path, sizeof(path), "/proc/%s", pid);
	if (stat(path, &st))
		return false;
	who->uid = st.st_uid;
	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	len = read(fd, who->comm, sizeof(who->comm));
	close(fd);
	if (len > 0 && who->comm[len - 1] == '\n')
		who->comm[len - 1] = '\0';
	return len > 0;
}

static int look_process(struct hearsay *h, const char *pid)
{
	struct dirent *entry;
	struct wire_who who;
	char path[300];
	int error = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	if (!dir)
		return 0; /* gone, or another user's */
	if (look_who(pid, &who))
		while (!error && (entry = readdir(dir)))
			if (isdigit((unsigned char)entry->d_name[0]))
				error = look_descriptor(h, &who, dirfd(dir), entry->d_name);
	closedir(dir);
	return error;
}

static int look_processes(struct hearsay *h)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int error = 0;

	while (!error && dir && (entry = readdir(dir)))
		if (isdigit((unsigned char)entry->d_name[0]))
			error = look_process(h, entry->d_name);
	if (dir)
		closedir(dir);
	return error;
}

static int ask_all(struct hearsay *h)
{
	int error = diag_dump(IPPROTO_TCP, DIAG_ALL, take, h);

	if (!error)
		error = diag_dump(IPPROTO_UDP, DIAG_ALL, take, h);
	if (!error)
		error = diag_dump(IPPROTO_UDPLITE, DIAG_ALL, take, h);
	return error == -ENOENT ? 0 : error; /* UDP-Lite is gone since 7.1 */
}

/* Numbers of sockets that no walk gives. */
#define FIRST_ID	(UINT64_C(1) << 62)
#define FIRST_OF_FAMILY (UINT64_C(3) << 61)

static int tell_all(struct hearsay *h)
{
	int error;

	if (h->len)
		qsort(h->socks, h->len, sizeof(*h->socks), compare_inodes);
	h->met = calloc(h->len ? h->len : 1, sizeof(*h->met));
	error = h->met ? look_processes(h) : -ENOMEM;
	for (size_t i = 0; i < h->len && !error; i++)
		if (!h->met[i])
			error = tell(h, i, NULL, is_orphan(&h->socks[i]) ? -1 : TAKEN_FD_UNSEEN);
	return error;
}

static void forget(struct hearsay *h)
{
	for (size_t i = 0; i < h->len; i++)
		free(h->socks[i].path);
	free(h->met);
	free(h->socks);
}

static struct hearsay begin(const struct hearsay_handler *handler, uint64_t first_id)
{
	return (struct hearsay){
		.handler = handler,
		.netns = namespace_inum("net"),
		.now_ns = clock_boot_ns(),
		.first_id = first_id,
	};
}

int hearsay_take(const struct hearsay_handler *handler)
{
	struct hearsay h = begin(handler, FIRST_ID);
	int error = ask_all(&h);

	if (!error)
		error = tell_all(&h);
	forget(&h);
	return error;
}

static int pass_over(void *arg, const struct diag_sock *found)
{
	(void)arg;
	(void)found;
	return 0;
}

bool hearsay_knows_vsock(void)
{
	return !census_take(WIRE_FAMILY_VSOCK, pass_over, NULL);
}

int hearsay_families(const struct hearsay_handler *handler, uint32_t families)
{
	struct hearsay h = begin(handler, FIRST_OF_FAMILY);
	int missing = census_take(families, take, &h), error = missing;

	if (!error || error == -ENOENT)
		error = tell_all(&h);
	forget(&h);
	return error ? error : missing;
}
