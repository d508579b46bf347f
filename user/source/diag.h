/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * diag.h owns what sock_diag(7) tells anybody about the sockets of the network namespace that the
 * thread is in. It knows no process.
 */
#ifndef PORTLIFE_SOURCE_DIAG_H
#define PORTLIFE_SOURCE_DIAG_H

#include <stdbool.h>
#include <stdint.h>

#include "bpf/wire.h"

/* Sets of states, 1 << TCP_*. Bound and no more is a state of its own there: 6.8+. */
#define DIAG_TIME_WAIT (1U << 6)
#define DIAG_FIN_WAIT2 (1U << 5)
#define DIAG_ALL       ((1U << 12 | 1U << 13 | 0xfffU) & ~(1U << 3)) /* but requests */

struct diag_sock {
	struct wire_sock sock; /* id, netns, userlocks and most options: not told, 0 */
	uint64_t inode;	       /* 0: no file */
	uint32_t uid;
	uint32_t time_wait_left_ms;
	bool is_entry; /* of TIME_WAIT, also where sock.state is FIN_WAIT2: the peer has not closed
			*/
	char *path;    /* AF_UNIX: its name, path_bytes long; else NULL */
	uint16_t path_bytes;
};

/*
 * Calls give() for each socket of the protocol (IPPROTO_*), IPv4 first. Returns 0, what give()
 * returned, or a negative errno: -ENOENT where the kernel has no such module.
 */
int diag_dump(uint16_t protocol, uint32_t states, int (*give)(void *arg, const struct diag_sock *),
	      void *arg);

#endif
