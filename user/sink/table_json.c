/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/json_parts.h"
#include "user/sink/named.h"
#include "user/sink/phrase.h"
#include "user/sink/table.h"

#define HOLDERS_SHOWN 16

static void table_json_holder(struct json_sink *self, const struct port_holder *h)
{
	struct json_writer *json = &self->json;

	json_object_begin(json);
	json_pid_host(self, &h->who);
	json_comm_uid(self, &h->who);
	json_key(json, "cgroup");
	json_string_or_null(
		json,
		self->names ? names_find(self->names, WIRE_NAME_CGROUP, h->who.cgroup, 0) : NULL);
	json_unit(self, &h->who);
	json_key(json, "fd");
	json_u64(json, (uint64_t)h->fd);
	json_object_end(json);
}

static uint32_t table_processes(const struct port_row *row)
{
	return port_keeper(row) == KEPT_BY_PROCESS ? row->holders_len : 0;
}

static void table_json_list(struct json_sink *self, const struct port_row *row)
{
	uint32_t count = table_processes(row);

	json_array_begin(&self->json);
	for (uint32_t i = 0; i < count && i < HOLDERS_SHOWN; i++) {
		json_item(&self->json);
		table_json_holder(self, &row->holders[i]);
	}
	json_array_end(&self->json);
}

/* How the port came to it, as events have it. */
static void table_json_tenure(struct json_sink *self, const struct port_row *row)
{
	const struct tenure tenure = port_tenure(row);
	struct json_writer *json = &self->json;

	json_origin_by(json, &tenure);
	json_implicit_ephemeral(json, &tenure);
	json_key(json, "shared");
	json_tristate(json, tenure.shared);
	json_key(json, "owners");
	json_u64(json, row->owners);
	json_key(json, "existing");
	json_bool(json, true);
}

void table_json_row(struct out *out, const struct names *names, const struct port_row *row)
{
	struct json_sink self = { .json = { .out = out }, .names = names };
	const struct life life = port_life(row);
	const struct wire_who *who = life.who_known ? &life.who : NULL;
	uint32_t count = table_processes(row);
	struct json_writer *json = &self.json;

	json_object_begin(json);
	json_key(json, "type");
	json_put_literal(json, "\"port\"");
	json_key(json, "fd");
	json_u64_or_null(json, row->holders[0].fd >= 0, (uint64_t)row->holders[0].fd);
	json_pid_host(&self, who);
	json_comm_uid(&self, who);
	json_netns_cgroup_dev(&self, &life, who);
	json_unit(&self, who);
	json_family_proto(&self, &life);
	json_key(json, "state");
	json_string_or_null(json, port_state(row));
	json_key(json, "held_by");
	json_string_or_null(json, port_keeper_name(port_keeper(row)));
	json_key(json, "local");
	named_json_of(&self, life.protocol, &life.local, life.local.port, life.netns);
	json_key(json, "peer");
	if (phrase_is_connected(&life))
		named_json_of(&self, life.protocol, &life.peer, life.peer.port, life.netns);
	else
		json_null(json);
	table_json_tenure(&self, row);
	json_key(json, "options");
	json_options(json, life.options);
	json_key(json, "age_ns");
	json_null(json); /* the kernel keeps no time of it */
	json_key(json, "age_min_ns");
	json_u64_or_null(json, port_age_min_ms(row), port_age_min_ms(row) * UINT64_C(1000000));
	json_key(json, "time_wait_left_ms");
	json_u64_or_null(json, row->time_wait_left_ms, row->time_wait_left_ms);
	json_key(json, "processes");
	table_json_list(&self, row);
	json_key(json, "processes_omitted");
	json_u64(json, count > HOLDERS_SHOWN ? count - HOLDERS_SHOWN : 0);
	json_line_end(json);
}
