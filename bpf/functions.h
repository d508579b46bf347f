/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * functions.h owns the function-level handlers: what each hooked kernel function tells. They are
 * bound by fentry.bpf.c and kprobe.bpf.c, and know nothing of how they were reached.
 *
 * Calls run in task context with the thread's own stack of calls; what happens in a softirq
 * (established, refused, TIME_WAIT, release) touches only the socket's entry.
 */
#ifndef PORTLIFE_FUNCTIONS_H
#define PORTLIFE_FUNCTIONS_H

#include "bpf/call.h"
#include "bpf/holders.h"
#include "bpf/search.h"

/* Does this system call lead to that kind of call? */
static __always_inline bool syscall_leads_to(const struct call *call, long number)
{
	if (call->sends || call->kind == WIRE_SEND)
		return syscall_sends(number);
	switch (call->kind) {
	case WIRE_BIND:
		return number == SYSCALL_BIND;
	case WIRE_LISTEN:
		return number == SYSCALL_LISTEN;
	default:
		return number == SYSCALL_CONNECT;
	}
}

/* Notes the descriptor if the call came by its system call, and io_uring if it came by that. */
static __always_inline void call_came_by(struct call *call)
{
	bool io_worker = false;
	struct syscall now = syscall_now(&io_worker);
	s32 fd = call->fd;

	now.number = FORGET(call->fd, now.number);
	call->fd = fd;
	if (syscall_leads_to(call, now.number)) {
		call->fd = now.first;
		if (call->kind == WIRE_SEND)
			request_of_send(call, &now);
	} else if (io_worker || now.number == SYSCALL_IO_URING_ENTER) {
		call->facts |= WIRE_F_IO_URING;
	}
}

/* A call on this socket begins; NULL if it is not one to follow. */
static __always_inline struct call *call_enter(struct sock *sk, u8 kind)
{
	struct thread *thread;
	struct call *call;

	if (!sk || !sock_is_watched(sk))
		return 0;
	if (!socket_find(sk) && (!who_is_chosen() || !socket_adopt(sk, bpf_ktime_get_boot_ns())))
		return 0;
	thread = thread_touch();
	if (!thread)
		return 0;
	call = call_begin(thread, sk, kind, bpf_ktime_get_boot_ns());
	call->stamp = syscall_stamp();
	return call;
}

/*
 * The call around an inner function, in which it looks for a port. One that an earlier system call
 * left behind, because the program at its end was not run, is counted and dropped: a socket may be
 * at the same address since.
 */
static __always_inline struct call *call_around(struct sock *sk)
{
	struct thread *thread = thread_find();
	struct call *call = call_top(thread, sk);

	if (!call)
		return 0;
	if (!call->alone && call->stamp == syscall_stamp())
		return call;
	COUNT(lost_calls);
	thread->depth--;
	return 0;
}

/* inet_create, inet6_create: since when a socket is there. Only success matters. */
static __always_inline void handle_created(struct socket *sock, int ret)
{
	struct sock *sk;

	if (ret)
		return;
	sk = FIELD(sock, sk);
	if (sk && sock_is_watched(sk) && who_is_chosen())
		socket_create(sk, bpf_ktime_get_boot_ns());
}

/* --- bind ---------------------------------------------------------------------------------
 * __inet_bind, __inet6_bind: every bind that passed the address-length check and the cgroup
 * programs, bpf_bind() included. Holds the request, which the socket does not after a failure.
 */
static __always_inline void handle_bind_enter(struct sock *sk)
{
	call_enter(sk, WIRE_BIND);
}

static __always_inline void handle_bind_exit(struct sock *sk, const void *uaddr, int uaddr_len,
					     u32 flags, int ret)
{
	struct thread *thread = thread_find();
	struct call *call = call_end(thread, sk, WIRE_BIND);
	struct socket_state *state;

	if (!call)
		return;
	state = socket_find(sk);
	if (!state)
		return;
	request_read(call, uaddr, uaddr_len, false);
	if (flags & BIND_FROM_BPF)
		call->facts |= WIRE_F_BPF;
	else
		call_came_by(call);
	if (ret < 0 && !(flags & BIND_FROM_BPF))
		thread->bind_failed_sk = (u64)sk;
	record_call(WIRE_BIND, bpf_ktime_get_boot_ns(), sk, state, call, positive_errno(ret),
		    ACTOR_CURRENT);
}

/*
 * A call that fails before anything of the protocol's own is called. When it began was not seen.
 */
static __always_inline void call_failed_early(struct thread *thread, struct sock *sk, u8 kind,
					      const void *uaddr, int uaddr_len, int ret)
{
	u64 now = bpf_ktime_get_boot_ns();
	struct socket_state *state = socket_touch(sk, now);
	struct call *call;

	if (!state)
		return;
	call_begin(thread, sk, kind, now);
	call = call_end(thread, sk, kind);
	if (!call)
		return;
	call->facts = 0;
	call->start_ns = 0;
	if (uaddr)
		request_read(call, uaddr, uaddr_len, false);
	call_came_by(call);
	if (kind == WIRE_CONNECT)
		kind = (call->facts & WIRE_F_REQUEST) && call->request.family == AF_UNSPEC
			       ? WIRE_DISCONNECT
			       : WIRE_CONNECT_FAILED;
	record_call(kind, now, sk, state, call, positive_errno(ret), ACTOR_CURRENT);
}

/*
 * inet_bind, inet6_bind: only for failures that never reach __inet_bind (EINVAL: address too
 * short; EPERM: refused by a cgroup program).
 */
static __always_inline void handle_bind_outer_exit(struct socket *sock, const void *uaddr,
						   int uaddr_len, int ret)
{
	struct thread *thread;
	struct sock *sk;

	if (ret >= 0)
		return;
	sk = FIELD(sock, sk);
	if (!sk || !sock_is_watched(sk))
		return;
	thread = thread_touch();
	if (!thread)
		return;
	if (thread->bind_failed_sk == (u64)sk)
		thread->bind_failed_sk = 0;
	else
		call_failed_early(thread, sk, WIRE_BIND, uaddr, uaddr_len, ret);
}

/*
 * security_socket_bind, security_socket_listen, security_socket_connect: a security module
 * (Landlock, SELinux, AppArmor, a BPF program) says no, and nothing of the protocol's own is
 * called. uaddr is NULL for listen().
 */
static __always_inline void handle_denied(struct socket *sock, u8 kind, const void *uaddr,
					  int uaddr_len, int ret)
{
	struct thread *thread;
	struct sock *sk;

	if (ret >= 0)
		return;
	sk = FIELD(sock, sk);
	if (!sk || !sock_is_watched(sk) || (kind == WIRE_LISTEN && !sock_is_tcp(sk)))
		return;
	thread = thread_touch();
	if (thread)
		call_failed_early(thread, sk, kind, uaddr, uaddr_len, ret);
}

/* --- the port search ------------------------------------------------------------------------
 * inet_csk_get_port, udp_lib_get_port, ping_get_port: under bind, listen and the connect of
 * datagram sockets. Without an outer call in sight it is a call of its own. For UDP that is the
 * first send (inet_autobind, whose every failure is EAGAIN to the program). For TCP it is MPTCP,
 * which binds and listens on its subflow directly; the state tells which: listen() publishes LISTEN
 * before it asks for a port (5.10 to 7.3, inet_csk_listen_start).
 */
static __always_inline u8 get_port_kind(struct sock *sk, u16 snum)
{
	if (sock_is_datagram(sk))
		return snum ? WIRE_BIND : WIRE_SEND;
	return sock_state(sk) == TCP_LISTEN ? WIRE_LISTEN : WIRE_BIND;
}

/* The search begins now; the call has just begun too if it is a call of its own. */
static __always_inline void call_searches(struct call *call)
{
	call->facts |= WIRE_F_SEARCHED;
	call->search_start_ns = call->alone ? call->start_ns : bpf_ktime_get_boot_ns();
}

static __always_inline void handle_get_port_enter(struct sock *sk, u16 snum)
{
	struct call *call = call_around(sk);

	if (!call) {
		call = call_enter(sk, get_port_kind(sk, snum));
		if (!call)
			return;
		call->alone = 1;
	}
	call->port_before = sock_port(sk); /* now under the socket lock */
	if (!snum)
		call_searches(call);
}

static __always_inline void call_searched(struct call *call, u64 now)
{
	if (!call->search_start_ns)
		return;
	call->search_ns = now - call->search_start_ns;
	call->facts |= WIRE_F_SEARCH_TIMED;
}

static __always_inline void handle_get_port_exit(struct sock *sk, int ret)
{
	struct thread *thread = thread_find();
	struct call *call = call_top(thread, sk);
	/* 5.10 returns 1 for EADDRINUSE */
	s32 error = ret > 0 ? EADDRINUSE : positive_errno(ret);
	struct socket_state *state;
	u64 now;
	u8 kind;

	if (!call)
		return;
	now = bpf_ktime_get_boot_ns();
	call_searched(call, now);
	call->cause = error;
	if (error == EADDRINUSE && call->search_start_ns && !sock_is_ping(sk))
		call->search_tried = search_in_vain(sk, false);
	if (!error && !call->port_before)
		call->facts |= sock_owners_before(sk);
	if (!call->alone)
		return;
	kind = call->kind;
	call = call_end(thread, sk, kind);
	state = socket_find(sk);
	if (!call || !state)
		return;
	if (kind == WIRE_SEND) {
		call_came_by(call);
		error = error ? EAGAIN : 0;
	}
	record_call(kind, now, sk, state, call, error, ACTOR_CURRENT);
}

/* --- listen: inet_listen, for IPv4 and IPv6 ------------------------------------------------- */

static __always_inline void handle_listen_enter(struct socket *sock)
{
	call_enter(FIELD(sock, sk), WIRE_LISTEN);
}

static __always_inline void handle_listen_exit(struct socket *sock, int ret)
{
	struct sock *sk = FIELD(sock, sk);
	struct call *call = call_end(thread_find(), sk, WIRE_LISTEN);
	struct socket_state *state;

	if (!call)
		return;
	state = socket_find(sk);
	if (!state)
		return;
	call_came_by(call);
	record_call(WIRE_LISTEN, bpf_ktime_get_boot_ns(), sk, state, call, positive_errno(ret),
		    ACTOR_CURRENT);
}

/* --- connect: __inet_stream_connect around __inet_hash_connect ------------------------------- */

/* is_sendmsg: sendto() and friends with MSG_FASTOPEN */
static __always_inline void handle_connect_enter(struct socket *sock, const void *uaddr,
						 int uaddr_len, int is_sendmsg)
{
	struct call *call = call_enter(FIELD(sock, sk), WIRE_CONNECT);

	if (!call)
		return;
	call->sends = is_sendmsg != 0;
	request_read(call, uaddr, uaddr_len, false);
	call_came_by(call);
}

static __always_inline void handle_hash_connect_enter(struct sock *sk, u64 port_offset)
{
	struct call *call = call_around(sk);

	if (!call) {
		call = call_enter(sk, WIRE_CONNECT);
		if (!call)
			return;
		call->alone = 1;
	}
	call->port_before = sock_port(sk); /* now under the socket lock */
	if (call->port_before)
		return;
	call_searches(call);
	search_begins(call, port_offset);
}

/* Port and route are fixed and the SYN has not left: a connect that hangs is told of now. */
static __always_inline void handle_hash_connect_exit(struct sock *sk, int ret)
{
	struct thread *thread = thread_find();
	struct call *call = call_top(thread, sk);
	struct socket_state *state;
	u64 now;

	handle_connect_conflict(sk, ret);
	if (!call || call->kind != WIRE_CONNECT)
		return;
	now = bpf_ktime_get_boot_ns();
	call_searched(call, now);
	state = socket_find(sk);
	if (!ret && !call->port_before) {
		call->facts |= sock_owners_before(sk);
		call->search_tried = search_found(sk, call, sock_port(sk));
	} else if (ret == -EADDRNOTAVAIL && !call->port_before) {
		call->search_tried = search_in_vain(sk, true);
	}
	if (state && !ret) {
		call->written = 1;
		connect_fixed(sk, state, call, now, ACTOR_CURRENT);
	} else if (state && call->alone) {
		record_call(WIRE_CONNECT_FAILED, now, sk, state, call, positive_errno(ret),
			    ACTOR_CURRENT);
	}
	if (call->alone)
		call_end(thread, sk, WIRE_CONNECT);
}

static __always_inline void handle_connect_exit(struct socket *sock, int ret)
{
	struct sock *sk = FIELD(sock, sk);
	struct call *call = call_end(thread_find(), sk, WIRE_CONNECT);
	struct socket_state *state;

	if (!call)
		return;
	state = socket_find(sk);
	if (state)
		connect_finished(sk, state, call, ret);
}

/* --- connect of datagram sockets: inet_dgram_connect, for IPv4 and IPv6 -----------------------
 * Raw sockets come this way too; they are not followed.
 */
static __always_inline void handle_dgram_connect_enter(struct socket *sock, const void *uaddr,
						       int uaddr_len)
{
	struct call *call = call_enter(FIELD(sock, sk), WIRE_CONNECT);

	if (!call)
		return;
	request_read(call, uaddr, uaddr_len, false);
	call_came_by(call);
}

static __always_inline void handle_dgram_connect_exit(struct socket *sock, int ret)
{
	struct sock *sk = FIELD(sock, sk);
	struct call *call = call_end(thread_find(), sk, WIRE_CONNECT);
	struct socket_state *state;

	if (!call)
		return;
	state = socket_find(sk);
	if (state)
		record_call(datagram_connect_outcome(call, ret), bpf_ktime_get_boot_ns(), sk, state,
			    call, positive_errno(ret), ACTOR_CURRENT);
}

/* tcp_init_transfer: the handshake is done, on either side (softirq). */
static __always_inline void handle_established(struct sock *sk)
{
	struct socket_state *state = socket_find(sk);

	if (state)
		socket_established(state, bpf_ktime_get_boot_ns());
}

/* tcp_done, before the state changes: reset, timeout or ICMP error during the handshake. */
static __always_inline void handle_done(struct sock *sk)
{
	u8 tcp_state = sock_state(sk);
	struct socket_state *state;

	if (tcp_state != TCP_SYN_SENT && tcp_state != TCP_SYN_RECV)
		return;
	state = socket_find(sk);
	if (state)
		socket_connect_error(state, bpf_ktime_get_boot_ns(), FIELD(sk, sk_err));
}

/* --- accept --------------------------------------------------------------------------------
 * __inet_inherit_port: the child joins the listener's port, in softirq. inet_csk_accept: a
 * process takes it. The descriptor is known only when accept(2) ends, so the record waits for
 * that in the thread's entry; close() by another thread in between sends it without.
 */
static __always_inline void handle_inherit_exit(struct sock *listener, struct sock *child, int ret)
{
	if (!ret && sock_is_tcp(child))
		socket_child(child, listener);
}

static __always_inline void handle_accept_exit(struct sock *listener, struct sock *child)
{
	struct socket_state *state;
	struct thread *thread = 0;
	bool io_worker = false;
	long number;
	u64 now;

	if (!child || !sock_is_tcp(child))
		return;
	state = socket_taken(child, listener ? socket_listens(listener) : 0);
	if (!state)
		return;
	now = bpf_ktime_get_boot_ns();
	number = syscall_now(&io_worker).number;
	if (config.accept_fd && (number == SYSCALL_ACCEPT || number == SYSCALL_ACCEPT4))
		thread = thread_touch();
	if (!thread) {
		record_accept(now, child, state, -1);
		return;
	}
	call_fill(&thread->taken, WIRE_ACCEPT, now, child, state, 0, 0, ACTOR_CURRENT);
	thread->taken_sk = (u64)child;
	state->flags |= SOCKET_TAKEN;
}

/* __sys_accept4: fd is the new descriptor, or a failure after the child was taken. */
static __always_inline void handle_accept_fd(int fd)
{
	struct thread *thread = thread_find();
	struct socket_state *state;
	struct wire_call *r;

	if (!thread || !thread->taken_sk)
		return;
	state = socket_find((void *)thread->taken_sk);
	thread->taken_sk = 0;
	if (!state || state->id != thread->taken.sock.id || !(state->flags & SOCKET_TAKEN))
		return;
	state->flags &= ~SOCKET_TAKEN;
	r = RESERVE(struct wire_call);
	if (!r) {
		state->told_port = 0; /* for the walk that makes the loss good */
		return;
	}
	__builtin_memcpy(r, &thread->taken, sizeof(*r));
	r->fd = fd >= 0 ? fd : -1;
	state->flags |= SOCKET_TOLD;
	record_submit(r);
}

#endif
