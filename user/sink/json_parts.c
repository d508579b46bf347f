/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/json_parts.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include "user/core/finding.h"
#include "user/core/family.h"
#include "user/core/unit.h"
#include "user/sink/named.h"
#include "user/sink/phrase.h"

void json_tristate(struct json_writer *json, enum tristate value)
{
	if (value == NULL_STATE)
		json_null(json);
	else
		json_bool(json, value == YES);
}

void json_u64_or_null(struct json_writer *json, bool known, uint64_t value)
{
	if (known)
		json_u64(json, value);
	else
		json_null(json);
}

void json_range(struct json_writer *json, uint16_t lo, uint16_t hi)
{
	char *p;

	if (!lo && !hi) {
		json_null(json);
		return;
	}
	p = out_room(json->out, 3 + 2 * FMT_U64_MAX);
	*p++ = '[';
	p = fmt_u64(p, lo);
	*p++ = ',';
	p = fmt_u64(p, hi);
	*p++ = ']';
	out_advance(json->out, p);
}

void json_errno(struct json_writer *json, int error)
{
	json_string_or_null(json, error ? errno_symbol(error) : NULL);
}

void json_options(struct json_writer *json, unsigned int options)
{
	json_array_begin(json);
	for (unsigned int bit = 0; options; bit++, options >>= 1) {
		if (options & 1) {
			json_item(json);
			json_string_or_null(json, option_name(bit));
		}
	}
	json_array_end(json);
}

static int64_t json_since_start(const struct json_sink *self, uint64_t ts_ns)
{
	return (int64_t)(ts_ns - self->run->boot_ns);
}

void json_moment(struct json_sink *self, uint64_t ts_ns)
{
	if (ts_ns)
		json_i64(&self->json, json_since_start(self, ts_ns));
	else
		json_null(&self->json);
}

static const char *json_device_name(struct json_sink *self, uint32_t ifindex, uint32_t netns,
				    char *room)
{
	return ifindex ? phrase_device(self->names, ifindex, netns, room) : NULL;
}

void json_address_scope(struct json_sink *self, const struct endpoint *end, uint32_t netns)
{
	struct json_writer *json = &self->json;
	char room[32];
	char *p;

	json_key(json, "addr");
	p = out_room(json->out, FMT_INET6_MAX + 2);
	*p++ = '"';
	p = end->family == AF_INET ? fmt_inet4(p, end->addr) : fmt_inet6(p, end->addr);
	*p++ = '"';
	out_advance(json->out, p);
	if (end->scope) {
		json_key(json, "scope");
		json_string_or_null(json, json_device_name(self, end->scope, netns, room));
	}
}

void json_endpoint(struct json_sink *self, const struct endpoint *end, uint16_t port,
		   uint32_t netns)
{
	struct json_writer *json = &self->json;
	char room[32];
	char *p;

	if (!phrase_has_address(end)) {
		json_null(json);
		return;
	}
	p = out_room(json->out, FMT_INET6_MAX + FMT_U64_MAX + 32);
	p = fmt_literal(p, "{\"addr\":\"");
	p = end->family == AF_INET ? fmt_inet4(p, end->addr) : fmt_inet6(p, end->addr);
	p = fmt_literal(p, "\",\"port\":");
	p = fmt_u64(p, port);
	out_advance(json->out, p);
	if (end->scope) {
		json_key(json, "scope");
		json_string_or_null(json, json_device_name(self, end->scope, netns, room));
	}
	json_put_literal(json, "}");
}

void json_time_ts(struct json_sink *self, uint64_t ts_ns)
{
	struct json_writer *json = &self->json;
	char *p;

	json_key(json, "time");
	if (ts_ns) {
		p = out_room(json->out, WHEN_RFC_ROOM);
		*p++ = '"';
		p = when_format_rfc3339(&self->when, p, ts_ns);
		*p++ = '"';
		out_advance(json->out, p);
	} else {
		json_null(json);
	}
	json_key(json, "ts_ns");
	json_moment(self, ts_ns);
}

void json_socket_parent(struct json_sink *self, const struct life *l)
{
	struct json_writer *json = &self->json;

	json_key(json, "socket");
	json_u64_or_null(json, l->number, l->number);
	json_key(json, "parent");
	json_u64_or_null(json, l->parent, l->parent);
}

void json_pid_host(struct json_sink *self, const struct wire_who *who)
{
	struct json_writer *json = &self->json;
	uint32_t pid = who ? who->pid : 0;
	uint32_t pid_host = who ? who->pid_host : 0;

	json_key(json, "pid");
	json_u64_or_null(json, pid, pid);
	json_key(json, "pid_host");
	json_u64_or_null(json, pid_host && pid_host != pid, pid_host);
}

void json_comm_uid(struct json_sink *self, const struct wire_who *who)
{
	struct json_writer *json = &self->json;

	json_key(json, "comm");
	if (who)
		json_string(json, who->comm, strnlen(who->comm, sizeof(who->comm)));
	else
		json_null(json);
	json_key(json, "uid");
	json_u64_or_null(json, who, who ? who->uid : 0);
}

void json_netns_cgroup_dev(struct json_sink *self, const struct life *l, const struct wire_who *who)
{
	struct json_writer *json = &self->json;
	const char *cgroup = NULL;
	char room[32];

	json_key(json, "netns");
	json_u64_or_null(json, l->netns, l->netns);
	if (who && self->names)
		cgroup = names_find(self->names, WIRE_NAME_CGROUP, who->cgroup, 0);
	json_key(json, "cgroup");
	json_string_or_null(json, cgroup);
	json_key(json, "dev");
	json_string_or_null(json, json_device_name(self, l->ifindex, l->netns, room));
}

void json_family_proto(struct json_sink *self, const struct life *l)
{
	struct json_writer *json = &self->json;

	json_key(json, "family");
	json_string_or_null(json, family_name(l->local.family));
	json_key(json, "proto");
	json_string_or_null(json, protocol_name(l->protocol));
}

void json_origin_by(struct json_writer *json, const struct tenure *t)
{
	const char *origin = t && t->origin != ORIGIN_NONE ? origin_name(t->origin) : NULL;

	json_key(json, "port_origin");
	json_string_or_null(json, origin);
	json_key(json, "by");
	json_string_or_null(json, t ? by_name(t->by) : NULL);
}

void json_implicit_ephemeral(struct json_writer *json, const struct tenure *t)
{
	json_key(json, "implicit");
	json_tristate(json, t ? tenure_is_implicit(t) : NULL_STATE);
	json_key(json, "ephemeral");
	json_tristate(json, t ? tenure_is_ephemeral(t) : NULL_STATE);
}

void json_unit(struct json_sink *self, const struct wire_who *who)
{
	struct json_writer *json = &self->json;
	const char *path = who ? names_find(self->names, WIRE_NAME_CGROUP, who->cgroup, 0) : NULL;
	size_t len = 0;
	const char *unit = path ? unit_find(path, &len) : NULL;

	json_key(json, "unit");
	if (unit)
		json_string(json, unit, len);
	else
		json_null(json);
}

/* "wildcard-holder,no-reuseaddr": how the two overlap, and why they may not share. */
static void json_rule(struct json_writer *json, const struct conflict *c)
{
	const char *reason = conflict_reason_name(c->reason);

	json_key(json, "rule");
	json_put_literal(json, "\"");
	json_put(json, conflict_overlap_name(c->overlap),
		 strlen(conflict_overlap_name(c->overlap)));
	if (c->same_device)
		json_put_literal(json, ",same-device");
	if (reason) {
		json_put_literal(json, ",");
		json_put(json, reason, strlen(reason));
	}
	json_put_literal(json, "\"");
}

static void json_holder(struct json_sink *self, const struct holder *h)
{
	struct json_writer *json = &self->json;
	uint32_t pid = h->who ? h->who->pid : 0;

	json_object_begin(json);
	json_key(json, "socket");
	json_u64_or_null(json, h->socket, h->socket);
	json_key(json, "pid");
	json_u64_or_null(json, pid, pid);
	json_comm_uid(self, h->who);
	json_key(json, "netns");
	json_u64_or_null(json, h->netns, h->netns);
	json_unit(self, h->who);
	json_key(json, "fds"); /* processes that have it open */
	json_u64_or_null(json, h->processes, h->processes);
	json_key(json, "fd");
	json_u64_or_null(json, h->processes && h->fd >= 0, (uint64_t)h->fd);
	json_key(json, "held_by");
	json_string_or_null(json, port_keeper_name((enum port_keeper)h->keeper));
	json_key(json, "source");
	json_string_or_null(json, holder_source_name((enum holder_source)h->source));
	json_key(json, "local");
	if (endpoint_is_named(&h->local))
		named_json(json, &h->local);
	else
		json_endpoint(self, &h->local, h->local.port, h->netns);
	json_key(json, "state");
	json_string_or_null(json, state_name(h->state));
	json_key(json, "options");
	json_options(json, h->options);
	json_key(json, "port_origin");
	json_string_or_null(json, origin_name(h->origin));
	json_key(json, "time_wait_left_ms");
	json_u64_or_null(json, h->left_known && h->state == TCP_TIME_WAIT, h->left_ms);
	json_rule(json, &h->conflict);
	json_object_end(json);
}

void json_holders(struct json_sink *self, const struct holders *h)
{
	struct json_writer *json = &self->json;

	if (!h) {
		json_put_literal(json, ",\"holders\":null,\"holders_omitted\":null");
		return;
	}
	json_key(json, "holders");
	json_array_begin(json);
	for (size_t i = 0; i < h->len; i++) {
		json_item(json);
		json_holder(self, &h->list[i]);
	}
	json_array_end(json);
	json_key(json, "holders_omitted");
	json_u64(json, h->omitted);
}

void json_findings(struct json_writer *json, uint32_t findings)
{
	json_key(json, "findings");
	json_array_begin(json);
	for (unsigned int id = 0; findings; id++, findings >>= 1) {
		if (findings & 1) {
			json_item(json);
			json_string_or_null(json, finding_name(id));
		}
	}
	json_array_end(json);
}
