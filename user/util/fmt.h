/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fmt.h owns numbers and addresses written as text, for the paths where printf is too slow. It
 * must not know who reads the text. Every function writes at p, without a NUL, and returns the
 * end of what it wrote; the caller has seen to the room named beside each.
 */
#ifndef PORTLIFE_UTIL_FMT_H
#define PORTLIFE_UTIL_FMT_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define FMT_U64_MAX   20
#define FMT_I64_MAX   21
#define FMT_INET4_MAX 15
#define FMT_INET6_MAX 45

char *fmt_u64(char *p, uint64_t value);
char *fmt_i64(char *p, int64_t value);

/* Right-aligned in width columns, wider if the number is. Room: the greater of width and 20. */
char *fmt_u64_right(char *p, uint64_t value, size_t width);

/* Exactly digits decimal digits with leading zeros; higher digits of value are dropped. */
char *fmt_digits(char *p, uint32_t value, unsigned int digits);

/* Addresses in network order. IPv6 as RFC 5952 says, v4-mapped as ::ffff:a.b.c.d. */
char *fmt_inet4(char *p, const uint8_t addr[4]);
char *fmt_inet6(char *p, const uint8_t addr[16]);

static inline char *fmt_bytes(char *p, const char *bytes, size_t len)
{
	memcpy(p, bytes, len);
	return p + len;
}

static inline char *fmt_spaces(char *p, size_t len)
{
	memset(p, ' ', len);
	return p + len;
}

/* A string literal: its length is known at compile time. */
#define fmt_literal(p, literal) fmt_bytes((p), ("" literal), sizeof(literal) - 1)

#endif
