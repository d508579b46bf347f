/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ports.h owns `portlife ports`: which ports are taken now. It must not know how sockets are found
 * nor how a row is written.
 */
#ifndef PORTLIFE_CLI_PORTS_H
#define PORTLIFE_CLI_PORTS_H

#include "user/cli/options.h"

/* Returns the exit status. */
int ports_run(const struct options *o);

#endif
