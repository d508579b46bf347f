/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/phrase.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/family.h"
#include "user/util/fmt.h"

static const struct {
	const char *cause, *sentence, *action;
} phrase_losses[] = {
	{ "unknown", "records lost", "counted" },
	[WIRE_LOST_BUFFER] = { "buffer", "records not written, the ring buffer was full (--buffer)",
			       "counted; lives they told of may stay incomplete" },
	[WIRE_LOST_SOCKETS] = { "sockets", "sockets not followed, their table was full",
				"counted; these sockets are not shown" },
	[WIRE_LOST_CALLS] = { "calls", "operations not followed, their table was full",
			      "counted; ports they gave are shown as unknown" },
	[WIRE_LOST_DAMAGED] = { "damaged", "records that did not decode", "counted and skipped" },
	[WIRE_LOST_MISSED] = { "missed", "program runs that the kernel skipped",
			       "counted; steps of lives may be missing" },
	[WIRE_LOST_LATE] = { "late",
			     "kernel modules (SCTP, VSOCK) that came after the start, and whose "
			     "sockets are not seen",
			     "counted; their sockets are seen by a run that starts now" },
};

static size_t phrase_loss(enum wire_lost_cause cause)
{
	size_t count = sizeof(phrase_losses) / sizeof(phrase_losses[0]);

	return (size_t)cause < count ? (size_t)cause : 0;
}

const char *phrase_lost_cause(enum wire_lost_cause cause)
{
	return phrase_losses[phrase_loss(cause)].cause;
}

const char *phrase_lost(enum wire_lost_cause cause)
{
	return phrase_losses[phrase_loss(cause)].sentence;
}

const char *phrase_lost_action(enum wire_lost_cause cause)
{
	return phrase_losses[phrase_loss(cause)].action;
}

uint64_t phrase_ports_given(const struct run_summary *s)
{
	uint64_t sum = 0;

	for (size_t i = ORIGIN_BIND; i < ORIGIN_KINDS; i++)
		if (i != ORIGIN_ACCEPT)
			sum += s->origins[i];
	return sum;
}

const char *phrase_errno(int error)
{
	return error ? errno_symbol(error) : "other";
}

uint16_t phrase_local_port(const struct event *e)
{
	if (e->kind == EVENT_BIND && e->error)
		return e->tenure ? e->tenure->port : 0;
	return e->port;
}

bool phrase_has_address(const struct endpoint *end)
{
	return end->family == AF_INET || end->family == AF_INET6;
}

static bool phrase_is_zero(const struct endpoint *end)
{
	static const uint8_t zero[sizeof(end->addr)];

	return !memcmp(end->addr, zero, sizeof(zero));
}

bool phrase_has_peer(const struct endpoint *peer)
{
	if (endpoint_is_named(peer))
		return peer->family == AF_UNIX ? endpoint_path(peer) != NULL
					       : !phrase_is_zero(peer);
	return phrase_has_address(peer) && peer->port;
}

bool phrase_is_connected(const struct life *life)
{
	bool no_port = life->protocol == WIRE_PROTOCOL_RAW || life->protocol == IPPROTO_ICMP ||
		       life->protocol == IPPROTO_ICMPV6;

	return no_port ? phrase_has_address(&life->peer) && !phrase_is_zero(&life->peer)
		       : phrase_has_peer(&life->peer);
}

bool phrase_has_local(const struct life *life, uint16_t port)
{
	return port || !endpoint_is_named(&life->local);
}

const char *phrase_device(const struct names *names, uint32_t ifindex, uint32_t netns, char *room)
{
	const char *name = names ? names_find(names, WIRE_NAME_DEVICE, ifindex, netns) : NULL;

	if (name)
		return name;
	*fmt_u64(fmt_literal(room, "if"), ifindex) = 0;
	return room;
}
