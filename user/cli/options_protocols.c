/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options_protocols.c owns the names of --proto: which protocols each is for the filter, and which
 * probes it needs beyond those of every run.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

#include "user/cli/options_values.h"
#include "user/util/parse.h"
#include "user/util/say.h"

static const struct {
	const char *name;
	uint16_t protocols[2];
	uint32_t families; /* enum wire_family */
} known[] = {
	{ "tcp", { IPPROTO_TCP }, 0 },
	{ "udp", { IPPROTO_UDP }, 0 },
	{ "udplite", { IPPROTO_UDPLITE }, 0 },
	{ "ping", { IPPROTO_ICMP, IPPROTO_ICMPV6 }, 0 },
	{ "raw", { WIRE_PROTOCOL_RAW }, WIRE_FAMILY_RAW },
	{ "mptcp", { WIRE_PROTOCOL_MPTCP }, WIRE_FAMILY_MPTCP },
	{ "sctp", { IPPROTO_SCTP }, WIRE_FAMILY_SCTP },
	{ "unix", { WIRE_PROTOCOL_UNIX }, WIRE_FAMILY_UNIX },
	{ "netlink", { WIRE_PROTOCOL_NETLINK }, WIRE_FAMILY_NETLINK },
	{ "vsock", { WIRE_PROTOCOL_VSOCK }, WIRE_FAMILY_VSOCK },
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

static bool is_word(const char *word, const char *item, size_t len)
{
	return strlen(word) == len && !strncasecmp(word, item, len);
}

static void take_known(struct options *o, size_t index)
{
	for (size_t i = 0; i < 2; i++)
		if (known[index].protocols[i])
			o->filter.protocols |= protocol_bit(known[index].protocols[i]);
	o->live.families |= known[index].families;
	o->live.families_named |= known[index].families;
}

static bool take_item(struct options *o, const char *item, size_t len)
{
	if (is_word("all", item, len)) {
		o->all_protocols = true;
		o->live.families = WIRE_FAMILY_ALL;
		return true;
	}
	for (size_t i = 0; i < KNOWN; i++) {
		if (is_word(known[i].name, item, len)) {
			take_known(o, i);
			return true;
		}
	}
	return false;
}

int options_add_protocols(struct options *o, const char *name, const char *list)
{
	const char *rest = list;
	const char *item;
	size_t len;

	while (parse_list_next(&rest, &item, &len)) {
		if (!len) {
			say(*list ? "%s: '%s' has an empty item; write %s"
				  : "%s: the list is empty%.0s; write %s",
			    name, list, "tcp,udp");
			return -EINVAL;
		}
		if (take_item(o, item, len))
			continue;
		say("%s: '%.*s' is none of tcp, udp, udplite, ping, raw, mptcp, sctp, unix, "
		    "netlink, vsock, all",
		    name, (int)len, item);
		return -EINVAL;
	}
	return 0;
}

/* Some have ports of 32 bits; what a recording holds is not known yet. */
bool options_has_wide_ports(const struct options *o)
{
	return o->replay || o->all_protocols ||
	       (o->live.families & (WIRE_FAMILY_VSOCK | WIRE_FAMILY_NETLINK));
}
