/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * lesson.h owns what a lesson is: a question, a claim, a program as a table of calls, and the rule
 * that judges the claim by what happened. It does not know how the program is run or shown.
 */
#ifndef PORTLIFE_LESSON_LESSON_H
#define PORTLIFE_LESSON_LESSON_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum step_op {
	STEP_NOTE, /* no call: a remark for the reader */
	STEP_SOCKET,
	STEP_OPTION,
	STEP_BIND,
	STEP_LISTEN,
	STEP_CONNECT,
	STEP_ACCEPT,
	STEP_SEND_TO,
	STEP_SEND_PORT, /* sends another socket's port number as text */
	STEP_HEAR_PORT, /* receives it: `told` from then on */
	STEP_GETSOCKNAME,
	STEP_GETPEERNAME,
	STEP_CLOSE,
	STEP_SETTING,	   /* writes a sysctl of the namespace */
	STEP_READ_SETTING, /* result: its first number, other: its second one */
	STEP_ADDRESS,	   /* gives the machine of the lesson one more address */
	STEP_PRIVILEGE,	   /* value 0: without CAP_NET_BIND_SERVICE from now on; 1: with it again */
};

enum step_option { OPTION_REUSEADDR, OPTION_REUSEPORT, OPTION_NO_PORT, OPTION_RANGE };

#define LESSON_MPTCP 262 /* IPPROTO_MPTCP, <linux/in.h> of 5.6 */

#define TOLD "told" /* step.port_of: the number that STEP_HEAR_PORT heard */

struct step {
	enum step_op op;
	const char *socket; /* its name in the program; NULL if the call is about none */
	const char *from;   /* STEP_ACCEPT: the listener */
	const char *addr;   /* as text; of AF_UNIX a name, an abstract one if it begins with '@'; of
			       AF_NETLINK the kernel's, of AF_VSOCK any, and as Python has it */
	const char *port_of; /* instead of port: the port of this socket, or TOLD */
	const char *text; /* of a note; of a setting its name below /proc/sys/net/ipv4; of a socket
			     what must stand in /proc/net/protocols, or NULL */
	const char *set_to; /* STEP_SETTING */
	int family, type, protocol;
	enum step_option option;
	uint32_t value;
	uint16_t port;
};

/* The words that tables of steps are written in. */
#define NOTE(t)                                                                                    \
	{                                                                                          \
		.op = STEP_NOTE, .text = (t)                                                       \
	}
#define SOCKET(s, f, t, p)                                                                         \
	{                                                                                          \
		.op = STEP_SOCKET, .socket = (s), .family = f, .type = t, .protocol = p            \
	}
/* Only if the kernel has it already, as it calls it: a lesson has no module loaded. */
#define LOADED_SOCKET(s, n, f, t, p)                                                               \
	{                                                                                          \
		.op = STEP_SOCKET, .socket = (s), .text = (n), .family = f, .type = t,             \
		.protocol = p                                                                      \
	}
#define TCP(s)	SOCKET(s, AF_INET, SOCK_STREAM, 0)
#define TCP6(s) SOCKET(s, AF_INET6, SOCK_STREAM, 0)
#define UDP(s)	SOCKET(s, AF_INET, SOCK_DGRAM, 0)
#define SET(s, o, v)                                                                               \
	{                                                                                          \
		.op = STEP_OPTION, .socket = (s), .option = OPTION_##o, .value = v                 \
	}
#define BIND(s, a, p)                                                                              \
	{                                                                                          \
		.op = STEP_BIND, .socket = (s), .addr = (a), .port = p                             \
	}
#define LISTEN(s)                                                                                  \
	{                                                                                          \
		.op = STEP_LISTEN, .socket = (s)                                                   \
	}
#define CONNECT(s, a, p)                                                                           \
	{                                                                                          \
		.op = STEP_CONNECT, .socket = (s), .addr = (a), .port = p                          \
	}
#define CONNECT_TO(s, a, o)                                                                        \
	{                                                                                          \
		.op = STEP_CONNECT, .socket = (s), .addr = (a), .port_of = (o)                     \
	}
#define ACCEPT(s, l)                                                                               \
	{                                                                                          \
		.op = STEP_ACCEPT, .socket = (s), .from = (l)                                      \
	}
#define SEND_TO(s, a, p)                                                                           \
	{                                                                                          \
		.op = STEP_SEND_TO, .socket = (s), .addr = (a), .port = p                          \
	}
#define SEND_ECHO(s, a)                                                                            \
	{                                                                                          \
		.op = STEP_SEND_TO, .socket = (s), .addr = (a), .protocol = IPPROTO_ICMP           \
	}
#define SEND_PORT(s, o)                                                                            \
	{                                                                                          \
		.op = STEP_SEND_PORT, .socket = (s), .port_of = (o)                                \
	}
#define HEAR_PORT(s)                                                                               \
	{                                                                                          \
		.op = STEP_HEAR_PORT, .socket = (s)                                                \
	}
#define SOCKNAME(s)                                                                                \
	{                                                                                          \
		.op = STEP_GETSOCKNAME, .socket = (s)                                              \
	}
#define PEERNAME(s)                                                                                \
	{                                                                                          \
		.op = STEP_GETPEERNAME, .socket = (s)                                              \
	}
#define CLOSE(s)                                                                                   \
	{                                                                                          \
		.op = STEP_CLOSE, .socket = (s)                                                    \
	}
#define SETTING(n, v)                                                                              \
	{                                                                                          \
		.op = STEP_SETTING, .text = (n), .set_to = (v)                                     \
	}
#define READ_SETTING(n)                                                                            \
	{                                                                                          \
		.op = STEP_READ_SETTING, .text = (n)                                               \
	}
#define ADDRESS(a)                                                                                 \
	{                                                                                          \
		.op = STEP_ADDRESS, .addr = (a)                                                    \
	}
#define PRIVILEGE(v)                                                                               \
	{                                                                                          \
		.op = STEP_PRIVILEGE, .value = v                                                   \
	}

enum ruling {
	VERDICT_NONE, /* the rule has no words for what happened */
	VERDICT_TRUE,
	VERDICT_FALSE,
	VERDICT_DEPENDS,
	VERDICT_NOT_SHOWN, /* not without tracing */
};

#define VERDICT_TEXT_MAX 1024

struct verdict {
	enum ruling ruling;
	char text[VERDICT_TEXT_MAX]; /* answers the question */
	char more[VERDICT_TEXT_MAX]; /* how the kernel does it, and which kernels differ; or "" */
	char contradiction[VERDICT_TEXT_MAX]; /* the calls say this, the events that; or "" */
};

struct run; /* lesson/run.h */

struct lesson {
	const char *name;
	const char *question;
	const char *claim;   /* the folklore, as people say it */
	const char *quiz;    /* what the reader is asked, yes or no: does the last call succeed? */
	const char *text[2]; /* for a judge that several lessons share */
	const struct step *steps;
	size_t steps_len;
	void (*judge)(const struct run *run, struct verdict *verdict);
};

#define PROGRAM(table) .steps = (table), .steps_len = sizeof(table) / sizeof((table)[0])

#define LESSON_STEPS_MAX   48
#define LESSON_SOCKETS_MAX 24

/* All of them, in the order in which they are taught. *len is set. */
const struct lesson *const *lessons_all(size_t *len);

/* By name, or by number from 1; NULL if there is none. *number is set. */
const struct lesson *lesson_find(const char *word, size_t *number);

/* "true", "false", "depends", "not shown" */
const char *ruling_name(enum ruling ruling);

#endif
