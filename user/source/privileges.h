/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * privileges.h owns the capabilities of this process once the probes are live: those that it will
 * still need stay, the others go for good.
 */
#ifndef PORTLIFE_SOURCE_PRIVILEGES_H
#define PORTLIFE_SOURCE_PRIVILEGES_H

#include <stdbool.h>

/*
 * Gives up all capabilities (capabilities(7)) but those for
 *   walks (looks):    other network namespaces, the files of any process, cgroups by their numbers
 *   kills:	       a signal to COMMAND, which may have become another user
 *   prog_fd, anyway:  asking about this program, which up to 5.18 nobody may without CAP_BPF
 * Where the kernel does not let go of them they stay, and nothing is lost but caution.
 */
void privileges_drop(bool looks, bool kills, int prog_fd);

#endif
