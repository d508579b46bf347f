/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * call.h owns the table of threads and what each is doing: a small stack of calls, because calls
 * nest (connect -> cgroup program -> bpf_bind). An entry is matched with an exit only by kind
 * and socket; what an exit leaves unmatched is counted and dropped.
 */
#ifndef PORTLIFE_CALL_H
#define PORTLIFE_CALL_H

#include "bpf/socket.h"

static __always_inline struct thread_slot *thread_slot_of(u64 key)
{
	u32 index = key & (THREAD_SLOTS - 1);

	return bpf_map_lookup_elem(&thread_slots, &index);
}

/* key: thread-group id in the upper half, thread id in the lower. */
static __always_inline struct thread *thread_find_of(u64 key)
{
	struct thread_slot *place = thread_slot_of(key);

	if (place) {
		if (place->slot.key == key)
			return &place->thread;
		if (!place->slot.others)
			return 0;
	}
	return bpf_map_lookup_elem(&threads, &key);
}

static __always_inline struct thread *thread_find(void)
{
	return thread_find_of(bpf_get_current_pid_tgid());
}

/* Whose slot is taken. */
static __always_inline struct thread *thread_insert(u64 key, struct thread_slot *place)
{
	u32 zero = 0;
	struct thread *blank = bpf_map_lookup_elem(&blank_thread, &zero);

	if (!blank)
		return 0;
	if (place)
		__sync_fetch_and_add(&place->slot.others, 1);
	if (bpf_map_update_elem(&threads, &key, blank, BPF_NOEXIST)) {
		if (place)
			__sync_fetch_and_add(&place->slot.others, -1);
		COUNT(lost_calls);
		return 0;
	}
	return bpf_map_lookup_elem(&threads, &key);
}

static __always_inline struct thread *thread_touch(void)
{
	u64 key = bpf_get_current_pid_tgid();
	struct thread *thread = thread_find_of(key);
	struct thread_slot *place;

	if (thread)
		return thread;
	place = thread_slot_of(key);
	if (!place || !slot_claim(&place->slot))
		return thread_insert(key, place);
	place->thread.depth = 0;
	place->thread.bind_failed_sk = 0;
	place->thread.taken_sk = 0;
#ifdef THREAD_FRAMES
	place->thread.frames.depth = 0;
	place->thread.frames.listener = 0;
#endif
	*(volatile u64 *)&place->slot.key = key;
	return &place->thread;
}

/* A thread is gone. */
static __always_inline void thread_exited(struct task_struct *task)
{
	u64 key = (u64)FIELD(task, tgid) << 32 | (u32)FIELD(task, pid);
	struct thread_slot *place = thread_slot_of(key);

	if (place && slot_release(&place->slot, key))
		return;
	if (place && !place->slot.others)
		return;
	if (!bpf_map_delete_elem(&threads, &key) && place)
		__sync_fetch_and_add(&place->slot.others, -1);
}

/* The innermost call under way on this socket, or NULL. */
static __always_inline struct call *call_top(struct thread *thread, const void *sk)
{
	u32 top;

	if (!thread || !thread->depth)
		return 0;
	top = (thread->depth - 1) & (CALLS_DEEP - 1);
	return thread->calls[top].sk == (u64)sk ? &thread->calls[top] : 0;
}

static __always_inline struct call *call_begin(struct thread *thread, struct sock *sk, u8 kind,
					       u64 now_ns)
{
	struct call *call;

	/*
	 * Deeper than any nesting there is: entries of calls whose exit was missed. They are
	 * counted and dropped, never matched with a later call.
	 */
	if (thread->depth >= CALLS_DEEP) {
		COUNT(lost_calls);
		thread->depth = 0;
	}
	call = &thread->calls[thread->depth & (CALLS_DEEP - 1)];
	thread->depth++;
	__builtin_memset(call, 0, sizeof(*call));
	call->sk = (u64)sk;
	call->start_ns = now_ns;
	call->kind = kind;
	call->fd = -1;
	call->facts = WIRE_F_TIMED;
	call->port_before = sock_port(sk);
	return call;
}

/* The call that ends now: the innermost of this kind and socket; what lies above is stale. */
static __always_inline struct call *call_end(struct thread *thread, const void *sk, u8 kind)
{
	if (!thread)
		return 0;
	for (int i = 0; i < CALLS_DEEP; i++) {
		struct call *call;

		if (!thread->depth)
			return 0;
		thread->depth--;
		call = &thread->calls[thread->depth & (CALLS_DEEP - 1)];
		if (call->sk == (u64)sk && call->kind == kind)
			return call;
		COUNT(lost_calls);
	}
	return 0;
}

static __always_inline void request_read(struct call *call, const void *uaddr, s32 len, bool user)
{
	struct {
		u16 family;
		u16 port_be;
		u32 addr4;
	} start = {};
	struct request *q = &call->request;
	long failed;

	if (len < 2)
		return;
	/* as a sockaddr that is too short has it: only what was passed */
	u32 head = len < 8 ? 2 : 8;
	failed = user ? bpf_probe_read_user(&start, head, uaddr)
		      : bpf_probe_read_kernel(&start, head, uaddr);
	if (failed)
		return;
	q->family = start.family;
	call->facts |= WIRE_F_REQUEST;
	if (len < 8)
		return;
	if (start.family == AF_INET || start.family == AF_UNSPEC) {
		q->port = bpf_ntohs(start.port_be);
		*(u32 *)q->addr = start.addr4;
	} else if (start.family == AF_INET6 && len >= 24) {
		q->port = bpf_ntohs(start.port_be);
		if (user)
			bpf_probe_read_user(q->addr, 16, uaddr + 8);
		else
			bpf_probe_read_kernel(q->addr, 16, uaddr + 8);
		if (len >= 28) {
			if (user)
				bpf_probe_read_user(&q->scope, 4, uaddr + 24);
			else
				bpf_probe_read_kernel(&q->scope, 4, uaddr + 24);
		}
	}
}

/* As struct user_msghdr begins. */
struct send_name {
	void *name;
	s32 name_len;
};

/* Where the program has the address that a send names; no name if there is none. */
static __always_inline struct send_name send_name_of(const struct syscall *now)
{
	struct send_name message = {};
	struct pt_regs *regs = now->regs;

	if (!regs)
		return message;
#ifndef TASK_BY_STACK
	if (now->number == SYSCALL_SENDTO && has_task_pt_regs()) {
		regs = (struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf());
		message.name = (void *)SYSCALL_FIFTH_DIRECT(regs);
		message.name_len = SYSCALL_SIXTH_DIRECT(regs);
		return message;
	}
#endif
	if (now->number == SYSCALL_SENDTO) {
		message.name = (void *)SYSCALL_FIFTH(regs);
		message.name_len = SYSCALL_SIXTH(regs);
	} else if (now->number == SYSCALL_SENDMSG || now->number == SYSCALL_SENDMMSG) {
		bpf_probe_read_user(&message, 12, (void *)SYSCALL_SECOND(regs));
	}
	return message;
}

/* The address that a send names: the kernel has just copied it. */
static __always_inline void request_of_send(struct call *call, const struct syscall *now)
{
	struct send_name message = send_name_of(now);

	if (message.name)
		request_read(call, message.name, message.name_len, true);
}

/* EINPROGRESS, EALREADY, EISCONN and interruptions are no outcomes. */
static __always_inline bool connect_is_over(int ret)
{
	return ret < 0 && ret != -EINPROGRESS && ret != -EALREADY && ret != -EISCONN &&
	       ret != -EINTR && ret > -512; /* -512 and below: restarts, never seen by programs */
}

static __always_inline s32 positive_errno(int ret)
{
	return ret < 0 ? -ret : 0;
}

/*
 * connect() returns: the record that tells of a disconnect, or of a failure that the socket has not
 * told of; WIRE_NONE if there is nothing to tell.
 */
static __always_inline u8 connect_outcome(struct sock *sk, struct socket_state *state,
					  const struct call *call, int ret)
{
	bool off = (call->facts & WIRE_F_REQUEST) && call->request.family == AF_UNSPEC;

	if (off) {
		state->flags &= ~(SOCKET_CONNECTING | SOCKET_FAILED);
		state->established_ns = 0;
		return WIRE_DISCONNECT;
	}
	/* in case the handshake's end was missed */
	if (!ret && (state->flags & SOCKET_CONNECTING) && sock_state(sk) == TCP_ESTABLISHED)
		socket_established(state, bpf_ktime_get_boot_ns());
	if (!connect_is_over(ret))
		return WIRE_NONE;
	if ((state->flags & SOCKET_FAILED) && state->failure == positive_errno(ret)) {
		state->flags &= ~SOCKET_FAILED; /* told when the socket learned it */
		return WIRE_NONE;
	}
	state->flags &= ~SOCKET_CONNECTING;
	return WIRE_CONNECT_FAILED;
}

static __always_inline void connect_finished(struct sock *sk, struct socket_state *state,
					     const struct call *call, int ret)
{
	u8 kind = connect_outcome(sk, state, call, ret);

	if (kind)
		record_call(kind, bpf_ktime_get_boot_ns(), sk, state, call, positive_errno(ret),
			    ACTOR_CURRENT);
}

/* An attempt begins, to be told of by the record that this returns. */
static __always_inline u8 attempt_begins(struct socket_state *state, const struct call *call)
{
	state->flags = (state->flags & ~SOCKET_FAILED) | SOCKET_CONNECTING;
	state->established_ns = 0;
	return call->sends && !call->port_before ? WIRE_SEND : WIRE_CONNECT;
}

/* The port and the route are fixed: tell of it before the SYN leaves. */
static __always_inline void connect_fixed(struct sock *sk, struct socket_state *state,
					  const struct call *call, u64 now_ns, enum actor actor)
{
	record_call(attempt_begins(state, call), now_ns, sk, state, call, 0, actor);
}

/*
 * connect() on a datagram socket returns, to be told of by this record. It sends nothing: what it
 * did is done. A route that is not there leaves the port that was assigned before it was looked
 * for.
 */
static __always_inline u8 datagram_connect_outcome(const struct call *call, int ret)
{
	bool off = (call->facts & WIRE_F_REQUEST) && call->request.family == AF_UNSPEC;

	return off ? WIRE_DISCONNECT : ret ? WIRE_CONNECT_FAILED : WIRE_CONNECT;
}

#endif
