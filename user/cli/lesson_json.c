/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <sys/socket.h>

#include "user/cli/lesson_show.h"
#include "user/core/family.h"
#include "user/lesson/python.h"
#include "user/sink/explanation.h"

static void json_begin(struct json_writer *json, const char *type)
{
	json_object_begin(json);
	json_key(json, "type");
	json_string_or_null(json, type);
}

static void json_lesson(struct json_writer *json, const struct lesson *lesson, size_t number)
{
	json_key(json, "lesson");
	json_string_or_null(json, lesson->name);
	json_key(json, "number");
	json_u64(json, number);
}

static void json_addr(struct json_writer *json, const uint8_t *addr, uint16_t family, uint16_t port)
{
	char text[FMT_INET6_MAX];
	char *end = family == AF_INET ? fmt_inet4(text, addr) : fmt_inet6(text, addr);

	json_object_begin(json);
	json_key(json, "addr");
	json_string(json, text, (size_t)(end - text));
	json_key(json, "port");
	json_u64(json, port);
	json_object_end(json);
}

static void json_path(struct json_writer *json, const char *path)
{
	json_object_begin(json);
	json_key(json, "path");
	json_string_or_null(json, path);
	json_object_end(json);
}

/* {portid} or {cid,port}, null where it has none */
static void json_number(struct json_writer *json, const struct endpoint *end, bool has_one)
{
	bool vsock = end->family == AF_VSOCK;

	if (!has_one) {
		json_null(json);
		return;
	}
	json_object_begin(json);
	if (vsock) {
		json_key(json, "cid");
		json_u64(json, endpoint_cid(end));
		json_key(json, "port");
	} else {
		json_key(json, "portid");
	}
	json_u64(json, endpoint_number(end));
	json_object_end(json);
}

/* {addr,port} or {path}, an abstract name with @ for its NUL; null: there was none to tell of */
static void json_place(struct json_writer *json, const struct wire_place *place)
{
	char text[PYTHON_PLACE_MAX];

	if (place->family == AF_INET || place->family == AF_INET6) {
		json_addr(json, place->addr, place->family, place->port);
	} else if (place->family == AF_UNIX) {
		python_place(text, place);
		json_path(json, place->port ? text : "");
	} else if (place->family == AF_NETLINK || place->family == AF_VSOCK) {
		struct endpoint end = { .family = place->family };

		memcpy(end.addr, place->addr, sizeof(end.addr));
		json_number(json, &end, place->port);
	} else {
		json_null(json);
	}
}

static void json_end_point(struct json_writer *json, const struct endpoint *end, const char *name)
{
	if (end->family == AF_INET || end->family == AF_INET6)
		json_addr(json, end->addr, end->family, end->port);
	else if (*name)
		json_path(json, name);
	else if (endpoint_is_named(end) && end->family != AF_UNIX)
		json_number(json, end, end->port);
	else
		json_null(json);
}

static void json_error(struct json_writer *json, int error)
{
	json_string_or_null(json, error ? errno_symbol(error) : NULL);
}

static void json_since(struct json_writer *json, uint64_t ts_ns, uint64_t start_ns)
{
	json_key(json, "ts_ns");
	json_i64(json, (int64_t)(ts_ns - start_ns));
}

static void json_seen(struct json_writer *json, const struct seen *e, uint64_t start_ns)
{
	json_object_begin(json);
	json_key(json, "event");
	json_string_or_null(json, event_name(e->kind));
	json_since(json, e->ts_ns, start_ns);
	json_key(json, "name");
	json_string_or_null(json, e->owner);
	json_key(json, "socket");
	if (e->socket)
		json_u64(json, e->socket);
	else
		json_null(json);
	json_key(json, "local");
	json_end_point(json, &e->local, e->name);
	json_key(json, "peer");
	json_end_point(json, &e->peer, "");
	json_key(json, "port");
	if (e->name[0])
		json_null(json);
	else
		json_u64(json, endpoint_is_named(&e->local) && e->port ? endpoint_number(&e->local)
								       : e->port);
	json_key(json, "port_origin");
	json_string_or_null(json, e->origin ? origin_name(e->origin) : NULL);
	json_key(json, "assigned");
	json_bool(json, e->assigned);
	json_key(json, "shared");
	if (e->shared == NULL_STATE)
		json_null(json);
	else
		json_bool(json, e->shared == YES);
	json_key(json, "deferred");
	json_bool(json, e->deferred);
	json_key(json, "errno");
	json_error(json, e->error);
	json_key(json, "held_by");
	json_string_or_null(json, e->why[0] ? e->why : NULL);
	json_key(json, "explanation");
	explanation_json(json, e->explanation);
	json_object_end(json);
}

static void json_did(struct out *out, const struct lesson_shown *shown, size_t i, uint64_t start_ns)
{
	const struct did *did = &shown->run->did[i];
	struct json_writer json = { .out = out };
	char line[PYTHON_LINE_MAX];

	python_line(line, did->step);
	json_begin(&json, "step");
	json_lesson(&json, shown->run->lesson, shown->number);
	json_key(&json, "step");
	json_u64(&json, i + 1);
	json_key(&json, "call");
	json_string_or_null(&json, line);
	json_key(&json, "name");
	json_string_or_null(&json, did->step->socket);
	json_since(&json, did->begin_ns, start_ns);
	json_key(&json, "duration_ns");
	json_u64(&json, did->end_ns - did->begin_ns);
	json_key(&json, "return");
	json_i64(&json, did->error ? -1 : did->result);
	json_key(&json, "errno");
	json_error(&json, did->error);
	json_key(&json, "before");
	json_place(&json, &did->before);
	json_key(&json, "after");
	json_place(&json, &did->after);
	json_key(&json, "peer");
	json_place(&json, &did->peer);
	json_key(&json, "events");
	if (shown->backend) {
		json_array_begin(&json);
		for (size_t j = 0; j < did->events_len; j++) {
			json_item(&json);
			json_seen(&json, &shown->run->seen[did->events + j], start_ns);
		}
		json_array_end(&json);
	} else {
		json_null(&json); /* nobody watched */
	}
	json_line_end(&json);
}

static void json_verdict(struct out *out, const struct lesson_shown *shown)
{
	const struct lesson *lesson = shown->run->lesson;
	const struct verdict *v = shown->verdict;
	struct json_writer json = { .out = out };

	json_begin(&json, "verdict");
	json_lesson(&json, lesson, shown->number);
	json_key(&json, "question");
	json_string_or_null(&json, lesson->question);
	json_key(&json, "claim");
	json_string_or_null(&json, lesson->claim);
	json_key(&json, "verdict");
	json_string_or_null(&json, ruling_name(v->ruling));
	json_key(&json, "answer");
	json_string_or_null(&json, v->text);
	json_key(&json, "more");
	json_string_or_null(&json, v->more[0] ? v->more : NULL);
	json_key(&json, "contradiction");
	json_string_or_null(&json, v->contradiction[0] ? v->contradiction : NULL);
	json_key(&json, "traced");
	json_bool(&json, shown->backend != NULL);
	json_key(&json, "kernel");
	json_string_or_null(&json, shown->kernel[0] ? shown->kernel : NULL);
	json_line_end(&json);
}

void lesson_json_run(struct out *out, const struct lesson_shown *shown, uint64_t start_ns)
{
	const struct run *run = shown->run;

	for (size_t i = 0; i < run->lesson->steps_len; i++)
		if (run->did[i].done)
			json_did(out, shown, i, start_ns);
	json_verdict(out, shown);
}

void lesson_json_list(struct out *out)
{
	size_t len;
	const struct lesson *const *lessons = lessons_all(&len);

	for (size_t i = 0; i < len; i++) {
		struct json_writer json = { .out = out };

		json_begin(&json, "lesson");
		json_lesson(&json, lessons[i], i + 1);
		json_key(&json, "question");
		json_string_or_null(&json, lessons[i]->question);
		json_key(&json, "claim");
		json_string_or_null(&json, lessons[i]->claim);
		json_line_end(&json);
	}
}
