/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * remnants.c owns what is kept of a life that a TIME_WAIT entry replaced: there may be very many,
 * so it is as little as a `release` event needs.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/lives.h"

_Static_assert(sizeof(struct remnant) <= 224, "what TIME_WAIT costs");

static void pack(struct remnant *r, const struct life *l, const struct tenure *t, uint32_t seen,
		 bool found)
{
	*r = (struct remnant){
		.key = { l->id, t->port },
		.number = l->number,
		.parent = l->parent,
		.assigned_ns = t->assigned_ns,
		.ended_ns = l->ended_ns,
		.who = l->who,
		.scope = l->local.scope ? l->local.scope : l->peer.scope,
		.netns = l->netns,
		.ifindex = l->ifindex,
		.peer_port = l->peer.port,
		.range_lo = t->range_lo,
		.range_hi = t->range_hi,
		.protocol = l->protocol,
		.options = l->options,
		.inet6 = l->local.family == AF_INET6,
		.who_known = l->who_known,
		.existing = l->existing,
		.kern = l->kern,
		.local_scoped = l->local.scope != 0,
		.peer_scoped = l->peer.scope != 0,
		.deferred = t->deferred,
		.origin = t->origin,
		.by = t->by,
		.shared = t->shared,
		.found = found,
		.seen = seen,
	};
	memcpy(r->local, l->local.addr, 16);
	memcpy(r->peer, l->peer.addr, 16);
}

static void unpack(const struct remnant *r, struct life *l, struct tenure *t)
{
	uint16_t family = r->inet6 ? AF_INET6 : AF_INET;

	*t = (struct tenure){
		.assigned_ns = r->assigned_ns,
		.port = (uint16_t)r->key.port,
		.range_lo = r->range_lo,
		.range_hi = r->range_hi,
		.origin = r->origin,
		.by = r->by,
		.deferred = r->deferred,
		.shared = r->shared,
	};
	*l = (struct life){
		.id = r->key.id,
		.number = r->number,
		.parent = r->parent,
		.who = r->who,
		.local = { .port = (uint16_t)r->key.port, .family = family },
		.peer = { .port = r->peer_port, .family = family },
		.netns = r->netns,
		.ifindex = r->ifindex,
		.protocol = r->protocol,
		.options = r->options,
		.who_known = r->who_known,
		.existing = r->existing,
		.chosen = true,
		.time_wait = true,
		.ended = true,
		.kern = r->kern,
		.tenures_len = 1,
		.tenures = t,
		.ended_ns = r->ended_ns,
	};
	memcpy(l->local.addr, r->local, 16);
	memcpy(l->peer.addr, r->peer, 16);
	l->local.scope = r->local_scoped ? r->scope : 0;
	l->peer.scope = r->peer_scoped ? r->scope : 0;
}

void lives_drop_remnant(struct lives *lives, struct remnant *r)
{
	if (lives->unfollowed == r)
		lives->unfollowed = r->hh.next;
	HASH_DELETE(hh, lives->remnants, r);
	ports_remove(&r->link);
	pool_give(&lives->remnant_pool, r);
}

static unsigned int hash_key(struct remnant_key key)
{
	return hash_number(key.id ^ key.port << 48);
}

static struct remnant *find(struct lives *lives, struct remnant_key key)
{
	struct remnant *r;

	HASH_FIND_BYHASHVALUE(hh, lives->remnants, &key, sizeof(key), hash_key(key), r);
	return r;
}

struct remnant *lives_find_remnant(struct lives *lives, uint64_t id, uint16_t port)
{
	return find(lives, (struct remnant_key){ id, port });
}

struct remnant *lives_keep_remnant(struct lives *lives, const struct life *life,
				   const struct tenure *tenure, uint32_t seen, bool found)
{
	struct remnant *r = lives_find_remnant(lives, life->id, tenure->port);

	if (r) /* as it was before */
		lives_drop_remnant(lives, r);
	r = pool_take(&lives->remnant_pool);
	if (!r)
		return NULL;
	pack(r, life, tenure, seen, found);
	HASH_ADD_BYHASHVALUE(hh, lives->remnants, key, sizeof(r->key), hash_key(r->key), r);
	if (!r->hh.tbl) {
		pool_give(&lives->remnant_pool, r);
		return NULL;
	}
	ports_add(&lives->ports, PORT_LIST_TIME_WAIT,
		  (struct port_key){ life->netns, life->protocol, tenure->port }, &r->link);
	return r;
}

void lives_unfollow(struct lives *lives, struct remnant *r)
{
	r->unfollowed = true;
	if (!lives->unfollowed)
		lives->unfollowed = r;
}

/* They were kept in the order of their ends. */
void lives_expire_unfollowed(struct lives *lives, uint64_t ended_before_ns)
{
	while (lives->unfollowed) {
		struct remnant *r = lives->unfollowed;

		if (r->unfollowed && r->ended_ns >= ended_before_ns)
			return;
		lives->unfollowed = r->hh.next;
		if (r->unfollowed)
			lives_drop_remnant(lives, r);
	}
}

struct remnant *lives_next_remnant(const struct lives *lives, const struct remnant *after)
{
	return after ? after->hh.next : lives->remnant_anchor.hh.next;
}

void lives_take_remnant(struct lives *lives, struct remnant *remnant, struct life *life,
			struct tenure *tenure)
{
	unpack(remnant, life, tenure);
	lives_drop_remnant(lives, remnant);
}

void lives_expire_remnants(struct lives *lives, uint64_t ended_before_ns)
{
	struct remnant *oldest;

	while ((oldest = lives->remnant_anchor.hh.next) && oldest->ended_ns < ended_before_ns)
		lives_drop_remnant(lives, oldest);
}
