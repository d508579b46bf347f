/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/util/utf8.h"

/* What may follow a lead byte: how many bytes, and the bounds of the first of them. */
static int utf8_tail(uint8_t lead, uint8_t *lo, uint8_t *hi)
{
	*lo = 0x80;
	*hi = 0xbf;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if (lead >= 0xe0 && lead <= 0xef) {
		if (lead == 0xe0)
			*lo = 0xa0; /* shorter forms exist */
		if (lead == 0xed)
			*hi = 0x9f; /* surrogates */
		return 2;
	}
	if (lead >= 0xf0 && lead <= 0xf4) {
		if (lead == 0xf0)
			*lo = 0x90;
		if (lead == 0xf4)
			*hi = 0x8f; /* beyond U+10FFFF */
		return 3;
	}
	return 0;
}

int utf8_decode(const char *text, size_t len, uint32_t *character)
{
	const uint8_t *byte = (const uint8_t *)text;
	uint8_t lo, hi;
	int tail;
	uint32_t value;

	if (byte[0] < 0x80) {
		*character = byte[0];
		return 1;
	}
	tail = utf8_tail(byte[0], &lo, &hi);
	if (!tail)
		return -1;
	value = byte[0] & (0x3fU >> tail);
	for (int i = 1; i <= tail; i++) {
		if ((size_t)i >= len || byte[i] < lo || byte[i] > hi)
			return -i;
		value = value << 6 | (byte[i] & 0x3fU);
		lo = 0x80;
		hi = 0xbf;
	}
	*character = value;
	return tail + 1;
}

bool utf8_is_hostile(uint32_t character)
{
	static const struct {
		uint32_t lo, hi;
	} hostile[] = {
		{ 0x0000, 0x001f },   /* C0 */
		{ 0x007f, 0x009f },   /* DEL, C1 */
		{ 0x00ad, 0x00ad },   /* soft hyphen */
		{ 0x061c, 0x061c },   /* Arabic letter mark */
		{ 0x180e, 0x180e },   /* Mongolian vowel separator */
		{ 0x200b, 0x200f },   /* zero width, direction */
		{ 0x2028, 0x202e },   /* separators, embedding, override */
		{ 0x2060, 0x206f },   /* invisible operators, isolates */
		{ 0xfe00, 0xfe0f },   /* variation selectors */
		{ 0xfeff, 0xfeff },   /* byte order mark */
		{ 0xfff0, 0xfffb },   /* specials */
		{ 0xe0000, 0xe0fff }, /* tags, more variation selectors */
	};

	if (character >= 0x20 && character < 0x7f)
		return false;
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++)
		if (character >= hostile[i].lo && character <= hostile[i].hi)
			return true;
	return (character & 0xfffe) == 0xfffe; /* no characters at all */
}
