/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * closing.c teaches when a port is free again.
 */
#include <errno.h>

#include "user/lesson/all.h"
#include "user/lesson/run.h"

/* --- time-wait --------------------------------------------------------------------------- */

static const struct step wait_steps[] = {
	TCP("server"),
	BIND("server", "127.0.0.1", 5000),
	LISTEN("server"),
	TCP("client"),
	BIND("client", "127.0.0.1", 6000),
	CONNECT("client", "127.0.0.1", 5000),
	ACCEPT("conn", "server"),
	NOTE("The client ends it, then the server's end is closed, then the server."),
	CLOSE("client"),
	CLOSE("conn"),
	CLOSE("server"),
	NOTE("Nobody has any of these sockets now. Are their ports free?"),
	TCP("second"),
	BIND("second", "127.0.0.1", 6000),
	TCP("third"),
	SET("third", REUSEADDR, 1),
	BIND("third", "127.0.0.1", 6000),
	TCP("fourth"),
	BIND("fourth", "127.0.0.1", 5000),
};

static void wait_judge(const struct run *run, struct verdict *v)
{
	const struct did *second = did_bind(run, "second"), *third = did_bind(run, "third");
	const struct did *fourth = did_bind(run, "fourth");
	const struct seen *refused = did_see(run, second, EVENT_BIND);

	if (!worked(did_accept(run, "conn")) || !did_nth(run, STEP_CLOSE, "client", 0)->done)
		return;
	if (worked(second)) {
		verdict_say(v, VERDICT_TRUE,
			    "Port 6000 could be bound again as soon as it was closed.");
		return;
	}
	if (!failed_with(second, EADDRINUSE) || !worked(fourth))
		return;
	verdict_say(v, VERDICT_FALSE,
		    "The end that closes first keeps its port for a minute with no program left "
		    "that has it: 6000 was refused (EADDRINUSE); the other end's, 5000, was free "
		    "at once.");
	verdict_more(v, "The entry is called TIME_WAIT: a late packet of the old connection must "
			"not get into a new one.");
	if (refused && refused->why[0])
		verdict_more(v, "portlife names it as what was in the way.");
	if (failed_with(third, EADDRINUSE))
		verdict_more(v, "SO_REUSEADDR on the new socket alone did not help; see the "
				"lesson reuse-both-sides.");
	verdict_more(v, "lsof and ss -p show no owner, because there is none.");
}

const struct lesson lesson_time_wait = {
	.name = "time-wait",
	.question = "Is a port free as soon as its socket is closed?",
	.claim = "The port is free once I close().",
	PROGRAM(wait_steps),
	.judge = wait_judge,
};

/* --- reuse-both-sides -------------------------------------------------------------------- */

static const struct step reuse_steps[] = {
	NOTE("A server without SO_REUSEADDR; its end closes first."),
	TCP("old"),
	BIND("old", "127.0.0.1", 5000),
	LISTEN("old"),
	TCP("client"),
	CONNECT("client", "127.0.0.1", 5000),
	ACCEPT("conn", "old"),
	CLOSE("conn"),
	CLOSE("client"),
	CLOSE("old"),
	NOTE("The same on port 5001 by a server that has set it from the beginning."),
	TCP("wise"),
	SET("wise", REUSEADDR, 1),
	BIND("wise", "127.0.0.1", 5001),
	LISTEN("wise"),
	TCP("guest"),
	CONNECT("guest", "127.0.0.1", 5001),
	ACCEPT("link", "wise"),
	CLOSE("link"),
	CLOSE("guest"),
	CLOSE("wise"),
	NOTE("Both are started anew, with SO_REUSEADDR."),
	TCP("old2"),
	SET("old2", REUSEADDR, 1),
	BIND("old2", "127.0.0.1", 5000),
	TCP("wise2"),
	SET("wise2", REUSEADDR, 1),
	BIND("wise2", "127.0.0.1", 5001),
	LISTEN("wise2"),
};

static void reuse_judge(const struct run *run, struct verdict *v)
{
	const struct did *old2 = did_bind(run, "old2"), *wise2 = did_bind(run, "wise2");

	if (!worked(did_accept(run, "conn")) || !worked(did_accept(run, "link")))
		return;
	if (worked(old2)) {
		verdict_say(v, VERDICT_TRUE,
			    "The new server got its port although the old one had not set it.");
	} else if (failed_with(old2, EADDRINUSE) && worked(wise2)) {
		verdict_say(v, VERDICT_FALSE,
			    "The old one must have had it, too: port 5000 was refused "
			    "(EADDRINUSE), because the socket that left it in TIME_WAIT had not "
			    "set it; port 5001 was given.");
		verdict_more(v, "A TIME_WAIT entry remembers the option of the socket that it "
				"replaces, an accepted socket has it from its listener, and the "
				"kernel wants it on both sides. So a server sets it before its "
				"first bind().");
	}
}

const struct lesson lesson_reuse_both_sides = {
	.name = "reuse-both-sides",
	.question = "My server does not start again: is SO_REUSEADDR enough?",
	.claim = "Set SO_REUSEADDR on the new socket, and bind() works.",
	PROGRAM(reuse_steps),
	.judge = reuse_judge,
};
