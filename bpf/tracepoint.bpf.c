// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tracepoint.bpf.c is the backend for kernels that refuse function probes: system calls tell the
 * intent and the errno, the descriptor leads to the socket, cgroup hooks and tracepoints tell
 * what happens in between. What it cannot see is declared (enum wire_blind).
 *
 * Every pointer here is a number to the verifier: all reads are probe reads.
 */
#define TASK_BY_STACK
#include "bpf/sends.h"
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

static __always_inline void syscall_enter(u8 kind, s32 fd, const void *uaddr, s32 uaddr_len)
{
	struct sock *sk = watched_of_fd(fd);
	u64 now = bpf_ktime_get_boot_ns();
	struct socket_state *state;
	struct thread *thread;
	struct call *call;

	if (kind == WIRE_LISTEN && sk && !sock_is_tcp(sk))
		return;
	state = sk ? socket_touch(sk, now) : 0;
	if (!state)
		return;
	thread = thread_touch();
	if (!thread)
		return;
	thread->depth =
		0; /* system calls do not nest: what is there lost its exit (execve, exit) */
	call = call_begin(thread, sk, kind, now);
	call->fd = fd;
	if (uaddr)
		request_read(call, uaddr, uaddr_len, true);
	/* others who see the port meanwhile leave it to the end of this call to tell of it */
	if (sock_is_datagram(sk))
		state->tid = bpf_get_current_pid_tgid();
	if (kind == WIRE_CONNECT) {
		who_fill(&call->who);
		call->facts |= who_is_followed();
		call->locks = FIELD_BITS(sk, sk_userlocks);
		if (!call->port_before)
			call->facts |= WIRE_F_SEARCHED;
	}
}

SEC("tp_btf/sys_enter")
int BPF_PROG(sys_enter, struct pt_regs *regs, long number)
{
	u8 kind;

	switch (number) {
	case SYSCALL_BIND:
		kind = WIRE_BIND;
		break;
	case SYSCALL_LISTEN:
		kind = WIRE_LISTEN;
		break;
	case SYSCALL_CONNECT:
		kind = WIRE_CONNECT;
		break;
	default:
		return 0;
	}
	if (task_is_compat((struct task_struct *)bpf_get_current_task()))
		return 0;
	if (kind == WIRE_BIND || kind == WIRE_CONNECT)
		syscall_enter(kind, SYSCALL_FIRST(regs), (void *)SYSCALL_SECOND(regs),
			      SYSCALL_THIRD(regs));
	else
		syscall_enter(kind, SYSCALL_FIRST(regs), 0, 0);
	return 0;
}

/*
 * bind() or listen() has returned: the record that tells of it. If the descriptor leads to another
 * socket now, a racing thread has changed it, and nobody can say which one the kernel took.
 */
static __always_inline u8 bind_or_listen_exit(struct sock *sk, struct socket_state *state,
					      struct call *call, long ret)
{
	u16 port = sock_port(sk);

	if ((u64)sk != call->sk) {
		if (ret || !port || (state->flags & SOCKET_TOLD))
			return WIRE_NONE;
		call->port_before = 0;
		call->facts = (call->facts & ~WIRE_F_REQUEST) | WIRE_F_UNCONFIRMED;
		state->flags &= ~SOCKET_EXISTING;
	} else if (!ret && !call->port_before && port &&
		   (call->kind == WIRE_LISTEN || !call->request.port)) {
		call->facts |= WIRE_F_SEARCHED;
	}
	if (!ret && !call->port_before && port)
		call->facts |= sock_owners_before(sk);
	else if (ret && !call->port_before && port)
		call->port_before = port; /* another thread's doing */
	return call->kind;
}

/*
 * A connect() on a socket without a port has given it one, as far as can be seen. If the socket is
 * locked to an address or a port as it was not before, somebody bound it in between: a cgroup
 * program (bpf_bind()) or another thread.
 */
static __always_inline void connect_assigned(struct sock *sk, struct call *call)
{
	const u32 bound = SOCK_BINDADDR_LOCK | SOCK_BINDPORT_LOCK;

	call->facts |= sock_owners_before(sk);
	if (FIELD_BITS(sk, sk_userlocks) & ~call->locks & bound)
		call->facts |= WIRE_F_UNCONFIRMED;
}

/* connect() on a datagram socket has returned: all of it is visible now. */
static __always_inline u8 datagram_connect_exit(struct sock *sk, struct socket_state *state,
						struct call *call, long ret)
{
	u16 port = sock_port(sk);

	if (!port && state->told_port)
		socket_released(sk, state, bpf_ktime_get_boot_ns(), state->told_port);
	if (!call->port_before && port) {
		if (state->told_port == port)
			call->port_before = port; /* a send of another thread assigned it */
		else
			connect_assigned(sk, call);
	}
	return datagram_connect_outcome(call, ret);
}

static __always_inline u8 connect_exit(struct sock *sk, struct socket_state *state,
				       struct call *call, long ret)
{
	if (sock_is_datagram(sk))
		return datagram_connect_exit(sk, state, call, ret);
	if (ret || call->written || !sock_port(sk) || sock_state(sk) != TCP_SYN_SENT)
		return connect_outcome(sk, state, call, ret);
	/* TCP_FASTOPEN_CONNECT: the port is there, the SYN waits for the first send */
	if (!call->port_before)
		connect_assigned(sk, call);
	return attempt_begins(state, call);
}

/*
 * bind(), listen() or connect() has returned. The descriptor is walked again: only a connect() is
 * not told of if it leads elsewhere now, for CONNECT_CB has told what was true. What the record is
 * made of comes from many ways, and is forgotten, so that the verifier goes on by one.
 */
static __always_inline void call_exit(struct call *call, long ret)
{
	struct sock *sk = watched_of_fd(call->fd);
	struct socket_state *state;
	u64 id, now;
	u8 kind, told;

	if (!sk || (call->kind == WIRE_CONNECT && (u64)sk != call->sk))
		return;
	state = socket_find(sk); /* its entry is older than the call, or it is over */
	if (!state)
		return;
	id = state->id;
	state->tid = 0;
	told = call->kind == WIRE_CONNECT ? connect_exit(sk, state, call, ret)
					  : bind_or_listen_exit(sk, state, call, ret);
	if (told == WIRE_NONE)
		return;
	now = bpf_ktime_get_boot_ns();
	record_call(FORGET(kind, told), now, sk, state, call, positive_errno(ret), ACTOR_CURRENT);
	end_again(sk, id, now);
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *ctx)
{
	struct request request = { .family = AF_INET, .port = bpf_ntohs(ctx->user_port) };
	struct sock *sk = sock_of(ctx->sk);

	*(u32 *)request.addr = ctx->user_ip4;
	if (sk && sock_is_udp(sk))
		sending(sk, &request);
	return 1;
}

SEC("cgroup/sendmsg6")
int sendmsg6(struct bpf_sock_addr *ctx)
{
	struct request request = { .family = AF_INET6, .port = bpf_ntohs(ctx->user_port) };
	struct sock *sk = sock_of(ctx->sk);
	u32 *addr = (u32 *)request.addr;

	addr[0] = ctx->user_ip6[0];
	addr[1] = ctx->user_ip6[1];
	addr[2] = ctx->user_ip6[2];
	addr[3] = ctx->user_ip6[3];
	if (sk && sock_is_udp(sk))
		sending(sk, &request);
	return 1;
}

/* The number of the listener behind a descriptor, as socket_listens() has it; once as above. */
__attribute__((noinline)) u64 listener_number(s32 fd)
{
	struct sock *listener = watched_of_fd(fd);

	return listener && sock_state(listener) == TCP_LISTEN ? socket_listens(listener) : 0;
}

/*
 * accept() has returned a descriptor. Nothing is needed of its entry, so one that waited since
 * before the start is seen too. A listener closed meanwhile by another thread stays unknown.
 */
static __always_inline void accept_exit(s32 listener_fd, long fd)
{
	struct sock *child = fd >= 0 ? watched_of_fd(fd) : 0;
	u64 now = bpf_ktime_get_boot_ns(), id;
	struct socket_state *state;
	bool known;

	if (!child || task_is_compat((struct task_struct *)bpf_get_current_task()))
		return;
	known = socket_find(child);
	state = socket_taken(child, listener_number(listener_fd));
	if (!state || (state->flags & SOCKET_TOLD) || (!known && is_gone(child, state, fd)))
		return;
	id = state->id;
	record_accept(now, child, state, fd);
	end_again(child, id, now);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(sys_exit, struct pt_regs *regs, long ret)
{
	long number = SYSCALL_NUMBER_DIRECT(regs);
	struct thread *thread;

	if (number == SYSCALL_ACCEPT || number == SYSCALL_ACCEPT4) {
		accept_exit(SYSCALL_FIRST(regs), ret);
		return 0;
	}
	if (ret < 0 && (syscall_sends(number) || number == SYSCALL_SPLICE)) {
		if (!task_is_compat((struct task_struct *)bpf_get_current_task()))
			send_failed(regs, number, ret);
		return 0;
	}
	if (number != SYSCALL_BIND && number != SYSCALL_LISTEN && number != SYSCALL_CONNECT)
		return 0;
	thread = thread_find();
	if (!thread || !thread->depth)
		return 0;
	thread->depth = 0;
	call_exit(&thread->calls[0], ret);
	return 0;
}

/*
 * No connect(2) is behind it. A send is TCP Fast Open; else it is io_uring, a 32-bit call or the
 * kernel, and how the socket got its port is not known. Whose doing it is, is: the hook runs in the
 * caller's context, but of the kernel's own sockets that says nothing.
 */
static __always_inline void connecting_otherwise(struct sock *sk, struct socket_state *state,
						 u64 now)
{
	struct call call = { .sends = 1, .port_before = state->told_port };

	if (state->flags & SOCKET_CONNECTING) /* told of when connect() put the SYN off */
		return;
	call_sent(&call);
	if (call.fd < 0 || (state->flags & SOCKET_EXISTING)) {
		call.fd = -1;
		call.sends = 0;
		call.facts = (call.facts & WIRE_F_FOLLOWED) | WIRE_F_UNCONFIRMED;
		connect_fixed(sk, state, &call, now,
			      sock_is_kernels(sk) ? ACTOR_NONE : ACTOR_NOTED);
		return;
	}
	if (!call.port_before)
		call.facts |= WIRE_F_SEARCHED | sock_owners_before(sk);
	connect_fixed(sk, state, &call, now, ACTOR_NOTED);
}

/* TCP_CONNECT_CB: in tcp_connect(), port and route fixed, the SYN not yet built. */
static __always_inline void connecting(struct sock *sk)
{
	u64 now = bpf_ktime_get_boot_ns();
	struct socket_state *state = socket_find(sk);
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct thread *thread;
	struct call *call;

	if (!state) {
		struct socket_state fresh = { .id = socket_number(now) };

		if (config.filter)
			return;
		state = socket_insert_once(sk, &fresh);
		if (!state)
			return;
	}
	/* this hook runs in the caller's context, though it may not ask for the caller's ids */
	thread = thread_find_of((u64)BPF_CORE_READ(task, tgid) << 32 |
				(u32)BPF_CORE_READ(task, pid));
	call = call_top(thread, sk);
	if (call && call->kind == WIRE_CONNECT) {
		call->written = 1;
		if (!call->port_before)
			connect_assigned(sk, call);
		connect_fixed(sk, state, call, now, ACTOR_NOTED);
		return;
	}
	connecting_otherwise(sk, state, now);
}

/* Called for TCP sockets of cgroups below: the root. The answer -1 is "no opinion" for every op. */
SEC("sockops")
int sock_ops(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *socket;

	ctx->reply = -1;
	if (ctx->op != BPF_SOCK_OPS_TCP_CONNECT_CB)
		return 1;
	socket = ctx->sk;
	if (socket)
		connecting(sock_of(socket));
	return 1;
}

/*
 * A child leaves the SYN queue. At this moment it is a copy of its listener (sk_clone copies
 * skc_bind_node, inet_csk_clone_lock has not yet cleared it): its back link leads to the pointer
 * to the listener's own node in the list of the bucket's owners. Believed only if what is found
 * is a listener on the same port.
 */
static __always_inline void child_made(struct sock *child)
{
	struct hlist_node **back = BPF_CORE_READ(child, __sk_common.skc_bind_node.pprev), *node = 0;
	struct sock *listener;

	if (back)
		bpf_probe_read_kernel(&node, sizeof(node), back);
	listener =
		node ? (void *)node - bpf_core_field_offset(struct sock, __sk_common.skc_bind_node)
		     : 0;
	if (listener && (sock_state(listener) != TCP_LISTEN ||
			 sock_port(listener) != sock_port(child) || !sock_is_tcp(listener)))
		listener = 0;
	socket_child(child, listener);
}

/*
 * Has the connection left a TIME_WAIT entry behind? That needs FIN_WAIT2 or CLOSING, and either the
 * peer's FIN or no descriptor any more; connect(AF_UNSPEC) and close() with a reset (SO_LINGER 0,
 * data unread) come to CLOSE from there too.
 */
static __always_inline bool left_time_wait(struct sock *sk, const struct socket_state *state,
					   int old_state)
{
	const struct call *call = call_top(thread_find(), sk);

	if ((old_state != TCP_FIN_WAIT2 && old_state != TCP_CLOSING) || BPF_CORE_READ(sk, sk_err))
		return false;
	if (sock_is_dead(sk))
		return true;
	if (!sock_has_flag(sk, SOCK_DONE) || (call && call->kind == WIRE_CONNECT))
		return false;
	return !state->close_ns ||
	       (sock_has_flag(sk, SOCK_LINGER) && BPF_CORE_READ(sk, sk_lingertime));
}

/*
 * The socket has reached CLOSE. inet_put_port() comes before the tracepoint: port 0 means that it
 * was given up, or left to a TIME_WAIT entry if the states say so and no error ended it.
 */
static __always_inline void became_closed(struct sock *sk, struct socket_state *state,
					  int old_state, u64 now)
{
	u16 port = state->port;

	if (!port)
		return;
	if (old_state == TCP_SYN_SENT || old_state == TCP_SYN_RECV) {
		socket_connect_error(state, now, BPF_CORE_READ(sk, sk_err));
		state->flags &= ~SOCKET_CONNECTING; /* shutdown() ends an attempt without error */
	}
	if (left_time_wait(sk, state, old_state))
		socket_waits(sk, state, now, port);
	else if (!sock_port(sk))
		socket_released(sk, state, now, port);
}

static __always_inline void state_changed(struct sock *sk, int old_state, int new_state)
{
	u64 now = bpf_ktime_get_boot_ns();
	struct socket_state *state;

	if (new_state == TCP_SYN_RECV && old_state == TCP_LISTEN) {
		if (sock_is_tcp(sk))
			child_made(sk);
		return;
	}
	state = socket_find(sk);
	if (!state)
		return;
	if (new_state == TCP_ESTABLISHED)
		socket_established(state, now);
	else
		became_closed(sk, state, old_state, now);
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(set_state, struct sock *sk, int old_state, int new_state)
{
	if (new_state == TCP_ESTABLISHED || new_state == TCP_CLOSE ||
	    (new_state == TCP_SYN_RECV && old_state == TCP_LISTEN))
		state_changed(sk, old_state, new_state);
	return 0;
}

static __always_inline void destroyed(struct sock *sk)
{
	struct socket_state *state = socket_find(sk);

	if (state)
		socket_ended(sk, state, bpf_ktime_get_boot_ns(),
			     state->time_wait_ns ? WIRE_E_INFERRED : 0);
}

/* First thing in tcp_v4_destroy_sock (IPv6 too): a port still held is given up right after. */
SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroy, struct sock *sk)
{
	destroyed(sk);
	return 0;
}

SEC("cgroup/sock_create")
int sock_create(struct bpf_sock *ctx)
{
	struct sock *sk = sock_of(ctx);

	if (sk && sock_is_watched(sk) && who_is_chosen())
		socket_create(sk, bpf_ktime_get_boot_ns());
	return 1;
}

/* Calls that this backend does not see have given a datagram socket another port, or none. */
static __always_inline void port_corrected(struct sock *sk, struct socket_state *state, u64 now)
{
	u16 port = sock_port(sk);

	if (!state->told_port || port == state->told_port)
		return;
	state->port = port;
	record_call(WIRE_FOUND, now, sk, state, 0, 0, ACTOR_CURRENT);
}

SEC("cgroup/sock_release")
int sock_release(struct bpf_sock *ctx)
{
	struct sock *sk = sock_of(ctx);
	u64 now = bpf_ktime_get_boot_ns();
	struct socket_state *state;

	if (!sk || !sock_is_watched(sk))
		return 1;
	state = socket_find(sk);
	if (!socket_is_told_closed(sk, state))
		return 1;
	if (state && sock_is_datagram(sk))
		port_corrected(sk, state, now);
	state = socket_closed(sk, state, now);
	/* of a datagram socket nothing is left when close() is through */
	if (state && sock_is_datagram(sk))
		socket_ended(sk, state, now, 0);
	return 1;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(forked, struct task_struct *parent, struct task_struct *child)
{
	who_forked(parent, child);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exited, struct task_struct *task)
{
	who_exited(task);
	thread_exited(task);
	return 0;
}
