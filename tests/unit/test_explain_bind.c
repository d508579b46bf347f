/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_explain_bind.c: what --explain says of bind() that succeeded, and of listen(). Each sentence
 * where it must be, and not in the nearest case in which it would not be true.
 */
#include "tests/unit/scenes.h"

/* --- bind() to a port that the program named ------------------------------------------------ */

static void who_may_reach_a_named_port(void **state)
{
	struct scene any = scene_of(named_bind(any4, 8080)),
		     home = scene_of(named_bind(home4, 8080));
	struct scene own = scene_of(named_bind(own4, 8080));
	struct wire_call unread = named_bind(any4, 8080);
	struct scene blind;

	(void)state;
	unread.facts &= ~(uint32_t)WIRE_F_REQUEST;
	unread.req_family = unread.req_port = 0;
	blind = scene_of(unread);
	SAYS(&any,
	     "The program asked for port 8080 on every IPv4 address of this machine, and got it.");
	SAYS(&home, "The program asked for port 8080 at 127.0.0.1, which only this machine can "
		    "reach, and got it.");
	SAYS(&own, "The program asked for port 8080 at the address 10.0.0.1, and got it.");
	SAYS_NOT(&own, "on every");
	SAYS_NOT(&own, "only this machine");
	SAYS(&blind, "The program asked for port 8080, and got it.");
}

static void what_bind_leaves_in_the_socket(void **state)
{
	struct scene tcp = scene_of(named_bind(home4, 8080)),
		     zero = scene_of(zero_bind(home4, 40001));
	struct scene udp = scene_of(as_udp(named_bind(home4, 8080)));
	struct scene udp_zero = scene_of(as_udp(zero_bind(home4, 40001)));

	(void)state;
	SAYS(&tcp, "bind() wrote 127.0.0.1:8080 into the socket and entered it as an owner of port "
		   "8080 (the kernel's bind bucket); the state is still CLOSE: nobody can connect "
		   "before listen().");
	SAYS(&zero, "bind() wrote 127.0.0.1:40001 into the socket");
	SAYS_NOT(&udp, "listen().");
	SAYS(&udp, "bind() wrote 127.0.0.1:8080 into the socket; UDP knows no listen(): what is "
		   "sent to there can reach the socket from now on.");
	SAYS_NOT(&tcp, "UDP knows no");
	tcp.records[0].call.sock.state = TCP_LISTEN;
	SAYS_NOT(&tcp, "still CLOSE");
	SAYS(&udp, "SOCK_BINDPORT_LOCK is set, as the program named the number: the socket keeps "
		   "the port when it is disconnected, until it is closed.");
	SAYS(&udp_zero, "SOCK_BINDPORT_LOCK is not set, as the program named no number: a "
			"disconnect gives the port back.");
	SAYS_NOT(&udp, "a connect() fails");
	SAYS_NOT(&udp_zero, "a connect() that fails");
	SAYS_NOT(&tcp, "disconnected");
	SAYS_NOT(&zero, "a disconnect");
	SAYS(&udp_zero, "can reach the socket from now on");
	SAYS_NOT(&udp_zero, "keeps the port");
	udp_zero.records[0].call.sock.userlocks = LOCK_PORT;
	SAYS_NOT(&udp_zero, "LOCK");
}

static void a_named_port_is_locked(void **state)
{
	struct scene named = scene_of(named_bind(any4, 8080)),
		     zero = scene_of(zero_bind(any4, 40001));

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
	struct scene low = scene_of(named_bind(any4, 80)), high = scene_of(named_bind(any4, 1024));

	(void)state;
	SAYS(&low, "Ports below 1024 (net.ipv4.ip_unprivileged_port_start) are not for everybody: "
		   "the program has CAP_NET_BIND_SERVICE, or a cgroup's program let it pass.");
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
	struct scene in = scene_of(named_bind(any4, 40000)), out = scene_of(named_bind(any4, 8080));

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
	struct scene s = scene_of(named_bind(any4, 8080));
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
		 "none of them listens, and so may what is left of theirs in TIME_WAIT.");
	SAYS_NOT(&s, "SO_REUSEPORT");
	c->sock.options = WIRE_O_REUSEPORT;
	SAYS(&s, "SO_REUSEPORT is set: sockets of the same user that have it, too, may share the "
		 "port.");
	SAYS_NOT(&s, "SO_REUSEADDR");
}

static void two_families_have_their_ports_in_common(void **state)
{
	struct wire_call c = named_bind(any4, 8080);
	struct scene s = scene_of(c);

	(void)state;
	SAYS_NOT(&s, "IPV6_V6ONLY");
	c.sock.family = c.req_family = AF_INET6;
	s = scene_of(c);
	SAYS(&s, "The program asked for port 8080 on every address of this machine, and got it.");
	SAYS(&s, ":: without IPV6_V6ONLY takes IPv4 as well, so 0.0.0.0:8080 is taken, too.");
	s.records[0].call.sock.options = WIRE_O_V6ONLY;
	SAYS(&s,
	     "The program asked for port 8080 on every IPv6 address of this machine, and got it.");
	SAYS_NOT(&s, "IPV6_V6ONLY");
	s.records[0].call.sock.options = 0;
	s.records[0].call.req_addr[15] = s.records[0].call.sock.local[15] = 1;
	SAYS_NOT(&s, "IPV6_V6ONLY");
	SAYS(&s, "The program asked for port 8080 at ::1, which only this machine can reach");
}

/* ::ffff:0.0.0.0 is IPv4 alone, whatever the family of the socket. */
static void a_mapped_wildcard_is_ipv4(void **state)
{
	struct wire_call c = named_bind(any4, 8080);
	struct wire_call l = listening(any4, 8080, 8080);
	struct scene s;

	(void)state;
	c.sock.family = c.req_family = l.sock.family = AF_INET6;
	memset(c.req_addr + 10, 0xff, 2);
	memset(c.sock.local + 10, 0xff, 2);
	memset(l.sock.local + 10, 0xff, 2);
	s = scene_of(c);
	scene_add(&s, l);
	SAYS(&s,
	     "The program asked for port 8080 on every IPv4 address of this machine, and got it.");
	SAYS(&s, "::ffff:0.0.0.0 stands for every IPv4 address of this network namespace");
	SAYS_NOT(&s, "IPV6_V6ONLY");
	SAYS_NOT(&s, "every address");
}

static void an_address_without_a_port(void **state)
{
	struct wire_call c = zero_bind(own4, 0);
	struct scene s, udp;

	(void)state;
	c.sock.options = WIRE_O_BIND_ADDRESS_NO_PORT;
	c.facts &= ~(uint32_t)WIRE_F_SEARCHED;
	s = scene_of(c);
	SAYS(&s, "The program asked for the address 10.0.0.1 and for no port yet, and has none.");
	SAYS(&s, "IP_BIND_ADDRESS_NO_PORT is set: bind() wrote the address only, and the port "
		 "comes later; one from connect() can serve connections to different "
		 "destinations.");
	udp = scene_of(as_udp(c));
	SAYS_NOT(&udp, "one from connect()");
	s = scene_of(zero_bind(own4, 40001));
	SAYS_NOT(&s, "IP_BIND_ADDRESS_NO_PORT");
	SAYS_NOT(&s, "no port yet");
	s.records[0].call.facts |= WIRE_F_UNCONFIRMED; /* whose port it is, is not known */
	SAYS_NOT(&s, "no port yet");
	SAYS_NOT(&s, "picked");
}

/* --- bind() to port 0 ----------------------------------------------------------------------- */

static void a_port_that_the_kernel_picked(void **state)
{
	struct scene any = scene_of(zero_bind(any4, 40001)), own = scene_of(zero_bind(own4, 40001));

	(void)state;
	SAYS(&any, "The program asked for any free port, and the kernel picked 40001.");
	SAYS(&own, "The program asked for any free port at the address 10.0.0.1, and the kernel "
		   "picked 40001.");
	SAYS_NOT(&any, "at the address");
	SAYS(&any, "As long as bind() holds port 40001, connect() picks it for nobody, to whatever "
		   "destination; a port from connect() itself could serve one connection to each.");
	any = scene_of(as_udp(zero_bind(any4, 40001)));
	SAYS_NOT(&any, "connect() picks it for nobody");
	any = scene_of(named_bind(any4, 40001));
	SAYS_NOT(&any, "connect() picks it for nobody");
}

#define LOOKED                                                                                     \
	"bind() looked through 32768-60999 (28232 ports, none reserved), beginning at a random"

static void bind_prefers_a_parity(void **state)
{
	struct scene odd = scene_of(zero_bind(any4, 40001)),
		     even = scene_of(zero_bind(any4, 40002));

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
	struct scene one = scene_of(zero_bind(any4, 40001));

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
	struct scene s = scene_of(zero_bind(any4, 40001));

	(void)state;
	SAYS_NOT(&s, "half");
	s.records[0].call.sock.options = WIRE_O_REUSEADDR;
	SAYS(&s, LOOKED " place; with SO_REUSEADDR it looks into the lower half (32768-46883) "
			"first, and there at odd numbers; 40001 is odd.");
	SAYS_NOT(&s, "hints at");
	s.records[0].call.range_lo = 40000;
	s.records[0].call.range_hi = 40002; /* three are not halved, and two of them looked at */
	SAYS_NOT(&s, "half");
	SAYS(&s, "40000-40002 (3 ports, of which one is left out, none reserved)");
	s.records[0].call.facts |= WIRE_F_OWN_RANGE;
	SAYS(&s, "of which one is left out");
	s = scene_of(as_udp(s.records[0].call));
	SAYS_NOT(&s, "left out");
}

static void reserved_ports_are_counted(void **state)
{
	struct scene s = scene_of(zero_bind(any4, 40001));

	(void)state;
	s.reserved = "80,32768,50000-50009,61000";
	SAYS(&s, "(28232 ports, 11 of them reserved)");
	SAYS_NOT(&s, "none reserved");
	s.reserved = "40000-40012,40018"; /* not in eights */
	s.records[0].call.range_lo = 40001;
	s.records[0].call.range_hi = 40018;
	SAYS(&s, "(18 ports, 13 of them reserved)");
	s.records[0].call.range_lo = 40003;
	s.records[0].call.range_hi = 40006;
	SAYS(&s, "(4 ports, 4 of them reserved)");
	s.records[0].call.range_lo = 32768;
	s.records[0].call.range_hi = 60999;
	s.reserved = NULL;
	SAYS(&s, "32768-60999 (28232 ports), beginning");
	SAYS_NOT(&s, "reserved");
}

static void ports_taken_are_counted(void **state)
{
	struct scene s = scene_new();
	struct wire_call other = named_bind(own4, 50000);
	struct wire_end end = end_new(2, BOOT_NS + 500);

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
	/* TIME_WAIT, where its end is seen */
	end.time_wait_ns = BOOT_NS + 499;
	end.flags = WIRE_E_TIME_WAIT;
	end.port = 50000;
	s.records[0].call = connecting(0, 50000);
	s.records[0].call.sock.id = 2;
	s.records[2] = s.records[1];
	s.records[2].call.head.ts_ns = BOOT_NS + 600;
	s.records[2].call.start_ns = BOOT_NS + 590;
	s.records[1].end = end;
	s.len = 3;
	SAYS(&s, "at least 1 in use)");
	s.blind = WIRE_B_TIME_WAIT_START | WIRE_B_TIME_WAIT_END;
	SAYS_NOT(&s, "in use)");
}

static void udp_has_no_parity(void **state)
{
	struct scene s = scene_of(as_udp(zero_bind(any4, 40002)));

	(void)state;
	SAYS(&s, "The kernel looked through 32768-60999 (28232 ports, none reserved), beginning at "
		 "a random place; for UDP odd and even are the same.");
	SAYS_NOT(&s, "numbers first");
	s.records[0].call.range_lo = s.records[0].call.range_hi = 40002;
	SAYS_NOT(&s, "odd and even");
	s = scene_of(zero_bind(any4, 40002));
	SAYS_NOT(&s, "for UDP");
}

static void a_range_of_its_own(void **state)
{
	struct scene s = scene_of(zero_bind(any4, 40001));
	struct wire_call *c = &s.records[0].call;

	(void)state;
	c->range_lo = 40000;
	c->range_hi = 40099;
	SAYS_NOT(&s, "IP_LOCAL_PORT_RANGE"); /* the sysctl may have been changed */
	c->facts |= WIRE_F_OWN_RANGE;
	SAYS(&s, "40000-40099 is this socket's own range, set by IP_LOCAL_PORT_RANGE within "
		 "32768-60999, the range of everybody here (net.ipv4.ip_local_port_range).");
	SAYS(&s, "odd numbers first: 40001 is odd"); /* bind() has its order as before */
	c->range_lo = 32768;
	c->range_hi = 60999;
	SAYS_NOT(&s, "IP_LOCAL_PORT_RANGE"); /* it narrows nothing */
	c->range_lo = 40000;
	s.reserved = NULL;
	SAYS_NOT(&s, "IP_LOCAL_PORT_RANGE");
}

/* --- listen() ------------------------------------------------------------------------------- */

static void listen_without_bind(void **state)
{
	struct scene s = scene_of(listening(any4, 0, 40001));
	struct scene failed = scene_of(refused_bind(any4, 80, EACCES));

	(void)state;
	SAYS(&s, "The program waits for connections without ever having asked for a port, so the "
		 "kernel picked 40001.");
	SAYS(&s, "listen() looked through 32768-60999 (28232 ports, none reserved), beginning at a "
		 "random place, odd numbers first: 40001 is odd, which hints at bind() or listen() "
		 "and proves nothing.");
	SAYS(&s, "The state went from CLOSE to LISTEN, at 0.0.0.0:40001; getsockname() tells the "
		 "program the number, and clients have to be told.");
	SAYS_NOT(&s, "listen() found port");
	s.records[0].call.sock.state = TCP_CLOSE; /* another thread was faster */
	SAYS_NOT(&s, "from CLOSE to LISTEN");
	s.records[0].call.sock.state = TCP_LISTEN;
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
	struct scene named = scene_of(named_bind(own4, 8080)),
		     zero = scene_of(zero_bind(any4, 40001));

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
	named = scene_of(listening(own4, 8080, 8080));
	SAYS(&named, "The program waits for connections at port 8080, which it had before.");
	SAYS_NOT(&named, "where bind() had put it");
}

static void who_can_connect(void **state)
{
	struct scene any = scene_of(listening(any4, 0, 40001)),
		     home = scene_of(listening(home4, 0, 40001));
	struct scene own = scene_of(listening(own4, 0, 40001));

	(void)state;
	SAYS(&any,
	     "0.0.0.0 stands for every IPv4 address of this network namespace: who can reach one "
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
	struct scene s = scene_of(listening(any4, 0, 40001));

	(void)state;
	SAYS_NOT(&s, "again");
	scene_add(&s, listening(any4, 40001, 40001))->head.ts_ns += 100;
	s.records[1].call.start_ns += 100;
	SAYS(&s, "The program asked once more to wait for connections at port 40001.");
	/* shutdown() had ended it, and the port went with it */
	s.records[1].call.sock.local_port = 40003;
	s.records[1].call.port_before = 0;
	s.records[2] = s.records[1];
	s.records[1].edge = edge_new(WIRE_RELEASE, 1, BOOT_NS + 350, 40001, 0);
	s.len = 3;
	SAYS(&s, "The program waits for connections and had no port for that, so the kernel picked "
		 "40003.");
	SAYS_NOT(&s, "once more");
	/* what was tried in vain is not done again */
	s = scene_of(named_bind(any4, 8080));
	scene_add(&s, listening(any4, 8080, 8080))->error = EADDRINUSE;
	s.records[1].call.sock.state = TCP_CLOSE;
	scene_add(&s, listening(any4, 8080, 8080))->head.ts_ns += 100;
	s.records[2].call.start_ns += 100;
	SAYS_NOT(&s, "once more to wait");
	SAYS(&s, "The program waits for connections at port 8080, the one it had asked for.");
	SAYS(&s, "The state went from CLOSE to LISTEN; listen() found");
}

/* SO_BINDTODEVICE: a wildcard is not all. */
static void one_device(void **state)
{
	struct scene s = scene_of(named_bind(any4, 8080));

	(void)state;
	scene_add(&s, listening(any4, 8080, 8080));
	s.records[0].call.sock.ifindex = s.records[1].call.sock.ifindex = 2;
	SAYS(&s, "The program asked for port 8080, for what comes in through one network device, "
		 "and got it.");
	SAYS(&s, "0.0.0.0%if2 stands for every IPv4 address of this network namespace, but only "
		 "for what comes in through that device (SO_BINDTODEVICE).");
	SAYS_NOT(&s, "of this machine");
	SAYS_NOT(&s, "who can reach one");
	s.records[0].call.sock.ifindex = s.records[1].call.sock.ifindex = 0;
	SAYS_NOT(&s, "device");
}

static void listen_refused(void **state)
{
	struct wire_call c = listening(any4, 8080, 8080);
	struct scene lost = scene_of(named_bind(any4, 8080)), full;

	(void)state;
	c.error = EADDRINUSE;
	c.sock.state = TCP_CLOSE;
	scene_add(&lost, c);
	SAYS(&lost, "The program has port 8080, but may not wait for connections there.");
	SAYS(&lost, "listen() asks once more whether the socket may have its port, and somebody "
		    "who has it, too, does not share it: EADDRINUSE.");
	SAYS_NOT(&lost, "had shared the port");
	lost.records[1].call.sock.options = WIRE_O_REUSEADDR;
	SAYS_NOT(&lost, "does not share it");
	SAYS(&lost, "bind() had shared the port under SO_REUSEADDR; that holds as long as nobody "
		    "listens, and listen() asks once more: EADDRINUSE.");
	SAYS_NOT(&lost, "found no free port");
	SAYS_NOT(&lost, "listen() failed with");
	lost.records[1].call.error = EINVAL;
	SAYS_NOT(&lost, "may not wait");
	SAYS_NOT(&lost, "had shared the port");
	c = listening(any4, 0, 0);
	c.error = EADDRINUSE;
	c.sock.state = TCP_CLOSE;
	full = scene_of(c);
	SAYS(&full, "The program wanted to wait for connections, and the kernel found no free port "
		    "for that.");
	SAYS(&full,
	     "Without a port listen() looks for one as bind() to port 0 does, and each port "
	     "of 32768-60999 (28232 ports, none reserved) that the kernel may pick is held by "
	     "somebody who does not share it.");
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
		cmocka_unit_test(a_mapped_wildcard_is_ipv4),
		cmocka_unit_test(an_address_without_a_port),
		cmocka_unit_test(a_port_that_the_kernel_picked),
		cmocka_unit_test(bind_prefers_a_parity),
		cmocka_unit_test(one_port_leaves_no_choice),
		cmocka_unit_test(reuseaddr_looks_into_the_lower_half),
		cmocka_unit_test(reserved_ports_are_counted),
		cmocka_unit_test(ports_taken_are_counted),
		cmocka_unit_test(udp_has_no_parity),
		cmocka_unit_test(a_range_of_its_own),
		cmocka_unit_test(listen_without_bind),
		cmocka_unit_test(listen_after_bind),
		cmocka_unit_test(who_can_connect),
		cmocka_unit_test(listen_again),
		cmocka_unit_test(one_device),
		cmocka_unit_test(listen_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
