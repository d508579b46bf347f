/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "user/cli/lesson_show.h"
#include "user/core/family.h"
#include "user/core/sentence.h"
#include "user/lesson/python.h"
#include "user/sink/paragraph.h"
#include "user/util/escape.h"

#define WIDTH	 80
#define INDENT	 4  /* what a call brought */
#define LABEL	 12 /* after "    kernel: " */
#define TEXT_MAX 512

static void put(struct out *out, const char *text)
{
	out_write(out, text, strlen(text));
}

__attribute__((format(printf, 2, 3))) static void print(struct out *out, const char *format, ...)
{
	char text[TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put(out, text);
}

/* label, of which the last space is the text's indent */
static void fill(struct out *out, const char *label, const char *text)
{
	char trimmed[64];
	size_t len = strlen(label);

	snprintf(trimmed, sizeof(trimmed), "%.*s", len ? (int)len - 1 : 0, label);
	paragraph_fill(out, trimmed, len, WIDTH, text);
}

__attribute__((format(printf, 3, 4))) static void wrap(struct out *out, const char *label,
						       const char *format, ...)
{
	char text[2 * VERDICT_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	fill(out, label, text);
}

void lesson_text_list(struct out *out)
{
	size_t len;
	const struct lesson *const *lessons = lessons_all(&len);
	char label[64];

	for (size_t i = 0; i < len; i++) {
		snprintf(label, sizeof(label), "%3zu  %-25s ", i + 1, lessons[i]->name);
		fill(out, label, lessons[i]->question);
	}
	put(out, "\nportlife lesson 1, or portlife lesson NAME, runs one.\n");
}

void lesson_text_head(struct out *out, const struct lesson *lesson, size_t number)
{
	print(out, "Lesson %zu: %s\n\n", number, lesson->name);
	wrap(out, "", "%s", lesson->question);
	wrap(out, "", "People say: \"%s\"", lesson->claim);
	put(out, "\n");
}

void lesson_text_legend(struct out *out, bool traced)
{
	wrap(out, "",
	     "A small program runs now, in a network of its own: nothing on this machine is "
	     "touched. Lines with >>> are its calls. Below each: what failed, the socket's own "
	     "address and port before and after (port 0 is none yet)%s.",
	     traced ? ", and behind 'kernel:' what portlife saw the kernel do" : "");
	put(out, "\n");
}

void lesson_text_program(struct out *out, const struct lesson *lesson)
{
	char line[PYTHON_LINE_MAX];

	for (size_t i = 0; i < lesson->steps_len; i++) {
		python_line(line, &lesson->steps[i]);
		print(out, "    %s\n", line);
	}
	put(out, "\n");
}

/* --- events ------------------------------------------------------------------------------ */

struct words {
	char text[TEXT_MAX];
	size_t len;
};

__attribute__((format(printf, 2, 3))) static void say_more(struct words *w, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(w->text + w->len, sizeof(w->text) - w->len, format, args);
	va_end(args);
	if (len > 0)
		w->len += (size_t)len < sizeof(w->text) - w->len ? (size_t)len
								 : sizeof(w->text) - w->len - 1;
}

static void say_endpoint(struct words *w, const struct endpoint *end)
{
	struct sentence s = { .names = NULL };

	sentence_add_endpoint(&s, end, end->port, 0, 0);
	say_more(w, "%.*s", (int)s.len, s.text);
}

/* Where a port came from that the call has just given. */
static void say_given(struct words *w, const struct seen *e)
{
	if (e->name[0])
		say_more(w, "gives it the name %s", e->name);
	else if (endpoint_is_named(&e->local))
		say_more(w, "gives it the number %u", endpoint_number(&e->local));
	else
		say_more(w, "gives it %s %u", e->protocol == IPPROTO_ICMP ? "number" : "port",
			 e->port);
	if (e->origin == ORIGIN_BIND) {
		say_more(w, ", as asked");
	} else {
		say_more(w, ", chosen by the kernel");
		if (e->range_lo && e->range_lo == e->range_hi)
			say_more(w, ", the only one it may give");
		else if (e->range_lo)
			say_more(w, " from %u to %u", e->range_lo, e->range_hi);
		if (e->deferred)
			say_more(w, "; bind() had left it open");
		else if (e->origin != ORIGIN_BIND0)
			say_more(w, "; the program had not asked for one");
	}
	if (e->shared == YES)
		say_more(w, "; another socket has it, too");
}

static void say_error(struct words *w, const struct seen *e)
{
	struct escape how = { .utf8 = false };
	char why[ESCAPE_ROOM(SEEN_WHY_MAX)];
	size_t used;
	char *end = escape_text(why, e->why, strlen(e->why), SEEN_WHY_MAX, how, &used);

	say_more(w, "is refused: %s", errno_symbol(e->error));
	if (e->why[0])
		say_more(w, "; in the way: %.*s", (int)(end - why), why);
}

static void say_assigning(struct words *w, const struct seen *e)
{
	if (e->error) {
		say_error(w, e);
	} else if (e->assigned) {
		say_given(w, e);
	} else if (e->kind == EVENT_BIND) {
		say_more(w, "notes the address; the port is left for later");
	} else if (e->kind == EVENT_LISTEN) {
		say_more(w, "waits at port %u, which the socket had", e->port);
	} else {
		say_more(w, "goes from port %u, which the socket had", e->port);
	}
	if ((e->kind == EVENT_CONNECT || e->kind == EVENT_CONNECT_FAILED) && e->peer.family &&
	    e->peer.port) {
		say_more(w, "; to ");
		say_endpoint(w, &e->peer);
	}
}

static void say_event(struct words *w, const struct seen *e)
{
	switch (e->kind) {
	case EVENT_BIND:
	case EVENT_LISTEN:
	case EVENT_CONNECT:
	case EVENT_SEND:
		say_more(w, "%s ", event_name(e->kind));
		say_assigning(w, e);
		break;
	case EVENT_CONNECT_FAILED:
		say_more(w, "connect ");
		say_assigning(w, e);
		break;
	case EVENT_ESTABLISHED:
		say_more(w, "the connection stands (established)");
		break;
	case EVENT_ACCEPT:
		say_more(w, "accept hands out the connection from ");
		say_endpoint(w, &e->peer);
		say_more(w, "; its port is the listener's, %u", e->port);
		break;
	case EVENT_TIME_WAIT:
		say_more(w, "TIME_WAIT keeps port %u, with no socket left", e->port);
		break;
	case EVENT_CLOSE:
		say_more(w, "close");
		break;
	case EVENT_RELEASE:
		if (e->name[0])
			say_more(w, "release of the name %s", e->name);
		else if (endpoint_is_named(&e->local))
			say_more(w, "release of the number %u", endpoint_number(&e->local));
		else
			say_more(w, "release of %s %u",
				 e->protocol == IPPROTO_ICMP ? "number" : "port", e->port);
		break;
	default:
		say_more(w, "%s, port %u", event_name(e->kind), e->port);
	}
	if (e->reconciled)
		say_more(w, " (found late)");
}

/* --explain: why, below the event. */
static void show_explanation(struct out *out, const struct explanation *x)
{
	struct escape how = { .utf8 = false };
	char text[ESCAPE_ROOM(FINDING_TEXT_MAX) + 1];
	size_t used;

	for (size_t i = 0; x && i < x->len; i++) {
		*escape_text(text, x->list[i].text, x->list[i].len, FINDING_TEXT_MAX, how, &used) =
			'\0';
		paragraph_fill(out, "", LABEL + 2, WIDTH, text);
	}
}

/* What MPTCP does with the TCP socket below it; an accepted one makes no such calls. */
static bool is_of_subflow(const struct seen *e)
{
	return !e->owner && e->parent && (e->kind == EVENT_BIND || e->kind == EVENT_LISTEN);
}

/* A connection that the program takes in a later call, if ever. */
static bool is_not_accepted(const struct run *run, const struct did *did, const struct seen *e)
{
	const struct did *accepted = e->owner ? did_nth(run, STEP_ACCEPT, e->owner, 0) : NULL;

	if (!e->parent || e->kind == EVENT_ACCEPT)
		return false;
	return !accepted || (accepted->step && accepted > did);
}

static void show_events(struct out *out, const struct run *run, const struct did *did)
{
	for (size_t i = 0; i < did->events_len; i++) {
		const struct seen *e = &run->seen[did->events + i];
		const char *own = did->step ? did->step->socket : NULL;
		struct words w = { .len = 0 };

		if (e->kind == EVENT_EXISTING)
			continue;
		if (is_of_subflow(e))
			say_more(&w, "its first subflow, of TCP: ");
		else if (is_not_accepted(run, did, e))
			say_more(&w, "the other end, not accepted yet: ");
		else if (e->owner && (!own || strcmp(e->owner, own) != 0))
			say_more(&w, "%s: ", e->owner);
		say_event(&w, e);
		wrap(out, "    kernel: ", "%s", w.text);
		show_explanation(out, e->explanation);
	}
}

/* --- calls ------------------------------------------------------------------------------- */

static bool same(const struct wire_place *a, const struct wire_place *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* The socket before and after, as the program itself sees it. */
static void show_socket(struct out *out, const struct run *run, const struct did *did)
{
	const struct step *s = did->step;
	char before[PYTHON_PLACE_MAX], after[PYTHON_PLACE_MAX], peer[PYTHON_PLACE_MAX];
	char to[PYTHON_PLACE_MAX + 16] = "";

	python_place(before, &did->before);
	python_place(after, &did->after);
	python_place(peer, &did->peer);
	if (did->peer.family && (s->op == STEP_CONNECT || s->op == STEP_ACCEPT))
		snprintf(to, sizeof(to), ", connected to %s", peer);
	if (did->error && did_see(run, did, EVENT_RELEASE))
		snprintf(to, sizeof(to), " (no longer its port)");
	if (s->op == STEP_GETSOCKNAME || s->op == STEP_GETPEERNAME)
		print(out, "    = %s\n", s->op == STEP_GETSOCKNAME ? after : peer);
	else if (s->op == STEP_CLOSE)
		print(out, "    %s: was %s\n", s->socket, before);
	else if (s->op == STEP_ACCEPT && did->after.family)
		print(out, "    %s: %s%s\n", s->socket, after, to);
	else if (did->before.family && did->after.family && s->op != STEP_OPTION &&
		 s->op != STEP_HEAR_PORT)
		print(out,
		      same(&did->before, &did->after) ? "    %s: %s%.0s, as before%s\n"
						      : "    %s: %s -> %s%s\n",
		      s->socket, before, after, to);
}

static void show_outcome(struct out *out, const struct run *run, const struct did *did)
{
	const struct step *s = did->step;

	if (did->error == EBADF && s->socket && failed(did_nth(run, STEP_SOCKET, s->socket, 0)))
		put(out, "    failed: EBADF - there is no such socket\n");
	else if (did->error)
		wrap(out, "    failed: ", "%s - %s", errno_symbol(did->error),
		     strerror(did->error));
	else if (did->step->op == STEP_READ_SETTING && did->other >= 0)
		print(out, "    = %d %d\n", did->result, did->other);
	else if (did->step->op == STEP_READ_SETTING || did->step->op == STEP_HEAR_PORT)
		print(out, "    = %d\n", did->result);
}

/* The call did something to the socket, or was refused, and the backend has no eyes for it. */
static bool is_unseen(const struct run *run, const struct did *did)
{
	if (!did->step || !run->traced || run->lost || !did->done || did->events_len ||
	    !worked(did_nth(run, STEP_SOCKET, did->step->socket, 0)))
		return false;
	switch (did->step->op) {
	case STEP_BIND:
	case STEP_LISTEN:
	case STEP_CONNECT:
	case STEP_SEND_TO:
		return did->error || !same(&did->before, &did->after);
	default:
		return false;
	}
}

static void show_call(struct out *out, const struct run *run, size_t i)
{
	const struct did *did = &run->did[i];
	char line[PYTHON_LINE_MAX];

	python_line(line, did->step);
	if (did->step->op == STEP_NOTE) {
		print(out, "%s%s\n", i ? "\n" : "", line);
		return;
	}
	print(out, ">>> %s\n", line);
	if (!did->done) {
		put(out, "    was not made\n");
		return;
	}
	show_outcome(out, run, did);
	if (did->step->socket)
		show_socket(out, run, did);
	show_events(out, run, did);
	if (is_unseen(run, did))
		wrap(out, "    kernel: ", "not seen, this backend does not look there");
}

/* --- verdict ----------------------------------------------------------------------------- */

static void show_guess(struct out *out, const struct lesson_shown *shown)
{
	const struct run *run = shown->run;
	enum ruling ruling = shown->verdict->ruling;
	const char *answer;

	/* the kernel was asked only if all that leads to the question worked */
	if (!run->lesson->quiz || (ruling != VERDICT_TRUE && ruling != VERDICT_FALSE))
		return;
	answer = worked(&run->did[run->lesson->steps_len - 1]) ? "yes" : "no";
	if (shown->guess)
		wrap(out, "Quiz:     ", "%s Your guess: %s; the kernel's answer: %s. %s",
		     run->lesson->quiz, shown->guess, answer,
		     strcmp(shown->guess, answer) ? "It was not so." : "Right.");
	else
		wrap(out, "Quiz:     ", "%s The kernel's answer: %s.", run->lesson->quiz, answer);
}

/* By what the verdict was found. */
static void show_evidence(struct out *out, const struct lesson_shown *shown)
{
	const struct run *run = shown->run;
	size_t calls = 0, events = 0, unseen = 0;

	for (size_t i = 0; i < run->lesson->steps_len; i++) {
		calls += run->did[i].done;
		events += run->did[i].done ? run->did[i].events_len : 0;
		unseen += is_unseen(run, &run->did[i]);
	}
	if (!shown->backend)
		wrap(out, "By:       ", "%zu calls; the kernel was not watched, that needs root",
		     calls);
	else
		wrap(out, "By:       ",
		     unseen ? "%zu calls and %zu event%s in the kernel (%s backend, which does "
			      "not see what %zu of the calls did)"
			    : "%zu calls and %zu event%s in the kernel (%s backend)",
		     calls, events, events == 1 ? "" : "s", shown->backend, unseen);
	if (run->lost)
		wrap(out, "          ", "%llu records were lost: the calls alone are judged",
		     (unsigned long long)run->lost);
}

static const char *big(enum ruling ruling)
{
	static const char *const names[] = {
		[VERDICT_NONE] = "UNKNOWN",	   [VERDICT_TRUE] = "TRUE",
		[VERDICT_FALSE] = "FALSE",	   [VERDICT_DEPENDS] = "DEPENDS",
		[VERDICT_NOT_SHOWN] = "NOT SHOWN",
	};

	return names[ruling];
}

void lesson_text_run(struct out *out, const struct lesson_shown *shown)
{
	const struct run *run = shown->run;
	const struct verdict *v = shown->verdict;

	for (size_t i = 0; i < run->lesson->steps_len && !run->failed; i++)
		show_call(out, run, i);
	if (shown->verbose && !run->failed) {
		put(out, "\n# The program has ended; all its sockets are closed.\n");
		show_events(out, run, &run->did[run->lesson->steps_len]);
	}
	if (!run->failed)
		put(out, "\n");
	wrap(out, "Claim:    ", "\"%s\"", run->lesson->claim);
	wrap(out, "Verdict:  ", shown->kernel[0] ? "%s (Linux %s)" : "%s%s", big(v->ruling),
	     shown->kernel);
	show_guess(out, shown);
	wrap(out, "Answer:   ", "%s", v->text);
	if (v->more[0])
		wrap(out, "More:     ", "%s", v->more);
	if (v->contradiction[0])
		wrap(out, "WRONG:    ", "the verdict does not stand: %s", v->contradiction);
	if (!run->failed)
		show_evidence(out, shown);
	print(out, "Try it:   portlife lesson %s --source | python3\n", run->lesson->name);
}

void lesson_text_summary(struct out *out, const size_t counts[], size_t contradicted)
{
	print(out, "\nVerdicts: %zu true, %zu false, %zu depends", counts[VERDICT_TRUE],
	      counts[VERDICT_FALSE], counts[VERDICT_DEPENDS]);
	if (counts[VERDICT_NOT_SHOWN])
		print(out, ", %zu not shown", counts[VERDICT_NOT_SHOWN]);
	if (counts[VERDICT_NONE])
		print(out, ", %zu unknown", counts[VERDICT_NONE]);
	print(out, "; %zu contradicted by events\n", contradicted);
}
