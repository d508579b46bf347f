/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/table.h"

#include <errno.h>
#include <langinfo.h>
#include <string.h>

#include "user/cli/status.h"
#include "user/source/make.h"
#include "user/source/snapshot.h"
#include "user/util/say.h"

static int table_add(void *arg, const void *record, size_t len_bytes)
{
	(void)len_bytes;
	return ports_add(arg, record);
}

struct ports *table_take(const struct options *o, bool *complete, int *status)
{
	struct ports *ports = ports_new(namespace_inum("net"));
	struct snapshot_result result;
	int err = ports ? snapshot_take(table_add, ports, &result) : -ENOMEM;

	if (!err)
		err = ports_finish(ports);
	if (!err) {
		*complete = !result.note[0];
		if (result.note[0] && !o->quiet)
			say("%s", result.note);
		return ports;
	}
	say("%s", ports && result.reason[0] ? result.reason : strerror(-err));
	*status = ports && result.reason[0] ? STATUS_CANNOT : STATUS_FAILED;
	ports_free(ports);
	return NULL;
}

bool table_chooses(const struct filter *f, const struct port_row *row)
{
	struct life life = port_life(row);
	struct tenure tenure = port_tenure(row);
	bool chosen = false;

	life.tenures = &tenure;
	life.tenures_len = 1;
	if (port_keeper(row) != KEPT_BY_PROCESS)
		chosen = filter_chooses(f, NULL, 0);
	for (uint32_t i = 0; i < row->holders_len && !chosen && life.who_known; i++)
		chosen = filter_chooses(f, &row->holders[i].who, row->holders[i].facts);
	return chosen && filter_shows_life(f, &life);
}

struct columns table_columns(const struct ports *ports)
{
	return (struct columns){
		.names = ports_names(ports),
		.own_netns = namespace_inum("net"),
		.escape = { .utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8") },
	};
}
