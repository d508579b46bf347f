/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listening.c teaches that a server may do without bind(), and what lives on it.
 */
#include "user/lesson/all.h"
#include "user/lesson/run.h"

static const struct step without_steps[] = {
	NOTE("Nobody calls bind() here."),
	TCP("server"),
	LISTEN("server"),
	NOTE("Is it a real server? Somebody calls on it at the number it got."),
	TCP("client"),
	CONNECT_TO("client", "127.0.0.1", "server"),
	ACCEPT("conn", "server"),
	NOTE("Once more: is it the same number?"),
	TCP("again"),
	LISTEN("again"),
};

static void without_judge(const struct run *run, struct verdict *v)
{
	const struct did *server = did_listen(run, "server"), *again = did_listen(run, "again");

	if (failed(server)) {
		verdict_say(v, VERDICT_TRUE, "Without bind(), listen() ended in %s.",
			    did_outcome(server));
		return;
	}
	if (!gave_port(server) || !worked(did_accept(run, "conn")))
		return;
	verdict_needs(v, run, server, EVENT_LISTEN, ORIGIN_LISTEN);
	verdict_say(v, VERDICT_FALSE,
		    "listen() worked without bind(): the server got the number %u, which nobody "
		    "asked for, and a client could connect to it.",
		    server->after.port);
	if (gave_port(again))
		verdict_more(v,
			     "The next one got %u: a number that has to be asked for "
			     "(getsockname) and told to whoever shall come.",
			     again->after.port);
	verdict_more(v, "Inside listen() the kernel saw a socket without a port and did what "
			"bind() to 0.0.0.0, port 0 does: it chose a free one from the range in "
			"the setting ip_local_port_range.");
}

const struct lesson lesson_listen_without_bind = {
	.name = "listen-without-bind",
	.question = "Can a server listen without ever calling bind()?",
	.claim = "listen() only works after bind().",
	PROGRAM(without_steps),
	.judge = without_judge,
};

static const struct step data_steps[] = {
	NOTE("A server that everybody knows, and a client that is connected to it."),
	TCP("server"),
	BIND("server", "127.0.0.1", 5021),
	LISTEN("server"),
	TCP("client"),
	CONNECT("client", "127.0.0.1", 5021),
	ACCEPT("conn", "server"),
	NOTE("The client wants a file: it listens anywhere and tells where."),
	TCP("data"),
	LISTEN("data"),
	SEND_PORT("client", "data"),
	NOTE("The server reads the number and calls back."),
	HEAR_PORT("conn"),
	TCP("back"),
	CONNECT_TO("back", "127.0.0.1", TOLD),
	ACCEPT("file", "data"),
};

static void data_judge(const struct run *run, struct verdict *v)
{
	const struct did *data = did_listen(run, "data"), *back = did_connect(run, "back");
	const struct did *heard = did_nth(run, STEP_HEAR_PORT, "conn", 0);

	if (failed(data) || failed(back)) {
		verdict_say(v, VERDICT_TRUE, "listen() ended in %s, connect() in %s.",
			    did_outcome(data), did_outcome(back));
		return;
	}
	if (!gave_port(data) || !worked(heard) || !worked(did_accept(run, "file")) ||
	    back->peer.port != data->after.port)
		return;
	verdict_needs(v, run, data, EVENT_LISTEN, ORIGIN_LISTEN);
	verdict_say(v, VERDICT_FALSE,
		    "It is enough that the peer gets to know it in time: the client listened at "
		    "%u, which it had not chosen, said so over the first connection, and was "
		    "called back there.",
		    data->after.port);
	verdict_more(v, "FTP's data connections work like this (PORT and PASV), and so do RPC "
			"services that register with a portmapper.");
}

const struct lesson lesson_data_connection = {
	.name = "data-connection",
	.question = "What is a port good for that nobody knew beforehand?",
	.claim = "A port to listen at must be agreed upon beforehand.",
	PROGRAM(data_steps),
	.judge = data_judge,
};
