// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/source/make.h"
#include "user/source/namespaces.h"
#include "user/util/parse.h"

#define SETTING_SOME  4096
#define SETTING_BYTES (512U << 10) /* every second port reserved, one by one */

/* The value without its newline; -1 if it cannot be read. /proc/sys/net shows the reader's own. */
static ssize_t read_setting(const char *name, char *text, size_t text_len)
{
	size_t used = 0;
	char path[96];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	while (used < text_len && (len = read(fd, text + used, text_len - used)) > 0)
		used += (size_t)len;
	close(fd);
	while (used && (text[used - 1] == '\n' || text[used - 1] == ' '))
		used--;
	return (ssize_t)used;
}

static bool read_number(const char *name, uint64_t most, uint64_t *value)
{
	char text[32];
	ssize_t len = read_setting(name, text, sizeof(text));

	return len > 0 && !parse_number(text, (size_t)len, 0, most, value);
}

static void read_range(struct settings *s)
{
	char text[64];
	ssize_t len = read_setting("ipv4/ip_local_port_range", text, sizeof(text));
	uint64_t lo, hi;
	size_t first, gap;

	if (len <= 0 || len == sizeof(text))
		return;
	text[len] = '\0';
	first = strcspn(text, " \t");
	gap = strspn(text + first, " \t");
	if (parse_number(text, first, 1, UINT16_MAX, &lo) ||
	    parse_number(text + first + gap, strlen(text + first + gap), lo, UINT16_MAX, &hi))
		return;
	s->range_lo = (uint16_t)lo;
	s->range_hi = (uint16_t)hi;
}

/* Few have many: the kernel takes memory for as much as is asked for. */
static void read_reserved(struct settings *s)
{
	static const char name[] = "ipv4/ip_local_reserved_ports";
	char some[SETTING_SOME], *text = some;
	ssize_t len = read_setting(name, some, sizeof(some));

	if (len == sizeof(some)) {
		text = malloc(SETTING_BYTES);
		if (!text)
			return;
		len = read_setting(name, text, SETTING_BYTES);
	}
	s->reserved_known = len >= 0 && settings_parse_reserved(s, text, (size_t)len);
	if (text != some)
		free(text);
}

void settings_read_ports(struct settings *s)
{
	uint64_t value;

	*s = (struct settings){ .netns = namespace_inum("net") };
	read_range(s);
	read_reserved(s);
	if (read_number("ipv4/ip_unprivileged_port_start", SETTINGS_PORTS, &value)) {
		s->unprivileged_known = true;
		s->unprivileged_start = (uint32_t)value;
	}
	if (read_number("ipv4/ip_local_port_step_width", UINT32_MAX, &value)) {
		s->step_width_known = true;
		s->step_width = (uint32_t)value;
	}
}

void settings_read(struct settings *s)
{
	uint64_t value;

	settings_read_ports(s);
	if (read_number("ipv4/tcp_tw_reuse", 2, &value))
		s->tw_reuse = (uint8_t)value;
	s->nonlocal4 = read_number("ipv4/ip_nonlocal_bind", 1, &value) && value;
	s->nonlocal6 = read_number("ipv6/ip_nonlocal_bind", 1, &value) && value;
}

/* --- of all namespaces ------------------------------------------------------------------- */

struct reading {
	int (*give)(void *arg, const struct settings *settings);
	void *arg;
	struct settings settings;
};

static int read_here(void *arg)
{
	struct reading *r = arg;

	settings_read(&r->settings);
	return 0;
}

static int read_others(struct reading *r, const struct namespaces *n, uint32_t own, int own_fd)
{
	int error = 0;

	for (size_t i = 0; i < n->len && !error; i++) {
		if (n->list[i].inum == own)
			continue;
		error = netns_visit(&n->list[i], own_fd, read_here, r);
		if (!error)
			error = r->give(r->arg, &r->settings);
		else if (error != -ENOTRECOVERABLE)
			error = 0; /* gone, or not ours to enter */
	}
	return error;
}

int settings_read_all(int (*give)(void *arg, const struct settings *settings), void *arg)
{
	struct reading *r = malloc(sizeof(*r));
	struct namespaces n = { .len = 0 };
	int own_fd, error;

	if (!r)
		return -ENOMEM;
	r->give = give;
	r->arg = arg;
	own_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	read_here(r);
	error = give(arg, &r->settings);
	if (!error && own_fd >= 0)
		error = namespaces_list(&n);
	if (!error)
		error = read_others(r, &n, namespace_inum("net"), own_fd);
	namespaces_free(&n);
	if (own_fd >= 0)
		close(own_fd);
	free(r);
	return error;
}
