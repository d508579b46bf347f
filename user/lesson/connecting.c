/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * connecting.c teaches what a client's port is and how a client can choose it itself.
 */
#include <errno.h>
#include <string.h>

#include "user/lesson/all.h"
#include "user/lesson/run.h"

/* --- implicit-bind ----------------------------------------------------------------------- */

static const struct step implicit_steps[] = {
	NOTE("A network with two numbers to give out, and two servers."),
	SETTING("ip_local_port_range", "40000 40001"),
	TCP("red"),
	BIND("red", "0.0.0.0", 5000),
	LISTEN("red"),
	TCP("blue"),
	BIND("blue", "0.0.0.0", 5001),
	LISTEN("blue"),
	NOTE("connect() alone, to each of them."),
	TCP("one"),
	CONNECT("one", "127.0.0.1", 5000),
	TCP("two"),
	CONNECT("two", "127.0.0.1", 5001),
	NOTE("A real bind() to 0.0.0.0, port 0, and then connect()."),
	TCP("three"),
	BIND("three", "0.0.0.0", 0),
	CONNECT("three", "127.0.0.1", 5000),
	NOTE("Is there anything left for connect() alone?"),
	TCP("four"),
	CONNECT("four", "127.0.0.1", 5001),
};

static bool is_any(const struct wire_place *place)
{
	static const uint8_t zero[16];

	return !memcmp(place->addr, zero, sizeof(zero));
}

static void implicit_judge(const struct run *run, struct verdict *v)
{
	const struct did *one = did_connect(run, "one"), *two = did_connect(run, "two");
	const struct did *bound = did_bind(run, "three"), *three = did_connect(run, "three");
	const struct did *four = did_connect(run, "four");

	if (!gave_port(one) || !gave_port(two) || !gave_port(bound) || !worked(three))
		return;
	verdict_needs(v, run, one, EVENT_CONNECT, ORIGIN_CONNECT);
	verdict_needs(v, run, bound, EVENT_BIND, ORIGIN_BIND0);
	verdict_needs(v, run, three, EVENT_CONNECT, ORIGIN_BIND0);
	if (one->after.port == two->after.port && failed_with(four, EADDRNOTAVAIL)) {
		verdict_say(v, VERDICT_FALSE,
			    "Not quite: connect() alone gave two clients the same number, %u, "
			    "because they call different servers; the number that bind() got, "
			    "%u, went to nobody else, and the next client had none left (%s).",
			    one->after.port, bound->after.port, did_outcome(four));
		if (!is_any(&one->after) && is_any(&bound->after))
			verdict_more(v, "The address differs, too: connect() takes it from the "
					"route to the peer at once; bind() left 0.0.0.0 until "
					"connect() came.");
		verdict_more(v, "connect() has a search of its own (__inet_hash_connect), in which "
				"only the two addresses and the two ports together must be new; "
				"bind() knows no peer yet and must have the port alone at its "
				"address.");
	} else if (one->after.port != two->after.port && worked(four)) {
		verdict_say(v, VERDICT_TRUE,
			    "Here connect() gave each client a number of its own, %u and %u, as "
			    "bind() does.",
			    one->after.port, two->after.port);
	} else if (four->done) {
		verdict_say(v, VERDICT_DEPENDS,
			    "Here connect() gave two clients %u and %u, and one more, after bind() "
			    "had taken %u: %s.",
			    one->after.port, two->after.port, bound->after.port, did_outcome(four));
	}
}

const struct lesson lesson_implicit_bind = {
	.name = "implicit-bind",
	.question = "Is connect() without bind() a bind() in disguise?",
	.claim = "connect() does an implicit bind(0.0.0.0, 0).",
	PROGRAM(implicit_steps),
	.judge = implicit_judge,
};

/* --- client-bind ------------------------------------------------------------------------- */

static const struct step client_steps[] = {
	NOTE("A machine with two networks, and a server that takes all."),
	ADDRESS("192.0.2.1"),
	ADDRESS("198.51.100.1"),
	TCP("server"),
	BIND("server", "0.0.0.0", 5000),
	LISTEN("server"),
	NOTE("A client that wants one port and no other."),
	TCP("exact"),
	BIND("exact", "0.0.0.0", 6000),
	CONNECT("exact", "127.0.0.1", 5000),
	NOTE("One that wants any of ten."),
	TCP("ranged"),
	SET("ranged", RANGE, 45000 | 45009U << 16),
	CONNECT("ranged", "127.0.0.1", 5000),
	NOTE("One that wants to come from its second network."),
	TCP("homed"),
	BIND("homed", "198.51.100.1", 0),
	CONNECT("homed", "192.0.2.1", 5000),
	NOTE("And one below 1024, as rlogin had to."),
	TCP("low"),
	BIND("low", "0.0.0.0", 1023),
	CONNECT("low", "127.0.0.1", 5000),
};

static void client_judge(const struct run *run, struct verdict *v)
{
	static const uint8_t home[4] = { 198, 51, 100, 1 };
	const struct did *exact = did_connect(run, "exact"), *ranged = did_connect(run, "ranged");
	const struct did *homed = did_connect(run, "homed"), *low = did_connect(run, "low");
	const struct did *range = did_nth(run, STEP_OPTION, "ranged", 0);

	if (failed(did_bind(run, "exact"))) {
		verdict_say(v, VERDICT_TRUE, "bind() on a client's socket ended in %s.",
			    did_outcome(did_bind(run, "exact")));
		return;
	}
	if (!worked(exact) || exact->after.port != 6000 || !worked(homed) ||
	    memcmp(homed->after.addr, home, sizeof(home)) != 0 || !worked(low) ||
	    low->after.port != 1023)
		return;
	verdict_needs(v, run, exact, EVENT_CONNECT, ORIGIN_BIND);
	verdict_needs(v, run, homed, EVENT_CONNECT, ORIGIN_BIND0);
	verdict_say(v, VERDICT_FALSE,
		    "A client may bind as a server may: one came from port 6000, one from the "
		    "address 198.51.100.1, one from port 1023, each as it had asked.");
	if (worked(range) && ranged->after.port >= 45000 && ranged->after.port <= 45009)
		verdict_more(v,
			     "And this kernel knows IP_LOCAL_PORT_RANGE: one of ten ports was "
			     "wanted, and it got %u, inside connect().",
			     ranged->after.port);
	else if (failed(range))
		verdict_more(v,
			     "A range for one socket (IP_LOCAL_PORT_RANGE, Linux 6.3) is not to "
			     "be had on this kernel: %s; the client got %u like anybody.",
			     did_outcome(range), ranged->after.port);
	verdict_more(v, "It is seldom wise: a port named by hand can be taken, and whoever closes "
			"first leaves it in TIME_WAIT. See the lessons time-wait and early-bind.");
}

const struct lesson lesson_client_bind = {
	.name = "client-bind",
	.question = "May a client choose the port or the address that it comes from?",
	.claim = "bind() is for servers; a client cannot choose its port.",
	PROGRAM(client_steps),
	.judge = client_judge,
};

/* --- low-ports --------------------------------------------------------------------------- */

static const struct step low_steps[] = {
	READ_SETTING("ip_unprivileged_port_start"),
	NOTE("From here on like the program of an ordinary user."),
	PRIVILEGE(0),
	TCP("web"),
	BIND("web", "127.0.0.1", 80),
	TCP("other"),
	BIND("other", "127.0.0.1", 1024),
	NOTE("The line between the two is a setting."),
	SETTING("ip_unprivileged_port_start", "80"),
	TCP("again"),
	BIND("again", "127.0.0.1", 80),
	TCP("mail"),
	BIND("mail", "127.0.0.1", 25),
	NOTE("And with the right to do so (root has it, others can get it):"),
	PRIVILEGE(1),
	TCP("post"),
	BIND("post", "127.0.0.1", 25),
};

static void low_judge(const struct run *run, struct verdict *v)
{
	const struct did *web = did_bind(run, "web"), *again = did_bind(run, "again");
	const struct did *mail = did_bind(run, "mail"), *post = did_bind(run, "post");

	if (!worked(did_nth(run, STEP_PRIVILEGE, NULL, 0)))
		return;
	if (worked(web)) {
		verdict_say(v, VERDICT_FALSE,
			    "Here anybody may bind port 80 as it is: ip_unprivileged_port_start "
			    "is %d.",
			    did_nth(run, STEP_READ_SETTING, NULL, 0)->result);
		return;
	}
	if (!failed_with(web, EACCES) || !worked(did_bind(run, "other")))
		return;
	if (failed_with(again, EACCES)) {
		verdict_say(v, VERDICT_TRUE, "Port 80 was refused (EACCES), whatever was set.");
	} else if (worked(again) && failed_with(mail, EACCES) && worked(post)) {
		verdict_say(v, VERDICT_FALSE,
			    "It is not about root: an ordinary program was refused port 80 "
			    "(EACCES), and got it as soon as the setting said that ordinary ports "
			    "begin at 80.");
		verdict_more(v, "The rule is: below ip_unprivileged_port_start (1024 unless "
				"somebody changed it) a program needs CAP_NET_BIND_SERVICE in its "
				"network's user namespace. Root has it; `setcap` or systemd's "
				"AmbientCapabilities= give it to others.");
	}
}

const struct lesson lesson_low_ports = {
	.name = "low-ports",
	.question = "Who may bind a port below 1024?",
	.claim = "Only root may bind below 1024.",
	PROGRAM(low_steps),
	.judge = low_judge,
};
