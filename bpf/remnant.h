/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * remnant.h owns the search for the TIME_WAIT entry that a connection has left behind without a
 * probe seeing it: the kernel skips a probe that hits while another is under way on that CPU, as in
 * a softirq that has interrupted it. Then the entry is in the kernel's own table, of which
 * tcp_time_wait() had put it in the place of the socket (5.10 to 7.3).
 */
#ifndef PORTLIFE_REMNANT_H
#define PORTLIFE_REMNANT_H

#include "bpf/socket.h"

#define CHAIN_LOOKED 64 /* connections in one slot of the table */

/* Of this connection: the hash is that of addresses, ports and namespace (sk_ehashfn()). */
static __always_inline bool is_remnant_of(struct sock *tw, struct sock *sk, u16 port)
{
	struct sock_common___alive *left = (void *)tw, *common = (void *)sk;

	return BPF_CORE_READ(tw, __sk_common.skc_state) == TCP_TIME_WAIT &&
	       BPF_CORE_READ(tw, __sk_common.skc_num) == port &&
	       BPF_CORE_READ(tw, __sk_common.skc_dport) ==
		       BPF_CORE_READ(sk, __sk_common.skc_dport) &&
	       BPF_CORE_READ(tw, __sk_common.skc_net.net) ==
		       BPF_CORE_READ(sk, __sk_common.skc_net.net) &&
	       BPF_CORE_READ(left, skc_hash) == BPF_CORE_READ(common, skc_hash);
}

/* The entry of a TCP socket that was connected from this port, or NULL. */
static __attribute__((noinline)) struct sock *remnant_find(struct sock *sk, u16 port)
{
	struct sock_common___alive *common = (void *)sk;
	struct net *net = BPF_CORE_READ(sk, __sk_common.skc_net.net);
	struct inet_hashinfo *info = BPF_CORE_READ(net, ipv4.tcp_death_row.hashinfo);
	u32 slot = BPF_CORE_READ(common, skc_hash) & BPF_CORE_READ(info, ehash_mask);
	struct inet_ehash_bucket *chain = (void *)BPF_CORE_READ(info, ehash) +
					  (u64)slot * bpf_core_type_size(struct inet_ehash_bucket);
	struct hlist_nulls_node *node = BPF_CORE_READ(chain, chain.first);

	for (int i = 0; i < CHAIN_LOOKED && node && !((u64)node & 1); i++) {
		struct sock *tw = (void *)node -
				  bpf_core_field_offset(struct sock_common___alive, skc_nulls_node);

		if (is_remnant_of(tw, sk, port))
			return tw;
		node = BPF_CORE_READ(node, next);
	}
	return 0;
}

#endif
