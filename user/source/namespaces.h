/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * namespaces.h owns the list of network namespaces that can be reached from here and the way into
 * one and back. It knows nothing of sockets.
 */
#ifndef PORTLIFE_SOURCE_NAMESPACES_H
#define PORTLIFE_SOURCE_NAMESPACES_H

#include <stddef.h>
#include <stdint.h>

struct namespace
{
	uint32_t inum;
	char *path; /* below /proc, or where it is mounted */
};

struct namespaces {
	struct namespace *list;
	size_t len;
};

/*
 * Every network namespace that a process is in, or that is mounted as ip-netns(8) does it; each
 * once. One that only a thread, a descriptor or a socket keeps is not found. 0 or -ENOMEM.
 */
int namespaces_list(struct namespaces *namespaces);
void namespaces_free(struct namespaces *namespaces);

/*
 * Calls function() inside a namespace; own_fd is the one to come back to. Returns what function()
 * returned, -ENOENT if the namespace is gone, -EPERM and friends if it cannot be entered, or
 * -ENOTRECOVERABLE: no way back, the process must end.
 */
int namespace_visit(const struct namespace *namespace, int own_fd, int (*function)(void *arg),
		    void *arg);

#endif
