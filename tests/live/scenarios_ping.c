// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about sockets of ping, which have an ICMP id, and about raw ones, which have no port.
 */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>

#include "tests/live/scenarios_steps.h"

#define ID    77
#define OTHER 78

static struct address at(enum place place, int id)
{
	return address_of(scenario_family(), place, id);
}

static struct sock *ping_new(const char *tag)
{
	bool inet = scenario_family() == AF_INET;

	scenario_sysctl("net/ipv4/ping_group_range", "0 2147483647");
	return step_new(tag, scenario_family(), SOCK_DGRAM, inet ? IPPROTO_ICMP : IPPROTO_ICMPV6);
}

static void ping_send_to(struct sock *s, struct address to, int error)
{
	struct icmphdr echo = { .type = ICMP_ECHO };
	struct icmp6_hdr echo6 = { .icmp6_type = ICMP6_ECHO_REQUEST };

	if (scenario_family() == AF_INET)
		step_send(s, to, &echo, sizeof(echo), error);
	else
		step_send(s, to, &echo6, sizeof(echo6), error);
}

static void ping_bind(void)
{
	struct sock *s = ping_new("s");

	step_bind(s, at(LOOPBACK, ID), false, OK);
	ping_send_to(s, at(LOOPBACK, 0), OK);
	step_close(s);
}

static void ping_bind_zero(void)
{
	struct sock *s = ping_new("s");

	step_bind(s, at(ANYWHERE, 0), true, OK);
	step_close(s);
}

static void ping_connect(void)
{
	struct sock *s = ping_new("s");

	step_connect(s, at(LOOPBACK, 0), OK);
	step_close(s);
}

/* As ping does it: neither bind() nor connect(). */
static void ping_send(void)
{
	struct sock *s = ping_new("s");

	s->blind = "ping_send";
	ping_send_to(s, at(LOOPBACK, 0), OK);
	ping_send_to(s, at(LOOPBACK, 0), OK);
	step_close(s);
}

/* Sockets of ping are made with SO_REUSEADDR (INET_PROTOSW_REUSE): they share an id. */
static void ping_share_id(void)
{
	struct sock *holder = ping_new("holder");
	struct sock *late = ping_new("late");

	step_bind(holder, at(LOOPBACK, ID), false, OK);
	step_bind(late, at(LOOPBACK, ID), false, OK);
	step_close(holder);
	step_close(late);
}

static void ping_bind_taken_id(void)
{
	struct sock *holder = ping_new("holder");
	struct sock *late = ping_new("late");

	sock_set(late, SOL_SOCKET, SO_REUSEADDR, 0);
	step_bind(holder, at(LOOPBACK, ID), false, OK);
	step_bind(late, at(LOOPBACK, ID), false, EADDRINUSE);
	step_bind(late, at(LOOPBACK, OTHER), false, OK);
	step_close(late);
	step_close(holder);
}

static void ping_bind_twice(void)
{
	struct sock *s = ping_new("s");

	step_bind(s, at(LOOPBACK, ID), false, OK);
	step_bind(s, at(LOOPBACK, OTHER), false, EINVAL);
	step_close(s);
}

static void ping_bind_foreign_address(void)
{
	struct sock *s = ping_new("s");

	step_bind(s, at(FOREIGN, ID), false, EADDRNOTAVAIL);
	step_close(s);
}

static void ping_disconnect(void)
{
	struct sock *s = ping_new("s");

	step_connect(s, at(LOOPBACK, 0), OK);
	step_disconnect(s, true);
	step_connect(s, at(LOOPBACK, 0), OK);
	step_close(s);
}

/* --- raw -----------------------------------------------------------------------------------------
 */

static struct sock *raw_new(const char *tag)
{
	return step_new(tag, scenario_family(), SOCK_RAW, IPPROTO_UDP);
}

static void raw_bind(void)
{
	struct sock *s = raw_new("s");

	step_bind(s, at(LOOPBACK, 0), false, OK);
	step_close(s);
}

static void raw_bind_foreign_address(void)
{
	struct sock *s = raw_new("s");

	step_bind(s, at(FOREIGN, 0), false, EADDRNOTAVAIL);
	step_close(s);
}

static void raw_connect(void)
{
	struct sock *s = raw_new("s");

	step_connect(s, at(LOOPBACK, 0), OK);
	step_close(s);
}

const struct scenario ping_scenarios[] = {
	{ .name = "ping_bind", .run = ping_bind },
	{ .name = "ping_bind_zero", .run = ping_bind_zero },
	{ .name = "ping_connect", .run = ping_connect },
	{ .name = "ping_send", .run = ping_send },
	{ .name = "ping_share_id", .run = ping_share_id },
	{ .name = "ping_bind_taken_id", .run = ping_bind_taken_id },
	{ .name = "ping_bind_twice", .run = ping_bind_twice },
	{ .name = "ping_bind_foreign_address", .run = ping_bind_foreign_address },
	{ .name = "ping_disconnect", .run = ping_disconnect },
	{ .name = "raw_bind", .run = raw_bind },
	{ .name = "raw_bind_foreign_address", .run = raw_bind_foreign_address },
	{ .name = "raw_connect", .run = raw_connect },
	{ .name = 0 },
};
