/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child.h owns COMMAND: made before the probes are live, held until they are, waited for until
 * the last descendant is gone. It knows nothing of probes.
 */
#ifndef PORTLIFE_SOURCE_CHILD_H
#define PORTLIFE_SOURCE_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "user/source/live.h"

struct child {
	pid_t pid;	 /* 0: none */
	int go;		 /* write end of the pipe that holds it */
	int exec_result; /* read end: errno of a failed exec, or end of file */
	bool exited;	 /* COMMAND itself is gone */
	int exit;	 /* its exit status, -1 if killed or not known */
	int signal;	 /* that killed it, 0 if none */
};

/*
 * Forks the process that will be options->command, as options->user if not NULL. Its signals are
 * as they were when stop_watch() was called. This process becomes the reaper of all its
 * descendants. 0, or a negative errno with a reason for a person.
 */
int child_prepare(struct child *child, const struct live_options *options, char *reason,
		  size_t reason_len);

/* Lets it go. 0, or the positive errno of a failed execution. */
int child_start(struct child *child);

/* Reaps what has ended. True when no descendant is left. */
bool child_reap(struct child *child);

/* Ends and forgets a child that was prepared and never started; closes what is open. */
void child_free(struct child *child);

#endif
