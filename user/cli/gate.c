/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/gate.h"

static int gate_start(void *arg, const struct run_info *run, const struct names *names)
{
	struct gate *self = arg;

	return self->inner.ops->start(self->inner.self, run, names);
}

static int gate_event(void *arg, const struct event *e)
{
	struct gate *self = arg;

	self->passed = !gate_is_shut(self);
	if (!self->passed)
		return 0;
	self->shown++;
	return self->inner.ops->event(self->inner.self, e);
}

/* It goes with its event. */
static int gate_finding(void *arg, const struct finding *f)
{
	struct gate *self = arg;

	return self->passed ? self->inner.ops->finding(self->inner.self, f) : 0;
}

static int gate_life(void *arg, const struct life *l, bool ended)
{
	struct gate *self = arg;

	return self->inner.ops->life(self->inner.self, l, ended);
}

static int gate_lost(void *arg, uint64_t ts_ns, uint64_t count, enum wire_lost_cause cause,
		     uint32_t cpu)
{
	struct gate *self = arg;

	return self->inner.ops->lost(self->inner.self, ts_ns, count, cause, cpu);
}

static int gate_summary(void *arg, const struct run_summary *s)
{
	struct gate *self = arg;
	struct run_summary summary = *s;

	summary.shown = self->shown;
	return self->inner.ops->summary(self->inner.self, &summary);
}

static const struct sink_ops gate_ops = {
	.start = gate_start,
	.event = gate_event,
	.finding = gate_finding,
	.life = gate_life,
	.lost = gate_lost,
	.summary = gate_summary,
};

/* Of a sink that has no lines of lives: core need not ask. */
static const struct sink_ops gate_ops_lifeless = {
	.start = gate_start,
	.event = gate_event,
	.finding = gate_finding,
	.lost = gate_lost,
	.summary = gate_summary,
};

struct sink gate_init(struct gate *self, struct sink inner, uint64_t limit)
{
	*self = (struct gate){ .inner = inner, .limit = limit };
	return (struct sink){
		.ops = inner.ops->life ? &gate_ops : &gate_ops_lifeless,
		.self = self,
	};
}

bool gate_is_shut(const struct gate *self)
{
	return self->limit && self->shown >= self->limit;
}
