/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * why.h owns the answer to "would bind() there succeed?", from the table of ports that are taken
 * and the settings of the network namespace. It must not try, nor know how the facts were read.
 */
#ifndef PORTLIFE_CORE_WHY_H
#define PORTLIFE_CORE_WHY_H

#include "user/core/conflict.h"
#include "user/core/holders.h"
#include "user/core/pressure_taken.h"
#include "user/core/settings.h"
#include "user/core/taken.h"

/* Of UNKNOWN nothing can be said; DEPENDS on something that why_missing() names. */
enum why_answer { ANSWER_YES, ANSWER_NO, ANSWER_DEPENDS, ANSWER_UNKNOWN };

/* With which options on the socket. */
enum why_with { WITH_NOTHING, WITH_REUSEADDR, WITH_REUSEPORT, WITH_BOTH, WITH_KINDS };

/* What is in the way, the first that bind() would meet. */
enum why_obstacle {
	OBSTACLE_NONE,
	OBSTACLE_ADDRESS,   /* EADDRNOTAVAIL: none of this namespace's */
	OBSTACLE_PRIVILEGE, /* EACCES: below ip_unprivileged_port_start */
	OBSTACLE_HELD,	    /* EADDRINUSE */
};

struct why {
	/* asked */
	struct endpoint local;
	uint32_t ifindex;   /* SO_BINDTODEVICE, or the scope of the address; 0: none */
	const char *device; /* its name, NULL if none */
	uint16_t protocol;  /* IPPROTO_TCP (MPTCP, too), _UDP, _UDPLITE, _SCTP, _ICMP (ping) */
	uint32_t netns;
	uint32_t uid;
	enum tristate is_local;	     /* the address is one of the namespace's */
	enum tristate is_privileged; /* has CAP_NET_BIND_SERVICE there */
	bool options_known;	     /* the table has the options of sockets */
	bool bound_known;	     /* ... and sockets that are only bound */
	enum tristate has_file;	     /* AF_UNIX: the path is there */

	/* answered */
	enum why_answer answers[WITH_KINDS];
	bool order_decides;   /* UDP: ... among sockets that share and others that do not */
	bool bound_by_others; /* not only by sockets with SO_REUSEPORT of this user */
	enum why_obstacle obstacle;
	const struct port_row *rows[HOLDERS_MAX]; /* in the way of a plain bind() */
	struct holders holders;			  /* the same, as events name them */
};

/* Would one more connect() to there get a port? */
struct why_connect {
	/* asked */
	struct endpoint from, to; /* from: its port is 0 */
	uint32_t netns;
	enum tristate is_local; /* from */
	bool has_route;
	bool seen; /* the table has the sockets of that network namespace */

	/* answered */
	enum why_answer answer;
	uint32_t left; /* ports of the range */
	struct pressure pressure;
	struct pressure_destination destination;
};

/* Of TCP. 0 or -ENOMEM. */
int why_judge_connect(struct why_connect *why, const struct taken *taken,
		      const struct settings *settings);
const char *why_connect_missing(const struct why_connect *why); /* as why_missing() */
const char *why_connect_hint(const struct why_connect *why);

/* Pointers into the table stay in it. */
void why_judge(struct why *why, const struct taken *taken, const struct settings *settings);

/* For AF_UNIX, AF_VSOCK, AF_NETLINK: all options alike. bound_known: the table has these. */
void why_judge_name(struct why *why, const struct taken *taken, enum tristate has_file);
const char *why_name_hint(const struct why *why); /* as why_hint(), which calls it */
const char *why_name_note(const struct why *why); /* NULL: nothing to note */

/* The answer without options: the exit status. */
enum why_answer why_answer(const struct why *why);

const char *why_answer_name(enum why_answer answer);	   /* "yes" */
const char *why_obstacle_name(enum why_obstacle obstacle); /* "held"; NULL for NONE */
const char *why_with_name(enum why_with with);		   /* "reuseaddr" */

/* What could not be read and may change the answer; NULL if nothing. */
const char *why_missing(const struct why *why);

/* What to do about it; NULL if nothing is in the way. */
const char *why_hint(const struct why *why);

#endif
