/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * namespaces.h owns the list of network namespaces that can be reached from here and the way into
 * one and back. It knows nothing of sockets.
 */
#ifndef PORTLIFE_SOURCE_NAMESPACES_H
#define PORTLIFE_SOURCE_NAMESPACES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct netns {
	uint32_t inum;
	char *path; /* below /proc, or where it is mounted; NULL: fd holds it */
	int fd;	    /* -1: path leads to it */
};

struct namespaces {
	struct netns *list;
	size_t len;
	size_t seen, hidden; /* processes whose namespace may, and may not, be looked at */
};

/*
 * Every network namespace that a process is in, or that is mounted as ip-netns(8) does it; each
 * once. 0 or -ENOMEM.
 */
int namespaces_list(struct namespaces *namespaces);

/*
 * Adds the namespace of a socket that a process has open, if it is not in the list: one that every
 * process has left may live on in its sockets. Nothing happens if the socket is gone.
 */
void namespaces_add_socket(struct namespaces *namespaces, uint32_t inum, pid_t pid, int fd);
void namespaces_free(struct namespaces *namespaces);

/*
 * Calls function() inside a namespace; own_fd is the one to come back to, and where it may be
 * called without a privilege. Returns what function()
 * returned, -ENOENT if the namespace is gone, -EPERM and friends if it cannot be entered, or
 * -ENOTRECOVERABLE: no way back, the process must end.
 */
int netns_visit(const struct netns *netns, int own_fd, int (*function)(void *arg), void *arg);

#endif
