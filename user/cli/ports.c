/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/ports.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>

#include "user/cli/data.h"
#include "user/cli/status.h"
#include "user/cli/table.h"
#include "user/core/pressure_taken.h"
#include "user/sink/pressure.h"
#include "user/sink/table.h"
#include "user/source/settings.h"
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
		    !table_chooses(&o->filter, columns.names, &rows[i]))
			continue;
		if (o->json)
			table_json_row(out, columns.names, &rows[i]);
		else
			table_text_row(out, &columns, &rows[i]);
	}
}

/* --- --pressure -------------------------------------------------------------------------- */

struct ports_pressure {
	struct out *out;
	const struct options *o;
	const struct taken *taken;
	struct columns columns;
	bool first;
};

/* A namespace without a port that is taken says nothing; the own one is always shown. */
static bool ports_worth_showing(const struct ports_pressure *self, const struct pressure *p)
{
	return self->o->json || p->taken || self->o->filter.has_netns ||
	       p->settings->netns == self->columns.own_netns;
}

static int ports_show_pressure(struct ports_pressure *self, const struct settings *settings,
			       uint16_t protocol)
{
	const struct filter *f = &self->o->filter;
	struct pressure pressure;
	int err;

	if ((f->protocols && !(f->protocols & protocol_bit(protocol))) ||
	    (f->has_netns && f->netns != settings->netns))
		return 0;
	err = pressure_of_taken(&pressure, self->taken, settings, protocol);
	if (err || !ports_worth_showing(self, &pressure))
		return err;
	if (self->o->json) {
		pressure_json(self->out, self->columns.names, &pressure);
		return 0;
	}
	if (!self->first)
		out_write(self->out, "\n", 1);
	self->first = false;
	pressure_text(self->out, &self->columns, &pressure);
	return 0;
}

static int ports_take_settings(void *arg, const struct settings *settings)
{
	int err = ports_show_pressure(arg, settings, IPPROTO_TCP);

	return err ? err : ports_show_pressure(arg, settings, IPPROTO_UDP);
}

static int ports_pressure(struct out *out, const struct options *o, const struct taken *taken)
{
	struct ports_pressure self = {
		.out = out,
		.o = o,
		.taken = taken,
		.columns = table_columns(taken),
		.first = true,
	};
	int err = settings_read_all(ports_take_settings, &self);

	if (!err)
		return STATUS_DONE;
	say("ports --pressure: %s", strerror(-err));
	return STATUS_FAILED;
}

int ports_run(const struct options *o)
{
	int status = STATUS_DONE;
	struct taken *taken;
	struct data data;
	enum table_source source;
	int err;

	signal(SIGPIPE, SIG_IGN);
	err = data_open(&data, o);
	if (err) {
		if (err == -ENOMEM)
			say("out of memory");
		return STATUS_FAILED;
	}
	taken = table_take(o, &source);
	if (!taken)
		status = STATUS_FAILED;
	else if (o->pressure)
		status = ports_pressure(&data.out, o, taken);
	else
		ports_show(&data.out, o, taken);
	taken_free(taken);
	return data_close(&data) ? STATUS_FAILED : status;
}
