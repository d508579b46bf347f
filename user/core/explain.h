/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain.h owns what an explanation is: what happened in an event and why, in at most three
 * sentences for somebody who learns. Each states what the stream and the kernel's own rules tell;
 * of what the backend cannot know none is said. It does not know who reads them.
 */
#ifndef PORTLIFE_CORE_EXPLAIN_H
#define PORTLIFE_CORE_EXPLAIN_H

#include "user/core/sentence.h"

#define EXPLANATION_MAX 3

/*
 * Valid during the sink's call only. What the same program (by its name) was told before is not
 * said again, so it may be empty. The first sentence of an event does without the kernel's words.
 * Bytes of strangers are in it (names of devices), and no NUL behind it.
 */
struct explanation {
	size_t len;
	struct sentence list[EXPLANATION_MAX];
};

#endif
