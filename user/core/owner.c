/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * owner.c owns whose a socket is: the process that touched it last, and the filter's verdict, which
 * stays once it is yes.
 */
#include "user/core/state.h"

bool owner_chooses(const struct core *core, const struct wire_who *who, uint32_t facts)
{
	const char *path = NULL;

	if (!filter_chooses(core->filter, who, facts))
		return false;
	if (who && core->filter->cgroup)
		path = names_find(core->names, WIRE_NAME_CGROUP, who->cgroup, 0);
	return filter_chooses_cgroup(core->filter, path);
}

void owner_touch(struct core *core, struct slot *slot, const struct wire_who *who, uint32_t facts)
{
	struct life *life = &slot->life;

	life->who = *who;
	life->who_known = true;
	if (!life->chosen)
		life->chosen = owner_chooses(core, who, facts);
}

/*
 * Of a run with COMMAND the probes tell of a child only if its listener is COMMAND's. One that
 * nobody accepted may outlive the listener (a subflow that joined an MPTCP connection).
 */
static bool child_is_commands(const struct core *core)
{
	const struct filter *f = core->filter;

	return core->run.command && !f->pids_len && !f->has_uid && !f->comm && !f->cgroup;
}

void owner_inherit(struct core *core, struct slot *slot, uint64_t listener_id)
{
	const struct slot *listener = lives_find(&core->lives, listener_id);
	struct life *life = &slot->life;

	if (!listener) {
		life->chosen |= child_is_commands(core);
		return;
	}
	life->parent = listener->life.number;
	if (listener->life.chosen)
		life->chosen = true;
	if (!life->who_known && listener->life.who_known) {
		life->who = listener->life.who;
		life->who_known = true;
	}
}
