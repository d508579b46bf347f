/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pressure_taken.c owns what a row of the table of ports says about its port: how it was got, as
 * far as the kernel still knows.
 */
#include "user/core/pressure_taken.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

static const struct wire_sock *sock_of(const struct port_row *row)
{
	return &row->holders[0].sock;
}

/* connect_known: the kernel marks what connect() bound, 6.17+. */
static unsigned int meet(bool connect_known, const struct port_row *row)
{
	const struct wire_sock *sock = sock_of(row);
	enum port_origin origin = port_row_origin(row);

	if (sock->state == TCP_TIME_WAIT && origin != ORIGIN_CONNECT && connect_known)
		return MET_TIME_WAIT | MET_BLOCKS;
	if (sock->state == TCP_TIME_WAIT)
		return MET_TIME_WAIT;
	if (origin == ORIGIN_CONNECT)
		return MET_CONNECT;
	if (origin != ORIGIN_UNKNOWN)
		return MET_BIND | MET_BLOCKS;
	if (sock->protocol != IPPROTO_TCP)
		return MET_UNKNOWN;
	/* with a peer: the kernel would say if it was connect() */
	return !sock->peer_port || connect_known ? MET_BIND | MET_BLOCKS : MET_UNKNOWN;
}

static bool marks_connect(const struct port_row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (port_row_origin(&rows[i]) == ORIGIN_CONNECT)
			return true;
	return false;
}

static struct pressure_use use_of(bool connect_known, const struct port_row *row)
{
	const struct wire_sock *sock = sock_of(row);
	struct pressure_use use = {
		.scope = sock->scope,
		.family = sock->family,
		.port = sock->local_port,
		.peer_port = sock->peer_port,
		.met = (uint8_t)meet(connect_known, row),
		.time_wait = sock->state == TCP_TIME_WAIT,
	};

	memcpy(use.local, sock->local, sizeof(use.local));
	memcpy(use.peer, sock->peer, sizeof(use.peer));
	return use;
}

/* pressure_end() in any case. */
static int count(struct pressure_counter *c, struct pressure *pressure, const struct taken *taken,
		 const struct settings *settings, uint16_t protocol)
{
	size_t len;
	const struct port_row *rows = taken_rows(taken, &len);
	bool connect_known = marks_connect(rows, len);
	int err = pressure_begin(c, pressure, settings, protocol, len);

	for (size_t i = 0; i < len && !err; i++) {
		const struct wire_sock *sock = sock_of(&rows[i]);
		struct pressure_use use;

		if (sock->netns != settings->netns || sock->protocol != protocol)
			continue;
		use = use_of(connect_known, &rows[i]);
		pressure_add(c, &use);
	}
	if (!err)
		pressure_ports(c);
	return err;
}

int pressure_of_taken(struct pressure *pressure, const struct taken *taken,
		      const struct settings *settings, uint16_t protocol)
{
	struct pressure_counter c;
	int err = count(&c, pressure, taken, settings, protocol);

	if (!err)
		pressure_destinations(&c);
	pressure_end(&c);
	return err;
}

int pressure_of_taken_towards(struct pressure *pressure, struct pressure_destination *d,
			      const struct taken *taken, const struct settings *settings,
			      const struct endpoint *from, const struct endpoint *to)
{
	struct pressure_counter c;
	int err = count(&c, pressure, taken, settings, IPPROTO_TCP);

	if (!err)
		pressure_towards(&c, from, to, d);
	pressure_end(&c);
	return err;
}
