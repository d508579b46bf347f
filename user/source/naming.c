// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/naming.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/core/record.h"
#include "user/source/cgroup.h"

/* Numbers already looked up. When it is full it is emptied: names are then given again. */
#define SEEN_MAX 8192

struct naming {
	uint32_t own_netns;
	int cgroup_fd; /* mount of cgroup2, -1 if none */
	uint64_t last_cgroup;
	size_t seen_len;
	uint64_t seen[2 * SEEN_MAX]; /* open addressing, 0: free */
	struct made made;
};

struct naming *naming_new(uint32_t own_netns)
{
	struct naming *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->own_netns = own_netns;
	n->cgroup_fd = cgroup_open();
	return n;
}

void naming_free(struct naming *n)
{
	if (n && n->cgroup_fd >= 0)
		close(n->cgroup_fd);
	free(n);
}

/* True the first time that a number of its kind is asked about. */
static bool seen_first(struct naming *n, enum wire_name_what what, uint64_t id)
{
	uint64_t key = (id << 2 | (uint64_t)what) | 1ULL << 63;
	size_t at = (key * 0x9e3779b97f4a7c15ULL) >> 50; /* 14 bits: 2 * SEEN_MAX */

	if (n->seen_len >= SEEN_MAX) {
		memset(n->seen, 0, sizeof(n->seen));
		n->seen_len = 0;
	}
	for (; n->seen[at]; at = (at + 1) % (2 * SEEN_MAX))
		if (n->seen[at] == key)
			return false;
	n->seen[at] = key;
	n->seen_len++;
	return true;
}

/* The cgroup with this inode number, by looking at them all. */
static bool cgroup_search(char *root, uint64_t id, char *path, size_t path_len)
{
	char *roots[] = { root, NULL };
	size_t root_len = strlen(root);
	FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;
	bool found = false;

	while (walk && !found && (entry = fts_read(walk))) {
		found = entry->fts_info == FTS_D && entry->fts_statp->st_ino == id;
		if (found)
			snprintf(path, path_len, "%s",
				 entry->fts_pathlen == root_len ? "/" : entry->fts_path + root_len);
	}
	if (walk)
		fts_close(walk);
	return found;
}

/*
 * Path of a cgroup below the mount: its id is the inode number, and since 5.6 the kernel opens
 * a kernfs node by that (fs/kernfs/mount.c, FILEID_KERNFS), for those who have CAP_DAC_READ_SEARCH.
 */
static bool cgroup_path(struct naming *n, uint64_t id, char *path, size_t path_len)
{
	struct {
		struct file_handle handle;
		uint64_t id;
	} h = { .handle = { .handle_bytes = sizeof(uint64_t), .handle_type = 0xfe } };
	char link[64], found[4096], root[4096];
	ssize_t len, root_len;
	int fd;

	if (n->cgroup_fd < 0)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", n->cgroup_fd);
	root_len = readlink(link, root, sizeof(root) - 1);
	if (root_len <= 0)
		return false;
	root[root_len] = '\0';
	memcpy(h.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(n->cgroup_fd, &h.handle, O_RDONLY | O_PATH | O_CLOEXEC);
	if (fd < 0)
		return errno == EPERM && cgroup_search(root, id, path, path_len);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, found, sizeof(found) - 1);
	close(fd);
	if (len < root_len || memcmp(found, root, (size_t)root_len))
		return false;
	found[len] = '\0';
	snprintf(path, path_len, "%s", len == root_len ? "/" : found + root_len);
	return true;
}

/* As ip-netns(8) names them: files in /run/netns. */
static bool netns_name(uint32_t inum, char *name, size_t name_len)
{
	DIR *dir = opendir("/run/netns");
	struct dirent *entry;
	struct stat st;
	bool found = false;

	if (!dir)
		return false;
	while (!found && (entry = readdir(dir))) {
		if (fstatat(dirfd(dir), entry->d_name, &st, 0) || st.st_ino != inum)
			continue;
		snprintf(name, name_len, "%s", entry->d_name);
		found = true;
	}
	closedir(dir);
	return found;
}

static int look_cgroup(struct naming *n, const struct wire_who *who, uint64_t ts_ns,
		       int (*give)(void *, const void *, size_t), void *arg)
{
	char path[4096];

	if (who->cgroup == n->last_cgroup)
		return 0;
	n->last_cgroup = who->cgroup;
	if (!who->cgroup || !seen_first(n, WIRE_NAME_CGROUP, who->cgroup) ||
	    !cgroup_path(n, who->cgroup, path, sizeof(path)))
		return 0;
	return give(arg, n->made.bytes,
		    make_name(&n->made, ts_ns, WIRE_NAME_CGROUP, who->cgroup, 0, path));
}

static int look_socket(struct naming *n, const struct wire_sock *sock, uint64_t ts_ns,
		       int (*give)(void *, const void *, size_t), void *arg)
{
	char name[NAME_MAX + 1];
	int error = 0;

	if (sock->netns != n->own_netns && seen_first(n, WIRE_NAME_NETNS, sock->netns) &&
	    netns_name(sock->netns, name, sizeof(name)))
		error = give(arg, n->made.bytes,
			     make_name(&n->made, ts_ns, WIRE_NAME_NETNS, sock->netns, 0, name));
	/* interfaces of other namespaces keep their numbers: their names are not ours to read */
	if (!error && sock->ifindex && sock->netns == n->own_netns &&
	    seen_first(n, WIRE_NAME_DEVICE, sock->ifindex) && if_indextoname(sock->ifindex, name))
		error = give(arg, n->made.bytes,
			     make_name(&n->made, ts_ns, WIRE_NAME_DEVICE, sock->ifindex,
				       sock->netns, name));
	return error;
}

int naming_look(struct naming *n, const void *record,
		int (*give)(void *arg, const void *record, size_t len_bytes), void *arg)
{
	const struct wire_head *head = record;
	int error;

	if (head->kind == WIRE_OWNER)
		return look_cgroup(n, &((const struct wire_owner *)record)->who, head->ts_ns, give,
				   arg);
	if (head->kind == WIRE_HOLDER) {
		const struct wire_holder *holder = record;

		error = look_cgroup(n, &holder->who, head->ts_ns, give, arg);
		return error ? error : look_socket(n, &holder->sock, head->ts_ns, give, arg);
	}
	if (!record_is_call(head->kind))
		return 0;
	error = look_cgroup(n, &((const struct wire_call *)record)->who, head->ts_ns, give, arg);
	if (!error)
		error = look_socket(n, &((const struct wire_call *)record)->sock, head->ts_ns, give,
				    arg);
	return error;
}
