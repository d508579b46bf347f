/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios_address.h owns socket addresses: what a place means in a family, what a descriptor is
 * bound and connected to, and how they are printed. It knows no calls and no tenures.
 */
#ifndef PORTLIFE_TESTS_SCENARIOS_ADDRESS_H
#define PORTLIFE_TESTS_SCENARIOS_ADDRESS_H

#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "tests/live/scenarios.h"
#include "tests/live/scenarios_world.h"

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_un un;
		struct sockaddr_nl nl;
		struct sockaddr_vm vm;
	};
	socklen_t len; /* 0: none */
};

struct address address_of(int family, enum place place, int port);
/* Of AF_NETLINK the port id; of AF_UNIX 1 for a name; 0: none. */
int address_port(const struct address *a);
bool address_equal(const struct address *a, const struct address *b);
struct address local_address(int fd); /* getsockname(); none if fd is -1 */
struct address peer_address(int fd);

/* As a socket of this kind has it: an ICMP id, or no port at all (raw). */
void line_add_address(struct line *l, const char *key, const struct address *a,
		      const struct sock *s);

#endif
