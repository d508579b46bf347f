/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/cli/doctor.h"
#include "user/cli/lesson.h"
#include "user/cli/options.h"
#include "user/cli/ports.h"
#include "user/cli/status.h"
#include "user/cli/watch.h"
#include "user/cli/why.h"
#include "user/util/say.h"

/*
 * A standard descriptor that the caller closed would be given to the next file opened, and data
 * would be written there. Fill the gap with one that fails in use; COMMAND finds it closed again.
 */
static int cli_fill_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0 || errno != EBADF)
			continue;
		if (open("/dev/null", (fd ? O_RDONLY : O_WRONLY) | O_CLOEXEC) != fd)
			return -EBADF;
	}
	return 0;
}

static int cli_out_of_memory(void)
{
	say("out of memory");
	return STATUS_FAILED;
}

static int cli_command(const struct options *o)
{
	switch (o->command) {
	case OPTIONS_WATCH:
		return watch_run(o);
	case OPTIONS_DOCTOR:
		return doctor_run(o);
	case OPTIONS_PORTS:
		return ports_run(o);
	case OPTIONS_WHY:
		return why_run(o);
	case OPTIONS_LESSON:
		return lesson_run(o);
	}
	return STATUS_USAGE;
}

int cli_run(int argc, char **argv)
{
	struct options options;
	int status;
	int ret;

	if (cli_fill_descriptors())
		return STATUS_FAILED;
	setlocale(LC_CTYPE, "");
	tzset();
	ret = options_parse(argc, argv, &options);
	if (ret == OPTIONS_DONE)
		status = STATUS_DONE;
	else if (ret == -EINVAL)
		status = STATUS_USAGE;
	else if (ret == -ENOMEM)
		status = cli_out_of_memory();
	else if (ret < 0)
		status = STATUS_FAILED;
	else
		status = cli_command(&options);
	options_free(&options);
	return status;
}
