/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios_sock.h owns what the files of the language share about connections; scenarios see
 * only scenarios.h.
 */
#ifndef PORTLIFE_TESTS_SCENARIOS_SOCK_H
#define PORTLIFE_TESTS_SCENARIOS_SOCK_H

#include "tests/live/scenarios_call.h"

/* call_enter() for a call that goes through the thread's door. */
void sock_enter(struct call *c, struct sock *s, const char *name);
int sock_told_fd(const struct sock *s);

/* The address that s sends from when it goes to a place. */
struct address sock_source(const struct sock *s, enum place to, int port);

void connect_datagram(struct sock *s, enum place place, int port, int error);

/* Port and route are there, the first packet is not sent yet; event: connect or send. */
void expect_attempt(struct call *c, struct sock *s, const char *event, enum place to, bool searched,
		    uint64_t before_ns);

/* The kernel found no port, no route, or the port of the socket does not do for this peer. */
void expect_attempt_without_port(struct call *c, struct sock *s, int error);

/* What follows when the call has returned: OK, ECONNREFUSED, or nothing yet. */
void expect_attempt_ends(struct call *c, struct sock *s, enum place to, int error);

void expect_established(struct call *c, struct sock *s, uint64_t after_ns);
void expect_refused(struct call *c, struct sock *s, uint64_t after_ns, bool by_call);
void expect_reset(struct call *c, struct sock *s); /* the peer of s has sent a reset */

struct sock *sock_child(const struct sock *listener, const char *tag, int fd);

#endif
