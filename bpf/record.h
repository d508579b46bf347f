/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * record.h owns the building of wire records and their way into the ring buffer. A record that
 * finds no room is counted, never waited for.
 */
#ifndef PORTLIFE_RECORD_H
#define PORTLIFE_RECORD_H

#include "bpf/context.h"

/*
 * Waking the reader costs more than a record: it comes by itself on a timer, and is woken only
 * when the data waiting passes config.wake_bytes (a window, so that a reader that is behind is
 * not woken by every record).
 */
#define WAKE_WINDOW 512

static __always_inline void record_submit(void *record)
{
	u64 waiting = bpf_ringbuf_query(&records, BPF_RB_AVAIL_DATA);
	bool wake = waiting - config.wake_bytes < WAKE_WINDOW;
	u32 cpu = ((struct wire_head *)record)->cpu;
	struct wire_counters *count = bpf_map_lookup_elem(&counters, &cpu);

	if (count)
		__sync_fetch_and_add(&count->written, 1);
	bpf_ringbuf_submit(record, wake ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP);
}

static __always_inline void head_fill(struct wire_head *head, u8 kind, u16 len_bytes, u64 ts_ns)
{
	head->len_bytes = len_bytes;
	head->kind = kind;
	head->version = WIRE_VERSION;
	head->cpu = bpf_get_smp_processor_id();
	head->pad = 0;
	head->ts_ns = ts_ns;
}

/*
 * number, by way of `place` in memory: of what is read from there the verifier knows nothing, so
 * that what follows is one case for it, not one for each value that the number may have.
 */
#define FORGET(place, number)                                                                      \
	({                                                                                         \
		(place) = (number);                                                                \
		*(volatile typeof(place) *)&(place);                                               \
	})

#define RESERVE(type)                                                                              \
	({                                                                                         \
		type *r_ = bpf_ringbuf_reserve(&records, sizeof(type), 0);                         \
		if (!r_)                                                                           \
			COUNT(lost_buffer);                                                        \
		r_;                                                                                \
	})

/* Who acts in a record: nobody (softirq), the current task, or one that was noted before. */
enum actor { ACTOR_NONE, ACTOR_CURRENT, ACTOR_NOTED };

/*
 * Fills the full record about sk. call is NULL when nothing is known but the socket.
 */
static __always_inline void call_fill(struct wire_call *r, u8 kind, u64 ts_ns, struct sock *sk,
				      struct socket_state *state, const struct call *call,
				      s32 error, enum actor actor)
{
	__builtin_memset(r, 0, sizeof(*r));
	head_fill(&r->head, kind, sizeof(*r), ts_ns);
	sock_fill(&r->sock, sk);
	if (sock_range(sk, &r->range_lo, &r->range_hi))
		r->facts |= WIRE_F_OWN_RANGE;
	r->sock.id = state->id;
	r->sock.parent = state->parent;
	r->sock.created_ns = state->created_ns;
	r->error = error;
	r->fd = -1;
	r->port_before = r->sock.local_port;
	if (state->flags & SOCKET_CHILD) {
		r->facts |= WIRE_F_CHILD;
		r->sock.established_ns = state->established_ns;
	}
	if (state->flags & SOCKET_EXISTING)
		r->facts |= WIRE_F_EXISTING;
	if (sock_is_kernels(sk) || (FIELD_BITS(sk, sk_kern_sock) && task_is_kernels()))
		r->facts |= WIRE_F_KERN_SOCK;
	if (call) {
		r->facts |= call->facts;
		r->fd = call->fd;
		r->port_before = call->port_before;
		r->start_ns = call->start_ns;
		r->search_ns = call->search_ns;
		r->search_tried = call->search_tried;
		if (error && error != call->cause)
			r->cause = call->cause;
		r->req_family = call->request.family;
		r->req_port = call->request.port;
		r->req_scope = call->request.scope;
		__builtin_memcpy(r->req_addr, call->request.addr, 16);
	}
	if (actor == ACTOR_CURRENT) {
		who_fill(&r->who);
		r->facts |= WIRE_F_WHO | who_is_followed();
	} else if (actor == ACTOR_NOTED && call) {
		r->who = call->who;
		r->facts |= WIRE_F_WHO;
	}
	if (r->sock.local_port) {
		state->port = r->sock.local_port;
		state->flags &= ~SOCKET_LEFT;
	}
	state->told_port = r->sock.local_port;
	state->netns = r->sock.netns;
	if (r->facts & WIRE_F_WHO)
		state->owner = r->who.pid_host;
}

static __always_inline void record_call(u8 kind, u64 ts_ns, struct sock *sk,
					struct socket_state *state, const struct call *call,
					s32 error, enum actor actor)
{
	struct wire_call *r = RESERVE(struct wire_call);

	if (!r)
		return;
	call_fill(r, kind, ts_ns, sk, state, call, error, actor);
	state->flags = (state->flags | SOCKET_TOLD) & ~SOCKET_TAKEN;
	record_submit(r);
}

/* A process has the child, under this descriptor (-1 if not known). */
static __always_inline void record_accept(u64 ts_ns, struct sock *child, struct socket_state *state,
					  s32 fd)
{
	struct wire_call *r = RESERVE(struct wire_call);

	if (!r)
		return;
	call_fill(r, WIRE_ACCEPT, ts_ns, child, state, 0, 0, ACTOR_CURRENT);
	r->fd = fd;
	state->flags = (state->flags | SOCKET_TOLD) & ~SOCKET_TAKEN;
	record_submit(r);
}

/* False if there was no room. */
static __always_inline bool record_edge_keeping(u8 kind, u64 ts_ns, u64 id, s32 error, u16 port,
						bool keeps)
{
	struct wire_edge *r = RESERVE(struct wire_edge);

	if (!r)
		return false;
	head_fill(&r->head, kind, sizeof(*r), ts_ns);
	r->id = id;
	r->error = error;
	r->port = port;
	r->keeps = keeps;
	record_submit(r);
	return true;
}

static __always_inline bool record_edge(u8 kind, u64 ts_ns, u64 id, s32 error, u16 port)
{
	return record_edge_keeping(kind, ts_ns, id, error, port, false);
}

static __always_inline void record_owner(u64 ts_ns, struct socket_state *state)
{
	struct wire_owner *r = RESERVE(struct wire_owner);

	if (!r)
		return;
	__builtin_memset(r, 0, sizeof(*r));
	head_fill(&r->head, WIRE_OWNER, sizeof(*r), ts_ns);
	r->id = state->id;
	who_fill(&r->who);
	r->facts = WIRE_F_WHO | who_is_followed();
	state->owner = r->who.pid_host;
	record_submit(r);
}

/* False if there was no room. */
static __always_inline bool record_end(u64 ts_ns, const struct socket_state *state, u32 flags)
{
	struct wire_end *r = RESERVE(struct wire_end);

	if (!r)
		return false;
	head_fill(&r->head, WIRE_END, sizeof(*r), ts_ns);
	r->id = state->id;
	r->close_ns = state->close_ns;
	r->time_wait_ns = state->time_wait_ns;
	r->release_ns = state->release_ns;
	r->flags = flags;
	r->port = state->release_ns || state->time_wait_ns ? state->port : 0;
	r->pad = 0;
	record_submit(r);
	return true;
}

#endif
