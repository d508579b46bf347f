/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/talk.h"

#include <string.h>

#include "user/sink/phrase.h"
#include "user/sink/summary.h"
#include "user/util/fmt.h"

static void talk_string(struct talk_sink *self, const char *text)
{
	out_write(self->out, text, strlen(text));
}

/* A number behind what is due before it. */
static void talk_fact(struct talk_sink *self, const char *before, uint64_t value)
{
	talk_string(self, before);
	out_advance(self->out, fmt_u64(out_room(self->out, FMT_U64_MAX), value));
}

/* ... and what it counts: ", 2 bind(0)" */
static void talk_count(struct talk_sink *self, const char *before, uint64_t count, const char *what)
{
	talk_fact(self, before, count);
	talk_string(self, " ");
	talk_string(self, what);
}

static int talk_start(void *arg, const struct run_info *run, const struct names *names)
{
	struct talk_sink *self = arg;
	const char *before = "portlife: this backend cannot see: ";

	self->columns.names = names;
	self->columns.own_netns = run->netns;
	if (!self->options.blind || !(run->blind & WIRE_B_ALL))
		return 0;
	for (unsigned int bit = 0; (run->blind & WIRE_B_ALL) >> bit; bit++) {
		if (run->blind >> bit & 1) {
			talk_string(self, before);
			talk_string(self, blind_name(bit));
			before = ", ";
		}
	}
	talk_string(self, "\n");
	out_flush(self->out);
	return 0;
}

static int talk_lost(void *arg, uint64_t ts_ns, uint64_t count, enum wire_lost_cause cause,
		     uint32_t cpu)
{
	struct talk_sink *self = arg;

	(void)ts_ns;
	if (!self->options.lost)
		return 0;
	talk_fact(self, "portlife: lost on CPU ", cpu);
	talk_string(self, ": ");
	talk_string(self, phrase_lost(cause));
	talk_fact(self, ": ", count);
	talk_string(self, "\n");
	out_flush(self->out);
	return 0;
}

/* "412 ports given: 9 bind, 2 bind(0), 388 connect, 13 send; 17 accepted" */
static void talk_origins(struct talk_sink *self, const struct run_summary *s)
{
	uint64_t given = phrase_ports_given(s);
	const char *before = ": ";

	talk_count(self, "", given, given == 1 ? "port given" : "ports given");
	for (int i = ORIGIN_BIND; i < ORIGIN_KINDS; i++) {
		if (!s->origins[i] || i == ORIGIN_ACCEPT)
			continue;
		talk_count(self, before, s->origins[i],
			   i == ORIGIN_BIND0 ? "bind(0)" : origin_name((enum port_origin)i));
		before = ", ";
	}
	if (s->origins[ORIGIN_ACCEPT])
		talk_count(self, "; ", s->origins[ORIGIN_ACCEPT], "accepted");
}

/* "3 failed: 2 EADDRINUSE, 1 ECONNREFUSED" */
static void talk_errors(struct talk_sink *self, const struct run_summary *s)
{
	const char *before = ": ";
	uint64_t sum = 0;

	for (size_t i = 0; i < s->errors_len; i++)
		sum += s->errors[i].count;
	if (!sum)
		return;
	talk_count(self, "; ", sum, "failed");
	for (size_t i = 0; i < s->errors_len; i++) {
		talk_count(self, before, s->errors[i].count, phrase_errno(s->errors[i].error));
		before = ", ";
	}
}

static int talk_summary(void *arg, const struct run_summary *s)
{
	struct talk_sink *self = arg;

	if (!self->options.summary)
		return 0;
	talk_origins(self, s);
	talk_errors(self, s);
	talk_count(self, "; ", s->lives, s->lives == 1 ? "socket followed" : "sockets followed");
	talk_count(self, ", ", s->lost, "lost");
	if (s->has_command && s->command_signal > 0)
		talk_fact(self, "; COMMAND was killed by signal ", (uint64_t)s->command_signal);
	else if (s->has_command && s->command_exit > 0)
		talk_fact(self, "; COMMAND exited with ", (uint64_t)s->command_exit);
	talk_string(self, "\n");
	summary_text(self->out, &self->columns, s);
	out_flush(self->out);
	return 0;
}

static const struct sink_ops talk_ops = {
	.start = talk_start,
	.lost = talk_lost,
	.summary = talk_summary,
};

struct sink talk_sink_init(struct talk_sink *self, struct out *out,
			   const struct talk_options *options)
{
	*self = (struct talk_sink){ .out = out, .options = *options };
	return (struct sink){ .ops = &talk_ops, .self = self };
}
