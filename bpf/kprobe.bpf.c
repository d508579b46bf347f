// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kprobe.bpf.c binds the function-level handlers to kprobes and kretprobes, for kernels and
 * functions that fentry cannot reach. All reads are probe reads; a return finds the arguments in
 * the frame that its entry left (frames.h).
 *
 * The kernel has a limited number of kretprobe instances, so none is used where a kprobe tells the
 * same, in a softirq, or on a function in which threads wait; except __inet_stream_connect, see
 * there.
 */
#define THREAD_FRAMES
#include "bpf/ending.h"
#include "bpf/functions.h"
#include "bpf/frames.h"

char LICENSE[] SEC("license") = "GPL";

#define ARG1	 (void *)PT_REGS_PARM1(ctx)
#define ARG2	 (void *)PT_REGS_PARM2(ctx)
#define U64_3	 (u64) PT_REGS_PARM3(ctx)
#define INT2	 (int)PT_REGS_PARM2(ctx)
#define INT3	 (int)PT_REGS_PARM3(ctx)
#define INT5	 (int)PT_REGS_PARM5(ctx)
#define RETURNED (int)PT_REGS_RC(ctx)

/* arguments at the entry, for a return */
#define SAVED1	   (void *)frame->args[0]
#define SAVED2	   (void *)frame->args[1]
#define SAVED_INT3 (int)frame->args[2]
#define SAVED_INT4 (int)frame->args[3]

/* What happens at the entry of a function whose return does not matter. */
#define ENTRY(program, symbol, handler)                                                            \
	SEC("kprobe/" #symbol)                                                                     \
	int program(struct pt_regs *ctx)                                                           \
	{                                                                                          \
		handler;                                                                           \
		return 0;                                                                          \
	}

/* The entry of a function about the socket sk, followed by a RETURN of the same function. */
#define CALL(program, symbol, sk, handler)                                                         \
	SEC("kprobe/" #symbol)                                                                     \
	int program(struct pt_regs *ctx)                                                           \
	{                                                                                          \
		if (frame_push(ctx, FUNCTION_##symbol, sk))                                        \
			handler;                                                                   \
		return 0;                                                                          \
	}

#define RETURN(program, symbol, handler)                                                           \
	SEC("kretprobe/" #symbol)                                                                  \
	int program(struct pt_regs *ctx)                                                           \
	{                                                                                          \
		struct frame *frame = frame_pop(ctx, FUNCTION_##symbol);                           \
                                                                                                   \
		if (frame)                                                                         \
			handler;                                                                   \
		return 0;                                                                          \
	}

/* Functions with a CALL and a RETURN. */
enum function {
	FUNCTION___inet_bind,
	FUNCTION___inet6_bind,
	FUNCTION_inet_bind,
	FUNCTION_inet6_bind,
	FUNCTION_security_socket_bind,
	FUNCTION_security_socket_listen,
	FUNCTION_security_socket_connect,
	FUNCTION_inet_csk_get_port,
	FUNCTION_udp_lib_get_port,
	FUNCTION_ping_bind,
	FUNCTION_ping_get_port,
	FUNCTION_inet_listen,
	FUNCTION___inet_stream_connect,
	FUNCTION_inet_csk_accept,
	FUNCTION_tcp_v4_connect,
	FUNCTION_tcp_v6_connect,
	FUNCTION_inet_dgram_connect,
	FUNCTION___inet_hash_connect,
};

static __always_inline struct sock *sock_of(void *socket)
{
	return BPF_CORE_READ((struct socket *)socket, sk);
}

/* --- bind, listen, the port search, connect ------------------------------------------------ */

CALL(bind4_enter, __inet_bind, ARG1, handle_bind_enter(ARG1))
RETURN(bind4_exit, __inet_bind, handle_bind_exit(SAVED1, SAVED2, SAVED_INT3, SAVED_INT4, RETURNED))

CALL(bind6_enter, __inet6_bind, ARG1, handle_bind_enter(ARG1))
RETURN(bind6_exit, __inet6_bind, handle_bind_exit(SAVED1, SAVED2, SAVED_INT3, SAVED_INT4, RETURNED))

CALL(bind4_outer_enter, inet_bind, sock_of(ARG1), (void)0)
RETURN(bind4_outer, inet_bind, handle_bind_outer_exit(SAVED1, SAVED2, SAVED_INT3, RETURNED))

CALL(bind6_outer_enter, inet6_bind, sock_of(ARG1), (void)0)
RETURN(bind6_outer, inet6_bind, handle_bind_outer_exit(SAVED1, SAVED2, SAVED_INT3, RETURNED))

CALL(bind_asked, security_socket_bind, sock_of(ARG1), (void)0)
RETURN(bind_denied, security_socket_bind,
       handle_denied(SAVED1, WIRE_BIND, SAVED2, SAVED_INT3, RETURNED))

CALL(listen_asked, security_socket_listen, sock_of(ARG1), (void)0)
RETURN(listen_denied, security_socket_listen, handle_denied(SAVED1, WIRE_LISTEN, 0, 0, RETURNED))

CALL(connect_asked_for, security_socket_connect, sock_of(ARG1), (void)0)
RETURN(connect_denied, security_socket_connect,
       handle_denied(SAVED1, WIRE_CONNECT, SAVED2, SAVED_INT3, RETURNED))

CALL(get_port_enter, inet_csk_get_port, ARG1, handle_get_port_enter(ARG1, INT2))
static __always_inline void get_port_returns(struct sock *sk, u16 port, int ret)
{
	handle_bind_conflict(sk, port, ret);
	handle_get_port_exit(sk, ret);
}

RETURN(get_port_exit, inet_csk_get_port, get_port_returns(SAVED1, frame->args[1], RETURNED))

CALL(udp_get_port_enter, udp_lib_get_port, ARG1, handle_get_port_enter(ARG1, INT2))
RETURN(udp_get_port_exit, udp_lib_get_port, handle_get_port_exit(SAVED1, RETURNED))

CALL(ping_bind_enter, ping_bind, ARG1, handle_bind_enter(ARG1))
RETURN(ping_bind_exit, ping_bind, handle_bind_exit(SAVED1, SAVED2, SAVED_INT3, 0, RETURNED))

CALL(ping_get_port_enter, ping_get_port, ARG1, handle_get_port_enter(ARG1, INT2))
RETURN(ping_get_port_exit, ping_get_port, handle_get_port_exit(SAVED1, RETURNED))

CALL(listen_enter, inet_listen, sock_of(ARG1), handle_listen_enter(ARG1))
RETURN(listen_exit, inet_listen, handle_listen_exit(SAVED1, RETURNED))

CALL(connect_enter, __inet_stream_connect, sock_of(ARG1),
     handle_connect_enter(ARG1, ARG2, INT3, INT5))
RETURN(connect_exit, __inet_stream_connect, handle_connect_exit(SAVED1, RETURNED))

/*
 * Threads wait in __inet_stream_connect, and when they have used up its instances other returns are
 * missed. But they wait after tcp_v[46]_connect has returned: what comes later is told by the
 * socket (established, refused). So the call is over for us with this return, and its own is needed
 * only where it did not get here: refused by a cgroup program, connect(AF_UNSPEC), a second
 * connect().
 */
static __always_inline void connect_begins(struct sock *sk)
{
	struct socket_state *state = socket_find(sk);

	if (state)
		state->flags &=
			~SOCKET_FAILED; /* of the attempt before, whose return was not awaited */
}

static __always_inline void connect_asked(struct sock *sk, int ret)
{
	struct thread *thread = thread_find();
	struct frame *around = frame_around(thread);

	if (!thread || !around || around->function != FUNCTION___inet_stream_connect ||
	    sock_of((void *)around->args[0]) != sk)
		return;
	thread->frames.depth--;
	handle_connect_exit((void *)around->args[0], ret);
}

CALL(tcp_connect4_enter, tcp_v4_connect, ARG1, connect_begins(ARG1))
RETURN(tcp_connect4_exit, tcp_v4_connect, connect_asked(SAVED1, RETURNED))

CALL(tcp_connect6_enter, tcp_v6_connect, ARG1, connect_begins(ARG1))
RETURN(tcp_connect6_exit, tcp_v6_connect, connect_asked(SAVED1, RETURNED))

CALL(dgram_connect_enter, inet_dgram_connect, sock_of(ARG1),
     handle_dgram_connect_enter(ARG1, ARG2, INT3))
RETURN(dgram_connect_exit, inet_dgram_connect, handle_dgram_connect_exit(SAVED1, RETURNED))

/* inet_hash_connect and inet6_hash_connect lead here. */
CALL(hash_connect_enter, __inet_hash_connect, ARG2, handle_hash_connect_enter(ARG2, U64_3))
RETURN(hash_connect_exit, __inet_hash_connect, handle_hash_connect_exit(SAVED2, RETURNED))

ENTRY(established, tcp_init_transfer, handle_established(ARG1))
ENTRY(done, tcp_done, handle_done(ARG1))

/* --- creation -------------------------------------------------------------------------------
 * security_socket_post_create: __sock_create() calls it when inet_create() has succeeded. Not there
 * without CONFIG_SECURITY_NETWORK.
 */
SEC("kprobe/security_socket_post_create")
int created(struct pt_regs *ctx)
{
	int family = INT2;

	if (family == AF_INET || family == AF_INET6)
		handle_created(ARG1, 0);
	return 0;
}

/* --- accept ---------------------------------------------------------------------------------
 * Threads wait in inet_csk_accept and in accept(2), so no kretprobe: the listener is noted on the
 * way in, security_sock_graft (5.10 to 7.3: inet_accept joins the child to its struct socket) has
 * the child, fd_install the descriptor.
 */

/* Threads that have taken a child and not its descriptor: fd_install runs for every open(). */
static u64 fds_awaited;

ENTRY(inherit, __inet_inherit_port, handle_inherit_exit(ARG1, ARG2, 0))

SEC("kprobe/inet_csk_accept")
int accept_enter(struct pt_regs *ctx)
{
	struct thread *thread = thread_find();
	struct sock *listener = ARG1;

	if (thread)
		thread->frames.listener = 0; /* of an accept() that failed */
	if (!socket_find(listener) && !who_is_chosen())
		return 0;
	if (!thread)
		thread = thread_touch();
	if (thread)
		thread->frames.listener = (u64)listener;
	return 0;
}

/* The listener that this thread is in accept() on; NULL if it is not known. */
static __always_inline struct sock *accepting(struct thread *thread, struct sock *child)
{
	struct sock *listener = (void *)thread->frames.listener;

	thread->frames.listener = 0;
	/* other ways lead to the graft: a listener noted before must be the child's */
	return listener && sock_port(listener) == sock_port(child) ? listener : 0;
}

static __always_inline void accepted(struct sock *child)
{
	struct thread *thread = thread_find();
	struct sock *listener = 0;

	if (!child || !sock_is_tcp(child))
		return;
	if (thread) {
		listener = accepting(thread, child);
		if (thread->taken_sk) { /* got no descriptor: the address could not be written */
			handle_accept_fd(-1);
			__sync_fetch_and_add(&fds_awaited, -1);
		}
	}
	handle_accept_exit(listener, child);
	thread = thread_find();
	if (thread && thread->taken_sk)
		__sync_fetch_and_add(&fds_awaited, 1);
}

SEC("kprobe/security_sock_graft")
int accept_graft(struct pt_regs *ctx)
{
	struct mptcp_sock *mptcp = ARG1;
	struct sock *child = ARG1;

	/* MPTCP joins its own socket; what came out of the queue is the subflow that it has so far
	 */
	if (bpf_core_field_exists(mptcp->first) && FIELD(child, sk_protocol) == IPPROTO_MPTCP)
		child = BPF_CORE_READ(mptcp, first);
	accepted(child);
	return 0;
}

/*
 * Kernels without CONFIG_SECURITY_NETWORK have no security_sock_graft. There the return of
 * inet_csk_accept has the child, as long as instances last; what was missed is counted.
 */
CALL(accept_call, inet_csk_accept, ARG1, (void)0)
RETURN(accept_return, inet_csk_accept, accepted((void *)PT_REGS_RC(ctx)))

SEC("kprobe/fd_install")
int accept_fd(struct pt_regs *ctx)
{
	struct thread *thread = fds_awaited ? thread_find() : 0;
	struct sock *child;

	if (!thread || !thread->taken_sk)
		return 0;
	child = (void *)thread->taken_sk;
	if (BPF_CORE_READ(child, sk_socket, file) != ARG2)
		return 0; /* not the child's */
	handle_accept_fd(PT_REGS_PARM1(ctx));
	__sync_fetch_and_add(&fds_awaited, -1);
	return 0;
}

/* --- the end ------------------------------------------------------------------------------- */

ENTRY(close_enter, tcp_close, handle_close(ARG1))
ENTRY(put_port, inet_put_port, handle_put_port(ARG1))
ENTRY(udp_unhash, udp_lib_unhash, handle_udp_unhash(ARG1))
ENTRY(ping_close, ping_close, handle_ping_close(ARG1))
ENTRY(ping_unhash, ping_unhash, handle_ping_unhash(ARG1))
ENTRY(time_wait_end, inet_twsk_bind_unhash, handle_time_wait_end(ARG1))

/* up to 6.9, and later */
ENTRY(time_wait, inet_twsk_hashdance, handle_time_wait(ARG1, ARG2))
ENTRY(time_wait_schedule, inet_twsk_hashdance_schedule, handle_time_wait(ARG1, ARG2))

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroyed, struct sock *sk)
{
	handle_destroyed(sk);
	return 0;
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
	frames_exited();
	who_exited(task);
	thread_exited(task);
	return 0;
}
