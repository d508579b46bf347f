/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios_door.h owns the ways in which a call reaches the kernel: plain system calls, io_uring
 * requests, and the entry for 32-bit programs. All behave like the C library's functions: -1 and
 * errno. It knows no socket but its descriptor.
 */
#ifndef PORTLIFE_TESTS_SCENARIOS_DOOR_H
#define PORTLIFE_TESTS_SCENARIOS_DOOR_H

#include <sys/socket.h>

struct door_calls {
	const char *by;	   /* port_origin's `by` of what it assigns */
	const char *blind; /* what a backend declares that cannot see it, or NULL */
	int (*bind)(int fd, const struct sockaddr *address, socklen_t len);
	int (*listen)(int fd, int backlog);
	int (*connect)(int fd, const struct sockaddr *address, socklen_t len);
	int (*accept)(int fd);
	int (*send)(int fd, int flags, const struct sockaddr *address, socklen_t len);
};

const struct door_calls *door(void); /* of this thread */

#endif
