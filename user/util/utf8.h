/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * utf8.h owns the question which bytes are a character. It must not know what is done with it.
 */
#ifndef PORTLIFE_UTIL_UTF8_H
#define PORTLIFE_UTIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Reads one character of the len >= 1 bytes at text. Returns how many bytes it has and sets
 * *character; or, where the bytes are not UTF-8, minus the number of bytes to be replaced by one
 * U+FFFD (the maximal subpart of the Unicode standard, 3.9).
 */
int utf8_decode(const char *text, size_t len, uint32_t *character);

/* Does the character command a terminal or rearrange what stands beside it: controls, separators
 * of lines, marks of direction, invisible ones? */
bool utf8_is_hostile(uint32_t character);

#endif
