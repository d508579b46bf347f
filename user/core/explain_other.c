/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain_other.c owns the sentences about sockets that have something else instead of a port: a
 * name, an id, a number. And what is said where no other table has words.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "user/core/explain_rules.h"
#include "user/core/family.h"

#define DONE (FACT_OK | FACT_SEEN)

static bool has_origin(const struct about *a, enum port_origin origin)
{
	return explain_origin(a) == origin;
}

static bool is_implicit(const struct about *a)
{
	return a->event->tenure && tenure_is_implicit(a->event->tenure) == YES;
}

/* --- names of AF_UNIX --------------------------------------------------------------------- */

static bool is_unix(const struct about *a)
{
	return a->life->local.family == AF_UNIX;
}

static bool unix_named(const struct about *a)
{
	return is_unix(a) && has_origin(a, ORIGIN_BIND) && endpoint_path(&a->event->request);
}

static bool unix_any(const struct about *a)
{
	return is_unix(a) && has_origin(a, ORIGIN_BIND0) && endpoint_path(&a->life->local);
}

static bool unix_given(const struct about *a)
{
	return is_unix(a) && is_implicit(a) && endpoint_path(&a->life->local);
}

static bool unix_has_name(const struct about *a)
{
	return is_unix(a) && endpoint_path(&a->life->local);
}

static bool unix_path(const struct about *a)
{
	const struct path *path = is_unix(a) ? endpoint_path(&a->life->local) : NULL;

	return path && path->bytes[0];
}

static bool unix_abstract(const struct about *a)
{
	const struct path *path = is_unix(a) ? endpoint_path(&a->life->local) : NULL;

	return path && !path->bytes[0];
}

static bool unix_taken(const struct about *a)
{
	return is_unix(a) && a->event->error == EADDRINUSE && endpoint_path(&a->event->request);
}

static bool unix_file_there(const struct about *a)
{
	return unix_taken(a) && endpoint_path(&a->event->request)->bytes[0];
}

/* --- numbers ------------------------------------------------------------------------------ */

static bool is_ping(const struct about *a)
{
	return a->life->protocol == IPPROTO_ICMP || a->life->protocol == IPPROTO_ICMPV6;
}

static bool is_netlink(const struct about *a)
{
	return a->life->local.family == AF_NETLINK;
}

static bool is_vsock(const struct about *a)
{
	return a->life->local.family == AF_VSOCK;
}

static bool has_number(const struct about *a)
{
	return is_ping(a) || is_netlink(a) || is_vsock(a);
}

static bool number_taken(const struct about *a)
{
	return has_number(a) && a->event->error == EADDRINUSE &&
	       endpoint_number(&a->event->request);
}

static bool number_named(const struct about *a)
{
	return has_number(a) && has_origin(a, ORIGIN_BIND);
}

static bool number_any(const struct about *a)
{
	return has_number(a) && has_origin(a, ORIGIN_BIND0);
}

static bool number_given(const struct about *a)
{
	return has_number(a) && is_implicit(a);
}

static bool is_raw(const struct about *a)
{
	return a->life->protocol == WIRE_PROTOCOL_RAW;
}

static bool is_other(const struct about *a)
{
	return !unix_file_there(a);
}

#define ANY (UINT32_MAX >> (32 - EVENT_KINDS))

static const struct explain_rule first[] = {
	{ ANY, FACT_LATE, NULL,
	  "Nobody saw this happen: portlife found it when it compared what it knew with what there "
	  "is." },
	{ ON(BIND), FACT_FAILED | FACT_SEEN | FACT_REQUEST, unix_taken,
	  "{Who} asked for the name {request}, but it is taken." },
	{ ON(BIND), FACT_FAILED | FACT_SEEN | FACT_REQUEST, number_taken,
	  "{Who} asked for the number {request-number}, but it is taken." },
	{ ON(BIND), FACT_FAILED | FACT_SEEN | FACT_REQUEST, is_raw,
	  "{Who} asked for the address {request}, and was refused." },
	{ ANY, FACT_FAILED, NULL, "{Who} asked the kernel for something, and was refused." },
	{ ON(BIND), DONE | FACT_ORIGIN | FACT_REQUEST, unix_named,
	  "{Who} asked for the name {request}, and got it." },
	{ ON(BIND), DONE | FACT_ORIGIN, unix_any,
	  "{Who} asked for any name, and the kernel made up {local}." },
	{ ON(BIND) | ON(CONNECT) | ON(LISTEN) | ON(SEND), DONE | FACT_GIVEN | FACT_ORIGIN,
	  unix_given, "{Who} asked for no name, so the kernel made up {local}." },
	{ ON(BIND), DONE | FACT_ORIGIN, number_named,
	  "{Who} asked for the number {number}, and got it." },
	{ ON(BIND), DONE | FACT_ORIGIN, number_any,
	  "{Who} asked for any number, and the kernel picked {number}." },
	{ ON(BIND) | ON(CONNECT) | ON(LISTEN) | ON(SEND), DONE | FACT_GIVEN | FACT_ORIGIN,
	  number_given, "{Who} asked for no number, so the kernel picked {number}." },
	{ ON(BIND), DONE | FACT_REQUEST, is_raw,
	  "{Who} asked for the address {request}, and got it." },
	{ ON(BIND), DONE, NULL, "{Who} asked for an address of its own, and got it." },
	{ ON(CONNECT), DONE, NULL, "{Who} chose whom to talk with." },
	{ ON(LISTEN), DONE, NULL, "{Who} waits for connections." },
	{ ON(ACCEPT), DONE, NULL, "{Who} took a connection." },
	{ ON(SEND), DONE, NULL, "{Who} sent something." },
	{ ON(ESTABLISHED), DONE, NULL, "A connection is there." },
	{ ON(DISCONNECT), DONE, NULL, "{Who} let go of the other side." },
	{ ON(CLOSE), DONE, NULL, "The program is done with this." },
	{ ON(TIME_WAIT), DONE, NULL, "The connection is over." },
	{ ON(RELEASE), DONE, has_number, "The number {number} has been given back." },
	{ ON(RELEASE), DONE, unix_has_name, "The program no longer has the name {local}." },
	{ ON(RELEASE), DONE, NULL, "What it had has been given back." },
	{ ON(EXISTING), DONE, NULL, "This was there before portlife began to watch." },
};

static const struct explain_rule more[] = {
	{ ON(BIND), DONE | FACT_ORIGIN, unix_path,
	  "The name is a file: it stays when the socket is closed, and nobody else gets the name "
	  "until "
	  "somebody removes it." },
	{ ON(BIND) | ON(CONNECT) | ON(LISTEN) | ON(SEND), DONE | FACT_ORIGIN, unix_abstract,
	  "The name begins with a zero byte, shown as @: it is no file, holds in this network "
	  "namespace, and goes with the socket." },
	{ ON(BIND), FACT_FAILED | FACT_SEEN | FACT_REQUEST, unix_file_there,
	  "EADDRINUSE of a path says that there is a file of that name; whether a program still "
	  "has it "
	  "is another question." },
	{ ON(BIND) | ON(CONNECT) | ON(SEND), DONE | FACT_ORIGIN, is_ping,
	  "It is the id of its ICMP echo requests, by which the kernel finds the socket for an "
	  "answer; "
	  "net.ipv4.ip_local_port_range has no say in it." },
	{ ON(BIND) | ON(CONNECT) | ON(SEND), DONE | FACT_ORIGIN, is_netlink,
	  "It is a port id of netlink, of 32 bits; who asks for any mostly gets its process id." },
	{ ON(BIND) | ON(CONNECT), DONE | FACT_ORIGIN, is_vsock,
	  "It is a port of VSOCK, of 32 bits, between virtual machines and their host; "
	  "net.ipv4.ip_local_port_range has no say in it." },
	{ ON(BIND), DONE, is_raw,
	  "A raw socket has no port: where others keep theirs, it has the number of its "
	  "protocol." },
	{ ANY, FACT_FAILED | FACT_SEEN, is_other, "{call} failed with {errno}." },
};

const struct explain_table explain_other = { EXPLAIN_FIRST(first), EXPLAIN_MORE(more) };
