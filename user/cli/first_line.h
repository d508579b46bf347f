/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * first_line.h owns the sentence with which a run begins: what is watched, by which backend, on
 * which kernel, how to stop. It must not know how any of it is done.
 */
#ifndef PORTLIFE_CLI_FIRST_LINE_H
#define PORTLIFE_CLI_FIRST_LINE_H

#include "user/cli/options.h"

#define FIRST_LINE_MAX 512

/* Writes it into text, of FIRST_LINE_MAX bytes; what is too long is cut. backend: enum
 * wire_backend. */
void first_line_write(char *text, const struct options *o, uint32_t backend);

#endif
