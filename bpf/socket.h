/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * socket.h owns the lives of sockets in the table: how an entry begins, what its
 * steps are, how it ends. The steps are the same for every backend; who calls them differs.
 */
#ifndef PORTLIFE_SOCKET_H
#define PORTLIFE_SOCKET_H

#include "bpf/record.h"
#include "bpf/table.h"

static __always_inline u64 socket_number(u64 now_ns)
{
	return ((now_ns - config.start_ns) << WIRE_SOCKET_CPU_BITS) |
	       (bpf_get_smp_processor_id() & ((1 << WIRE_SOCKET_CPU_BITS) - 1));
}

/*
 * A new socket is at an address whose last owner's end was missed: it ends now at the latest, like
 * one that a walk finds gone.
 */
static __always_inline void socket_replace(const void *sk, u64 now_ns)
{
	struct socket_state *old = socket_find(sk);

	if (!old)
		return;
	if ((old->flags & SOCKET_TOLD) && !(old->flags & SOCKET_TIME_WAIT))
		record_end(now_ns, old, old->time_wait_ns ? WIRE_E_TIME_WAIT : WIRE_E_PASS);
	socket_forget(sk);
}

/*
 * The entry of a socket that has just begun: mostly its slot is free and nothing else leads there.
 * By value, so that what is not zero is written where it belongs.
 */
static __always_inline struct socket_state *socket_begin(const void *sk, struct socket_state state,
							 u64 now_ns)
{
	struct socket_slot *place = socket_slot_of((u64)sk);

	if (place && !place->slot.others && slot_claim(&place->slot)) {
		place->state = state;
		*(volatile u64 *)&place->slot.key = (u64)sk;
		return &place->state;
	}

	struct socket_state copy = state;

	socket_replace(sk, now_ns);
	return socket_insert_new(sk, &copy);
}

/* A new socket of the current task. */
static __always_inline struct socket_state *socket_create(struct sock *sk, u64 now_ns)
{
	struct socket_state state = {
		.id = socket_number(now_ns),
		.created_ns = now_ns,
		.owner = bpf_get_current_pid_tgid() >> 32,
	};

	return socket_begin(sk, state, now_ns);
}

/*
 * The entry of a socket that had none when a chosen task touched it. A port that is there already
 * was given before anyone looked.
 */
static __always_inline struct socket_state *socket_adopt(struct sock *sk, u64 now_ns)
{
	struct socket_state state = {
		.id = socket_number(now_ns),
		.owner = bpf_get_current_pid_tgid() >> 32,
		.port = sock_port(sk),
	};

	if (state.port)
		state.flags = SOCKET_EXISTING;
	return socket_insert_once(sk, &state);
}

/*
 * The entry of a socket that the current task touches; made now if there is none and the task is
 * chosen.
 */
static __always_inline struct socket_state *socket_touch(struct sock *sk, u64 now_ns)
{
	struct socket_state *found = socket_find(sk);

	if (found)
		return found;
	return who_is_chosen() ? socket_adopt(sk, now_ns) : 0;
}

/*
 * A child leaves its listener's SYN queue (softirq: the current task is a bystander). It is
 * followed if its listener is, or if everything is. Where the listener cannot be told
 * (listener NULL) and not everything is followed, accept() decides: nothing is told till then.
 */
static __always_inline struct socket_state *socket_child(struct sock *child, const void *listener)
{
	struct socket_state *parent = listener ? socket_find(listener) : 0;
	u64 now_ns;

	if (listener && !parent && config.filter)
		return 0;
	now_ns = bpf_ktime_get_boot_ns();

	struct socket_state state = {
		.id = socket_number(now_ns),
		.parent = parent ? parent->id : 0,
		.created_ns = now_ns,
		.owner = parent ? parent->owner : 0,
		.flags = SOCKET_CHILD,
		.port = sock_port(child),
	};
	if (!parent && config.filter)
		state.flags |= SOCKET_PROVISIONAL;
	return socket_begin(child, state, now_ns);
}

/*
 * Introduce a socket that no operation has shown yet. A child may still wait for accept(): a reset
 * takes its port away there.
 */
static __always_inline void socket_tell(struct sock *sk, struct socket_state *state, u64 now_ns,
					enum actor actor)
{
	if (state->flags & SOCKET_TOLD)
		return;
	record_call(WIRE_FOUND, now_ns, sk, state, 0, 0, actor);
	if ((state->flags & SOCKET_CHILD) && !FIELD(sk, sk_socket))
		state->flags |= SOCKET_WAITING;
}

/*
 * The number of a listener that the current task takes a child from, 0 if it is not followed: it is
 * if the task is chosen. One from before the start is introduced here.
 */
static __always_inline u64 socket_listens(struct sock *listener)
{
	struct socket_state *state = socket_find(listener);
	u64 now_ns;

	if (state && (state->flags & SOCKET_TOLD))
		return state->id;
	now_ns = bpf_ktime_get_boot_ns();
	state = socket_touch(listener, now_ns);
	if (!state)
		return 0;
	socket_tell(listener, state, now_ns, ACTOR_CURRENT);
	return state->id;
}

/*
 * A process takes a child of the listener with this number (0: not followed, or not known). One
 * that was not followed before is from now on, if its listener is or the task is chosen. NULL if
 * it is not.
 */
static __always_inline struct socket_state *socket_taken(struct sock *child, u64 parent)
{
	struct socket_state *state = socket_find(child);

	if (!parent && (!state || (state->flags & SOCKET_PROVISIONAL)) && !who_is_chosen()) {
		if (state)
			socket_forget(child);
		return 0;
	}
	if (!state) {
		struct socket_state fresh = {
			.id = socket_number(bpf_ktime_get_boot_ns()),
			.flags = SOCKET_CHILD,
			.port = sock_port(child),
		};

		state = socket_insert_once(child, &fresh);
	}
	if (!state)
		return 0;
	if (state->flags & SOCKET_WAITING)
		state->flags &=
			~(SOCKET_WAITING | SOCKET_TOLD); /* accept() is an event of its own */
	state->flags &= ~SOCKET_PROVISIONAL;
	if (!state->parent)
		state->parent = parent;
	return state;
}

/* Three-way handshake done, seen in softirq. Children are told of at accept(). */
static __always_inline void socket_established(struct socket_state *state, u64 now_ns)
{
	if (!state->established_ns)
		state->established_ns = now_ns;
	if (state->flags & SOCKET_CONNECTING) {
		state->flags &= ~SOCKET_CONNECTING;
		record_edge(WIRE_ESTABLISHED, now_ns, state->id, 0, 0);
	}
}

/* The attempt failed with the socket's error, whether or not a task waits for it. */
static __always_inline void socket_connect_error(struct socket_state *state, u64 now_ns, s32 error)
{
	if (!(state->flags & SOCKET_CONNECTING) || !error)
		return;
	state->flags = (state->flags & ~SOCKET_CONNECTING) | SOCKET_FAILED;
	state->failure = error;
	record_edge(WIRE_CONNECT_ERROR, now_ns, state->id, error, 0);
}

/*
 * The socket gives up its port. At the end of a life the record of the end will tell; while the
 * program still has the socket it is told at once. A port left to TIME_WAIT is not given up.
 */
static __always_inline void socket_released(struct sock *sk, struct socket_state *state, u64 now_ns,
					    u16 port)
{
	if (state->time_wait_ns)
		return;
	if (state->flags & SOCKET_LEFT) {
		state->flags &= ~SOCKET_LEFT;
		return;
	}
	if (state->close_ns || sock_is_dead(sk) || (state->flags & SOCKET_PROVISIONAL)) {
		state->release_ns = now_ns;
		state->port = port;
		return;
	}
	socket_tell(sk, state, now_ns, ACTOR_NONE);
	if (record_edge(WIRE_RELEASE, now_ns, state->id, 0, port))
		state->told_port = 0;
	state->port = 0;
}

/*
 * A TIME_WAIT entry takes over the connection (softirq). At the end of a life the record of the end
 * will tell. While the program still has the socket it is told at once, for the socket may go on:
 * it keeps the port only if bind() named it.
 */
static __always_inline void socket_waits(struct sock *sk, struct socket_state *state, u64 now_ns,
					 u16 port)
{
	state->port = port;
	if (state->close_ns || sock_is_dead(sk) || (state->flags & SOCKET_PROVISIONAL)) {
		state->time_wait_ns = now_ns;
		return;
	}
	bool keeps = FIELD_BITS(sk, sk_userlocks) & SOCK_BINDPORT_LOCK;

	socket_tell(sk, state, now_ns, ACTOR_NONE);
	record_edge_keeping(WIRE_TIME_WAIT, now_ns, state->id, 0, port, keeps);
	if (keeps)
		return;
	state->port = state->told_port = 0;
	if (sock_port(sk))
		state->flags |= SOCKET_LEFT; /* inet_put_port() is to come */
}

/* Is the end of this socket's descriptors to be told of? state: its entry, NULL if it has none. */
static __always_inline bool socket_is_told_closed(struct sock *sk, const struct socket_state *state)
{
	/* one from before the start: told of only if it has a port to give up */
	return state || (sock_port(sk) && who_is_chosen());
}

/*
 * The last descriptor is closed, in task context, of a socket whose end is to be told of. Its
 * entry, NULL if there is no room for one.
 */
static __always_inline struct socket_state *socket_closed(struct sock *sk,
							  struct socket_state *state, u64 now_ns)
{
	u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (!state) {
		state = socket_adopt(sk, now_ns);
		if (!state)
			return 0;
		socket_tell(sk, state, now_ns, ACTOR_CURRENT);
	} else if (state->flags & SOCKET_TAKEN) {
		/* closed by another thread before accept() returned */
		record_accept(now_ns, sk, state, -1);
	} else if (!(state->flags & SOCKET_TOLD)) {
		/* a child whose accept() was not seen: it began before the start */
		if (sock_port(sk) && !(state->flags & SOCKET_PROVISIONAL))
			socket_tell(sk, state, now_ns, ACTOR_CURRENT);
	} else if (state->owner != tgid) {
		record_owner(now_ns, state);
	}
	state->close_ns = now_ns;
	return state;
}

/*
 * The kernel destroys the socket. One that never had a port is not told of at all. A port that it
 * still seems to hold (explicit, in the tracepoint backend; or a release that was missed) goes
 * with it.
 */
static __always_inline void socket_ended(struct sock *sk, struct socket_state *state, u64 now_ns,
					 u32 flags)
{
	if (state->port && !state->release_ns && !state->time_wait_ns)
		state->release_ns = now_ns;
	if (!(state->flags & (SOCKET_TOLD | SOCKET_PROVISIONAL)) &&
	    (state->port || state->release_ns))
		record_call(WIRE_FOUND, now_ns, sk, state, 0, 0, ACTOR_NONE);
	if (state->flags & SOCKET_TOLD) {
		state->flags |= SOCKET_OVER;
		record_end(now_ns, state, flags | (state->time_wait_ns ? WIRE_E_TIME_WAIT : 0));
	}
	socket_forget(sk);
}

#endif
