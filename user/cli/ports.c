/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/ports.h"

#include <errno.h>
#include <signal.h>

#include "user/cli/data.h"
#include "user/cli/status.h"
#include "user/cli/table.h"
#include "user/sink/table.h"
#include "user/util/say.h"

static void ports_show(struct out *out, const struct options *o, const struct taken *taken)
{
	const struct columns columns = table_columns(taken);
	size_t len;
	const struct port_row *rows = taken_rows(taken, &len);

	if (!o->json && !o->no_header)
		table_text_header(out);
	for (size_t i = 0; i < len && !out->error; i++) {
		if ((o->listeners && !port_is_listener(&rows[i])) ||
		    !table_chooses(&o->filter, &rows[i]))
			continue;
		if (o->json)
			table_json_row(out, columns.names, &rows[i]);
		else
			table_text_row(out, &columns, &rows[i]);
	}
}

int ports_run(const struct options *o)
{
	int status = STATUS_DONE;
	struct taken *taken;
	struct data data;
	bool complete;
	int err;

	signal(SIGPIPE, SIG_IGN);
	err = data_open(&data, o);
	if (err) {
		if (err == -ENOMEM)
			say("out of memory");
		return STATUS_FAILED;
	}
	taken = table_take(o, &complete);
	if (taken)
		ports_show(&data.out, o, taken);
	else
		status = STATUS_FAILED;
	taken_free(taken);
	return data_close(&data) ? STATUS_FAILED : status;
}
