/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pressure_count.c owns the counting: first what each port of the range is taken by, then
 * connections by destination.
 */
#include "user/core/pressure_count.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* What has been met on a port. */
enum met {
	MET_BIND = 1 << 0,
	MET_CONNECT = 1 << 1,
	MET_TIME_WAIT = 1 << 2,
	MET_UNKNOWN = 1 << 3,
	MET_BLOCKS = 1 << 4, /* its bucket had an owner from bind(): no connect() takes it */
};

struct connection {
	const struct port_row *row;
};

struct count {
	struct pressure *pressure;
	bool connect_known; /* the kernel marks what connect() bound: 6.17+ */
	uint8_t *met;	    /* of each port */
	struct connection *connections;
	size_t connections_len;
};

const char *pressure_kind_name(enum pressure_kind kind)
{
	static const char *const names[PRESSURE_KINDS] = {
		[PRESSURE_BIND] = "bind",
		[PRESSURE_CONNECT] = "connect",
		[PRESSURE_TIME_WAIT] = "time_wait",
		[PRESSURE_UNKNOWN] = "unknown",
	};

	return kind < PRESSURE_KINDS ? names[kind] : "?";
}

static const struct wire_sock *sock_of(const struct port_row *row)
{
	return &row->holders[0].sock;
}

static unsigned int meet(const struct count *c, const struct port_row *row)
{
	const struct wire_sock *sock = sock_of(row);
	enum port_origin origin = port_row_origin(row);

	if (sock->state == TCP_TIME_WAIT && origin != ORIGIN_CONNECT && c->connect_known)
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
	return !sock->peer_port || c->connect_known ? MET_BIND | MET_BLOCKS : MET_UNKNOWN;
}

static enum pressure_kind kind_of(unsigned int met)
{
	if (met & MET_BIND)
		return PRESSURE_BIND;
	if (met & MET_UNKNOWN)
		return PRESSURE_UNKNOWN;
	return met & MET_CONNECT ? PRESSURE_CONNECT : PRESSURE_TIME_WAIT;
}

static bool is_counted(const struct pressure *p, uint16_t port)
{
	return settings_in_range(p->settings, port) && !settings_is_reserved(p->settings, port);
}

static void count_rows(struct count *c, const struct port_row *rows, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (port_row_origin(&rows[i]) == ORIGIN_CONNECT)
			c->connect_known = true;
	for (size_t i = 0; i < len; i++) {
		const struct wire_sock *sock = sock_of(&rows[i]);

		if (sock->netns != c->pressure->settings->netns ||
		    sock->protocol != c->pressure->protocol ||
		    !is_counted(c->pressure, sock->local_port))
			continue;
		c->met[sock->local_port] |= (uint8_t)meet(c, &rows[i]);
		if (sock->peer_port)
			c->connections[c->connections_len++].row = &rows[i];
	}
}

static void count_ports(struct count *c)
{
	struct pressure *p = c->pressure;

	for (uint32_t port = p->settings->range_lo; port && port <= p->settings->range_hi; port++) {
		if (!is_counted(p, (uint16_t)port))
			continue;
		p->usable++;
		if (!c->met[port])
			continue;
		p->taken++;
		p->by[kind_of(c->met[port])]++;
		p->blocked += (c->met[port] & MET_BLOCKS) != 0;
	}
}

/* --- by destination ---------------------------------------------------------------------- */

static int compare_destinations(const void *left, const void *right)
{
	const struct wire_sock *a = sock_of(((const struct connection *)left)->row);
	const struct wire_sock *b = sock_of(((const struct connection *)right)->row);
	int order = (a->peer_port > b->peer_port) - (a->peer_port < b->peer_port);

	if (!order)
		order = (a->family > b->family) - (a->family < b->family);
	if (!order)
		order = memcmp(a->peer, b->peer, sizeof(a->peer));
	return order ? order : memcmp(a->local, b->local, sizeof(a->local));
}

static uint32_t size_of(const struct pressure_destination *d)
{
	return d->connections + d->time_wait;
}

/* Puts it where it belongs among the fullest, if it does. */
static void rank(struct pressure *p, const struct pressure_destination *d)
{
	size_t at = p->top_len;

	while (at && size_of(&p->top[at - 1]) < size_of(d))
		at--;
	if (at >= PRESSURE_TOP)
		return;
	if (p->top_len < PRESSURE_TOP)
		p->top_len++;
	memmove(&p->top[at + 1], &p->top[at], (p->top_len - 1 - at) * sizeof(*d));
	p->top[at] = *d;
}

static void count_connection(const struct count *c, struct pressure_destination *d,
			     const struct port_row *row)
{
	d->sample = row;
	if (sock_of(row)->state == TCP_TIME_WAIT)
		d->time_wait++;
	else
		d->connections++;
	d->unknown += kind_of(c->met[sock_of(row)->local_port]) == PRESSURE_UNKNOWN;
	/* the others are among the blocked ones */
	d->used += !(c->met[sock_of(row)->local_port] & MET_BLOCKS);
}

/* Connections of one destination: first is the first of them. */
static void count_destination(struct count *c, size_t first, size_t end)
{
	struct pressure_destination d = { .used = c->pressure->blocked };

	for (size_t i = first; i < end; i++)
		count_connection(c, &d, c->connections[i].row);
	c->pressure->destinations++;
	rank(c->pressure, &d);
}

static void count_destinations(struct count *c)
{
	size_t first = 0;

	if (c->connections_len)
		qsort(c->connections, c->connections_len, sizeof(*c->connections),
		      compare_destinations);
	for (size_t i = 1; i <= c->connections_len; i++) {
		if (i < c->connections_len &&
		    !compare_destinations(&c->connections[first], &c->connections[i]))
			continue;
		count_destination(c, first, i);
		first = i;
	}
}

/* Ports; connections are gathered. 0 or -ENOMEM; count_free() in any case. */
static int count_all(struct count *c, const struct taken *taken, const struct settings *settings,
		     uint16_t protocol)
{
	size_t len;
	const struct port_row *rows = taken_rows(taken, &len);

	*c->pressure = (struct pressure){ .settings = settings, .protocol = protocol };
	c->met = calloc(SETTINGS_PORTS, sizeof(*c->met));
	c->connections = calloc(len ? len : 1, sizeof(*c->connections));
	if (!c->met || !c->connections)
		return -ENOMEM;
	count_rows(c, rows, len);
	count_ports(c);
	return 0;
}

static void count_free(struct count *c)
{
	free(c->met);
	free(c->connections);
}

int pressure_count(struct pressure *pressure, const struct taken *taken,
		   const struct settings *settings, uint16_t protocol)
{
	struct count c = { .pressure = pressure };
	int error = count_all(&c, taken, settings, protocol);

	if (!error)
		count_destinations(&c);
	count_free(&c);
	return error;
}

/* An address of IPv4 is the same one in a socket of IPv6. */
static void widen(uint8_t wide[16], uint16_t family, const uint8_t *addr)
{
	memset(wide, 0, 16);
	if (family == AF_INET6) {
		memcpy(wide, addr, 16);
		return;
	}
	wide[10] = wide[11] = 0xff;
	memcpy(wide + 12, addr, 4);
}

static bool is_address(uint16_t family, const uint8_t *addr, const struct endpoint *end)
{
	uint8_t a[16], b[16];

	widen(a, family, addr);
	widen(b, end->family, end->addr);
	return !memcmp(a, b, sizeof(a));
}

int pressure_towards(struct pressure *pressure, struct pressure_destination *d,
		     const struct taken *taken, const struct settings *settings,
		     const struct endpoint *from, const struct endpoint *to)
{
	struct count c = { .pressure = pressure };
	int error = count_all(&c, taken, settings, IPPROTO_TCP);

	*d = (struct pressure_destination){ .used = pressure->blocked };
	for (size_t i = 0; i < c.connections_len && !error; i++) {
		const struct wire_sock *sock = sock_of(c.connections[i].row);

		if (sock->peer_port == to->port && is_address(sock->family, sock->peer, to) &&
		    is_address(sock->family, sock->local, from))
			count_connection(&c, d, c.connections[i].row);
	}
	count_free(&c);
	return error;
}
