/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios_rules.h owns the kernel's rules for ports: when a tenure begins and ends, what follows
 * from its origin, and who else has the port. It makes no call and prints nothing.
 */
#ifndef PORTLIFE_TESTS_SCENARIOS_RULES_H
#define PORTLIFE_TESTS_SCENARIOS_RULES_H

#include "tests/live/scenarios.h"

/* Once, before any socket: the owners of ports are told to all processes of the scenario. */
void rules_begin(void);

struct tenure *last_tenure(struct sock *s);
struct tenure *held_tenure(struct sock *s); /* NULL while it holds no port */

void tenure_begin(struct sock *s, const char *origin, const char *by, int port);

/* The same for a port that another process of the scenario has already accounted for. */
void tenure_know(struct sock *s, const char *origin, const char *by, int port);

/* The port is given up; what is returned is the tenure that has ended, NULL if there was none. */
struct tenure *tenure_end(struct sock *s);

/* The connection is gone, the socket is not: only a port that bind() named stays. */
struct tenure *tenure_end_with_connection(struct sock *s);

#endif
