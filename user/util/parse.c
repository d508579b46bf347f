/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/util/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

int parse_number(const char *text, size_t len, uint64_t lo, uint64_t hi, uint64_t *value)
{
	uint64_t sum = 0;
	bool over = false;

	if (!len)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned int digit = (unsigned char)text[i] - (unsigned int)'0';

		if (digit > 9)
			return -EINVAL;
		if (__builtin_mul_overflow(sum, 10, &sum) ||
		    __builtin_add_overflow(sum, digit, &sum))
			over = true;
	}
	if (over || sum < lo || sum > hi)
		return -ERANGE;
	*value = sum;
	return 0;
}

int parse_range(const char *text, size_t len, uint64_t lo, uint64_t hi, uint64_t *first,
		uint64_t *last)
{
	const char *dash = memchr(text, '-', len);
	size_t first_len = dash ? (size_t)(dash - text) : len;
	int err = parse_number(text, first_len, lo, hi, first);
	int last_err;

	if (!dash) {
		if (!err)
			*last = *first;
		return err;
	}
	last_err = parse_number(dash + 1, len - first_len - 1, lo, hi, last);
	if (err == -EINVAL || last_err == -EINVAL)
		return -EINVAL;
	if (err || last_err)
		return -ERANGE;
	return *first > *last ? -EDOM : 0;
}

struct unit {
	const char *name;
	uint64_t factor;
};

static int parse_with_unit(const char *text, size_t len, const struct unit *units, uint64_t *value)
{
	size_t digits = 0;
	int err;

	while (digits < len && text[digits] >= '0' && text[digits] <= '9')
		digits++;
	for (; units->name; units++)
		if (strlen(units->name) == len - digits &&
		    !memcmp(units->name, text + digits, len - digits))
			break;
	if (!units->name)
		return -EINVAL;
	err = parse_number(text, digits, 0, UINT64_MAX, value);
	if (err)
		return err;
	return __builtin_mul_overflow(*value, units->factor, value) ? -ERANGE : 0;
}

int parse_size(const char *text, size_t len, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "", 1 },	     { "K", 1ULL << 10 }, { "k", 1ULL << 10 }, { "M", 1ULL << 20 },
		{ "m", 1ULL << 20 }, { "G", 1ULL << 30 }, { "g", 1ULL << 30 }, { NULL, 0 },
	};

	return parse_with_unit(text, len, units, bytes);
}

int parse_duration(const char *text, size_t len, uint64_t *ns)
{
	static const struct unit units[] = {
		{ "ns", 1 },
		{ "us", 1000 },
		{ "ms", 1000000 },
		{ "s", 1000000000 },
		{ "", 1000000000 },
		{ "m", 60 * 1000000000ULL },
		{ "h", 3600 * 1000000000ULL },
		{ NULL, 0 },
	};

	return parse_with_unit(text, len, units, ns);
}

int parse_address(const char *text, size_t len, uint8_t addr[16], uint8_t *bits)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const char *slash = memchr(text, '/', len);
	size_t addr_len = slash ? (size_t)(slash - text) : len;
	char copy[INET6_ADDRSTRLEN];
	uint64_t prefix = 128;
	unsigned int offset = 0;

	if (addr_len >= sizeof(copy) || memchr(text, 0, len))
		return -EINVAL;
	memcpy(copy, text, addr_len);
	copy[addr_len] = 0;
	if (inet_pton(AF_INET, copy, addr + 12) == 1) {
		memcpy(addr, mapped, sizeof(mapped));
		offset = 96;
	} else if (inet_pton(AF_INET6, copy, addr) != 1) {
		return -EINVAL;
	}
	if (slash) {
		int err = parse_number(slash + 1, len - addr_len - 1, 0, 128 - offset, &prefix);

		if (err)
			return err;
		prefix += offset;
	}
	*bits = (uint8_t)prefix;
	return 0;
}

bool parse_list_next(const char **rest, const char **item, size_t *len)
{
	const char *comma;

	if (!*rest)
		return false;
	*item = *rest;
	comma = strchr(*rest, ',');
	*len = comma ? (size_t)(comma - *rest) : strlen(*rest);
	*rest = comma ? comma + 1 : NULL;
	return true;
}
