/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_listen.c owns the sentences about servers: listen() (inet_csk_listen_start()), and the
 * connections that come out of it (__inet_inherit_port(), inet_csk_accept()).
 */
#include <errno.h>
#include <netinet/tcp.h>

#include "user/core/explain_rules.h"

#define DONE	 (FACT_OK | FACT_SEEN | FACT_PORT)
#define NOT_DONE (FACT_FAILED | FACT_SEEN)

static bool has_origin(const struct about *a, enum port_origin origin)
{
	return explain_origin(a) == origin;
}

/* Whether it still did is not known: shutdown() may have ended it in between. */
static bool listens_again(const struct about *a)
{
	return explain_was_done(a, EVENT_LISTEN) && a->event->state == TCP_LISTEN &&
	       !a->event->assigned;
}

static bool from_listen(const struct about *a)
{
	return has_origin(a, ORIGIN_LISTEN);
}

static bool never_asked(const struct about *a)
{
	return from_listen(a) && explain_never_asked(a);
}

static bool from_bind(const struct about *a)
{
	return has_origin(a, ORIGIN_BIND);
}

static bool from_zero(const struct about *a)
{
	return has_origin(a, ORIGIN_BIND0);
}

static bool is_lost(const struct about *a)
{
	return a->event->error == EADDRINUSE;
}

static bool is_lost_to_listener(const struct about *a)
{
	return is_lost(a) && (a->event->options & WIRE_O_REUSEADDR);
}

static bool is_lost_otherwise(const struct about *a)
{
	return is_lost(a) && !is_lost_to_listener(a);
}

static bool is_used_up(const struct about *a)
{
	return a->event->error == EADDRINUSE && !a->event->tenure;
}

static const struct explain_rule first[] = {
	{ ON(LISTEN), DONE | FACT_SOCKET, listens_again,
	  "{Who} asked once more to wait for connections at port {port}." },
	{ ON(LISTEN), DONE | FACT_GIVEN | FACT_ORIGIN | FACT_WHOLE_LIFE, never_asked,
	  "{Who} waits for connections without ever having asked for a port, so the kernel picked "
	  "{port}." },
	{ ON(LISTEN), DONE | FACT_GIVEN | FACT_ORIGIN, from_listen,
	  "{Who} waits for connections and had no port for that, so the kernel picked {port}." },
	{ ON(LISTEN), DONE | FACT_ORIGIN, from_bind,
	  "{Who} waits for connections at port {port}, the one it had asked for." },
	{ ON(LISTEN), DONE | FACT_ORIGIN, from_zero,
	  "{Who} waits for connections at port {port}, which the kernel had picked when it asked "
	  "for any." },
	{ ON(LISTEN), DONE, NULL,
	  "{Who} waits for connections at port {port}, which it had before." },
	{ ON(LISTEN), NOT_DONE | FACT_PORT, is_lost,
	  "{Who} has port {port}, but may not wait for connections there." },
	{ ON(LISTEN), NOT_DONE, is_used_up,
	  "{Who} wanted to wait for connections, and the kernel found no free port for that." },
	{ ON(LISTEN), NOT_DONE, NULL,
	  "{Who} wanted to wait for connections, and the kernel refused." },
};

/* --- listen() ----------------------------------------------------------------------------- */

static bool listens(const struct about *a)
{
	return a->event->state == TCP_LISTEN && !listens_again(a);
}

static bool listens_unbound(const struct about *a)
{
	return listens(a) && from_listen(a);
}

static bool listens_bound(const struct about *a)
{
	return listens(a) && (from_bind(a) || from_zero(a));
}

static bool listens_everywhere(const struct about *a)
{
	return listens(a) && explain_is_wildcard(&a->life->local) && !explain_is_on_device(a);
}

static bool listens_on_device(const struct about *a)
{
	return listens(a) && explain_is_wildcard(&a->life->local) && explain_is_on_device(a);
}

static bool listens_here(const struct about *a)
{
	return listens(a) && explain_is_loopback(&a->life->local);
}

static bool shares_reuseport(const struct about *a)
{
	return listens(a) && (a->event->options & WIRE_O_REUSEPORT);
}

static bool is_other(const struct about *a)
{
	return a->event->error != EADDRINUSE;
}

/* --- accept() ----------------------------------------------------------------------------- */

static bool is_child(const struct about *a)
{
	return has_origin(a, ORIGIN_ACCEPT);
}

static const struct explain_rule more[] = {
	{ ON(LISTEN), DONE | FACT_GIVEN | FACT_ORIGIN | FACT_SOCKET, listens_unbound,
	  "The state went from CLOSE to LISTEN, at {own}; getsockname() tells the program the "
	  "number, and clients have to be told." },
	{ ON(LISTEN), DONE | FACT_ORIGIN | FACT_SOCKET, listens_bound,
	  "The state went from CLOSE to LISTEN; listen() found port {port} in the socket, where "
	  "bind() had put it, and only asked whether the socket may still have it." },
	{ ON(LISTEN), DONE | FACT_SOCKET, listens_everywhere,
	  "{local} stands for {every-local} of this network namespace: who can reach one of them "
	  "can connect." },
	{ ON(LISTEN), DONE | FACT_SOCKET, listens_on_device,
	  "{local} stands for {every-local} of this network namespace, but only for what comes in "
	  "through that device (SO_BINDTODEVICE)." },
	{ ON(LISTEN), DONE | FACT_SOCKET, listens_here,
	  "{local} is a loopback address: only programs of this network namespace can connect." },
	{ ON(LISTEN), DONE | FACT_SOCKET, shares_reuseport,
	  "SO_REUSEPORT is set: where several such sockets listen, the kernel spreads new "
	  "connections over them." },
	{ ON(LISTEN), NOT_DONE | FACT_PORT, is_lost_to_listener,
	  "bind() had shared the port under SO_REUSEADDR; that holds as long as nobody listens, "
	  "and "
	  "listen() asks once more: EADDRINUSE." },
	{ ON(LISTEN), NOT_DONE | FACT_PORT, is_lost_otherwise,
	  "listen() asks once more whether the socket may have its port, and somebody who has it, "
	  "too, does not share it: EADDRINUSE." },
	{ ON(LISTEN), NOT_DONE | FACT_RANGE, is_used_up,
	  "Without a port listen() looks for one as bind() to port 0 does, and each port of "
	  "{range} ({ports}) that the kernel may pick is held by somebody who does not share it." },
	{ ON(LISTEN), NOT_DONE, is_other, "listen() failed with {errno}." },
};

const struct explain_table explain_listen = { EXPLAIN_FIRST(first), EXPLAIN_MORE(more) };

static const struct explain_rule accept_first[] = {
	{ ON(ACCEPT), FACT_OK | FACT_SEEN | FACT_PORT | FACT_PEER, NULL,
	  "{Who} took a connection that {peer} had made to its port {port}." },
	{ ON(ESTABLISHED), FACT_OK | FACT_SEEN | FACT_PORT | FACT_PEER, is_child,
	  "A connection from {peer} to port {port} is complete, whether or not the program has "
	  "asked for it yet." },
};

static const struct explain_rule accept_more[] = {
	{ ON(ACCEPT), FACT_OK | FACT_SEEN | FACT_ORIGIN | FACT_PEER | FACT_TCP, is_child,
	  "accept() made no choice: the new socket has the listener's port {port}, and what tells "
	  "connections to it apart is the other end, here {peer}." },
	{ ON(ACCEPT), FACT_OK | FACT_SEEN | FACT_ORIGIN | FACT_PEER | FACT_TCP, is_child,
	  "The kernel made it one more owner of the port: that stays in use at least until the "
	  "listener and all its connections are closed." },
	{ ON(ACCEPT), FACT_OK | FACT_SEEN | FACT_ORIGIN | FACT_PEER | FACT_TCP, is_child,
	  "getsockname() here gives {own}, as getpeername() does at the other end, and the other "
	  "way round, unless something on the way rewrites addresses (NAT)." },
	{ ON(ESTABLISHED), FACT_OK | FACT_SEEN | FACT_ORIGIN | FACT_PEER | FACT_TCP, is_child,
	  "The kernel made a socket for it in state ESTABLISHED, with the listener's port {port}; "
	  "it waits in the listener's queue until accept() takes it." },
};

const struct explain_table explain_accept = { EXPLAIN_FIRST(accept_first),
					      EXPLAIN_MORE(accept_more) };
