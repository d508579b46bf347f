// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * families_tracepoint.bpf.c tells of raw, SCTP and MPTCP sockets where the kernel refuses function
 * probes: system calls for what programs ask, cgroup hooks for the beginning and the last close. A
 * port that a send gives is not seen, and what the kernel still does after close() is not waited
 * for. Of sockets beyond IP nothing tells when they end, so they are left out.
 */
#define TASK_BY_STACK
#include "bpf/families_calls.h"

char LICENSE[] SEC("license") = "GPL";

/* As in tracepoint.bpf.c: the context of a cgroup program is the socket, as a number. */
static __always_inline struct sock *sock_of(void *pointer)
{
	struct sock *sk = 0;

	bpf_probe_read_kernel(&sk, sizeof(sk), &pointer);
	return sk;
}

/* The socket of this file descriptor, if it is one that is asked for; else NULL. */
static __always_inline struct sock *sock_of_fd(s32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **files = BPF_CORE_READ(fdt, fd), *file = 0;
	struct socket *socket;
	struct sock *sk;

	if (fd < 0 || (u32)fd >= BPF_CORE_READ(fdt, max_fds))
		return 0;
	bpf_probe_read_kernel(&file, sizeof(file), files + fd);
	if (!file)
		return 0;
	/* any file has private data: a socket's points back, twice */
	socket = BPF_CORE_READ(file, private_data);
	if (!socket || BPF_CORE_READ(socket, file) != file)
		return 0;
	sk = BPF_CORE_READ(socket, sk);
	if (!sk || BPF_CORE_READ(sk, sk_socket) != socket || !family_protocol(sk))
		return 0;
	return sk;
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
	sk = sock_of_fd(SYSCALL_FIRST(regs));
	/* raw sockets cannot listen: nothing is told of what cannot be */
	if (!sk || (step == STEP_LISTEN && BPF_CORE_READ(sk, sk_type) == SOCK_RAW))
		return 0;
	if (step == STEP_BIND || step == STEP_CONNECT)
		family_enter(0, step, sk, (void *)SYSCALL_SECOND(regs), SYSCALL_THIRD(regs), true);
	else
		family_enter(0, step, sk, 0, 0, false);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	u8 step = step_of(SYSCALL_NUMBER_DIRECT(regs));

	if (!step || task_is_compat((struct task_struct *)bpf_get_current_task()))
		return 0;
	if (step == STEP_ACCEPT)
		family_accepted(ret >= 0 ? sock_of_fd(ret) : 0);
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
