// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * families_tracepoint.bpf.c tells of raw, SCTP and MPTCP sockets where the kernel refuses function
 * probes: system calls for what programs ask, cgroup hooks for the beginning and the last close. A
 * port that a send gives is not seen, and what the kernel still does after close() is not waited
 * for. Of sockets beyond IP nothing tells when they end, so they are left out.
 */
#define TASK_BY_STACK
#include "bpf/families_calls.h"
#include "bpf/files.h"

char LICENSE[] SEC("license") = "GPL";

/* The socket behind a descriptor of the current task, if it is one that is asked for; else NULL. */
static __always_inline struct sock *asked_of_fd(s32 fd)
{
	struct sock *sk = sock_of_fd(fd);

	return sk && family_protocol(sk) ? sk : 0;
}

static __always_inline u8 step_of(long number)
{
	switch (number) {
	case SYSCALL_BIND:
		return STEP_BIND;
	case SYSCALL_LISTEN:
		return STEP_LISTEN;
	case SYSCALL_CONNECT:
		return STEP_CONNECT;
	case SYSCALL_ACCEPT:
	case SYSCALL_ACCEPT4:
		return STEP_ACCEPT;
	default:
		return 0;
	}
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number)
{
	u8 step = step_of(number);
	struct sock *sk;

	if (!step || task_is_compat((struct task_struct *)bpf_get_current_task()))
		return 0;
	sk = asked_of_fd(SYSCALL_FIRST(regs));
	/* raw sockets cannot listen: nothing is told of what cannot be */
	if (!sk || (step == STEP_LISTEN && BPF_CORE_READ(sk, sk_type) == SOCK_RAW))
		return 0;
	if (step == STEP_BIND || step == STEP_CONNECT)
		family_enter(0, step, sk, (void *)SYSCALL_SECOND(regs), SYSCALL_THIRD(regs), true);
	else
		family_enter(0, step, sk, 0, 0, false);
	return 0;
}

static __always_inline void accepted(s32 fd)
{
	struct sock *child = fd >= 0 ? asked_of_fd(fd) : 0;
	struct family_socket *state = child ? family_taken(child) : 0;

	if (state)
		family_tell_accept((u64)child, fd);
}

/* By getsockopt() SCTP makes a socket of an association: it returns the descriptor. */
static __always_inline void peeled_off(struct pt_regs *regs, s32 fd)
{
	struct sock *from;

	if (fd < 0 || (s32)SYSCALL_SECOND(regs) != IPPROTO_SCTP ||
	    (SYSCALL_THIRD(regs) != SCTP_SOCKOPT_PEELOFF &&
	     SYSCALL_THIRD(regs) != SCTP_SOCKOPT_PEELOFF_FLAGS))
		return;
	from = asked_of_fd(SYSCALL_FIRST(regs));
	if (!from)
		return;
	family_enter(0, STEP_ACCEPT, from, 0, 0, false);
	accepted(fd);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	long number = SYSCALL_NUMBER_DIRECT(regs);
	u8 step = step_of(number);
	bool peels = number == SYSCALL_GETSOCKOPT && config.families & WIRE_FAMILY_SCTP;

	if (!(step || peels) || task_is_compat((struct task_struct *)bpf_get_current_task()))
		return 0;
	if (peels)
		peeled_off(regs, ret);
	else if (step == STEP_ACCEPT)
		accepted(ret);
	else
		family_exit(0, step, ret);
	return 0;
}

SEC("cgroup/sock_create")
int sock_create(struct bpf_sock *ctx)
{
	family_born(sock_of(ctx));
	return 1;
}

SEC("cgroup/sock_release")
int sock_release(struct bpf_sock *ctx)
{
	family_closed_whole(sock_of(ctx));
	return 1;
}
