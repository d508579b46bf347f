/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * family.c owns the step from what a record has instead of a port to a token, and the names of
 * AF_UNIX, which come in records of their own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/family.h"
#include "user/core/state.h"

/* The names of one socket of AF_UNIX, until its life ends. */
struct paths {
	uint64_t id;
	struct path local, peer, request;
	UT_hash_handle hh;
};

bool endpoint_is_named(const struct endpoint *end)
{
	return end->family == AF_UNIX || end->family == AF_NETLINK || end->family == AF_VSOCK;
}

const struct path *endpoint_path(const struct endpoint *end)
{
	const struct path *path;
	uintptr_t at = 0;

	if (end->family == AF_UNIX)
		memcpy(&at, end->addr, sizeof(at));
	path = (const struct path *)at;
	return path && path->len ? path : NULL;
}

static uint32_t word_of(const uint8_t *addr, size_t index)
{
	uint32_t word;

	memcpy(&word, addr + index * sizeof(word), sizeof(word));
	return word;
}

uint32_t endpoint_cid(const struct endpoint *end)
{
	return end->family == AF_VSOCK ? word_of(end->addr, 0) : 0;
}

static uint32_t number_of(uint16_t family, const uint8_t *addr)
{
	return family == AF_VSOCK ? word_of(addr, 1) : family == AF_NETLINK ? word_of(addr, 0) : 0;
}

uint32_t endpoint_number(const struct endpoint *end)
{
	return endpoint_is_named(end) ? number_of(end->family, end->addr) : end->port;
}

uint32_t life_number(const struct life *life, uint16_t port)
{
	if (!port || !endpoint_is_named(&life->local))
		return port;
	return endpoint_number(&life->local);
}

static bool is_same_path(const struct path *a, const struct path *b)
{
	return a && b && a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* vsock_find_bound_socket(): a port is taken on all contexts, or on one. */
static bool is_same_vsock(const struct endpoint *a, const struct endpoint *b)
{
	uint32_t cid_a = endpoint_cid(a), cid_b = endpoint_cid(b);

	return endpoint_number(a) == endpoint_number(b) &&
	       (cid_a == cid_b || cid_a == VSOCK_ANY || cid_b == VSOCK_ANY);
}

bool endpoint_is_same_name(const struct endpoint *a, const struct endpoint *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_UNIX)
		return is_same_path(endpoint_path(a), endpoint_path(b));
	if (a->family == AF_VSOCK)
		return is_same_vsock(a, b);
	/* the second word is the protocol of netlink: each has port ids of its own */
	return !memcmp(a->addr, b->addr, 8);
}

/* --- tokens ------------------------------------------------------------------------------- */

static uint16_t token_of_number(uint32_t number)
{
	uint16_t token = (uint16_t)(hash_number(number) >> 16);

	return token ? token : 1;
}

static uint16_t token_of_path(const struct path *path)
{
	uint32_t hash = 2166136261U; /* FNV-1a */

	for (size_t i = 0; path && i < path->len; i++)
		hash = (hash ^ (uint8_t)path->bytes[i]) * 16777619U;
	return token_of_number(hash);
}

static struct paths *paths_find(struct paths *table, uint64_t id)
{
	struct paths *paths = NULL;

	if (table)
		HASH_FIND(hh, table, &id, sizeof(id), paths);
	return paths;
}

static void point_to(uint8_t *addr, const struct path *path)
{
	uintptr_t at = (uintptr_t)path;

	memset(addr, 0, 16);
	memcpy(addr, &at, sizeof(at));
}

void endpoint_set_path(struct endpoint *end, const struct path *path)
{
	end->family = AF_UNIX;
	point_to(end->addr, path);
}

static void translate_unix(struct paths *table, struct wire_call *c)
{
	const struct paths *paths = paths_find(table, c->sock.id);
	const struct path *local = paths ? &paths->local : NULL;
	uint16_t token = token_of_path(local);

	point_to(c->sock.local, local);
	point_to(c->sock.peer, paths ? &paths->peer : NULL);
	if (c->sock.local_port)
		c->sock.local_port = token;
	if (c->port_before)
		c->port_before = token;
	if (c->req_family != AF_UNIX)
		return;
	point_to(c->req_addr, paths ? &paths->request : NULL);
	if (c->req_port)
		c->req_port = token_of_path(paths ? &paths->request : NULL);
}

static void translate_number(struct wire_call *c)
{
	uint16_t token = token_of_number(number_of(c->sock.family, c->sock.local));

	if (c->sock.local_port)
		c->sock.local_port = token;
	if (c->port_before)
		c->port_before = token;
	if (c->req_port && c->req_family == c->sock.family)
		c->req_port = token_of_number(number_of(c->req_family, c->req_addr));
}

void family_translate(struct paths *table, struct wire_call *c)
{
	if (c->sock.family == AF_UNIX)
		translate_unix(table, c);
	else if (record_is_named(c->sock.protocol))
		translate_number(c);
}

/* --- names --------------------------------------------------------------------------------- */

int family_learn(struct paths **table, const struct wire_address *a)
{
	struct paths *paths = paths_find(*table, a->id);
	struct path *path;

	if (!paths) {
		paths = calloc(1, sizeof(*paths));
		if (!paths)
			return -ENOMEM;
		paths->id = a->id;
		HASH_ADD(hh, *table, id, sizeof(paths->id), paths);
		if (!paths->hh.tbl) {
			free(paths);
			return -ENOMEM;
		}
	}
	path = a->side == WIRE_ADDRESS_LOCAL  ? &paths->local
	       : a->side == WIRE_ADDRESS_PEER ? &paths->peer
					      : &paths->request;
	path->len = a->path_bytes;
	memcpy(path->bytes, a->path, a->path_bytes);
	return 0;
}

void family_forget(struct paths **table, uint64_t id)
{
	struct paths *paths = paths_find(*table, id);

	if (!paths)
		return;
	HASH_DELETE(hh, *table, paths);
	free(paths);
}

void family_free(struct paths **table)
{
	struct paths *paths = *table, *next;

	if (*table)
		HASH_CLEAR(hh, *table); /* the links among them stay */
	for (; paths; paths = next) {
		next = paths->hh.next;
		free(paths);
	}
}
