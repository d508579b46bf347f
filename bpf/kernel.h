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

static __always_inline bool sock_is_inet(struct sock *sk)
{
	u16 family = FIELD(sk, __sk_common.skc_family);

	return family == AF_INET || family == AF_INET6;
}

static __always_inline bool sock_is_tcp(struct sock *sk)
{
	return sock_is_inet(sk) && FIELD(sk, sk_protocol) == IPPROTO_TCP &&
	       FIELD(sk, sk_type) == SOCK_STREAM;
}

/* UDP and UDP-Lite. The type tells them from raw sockets of the same protocol number. */
static __always_inline bool sock_is_udp(struct sock *sk)
{
	u16 protocol = FIELD(sk, sk_protocol);

	return sock_is_inet(sk) && (protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE) &&
	       FIELD(sk, sk_type) == SOCK_DGRAM;
}

/* Those that ping uses: they have an ICMP id where others have a port. */
static __always_inline bool sock_is_ping(struct sock *sk)
{
	u16 protocol = FIELD(sk, sk_protocol);

	return (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6) &&
	       FIELD(sk, sk_type) == SOCK_DGRAM && sock_is_inet(sk);
}

static __always_inline bool sock_is_datagram(struct sock *sk)
{
	return sock_is_udp(sk) || sock_is_ping(sk);
}

/* A socket whose ports are followed, whatever was asked for. */
static __always_inline bool sock_is_watched(struct sock *sk)
{
	return sock_is_tcp(sk) || sock_is_datagram(sk);
}

/*
 * The kernel's own socket, whoever asked for it. Not the subflows of an MPTCP socket, which the
 * kernel makes for a program.
 */
static __always_inline bool sock_is_kernels(struct sock *sk)
{
	struct tcp_sock___mptcp *tp = (void *)sk;

	if (!FIELD_BITS(sk, sk_kern_sock))
		return false;
	if (!bpf_core_field_exists(tp->is_mptcp) || !sock_is_tcp(sk))
		return true;
	return !BPF_CORE_READ(tp, is_mptcp);
}

static __always_inline bool sock_has_flag(struct sock *sk, enum sock_flags flag)
{
	return FIELD(sk, __sk_common.skc_flags) & (1UL << flag);
}

static __always_inline bool sock_is_dead(struct sock *sk)
{
	return sock_has_flag(sk, SOCK_DEAD);
}

/*
 * A bit field out of the eight bytes from the offset base on, which were read before; read by
 * itself if some kernel has it elsewhere.
 */
#define BIT_OF(word, base, ptr, field)                                                             \
	({                                                                                         \
		u32 at_ = __CORE_RELO(ptr, field, BYTE_OFFSET) - (base);                           \
		at_ <= 4 ? ((word) >> (8 * at_)) << __CORE_RELO(ptr, field, LSHIFT_U64) >>         \
				   __CORE_RELO(ptr, field, RSHIFT_U64)                             \
			 : BPF_CORE_READ_BITFIELD_PROBED(ptr, field);                              \
	})

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
		u32 base = __CORE_RELO(bits, freebind, BYTE_OFFSET);
		u64 word = 0;

		bpf_probe_read_kernel(&word, sizeof(word), (void *)sk + base);
		if (BIT_OF(word, base, bits, freebind))
			options |= WIRE_O_FREEBIND;
		if (BIT_OF(word, base, bits, transparent))
			options |= WIRE_O_TRANSPARENT;
		if (BIT_OF(word, base, bits, bind_address_no_port))
			options |= WIRE_O_BIND_ADDRESS_NO_PORT;
	}
	return options;
}

/*
 * ip_local_port_range of the namespace, narrowed by IP_LOCAL_PORT_RANGE of the socket as
 * inet_sk_get_local_port_range() does (7.3 inet_connection_sock.c:131): each bound counts only
 * if it lies within the namespace's. True if the socket has a range of its own, whatever it is:
 * connect() then takes another way through the ports (6.8).
 */
static __always_inline bool sock_range(struct sock *sk, u16 *lo, u16 *hi)
{
	struct net *net = FIELD(sk, __sk_common.skc_net.net);
	struct net___pair *pair = (void *)net;
	struct inet_sock___word *word = (void *)sk;
	struct inet_sock___pair *lohi = (void *)sk;
	u16 sk_lo = 0, sk_hi = 0;

	if (bpf_core_field_exists(pair->ipv4.ip_local_ports.range)) {
#ifdef READ_DIRECT
		*lo = pair->ipv4.ip_local_ports.range[0];
		*hi = pair->ipv4.ip_local_ports.range[1];
#else
		int range[2] = {};

		bpf_core_read(range, sizeof(range), &pair->ipv4.ip_local_ports.range);
		*lo = range[0];
		*hi = range[1];
#endif
	} else {
		u32 range = FIELD(net, ipv4.ip_local_ports.range);

		*lo = range & 0xffff;
		*hi = range >> 16;
	}
	if (bpf_core_field_exists(word->local_port_range)) {
		u32 range = BPF_CORE_READ(word, local_port_range);

		sk_lo = range & 0xffff;
		sk_hi = range >> 16;
	} else if (bpf_core_field_exists(lohi->local_port_range)) {
		u16 range[2] = {};

		bpf_core_read(range, sizeof(range), &lohi->local_port_range);
		sk_lo = range[0];
		sk_hi = range[1];
	}
	if (sk_lo && *lo <= sk_lo && sk_lo <= *hi)
		*lo = sk_lo;
	if (sk_hi && *lo <= sk_hi && sk_hi <= *hi)
		*hi = sk_hi;
	return sk_lo || sk_hi;
}

/* --- other owners of its port ------------------------------------------------------------ */

enum owners { OWNERS_UNKNOWN, OWNERS_NONE, OWNERS_OTHERS };

/*
 * Who came later is in front, in the list of a port's owners (5.10 and 6.1: of all; 6.12 and later:
 * of those with this address, whose lists are themselves in a list, the latest in front): what
 * comes after sk was there before it. TIME_WAIT entries are owners like any other.
 */
static __always_inline enum owners tcp_owners_before(struct sock *sk)
{
	struct inet_connection_sock___list *icsk = (void *)sk;

	if (FIELD(sk, __sk_common.skc_bind_node.next))
		return OWNERS_OTHERS;
	if (bpf_core_field_exists(icsk->icsk_bind2_hash->bhash_node) &&
	    BPF_CORE_READ(icsk, icsk_bind2_hash, bhash_node.next))
		return OWNERS_OTHERS;
	return OWNERS_NONE;
}

#define UDP_SLOT_DEEP 48 /* sockets of all ports that share a slot of the hash table */

#define UDP_OWNER 1 /* where else a node is, whose address is even */

/*
 * Of a node in a slot of the UDP table the one behind it, or the one before it; UDP_OWNER if its
 * socket has this port; 0 at the end. Numbers, for the verifier lets nobody walk back from a
 * pointer of a type. Functions that the verifier goes through once, not for each node that may
 * come.
 */
__attribute__((noinline)) u64 udp_behind(u64 node, u64 net, u32 port)
{
	struct sock *sk = (void *)(node - bpf_core_field_offset(struct sock, __sk_common.skc_node));

	if (BPF_CORE_READ(sk, __sk_common.skc_num) == port &&
	    (u64)BPF_CORE_READ(sk, __sk_common.skc_net.net) == net)
		return UDP_OWNER;
	return (u64)BPF_CORE_READ(sk, __sk_common.skc_node.next);
}

__attribute__((noinline)) u64 udp_before(u64 node, u64 net, u32 port)
{
	struct sock *sk = (void *)(node - bpf_core_field_offset(struct sock, __sk_common.skc_node));

	if (BPF_CORE_READ(sk, __sk_common.skc_num) == port &&
	    (u64)BPF_CORE_READ(sk, __sk_common.skc_net.net) == net)
		return UDP_OWNER;
	/* the slot itself is no socket */
	return BPF_CORE_READ(sk, sk_protocol) ? (u64)BPF_CORE_READ(sk, __sk_common.skc_node.pprev)
					      : 0;
}

/* The sockets of a slot from node `next` on, and those before it if `back` is a node's back link.
 */
__attribute__((noinline)) int udp_owners_near(u64 next, u64 back, u64 net, u32 port)
{
	for (int i = 0; i < UDP_SLOT_DEEP && next > UDP_OWNER; i++)
		next = udp_behind(next, net, port);
	if (next)
		return next == UDP_OWNER ? OWNERS_OTHERS : OWNERS_UNKNOWN;
	for (int i = 0; i < UDP_SLOT_DEEP && back > UDP_OWNER; i++)
		back = udp_before(back, net, port);
	return back == UDP_OWNER ? OWNERS_OTHERS : OWNERS_NONE;
}

/*
 * The slot of a UDP port holds sockets of other ports and namespaces too, the latest in front; but
 * IPv6 sockets with SO_REUSEPORT go to the end (sk_add_node_rcu()), so for those what comes before
 * is looked at too. There the first node's back link leads to the slot itself, which is no socket
 * of this port and namespace.
 */
static __always_inline enum owners udp_owners_before(struct sock *sk)
{
	bool at_end = FIELD(sk, __sk_common.skc_family) == AF_INET6 &&
		      FIELD_BITS(sk, __sk_common.skc_reuseport);

	return udp_owners_near((u64)BPF_CORE_READ(sk, __sk_common.skc_node.next),
			       at_end ? (u64)BPF_CORE_READ(sk, __sk_common.skc_node.pprev) : 0,
			       (u64)BPF_CORE_READ(sk, __sk_common.skc_net.net), sock_port(sk));
}

/* Did the port that sk has just got have an owner already? */
static __always_inline u32 sock_owners_before(struct sock *sk)
{
	enum owners owners = sock_is_tcp(sk)   ? tcp_owners_before(sk)
			     : sock_is_udp(sk) ? udp_owners_before(sk)
					       : OWNERS_UNKNOWN;

	if (owners == OWNERS_UNKNOWN)
		return 0;
	return owners == OWNERS_OTHERS ? WIRE_F_OWNERS | WIRE_F_SHARED : WIRE_F_OWNERS;
}

/* Family and interface are filled already. */
static __always_inline void sock_fill_addresses(struct wire_sock *w, struct sock *sk)
{
	struct in6_addr *local6 = &sk->__sk_common.skc_v6_rcv_saddr;
	struct in6_addr *peer6 = &sk->__sk_common.skc_v6_daddr;

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

/* The socket as a record shows it. id, parent and times are the caller's. */
static __always_inline void sock_fill(struct wire_sock *w, struct sock *sk)
{
	struct net *net = FIELD(sk, __sk_common.skc_net.net);

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
	sock_fill_addresses(w, sk);
}

#endif
