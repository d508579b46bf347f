/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/json.h"

#include "user/core/sentence.h"
#include "user/core/family.h"
#include "user/sink/explanation.h"
#include "user/sink/json_parts.h"
#include "user/sink/named.h"
#include "user/sink/phrase.h"
#include "user/sink/pressure.h"
#include "user/sink/summary.h"

/* A failed operation on a socket that is not followed has no life: every key of it is null. */
static const struct life no_life;

static void json_begin(struct json_sink *self)
{
	json_object_begin(&self->json);
	json_key(&self->json, "type");
}

static int json_end(struct json_sink *self)
{
	json_line_end(&self->json);
	return self->json.out->error;
}

static void json_ranges(struct json_writer *json, const struct run_info *run)
{
	json_key(json, "ranges");
	json_array_begin(json);
	if (run->range_lo || run->range_hi) {
		json_item(json);
		json_object_begin(json);
		json_key(json, "netns");
		json_u64_or_null(json, run->netns, run->netns);
		json_key(json, "range");
		json_range(json, run->range_lo, run->range_hi);
		json_object_end(json);
	}
	json_array_end(json);
}

static void json_blind_command(struct json_writer *json, const struct run_info *run)
{
	json_key(json, "blind");
	json_array_begin(json);
	for (unsigned int bit = 0; (run->blind & WIRE_B_ALL) >> bit; bit++) {
		if (run->blind >> bit & 1) {
			json_item(json);
			json_string_or_null(json, blind_name(bit));
		}
	}
	json_array_end(json);
	json_key(json, "command");
	if (!run->command) {
		json_null(json);
		return;
	}
	json_array_begin(json);
	for (const char *const *word = run->command; *word; word++) {
		json_item(json);
		json_string_or_null(json, *word);
	}
	json_array_end(json);
}

static int json_start(void *arg, const struct run_info *run, const struct names *names)
{
	struct json_sink *self = arg;
	struct json_writer *json = &self->json;
	char *p;

	self->run = run;
	self->names = names;
	self->when = (struct when){ .boot_ns = run->boot_ns, .wall_ns = run->wall_ns };
	json_begin(self);
	json_put_literal(json, "\"start\"");
	json_key(json, "schema");
	json_u64(json, JSON_SCHEMA);
	json_key(json, "version");
	json_string_or_null(json, self->version);
	json_key(json, "backend");
	json_string_or_null(json, run->backend ? backend_name(run->backend) : NULL);
	json_key(json, "kernel");
	json_string_or_null(json, run->kernel);
	json_key(json, "host");
	json_string_or_null(json, run->host);
	json_key(json, "time");
	p = out_room(json->out, WHEN_RFC_ROOM);
	*p++ = '"';
	p = when_format_rfc3339(&self->when, p, run->boot_ns);
	*p++ = '"';
	out_advance(json->out, p);
	json_key(json, "boot_ns"); /* a string: beyond what a double holds exactly */
	json_put_literal(json, "\"");
	json_u64(json, run->boot_ns);
	json_put_literal(json, "\"");
	json_key(json, "netns");
	json_u64_or_null(json, run->netns, run->netns);
	json_ranges(json, run);
	json_blind_command(json, run);
	return json_end(self);
}

static void json_local(struct json_sink *self, const struct life *l, uint16_t port)
{
	if (phrase_has_local(l, port))
		named_json_of(self, l->protocol, &l->local, port, l->netns);
	else
		json_null(&self->json);
}

static void json_peer(struct json_sink *self, const struct life *l)
{
	json_key(&self->json, "peer");
	if (phrase_is_connected(l))
		named_json_of(self, l->protocol, &l->peer, l->peer.port, l->netns);
	else
		json_null(&self->json);
}

static void json_addresses(struct json_sink *self, const struct event *e, const struct life *l)
{
	struct json_writer *json = &self->json;

	json_key(json, "local");
	json_local(self, l, phrase_local_port(e));
	json_peer(self, l);
	json_key(json, "requested");
	if (e->has_request)
		named_json_of(self, l->protocol, &e->request, e->request.port, l->netns);
	else
		json_null(json);
	json_key(json, "errno");
	json_errno(json, e->error);
	json_key(json, "cause");
	json_errno(json, e->cause);
}

/* `deferred` belongs to the tenure, but a bind() that was deferred has none yet. */
static enum tristate json_event_deferred(const struct event *e, const struct life *l)
{
	if (e->tenure)
		return tenure_is_deferred(e->tenure);
	return e->kind == EVENT_BIND && !e->error && l->deferred ? YES : NULL_STATE;
}

static void json_port(struct json_sink *self, const struct event *e, const struct life *l)
{
	struct json_writer *json = &self->json;
	const struct tenure *t = e->tenure;

	json_origin_by(json, t);
	json_implicit_ephemeral(json, t);
	json_key(json, "deferred");
	json_tristate(json, json_event_deferred(e, l));
	json_key(json, "shared");
	json_tristate(json, t ? t->shared : NULL_STATE);
	json_key(json, "existing");
	json_bool(json, l->existing);
	json_key(json, "reconciled");
	json_bool(json, e->reconciled);
	json_key(json, "range");
	json_range(json, e->range_lo, e->range_hi);
	json_key(json, "search_ns");
	json_u64_or_null(json, e->has_search, e->search_ns);
	json_key(json, "search_tried");
	json_u64_or_null(json, e->search_tried, e->search_tried);
	json_key(json, "duration_ns");
	json_u64_or_null(json, e->has_duration, e->duration_ns);
}

static int json_event(void *arg, const struct event *e)
{
	struct json_sink *self = arg;
	struct json_writer *json = &self->json;
	const struct life *l = e->life ? e->life : &no_life;

	json_begin(self);
	json_put_literal(json, "\"event\"");
	json_key(json, "event");
	json_string_or_null(json, event_name(e->kind));
	json_time_ts(self, e->ts_ns);
	json_socket_parent(self, l);
	json_key(json, "fd");
	json_u64_or_null(json, e->fd >= 0, (uint64_t)e->fd);
	json_pid_host(self, e->who);
	json_key(json, "tid");
	json_u64_or_null(json, e->who && e->who->tid, e->who ? e->who->tid : 0);
	json_comm_uid(self, e->who);
	json_netns_cgroup_dev(self, l, e->who);
	json_family_proto(self, l);
	json_addresses(self, e, l);
	json_port(self, e, l);
	json_key(json, "options");
	json_options(json, e->options);
	json_holders(self, e->holders);
	json_findings(json, e->findings);
	json_key(json, "explain");
	explanation_json(json, e->explanation);
	return json_end(self);
}

static void json_finding_pressure(struct json_sink *self, const struct finding *f)
{
	struct json_writer *json = &self->json;

	json_key(json, "pressure");
	if (!f->pressure) {
		json_null(json);
		return;
	}
	json_object_begin(json);
	pressure_json_keys(self, f->pressure);
	json_key(json, "all");
	json_bool(json, f->pressure_all);
	json_object_end(json);
}

static void json_evidence(struct json_writer *json, const struct finding *f)
{
	json_key(json, "evidence");
	json_array_begin(json);
	for (size_t i = 0; i < f->evidence_len; i++) {
		json_item(json);
		json_string(json, f->evidence[i].text, f->evidence[i].len);
	}
	json_array_end(json);
}

static int json_finding(void *arg, const struct finding *f)
{
	struct json_sink *self = arg;
	struct json_writer *json = &self->json;
	const struct event *e = f->event;
	const struct life *l = e->life ? e->life : &no_life;

	json_begin(self);
	json_put_literal(json, "\"finding\"");
	json_key(json, "finding");
	json_string_or_null(json, finding_name(f->id));
	json_key(json, "severity");
	json_string_or_null(json, severity_name(f->severity));
	json_key(json, "text");
	json_string(json, f->text, f->text_len);
	json_key(json, "hint");
	json_string_or_null(json, f->hint);
	json_key(json, "count");
	json_u64(json, f->count);
	/* no key "event": whoever selects by that means the event itself */
	json_time_ts(self, e->ts_ns);
	json_socket_parent(self, l);
	json_pid_host(self, e->who);
	json_comm_uid(self, e->who);
	json_netns_cgroup_dev(self, l, e->who);
	json_family_proto(self, l);
	json_addresses(self, e, l);
	json_holders(self, e->holders);
	json_finding_pressure(self, f);
	json_evidence(json, f);
	return json_end(self);
}

static void json_tenures(struct json_sink *self, const struct life *l)
{
	struct json_writer *json = &self->json;

	json_key(json, "ports");
	json_array_begin(json);
	for (unsigned int i = 0; i < l->tenures_len; i++) {
		const struct tenure *t = &l->tenures[i];

		json_item(json);
		json_object_begin(json);
		json_key(json, "port");
		json_u64_or_null(json, life_number(l, t->port), life_number(l, t->port));
		json_origin_by(json, t);
		json_implicit_ephemeral(json, t);
		json_key(json, "deferred");
		json_tristate(json, tenure_is_deferred(t));
		json_key(json, "shared");
		json_tristate(json, t->shared);
		json_key(json, "range");
		json_range(json, t->range_lo, t->range_hi);
		json_key(json, "assigned_ns");
		json_moment(self, t->assigned_ns);
		json_key(json, "released_ns");
		json_moment(self, t->released_ns);
		json_object_end(json);
	}
	json_array_end(json);
	json_key(json, "ports_omitted");
	json_u64(json, l->tenures_omitted);
}

static void json_phases(struct json_sink *self, const struct life *l)
{
	struct json_writer *json = &self->json;

	json_key(json, "phases");
	json_array_begin(json);
	for (unsigned int i = 0; i < l->phases_len; i++) {
		json_item(json);
		json_object_begin(json);
		json_key(json, "phase");
		json_string_or_null(json, phase_name(l->phases[i].kind));
		json_key(json, "ts_ns");
		json_moment(self, l->phases[i].ts_ns);
		json_key(json, "errno");
		json_errno(json, l->phases[i].error);
		json_object_end(json);
	}
	json_array_end(json);
	json_key(json, "phases_omitted");
	json_u64(json, l->phases_omitted);
}

static int json_life(void *arg, const struct life *l, bool ended)
{
	struct json_sink *self = arg;
	struct json_writer *json = &self->json;
	const struct wire_who *who = l->who_known ? &l->who : NULL;
	bool aged = l->created_ns && l->ended_ns >= l->created_ns;

	json_begin(self);
	json_put_literal(json, "\"life\"");
	json_key(json, "ended");
	json_bool(json, ended);
	json_time_ts(self, l->ended_ns);
	json_socket_parent(self, l);
	json_pid_host(self, who);
	json_comm_uid(self, who);
	json_netns_cgroup_dev(self, l, who);
	json_family_proto(self, l);
	json_key(json, "local");
	json_local(self, l, l->local.port);
	json_peer(self, l);
	json_key(json, "existing");
	json_bool(json, l->existing);
	json_key(json, "reconciled");
	json_bool(json, l->reconciled);
	json_key(json, "time_wait");
	json_bool(json, l->time_wait);
	json_tenures(self, l);
	json_phases(self, l);
	json_key(json, "age_ns");
	json_u64_or_null(json, aged, l->ended_ns - l->created_ns);
	return json_end(self);
}

static int json_lost(void *arg, uint64_t ts_ns, uint64_t count, enum wire_lost_cause cause,
		     uint32_t cpu)
{
	struct json_sink *self = arg;
	struct json_writer *json = &self->json;

	json_begin(self);
	json_put_literal(json, "\"lost\"");
	json_time_ts(self, ts_ns);
	json_key(json, "count");
	json_u64(json, count);
	json_key(json, "cause");
	json_string_or_null(json, phrase_lost_cause(cause));
	json_key(json, "cpu");
	json_u64(json, cpu);
	json_key(json, "action");
	json_string_or_null(json, phrase_lost_action(cause));
	json_line_end(json);
	return out_flush(json->out);
}

static void json_counts(struct json_writer *json, const struct run_summary *s)
{
	json_key(json, "events");
	json_object_begin(json);
	for (int i = 0; i < EVENT_KINDS; i++) {
		json_key_string(json, event_name((enum event_kind)i));
		json_u64(json, s->events[i]);
	}
	json_object_end(json);
	json_key(json, "origins");
	json_object_begin(json);
	for (int i = ORIGIN_BIND; i < ORIGIN_KINDS; i++) {
		json_key_string(json, origin_name((enum port_origin)i));
		json_u64(json, s->origins[i]);
	}
	json_object_end(json);
	json_key(json, "errors");
	json_object_begin(json);
	for (size_t i = 0; i < s->errors_len; i++) {
		json_key_string(json, phrase_errno(s->errors[i].error));
		json_u64(json, s->errors[i].count);
	}
	json_object_end(json);
}

static void json_command_end(struct json_writer *json, const struct run_summary *s)
{
	json_key(json, "command");
	if (!s->has_command) {
		json_null(json);
		return;
	}
	json_object_begin(json);
	json_key(json, "exit");
	json_u64_or_null(json, s->command_exit >= 0, (uint64_t)s->command_exit);
	json_key(json, "signal");
	json_u64_or_null(json, s->command_signal > 0, (uint64_t)s->command_signal);
	json_object_end(json);
}

static int json_summary(void *arg, const struct run_summary *s)
{
	struct json_sink *self = arg;
	struct json_writer *json = &self->json;

	json_begin(self);
	json_put_literal(json, "\"summary\"");
	json_time_ts(self, s->ts_ns);
	json_counts(json, s);
	json_key(json, "ports_given");
	json_u64(json, phrase_ports_given(s));
	json_key(json, "implicit");
	json_u64(json, s->implicit);
	json_key(json, "ephemeral");
	json_u64(json, s->ephemeral);
	json_key(json, "lives");
	json_u64(json, s->lives);
	json_key(json, "lives_ended");
	json_u64(json, s->lives_ended);
	json_key(json, "shown");
	json_u64(json, s->shown);
	json_key(json, "lost");
	json_u64(json, s->lost);
	json_command_end(json, s);
	summary_json_keys(self, s);
	json_line_end(json);
	return out_flush(json->out);
}

static const struct sink_ops json_ops = {
	.start = json_start,
	.event = json_event,
	.finding = json_finding,
	.life = json_life,
	.lost = json_lost,
	.summary = json_summary,
};

struct sink json_sink_init(struct json_sink *self, struct out *out, const char *version)
{
	*self = (struct json_sink){ .json = { .out = out }, .version = version };
	return (struct sink){ .ops = &json_ops, .self = self };
}
