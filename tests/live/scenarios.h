/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * scenarios.h is the language that scenarios are written in: TCP and UDP sockets that make one call
 * at a time, print what the program itself saw of it, and what any true observer must have seen. It
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
#include <sys/types.h>

#define OK	0
#define TAG_LEN 24
#define TENURES 4

#define PROTOCOL_MPTCP 262 /* IPPROTO_MPTCP */

/* Addresses by meaning; the bytes depend on the socket's family. */
enum place {
	ANYWHERE, /* 0.0.0.0, :: */
	LOOPBACK, /* 127.0.0.1, ::1 */
	SECOND,	  /* another one of our own: 127.0.0.2, fd00::2 (needs .two_addresses) */
	FOREIGN,  /* nobody's, and no route there: 192.0.2.1, 2001:db8::1 */
	MAPPED,	  /* ::ffff:127.0.0.1, on an IPv6 socket */
};

enum sharing { ALONE, SHARED, NOT_SAID };

/* One hold on one port, as the kernel's rules make it. */
struct tenure {
	const char *origin;
	const char *by;
	int port;
	bool implicit;
	bool ephemeral;
	bool deferred;
	enum sharing shared; /* the port had another owner when it was given */
};

struct sock {
	char tag[TAG_LEN];    /* the socket's name in the output */
	char parent[TAG_LEN]; /* of the listener of an accepted child, else empty */
	int fd;		      /* -1: the program has none (not accepted) */
	int family;	      /* AF_INET, AF_INET6 */
	int type;	      /* SOCK_STREAM, SOCK_DGRAM */
	int protocol;	      /* IPPROTO_*, PROTOCOL_MPTCP; 0 beyond IP */
	const char *device;   /* SO_BINDTODEVICE, or NULL */
	unsigned int netns;   /* inode number of its network namespace */
	int range[2];	      /* ephemeral ports it may get */
	bool defers;	      /* IP_BIND_ADDRESS_NO_PORT is set */
	bool port_deferred;   /* bind() left the port to a later call */
	enum place bound_to;  /* bind() named this address, or ANYWHERE */
	bool port_locked;     /* bind() named the port: only the last close gives it up */
	bool holds;	      /* the last tenure is open */
	bool replaced;	      /* the TIME_WAIT entry it leaves will be replaced */
	const char *blind;   /* a backend that declares this need not know of the socket, or NULL */
	uint64_t connect_ns; /* a non-blocking connect began */
	uint64_t created_ns;
	struct tenure tenures[TENURES];
	int tenures_len;
};

/* --- what the program was asked for -------------------------------------------------------- */

/* Each one runs in a network namespace of its own, so that any port may be named. */
struct scenario {
	const char *name;
	void (*run)(void);
	bool only_inet;
	bool only_inet6;
	bool two_addresses; /* SECOND is needed */
	bool own_cgroup;    /* in a cgroup of its own */
	int range[2];	    /* not 0: ip_local_port_range */
	/* what goes on with socket fd and its port after exec; see scenario_exec() */
	void (*after_exec)(int fd, int port);
};

/* The room a scenario belongs to; each list ends with an entry without name. */
extern const struct scenario assign_scenarios[];
extern const struct scenario failure_scenarios[];
extern const struct scenario closing_scenarios[];
extern const struct scenario sharing_scenarios[];
extern const struct scenario time_wait_scenarios[];
extern const struct scenario process_scenarios[];
extern const struct scenario passing_scenarios[];
extern const struct scenario fast_open_scenarios[];
extern const struct scenario udp_scenarios[];
extern const struct scenario udp_failure_scenarios[];
extern const struct scenario door_scenarios[];
extern const struct scenario kernel_scenarios[];
extern const struct scenario ping_scenarios[];
extern const struct scenario family_scenarios[];
extern const struct scenario unix_scenarios[];

int scenario_family(void); /* AF_INET or AF_INET6 */

/* A port below the ephemeral range that nobody has; another one each time. */
int scenario_free_port(void);

/* Waits until the kernel has sent a SYN to this port; returns the local port of the attempt. */
int scenario_await_attempt(int peer_port);

void scenario_sysctl(const char *name, const char *value); /* below /proc/sys */
void scenario_sleep_ms(int ms);

/* Ends the process: what this machine lacks, or what went otherwise than the kernel's rules say. */
void scenario_skip(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void scenario_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Executes this program anew, which goes on with the scenario's after_exec(). */
void scenario_exec(int fd, int port) __attribute__((noreturn));

/* A child process runs body and ends; the scenario fails if it does not end well. */
pid_t scenario_child(void (*body)(void *), void *arg);
pid_t scenario_held_child(void (*body)(void *), void *arg); /* waits for scenario_let_go() */
void scenario_let_go(void);
void scenario_await(pid_t child);

/* Enters a second network namespace, or one entered before. */
int scenario_new_netns(void);	   /* its descriptor; it is current afterwards */
int scenario_netns(void);	   /* descriptor of the current one */
void scenario_enter_netns(int fd); /* for sockets that are made from now on */

/* --- sockets and options ------------------------------------------------------------------- */

struct sock *sock_new(const char *tag); /* TCP, of the scenario's family; never freed */
struct sock *sock_new_of(const char *tag, int family);
struct sock *sock_new_udp(const char *tag);
struct sock *sock_new_kind(const char *tag, int family, int type, int protocol);

/* One that came from elsewhere, as a descriptor; no call is told. */
struct sock *sock_adopt(const char *tag, int fd, int family, int type);

/* Another process of the scenario gave this socket the port that it has. */
void sock_know_port(struct sock *s, const char *origin);

void sock_reuse_address(struct sock *s);
void sock_reuse_port(struct sock *s);
void sock_defer_port(struct sock *s); /* IP_BIND_ADDRESS_NO_PORT */
void sock_nonblocking(struct sock *s);
void sock_bind_to_device(struct sock *s, const char *device);
void sock_send_timeout(struct sock *s, int seconds);
void sock_set(struct sock *s, int level, int option, int value);
bool sock_narrow_range(struct sock *s, int lo, int hi); /* false: this kernel cannot */

int sock_port(const struct sock *s); /* that it holds, or held last */

/* --- by which way calls reach the kernel ---------------------------------------------------- */

enum door { SYSTEM_CALL, IO_URING, INT80, SOCKETCALL };

/* For this thread, from now on. Skips the scenario where the kernel has no such way. */
void scenario_use(enum door door);

/* --- calls --------------------------------------------------------------------------------- */

void sock_bind(struct sock *s, enum place place, int port, int error);
void sock_bind_denied(struct sock *s, enum place place, int port, int error); /* by policy */
void sock_listen(struct sock *s, int backlog, int error);

/*
 * TCP: EINPROGRESS: goes on; ECONNREFUSED: had a port first; any other error: got none.
 * UDP: ENETUNREACH: has a port nevertheless; EAGAIN: no port was left.
 */
void sock_connect(struct sock *s, enum place place, int port, int error);
void sock_connect_hanging(struct sock *s, enum place place, int port);
void sock_connect_outcome(struct sock *s, int error); /* of a non-blocking connect */

/* A cgroup program puts bpf_bind(at, bound_port) before the call; see scenarios_kernel.c. */
void sock_connect_rebound(struct sock *s, enum place place, int port, enum place at,
			  int bound_port);

enum send_how { SENDTO, SENDMSG, SENDMMSG, SEND, WRITE, SPLICE };

/* UDP. SEND, WRITE and SPLICE have no address: the socket is connected, or the errno is
 * EDESTADDRREQ. */
void sock_send(struct sock *s, enum send_how how, enum place place, int port, int error);

/* Two threads send at once; one of them gives the socket its port. */
void sock_send_from_threads(struct sock *s, enum place place, int port);

/* TCP Fast Open: MSG_FASTOPEN, by SENDTO or SENDMSG; errors as with sock_connect(). */
void sock_fast_open(struct sock *s, enum send_how how, enum place place, int port, int error);

/* A connection that the kernel put off (TCP_FASTOPEN_CONNECT with a cookie): port, but no SYN. */
void sock_connect_put_off(struct sock *s, enum place place, int port);
void sock_write_put_off(struct sock *s); /* the SYN leaves, with data */

void sock_disconnect(struct sock *s, struct sock *peer); /* connect(AF_UNSPEC); resets peer */
void sock_disconnect_udp(struct sock *s);
void sock_disconnect_alone(struct sock *s); /* a TCP socket that has no peer */
void sock_shut_down_listener(struct sock *s);
struct sock *sock_accept(struct sock *listener, const char *tag);
void sock_await(const struct sock *listener); /* there is something to accept */
void sock_await_end(const struct sock *s);    /* the peer has closed, or reset */

/* --- endings: each prints the life of the socket as it must have been ----------------------- */

/* No connection, or the peer has closed first and is past FIN. */
void sock_close(struct sock *s);

/* Closes before the peer does: goes to TIME_WAIT. The peer must close soon. */
void sock_close_first(struct sock *s);

/* first goes to TIME_WAIT, second does not. */
void sock_close_pair(struct sock *first, struct sock *second);

/*
 * The TIME_WAIT entry of a socket ends early: another connection takes its place. Said before it
 * closes, and again right before the call that does it.
 */
void sock_will_be_replaced(struct sock *s);
void sock_is_replaced_now(struct sock *s);

/* As sock_close_pair() where there is no room for TIME_WAIT entries. */
void sock_close_without_time_wait(struct sock *first, struct sock *second);

/* Closes with SO_LINGER 0: a reset, no TIME_WAIT; peer loses a port that it did not name. */
void sock_reset(struct sock *s, struct sock *peer);

/* Closes a listener with client's connection still in its queue: both are reset. */
void sock_close_listener_with(struct sock *listener, const char *child_tag, struct sock *client);

/* Closes one of several descriptors: nothing happens to the socket. */
void sock_drop(struct sock *s);

/* The process is about to end; the kernel closes in an order of its own. */
void sock_leave_to_exit(struct sock *s, bool connected);

/*
 * A connect() to a peer that does not answer, by process pid, of which nothing was printed: the
 * descriptors are closed, the call has come to its end, and so has the socket.
 */
void sock_connect_silently(struct sock *s, enum place place, int port);
void sock_ended_in_connect(struct sock *s, pid_t pid, enum place place, int port, int peer_port);

#endif
