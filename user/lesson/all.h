/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * all.h owns the list of lessons: which file teaches what. Inside of this room only.
 */
#ifndef PORTLIFE_LESSON_ALL_H
#define PORTLIFE_LESSON_ALL_H

#include "user/lesson/lesson.h"

/* basics.c */
extern const struct lesson lesson_why_no_client_bind;
extern const struct lesson lesson_what_bind_changes;
extern const struct lesson lesson_bind_listen_accept;
/* addresses.c */
extern const struct lesson lesson_which_address;
/* listening.c */
extern const struct lesson lesson_listen_without_bind;
extern const struct lesson lesson_data_connection;
/* connecting.c */
extern const struct lesson lesson_implicit_bind;
extern const struct lesson lesson_client_bind;
extern const struct lesson lesson_low_ports;
/* datagrams.c */
extern const struct lesson lesson_udp_without_bind;
extern const struct lesson lesson_other_sockets;
/* closing.c */
extern const struct lesson lesson_time_wait;
extern const struct lesson lesson_reuse_both_sides;
/* sharing.c */
extern const struct lesson lesson_one_port_one_socket;
extern const struct lesson lesson_one_port_two_connections;
extern const struct lesson lesson_spoiled_port;
/* numbers.c */
extern const struct lesson lesson_how_many_connections;
extern const struct lesson lesson_early_bind;
extern const struct lesson lesson_own_range;
extern const struct lesson lesson_odd_and_even;
extern const struct lesson lesson_last_port;
/* puzzles.c */
extern const struct lesson lesson_puzzle_1;
extern const struct lesson lesson_puzzle_2;
extern const struct lesson lesson_puzzle_3;
extern const struct lesson lesson_puzzle_4;
extern const struct lesson lesson_puzzle_5;
extern const struct lesson lesson_puzzle_6;
extern const struct lesson lesson_puzzle_7;
extern const struct lesson lesson_puzzle_8;

#endif
