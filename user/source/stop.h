/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * stop.h owns the signals while a run lasts: the first that asks to end is noted, a second ends
 * the process at once, even if it hangs in a write.
 */
#ifndef PORTLIFE_SOURCE_STOP_H
#define PORTLIFE_SOURCE_STOP_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Takes over SIGINT, SIGTERM, SIGHUP (unless it was ignored: nohup), SIGCHLD and SIGPIPE. With
 * has_command a terminal's SIGINT is COMMAND's affair and not noted. One run at a time.
 */
void stop_watch(bool has_command);

/* Back to what was before. */
void stop_unwatch(void);

/* The signal that asked to end, 0 if none has. */
int stop_asked(void);

#endif
