/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * words.c owns the names of things, the same in text and in JSON, and what an origin implies.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/socket.h>

#include "user/core/event.h"
#include "user/core/filter.h"
#include "user/core/finding.h"

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

static enum tristate origin_flag(const struct tenure *t, bool implicit)
{
	switch (t ? t->origin : ORIGIN_UNKNOWN) {
	case ORIGIN_CONNECT:
	case ORIGIN_LISTEN:
	case ORIGIN_SEND:
		return YES;
	case ORIGIN_BIND0:
		return implicit ? NO : YES;
	case ORIGIN_BIND:
	case ORIGIN_ACCEPT:
		return NO;
	default:
		return NULL_STATE;
	}
}

enum tristate tenure_is_implicit(const struct tenure *t)
{
	return origin_flag(t, true);
}

enum tristate tenure_is_ephemeral(const struct tenure *t)
{
	return origin_flag(t, false);
}

enum tristate tenure_is_deferred(const struct tenure *t)
{
	if (t->origin == ORIGIN_UNKNOWN)
		return NULL_STATE;
	return t->deferred ? YES : NO;
}

const char *phase_name(uint8_t kind)
{
	static const char *const names[] = {
		[EVENT_BIND] = "bind",
		[EVENT_LISTEN] = "listen",
		[EVENT_CONNECT] = "connect",
		[EVENT_ESTABLISHED] = "established",
		[EVENT_CONNECT_FAILED] = "connect_failed",
		[EVENT_ACCEPT] = "accept",
		[EVENT_SEND] = "send",
		[EVENT_DISCONNECT] = "disconnect",
		[EVENT_CLOSE] = "close",
		[EVENT_TIME_WAIT] = "time_wait",
		[EVENT_RELEASE] = "release",
		[EVENT_EXISTING] = "existing",
		[PHASE_CREATED] = "created",
	};

	return kind < COUNT_OF(names) ? names[kind] : "?";
}

const char *event_name(enum event_kind kind)
{
	return kind < EVENT_KINDS ? phase_name((uint8_t)kind) : "?";
}

const char *origin_name(enum port_origin o)
{
	static const char *const names[ORIGIN_KINDS] = {
		[ORIGIN_NONE] = "none",	    [ORIGIN_BIND] = "bind",
		[ORIGIN_BIND0] = "bind0",   [ORIGIN_CONNECT] = "connect",
		[ORIGIN_LISTEN] = "listen", [ORIGIN_SEND] = "send",
		[ORIGIN_ACCEPT] = "accept", [ORIGIN_UNKNOWN] = "unknown",
	};

	return o < ORIGIN_KINDS ? names[o] : "?";
}

const char *by_name(enum port_by by)
{
	switch (by) {
	case BY_USER:
		return "user";
	case BY_IO_URING:
		return "io_uring";
	case BY_KERNEL:
		return "kernel";
	case BY_BPF:
		return "bpf";
	default:
		return NULL;
	}
}

const char *state_name(uint8_t state)
{
	static const char *const names[] = {
		[TCP_ESTABLISHED] = "established",
		[TCP_SYN_SENT] = "syn_sent",
		[TCP_SYN_RECV] = "syn_recv",
		[TCP_FIN_WAIT1] = "fin_wait_1",
		[TCP_FIN_WAIT2] = "fin_wait_2",
		[TCP_TIME_WAIT] = "time_wait",
		[TCP_CLOSE] = "bound",
		[TCP_CLOSE_WAIT] = "close_wait",
		[TCP_LAST_ACK] = "last_ack",
		[TCP_LISTEN] = "listening",
		[TCP_CLOSING] = "closing",
	};
	const char *name = state < COUNT_OF(names) ? names[state] : NULL;

	return name ? name : "?";
}

/* IPPROTO_*, their names, and their bits for --proto. */
static const struct {
	uint16_t protocol;
	const char *name;
} protocols[] = {
	{ IPPROTO_TCP, "tcp" },
	{ IPPROTO_UDP, "udp" },
	{ IPPROTO_UDPLITE, "udplite" },
	{ IPPROTO_SCTP, "sctp" },
	{ IPPROTO_DCCP, "dccp" },
	{ WIRE_PROTOCOL_MPTCP, "mptcp" },
	{ IPPROTO_ICMP, "ping" },
	{ IPPROTO_ICMPV6, "ping" },
	{ WIRE_PROTOCOL_RAW, "raw" },
	{ WIRE_PROTOCOL_UNIX, "unix" },
	{ WIRE_PROTOCOL_NETLINK, "netlink" },
	{ WIRE_PROTOCOL_VSOCK, "vsock" },
};

static size_t protocol_index(uint16_t protocol)
{
	size_t i = 0;

	while (i < COUNT_OF(protocols) && protocols[i].protocol != protocol)
		i++;
	return i;
}

const char *protocol_name(uint16_t protocol)
{
	size_t i = protocol_index(protocol);

	return i < COUNT_OF(protocols) ? protocols[i].name : NULL;
}

uint32_t protocol_bit(uint16_t protocol)
{
	size_t i = protocol_index(protocol);

	return i < COUNT_OF(protocols) ? UINT32_C(1) << i : 0;
}

const char *family_name(uint16_t family)
{
	switch (family) {
	case AF_INET:
		return "inet";
	case AF_INET6:
		return "inet6";
	case AF_UNIX:
		return "unix";
	case 16: /* AF_NETLINK */
		return "netlink";
	case 40: /* AF_VSOCK */
		return "vsock";
	default:
		return NULL;
	}
}

const char *option_name(unsigned int bit)
{
	static const char *const names[] = {
		"reuseaddr", "reuseport",   "bind_address_no_port", "v6only",
		"freebind",  "transparent", "bindtodevice",
	};

	_Static_assert(1 << COUNT_OF(names) == WIRE_O_ALL + 1, "a name for every option");
	return bit < COUNT_OF(names) ? names[bit] : "?";
}

const char *blind_name(unsigned int bit)
{
	static const char *const names[] = {
		"search_ns",	   "search_tried",  "holders",	   "shared",
		"time_wait_start", "time_wait_end", "non_syscall", "compat",
		"request",	   "created",	    "fd",	   "ping_send",
		"families",
	};

	_Static_assert(1 << COUNT_OF(names) == WIRE_B_ALL + 1, "a name for every blind spot");
	return bit < COUNT_OF(names) ? names[bit] : "?";
}

const char *backend_name(uint32_t backend)
{
	switch (backend) {
	case WIRE_FENTRY:
		return "fentry";
	case WIRE_KPROBE:
		return "kprobe";
	case WIRE_TRACEPOINT:
		return "tracepoint";
	default:
		return "?";
	}
}

const char *finding_name(unsigned int id)
{
	static const char *const names[FINDING_NAMES] = {
		[FINDING_BIND_IN_USE] = "bind-in-use",
		[FINDING_PORTS_EXHAUSTED] = "ports-exhausted",
		[FINDING_PORTS_LOW] = "ports-low",
		[FINDING_CONNECT_TUPLE_IN_USE] = "connect-tuple-in-use",
		[FINDING_BIND_DENIED] = "bind-denied",
		[FINDING_BIND_REFUSED_BY_POLICY] = "bind-refused-by-policy",
		[FINDING_BIND_NOT_LOCAL] = "bind-not-local",
		[FINDING_BIND_TWICE] = "bind-twice",
		[FINDING_EARLY_BIND] = "early-bind",
		[FINDING_TIME_WAIT_HOLDS_PORT] = "time-wait-holds-port",
		[FINDING_LISTEN_RANDOM_PORT] = "listen-random-port",
		[FINDING_LISTEN_LOST_PORT] = "listen-lost-port",
		[FINDING_SLOW_PORT_SEARCH] = "slow-port-search",
		[FINDING_IMPLICIT_BIND] = "implicit-bind",
		[FINDING_EPHEMERAL_PORT] = "ephemeral-port",
	};

	return id < FINDING_NAMES ? names[id] : "?";
}

const char *severity_name(enum severity severity)
{
	switch (severity) {
	case SEVERITY_ERROR:
		return "error";
	case SEVERITY_WARNING:
		return "warning";
	default:
		return "info";
	}
}
