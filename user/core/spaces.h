/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * spaces.h owns what is kept of each network namespace: its settings as the stream has told them,
 * and how many ports of its range came and went. It must not know who has them.
 */
#ifndef PORTLIFE_CORE_SPACES_H
#define PORTLIFE_CORE_SPACES_H

#include "user/core/event.h"
#include "user/core/settings.h"

/* Network namespaces at once: containers come and go for weeks, the one left alone longest goes. */
#define SPACES_MAX 256

enum { SPACE_TCP, SPACE_UDP, SPACE_PROTOCOLS };

struct space {
	struct settings settings; /* range_hi 0: not known */
	bool holds;		  /* they do now; else these were the latest, or the next */
	uint64_t used;		  /* when it was last asked for, in requests */
	struct {
		uint64_t assigned, released; /* ports of the range, but not to accepted children */
	} turnover[SPACE_PROTOCOLS];
};

struct spaces {
	struct space *list; /* SPACES_MAX of them: memory is touched only as they are used */
	size_t len, latest;
	uint64_t requests, dropped;
};

int spaces_init(struct spaces *spaces); /* 0 or -ENOMEM */
void spaces_free(struct spaces *spaces);

/* The namespace's, a new one if it is not known. */
struct space *spaces_get(struct spaces *spaces, uint32_t netns);
/* NULL if it is not known. */
const struct space *spaces_find(const struct spaces *spaces, uint32_t netns);

/* text: the reserved ports, text_len bytes, validated */
void spaces_learn(struct spaces *spaces, const struct wire_settings *settings, const char *text);

/* A socket that is to be counted was given a port, or gave it up: is it one of the range? */
void spaces_count(struct spaces *spaces, const struct life *life, const struct tenure *tenure,
		  bool released);

/* SPACE_*, SPACE_PROTOCOLS for all others; and back. */
unsigned int space_protocol(uint16_t protocol);
uint16_t space_protocol_number(unsigned int index);

#endif
