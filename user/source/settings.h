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

#endif
