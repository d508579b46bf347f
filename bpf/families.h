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
	FAMILY_UNBORN = 1 << 6,	  /* MPTCP, 6.1: its subflow was made before it was whole */
	FAMILY_REMOVED = 1 << 5,  /* AF_VSOCK: the kernel has let go of it before close() */
	FAMILY_TAKEN = 1 << 7,	  /* accept() has it, and is told of with its descriptor */
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

/*
 * What a thread is in. ACCEPT has no end of its own: it is forgotten with the next call. TAKEN: a
 * child has been accepted, and gets its descriptor in a moment.
 */
enum family_step {
	STEP_BIND = 1,
	STEP_CONNECT,
	STEP_LISTEN,
	STEP_AUTOBIND,
	STEP_ACCEPT,
	STEP_TAKEN,
	STEP_CONNECTX, /* SCTP: connect(), or what setsockopt() does instead */
};

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
 * A socket of AF_VSOCK, whose type stands in a module, begins with its struct sock, a pointer to
 * its transport and the two addresses (5.10 to 7.3).
 */
static __always_inline void *vsock_transport(struct sock *sk)
{
	void *transport = 0;

	bpf_probe_read_kernel(&transport, sizeof(transport),
			      (void *)sk + bpf_core_type_size(struct sock));
	return transport;
}

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

static __always_inline bool family_is_kernels(struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_kern_sock);
}

/* All but who, and what only a call knows. NULL: no room. */
static __always_inline struct wire_call *family_record(u8 kind, struct sock *sk,
						       const struct family_socket *state)
{
	struct wire_call *r = RESERVE(struct wire_call);
	u16 protocol;

	if (!r)
		return 0;
	__builtin_memset(r, 0, sizeof(*r));
	head_fill(&r->head, kind, sizeof(*r), bpf_ktime_get_boot_ns());
	protocol = FORGET(r->sock.protocol, family_protocol(sk));
	family_fill(&r->sock, sk, protocol);
	r->sock.id = state->id;
	r->sock.parent = state->parent;
	r->sock.created_ns = state->created_ns;
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
	return r;
}

#endif
