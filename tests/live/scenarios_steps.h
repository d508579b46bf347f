/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios_steps.h owns the words for sockets whose addresses are not those of TCP and UDP: ping,
 * raw, SCTP, MPTCP, AF_UNIX, AF_NETLINK, AF_VSOCK. Whether such a socket got a port or a name in a
 * call is what getsockname() says before and after it.
 */
#ifndef PORTLIFE_TESTS_SCENARIOS_STEPS_H
#define PORTLIFE_TESTS_SCENARIOS_STEPS_H

#include "tests/live/scenarios_sock.h"

/* Skips the scenario as `absent` where the kernel has no such sockets. */
struct sock *step_new(const char *tag, int family, int type, int protocol);

struct address step_unix(const char *path); /* a name that begins with @ is abstract */
struct address step_unix_unnamed(void);	    /* for autobind */
struct address step_netlink(uint32_t portid);
struct address step_vsock(uint32_t cid, uint32_t port);

/* The port is named if chosen is false; else the kernel chooses. */
void step_bind(struct sock *s, struct address to, bool chosen, int error);
void step_listen(struct sock *s, int error);
void step_connect(struct sock *s, struct address to, int error);
void step_send(struct sock *s, struct address to, const void *data, size_t len, int error);
void step_disconnect(struct sock *s, bool loses_port);
struct sock *step_accept(struct sock *listener, const char *tag);
/* SCTP: the same by setsockopt() and getsockopt(); step_peel_off() waits for a message. */
void step_bindx(struct sock *s, struct address to, bool chosen, int error);
void step_connectx(struct sock *s, struct address to, int error);
struct sock *step_peel_off(struct sock *many, const char *tag);
void step_close(struct sock *s);
/* Others close it: its end comes in its own time. */
void step_close_late(struct sock *s);

#endif
