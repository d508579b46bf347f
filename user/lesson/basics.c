/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * basics.c teaches what bind() is for: who needs it, what it changes, what accept() hands out.
 */
#include <errno.h>
#include <string.h>

#include "user/lesson/all.h"
#include "user/lesson/run.h"

/* --- why-no-client-bind ------------------------------------------------------------------ */

static const struct step why_steps[] = {
	NOTE("A server says at which number it can be found."),
	TCP("server"),
	BIND("server", "127.0.0.1", 5000),
	LISTEN("server"),
	NOTE("A client calls no bind()."),
	TCP("client"),
	CONNECT("client", "127.0.0.1", 5000),
	ACCEPT("conn", "server"),
	NOTE("What if a server does as the client does?"),
	TCP("hidden"),
	LISTEN("hidden"),
};

static void why_judge(const struct run *run, struct verdict *v)
{
	const struct did *server = did_bind(run, "server");
	const struct did *client = did_connect(run, "client");
	const struct did *hidden = did_listen(run, "hidden");

	if (!worked(server))
		return;
	verdict_needs(v, run, server, EVENT_BIND, ORIGIN_BIND);
	if (failed(client)) {
		verdict_say(v, VERDICT_FALSE,
			    "Here a client has to call bind(), too: connect() without it ended in "
			    "%s.",
			    did_outcome(client));
	} else if (gave_port(client) && failed(hidden)) {
		verdict_say(v, VERDICT_TRUE,
			    "The client got a number when it connected, %u; the server that did "
			    "not ask for one got none (%s).",
			    client->after.port, did_outcome(hidden));
	} else if (gave_port(client) && gave_port(hidden)) {
		verdict_needs(v, run, client, EVENT_CONNECT, ORIGIN_CONNECT);
		verdict_needs(v, run, hidden, EVENT_LISTEN, ORIGIN_LISTEN);
		verdict_say(v, VERDICT_DEPENDS,
			    "A client is given a number when it connects (here %u), and nobody "
			    "has to know it before; a server has to be found, so it asks for the "
			    "number that its clients know with bind() (%u), or else it gets one "
			    "that it has to tell them (%u).",
			    client->after.port, server->after.port, hidden->after.port);
		verdict_more(v, "So 'need not' is true for a client; 'must' is too much for a "
				"server: it must only if its port has to be known beforehand. "
				"`sudo portlife` shows it from your own machine: its last line "
				"counts who got ports how (\"... ports given: 9 bind, 388 "
				"connect\").");
	}
}

const struct lesson lesson_why_no_client_bind = {
	.name = "why-no-client-bind",
	.question = "Why does a server call bind(), and a client does not?",
	.claim = "A server must call bind(), a client need not.",
	PROGRAM(why_steps),
	.judge = why_judge,
};

/* --- what-bind-changes ------------------------------------------------------------------- */

static const struct step changes_steps[] = {
	TCP("server"),
	BIND("server", "127.0.0.1", 5000),
	NOTE("listen() finds the number that is there."),
	LISTEN("server"),
	NOTE("Another program wants the same one."),
	TCP("late"),
	BIND("late", "127.0.0.1", 5000),
	NOTE("And a server that skips bind()?"),
	TCP("hasty"),
	LISTEN("hasty"),
};

static void changes_judge(const struct run *run, struct verdict *v)
{
	const struct did *bound = did_bind(run, "server");
	const struct did *listening = did_listen(run, "server");
	const struct did *late = did_bind(run, "late");
	const struct did *hasty = did_listen(run, "hasty");

	if (!bound->done || !listening->done)
		return;
	if (!gave_port(bound) || bound->after.port != bound->step->port) {
		verdict_say(v, VERDICT_FALSE,
			    "bind() returned %s, and the socket has port %u afterwards, not %u.",
			    did_outcome(bound), bound->after.port, bound->step->port);
		return;
	}
	verdict_needs(v, run, bound, EVENT_BIND, ORIGIN_BIND);
	verdict_needs(v, run, listening, EVENT_LISTEN, ORIGIN_BIND);
	if (!worked(listening) || listening->after.port != bound->after.port)
		return;
	verdict_say(v, VERDICT_TRUE,
		    "Before bind() the socket's port was 0, none; after it, it was %u, and "
		    "listen() kept it.",
		    bound->after.port);
	if (failed_with(late, EADDRINUSE))
		verdict_more(v,
			     "That it returned zero is the news: nobody else has a claim to "
			     "127.0.0.1:%u. The one who came late was told EADDRINUSE and has no "
			     "port.",
			     bound->after.port);
	if (gave_port(hasty))
		verdict_more(v,
			     "listen() looks whether the socket has a port; where there was "
			     "none it had the kernel choose one, %u.",
			     hasty->after.port);
	verdict_more(v, "In the kernel the socket is now an owner of that port's bind bucket, "
			"which is the kernel's record of a port and of the sockets that have it; "
			"and it remembers that the number was asked for: it keeps it until "
			"close().");
}

const struct lesson lesson_what_bind_changes = {
	.name = "what-bind-changes",
	.question = "What is different in a socket after bind(), so that listen() knows?",
	.claim = "bind() assigns the local port.",
	PROGRAM(changes_steps),
	.judge = changes_judge,
};

/* --- bind-listen-accept ------------------------------------------------------------------ */

static const struct step accept_steps[] = {
	TCP("server"),
	BIND("server", "127.0.0.1", 5000),
	LISTEN("server"),
	TCP("client"),
	CONNECT("client", "127.0.0.1", 5000),
	ACCEPT("conn", "server"),
	NOTE("Both ends say who they are, and whom they talk to."),
	SOCKNAME("client"),
	PEERNAME("client"),
	SOCKNAME("conn"),
	PEERNAME("conn"),
};

static bool same_place(const struct wire_place *a, const struct wire_place *b)
{
	return a->family && a->family == b->family && a->port == b->port &&
	       !memcmp(a->addr, b->addr, sizeof(a->addr));
}

static void accept_judge(const struct run *run, struct verdict *v)
{
	const struct did *listening = did_listen(run, "server");
	const struct did *accepted = did_accept(run, "conn");
	const struct did *mine = did_nth(run, STEP_GETSOCKNAME, "client", 0);
	const struct did *its = did_nth(run, STEP_GETPEERNAME, "conn", 0);
	const struct did *own = did_nth(run, STEP_GETSOCKNAME, "conn", 0);
	const struct did *other = did_nth(run, STEP_GETPEERNAME, "client", 0);

	if (!worked(listening) || !worked(accepted) || !its->done)
		return;
	if (accepted->after.port != listening->after.port) {
		verdict_say(v, VERDICT_TRUE, "The accepted socket has port %u, its listener %u.",
			    accepted->after.port, listening->after.port);
		return;
	}
	if (!same_place(&mine->after, &its->peer) || !same_place(&own->after, &other->peer))
		return;
	verdict_needs(v, run, accepted, EVENT_ACCEPT, ORIGIN_ACCEPT);
	verdict_say(v, VERDICT_FALSE,
		    "The socket that accept() returned has the server's own port, %u, and what "
		    "the client calls its own address is what the server's end calls its peer, "
		    "and the other way round.",
		    accepted->after.port);
	verdict_more(v, "No port is assigned in accept(): the kernel had made the new socket when "
			"the connection was complete, and entered it as one more owner of the "
			"listener's port (in its bind bucket). Connections are told apart by all "
			"four: two addresses, two ports.");
}

const struct lesson lesson_bind_listen_accept = {
	.name = "bind-listen-accept",
	.question = "Which port does the socket have that accept() returns?",
	.claim = "accept() gives every connection a new port on the server.",
	PROGRAM(accept_steps),
	.judge = accept_judge,
};
