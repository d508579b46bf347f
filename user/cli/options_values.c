/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/options_values.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "user/util/parse.h"
#include "user/util/say.h"

#define BUFFER_MIN (64ULL << 10)
#define BUFFER_MAX (1ULL << 30)

int options_set_address(struct options *o, const char *name, const char *text)
{
	int err = parse_address(text, strlen(text), o->filter.addr, &o->filter.addr_bits);

	if (err == -ERANGE) {
		say("%s: '%s' has a prefix that is too long; IPv4 has 32 bits, IPv6 128", name,
		    text);
		return -EINVAL;
	}
	if (err) {
		say("%s: '%s' is no address; write 10.0.0.0/8, ::1 or fe80::/10", name, text);
		return err;
	}
	o->filter.has_addr = true;
	return 0;
}

int options_set_comm(struct options *o, const char *name, const char *text)
{
	size_t len = strlen(text);

	if (!len) {
		say("%s: the name is empty; write --comm=nginx", name);
		return -EINVAL;
	}
	if (len > sizeof(o->comm) - 1)
		len = sizeof(o->comm) - 1; /* as the kernel cuts it */
	memcpy(o->comm, text, len);
	o->comm[len] = 0;
	o->filter.comm = o->comm;
	o->live.comm = o->comm;
	return 0;
}

int options_check_user(const struct options *o)
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *user = NULL;

	if (!file)
		return 0; /* whoever becomes the user will say */
	while ((user = fgetpwent(file)) && strcmp(user->pw_name, o->live.user) != 0)
		;
	fclose(file);
	if (user)
		return 0;
	say("--user=%s: no such user in /etc/passwd", o->live.user);
	return -EINVAL;
}

int options_set_uid(struct options *o, const char *name, const char *text)
{
	uint64_t uid;

	/* the greatest number means "none" to the kernel */
	if (parse_number(text, strlen(text), 0, UINT32_MAX - 1, &uid)) {
		say("%s: '%s' is no user id; write a number, as `id -u NAME` shows it", name, text);
		return -EINVAL;
	}
	o->filter.has_uid = true;
	o->filter.uid = (uint32_t)uid;
	o->live.has_uid = true;
	o->live.uid = (uint32_t)uid;
	return 0;
}

int options_set_count(struct options *o, const char *name, const char *text)
{
	if (parse_number(text, strlen(text), 1, UINT64_MAX, &o->count)) {
		say("%s: '%s' is no number of events; write 1 or more", name, text);
		return -EINVAL;
	}
	return 0;
}

int options_set_duration(struct options *o, const char *name, const char *text)
{
	uint64_t ns;

	if (parse_duration(text, strlen(text), &ns) || !ns) {
		say("%s: '%s' is no duration; write 5s, 500ms or 2m", name, text);
		return -EINVAL;
	}
	o->live.duration_ns = ns;
	return 0;
}

int options_set_buffer(struct options *o, const char *name, const char *text)
{
	uint64_t bytes;

	if (parse_size(text, strlen(text), &bytes) || bytes < BUFFER_MIN || bytes > BUFFER_MAX ||
	    bytes & (bytes - 1) || bytes % (uint64_t)sysconf(_SC_PAGESIZE)) {
		say("%s: '%s' is no size that works; write a power of two from 64K to 1G, as 8M",
		    name, text);
		return -EINVAL;
	}
	o->live.buffer_bytes = (size_t)bytes;
	return 0;
}

int options_set_backend(struct options *o, const char *name, const char *text)
{
	static const uint32_t backends[] = { WIRE_FENTRY, WIRE_KPROBE, WIRE_TRACEPOINT };

	for (size_t i = 0; i < sizeof(backends) / sizeof(backends[0]); i++) {
		if (!strcmp(backend_name(backends[i]), text)) {
			o->live.backend = backends[i];
			return 0;
		}
	}
	say("%s: '%s' is no backend; write fentry, kprobe or tracepoint", name, text);
	return -EINVAL;
}

int options_set_time(struct options *o, const char *name, const char *text)
{
	static const struct {
		const char *word;
		enum when_style style;
	} styles[] = {
		{ "wall", WHEN_WALL },
		{ "boot", WHEN_BOOT },
		{ "delta", WHEN_DELTA },
		{ "none", WHEN_NONE },
	};

	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		if (!strcmp(styles[i].word, text)) {
			o->time = styles[i].style;
			return 0;
		}
	}
	say("%s: '%s' is no way to write time; write wall, boot, delta or none", name, text);
	return -EINVAL;
}

int options_set_color(struct options *o, const char *name, const char *text)
{
	if (!strcmp(text, "auto")) {
		o->color = COLOR_AUTO;
	} else if (!strcmp(text, "always")) {
		o->color = COLOR_ALWAYS;
	} else if (!strcmp(text, "never")) {
		o->color = COLOR_NEVER;
	} else {
		say("%s: '%s' is no answer; write auto, always or never", name, text);
		return -EINVAL;
	}
	return 0;
}
