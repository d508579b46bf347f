/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sends.h owns the sends that assign a port, as the cgroup hooks and the exits of system calls show
 * them.
 */
#ifndef PORTLIFE_SENDS_H
#define PORTLIFE_SENDS_H

#include "bpf/descriptor.h"

/*
 * A datagram socket that a send has just given a port, in the sender's context: one that was not
 * told of. Not if it was there before the start, or if a call is under way that will tell of it.
 */
static __always_inline bool is_sends_doing(const struct socket_state *state, u16 port)
{
	return port && port != state->told_port && !state->tid && !(state->flags & SOCKET_EXISTING);
}

static __always_inline struct syscall call_sent(struct call *call)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	bool io_worker = false;
	struct syscall now = syscall_now(&io_worker);

	call->kind = WIRE_SEND;
	call->fd = syscall_sends(now.number) ? now.first : -1;
	if (io_worker || now.number == SYSCALL_IO_URING_ENTER)
		call->facts |= WIRE_F_IO_URING;
	who_fill_task(&call->who, task);
	call->facts |= task_is_followed(task);
	return now;
}

/*
 * A datagram leaves an IPv6 socket by IPv4. The hook is told of an address of IPv4 whether the
 * program named that or the one of IPv6 that it is mapped to.
 */
static __always_inline void request_map(struct request *request, const struct syscall *now)
{
	struct send_name message = send_name_of(now);
	u32 *addr = (u32 *)request->addr;
	u16 family = AF_INET6;

	if (message.name)
		bpf_probe_read_user(&family, sizeof(family), message.name);
	if (family == AF_INET)
		return;
	request->family = AF_INET6;
	addr[3] = addr[0];
	addr[2] = bpf_htonl(0xffff);
	addr[0] = addr[1] = 0;
}

/* UDP_SENDMSG hooks: a datagram leaves for an address that the call named. Not the connected ones.
 */
static __always_inline void sending(struct sock *sk, const struct request *request)
{
	struct socket_state *state = socket_find(sk);
	struct call call = { .facts = WIRE_F_SEARCHED | WIRE_F_REQUEST };
	struct syscall by;
	u64 now;

	if (!state) /* one that nobody chose, or from before the start: others tell */
		return;
	if (!is_sends_doing(state, sock_port(sk)))
		return;
	now = bpf_ktime_get_boot_ns();
	call.request = *request;
	call.facts |= sock_owners_before(sk);
	by = call_sent(&call);
	if (request->family == AF_INET && FIELD(sk, __sk_common.skc_family) == AF_INET6)
		request_map(&call.request, &by);
	record_call(WIRE_SEND, now, sk, state, &call, 0, ACTOR_NOTED);
}

/*
 * A send on a datagram socket has failed. EAGAIN without a port means that none was to be had
 * (inet_send_prepare()); any other failure came after the port was assigned, and the hooks above
 * may not have been reached.
 */
static __always_inline void datagram_send_failed(struct sock *sk, s32 fd, long ret)
{
	struct call call = { .fd = fd, .facts = WIRE_F_SEARCHED, .kind = WIRE_SEND };
	u64 now = bpf_ktime_get_boot_ns();
	struct socket_state *state;
	u16 port = sock_port(sk);
	u64 id;

	state = port ? socket_find(sk) : socket_touch_at_exit(sk, fd, now);
	if (!state || (port ? !is_sends_doing(state, port) : ret != -EAGAIN))
		return;
	id = state->id;
	if (port)
		call.facts |= sock_owners_before(sk);
	record_call(WIRE_SEND, now, sk, state, &call, port ? 0 : EAGAIN, ACTOR_CURRENT);
	end_again(sk, id, now);
}

/* Does this system call ask for TCP Fast Open? */
static __always_inline bool is_fast_open(struct pt_regs *regs, long number)
{
	if (number == SYSCALL_SENDTO)
		return SYSCALL_FOURTH(regs) & MSG_FASTOPEN;
	return number == SYSCALL_SENDMSG && (SYSCALL_THIRD(regs) & MSG_FASTOPEN);
}

static __always_inline void send_failed(struct pt_regs *regs, long number, long ret)
{
	s32 fd = number == SYSCALL_SPLICE ? SYSCALL_THIRD(regs) : SYSCALL_FIRST(regs);
	struct sock *sk = watched_of_fd(fd);
	u64 now = bpf_ktime_get_boot_ns(), id;
	struct socket_state *state;

	if (!sk)
		return;
	if (sock_is_datagram(sk)) {
		/* splice() may have found nothing to send, which is EAGAIN too */
		datagram_send_failed(sk, fd, number == SYSCALL_SPLICE ? 0 : ret);
	} else if (is_fast_open(regs, number)) {
		struct call call = { .fd = fd, .kind = WIRE_CONNECT, .sends = 1 };

		state = socket_touch_at_exit(sk, fd, now);
		if (!state || sock_port(sk))
			return;
		id = state->id;
		connect_finished(sk, state, &call, ret);
		end_again(sk, id, now);
	}
}

#endif
