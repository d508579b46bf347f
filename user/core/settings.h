/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * settings.h owns what a network namespace's sysctls say about ports. It must not know how they
 * are read.
 */
#ifndef PORTLIFE_CORE_SETTINGS_H
#define PORTLIFE_CORE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/wire.h"

#define SETTINGS_PORTS 65536

struct settings {
	uint32_t netns;
	uint16_t range_lo, range_hi; /* ip_local_port_range; 0, 0: unknown */
	bool reserved_known;
	bool unprivileged_known;
	uint32_t unprivileged_start; /* ip_unprivileged_port_start */
	bool step_width_known;
	uint32_t step_width;		      /* ip_local_port_step_width, 7.1; 0: none */
	uint8_t tw_reuse;		      /* tcp_tw_reuse: 1, 2 (loopback only), or 0 */
	bool nonlocal4, nonlocal6;	      /* ip_nonlocal_bind */
	uint8_t reserved[SETTINGS_PORTS / 8]; /* a bit for each of ip_local_reserved_ports */
};

/*
 * "80,8000-8099", as the sysctl has it: in order, each once. False if it is not written so, *s may
 * then have some of them. s NULL: only looked at.
 */
bool settings_parse_reserved(struct settings *s, const char *text, size_t len);
/* What a record says, whose text was validated; what it does not know is zero. */
void settings_of_record(struct settings *s, const struct wire_settings *r, const char *text);
bool settings_is_reserved(const struct settings *s, uint16_t port);
bool settings_in_range(const struct settings *s, uint16_t port);

/* Ports of the range, and those of them that no automatic choice takes. */
uint32_t settings_range_size(const struct settings *s);
uint32_t settings_reserved_in_range(const struct settings *s);
/* Reserved ports from lo to hi. */
uint32_t settings_reserved_between(const struct settings *s, uint16_t lo, uint16_t hi);

/*
 * The next run of reserved ports at *first or after it; false if there is none. Sets *first and
 * *last.
 */
bool settings_next_reserved(const struct settings *s, uint32_t *first, uint32_t *last);

#endif
