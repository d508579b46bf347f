/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/text.h"

#include <sys/socket.h>

#include "user/core/family.h"
#include "user/core/sentence.h"
#include "user/sink/explanation.h"
#include "user/sink/named.h"
#include "user/sink/phrase.h"
#include "user/util/fmt.h"

/* Widths of the columns, each followed by a space; the sums are promised in portlife(1). */
#define PID_WIDTH  7 /* 13..19 */
#define COMM_WIDTH 12
#define PORT_WIDTH 5

#define HOLDERS_WIDTH  128  /* the first of those in the way */
#define SENTENCE_WIDTH 1024 /* of a finding */

#define TEXT_ROOM 6144

_Static_assert(2 * COLUMNS_ADDRESS + ESCAPE_ROOM(COLUMNS_NAME + HOLDERS_WIDTH) + 1024 < TEXT_ROOM,
	       "a line fits");
_Static_assert(ESCAPE_ROOM(SENTENCE_WIDTH) + ESCAPE_ROOM(COLUMNS_NAME) + 1024 < TEXT_ROOM,
	       "a finding, too");
_Static_assert(FMT_U64_MAX + 1 + ESCAPE_ROOM(COMM_WIDTH) + 1 <=
		       sizeof(((struct text_process *)0)->cell),
	       "and two columns");
_Static_assert(TEXT_ROOM <= OUT_ROOM_MAX, "in one piece");

#define COLOR_HEADER   "\033[1m"
#define COLOR_ERROR    "\033[31m"
#define COLOR_IMPLICIT "\033[33m"
#define COLOR_FINDING  "\033[33m"
#define COLOR_LOST     "\033[35m"
#define COLOR_END      "\033[0m"

static const char text_header[] =
	"TIME             PID COMM         PROTO EVENT     PORT FROM     IE "
	"LOCAL > PEER, OR WHY NOT";

/* The event as the column has it, at most TEXT_EVENT_WIDTH; the man page explains them. */
static const char *text_event_word(enum event_kind kind)
{
	static const char *const words[EVENT_KINDS] = {
		[EVENT_BIND] = "bind",
		[EVENT_LISTEN] = "listen",
		[EVENT_CONNECT] = "connect",
		[EVENT_ESTABLISHED] = "estab",
		[EVENT_CONNECT_FAILED] = "failed",
		[EVENT_ACCEPT] = "accept",
		[EVENT_SEND] = "send",
		[EVENT_DISCONNECT] = "unconn",
		[EVENT_CLOSE] = "close",
		[EVENT_TIME_WAIT] = "timewait",
		[EVENT_RELEASE] = "release",
		[EVENT_EXISTING] = "existing",
	};

	return kind < EVENT_KINDS ? words[kind] : "?";
}

static char *text_color(const struct text_sink *self, char *p, const char *color)
{
	return self->options.color ? columns_string(p, color) : p;
}

static char *text_time(struct text_sink *self, char *p, uint64_t ts_ns)
{
	if (self->options.time == WHEN_NONE)
		return p;
	p = when_format(&self->when, p, ts_ns);
	*p++ = ' ';
	return p;
}

static char *text_write_process(const struct text_sink *self, char *p, const struct wire_who *who)
{
	if (who->pid)
		p = fmt_u64_right(p, who->pid, PID_WIDTH);
	else
		p = fmt_literal(p, "      -");
	*p++ = ' ';
	return columns_comm(&self->columns, p, who, COMM_WIDTH);
}

static void text_keep_process(struct text_sink *self, const struct wire_who *who)
{
	struct text_process *process = &self->process;

	process->used = true;
	process->pid = who->pid;
	memcpy(process->comm, who->comm, sizeof(process->comm));
	process->cell_len = (uint8_t)(text_write_process(self, process->cell, who) - process->cell);
}

static char *text_who(struct text_sink *self, char *p, const struct wire_who *who)
{
	struct text_process *process = &self->process;

	if (!who)
		return columns_word(fmt_literal(p, "      - "), "-", COMM_WIDTH);
	if (!process->used || process->pid != who->pid ||
	    memcmp(process->comm, who->comm, sizeof(process->comm)) != 0)
		text_keep_process(self, who);
	memcpy(p, process->cell, sizeof(process->cell)); /* quicker than its length */
	return p + process->cell_len;
}

static char *text_protocol(struct text_sink *self, char *p, const struct event *e)
{
	uint16_t protocol = e->life ? e->life->protocol : 0;

	if (!self->protocol || self->protocol != protocol) {
		const char *name = protocol_name(protocol);

		columns_word(self->protocol_cell, name ? name : "-", TEXT_PROTO_WIDTH);
		self->protocol = protocol;
	}
	return fmt_bytes(p, self->protocol_cell, sizeof(self->protocol_cell));
}

static char *text_flag(char *p, enum tristate value, char yes)
{
	*p++ = value == YES ? yes : value == NO ? '-' : '?';
	return p;
}

/* FROM and IE. A bind() that failed asked for another port than the one there may be. */
static char *text_origin(const struct text_sink *self, char *p, const struct event *e)
{
	const struct tenure *t = e->kind == EVENT_BIND && e->error ? NULL : e->tenure;
	bool colored;

	if (!t || t->origin == ORIGIN_NONE) {
		p = columns_word(p, "-", TEXT_FROM_WIDTH);
		return fmt_literal(p, "-- ");
	}
	colored = tenure_is_implicit(t) == YES;
	if (colored)
		p = text_color(self, p, COLOR_IMPLICIT);
	p = fmt_bytes(p, self->origin_cells[t->origin], sizeof(self->origin_cells[0]));
	p = text_flag(p, tenure_is_implicit(t), 'I');
	p = text_flag(p, tenure_is_ephemeral(t), 'E');
	if (colored)
		p = text_color(self, p, COLOR_END);
	*p++ = ' ';
	return p;
}

static char *text_port(char *p, const struct event *e)
{
	bool asked = e->kind == EVENT_BIND && e->error && e->has_request;
	uint32_t number = e->life ? life_number(e->life, e->port) : e->port;

	if (asked)
		number = endpoint_number(&e->request);
	if (number || (asked && !endpoint_is_named(&e->request)))
		p = fmt_u64_right(p, number, PORT_WIDTH);
	else
		p = fmt_literal(p, "    -");
	*p++ = ' ';
	return p;
}

/* Whom the event has to do with; NULL if with nobody. A connect() that failed leaves nothing in
 * the socket, nor does a send() to an address: then what was asked for. */
static const struct endpoint *text_other(const struct event *e)
{
	bool connects = e->kind == EVENT_CONNECT || e->kind == EVENT_CONNECT_FAILED;
	bool asks = (connects && e->error) || e->kind == EVENT_SEND;

	if (e->kind == EVENT_BIND || e->kind == EVENT_LISTEN)
		return NULL;
	if (asks && e->has_request && phrase_has_peer(&e->request))
		return &e->request;
	return e->life && phrase_is_connected(e->life) ? &e->life->peer : NULL;
}

/* A socket that is closed after its port was given up: by the last one that it had. */
static bool text_is_accepted(const struct event *e)
{
	const struct tenure *t = e->tenure;

	if (!t && e->kind == EVENT_CLOSE && e->life && e->life->tenures_len)
		t = &e->life->tenures[e->life->tenures_len - 1];
	return e->kind == EVENT_ACCEPT || (t && t->origin == ORIGIN_ACCEPT);
}

/* Who is in the way. */
static char *text_holders(const struct text_sink *self, char *p, const struct holders *h)
{
	struct sentence s = { .names = self->columns.names };
	size_t used;

	sentence_add_holders(&s, h);
	p = fmt_literal(p, " held by ");
	return escape_text(p, s.text, s.len, HOLDERS_WIDTH, self->columns.escape, &used);
}

/* The last column. */
static char *text_where(const struct text_sink *self, char *p, const struct event *e)
{
	static const struct life none;
	const struct life *l = e->life ? e->life : &none;
	const struct endpoint *other = text_other(e);
	const struct endpoint *local = &l->local;

	if (e->error) {
		p = text_color(self, p, COLOR_ERROR);
		p = columns_string(p, errno_symbol(e->error));
		if (e->cause) {
			p = fmt_literal(p, " (");
			p = columns_string(p, errno_symbol(e->cause));
			*p++ = ')';
		}
		p = text_color(self, p, COLOR_END);
		*p++ = ' ';
		if (e->kind == EVENT_BIND && e->has_request &&
		    (phrase_has_address(&e->request) || endpoint_is_named(&e->request)))
			local = &e->request;
	}
	if (phrase_has_local(l, e->port) || local != &l->local)
		p = columns_address(&self->columns, p, local, l->ifindex, l->netns);
	else
		*p++ = '-';
	if (other) {
		p = text_is_accepted(e) ? fmt_literal(p, " < ") : fmt_literal(p, " > ");
		p = columns_endpoint(&self->columns, p, other, 0, l->netns);
	}
	if (e->holders && e->holders->len)
		p = text_holders(self, p, e->holders);
	if (e->kind == EVENT_BIND && !e->error && !e->port && l->deferred)
		p = fmt_literal(p, " (no port yet: IP_BIND_ADDRESS_NO_PORT)");
	if (e->assigned && e->tenure && e->tenure->deferred)
		p = fmt_literal(p, " (deferred)");
	if (e->reconciled)
		p = fmt_literal(p, " (found late)");
	return columns_netns(&self->columns, p, l->netns);
}

static int text_event(void *arg, const struct event *e)
{
	struct text_sink *self = arg;
	char *p = out_room(self->out, TEXT_ROOM);

	p = text_time(self, p, e->ts_ns);
	p = text_who(self, p, e->who);
	p = text_protocol(self, p, e);
	p = fmt_bytes(p, self->event_cells[e->kind], sizeof(self->event_cells[0]));
	p = text_port(p, e);
	p = text_origin(self, p, e);
	p = text_where(self, p, e);
	*p++ = '\n';
	out_advance(self->out, p);
	if (e->explanation)
		explanation_write(self->out, e->explanation, self->options.escape);
	return self->out->error;
}

/* Of bytes of strangers, in one piece however long. */
static char *text_sentence(const struct text_sink *self, char *p, const char *text, size_t len)
{
	size_t used;

	return escape_text(p, text, len, SENTENCE_WIDTH, self->columns.escape, &used);
}

/* A line about an event, up to its last column. */
static char *text_note(struct text_sink *self, const struct event *e, const char *word)
{
	char *p = out_room(self->out, TEXT_ROOM);

	p = text_time(self, p, e->ts_ns);
	p = text_who(self, p, e->who);
	p = text_protocol(self, p, e);
	p = columns_word(p, word, TEXT_EVENT_WIDTH);
	p = text_port(p, e);
	p = columns_word(p, "-", TEXT_FROM_WIDTH);
	return fmt_literal(p, "-- ");
}

/* What the finding rests on. */
static void text_evidence(struct text_sink *self, const struct finding *f)
{
	for (size_t i = 0; i < f->evidence_len; i++) {
		char *p = text_note(self, f->event, "evidence");

		p = text_sentence(self, p, f->evidence[i].text, f->evidence[i].len);
		*p++ = '\n';
		out_advance(self->out, p);
	}
}

static int text_finding(void *arg, const struct finding *f)
{
	struct text_sink *self = arg;
	const struct event *e = f->event;
	char *p;

	if (f->severity < SEVERITY_WARNING && !self->options.verbose)
		return 0;
	p = text_note(self, e, "finding");
	p = text_color(self, p, f->severity == SEVERITY_ERROR ? COLOR_ERROR : COLOR_FINDING);
	p = columns_string(p, finding_name(f->id));
	p = text_color(self, p, COLOR_END);
	p = fmt_literal(p, ": ");
	p = text_sentence(self, p, f->text, f->text_len);
	p = fmt_literal(p, ". Hint: ");
	p = columns_string(p, f->hint);
	if (f->count > 1) {
		p = fmt_literal(p, " (");
		p = fmt_u64(p, f->count);
		p = fmt_literal(p, " times)");
	}
	if (e->life)
		p = columns_netns(&self->columns, p, e->life->netns);
	*p++ = '\n';
	out_advance(self->out, p);
	if (self->options.verbose)
		text_evidence(self, f);
	return self->out->error;
}

static int text_start(void *arg, const struct run_info *run, const struct names *names)
{
	struct text_sink *self = arg;
	char *p = out_room(self->out, TEXT_ROOM);

	self->columns.names = names;
	self->columns.own_netns = run->netns;
	self->when = (struct when){
		.style = self->options.time,
		.utc = self->options.utc,
		.boot_ns = run->boot_ns,
		.wall_ns = run->wall_ns,
	};
	if (!self->options.header)
		return 0;
	p = text_color(self, p, COLOR_HEADER);
	p = columns_string(p,
			   text_header + (self->options.time == WHEN_NONE ? WHEN_COLUMN + 1 : 0));
	p = text_color(self, p, COLOR_END);
	*p++ = '\n';
	out_advance(self->out, p);
	return self->out->error;
}

static int text_lost(void *arg, uint64_t ts_ns, uint64_t count, enum wire_lost_cause cause,
		     uint32_t cpu)
{
	struct text_sink *self = arg;
	char *p = out_room(self->out, TEXT_ROOM);

	(void)cpu;
	p = text_time(self, p, ts_ns);
	p = text_color(self, p, COLOR_LOST);
	p = fmt_literal(p, "      - -            -     lost         - -        -- ");
	p = columns_string(p, phrase_lost(cause));
	p = fmt_literal(p, ": ");
	p = fmt_u64(p, count);
	p = text_color(self, p, COLOR_END);
	*p++ = '\n';
	out_advance(self->out, p);
	return out_flush(self->out);
}

static int text_summary(void *arg, const struct run_summary *s)
{
	struct text_sink *self = arg;

	(void)s;
	return out_flush(self->out);
}

static const struct sink_ops text_ops = {
	.start = text_start,
	.event = text_event,
	.finding = text_finding,
	.lost = text_lost,
	.summary = text_summary,
};

struct sink text_sink_init(struct text_sink *self, struct out *out,
			   const struct text_options *options)
{
	*self = (struct text_sink){
		.out = out,
		.options = *options,
		.columns = { .escape = options->escape },
	};
	for (unsigned int kind = 0; kind < EVENT_KINDS; kind++)
		columns_word(self->event_cells[kind], text_event_word(kind), TEXT_EVENT_WIDTH);
	for (unsigned int origin = 0; origin < ORIGIN_KINDS; origin++)
		columns_word(self->origin_cells[origin], origin_name(origin), TEXT_FROM_WIDTH);
	return (struct sink){ .ops = &text_ops, .self = self };
}
