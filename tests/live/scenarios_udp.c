// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about how a UDP socket gets its port, keeps it and loses it. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/live/scenarios.h"

#define PORT	   5000
#define OTHER_PORT 5001

static struct sock *udp_bound(const char *tag, enum place place, int port)
{
	struct sock *s = sock_new_udp(tag);

	sock_bind(s, place, port, OK);
	return s;
}

static void udp_bind(void)
{
	sock_close(udp_bound("s", LOOPBACK, PORT));
}

static void udp_bind_anywhere(void)
{
	sock_close(udp_bound("s", ANYWHERE, PORT));
}

static void udp_bind_zero(void)
{
	sock_close(udp_bound("s", LOOPBACK, 0));
}

static void send_first(enum send_how how)
{
	struct sock *server = udp_bound("server", LOOPBACK, PORT);
	struct sock *client = sock_new_udp("client");

	sock_send(client, how, LOOPBACK, PORT, OK);
	sock_send(client, how, LOOPBACK, PORT, OK); /* has a port now: no assignment */
	sock_close(client);
	sock_close(server);
}

static void udp_sendto(void)
{
	send_first(SENDTO);
}

static void udp_sendmsg(void)
{
	send_first(SENDMSG);
}

static void udp_sendmmsg(void)
{
	send_first(SENDMMSG);
}

static void udp_send_after_bind(void)
{
	struct sock *server = udp_bound("server", LOOPBACK, PORT);
	struct sock *client = udp_bound("client", LOOPBACK, 0);

	sock_send(client, SENDTO, LOOPBACK, PORT, OK);
	sock_close(client);
	sock_close(server);
}

/* The port is assigned before the kernel sees that it does not know where to send. */
static void udp_write_without_peer(void)
{
	struct sock *s = sock_new_udp("s");

	sock_send(s, WRITE, LOOPBACK, PORT, EDESTADDRREQ);
	sock_close(s);
}

static void udp_splice_without_peer(void)
{
	struct sock *s = sock_new_udp("s");

	sock_send(s, SPLICE, LOOPBACK, PORT, EDESTADDRREQ);
	sock_close(s);
}

static void udp_bound_to_device(void)
{
	struct sock *s = sock_new_udp("s");

	sock_bind_to_device(s, "lo");
	sock_send(s, SENDTO, LOOPBACK, PORT, OK);
	sock_close(s);
}

static void udp_connect(void)
{
	struct sock *server = udp_bound("server", LOOPBACK, PORT);
	struct sock *client = sock_new_udp("client");

	sock_connect(client, LOOPBACK, PORT, OK);
	sock_send(client, SEND, LOOPBACK, PORT, OK);
	sock_send(client, WRITE, LOOPBACK, PORT, OK);
	sock_close(client);
	sock_close(server);
}

static void udp_connect_after_bind(void)
{
	struct sock *s = udp_bound("s", LOOPBACK, OTHER_PORT);

	sock_connect(s, LOOPBACK, PORT, OK);
	sock_close(s);
}

static void udp_connect_after_bind_zero(void)
{
	struct sock *s = udp_bound("s", ANYWHERE, 0);

	sock_connect(s, LOOPBACK, PORT, OK);
	sock_close(s);
}

static void udp_connect_after_send(void)
{
	struct sock *s = sock_new_udp("s");

	sock_send(s, SENDTO, LOOPBACK, PORT, OK);
	sock_connect(s, LOOPBACK, PORT, OK);
	sock_close(s);
}

static void udp_reconnect(void)
{
	struct sock *s = sock_new_udp("s");

	sock_connect(s, LOOPBACK, PORT, OK);
	sock_connect(s, LOOPBACK, OTHER_PORT, OK);
	sock_close(s);
}

static void udp_disconnect_named(void)
{
	struct sock *s = udp_bound("s", LOOPBACK, OTHER_PORT);

	sock_connect(s, LOOPBACK, PORT, OK);
	sock_disconnect_udp(s);
	sock_send(s, SENDTO, LOOPBACK, PORT, OK);
	sock_close(s);
}

static void udp_disconnect_implicit(void)
{
	struct sock *s = sock_new_udp("s");

	sock_connect(s, LOOPBACK, PORT, OK);
	sock_disconnect_udp(s);
	sock_close(s);
}

/* bind() let the kernel choose: such a port goes, too. */
static void udp_disconnect_bind_zero(void)
{
	struct sock *s = udp_bound("s", LOOPBACK, 0);

	sock_connect(s, LOOPBACK, PORT, OK);
	sock_disconnect_udp(s);
	sock_close(s);
}

static void udp_disconnect_and_send(void)
{
	struct sock *s = sock_new_udp("s");

	sock_connect(s, LOOPBACK, PORT, OK);
	sock_disconnect_udp(s);
	sock_send(s, SENDTO, LOOPBACK, PORT, OK);
	sock_disconnect_udp(s); /* was not connected; loses its port all the same */
	sock_connect(s, LOOPBACK, OTHER_PORT, OK);
	sock_close(s);
}

static void udp_deferred_then_send(void)
{
	struct sock *s = sock_new_udp("s");

	sock_defer_port(s);
	sock_bind(s, LOOPBACK, 0, OK);
	sock_send(s, SENDTO, LOOPBACK, PORT, OK);
	sock_close(s);
}

static void udp_deferred_then_connect(void)
{
	struct sock *s = sock_new_udp("s");

	sock_defer_port(s);
	sock_bind(s, LOOPBACK, 0, OK);
	sock_connect(s, LOOPBACK, PORT, OK);
	sock_close(s);
}

static void udp_local_port_range(void)
{
	struct sock *sender = sock_new_udp("sender");
	struct sock *bound = sock_new_udp("bound");

	if (!sock_narrow_range(sender, 40100, 40103) || !sock_narrow_range(bound, 40200, 40203))
		scenario_skip("this kernel has no IP_LOCAL_PORT_RANGE");
	sock_send(sender, SENDTO, LOOPBACK, PORT, OK);
	sock_bind(bound, LOOPBACK, 0, OK);
	if (sock_port(sender) < 40100 || sock_port(sender) > 40103 || sock_port(bound) < 40200 ||
	    sock_port(bound) > 40203)
		scenario_fail("a port is outside of its socket's range");
	sock_close(bound);
	sock_close(sender);
}

static void udp_lite(void)
{
	struct sock *bound = sock_new_kind("bound", scenario_family(), SOCK_DGRAM, IPPROTO_UDPLITE);
	struct sock *sender =
		sock_new_kind("sender", scenario_family(), SOCK_DGRAM, IPPROTO_UDPLITE);
	struct sock *caller =
		sock_new_kind("caller", scenario_family(), SOCK_DGRAM, IPPROTO_UDPLITE);
	struct sock *udp = udp_bound("udp", LOOPBACK, PORT);

	sock_bind(bound, LOOPBACK, PORT, OK); /* ports of its own */
	sock_send(sender, SENDTO, LOOPBACK, PORT, OK);
	sock_connect(caller, LOOPBACK, PORT, OK);
	sock_close(caller);
	sock_close(sender);
	sock_close(bound);
	sock_close(udp);
}

static void udp_dual_stack(void)
{
	struct sock *server = udp_bound("server", ANYWHERE, PORT);
	struct sock *client = sock_new_udp("client");

	sock_send(client, SENDTO, MAPPED, PORT, OK);
	sock_close(client);
	sock_close(server);
}

static void udp_connect_to_mapped_address(void)
{
	struct sock *client = sock_new_udp("client");

	sock_connect(client, MAPPED, PORT, OK);
	sock_close(client);
}

/* --- sharing -----------------------------------------------------------------------------------
 */

static void udp_reuse_address(void)
{
	struct sock *first = sock_new_udp("first");
	struct sock *second = sock_new_udp("second");

	sock_reuse_address(first);
	sock_reuse_address(second);
	sock_bind(first, LOOPBACK, PORT, OK);
	sock_bind(second, LOOPBACK, PORT, OK);
	sock_close(first);
	sock_close(second);
}

static void udp_reuse_port(void)
{
	struct sock *first = sock_new_udp("first");
	struct sock *second = sock_new_udp("second");
	struct sock *third = sock_new_udp("third");

	sock_reuse_port(first);
	sock_reuse_port(second);
	sock_reuse_port(third);
	sock_bind(first, ANYWHERE, PORT, OK);
	sock_bind(second, ANYWHERE, PORT, OK);
	sock_close(first);
	sock_close(second);
	sock_bind(third, ANYWHERE, PORT, OK); /* all others are gone */
	sock_close(third);
}

static void udp_two_addresses(void)
{
	struct sock *first = udp_bound("first", LOOPBACK, PORT);
	struct sock *second = udp_bound("second", SECOND, PORT);

	sock_close(first);
	sock_close(second);
}

/* TCP's ports are others. */
static void udp_beside_tcp(void)
{
	struct sock *tcp = sock_new("tcp");
	struct sock *udp = sock_new_udp("udp");

	sock_bind(tcp, LOOPBACK, PORT, OK);
	sock_bind(udp, LOOPBACK, PORT, OK);
	sock_close(udp);
	sock_close(tcp);
}

/* --- who sends first ---------------------------------------------------------------------------
 */

static void send_and_end(void *arg)
{
	sock_send(arg, SENDTO, LOOPBACK, PORT, OK);
	sock_drop(arg);
}

static void udp_send_from_child(void)
{
	struct sock *s = sock_new_udp("s");
	pid_t child = scenario_child(send_and_end, s);

	scenario_await(child);
	sock_know_port(s, "send");
	sock_send(s, SENDTO, LOOPBACK, PORT, OK);
	sock_close(s);
}

static void udp_race_for_first_send(void)
{
	struct sock *s = sock_new_udp("s");

	sock_send_from_threads(s, LOOPBACK, PORT);
	sock_close(s);
}

const struct scenario udp_scenarios[] = {
	{ .name = "udp_bind", .run = udp_bind },
	{ .name = "udp_bind_anywhere", .run = udp_bind_anywhere },
	{ .name = "udp_bind_zero", .run = udp_bind_zero },
	{ .name = "udp_sendto", .run = udp_sendto },
	{ .name = "udp_sendmsg", .run = udp_sendmsg },
	{ .name = "udp_sendmmsg", .run = udp_sendmmsg },
	{ .name = "udp_send_after_bind", .run = udp_send_after_bind },
	{ .name = "udp_write_without_peer", .run = udp_write_without_peer },
	{ .name = "udp_splice_without_peer", .run = udp_splice_without_peer },
	{ .name = "udp_bound_to_device", .run = udp_bound_to_device },
	{ .name = "udp_connect", .run = udp_connect },
	{ .name = "udp_connect_after_bind", .run = udp_connect_after_bind },
	{ .name = "udp_connect_after_bind_zero", .run = udp_connect_after_bind_zero },
	{ .name = "udp_connect_after_send", .run = udp_connect_after_send },
	{ .name = "udp_reconnect", .run = udp_reconnect },
	{ .name = "udp_disconnect_named", .run = udp_disconnect_named },
	{ .name = "udp_disconnect_implicit", .run = udp_disconnect_implicit },
	{ .name = "udp_disconnect_bind_zero", .run = udp_disconnect_bind_zero },
	{ .name = "udp_disconnect_and_send", .run = udp_disconnect_and_send },
	{ .name = "udp_deferred_then_send", .run = udp_deferred_then_send },
	{ .name = "udp_deferred_then_connect", .run = udp_deferred_then_connect },
	{ .name = "udp_local_port_range", .run = udp_local_port_range, .range = { 40000, 40999 } },
	{ .name = "udp_lite", .run = udp_lite },
	{ .name = "udp_dual_stack", .run = udp_dual_stack, .only_inet6 = true },
	{ .name = "udp_connect_to_mapped_address",
	  .run = udp_connect_to_mapped_address,
	  .only_inet6 = true },
	{ .name = "udp_reuse_address", .run = udp_reuse_address },
	{ .name = "udp_reuse_port", .run = udp_reuse_port },
	{ .name = "udp_two_addresses", .run = udp_two_addresses, .two_addresses = true },
	{ .name = "udp_beside_tcp", .run = udp_beside_tcp },
	{ .name = "udp_send_from_child", .run = udp_send_from_child },
	{ .name = "udp_race_for_first_send", .run = udp_race_for_first_send },
	{ .name = 0 },
};
