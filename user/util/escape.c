/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/util/escape.h"

#include <wchar.h>

#include "user/util/fmt.h"
#include "user/util/utf8.h"

/* One character or byte, as shown. */
struct unit {
	char text[16];
	size_t len_bytes;
	size_t columns;
	size_t taken_bytes;
};

static void unit_write_byte(struct unit *unit, unsigned char byte, bool keep_slash)
{
	static const char hex[] = "0123456789abcdef";
	static const char special[] = "\aa\bb\tt\nn\vv\ff\rr\\\\";
	char *p = unit->text;

	if (byte >= 0x20 && byte < 0x7f && (byte != '\\' || keep_slash)) {
		*p++ = (char)byte;
	} else {
		const char *found = NULL;

		for (size_t i = 0; i + 1 < sizeof(special); i += 2)
			if ((unsigned char)special[i] == byte)
				found = special + i + 1;
		*p++ = '\\';
		if (found) {
			*p++ = *found;
		} else {
			*p++ = 'x';
			*p++ = hex[byte >> 4];
			*p++ = hex[byte & 15];
		}
	}
	unit->len_bytes = (size_t)(p - unit->text);
	unit->columns = unit->len_bytes;
}

static void unit_read(struct unit *unit, const char *text, size_t len, struct escape how)
{
	uint32_t character;
	int taken = utf8_decode(text, len, &character);

	if (taken > 1 && how.utf8 && !utf8_is_hostile(character)) {
		int width = wcwidth((wchar_t)character);

		if (width > 0) {
			unit->columns = (size_t)width;
			unit->taken_bytes = (size_t)taken;
			unit->len_bytes = (size_t)taken;
			memcpy(unit->text, text, (size_t)taken);
			return;
		}
	}
	unit->taken_bytes = 1; /* what follows in the character is no character by itself */
	unit_write_byte(unit, (unsigned char)*text, how.keep_slash);
}

/* Most of what strangers write is shown as it is. */
static bool is_plain(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte < 0x20 || byte >= 0x7f || byte == '\\')
			return false;
	}
	return true;
}

char *escape_text(char *p, const char *text, size_t len, size_t columns, struct escape how,
		  size_t *used)
{
	char *cut = p; /* the end of what fits with a `+` behind it */
	size_t cut_used = 0;
	size_t shown = 0;
	struct unit unit;

	if (len <= columns && is_plain(text, len)) {
		*used = len;
		return fmt_bytes(p, text, len);
	}
	for (size_t i = 0; i < len; i += unit.taken_bytes) {
		unit_read(&unit, text + i, len - i, how);
		if (shown + unit.columns > columns) {
			p = cut;
			if (columns)
				*p++ = '+';
			*used = cut_used + (columns ? 1 : 0);
			return p;
		}
		p = fmt_bytes(p, unit.text, unit.len_bytes);
		shown += unit.columns;
		if (shown < columns) {
			cut = p;
			cut_used = shown;
		}
	}
	*used = shown;
	return p;
}
