/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * why.h owns the answers of `portlife why`, as text and as JSON. It must not know how they were
 * found.
 */
#ifndef PORTLIFE_SINK_WHY_H
#define PORTLIFE_SINK_WHY_H

#include "user/core/meanings.h"
#include "user/core/settings.h"
#include "user/core/why.h"
#include "user/sink/columns.h"
#include "user/util/out.h"

/* What an errno means, by call. */
void why_text_errno(struct out *out, const struct meanings *meanings,
		    const struct settings *settings);
void why_json_errno(struct out *out, const struct meanings *meanings,
		    const struct settings *settings);

/* Whether bind() to an address and port would succeed; the exit status says it too. */
void why_text_port(struct out *out, const struct columns *columns, const struct why *why,
		   const struct settings *settings);
void why_json_port(struct out *out, const struct names *names, const struct why *why,
		   const struct settings *settings);

/* Whether one more connect() would get a port. */
void why_text_connect(struct out *out, const struct columns *columns, const struct why_connect *why,
		      const struct settings *settings);
void why_json_connect(struct out *out, const struct names *names, const struct why_connect *why,
		      const struct settings *settings);

#endif
