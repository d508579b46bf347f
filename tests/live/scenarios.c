// SPDX-License-Identifier: GPL-2.0-or-later
/* scenarios NAME 4|6: one known history of sockets, told by the program that lived it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/live/scenarios.h"
#include "tests/live/scenarios_rules.h"
#include "tests/live/scenarios_world.h"

/* the first one has a scenario that takes long: others run beside it */
static const struct scenario *const rooms[] = {
	kernel_scenarios,    assign_scenarios,	    failure_scenarios, closing_scenarios,
	sharing_scenarios,   time_wait_scenarios,   process_scenarios, passing_scenarios,
	fast_open_scenarios, udp_failure_scenarios, udp_scenarios,     door_scenarios,
	ping_scenarios,	     family_scenarios,	    unix_scenarios,
};
#define ROOMS (sizeof(rooms) / sizeof(rooms[0]))

static void list_scenarios(void)
{
	for (size_t i = 0; i < ROOMS; i++)
		for (const struct scenario *s = rooms[i]; s->name; s++)
			printf("%s%s%s\n", s->name, s->only_inet6 ? "" : " 4",
			       s->only_inet ? "" : " 6");
}

static const struct scenario *find_scenario(const char *name)
{
	for (size_t i = 0; i < ROOMS; i++)
		for (const struct scenario *s = rooms[i]; s->name; s++)
			if (!strcmp(s->name, name))
				return s;
	return NULL;
}

/* AF_INET, AF_INET6, or 0 where the scenario has no such family. */
static int family_of(const struct scenario *s, const char *word)
{
	if (s && !strcmp(word, "4") && !s->only_inet6)
		return AF_INET;
	if (s && !strcmp(word, "6") && !s->only_inet)
		return AF_INET6;
	return 0;
}

static int go_on_after_exec(char **argv)
{
	const struct scenario *s = find_scenario(argv[0]);

	if (!s || !s->after_exec)
		return 2;
	world_resume(s, family_of(s, argv[1]));
	rules_begin();
	s->after_exec(atoi(argv[2]), atoi(argv[3]));
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		list_scenarios();
		return 0;
	}
	if (argc == 6 && !strcmp(argv[1], "--after-exec"))
		return go_on_after_exec(argv + 2);

	const struct scenario *s = argc == 3 ? find_scenario(argv[1]) : NULL;
	int family = argc == 3 ? family_of(s, argv[2]) : 0;

	if (!family) {
		fprintf(stderr, "usage: scenarios --list | NAME 4|6\n");
		return 2;
	}
	rules_begin();
	world_begin(s, family);
	s->run();
	world_end();
	return 0;
}
