/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings.h owns the reading of the sysctls about ports, of the network namespace that the thread
 * is in. It knows no socket.
 */
#ifndef PORTLIFE_SOURCE_SETTINGS_H
#define PORTLIFE_SOURCE_SETTINGS_H

#include "user/core/settings.h"

/* What cannot be read stays unknown. */
void settings_read(struct settings *settings);
/* Only the range, reserved and unprivileged ports and the step width. */
void settings_read_ports(struct settings *settings);

/*
 * Calls give() with the settings of every network namespace that can be entered, the own one first.
 * 0, what give() returned, or a negative errno.
 */
int settings_read_all(int (*give)(void *arg, const struct settings *settings), void *arg);

#endif
