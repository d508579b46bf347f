/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sentence.h owns sentences with facts in them: bounded text, what does not fit is left out. It
 * must not know what is said.
 */
#ifndef PORTLIFE_CORE_SENTENCE_H
#define PORTLIFE_CORE_SENTENCE_H

#include "user/core/finding.h"
#include "user/core/holders.h"
#include "user/core/sink.h"

struct sentence {
	const struct names *names; /* of devices and cgroups */
	size_t len;
	char text[FINDING_TEXT_MAX];
};

void sentence_add(struct sentence *s, const char *text);
void sentence_add_bytes(struct sentence *s, const char *bytes, size_t len);
void sentence_add_number(struct sentence *s, uint64_t number);
/* ADDR%DEV; ifindex: of the device bound to, 0 if none; netns: where it is one */
void sentence_add_address(struct sentence *s, const struct endpoint *end, uint32_t ifindex,
			  uint32_t netns);
/* ADDR:PORT, [ADDR]:PORT */
void sentence_add_endpoint(struct sentence *s, const struct endpoint *end, uint16_t port,
			   uint32_t ifindex, uint32_t netns);
/* "811 apache2 (listening)", "TIME_WAIT, 37 s left, was 811 nginx" */
void sentence_add_holder(struct sentence *s, const struct holder *h);
/* ... of all of them the first, and " (+3 more)" */
void sentence_add_holders(struct sentence *s, const struct holders *h);
/* The same at length, "nginx.service: 811 nginx fd 6 (+4 workers) (listening)" */
void sentence_add_holders_at_length(struct sentence *s, const struct holders *h);
/* Where it is known from, "" if the kernel showed it: "; looked up afterwards" */
const char *sentence_source(const struct holders *h);

#endif
