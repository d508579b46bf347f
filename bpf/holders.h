/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * holders.h owns the answer to "who has the port?" at the moment when a TCP socket is refused it:
 * the owners of the bind bucket, as bind() and connect() have just gone through them. It costs
 * nothing where nobody is refused, and nothing in a search for any port.
 *
 * The bucket's lock has been let go: owners come and go meanwhile. The memory of sockets and of
 * TIME_WAIT entries stays theirs (SLAB_TYPESAFE_BY_RCU, and tracing programs run under RCU); what
 * is read of a bucket that was freed is checked by port and namespace, or ends the walk. All reads
 * are probe reads, of a TIME_WAIT entry only what it has.
 *
 * Functions that are not inlined take numbers, not pointers: so the verifier looks at each once,
 * not at every turn of the loop that calls it.
 */
#ifndef PORTLIFE_HOLDERS_H
#define PORTLIFE_HOLDERS_H

#include "bpf/socket.h"

#define BUCKETS_LOOKED 64   /* buckets of other ports and namespaces in one slot of the table */
#define OWNERS_LOOKED  1024 /* steps through the owners */
#define OWNERS_TOLD    8    /* that listen or are bound, and as many of the others */

enum owner_verdict {
	OWNER_APART,	 /* other address, other device, another connection */
	OWNER_SHARES,	 /* its options let it share */
	OWNER_CONFLICTS, /* in the way */
};

/*
 * A walk through the owners of a port. It stands in a map, not on the stack: so its steps are a
 * function that the verifier looks at once. Another thread that comes to the same CPU meanwhile
 * takes the place over, and the walk ends as one that was cut.
 */
struct owners_walk {
	u64 asker, asker_id;
	struct hlist_node *owner;
	struct hlist_node *list; /* 6.12 and later: the next list, of another address */
	u32 thread;
	u32 connects;	   /* who has the same connection, else who conflicts with a bind() */
	u32 bound, others; /* told of */
	u32 omitted;
	u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct owners_walk);
} owners_walks SEC(".maps");

static __always_inline struct owners_walk *owners_walk(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&owners_walks, &zero);
}

static __always_inline bool owner_waits(struct sock *owner)
{
	return BPF_CORE_READ(owner, __sk_common.skc_state) == TCP_TIME_WAIT;
}

/* Do the two addresses of IPv6 meet? ipv6_rcv_saddr_equal(), both of that family. */
static __always_inline bool addresses6_meet(struct sock *a, struct sock *b)
{
	u64 one[2] = {}, other[2] = {};

	bpf_probe_read_kernel(one, 16, &a->__sk_common.skc_v6_rcv_saddr);
	bpf_probe_read_kernel(other, 16, &b->__sk_common.skc_v6_rcv_saddr);
	return (!one[0] && !one[1]) || (!other[0] && !other[1]) ||
	       (one[0] == other[0] && one[1] == other[1]);
}

/*
 * inet_rcv_saddr_equal(), with mixed families that meet unless IPV6_V6ONLY is set (a bind() to one
 * address of IPv6 sets it): the collector has the rule in full, here it is only about what need
 * not be told.
 */
static __always_inline bool addresses_meet(struct sock *a, struct sock *b)
{
	u16 family_a = BPF_CORE_READ(a, __sk_common.skc_family);
	u16 family_b = BPF_CORE_READ(b, __sk_common.skc_family);

	if (family_a == AF_INET6 && family_b == AF_INET6)
		return addresses6_meet(a, b);
	if (family_a == AF_INET && family_b == AF_INET) {
		u32 one = BPF_CORE_READ(a, __sk_common.skc_rcv_saddr);
		u32 other = BPF_CORE_READ(b, __sk_common.skc_rcv_saddr);

		return !one || !other || one == other;
	}
	if (family_a == AF_INET6)
		return !BPF_CORE_READ_BITFIELD_PROBED(a, __sk_common.skc_ipv6only);
	return !BPF_CORE_READ_BITFIELD_PROBED(b, __sk_common.skc_ipv6only);
}

/* inet_bind_conflict(): SO_REUSEADDR with what does not listen, SO_REUSEPORT of one user */
static __always_inline bool owners_share(struct sock *asker, struct sock *owner)
{
	if (BPF_CORE_READ_BITFIELD_PROBED(asker, __sk_common.skc_reuse) &&
	    BPF_CORE_READ_BITFIELD_PROBED(owner, __sk_common.skc_reuse) &&
	    BPF_CORE_READ(owner, __sk_common.skc_state) != TCP_LISTEN)
		return true;
	if (!BPF_CORE_READ_BITFIELD_PROBED(asker, __sk_common.skc_reuseport) ||
	    !BPF_CORE_READ_BITFIELD_PROBED(owner, __sk_common.skc_reuseport))
		return false;
	return owner_waits(owner) ||
	       BPF_CORE_READ(asker, sk_uid.val) == BPF_CORE_READ(owner, sk_uid.val);
}

/* __inet_check_established(): the same peer, from the same address */
static __always_inline bool connections_meet(struct sock *a, struct sock *b)
{
	u64 one[4] = {}, other[4] = {};

	if (BPF_CORE_READ(a, __sk_common.skc_dport) != BPF_CORE_READ(b, __sk_common.skc_dport))
		return false;
	if (BPF_CORE_READ(a, __sk_common.skc_family) == AF_INET ||
	    BPF_CORE_READ(b, __sk_common.skc_family) == AF_INET)
		return BPF_CORE_READ(a, __sk_common.skc_daddr) ==
			       BPF_CORE_READ(b, __sk_common.skc_daddr) &&
		       BPF_CORE_READ(a, __sk_common.skc_rcv_saddr) ==
			       BPF_CORE_READ(b, __sk_common.skc_rcv_saddr);
	bpf_probe_read_kernel(one, 16, &a->__sk_common.skc_v6_daddr);
	bpf_probe_read_kernel(one + 2, 16, &a->__sk_common.skc_v6_rcv_saddr);
	bpf_probe_read_kernel(other, 16, &b->__sk_common.skc_v6_daddr);
	bpf_probe_read_kernel(other + 2, 16, &b->__sk_common.skc_v6_rcv_saddr);
	return one[0] == other[0] && one[1] == other[1] && one[2] == other[2] && one[3] == other[3];
}

__attribute__((noinline)) int owner_judge(u64 asker_address, u64 owner_address, u32 connects)
{
	struct sock *asker = (void *)asker_address, *owner = (void *)owner_address;
	int device = BPF_CORE_READ(asker, __sk_common.skc_bound_dev_if);
	int other = BPF_CORE_READ(owner, __sk_common.skc_bound_dev_if);

	if (asker == owner || (device && other && device != other))
		return OWNER_APART;
	if (connects)
		return connections_meet(asker, owner) ? OWNER_CONFLICTS : OWNER_APART;
	if (!addresses_meet(asker, owner))
		return OWNER_APART;
	return owners_share(asker, owner) ? OWNER_SHARES : OWNER_CONFLICTS;
}

static __always_inline u64 owner_inode(struct sock *owner)
{
	struct socket *socket = BPF_CORE_READ(owner, sk_socket);
	struct socket_alloc *alloc;

	if (!socket)
		return 0;
	alloc = (void *)socket - bpf_core_field_offset(struct socket_alloc, socket);
	return BPF_CORE_READ(alloc, vfs_inode.i_ino);
}

/* What is left until the timer of a TIME_WAIT entry, in ms. */
static __always_inline u32 owner_left(struct sock *owner)
{
	struct inet_timewait_sock *tw = (void *)owner;
	s64 left = BPF_CORE_READ(tw, tw_timer.expires) - bpf_jiffies64();

	return left > 0 ? (u64)left * config.tick_ns / 1000000 : 0;
}

/* What any entry of a bucket has. */
static __always_inline void owner_fill_common(struct wire_sock *w, struct sock *owner)
{
	w->cookie = BPF_CORE_READ(owner, __sk_common.skc_cookie.counter);
	w->netns = BPF_CORE_READ(owner, __sk_common.skc_net.net, ns.inum);
	w->ifindex = BPF_CORE_READ(owner, __sk_common.skc_bound_dev_if);
	w->family = BPF_CORE_READ(owner, __sk_common.skc_family);
	w->protocol = IPPROTO_TCP;
	w->state = BPF_CORE_READ(owner, __sk_common.skc_state);
	w->local_port = BPF_CORE_READ(owner, __sk_common.skc_num);
	w->peer_port = bpf_ntohs(BPF_CORE_READ(owner, __sk_common.skc_dport));
	if (BPF_CORE_READ_BITFIELD_PROBED(owner, __sk_common.skc_reuse))
		w->options |= WIRE_O_REUSEADDR;
	if (BPF_CORE_READ_BITFIELD_PROBED(owner, __sk_common.skc_reuseport))
		w->options |= WIRE_O_REUSEPORT;
	if (BPF_CORE_READ_BITFIELD_PROBED(owner, __sk_common.skc_ipv6only))
		w->options |= WIRE_O_V6ONLY;
	if (w->ifindex)
		w->options |= WIRE_O_BINDTODEVICE;
	if (w->family == AF_INET6) {
		bpf_probe_read_kernel(w->local, 16, &owner->__sk_common.skc_v6_rcv_saddr);
		bpf_probe_read_kernel(w->peer, 16, &owner->__sk_common.skc_v6_daddr);
		if ((w->local[0] == 0xfe && (w->local[1] & 0xc0) == 0x80) ||
		    (w->peer[0] == 0xfe && (w->peer[1] & 0xc0) == 0x80))
			w->scope = w->ifindex;
	} else {
		*(u32 *)w->local = BPF_CORE_READ(owner, __sk_common.skc_rcv_saddr);
		*(u32 *)w->peer = BPF_CORE_READ(owner, __sk_common.skc_daddr);
	}
}

/* Not a TIME_WAIT entry. */
static __always_inline void owner_fill_socket(struct wire_holder *r, struct sock *owner)
{
	struct inet_sock___flags *word = (void *)owner;
	struct tcp_sock___mptcp *tp = (void *)owner;
	bool orphan = BPF_CORE_READ(owner, __sk_common.skc_flags) & (1UL << SOCK_DEAD);

	r->sock.userlocks = BPF_CORE_READ_BITFIELD_PROBED(owner, sk_userlocks);
	r->uid = BPF_CORE_READ(owner, sk_uid.val);
	r->flags |= WIRE_H_UID;
	r->inode = owner_inode(owner);
	if (orphan)
		r->flags |= WIRE_H_ORPHAN;
	else if (!BPF_CORE_READ(owner, sk_socket))
		r->flags |= WIRE_H_QUEUED;
	if (BPF_CORE_READ_BITFIELD_PROBED(owner, sk_kern_sock) &&
	    !(bpf_core_field_exists(tp->is_mptcp) && BPF_CORE_READ(tp, is_mptcp)))
		r->flags |= WIRE_H_KERN;
	if (bpf_core_field_exists(word->inet_flags) &&
	    (BPF_CORE_READ(word, inet_flags) & (1UL << INET_FLAGS_BIND_ADDRESS_NO_PORT)))
		r->sock.options |= WIRE_O_BIND_ADDRESS_NO_PORT;
}

static __always_inline void owner_fill_time_wait(struct wire_holder *r, struct sock *owner)
{
	struct inet_timewait_sock___bind *bind = (void *)owner;
	struct inet_timewait_sock *tw = (void *)owner;

	if (bpf_core_field_exists(bind->tw_connect_bind) &&
	    BPF_CORE_READ_BITFIELD_PROBED(bind, tw_connect_bind))
		r->sock.userlocks = SOCK_CONNECT_BIND;
	if (BPF_CORE_READ(tw, tw_substate) == TCP_FIN_WAIT2)
		r->flags |= WIRE_H_FIN_WAIT;
	if (!config.tick_ns)
		return;
	r->left_ms = owner_left(owner);
	r->flags |= WIRE_H_LEFT;
}

/* 1: told of; 0: no room, or it is on its way out */
__attribute__((noinline)) int owner_tell(u64 asker_id, u64 owner_address)
{
	struct sock *owner = (void *)owner_address;
	struct socket_state *state = socket_find(owner);
	struct wire_holder *r = RESERVE(struct wire_holder);

	if (!r)
		return 0;
	__builtin_memset(r, 0, sizeof(*r));
	head_fill(&r->head, WIRE_HOLDER, sizeof(*r), bpf_ktime_get_boot_ns());
	r->asker = asker_id;
	r->fd = -1;
	owner_fill_common(&r->sock, owner);
	if (r->sock.state == TCP_TIME_WAIT)
		owner_fill_time_wait(r, owner);
	else
		owner_fill_socket(r, owner);
	if (state &&
	    (state->flags & SOCKET_TOLD || state->told_port || state->flags & SOCKET_TIME_WAIT)) {
		r->sock.id = state->id;
		r->owner = state->owner;
	}
	if (!r->sock.local_port) {
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return 0;
	}
	record_submit(r);
	return 1;
}

static __always_inline struct inet_bind_bucket *bucket_of_node(struct hlist_node *node)
{
	return (void *)node - bpf_core_field_offset(struct inet_bind_bucket, node);
}

/* A socket without a device is in no VRF; the others look into those of all VRFs. */
static __always_inline bool bucket_is(struct inet_bind_bucket *bucket, struct sock *asker,
				      struct net *net, u16 port)
{
	return BPF_CORE_READ(bucket, port) == port && BPF_CORE_READ(bucket, ib_net.net) == net &&
	       (BPF_CORE_READ(asker, __sk_common.skc_bound_dev_if) ||
		!BPF_CORE_READ(bucket, l3mdev));
}

/* The bind bucket of a port, where this socket looks for it. NULL: there is none. */
static __always_inline struct inet_bind_bucket *bucket_find(struct sock *asker, u16 port)
{
	struct net *net = BPF_CORE_READ(asker, __sk_common.skc_net.net);
	struct inet_hashinfo *info = BPF_CORE_READ(net, ipv4.tcp_death_row.hashinfo);
	u32 size = BPF_CORE_READ(info, bhash_size);
	struct inet_bind_hashbucket *slot;
	struct hlist_node *node;

	if (!size)
		return 0;
	slot = (void *)BPF_CORE_READ(info, bhash) +
	       (u64)((port + BPF_CORE_READ(net, hash_mix)) & (size - 1)) *
		       bpf_core_type_size(struct inet_bind_hashbucket);
	node = BPF_CORE_READ(slot, chain.first);
	for (int i = 0; i < BUCKETS_LOOKED && node; i++) {
		if (bucket_is(bucket_of_node(node), asker, net, port))
			return bucket_of_node(node);
		node = BPF_CORE_READ(node, next);
	}
	return 0;
}

/* The walk is at its beginning; where there is no bucket, also at its end. */
static __always_inline void owners_begin(struct owners_walk *walk, struct inet_bind_bucket *bucket)
{
	struct inet_bind_bucket___owners *one = (void *)bucket;
	struct inet_bind_bucket___list *many = (void *)bucket;

	walk->owner = walk->list = 0;
	walk->bound = walk->others = walk->omitted = 0;
	if (!bucket)
		return;
	if (bpf_core_field_exists(one->owners))
		walk->owner = BPF_CORE_READ(one, owners.first);
	else if (bpf_core_field_exists(many->bhash2))
		walk->list = BPF_CORE_READ(many, bhash2.first);
}

static __always_inline int owners_next_list(struct owners_walk *walk)
{
	struct inet_bind2_bucket___list *list = 0;

	if (!walk->list || !bpf_core_field_exists(list->bhash_node))
		return 0;
	list = (void *)walk->list -
	       bpf_core_field_offset(struct inet_bind2_bucket___list, bhash_node);
	walk->owner = BPF_CORE_READ(list, owners.first);
	walk->list = BPF_CORE_READ(list, bhash_node.next);
	return 1;
}

static __always_inline void owner_look(struct owners_walk *walk, struct sock *owner)
{
	int verdict = owner_judge(walk->asker, (u64)owner, walk->connects);
	u8 state = BPF_CORE_READ(owner, __sk_common.skc_state);
	bool bound = state == TCP_LISTEN || state == TCP_CLOSE;
	u32 told = bound ? walk->bound : walk->others;

	/* who is bound is told of whatever its options: they may have been changed since */
	if (verdict == OWNER_APART || (verdict == OWNER_SHARES && !bound))
		return;
	if (told >= OWNERS_TOLD)
		walk->omitted += verdict == OWNER_CONFLICTS;
	else if (!owner_tell(walk->asker_id, (u64)owner))
		return;
	else if (bound)
		walk->bound++;
	else
		walk->others++;
}

/* One step of the walk of this thread; 0: there is none to make. */
__attribute__((noinline)) int owners_step(u32 thread)
{
	struct owners_walk *walk = owners_walk();
	struct hlist_node *node;

	if (!walk || walk->thread != thread)
		return 0;
	node = walk->owner;
	if (!node)
		return owners_next_list(walk);
	walk->owner = BPF_CORE_READ(node, next);
	owner_look(walk,
		   (void *)node - bpf_core_field_offset(struct sock, __sk_common.skc_bind_node));
	return 1;
}

static __always_inline void holders_end(struct sock *asker, u64 asker_id, u16 port,
					const struct owners_walk *walk, bool taken)
{
	struct wire_holders *r = RESERVE(struct wire_holders);

	if (!r)
		return;
	__builtin_memset(r, 0, sizeof(*r));
	head_fill(&r->head, WIRE_HOLDERS, sizeof(*r), bpf_ktime_get_boot_ns());
	r->asker = asker_id;
	r->told = walk->bound + walk->others;
	r->omitted = taken ? 0 : walk->omitted;
	r->flags = WIRE_HS_UID | (taken || walk->owner || walk->list ? WIRE_HS_CUT : 0);
	r->uid = BPF_CORE_READ(asker, sk_uid.val);
	r->port = port;
	record_submit(r);
}

__attribute__((noinline)) int holders_tell(u64 asker_address, u32 port, u32 connects)
{
	struct sock *asker = (void *)asker_address;
	struct socket_state *state = socket_find(asker);
	struct owners_walk *walk = owners_walk();
	u32 thread = bpf_get_current_pid_tgid();
	u64 asker_id;

	if (!state || !walk)
		return 0;
	asker_id = state->id;
	walk->thread = thread;
	walk->connects = connects;
	walk->asker = asker_address;
	walk->asker_id = asker_id;
	owners_begin(walk, bucket_find(asker, port));
	for (int i = 0; i < OWNERS_LOOKED; i++)
		if (!owners_step(thread))
			break;
	holders_end(asker, asker_id, port, walk, walk->thread != thread);
	return 0;
}

/* An address as a number: the verifier hands pointers to no function that takes numbers. */
static __always_inline u64 address_of(const void *pointer)
{
	u64 from = (u64)pointer, to = 0;

	bpf_probe_read_kernel(&to, sizeof(to), &from);
	return to;
}

/*
 * inet_csk_get_port, at its exit: a port that was named is refused. The address that was asked for
 * is still in the socket. 5.10 returns 1 for EADDRINUSE.
 */
static __always_inline void handle_bind_conflict(struct sock *sk, u16 port, int ret)
{
	if (ret && port && (ret > 0 || ret == -EADDRINUSE))
		holders_tell(address_of(sk), port, false);
}

/* __inet_hash_connect, at its exit: the port of a bound socket is refused. */
static __always_inline void handle_connect_conflict(struct sock *sk, int ret)
{
	u16 port;

	if (ret != -EADDRNOTAVAIL)
		return;
	port = sock_port(sk);
	if (port)
		holders_tell(address_of(sk), port, true);
}

#endif
