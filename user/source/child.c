// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "user/source/stop.h"

#define GROUPS_MAX 256

struct identity {
	uid_t uid;
	gid_t gid;
	gid_t groups[GROUPS_MAX];
	size_t groups_len;
	char home[256];
};

/*
 * /etc/passwd and /etc/group are read directly: the static build has no name service, and a user
 * from elsewhere is then said to be unknown.
 */
static int identity_of(const char *user, struct identity *identity)
{
	FILE *file = fopen("/etc/passwd", "re");
	struct passwd *passwd = NULL;
	struct group *group;

	if (!file)
		return -errno;
	while ((passwd = fgetpwent(file)) && strcmp(passwd->pw_name, user))
		;
	if (passwd) {
		identity->uid = passwd->pw_uid;
		identity->gid = passwd->pw_gid;
		snprintf(identity->home, sizeof(identity->home), "%s", passwd->pw_dir);
	}
	fclose(file);
	if (!passwd)
		return -ENOENT;
	identity->groups[0] = identity->gid;
	identity->groups_len = 1;
	file = fopen("/etc/group", "re");
	if (!file)
		return 0;
	while ((group = fgetgrent(file)))
		for (char **member = group->gr_mem; *member; member++)
			if (!strcmp(*member, user) && identity->groups_len < GROUPS_MAX)
				identity->groups[identity->groups_len++] = group->gr_gid;
	fclose(file);
	return 0;
}

static int become(const struct identity *identity, const char *user)
{
	if (setgroups(identity->groups_len, identity->groups) || setgid(identity->gid) ||
	    setuid(identity->uid))
		return -errno;
	setenv("USER", user, 1);
	setenv("LOGNAME", user, 1);
	setenv("HOME", identity->home, 1);
	return 0;
}

/* In the child: waits for the word, then becomes COMMAND or says why not. */
static void __attribute__((noreturn))
run(const struct live_options *o, const struct identity *identity, int go, int exec_result)
{
	char word;
	int error = 0;

	if (read(go, &word, 1) != 1)
		_exit(0); /* portlife gave up before the start */
	if (o->user)
		error = -become(identity, o->user);
	if (!error && o->output_taken && dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		error = errno;
	if (!error) {
		execvp(o->command[0], o->command);
		error = errno;
	}
	if (write(exec_result, &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(error == ENOENT ? 127 : 126);
}

int child_prepare(struct child *child, const struct live_options *options, char *reason,
		  size_t reason_len)
{
	struct identity identity = { 0 };
	int go[2], result[2], error;

	memset(child, 0, sizeof(*child));
	child->go = child->exec_result = -1;
	child->exit = -1;
	if (options->user) {
		error = identity_of(options->user, &identity);
		if (error) {
			snprintf(reason, reason_len, "--user=%s: no such user in /etc/passwd",
				 options->user);
			return error;
		}
	}
	if (pipe2(go, O_CLOEXEC))
		return -errno;
	if (pipe2(result, O_CLOEXEC)) {
		error = -errno;
		close(go[0]);
		close(go[1]);
		return error;
	}
	/* descendants whose parent ends come to this process, so that the last one is seen to go */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	child->pid = fork();
	if (!child->pid) {
		close(go[1]);
		close(result[0]);
		stop_unwatch();
		run(options, &identity, go[0], result[1]);
	}
	error = child->pid < 0 ? -errno : 0;
	close(go[0]);
	close(result[1]);
	child->go = go[1];
	child->exec_result = result[0];
	if (error) {
		snprintf(reason, reason_len, "cannot fork: %s", strerror(-error));
		child->pid = 0;
		child_free(child);
	}
	return error;
}

int child_start(struct child *child)
{
	int error = 0;

	if (write(child->go, "g", 1) != 1)
		return errno;
	if (read(child->exec_result, &error, sizeof(error)) != sizeof(error))
		error = 0; /* end of file: the descriptor was closed by exec */
	close(child->go);
	close(child->exec_result);
	child->go = child->exec_result = -1;
	return error;
}

bool child_reap(struct child *child)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != child->pid)
			continue;
		child->exited = true;
		child->exit = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		child->signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	}
	return pid < 0 && errno == ECHILD;
}

void child_free(struct child *child)
{
	bool held = child->go >= 0;

	if (held)
		close(child->go);
	if (child->exec_result >= 0)
		close(child->exec_result);
	child->go = child->exec_result = -1;
	if (held && child->pid > 0)
		waitpid(child->pid, NULL, 0);
}
