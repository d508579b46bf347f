/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/lesson/run.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/family.h"
#include "user/core/sentence.h"
#include "user/lesson/python.h"

/* FNV-1a */
static uint32_t hash_add(uint32_t hash, unsigned char byte)
{
	return (hash ^ byte) * 16777619U;
}

static uint32_t hash_add_number(uint32_t hash, uint32_t number)
{
	for (int i = 0; i < 4; i++, number >>= 8)
		hash = hash_add(hash, (unsigned char)number);
	return hash;
}

/* Its end counts, so that "ab", "c" and "a", "bc" differ; none is not an empty one. */
static uint32_t hash_add_text(uint32_t hash, const char *text)
{
	if (!text)
		return hash_add(hash, 1);
	for (; *text; text++)
		hash = hash_add(hash, (unsigned char)*text);
	return hash_add(hash, 0);
}

uint32_t lesson_program(const struct lesson *lesson)
{
	uint32_t hash = 2166136261U;

	for (size_t i = 0; i < lesson->steps_len; i++) {
		const struct step *s = &lesson->steps[i];

		hash = hash_add_number(hash, s->op);
		hash = hash_add_number(hash, (uint32_t)s->family);
		hash = hash_add_number(hash, (uint32_t)s->type);
		hash = hash_add_number(hash, s->option);
		hash = hash_add_number(hash, (uint32_t)s->protocol);
		hash = hash_add_number(hash, s->value);
		hash = hash_add_number(hash, s->port);
		hash = hash_add_text(hash, s->socket);
		hash = hash_add_text(hash, s->from);
		hash = hash_add_text(hash, s->addr);
		hash = hash_add_text(hash, s->port_of);
		hash = hash_add_text(hash, s->op == STEP_NOTE ? NULL : s->text);
		hash = hash_add_text(hash, s->set_to);
	}
	return hash;
}

void run_begin(struct run *run, const struct lesson *lesson)
{
	run->lesson = lesson;
	run->failed = 0;
	memset(run->did, 0, sizeof(run->did));
	for (size_t i = 0; i < lesson->steps_len; i++)
		run->did[i].step = &lesson->steps[i];
}

void run_end(struct run *run)
{
	for (size_t i = 0; i < run->seen_len; i++)
		free(run->seen[i].explanation);
	run->lesson = NULL;
	run->lost = 0;
	run->seen_len = 0;
}

void run_forget(struct run *run)
{
	run_end(run);
	free(run->seen);
	*run = (struct run){ .lesson = NULL };
}

static void keep_tenure(struct seen *seen, const struct tenure *t)
{
	seen->shared = NULL_STATE;
	if (!t)
		return;
	seen->origin = t->origin;
	seen->shared = t->shared;
	seen->deferred = t->deferred;
	seen->waits = t->waits;
	seen->range_lo = t->range_lo;
	seen->range_hi = t->range_hi;
}

/* An end point that is not of IP may point at what does not outlive the life. */
static void keep_ends(struct seen *seen, const struct life *l)
{
	struct sentence s = { .names = NULL };

	if (!endpoint_is_named(&l->local)) {
		seen->local = l->local;
		seen->peer = l->peer;
	} else if (l->local.family != AF_UNIX) {
		seen->local = l->local;
	} else if (endpoint_path(&l->local)) {
		sentence_add_address(&s, &l->local, 0, 0);
		memcpy(seen->name, s.text, s.len < SEEN_NAME_MAX ? s.len : SEEN_NAME_MAX - 1);
		python_printable(seen->name);
	}
}

static void keep_holders(struct seen *seen, const struct holders *holders,
			 const struct names *names)
{
	struct sentence s = { .names = names };
	size_t len;

	if (!holders || !holders->len)
		return;
	sentence_add_holders(&s, holders);
	len = s.len < SEEN_WHY_MAX ? s.len : SEEN_WHY_MAX - 1;
	memcpy(seen->why, s.text, len);
}

int run_event(struct run *run, const struct event *e, const struct names *names)
{
	struct seen *seen;

	if (run->seen_len == run->seen_size) {
		size_t size = run->seen_size ? 2 * run->seen_size : 64;

		seen = realloc(run->seen, size * sizeof(*seen));
		if (!seen)
			return -ENOMEM;
		run->seen = seen;
		run->seen_size = size;
	}
	seen = &run->seen[run->seen_len++];
	*seen = (struct seen){
		.kind = e->kind,
		.ts_ns = e->ts_ns,
		.fd = e->fd,
		.error = e->error,
		.port = e->port,
		.assigned = e->assigned,
		.reconciled = e->reconciled,
	};
	keep_tenure(seen, e->tenure);
	keep_holders(seen, e->holders, names);
	if (e->explanation) {
		seen->explanation = malloc(sizeof(*seen->explanation));
		if (!seen->explanation)
			return -ENOMEM;
		*seen->explanation = *e->explanation;
	}
	if (e->life) {
		seen->socket = e->life->number;
		seen->parent = e->life->parent;
		seen->protocol = e->life->protocol;
		keep_ends(seen, e->life);
	}
	return 0;
}

/* --- events under their calls ------------------------------------------------------------ */

static int by_time(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->ts_ns != y->ts_ns)
		return x->ts_ns < y->ts_ns ? -1 : 1;
	return (int)x->kind - (int)y->kind;
}

/* The first event that comes neither before this moment nor before the one at `from`. */
static size_t events_from(const struct run *run, size_t from, uint64_t ts_ns)
{
	while (from < run->seen_len && run->seen[from].ts_ns < ts_ns)
		from++;
	return from;
}

/* A call has the events from its beginning to the beginning of the next one. */
static void place_events(struct run *run)
{
	struct did *last = NULL;
	size_t at = 0;

	if (run->seen_len)
		qsort(run->seen, run->seen_len, sizeof(*run->seen), by_time);
	for (size_t i = 0; i <= run->lesson->steps_len; i++) {
		struct did *did = &run->did[i];

		if (!did->done)
			continue;
		at = events_from(run, at, did->begin_ns);
		did->events = at;
		if (last)
			last->events_len = at - last->events;
		last = did;
	}
	if (last)
		last->events_len = run->seen_len - last->events;
}

static const char *owner_of(const struct run *run, uint64_t socket)
{
	for (size_t i = 0; socket && i < run->seen_len; i++)
		if (run->seen[i].socket == socket && run->seen[i].owner)
			return run->seen[i].owner;
	return NULL;
}

/* Which socket of the program an event is about: that of the call whose descriptor it has. */
static void name_owners(struct run *run)
{
	for (size_t i = 0; i < run->lesson->steps_len; i++) {
		const struct did *did = &run->did[i];

		for (size_t j = 0; did->done && j < did->events_len; j++) {
			struct seen *seen = &run->seen[did->events + j];

			if (seen->fd >= 0 && seen->fd == did->other && did->step->socket)
				seen->owner = did->step->socket;
		}
	}
	for (size_t i = 0; i < run->seen_len; i++)
		if (!run->seen[i].owner)
			run->seen[i].owner = owner_of(run, run->seen[i].socket);
}

int run_step(struct run *run, const struct wire_step *step)
{
	struct did *did;
	bool end = step->number == run->lesson->steps_len;

	if (step->number > run->lesson->steps_len || step->program != lesson_program(run->lesson))
		return -EPROTO;
	did = &run->did[step->number];
	did->done = true;
	did->error = step->result < 0 ? -step->result : 0;
	did->result = step->result;
	did->other = step->other;
	did->before = step->before;
	did->after = step->after;
	did->peer = step->peer;
	did->begin_ns = step->head.ts_ns;
	did->end_ns = step->end_ns;
	if (!end)
		return 0;
	run->failed = did->error;
	place_events(run);
	name_owners(run);
	return 1;
}

/* --- for judges -------------------------------------------------------------------------- */

const struct did *did_nth(const struct run *run, enum step_op op, const char *socket, size_t nth)
{
	static const struct did none;

	for (size_t i = 0; i < run->lesson->steps_len; i++) {
		const struct step *s = run->did[i].step;

		if (s->op == op && (!socket || (s->socket && !strcmp(s->socket, socket))) && !nth--)
			return &run->did[i];
	}
	return &none;
}

const struct seen *did_see(const struct run *run, const struct did *did, enum event_kind kind)
{
	for (size_t i = 0; did->done && i < did->events_len; i++)
		if (run->seen[did->events + i].kind == kind)
			return &run->seen[did->events + i];
	return NULL;
}

const char *did_outcome(const struct did *did)
{
	return did->error ? errno_symbol(did->error) : "0";
}

void verdict_say(struct verdict *v, enum ruling ruling, const char *format, ...)
{
	va_list args;

	v->ruling = ruling;
	va_start(args, format);
	vsnprintf(v->text, sizeof(v->text), format, args);
	va_end(args);
}

void verdict_more(struct verdict *v, const char *format, ...)
{
	size_t len = strlen(v->more);
	va_list args;

	if (len && len + 1 < sizeof(v->more))
		v->more[len++] = ' ';
	va_start(args, format);
	vsnprintf(v->more + len, sizeof(v->more) - len, format, args);
	va_end(args);
}

const char *ruling_name(enum ruling ruling)
{
	static const char *const names[] = {
		[VERDICT_NONE] = "unknown",	   [VERDICT_TRUE] = "true",
		[VERDICT_FALSE] = "false",	   [VERDICT_DEPENDS] = "depends",
		[VERDICT_NOT_SHOWN] = "not shown",
	};

	return names[ruling];
}
