// SPDX-License-Identifier: GPL-2.0-or-later
/* Scenarios about UDP calls that fail, and about UDP ports that run out. */
#include <errno.h>
#include <unistd.h>

#include "tests/live/scenarios.h"

#define PORT	   5000
#define OTHER_PORT 5001
#define PRIVILEGED 81
#define NOBODY	   65534

static void udp_bind_taken_port(void)
{
	struct sock *holder = sock_new_udp("holder");
	struct sock *late = sock_new_udp("late");

	sock_bind(holder, LOOPBACK, PORT, OK);
	sock_bind(late, LOOPBACK, PORT, EADDRINUSE);
	sock_bind(late, ANYWHERE, PORT, EADDRINUSE);
	sock_bind(late, LOOPBACK, OTHER_PORT, OK);
	sock_close(late);
	sock_close(holder);
}

static void udp_reuse_address_one_sided(void)
{
	struct sock *holder = sock_new_udp("holder");
	struct sock *late = sock_new_udp("late");

	sock_bind(holder, LOOPBACK, PORT, OK);
	sock_reuse_address(late);
	sock_bind(late, LOOPBACK, PORT, EADDRINUSE);
	sock_close(late);
	sock_close(holder);
}

static void udp_bind_twice(void)
{
	struct sock *s = sock_new_udp("s");

	sock_bind(s, LOOPBACK, PORT, OK);
	sock_bind(s, LOOPBACK, OTHER_PORT, EINVAL);
	sock_bind(s, LOOPBACK, 0, EINVAL);
	sock_close(s);
}

static void udp_bind_after_send(void)
{
	struct sock *s = sock_new_udp("s");

	sock_send(s, SENDTO, LOOPBACK, PORT, OK);
	sock_bind(s, LOOPBACK, OTHER_PORT, EINVAL);
	sock_close(s);
}

static void udp_bind_foreign_address(void)
{
	struct sock *s = sock_new_udp("s");

	sock_bind(s, FOREIGN, PORT, EADDRNOTAVAIL);
	sock_close(s);
}

static void udp_bind_privileged_port(void)
{
	struct sock *s = sock_new_udp("s");

	if (seteuid(NOBODY))
		scenario_fail("cannot give up privileges");
	sock_bind(s, LOOPBACK, PRIVILEGED, EACCES);
	if (seteuid(0))
		scenario_fail("cannot take privileges back");
	sock_close(s);
}

/* The port came before the route was missed: it stays. */
static void udp_connect_without_route(void)
{
	struct sock *s = sock_new_udp("s");

	sock_connect(s, FOREIGN, PORT, ENETUNREACH);
	sock_connect(s, LOOPBACK, PORT, OK);
	sock_close(s);
}

static void udp_bound_connect_without_route(void)
{
	struct sock *s = sock_new_udp("s");

	sock_bind(s, ANYWHERE, PORT, OK);
	sock_connect(s, FOREIGN, PORT, ENETUNREACH);
	sock_close(s);
}

static void udp_send_without_route(void)
{
	struct sock *s = sock_new_udp("s");

	sock_send(s, SENDTO, FOREIGN, PORT, ENETUNREACH);
	sock_send(s, SENDTO, LOOPBACK, PORT, OK);
	sock_close(s);
}

/* --- with two ports for everyone ----------------------------------------------------------------
 */

static void udp_send_range_used_up(void)
{
	struct sock *first = sock_new_udp("first");
	struct sock *second = sock_new_udp("second");
	struct sock *third = sock_new_udp("third");

	sock_send(first, SENDTO, LOOPBACK, PORT, OK);
	sock_send(second, SENDTO, LOOPBACK, PORT, OK);
	sock_send(third, SENDTO, LOOPBACK, PORT, EAGAIN);
	sock_close(first);
	sock_send(third, SENDTO, LOOPBACK, PORT, OK);
	sock_close(second);
	sock_close(third);
}

static void udp_connect_range_used_up(void)
{
	struct sock *first = sock_new_udp("first");
	struct sock *second = sock_new_udp("second");
	struct sock *third = sock_new_udp("third");

	sock_connect(first, LOOPBACK, PORT, OK);
	sock_connect(second, LOOPBACK, PORT, OK);
	sock_connect(third, LOOPBACK, OTHER_PORT, EAGAIN); /* no sharing by peers, as TCP has it */
	sock_disconnect_udp(first);
	sock_connect(third, LOOPBACK, OTHER_PORT, OK);
	sock_close(third);
	sock_close(second);
	sock_close(first);
}

static void udp_bind_range_used_up(void)
{
	struct sock *first = sock_new_udp("first");
	struct sock *second = sock_new_udp("second");
	struct sock *third = sock_new_udp("third");

	sock_bind(first, LOOPBACK, 0, OK);
	sock_bind(second, LOOPBACK, 0, OK);
	sock_bind(third, LOOPBACK, 0, EADDRINUSE);
	sock_close(second);
	sock_bind(third, LOOPBACK, 0, OK);
	sock_close(third);
	sock_close(first);
}

/* The range of the socket alone, in the midst of everyone's. */
static void udp_own_range_used_up(void)
{
	struct sock *first = sock_new_udp("first");
	struct sock *second = sock_new_udp("second");

	if (!sock_narrow_range(first, 40100, 40100) || !sock_narrow_range(second, 40100, 40100))
		scenario_skip("this kernel has no IP_LOCAL_PORT_RANGE");
	sock_send(first, SENDTO, LOOPBACK, PORT, OK);
	sock_send(second, SENDTO, LOOPBACK, PORT, EAGAIN);
	sock_close(second);
	sock_close(first);
}

const struct scenario udp_failure_scenarios[] = {
	{ .name = "udp_bind_taken_port", .run = udp_bind_taken_port },
	{ .name = "udp_reuse_address_one_sided", .run = udp_reuse_address_one_sided },
	{ .name = "udp_bind_twice", .run = udp_bind_twice },
	{ .name = "udp_bind_after_send", .run = udp_bind_after_send },
	{ .name = "udp_bind_foreign_address", .run = udp_bind_foreign_address },
	{ .name = "udp_bind_privileged_port", .run = udp_bind_privileged_port },
	{ .name = "udp_connect_without_route", .run = udp_connect_without_route },
	{ .name = "udp_bound_connect_without_route", .run = udp_bound_connect_without_route },
	{ .name = "udp_send_without_route", .run = udp_send_without_route },
	{ .name = "udp_send_range_used_up",
	  .run = udp_send_range_used_up,
	  .range = { 40000, 40001 } },
	{ .name = "udp_connect_range_used_up",
	  .run = udp_connect_range_used_up,
	  .range = { 40000, 40001 } },
	{ .name = "udp_bind_range_used_up",
	  .run = udp_bind_range_used_up,
	  .range = { 40000, 40001 } },
	{ .name = "udp_own_range_used_up", .run = udp_own_range_used_up },
	{ .name = 0 },
};
