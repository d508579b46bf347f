/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * core.c owns the door: one record in, and the part of core that understands it called.
 */
#include <errno.h>
#include <stdlib.h>

#include "user/core/state.h"

struct core *core_new(const struct filter *filter, const struct sink *sinks, size_t sinks_len)
{
	struct core *core = calloc(1, sizeof(*core));

	if (!core)
		return NULL;
	core->filter = filter;
	core->sinks = sinks;
	core->sinks_len = sinks_len;
	for (size_t i = 0; i < sinks_len; i++)
		core->tells_lives |= sinks[i].ops->life != NULL;
	core->summary.command_exit = -1;
	core->names = names_new();
	if (core->names && !lives_init(&core->lives)) {
		if (!spaces_init(&core->spaces))
			return core;
		lives_free(&core->lives);
	}
	names_free(core->names);
	free(core);
	return NULL;
}

void core_free(struct core *core)
{
	if (!core)
		return;
	run_free(core);
	notes_free(core->notes);
	names_free(core->names);
	family_free(&core->paths);
	told_free(&core->told);
	explain_free(core->explain);
	settings_seen_free(&core->settings);
	lives_free(&core->lives);
	spaces_free(&core->spaces);
	free(core);
}

int core_explain(struct core *core)
{
	if (!core->explain)
		core->explain = explain_new();
	return core->explain ? 0 : -ENOMEM;
}

const struct run_summary *core_summary(const struct core *core)
{
	return &core->summary;
}

size_t core_lives(const struct core *core)
{
	return lives_count(&core->lives);
}

static int apply(struct core *core, union record *r, const char *text)
{
	switch (r->head.kind) {
	case WIRE_START:
		return run_start(core, &r->start, text);
	case WIRE_NAME:
		return names_learn(core->names, &r->name, text);
	case WIRE_SETTINGS:
		spaces_learn(&core->spaces, &r->settings, text);
		return settings_seen_learn(&core->settings, &r->settings, text);
	case WIRE_LOST:
		return run_lost(core, &r->lost);
	case WIRE_COMMAND:
		run_command(core, &r->command);
		return 0;
	case WIRE_PASS:
		return pass_apply(core, &r->pass);
	case WIRE_TICK:
		time_wait_expire(core, r->head.ts_ns);
		return 0;
	case WIRE_STEP: /* of a program that the kernel knows nothing of: for `lesson` */
		return 0;
	case WIRE_STOP:
		return run_stop(core);
	case WIRE_HOLDER:
		return notes_add_holder(&core->notes, &r->holder);
	case WIRE_HOLDERS:
		return notes_add_end(&core->notes, &r->holders);
	case WIRE_OWNER:
		return owner_apply(core, &r->owner);
	case WIRE_END:
		return end_apply(core, &r->end);
	case WIRE_ADDRESS:
		return family_learn(&core->paths, &r->address);
	case WIRE_ESTABLISHED:
	case WIRE_CONNECT_ERROR:
	case WIRE_RELEASE:
	case WIRE_TW_END:
	case WIRE_TIME_WAIT:
		return edge_apply(core, &r->edge);
	default:
		family_translate(core->paths, &r->call);
		return call_apply(core, &r->call);
	}
}

int core_feed(struct core *core, const void *record, size_t len_bytes)
{
	union record r;
	const char *text, *why;
	int err = record_decode(record, len_bytes, &r, &text, &why);

	if (err)
		return err;
	/* WIRE_START comes first and once, nothing comes after WIRE_STOP */
	if (core->stopped || core->started == (r.head.kind == WIRE_START))
		return -EBADMSG;
	if (r.head.ts_ns > core->summary.ts_ns)
		core->summary.ts_ns = r.head.ts_ns;
	return apply(core, &r, text);
}
