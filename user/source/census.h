/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * census.h owns what /proc/net and sock_diag(7) tell anybody about sockets beyond TCP, UDP and ping
 * in this network namespace, that have a port or what stands for one: AF_UNIX, AF_NETLINK,
 * AF_VSOCK, SCTP. It knows no process.
 */
#ifndef PORTLIFE_SOURCE_CENSUS_H
#define PORTLIFE_SOURCE_CENSUS_H

#include "user/source/diag.h"

/*
 * Calls give() for each socket of these families (enum wire_family); what give() gets is valid
 * during the call. Returns 0, what give() returned, or a negative errno: -ENOENT where the kernel
 * cannot tell (vsock_diag, sctp_diag).
 */
int census_take(uint32_t families, int (*give)(void *arg, const struct diag_sock *), void *arg);

#endif
