/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/options_values.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/util/parse.h"
#include "user/util/say.h"

#define PORT_MAX 65535
#define WIDE_MAX UINT32_MAX /* VSOCK, netlink */
#define PID_MAX	 4194304    /* PID_MAX_LIMIT of <linux/threads.h> */

static int options_say_empty(const char *name, const char *list, const char *example)
{
	if (*list)
		say("%s: '%s' has an empty item; write %s", name, list, example);
	else
		say("%s: the list is empty; write %s", name, example);
	return -EINVAL;
}

static int options_say_port(const char *name, const char *item, int len, int err)
{
	const char *dash = memchr(item, '-', (size_t)len);

	switch (err) {
	case -ERANGE:
		say("%s: '%.*s' is out of range; ports are 1 to %d", name, len, item, PORT_MAX);
		break;
	case -EDOM:
		say("%s: the range '%.*s' is reversed; write %.*s-%.*s", name, len, item,
		    len - (int)(dash - item) - 1, dash + 1, (int)(dash - item), item);
		break;
	default:
		say("%s: '%.*s' is neither a port nor a range of ports; write 80 or 8000-8099",
		    name, len, item);
	}
	return -EINVAL;
}

int options_add_ports(const char *name, const char *list, struct port_range **ranges, size_t *len)
{
	const char *rest = list;
	const char *item;
	size_t item_len;

	while (parse_list_next(&rest, &item, &item_len)) {
		struct port_range *grown;
		uint64_t first, last;
		int err;

		if (!item_len)
			return options_say_empty(name, list, "80,8000-8099");
		err = parse_range(item, item_len, 1, WIDE_MAX, &first, &last);
		if (err)
			return options_say_port(name, item, (int)item_len, err);
		grown = realloc(*ranges, (*len + 1) * sizeof(**ranges));
		if (!grown)
			return -ENOMEM;
		*ranges = grown;
		grown[(*len)++] =
			(struct port_range){ .lo = (uint32_t)first, .hi = (uint32_t)last };
	}
	return 0;
}

int options_check_ports(const char *name, const struct port_range *ranges, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		uint32_t wrong = ranges[i].lo > PORT_MAX ? ranges[i].lo : ranges[i].hi;

		if (wrong <= PORT_MAX)
			continue;
		say("%s: '%u' is out of range; ports are 1 to %d, but for --proto=vsock,netlink",
		    name, wrong, PORT_MAX);
		return -EINVAL;
	}
	return 0;
}

/* The process that pid, which may be a thread's, belongs to; pid itself where /proc hides it. */
static uint32_t options_process_of(uint32_t pid)
{
	char path[64], text[4096];
	uint64_t tgid = pid;
	const char *line;
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return pid;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return pid;
	text[len] = 0;
	line = strstr(text, "\nTgid:\t"); /* the name above it has its newlines escaped */
	if (!line)
		return pid;
	line += strlen("\nTgid:\t");
	if (parse_number(line, strcspn(line, "\n"), 1, PID_MAX, &tgid))
		return pid;
	return (uint32_t)tgid;
}

static int options_parse_pid(const char *name, const char *item, int len, uint32_t *pid)
{
	uint64_t number;
	int err = parse_number(item, (size_t)len, 1, PID_MAX, &number);

	if (err == -EINVAL || (len == 1 && *item == '0')) {
		say("%s: '%.*s' is no process id; write a number, as `pgrep NAME` shows it", name,
		    len, item);
		return -EINVAL;
	}
	if (err) {
		say("%s: pid %.*s does not exist", name, len, item);
		return -EINVAL;
	}
	*pid = (uint32_t)number;
	return 0;
}

int options_check_pids(const struct options *o)
{
	for (size_t i = 0; i < o->filter.pids_len; i++) {
		uint32_t pid = o->pids[i], process;

		if (kill((pid_t)pid, 0) && errno == ESRCH) {
			say("-p: pid %u does not exist", pid);
			return -EINVAL;
		}
		process = options_process_of(pid);
		if (process != pid) {
			say("-p: %u is a thread of process %u; write -p %u", pid, process, process);
			return -EINVAL;
		}
	}
	return 0;
}

int options_add_pids(struct options *o, const char *name, const char *list)
{
	const char *rest = list;
	const char *item;
	size_t len;

	while (parse_list_next(&rest, &item, &len)) {
		uint32_t *grown;
		uint32_t pid;
		int err;

		if (!len)
			return options_say_empty(name, list, "811,4123");
		err = options_parse_pid(name, item, (int)len, &pid);
		if (err)
			return err;
		grown = realloc(o->pids, (o->filter.pids_len + 1) * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		o->pids = grown;
		grown[o->filter.pids_len++] = pid;
		o->filter.pids = grown;
		o->live.pids = grown;
		o->live.pids_len = o->filter.pids_len;
	}
	return 0;
}
