/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * live.h owns the way from this kernel's probes to a stream of records: choosing a backend,
 * loading, attaching, reading, COMMAND, signals, stopping. It is the only room that knows libbpf
 * and it does not know what a record means.
 */
#ifndef PORTLIFE_SOURCE_LIVE_H
#define PORTLIFE_SOURCE_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bpf/wire.h"

/* What a run needs to know; all pointers are the caller's and must outlive the run. */
struct live_options {
	uint32_t backend;     /* enum wire_backend, 0: the first that works */
	size_t buffer_bytes;  /* ring buffer; a power of two, a multiple of the page size */
	const uint32_t *pids; /* -p, in this process's pid namespace; pids_len 0: all */
	size_t pids_len;
	bool has_uid;
	uint32_t uid;
	const char *comm;	 /* NULL: all */
	uint32_t families;	 /* enum wire_family: watched beyond TCP, UDP and ping ... */
	uint32_t families_named; /* ... of those, asked for one by one: they must be there */
	char *const *command;	 /* NULL: watch until stopped */
	const char *user;	 /* --user: run COMMAND as; NULL: as the caller */
	bool output_taken;   /* standard output is the recording's: COMMAND's goes to standard error
			      */
	bool no_resync;	     /* sockets are walked through at the start only */
	bool exact_settings; /* read again for each record, not every few milliseconds */
	uint64_t duration_ns; /* 0: no limit; counted from the moment the probes are live */
};

/* What feed() may return. */
#define LIVE_GO_ON  0
#define LIVE_ENOUGH 1 /* stop now, quietly: --count reached. A negative errno stops with it. */

struct live_handler {
	/* One record, in stream order; WIRE_START is the first, WIRE_STOP the last. */
	int (*feed)(void *arg, const void *record, size_t len_bytes);
	/* A batch is over: flush. Same returns as feed(). */
	int (*batch)(void *arg);
	/* Probes are live, before the first record and before COMMAND starts: say what is
	 * watched. backend is chosen; note is NULL or one line about what is missing (an optional
	 * probe); probes lists the hooks in use. */
	void (*ready)(void *arg, uint32_t backend, const char *note, const char *probes);
	void *arg;
};

/* How a run ended. */
struct live_result {
	char reason[512];   /* one clear line for a person when live_run() fails, without newline */
	bool started;	    /* COMMAND was executed */
	int command_exit;   /* its exit status, -1 if not known */
	int command_signal; /* that killed it, 0 if none */
	int exec_error;	    /* COMMAND could not be executed: errno (ENOENT: not found) */
};

/*
 * Runs from attaching to the last record. Blocks. Returns 0 when done (signal, duration,
 * LIVE_ENOUGH, COMMAND gone), -EPERM/-ENOTSUP and friends from before the first record (exit
 * status 3, reason filled), or the negative errno that feed(), batch() or reading gave.
 * SIGINT, SIGTERM, SIGHUP and SIGPIPE are taken over while it runs; a second one ends the
 * process at once.
 */
int live_run(const struct live_options *options, const struct live_handler *handler,
	     struct live_result *result);

/* --- doctor ------------------------------------------------------------------------------ */

enum probe_status { PROBE_WORKS, PROBE_MISSING, PROBE_REFUSED };

struct probe_report {
	uint32_t backend; /* enum wire_backend */
	const char *name; /* of the program: "fexit inet_csk_get_port" */
	bool required;
	enum probe_status status;
	int error;	   /* positive errno of the refusal */
	const char *loses; /* what portlife cannot see without it */
};

struct fact_report {
	const char *name; /* "privileges", "btf", "lockdown", "kprobes", "cgroup2", "kernel" */
	bool good;
	bool required;	/* for any backend */
	char text[200]; /* what was found */
};

struct doctor_report {
	struct fact_report facts[8];
	size_t facts_len;
	struct probe_report probes[160];
	size_t probes_len;
	uint32_t chosen; /* enum wire_backend that a run would take, 0: none works */
	uint32_t blind;	 /* enum wire_blind of that backend */
};

/* Tries every probe of every backend, leaves nothing behind. Returns 0 or -ENOMEM. */
int live_doctor(struct doctor_report *report);

#endif
