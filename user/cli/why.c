/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/why.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/cli/data.h"
#include "user/cli/status.h"
#include "user/cli/table.h"
#include "user/sink/why.h"
#include "user/source/hearsay.h"
#include "user/source/make.h"
#include "user/source/place.h"
#include "user/source/settings.h"
#include "user/util/parse.h"
#include "user/util/say.h"

static int why_errno(struct out *out, const struct options *o)
{
	struct settings settings;

	settings_read(&settings);
	if (o->json)
		why_json_errno(out, o->errno_asked, &settings);
	else
		why_text_errno(out, o->errno_asked, &settings);
	return STATUS_DONE;
}

/* --- a port ------------------------------------------------------------------------------- */

/* Whoever called sudo, not root, is who wants to know. */
static bool why_behind_sudo(uint32_t *uid)
{
	const char *text = getenv("SUDO_UID");
	uint64_t number;

	if (geteuid() || !text || parse_number(text, strlen(text), 1, UINT32_MAX - 1, &number))
		return false;
	*uid = (uint32_t)number;
	return true;
}

/* Who would call bind(): --uid, -p, whoever is behind sudo, this process. */
static int why_who(struct place_process *who, const struct options *o)
{
	uint32_t pid = o->filter.pids_len ? o->filter.pids[0] : 0;
	int err = place_look_process(who, (pid_t)pid);

	if (err) {
		say("cannot look at process %u: %s", pid, strerror(-err));
		return err;
	}
	if (pid && !who->netns && !o->filter.has_netns) {
		say("why: which network namespace process %u is in can only be read by root and by "
		    "its own user",
		    pid);
		return -EPERM;
	}
	if (o->filter.has_uid)
		who->uid = o->filter.uid;
	else if (pid || !why_behind_sudo(&who->uid))
		return 0;
	who->is_privileged = who->uid ? NO : YES;
	return 0;
}

static int why_where(struct place *place, const struct options *o, const struct place_process *who,
		     const struct endpoint *local)
{
	uint32_t netns = o->filter.has_netns ? o->filter.netns : who->netns;
	int err = place_look(place, netns, local, *o->device ? o->device : NULL);

	if (err) {
		say("cannot look from network namespace %u: %s", netns, strerror(-err));
		return err;
	}
	if (*o->device && !place->ifindex) {
		say("why: there is no device '%s' in network namespace %u", o->device,
		    place->settings.netns);
		return -ENODEV;
	}
	return 0;
}

static bool is_link_local(const struct endpoint *end)
{
	return end->family == AF_INET6 && end->addr[0] == 0xfe && (end->addr[1] & 0xc0) == 0x80;
}

/* Whose ports are asked about: TCP's, if there is no word of it; those of MPTCP are TCP's. */
static uint16_t why_protocol(const struct options *o)
{
	static const uint16_t others[] = { IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP,
					   IPPROTO_ICMP };
	uint64_t asked = o->filter.protocols;

	if (asked & (protocol_bit(IPPROTO_TCP) | protocol_bit(WIRE_PROTOCOL_MPTCP)))
		return IPPROTO_TCP;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (asked & protocol_bit(others[i]))
			return others[i];
	return IPPROTO_TCP;
}

/* Options that leave a choice, or none. */
static bool why_is_one_question(const struct options *o)
{
	uint64_t tcp_and_udp = protocol_bit(IPPROTO_TCP) | protocol_bit(IPPROTO_UDP);

	if ((o->filter.inet4 && (o->filter.inet6 || o->asked.family == AF_INET6)) ||
	    (o->filter.inet6 && o->asked.family == AF_INET)) {
		say("why: IPv4 or IPv6? one question at a time");
		return false;
	}
	if ((o->filter.protocols & tcp_and_udp) == tcp_and_udp) {
		say("why: TCP or UDP? one question at a time");
		return false;
	}
	return true;
}

static struct endpoint why_local(const struct options *o)
{
	struct endpoint local = o->asked;

	if (!local.family)
		local.family = o->filter.inet6 ? AF_INET6 : AF_INET;
	return local;
}

static int why_tell(struct out *out, const struct options *o, struct why *why,
		    const struct taken *taken, const struct settings *settings)
{
	const struct columns columns = table_columns(taken);

	why_judge(why, taken, settings);
	if (o->json)
		why_json_port(out, columns.names, why, settings);
	else
		why_text_port(out, &columns, why, settings);
	return why_answer(why) == ANSWER_YES ? STATUS_DONE : STATUS_FOUND;
}

/* Is there a file of this name? One of another kind is in the way as well. */
static enum tristate why_file(const struct options *o)
{
	char path[WIRE_PATH_MAX + 1];
	struct stat st;

	if (o->asked.family != AF_UNIX || !o->asked_path.bytes[0])
		return NO;
	memcpy(path, o->asked_path.bytes, o->asked_path.len);
	path[o->asked_path.len] = '\0';
	if (!lstat(path, &st))
		return YES;
	return errno == ENOENT ? NO : NULL_STATE;
}

/* A name of AF_UNIX, a port of AF_VSOCK, a port id of AF_NETLINK. */
static int why_name(struct out *out, const struct options *o)
{
	struct settings settings;
	enum table_source source;
	struct taken *taken;
	struct place_process who;
	struct why why = { .local = o->asked, .is_local = YES, .is_privileged = YES };
	struct columns columns;

	if (why_who(&who, o))
		return STATUS_FAILED;
	settings_read(&settings);
	why.netns = settings.netns;
	why.uid = who.uid;
	why.protocol = o->asked.family == AF_UNIX    ? WIRE_PROTOCOL_UNIX
		       : o->asked.family == AF_VSOCK ? WIRE_PROTOCOL_VSOCK
						     : WIRE_PROTOCOL_NETLINK;
	taken = table_take(o, &source);
	if (!taken)
		return STATUS_FAILED;
	columns = table_columns(taken);
	why.options_known = true;
	why.bound_known = o->asked.family != AF_VSOCK || hearsay_knows_vsock();
	why_judge_name(&why, taken, why_file(o));
	if (o->json)
		why_json_port(out, columns.names, &why, &settings);
	else
		why_text_port(out, &columns, &why, &settings);
	taken_free(taken);
	return why_answer(&why) == ANSWER_YES ? STATUS_DONE : STATUS_FOUND;
}

static int why_port(struct out *out, const struct options *o)
{
	struct endpoint local = why_local(o);
	enum table_source source;
	struct place_process who;
	struct place place;
	struct taken *taken;
	struct why why;
	int status;

	if (!why_is_one_question(o))
		return STATUS_USAGE;
	if (why_who(&who, o) || why_where(&place, o, &who, &local))
		return STATUS_FAILED;
	if (is_link_local(&local))
		local.scope = place.ifindex;
	why = (struct why){
		.local = local,
		.ifindex = place.ifindex,
		.device = *o->device ? o->device : NULL,
		.protocol = why_protocol(o),
		.netns = place.settings.netns,
		.uid = who.uid,
		.is_local = place.is_local,
		.is_privileged = who.is_privileged,
	};
	taken = table_take(o, &source);
	if (!taken)
		return STATUS_FAILED;
	why.options_known = source == TABLE_WALKED && why.protocol != IPPROTO_SCTP;
	/* without a walk other namespaces are dark; of SCTP only what listens is told of */
	why.bound_known = why.protocol != IPPROTO_SCTP &&
			  (source == TABLE_WALKED ||
			   (source == TABLE_HEARD_ALL && why.netns == namespace_inum("net")));
	status = why_tell(out, o, &why, taken, &place.settings);
	taken_free(taken);
	return status;
}

/* --- a connection ------------------------------------------------------------------------- */

static int why_tell_connect(struct out *out, const struct options *o, struct why_connect *why,
			    const struct taken *taken, const struct settings *settings)
{
	const struct columns columns = table_columns(taken);
	int err = why_judge_connect(why, taken, settings);

	if (err) {
		say("why: %s", strerror(-err));
		return STATUS_FAILED;
	}
	if (o->json)
		why_json_connect(out, columns.names, why, settings);
	else
		why_text_connect(out, &columns, why, settings);
	return why->answer == ANSWER_YES ? STATUS_DONE : STATUS_FOUND;
}

/* To an address of IPv4 in IPv6 a socket of IPv6 connects as one of IPv4 (tcp_v6_connect()). */
static struct endpoint why_unmapped(const struct endpoint *end)
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };
	struct endpoint plain = { .family = AF_INET, .port = end->port };

	if (end->family != AF_INET6 || memcmp(end->addr, prefix, sizeof(prefix)) != 0)
		return *end;
	memcpy(plain.addr, end->addr + sizeof(prefix), 4);
	return plain;
}

/* To no address connect() goes to this machine (ip_route_output_key_hash(), tcp_v6_connect()). */
static void why_here(struct endpoint *to, const struct endpoint *from)
{
	static const struct endpoint loopback4 = { .family = AF_INET, .addr = { 127, [3] = 1 } };
	static const struct endpoint loopback6 = { .family = AF_INET6, .addr = { [15] = 1 } };
	static const uint8_t zero[16];
	const struct endpoint *here = to->family == AF_INET ? &loopback4 : &loopback6;

	if (memcmp(to->addr, zero, sizeof(zero)) != 0)
		return;
	if (to->family == AF_INET && from->family)
		here = from;
	memcpy(to->addr, here->addr, sizeof(to->addr));
}

static bool why_can_connect(const struct why_connect *why)
{
	if (why->from.family && why->from.family != why->to.family) {
		say("why: --from and --connect have to be both of IPv4 or both of IPv6");
		return false;
	}
	if (is_link_local(&why->to)) {
		say("why: --connect to a link-local address is not answered: it needs a device");
		return false;
	}
	return true;
}

static int why_connect(struct out *out, const struct options *o)
{
	struct why_connect why = {
		.to = why_unmapped(&o->connect_to),
		.from = why_unmapped(&o->connect_from),
	};
	enum table_source source;
	struct place_process who;
	struct place place;
	struct taken *taken;
	int status, err;

	if (!why_can_connect(&why))
		return STATUS_USAGE;
	why_here(&why.to, &why.from);
	if (why_who(&who, o))
		return STATUS_FAILED;
	err = place_route(o->filter.has_netns ? o->filter.netns : who.netns, &why.to, &why.from);
	why.has_route = !err;
	if (!why.from.family)
		why.from.family = why.to.family;
	if (why_where(&place, o, &who, &why.from))
		return STATUS_FAILED;
	why.netns = place.settings.netns;
	why.is_local = place.is_local;
	taken = table_take(o, &source);
	if (!taken)
		return STATUS_FAILED;
	why.seen = source == TABLE_WALKED || why.netns == namespace_inum("net");
	status = why_tell_connect(out, o, &why, taken, &place.settings);
	taken_free(taken);
	return status;
}

int why_run(const struct options *o)
{
	struct data data;
	int status;
	int err;

	signal(SIGPIPE, SIG_IGN);
	err = data_open(&data, o);
	if (err) {
		if (err == -ENOMEM)
			say("out of memory");
		return STATUS_FAILED;
	}
	if (o->errno_asked)
		status = why_errno(&data.out, o);
	else if (o->connect_to.port)
		status = why_connect(&data.out, o);
	else if (endpoint_is_named(&o->asked))
		status = why_name(&data.out, o);
	else
		status = why_port(&data.out, o);
	return data_close(&data) ? STATUS_FAILED : status;
}
