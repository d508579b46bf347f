/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * emit.c owns the last step of core: counting what happened and handing it to the sinks.
 */
#include "user/core/state.h"

#define ERRORS_MAX                                                                                 \
	(sizeof(((struct run_summary *)0)->errors) / sizeof(((struct run_summary *)0)->errors[0]))

struct event event_make(const struct slot *slot, enum event_kind kind, uint64_t ts_ns)
{
	const struct tenure *held = tenure_held(slot);

	return (struct event){
		.kind = kind,
		.ts_ns = ts_ns,
		.life = &slot->life,
		.tenure = held,
		.who = slot->life.who_known ? &slot->life.who : NULL,
		.fd = -1,
		.port = held ? held->port : 0,
		.options = slot->life.options,
	};
}

/* The last of the slots is for all that found no slot: its errno is 0. */
static void count_error(struct run_summary *s, int error)
{
	size_t i = 0;

	while (i < s->errors_len && i < ERRORS_MAX - 1 && s->errors[i].error != error)
		i++;
	if (i == s->errors_len) {
		s->errors_len++;
		s->errors[i].error = i < ERRORS_MAX - 1 ? error : 0;
	}
	s->errors[i].count++;
}

static void count_search(struct search_summary *s, const struct event *e)
{
	size_t bucket = 0;

	while (bucket < SEARCH_BUCKETS - 1 && e->search_ns >= search_below_ns(bucket))
		bucket++;
	s->buckets[bucket]++;
	s->count++;
	s->sum_ns += e->search_ns;
	if (e->search_ns > s->max_ns)
		s->max_ns = e->search_ns;
	if (!e->search_tried)
		return;
	s->tried_count++;
	s->tried_sum += e->search_tried;
	if (e->search_tried > s->tried_max)
		s->tried_max = e->search_tried;
}

static void count_event(struct run_summary *s, const struct event *e)
{
	s->events[e->kind]++;
	if (e->has_search)
		count_search(&s->search, e);
	if (e->error)
		count_error(s, e->error);
	if (!e->assigned || !e->tenure)
		return;
	s->origins[e->tenure->origin]++;
	s->implicit += tenure_is_implicit(e->tenure) == YES;
	s->ephemeral += tenure_is_ephemeral(e->tenure) == YES;
}

static bool is_device(const struct core *core, const struct life *l, uint32_t ifindex)
{
	return ifindex &&
	       filter_selects_device(core->filter,
				     names_find(core->names, WIRE_NAME_DEVICE, ifindex, l->netns));
}

/* Names of devices are in the stream, not in the life. */
static bool has_device(const struct core *core, const struct life *l)
{
	return !core->filter->dev || is_device(core, l, l->ifindex) ||
	       is_device(core, l, l->local.scope) || is_device(core, l, l->peer.scope);
}

static bool selects(const struct core *core, const struct event *e)
{
	return filter_selects(core->filter, e) && has_device(core, e->life);
}

static void count_life(struct core *core, struct slot *slot)
{
	core->summary.lives += !slot->counted;
	slot->counted = true;
}

static int give_event(const struct core *core, const struct event *e)
{
	for (size_t i = 0; i < core->sinks_len; i++) {
		const struct sink *sink = &core->sinks[i];
		int err = sink->ops->event ? sink->ops->event(sink->self, e) : 0;

		if (err)
			return err;
	}
	return 0;
}

static int give_explained(struct core *core, const struct event *e)
{
	struct event explained = *e;
	struct explanation explanation;

	explain_event(core, e, &explanation);
	explained.explanation = &explanation;
	return give_event(core, &explained);
}

#define PRESSURE_ASKED (UINT32_C(1) << FINDING_PORTS_LOW)

/* slot: of the event's socket, NULL if it is gone. */
static int show_event(struct core *core, struct slot *slot, const struct event *e)
{
	int err;

	if (!filter_displays(core->filter, e))
		return 0;
	core->summary.shown++;
	err = core->explain ? give_explained(core, e) : give_event(core, e);
	if (err || !e->findings)
		return err;
	if (slot && (e->findings & PRESSURE_ASKED))
		lives_list(&core->lives, slot); /* its port is among those that are counted */
	return findings_tell(core, e);
}

static void count_findings(struct run_summary *s, uint32_t findings)
{
	s->findings |= findings;
	for (unsigned int id = 0; id < FINDING_KINDS; id++)
		s->found[id] += findings >> id & 1;
}

/* Of an event that is a finding, or may be one. */
static int emit_found(struct core *core, struct slot *slot, const struct event *e,
		      uint32_t findings)
{
	struct event found = *e;
	struct holders holders;

	found.findings = findings;
	time_wait_expire(core, e->ts_ns); /* before it is asked who is in the way */
	if ((findings & PRESSURE_ASKED) && !pressure_is_low(core, e))
		found.findings &= ~PRESSURE_ASKED;
	findings_judge(core, slot, &found, &holders);
	count_findings(&core->summary, found.findings);
	return show_event(core, slot, &found);
}

static void count_port(struct core *core, const struct event *e)
{
	bool released = e->kind == EVENT_RELEASE;

	if (e->tenure && (released || e->assigned))
		spaces_count(&core->spaces, e->life, e->tenure, released);
}

bool phases_are_kept(const struct core *core)
{
	return core->tells_lives || core->explain || core->filter->failed;
}

bool event_only_counts(struct core *core, struct slot *slot, enum event_kind kind,
		       const struct tenure *tenure)
{
	const struct filter *f = core->filter;

	if (f->states || f->dev || !filter_selects_all(f) || phases_are_kept(core))
		return false;
	if (!slot->life.chosen)
		return true;
	if (kind == EVENT_RELEASE)
		spaces_count(&core->spaces, &slot->life, tenure, true);
	count_life(core, slot);
	core->summary.events[kind]++;
	return true;
}

int event_emit(struct core *core, struct slot *slot, const struct event *e)
{
	struct phase phase = {
		.ts_ns = e->ts_ns,
		.error = (uint16_t)e->error,
		.kind = (uint8_t)e->kind,
	};
	int err = phases_are_kept(core) ? lives_add_phase(&core->lives, slot, phase) : 0;
	uint32_t findings;

	if (err)
		return err;
	if (!slot->life.chosen)
		return 0;
	count_port(core, e);
	if (!selects(core, e))
		return 0;
	count_life(core, slot);
	count_event(&core->summary, e);
	findings = findings_of(core, e);
	if (e->assigned && e->range_hi && pressure_is_due(core, e))
		findings |= PRESSURE_ASKED;
	return findings ? emit_found(core, slot, e, findings) : show_event(core, slot, e);
}

int event_emit_late(struct core *core, const struct event *e)
{
	if (e->life->chosen)
		count_port(core, e);
	if (!selects(core, e))
		return 0;
	count_event(&core->summary, e);
	return show_event(core, NULL, e);
}

int life_emit(struct core *core, struct slot *slot)
{
	const struct life *life = &slot->life;
	/* one of its events may have been selected by what it no longer has: a request, a peer */
	bool selected = slot->counted || (life->chosen && has_device(core, life) &&
					  filter_selects_life(core->filter, life));
	bool shown = selected && filter_displays_life(core->filter, life);

	if (shown)
		count_life(core, slot);
	core->summary.lives_ended += slot->counted && life->ended;
	for (size_t i = 0; shown && i < core->sinks_len; i++) {
		const struct sink *sink = &core->sinks[i];
		int err = sink->ops->life ? sink->ops->life(sink->self, life, life->ended) : 0;

		if (err)
			return err;
	}
	return 0;
}
