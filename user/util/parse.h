/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * parse.h owns numbers and addresses that come from outside, one parser each. It must not know
 * what they are for. Each takes len bytes as a whole: no sign, no space, nothing left over.
 * Returns 0, -EINVAL (not written as it must be) or -ERANGE (written well, out of bounds).
 */
#ifndef PORTLIFE_UTIL_PARSE_H
#define PORTLIFE_UTIL_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal digits, lo <= *value <= hi. */
int parse_number(const char *text, size_t len, uint64_t lo, uint64_t hi, uint64_t *value);

/* N or A-B, each within lo..hi. A > B: -EDOM. */
int parse_range(const char *text, size_t len, uint64_t lo, uint64_t hi, uint64_t *first,
		uint64_t *last);

/* N bytes, or NK, NM, NG (powers of 1024, either case). */
int parse_size(const char *text, size_t len, uint64_t *bytes);

/* N with a unit: ns us ms s m h; seconds without. */
int parse_duration(const char *text, size_t len, uint64_t *ns);

/* ADDR or ADDR/LEN of IPv4 or IPv6. addr is in network order, IPv4 as ::ffff:a.b.c.d, and bits
 * counts in that form (10.0.0.0/8: 104). */
int parse_address(const char *text, size_t len, uint8_t addr[16], uint8_t *bits);

/*
 * Steps through items that commas separate. *rest is the list at first and belongs to the walk;
 * false when there are no more. An empty item (also of the empty list) comes as *len == 0.
 */
bool parse_list_next(const char **rest, const char **item, size_t *len);

#endif
