/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * oracle.h owns what the parts of the workload share: the sockets that it made (in memory that all
 * its processes see), who holds them, and the rounds. It knows nothing of portlife.
 */
#ifndef PORTLIFE_TESTS_ORACLE_H
#define PORTLIFE_TESTS_ORACLE_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>

#define MAX_THREADS 16
#define SLOTS	    16		/* sockets that a thread holds at most, but for ... */
#define HELD_MAX    (SLOTS + 8) /* ... those that were under way to it at a checkpoint */
#define NAMESPACES  2
#define ACTORS	    12

enum protocol_choice {
	WITH_TCP = 1 << 0,
	WITH_UDP = 1 << 1,
	WITH_UDPLITE = 1 << 2,
	WITH_FASTOPEN = 1 << 3,
};

struct address {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t len;
};

/*
 * A socket of the workload, known to every process that holds it. The kernel tells of a bound TCP
 * socket in state CLOSE only since 6.12, so the rules are followed here: a port named by bind()
 * stays until the last close, a port from bind(0) until the socket has been in another state.
 */
struct object {
	atomic_int lock;
	int ns;
	int family;
	int protocol;
	uint64_t cookie;
	bool port_named;
	bool port_idle;
	bool pending;	    /* the outcome of an attempt waits for the next connect() */
	bool shut;	    /* by shutdown(): a listener, or a connection that was not there yet */
	bool passed;	    /* has been under way to another process, in nobody's hands */
	int actors[ACTORS]; /* pids: the first one's call succeeded last, the others' since failed
			     */
};

/* What a thread has of a socket. */
struct slot {
	struct object *object; /* NULL: the slot is empty */
	int fd[2];	       /* the second one is a duplicate or -1 */
	bool listening;
};

/* A listener that others may connect to. */
struct target {
	atomic_int valid;
	int ns;
	int protocol;
	struct address address;
};

/* A slot as the thread sees it at a checkpoint. */
struct held {
	const struct object *object;
	int pid;
	int tid;
	int fds;
	int state;
	bool has_peer;
	struct address local;
	struct address peer;
};

enum command { RUN, DRAIN, REPORT, END };

struct shared {
	pthread_barrier_t begin;
	pthread_barrier_t done;
	enum command command;
	unsigned int quota; /* operations of each thread in this round */
	struct target targets[MAX_THREADS][SLOTS];
	struct held held[MAX_THREADS][HELD_MAX];
	int held_len[MAX_THREADS];
	atomic_uint objects_len;
	unsigned int objects_max;
	struct object objects[];
};

struct thread {
	struct shared *shared;
	unsigned int number;
	unsigned int threads; /* in all */
	unsigned int protocols;
	int ns; /* where its process makes sockets */
	int pid;
	int tid;
	uint64_t random;
	int mail_out; /* passes descriptors to a thread of the next process */
	int mail_in;
	FILE *log;
	unsigned int operation; /* counted */
	struct slot slots[HELD_MAX];
};

/* sockets.c: one operation, chosen by the thread's random numbers */
void sockets_operate(struct thread *t);
/* Takes what is under way to this thread. */
void sockets_drain(struct thread *t);
/* Fills shared->held of this thread. */
void sockets_report(struct thread *t);

/* kernel.c: what the kernel says */
struct kernel_socket {
	uint8_t local[16];
	uint8_t peer[16];
	uint64_t cookie;
	uint32_t inode;
	uint32_t netns;
	uint16_t local_port;
	uint16_t peer_port;
	uint16_t family;
	uint16_t protocol;
	uint8_t state;
	uint8_t time_wait;
	uint8_t pad[6]; /* compared with memcmp() */
};

struct kernel_table {
	struct kernel_socket *sockets;
	size_t len;
	size_t room;
};

/* In the current namespace: a descriptor to ask it by, later from anywhere. */
int kernel_open(void);
/* Adds what that namespace has of a protocol; returns -1 if it has to be asked again. */
int kernel_dump(int fd, uint32_t netns, int protocol, struct kernel_table *table);
void kernel_sort(struct kernel_table *table);
bool kernel_equal(const struct kernel_table *a, const struct kernel_table *b);
/* `known` tells whether the workload has had a socket of this cookie in its hands. */
void kernel_print(const struct kernel_table *table, bool (*known)(uint64_t cookie));

uint64_t clock_ns(void);

#endif
