/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * numbers.c teaches which numbers the kernel gives out, how many there are, and what happens when
 * there are none left.
 */
#include <errno.h>
#include <string.h>

#include "user/lesson/all.h"
#include "user/lesson/run.h"

/* --- how-many-connections ---------------------------------------------------------------- */

#define TWO_SERVERS                                                                                \
	TCP("red"), BIND("red", "0.0.0.0", 5000), LISTEN("red"), TCP("blue"),                      \
		BIND("blue", "0.0.0.0", 5001), LISTEN("blue")

static const struct step many_steps[] = {
	NOTE("How many numbers there are, and a network with two of them."),
	READ_SETTING("ip_local_port_range"),
	SETTING("ip_local_port_range", "40000 40001"),
	TWO_SERVERS,
	NOTE("To the first server, as many as there are numbers, and one more."),
	TCP("a"),
	CONNECT("a", "127.0.0.1", 5000),
	TCP("b"),
	CONNECT("b", "127.0.0.1", 5000),
	TCP("c"),
	CONNECT("c", "127.0.0.1", 5000),
	NOTE("To the second one."),
	TCP("d"),
	CONNECT("d", "127.0.0.1", 5001),
	TCP("e"),
	CONNECT("e", "127.0.0.1", 5001),
	NOTE("To the first one at another of its addresses."),
	TCP("f"),
	CONNECT("f", "127.0.0.2", 5000),
};

/* On how many of the sockets of these names, a letter each, did the call give a port? */
static unsigned int given(const struct run *run, enum step_op op, const char *names)
{
	unsigned int count = 0;

	for (; *names; names++) {
		const char name[] = { *names, '\0' };

		count += gave_port(did_nth(run, op, name, 0));
	}
	return count;
}

static void many_judge(const struct run *run, struct verdict *v)
{
	const struct did *range = did_nth(run, STEP_READ_SETTING, NULL, 0);
	const struct did *c = did_connect(run, "c");
	unsigned int connections = given(run, STEP_CONNECT, "abdef");

	if (!worked(range) || !gave_port(did_connect(run, "a")) || !c->done)
		return;
	if (worked(c))
		verdict_say(v, VERDICT_FALSE,
			    "Not even to one server: with two numbers to give out, three "
			    "connections to the same one were made.");
	else if (connections > 2)
		verdict_say(v, VERDICT_FALSE,
			    "It is so many to one server: with two numbers to give out, the third "
			    "connection to the same one failed (%s), and %u were made in all.",
			    did_outcome(c), connections);
	else
		verdict_say(v, VERDICT_TRUE,
			    "With two numbers to give out, %u connections were made in all.",
			    connections);
	verdict_more(v,
		     "A new network here has the range %d to %d: %d numbers for each pair of "
		     "own address and destination (address and port). It is in all, for one own "
		     "address, when every socket calls bind(addr, 0) first: see early-bind.",
		     range->result, range->other, range->other - range->result + 1);
}

const struct lesson lesson_how_many_connections = {
	.name = "how-many-connections",
	.question = "How many connections can a machine have to others at a time?",
	.claim = "There are 28,232 outgoing connections, then the ports are used up.",
	PROGRAM(many_steps),
	.judge = many_judge,
};

/* --- early-bind -------------------------------------------------------------------------- */

static const struct step early_steps[] = {
	NOTE("Two numbers to give out. Everybody calls bind(addr, 0) first."),
	SETTING("ip_local_port_range", "40000 40001"),
	TWO_SERVERS,
	TCP("a"),
	BIND("a", "127.0.0.1", 0),
	CONNECT("a", "127.0.0.1", 5000),
	TCP("b"),
	BIND("b", "127.0.0.1", 0),
	CONNECT("b", "127.0.0.1", 5001),
	TCP("c"),
	BIND("c", "127.0.0.1", 0),
	NOTE("Two other numbers. The same, with IP_BIND_ADDRESS_NO_PORT."),
	SETTING("ip_local_port_range", "41000 41001"),
	TCP("k"),
	SET("k", NO_PORT, 1),
	BIND("k", "127.0.0.1", 0),
	CONNECT("k", "127.0.0.1", 5000),
	TCP("l"),
	SET("l", NO_PORT, 1),
	BIND("l", "127.0.0.1", 0),
	CONNECT("l", "127.0.0.1", 5001),
	TCP("m"),
	SET("m", NO_PORT, 1),
	BIND("m", "127.0.0.1", 0),
	CONNECT("m", "127.0.0.1", 5000),
	TCP("n"),
	SET("n", NO_PORT, 1),
	BIND("n", "127.0.0.1", 0),
	CONNECT("n", "127.0.0.1", 5001),
};

static void early_judge(const struct run *run, struct verdict *v)
{
	const struct did *c = did_bind(run, "c"), *k = did_connect(run, "k");
	unsigned int late = given(run, STEP_CONNECT, "klmn");

	if (!gave_port(did_bind(run, "a")) || !gave_port(did_bind(run, "b")) || !c->done ||
	    !k->done)
		return;
	if (worked(c)) {
		verdict_say(v, VERDICT_TRUE,
			    "A third socket got a number (%u) though there were but two.",
			    c->after.port);
		return;
	}
	if (!failed_with(c, EADDRINUSE) || did_bind(run, "k")->after.port || late < 3)
		return;
	verdict_needs(v, run, did_bind(run, "a"), EVENT_BIND, ORIGIN_BIND0);
	verdict_needs(v, run, k, EVENT_CONNECT, ORIGIN_CONNECT);
	verdict_say(v, VERDICT_FALSE,
		    "It costs a number that nobody else at that address can have: two sockets used "
		    "up both, to two servers (the third got %s); with IP_BIND_ADDRESS_NO_PORT two "
		    "numbers "
		    "were enough for %u connections.",
		    did_outcome(c), late);
	verdict_more(v, "bind(addr, 0) must choose before it knows whom the socket will call, so "
			"it takes a number that the address has to spare for all. With the option "
			"it notes the "
			"address, leaves the port 0, and connect() chooses (portlife calls that "
			"deferred).");
}

const struct lesson lesson_early_bind = {
	.name = "early-bind",
	.question = "What does bind(addr, 0) before connect() cost?",
	.claim = "Calling bind() to an address and port 0 before connect() does no harm.",
	PROGRAM(early_steps),
	.judge = early_judge,
};

/* --- own-range --------------------------------------------------------------------------- */

#define OWN_RANGE(s) TCP(s), SET(s, RANGE, 45000 | 45003U << 16), CONNECT(s, "127.0.0.1", 5000)

static const struct step own_steps[] = {
	TCP("server"),
	BIND("server", "127.0.0.1", 5000),
	LISTEN("server"),
	NOTE("Four clients that want a number from 45000 to 45003, and one more."),
	OWN_RANGE("a"),
	OWN_RANGE("b"),
	OWN_RANGE("c"),
	OWN_RANGE("d"),
	OWN_RANGE("e"),
	NOTE("One that does not care."),
	TCP("other"),
	CONNECT("other", "127.0.0.1", 5000),
};

static void own_judge(const struct run *run, struct verdict *v)
{
	const struct did *option = did_nth(run, STEP_OPTION, "a", 0);
	const struct did *e = did_connect(run, "e"), *other = did_connect(run, "other");
	unsigned int within = 0;

	if (!option->done || !gave_port(other))
		return;
	for (const char *name = "abcd"; *name; name++) {
		const char socket[] = { *name, '\0' };
		const struct did *did = did_connect(run, socket);

		within += gave_port(did) && did->after.port >= 45000 && did->after.port <= 45003;
	}
	if (failed(option)) {
		verdict_say(v, VERDICT_TRUE,
			    "On this kernel it is one range for everybody: it does not know the "
			    "option with which a socket asks for a narrower one (%s).",
			    did_outcome(option));
		verdict_more(v, "That option, IP_LOCAL_PORT_RANGE, came with Linux 6.3, and some "
				"older series took it over.");
	} else if (within == 4 && failed_with(e, EADDRNOTAVAIL)) {
		verdict_say(v, VERDICT_FALSE,
			    "A socket can ask for a narrower one: the four got a number from 45000 "
			    "to 45003 each, the fifth none (%s), and who did not care got %u.",
			    did_outcome(e), other->after.port);
		verdict_more(v,
			     "The option is IP_LOCAL_PORT_RANGE (Linux 6.3, and some older series "
			     "took it over). It can only narrow what ip_local_port_range allows. "
			     "Up to 6.7 connect() tries every second number of such a range "
			     "first, from 6.8 on even and odd alike: here it gave %u, %u, %u, %u.",
			     did_connect(run, "a")->after.port, did_connect(run, "b")->after.port,
			     did_connect(run, "c")->after.port, did_connect(run, "d")->after.port);
	} else {
		verdict_say(v, VERDICT_DEPENDS,
			    "%u of the four that asked for a number from 45000 to 45003 got one, "
			    "the fifth: %s.",
			    within, did_outcome(e));
	}
}

const struct lesson lesson_own_range = {
	.name = "own-range",
	.question = "Is the range of ports the same for every program?",
	.claim = "The range of ephemeral ports is one for the whole machine.",
	PROGRAM(own_steps),
	.judge = own_judge,
};

/* --- odd-and-even ------------------------------------------------------------------------ */

#define ASKS(s)	 TCP(s), BIND(s, "127.0.0.1", 0)
#define CALLS(s) TCP(s), CONNECT(s, "127.0.0.1", 5000)

static const struct step parity_steps[] = {
	READ_SETTING("ip_local_port_range"),
	NOTE("Linux 7.1 and newer have this one, too:"),
	READ_SETTING("ip_local_port_step_width"),
	NOTE("A server to call."),
	TCP("server"),
	BIND("server", "127.0.0.1", 5000),
	LISTEN("server"),
	NOTE("Four that connect without bind()."),
	CALLS("a"),
	CALLS("b"),
	CALLS("c"),
	CALLS("d"),
	NOTE("Four that bind() to port 0."),
	ASKS("k"),
	ASKS("l"),
	ASKS("m"),
	ASKS("n"),
	NOTE("A range that begins with an odd number: what do they get now?"),
	SETTING("ip_local_port_range", "32769 60998"),
	CALLS("e"),
	CALLS("f"),
	ASKS("o"),
	ASKS("p"),
};

/* ... and on how many an odd one? */
static unsigned int given_odd(const struct run *run, enum step_op op, const char *names)
{
	unsigned int count = 0;

	for (; *names; names++) {
		const char name[] = { *names, '\0' };
		const struct did *did = did_nth(run, op, name, 0);

		count += gave_port(did) && did->after.port % 2;
	}
	return count;
}

static void parity_judge(const struct run *run, struct verdict *v)
{
	const struct did *width = did_nth(run, STEP_READ_SETTING, NULL, 1);
	unsigned int odd_calls = given_odd(run, STEP_CONNECT, "abcd");
	unsigned int odd_asks = given_odd(run, STEP_BIND, "klmn");
	unsigned int odd_calls2 = given_odd(run, STEP_CONNECT, "ef");
	unsigned int odd_asks2 = given_odd(run, STEP_BIND, "op");

	if (given(run, STEP_CONNECT, "abcdef") != 6 || given(run, STEP_BIND, "klmnop") != 6)
		return;
	verdict_needs(v, run, did_connect(run, "a"), EVENT_CONNECT, ORIGIN_CONNECT);
	verdict_needs(v, run, did_bind(run, "k"), EVENT_BIND, ORIGIN_BIND0);
	if (!odd_calls && odd_asks == 4 && odd_calls2 == 2 && !odd_asks2)
		verdict_say(v, VERDICT_DEPENDS,
			    "From 32768 on connect() gave even numbers (%u, %u ...) and bind() odd "
			    "ones (%u, %u ...); when the range began with an odd number, it was "
			    "the other way round.",
			    did_connect(run, "a")->after.port, did_connect(run, "b")->after.port,
			    did_bind(run, "k")->after.port, did_bind(run, "l")->after.port);
	else if (!odd_calls && odd_asks == 4 && !odd_calls2 && odd_asks2 == 2)
		verdict_say(v, VERDICT_TRUE,
			    "connect() gave even numbers and bind() odd ones, "
			    "wherever the range begins.");
	else
		verdict_say(v, VERDICT_FALSE,
			    "%u of 4 numbers from connect() were odd, and %u of 4 from bind().",
			    odd_calls, odd_asks);
	verdict_more(v, "connect() first tries numbers with the parity of the range's lower end, "
			"bind() to port 0 the others, so that the two do not get into each "
			"other's way. It is a hint at who chose, never a proof: when its half is "
			"used up, either takes from the other's.");
	if (worked(width))
		verdict_more(v,
			     "This kernel has ip_local_port_step_width (Linux 7.1), which is "
			     "%d here: above 0 the way from one candidate to the next is random, "
			     "not 2, but even, too.",
			     width->result);
}

const struct lesson lesson_odd_and_even = {
	.name = "odd-and-even",
	.question = "Does a port's number tell who chose it?",
	.claim = "connect() gives even ports, bind() to port 0 odd ones.",
	PROGRAM(parity_steps),
	.judge = parity_judge,
};

/* --- last-port --------------------------------------------------------------------------- */

static const struct step last_steps[] = {
	NOTE("Two numbers to give out."),
	SETTING("ip_local_port_range", "40000 40001"),
	TCP("server"),
	BIND("server", "127.0.0.1", 5000),
	LISTEN("server"),
	CALLS("a"),
	CALLS("b"),
	NOTE("Both are taken. What does each call say?"),
	CALLS("c"),
	ASKS("d"),
	TCP("e"),
	LISTEN("e"),
	NOTE("The same for UDP, which has numbers of its own."),
	UDP("k"),
	SEND_TO("k", "127.0.0.1", 5300),
	UDP("l"),
	SEND_TO("l", "127.0.0.1", 5300),
	UDP("m"),
	SEND_TO("m", "127.0.0.1", 5300),
	UDP("n"),
	CONNECT("n", "127.0.0.1", 5300),
	UDP("o"),
	BIND("o", "127.0.0.1", 0),
};

static void last_judge(const struct run *run, struct verdict *v)
{
	const struct did *connects = did_connect(run, "c"), *binds = did_bind(run, "d");
	const struct did *listens = did_listen(run, "e"), *sends = did_send(run, "m");
	const struct did *udp_connects = did_connect(run, "n"), *udp_binds = did_bind(run, "o");
	const struct did *all[] = { connects, binds, listens, sends, udp_connects, udp_binds };
	unsigned int gave = 0;
	bool same = true;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!all[i]->done)
			return;
		same &= all[i]->error == EADDRINUSE;
		gave += !all[i]->error;
	}
	if (gave)
		verdict_say(v, VERDICT_FALSE,
			    "%u of the six calls got a number although both were taken.", gave);
	else if (same)
		verdict_say(v, VERDICT_TRUE, "Every call said EADDRINUSE.");
	else
		verdict_say(v, VERDICT_DEPENDS,
			    "Each call says it in its own way: TCP connect() %s, bind() to port 0 "
			    "%s, listen() %s; UDP sendto() %s, connect() %s, bind() to port 0 %s.",
			    did_outcome(connects), did_outcome(binds), did_outcome(listens),
			    did_outcome(sends), did_outcome(udp_connects), did_outcome(udp_binds));
	verdict_more(v, "EADDRNOTAVAIL from bind() means something else: the address is not this "
			"machine's. `portlife why ERRNO` has them all.");
}

const struct lesson lesson_last_port = {
	.name = "last-port",
	.question = "What does a program get to hear when the ports are used up?",
	.claim = "When ports run out, the error is EADDRINUSE, address already in use.",
	PROGRAM(last_steps),
	.judge = last_judge,
};
