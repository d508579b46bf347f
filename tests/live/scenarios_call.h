/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios_call.h owns the line that one call prints: what the program saw of it, and the events
 * and lives that any true observer must report. It knows no rule of the kernel; who fills struct
 * expected does.
 */
#ifndef PORTLIFE_TESTS_SCENARIOS_CALL_H
#define PORTLIFE_TESTS_SCENARIOS_CALL_H

#include "tests/live/scenarios_address.h"
#include "tests/live/scenarios_rules.h"

struct call {
	struct line line;
	struct sock *s;
	const char *name;
	struct address requested; /* as passed, or none */
	struct address local;	  /* getsockname() after the call */
	struct address peer;
	uint64_t entered_ns;
	uint64_t returned_ns;
	int before; /* port by getsockname() before the call */
	int expected_len;
};

/* Keys that are not set are not compared. */
struct expected {
	const char *event;
	const struct sock *s;
	const struct tenure *tenure; /* that the event belongs to */
	bool no_tenure;		     /* the socket has no port and must be said to have none */
	bool by_call;		     /* made by this call, in this thread, while it ran */
	bool untimed;		     /* nobody need know how long it took */
	bool any_thread;	     /* of this process, while the call ran */
	bool anyone;		     /* no process need be named */
	bool optional;
	bool searched; /* the kernel looked for a port */
	bool no_peer;
	int error;
	int cause;	   /* errno of the port search, where the call gave another */
	int fd;		   /* 0: not compared */
	pid_t pid;	   /* 0: this process */
	const char *blind; /* a backend that declares this need not tell the event, or NULL */
	bool found;	   /* ... but it must have found the socket with its port */
	const struct address *requested;
	const struct address *local;
	const struct address *peer;
	uint64_t after_ns; /* 0: while or after the call */
	uint64_t before_ns;
};

void call_enter(struct call *c, struct sock *s, const char *name);

/* After the system call; result as it returned, error as it must be. */
void call_return(struct call *c, int result, int error);

void call_expect(struct call *c, struct expected e);
void call_print(struct call *c);

/* time_wait: "true", "false", or "\"either\"" */
void life_print(const struct sock *s, const char *time_wait);

#endif
