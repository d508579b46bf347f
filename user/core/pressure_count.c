/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pressure_count.c owns the counting: first what each port of the range is taken by, then
 * connections by destination.
 */
#include "user/core/pressure_count.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/state.h"

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

int pressure_begin(struct pressure_counter *c, struct pressure *pressure,
		   const struct settings *settings, uint16_t protocol, size_t uses_max)
{
	*pressure = (struct pressure){ .settings = settings, .protocol = protocol };
	*c = (struct pressure_counter){ .pressure = pressure };
	c->met = calloc(SETTINGS_PORTS, sizeof(*c->met));
	c->connections = calloc(uses_max ? uses_max : 1, sizeof(*c->connections));
	return c->met && c->connections ? 0 : -ENOMEM;
}

void pressure_end(struct pressure_counter *c)
{
	free(c->met);
	free(c->connections);
}

void pressure_add(struct pressure_counter *c, const struct pressure_use *use)
{
	if (!is_counted(c->pressure, use->port))
		return;
	c->met[use->port] |= use->met;
	if (use->peer_port)
		c->connections[c->connections_len++] = *use;
}

void pressure_ports(struct pressure_counter *c)
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
	const struct pressure_use *a = left, *b = right;
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

static void count_connection(const struct pressure_counter *c, struct pressure_destination *d,
			     const struct pressure_use *use)
{
	unsigned int met = c->met[use->port];

	d->local = endpoint_make(use->family, use->local, use->port, use->scope);
	d->peer = endpoint_make(use->family, use->peer, use->peer_port, use->scope);
	if (use->time_wait)
		d->time_wait++;
	else
		d->connections++;
	d->unknown += kind_of(met) == PRESSURE_UNKNOWN;
	/* the others are among the blocked ones */
	d->used += !(met & MET_BLOCKS);
	d->used_time_wait += use->time_wait && !(met & MET_BLOCKS);
}

/* Connections of one destination: first is the first of them. */
static void count_destination(struct pressure_counter *c, size_t first, size_t end)
{
	struct pressure_destination d = { .used = c->pressure->blocked };

	for (size_t i = first; i < end; i++)
		count_connection(c, &d, &c->connections[i]);
	c->pressure->destinations++;
	rank(c->pressure, &d);
}

void pressure_destinations(struct pressure_counter *c)
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

void pressure_towards(const struct pressure_counter *c, const struct endpoint *from,
		      const struct endpoint *to, struct pressure_destination *d)
{
	*d = (struct pressure_destination){ .used = c->pressure->blocked };
	for (size_t i = 0; i < c->connections_len; i++) {
		const struct pressure_use *use = &c->connections[i];

		if (use->peer_port == to->port && is_address(use->family, use->peer, to) &&
		    (!from->family || is_address(use->family, use->local, from)))
			count_connection(c, d, use);
	}
	d->local = *from;
	d->peer = *to;
}
