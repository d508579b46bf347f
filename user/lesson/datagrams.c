/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * datagrams.c teaches what other sockets than TCP's do about names and numbers.
 */
#include <errno.h>
#include <string.h>

#include "user/lesson/all.h"
#include "user/lesson/run.h"

static const struct step udp_steps[] = {
	UDP("server"),
	BIND("server", "127.0.0.1", 5300),
	NOTE("Sends without bind()."),
	UDP("sender"),
	SEND_TO("sender", "127.0.0.1", 5300),
	NOTE("Again: does it get another number?"),
	SEND_TO("sender", "127.0.0.1", 5300),
	NOTE("Says first whom it will talk to. Nothing is sent yet."),
	UDP("talker"),
	CONNECT("talker", "127.0.0.1", 5300),
};

static void udp_judge(const struct run *run, struct verdict *v)
{
	static const uint8_t home[4] = { 127, 0, 0, 1 };
	const struct did *sent = did_send(run, "sender"), *talker = did_connect(run, "talker");
	const struct did *again = did_nth(run, STEP_SEND_TO, "sender", 1);

	if (failed(sent)) {
		verdict_say(v, VERDICT_TRUE, "sendto() without bind() ended in %s.",
			    did_outcome(sent));
		return;
	}
	if (!gave_port(sent) || !gave_port(talker) || !worked(again) ||
	    again->after.port != sent->after.port)
		return;
	verdict_needs(v, run, sent, EVENT_SEND, ORIGIN_SEND);
	verdict_needs(v, run, talker, EVENT_CONNECT, ORIGIN_CONNECT);
	verdict_say(v, VERDICT_FALSE,
		    "The first sendto() gave the sender the number %u, and it kept it for the "
		    "second; connect() gave the talker %u before anything was sent.",
		    sent->after.port, talker->after.port);
	if (!memcmp(talker->after.addr, home, sizeof(home)))
		verdict_more(v, "connect() also settled the talker's address (127.0.0.1, from the "
				"route); the sender's is still open.");
	verdict_more(v, "Datagram sockets are bound in inet_autobind() when they need a port for "
			"the first time. Who must be found first (a DNS server, a DHCP client) "
			"still calls bind().");
}

const struct lesson lesson_udp_without_bind = {
	.name = "udp-without-bind",
	.question = "Must a UDP socket call bind() before it sends?",
	.claim = "A UDP socket has no connection, so it must be bound before it can send.",
	PROGRAM(udp_steps),
	.judge = udp_judge,
};

static const struct step other_steps[] = {
	NOTE("ping without privilege: its number tells the answers apart."),
	SETTING("ping_group_range", "0 0"),
	SOCKET("ping", AF_INET, SOCK_DGRAM, IPPROTO_ICMP),
	SEND_ECHO("ping", "127.0.0.1"),
	NOTE("ping as it was: a raw socket."),
	SOCKET("raw", AF_INET, SOCK_RAW, IPPROTO_ICMP),
	SEND_ECHO("raw", "127.0.0.1"),
	NOTE("Sockets within the machine have names."),
	SOCKET("box", AF_UNIX, SOCK_DGRAM, 0),
	BIND("box", "@letters", 0),
	SOCKET("writer", AF_UNIX, SOCK_DGRAM, 0),
	SEND_TO("writer", "@letters", 0),
	NOTE("A bind() to nothing has the kernel choose a name."),
	BIND("writer", "", 0),
	NOTE("Relatives of TCP. Not every kernel has them; none is loaded for this."),
	LOADED_SOCKET("mptcp", "MPTCP", AF_INET, SOCK_STREAM, LESSON_MPTCP),
	LISTEN("mptcp"),
	LOADED_SOCKET("sctp", "SCTP", AF_INET, SOCK_STREAM, IPPROTO_SCTP),
	LISTEN("sctp"),
	NOTE("Who talks with the kernel itself has a number."),
	SOCKET("asker", AF_NETLINK, SOCK_RAW, 0),
	CONNECT("asker", "(0, 0)", 0),
	NOTE("And who waits to be called, inside the machine or between virtual ones?"),
	SOCKET("inbox", AF_UNIX, SOCK_STREAM, 0),
	LISTEN("inbox"),
	LOADED_SOCKET("guest", "AF_VSOCK", AF_VSOCK, SOCK_STREAM, 0),
	LISTEN("guest"),
	BIND("guest", "(VMADDR_CID_ANY, VMADDR_PORT_ANY)", 0),
};

/* What those did that not every kernel has. */
static void other_relatives(const struct run *run, struct verdict *v)
{
	const struct did *mptcp = did_listen(run, "mptcp"), *sctp = did_listen(run, "sctp");
	const struct did *asker = did_connect(run, "asker");
	uint32_t number;

	if (did_see(run, mptcp, EVENT_LISTEN)) /* not every backend sees them */
		verdict_needs(v, run, mptcp, EVENT_LISTEN, ORIGIN_LISTEN);
	if (gave_port(mptcp))
		verdict_more(v, "listen() gave the MPTCP socket port %u.", mptcp->after.port);
	if (gave_port(sctp))
		verdict_more(v, "listen() gave the SCTP socket port %u.", sctp->after.port);
	if (!gave_port(asker))
		return;
	memcpy(&number, asker->after.addr, sizeof(number));
	verdict_more(v, "connect() gave the netlink socket the number %u.", number);
}

static void other_servers(const struct run *run, struct verdict *v)
{
	bool inbox = failed_with(did_listen(run, "inbox"), EINVAL);
	bool guest = failed_with(did_listen(run, "guest"), EINVAL);

	if (inbox || guest)
		verdict_more(v, "But a server of %s must: listen() without bind() ended in EINVAL.",
			     inbox && guest ? "UNIX or VSOCK"
			     : inbox	    ? "UNIX"
					    : "VSOCK");
}

static void other_judge(const struct run *run, struct verdict *v)
{
	const struct did *ping = did_send(run, "ping"), *raw = did_send(run, "raw");
	const struct did *writer = did_send(run, "writer"), *named = did_bind(run, "writer");

	if (failed(ping) || failed(raw) || failed(writer)) {
		verdict_say(v, VERDICT_DEPENDS,
			    "Sending without bind() gave: ping %s, raw %s, UNIX %s.",
			    did_outcome(ping), did_outcome(raw), did_outcome(writer));
		return;
	}
	if (!gave_port(ping) || !worked(raw) || raw->before.port != raw->after.port ||
	    !worked(writer) || writer->after.port)
		return;
	if (did_see(run, ping, EVENT_SEND)) /* not every backend sees pings */
		verdict_needs(v, run, ping, EVENT_SEND, ORIGIN_SEND);
	verdict_say(v, VERDICT_FALSE,
		    "To send, none of them had to: the ping socket was given the number %u when it "
		    "sent, "
		    "the raw one never has one, and the UNIX one sent without a name.",
		    ping->after.port);
	verdict_more(v,
		     "ping's number is the identifier in its ICMP messages. The %u that "
		     "getsockname() shows for the raw socket is its protocol, not a port.",
		     raw->after.port);
	if (worked(named) && named->after.port)
		verdict_more(v,
			     "A nameless UNIX socket can send but not be answered; bind() with "
			     "an empty address had the kernel invent @%.*s.",
			     named->after.port < 16 ? named->after.port - 1 : 15,
			     (const char *)named->after.addr + 1);
	other_relatives(run, v);
	other_servers(run, v);
}

const struct lesson lesson_other_sockets = {
	.name = "other-sockets",
	.question = "Do sockets other than TCP's and UDP's need bind()?",
	.claim = "All sockets must be bound, TCP, UDP or other.",
	PROGRAM(other_steps),
	.judge = other_judge,
};
