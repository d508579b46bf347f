/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * say.h owns the talk on standard error: one line, one write, nothing in it that a terminal could
 * take for a command. It must not know why something is said.
 */
#ifndef PORTLIFE_UTIL_SAY_H
#define PORTLIFE_UTIL_SAY_H

/* "portlife: " and the message. A failing standard error is nobody's error. */
__attribute__((format(printf, 1, 2))) void say(const char *format, ...);

#endif
