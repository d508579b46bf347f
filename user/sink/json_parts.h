/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_parts.h owns the keys that several JSON objects share, so that a key means and looks the
 * same everywhere. Inside of the JSON sink only.
 */
#ifndef PORTLIFE_SINK_JSON_PARTS_H
#define PORTLIFE_SINK_JSON_PARTS_H

#include "user/core/holders.h"
#include "user/sink/json.h"

/* Values. */
void json_tristate(struct json_writer *json, enum tristate value);
void json_u64_or_null(struct json_writer *json, bool known, uint64_t value);
void json_range(struct json_writer *json, uint16_t lo, uint16_t hi);
void json_errno(struct json_writer *json, int error);
void json_options(struct json_writer *json, unsigned int options);
/* Nanoseconds since start, may be negative; null for 0, not seen. */
void json_moment(struct json_sink *self, uint64_t ts_ns);
/* The keys addr and scope; netns: where scope, an interface, holds. */
void json_address_scope(struct json_sink *self, const struct endpoint *end, uint32_t netns);
void json_endpoint(struct json_sink *self, const struct endpoint *end, uint16_t port,
		   uint32_t netns);

/* Keys with their values, in the order of their names. */
void json_time_ts(struct json_sink *self, uint64_t ts_ns); /* nulls for 0 */
void json_socket_parent(struct json_sink *self, const struct life *l);
void json_pid_host(struct json_sink *self, const struct wire_who *who);
void json_comm_uid(struct json_sink *self, const struct wire_who *who);
void json_unit(struct json_sink *self, const struct wire_who *who);
void json_netns_cgroup_dev(struct json_sink *self, const struct life *l,
			   const struct wire_who *who);
void json_family_proto(struct json_sink *self, const struct life *l);
void json_origin_by(struct json_writer *json, const struct tenure *t);
void json_implicit_ephemeral(struct json_writer *json, const struct tenure *t);
/* holders and holders_omitted; NULL: nulls */
void json_holders(struct json_sink *self, const struct holders *h);
/* the ids of these bits */
void json_findings(struct json_writer *json, uint32_t findings);

#endif
