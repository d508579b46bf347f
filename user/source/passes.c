// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/passes.h"

#include "user/source/existing.h"
#include "user/source/make.h"

#define QUIET_NS   300000000ULL	 /* without a loss before all is looked at again */
#define PERIOD_NS  5000000000ULL /* of light passes */
#define APART_NS   15000000ULL	 /* two walks that judge a difference together: 10 ms at least */
#define WALKS_WRAP 65535

void passes_init(struct passes *p, struct existing *existing, uint32_t backend, bool resync)
{
	*p = (struct passes){
		.existing = existing,
		.resync = resync,
		.periodic = resync && backend != WIRE_FENTRY,
		.time_wait = backend != WIRE_TRACEPOINT,
	};
	p->full_ns = existing ? 1 : 0;
}

bool passes_busy(const struct passes *p)
{
	return p->stage != PASS_NONE;
}

void passes_lost(struct passes *p)
{
	p->lost = true;
	if (p->existing && p->resync)
		p->full_ns = clock_boot_ns() + QUIET_NS;
}

void passes_saw(struct passes *p, const struct wire_head *record)
{
	const struct wire_call *call = (const struct wire_call *)record;

	if (p->stage == PASS_ARRIVES && record->ts_ns > p->walked_ns)
		p->overtaken = true;
	if (p->stage == PASS_WALKS && record->kind == WIRE_FOUND && (call->facts & WIRE_F_PASS))
		existing_met(p->existing, call);
}

static void say(struct passes *p, enum wire_pass_stage stage, passes_give *give, void *arg)
{
	struct made made;

	give(arg, made.bytes, make_pass(&made, p->number, stage, p->flags));
}

static void begin(struct passes *p, uint16_t flags, passes_give *give, void *arg)
{
	struct wire_walk walk;

	p->number++;
	p->walk = p->walk == WALKS_WRAP ? 1 : (uint16_t)(p->walk + 1);
	if (p->number == 1)
		flags |= WIRE_P_START;
	p->flags = flags;
	p->lost = p->overtaken = false;
	p->light_ns = 0;
	if (flags & WIRE_P_FULL) {
		p->full_ns = 0;
		p->second = false;
	}
	walk = (struct wire_walk){
		.number = p->walk,
		.flags = flags,
		.time_wait = p->time_wait || (flags & WIRE_P_FULL),
	};
	say(p, WIRE_PASS_BEGIN, give, arg);
	p->stage = PASS_WALKS;
	/* what cannot begin is aborted by the first step */
	p->lost = existing_begin(p->existing, &walk) != 0;
}

/* What comes next, and when. */
static void end(struct passes *p, enum wire_pass_stage stage, passes_give *give, void *arg)
{
	uint64_t now = clock_boot_ns();

	say(p, stage, give, arg);
	p->stage = PASS_NONE;
	if (p->periodic)
		p->light_ns = now + PERIOD_NS;
	/* what one walk saw, the next one can judge; it need not judge what is new to it */
	p->second = p->resync && stage == WIRE_PASS_END && !p->second &&
		    existing_undecided(p->existing);
	if (p->second)
		p->light_ns = now + APART_NS;
	if (p->resync && stage == WIRE_PASS_ABORTED && !p->full_ns)
		p->full_ns = now + QUIET_NS;
}

/* After a loss the absence of a record proves nothing: begin again later. The first one goes on. */
static bool is_pointless(const struct passes *p)
{
	return p->lost && (p->flags & (WIRE_P_FULL | WIRE_P_START)) == WIRE_P_FULL;
}

bool passes_step(struct passes *p, bool emptied, passes_give *give, void *arg)
{
	uint64_t now = clock_boot_ns();
	int more;

	if (p->stage == PASS_NONE) {
		if (p->full_ns && now >= p->full_ns)
			begin(p, WIRE_P_FULL, give, arg);
		else if (p->light_ns && now >= p->light_ns)
			begin(p, 0, give, arg);
		return p->stage != PASS_NONE;
	}
	if (is_pointless(p)) {
		end(p, WIRE_PASS_ABORTED, give, arg);
		return false;
	}
	if (p->stage == PASS_WALKS) {
		more = existing_step(p->existing);
		if (more > 0)
			return true;
		p->lost = p->lost || more < 0;
		p->walked_ns = clock_boot_ns();
		p->stage = PASS_ARRIVES;
		return true;
	}
	if (!emptied && !p->overtaken)
		return false;
	end(p, p->lost ? WIRE_PASS_ABORTED : WIRE_PASS_END, give, arg);
	return false;
}

void passes_finish(struct passes *p)
{
	if (!p->existing || !p->resync)
		return;
	/* fewer losses than before are the best that can be had now */
	if (p->full_ns)
		p->full_ns = 1;
	else if (!p->time_wait)
		p->light_ns = 1;
	else
		p->light_ns = 0;
	p->periodic = false;
}

void passes_abort(struct passes *p, passes_give *give, void *arg)
{
	if (passes_busy(p))
		end(p, WIRE_PASS_ABORTED, give, arg);
}

bool passes_due(const struct passes *p)
{
	return p->full_ns || p->light_ns;
}
