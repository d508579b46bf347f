/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/why.h"

#include <errno.h>
#include <signal.h>

#include "user/cli/data.h"
#include "user/cli/status.h"
#include "user/sink/why.h"
#include "user/source/settings.h"
#include "user/util/say.h"

static int why_errno(struct out *out, const struct options *o)
{
	struct settings settings;

	settings_read(&settings);
	if (o->json)
		why_json_errno(out, o->errno_asked, &settings);
	else
		why_text_errno(out, o->errno_asked, &settings);
	return STATUS_DONE;
}

int why_run(const struct options *o)
{
	struct data data;
	int status;
	int err;

	signal(SIGPIPE, SIG_IGN);
	err = data_open(&data, o);
	if (err) {
		if (err == -ENOMEM)
			say("out of memory");
		return STATUS_FAILED;
	}
	status = why_errno(&data.out, o);
	return data_close(&data) ? STATUS_FAILED : status;
}
