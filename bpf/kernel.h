/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel.h owns every difference between kernels and between the two ways of reading them: one
 * accessor per field. A backend whose pointers the verifier knows defines READ_DIRECT before it
 * includes this file; elsewhere reads are probe reads.
 */
#ifndef PORTLIFE_KERNEL_H
#define PORTLIFE_KERNEL_H

#include "bpf/maps.h"

#ifdef READ_DIRECT
#define FIELD(ptr, field)      ((ptr)->field)
#define FIELD_BITS(ptr, field) BPF_CORE_READ_BITFIELD(ptr, field)
#else
#define FIELD(ptr, field)      BPF_CORE_READ(ptr, field)
#define FIELD_BITS(ptr, field) BPF_CORE_READ_BITFIELD_PROBED(ptr, field)
#endif

static __always_inline u16 sock_port(struct sock *sk)
{
	return FIELD(sk, __sk_common.skc_num);
}

static __always_inline u8 sock_state(struct sock *sk)
{
	return FIELD(sk, __sk_common.skc_state);
}

static __always_inline bool sock_is_tcp(struct sock *sk)
{
	u16 family = FIELD(sk, __sk_common.skc_family);

	return (family == AF_INET || family == AF_INET6) && FIELD(sk, sk_protocol) == IPPROTO_TCP &&
	       FIELD(sk, sk_type) == SOCK_STREAM;
}

static __always_inline bool sock_is_dead(struct sock *sk)
{
	return FIELD(sk, __sk_common.skc_flags) & (1UL << SOCK_DEAD);
}

static __always_inline u16 sock_options(struct sock *sk)
{
	struct inet_sock___flags *flags = (void *)sk;
	struct inet_sock___bits *bits = (void *)sk;
	u16 options = 0;

	if (FIELD_BITS(sk, __sk_common.skc_reuse))
		options |= WIRE_O_REUSEADDR;
	if (FIELD_BITS(sk, __sk_common.skc_reuseport))
		options |= WIRE_O_REUSEPORT;
	if (FIELD_BITS(sk, __sk_common.skc_ipv6only))
		options |= WIRE_O_V6ONLY;
	if (FIELD(sk, __sk_common.skc_bound_dev_if))
		options |= WIRE_O_BINDTODEVICE;
	/* the verifier knows sk as a struct sock: what lies beyond it is probe-read everywhere */
	if (bpf_core_field_exists(flags->inet_flags)) {
		unsigned long word = BPF_CORE_READ(flags, inet_flags);

		if (word & (1UL << INET_FLAGS_FREEBIND))
			options |= WIRE_O_FREEBIND;
		if (word & (1UL << INET_FLAGS_TRANSPARENT))
			options |= WIRE_O_TRANSPARENT;
		if (word & (1UL << INET_FLAGS_BIND_ADDRESS_NO_PORT))
			options |= WIRE_O_BIND_ADDRESS_NO_PORT;
	} else {
		if (BPF_CORE_READ_BITFIELD_PROBED(bits, freebind))
			options |= WIRE_O_FREEBIND;
		if (BPF_CORE_READ_BITFIELD_PROBED(bits, transparent))
			options |= WIRE_O_TRANSPARENT;
		if (BPF_CORE_READ_BITFIELD_PROBED(bits, bind_address_no_port))
			options |= WIRE_O_BIND_ADDRESS_NO_PORT;
	}
	return options;
}

/*
 * ip_local_port_range of the namespace, narrowed by IP_LOCAL_PORT_RANGE of the socket as
 * inet_sk_get_local_port_range() does (7.3 inet_connection_sock.c:131): each bound counts only
 * if it lies within the namespace's.
 */
static __always_inline void sock_range(struct sock *sk, u16 *lo, u16 *hi)
{
	struct net *net = FIELD(sk, __sk_common.skc_net.net);
	struct net___pair *pair = (void *)net;
	struct inet_sock___word *word = (void *)sk;
	struct inet_sock___pair *lohi = (void *)sk;
	u16 sk_lo = 0, sk_hi = 0;

	if (bpf_core_field_exists(pair->ipv4.ip_local_ports.range)) {
		int range[2] = {};

		bpf_core_read(range, sizeof(range), &pair->ipv4.ip_local_ports.range);
		*lo = range[0];
		*hi = range[1];
	} else {
		u32 range = BPF_CORE_READ(net, ipv4.ip_local_ports.range);

		*lo = range & 0xffff;
		*hi = range >> 16;
	}
	if (bpf_core_field_exists(word->local_port_range)) {
		u32 range = BPF_CORE_READ(word, local_port_range);

		sk_lo = range & 0xffff;
		sk_hi = range >> 16;
	} else if (bpf_core_field_exists(lohi->local_port_range)) {
		sk_lo = BPF_CORE_READ(lohi, local_port_range.lo);
		sk_hi = BPF_CORE_READ(lohi, local_port_range.hi);
	}
	if (sk_lo && *lo <= sk_lo && sk_lo <= *hi)
		*lo = sk_lo;
	if (sk_hi && *lo <= sk_hi && sk_hi <= *hi)
		*hi = sk_hi;
}

/* The socket as a record shows it. id, parent and times are the caller's. */
static __always_inline void sock_fill(struct wire_sock *w, struct sock *sk)
{
	struct net *net = FIELD(sk, __sk_common.skc_net.net);
	struct in6_addr *local6 = &sk->__sk_common.skc_v6_rcv_saddr;
	struct in6_addr *peer6 = &sk->__sk_common.skc_v6_daddr;

	w->cookie = FIELD(sk, __sk_common.skc_cookie.counter);
	w->netns = FIELD(net, ns.inum);
	w->ifindex = FIELD(sk, __sk_common.skc_bound_dev_if);
	w->family = FIELD(sk, __sk_common.skc_family);
	w->protocol = FIELD(sk, sk_protocol);
	w->state = sock_state(sk);
	w->userlocks = FIELD_BITS(sk, sk_userlocks);
	w->options = sock_options(sk);
	w->local_port = sock_port(sk);
	w->peer_port = bpf_ntohs(FIELD(sk, __sk_common.skc_dport));
	if (w->family == AF_INET6) {
		bpf_probe_read_kernel(w->local, 16, local6);
		bpf_probe_read_kernel(w->peer, 16, peer6);
		/* a link-local address means nothing without its interface */
		if ((w->local[0] == 0xfe && (w->local[1] & 0xc0) == 0x80) ||
		    (w->peer[0] == 0xfe && (w->peer[1] & 0xc0) == 0x80))
			w->scope = w->ifindex;
	} else {
		*(u32 *)w->local = FIELD(sk, __sk_common.skc_rcv_saddr);
		*(u32 *)w->peer = FIELD(sk, __sk_common.skc_daddr);
	}
}

/* --- the task ------------------------------------------------------------------------- */

static __always_inline bool has_task_pt_regs(void)
{
	return bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs) &&
	       bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_get_current_task_btf);
}

/*
 * Registers of the current task at its system call: from the helper (5.15+), else from the top of
 * the kernel stack, whose size the collector knows. NULL if neither is to be had.
 */
static __always_inline struct pt_regs *task_regs(struct task_struct *task)
{
	unsigned long stack;

	if (!config.thread_size)
		return 0;
	stack = (unsigned long)BPF_CORE_READ(task, stack);
	return (struct pt_regs *)(stack + config.thread_size - bpf_core_type_size(struct pt_regs));
}

#if defined(__TARGET_ARCH_x86)
#define SYSCALL_NUMBER(regs)	    ((long)BPF_CORE_READ(regs, orig_ax))
#define SYSCALL_NUMBER_DIRECT(regs) ((long)(regs)->orig_ax) /* a pointer the verifier knows */
#define SYSCALL_FIRST(regs)	    ((s32)BPF_CORE_READ(regs, di))
#define SYSCALL_SECOND(regs)	    BPF_CORE_READ(regs, si)
#define SYSCALL_THIRD(regs)	    ((s32)BPF_CORE_READ(regs, dx))
enum syscall_number {
	SYSCALL_CONNECT = 42,
	SYSCALL_ACCEPT = 43,
	SYSCALL_BIND = 49,
	SYSCALL_LISTEN = 50,
	SYSCALL_ACCEPT4 = 288,
	SYSCALL_IO_URING_ENTER = 426,
};
#elif defined(__TARGET_ARCH_arm64)
#define SYSCALL_NUMBER(regs)	    ((long)BPF_CORE_READ(regs, syscallno))
#define SYSCALL_NUMBER_DIRECT(regs) ((long)(regs)->syscallno)
#define SYSCALL_FIRST(regs)	    ((s32)BPF_CORE_READ(regs, orig_x0))
#define SYSCALL_SECOND(regs)	    BPF_CORE_READ(regs, user_regs.regs[1])
#define SYSCALL_THIRD(regs)	    ((s32)BPF_CORE_READ(regs, user_regs.regs[2]))
enum syscall_number {
	SYSCALL_BIND = 200,
	SYSCALL_LISTEN = 201,
	SYSCALL_ACCEPT = 202,
	SYSCALL_CONNECT = 203,
	SYSCALL_ACCEPT4 = 242,
	SYSCALL_IO_URING_ENTER = 426,
};
#else
#error "no system call numbers for this architecture"
#endif

/* A 32-bit system call has other numbers and other registers: not looked at. */
static __always_inline bool task_is_compat(struct task_struct *task)
{
#if defined(__TARGET_ARCH_x86)
	return BPF_CORE_READ(task, thread_info.status) & TS_COMPAT;
#else
	(void)task;
	return false;
#endif
}

#endif
