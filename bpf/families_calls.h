/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * families_calls.h owns the steps of sockets beyond TCP, UDP and ping: the calls that give them a
 * port or a name, how they begin, are accepted, closed and end. Which kernel function takes which
 * step is families_list.h's.
 */
#ifndef PORTLIFE_FAMILIES_CALLS_H
#define PORTLIFE_FAMILIES_CALLS_H

#include "bpf/families_told.h"
#include "bpf/table.h"

/* --- calls ----------------------------------------------------------------------------------- */

static __always_inline void request_of_inet(struct family_call *call, const void *uaddr, s32 len,
					    bool user)
{
	struct {
		u16 family;
		u16 port_be;
		u8 rest[24];
	} a = {};

	if (len < 8)
		return;
	if (call->req_family == AF_INET6 && len >= 24) {
		u32 size = len >= 28 ? 28 : 24;

		if (user)
			bpf_probe_read_user(&a, size, uaddr);
		else
			bpf_probe_read_kernel(&a, size, uaddr);
		__builtin_memcpy(call->req_addr, a.rest + 4, 16);
		call->req_scope = *(u32 *)(a.rest + 20);
	} else if (call->req_family == AF_INET) {
		if (user)
			bpf_probe_read_user(&a, 8, uaddr);
		else
			bpf_probe_read_kernel(&a, 8, uaddr);
		__builtin_memcpy(call->req_addr, a.rest, 4);
	}
	call->req_port = bpf_ntohs(a.port_be);
}

/* What the program passed to bind() or connect(), as the kernel has copied it. */
static __always_inline void family_request(struct family_call *call, u16 protocol,
					   const void *uaddr, s32 len, bool user)
{
	u32 words[3] = {}; /* of sockaddr_nl and sockaddr_vm alike: family, then two numbers */

	if (len < 2 || !uaddr)
		return;
	if (user ? bpf_probe_read_user(&call->req_family, 2, uaddr)
		 : bpf_probe_read_kernel(&call->req_family, 2, uaddr))
		return;
	call->facts |= WIRE_F_REQUEST;
	if (!protocol_is_named(protocol)) {
		request_of_inet(call, uaddr, len, user);
		if (protocol == WIRE_PROTOCOL_RAW)
			call->req_port = 0;
		return;
	}
	if (protocol == WIRE_PROTOCOL_UNIX && call->req_family == AF_UNIX) {
		call->path_bytes = path_read(call->path, uaddr + 2, len - 2, user);
		call->req_port = call->path_bytes != 0;
		return;
	}
	if (len < 12)
		return;
	if (user)
		bpf_probe_read_user(words, sizeof(words), uaddr);
	else
		bpf_probe_read_kernel(words, sizeof(words), uaddr);
	if (protocol == WIRE_PROTOCOL_NETLINK && call->req_family == AF_NETLINK) {
		*(u32 *)call->req_addr = words[1];
		call->req_port = words[1] != 0;
	} else if (protocol == WIRE_PROTOCOL_VSOCK && call->req_family == AF_VSOCK) {
		*(u32 *)call->req_addr = words[2];
		*(u32 *)(call->req_addr + 4) = words[1];
		call->req_port = words[1] != VMADDR_PORT_ANY;
	}
}

/* The thread is in a call on this socket that will tell of this step, too. */
static __always_inline bool is_inner(const struct family_call *call, u8 step, const struct sock *sk)
{
	if (!call || call->sk != (u64)sk)
		return false;
	return step == STEP_AUTOBIND   ? call->step != STEP_ACCEPT
	       : step == STEP_CONNECTX ? call->step == STEP_CONNECT
				       : false;
}

/*
 * A function that may give the socket a port or a name begins. AUTOBIND is told of only where no
 * outer one is seen: then it is a send, or bind() by another name. mark: what its end will have,
 * too.
 */
static __always_inline void family_enter(u64 mark, u8 step, struct sock *sk, const void *uaddr,
					 s32 len, bool user)
{
	u64 now = bpf_ktime_get_boot_ns();
	u32 tid = bpf_get_current_pid_tgid();
	struct family_call fresh = {};
	struct family_call *call;
	u16 protocol;

	if (!sk)
		return;
	protocol = family_protocol(sk);
	if (!protocol)
		return;
	call = bpf_map_lookup_elem(&family_calls, &tid);
	if (is_inner(call, step, sk))
		return;
	if (!family_touch(sk, protocol, now))
		return;
	fresh.sk = (u64)sk;
	fresh.mark = mark;
	fresh.start_ns = now;
	fresh.step = step;
	fresh.facts = WIRE_F_TIMED;
	fresh.port_before = family_port(sk, protocol);
	if (uaddr)
		family_request(&fresh, protocol, uaddr, len, user);
	if (bpf_map_update_elem(&family_calls, &tid, &fresh, BPF_ANY))
		COUNT(lost_calls);
}

static __always_inline u8 connect_kind(const struct family_call *call, int ret)
{
	if ((call->facts & WIRE_F_REQUEST) && call->req_family == AF_UNSPEC)
		return WIRE_DISCONNECT;
	if (!ret || ret == -EINPROGRESS)
		return WIRE_CONNECT;
	/* EALREADY, EISCONN and interruptions are no outcomes */
	return ret == -EALREADY || ret == -EISCONN || ret == -EINTR || ret <= -512
		       ? 0
		       : WIRE_CONNECT_FAILED;
}

/* SCTP_SOCKOPT_BINDX_ADD is a bind, all others that come here are sends. */
static __always_inline u8 autobind_kind(void)
{
	bool io_worker = false;
	long number = syscall_now(&io_worker).number;

	return syscall_sends(number) || io_worker || number == SYSCALL_IO_URING_ENTER ||
			       number == SYSCALL_SPLICE
		       ? WIRE_SEND
		       : WIRE_BIND;
}

static __always_inline u8 kind_of(const struct family_call *call, int ret)
{
	u8 kind;

	switch (call->step) {
	case STEP_BIND:
		return WIRE_BIND;
	case STEP_LISTEN:
		return WIRE_LISTEN;
	case STEP_CONNECT:
	case STEP_CONNECTX:
		return connect_kind(call, ret);
	default:
		/* what failed is tried again with another number, or fails with the send */
		kind = autobind_kind();
		return ret && (kind == WIRE_SEND || !(call->facts & WIRE_F_REQUEST)) ? 0 : kind;
	}
}

/* The child of a connection of AF_UNIX is made by connect(): nobody else tells when. */
static __always_inline void unix_connected(struct sock *client)
{
	struct sock *child = BPF_CORE_READ((struct unix_sock *)client, peer);
	u64 now = bpf_ktime_get_boot_ns();
	struct family_socket fresh = {
		.id = family_number(now),
		.created_ns = now,
		.flags = FAMILY_CHILD,
	};

	if (!child || config.filter || BPF_CORE_READ(client, sk_type) == SOCK_DGRAM)
		return;
	family_insert(child, &fresh);
}

/* Its end. */
static __always_inline void family_exit(u64 mark, u8 step, int ret)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct family_call *call = bpf_map_lookup_elem(&family_calls, &tid);
	struct family_socket *state;
	struct sock *sk;
	u16 port;
	u8 kind;

	if (!call || call->step != step || call->mark != mark)
		return;
	sk = (void *)call->sk;
	state = family_find(sk);
	kind = kind_of(call, ret);
	port = family_port(sk, family_protocol(sk));
	/* the kernel's own sockets of netlink are inserted without a port id */
	if (step == STEP_AUTOBIND && !port && !ret)
		kind = 0;
	/* what the kernel bound for a send was not asked for */
	if (step == STEP_AUTOBIND && kind == WIRE_SEND)
		call->facts &= ~WIRE_F_REQUEST;
	if (state && kind) {
		if (!call->port_before && port && !(call->facts & WIRE_F_REQUEST && call->req_port))
			call->facts |= WIRE_F_SEARCHED;
		family_tell((u64)sk, kind, ret < 0 && kind != WIRE_CONNECT ? -ret : 0, true);
		if (kind == WIRE_CONNECT && !ret && config.families & WIRE_FAMILY_UNIX &&
		    BPF_CORE_READ(sk, __sk_common.skc_family) == AF_UNIX)
			unix_connected(sk);
	}
	bpf_map_delete_elem(&family_calls, &tid);
}

/* --- beginning and end of a life ------------------------------------------------------------- */

/* A socket that the current task has made. Not for children. */
static __always_inline void family_born(struct sock *sk)
{
	u64 key = (u64)sk, now = bpf_ktime_get_boot_ns();
	struct family_socket fresh = {
		.id = family_number(now),
		.created_ns = now,
		.owner = bpf_get_current_pid_tgid() >> 32,
	};
	struct family_socket *old;

	if (!sk || !family_protocol(sk) || !who_is_chosen())
		return;
	old = family_find(sk);
	if (old && (old->flags & FAMILY_UNBORN)) {
		old->flags &= ~FAMILY_UNBORN;
		return;
	}
	if (old) /* whose end was missed */
		family_end(key, now);
	if (bpf_map_update_elem(&family_sockets, &key, &fresh, BPF_ANY))
		COUNT(lost_sockets);
}

/* security_socket_post_create: the socket is whole. */
static __always_inline void family_created(struct socket *socket)
{
	family_born(BPF_CORE_READ(socket, sk));
}

/* A child is put into its listener's queue (vsock_enqueue_accept), or made (mptcp_token_accept). */
static __always_inline void family_child(struct sock *child, struct sock *listener)
{
	struct family_socket *parent = listener ? family_find(listener) : 0;
	u64 now = bpf_ktime_get_boot_ns();
	struct family_socket fresh = {
		.id = family_number(now),
		.parent = parent ? parent->id : 0,
		.created_ns = now,
		.flags = FAMILY_CHILD,
	};

	if (!child || !family_protocol(child) || (!parent && config.filter))
		return;
	family_insert(child, &fresh);
}

/*
 * accept() gives a child to the program. Its entry; NULL if it is not followed. The thread is in no
 * call any more.
 */
static __always_inline struct family_socket *family_taken(struct sock *child)
{
	u16 protocol = child ? family_protocol(child) : 0;
	u32 tid = bpf_get_current_pid_tgid();
	u64 now = bpf_ktime_get_boot_ns();
	struct family_socket *state, *parent = 0;
	struct family_call *call;
	struct sock *listener = 0;

	if (!protocol)
		return 0;
	call = bpf_map_lookup_elem(&family_calls, &tid);
	if (call && call->step == STEP_ACCEPT)
		listener = (void *)call->sk;
	if (call)
		bpf_map_delete_elem(&family_calls, &tid);
	if (listener)
		parent = family_find(listener);
	state = family_find(child);
	if (!state) {
		struct family_socket fresh = {
			.id = family_number(now),
			.flags = FAMILY_CHILD,
			/* SCTP makes it in accept() */
			.created_ns = protocol == IPPROTO_SCTP ? now : 0,
		};

		if (!parent && !who_is_chosen())
			return 0;
		state = family_insert(child, &fresh);
	}
	if (!state)
		return 0;
	state->flags |= FAMILY_CHILD;
	if (parent && !state->parent)
		state->parent = parent->id;
	if (parent && !(parent->flags & FAMILY_TOLD)) /* from before the start */
		family_tell((u64)listener, WIRE_FOUND, 0, false);
	return state;
}

/*
 * security_sock_graft: its descriptor comes in a moment, unless io_uring has accepted. So it does
 * from getsockopt(), by which SCTP peels off.
 */
static __always_inline void family_accepted(struct sock *child)
{
	struct family_call taken = { .sk = (u64)child, .step = STEP_TAKEN };
	struct family_socket *state = family_taken(child);
	u32 tid = bpf_get_current_pid_tgid();
	bool io_worker = false;
	long number = syscall_now(&io_worker).number;

	if (!state)
		return;
	state->flags |= FAMILY_TAKEN;
	if ((number != SYSCALL_ACCEPT && number != SYSCALL_ACCEPT4 &&
	     number != SYSCALL_GETSOCKOPT) ||
	    bpf_map_update_elem(&family_calls, &tid, &taken, BPF_ANY))
		family_tell_accept((u64)child, -1);
}

/* fd_install: the file has a descriptor. */
static __always_inline void family_installed(s32 fd)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct family_call *call = bpf_map_lookup_elem(&family_calls, &tid);
	struct family_socket *state;
	struct sock *child;

	if (!call || call->step != STEP_TAKEN)
		return;
	child = (void *)call->sk;
	bpf_map_delete_elem(&family_calls, &tid);
	state = family_find(child);
	if (state && (state->flags & FAMILY_TAKEN))
		family_tell_accept((u64)child, fd);
}

/* A thread goes into accept() on this listener; it may wait there. */
static __always_inline void family_accepting(struct socket *socket)
{
	family_enter(0, STEP_ACCEPT, BPF_CORE_READ(socket, sk), 0, 0, false);
}

static __always_inline void tell_owner(struct family_socket *state, u64 now)
{
	struct wire_owner *r = RESERVE(struct wire_owner);

	if (!r)
		return;
	__builtin_memset(r, 0, sizeof(*r));
	head_fill(&r->head, WIRE_OWNER, sizeof(*r), now);
	r->id = state->id;
	who_fill(&r->who);
	r->facts = WIRE_F_WHO | who_is_followed();
	state->owner = r->who.pid_host;
	record_submit(r);
}

/* The last descriptor is closed. One that was there before is told of if it has a port or name. */
static __always_inline struct family_socket *family_closed(struct sock *sk)
{
	u64 now = bpf_ktime_get_boot_ns();
	u16 protocol = sk ? family_protocol(sk) : 0;
	struct family_socket *state;

	if (!protocol)
		return 0;
	state = family_find(sk);
	if (state && (state->flags & FAMILY_TAKEN)) /* accept() has failed in the end */
		family_tell_accept((u64)sk, -1);
	if (!state) {
		if (!family_port(sk, protocol))
			return 0;
		state = family_touch(sk, protocol, now);
		if (!state)
			return 0;
		family_tell((u64)sk, WIRE_FOUND, 0, false);
	} else if ((state->flags & FAMILY_TOLD) &&
		   state->owner != bpf_get_current_pid_tgid() >> 32) {
		tell_owner(state, now);
	}
	state->close_ns = bpf_ktime_get_boot_ns(); /* after what was told of it just now */
	return state;
}

static __always_inline void family_gone(struct sock *sk)
{
	family_end((u64)sk, bpf_ktime_get_boot_ns());
}

/* Nothing is left of it when close() is through. */
static __always_inline void family_closed_whole(struct sock *sk)
{
	struct family_socket *state = family_closed(sk);

	if (state)
		family_gone(sk);
}

static __always_inline void edge_release(struct family_socket *state, u16 port)
{
	struct wire_edge *r = RESERVE(struct wire_edge);

	if (!r)
		return;
	__builtin_memset(r, 0, sizeof(*r));
	head_fill(&r->head, WIRE_RELEASE, sizeof(*r), bpf_ktime_get_boot_ns());
	r->id = state->id;
	r->port = port;
	state->flags &= ~FAMILY_HOLDS;
	record_submit(r);
}

/*
 * vsock_remove_sock: after the last close, at once or when the peer has answered; before it if the
 * peer has ended the connection. Then the program has a socket without a port.
 */
static __always_inline void vsock_removed(struct sock *sk)
{
	struct family_socket *state = family_find(sk);

	if (!state)
		return;
	if (state->close_ns) {
		family_gone(sk);
		return;
	}
	if (state->flags & FAMILY_HOLDS)
		edge_release(state, 0);
	state->flags |= FAMILY_REMOVED;
}

/* Without a transport nothing is left to do; 5.10 has vsock_remove_sock inlined then. */
static __always_inline void vsock_closed(struct sock *sk)
{
	struct family_socket *state = family_closed(sk);

	if (state && (state->flags & FAMILY_REMOVED || !vsock_transport(sk)))
		family_gone(sk);
}

/* --- what is special ------------------------------------------------------------------------- */

/* unix_autobind takes a struct socket up to 5.10, a struct sock later. */
static __always_inline struct sock *autobind_sock(void *either)
{
	struct socket *socket = BPF_CORE_READ((struct sock *)either, sk_socket);

	if (socket && BPF_CORE_READ(socket, sk) == either)
		return either;
	return BPF_CORE_READ((struct socket *)either, sk);
}

/* sctp_close: an association may live on, and with it the port, until sctp_put_port. */
static __always_inline void sctp_closed(struct sock *sk)
{
	struct family_socket *state = family_closed(sk);

	if (state && !sock_port(sk))
		family_gone(sk);
}

/*
 * sctp_sock_migrate (up to 6.18): an association goes from a socket to another, within accept(), or
 * getsockopt() by which the program peels it off.
 */
static __always_inline void sctp_migrates(struct sock *from, struct sock *to)
{
	bool io_worker = false;

	if (syscall_now(&io_worker).number != SYSCALL_GETSOCKOPT)
		return;
	family_enter(0, STEP_ACCEPT, from, 0, 0, false);
	family_accepted(to);
}

/* sctp_put_port, before skc_num is cleared. */
static __always_inline void sctp_released(struct sock *sk)
{
	struct family_socket *state = family_find(sk);

	if (!state)
		return;
	if (state->close_ns || sock_is_dead(sk))
		family_gone(sk);
	else if (state->flags & FAMILY_HOLDS)
		edge_release(state, sock_port(sk));
}

/*
 * mptcp_subflow_create_socket has made a subflow for this socket, at the program's wish or by
 * itself: the life of the subflow is said to be of that connection. It is in the table of TCP
 * sockets if the task that made it is chosen; else it is put there.
 */
static __always_inline void subflow_made(struct sock *mptcp, struct socket **made, int ret)
{
	struct family_socket *parent = family_find(mptcp);
	u64 now = bpf_ktime_get_boot_ns();
	struct family_socket unborn = {
		.id = family_number(now),
		.created_ns = now,
		.owner = bpf_get_current_pid_tgid() >> 32,
		.flags = FAMILY_UNBORN,
	};
	struct socket_state fresh = { .created_ns = now };
	struct socket_state *state;
	struct socket *socket = 0;
	struct sock *sk;

	if (ret)
		return;
	/* up to 6.1 within socket() */
	if (!parent && family_protocol(mptcp) && who_is_chosen())
		parent = family_insert(mptcp, &unborn);
	if (!parent)
		return;
	bpf_probe_read_kernel(&socket, sizeof(socket), made);
	sk = socket ? BPF_CORE_READ(socket, sk) : 0;
	if (!sk)
		return;
	/* the subflow will be told of first, and says whose it is */
	if (!(parent->flags & FAMILY_TOLD))
		family_tell((u64)mptcp, WIRE_FOUND, 0, false);
	state = socket_find(sk);
	if (!state) {
		fresh.id = family_number(now);
		state = socket_insert_once(sk, &fresh);
	}
	if (state)
		state->parent = parent->id;
}

#endif
