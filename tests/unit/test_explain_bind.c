/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_explain_bind.c: what --explain says of bind() and of servers. Each sentence where it must
 * be, and not in the nearest case in which it would not be true.
 */
#include "tests/unit/scenes.h"

static struct scene of(struct wire_call c)
{
	struct scene s = scene_new();

	scene_add(&s, c);
	return s;
}

/* --- bind() to a port that the program named ------------------------------------------------ */

static void who_may_reach_a_named_port(void **state)
{
	struct scene any = of(named_bind(any4, 8080)), home = of(named_bind(home4, 8080));
	struct scene own = of(named_bind(own4, 8080));
	struct wire_call unread = named_bind(any4, 8080);
	struct scene blind;

	(void)state;
	unread.facts &= ~(uint32_t)WIRE_F_REQUEST;
	unread.req_family = unread.req_port = 0;
	blind = of(unread);
	SAYS(&any, "The program asked for port 8080 on every address of this machine, and got it.");
	SAYS(&home, "The program asked for port 8080 at 127.0.0.1, which only this machine can "
		    "reach, and got it.");
	SAYS(&own, "The program asked for port 8080 at the address 10.0.0.1, and got it.");
	SAYS_NOT(&own, "every address");
	SAYS_NOT(&own, "only this machine");
	SAYS(&blind, "The program asked for port 8080, and got it.");
}

static void what_bind_leaves_in_the_socket(void **state)
{
	struct scene tcp = of(named_bind(home4, 8080)), zero = of(zero_bind(home4, 40001));
	struct scene udp = of(as_udp(named_bind(home4, 8080)));
	struct scene udp_zero = of(as_udp(zero_bind(home4, 40001)));

	(void)state;
	SAYS(&tcp, "bind() wrote 127.0.0.1:8080 into the socket and entered it as an owner of port "
		   "8080 (the kernel's bind bucket); the state is still CLOSE: nobody can connect "
		   "before listen().");
	SAYS(&zero, "bind() wrote 127.0.0.1:40001 into the socket");
	SAYS_NOT(&udp, "listen().");
	SAYS(&udp, "bind() wrote 127.0.0.1:8080 into the socket; UDP knows no listen(): what is "
		   "sent to there is this socket's from now on.");
	SAYS_NOT(&tcp, "UDP knows no");
	tcp.records[0].call.sock.state = TCP_LISTEN;
	SAYS_NOT(&tcp, "still CLOSE");
	SAYS(&udp, "keeps the port when it is disconnected, until it is closed");
	SAYS(&udp_zero, "a disconnect gives the port back");
	SAYS_NOT(&udp_zero, "keeps the port");
}

static void a_named_port_is_locked(void **state)
{
	struct scene named = of(named_bind(any4, 8080)), zero = of(zero_bind(any4, 40001));

	(void)state;
	SAYS(&named, "SOCK_BINDPORT_LOCK is set, as the program named the number: the socket keeps "
		     "the port when a connect() fails, until it is closed.");
	SAYS_NOT(&named, "is not set");
	SAYS(&zero, "SOCK_BINDPORT_LOCK is not set, as the program named no number: a connect() "
		    "that fails gives the port back.");
	SAYS_NOT(&zero, "LOCK is set");
	named.records[0].call.sock.userlocks = 0; /* what the socket shows counts */
	SAYS_NOT(&named, "LOCK");
	zero.records[0].call.sock.userlocks = LOCK_PORT;
	SAYS_NOT(&zero, "LOCK");
}

static void a_low_port_needs_a_capability(void **state)
{
	struct scene low = of(named_bind(any4, 80)), high = of(named_bind(any4, 1024));

	(void)state;
	SAYS(&low, "Ports below 1024 (net.ipv4.ip_unprivileged_port_start) are not for everybody: "
		   "the program has CAP_NET_BIND_SERVICE.");
	SAYS_NOT(&high, "CAP_NET_BIND_SERVICE");
	high.unprivileged_start = 8000;
	SAYS(&high, "Ports below 8000");
	low.unprivileged_start = 80;
	SAYS_NOT(&low, "CAP_NET_BIND_SERVICE");
	low.unprivileged_start = 0;
	low.reserved = NULL;
	SAYS_NOT(&low, "CAP_NET_BIND_SERVICE");
	low.reserved = "";
	low.records[0].call.facts |= WIRE_F_KERN_SOCK;
	SAYS_NOT(&low, "CAP_NET_BIND_SERVICE");
	SAYS(&low, "A part of the kernel asked for port 80");
}

static void where_a_named_port_lies(void **state)
{
	struct scene in = of(named_bind(any4, 40000)), out = of(named_bind(any4, 8080));

	(void)state;
	SAYS(&in, "Port 40000 lies in 32768-60999 (net.ipv4.ip_local_port_range), from which the "
		  "kernel picks: another time somebody may have it already.");
	SAYS_NOT(&in, "outside");
	SAYS(&out, "Port 8080 lies outside of 32768-60999 (net.ipv4.ip_local_port_range): the "
		   "kernel picks it for nobody.");
	SAYS_NOT(&out, "lies in");
	in.reserved = "39999-40000";
	SAYS(&in, "Port 40000 is one of net.ipv4.ip_local_reserved_ports: the kernel picks it for "
		  "nobody, but who names it may have it.");
	SAYS_NOT(&in, "lies in");
	in.reserved = "39999,40001";
	SAYS_NOT(&in, "reserved_ports");
	in.reserved = NULL;
	SAYS_NOT(&in, "Port 40000 ");
	out.reserved = NULL;
	SAYS_NOT(&out, "Port 8080 ");
}

static void with_whom_a_port_is_shared(void **state)
{
	struct scene s = of(named_bind(any4, 8080));
	struct wire_call *c = &s.records[0].call;

	(void)state;
	SAYS_NOT(&s, "has port 8080 too");
	c->facts |= WIRE_F_OWNERS;
	SAYS_NOT(&s, "has port 8080 too");
	c->facts |= WIRE_F_SHARED;
	SAYS(&s, "Another socket, or what is left of one, has port 8080 too: the kernel found "
		 "nothing in their addresses and options against it.");
	SAYS_NOT(&s, "SO_REUSE");
	c->sock.options = WIRE_O_REUSEADDR;
	SAYS(&s, "SO_REUSEADDR is set: sockets that have it, too, may share the port as long as "
		 "none of them listens, and so do the remains of theirs in TIME_WAIT.");
	SAYS_NOT(&s, "SO_REUSEPORT");
	c->sock.options = WIRE_O_REUSEPORT;
	SAYS(&s, "SO_REUSEPORT is set: sockets of the same user that have it, too, may share the "
		 "port.");
	SAYS_NOT(&s, "SO_REUSEADDR");
}

static void two_families_have_their_ports_in_common(void **state)
{
	struct wire_call c = named_bind(any4, 8080);
	struct scene s = of(c);

	(void)state;
	SAYS_NOT(&s, "IPV6_V6ONLY");
	c.sock.family = c.req_family = AF_INET6;
	s = of(c);
	SAYS(&s, ":: without IPV6_V6ONLY takes IPv4 as well, so 0.0.0.0:8080 is taken, too.");
	s.records[0].call.sock.options = WIRE_O_V6ONLY;
	SAYS_NOT(&s, "IPV6_V6ONLY");
	s.records[0].call.sock.options = 0;
	s.records[0].call.req_addr[15] = s.records[0].call.sock.local[15] = 1;
	SAYS_NOT(&s, "IPV6_V6ONLY");
	SAYS(&s, "The program asked for port 8080 at ::1, which only this machine can reach");
}

static void an_address_without_a_port(void **state)
{
	struct wire_call c = zero_bind(own4, 0);
	struct scene s, udp;

	(void)state;
	c.sock.options = WIRE_O_BIND_ADDRESS_NO_PORT;
	c.facts &= ~(uint32_t)WIRE_F_SEARCHED;
	s = of(c);
	SAYS(&s, "The program asked for the address 10.0.0.1 and for no port yet, and has none.");
	SAYS(&s,
	     "IP_BIND_ADDRESS_NO_PORT is set: bind() wrote the address only, and the port comes "
	     "with connect(), which can share one among connections to different "
	     "destinations.");
	udp = of(as_udp(c));
	SAYS_NOT(&udp, "share one among");
	s = of(zero_bind(own4, 40001));
	SAYS_NOT(&s, "IP_BIND_ADDRESS_NO_PORT");
	SAYS_NOT(&s, "no port yet");
}

/* --- bind() to port 0 ----------------------------------------------------------------------- */

static void a_port_that_the_kernel_picked(void **state)
{
	struct scene any = of(zero_bind(any4, 40001)), own = of(zero_bind(own4, 40001));

	(void)state;
	SAYS(&any, "The program asked for any free port, and the kernel picked 40001.");
	SAYS(&own, "The program asked for any free port at the address 10.0.0.1, and the kernel "
		   "picked 40001.");
	SAYS_NOT(&any, "at the address");
	SAYS(&any, "As long as bind() holds port 40001, connect() picks it for nobody, to whatever "
		   "destination; a port from connect() itself could serve one connection to each.");
	any = of(as_udp(zero_bind(any4, 40001)));
	SAYS_NOT(&any, "connect() picks it for nobody");
	any = of(named_bind(any4, 40001));
	SAYS_NOT(&any, "connect() picks it for nobody");
}

#define LOOKED                                                                                     \
	"bind() looked through 32768-60999 (28232 ports, none reserved), beginning at a random"

static void bind_prefers_a_parity(void **state)
{
	struct scene odd = of(zero_bind(any4, 40001)), even = of(zero_bind(any4, 40002));

	(void)state;
	SAYS(&odd, LOOKED " place, odd numbers first: 40001 is odd, which hints at bind() or "
			  "listen() and proves nothing.");
	SAYS_NOT(&odd, "was to be had");
	SAYS(&even,
	     LOOKED " place, odd numbers first: 40002 is even, so no odd one was to be had.");
	SAYS_NOT(&even, "hints at");
	/* the other way round where the range begins with an odd number */
	odd.records[0].call.range_lo = even.records[0].call.range_lo = 32769;
	SAYS(&odd, "even numbers first: 40001 is odd, so no even one was to be had.");
	SAYS(&even, "even numbers first: 40002 is even, which hints");
	odd.records[0].call.range_lo = 0; /* not known */
	odd.records[0].call.range_hi = 0;
	SAYS_NOT(&odd, "looked through");
}

static void one_port_leaves_no_choice(void **state)
{
	struct scene one = of(zero_bind(any4, 40001));

	(void)state;
	one.records[0].call.range_lo = one.records[0].call.range_hi = 40001;
	SAYS(&one, "40001-40001 is the whole range: 40001 was the only port that the kernel may "
		   "pick.");
	SAYS_NOT(&one, "odd");
	one.records[0].call.range_hi = 40002;
	SAYS_NOT(&one, "only port");
	SAYS(&one, "40001-40002 (2 ports");
}

static void reuseaddr_looks_into_the_lower_half(void **state)
{
	struct scene s = of(zero_bind(any4, 40001));

	(void)state;
	SAYS_NOT(&s, "half");
	s.records[0].call.sock.options = WIRE_O_REUSEADDR;
	SAYS(&s, LOOKED " place; with SO_REUSEADDR it looks into the lower half (32768-46883) "
			"first, and there at odd numbers; 40001 is odd.");
	SAYS_NOT(&s, "hints at");
	s.records[0].call.range_lo = 40000;
	s.records[0].call.range_hi = 40002; /* three are not halved */
	SAYS_NOT(&s, "half");
}

static void reserved_ports_are_counted(void **state)
{
	struct scene s = of(zero_bind(any4, 40001));

	(void)state;
	s.reserved = "80,32768,50000-50009,61000";
	SAYS(&s, "(28232 ports, 11 of them reserved)");
	SAYS_NOT(&s, "none reserved");
	s.reserved = NULL;
	SAYS(&s, "32768-60999 (28232 ports), beginning");
	SAYS_NOT(&s, "reserved");
}

static void ports_taken_are_counted(void **state)
{
	struct scene s = scene_new();
	struct wire_call other = named_bind(own4, 50000);

	(void)state;
	scene_add(&s, zero_bind(any4, 40001));
	SAYS_NOT(&s, "in use");
	s = scene_new();
	other.sock.id = 2;
	scene_add(&s, other);
	scene_add(&s, zero_bind(any4, 40001));
	SAYS(&s, "(28232 ports, none reserved, at least 1 in use), beginning");
	s.records[0].call.sock.protocol = IPPROTO_UDP;
	SAYS_NOT(&s, "in use");
	s.records[0].call = other;
	s.records[0].call.sock.netns++;
	SAYS_NOT(&s, "in use");
}

static void udp_has_no_parity(void **state)
{
	struct scene s = of(as_udp(zero_bind(any4, 40002)));

	(void)state;
	SAYS(&s, "The search looked through 32768-60999 (28232 ports, none reserved), beginning at "
		 "a random place; for UDP odd and even are the same.");
	SAYS_NOT(&s, "numbers first");
	s = of(zero_bind(any4, 40002));
	SAYS_NOT(&s, "for UDP");
}

static void a_range_of_its_own(void **state)
{
	struct scene s = of(zero_bind(any4, 40001));
	struct wire_call *c = &s.records[0].call;

	(void)state;
	c->range_lo = 40000;
	c->range_hi = 40099;
	SAYS_NOT(&s, "IP_LOCAL_PORT_RANGE"); /* the sysctl may have been changed */
	c->facts |= WIRE_F_OWN_RANGE;
	SAYS(&s, "40000-40099 is this socket's own: its IP_LOCAL_PORT_RANGE leaves that of "
		 "32768-60999, the range of everybody here (net.ipv4.ip_local_port_range).");
	SAYS(&s, "odd numbers first: 40001 is odd"); /* bind() has its order as before */
	c->range_lo = 32768;
	c->range_hi = 60999;
	SAYS_NOT(&s, "IP_LOCAL_PORT_RANGE"); /* it narrows nothing */
	c->range_lo = 40000;
	s.reserved = NULL;
	SAYS_NOT(&s, "IP_LOCAL_PORT_RANGE");
}

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
	struct scene any = of(refused_bind(any4, 80, EADDRINUSE));
	struct scene own = of(refused_bind(own4, 80, EADDRINUSE));

	(void)state;
	SAYS(&any, "The program asked for port 80 on every address of this machine, but it is "
		   "taken.");
	SAYS(&own, "The program asked for port 80 at the address 10.0.0.1, but it is taken.");
	SAYS_NOT(&own, "overlap");
	SAYS_NOT(&own, "SO_REUSE");
	SAYS(&own, "The socket is what it was: no port, state CLOSE; the program may bind() it "
		   "again.");
	own.records[0].call.port_before = own.records[0].call.sock.local_port = 81;
	SAYS_NOT(&own, "what it was");
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
	for (size_t i = 0; i < udp.len; i++)
		udp.records[i].call.sock.protocol = IPPROTO_UDP;
	SAYS(&udp, "With SO_REUSEADDR on both sockets before bind() they could share the port.");
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
	struct scene s = of(refused_bind(any4, 0, EADDRINUSE));

	(void)state;
	SAYS(&s, "The program asked for any free port, and the kernel found none.");
	SAYS(&s, "Every port of 32768-60999 (28232 ports, none reserved) is held by somebody who "
		 "does not share it: bind() wants one for itself, where connect() would share one "
		 "with other destinations.");
	s.records[0].call.range_lo = s.records[0].call.range_hi = 0;
	SAYS_NOT(&s, "Every port");
	s = of(as_udp(refused_bind(any4, 0, EADDRINUSE)));
	SAYS(&s, "(28232 ports, none reserved) is held by somebody who does not share it.");
	s = of(refused_bind(any4, 81, EADDRINUSE));
	SAYS_NOT(&s, "found none");
	SAYS_NOT(&s, "Every port");
}

static void other_refusals(void **state)
{
	struct scene low = of(refused_bind(any4, 80, EACCES));
	struct scene high = of(refused_bind(any4, 8080, EACCES));
	struct scene policy = of(refused_bind(any4, 8080, EPERM));
	struct scene foreign = of(refused_bind(far4, 8080, EADDRNOTAVAIL));
	struct scene odd = of(refused_bind(any4, 8080, ENOMEM));

	(void)state;
	SAYS(&low, "The program asked for port 80, which here only privileged programs may have.");
	SAYS(&low, "bind() compares the number with net.ipv4.ip_unprivileged_port_start (1024) "
		   "before it looks whether the port is free: EACCES says nothing of that.");
	SAYS(&high, "The program asked for port 8080, and is not allowed to have it.");
	SAYS_NOT(&high, "privileged");
	low.reserved = NULL;
	SAYS_NOT(&low, "privileged");
	SAYS(&policy, "EPERM comes from a program of the administrator or from a security module, "
		      "not from the kernel's own rules about ports.");
	SAYS_NOT(&high, "EPERM");
	SAYS(&foreign, "The program asked for the address 10.0.0.9, which is not one of this "
		       "machine.");
	SAYS(&foreign,
	     "bind() looks at the address first: whether port 8080 is free was not looked "
	     "at, and EADDRNOTAVAIL says nothing of that.");
	SAYS(&odd, "The program asked for a port, and the kernel refused.");
	SAYS(&odd, "bind() failed with ENOMEM.");
	SAYS_NOT(&foreign, "bind() failed with");
}

static void a_second_bind(void **state)
{
	struct scene s = of(named_bind(any4, 8080));
	struct wire_call again = refused_bind(any4, 9090, EINVAL);

	(void)state;
	again.port_before = again.sock.local_port = 8080;
	scene_add(&s, again);
	SAYS(&s, "The program asked for a port once more, but it has 8080 already.");
	SAYS(&s, "bind() is for sockets that have no port: the second one is refused with EINVAL, "
		 "and the port stays as it is.");
	SAYS_NOT(&s, "comes too late");
	s = of(listening(any4, 0, 40001));
	again.port_before = again.sock.local_port = 40001;
	again.head.ts_ns = BOOT_NS + 900;
	again.start_ns = BOOT_NS + 890;
	scene_add(&s, again);
	SAYS(&s,
	     "bind() is for sockets that have no port: listen() has given this one its port, so "
	     "bind() comes too late (EINVAL).");
	SAYS_NOT(&s, "the second one");
	s = of(refused_bind(any4, 9090, EINVAL));
	SAYS_NOT(&s, "bind() is for sockets");
	SAYS(&s, "bind() failed with EINVAL.");
}

/* --- listen() ------------------------------------------------------------------------------- */

static void listen_without_bind(void **state)
{
	struct scene s = of(listening(any4, 0, 40001));
	struct scene failed = of(refused_bind(any4, 80, EACCES));

	(void)state;
	SAYS(&s, "The program waits for connections without ever having asked for a port, so the "
		 "kernel picked 40001.");
	SAYS(&s, "listen() looked through 32768-60999 (28232 ports, none reserved), beginning at a "
		 "random place, odd numbers first: 40001 is odd, which hints at bind() or listen() "
		 "and proves nothing.");
	SAYS(&s, "The state went from CLOSE to LISTEN, at 0.0.0.0:40001; getsockname() tells the "
		 "program the number, and clients have to be told.");
	SAYS_NOT(&s, "listen() found port");
	scene_add(&failed, listening(any4, 0, 40001)); /* it has asked, in vain */
	SAYS_NOT(&failed, "without ever");
	SAYS(&failed, "The program waits for connections and had no port for that, so the kernel "
		      "picked 40001.");
	s.lost = true;
	SAYS_NOT(&s, "without ever");
	s.lost = false;
	s.records[0].call.sock.created_ns = 0;
	SAYS_NOT(&s, "without ever");
}

static void listen_after_bind(void **state)
{
	struct scene named = of(named_bind(own4, 8080)), zero = of(zero_bind(any4, 40001));

	(void)state;
	scene_add(&named, listening(own4, 8080, 8080));
	scene_add(&zero, listening(any4, 40001, 40001));
	SAYS(&named, "The program waits for connections at port 8080, the one it had asked for.");
	SAYS(&named, "The state went from CLOSE to LISTEN; listen() found port 8080 in the socket, "
		     "where bind() had put it, and only asked whether the socket may still have "
		     "it.");
	SAYS_NOT(&named, "listen() looked through");
	SAYS_NOT(&named, "the kernel had picked");
	SAYS(&zero, "The program waits for connections at port 40001, which the kernel had picked "
		    "when it asked for any.");
	SAYS_NOT(&zero, "the one it had asked for");
	named = of(listening(own4, 8080, 8080));
	SAYS(&named, "The program waits for connections at port 8080, which it had before.");
	SAYS_NOT(&named, "where bind() had put it");
}

static void who_can_connect(void **state)
{
	struct scene any = of(listening(any4, 0, 40001)), home = of(listening(home4, 0, 40001));
	struct scene own = of(listening(own4, 0, 40001));

	(void)state;
	SAYS(&any, "0.0.0.0 stands for every address of this network namespace: who can reach one "
		   "of them can connect.");
	SAYS(&home, "127.0.0.1 is a loopback address: only programs of this network namespace can "
		    "connect.");
	SAYS_NOT(&any, "loopback");
	SAYS_NOT(&own, "loopback");
	SAYS_NOT(&own, "stands for every");
	SAYS_NOT(&any, "spreads");
	any.records[0].call.sock.options = WIRE_O_REUSEPORT;
	SAYS(&any, "SO_REUSEPORT is set: where several such sockets listen, the kernel spreads new "
		   "connections over them.");
}

static void listen_again(void **state)
{
	struct scene s = of(listening(any4, 0, 40001));

	(void)state;
	SAYS_NOT(&s, "again");
	scene_add(&s, listening(any4, 40001, 40001))->head.ts_ns += 100;
	s.records[1].call.start_ns += 100;
	SAYS(&s, "The program asked again to wait for connections at port 40001, where it waits "
		 "already.");
}

static void listen_refused(void **state)
{
	struct wire_call c = listening(any4, 8080, 8080);
	struct scene lost = of(named_bind(any4, 8080)), full;

	(void)state;
	c.error = EADDRINUSE;
	c.sock.state = TCP_CLOSE;
	scene_add(&lost, c);
	SAYS(&lost, "The program has port 8080, but may not wait for connections there.");
	SAYS(&lost, "bind() had shared the port under SO_REUSEADDR; that holds as long as nobody "
		    "listens, and listen() asks once more: EADDRINUSE.");
	SAYS_NOT(&lost, "found no free port");
	c = listening(any4, 0, 0);
	c.error = EADDRINUSE;
	c.sock.state = TCP_CLOSE;
	full = of(c);
	SAYS(&full, "The program wanted to wait for connections, and the kernel found no free port "
		    "for that.");
	SAYS(&full,
	     "Without a port listen() looks for one as bind() to port 0 does, and every port "
	     "of 32768-60999 (28232 ports, none reserved) is held by somebody who does not "
	     "share it.");
	SAYS_NOT(&full, "had shared");
	full.records[0].call.error = EINVAL;
	SAYS(&full, "The program wanted to wait for connections, and the kernel refused.");
	SAYS(&full, "listen() failed with EINVAL.");
	SAYS_NOT(&full, "every port");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_may_reach_a_named_port),
		cmocka_unit_test(what_bind_leaves_in_the_socket),
		cmocka_unit_test(a_named_port_is_locked),
		cmocka_unit_test(a_low_port_needs_a_capability),
		cmocka_unit_test(where_a_named_port_lies),
		cmocka_unit_test(with_whom_a_port_is_shared),
		cmocka_unit_test(two_families_have_their_ports_in_common),
		cmocka_unit_test(an_address_without_a_port),
		cmocka_unit_test(a_port_that_the_kernel_picked),
		cmocka_unit_test(bind_prefers_a_parity),
		cmocka_unit_test(one_port_leaves_no_choice),
		cmocka_unit_test(reuseaddr_looks_into_the_lower_half),
		cmocka_unit_test(reserved_ports_are_counted),
		cmocka_unit_test(ports_taken_are_counted),
		cmocka_unit_test(udp_has_no_parity),
		cmocka_unit_test(a_range_of_its_own),
		cmocka_unit_test(a_port_that_is_taken),
		cmocka_unit_test(by_which_address_it_is_taken),
		cmocka_unit_test(by_which_option_it_is_not_shared),
		cmocka_unit_test(a_listener_does_not_share),
		cmocka_unit_test(time_wait_has_no_program),
		cmocka_unit_test(none_is_left),
		cmocka_unit_test(other_refusals),
		cmocka_unit_test(a_second_bind),
		cmocka_unit_test(listen_without_bind),
		cmocka_unit_test(listen_after_bind),
		cmocka_unit_test(who_can_connect),
		cmocka_unit_test(listen_again),
		cmocka_unit_test(listen_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
