/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status.h owns the exit statuses, as portlife(1) promises them. It must not know who decides.
 */
#ifndef PORTLIFE_CLI_STATUS_H
#define PORTLIFE_CLI_STATUS_H

enum cli_status {
	STATUS_DONE = 0,
	STATUS_FAILED = 1,    /* while running */
	STATUS_USAGE = 2,     /* the command line */
	STATUS_CANNOT = 3,    /* cannot trace here */
	STATUS_LOST = 4,      /* --strict: events were lost */
	STATUS_FOUND = 5,     /* --fail-on */
	STATUS_NO_EXEC = 126, /* COMMAND is there but cannot be executed */
	STATUS_NO_FILE = 127, /* COMMAND is not there */
};

#endif
