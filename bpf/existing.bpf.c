// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * existing.bpf.c walks through the kernel's sockets: those that were there before the probes, and
 * all of them again to compare what was told with what is. It is an object of its own beside any
 * backend, works on that backend's maps, and has probe reads only.
 *
 * Three walks find sockets: every file of every task (whoever has a descriptor: who, and which),
 * the TCP and the UDP sockets of one network namespace (listeners, orphans, children that nobody
 * has accepted, TIME_WAIT entries). The fourth goes through the table of live sockets itself and
 * looks after what the others have not met.
 *
 * The probes go on meanwhile. A difference between what was told and what is may be an operation
 * under way, whose record comes in a moment: it counts only if the walk before, at least 10 ms
 * earlier, saw the very same. The collector keeps that distance.
 */
#include "bpf/files.h"
#include "bpf/lookup.h"
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

volatile struct wire_walk walk SEC(".data.walk");
volatile struct wire_helping helping SEC(".data.helping");

#define ODD_GONE 0xffffffffU /* socket_state.odd: nothing lives there */

static __always_inline bool pass_is_first(void)
{
	return walk.flags & WIRE_P_START;
}

/* Tells of every socket: in the first pass those that are told of already need no word. */
static __always_inline bool pass_is_full(void)
{
	return (walk.flags & WIRE_P_FULL) && !pass_is_first();
}

static __always_inline bool sock_is_alive(const void *sk)
{
	const struct sock_common___alive *common = sk;

	return BPF_CORE_READ(common, skc_refcnt.refs.counter) != 0;
}

/* To the reader of an iterator; without one, of the walk through the table, into `helping`. */
static __always_inline void tell_reader(struct bpf_iter_meta *meta, char token)
{
	if (meta)
		answer(meta, token);
	else if (token == WIRE_TOKEN_UNDECIDED)
		helping.undecided++;
	else if (helping.room)
		helping.room--;
}

/* Of a TIME_WAIT entry only struct sock_common may be read, and little behind it. */
static __always_inline void time_wait_fill(struct wire_sock *w, struct sock *tw)
{
	struct inet_timewait_sock___bind *bind = (void *)tw;

	w->cookie = BPF_CORE_READ(tw, __sk_common.skc_cookie.counter);
	w->netns = BPF_CORE_READ(tw, __sk_common.skc_net.net, ns.inum);
	w->ifindex = BPF_CORE_READ(tw, __sk_common.skc_bound_dev_if);
	w->family = BPF_CORE_READ(tw, __sk_common.skc_family);
	w->protocol = IPPROTO_TCP;
	w->state = TCP_TIME_WAIT;
	if (bpf_core_field_exists(bind->tw_connect_bind) &&
	    BPF_CORE_READ_BITFIELD_PROBED(bind, tw_connect_bind))
		w->userlocks = SOCK_CONNECT_BIND;
	/* of the socket that it replaced (inet_twsk_alloc) */
	if (BPF_CORE_READ_BITFIELD_PROBED(tw, __sk_common.skc_reuse))
		w->options |= WIRE_O_REUSEADDR;
	if (BPF_CORE_READ_BITFIELD_PROBED(tw, __sk_common.skc_reuseport))
		w->options |= WIRE_O_REUSEPORT;
	if (BPF_CORE_READ_BITFIELD_PROBED(tw, __sk_common.skc_ipv6only))
		w->options |= WIRE_O_V6ONLY;
	if (w->ifindex)
		w->options |= WIRE_O_BINDTODEVICE;
	w->local_port = sock_port(tw);
	w->peer_port = bpf_ntohs(BPF_CORE_READ(tw, __sk_common.skc_dport));
	sock_fill_addresses(w, tw);
}

/* Who the task is: mostly that of the file before, in the same walk. */
static struct wire_who whose;
static u64 whose_task;
static u32 whose_pid;
static u16 whose_walk;

static __always_inline void task_fill(struct wire_who *who, struct task_struct *task)
{
	u32 pid = BPF_CORE_READ(task, pid);

	if (whose_task != (u64)task || whose_pid != pid || whose_walk != walk.number) {
		who_fill_task(&whose, task);
		whose_task = (u64)task;
		whose_pid = pid;
		whose_walk = walk.number;
	}
	*who = whose;
}

/*
 * The record about what a walk met, or NULL. The state is a copy: what the probes keep of the
 * socket is theirs to change. port: what is told of it.
 */
static __always_inline struct wire_call *found_record(struct sock *sk, struct socket_state *copy,
						      u16 port, struct task_struct *task, s32 fd)
{
	struct wire_call *r = RESERVE(struct wire_call);
	u64 now = bpf_ktime_get_boot_ns();

	if (!r)
		return 0;
	if (copy->flags & SOCKET_TIME_WAIT) {
		__builtin_memset(r, 0, sizeof(*r));
		head_fill(&r->head, WIRE_FOUND, sizeof(*r), now);
		time_wait_fill(&r->sock, sk);
		r->sock.id = copy->id;
		r->facts = copy->flags & SOCKET_EXISTING ? WIRE_F_EXISTING : 0;
		r->fd = -1;
	} else {
		call_fill(r, WIRE_FOUND, now, sk, copy, 0, 0, ACTOR_NONE);
		r->sock_uid = BPF_CORE_READ(sk, sk_uid.val);
		r->facts |= WIRE_F_SOCK_UID;
	}
	r->sock.local_port = port;
	r->port_before = port;
	r->facts |= WIRE_F_PASS;
	if (!pass_is_first())
		r->facts &= ~WIRE_F_EXISTING;
	if (task) {
		task_fill(&r->who, task);
		r->facts |= WIRE_F_WHO | task_is_followed(task);
		r->fd = fd;
	}
	return r;
}

/* False if there was no room. */
static __always_inline bool tell(struct bpf_iter_meta *meta, struct sock *sk,
				 struct socket_state *state, u16 port, struct task_struct *task,
				 s32 fd)
{
	struct socket_state copy = *state;
	struct wire_call *r = found_record(sk, &copy, port, task, fd);

	if (!r)
		return false;
	record_submit(r);
	tell_reader(meta, WIRE_TOKEN_RECORD);
	return true;
}

/*
 * True for a difference that the walk before saw too. state->walk keeps this walk from looking at
 * a socket twice, which it may meet by several ways.
 */
static __always_inline bool is_decided(struct bpf_iter_meta *meta, struct socket_state *state,
				       u32 odd)
{
	if (state->odd == odd)
		return true;
	state->odd = odd;
	tell_reader(meta, WIRE_TOKEN_UNDECIDED);
	return false;
}

/* It had this very port when a probe first saw it, and no record has told: no call gave it. */
static __always_inline bool is_from_before(const struct socket_state *state, u16 port)
{
	return (state->flags & SOCKET_EXISTING) && !(state->flags & SOCKET_TOLD) &&
	       state->port == port;
}

/* A child in its listener's queue is told of when a process takes it: as always, not now. */
static __always_inline bool is_told_later(struct sock *sk, struct socket_state *state)
{
	if (state->flags & SOCKET_PROVISIONAL)
		return true;
	if ((state->flags & SOCKET_TAKEN) && !state->told_port)
		return true;
	return (state->flags & SOCKET_CHILD) && !(state->flags & SOCKET_TOLD) &&
	       !state->told_port && !BPF_CORE_READ(sk, sk_socket);
}

/* Nothing lives at the address: the hook of its end was missed, or the backend has none. */
static __always_inline void look_gone(struct bpf_iter_meta *meta, u64 key,
				      struct socket_state *state)
{
	u64 now = bpf_ktime_get_boot_ns();

	if (state->walk == walk.number)
		return;
	state->walk = walk.number;
	/* a TIME_WAIT entry being born has no reference yet either */
	if (!is_decided(meta, state, ODD_GONE))
		return;
	if (state->flags & SOCKET_TIME_WAIT) {
		if (!record_edge(WIRE_TW_END, now, state->id, 0, state->port))
			return;
		tell_reader(meta, WIRE_TOKEN_RECORD);
	} else if ((state->flags & SOCKET_TOLD) || state->told_port) {
		struct socket_state copy = *state;

		if (copy.port && !copy.release_ns && !copy.time_wait_ns)
			copy.release_ns = now;
		if (!record_end(now, &copy,
				WIRE_E_PASS | (copy.time_wait_ns ? WIRE_E_TIME_WAIT : 0)))
			return;
		tell_reader(meta, WIRE_TOKEN_RECORD);
	}
	socket_forget((void *)key);
}

/*
 * Another socket at the address of one whose end no hook saw (the kernel's own, in the backend that
 * has none for those): of another namespace, or a kernel's socket on another port, which it does
 * not change.
 */
static __always_inline bool is_another(struct sock *sk, const struct socket_state *state)
{
	u16 port = sock_port(sk);

	if (state->netns && state->netns != BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum))
		return true;
	return state->told_port && port && port != state->told_port && sock_is_kernels(sk);
}

/* A live socket that the table has. */
static __always_inline void look_socket(struct bpf_iter_meta *meta, struct sock *sk,
					struct socket_state *state, struct task_struct *task,
					s32 fd)
{
	u16 port = sock_port(sk), told = state->told_port;

	if (is_another(sk, state)) {
		look_gone(meta, (u64)sk, state);
		return;
	}
	if ((state->walk == walk.number && !walk.each) || is_told_later(sk, state))
		return;
	state->walk = walk.number;
	/* given up at the end of the life: the record of the end tells it */
	if (state->release_ns || state->time_wait_ns)
		port = told;
	if (port != told &&
	    (is_from_before(state, port) || is_decided(meta, state, (u32)told << 16 | port))) {
		if (!tell(meta, sk, state, port, task, fd))
			return;
		state->told_port = port;
		state->port = port;
		state->odd = 0;
		return;
	}
	if (port == told)
		state->odd = 0;
	if (pass_is_full() && (told || (state->flags & SOCKET_TOLD)))
		tell(meta, sk, state, told, task, fd);
}

static __always_inline void look_time_wait(struct bpf_iter_meta *meta, struct sock *tw,
					   struct socket_state *state)
{
	if (state->walk == walk.number || !(state->flags & SOCKET_TIME_WAIT))
		return;
	state->walk = walk.number;
	state->odd = 0;
	if (pass_is_full())
		tell(meta, tw, state, state->port, 0, -1);
}

/*
 * A socket has been taken in. What changed its port since that was read may have come before there
 * was an entry to be found: the next walk judges it.
 */
static __always_inline void look_again(struct bpf_iter_meta *meta, struct sock *sk, u16 told)
{
	struct socket_state *state = socket_find(sk);
	u16 port = sock_port(sk);

	if (state && port != told && state->told_port == told)
		is_decided(meta, state, (u32)told << 16 | port);
}

/*
 * A socket that the table lacks. The room in the ring buffer comes first, so that nothing that a
 * probe tells of the socket once it is in the table can get ahead of this.
 */
static __always_inline void take_in(struct bpf_iter_meta *meta, struct sock *sk, u32 flags,
				    struct task_struct *task, s32 fd)
{
	const struct sock_common___alive *common = (void *)sk;
	u16 port = sock_port(sk);
	struct socket_state fresh = {
		.id = socket_number(bpf_ktime_get_boot_ns()),
		.flags = flags,
		.port = port,
		.told_port = port,
		.walk = walk.number,
		.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum),
		.hash = flags & SOCKET_TIME_WAIT ? BPF_CORE_READ(common, skc_hash) : 0,
	};
	struct wire_call *r;
	long error;

	if (!port)
		return;
	if (pass_is_first())
		fresh.flags |= SOCKET_EXISTING;
	r = found_record(sk, &fresh, port, task, fd);
	if (!r)
		return;
	error = socket_try_insert(sk, &fresh);
	if (error) {
		/* a full table is counted once a run, or every pass would call for the next */
		if (error != -EEXIST && pass_is_first())
			COUNT(lost_sockets);
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return;
	}
	/* unhashed meanwhile: the hook of its end may have come before there was an entry */
	if ((flags & SOCKET_TIME_WAIT) && !BPF_CORE_READ(common, skc_nulls_node.pprev)) {
		socket_forget(sk);
		bpf_ringbuf_discard(r, BPF_RB_NO_WAKEUP);
		return;
	}
	record_submit(r);
	tell_reader(meta, WIRE_TOKEN_RECORD);
	if (!(flags & SOCKET_TIME_WAIT) && !walk.each)
		look_again(meta, sk, port);
}

/*
 * One that holds no port yet: not told of, but known, so that a hook that may not ask who the
 * current task is (a datagram leaves) can tell when it gets one.
 */
static __always_inline void take_note(struct sock *sk)
{
	struct socket_state fresh = {
		.id = socket_number(bpf_ktime_get_boot_ns()),
		.walk = walk.number,
	};
	long error;

	if (!pass_is_first())
		return;
	error = socket_try_insert(sk, &fresh);
	if (error && error != -EEXIST)
		COUNT(lost_sockets);
}

/*
 * Who has the port: of MPTCP the first subflow, which no descriptor leads to otherwise. It may go
 * while the socket stays.
 */
static __always_inline struct sock *port_bearer(struct sock *sk)
{
	struct mptcp_sock *mptcp = (void *)sk;

	if (!bpf_core_field_exists(mptcp->first) ||
	    BPF_CORE_READ(sk, sk_protocol) != IPPROTO_MPTCP || !sock_is_inet(sk))
		return sk;
	sk = BPF_CORE_READ(mptcp, first);
	return sk && sock_is_alive(sk) ? sk : 0;
}

/* The followed kind of socket that has the port, behind a file; or NULL. */
static __always_inline struct sock *bearer_of_file(struct file *file)
{
	struct sock *sk = sock_of_file(file);

	if (sk)
		sk = port_bearer(sk);
	return sk && sock_is_watched(sk) ? sk : 0;
}

/*
 * The iterator holds a reference to the file, so the socket cannot be destroyed while the program
 * runs. Before 5.11 it shows the files of a process once for each thread.
 */
SEC("iter/task_file")
int walk_files(struct bpf_iter__task_file *ctx)
{
	struct bpf_iter_meta *meta = ctx->meta;
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket_state *state;
	struct sock *sk;

	if (!task || !file)
		return 0;
	answer_idle(meta);
	sk = bearer_of_file(file);
	if (!sk || !task_is_chosen(task))
		return 0;
	state = socket_find(sk);
	if (state)
		look_socket(meta, sk, state, task, ctx->fd);
	else if (sock_port(sk))
		take_in(meta, sk, SOCKET_TOLD, task, ctx->fd);
	else
		take_note(sk);
	return 0;
}

/* Not a walk: who has the port that the collector asks about. */
SEC("iter/task_file")
int find_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct sock *sk;

	if (!task || !file)
		return 0;
	sk = bearer_of_file(file);
	if (sk && is_wanted(sk))
		answer_holder(ctx->meta, task, ctx->fd, sk);
	return 0;
}

/* Sockets that no descriptor leads to: with a process filter they are nobody's. */
static __always_inline void met_without_file(struct bpf_iter_meta *meta, struct sock *sk)
{
	struct socket_state *state;

	if (!sock_is_watched(sk))
		return;
	state = socket_find(sk);
	if (state)
		look_socket(meta, sk, state, 0, -1);
	else if (config.filter)
		return;
	else if (!BPF_CORE_READ(sk, sk_socket) && !sock_is_dead(sk))
		take_in(meta, sk, SOCKET_CHILD | SOCKET_WAITING | SOCKET_TOLD, 0, -1);
	else
		take_in(meta, sk, SOCKET_TOLD, 0, -1);
}

/*
 * Another entry at the address of one that a walk has taken in, where no hook sees its end. The
 * hash is that of addresses, ports and namespace (sk_ehashfn()).
 */
static __always_inline bool is_another_time_wait(struct sock *tw, const struct socket_state *state)
{
	const struct sock_common___alive *common = (void *)tw;

	return (state->flags & SOCKET_TIME_WAIT) && state->hash &&
	       state->hash != BPF_CORE_READ(common, skc_hash);
}

static __always_inline void met_time_wait(struct bpf_iter_meta *meta, struct sock *tw)
{
	struct socket_state *state = socket_find(tw);

	if (state && is_another_time_wait(tw, state)) {
		if (!record_edge(WIRE_TW_END, bpf_ktime_get_boot_ns(), state->id, 0, state->port))
			return;
		tell_reader(meta, WIRE_TOKEN_RECORD);
		socket_forget(tw);
		state = 0;
	}
	if (state)
		look_time_wait(meta, tw, state);
	else if (!config.filter && (walk.time_wait || pass_is_first()))
		take_in(meta, tw, SOCKET_TIME_WAIT | SOCKET_TOLD, 0, -1);
}

SEC("iter/tcp")
int walk_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock *sk = (struct sock *)ctx->sk_common;

	if (!sk)
		return 0;
	answer_idle(ctx->meta);
	switch (sock_state(sk)) {
	case TCP_TIME_WAIT:
		met_time_wait(ctx->meta, sk);
		break;
	case TCP_NEW_SYN_RECV: /* a request: no socket yet */
		break;
	default:
		met_without_file(ctx->meta, sk);
	}
	return 0;
}

SEC("iter/udp")
int walk_udp(struct bpf_iter__udp *ctx)
{
	struct sock *sk = (struct sock *)ctx->udp_sk;

	if (!sk)
		return 0;
	answer_idle(ctx->meta);
	met_without_file(ctx->meta, sk);
	return 0;
}

/*
 * The table itself: what is gone, and what none of the others has met (a bound TCP socket on its
 * way between two processes). Freed socket memory keeps its count of references, 0, until it is
 * a socket again, and the hooks of creation see that.
 */
static __always_inline void met_in_table(struct bpf_iter_meta *meta, u64 key,
					 struct socket_state *state)
{
	struct sock *sk = (struct sock *)key;

	if (state->flags & SOCKET_TIME_WAIT) {
		if (sock_is_alive(sk) && sock_state(sk) == TCP_TIME_WAIT &&
		    sock_port(sk) == state->port && !is_another_time_wait(sk, state))
			look_time_wait(meta, sk, state);
		else
			look_gone(meta, key, state);
	} else if (sock_is_alive(sk) && sock_is_watched(sk)) {
		look_socket(meta, sk, state, 0, -1);
	} else {
		look_gone(meta, key, state);
	}
}

/* An entry of the map. One that is left over from before its slot was taken goes. */
static __always_inline void met_in_map(struct bpf_iter_meta *meta, u64 key,
				       struct socket_state *state)
{
	struct socket_slot *place = socket_slot_of(key);

	if (place && place->slot.key == key)
		table_delete(key);
	else if (state)
		met_in_table(meta, key, state);
}

static __always_inline void met_in_slot(struct bpf_iter_meta *meta, u64 key)
{
	struct socket_slot *place = key ? socket_slot_of(key) : 0;

	if (place && place->slot.key == key)
		met_in_table(meta, key, &place->state);
}

SEC("iter/bpf_map_elem")
int walk_map(struct bpf_iter__bpf_map_elem *ctx)
{
	u64 *entry = ctx->key, key;

	if (!entry)
		return 0;
	key = *entry;
	answer_idle(ctx->meta);
	met_in_map(ctx->meta, key, bpf_map_lookup_elem(&sockets, &key));
	return 0;
}

SEC("iter/bpf_map_elem")
int walk_slots(struct bpf_iter__bpf_map_elem *ctx)
{
	struct socket_slot *shown = (void *)ctx->value;

	if (!shown)
		return 0;
	answer_idle(ctx->meta);
	met_in_slot(ctx->meta, shown->slot.key);
	return 0;
}

/*
 * Both at once, without an iterator: those over maps are older, but some machines allow all
 * iterators but them. Run by the collector (BPF_PROG_TEST_RUN); returns 1 if the helping was too
 * small. It begins anew then, and passes what it has looked at.
 */
static long step_map(struct bpf_map *map, u64 *entry, struct socket_state *state, void *ctx)
{
	u64 key = *entry;

	if (!helping.room)
		return 1;
	if (state->walk != walk.number)
		met_in_map(0, key, state);
	return 0;
}

static long step_slots(struct bpf_map *map, u32 *index, struct socket_slot *shown, void *ctx)
{
	if (!helping.room)
		return 1;
	if (shown->state.walk != walk.number)
		met_in_slot(0, shown->slot.key);
	return 0;
}

SEC("raw_tp")
int walk_table(void *ctx)
{
	bpf_for_each_map_elem(&sockets, step_map, 0, 0);
	if (helping.room)
		bpf_for_each_map_elem(&socket_slots, step_slots, 0, 0);
	return !helping.room;
}
