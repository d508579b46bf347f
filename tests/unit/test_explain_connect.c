/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_explain_connect.c: what --explain says of clients and of sends.
 * Each sentence where it must be, and not in the nearest case in which it would not be true.
 */
#include "tests/unit/scenes.h"

/* --- who asked ------------------------------------------------------------------------------ */

#define NEVER                                                                                      \
	"The program never asked for a port, so the kernel picked 40000 for its connection to "    \
	"10.0.0.9:443."
#define HAD_NONE                                                                                   \
	"The program had no port, so the kernel picked 40000 for its connection to 10.0.0.9:443."

static void a_client_never_asked(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));

	(void)state;
	SAYS(&s, NEVER);
	SAYS_NOT(&s, HAD_NONE);
	s.lost = true; /* it may have asked in what was lost */
	SAYS(&s, HAD_NONE);
	SAYS_NOT(&s, NEVER);
	s.lost = false;
	s.records[0].call.sock.created_ns = 0; /* or before anybody looked */
	SAYS_NOT(&s, NEVER);
	s = scene_of(connecting(0, 40000));
	s.filter.comm = "python3"; /* or under another name */
	SAYS_NOT(&s, NEVER);
	SAYS(&s, HAD_NONE);
	s = scene_of(connecting(0, 40000));
	s.records[0].call.sock.userlocks = LOCK_ADDRESS; /* its address is from bind() */
	SAYS_NOT(&s, NEVER);
}

static void a_client_that_asked_in_vain(void **state)
{
	struct scene s = scene_of(refused_bind(own4, 80, EACCES));

	(void)state;
	scene_add(&s, connecting(0, 40000));
	SAYS_NOT(&s, NEVER);
	SAYS(&s, HAD_NONE);
	/* and one whose port from bind() is gone with the first attempt */
	s = scene_of(zero_bind(any4, 40001));
	scene_add(&s, refused_connect(40001, 0, ECONNREFUSED));
	scene_add_edge(&s, edge_new(WIRE_RELEASE, 1, BOOT_NS + 500, 40001, 0));
	scene_add(&s, connecting(0, 40000))->head.ts_ns += 500;
	s.records[3].call.start_ns += 500;
	SAYS(&s, HAD_NONE);
	SAYS_NOT(&s, NEVER);
}

static void a_client_that_asked_for_an_address(void **state)
{
	struct wire_call c = zero_bind(own4, 0);
	struct scene s;

	(void)state;
	c.sock.options = WIRE_O_BIND_ADDRESS_NO_PORT;
	c.facts &= ~(uint32_t)WIRE_F_SEARCHED;
	s = scene_of(c);
	c = connecting(0, 40000);
	c.sock.userlocks = LOCK_ADDRESS;
	scene_add(&s, c);
	SAYS(&s, "The program had asked for an address and no port; now that it connects to "
		 "10.0.0.9:443, the kernel picked 40000.");
	SAYS(&s,
	     "The state went to SYN_SENT, and the socket has 10.0.0.1:40000 now: the address is "
	     "the one that bind() had been given.");
	SAYS_NOT(&s, "that of the route");
	SAYS_NOT(&s, NEVER);
}

static void a_client_with_a_port(void **state)
{
	struct scene named = scene_of(named_bind(own4, 8080)),
		     zero = scene_of(zero_bind(own4, 40001));
	struct scene before = scene_of(connecting(8080, 8080));

	(void)state;
	scene_add(&named, connecting(8080, 8080));
	scene_add(&zero, connecting(40001, 40001));
	SAYS(&named, "The program connects to 10.0.0.9:443 from port 8080, the one it had asked "
		     "for.");
	SAYS(&zero, "The program connects to 10.0.0.9:443 from port 40001, which the kernel had "
		    "picked when it asked for any.");
	SAYS_NOT(&zero, "the one it had asked for");
	SAYS(&before, "The program connects to 10.0.0.9:443 from port 8080, which it had before.");
	SAYS(&named,
	     "No search: the port was there, so connect() only made sure that no connection "
	     "has these two addresses and two ports already.");
	SAYS_NOT(&named, "connect() looked through");
	before.records[0].call.port_before = 0; /* whose port it is, is not known */
	before.records[0].call.facts |= WIRE_F_UNCONFIRMED;
	SAYS_NOT(&before, "which it had before");
	SAYS(&before, "The program connects from port 8080.");
	named = scene_of(connecting(0, 40000));
	SAYS_NOT(&named, "No search");
}

/* --- how the port was found ----------------------------------------------------------------- */

#define LOOKED                                                                                     \
	"connect() looked through 32768-60999 (28232 ports, none reserved), beginning at a place " \
	"computed from the destination 10.0.0.9:443 (and from 10.0.0.1)"

static void connect_prefers_a_parity(void **state)
{
	struct scene even = scene_of(connecting(0, 40000)), odd = scene_of(connecting(0, 40001));

	(void)state;
	SAYS(&even, LOOKED ", even numbers first: 40000 is even, which hints at connect() and "
			   "proves nothing.");
	SAYS_NOT(&even, "was to be had");
	SAYS(&odd, LOOKED ", even numbers first: 40001 is odd, so no even one was to be had for "
			  "it.");
	SAYS_NOT(&odd, "hints at");
	odd.records[0].call.range_lo = 32767;
	SAYS(&odd, "odd numbers first: 40001 is odd, which hints at connect()");
	odd.records[0].call.range_lo = odd.records[0].call.range_hi = 40001;
	SAYS_NOT(&odd, "numbers first");
	SAYS_NOT(&odd, "looked through");
	SAYS(&odd, "40001-40001 is the whole range: 40001 was the only port");
	odd.records[0].call.range_lo = 0;
	SAYS_NOT(&odd, "the whole range");
	SAYS_NOT(&odd, "looked through");
}

static void parity_depends_on_the_kernel(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));

	(void)state;
	s.kernel = "7.0.13";
	SAYS(&s, "hints at connect()");
	s.kernel = "7.1.13"; /* whether there is a step width is not known */
	SAYS_NOT(&s, "numbers first");
	SAYS(&s, LOOKED ".");
	s.step_known = true;
	SAYS(&s, "hints at connect()");
	SAYS_NOT(&s, LOOKED ".");
	s.step_width = 7; /* the steps are even then, too */
	SAYS(&s, LOOKED ", even numbers first and in random steps "
			"(net.ipv4.ip_local_port_step_width): 40000 is even, which hints at "
			"connect() and proves nothing.");
	s.records[0].call.facts |= WIRE_F_OWN_RANGE;
	SAYS_NOT(&s, "numbers first");
	SAYS(&s, LOOKED ", in steps of a random width of at most 7 "
			"(net.ipv4.ip_local_port_step_width), odd and even alike, as the socket "
			"has a range of its own.");
	s.records[0].call.facts &= ~(uint32_t)WIRE_F_OWN_RANGE;
	s.step_known = false;
	s.step_width = 0;
	s.kernel = "unknown";
	SAYS_NOT(&s, "numbers first");
	SAYS(&s, LOOKED ".");
}

static void a_range_of_its_own_has_no_parity(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));
	struct wire_call *c = &s.records[0].call;

	(void)state;
	c->range_lo = 40000;
	c->range_hi = 40099;
	SAYS(&s, "hints at connect()"); /* the sysctl may have been changed */
	c->facts |= WIRE_F_OWN_RANGE;
	SAYS_NOT(&s, "numbers first");
	SAYS(&s, "(and from 10.0.0.1), number by number, as the socket has a range of its own: odd "
		 "and even tell nothing here.");
	SAYS(&s, "40000-40099 is this socket's own range, set by IP_LOCAL_PORT_RANGE within "
		 "32768-60999");
	s.kernel = "6.1.176"; /* before 6.8 */
	SAYS(&s, "hints at connect()");
	SAYS_NOT(&s, "number by number");
	s.kernel = "6.8.0";
	SAYS_NOT(&s, "hints at connect()");
}

/* Of three ports the kernel takes two, but for those who go through them one by one. */
static void an_odd_range_of_connect(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));
	struct wire_call *c = &s.records[0].call;

	(void)state;
	c->range_lo = 40000;
	c->range_hi = 40002;
	SAYS(&s, "40000-40002 (3 ports, of which one is left out, none reserved)");
	c->facts |= WIRE_F_OWN_RANGE;
	SAYS(&s, "40000-40002 (3 ports, none reserved)");
	SAYS_NOT(&s, "left out");
	s.kernel = "6.1.176"; /* before 6.8 */
	SAYS(&s, "(3 ports, of which one is left out, none reserved)");
	c->facts &= ~(uint32_t)WIRE_F_OWN_RANGE;
	c->range_hi = 40003;
	SAYS_NOT(&s, "left out");
}

static void only_ports_in_use_for_the_destination_count(void **state)
{
	struct wire_call other = connecting(0, 50000);
	struct scene s = scene_new();

	(void)state;
	other.sock.id = 2;
	scene_add(&s, other);
	scene_add(&s, connecting(0, 40000))->who = who_new(200, "other");
	SAYS(&s, "(28232 ports, none reserved, at least 1 in use for this destination)");
	s.records[0].call.sock.peer_port = 444;
	SAYS_NOT(&s, "in use for this");
	s.records[0].call.sock.peer_port = 443;
	s.records[0].call.sock.peer[3]++;
	SAYS_NOT(&s, "in use for this");
}

static void a_connection_shares_a_port(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));

	(void)state;
	SAYS_NOT(&s, "had 40000 already");
	s.records[0].call.facts |= WIRE_F_OWNERS;
	SAYS_NOT(&s, "had 40000 already");
	s.records[0].call.facts |= WIRE_F_SHARED;
	SAYS(&s, "Another socket, or what is left of one, had 40000 already; connect() takes a "
		 "port again as long as no two connections have both ends alike, here "
		 "10.0.0.1:40000 and 10.0.0.9:443.");
}

static void what_connect_leaves_in_the_socket(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));

	(void)state;
	SAYS(&s,
	     "The state went to SYN_SENT, and the socket has 10.0.0.1:40000 now: the address is "
	     "that of the route to 10.0.0.9.");
	SAYS_NOT(&s, "had been given");
	SAYS(&s, "The port is not locked (no SOCK_BINDPORT_LOCK): another socket may connect from "
		 "40000 as well, to another destination.");
	SAYS_NOT(&s, "SOCK_CONNECT_BIND");
	s.records[0].call.sock.userlocks = LOCK_CONNECT;
	SAYS(&s, "SOCK_CONNECT_BIND notes that connect() gave the port: another socket may connect "
		 "from 40000 as well, to another destination.");
	SAYS_NOT(&s, "not locked");
	s.records[0].call.sock.userlocks = LOCK_PORT;
	SAYS_NOT(&s, "another socket may connect");
	s.records[0].call.sock.state = TCP_CLOSE;
	SAYS_NOT(&s, "SYN_SENT");
}

static void connect_of_datagrams(void **state)
{
	struct scene s = scene_of(as_udp(connecting(0, 40000))),
		     bound = scene_of(as_udp(named_bind(own4, 53)));

	(void)state;
	scene_add(&bound, as_udp(connecting(53, 53)));
	SAYS(&s, "The program never asked for a port, so the kernel picked 40000, to talk with "
		 "10.0.0.9:443 from.");
	SAYS(&s,
	     "Nothing was sent: connect() on UDP notes 10.0.0.9:443 in the socket, and only what "
	     "comes from there is given to the program.");
	SAYS(&s, "for UDP odd and even are the same");
	SAYS_NOT(&s, "SYN_SENT");
	SAYS_NOT(&s, "looks for one only");
	s.records[0].call.sock.userlocks = LOCK_ADDRESS;
	SAYS_NOT(&s, "never asked");
	s.lost = true;
	SAYS(&s, "The program had no port, so the kernel picked 40000, to talk with 10.0.0.9:443 "
		 "from.");
	SAYS(&bound, "The port stays as bind() had left it; connect() on UDP looks for one only "
		     "where there is none.");
	SAYS_NOT(&bound, "No search");
	scene_close(&s, 600, 40000, 0);
	SAYS(&s, "Port 40000 has been given back.");
	SAYS_NOT(&s, "The connection with");
	bound = scene_of(named_bind(own4, 53));
	scene_add(&bound, connecting(53, 53));
	SAYS_NOT(&bound, "Nothing was sent");
	SAYS_NOT(&bound, "on UDP looks");
}

static void a_connection_that_stands(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));

	(void)state;
	SAYS_NOT(&s, "agreed");
	scene_add_edge(&s, edge_new(WIRE_ESTABLISHED, 1, BOOT_NS + 500, 0, 0));
	SAYS(&s,
	     "The other side agreed: there is a connection from 10.0.0.1:40000 to 10.0.0.9:443.");
	SAYS(&s, "The state went to ESTABLISHED; address and port are those that connect() had put "
		 "into the socket.");
	SAYS_NOT(&s, "made a socket for it");
	s.records[0].call.port_before = 40000;
	SAYS_NOT(&s, "had put into");
	SAYS_NOT(&s, "A connection from");
	s = scene_of(named_bind(own4, 8080));
	scene_add(&s, connecting(8080, 8080));
	scene_add_edge(&s, edge_new(WIRE_ESTABLISHED, 1, BOOT_NS + 500, 0, 0));
	SAYS(&s, "there is a connection from 10.0.0.1:8080 to 10.0.0.9:443.");
	SAYS_NOT(&s, "had put into");
}

/* --- connect() that failed ------------------------------------------------------------------ */

static void nobody_takes_connections(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));

	(void)state;
	scene_add_edge(&s, edge_new(WIRE_RELEASE, 1, BOOT_NS + 450, 40000, 0));
	scene_add(&s, refused_connect(0, 0, ECONNREFUSED))->start_ns = BOOT_NS + 395;
	SAYS(&s, "The other side, 10.0.0.9:443, refused to talk.");
	SAYS(&s, "ECONNREFUSED: an answer came back that nobody takes connections at port 443 of "
		 "10.0.0.9; the port of this side had nothing to do with it.");
	SAYS(&s,
	     "Port 40000 goes back with the failure: the program had not named it, so it is not "
	     "locked (no SOCK_BINDPORT_LOCK); another connect() looks for one anew.");
	SAYS_NOT(&s, "stays with");
	SAYS_NOT(&s, "ETIMEDOUT");
	SAYS_NOT(&s, "connect() failed with");
	SAYS_NOT(&s, "is known by its two");
	s.records[2].call.error = ETIMEDOUT;
	SAYS_NOT(&s, "ECONNREFUSED");
	SAYS_NOT(&s, "refused to talk");
	SAYS(&s, "Nobody answered at 10.0.0.9:443, and the kernel gave up.");
	s.records[2].call.head.ts_ns = s.records[2].call.start_ns + 127400000000;
	SAYS(&s, "ETIMEDOUT: for 127 s no answer came to the SYN and its repetitions; whether "
		 "anybody listens there is not known.");
}

static void a_named_port_stays(void **state)
{
	struct scene s = scene_of(named_bind(own4, 8080));

	(void)state;
	scene_add(&s, connecting(8080, 8080));
	scene_add_edge(&s, edge_new(WIRE_CONNECT_ERROR, 1, BOOT_NS + 500, 0, ECONNREFUSED));
	SAYS(&s, "Port 8080 stays with the socket: the program had named it, so it is locked "
		 "(SOCK_BINDPORT_LOCK) until the socket is closed.");
	SAYS_NOT(&s, "goes back");
	s.records[0].call = zero_bind(own4, 8080);
	SAYS(&s, "Port 8080 goes back with the failure");
	SAYS_NOT(&s, "stays with the socket");
}

/* bind() to port 0, and no route: the attempt did not get as far as to lose the port. */
static void a_port_that_is_still_there_does_not_go_back(void **state)
{
	struct scene s = scene_of(zero_bind(own4, 40001));

	(void)state;
	scene_add(&s, refused_connect(40001, 40001, ENETUNREACH));
	SAYS_NOT(&s, "goes back");
	SAYS(&s, "10.0.0.9:443 could not be reached.");
	SAYS(&s, "connect() failed with ENETUNREACH.");
	SAYS_NOT(&s, "no port was needed");
	s = scene_of(refused_connect(0, 0, ENETUNREACH));
	SAYS(&s, "From this machine no way leads to 10.0.0.9, so no port was needed.");
	SAYS(&s, "connect() looks for the route before it looks for a port: ENETUNREACH, and the "
		 "socket has none.");
	SAYS_NOT(&s, "connect() failed with");
	s = scene_of(refused_connect(0, 0, EHOSTUNREACH));
	SAYS_NOT(&s, "looks for the route");
}

static void an_interrupted_attempt_goes_on(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));

	(void)state;
	scene_add(&s, refused_connect(40000, 40000, EINTR));
	SAYS(&s, "The program was interrupted while it waited for 10.0.0.9:443; the kernel goes on "
		 "trying.");
	SAYS_NOT(&s, "goes back");
	s.records[1].call.error = EPERM;
	SAYS_NOT(&s, "goes on");
	SAYS(&s, "The program wanted to reach 10.0.0.9:443, and that failed.");
	SAYS(&s, "connect() failed with EPERM.");
}

#define USED_UP                                                                                    \
	"EADDRNOTAVAIL: of 32768-60999 (28232 ports, none reserved) each one that may be picked "  \
	"has a connection to 10.0.0.9:443 from this address already, or the rest of one, or was "  \
	"taken by bind(), with which connect() does not share."

static void no_port_is_left_for_a_destination(void **state)
{
	struct scene s = scene_of(refused_connect(0, 0, EADDRNOTAVAIL));
	struct wire_call *c = &s.records[0].call;

	(void)state;
	SAYS(&s, "The kernel has no port left that it may pick for a connection to 10.0.0.9:443.");
	SAYS(&s, USED_UP);
	SAYS(&s,
	     "For ports that only connect() has given out the limit is one for each destination: "
	     "to another address or port the same numbers can be used again.");
	/* IPv6 has another reason for that errno, unless the search was seen */
	c->sock.family = c->req_family = AF_INET6;
	SAYS(&s, "The kernel has no port left");
	c->facts &= ~(uint32_t)WIRE_F_SEARCH_TIMED;
	SAYS_NOT(&s, "The kernel has no port left");
	SAYS_NOT(&s, "the limit is one");
	SAYS(&s, "EADDRNOTAVAIL has two reasons here: no address of this machine fits that "
		 "destination, or no port is left; which one is not known.");
	s = scene_of(refused_connect(0, 0, ECONNREFUSED));
	SAYS_NOT(&s, "EADDRNOTAVAIL");
}

static void a_connection_that_is_there_already(void **state)
{
	struct scene s = scene_of(named_bind(own4, 8080));

	(void)state;
	scene_add(&s, refused_connect(8080, 8080, EADDRNOTAVAIL));
	SAYS(&s, "There is a connection from port 8080 to 10.0.0.9:443 already, or the rest of "
		 "one, and there can be only one.");
	SAYS(&s, "A connection is known by its two addresses and two ports; the port was fixed, so "
		 "connect() could not look for another one: EADDRNOTAVAIL.");
	SAYS_NOT(&s, "the limit is one");
	SAYS_NOT(&s, "has no port left");
}

/* Of IPv6 there is another reason for that errno, unless the search was seen. */
static void one_of_two_reasons(void **state)
{
	struct wire_call c = named_bind(any4, 8080);
	struct scene s;

	(void)state;
	c.sock.family = c.req_family = AF_INET6;
	s = scene_of(c);
	c = refused_connect(8080, 8080, EADDRNOTAVAIL);
	c.sock.family = c.req_family = AF_INET6;
	c.facts |= WIRE_F_SEARCH_TIMED;
	scene_add(&s, c);
	SAYS(&s, "already, or the rest of one, and there can be only one.");
	s.records[1].call.facts &= ~(uint32_t)WIRE_F_SEARCH_TIMED;
	SAYS_NOT(&s, "there can be only one");
	SAYS(&s, "EADDRNOTAVAIL has two reasons here: no address of this machine fits that "
		 "destination, or there is a connection from this port to there already; which "
		 "one is not known.");
}

static void datagrams_without_a_route(void **state)
{
	struct scene s = scene_of(as_udp(refused_connect(0, 40000, ENETUNREACH)));

	(void)state;
	SAYS(&s, "connect() on UDP sees to the port, here 40000, before it looks for the route: "
		 "ENETUNREACH, and nothing was sent.");
	SAYS_NOT(&s, "connect() failed with");
	s = scene_of(refused_connect(0, 40000, ENETUNREACH));
	SAYS_NOT(&s, "on UDP");
}

static void no_port_is_left_for_datagrams(void **state)
{
	struct scene s = scene_of(as_udp(refused_connect(0, 0, EAGAIN)));

	(void)state;
	SAYS(&s, "The program had no port, and the kernel found no free one.");
	SAYS_NOT(&s, "The search for a port said");
	s.records[0].call.cause = EADDRINUSE;
	SAYS(&s, "The search for a port said EADDRINUSE; the program is told EAGAIN, whatever the "
		 "reason was.");
	s = scene_of(as_udp(refused_connect(53, 53, EAGAIN)));
	SAYS_NOT(&s, "found no free one");
}

/* --- a send --------------------------------------------------------------------------------- */

static struct wire_call sending(uint16_t before, uint16_t port)
{
	struct wire_call c = connecting(before, port);

	c.head.kind = WIRE_SEND;
	return c;
}

static void a_send_without_a_port(void **state)
{
	struct wire_call c = as_udp(sending(0, 40000));
	struct scene s;

	(void)state;
	memset(c.sock.local, 0, 16);
	memset(c.sock.peer, 0, 16);
	c.sock.peer_port = 0;
	s = scene_of(c);
	SAYS(&s, "The program never asked for a port, so the kernel picked 40000 to send to "
		 "10.0.0.9:443 from.");
	SAYS(&s, "The socket's own address stays 0.0.0.0, which stands for all: each packet takes "
		 "that of its route, and an answer to port 40000 finds the socket.");
	s.records[0].call.sock.local[0] = 10;
	SAYS_NOT(&s, "stays");
	s.records[0].call.sock.userlocks = LOCK_ADDRESS;
	SAYS_NOT(&s, "never asked");
	scene_add(&s, as_udp(connecting(40000, 40000)))->head.ts_ns += 100;
	s.records[1].call.start_ns += 100;
	SAYS(&s, "The program connects to 10.0.0.9:443 from port 40000, which it had before.");
	SAYS_NOT(&s, "had picked when it asked");
	s.len = 1;
	s.lost = true;
	SAYS(&s,
	     "The program had no port, so the kernel picked 40000 to send to 10.0.0.9:443 from.");
	s.records[0].call.facts &= ~(uint32_t)WIRE_F_REQUEST;
	s.records[0].call.req_family = s.records[0].call.req_port = 0;
	memset(s.records[0].call.req_addr, 0, 16);
	SAYS(&s, "The program had no port, so the kernel picked 40000 to send from.");
}

static void a_send_that_finds_none(void **state)
{
	struct wire_call c = as_udp(sending(0, 0));
	struct scene s;

	(void)state;
	c.error = EAGAIN;
	c.cause = EADDRINUSE;
	s = scene_of(c);
	SAYS(&s, "The program had no port, and the kernel found none to send from.");
	SAYS_NOT(&s, "The send failed");
	SAYS(&s, "The search for a port said EADDRINUSE; the program is told EAGAIN");
	s.records[0].call.cause = 0;
	SAYS_NOT(&s, "The search for a port said");
	SAYS(&s, "The send failed with EAGAIN.");
	s.records[0].call.error = EPERM; /* not for want of a port */
	SAYS_NOT(&s, "found none");
	SAYS(&s, "The program wanted to send, and that failed.");
}

static void a_send_that_connects(void **state)
{
	struct scene s = scene_of(sending(0, 40000));

	(void)state;
	SAYS(&s, "The program sent data without connecting first, so the kernel picked 40000 for a "
		 "connection to 10.0.0.9:443 that carries them.");
	SAYS(&s, "send() looked through 32768-60999");
	SAYS(&s, "even numbers first: 40000 is even");
	scene_add_edge(&s, edge_new(WIRE_ESTABLISHED, 1, BOOT_NS + 500, 0, 0));
	SAYS(&s, "The state went to ESTABLISHED; address and port are those that send() had put "
		 "into the socket.");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_never_asked),
		cmocka_unit_test(a_client_that_asked_in_vain),
		cmocka_unit_test(a_client_that_asked_for_an_address),
		cmocka_unit_test(a_client_with_a_port),
		cmocka_unit_test(connect_prefers_a_parity),
		cmocka_unit_test(parity_depends_on_the_kernel),
		cmocka_unit_test(a_range_of_its_own_has_no_parity),
		cmocka_unit_test(only_ports_in_use_for_the_destination_count),
		cmocka_unit_test(a_connection_shares_a_port),
		cmocka_unit_test(what_connect_leaves_in_the_socket),
		cmocka_unit_test(connect_of_datagrams),
		cmocka_unit_test(a_connection_that_stands),
		cmocka_unit_test(nobody_takes_connections),
		cmocka_unit_test(a_named_port_stays),
		cmocka_unit_test(a_port_that_is_still_there_does_not_go_back),
		cmocka_unit_test(an_interrupted_attempt_goes_on),
		cmocka_unit_test(no_port_is_left_for_a_destination),
		cmocka_unit_test(a_connection_that_is_there_already),
		cmocka_unit_test(one_of_two_reasons),
		cmocka_unit_test(datagrams_without_a_route),
		cmocka_unit_test(an_odd_range_of_connect),
		cmocka_unit_test(no_port_is_left_for_datagrams),
		cmocka_unit_test(a_send_without_a_port),
		cmocka_unit_test(a_send_that_finds_none),
		cmocka_unit_test(a_send_that_connects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
