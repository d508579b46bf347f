/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ending.h owns the function-level handlers of ends: the last close, ports given up, TIME_WAIT, the
 * socket destroyed. As in functions.h; most run in a softirq too.
 */
#ifndef PORTLIFE_ENDING_H
#define PORTLIFE_ENDING_H

#include "bpf/call.h"
#include "bpf/remnant.h"

/* tcp_close: the last descriptor is gone. */
static __always_inline void handle_close(struct sock *sk)
{
	struct socket_state *state;

	if (!sock_is_tcp(sk))
		return;
	state = socket_find(sk);
	if (socket_is_told_closed(sk, state))
		socket_closed(sk, state, bpf_ktime_get_boot_ns());
}

/* inet_put_port, before skc_num is cleared: the only way that a TCP socket gives up its port. */
static __always_inline void handle_put_port(struct sock *sk)
{
	struct socket_state *state = socket_find(sk);

	if (state)
		socket_released(sk, state, bpf_ktime_get_boot_ns(), sock_port(sk));
}

/* Of a datagram socket nothing is left when its last descriptor is closed. */
static __always_inline void datagram_closed(struct sock *sk, struct socket_state *state)
{
	u64 now;

	if (!socket_is_told_closed(sk, state))
		return;
	now = bpf_ktime_get_boot_ns();
	state = socket_closed(sk, state, now);
	if (state)
		socket_ended(sk, state, now, 0);
}

/*
 * udp_lib_unhash, before skc_num is cleared. Called at the end (udp_destroy_sock has marked the
 * socket dead before, 5.13 and stable 5.10.47) and by connect(AF_UNSPEC); the second time for
 * nothing.
 */
static __always_inline void handle_udp_unhash(struct sock *sk)
{
	struct socket_state *state = socket_find(sk);
	u16 port;

	if (sock_is_dead(sk)) {
		datagram_closed(sk, state);
		return;
	}
	port = sock_port(sk);
	if (state && port)
		socket_released(sk, state, bpf_ktime_get_boot_ns(), port);
}

/*
 * ping_close: nothing is left of the socket when it returns (5.10 to 7.3: it calls ping_unhash
 * before the socket is marked dead, so that this cannot tell).
 */
static __always_inline void handle_ping_close(struct sock *sk)
{
	datagram_closed(sk, socket_find(sk));
}

/* ping_unhash, before skc_num is cleared: connect(AF_UNSPEC), or what has ended already. */
static __always_inline void handle_ping_unhash(struct sock *sk)
{
	u16 port = sock_port(sk);
	struct socket_state *state = port ? socket_find(sk) : 0;

	if (state)
		socket_released(sk, state, bpf_ktime_get_boot_ns(), port);
}

/* inet_twsk_hashdance[_schedule]: a TIME_WAIT entry takes over port and bucket. */
static __always_inline void handle_time_wait(const void *tw, struct sock *sk)
{
	struct socket_state *state = socket_find(sk);
	struct socket_state entry = { .flags = SOCKET_TIME_WAIT };

	if (!state)
		return;
	entry.id = state->id;
	entry.port = sock_port(sk);
	socket_waits(sk, state, bpf_ktime_get_boot_ns(), entry.port);
	socket_insert_time_wait(tw, &entry);
}

/*
 * A connection ends of which nobody has told whether it gave its port up or left it to a TIME_WAIT
 * entry: bind() chose the port, or the probes of that moment were skipped.
 */
static __always_inline void time_wait_missed(struct sock *sk, struct socket_state *state)
{
	struct socket_state entry = { .flags = SOCKET_TIME_WAIT, .id = state->id };
	struct sock *tw = remnant_find(sk, state->port);

	if (!tw)
		return;
	entry.port = state->port;
	state->time_wait_ns = bpf_ktime_get_boot_ns();
	socket_insert_time_wait(tw, &entry);
}

/* inet_twsk_bind_unhash: timer, recycling by connect(), or a new SYN: the port is free of it. */
static __always_inline void handle_time_wait_end(const void *tw)
{
	struct socket_state *state = socket_find(tw);

	if (!state || !(state->flags & SOCKET_TIME_WAIT))
		return;
	record_edge(WIRE_TW_END, bpf_ktime_get_boot_ns(), state->id, 0, state->port);
	socket_forget(tw);
}

/*
 * The tracepoint tcp_destroy_sock, at the beginning of tcp_v4_destroy_sock (IPv6 too): a port that
 * the socket still has goes with it. A child that was to join its listener's port and could not has
 * none and had none.
 */
static __always_inline void handle_destroyed(struct sock *sk)
{
	struct socket_state *state = socket_find(sk);

	if (!state)
		return;
	if (state->port && !state->release_ns && !state->time_wait_ns &&
	    FIELD(sk, __sk_common.skc_dport))
		time_wait_missed(sk, state);
	if ((state->flags & (SOCKET_CHILD | SOCKET_TOLD)) == SOCKET_CHILD && !state->release_ns &&
	    !state->time_wait_ns && !sock_port(sk))
		socket_forget(sk);
	else
		socket_ended(sk, state, bpf_ktime_get_boot_ns(), 0);
}

#endif
