/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate.h owns --count: a sink before another one, that lets so many events through and no more.
 * It must not know what becomes of them.
 */
#ifndef PORTLIFE_CLI_GATE_H
#define PORTLIFE_CLI_GATE_H

#include "user/core/sink.h"

struct gate {
	struct sink inner;
	uint64_t limit; /* 0: none */
	uint64_t shown;
	bool passed; /* the last event was let through */
};

/* Makes a sink of self, which must outlive it. */
struct sink gate_init(struct gate *self, struct sink inner, uint64_t limit);

/* Has the last event that may pass done so? */
bool gate_is_shut(const struct gate *self);

#endif
