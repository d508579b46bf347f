/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options.h owns the command line: from words to one struct that says what is wanted. It must not
 * do any of it.
 */
#ifndef PORTLIFE_CLI_OPTIONS_H
#define PORTLIFE_CLI_OPTIONS_H

#include <net/if.h>

#include "user/core/family.h"
#include "user/core/filter.h"
#include "user/core/meanings.h"
#include "user/core/finding.h"
#include "user/lesson/lesson.h"
#include "user/source/live.h"
#include "user/util/when.h"

enum options_command { OPTIONS_WATCH, OPTIONS_DOCTOR, OPTIONS_PORTS, OPTIONS_WHY, OPTIONS_LESSON };
enum options_color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

/* Points into argv, which must outlive it, and at its own lists: not to be copied. */
struct options {
	enum options_command command;
	struct filter filter;
	struct live_options live;
	enum when_style time;
	enum options_color color;
	bool utc;
	bool no_header;
	bool json;
	bool explain;
	bool quiet;
	bool verbose;
	const char *output; /* -o, NULL if not given, "-": standard output */
	const char *record; /* -w, likewise */
	const char *replay; /* -r, NULL if not given, "-": standard input */
	bool compress;
	bool all_protocols;		    /* --proto=all */
	bool listeners;			    /* ports -l */
	bool pressure;			    /* ports --pressure */
	const struct meanings *errno_asked; /* why ERRNO */
	struct endpoint asked;		    /* why PORT; port 0: not asked */
	struct path asked_path;		    /* why PATH, why @NAME: asked is of AF_UNIX then */
	struct endpoint connect_to;	    /* why --connect; port 0: not asked */
	struct endpoint connect_from;	    /* --from; family 0: not given */
	const struct lesson *lesson;	    /* lesson NAME; NULL: not given */
	size_t lesson_first;		    /* ... its number; with --all the first one */
	bool lesson_all;		    /* lesson --all */
	bool lesson_source;		    /* lesson --source */
	char device[IF_NAMESIZE];	    /* ... %DEV, "" if none */
	bool strict;			    /* lost events: status 4 */
	uint32_t fail_on; /* bit set by enum finding_id: status 5 if one was found */
	bool netns_asked; /* --netns by something of this machine */
	uint64_t count;	  /* events to show, 0: no limit */

	/* owned; filter and live point at them */
	uint32_t *pids;
	struct port_range *ports;
	struct port_range *peer_ports;
	char comm[WIRE_COMM_LEN];
	char *cgroup;
};

#define OPTIONS_GO   0
#define OPTIONS_DONE 1 /* --help, --version: nothing more to do */

/*
 * Fills *o. Returns OPTIONS_GO, OPTIONS_DONE, -EINVAL after one line on standard error about what
 * is wrong, or another negative errno. *o is to be given to options_free() in any case.
 */
int options_parse(int argc, char **argv, struct options *o);
void options_free(struct options *o);

#endif
