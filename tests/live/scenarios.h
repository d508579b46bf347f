/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios.h is the language that scenarios are written in: TCP sockets that make one call at a
 * time, print what the program itself saw of it, and what any true observer must have seen. It
 * knows the kernel's rules for ports (who assigns one, who keeps it, when it goes) and nothing of
 * portlife but the words of its output.
 *
 * Every function that makes a call takes the errno it must give (OK for success). A call that ends
 * otherwise ends the scenario as failed: an expectation built on it would be wrong.
 */
#ifndef PORTLIFE_TESTS_SCENARIOS_H
#define PORTLIFE_TESTS_SCENARIOS_H

#include <stdbool.h>
#include <stdint.h>

#define OK	0
#define TAG_LEN 24
#define TENURES 4

/* Addresses by meaning; the bytes depend on the socket's family. */
enum place {
	ANYWHERE, /* 0.0.0.0, :: */
	LOOPBACK, /* 127.0.0.1, ::1 */
	FOREIGN,  /* nobody's: 192.0.2.1, 2001:db8::1 */
	MAPPED,	  /* ::ffff:127.0.0.1, on an IPv6 socket */
};

/* One hold on one port, as the kernel's rules make it. */
struct tenure {
	const char *origin;
	int port;
	bool implicit;
	bool ephemeral;
	bool deferred;
};

struct sock {
	char tag[TAG_LEN];    /* the socket's name in the output */
	char parent[TAG_LEN]; /* of the listener of an accepted child, else empty */
	int fd;		      /* -1: the program has none (not accepted) */
	int family;	      /* AF_INET, AF_INET6 */
	int range[2];	      /* ephemeral ports it may get */
	bool defers;	      /* IP_BIND_ADDRESS_NO_PORT is set */
	bool port_deferred;   /* bind() left the port to a later call */
	bool port_locked;     /* bind() named the port: only the last close gives it up */
	bool holds;	      /* the last tenure is open */
	uint64_t connect_ns;  /* a non-blocking connect began */
	struct tenure tenures[TENURES];
	int tenures_len;
};

/* --- what the program was asked for -------------------------------------------------------- */

struct scenario {
	const char *name;
	void (*run)(void);
	bool only_inet6;
	int range[2]; /* not 0: in a network namespace of its own with this range */
};

/* The room a scenario belongs to; each list ends with an entry without name. */
extern const struct scenario assign_scenarios[];
extern const struct scenario failure_scenarios[];
extern const struct scenario closing_scenarios[];
extern const struct scenario process_scenarios[];

int scenario_family(void); /* AF_INET or AF_INET6 */

/* A port below the ephemeral range that nobody has; another one each time. */
int scenario_free_port(void);

/* Ends the process: what this machine lacks, or what went otherwise than the kernel's rules say. */
void scenario_skip(const char *why) __attribute__((noreturn));
void scenario_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* --- sockets and options ------------------------------------------------------------------- */

struct sock *sock_new(const char *tag); /* of the scenario's family; never freed */
struct sock *sock_new_of(const char *tag, int family);

void sock_reuse_address(struct sock *s);
void sock_reuse_port(struct sock *s);
void sock_defer_port(struct sock *s); /* IP_BIND_ADDRESS_NO_PORT */
void sock_nonblocking(struct sock *s);
void sock_send_timeout(struct sock *s, int seconds);
bool sock_narrow_range(struct sock *s, int lo, int hi); /* false: this kernel cannot */

int sock_port(const struct sock *s); /* that it holds, or held last */

/* --- calls --------------------------------------------------------------------------------- */

void sock_bind(struct sock *s, enum place place, int port, int error);
void sock_listen(struct sock *s, int backlog, int error);

/* EINPROGRESS: goes on; ECONNREFUSED: had a port first; any other error: got none. */
void sock_connect(struct sock *s, enum place place, int port, int error);
void sock_connect_hanging(struct sock *s, enum place place, int port);
void sock_connect_outcome(struct sock *s, int error); /* of a non-blocking connect */

void sock_disconnect(struct sock *s, struct sock *peer); /* connect(AF_UNSPEC); resets peer */
struct sock *sock_accept(struct sock *listener, const char *tag);

/* --- endings: each prints the life of the socket as it must have been ----------------------- */

/* No connection, or the peer has closed first and is past FIN. */
void sock_close(struct sock *s);

/* Closes before the peer does: goes to TIME_WAIT. The peer must close soon. */
void sock_close_first(struct sock *s);

/* first goes to TIME_WAIT, second does not. */
void sock_close_pair(struct sock *first, struct sock *second);

/* Closes with SO_LINGER 0: a reset, no TIME_WAIT; peer loses a port that it did not name. */
void sock_reset(struct sock *s, struct sock *peer);

/* Closes a listener with client's connection still in its queue: both are reset. */
void sock_close_listener_with(struct sock *listener, const char *child_tag, struct sock *client);

/* Closes one of several descriptors: nothing happens to the socket. */
void sock_drop(struct sock *s);

/* The process is about to end; the kernel closes in an order of its own. */
void sock_leave_to_exit(struct sock *s, bool connected);

#endif
