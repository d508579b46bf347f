/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: what is understood, and that all else is refused in one clear line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

#include "user/cli/options.h"
#include "user/util/parse.h"

#define ARGS_MAX 16

struct line {
	char copy[512];
	char *argv[ARGS_MAX + 1];
	int argc;
	struct options options;
};

/* Splits at spaces; a lone `""` is the empty word. */
static int line_parse(struct line *line, const char *text)
{
	char *p = line->copy;

	assert_true(strlen(text) < sizeof(line->copy));
	memcpy(p, text, strlen(text) + 1);
	line->argc = 0;
	while (*p) {
		assert_true(line->argc < ARGS_MAX);
		line->argv[line->argc++] = p;
		p += strcspn(p, " ");
		if (*p)
			*p++ = 0;
	}
	for (int i = 0; i < line->argc; i++)
		if (!strcmp(line->argv[i], "\"\""))
			line->argv[i] += 2;
	line->argv[line->argc] = NULL;
	return options_parse(line->argc, line->argv, &line->options);
}

/* Parses with standard error (and output) caught in `said`. */
static int line_parse_caught(struct line *line, const char *text, int fd, char *said, size_t room)
{
	int caught = memfd_create("said", MFD_CLOEXEC);
	int saved = dup(fd);
	ssize_t len;
	int ret;

	assert_true(caught >= 0 && saved >= 0);
	assert_int_equal(dup2(caught, fd), fd);
	ret = line_parse(line, text);
	assert_int_equal(dup2(saved, fd), fd);
	close(saved);
	len = pread(caught, said, room - 1, 0);
	close(caught);
	assert_true(len >= 0);
	said[len] = 0;
	return ret;
}

static void refused(const char *text, const char *want)
{
	struct line line;
	char said[2048];
	int ret = line_parse_caught(&line, text, STDERR_FILENO, said, sizeof(said));
	const char *newline = strchr(said, '\n');

	options_free(&line.options);
	if (ret != -EINVAL || !strstr(said, want) || strncmp(said, "portlife: ", 10) != 0 ||
	    !newline || newline[1])
		fail_msg("%s: returned %d and said: %s", text, ret, said);
}

static void nothing_is_watch(void **state)
{
	struct line line;

	(void)state;
	assert_int_equal(line_parse(&line, "portlife"), OPTIONS_GO);
	assert_int_equal(line.options.command, OPTIONS_WATCH);
	assert_int_equal(line.options.live.buffer_bytes, 8 << 20);
	assert_null(line.options.live.command);
	assert_false(line.options.filter.states);
	assert_false(line.options.filter.command);
	options_free(&line.options);
}

static void filters_are_taken(void **state)
{
	struct line line;
	const struct filter *f = &line.options.filter;
	char text[256];

	(void)state;
	snprintf(text, sizeof(text),
		 "x -p %d,1 -P 80,8000-8099 -P 443 --peer-port=1-65535 --addr=10.0.0.0/8 -4 -t "
		 "--comm=longer-than-fifteen --uid=1000 -x --implicit",
		 (int)getpid());
	assert_int_equal(line_parse(&line, text), OPTIONS_GO);
	assert_int_equal(f->pids_len, 2);
	assert_int_equal(f->pids[0], getpid());
	assert_ptr_equal(line.options.live.pids, f->pids);
	assert_int_equal(f->ports_len, 3);
	assert_int_equal(f->ports[1].lo, 8000);
	assert_int_equal(f->ports[1].hi, 8099);
	assert_int_equal(f->ports[2].lo, 443);
	assert_int_equal(f->peer_ports[0].hi, 65535);
	assert_true(f->has_addr);
	assert_int_equal(f->addr_bits, 104);
	assert_memory_equal(f->addr, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x0a\0\0\0", 16);
	assert_true(f->inet4 && !f->inet6);
	assert_int_equal(f->protocols, protocol_bit(IPPROTO_TCP));
	assert_string_equal(f->comm, "longer-than-fif");
	assert_string_equal(line.options.live.comm, "longer-than-fif");
	assert_true(f->has_uid && line.options.live.has_uid);
	assert_int_equal(f->uid, 1000);
	assert_true(f->failed && f->implicit && !f->ephemeral && !f->states && !f->existing);
	options_free(&line.options);
}

static void places_and_findings_are_taken(void **state)
{
	struct line line;
	const struct options *o = &line.options;

	(void)state;
	assert_int_equal(line_parse(&line, "x --cgroup=system.slice/a.service/ --netns=4026531840 "
					   "--dev=eth0 --strict --fail-on=early-bind "
					   "--fail-on=implicit-bind,bind-in-use"),
			 OPTIONS_GO);
	assert_string_equal(o->filter.cgroup, "/system.slice/a.service");
	assert_true(o->filter.has_netns);
	assert_int_equal(o->filter.netns, 4026531840);
	assert_string_equal(o->filter.dev, "eth0");
	assert_true(o->strict);
	assert_int_equal(o->fail_on, 1u << FINDING_EARLY_BIND | 1u << FINDING_BIND_IN_USE |
					     1u << FINDING_IMPLICIT_BIND);
	options_free(&line.options);
	assert_int_equal(line_parse(&line, "x --cgroup=/sys/fs/cgroup/a --netns=/proc/self/ns/net"),
			 OPTIONS_GO);
	assert_string_equal(o->filter.cgroup, "/a");
	assert_true(o->filter.netns != 0);
	options_free(&line.options);
	assert_int_equal(line_parse(&line, "x --cgroup=/"), OPTIONS_GO);
	assert_string_equal(o->filter.cgroup, "/");
	options_free(&line.options);
}

static void the_rest_is_taken(void **state)
{
	struct line line;
	const struct options *o = &line.options;

	(void)state;
	assert_int_equal(line_parse(&line, "x -nHqv --utc --time=boot --color=never -o - "
					   "--duration=500ms --count=3 --attach=kprobe "
					   "--buffer=64K --ephemeral --states --existing -6"),
			 OPTIONS_GO);
	assert_true(o->no_header && o->quiet && o->verbose && o->utc);
	assert_int_equal(o->time, WHEN_BOOT);
	assert_int_equal(o->color, COLOR_NEVER);
	assert_string_equal(o->output, "-");
	assert_int_equal(o->live.duration_ns, 500000000);
	assert_int_equal(o->count, 3);
	assert_int_equal(o->live.backend, WIRE_KPROBE);
	assert_int_equal(o->live.buffer_bytes, 65536);
	assert_true(o->filter.ephemeral && o->filter.states && o->filter.existing);
	assert_true(o->filter.inet6);
	options_free(&line.options);
}

static void json_shows_every_kind(void **state)
{
	struct line line;

	(void)state;
	assert_int_equal(line_parse(&line, "x --json"), OPTIONS_GO);
	assert_true(line.options.json && line.options.filter.states);
	assert_false(line.options.filter.existing);
	options_free(&line.options);
}

static void command_is_what_follows(void **state)
{
	struct line line;

	(void)state;
	assert_int_equal(line_parse(&line, "x -j --user=nobody -- ls -p --help -- 8080"),
			 OPTIONS_GO);
	assert_int_equal(line.options.command, OPTIONS_WATCH);
	assert_true(line.options.filter.command);
	assert_string_equal(line.options.live.user, "nobody");
	assert_string_equal(line.options.live.command[0], "ls");
	assert_string_equal(line.options.live.command[4], "8080");
	assert_null(line.options.live.command[5]);
	options_free(&line.options);
}

static void doctor_is_a_command(void **state)
{
	struct line line;

	(void)state;
	assert_int_equal(line_parse(&line, "x doctor -j"), OPTIONS_GO);
	assert_int_equal(line.options.command, OPTIONS_DOCTOR);
	assert_true(line.options.json);
	options_free(&line.options);
	assert_int_equal(line_parse(&line, "x -- doctor"), OPTIONS_GO);
	assert_int_equal(line.options.command, OPTIONS_WATCH);
	options_free(&line.options);
}

static void bad_lines_are_refused(void **state)
{
	(void)state;
	refused("x --nonsense", "--nonsense");
	refused("x -Z", "'Z'");
	refused("x -P", "argument");
	refused("x -c 5", "'c'");
	refused("x -P 0", "'0' is out of range; ports are 1 to 65535");
	refused("x -P 65536", "out of range");
	refused("x -P 99999999999999999999999", "out of range");
	refused("x -P 90-80", "reversed; write 80-90");
	refused("x -P 1-65536", "out of range");
	refused("x -P 80,", "empty item");
	refused("x -P ,", "empty item");
	refused("x -P \"\"", "the list is empty");
	refused("x -P http", "neither a port nor a range");
	refused("x -P +80", "neither");
	refused("x -P -80", "neither");
	refused("x -P 80-", "neither");
	refused("x -P 80x", "neither");
	refused("x -P 0x50", "neither");
	refused("x --peer-port=0", "--peer-port: '0' is out of range");
	refused("x -p 0", "no process id");
	refused("x -p abc", "no process id");
	refused("x -p -1", "no process id");
	refused("x -p 1,", "empty item");
	refused("x -p \"\"", "the list is empty");
	refused("x -p 4194304", "pid 4194304 does not exist");
	refused("x -p 99999999999999999999", "does not exist");
	refused("x --addr=10.0.0.256", "is no address");
	refused("x --addr=10.0.0.0/33", "prefix");
	refused("x --addr=::/129", "prefix");
	refused("x --addr=10.0.0.0/", "is no address");
	refused("x --addr=localhost", "is no address");
	refused("x --comm=", "empty");
	refused("x --uid=root", "is no user id");
	refused("x --uid=4294967295", "is no user id");
	refused("x --proto=tcp,igmp", "'igmp' is none of tcp, udp");
	refused("x --proto=unix -P 65536", "out of range");
	refused("x --user=nobody-of-that-name -- true", "no such user");
	refused("x --proto=", "the list is empty");
	refused("x --time=now", "wall, boot, delta or none");
	refused("x --color=blue", "auto, always or never");
	refused("x --duration=0", "is no duration");
	refused("x --duration=5d", "is no duration");
	refused("x --duration=-5s", "is no duration");
	refused("x --duration=18446744073709551615h", "is no duration");
	refused("x --count=0", "is no number of events");
	refused("x --count=1.5", "is no number of events");
	refused("x --attach=magic", "fentry, kprobe or tracepoint");
	refused("x --buffer=3M", "power of two");
	refused("x --buffer=32K", "power of two");
	refused("x --buffer=2G", "power of two");
	refused("x --buffer=8MB", "power of two");
	refused("x -o \"\"", "empty");
	refused("x --user=nobody", "portlife --user=nobody -- COMMAND");
	refused("x --", "there is no COMMAND after --");
	refused("x -p 1 -- ls", "exclude each other");
}

static void wrong_words_are_put_right(void **state)
{
	(void)state;
	refused("x python3 x.py", "write: portlife -- python3 x.py\n");
	refused("x -j python3 x.py", "write: portlife -j -- python3 x.py\n");
	refused("x 8080", "write: portlife -P 8080\n");
	refused("x -4 80,8000-8099", "write: portlife -4 -P 80,8000-8099\n");
	refused("x ./it's", "portlife -- './it'\\''s'\n");
	refused("x top", "this version does not have 'top'");
	refused("x ports http", "neither a port nor a range of ports");
	refused("x ports --pressure 80", "about the whole range");
	refused("x --pressure", "write: portlife ports --pressure");
	refused("x why EWHAT", "'EWHAT' is no PORT");
	refused("x report", "this version does not have 'report'");
	refused("x report", "this version does not have 'report'");
	refused("x doctor now", "doctor takes no arguments");
	refused("x doctor -- ls", "doctor runs no COMMAND");
	refused("x \033[31mred", "\\x1b[31mred");
}

static void *thread_parses(void *arg)
{
	char text[64];

	(void)arg;
	snprintf(text, sizeof(text), "x -p %d", (int)gettid());
	refused(text, "is a thread of process");
	return NULL;
}

static void a_thread_is_no_process(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, thread_parses, NULL), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
}

static void shown(const char *text, const char *want)
{
	struct line line;
	char said[8192];

	assert_int_equal(line_parse_caught(&line, text, STDOUT_FILENO, said, sizeof(said)),
			 OPTIONS_DONE);
	options_free(&line.options);
	assert_non_null(strstr(said, want));
}

static void help_is_shown(void **state)
{
	(void)state;
	shown("x --help", "Usage: portlife [OPTION...] [-- COMMAND [ARG...]]\n");
	shown("x --help", "--peer-port=PORT|A-B,...");
	shown("x --usage", "Usage: portlife ");
	shown("x --version", "portlife ");
	shown("x --version --nonsense", "portlife ");
}

/* --- parsers that no option shows in full --------------------------------------------------- */

static void numbers_have_bounds(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_int_equal(parse_number("18446744073709551615", 20, 0, UINT64_MAX, &n), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(parse_number("18446744073709551616", 20, 0, UINT64_MAX, &n), -ERANGE);
	assert_int_equal(parse_number("", 0, 0, 9, &n), -EINVAL);
	assert_int_equal(parse_number(" 1", 2, 0, 9, &n), -EINVAL);
	assert_int_equal(parse_number("007", 3, 0, 9, &n), 0);
	assert_int_equal(parse_number("1\0", 2, 0, 9, &n), -EINVAL);
	assert_int_equal(parse_number("12", 1, 0, 9, &n), 0); /* len counts, not a NUL */
}

static void durations_and_sizes(void **state)
{
	uint64_t n = 0;

	(void)state;
	assert_int_equal(parse_duration("5", 1, &n), 0);
	assert_int_equal(n, 5000000000);
	assert_int_equal(parse_duration("2m", 2, &n), 0);
	assert_int_equal(n, 120000000000);
	assert_int_equal(parse_duration("1ns", 3, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(parse_duration("s", 1, &n), -EINVAL);
	assert_int_equal(parse_size("1G", 2, &n), 0);
	assert_int_equal(n, 1 << 30);
	assert_int_equal(parse_size("17179869184G", 12, &n), -ERANGE);
	assert_int_equal(parse_size("M", 1, &n), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_watch),
		cmocka_unit_test(filters_are_taken),
		cmocka_unit_test(places_and_findings_are_taken),
		cmocka_unit_test(the_rest_is_taken),
		cmocka_unit_test(json_shows_every_kind),
		cmocka_unit_test(command_is_what_follows),
		cmocka_unit_test(doctor_is_a_command),
		cmocka_unit_test(bad_lines_are_refused),
		cmocka_unit_test(wrong_words_are_put_right),
		cmocka_unit_test(a_thread_is_no_process),
		cmocka_unit_test(help_is_shown),
		cmocka_unit_test(numbers_have_bounds),
		cmocka_unit_test(durations_and_sizes),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
