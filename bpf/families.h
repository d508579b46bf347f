/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * families.h owns what is told of sockets beyond TCP, UDP and ping: raw, MPTCP, SCTP, AF_UNIX,
 * AF_VSOCK, AF_NETLINK. Its programs are objects of their own beside those of a backend, loaded
 * only when --proto asks for such a family; they write into that backend's ring buffer and have a
 * table of sockets for themselves. All reads are probe reads, so that every backend can include it.
 *
 * A socket of these has what stands for its port once in its life (SCTP and MPTCP have ports). What
 * happened in a call is told at its end, by what the socket has then and did not have before.
 */
#ifndef PORTLIFE_FAMILIES_H
#define PORTLIFE_FAMILIES_H

#include "bpf/record.h"
#include "vmlinux/families.h"
#include <bpf/bpf_tracing.h>

enum family_flag {
	FAMILY_TOLD = 1 << 0,	  /* a record has introduced it to the collector */
	FAMILY_EXISTING = 1 << 1, /* had a port or a name when first seen */
	FAMILY_CHILD = 1 << 2,	  /* came out of a listener */
	FAMILY_HOLDS = 1 << 3,	  /* it was told that it has one */
	FAMILY_PATH = 1 << 4,	  /* its name of AF_UNIX was told */
};

struct family_socket {
	u64 id;
	u64 parent;
	u64 created_ns;
	u64 close_ns;
	u32 owner; /* tgid that touched it last in task context */
	u32 flags; /* enum family_flag */
	u16 port;  /* that it was told to have: SCTP, MPTCP */
	u16 pad[3];
};

/* Key: address of a struct sock. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1 << 18);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, u64);
	__type(value, struct family_socket);
} family_sockets SEC(".maps");

/* What a thread is in. ACCEPT has no end of its own: it is forgotten with the next call. */
enum family_step { STEP_BIND = 1, STEP_CONNECT, STEP_LISTEN, STEP_AUTOBIND, STEP_ACCEPT };

struct family_call {
	u64 sk;
	u64 mark; /* kprobe: stack pointer at the entry */
	u64 start_ns;
	u8 step; /* enum family_step */
	u8 pad;
	u16 port_before;
	u16 req_family;
	u16 req_port;
	u32 facts; /* enum wire_fact */
	u32 req_scope;
	u8 req_addr[16];
	u16 path_bytes;
	u16 pad2[3];
	char path[WIRE_PATH_MAX + 4]; /* requested, AF_UNIX */
};

/* Key: kernel thread id. The least recent goes when there is no room: one that never came back. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, u32);
	__type(value, struct family_call);
} family_calls SEC(".maps");

/* --- what kind of socket it is, and what it has --------------------------------------------- */

/* wire_sock.protocol of a socket that is asked for, else 0. */
static __always_inline u16 family_protocol(struct sock *sk)
{
	u16 protocol;

	switch (BPF_CORE_READ(sk, __sk_common.skc_family)) {
	case AF_UNIX:
		return config.families & WIRE_FAMILY_UNIX ? WIRE_PROTOCOL_UNIX : 0;
	case AF_NETLINK:
		return config.families & WIRE_FAMILY_NETLINK ? WIRE_PROTOCOL_NETLINK : 0;
	case AF_VSOCK:
		return config.families & WIRE_FAMILY_VSOCK ? WIRE_PROTOCOL_VSOCK : 0;
	case AF_INET:
	case AF_INET6:
		break;
	default:
		return 0;
	}
	if (BPF_CORE_READ(sk, sk_type) == SOCK_RAW)
		return config.families & WIRE_FAMILY_RAW ? WIRE_PROTOCOL_RAW : 0;
	protocol = BPF_CORE_READ(sk, sk_protocol);
	if (protocol == IPPROTO_SCTP)
		return config.families & WIRE_FAMILY_SCTP ? protocol : 0;
	if (protocol == IPPROTO_MPTCP)
		return config.families & WIRE_FAMILY_MPTCP ? protocol : 0;
	return 0;
}

static __always_inline bool protocol_is_named(u16 protocol)
{
	return protocol == WIRE_PROTOCOL_UNIX || protocol == WIRE_PROTOCOL_NETLINK ||
	       protocol == WIRE_PROTOCOL_VSOCK;
}

/* The name of a socket of AF_UNIX, NULL if it has none. */
static __always_inline struct unix_address *unix_name(struct sock *sk)
{
	return BPF_CORE_READ((struct unix_sock *)sk, addr);
}

/*
 * The addresses of a socket of AF_VSOCK, whose type stands in a module. It begins with its struct
 * sock, a pointer, and the two addresses (5.10 to 7.3).
 */
static __always_inline void vsock_addresses(struct sock *sk, struct sockaddr_vm *local_and_remote)
{
	void *at = (void *)sk + bpf_core_type_size(struct sock) + sizeof(void *);

	bpf_probe_read_kernel(local_and_remote, 2 * sizeof(*local_and_remote), at);
}

/* The sock that has the port and the addresses: of MPTCP the first subflow. */
static __always_inline struct sock *family_bearer(struct sock *sk, u16 protocol)
{
	struct mptcp_sock *mptcp = (void *)sk;
	struct sock *first;

	if (protocol != IPPROTO_MPTCP || !bpf_core_field_exists(mptcp->first))
		return sk;
	first = BPF_CORE_READ(mptcp, first);
	return first ? first : sk;
}

/* Its port; of those that have none 1 if it has what stands for one; else 0. */
static __always_inline u16 family_port(struct sock *sk, u16 protocol)
{
	struct sockaddr_vm vm[2] = {};

	switch (protocol) {
	case WIRE_PROTOCOL_UNIX:
		return unix_name(sk) != 0;
	case WIRE_PROTOCOL_NETLINK:
		return BPF_CORE_READ_BITFIELD_PROBED((struct netlink_sock *)sk, bound) != 0;
	case WIRE_PROTOCOL_VSOCK:
		vsock_addresses(sk, vm);
		return vm[0].svm_port != VMADDR_PORT_ANY;
	case WIRE_PROTOCOL_RAW: /* skc_num is the protocol */
		return 0;
	default:
		return BPF_CORE_READ(family_bearer(sk, protocol), __sk_common.skc_num);
	}
}

static __always_inline void vsock_fill(struct wire_sock *w, struct sock *sk)
{
	struct sockaddr_vm vm[2] = {};

	vsock_addresses(sk, vm);
	if (vm[0].svm_port != VMADDR_PORT_ANY) {
		*(u32 *)w->local = vm[0].svm_cid;
		*(u32 *)(w->local + 4) = vm[0].svm_port;
		w->local_port = 1;
	}
	if (vm[1].svm_port != VMADDR_PORT_ANY) {
		*(u32 *)w->peer = vm[1].svm_cid;
		*(u32 *)(w->peer + 4) = vm[1].svm_port;
	}
}

static __always_inline void netlink_fill(struct wire_sock *w, struct sock *sk)
{
	struct netlink_sock *nlk = (void *)sk;

	/* the protocol of netlink: each has port ids of its own */
	*(u32 *)(w->local + 4) = BPF_CORE_READ(sk, sk_protocol);
	w->local_port = family_port(sk, WIRE_PROTOCOL_NETLINK);
	if (w->local_port)
		*(u32 *)w->local = BPF_CORE_READ(nlk, portid);
	*(u32 *)w->peer = BPF_CORE_READ(nlk, dst_portid);
}

/* As sock_fill(), of any of these families. */
static __always_inline void family_fill(struct wire_sock *w, struct sock *sk, u16 protocol)
{
	if (!protocol_is_named(protocol)) {
		sock_fill(w, family_bearer(sk, protocol));
		w->state = sock_state(sk);
		w->options = sock_options(sk);
		w->cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
		w->protocol = protocol;
		if (protocol == WIRE_PROTOCOL_RAW)
			w->local_port = w->peer_port = 0;
		return;
	}
	w->cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	w->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	w->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	w->protocol = protocol;
	w->state = sock_state(sk);
	/* netlink has states of its own */
	if (protocol == WIRE_PROTOCOL_NETLINK || !w->state)
		w->state = TCP_CLOSE;
	if (protocol == WIRE_PROTOCOL_UNIX)
		w->local_port = unix_name(sk) != 0;
	else if (protocol == WIRE_PROTOCOL_VSOCK)
		vsock_fill(w, sk);
	else
		netlink_fill(w, sk);
}

/* --- the table ------------------------------------------------------------------------------- */

static __always_inline struct family_socket *family_find(const void *sk)
{
	u64 key = (u64)sk;

	return bpf_map_lookup_elem(&family_sockets, &key);
}

static __always_inline u64 family_number(u64 now_ns)
{
	return ((now_ns - config.start_ns) << WIRE_SOCKET_CPU_BITS) |
	       (bpf_get_smp_processor_id() & ((1 << WIRE_SOCKET_CPU_BITS) - 1));
}

static __always_inline struct family_socket *family_insert(const void *sk,
							   struct family_socket *fresh)
{
	u64 key = (u64)sk;
	long error = bpf_map_update_elem(&family_sockets, &key, fresh, BPF_NOEXIST);

	if (error && error != -EEXIST) {
		COUNT(lost_sockets);
		return 0;
	}
	return bpf_map_lookup_elem(&family_sockets, &key);
}

/* The entry of a socket that the current task touches; made now if the task is chosen. */
static __always_inline struct family_socket *family_touch(struct sock *sk, u16 protocol, u64 now)
{
	struct family_socket *found = family_find(sk);

	if (found)
		return found;
	if (!who_is_chosen())
		return 0;

	struct family_socket fresh = {
		.id = family_number(now),
		.owner = bpf_get_current_pid_tgid() >> 32,
		.flags = family_port(sk, protocol) ? FAMILY_EXISTING : 0,
	};
	return family_insert(sk, &fresh);
}

/* --- records --------------------------------------------------------------------------------- */

/* A name that the kernel has, or the one that was passed. A path ends before its NUL. */
static __always_inline struct wire_address *path_record(u64 id, u16 side, u64 now)
{
	struct wire_address *r = RESERVE(struct wire_address);

	if (!r)
		return 0;
	__builtin_memset(r, 0, sizeof(*r));
	head_fill(&r->head, WIRE_ADDRESS, sizeof(*r), now);
	r->id = id;
	r->side = side;
	return r;
}

/* A size that the verifier can see is within a name: clang forgets what it knows of it. */
#define WITHIN_PATH(size, most)                                                                    \
	asm volatile("%[s] &= 0x7f\n if %[s] <= " #most " goto +1\n %[s] = " #most : [s] "+r"(size))

/* len: of the name with the NUL of a path, as unix_address.len counts it but for the family. */
static __always_inline u16 path_read(char *to, const void *from, s32 len, bool user)
{
	u64 bytes = (u32)len, size;
	char first = 0;
	long got;

	if (len <= 0 || len > WIRE_PATH_MAX + 1)
		return 0;
	if (user ? bpf_probe_read_user(&first, 1, from) : bpf_probe_read_kernel(&first, 1, from))
		return 0;
	if (first) {
		/* the NUL need not be there: one byte more */
		size = bytes + 1;
		WITHIN_PATH(size, 109);
		got = user ? bpf_probe_read_user_str(to, size, from)
			   : bpf_probe_read_kernel_str(to, size, from);
		return got > 0 ? got - 1 : 0;
	}
	size = bytes;
	WITHIN_PATH(size, 108);
	got = user ? bpf_probe_read_user(to, size, from) : bpf_probe_read_kernel(to, size, from);
	return got ? 0 : size;
}

static __always_inline void tell_path_of(u64 id, u16 side, struct sock *sk, u64 now)
{
	struct unix_address *name = sk ? unix_name(sk) : 0;
	struct wire_address *r;

	if (!name)
		return;
	r = path_record(id, side, now);
	if (!r)
		return;
	r->path_bytes = path_read(r->path,
				  (void *)name + bpf_core_field_offset(struct unix_address, name) +
					  sizeof(u16),
				  BPF_CORE_READ(name, len) - (s32)sizeof(u16), false);
	record_submit(r);
}

/* The names that go with a record about this socket, ahead of it. */
static __always_inline void tell_paths(struct sock *sk, struct family_socket *state,
				       const struct family_call *call, u64 now)
{
	struct wire_address *r;

	if (!(state->flags & FAMILY_PATH) && unix_name(sk)) {
		tell_path_of(state->id, WIRE_ADDRESS_LOCAL, sk, now);
		state->flags |= FAMILY_PATH;
	}
	tell_path_of(state->id, WIRE_ADDRESS_PEER, BPF_CORE_READ((struct unix_sock *)sk, peer),
		     now);
	if (!call || call->req_family != AF_UNIX)
		return;
	r = path_record(state->id, WIRE_ADDRESS_REQUEST, now);
	if (!r)
		return;
	r->path_bytes = call->path_bytes;
	__builtin_memcpy(r->path, call->path, sizeof(r->path));
	record_submit(r);
}

/* The system call that leads to this step, by its number. */
static __always_inline bool syscall_fits(u8 kind, long number)
{
	switch (kind) {
	case WIRE_BIND:
		return number == SYSCALL_BIND;
	case WIRE_LISTEN:
		return number == SYSCALL_LISTEN;
	case WIRE_SEND:
		return syscall_sends(number);
	default:
		return number == SYSCALL_CONNECT;
	}
}

static __always_inline void came_by(struct wire_call *r, u8 kind)
{
	bool io_worker = false;
	struct syscall now = syscall_now(&io_worker);

	if (kind == WIRE_ACCEPT)
		return;
	if (syscall_fits(kind, now.number))
		r->fd = now.first;
	else if (io_worker || now.number == SYSCALL_IO_URING_ENTER)
		r->facts |= WIRE_F_IO_URING;
}

static __always_inline bool family_is_kernels(struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock);
}

/* In task context, by the current task. call: NULL for what has none. */
static __attribute__((noinline)) void family_tell(u8 kind, struct sock *sk,
						  struct family_socket *state,
						  const struct family_call *call, s32 error)
{
	u64 now = bpf_ktime_get_boot_ns();
	u16 protocol = family_protocol(sk);
	struct wire_call *r;

	if (protocol == WIRE_PROTOCOL_UNIX)
		tell_paths(sk, state, call, now);
	r = RESERVE(struct wire_call);
	if (!r)
		return;
	__builtin_memset(r, 0, sizeof(*r));
	head_fill(&r->head, kind, sizeof(*r), now);
	family_fill(&r->sock, sk, protocol);
	r->sock.id = state->id;
	r->sock.parent = state->parent;
	r->sock.created_ns = state->created_ns;
	r->error = error;
	r->fd = -1;
	r->port_before = r->sock.local_port;
	if (protocol == IPPROTO_SCTP || protocol == IPPROTO_MPTCP)
		sock_range(sk, &r->range_lo, &r->range_hi);
	if (state->flags & FAMILY_CHILD)
		r->facts |= WIRE_F_CHILD;
	if (state->flags & FAMILY_EXISTING)
		r->facts |= WIRE_F_EXISTING;
	if (family_is_kernels(sk))
		r->facts |= WIRE_F_KERN_SOCK;
	if (call) {
		r->facts |= call->facts;
		r->start_ns = call->start_ns;
		r->port_before = call->port_before;
		r->req_family = call->req_family;
		r->req_port = call->req_port;
		r->req_scope = call->req_scope;
		__builtin_memcpy(r->req_addr, call->req_addr, 16);
	}
	came_by(r, kind);
	who_fill(&r->who);
	r->facts |= WIRE_F_WHO | who_is_followed();
	state->owner = r->who.pid_host;
	state->flags |= FAMILY_TOLD;
	state->port = r->sock.local_port;
	if (r->sock.local_port)
		state->flags |= FAMILY_HOLDS;
	record_submit(r);
}

/* What it had goes with the socket. */
static __attribute__((noinline)) void family_end(struct sock *sk, struct family_socket *state,
						 u64 now)
{
	u64 key = (u64)sk;
	struct wire_end *r = 0;

	if (state->flags & FAMILY_TOLD)
		r = RESERVE(struct wire_end);
	if (r) {
		__builtin_memset(r, 0, sizeof(*r));
		head_fill(&r->head, WIRE_END, sizeof(*r), now);
		r->id = state->id;
		r->close_ns = state->close_ns;
		if (state->flags & FAMILY_HOLDS) {
			r->release_ns = now;
			r->port = state->port > 1 ? state->port : 0;
		}
		record_submit(r);
	}
	bpf_map_delete_elem(&family_sockets, &key);
}

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

/*
 * A function that may give the socket a port or a name begins. AUTOBIND is told of only where no
 * outer one is seen: then it is a send. mark: what its end will have, too.
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
	if (call && step == STEP_AUTOBIND && call->sk == (u64)sk && call->step != STEP_ACCEPT)
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
	switch (call->step) {
	case STEP_BIND:
		return WIRE_BIND;
	case STEP_LISTEN:
		return WIRE_LISTEN;
	case STEP_CONNECT:
		return connect_kind(call, ret);
	default: /* what failed is tried again with another number, or fails with the send */
		return ret ? 0 : autobind_kind();
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
	if (step == STEP_AUTOBIND && !port)
		kind = 0;
	if (state && kind) {
		if (!call->port_before && port && !(call->facts & WIRE_F_REQUEST && call->req_port))
			call->facts |= WIRE_F_SEARCHED;
		family_tell(kind, sk, state, call, ret < 0 && kind != WIRE_CONNECT ? -ret : 0);
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
	if (old) /* whose end was missed */
		family_end(sk, old, now);
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

/* security_sock_graft: accept() gives a child to the program. */
static __always_inline void family_accepted(struct sock *child)
{
	u16 protocol = child ? family_protocol(child) : 0;
	u32 tid = bpf_get_current_pid_tgid();
	u64 now = bpf_ktime_get_boot_ns();
	struct family_socket *state, *parent = 0;
	struct family_call *call;
	struct sock *listener = 0;

	if (!protocol)
		return;
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
			return;
		state = family_insert(child, &fresh);
	}
	if (!state)
		return;
	if (parent && !state->parent)
		state->parent = parent->id;
	if (parent && !(parent->flags & FAMILY_TOLD)) /* from before the start */
		family_tell(WIRE_FOUND, listener, parent, 0, 0);
	family_tell(WIRE_ACCEPT, child, state, 0, 0);
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
	if (!state) {
		if (!family_port(sk, protocol))
			return 0;
		state = family_touch(sk, protocol, now);
		if (!state)
			return 0;
		family_tell(WIRE_FOUND, sk, state, 0, 0);
	} else if ((state->flags & FAMILY_TOLD) &&
		   state->owner != bpf_get_current_pid_tgid() >> 32) {
		tell_owner(state, now);
	}
	state->close_ns = now;
	return state;
}

/* Nothing is left of it when close() is through. */
static __always_inline void family_closed_whole(struct sock *sk)
{
	struct family_socket *state = family_closed(sk);

	if (state)
		family_end(sk, state, bpf_ktime_get_boot_ns());
}

static __always_inline void family_gone(struct sock *sk)
{
	struct family_socket *state = family_find(sk);

	if (state)
		family_end(sk, state, bpf_ktime_get_boot_ns());
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
		family_end(sk, state, bpf_ktime_get_boot_ns());
}

/* sctp_put_port, before skc_num is cleared. */
static __always_inline void sctp_released(struct sock *sk)
{
	struct family_socket *state = family_find(sk);

	if (!state)
		return;
	if (state->close_ns || sock_is_dead(sk))
		family_end(sk, state, bpf_ktime_get_boot_ns());
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
	struct socket_state fresh = { .created_ns = now };
	struct socket_state *state;
	struct socket *socket = 0;
	u64 key;

	if (ret || !parent)
		return;
	bpf_probe_read_kernel(&socket, sizeof(socket), made);
	key = socket ? (u64)BPF_CORE_READ(socket, sk) : 0;
	if (!key)
		return;
	state = bpf_map_lookup_elem(&sockets, &key);
	if (!state) {
		fresh.id = family_number(now);
		if (bpf_map_update_elem(&sockets, &key, &fresh, BPF_NOEXIST)) {
			COUNT(lost_sockets);
			return;
		}
		state = bpf_map_lookup_elem(&sockets, &key);
	}
	if (state)
		state->parent = parent->id;
}

#endif
