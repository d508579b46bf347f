// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/make.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>

/* include/linux/proc_ns.h: PROC_PID_INIT_INO, the initial pid namespace of every kernel */
#define PID_NAMESPACE_INITIAL 0xEFFFFFFCU

static uint64_t clock_ns(clockid_t id)
{
	struct timespec ts = { 0 };

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

uint64_t clock_boot_ns(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

uint32_t clock_tick_ns(void)
{
	struct timespec ts = { 0 };

	/* kernel/time/posix-timers.c: KTIME_LOW_RES, one jiffy */
	if (clock_getres(CLOCK_MONOTONIC_COARSE, &ts) || ts.tv_sec)
		return 0;
	return (uint32_t)ts.tv_nsec;
}

uint32_t namespace_inum(const char *which)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", which);
	return stat(path, &st) ? 0 : (uint32_t)st.st_ino;
}

uint32_t pid_namespace_nested(void)
{
	uint32_t inum = namespace_inum("pid");

	return inum == PID_NAMESPACE_INITIAL ? 0 : inum;
}

static size_t head(struct made *made, enum wire_kind kind, size_t len, uint64_t ts_ns)
{
	struct wire_head *h = (struct wire_head *)made->bytes;

	h->len_bytes = (uint16_t)len;
	h->kind = (uint8_t)kind;
	h->version = WIRE_VERSION;
	h->ts_ns = ts_ns;
	return len;
}

static size_t padded(size_t len)
{
	return (len + 7) & ~(size_t)7;
}

/* Appends text, cut to what fits; returns what was taken. */
static size_t append(struct made *made, size_t at, const char *text, size_t len)
{
	size_t room = MAKE_MAX - 8 - at;

	if (len > room)
		len = room;
	memcpy(made->bytes + at, text, len);
	return len;
}

static void read_range(uint16_t *lo, uint16_t *hi)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	unsigned int low, high;

	if (!file)
		return;
	if (fscanf(file, "%5u %5u", &low, &high) == 2 && low && low <= high && high <= 65535) {
		*lo = (uint16_t)low;
		*hi = (uint16_t)high;
	}
	fclose(file);
}

size_t make_start(struct made *made, const struct start *start, char *const *command)
{
	struct wire_start *r = (struct wire_start *)made->bytes;
	size_t at = sizeof(*r), taken;
	struct utsname uts;

	memset(made, 0, sizeof(*made));
	if (uname(&uts))
		memset(&uts, 0, sizeof(uts));
	r->wall_ns = clock_ns(CLOCK_REALTIME);
	r->backend = start->backend;
	r->blind = start->blind;
	r->filter = start->filter;
	r->netns = namespace_inum("net");
	r->pid_initial = !pid_namespace_nested();
	read_range(&r->range_lo, &r->range_hi);
	r->kernel_len = (uint16_t)append(made, at, uts.release, strlen(uts.release));
	at += r->kernel_len;
	r->host_len = (uint16_t)append(made, at, uts.nodename, strlen(uts.nodename));
	at += r->host_len;
	for (; command && *command; command++) {
		size_t len = strlen(*command) + 1;

		taken = append(made, at, *command, len);
		if (!taken)
			break;
		made->bytes[at + taken - 1] = '\0'; /* also when cut */
		r->command_len += (uint16_t)taken;
		at += taken;
	}
	return head(made, WIRE_START, padded(at), clock_boot_ns());
}

size_t make_name(struct made *made, uint64_t ts_ns, enum wire_name_what what, uint64_t id,
		 uint32_t netns, const char *text)
{
	struct wire_name *r = (struct wire_name *)made->bytes;
	size_t len = strlen(text);

	if (len > 4096)
		len = 4096;
	memset(made, 0, sizeof(*r) + padded(len));
	r->id = id;
	r->netns = netns;
	r->what = (uint16_t)what;
	r->text_len = (uint16_t)append(made, sizeof(*r), text, len);
	return head(made, WIRE_NAME, padded(sizeof(*r) + len), ts_ns);
}

/* "80,8000-8099"; false if they are too many. */
static bool append_reserved(struct made *made, struct wire_settings *r, const struct settings *s)
{
	uint32_t first = 0, last;
	size_t at = sizeof(*r);

	for (; settings_next_reserved(s, &first, &last); first = last + 1) {
		char text[16];
		size_t len;

		len = (size_t)snprintf(text, sizeof(text), "%s%u", at > sizeof(*r) ? "," : "",
				       first);
		if (last > first)
			len += (size_t)snprintf(text + len, sizeof(text) - len, "-%u", last);
		if (append(made, at, text, len) != len)
			return false;
		at += len;
	}
	r->text_len = (uint16_t)(at - sizeof(*r));
	return true;
}

size_t make_settings(struct made *made, uint64_t ts_ns, const struct settings *s)
{
	struct wire_settings *r = (struct wire_settings *)made->bytes;
	size_t len;

	memset(r, 0, sizeof(*r));
	r->netns = s->netns;
	if (s->range_hi) {
		r->known |= WIRE_S_RANGE;
		r->range_lo = s->range_lo;
		r->range_hi = s->range_hi;
	}
	if (s->unprivileged_known) {
		r->known |= WIRE_S_UNPRIVILEGED;
		r->unprivileged_start = s->unprivileged_start;
	}
	if (s->step_width_known) {
		r->known |= WIRE_S_STEP_WIDTH;
		r->step_width = s->step_width;
	}
	if (s->reserved_known && append_reserved(made, r, s))
		r->known |= WIRE_S_RESERVED;
	len = sizeof(*r) + r->text_len;
	memset(made->bytes + len, 0, padded(len) - len);
	return head(made, WIRE_SETTINGS, padded(len), ts_ns);
}

size_t make_lost(struct made *made, uint64_t count, enum wire_lost_cause cause, uint32_t cpu)
{
	struct wire_lost *r = (struct wire_lost *)made->bytes;

	memset(made, 0, sizeof(*r));
	r->count = count;
	r->cause = cause;
	r->cpu = cpu;
	return head(made, WIRE_LOST, sizeof(*r), clock_boot_ns());
}

size_t make_pass(struct made *made, uint32_t number, enum wire_pass_stage stage, uint16_t flags)
{
	struct wire_pass *r = (struct wire_pass *)made->bytes;

	memset(made, 0, sizeof(*r));
	r->number = number;
	r->stage = (uint16_t)stage;
	r->flags = flags;
	return head(made, WIRE_PASS, sizeof(*r), clock_boot_ns());
}

size_t make_tick(struct made *made)
{
	memset(made, 0, sizeof(struct wire_head));
	return head(made, WIRE_TICK, sizeof(struct wire_head), clock_boot_ns());
}

size_t make_command(struct made *made, int exit, int signal)
{
	struct wire_command *r = (struct wire_command *)made->bytes;

	memset(made, 0, sizeof(*r));
	r->exit = exit;
	r->signal = signal;
	return head(made, WIRE_COMMAND, sizeof(*r), clock_boot_ns());
}

size_t make_stop(struct made *made, uint64_t records)
{
	struct wire_stop *r = (struct wire_stop *)made->bytes;

	memset(made, 0, sizeof(*r));
	r->records = records;
	return head(made, WIRE_STOP, sizeof(*r), clock_boot_ns());
}

size_t make_holder(struct made *made, const struct wire_holder *holder)
{
	memcpy(made->bytes, holder, sizeof(*holder));
	return head(made, WIRE_HOLDER, sizeof(*holder), clock_boot_ns());
}

size_t make_holders(struct made *made, uint64_t asker, uint16_t port, uint32_t told, bool cut)
{
	struct wire_holders *r = (struct wire_holders *)made->bytes;

	memset(made, 0, sizeof(*r));
	r->asker = asker;
	r->port = port;
	r->told = told;
	r->flags = WIRE_HS_LATER | (cut ? WIRE_HS_CUT : 0);
	return head(made, WIRE_HOLDERS, sizeof(*r), clock_boot_ns());
}
