// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/namespaces.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static bool is_listed(const struct namespaces *n, uint32_t inum)
{
	/* the latest is the likeliest to be asked for again */
	for (size_t i = n->len; i > 0; i--)
		if (n->list[i - 1].inum == inum)
			return true;
	return false;
}

static int append(struct namespaces *n, const struct netns *netns)
{
	struct netns *list = reallocarray(n->list, n->len + 1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	n->list = list;
	n->list[n->len++] = *netns;
	return 0;
}

static int add(struct namespaces *n, uint32_t inum, const char *path)
{
	struct netns new = { .inum = inum, .fd = -1 };
	int error = 0;

	if (is_listed(n, inum))
		return 0;
	new.path = strdup(path);
	if (new.path)
		error = append(n, &new);
	if (error)
		free(new.path);
	return new.path ? error : -ENOMEM;
}

/* The namespace of another process's socket, -1 if it cannot be had. */
static int open_by_socket(pid_t pid, int fd)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0), copy, netns;

	if (process < 0)
		return -1;
	copy = (int)syscall(SYS_pidfd_getfd, process, fd, 0); /* 5.6 */
	close(process);
	if (copy < 0)
		return -1;
	netns = ioctl(copy, SIOCGSKNS);
	close(copy);
	if (netns >= 0 && fcntl(netns, F_SETFD, FD_CLOEXEC)) {
		close(netns);
		return -1;
	}
	return netns;
}

void namespaces_add_socket(struct namespaces *n, uint32_t inum, pid_t pid, int fd)
{
	struct netns new = { .inum = inum };
	struct stat st;

	if (is_listed(n, inum))
		return;
	new.fd = open_by_socket(pid, fd);
	if (new.fd < 0)
		return;
	/* the descriptor may be another socket's by now */
	if (fstat(new.fd, &st) || st.st_ino != inum || append(n, &new))
		close(new.fd);
}

/* The number in "net:[4026531840]", 0 if it is none. */
static uint32_t inum_of(const char *text)
{
	char *end;
	unsigned long inum;

	if (strncmp(text, "net:[", 5))
		return 0;
	inum = strtoul(text + 5, &end, 10);
	return *end == ']' && inum <= UINT32_MAX ? (uint32_t)inum : 0;
}

static int list_processes(struct namespaces *n)
{
	DIR *dir = opendir("/proc");
	struct dirent *entry;
	int error = 0;

	if (!dir)
		return 0;
	while (!error && (entry = readdir(dir))) {
		char path[300], link[64];
		ssize_t len;

		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/ns/net", entry->d_name);
		len = readlink(path, link, sizeof(link) - 1);
		if (len <= 0) {
			n->hidden += errno == EACCES || errno == EPERM;
			continue; /* else gone, or a zombie */
		}
		link[len] = '\0';
		n->seen++;
		if (inum_of(link))
			error = add(n, inum_of(link), path);
	}
	closedir(dir);
	return error;
}

/* As /proc/self/mountinfo writes a path: white space and backslashes as \ooo. */
static void unescape(char *text)
{
	char *to = text;

	for (const char *from = text; *from; to++) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*to = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
}

/* A line of mountinfo: "36 35 0:4 net:[4026532281] /run/netns/blue rw shared:9 - nsfs nsfs rw" */
static int add_mount(struct namespaces *n, char *line)
{
	char *save = NULL, *field = strtok_r(line, " ", &save), *path;
	uint32_t inum;

	for (int i = 0; field && i < 3; i++)
		field = strtok_r(NULL, " ", &save);
	path = strtok_r(NULL, " ", &save);
	if (!field || !path)
		return 0;
	inum = inum_of(field);
	if (!inum)
		return 0;
	unescape(path);
	return add(n, inum, path);
}

static int list_mounts(struct namespaces *n)
{
	FILE *file = fopen("/proc/self/mountinfo", "re");
	size_t line_len = 0;
	char *line = NULL;
	int error = 0;

	if (!file)
		return 0;
	while (!error && getline(&line, &line_len, file) > 0)
		error = add_mount(n, line);
	free(line);
	fclose(file);
	return error;
}

int namespaces_list(struct namespaces *n)
{
	int error;

	memset(n, 0, sizeof(*n));
	error = list_processes(n);
	if (!error)
		error = list_mounts(n);
	if (error)
		namespaces_free(n);
	return error;
}

void namespaces_free(struct namespaces *n)
{
	for (size_t i = 0; i < n->len; i++) {
		free(n->list[i].path);
		if (n->list[i].fd >= 0)
			close(n->list[i].fd);
	}
	free(n->list);
	memset(n, 0, sizeof(*n));
}

int netns_visit(const struct netns *netns, int own_fd, int (*function)(void *arg), void *arg)
{
	int fd, error;
	struct stat st;

	if (!fstat(own_fd, &st) && st.st_ino == netns->inum)
		return function(arg);
	fd = netns->path ? open(netns->path, O_RDONLY | O_CLOEXEC)
			 : fcntl(netns->fd, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		return errno == EACCES ? -EPERM : -errno;
	/* the process may be gone and its number another one's */
	if (fstat(fd, &st) || st.st_ino != netns->inum) {
		close(fd);
		return -ENOENT;
	}
	error = setns(fd, CLONE_NEWNET) ? -errno : 0;
	close(fd);
	if (error)
		return error;
	error = function(arg);
	return setns(own_fd, CLONE_NEWNET) ? -ENOTRECOVERABLE : error;
}
