/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * findings_tell.c owns who is told of a finding, how often, and with what evidence.
 */
#include <string.h>

#include "user/core/findings.h"

#define REPEAT_NS (UINT64_C(60) * 1000000000) /* one a minute, by one program */

static bool is_repeat(const struct repeat *r, const struct repeat *now)
{
	return r->used && r->id == now->id && r->kind == now->kind && r->port == now->port &&
	       r->netns == now->netns && r->protocol == now->protocol &&
	       !memcmp(r->comm, now->comm, sizeof(r->comm));
}

/* What was told of a program already, or the place of what was told longest ago. */
static struct repeat *repeat_of(struct repeats *repeats, const struct repeat *now)
{
	struct repeat *oldest = &repeats->list[0];

	for (size_t i = 0; i < REPEATS_MAX; i++) {
		struct repeat *r = &repeats->list[i];

		if (is_repeat(r, now))
			return r;
		if (r->told_ns < oldest->told_ns)
			oldest = r;
	}
	*oldest = *now;
	return oldest;
}

/* The port that a program named, or had, and could not use: another one is another matter. */
static uint16_t refused_port(const struct event *e)
{
	if (!e->error)
		return 0;
	if (e->kind == EVENT_BIND)
		return e->has_request ? e->request.port : 0;
	return e->tenure ? e->port : 0;
}

/* How many times it happened since it was told of; 0 if it is too early to tell again. */
static uint64_t take_repeats(struct repeats *repeats, enum finding_id id, const struct event *e)
{
	struct repeat now = { .protocol = e->life->protocol,
			      .id = (uint8_t)id,
			      .kind = (uint8_t)e->kind,
			      .port = refused_port(e),
			      .netns = e->life->netns };
	struct repeat *r;
	uint64_t count;

	if (e->who)
		memcpy(now.comm, e->who->comm, sizeof(now.comm));
	r = repeat_of(repeats, &now);
	count = ++r->count;
	if (r->used && (e->ts_ns < r->told_ns || e->ts_ns - r->told_ns < REPEAT_NS))
		return 0;
	r->used = true;
	r->told_ns = e->ts_ns;
	r->count = 0;
	return count;
}

static int give(struct core *core, const struct finding *f)
{
	for (size_t i = 0; i < core->sinks_len; i++) {
		const struct sink *sink = &core->sinks[i];
		int err = sink->ops->finding ? sink->ops->finding(sink->self, f) : 0;

		if (err)
			return err;
	}
	return 0;
}

static int tell(struct core *core, enum finding_id id, const struct event *e, uint64_t count)
{
	const struct finding_rule *rule = finding_rule(id);
	struct sentence s = { .names = core->names }, evidence[EVIDENCE_MAX];
	struct scarcity scarcity = { .for_peer = false };
	struct telling t = { .core = core, .event = e, .s = &s };
	struct finding f = { .id = id, .severity = rule->severity, .event = e, .count = count };

	if (rule->counts) {
		int err = scarcity_count(&scarcity, core, e);

		if (err)
			return err;
		t.scarcity = &scarcity;
		f.pressure = &scarcity.pressure;
		f.pressure_all = !core_unseen(core);
	}
	rule->say(&t);
	f.text = s.text;
	f.text_len = s.len;
	f.hint = rule->choose_hint ? rule->choose_hint(e) : rule->hint;
	f.evidence = evidence;
	f.evidence_len = evidence_gather(&t, id, evidence);
	return give(core, &f);
}

int findings_tell(struct core *core, const struct event *e)
{
	for (enum finding_id id = 0; id < FINDING_KINDS; id++) {
		uint64_t count;
		int err;

		if (!(e->findings & FINDING_BIT(id)))
			continue;
		count = take_repeats(&core->repeats, id, e);
		err = count ? tell(core, id, e, count) : 0;
		if (err)
			return err;
	}
	return 0;
}
