/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/sink/columns.h"

#include <sys/socket.h>

#include "user/sink/named.h"
#include "user/sink/phrase.h"
#include "user/util/fmt.h"

char *columns_word(char *p, const char *word, size_t width)
{
	size_t len = strlen(word);

	if (len > width) {
		p = fmt_bytes(p, word, width - 1);
		return fmt_literal(p, "+ ");
	}
	p = fmt_bytes(p, word, len);
	return fmt_spaces(p, width - len + 1);
}

char *columns_comm(const struct columns *self, char *p, const struct wire_who *who, size_t width)
{
	size_t used = 0;

	p = escape_text(p, who->comm, strnlen(who->comm, sizeof(who->comm)), width, self->escape,
			&used);
	return fmt_spaces(p, width - used + 1);
}

char *columns_name(const struct columns *self, char *p, const char *name)
{
	size_t used;

	return escape_text(p, name, strlen(name), COLUMNS_NAME, self->escape, &used);
}

char *columns_address(const struct columns *self, char *p, const struct endpoint *end,
		      uint32_t ifindex, uint32_t netns)
{
	uint32_t scope = end->scope ? end->scope : ifindex;
	char room[32];

	if (endpoint_is_named(end))
		return named_format(p, end, self->escape);
	if (!phrase_has_address(end)) {
		*p++ = '-';
		return p;
	}
	p = end->family == AF_INET ? fmt_inet4(p, end->addr) : fmt_inet6(p, end->addr);
	if (scope) {
		*p++ = '%';
		p = columns_name(self, p, phrase_device(self->names, scope, netns, room));
	}
	return p;
}

char *columns_endpoint(const struct columns *self, char *p, const struct endpoint *end,
		       uint32_t ifindex, uint32_t netns)
{
	bool brackets = end->family == AF_INET6;

	if (endpoint_is_named(end))
		return named_format_peer(p, end, self->escape);
	if (!end->port) /* of a raw or a ping socket */
		return columns_address(self, p, end, ifindex, netns);
	if (brackets)
		*p++ = '[';
	p = columns_address(self, p, end, ifindex, netns);
	if (brackets)
		*p++ = ']';
	*p++ = ':';
	return fmt_u64(p, end->port);
}

char *columns_netns(const struct columns *self, char *p, uint32_t netns)
{
	const char *name;

	if (!netns || netns == self->own_netns)
		return p;
	name = self->names ? names_find(self->names, WIRE_NAME_NETNS, netns, 0) : NULL;
	p = fmt_literal(p, " @");
	return name ? columns_name(self, p, name) : fmt_u64(p, netns);
}
