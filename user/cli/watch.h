/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch.h owns the main job: it joins the live source, core and the sinks, and turns how the run
 * ended into an exit status. It must not know what a record or an event means.
 */
#ifndef PORTLIFE_CLI_WATCH_H
#define PORTLIFE_CLI_WATCH_H

#include "user/cli/options.h"

/* Returns an exit status, or does not return: COMMAND's signal is raised again. */
int watch_run(const struct options *o);

#endif
