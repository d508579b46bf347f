/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sharing.c teaches how many sockets one port can have.
 */
#include <errno.h>

#include "user/lesson/all.h"
#include "user/lesson/run.h"

/* --- one-port-one-socket ----------------------------------------------------------------- */

static const struct step many_steps[] = {
	NOTE("A server and two accepted connections."),
	TCP("server"),
	BIND("server", "127.0.0.1", 5000),
	LISTEN("server"),
	TCP("a"),
	CONNECT("a", "127.0.0.1", 5000),
	TCP("b"),
	CONNECT("b", "127.0.0.1", 5000),
	ACCEPT("conn1", "server"),
	ACCEPT("conn2", "server"),
	NOTE("Two servers that agreed to share."),
	TCP("left"),
	SET("left", REUSEPORT, 1),
	BIND("left", "127.0.0.1", 5001),
	LISTEN("left"),
	TCP("right"),
	SET("right", REUSEPORT, 1),
	BIND("right", "127.0.0.1", 5001),
	LISTEN("right"),
	NOTE("One that did not."),
	TCP("rude"),
	BIND("rude", "127.0.0.1", 5001),
	NOTE("The same number at another address, and in UDP."),
	TCP("next"),
	BIND("next", "127.0.0.2", 5001),
	UDP("udp"),
	BIND("udp", "127.0.0.1", 5001),
};

static void many_judge(const struct run *run, struct verdict *v)
{
	const struct did *server = did_bind(run, "server"), *right = did_listen(run, "right");
	const struct did *one = did_accept(run, "conn1"), *two = did_accept(run, "conn2");
	const struct did *rude = did_bind(run, "rude");

	if (!worked(server) || !worked(one) || !worked(two) || !worked(did_listen(run, "left")) ||
	    !rude->done)
		return;
	if (one->after.port != server->after.port && failed(right)) {
		verdict_say(v, VERDICT_TRUE, "Every socket here had a port that no other had.");
		return;
	}
	if (one->after.port != server->after.port || two->after.port != server->after.port ||
	    !worked(right) || !worked(did_bind(run, "next")) || !worked(did_bind(run, "udp")))
		return;
	verdict_needs(v, run, one, EVENT_ACCEPT, ORIGIN_ACCEPT);
	verdict_say(v, VERDICT_FALSE,
		    "Three sockets have port %u, the server and the two it accepted, and two "
		    "servers listen at %u, because both had set SO_REUSEPORT.",
		    server->after.port, right->after.port);
	if (failed_with(rude, EADDRINUSE))
		verdict_more(v, "Who had not set it was refused (EADDRINUSE).");
	verdict_more(v, "At another address the number was to be had without asking anybody, and "
			"in UDP it is another port altogether. What a bind bucket keeps is a list "
			"of owners and whether the next one may join them.");
}

const struct lesson lesson_one_port_one_socket = {
	.name = "one-port-one-socket",
	.question = "How many sockets can have the same port?",
	.claim = "A port belongs to one socket.",
	PROGRAM(many_steps),
	.judge = many_judge,
};

/* --- one-port-two-connections ------------------------------------------------------------ */

static const struct step tuple_steps[] = {
	NOTE("A network with two numbers to give out, and two servers."),
	SETTING("ip_local_port_range", "40000 40001"),
	TCP("red"),
	BIND("red", "127.0.0.1", 5000),
	LISTEN("red"),
	TCP("blue"),
	BIND("blue", "127.0.0.1", 5001),
	LISTEN("blue"),
	TCP("a"),
	CONNECT("a", "127.0.0.1", 5000),
	TCP("b"),
	CONNECT("b", "127.0.0.1", 5001),
	NOTE("A second one to the first server."),
	TCP("c"),
	CONNECT("c", "127.0.0.1", 5000),
};

static void tuple_judge(const struct run *run, struct verdict *v)
{
	const struct did *a = did_connect(run, "a"), *b = did_connect(run, "b");
	const struct did *c = did_connect(run, "c");

	if (!gave_port(a) || !b->done || !c->done)
		return;
	verdict_needs(v, run, a, EVENT_CONNECT, ORIGIN_CONNECT);
	if (gave_port(b) && gave_port(c) && a->after.port == b->after.port &&
	    a->after.port != c->after.port) {
		verdict_say(v, VERDICT_FALSE,
			    "Two of them come from port %u: they call different servers, so they "
			    "can be told apart; the third, to the first one's server, got %u.",
			    a->after.port, c->after.port);
		verdict_more(v, "A connection is known by both addresses and both ports. connect() "
				"takes a port again if only connect() has given it out so far, and "
				"no connection with the same four exists.");
	} else if (gave_port(b) && a->after.port != b->after.port) {
		verdict_say(v, VERDICT_TRUE, "Every connection got a port of its own: %u and %u.",
			    a->after.port, b->after.port);
	} else if (failed(b)) {
		verdict_say(v, VERDICT_TRUE,
			    "The second one found no port (%s), though it called another server.",
			    did_outcome(b));
	}
}

const struct lesson lesson_one_port_two_connections = {
	.name = "one-port-two-connections",
	.question = "Can two connections come from the same port?",
	.claim = "Every connection needs a local port of its own.",
	PROGRAM(tuple_steps),
	.judge = tuple_judge,
};

/* --- spoiled-port ------------------------------------------------------------------------ */

static const struct step spoiled_steps[] = {
	NOTE("One number to give out, and two servers."),
	SETTING("ip_local_port_range", "40000 40000"),
	TCP("red"),
	BIND("red", "127.0.0.1", 5000),
	LISTEN("red"),
	TCP("blue"),
	BIND("blue", "127.0.0.1", 5001),
	LISTEN("blue"),
	NOTE("A connection from it, and then a bind() to it (both agreed to share)."),
	TCP("a"),
	SET("a", REUSEADDR, 1),
	CONNECT("a", "127.0.0.1", 5000),
	TCP("guest"),
	SET("guest", REUSEADDR, 1),
	BIND("guest", "127.0.0.1", 40000),
	NOTE("While it is bound: can another connection come from it?"),
	TCP("b"),
	CONNECT("b", "127.0.0.1", 5001),
	NOTE("And when the one that had bound it is gone?"),
	CLOSE("guest"),
	TCP("c"),
	CONNECT("c", "127.0.0.1", 5001),
};

static void spoiled_judge(const struct run *run, struct verdict *v)
{
	const struct did *guest = did_bind(run, "guest"), *b = did_connect(run, "b");
	const struct did *c = did_connect(run, "c");

	if (!gave_port(did_connect(run, "a")) || !worked(guest) || !failed_with(b, EADDRNOTAVAIL) ||
	    !c->done)
		return;
	verdict_needs(v, run, guest, EVENT_BIND, ORIGIN_BIND);
	if (gave_port(c)) {
		verdict_needs(v, run, c, EVENT_CONNECT, ORIGIN_CONNECT);
		verdict_say(v, VERDICT_TRUE,
			    "While the port was bound no other connection could come from it "
			    "(EADDRNOTAVAIL); when that socket was gone, one could again.");
		verdict_more(v, "This kernel does as Linux 6.17 and newer: a port whose owners all "
				"got it from connect() is open to others again. Older ones keep it "
				"shut until the last owner has left.");
	} else if (failed_with(c, EADDRNOTAVAIL)) {
		verdict_say(v, VERDICT_FALSE,
			    "One bind() spoils the port: though the socket that had bound it was "
			    "gone, no second connection could come from it (EADDRNOTAVAIL) as "
			    "long as the first one lasts.");
		verdict_more(v, "This kernel does as Linux before 6.17: a port that was bound "
				"once stays shut to connect() until its last owner has left. "
				"From 6.17 on it opens again.");
	}
}

const struct lesson lesson_spoiled_port = {
	.name = "spoiled-port",
	.question = "A port was bound for a moment: can connections share it afterwards?",
	.claim = "When the socket that bound it is closed, the port is as it was before.",
	PROGRAM(spoiled_steps),
	.judge = spoiled_judge,
};
