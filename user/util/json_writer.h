/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * json_writer.h owns the grammar of JSON: commas, brackets, escapes, valid UTF-8 whatever the
 * bytes. It must not know what is written. It keeps no stack: whoever opens closes, and calls
 * json_key() before each value of an object and json_item() before each of an array.
 */
#ifndef PORTLIFE_UTIL_JSON_WRITER_H
#define PORTLIFE_UTIL_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "user/util/fmt.h"
#include "user/util/out.h"

struct json_writer {
	struct out *out;
	char separator; /* due before the next key or item: the bracket just opened, or a comma */
};

static inline void json_put(struct json_writer *json, const char *bytes, size_t len)
{
	out_advance(json->out, fmt_bytes(out_room(json->out, len), bytes, len));
}

/* A literal without anything to escape. */
#define json_put_literal(json, literal) json_put((json), ("" literal), sizeof(literal) - 1)

/*
 * The key of a literal without anything to escape: one copy of known length, whose first byte, a
 * comma, gives way to the bracket if the object has just been opened.
 */
#define json_key(json, name) json_key_put((json), ",\"" name "\":", sizeof(",\"" name "\":") - 1)

static inline void json_key_put(struct json_writer *json, const char *bytes, size_t len)
{
	char *p = out_room(json->out, len);

	memcpy(p, bytes, len);
	p[0] = json->separator;
	json->separator = ',';
	out_advance(json->out, p + len);
}

static inline void json_item(struct json_writer *json)
{
	json_put(json, &json->separator, 1);
	json->separator = ',';
}

static inline void json_object_begin(struct json_writer *json)
{
	json->separator = '{';
}

static inline void json_array_begin(struct json_writer *json)
{
	json->separator = '[';
}

void json_object_end(struct json_writer *json);
void json_array_end(struct json_writer *json);

/* The end of the outermost object and of its line. */
void json_line_end(struct json_writer *json);

static inline void json_null(struct json_writer *json)
{
	json_put_literal(json, "null");
}

static inline void json_bool(struct json_writer *json, bool value)
{
	if (value)
		json_put_literal(json, "true");
	else
		json_put_literal(json, "false");
}

static inline void json_u64(struct json_writer *json, uint64_t value)
{
	out_advance(json->out, fmt_u64(out_room(json->out, FMT_U64_MAX), value));
}

static inline void json_i64(struct json_writer *json, int64_t value)
{
	out_advance(json->out, fmt_i64(out_room(json->out, FMT_I64_MAX), value));
}

/*
 * Any bytes at all. What is not UTF-8 becomes U+FFFD; what could command a terminal or rearrange
 * a line is written as \uXXXX, which a parser gives back as it was.
 */
void json_string(struct json_writer *json, const char *text, size_t len);

/* Of a NUL-terminated string; null for NULL. */
void json_string_or_null(struct json_writer *json, const char *text);

/* A key that is not a literal. */
void json_key_string(struct json_writer *json, const char *name);

#endif
