/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/named.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include "user/sink/json_parts.h"
#include "user/sink/phrase.h"
#include "user/util/fmt.h"

/* The bytes as shown: `@` for the first byte of an abstract name. Returns their number. */
static size_t named_bytes(const struct path *path, char *room)
{
	memcpy(room, path->bytes, path->len);
	if (!room[0])
		room[0] = '@';
	return path->len;
}

static char *named_path(char *p, const struct endpoint *end, struct escape how)
{
	const struct path *path = endpoint_path(end);
	char bytes[WIRE_PATH_MAX];
	size_t used;

	if (!path)
		return fmt_literal(p, "-");
	return escape_text(p, bytes, named_bytes(path, bytes), WIRE_PATH_MAX + 1, how, &used);
}

static char *named_cid(char *p, const struct endpoint *end)
{
	uint32_t cid = endpoint_cid(end);

	return cid == VSOCK_ANY ? fmt_literal(p, "any") : fmt_u64(p, cid);
}

char *named_format(char *p, const struct endpoint *end, struct escape how)
{
	if (end->family == AF_UNIX)
		return named_path(p, end, how);
	return end->family == AF_VSOCK ? named_cid(p, end) : fmt_literal(p, "-");
}

char *named_format_peer(char *p, const struct endpoint *end, struct escape how)
{
	if (end->family == AF_UNIX)
		return named_path(p, end, how);
	if (end->family == AF_VSOCK) {
		p = named_cid(p, end);
		*p++ = ':';
	}
	return fmt_u64(p, endpoint_number(end));
}

void named_json(struct json_writer *json, const struct endpoint *end)
{
	const struct path *path = endpoint_path(end);
	char bytes[WIRE_PATH_MAX];

	if (end->family == AF_UNIX && !path) {
		json_null(json);
		return;
	}
	json_object_begin(json);
	if (path) {
		json_key(json, "path");
		json_string(json, bytes, named_bytes(path, bytes));
	} else if (end->family == AF_VSOCK) {
		json_key(json, "cid");
		json_u64(json, endpoint_cid(end));
		json_key(json, "port");
		json_u64(json, endpoint_number(end));
	} else {
		json_key(json, "portid");
		json_u64(json, endpoint_number(end));
	}
	json_object_end(json);
}

static bool named_is_ping(uint16_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

void named_json_of(struct json_sink *self, uint16_t protocol, const struct endpoint *end,
		   uint16_t port, uint32_t netns)
{
	struct json_writer *json = &self->json;
	bool raw = protocol == WIRE_PROTOCOL_RAW;

	if (endpoint_is_named(end)) {
		named_json(json, end);
		return;
	}
	if (!phrase_has_address(end) || !(raw || named_is_ping(protocol))) {
		json_endpoint(self, end, port, netns);
		return;
	}
	json_object_begin(json);
	json_address_scope(self, end, netns);
	if (raw) {
		json_key(json, "port");
		json_null(json);
	} else {
		json_key(json, "id");
		json_u64(json, port);
	}
	json_object_end(json);
}
