/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/lesson/all.h"

#include <string.h>

#include "user/util/parse.h"

static const struct lesson *const lessons[] = {
	&lesson_why_no_client_bind,
	&lesson_what_bind_changes,
	&lesson_bind_listen_accept,
	&lesson_which_address,
	&lesson_listen_without_bind,
	&lesson_data_connection,
	&lesson_implicit_bind,
	&lesson_client_bind,
	&lesson_low_ports,
	&lesson_udp_without_bind,
	&lesson_other_sockets,
	&lesson_time_wait,
	&lesson_reuse_both_sides,
	&lesson_one_port_one_socket,
	&lesson_one_port_two_connections,
	&lesson_how_many_connections,
	&lesson_early_bind,
	&lesson_own_range,
	&lesson_spoiled_port,
	&lesson_odd_and_even,
	&lesson_last_port,
	&lesson_puzzle_1,
	&lesson_puzzle_2,
	&lesson_puzzle_3,
	&lesson_puzzle_4,
	&lesson_puzzle_5,
	&lesson_puzzle_6,
	&lesson_puzzle_7,
	&lesson_puzzle_8,
};

#define LESSONS (sizeof(lessons) / sizeof(lessons[0]))

const struct lesson *const *lessons_all(size_t *len)
{
	*len = LESSONS;
	return lessons;
}

const struct lesson *lesson_find(const char *word, size_t *number)
{
	uint64_t n;

	if (!parse_number(word, strlen(word), 1, LESSONS, &n)) {
		*number = (size_t)n;
		return lessons[n - 1];
	}
	for (size_t i = 0; i < LESSONS; i++) {
		if (!strcmp(lessons[i]->name, word)) {
			*number = i + 1;
			return lessons[i];
		}
	}
	return NULL;
}
