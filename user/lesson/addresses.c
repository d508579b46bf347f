/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addresses.c teaches what the address is good for that a server binds.
 */
#include <errno.h>

#include "user/lesson/all.h"
#include "user/lesson/run.h"

#define HOME	"127.0.0.1"
#define OUTSIDE "192.0.2.1"

static const struct step which_steps[] = {
	NOTE("Others reach this machine through an interface with the address " OUTSIDE "."),
	ADDRESS(OUTSIDE),
	TCP("private"),
	BIND("private", HOME, 5001),
	LISTEN("private"),
	TCP("public"),
	BIND("public", "0.0.0.0", 5002),
	LISTEN("public"),
	TCP("outer"),
	BIND("outer", OUTSIDE, 5003),
	LISTEN("outer"),
	TCP6("both"),
	BIND("both", "::", 5004),
	LISTEN("both"),
	NOTE("From the machine itself, by its own address for itself."),
	TCP("a"),
	CONNECT("a", HOME, 5001),
	TCP("b"),
	CONNECT("b", HOME, 5002),
	TCP("c"),
	CONNECT("c", HOME, 5003),
	NOTE("By the address that others know."),
	TCP("d"),
	CONNECT("d", OUTSIDE, 5001),
	TCP("e"),
	CONNECT("e", OUTSIDE, 5002),
	TCP("f"),
	CONNECT("f", OUTSIDE, 5003),
	NOTE("IPv4 and IPv6 to the one that is bound to [::]."),
	TCP("g"),
	CONNECT("g", HOME, 5004),
	TCP6("h"),
	CONNECT("h", "::1", 5004),
};

static void which_more(const struct run *run, struct verdict *v)
{
	const struct did *both = did_listen(run, "both");

	verdict_more(v, "An address in bind() is a filter on whom the packets are for, not a "
			"place: that of one interface is also reached through another one, unless "
			"SO_BINDTODEVICE says which it must be. 0.0.0.0 is every address of IPv4 "
			"that the machine has.");
	if (!worked(both))
		verdict_more(v, "IPv6 is not to be had here.");
	else if (worked(did_connect(run, "g")) && worked(did_connect(run, "h")))
		verdict_more(v, "[::] took both IPv6 and IPv4; with IPV6_V6ONLY it would be IPv6 "
				"alone.");
	else if (worked(did_connect(run, "g")))
		verdict_more(v, "[::] took IPv4; by IPv6 it could not be reached here (%s).",
			     did_outcome(did_connect(run, "h")));
	else
		verdict_more(v, "[::] did not take IPv4 here (%s).",
			     did_outcome(did_connect(run, "g")));
}

static void which_judge(const struct run *run, struct verdict *v)
{
	const struct did *at_home = did_connect(run, "a"), *outside = did_connect(run, "d");

	if (!worked(at_home) || !worked(did_connect(run, "b")) || !worked(did_connect(run, "e")) ||
	    !worked(did_connect(run, "f")))
		return;
	if (worked(outside) && worked(did_connect(run, "c"))) {
		verdict_say(v, VERDICT_TRUE,
			    "Here every one of the servers could be reached by every address.");
	} else if (failed_with(outside, ECONNREFUSED) &&
		   failed_with(did_connect(run, "c"), ECONNREFUSED)) {
		verdict_say(v, VERDICT_FALSE,
			    "Who listens at 127.0.0.1 is reached by that address alone, which no "
			    "other machine can use; who listens at " OUTSIDE ", by that one "
			    "alone; 0.0.0.0 takes both. The others were refused (%s), though the "
			    "server was there.",
			    did_outcome(outside));
		which_more(run, v);
	}
}

const struct lesson lesson_which_address = {
	.name = "which-address",
	.question = "127.0.0.1, 0.0.0.0, [::] or the address of one interface: who can reach me?",
	.claim = "If the server listens and the port is right, the client gets through.",
	PROGRAM(which_steps),
	.judge = which_judge,
};
