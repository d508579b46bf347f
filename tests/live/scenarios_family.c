// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about AF_VSOCK, SCTP and MPTCP. */
#include <errno.h>
#include <unistd.h>

#include "tests/live/scenarios_steps.h"

#define PORT	   5000
#define OTHER_PORT 5001
#define PRIVILEGED 81
#define LOCAL	   VMADDR_CID_LOCAL

#ifndef VMADDR_CID_LOCAL
#define VMADDR_CID_LOCAL 1
#endif

/* Ports of VSOCK are the machine's, not the namespace's: scenarios that run beside each other. */
static struct address vsock_at(uint32_t cid, int port)
{
	return step_vsock(cid, (uint32_t)port);
}

static struct sock *vsock_new(const char *tag)
{
	return step_new(tag, AF_VSOCK, SOCK_STREAM, 0);
}

/* Connections within the machine need a transport of their own. */
static void vsock_need_loopback(void)
{
	if (access("/sys/module/vsock_loopback", F_OK))
		scenario_skip("absent: no vsock_loopback");
}

static void vsock_bind(void)
{
	struct sock *s = vsock_new("s");

	step_bind(s, vsock_at(VMADDR_CID_ANY, 70001), false, OK);
	step_close(s);
}

static void vsock_bind_zero(void)
{
	struct sock *s = vsock_new("s");

	step_bind(s, step_vsock(VMADDR_CID_ANY, VMADDR_PORT_ANY), true, OK);
	step_close(s);
}

static void vsock_bind_taken(void)
{
	struct sock *holder = vsock_new("holder");
	struct sock *late = vsock_new("late");

	step_bind(holder, vsock_at(VMADDR_CID_ANY, 70002), false, OK);
	step_bind(late, vsock_at(VMADDR_CID_ANY, 70002), false, EADDRINUSE);
	step_bind(late, vsock_at(VMADDR_CID_ANY, 70003), false, OK);
	step_close(late);
	step_close(holder);
}

static void vsock_bind_twice(void)
{
	struct sock *s = vsock_new("s");

	step_bind(s, vsock_at(VMADDR_CID_ANY, 70004), false, OK);
	step_bind(s, vsock_at(VMADDR_CID_ANY, 70005), false, EINVAL);
	step_close(s);
}

static void vsock_stream(void)
{
	struct sock *server = vsock_new("server");
	struct sock *client = vsock_new("client");
	struct sock *conn;

	vsock_need_loopback();
	step_bind(server, vsock_at(VMADDR_CID_ANY, 70006), false, OK);
	step_listen(server, OK);
	step_connect(client, vsock_at(LOCAL, 70006), OK);
	conn = step_accept(server, "conn");
	step_close_late(client);
	step_close_late(conn);
	step_close(server);
}

static void vsock_connect_refused(void)
{
	struct sock *s = vsock_new("s");

	vsock_need_loopback();
	step_connect(s, vsock_at(LOCAL, 70007), ECONNRESET);
	step_close_late(s);
}

/* --- SCTP ----------------------------------------------------------------------------------------
 */

static struct address at(enum place place, int port)
{
	return address_of(scenario_family(), place, port);
}

static struct sock *sctp_new(const char *tag)
{
	return step_new(tag, scenario_family(), SOCK_STREAM, IPPROTO_SCTP);
}

static void sctp_bind(void)
{
	struct sock *s = sctp_new("s");

	step_bind(s, at(LOOPBACK, PORT), false, OK);
	step_close(s);
}

static void sctp_bind_zero(void)
{
	struct sock *s = sctp_new("s");

	step_bind(s, at(LOOPBACK, 0), true, OK);
	step_close(s);
}

static void sctp_bind_taken(void)
{
	struct sock *holder = sctp_new("holder");
	struct sock *late = sctp_new("late");

	step_bind(holder, at(LOOPBACK, PORT), false, OK);
	step_bind(late, at(LOOPBACK, PORT), false, EADDRINUSE);
	step_bind(late, at(LOOPBACK, OTHER_PORT), false, OK);
	step_close(late);
	step_close(holder);
}

static void sctp_listen_unbound(void)
{
	struct sock *s = sctp_new("s");

	step_listen(s, OK);
	step_close(s);
}

static void sctp_connect(void)
{
	struct sock *server = sctp_new("server");
	struct sock *client = sctp_new("client");
	struct sock *conn;

	step_bind(server, at(LOOPBACK, PORT), false, OK);
	step_listen(server, OK);
	step_connect(client, at(LOOPBACK, PORT), OK);
	conn = step_accept(server, "conn");
	step_close_late(client);
	step_close_late(conn);
	step_close(server);
}

static void sctp_bindx(void)
{
	struct sock *s = sctp_new("s");
	struct sock *late = sctp_new("late");

	step_bindx(s, at(LOOPBACK, PORT), false, OK);
	step_bindx(late, at(LOOPBACK, PORT), false, EADDRINUSE);
	step_bindx(late, at(LOOPBACK, 0), true, OK);
	step_close(late);
	step_close(s);
}

static void sctp_connectx(void)
{
	struct sock *server = sctp_new("server");
	struct sock *client = sctp_new("client");
	struct sock *conn;

	step_bind(server, at(LOOPBACK, PORT), false, OK);
	step_listen(server, OK);
	step_connectx(client, at(LOOPBACK, PORT), OK);
	conn = step_accept(server, "conn");
	step_close_late(client);
	step_close_late(conn);
	step_close(server);
}

static void sctp_peel_off(void)
{
	struct sock *server = step_new("server", scenario_family(), SOCK_SEQPACKET, IPPROTO_SCTP);
	struct sock *client = step_new("client", scenario_family(), SOCK_SEQPACKET, IPPROTO_SCTP);
	struct sock *peeled;

	step_bind(server, at(LOOPBACK, PORT), false, OK);
	step_listen(server, OK);
	step_send(client, at(LOOPBACK, PORT), "x", 1, OK);
	peeled = step_peel_off(server, "peeled");
	step_close_late(client);
	step_close_late(peeled);
	step_close_late(server);
}

/* The first message of a socket that may have many associations. */
static void sctp_send(void)
{
	struct sock *server = step_new("server", scenario_family(), SOCK_SEQPACKET, IPPROTO_SCTP);
	struct sock *client = step_new("client", scenario_family(), SOCK_SEQPACKET, IPPROTO_SCTP);

	step_bind(server, at(LOOPBACK, PORT), false, OK);
	step_listen(server, OK);
	step_send(client, at(LOOPBACK, PORT), "x", 1, OK);
	step_close_late(client);
	step_close_late(server);
}

/* --- MPTCP: what its subflows have, which are sockets of TCP with a life of their own
 * -------------
 */

static struct sock *mptcp_new(const char *tag)
{
	return step_new(tag, scenario_family(), SOCK_STREAM, PROTOCOL_MPTCP);
}

static void mptcp_bind(void)
{
	struct sock *s = mptcp_new("s");

	step_bind(s, at(LOOPBACK, PORT), false, OK);
	step_close_late(s);
}

static void mptcp_bind_zero(void)
{
	struct sock *s = mptcp_new("s");

	step_bind(s, at(LOOPBACK, 0), true, OK);
	step_close_late(s);
}

static void mptcp_bind_taken(void)
{
	struct sock *holder = mptcp_new("holder");
	struct sock *late = mptcp_new("late");

	step_bind(holder, at(LOOPBACK, PORT), false, OK);
	step_bind(late, at(LOOPBACK, PORT), false, EADDRINUSE);
	step_close_late(late);
	step_close_late(holder);
}

static void mptcp_listen_unbound(void)
{
	struct sock *s = mptcp_new("s");

	step_listen(s, OK);
	step_close_late(s);
}

static void mptcp_connect(void)
{
	struct sock *server = mptcp_new("server");
	struct sock *client = mptcp_new("client");
	struct sock *conn;

	step_bind(server, at(LOOPBACK, PORT), false, OK);
	step_listen(server, OK);
	step_connect(client, at(LOOPBACK, PORT), OK);
	conn = step_accept(server, "conn");
	step_close_late(client);
	step_close_late(conn);
	step_close_late(server);
}

const struct scenario family_scenarios[] = {
	{ .name = "vsock_bind", .run = vsock_bind, .only_inet = true },
	{ .name = "vsock_bind_zero", .run = vsock_bind_zero, .only_inet = true },
	{ .name = "vsock_bind_taken", .run = vsock_bind_taken, .only_inet = true },
	{ .name = "vsock_bind_twice", .run = vsock_bind_twice, .only_inet = true },
	{ .name = "vsock_stream", .run = vsock_stream, .only_inet = true },
	{ .name = "vsock_connect_refused", .run = vsock_connect_refused, .only_inet = true },
	{ .name = "sctp_bind", .run = sctp_bind },
	{ .name = "sctp_bind_zero", .run = sctp_bind_zero },
	{ .name = "sctp_bind_taken", .run = sctp_bind_taken },
	{ .name = "sctp_listen_unbound", .run = sctp_listen_unbound },
	{ .name = "sctp_connect", .run = sctp_connect },
	{ .name = "sctp_send", .run = sctp_send },
	{ .name = "sctp_bindx", .run = sctp_bindx },
	{ .name = "sctp_connectx", .run = sctp_connectx },
	{ .name = "sctp_peel_off", .run = sctp_peel_off },
	{ .name = "mptcp_bind", .run = mptcp_bind },
	{ .name = "mptcp_bind_zero", .run = mptcp_bind_zero },
	{ .name = "mptcp_bind_taken", .run = mptcp_bind_taken },
	{ .name = "mptcp_listen_unbound", .run = mptcp_listen_unbound },
	{ .name = "mptcp_connect", .run = mptcp_connect },
	{ .name = 0 },
};
