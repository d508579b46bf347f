/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge.c owns the comparison of what the program's calls returned with what portlife saw: a
 * verdict that its events contradict is none.
 */
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/lesson/python.h"
#include "user/lesson/run.h"

/* The first contradiction stays. */
static void __attribute__((format(printf, 3, 4)))
contradict(struct verdict *v, const struct step *step, const char *format, ...)
{
	char call[PYTHON_LINE_MAX];
	va_list args;
	size_t len;

	if (v->contradiction[0])
		return;
	python_line(call, step);
	len = (size_t)snprintf(v->contradiction, sizeof(v->contradiction), "%s: ", call);
	if (len >= sizeof(v->contradiction))
		return;
	va_start(args, format);
	vsnprintf(v->contradiction + len, sizeof(v->contradiction) - len, format, args);
	va_end(args);
}

/* Can what a call did be told from the events at all? */
static bool is_watched(const struct run *run)
{
	return run->traced && !run->lost;
}

void verdict_needs(struct verdict *v, const struct run *run, const struct did *did,
		   enum event_kind kind, enum port_origin origin)
{
	const struct seen *seen;

	if (!is_watched(run) || !did->done)
		return;
	seen = did_see(run, did, kind);
	if (!seen)
		contradict(v, did->step, "portlife saw no %s", event_name(kind));
	else if (seen->origin != origin)
		contradict(v, did->step, "portlife says the port came from %s, not from %s",
			   origin_name(seen->origin), origin_name(origin));
}

/* A socket of a protocol whose ports every backend follows from the first to the last. */
static bool is_followed(const struct run *run, const struct did *did)
{
	const struct did *made = did_nth(run, STEP_SOCKET, did->step->socket, 0);

	if (did->step->op == STEP_ACCEPT)
		made = did_nth(run, STEP_SOCKET, did->step->from, 0);
	if (!worked(made))
		return false;
	return (made->step->family == AF_INET || made->step->family == AF_INET6) &&
	       made->step->type != SOCK_RAW && !made->step->protocol;
}

static enum port_origin origin_by(const struct did *did)
{
	switch (did->step->op) {
	case STEP_BIND:
		return did->step->port || did->step->port_of ? ORIGIN_BIND : ORIGIN_BIND0;
	case STEP_LISTEN:
		return ORIGIN_LISTEN;
	case STEP_CONNECT:
		return ORIGIN_CONNECT;
	case STEP_SEND_TO:
		return ORIGIN_SEND;
	case STEP_ACCEPT:
		return ORIGIN_ACCEPT;
	default:
		return ORIGIN_NONE;
	}
}

/* The event that tells of such a call; EVENT_KINDS: none does. */
static enum event_kind event_of(const struct did *did)
{
	switch (did->step->op) {
	case STEP_BIND:
		return EVENT_BIND;
	case STEP_LISTEN:
		return EVENT_LISTEN;
	case STEP_CONNECT:
		return did->error ? EVENT_CONNECT_FAILED : EVENT_CONNECT;
	case STEP_ACCEPT:
		return EVENT_ACCEPT;
	case STEP_SEND_TO:
		/* told of only where it gave a port, or could not */
		return did->error || gave_port(did) ? EVENT_SEND : EVENT_KINDS;
	default:
		return EVENT_KINDS;
	}
}

/* The event of this kind that is about the call's own socket, else any. */
static const struct seen *own_event(const struct run *run, const struct did *did,
				    enum event_kind kind)
{
	for (size_t i = 0; i < did->events_len; i++) {
		const struct seen *seen = &run->seen[did->events + i];

		if (seen->kind == kind && seen->fd == did->other)
			return seen;
	}
	return did_see(run, did, kind);
}

static void compare_call(struct verdict *v, const struct run *run, const struct did *did)
{
	enum event_kind kind = event_of(did);
	const struct seen *seen;

	if (kind == EVENT_KINDS || !is_followed(run, did))
		return;
	seen = own_event(run, did, kind);
	if (!seen) {
		contradict(v, did->step, "it returned %s, and portlife saw no %s", did_outcome(did),
			   event_name(kind));
	} else if (seen->error != did->error) {
		contradict(v, did->step, "it returned %s, and portlife saw %s", did_outcome(did),
			   seen->error ? errno_symbol(seen->error) : "no failure");
	} else if (!did->error && seen->port != did->after.port) {
		contradict(v, did->step, "the socket has port %u, and portlife saw %u",
			   did->after.port, seen->port);
	} else if ((gave_port(did) || did->step->op == STEP_ACCEPT) && !did->error &&
		   did->after.port && seen->origin != origin_by(did)) {
		contradict(v, did->step, "portlife says the port came from %s, not from %s",
			   origin_name(seen->origin), origin_name(origin_by(did)));
	}
}

/* What the lesson has to set up and could not: a sandbox may keep /proc/sys from being written. */
static const struct did *missing_world(const struct run *run)
{
	for (size_t i = 0; i < run->lesson->steps_len; i++) {
		enum step_op op = run->did[i].step->op;

		if (run->did[i].error &&
		    (op == STEP_SETTING || op == STEP_ADDRESS || op == STEP_PRIVILEGE))
			return &run->did[i];
	}
	return NULL;
}

/* False: the lesson could not be given at all. */
static bool judge_world(const struct run *run, struct verdict *v)
{
	const struct did *missing = missing_world(run);
	char call[PYTHON_LINE_MAX];

	if (run->failed) {
		verdict_say(v, VERDICT_NOT_SHOWN,
			    "not shown: needs root, for this system gives nobody else a network of "
			    "its own (%s).",
			    errno_symbol(run->failed));
	} else if (missing) {
		python_line(call, missing->step);
		verdict_say(v, VERDICT_NOT_SHOWN,
			    run->traced ? "not shown: here not even root may do %s in a network "
					  "of its own (%s)."
					: "not shown: needs root, or a system that lets an "
					  "ordinary user do %s in a network of its own (%s).",
			    call, did_outcome(missing));
	}
	return !run->failed && !missing;
}

void run_judge(const struct run *run, struct verdict *verdict)
{
	*verdict = (struct verdict){ .ruling = VERDICT_NONE };
	if (!judge_world(run, verdict))
		return;
	for (size_t i = 0; is_watched(run) && i < run->lesson->steps_len; i++)
		if (run->did[i].done && run->did[i].step->socket)
			compare_call(verdict, run, &run->did[i]);
	run->lesson->judge(run, verdict);
	if (verdict->ruling == VERDICT_NONE)
		verdict_say(verdict, VERDICT_NONE,
			    "this kernel did something that this lesson has no words for.");
	python_printable(verdict->text);
	python_printable(verdict->more);
}
