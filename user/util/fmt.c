/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/util/fmt.h"

#include <stdbool.h>

static const char pairs[] = "00010203040506070809101112131415161718192021222324"
			    "25262728293031323334353637383940414243444546474849"
			    "50515253545556575859606162636465666768697071727374"
			    "75767778798081828384858687888990919293949596979899";

/* Writes backwards from end. */
static void fmt_backwards(char *end, uint64_t value)
{
	while (value >= 100) {
		end -= 2;
		memcpy(end, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (value >= 10) {
		end -= 2;
		memcpy(end, pairs + value * 2, 2);
	} else {
		*--end = (char)('0' + value);
	}
}

static size_t count_digits(uint64_t value)
{
	size_t digits = 1;

	for (; value >= 10000; value /= 10000)
		digits += 4;
	return digits + (value >= 10) + (value >= 100) + (value >= 1000);
}

char *fmt_u64(char *p, uint64_t value)
{
	char *end = p + count_digits(value);

	fmt_backwards(end, value);
	return end;
}

char *fmt_i64(char *p, int64_t value)
{
	uint64_t size = (uint64_t)value;

	if (value < 0) {
		*p++ = '-';
		size = 0 - size;
	}
	return fmt_u64(p, size);
}

char *fmt_u64_right(char *p, uint64_t value, size_t width)
{
	size_t len = count_digits(value);

	for (; len < width; width--)
		*p++ = ' ';
	fmt_backwards(p + len, value);
	return p + len;
}

char *fmt_digits(char *p, uint32_t value, unsigned int digits)
{
	char *end = p + digits;
	char *at = end;

	while (at - p >= 2) {
		at -= 2;
		memcpy(at, pairs + value % 100 * 2, 2);
		value /= 100;
	}
	if (at > p)
		*p = (char)('0' + value % 10);
	return end;
}

static inline char *fmt_octet(char *p, unsigned int octet)
{
	if (octet < 10) {
		*p = (char)('0' + octet);
		return p + 1;
	}
	if (octet >= 100) {
		*p++ = (char)('0' + octet / 100);
		octet %= 100;
	}
	memcpy(p, pairs + (size_t)octet * 2, 2);
	return p + 2;
}

char *fmt_inet4(char *p, const uint8_t addr[4])
{
	p = fmt_octet(p, addr[0]);
	*p++ = '.';
	p = fmt_octet(p, addr[1]);
	*p++ = '.';
	p = fmt_octet(p, addr[2]);
	*p++ = '.';
	return fmt_octet(p, addr[3]);
}

static char *fmt_group(char *p, unsigned int group)
{
	static const char hex[] = "0123456789abcdef";
	bool begun = false;

	for (int shift = 12; shift >= 0; shift -= 4) {
		unsigned int digit = group >> shift & 15;

		if (digit || begun || !shift) {
			*p++ = hex[digit];
			begun = true;
		}
	}
	return p;
}

/* The longest run of two zero groups or more, the first of equal ones; its length or 0. */
static int zero_run(const unsigned int group[8], int *start)
{
	int best = 1;

	*start = -1;
	for (int i = 0; i < 8; i++) {
		int len = 0;

		while (i + len < 8 && !group[i + len])
			len++;
		if (len > best) {
			best = len;
			*start = i;
		}
		i += len;
	}
	return *start < 0 ? 0 : best;
}

char *fmt_inet6(char *p, const uint8_t addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned int group[8];
	int start, len;

	if (!memcmp(addr, mapped, sizeof(mapped)))
		return fmt_inet4(fmt_literal(p, "::ffff:"), addr + 12);
	for (int i = 0; i < 8; i++)
		group[i] = (unsigned int)addr[2 * i] << 8 | addr[2 * i + 1];
	len = zero_run(group, &start);
	for (int i = 0; i < 8; i++) {
		if (i == start) {
			p = fmt_literal(p, "::");
			i += len - 1;
			continue;
		}
		if (i && i != start + len)
			*p++ = ':';
		p = fmt_group(p, group[i]);
	}
	return p;
}
