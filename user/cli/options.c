/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <netinet/in.h>
#include <string.h>

#include "user/cli/options_values.h"
#include "user/cli/options_words.h"
#include "user/util/say.h"
#include "user/util/version.h"

#define BUFFER_DEFAULT (8U << 20)

/* Options without a letter. */
enum options_key {
	KEY_PEER_PORT = 0x100,
	KEY_ADDR,
	KEY_PROTO,
	KEY_COMM,
	KEY_UID,
	KEY_CGROUP,
	KEY_NETNS,
	KEY_DEV,
	KEY_IMPLICIT,
	KEY_EPHEMERAL,
	KEY_STATES,
	KEY_EXISTING,
	KEY_TIME,
	KEY_UTC,
	KEY_COLOR,
	KEY_DURATION,
	KEY_COUNT,
	KEY_ATTACH,
	KEY_BUFFER,
	KEY_USER,
	KEY_USAGE,
	KEY_COMPRESS,
	KEY_PRESSURE,
	KEY_CONNECT,
	KEY_FROM,
	KEY_STRICT,
	KEY_FAIL_ON,
	KEY_EXPLAIN,
	KEY_ALL,
	KEY_SOURCE,
	KEY_NO_RESYNC,
};

static const struct argp_option options_table[] = {
	{ NULL, 0, NULL, 0, "What to show:", 1 },
	{ "pid", 'p', "PID,...", 0, "sockets of these processes", 1 },
	{ "port", 'P', "PORT|A-B,...", 0, "local or requested port", 1 },
	{ "peer-port", KEY_PEER_PORT, "PORT|A-B,...", 0, "port of the peer", 1 },
	{ "addr", KEY_ADDR, "ADDR[/LEN]", 0, "local, requested or peer address", 1 },
	{ "ipv4", '4', NULL, 0, "IPv4 only", 1 },
	{ "ipv6", '6', NULL, 0, "IPv6 only", 1 },
	{ "tcp", 't', NULL, 0, "TCP", 1 },
	{ "udp", 'u', NULL, 0, "UDP", 1 },
	{ "proto", KEY_PROTO, "LIST", 0,
	  "tcp, udp, udplite, ping (all these without it), raw, mptcp, sctp, unix, netlink, vsock; "
	  "or all",
	  1 },
	{ "comm", KEY_COMM, "NAME", 0, "processes of this name (its first 15 bytes count)", 1 },
	{ "uid", KEY_UID, "UID", 0, "processes of this user id", 1 },
	{ "cgroup", KEY_CGROUP, "PATH", 0, "processes of this cgroup and of those below it", 1 },
	{ "netns", KEY_NETNS, "PID|PATH|INUM", 0, "sockets of this network namespace", 1 },
	{ "dev", KEY_DEV, "NAME", 0, "sockets bound to this device, or link-local there", 1 },
	{ "failed", 'x', NULL, 0, "only what failed", 1 },
	{ "implicit", KEY_IMPLICIT, NULL, 0, "only ports assigned without bind()", 1 },
	{ "ephemeral", KEY_EPHEMERAL, NULL, 0, "only ports that the kernel chose", 1 },
	{ "states", KEY_STATES, NULL, 0,
	  "also established, disconnect, close, time_wait and release", 1 },
	{ "listening", 'l', NULL, 0, "ports: only sockets that anybody may connect or send to", 1 },
	{ "pressure", KEY_PRESSURE, NULL, 0, "ports: how full the ephemeral range is, and of what",
	  1 },
	{ "connect", KEY_CONNECT, "ADDR:PORT", 0, "why: would one more connect() get a port?", 1 },
	{ "from", KEY_FROM, "ADDR", 0, "why --connect: from this address", 1 },
	{ "all", KEY_ALL, NULL, 0, "lesson: every one of them", 1 },
	{ "source", KEY_SOURCE, NULL, 0, "lesson: its program, in Python, to try oneself", 1 },
	{ "existing", KEY_EXISTING, NULL, 0, "also sockets that were there before", 1 },
	{ NULL, 0, NULL, 0, "How:", 2 },
	{ "json", 'j', NULL, 0, "one JSON object per line, all kinds of events", 2 },
	{ "explain", KEY_EXPLAIN, NULL, 0, "under each event what happened and why, in sentences",
	  2 },
	{ "time", KEY_TIME, "STYLE", 0, "wall (the default), boot, delta or none", 2 },
	{ "utc", KEY_UTC, NULL, 0, "wall time in UTC", 2 },
	{ "no-header", 'H', NULL, 0, "no line of headings", 2 },
	{ "color", KEY_COLOR, "WHEN", 0, "auto (the default), always or never", 2 },
	{ "quiet", 'q', NULL, 0, "no first line and no summary on standard error", 2 },
	{ "verbose", 'v', NULL, 0, "say what the backend cannot see, and minor findings", 2 },
	{ NULL, 'n', NULL, 0, "does nothing: names are never resolved", 2 },
	{ NULL, 0, NULL, 0, "Where:", 3 },
	{ "output", 'o', "FILE", 0, "write the data there; - is standard output", 3 },
	{ "write", 'w', "FILE", 0, "record; - is standard output", 3 },
	{ "read", 'r', "FILE", 0, "replay a recording; - is standard input", 3 },
	{ "compress", KEY_COMPRESS, NULL, 0, "deflate the recording: smaller, and slower to write",
	  3 },
	{ NULL, 0, NULL, 0, "When:", 4 },
	{ "duration", KEY_DURATION, "TIME", 0, "stop after that: 5s, 500ms, 2m", 4 },
	{ "count", KEY_COUNT, "N", 0, "stop after N events shown", 4 },
	{ NULL, 0, NULL, 0, "Deep:", 5 },
	{ "attach", KEY_ATTACH, "BACKEND", 0, "fentry, kprobe or tracepoint", 5 },
	{ "buffer", KEY_BUFFER, "SIZE", 0, "ring buffer, a power of two; the default is 8M", 5 },
	{ "no-resync", KEY_NO_RESYNC, NULL, 0,
	  "walk through the kernel's sockets at the start only, and keep no privilege", 5 },
	{ "strict", KEY_STRICT, NULL, 0, "status 4 if events were lost", 5 },
	{ "fail-on", KEY_FAIL_ON, "FINDING,...", 0, "status 5 if one of these was found", 5 },
	{ "user", KEY_USER, "NAME", 0, "run COMMAND as this user", 5 },
	{ NULL, 0, NULL, 0, "Help:", -1 },
	{ "help", 'h', NULL, 0, "show this", -1 },
	{ "usage", KEY_USAGE, NULL, 0, "show the options in short", -1 },
	{ "version", 'V', NULL, 0, "show the version", -1 },
	{ NULL, 0, NULL, 0, NULL, 0 },
};

struct parsing {
	struct options *options;
	bool done; /* --help and friends */
	int error; /* negative errno */
};

static int options_show(struct parsing *parsing, struct argp_state *state, int key)
{
	static char room[16384]; /* all of it, so that fflush() below is what writes, and fails */

	setvbuf(stdout, room, _IOFBF, sizeof(room));
	if (key == 'V')
		fputs("portlife " PORTLIFE_VERSION "\n", stdout);
	else
		argp_state_help(state, stdout,
				key == 'h' ? ARGP_HELP_STD_HELP & ~ARGP_HELP_EXIT_OK
					   : ARGP_HELP_USAGE);
	if (fflush(stdout)) {
		parsing->error = -errno;
		say("cannot write standard output: %s", strerror(errno));
		return parsing->error;
	}
	parsing->done = true;
	state->next = state->argc;
	return 0;
}

/* Options that are no more than a switch. */
static bool options_switch(struct options *o, int key)
{
	switch (key) {
	case '4':
		return o->filter.inet4 = true;
	case '6':
		return o->filter.inet6 = true;
	case 'x':
		return o->filter.failed = true;
	case KEY_IMPLICIT:
		return o->filter.implicit = true;
	case KEY_EPHEMERAL:
		return o->filter.ephemeral = true;
	case KEY_STATES:
		return o->filter.states = true;
	case KEY_EXISTING:
		return o->filter.existing = true;
	case KEY_PRESSURE:
		return o->pressure = true;
	case 'l':
		return o->listeners = true;
	case 'j':
		return o->json = true;
	case KEY_UTC:
		return o->utc = true;
	case 'H':
		return o->no_header = true;
	case 'q':
		return o->quiet = true;
	case 'v':
		return o->verbose = true;
	case KEY_EXPLAIN:
		return o->explain = o->live.exact_settings = true;
	case KEY_COMPRESS:
		return o->compress = true;
	case KEY_ALL:
		o->lesson_first = 1;
		return o->lesson_all = true;
	case KEY_SOURCE:
		return o->lesson_source = true;
	case KEY_STRICT:
		return o->strict = true;
	case KEY_NO_RESYNC:
		return o->live.no_resync = true;
	case 'n':
		return true;
	}
	return false;
}

static int options_name(const char **where, const char *name, const char *text)
{
	if (!*text) {
		say("%s: the name is empty", name);
		return -EINVAL;
	}
	*where = text;
	return 0;
}

/* Options with a value. Returns -ENOSYS if key is none of them. */
static int options_value(struct options *o, int key, const char *arg)
{
	switch (key) {
	case 'p':
		return options_add_pids(o, "-p", arg);
	case 'P':
		return options_add_ports("-P", arg, &o->ports, &o->filter.ports_len);
	case KEY_PEER_PORT:
		return options_add_ports("--peer-port", arg, &o->peer_ports,
					 &o->filter.peer_ports_len);
	case KEY_ADDR:
		return options_set_address(o, "--addr", arg);
	case 't':
		return options_add_protocols(o, "-t", "tcp");
	case 'u':
		return options_add_protocols(o, "-u", "udp");
	case KEY_PROTO:
		return options_add_protocols(o, "--proto", arg);
	case KEY_COMM:
		return options_set_comm(o, "--comm", arg);
	case KEY_UID:
		return options_set_uid(o, "--uid", arg);
	case KEY_CGROUP:
		return options_set_cgroup(o, "--cgroup", arg);
	case KEY_NETNS:
		return options_set_netns(o, "--netns", arg);
	case KEY_DEV:
		return options_set_device(o, "--dev", arg);
	case KEY_FAIL_ON:
		return options_add_fail_on(o, "--fail-on", arg);
	case KEY_TIME:
		return options_set_time(o, "--time", arg);
	case KEY_COLOR:
		return options_set_color(o, "--color", arg);
	case 'o':
		return options_name(&o->output, "-o", arg);
	case 'w':
		return options_name(&o->record, "-w", arg);
	case 'r':
		return options_name(&o->replay, "-r", arg);
	case KEY_DURATION:
		return options_set_duration(o, "--duration", arg);
	case KEY_COUNT:
		return options_set_count(o, "--count", arg);
	case KEY_ATTACH:
		return options_set_backend(o, "--attach", arg);
	case KEY_BUFFER:
		return options_set_buffer(o, "--buffer", arg);
	case KEY_CONNECT:
		return options_set_connect(o, "--connect", arg);
	case KEY_FROM:
		return options_set_from(o, "--from", arg);
	case KEY_USER:
		return options_name(&o->live.user, "--user", arg);
	}
	return -ENOSYS;
}

static int options_take_arg(struct options *o, struct argp_state *state)
{
	int at = state->next - 1;

	if (state->quoted && at >= state->quoted) {
		state->next = state->argc;
		return options_take_command(o, state->argv, at);
	}
	return options_take_word(o, state->argc, state->argv, at);
}

/* What is for a run, and makes no sense where the machine is looked at once. */
static int options_check_look(const struct options *o)
{
	const char *vain = NULL;

	if (o->command != OPTIONS_PORTS && o->listeners)
		vain = "-l is for 'ports'; write: portlife ports -l";
	else if (o->command != OPTIONS_PORTS && o->pressure)
		vain = "--pressure is for 'ports'; write: portlife ports --pressure";
	else if (o->pressure && (o->listeners || o->filter.ports_len))
		vain = "ports: --pressure is about the whole range; leave -l and PORT out";
	else if (o->command != OPTIONS_WHY && o->connect_to.port)
		vain = "--connect is for 'why'; write: portlife why --connect ADDR:PORT";
	else if (o->connect_to.port && o->filter.protocols == protocol_bit(IPPROTO_UDP))
		vain = "why: --connect is about TCP, which shares ports by destination; for UDP "
		       "write: portlife ports --pressure -u";
	else if (o->connect_from.family && !o->connect_to.port)
		vain = "--from goes with --connect; write: portlife why --connect ADDR:PORT --from "
		       "ADDR";
	else if (o->connect_to.port && (o->errno_asked || o->asked.port))
		vain = "why: one question at a time";
	else if (o->command == OPTIONS_WHY && !o->errno_asked && !o->asked.port &&
		 !o->connect_to.port)
		vain = "why: what? write: portlife why 8080, or: portlife why EADDRINUSE";
	else if (o->command == OPTIONS_WHY && options_asks_no_port(o))
		vain = "why: sockets of that --proto have no such port; write: portlife why "
		       "--proto=netlink 4242 (--proto first), portlife why @name; raw has none";
	else if (o->command == OPTIONS_WHY && o->filter.pids_len > 1)
		vain = "why: for one process at a time; write: portlife why -p PID PORT";
	else if (o->command != OPTIONS_WATCH && o->command != OPTIONS_LESSON &&
		 (o->replay || o->record))
		vain = "-r and -w are for watching: 'ports', 'why' and 'doctor' look at this "
		       "machine now";
	else if ((o->command == OPTIONS_PORTS || o->command == OPTIONS_WHY) &&
		 (o->live.backend || o->live.no_resync || o->live.duration_ns || o->count ||
		  o->strict || o->fail_on))
		vain = "--attach, --no-resync, --duration, --count, --strict and --fail-on are for "
		       "watching: 'ports' and 'why' look once";
	else if (o->command != OPTIONS_WATCH && o->command != OPTIONS_LESSON && o->explain)
		vain = "--explain is for watching and for lessons: it explains events";
	else if (o->command == OPTIONS_PORTS && o->filter.failed)
		vain = "ports: -x is for watching: a port that is taken has not failed";
	if (!vain)
		return 0;
	say("%s", vain);
	return -EINVAL;
}

/* A recording is read without a kernel; what is for one then makes no sense. */
static int options_check_files(const struct options *o)
{
	const char *vain = NULL;

	if (o->replay && o->live.command)
		vain = "-r and COMMAND exclude each other: a recording runs nothing";
	else if (o->replay && o->record)
		vain = "-r and -w exclude each other: copy the file";
	else if (o->replay && (o->live.backend || o->live.no_resync || o->live.duration_ns))
		vain = "-r: --attach, --no-resync and --duration are for a live run";
	else if (o->replay && o->netns_asked)
		vain = "-r: --netns takes the number that the recording has, as netns in JSON";
	else if (o->compress && !o->record)
		vain = "--compress: there is no recording to write; write: portlife --compress -w "
		       "FILE";
	else if (o->record && !strcmp(o->record, "-") &&
		 (o->output ? !strcmp(o->output, "-") : o->json && !o->live.command))
		vain = "-w - and the data cannot both go to standard output; give one a FILE";
	if (!vain)
		return 0;
	say("%s", vain);
	return -EINVAL;
}

/* What no single option can tell. */
static int options_check(const struct options *o, const struct argp_state *state)
{
	if (state->quoted && !o->live.command) {
		say("there is no COMMAND after --; write: portlife -- COMMAND");
		return -EINVAL;
	}
	if (o->live.command && o->filter.pids_len) {
		say("-p and COMMAND exclude each other: a COMMAND is followed by itself");
		return -EINVAL;
	}
	if (o->live.user && !o->live.command) {
		say("--user: there is no COMMAND to run; write: portlife --user=%s -- COMMAND",
		    o->live.user);
		return -EINVAL;
	}
	if (!options_has_wide_ports(o) &&
	    (options_check_ports("-P", o->ports, o->filter.ports_len) ||
	     options_check_ports("--peer-port", o->peer_ports, o->filter.peer_ports_len)))
		return -EINVAL;
	if (!o->replay && options_check_pids(o))
		return -EINVAL;
	if (o->live.user && options_check_user(o))
		return -EINVAL;
	if (options_check_look(o) || options_check_lesson(o))
		return -EINVAL;
	if (!o->replay && o->cgroup)
		options_note_cgroup(o);
	return options_check_files(o);
}

static error_t options_take(int key, char *arg, struct argp_state *state)
{
	struct parsing *parsing = state->input;
	struct options *o = parsing->options;
	int err;

	switch (key) {
	case ARGP_KEY_INIT:
		/* getopt says what is wrong in one line; argp would add a second one */
		state->err_stream = NULL;
		return 0;
	case ARGP_KEY_ARG:
		err = options_take_arg(o, state);
		break;
	case ARGP_KEY_END:
		err = parsing->done ? 0 : options_check(o, state);
		break;
	case 'h':
	case 'V':
	case KEY_USAGE:
		err = options_show(parsing, state, key);
		break;
	default:
		if (options_switch(o, key))
			return 0;
		err = options_value(o, key, arg);
		if (err == -ENOSYS)
			return ARGP_ERR_UNKNOWN;
	}
	if (err)
		parsing->error = err;
	return -err;
}

static const char options_doc[] =
	"Watches a Linux kernel give ports to sockets: who asked, by which call, who chose.\v"
	"Exit status: 0 done, 1 failed while running, 2 usage, 3 cannot trace here, "
	"4 events lost (--strict), 5 found (--fail-on), 126 and 127 COMMAND cannot be executed or "
	"is not there, else that of COMMAND. See portlife(1).";

int options_parse(int argc, char **argv, struct options *o)
{
	static const struct argp argp = {
		.options = options_table,
		.parser = options_take,
		.args_doc = "[-- COMMAND [ARG...]]\nports [PORT...]\nwhy [ADDR[%DEV]:]PORT\nwhy "
			    "--connect ADDR:PORT\nwhy "
			    "ERRNO\nlesson [NAME|N]\ndoctor",
		.doc = options_doc,
	};
	struct parsing parsing = { .options = o };
	char name[] = "portlife"; /* whatever path it was called by */
	char *called = argc ? argv[0] : NULL;
	int err;

	*o = (struct options){ .live = { .buffer_bytes = BUFFER_DEFAULT } };
	if (!argc)
		return OPTIONS_GO;
	argv[0] = name;
	err = argp_parse(&argp, argc, argv, ARGP_IN_ORDER | ARGP_NO_EXIT | ARGP_NO_HELP, NULL,
			 &parsing);
	argv[0] = called;
	if (err)
		return parsing.error ? parsing.error : -EINVAL;
	o->filter.ports = o->ports;
	o->filter.peer_ports = o->peer_ports;
	if (o->all_protocols)
		o->filter.protocols = 0;
	o->live.output_taken = o->record && !strcmp(o->record, "-");
	if (o->json)
		o->filter.states = true;
	return parsing.done ? OPTIONS_DONE : OPTIONS_GO;
}

void options_free(struct options *o)
{
	free(o->pids);
	free(o->ports);
	free(o->peer_ports);
	free(o->cgroup);
	*o = (struct options){ .live = { .backend = 0 } };
}
