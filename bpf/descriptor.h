/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * descriptor.h owns the way from a descriptor to a socket's entry at the exit of a system call, for
 * the backend that sees nothing else of it.
 */
#ifndef PORTLIFE_DESCRIPTOR_H
#define PORTLIFE_DESCRIPTOR_H

#include "bpf/call.h"
#include "bpf/files.h"

/* A function that the verifier goes through once, for any descriptor. */
__attribute__((noinline)) u64 watched_number(s32 fd)
{
	struct sock *sk = sock_of_fd(fd);

	return sk && sock_is_watched(sk) ? (u64)sk : 0;
}

/* The followed kind of socket behind a descriptor of the current task, or NULL. */
static __always_inline struct sock *watched_of_fd(s32 fd)
{
	return (struct sock *)watched_number(fd);
}

/*
 * At its exit a system call has let go of its socket, and another thread may close it while these
 * programs look at it: with its destroy hook behind it, nothing would ever end an entry made now.
 * So a new entry is believed only if the descriptor still leads there when it is in the table: then
 * the hook is to come, and finds it.
 */
static __always_inline bool is_gone(struct sock *sk, const struct socket_state *fresh, s32 fd)
{
	if (watched_of_fd(fd) == sk)
		return false;
	if (!(fresh->flags & SOCKET_TOLD))
		socket_forget(sk);
	return true;
}

static __always_inline struct socket_state *socket_touch_at_exit(struct sock *sk, s32 fd, u64 now)
{
	struct socket_state *state = socket_find(sk);

	if (state)
		return state;
	state = socket_touch(sk, now);
	return state && !is_gone(sk, state, fd) ? state : 0;
}

/* The record before this one came after the end of its socket's life: it ends once more. */
static __always_inline void end_again(const struct sock *sk, u64 id, u64 now)
{
	const struct socket_state *state = socket_find(sk);
	struct socket_state over = { .id = id };

	if (!state || state->id != id || (state->flags & SOCKET_OVER))
		record_end(now, &over, WIRE_E_PASS);
}

#endif
