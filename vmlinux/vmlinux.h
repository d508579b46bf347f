/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vmlinux.h owns the kernel types that the probes read: only those, only the fields used, offsets
 * found at load time (CO-RE). A type with a suffix after three underscores is a flavour: the
 * layout of some kernels, tested for by field, never by version.
 */
#ifndef __VMLINUX_H__ /* the name by which <bpf/bpf_tracing.h> knows that these are kernel types   \
		       */
#define __VMLINUX_H__

#include <linux/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s32 s32;
typedef __s64 s64;
typedef _Bool bool;
#define true 1
#define false 0

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct ns_common {
	unsigned int inum;
};

/* 6.12 and later: one word, hi << 16 | lo. */
struct local_ports {
	u32 range;
};

struct hlist_node {
	struct hlist_node *next, **pprev;
};

struct hlist_head {
	struct hlist_node *first;
};

/* The table of bind buckets: a bucket for each local TCP port of a namespace. */
struct inet_bind_hashbucket {
	struct hlist_head chain;
};

/* The table of connections, TIME_WAIT among them; a chain ends with an odd pointer. */
struct hlist_nulls_node {
	struct hlist_nulls_node *next, **pprev;
};

struct hlist_nulls_head {
	struct hlist_nulls_node *first;
};

struct inet_ehash_bucket {
	struct hlist_nulls_head chain;
};

struct inet_hashinfo {
	struct inet_ehash_bucket *ehash;
	unsigned int ehash_mask;
	struct inet_bind_hashbucket *bhash;
	unsigned int bhash_size; /* a power of two */
};

struct inet_timewait_death_row {
	struct inet_hashinfo *hashinfo;
};

struct netns_ipv4 {
	struct local_ports ip_local_ports;
	struct inet_timewait_death_row tcp_death_row;
	unsigned long *sysctl_local_reserved_ports; /* a bit for each port */
};

struct net {
	struct ns_common ns;
	u32 hash_mix;
	struct netns_ipv4 ipv4;
};

/* Up to 6.1: two ints beside a lock. */
struct local_ports___pair {
	int range[2];
};

struct netns_ipv4___pair {
	struct local_ports___pair ip_local_ports;
};

struct net___pair {
	struct netns_ipv4___pair ipv4;
};

/* From 7.1 on. */
struct netns_ipv4___step {
	u32 sysctl_ip_local_port_step_width;
};

struct net___step {
	struct netns_ipv4___step ipv4;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct in6_addr {
	union {
		u8 u6_addr8[16];
		u32 u6_addr32[4];
	} in6_u;
};

typedef struct {
	s64 counter;
} atomic64_t;

typedef struct {
	int counter;
} atomic_t;

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport; /* network order */
	u16 skc_num;   /* host order; 0: holds no port */
	unsigned short skc_family;
	volatile unsigned char skc_state;
	unsigned char skc_reuse : 4;
	unsigned char skc_reuseport : 1;
	unsigned char skc_ipv6only : 1;
	unsigned char skc_net_refcnt : 1;
	int skc_bound_dev_if;
	struct hlist_node skc_bind_node; /* among the owners of a TCP port */
	struct hlist_node skc_node;	 /* UDP: in the slot of its port */
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags; /* bits of enum sock_flags */
};

typedef struct {
	unsigned int val;
} kuid_t;

/* 6.12 and later: sk_userlocks is a plain byte. BPF_CORE_READ_BITFIELD takes both. */
struct sock {
	struct sock_common __sk_common;
	int sk_err;
	u16 sk_type;
	u16 sk_protocol;
	u8 sk_userlocks : 4;
	u8 sk_kern_sock : 1;
	unsigned long sk_lingertime;
	kuid_t sk_uid; /* who made it, or was given its file */
	struct socket *sk_socket;
};

enum sock_flags {
	SOCK_DEAD = 0,	 /* no descriptor */
	SOCK_DONE = 1,	 /* TCP: the peer's FIN has come */
	SOCK_LINGER = 4, /* SO_LINGER is on */
};

struct socket {
	short type;
	struct file *file;
	struct sock *sk;
};

/*
 * 6.12 and later: the options are bits of one word. The kernel's enum has no name, so CO-RE cannot
 * find its values; they are the same in 6.12, 6.18 and 7.3.
 */
struct inet_sock___flags {
	unsigned long inet_flags;
};

enum inet_flags {
	INET_FLAGS_FREEBIND = 11,
	INET_FLAGS_TRANSPARENT = 15,
	INET_FLAGS_BIND_ADDRESS_NO_PORT = 18,
};

/* Before: bit fields of struct inet_sock. */
struct inet_sock___bits {
	u8 freebind : 1;
	u8 transparent : 1;
	u8 bind_address_no_port : 1;
};

/* IP_LOCAL_PORT_RANGE, 6.1 backport: a pair; 6.12 and later: one word; 5.10: not there. */
struct inet_sock___pair {
	struct {
		u16 lo;
		u16 hi;
	} local_port_range;
};

struct inet_sock___word {
	u32 local_port_range;
};

/* 6.12 and later: a bucket of owners for each local address, all of a port in a list. */
struct inet_bind2_bucket___list {
	struct hlist_node bhash_node;
	struct hlist_head owners;
};

struct inet_bind_bucket {
	possible_net_t ib_net;
	int l3mdev; /* VRF, else 0 */
	unsigned short port;
	struct hlist_node node;
};

struct inet_bind_bucket___list {
	struct hlist_head bhash2;
};

/* Up to 6.1: one list of owners, TIME_WAIT entries among them. */
struct inet_bind_bucket___owners {
	struct hlist_head owners;
};

struct inet_connection_sock___list {
	struct inet_bind2_bucket___list *icsk_bind2_hash;
};

/* Not there without CONFIG_MPTCP. */
struct tcp_sock___mptcp {
	bool is_mptcp;
};

struct mptcp_sock {
	struct sock *first; /* subflow */
};

struct timer_list {
	unsigned long expires; /* jiffies */
};

struct inet_timewait_sock {
	struct sock_common __tw_common;
	volatile unsigned char tw_substate;
	struct timer_list tw_timer;
};

struct inode {
	unsigned long i_ino;
};

struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct pid_namespace {
	unsigned int level;
	struct ns_common ns;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct signal_struct {
	atomic_t live;
};

#if defined(__TARGET_ARCH_x86)
struct thread_info {
	u32 status; /* TS_COMPAT: in a 32-bit system call */
};
#endif

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct file_operations {
	int dummy;
};

struct file {
	const struct file_operations *f_op;
	void *private_data;
};

struct cred {
	kuid_t uid;
};

struct kernfs_node {
	u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp; /* in the unified hierarchy */
};

struct task_struct {
#if defined(__TARGET_ARCH_x86)
	struct thread_info thread_info;
#endif
	unsigned int flags;
	void *stack;
	int pid;
	int tgid;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	const struct cred *real_cred;
	const struct cred *cred; /* what it acts with */
	char comm[16];
	struct files_struct *files;
	struct signal_struct *signal;
	struct css_set *cgroups;
};

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di;
	unsigned long orig_ax; /* number of the system call */
	unsigned long ip, cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	u64 regs[31];
	u64 sp, pc, pstate;
};
struct pt_regs {
	struct user_pt_regs user_regs;
	u64 orig_x0;
	s32 syscallno;
};
#endif

/* What the walks through existing sockets read besides (existing.bpf.c). */
typedef struct {
	atomic_t refs;
} refcount_t;

struct sock_common___alive {
	unsigned int skc_hash;			/* of a connection: addresses, ports, namespace */
	refcount_t skc_refcnt;			/* 0: freed, or not yet born */
	struct hlist_nulls_node skc_nulls_node; /* pprev NULL: in no table of connections */
};

/* 6.17 and later. */
struct inet_timewait_sock___bind {
	unsigned int tw_connect_bind : 1;
};

struct bpf_iter_meta {
	struct seq_file *seq;
	u64 seq_num;
};

#pragma clang attribute pop

/* Contexts of iterator programs: the kernel finds the arguments by their place. */
struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	u32 pad;
	struct file *file;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
};

struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
};

struct bpf_iter__bpf_map_elem {
	struct bpf_iter_meta *meta;
	struct bpf_map *map;
	u64 *key;
	struct socket_state *value;
};

/* Values that no header of user space has, the same in every kernel since 5.10. */
#define PF_KTHREAD	   0x00200000
#define PF_IO_WORKER	   0x00000010
#define TS_COMPAT	   0x0002
#define USER_CS		   0x33 /* x86: 64-bit and 32-bit code of user space */
#define USER32_CS	   0x23
#define SOCK_BINDADDR_LOCK 4  /* sk_userlocks: bind() named the address ... */
#define SOCK_BINDPORT_LOCK 8  /* ... and the port */
#define SOCK_CONNECT_BIND  16 /* sk_userlocks, 6.17 and later: connect() chose it */
#define MSG_FASTOPEN	   0x20000000
#define BIND_FROM_BPF	   0x0004 /* include/net/inet_common.h */
#define AF_UNSPEC	   0
#define AF_INET		   2
#define AF_INET6	   10
#define SOCK_STREAM	   1
#define SOCK_DGRAM	   2
#define IPPROTO_ICMP	   1
#define IPPROTO_TCP	   6
#define IPPROTO_UDP	   17
#define IPPROTO_ICMPV6	   58
#define IPPROTO_UDPLITE	   136
#define IPPROTO_MPTCP	   262
/* include/net/tcp_states.h */
enum tcp_state {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT,
	TCP_SYN_RECV,
	TCP_FIN_WAIT1,
	TCP_FIN_WAIT2,
	TCP_TIME_WAIT,
	TCP_CLOSE,
	TCP_CLOSE_WAIT,
	TCP_LAST_ACK,
	TCP_LISTEN,
	TCP_CLOSING,
	TCP_NEW_SYN_RECV,
};

#endif
