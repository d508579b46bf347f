/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * run.c owns what is said about a run as a whole: how it began, what was lost, how COMMAND ended,
 * the summary.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/state.h"

static char *take_text(char **to, const char *from, size_t len)
{
	char *text = *to;

	memcpy(text, from, len);
	text[len] = 0;
	*to += len + 1;
	return text;
}

/* args: strings that are each ended by NUL, args_len bytes in all. */
static int take_command(struct core *core, const char *args, size_t args_len)
{
	size_t n = 0, filled = 0;

	for (size_t i = 0; i < args_len; i++)
		n += args[i] == 0;
	if (!n)
		return 0;
	core->run_command = calloc(n + 1, sizeof(*core->run_command));
	if (!core->run_command)
		return -ENOMEM;
	for (const char *arg = args; filled < n; arg += strlen(arg) + 1)
		core->run_command[filled++] = arg;
	core->run.command = core->run_command;
	core->summary.has_command = true;
	return 0;
}

static int take_strings(struct core *core, const struct wire_start *s, const char *text)
{
	size_t len = (size_t)s->kernel_len + s->host_len + s->command_len;
	char *to = malloc(len + 3);
	const char *args;

	if (!to)
		return -ENOMEM;
	core->run_text = to;
	core->run.kernel = take_text(&to, text, s->kernel_len);
	core->run.host = take_text(&to, text + s->kernel_len, s->host_len);
	args = take_text(&to, text + s->kernel_len + s->host_len, s->command_len);
	return take_command(core, args, s->command_len);
}

int run_start(struct core *core, const struct wire_start *start, const char *text)
{
	bool has_range = start->range_lo <= start->range_hi;
	int err = take_strings(core, start, text);

	if (err) {
		run_free(core);
		return err;
	}
	core->run.boot_ns = start->head.ts_ns;
	core->run.wall_ns = start->wall_ns;
	core->run.backend = start->backend;
	core->run.blind = start->blind;
	core->run.filter = start->filter;
	core->run.netns = start->netns;
	core->run.range_lo = has_range ? start->range_lo : 0;
	core->run.range_hi = has_range ? start->range_hi : 0;
	core->run.pid_initial = start->pid_initial;
	if (core->run.range_hi) {
		struct settings *own = &spaces_get(&core->spaces, core->run.netns)->settings;

		own->range_lo = core->run.range_lo;
		own->range_hi = core->run.range_hi;
	}
	core->started = true;
	for (size_t i = 0; i < core->sinks_len; i++) {
		const struct sink *sink = &core->sinks[i];

		err = sink->ops->start ? sink->ops->start(sink->self, &core->run, core->names) : 0;
		if (err)
			return err;
	}
	return 0;
}

void run_free(struct core *core)
{
	free(core->run_text);
	free(core->run_command);
	core->run_text = NULL;
	core->run_command = NULL;
	core->run = (struct run_info){ 0 };
}

int run_lost(struct core *core, const struct wire_lost *lost)
{
	core->summary.lost += lost->count;
	for (size_t i = 0; i < core->sinks_len; i++) {
		const struct sink *sink = &core->sinks[i];
		int err = sink->ops->lost ? sink->ops->lost(sink->self, lost->head.ts_ns,
							    lost->count, lost->cause, lost->cpu)
					  : 0;

		if (err)
			return err;
	}
	return 0;
}

void run_command(struct core *core, const struct wire_command *command)
{
	core->summary.has_command = true;
	core->summary.command_exit = command->exit;
	core->summary.command_signal = command->signal;
}

static int tell_summary(struct core *core)
{
	struct run_summary *s = &core->summary;
	int err;

	time_wait_expire(core, s->ts_ns);
	err = pressure_summarise(core);
	s->complete = true;
	s->elapsed_ns = s->ts_ns - core->run.boot_ns;
	for (size_t i = 0; i < core->sinks_len && !err; i++) {
		const struct sink *sink = &core->sinks[i];

		err = sink->ops->summary ? sink->ops->summary(sink->self, s) : 0;
	}
	free((void *)s->spaces);
	s->spaces = NULL;
	s->spaces_len = 0;
	return err;
}

int run_stop(struct core *core)
{
	struct slot *slot = NULL;

	core->stopped = true;
	while ((slot = lives_next(&core->lives, slot))) {
		int err;

		slot->life.ended_ns = core->summary.ts_ns;
		err = life_emit(core, slot);

		if (err)
			return err;
	}
	return tell_summary(core);
}
