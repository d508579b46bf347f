/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_explain_refused.c: what --explain says of bind() that failed. Each sentence where it must
 * be, and not in the nearest case in which it would not be true.
 */
#include "tests/unit/scenes.h"

/* --- bind() that failed --------------------------------------------------------------------- */

/* Somebody, in socket 2, is in the way of bind() to port 80. */
static struct scene in_the_way(struct wire_call holder, struct wire_call asks)
{
	struct scene s = scene_new();

	holder.sock.id = 2;
	holder.who = who_new(811, "apache2");
	scene_add(&s, holder);
	scene_add(&s, asks);
	return s;
}

static void a_port_that_is_taken(void **state)
{
	struct scene any = scene_of(refused_bind(any4, 80, EADDRINUSE));
	struct scene own = scene_of(refused_bind(own4, 80, EADDRINUSE));

	(void)state;
	SAYS(&any, "The program asked for port 80 on every IPv4 address of this machine, but it is "
		   "taken.");
	SAYS(&own, "The program asked for port 80 at the address 10.0.0.1, but it is taken.");
	SAYS_NOT(&own, "overlap");
	SAYS_NOT(&own, "SO_REUSE");
	SAYS(&own, "The socket still has no port and is in state CLOSE: the program may bind() it "
		   "again.");
	own.records[0].call.port_before = own.records[0].call.sock.local_port = 81;
	SAYS_NOT(&own, "still has no port");
	any.records[0].call.sock.ifindex = 2;
	SAYS(&any, "The program asked for port 80 at the address 0.0.0.0%if2, but it is taken.");
	SAYS_NOT(&any, "of this machine");
}

static void by_which_address_it_is_taken(void **state)
{
	struct wire_call v6 = named_bind(any4, 80);
	struct scene same = in_the_way(named_bind(own4, 80), refused_bind(own4, 80, EADDRINUSE));
	struct scene held = in_the_way(named_bind(any4, 80), refused_bind(own4, 80, EADDRINUSE));
	struct scene asks = in_the_way(named_bind(own4, 80), refused_bind(any4, 80, EADDRINUSE));
	struct scene dual;

	(void)state;
	v6.sock.family = v6.req_family = AF_INET6;
	dual = in_the_way(v6, refused_bind(own4, 80, EADDRINUSE));
	SAYS(&same, "The one who has it has the very address 10.0.0.1; without leave from both "
		    "sides the kernel gives an address with a port to one socket only.");
	SAYS_NOT(&same, "overlap");
	SAYS(&held, "The one who has it is bound to 0.0.0.0, which stands for every address, and "
		    "10.0.0.1 is one of them: the two overlap.");
	SAYS_NOT(&held, "has the very");
	SAYS(&asks,
	     "0.0.0.0 stands for every address, and the one who has the port is bound to one "
	     "of them, 10.0.0.1: the two overlap.");
	SAYS_NOT(&asks, "has the very");
	SAYS(&dual, "IPv4 and IPv6 have their ports in common where a socket of :: has no "
		    "IPV6_V6ONLY: 10.0.0.1 and :: overlap.");
	SAYS_NOT(&held, "IPV6_V6ONLY");
}

static struct scene reusing(uint16_t holder_has, uint16_t asks_with)
{
	struct wire_call holder = named_bind(own4, 80), asks = refused_bind(own4, 80, EADDRINUSE);

	holder.sock.options = holder_has;
	asks.sock.options = asks_with;
	return in_the_way(holder, asks);
}

#define BOTH_GIVE "SO_REUSEADDR is a leave that both must give: this socket "

static void by_which_option_it_is_not_shared(void **state)
{
	struct scene none = reusing(0, 0), udp = reusing(0, 0);
	struct scene holder = reusing(WIRE_O_REUSEADDR, 0), asks = reusing(0, WIRE_O_REUSEADDR);
	struct scene port = reusing(0, WIRE_O_REUSEPORT);
	struct scene users = reusing(WIRE_O_REUSEPORT, WIRE_O_REUSEPORT);

	(void)state;
	SAYS(&none, "With SO_REUSEADDR on both sockets before bind() they could share the port, as "
		    "long as neither listens.");
	SAYS_NOT(&none, "leave that both must");
	SAYS_NOT(&none, "could share the port.");
	for (size_t i = 0; i < udp.len; i++)
		udp.records[i].call.sock.protocol = IPPROTO_UDP;
	SAYS(&udp, "With SO_REUSEADDR on both sockets before bind() they could share the port.");
	SAYS_NOT(&udp, "neither listens");
	udp.records[0].call.sock.options = WIRE_O_REUSEADDR;
	SAYS_NOT(&udp, "With SO_REUSEADDR on both");
	SAYS(&holder, BOTH_GIVE "does not have it.");
	SAYS_NOT(&holder, "With SO_REUSEADDR on both");
	SAYS(&asks, BOTH_GIVE "has it, the other one does not.");
	SAYS_NOT(&asks, BOTH_GIVE "does not have it.");
	SAYS(&port, "SO_REUSEPORT is a leave that both must give: only one of the two has it.");
	SAYS_NOT(&port, "two users");
	users.records[0].call.who.uid = 33;
	SAYS(&users,
	     "SO_REUSEPORT is on both sockets, but they belong to two users: one user shall "
	     "not take connections away from another.");
	SAYS_NOT(&users, "only one of the two");
}

static void a_listener_does_not_share(void **state)
{
	struct scene s = reusing(WIRE_O_REUSEADDR, WIRE_O_REUSEADDR);
	struct wire_call l = listening(own4, 80, 80);

	(void)state;
	l.sock.id = 2;
	l.sock.options = WIRE_O_REUSEADDR;
	s.records[2] = s.records[1];
	s.records[1].call = l;
	s.len = 3;
	SAYS(&s, "The other one listens, so SO_REUSEADDR does not help: only SO_REUSEPORT on both "
		 "sockets, by one user, shares the port of a listener.");
	s = reusing(0, 0);
	SAYS_NOT(&s, "The other one listens");
}

static void time_wait_has_no_program(void **state)
{
	struct wire_call holder = connecting(0, 40000);
	struct scene s = in_the_way(holder, refused_bind(own4, 40000, EADDRINUSE));
	struct wire_end end = end_new(2, BOOT_NS + 500);

	(void)state;
	SAYS_NOT(&s, "TIME_WAIT");
	end.time_wait_ns = BOOT_NS + 499;
	end.flags = WIRE_E_TIME_WAIT;
	end.port = 40000;
	s.records[2] = s.records[1];
	s.records[2].call.head.ts_ns = BOOT_NS + 600;
	s.records[2].call.start_ns = BOOT_NS + 590;
	s.records[1].end = end;
	s.len = 3;
	SAYS(&s, "The port is held by no program but by TIME_WAIT, the rest of a connection; "
		 "SO_REUSEADDR shares it if the old socket and the new one had it both.");
	SAYS_NOT(&s, "With SO_REUSEADDR on both");
}

static void none_is_left(void **state)
{
	struct scene s = scene_of(refused_bind(any4, 0, EADDRINUSE));

	(void)state;
	SAYS(&s, "The program asked for any free port, and the kernel found none.");
	SAYS(&s, "Each port of 32768-60999 (28232 ports, none reserved) that the kernel may pick "
		 "is held by somebody who does not share it: bind() wants one for itself, where "
		 "connect() would share one "
		 "with other destinations.");
	s.records[0].call.range_lo = 40000;
	s.records[0].call.range_hi =
		40002; /* free, maybe, but never picked: inet_csk_find_open_port() */
	SAYS(&s, "Each port of 40000-40002 (3 ports, of which one is left out, none reserved) "
		 "that the kernel may pick is held");
	s.records[0].call.range_hi = 40000;
	SAYS(&s, "Each port of 40000-40000 (1 port, none reserved)");
	s.records[0].call.range_lo = s.records[0].call.range_hi = 0;
	SAYS_NOT(&s, "Each port");
	SAYS_NOT(&s, "does not share it.");
	s = scene_of(as_udp(refused_bind(any4, 0, EADDRINUSE)));
	SAYS(&s, "(28232 ports, none reserved) that the kernel may pick is held by somebody who "
		 "does not share it.");
	SAYS_NOT(&s, "wants one for itself");
	SAYS_NOT(&s, "is in state CLOSE");
	s.records[0].call.req_port = 81;
	SAYS_NOT(&s, "Each port");
	s = scene_of(refused_bind(any4, 81, EADDRINUSE));
	SAYS_NOT(&s, "looks at the address first");
	SAYS_NOT(&s, "found none");
	SAYS_NOT(&s, "Each port");
}

static void other_refusals(void **state)
{
	struct scene low = scene_of(refused_bind(any4, 80, EACCES));
	struct scene high = scene_of(refused_bind(any4, 8080, EACCES));
	struct scene policy = scene_of(refused_bind(any4, 8080, EPERM));
	struct scene foreign = scene_of(refused_bind(far4, 8080, EADDRNOTAVAIL));
	struct scene odd = scene_of(refused_bind(any4, 8080, ENOMEM));

	(void)state;
	SAYS(&low, "The program asked for port 80, which here only privileged programs may have.");
	SAYS(&low, "bind() compares the number with net.ipv4.ip_unprivileged_port_start (1024) "
		   "before it looks whether the port is free: EACCES says nothing of that.");
	SAYS(&high, "The program asked for port 8080, and is not allowed to have it.");
	SAYS_NOT(&high, "privileged programs");
	SAYS(&high, "EACCES comes from a security module or a program of the administrator here: "
		    "net.ipv4.ip_unprivileged_port_start is 1024, and no number below it was "
		    "named.");
	SAYS_NOT(&low, "a security module");
	SAYS_NOT(&high, "bind() compares the number");
	SAYS_NOT(&foreign, "bind() compares the number");
	low.reserved = NULL;
	SAYS_NOT(&low, "privileged");
	SAYS_NOT(&low, "a security module");
	high.records[0].call.req_port = 0;
	SAYS(&high, "The program asked for any free port, and is not allowed to have one.");
	SAYS_NOT(&high, "port 0");
	SAYS(&policy, "EPERM comes from a program of the administrator or from a security module, "
		      "not from the kernel's own rules about ports.");
	SAYS_NOT(&high, "EPERM");
	SAYS(&foreign, "The program asked for the address 10.0.0.9, which is not one of this "
		       "machine.");
	SAYS(&foreign,
	     "bind() looks at the address first: whether port 8080 is free was not looked "
	     "at, and EADDRNOTAVAIL says nothing of that.");
	foreign.records[0].call.req_port = 0;
	SAYS_NOT(&foreign, "port 0");
	SAYS_NOT(&foreign, "looks at the address first");
	foreign.records[0].call.sock.ifindex = 2;
	SAYS(&foreign, "The program asked for the address 10.0.0.9%if2, which this machine does "
		       "not have there.");
	SAYS_NOT(&foreign, "one of this machine");
	SAYS(&odd, "The program asked for a port, and the kernel refused.");
	SAYS(&odd, "bind() failed with ENOMEM.");
	SAYS_NOT(&foreign, "bind() failed with");
}

static void a_second_bind(void **state)
{
	struct scene s = scene_of(named_bind(any4, 8080));
	struct wire_call again = refused_bind(any4, 9090, EINVAL);

	(void)state;
	again.port_before = again.sock.local_port = 8080;
	scene_add(&s, again);
	SAYS(&s, "The program asked for a port, but it has 8080 already.");
	SAYS(&s, "bind() is for sockets that have no port: the second one is refused with EINVAL, "
		 "and the port stays as it is.");
	SAYS_NOT(&s, "comes too late");
	s = scene_of(listening(any4, 0, 40001));
	again.port_before = again.sock.local_port = 40001;
	again.head.ts_ns = BOOT_NS + 900;
	again.start_ns = BOOT_NS + 890;
	scene_add(&s, again);
	SAYS(&s,
	     "bind() is for sockets that have no port: listen() has given this one its port, so "
	     "bind() comes too late (EINVAL).");
	SAYS_NOT(&s, "the second one");
	s = scene_of(accepted(0));
	again.port_before = again.sock.local_port = 8080;
	scene_add(&s, again);
	SAYS(&s, "The program asked for a port, but it has 8080 already.");
	SAYS(&s, "bind() is for sockets that have no port: this one came out of accept() with the "
		 "listener's, so bind() comes too late (EINVAL).");
	SAYS_NOT(&s, "the second one");
	s = scene_of(refused_bind(any4, 9090, EINVAL));
	SAYS_NOT(&s, "bind() is for sockets");
	SAYS(&s, "bind() failed with EINVAL.");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_port_that_is_taken),
		cmocka_unit_test(by_which_address_it_is_taken),
		cmocka_unit_test(by_which_option_it_is_not_shared),
		cmocka_unit_test(a_listener_does_not_share),
		cmocka_unit_test(time_wait_has_no_program),
		cmocka_unit_test(none_is_left),
		cmocka_unit_test(other_refusals),
		cmocka_unit_test(a_second_bind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
