// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/stop.h"

#include <signal.h>
#include <stddef.h>

#define TAKEN 5

static const int taken[TAKEN] = { SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE };

/* What a signal handler must reach: the only mutable state of the program outside a call. */
static volatile sig_atomic_t asked;
static volatile sig_atomic_t for_command;
static struct sigaction before[TAKEN];

static void note(int signo, siginfo_t *info, void *context)
{
	(void)context;
	if (for_command && signo == SIGINT && info->si_code == SI_KERNEL)
		return;
	if (asked) {
		signal(signo, SIG_DFL);
		raise(signo); /* pending until this handler returns */
		return;
	}
	asked = signo;
}

/* Only to interrupt a wait. */
static void wake(int signo)
{
	(void)signo;
}

void stop_watch(bool has_command)
{
	asked = 0;
	for_command = has_command;
	for (size_t i = 0; i < TAKEN; i++) {
		struct sigaction action = { .sa_flags = SA_SIGINFO, .sa_sigaction = note };

		sigaction(taken[i], NULL, &before[i]);
		if (taken[i] == SIGHUP && before[i].sa_handler == SIG_IGN)
			continue;
		if (taken[i] == SIGCHLD)
			action = (struct sigaction){ .sa_flags = SA_RESTART, .sa_handler = wake };
		else if (taken[i] == SIGPIPE) /* a reader that left is seen as EPIPE */
			action = (struct sigaction){ .sa_handler = SIG_IGN };
		sigaction(taken[i], &action, NULL);
	}
}

void stop_unwatch(void)
{
	for (size_t i = 0; i < TAKEN; i++)
		sigaction(taken[i], &before[i], NULL);
}

int stop_asked(void)
{
	return asked;
}
