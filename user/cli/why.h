/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * why.h owns `portlife why`: what an errno means, whether a bind() would succeed. It asks; it never
 * tries.
 */
#ifndef PORTLIFE_CLI_WHY_H
#define PORTLIFE_CLI_WHY_H

#include "user/cli/options.h"

/* Returns the exit status. */
int why_run(const struct options *o);

#endif
