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

/* What has been met on a port. */
enum met {
	MET_BIND = 1 << 0,
	MET_CONNECT = 1 << 1,
	MET_TIME_WAIT = 1 << 2,
	MET_UNKNOWN = 1 << 3,
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

static enum met meet(const struct count *c, const struct port_row *row)
{
	const struct wire_sock *sock = sock_of(row);
	enum port_origin origin = port_row_origin(row);

	if (sock->state == TCP_TIME_WAIT)
		return MET_TIME_WAIT;
	if (origin == ORIGIN_CONNECT)
		return MET_CONNECT;
	if (origin != ORIGIN_UNKNOWN)
		return MET_BIND;
	if (sock->protocol != IPPROTO_TCP)
		return MET_UNKNOWN;
	/* with a peer: the kernel would say if it was connect() */
	return !sock->peer_port || c->connect_known ? MET_BIND : MET_UNKNOWN;
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

/* Connections of one destination: first is the first of them. */
static void count_destination(struct count *c, size_t first, size_t end)
{
	struct pressure_destination d = {
		.sample = c->connections[first].row,
		.used = c->pressure->by[PRESSURE_BIND],
	};

	for (size_t i = first; i < end; i++) {
		const struct wire_sock *sock = sock_of(c->connections[i].row);

		if (sock->state == TCP_TIME_WAIT)
			d.time_wait++;
		else
			d.connections++;
		/* those on a port from bind() are among the bound ones */
		d.used += !(c->met[sock->local_port] & MET_BIND);
	}
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

int pressure_count(struct pressure *pressure, const struct taken *taken,
		   const struct settings *settings, uint16_t protocol)
{
	struct count c = { .pressure = pressure };
	const struct port_row *rows;
	int error = -ENOMEM;
	size_t len;

	*pressure = (struct pressure){ .settings = settings, .protocol = protocol };
	rows = taken_rows(taken, &len);
	c.met = calloc(SETTINGS_PORTS, sizeof(*c.met));
	c.connections = calloc(len ? len : 1, sizeof(*c.connections));
	if (c.met && c.connections) {
		count_rows(&c, rows, len);
		count_ports(&c);
		count_destinations(&c);
		error = 0;
	}
	free(c.met);
	free(c.connections);
	return error;
}
