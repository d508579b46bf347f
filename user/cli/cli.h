/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cli.h owns the way from a command line to an exit status. It must not know what a command does.
 */
#ifndef PORTLIFE_CLI_CLI_H
#define PORTLIFE_CLI_CLI_H

int cli_run(int argc, char **argv);

#endif
