/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lookup.h owns the search for the processes that have a port open, asked for by the collector when
 * a program was refused it: one walk through every file of every task. It answers with records
 * for the collector to read and complete, not through the ring buffer, and knows no filter: who is
 * in the way is told of whoever is watched.
 */
#ifndef PORTLIFE_LOOKUP_H
#define PORTLIFE_LOOKUP_H

#include "bpf/socket.h"

volatile struct wire_wanted wanted SEC(".data.wanted");

static __always_inline bool is_wanted(struct sock *sk)
{
	return sock_port(sk) == wanted.port && BPF_CORE_READ(sk, sk_protocol) == wanted.protocol &&
	       BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum) == wanted.netns;
}

static __always_inline u64 socket_inode(struct socket *socket)
{
	struct socket_alloc *alloc =
		(void *)socket - bpf_core_field_offset(struct socket_alloc, socket);

	return BPF_CORE_READ(alloc, vfs_inode.i_ino);
}

/* The reader's answer: one for each descriptor. */
static __always_inline void answer_holder(struct bpf_iter_meta *meta, struct task_struct *task,
					  s32 fd, struct sock *sk)
{
	struct socket_state *state = socket_find(sk);
	struct wire_holder r = {};

	head_fill(&r.head, WIRE_HOLDER, sizeof(r), bpf_ktime_get_boot_ns());
	r.inode = socket_inode(BPF_CORE_READ(sk, sk_socket));
	sock_fill(&r.sock, sk);
	if (state && (state->told_port || state->flags & SOCKET_TOLD))
		r.sock.id = state->id;
	who_fill_task(&r.who, task);
	r.flags = WIRE_H_LATER | WIRE_H_WHO | WIRE_H_UID;
	r.uid = BPF_CORE_READ(sk, sk_uid.val);
	r.fd = fd;
	r.processes = 1;
	bpf_seq_write(meta->seq, &r, sizeof(r));
}

#endif
