/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_connect.c owns the sentences about connect(), and about a send that gives a port or makes
 * a connection: tcp_v4_connect(), __inet_hash_connect(), inet_autobind().
 */
#include <errno.h>
#include <netinet/tcp.h>

#include "user/core/explain_rules.h"

#define DONE  (FACT_OK | FACT_SEEN | FACT_PORT | FACT_PEER)
#define GIVEN (DONE | FACT_GIVEN | FACT_ORIGIN)

static bool is_deferred(const struct about *a)
{
	return a->event->tenure->deferred;
}

static bool from_bind(const struct about *a)
{
	return explain_origin(a) == ORIGIN_BIND && !a->event->assigned;
}

static bool from_zero(const struct about *a)
{
	return explain_origin(a) == ORIGIN_BIND0 && !a->event->assigned;
}

static bool had_port(const struct about *a)
{
	return !a->event->assigned;
}

static bool is_client(const struct about *a)
{
	return explain_origin(a) != ORIGIN_ACCEPT;
}

static const struct explain_rule first[] = {
	{ ON(CONNECT), GIVEN | FACT_SOCKET, is_deferred,
	  "{Who} had asked for an address and no port; now that it connects to {peer}, the kernel "
	  "picked {port}." },
	{ ON(CONNECT), GIVEN | FACT_TCP | FACT_WHOLE_LIFE, explain_never_asked,
	  "{Who} never asked for a port, so the kernel picked {port} for its connection to "
	  "{peer}." },
	{ ON(CONNECT), GIVEN | FACT_TCP, NULL,
	  "{Who} had no port, so the kernel picked {port} for its connection to {peer}." },
	{ ON(CONNECT), GIVEN | FACT_WHOLE_LIFE, explain_never_asked,
	  "{Who} never asked for a port, so the kernel picked {port}, to talk with {peer} from." },
	{ ON(CONNECT), GIVEN, NULL,
	  "{Who} had no port, so the kernel picked {port}, to talk with {peer} from." },
	{ ON(CONNECT), DONE | FACT_ORIGIN, from_bind,
	  "{Who} connects to {peer} from port {port}, the one it had asked for." },
	{ ON(CONNECT), DONE | FACT_ORIGIN, from_zero,
	  "{Who} connects to {peer} from port {port}, which the kernel had picked when it asked "
	  "for "
	  "any." },
	{ ON(CONNECT), DONE, had_port,
	  "{Who} connects to {peer} from port {port}, which it had before." },
	{ ON(CONNECT), FACT_OK | FACT_SEEN | FACT_GIVEN | FACT_ORIGIN, NULL,
	  "{Who} had no port, so the kernel picked {port} to connect from." },
	{ ON(CONNECT), FACT_OK | FACT_SEEN | FACT_PORT, NULL, "{Who} connects from port {port}." },
	{ ON(ESTABLISHED), DONE | FACT_ORIGIN, is_client,
	  "The other side agreed: there is a connection from {own} to {peer}." },
};

/* --- what is in the socket ---------------------------------------------------------------- */

static bool is_attempt(const struct about *a)
{
	return a->event->state == TCP_SYN_SENT;
}

static bool takes_route(const struct about *a)
{
	return is_attempt(a) && !(a->event->userlocks & LOCK_ADDRESS);
}

static bool keeps_address(const struct about *a)
{
	return is_attempt(a) && (a->event->userlocks & LOCK_ADDRESS);
}

static bool from_connect(const struct about *a)
{
	enum port_origin origin = explain_origin(a);

	return origin == ORIGIN_CONNECT || origin == ORIGIN_SEND;
}

/* The kernel's own note, 6.17 */
static bool is_noted(const struct about *a)
{
	return from_connect(a) && (a->event->userlocks & LOCK_CONNECT);
}

static bool is_not_locked(const struct about *a)
{
	return from_connect(a) && !(a->event->userlocks & (LOCK_CONNECT | LOCK_PORT));
}

static bool was_bound(const struct about *a)
{
	return had_port(a) && (from_bind(a) || from_zero(a));
}

static const struct explain_rule more[] = {
	{ ON(CONNECT), DONE | FACT_TCP, had_port,
	  "No search: the port was there, so connect() only made sure that no connection has these "
	  "two addresses and two ports already." },
	{ ON(CONNECT) | ON(SEND), DONE | FACT_TCP | FACT_SOCKET, takes_route,
	  "The state went to SYN_SENT, and the socket has {own} now: the address is that of the "
	  "route to {peer-address}." },
	{ ON(CONNECT) | ON(SEND), DONE | FACT_TCP | FACT_SOCKET, keeps_address,
	  "The state went to SYN_SENT, and the socket has {own} now: the address is the one that "
	  "bind() had been given." },
	{ ON(CONNECT), DONE | FACT_UDP, NULL,
	  "Nothing was sent: connect() on UDP notes {peer} in the socket, and only what comes from "
	  "there is given to the program." },
	{ ON(CONNECT) | ON(SEND), GIVEN | FACT_TCP | FACT_SOCKET, is_noted,
	  "SOCK_CONNECT_BIND notes that connect() gave the port: another socket may connect from "
	  "{port} as well, to another destination." },
	{ ON(CONNECT) | ON(SEND), GIVEN | FACT_TCP | FACT_SOCKET, is_not_locked,
	  "The port is not locked (no SOCK_BINDPORT_LOCK): another socket may connect from {port} "
	  "as well, to another destination." },
	{ ON(CONNECT), DONE | FACT_UDP | FACT_ORIGIN, was_bound,
	  "The port stays as bind() had left it; connect() on UDP looks for one only where there "
	  "is "
	  "none." },
	{ ON(ESTABLISHED), DONE | FACT_TCP | FACT_ORIGIN, from_connect,
	  "The state went to ESTABLISHED; address and port are those that {origin} had put into "
	  "the socket." },
};

const struct explain_table explain_connect = { EXPLAIN_FIRST(first), EXPLAIN_MORE(more) };

/* --- a send ------------------------------------------------------------------------------- */

static bool found_none(const struct about *a)
{
	return a->event->error == EAGAIN;
}

static const struct explain_rule send_first[] = {
	{ ON(SEND), GIVEN | FACT_TCP, NULL,
	  "{Who} sent data without connecting first, so the kernel picked {port} for a connection "
	  "to {peer} that carries them." },
	{ ON(SEND), GIVEN | FACT_WHOLE_LIFE, explain_never_asked,
	  "{Who} never asked for a port, so the kernel picked {port} to send to {peer} from." },
	{ ON(SEND), GIVEN, NULL,
	  "{Who} had no port, so the kernel picked {port} to send to {peer} from." },
	{ ON(SEND), FACT_OK | FACT_SEEN | FACT_GIVEN, NULL,
	  "{Who} had no port, so the kernel picked {port} to send from." },
	{ ON(SEND), FACT_OK | FACT_SEEN | FACT_PORT, NULL, "{Who} sent from port {port}." },
	{ ON(SEND), FACT_FAILED | FACT_SEEN | FACT_PORT, NULL,
	  "{Who} sent from port {port}, and it failed." },
	{ ON(SEND), FACT_FAILED | FACT_SEEN, found_none,
	  "{Who} had no port, and the kernel found none to send from." },
	{ ON(SEND), FACT_FAILED | FACT_SEEN, NULL, "{Who} wanted to send, and that failed." },
};

static bool has_any_address(const struct about *a)
{
	return explain_is_wildcard(&a->life->local);
}

static bool has_cause(const struct about *a)
{
	return a->event->cause && !a->event->tenure;
}

static bool has_no_cause(const struct about *a)
{
	return !has_cause(a);
}

static const struct explain_rule send_more[] = {
	{ ON(SEND), FACT_OK | FACT_SEEN | FACT_GIVEN | FACT_UDP | FACT_SOCKET, has_any_address,
	  "The socket's own address stays {local}, which stands for all: each packet takes that of "
	  "its route, and an answer to port {port} finds the socket." },
	{ ON(SEND), FACT_FAILED | FACT_SEEN | FACT_UDP, has_cause,
	  "The search for a port said {cause}; the program is told EAGAIN, whatever the reason "
	  "was." },
	{ ON(SEND), FACT_FAILED | FACT_SEEN, has_no_cause, "The send failed with {errno}." },
};

const struct explain_table explain_send = { EXPLAIN_FIRST(send_first), EXPLAIN_MORE(send_more) };
