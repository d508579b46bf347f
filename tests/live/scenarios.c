// SPDX-License-Identifier: GPL-2.0-or-later
/* scenarios NAME 4|6: one known history of sockets, told by the program that lived it. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/live/scenarios.h"
#include "tests/live/scenarios_world.h"

static const struct scenario *const rooms[] = {
	assign_scenarios,
	failure_scenarios,
	closing_scenarios,
	process_scenarios,
};
#define ROOMS (sizeof(rooms) / sizeof(rooms[0]))

static void list_scenarios(void)
{
	for (size_t i = 0; i < ROOMS; i++)
		for (const struct scenario *s = rooms[i]; s->name; s++)
			printf("%s %s\n", s->name, s->only_inet6 ? "6" : "4 6");
}

static const struct scenario *find_scenario(const char *name)
{
	for (size_t i = 0; i < ROOMS; i++)
		for (const struct scenario *s = rooms[i]; s->name; s++)
			if (!strcmp(s->name, name))
				return s;
	return NULL;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		list_scenarios();
		return 0;
	}

	const struct scenario *s = argc == 3 ? find_scenario(argv[1]) : NULL;
	bool four = s && !strcmp(argv[2], "4");
	bool six = s && !strcmp(argv[2], "6");

	if (!(six || (four && !s->only_inet6))) {
		fprintf(stderr, "usage: scenarios --list | NAME 4|6\n");
		return 2;
	}
	world_begin(s, six ? AF_INET6 : AF_INET);
	s->run();
	world_end();
	return 0;
}
