/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * place.h owns what bind() looks at besides other sockets: the network namespace's settings,
 * whether an address is one of its own, the number of a device, and what a process may. It binds
 * nothing.
 */
#ifndef PORTLIFE_SOURCE_PLACE_H
#define PORTLIFE_SOURCE_PLACE_H

#include <sys/types.h>

#include "user/core/event.h"
#include "user/core/settings.h"

struct place {
	struct settings settings; /* netns in it */
	uint32_t ifindex;	  /* of the device asked for; 0: none asked, or there is none */
	enum tristate is_local;	  /* the address */
};

/*
 * Looks from a network namespace, by its inode number (0: the own one). device: NULL for none. 0,
 * or a negative errno: -EPERM and friends if it cannot be entered, -ENOENT if it is not there.
 */
int place_look(struct place *place, uint32_t netns, const struct endpoint *local,
	       const char *device);

/*
 * Which address the kernel would connect from, in the network namespace: into *from, unless it has
 * a family. 0, -ENETUNREACH if there is no route, or another negative errno as place_look().
 */
int place_route(uint32_t netns, const struct endpoint *to, struct endpoint *from);

/* Who a process is to bind(). */
struct place_process {
	uint32_t uid;		     /* effective */
	uint32_t netns;		     /* inode number */
	enum tristate is_privileged; /* has CAP_NET_BIND_SERVICE in its network namespace */
};

/* 0 or a negative errno. pid 0: this one. */
int place_look_process(struct place_process *process, pid_t pid);

#endif
