/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * families_told.h owns the records that the current task gives rise to on sockets beyond TCP, UDP
 * and ping: a call, an accept(), an end. What a socket is and has is families.h's.
 */
#ifndef PORTLIFE_FAMILIES_TOLD_H
#define PORTLIFE_FAMILIES_TOLD_H

#include "bpf/families.h"

/* The system call that leads to this step, by its number. */
static __always_inline bool syscall_fits(u8 kind, long number)
{
	switch (kind) {
	case WIRE_BIND:
		return number == SYSCALL_BIND || number == SYSCALL_SETSOCKOPT;
	case WIRE_LISTEN:
		return number == SYSCALL_LISTEN;
	case WIRE_SEND:
		return syscall_sends(number);
	default:
		return number == SYSCALL_CONNECT || number == SYSCALL_SETSOCKOPT;
	}
}

static __always_inline void came_by(struct wire_call *r, u8 kind)
{
	bool io_worker = false;
	struct syscall now = syscall_now(&io_worker);

	now.number = FORGET(r->fd, now.number);
	r->fd = -1;
	if (syscall_fits(kind, now.number))
		r->fd = now.first;
	else if (io_worker || now.number == SYSCALL_IO_URING_ENTER)
		r->facts |= WIRE_F_IO_URING;
}

/* By the current task. */
static __always_inline void family_submit(struct wire_call *r, struct family_socket *state)
{
	who_fill(&r->who);
	r->facts |= WIRE_F_WHO | who_is_followed();
	state->owner = r->who.pid_host;
	state->flags |= FAMILY_TOLD;
	state->port = r->sock.local_port;
	if (r->sock.local_port)
		state->flags |= FAMILY_HOLDS;
	record_submit(r);
}

/*
 * In task context, by the current task; called: within the call that it is in. This function and
 * those below are global, and take numbers: so the verifier goes through them once a program, not
 * once for all that may be known where they are called.
 */
__attribute__((noinline)) int family_tell(u64 address, u32 kind, s32 error, u32 called)
{
	u32 tid = bpf_get_current_pid_tgid();
	struct sock *sk = (void *)address;
	struct family_socket *state = family_find(sk);
	const struct family_call *call = called ? bpf_map_lookup_elem(&family_calls, &tid) : 0;
	struct wire_call *r;

	if (!state)
		return 0;
	if (family_protocol(sk) == WIRE_PROTOCOL_UNIX)
		tell_paths(sk, state, call, bpf_ktime_get_boot_ns());
	r = family_record(kind, sk, state);
	if (!r)
		return 0;
	r->error = error;
	if (call) {
		r->facts |= call->facts;
		r->start_ns = call->start_ns;
		r->port_before = call->port_before;
	}
	if (call && (call->facts & WIRE_F_REQUEST)) {
		r->req_family = call->req_family;
		r->req_port = call->req_port;
		r->req_scope = call->req_scope;
		__builtin_memcpy(r->req_addr, call->req_addr, 16);
	}
	came_by(r, kind);
	family_submit(r, state);
	return 0;
}

/* accept() has given the current task this child; fd: -1 if it is not known. */
__attribute__((noinline)) int family_tell_accept(u64 address, s32 fd)
{
	struct sock *child = (void *)address;
	struct family_socket *state = family_find(child);
	struct wire_call *r;

	if (!state)
		return 0;
	state->flags &= ~FAMILY_TAKEN;
	if (family_protocol(child) == WIRE_PROTOCOL_UNIX)
		tell_paths(child, state, 0, bpf_ktime_get_boot_ns());
	r = family_record(WIRE_ACCEPT, child, state);
	if (!r)
		return 0;
	r->fd = fd;
	family_submit(r, state);
	return 0;
}

/* What it had goes with the socket. */
__attribute__((noinline)) int family_end(u64 address, u64 now)
{
	struct family_socket *state = family_find((void *)address);
	struct wire_end *r = 0;

	if (!state)
		return 0;
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
	bpf_map_delete_elem(&family_sockets, &address);
	return 0;
}

#endif
