// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * fentry.bpf.c binds the function-level handlers to fentry and fexit: typed arguments, plain
 * dereferences. Where an argument list changed between kernels there are two programs and the
 * collector loads the one that fits ("?": not loaded unless chosen).
 */
#define READ_DIRECT
#include "bpf/ending.h"
#include "bpf/functions.h"
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "GPL";

SEC("fexit/inet_create")
int BPF_PROG(created4, void *net, struct socket *sock, int protocol, int kern, int ret)
{
	handle_created(sock, ret);
	return 0;
}

SEC("fexit/inet6_create")
int BPF_PROG(created6, void *net, struct socket *sock, int protocol, int kern, int ret)
{
	handle_created(sock, ret);
	return 0;
}

SEC("fentry/__inet_bind")
int BPF_PROG(bind4_enter, struct sock *sk)
{
	handle_bind_enter(sk);
	return 0;
}

SEC("fexit/__inet_bind")
int BPF_PROG(bind4_exit, struct sock *sk, void *uaddr, int uaddr_len, u32 flags, int ret)
{
	handle_bind_exit(sk, uaddr, uaddr_len, flags, ret);
	return 0;
}

SEC("fentry/__inet6_bind")
int BPF_PROG(bind6_enter, struct sock *sk)
{
	handle_bind_enter(sk);
	return 0;
}

SEC("fexit/__inet6_bind")
int BPF_PROG(bind6_exit, struct sock *sk, void *uaddr, int uaddr_len, u32 flags, int ret)
{
	handle_bind_exit(sk, uaddr, uaddr_len, flags, ret);
	return 0;
}

SEC("fexit/inet_bind")
int BPF_PROG(bind4_outer, struct socket *sock, void *uaddr, int uaddr_len, int ret)
{
	handle_bind_outer_exit(sock, uaddr, uaddr_len, ret);
	return 0;
}

SEC("fexit/inet6_bind")
int BPF_PROG(bind6_outer, struct socket *sock, void *uaddr, int uaddr_len, int ret)
{
	handle_bind_outer_exit(sock, uaddr, uaddr_len, ret);
	return 0;
}

SEC("fexit/security_socket_bind")
int BPF_PROG(bind_denied, struct socket *sock, void *uaddr, int uaddr_len, int ret)
{
	handle_denied(sock, WIRE_BIND, uaddr, uaddr_len, ret);
	return 0;
}

SEC("fexit/security_socket_listen")
int BPF_PROG(listen_denied, struct socket *sock, int backlog, int ret)
{
	handle_denied(sock, WIRE_LISTEN, 0, 0, ret);
	return 0;
}

SEC("fexit/security_socket_connect")
int BPF_PROG(connect_denied, struct socket *sock, void *uaddr, int uaddr_len, int ret)
{
	handle_denied(sock, WIRE_CONNECT, uaddr, uaddr_len, ret);
	return 0;
}

SEC("fentry/inet_csk_get_port")
int BPF_PROG(get_port_enter, struct sock *sk, unsigned short snum)
{
	handle_get_port_enter(sk, snum);
	return 0;
}

SEC("fexit/inet_csk_get_port")
int BPF_PROG(get_port_exit, struct sock *sk, unsigned short snum, int ret)
{
	handle_bind_conflict(sk, snum, ret);
	handle_get_port_exit(sk, ret);
	return 0;
}

SEC("fentry/udp_lib_get_port")
int BPF_PROG(udp_get_port_enter, struct sock *sk, unsigned short snum)
{
	handle_get_port_enter(sk, snum);
	return 0;
}

SEC("fexit/udp_lib_get_port")
int BPF_PROG(udp_get_port_exit, struct sock *sk, unsigned short snum, unsigned int hash2, int ret)
{
	handle_get_port_exit(sk, ret);
	return 0;
}

/* inet_bind() of a ping socket, for IPv6 too; in the place of __inet_bind() */
SEC("fentry/ping_bind")
int BPF_PROG(ping_bind_enter, struct sock *sk)
{
	handle_bind_enter(sk);
	return 0;
}

SEC("fexit/ping_bind")
int BPF_PROG(ping_bind_exit, struct sock *sk, void *uaddr, int uaddr_len, int ret)
{
	handle_bind_exit(sk, uaddr, uaddr_len, 0, ret);
	return 0;
}

SEC("fentry/ping_get_port")
int BPF_PROG(ping_get_port_enter, struct sock *sk, unsigned short ident)
{
	handle_get_port_enter(sk, ident);
	return 0;
}

SEC("fexit/ping_get_port")
int BPF_PROG(ping_get_port_exit, struct sock *sk, unsigned short ident, int ret)
{
	handle_get_port_exit(sk, ret);
	return 0;
}

SEC("fentry/ping_close")
int BPF_PROG(ping_close, struct sock *sk)
{
	handle_ping_close(sk);
	return 0;
}

SEC("fentry/ping_unhash")
int BPF_PROG(ping_unhash, struct sock *sk)
{
	handle_ping_unhash(sk);
	return 0;
}

SEC("fentry/inet_listen")
int BPF_PROG(listen_enter, struct socket *sock)
{
	handle_listen_enter(sock);
	return 0;
}

SEC("fexit/inet_listen")
int BPF_PROG(listen_exit, struct socket *sock, int backlog, int ret)
{
	handle_listen_exit(sock, ret);
	return 0;
}

SEC("fentry/__inet_stream_connect")
int BPF_PROG(connect_enter, struct socket *sock, void *uaddr, int uaddr_len, int flags,
	     int is_sendmsg)
{
	handle_connect_enter(sock, uaddr, uaddr_len, is_sendmsg);
	return 0;
}

SEC("fexit/__inet_stream_connect")
int BPF_PROG(connect_exit, struct socket *sock, void *uaddr, int uaddr_len, int flags,
	     int is_sendmsg, int ret)
{
	handle_connect_exit(sock, ret);
	return 0;
}

SEC("fentry/inet_dgram_connect")
int BPF_PROG(dgram_connect_enter, struct socket *sock, void *uaddr, int uaddr_len)
{
	handle_dgram_connect_enter(sock, uaddr, uaddr_len);
	return 0;
}

SEC("fexit/inet_dgram_connect")
int BPF_PROG(dgram_connect_exit, struct socket *sock, void *uaddr, int uaddr_len, int flags,
	     int ret)
{
	handle_dgram_connect_exit(sock, ret);
	return 0;
}

/* inet_hash_connect and inet6_hash_connect lead here. */
SEC("fentry/__inet_hash_connect")
int BPF_PROG(hash_connect_enter, void *death_row, struct sock *sk, u64 port_offset)
{
	handle_hash_connect_enter(sk, port_offset);
	return 0;
}

/* up to 6.15: (death_row, sk, port_offset, check_established) */
SEC("?fexit/__inet_hash_connect")
int BPF_PROG(hash_connect_exit_4args, void *death_row, struct sock *sk, u64 port_offset,
	     void *check, int ret)
{
	handle_hash_connect_exit(sk, ret);
	return 0;
}

/* later: (death_row, sk, port_offset, hash_port0, check_established) */
SEC("?fexit/__inet_hash_connect")
int BPF_PROG(hash_connect_exit_5args, void *death_row, struct sock *sk, u64 port_offset, u32 hash,
	     void *check, int ret)
{
	handle_hash_connect_exit(sk, ret);
	return 0;
}

SEC("fentry/tcp_init_transfer")
int BPF_PROG(established, struct sock *sk)
{
	handle_established(sk);
	return 0;
}

SEC("fentry/tcp_done")
int BPF_PROG(done, struct sock *sk)
{
	handle_done(sk);
	return 0;
}

SEC("fexit/__inet_inherit_port")
int BPF_PROG(inherit_exit, struct sock *listener, struct sock *child, int ret)
{
	handle_inherit_exit(listener, child, ret);
	return 0;
}

/* up to 6.9: (sk, flags, *err, kern) */
SEC("?fexit/inet_csk_accept")
int BPF_PROG(accept_exit_4args, struct sock *sk, int flags, int *err, bool kern, struct sock *child)
{
	handle_accept_exit(sk, child);
	return 0;
}

/* later: (sk, struct proto_accept_arg *) */
SEC("?fexit/inet_csk_accept")
int BPF_PROG(accept_exit_2args, struct sock *sk, void *arg, struct sock *child)
{
	handle_accept_exit(sk, child);
	return 0;
}

SEC("fexit/__sys_accept4")
int BPF_PROG(accept_fd, int fd, void *peer, void *peer_len, int flags, int ret)
{
	handle_accept_fd(ret);
	return 0;
}

SEC("fentry/tcp_close")
int BPF_PROG(close_enter, struct sock *sk)
{
	handle_close(sk);
	return 0;
}

SEC("fentry/inet_put_port")
int BPF_PROG(put_port, struct sock *sk)
{
	handle_put_port(sk);
	return 0;
}

SEC("fentry/udp_lib_unhash")
int BPF_PROG(udp_unhash, struct sock *sk)
{
	handle_udp_unhash(sk);
	return 0;
}

/* up to 6.9 */
SEC("?fentry/inet_twsk_hashdance")
int BPF_PROG(time_wait, void *tw, struct sock *sk)
{
	handle_time_wait(tw, sk);
	return 0;
}

/* later */
SEC("?fentry/inet_twsk_hashdance_schedule")
int BPF_PROG(time_wait_schedule, void *tw, struct sock *sk)
{
	handle_time_wait(tw, sk);
	return 0;
}

SEC("fentry/inet_twsk_bind_unhash")
int BPF_PROG(time_wait_end, void *tw)
{
	handle_time_wait_end(tw);
	return 0;
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(destroyed, struct sock *sk)
{
	handle_destroyed(sk);
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(forked, struct task_struct *parent, struct task_struct *child)
{
	who_forked(parent, child);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(exited, struct task_struct *task)
{
	who_exited(task);
	thread_exited(task);
	return 0;
}
