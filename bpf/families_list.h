/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * families_list.h owns which kernel functions tell of sockets beyond TCP, UDP and ping. It is
 * included by the file of each backend, which has defined
 *
 *	CALL(program, symbol, args, step, sk, uaddr, len)	entry and end of a function with so
 *many arguments: PROGRAM_enter and _exit
 *	ENTRY(program, symbol, handler)				its entry only
 *	MADE(program, symbol, args, made)			a subflow of MPTCP: its end
 *
 * and A1 to A4, the arguments, as numbers. user/source/families.c has the same list, by family,
 *with what is lost without each.
 */
#define SOCKET(a)  BPF_CORE_READ((struct socket *)(a), sk)
#define SOCK(a)	   ((struct sock *)(a))
#define POINTER(a) ((void *)(a))

/*
 * All families. security_socket_post_create: __sock_create() calls it when the family has made the
 * socket. security_sock_graft: each accept() joins the child to its struct socket by it (5.10 to
 * 7.3), before fd_install gives it a descriptor. Neither of the first two is there without
 * CONFIG_SECURITY_NETWORK: then creation and accept() are not told.
 */
ENTRY(created, security_socket_post_create, family_created(POINTER(A1)))
ENTRY(graft, security_sock_graft, family_accepted(SOCK(A1)))
ENTRY(installed, fd_install, family_installed((s32)A1))

/*
 * AF_UNIX. unix_autobind gives a name under bind(), connect() and sendmsg(); the last two only with
 * SO_PASSCRED and its like. When unix_release returns nothing is left but the file of a path.
 */
CALL(unix_bind, unix_bind, 3, STEP_BIND, SOCKET(A1), POINTER(A2), (s32)A3)
CALL(unix_stream_connect, unix_stream_connect, 4, STEP_CONNECT, SOCKET(A1), POINTER(A2), (s32)A3)
CALL(unix_dgram_connect, unix_dgram_connect, 4, STEP_CONNECT, SOCKET(A1), POINTER(A2), (s32)A3)
CALL(unix_listen, unix_listen, 2, STEP_LISTEN, SOCKET(A1), 0, 0)
CALL(unix_autobind, unix_autobind, 1, STEP_AUTOBIND, autobind_sock(POINTER(A1)), 0, 0)
ENTRY(unix_accept, unix_accept, family_accepting(POINTER(A1)))
ENTRY(unix_release, unix_release, family_closed_whole(SOCKET(A1)))

/* AF_NETLINK. netlink_autobind is a copy that the compiler made; it goes through netlink_insert. */
CALL(netlink_bind, netlink_bind, 3, STEP_BIND, SOCKET(A1), POINTER(A2), (s32)A3)
CALL(netlink_connect, netlink_connect, 4, STEP_CONNECT, SOCKET(A1), POINTER(A2), (s32)A3)
CALL(netlink_insert, netlink_insert, 2, STEP_AUTOBIND, SOCK(A1), 0, 0)
ENTRY(netlink_release, netlink_release, family_closed_whole(SOCKET(A1)))

/* Raw sockets of IP have no port; what they bind is an address. */
CALL(raw_bind, raw_bind, 3, STEP_BIND, SOCK(A1), POINTER(A2), (s32)A3)
CALL(rawv6_bind, rawv6_bind, 3, STEP_BIND, SOCK(A1), POINTER(A2), (s32)A3)
CALL(raw_connect, inet_dgram_connect, 4, STEP_CONNECT, SOCKET(A1), POINTER(A2), (s32)A3)
ENTRY(raw_close, raw_close, family_closed_whole(SOCK(A1)))
ENTRY(rawv6_close, rawv6_close, family_closed_whole(SOCK(A1)))

/*
 * AF_VSOCK. vsock_auto_bind is inlined; what it gave shows at the end of connect(). A connection
 * may outlast close() by seconds, and keeps its port until vsock_remove_sock; or end before it.
 */
CALL(vsock_bind, vsock_bind, 3, STEP_BIND, SOCKET(A1), POINTER(A2), (s32)A3)
CALL(vsock_connect, vsock_connect, 4, STEP_CONNECT, SOCKET(A1), POINTER(A2), (s32)A3)
CALL(vsock_stream_connect, vsock_stream_connect, 4, STEP_CONNECT, SOCKET(A1), POINTER(A2), (s32)A3)
CALL(vsock_listen, vsock_listen, 2, STEP_LISTEN, SOCKET(A1), 0, 0)
ENTRY(vsock_accept, vsock_accept, family_accepting(POINTER(A1)))
ENTRY(vsock_enqueue_accept, vsock_enqueue_accept, family_child(SOCK(A2), SOCK(A1)))
ENTRY(vsock_release, vsock_release, vsock_closed(SOCKET(A1)))
ENTRY(vsock_remove_sock, vsock_remove_sock, vsock_removed(SOCK(A1)))

/*
 * SCTP. sctp_autobind and sctp_get_port are inlined; sctp_do_bind is where both come from, and
 * SCTP_SOCKOPT_BINDX_ADD for each address. __sctp_connect: connect() and SCTP_SOCKOPT_CONNECTX.
 * sctp_clone_sock (7.3) does what sctp_sock_migrate did.
 */
CALL(sctp_bind, sctp_bind, 3, STEP_BIND, SOCK(A1), POINTER(A2), (s32)A3)
CALL(sctp_connect, sctp_inet_connect, 4, STEP_CONNECT, SOCKET(A1), POINTER(A2), (s32)A3)
CALL(sctp_listen, sctp_inet_listen, 2, STEP_LISTEN, SOCKET(A1), 0, 0)
CALL(sctp_do_bind, sctp_do_bind, 3, STEP_AUTOBIND, SOCK(A1), POINTER(A2), (s32)A3)
CALL(sctp_connectx, __sctp_connect, 5, STEP_CONNECTX, SOCK(A1), POINTER(A2), (s32)A3)
ENTRY(sctp_migrate, sctp_sock_migrate, sctp_migrates(SOCK(A1), SOCK(A2)))
ENTRY(sctp_clone, sctp_clone_sock, family_enter(0, STEP_ACCEPT, SOCK(A1), 0, 0, false))
ENTRY(sctp_accept, sctp_accept, family_enter(0, STEP_ACCEPT, SOCK(A1), 0, 0, false))
ENTRY(sctp_close, sctp_close, sctp_closed(SOCK(A1)))
ENTRY(sctp_put_port, sctp_put_port, sctp_released(SOCK(A1)))

/*
 * MPTCP. The port is its first subflow's, a socket of TCP that the probes of every run see. The
 * outcome of connect() is that subflow's, too: when mptcp_connect returns, the SYN has left.
 */
CALL(mptcp_bind, mptcp_bind, 3, STEP_BIND, SOCKET(A1), POINTER(A2), (s32)A3)
CALL(mptcp_listen, mptcp_listen, 2, STEP_LISTEN, SOCKET(A1), 0, 0)
CALL(mptcp_connect, mptcp_connect, 3, STEP_CONNECT, SOCK(A1), POINTER(A2), (s32)A3)
ENTRY(mptcp_accept, mptcp_stream_accept, family_accepting(POINTER(A1)))
ENTRY(mptcp_child, mptcp_token_accept, family_child(SOCK(A2), 0))
ENTRY(mptcp_close, mptcp_close, (void)family_closed(SOCK(A1)))
ENTRY(mptcp_destroy, mptcp_destroy, family_gone(SOCK(A1)))
/* up to 6.1, and later */
MADE(mptcp_subflow_2args, mptcp_subflow_create_socket, 2, A2)
MADE(mptcp_subflow_3args, mptcp_subflow_create_socket, 3, A3)
