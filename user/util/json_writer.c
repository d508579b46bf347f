/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/util/json_writer.h"

#include "user/util/utf8.h"

#define JSON_CHUNK 512 /* characters between two looks at the room left */

void json_object_end(struct json_writer *json)
{
	if (json->separator == '{')
		json_put_literal(json, "{");
	json_put_literal(json, "}");
	json->separator = ',';
}

void json_array_end(struct json_writer *json)
{
	if (json->separator == '[')
		json_put_literal(json, "[");
	json_put_literal(json, "]");
	json->separator = ',';
}

void json_line_end(struct json_writer *json)
{
	json_object_end(json);
	json_put_literal(json, "\n");
}

static char *json_escape_unit(char *p, uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";

	p = fmt_literal(p, "\\u");
	for (int shift = 12; shift >= 0; shift -= 4)
		*p++ = hex[unit >> shift & 15];
	return p;
}

/* Takes one character that is not plain ASCII off text. Writes at most 12 bytes. */
static char *json_escape(char *p, const char **text, size_t len)
{
	uint32_t character = 0;
	int taken = utf8_decode(*text, len, &character);

	if (taken < 0) {
		*text += -taken;
		return fmt_literal(p, "\xef\xbf\xbd");
	}
	if (character == '"' || character == '\\') {
		*p++ = '\\';
		*p++ = (char)character;
	} else if (!utf8_is_hostile(character)) {
		p = fmt_bytes(p, *text, (size_t)taken);
	} else if (character < 0x10000) {
		p = json_escape_unit(p, character);
	} else {
		p = json_escape_unit(p, 0xd800 + ((character - 0x10000) >> 10));
		p = json_escape_unit(p, 0xdc00 + ((character - 0x10000) & 0x3ff));
	}
	*text += taken;
	return p;
}

static inline bool json_is_plain(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

void json_string(struct json_writer *json, const char *text, size_t len)
{
	const char *end = text + len;
	char *p = out_room(json->out, 2 + 12 * JSON_CHUNK);
	unsigned int in_chunk = 0;

	*p++ = '"';
	while (text < end) {
		if (++in_chunk == JSON_CHUNK) {
			out_advance(json->out, p);
			p = out_room(json->out, 2 + 12 * JSON_CHUNK);
			in_chunk = 0;
		}
		if (json_is_plain((unsigned char)*text))
			*p++ = *text++;
		else
			p = json_escape(p, &text, (size_t)(end - text));
	}
	*p++ = '"';
	out_advance(json->out, p);
}

void json_string_or_null(struct json_writer *json, const char *text)
{
	if (text)
		json_string(json, text, strlen(text));
	else
		json_null(json);
}

void json_key_string(struct json_writer *json, const char *name)
{
	json_item(json);
	json_string(json, name, strlen(name));
	json_put_literal(json, ":");
}
