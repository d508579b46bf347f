/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/table.h"

#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "user/source/hearsay.h"
#include "user/source/make.h"
#include "user/source/snapshot.h"
#include "user/util/say.h"

static int table_add(void *arg, const void *record, size_t len_bytes)
{
	(void)len_bytes;
	return taken_add(arg, record);
}

static void table_add_wait(void *arg, const struct wire_sock *sock, uint32_t left_ms)
{
	taken_add_time_wait(arg, sock, left_ms); /* without it a row says less */
}

/* What can be had without BPF, and what that lacks. */
static int table_hear(const struct options *o, struct taken *taken, const char *reason)
{
	const struct hearsay_handler handler = {
		.give = table_add,
		.time_wait = table_add_wait,
		.arg = taken,
	};
	int err = hearsay_take(&handler);

	if (!err && !o->quiet)
		say("%s; so this is what sock_diag and /proc tell: only this network namespace, "
		    "processes as far as this user may see them, no SO_REUSEADDR, SO_REUSEPORT or "
		    "origin, and before Linux 6.8 no socket that is only bound",
		    reason);
	return err;
}

/* Of other families nobody tells more than /proc and sock_diag do. */
static int table_hear_families(const struct options *o, struct taken *taken)
{
	const struct hearsay_handler handler = {
		.give = table_add,
		.time_wait = table_add_wait,
		.arg = taken,
	};
	int err = hearsay_families(&handler, o->live.families);

	if (err == -ENOENT && !o->quiet)
		say("vsock_diag or sctp_diag is not in this kernel: not all sockets asked for are "
		    "shown");
	return err == -ENOENT ? 0 : err;
}

/* sock_diag(7) knows sockets that are only bound since 6.8. */
static enum table_source table_heard(void)
{
	unsigned int major, minor;
	struct utsname uts;

	if (uname(&uts) || sscanf(uts.release, "%3u.%3u", &major, &minor) != 2)
		return TABLE_HEARD;
	return major > 6 || (major == 6 && minor >= 8) ? TABLE_HEARD_ALL : TABLE_HEARD;
}

static int table_fill(const struct options *o, struct taken *taken, enum table_source *source)
{
	const struct snapshot_handler handler = {
		.give = table_add,
		.time_wait = table_add_wait,
		.arg = taken,
	};
	struct snapshot_result result;
	int err = snapshot_take(&handler, &result);

	*source = err ? table_heard() : TABLE_WALKED;
	if (err && result.reason[0])
		err = table_hear(o, taken, result.reason);
	else if (result.note[0] && !o->quiet)
		say("%s", result.note);
	if (!err && o->live.families)
		err = table_hear_families(o, taken);
	return err ? err : taken_finish(taken);
}

struct taken *table_take(const struct options *o, enum table_source *source)
{
	struct taken *taken = taken_new(namespace_inum("net"));
	int err = taken ? table_fill(o, taken, source) : -ENOMEM;

	if (!err)
		return taken;
	say("cannot look at the sockets: %s", strerror(-err));
	taken_free(taken);
	return NULL;
}

static bool table_chooses_holder(const struct filter *f, const struct names *names,
				 const struct port_holder *h)
{
	return filter_chooses(f, &h->who, h->facts) &&
	       filter_chooses_cgroup(f, names_find(names, WIRE_NAME_CGROUP, h->who.cgroup, 0));
}

static bool table_selects_device(const struct filter *f, const struct names *names,
				 const struct life *life)
{
	uint32_t ifindex = life->ifindex ? life->ifindex : life->local.scope;

	return filter_selects_device(
		f, ifindex ? names_find(names, WIRE_NAME_DEVICE, ifindex, life->netns) : NULL);
}

bool table_chooses(const struct filter *f, const struct names *names, const struct port_row *row)
{
	struct life life = port_life(row);
	struct tenure tenure = port_tenure(row);
	bool chosen = false;

	life.tenures = &tenure;
	life.tenures_len = 1;
	if (port_keeper(row) != KEPT_BY_PROCESS)
		chosen = filter_chooses(f, NULL, 0) && filter_chooses_cgroup(f, NULL);
	for (uint32_t i = 0; i < row->holders_len && !chosen && life.who_known; i++)
		chosen = table_chooses_holder(f, names, &row->holders[i]);
	return chosen && filter_shows_life(f, &life) && table_selects_device(f, names, &life);
}

struct columns table_columns(const struct taken *taken)
{
	return (struct columns){
		.names = taken_names(taken),
		.own_netns = namespace_inum("net"),
		.escape = { .utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8") },
	};
}
