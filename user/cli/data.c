/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "user/util/say.h"

#define DATA_BUFFER (256U << 10)

static int data_open_file(struct data *data, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	int err;

	if (fd < 0) {
		err = -errno;
		say("cannot write %s: %s", path, strerror(-err));
		return err;
	}
	data->name = path;
	err = out_open(&data->out, fd, true, DATA_BUFFER);
	if (err)
		close(fd);
	return err;
}

int data_open(struct data *data, const struct options *o)
{
	bool beside = !o->output && o->live.command; /* standard output is COMMAND's */

	*data = (struct data){ .name = beside ? "standard error" : "standard output" };
	if (o->output && strcmp(o->output, "-") != 0)
		return data_open_file(data, o->output);
	return out_open(&data->out, beside ? STDERR_FILENO : STDOUT_FILENO, false, DATA_BUFFER);
}

int data_close(struct data *data)
{
	int err = out_close(&data->out);

	if (err == -EPIPE)
		return 0;
	if (err)
		say("cannot write %s: %s", data->name, strerror(-err));
	return err;
}

bool data_is_stderr(const struct data *data)
{
	struct stat there, here;

	if (data->out.fd == STDERR_FILENO)
		return true;
	return !fstat(data->out.fd, &there) && !fstat(STDERR_FILENO, &here) &&
	       there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

bool data_wants_color(const struct data *data, enum options_color color)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (color != COLOR_AUTO)
		return color == COLOR_ALWAYS;
	if (no_color && *no_color)
		return false;
	return term && strcmp(term, "dumb") != 0 && isatty(data->out.fd);
}
