/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_end.c owns the sentences about how a port is given up: disconnect, close, TIME_WAIT and
 * release; and about ports that were there before, or were found late.
 */
#include "user/core/explain_rules.h"

#define DONE (FACT_OK | FACT_SEEN)

static bool has_origin(const struct about *a, enum port_origin origin)
{
	return explain_origin(a) == origin;
}

static bool from_bind(const struct about *a)
{
	return has_origin(a, ORIGIN_BIND);
}

static bool keeps_port(const struct about *a)
{
	return a->event->port_after == a->event->port;
}

static bool keeps_named_port(const struct about *a)
{
	return keeps_port(a) && from_bind(a) && (a->event->userlocks & LOCK_PORT);
}

static bool loses_port(const struct about *a)
{
	return !a->event->port_after;
}

static bool from_connect(const struct about *a)
{
	return has_origin(a, ORIGIN_CONNECT);
}

static bool has_listened(const struct about *a)
{
	return explain_was_done(a, EVENT_LISTEN);
}

static bool had_port(const struct about *a)
{
	return a->life->tenures_len;
}

static bool was_connected(const struct about *a)
{
	return explain_was_done(a, EVENT_ESTABLISHED) || explain_was_done(a, EVENT_ACCEPT);
}

/* The rest of a connection gave it up, not the program. */
static bool was_waiting(const struct about *a)
{
	return a->life->ended && a->life->time_wait;
}

static const struct explain_rule first[] = {
	{ ON(RELEASE), FACT_LATE | FACT_PORT, NULL,
	  "Nobody saw it happen, but port {port} has been given back." },
	{ ON(DISCONNECT), DONE | FACT_PORT | FACT_SOCKET, keeps_port,
	  "{Who} let go of the other side, and keeps port {port}." },
	{ ON(DISCONNECT), DONE | FACT_PORT | FACT_SOCKET, loses_port,
	  "{Who} let go of the other side, and of port {port} with it." },
	{ ON(DISCONNECT), FACT_FAILED, NULL,
	  "{Who} wanted to let go of the other side, and that failed." },
	{ ON(CLOSE), DONE | FACT_PORT, has_listened,
	  "The program has closed what waited for connections at {own}." },
	{ ON(CLOSE), DONE | FACT_PORT | FACT_PEER | FACT_TCP, was_connected,
	  "The program is done with {peer}, and with port {port} for that." },
	{ ON(CLOSE), DONE | FACT_PORT | FACT_PEER | FACT_UDP, NULL,
	  "The program is done with {peer}, and with port {port} for that." },
	{ ON(CLOSE), DONE | FACT_PORT, NULL, "The program has closed what it had at port {port}." },
	{ ON(CLOSE), DONE, had_port, "The program is done; it had no port any more." },
	{ ON(CLOSE), DONE, NULL, "The program is done; it had no port." },
	{ ON(TIME_WAIT), DONE | FACT_PORT | FACT_PEER, NULL,
	  "The connection to {peer} is over, but the kernel keeps port {port} for a while, for "
	  "something may still be on its way." },
	{ ON(TIME_WAIT), DONE | FACT_PORT, NULL,
	  "The connection is over, but the kernel keeps port {port} for a while, for something may "
	  "still be on its way." },
	{ ON(RELEASE), DONE | FACT_PORT, was_waiting,
	  "The kernel no longer keeps port {port} for a connection that is over." },
	{ ON(RELEASE), DONE | FACT_PORT | FACT_PEER | FACT_TCP, was_connected,
	  "The connection with {peer} has given back port {port}." },
	{ ON(RELEASE), DONE | FACT_PORT, NULL, "Port {port} has been given back." },
	{ ON(EXISTING), DONE | FACT_ORIGIN, from_connect,
	  "{Who} had port {port} before portlife began to watch; the kernel had picked it for a "
	  "connection." },
	{ ON(EXISTING), DONE | FACT_PORT, NULL,
	  "{Who} had port {port} before portlife began to watch; how it got it was not seen." },
};

/* --- why ---------------------------------------------------------------------------------- */

static bool from_accept(const struct about *a)
{
	return has_origin(a, ORIGIN_ACCEPT);
}

static bool is_concluded(const struct about *a)
{
	return !(a->facts & FACT_TIME_WAIT);
}

static bool was_not_waiting(const struct about *a)
{
	return !was_waiting(a);
}

static bool is_noted(const struct about *a)
{
	return from_connect(a) && a->kernel >= KERNEL(6, 17);
}

static const struct explain_rule more[] = {
	{ ON(DISCONNECT), DONE | FACT_ORIGIN | FACT_SOCKET, keeps_named_port,
	  "connect() with AF_UNSPEC clears the other end; the port is locked (SOCK_BINDPORT_LOCK), "
	  "as bind() had named it." },
	{ ON(DISCONNECT), DONE | FACT_PORT | FACT_SOCKET, loses_port,
	  "connect() with AF_UNSPEC clears the other end; the port goes, too, as it is not locked "
	  "(no SOCK_BINDPORT_LOCK)." },
	{ ON(CLOSE), DONE | FACT_PORT | FACT_TCP, has_listened,
	  "Connections that accept() has taken keep port {port} in use: each is an owner of it, "
	  "the "
	  "listener was only one of them." },
	{ ON(CLOSE), DONE | FACT_PORT | FACT_PEER | FACT_TCP, was_connected,
	  "close() gives back the descriptor; the port stays in use until the connection is over, "
	  "and after that if this side goes through TIME_WAIT." },
	{ ON(TIME_WAIT), DONE | FACT_PORT | FACT_TCP | FACT_TIME_WAIT, NULL,
	  "TIME_WAIT comes to the side that closes first and lasts 60 s; it belongs to no process, "
	  "so lists of processes do not show it." },
	{ ON(TIME_WAIT), DONE | FACT_PORT | FACT_TCP, is_concluded,
	  "That it is in TIME_WAIT now is concluded from the states it went through: this backend "
	  "does not see TIME_WAIT itself." },
	{ ON(TIME_WAIT), DONE | FACT_PORT | FACT_TCP, NULL,
	  "bind() to {own} is refused meanwhile, unless this socket had SO_REUSEADDR (or "
	  "SO_REUSEPORT) and the new one has it, too." },
	{ ON(RELEASE), DONE | FACT_PORT | FACT_TCP, was_not_waiting,
	  "A release is not yet a free port: others who share it, connections accepted at it, and "
	  "TIME_WAIT are owners of their own." },
	{ ON(RELEASE), DONE | FACT_PORT | FACT_ORIGIN | FACT_TCP, from_accept,
	  "Port {port} was the listener's: it stays in use as long as the listener is there." },
	{ ON(EXISTING), DONE | FACT_ORIGIN, is_noted,
	  "Since 6.17 a socket carries a note, SOCK_CONNECT_BIND, that its port is from "
	  "connect()." },
};

const struct explain_table explain_end = { EXPLAIN_FIRST(first), EXPLAIN_MORE(more) };
