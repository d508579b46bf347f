/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * families.h owns the kernel types of sockets beyond TCP, UDP and ping, as vmlinux.h has those.
 * Types of modules (VSOCK, SCTP) are not there: where nobody has loaded the module, or it has no
 * type information (5.10), nothing could be relocated.
 */
#ifndef PORTLIFE_VMLINUX_FAMILIES_H
#define PORTLIFE_VMLINUX_FAMILIES_H

#include "vmlinux/vmlinux.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct sockaddr_un {
	u16 sun_family;
	char sun_path[108];
};

struct unix_address {
	refcount_t refcnt; /* accepted children share their listener's */
	int len;	   /* of the address, family included */
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr; /* NULL: no name */
	struct sock *peer;
};

struct netlink_sock {
	u32 portid;
	u32 dst_portid;
	bool bound; /* portid holds */
};

#pragma clang attribute pop

/* <linux/vm_sockets.h>, of user space, too */
struct sockaddr_vm {
	u16 svm_family;
	u16 svm_reserved1;
	u32 svm_port;
	u32 svm_cid;
	u8 svm_zero[4];
};

#define AF_UNIX		1
#define AF_NETLINK	16
#define AF_VSOCK	40
#define SOCK_RAW	3
#define IPPROTO_SCTP	132
#define VMADDR_PORT_ANY 0xffffffffU

/* linux/sctp.h */
#define SCTP_SOCKOPT_PEELOFF	   102
#define SCTP_SOCKOPT_PEELOFF_FLAGS 122

#endif
