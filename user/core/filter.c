/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * filter.c owns the verdicts: which sockets are chosen, which of their events are shown.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/family.h"
#include "user/core/filter.h"

/* --- by process -------------------------------------------------------------------------- */

/* The kernel keeps 15 bytes of a name; so does the comparison. */
static bool has_comm(const struct wire_who *who, const char *comm)
{
	size_t len = strnlen(comm, WIRE_COMM_LEN - 1);

	return memcmp(who->comm, comm, len) == 0 &&
	       (len == WIRE_COMM_LEN - 1 || who->comm[len] == 0);
}

static bool has_pid(const struct wire_who *who, const struct filter *f)
{
	for (size_t i = 0; i < f->pids_len; i++) {
		if (who->pid && who->pid == f->pids[i])
			return true;
	}
	return false;
}

bool filter_chooses(const struct filter *f, const struct wire_who *who, uint32_t facts)
{
	if (f->command && !(facts & WIRE_F_FOLLOWED))
		return false;
	if (f->pids_len && !(who && has_pid(who, f)))
		return false;
	if (f->comm && !(who && has_comm(who, f->comm)))
		return false;
	return !f->has_uid || (who && who->uid == f->uid);
}

bool filter_chooses_cgroup(const struct filter *f, const char *path)
{
	size_t len = f->cgroup ? strlen(f->cgroup) : 0;

	if (!len)
		return true;
	return path && !strncmp(path, f->cgroup, len) &&
	       (!path[len] || path[len] == '/' || f->cgroup[len - 1] == '/');
}

/* --- by port, address, family, protocol -------------------------------------------------- */

/* No port is in no range. */
static bool in_ranges(const struct port_range *ranges, size_t len, uint32_t port)
{
	for (size_t i = 0; i < len; i++) {
		if (port && port >= ranges[i].lo && port <= ranges[i].hi)
			return true;
	}
	return false;
}

static bool in_network(const struct filter *f, const struct endpoint *e)
{
	uint8_t mapped[16] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *addr = e->addr;
	size_t whole = f->addr_bits / 8, rest = f->addr_bits % 8;

	if (e->family == AF_INET) {
		memcpy(mapped + 12, e->addr, 4);
		addr = mapped;
	} else if (e->family != AF_INET6) {
		return false;
	}
	if (memcmp(addr, f->addr, whole) != 0)
		return false;
	return !rest || !((addr[whole] ^ f->addr[whole]) >> (8 - rest));
}

static bool has_family(const struct filter *f, const struct life *l)
{
	if (f->inet4 == f->inet6)
		return true;
	return l->local.family == (f->inet4 ? AF_INET : AF_INET6);
}

static bool has_netns(const struct filter *f, const struct life *l)
{
	return !f->has_netns || l->netns == f->netns;
}

bool filter_selects_device(const struct filter *f, const char *name)
{
	return !f->dev || (name && !strcmp(name, f->dev));
}

static bool has_protocol(const struct filter *f, const struct life *l)
{
	return !f->protocols || (f->protocols & protocol_bit(l->protocol));
}

/* A peer without a port is none. */
static bool has_addr(const struct filter *f, const struct life *l)
{
	return in_network(f, &l->local) || (l->peer.port && in_network(f, &l->peer));
}

/* The address passed to bind() is the local one, that passed to connect() the peer's. */
static bool asks_local_port(const struct filter *f, const struct event *e)
{
	return e->kind == EVENT_BIND && e->has_request &&
	       in_ranges(f->ports, f->ports_len, endpoint_number(&e->request));
}

static bool asks_peer_port(const struct filter *f, const struct event *e)
{
	return e->kind != EVENT_BIND && e->has_request &&
	       in_ranges(f->peer_ports, f->peer_ports_len, endpoint_number(&e->request));
}

static bool has_peer_port(const struct filter *f, const struct life *l)
{
	return in_ranges(f->peer_ports, f->peer_ports_len, endpoint_number(&l->peer));
}

/* What the event shows in the place of a port: of a bind() that failed, what was asked for. */
static uint32_t event_number(const struct event *e)
{
	if (e->kind == EVENT_BIND && e->error && e->has_request)
		return endpoint_number(&e->request);
	return life_number(e->life, e->port);
}

bool filter_selects(const struct filter *f, const struct event *e)
{
	const struct life *l = e->life;

	if (filter_selects_all(f))
		return true;
	if (!has_family(f, l) || !has_protocol(f, l) || !has_netns(f, l))
		return false;
	if (f->ports_len && !in_ranges(f->ports, f->ports_len, event_number(e)) &&
	    !in_ranges(f->ports, f->ports_len, life_number(l, l->local.port)) &&
	    !asks_local_port(f, e))
		return false;
	if (f->peer_ports_len && !has_peer_port(f, l) && !asks_peer_port(f, e))
		return false;
	return !f->has_addr || has_addr(f, l) || (e->has_request && in_network(f, &e->request));
}

/* --- by what happened -------------------------------------------------------------------- */

bool filter_displays(const struct filter *f, const struct event *e)
{
	if (f->failed && !e->error)
		return false;
	if (f->implicit && !(e->assigned && tenure_is_implicit(e->tenure) == YES))
		return false;
	if (f->ephemeral && !(e->assigned && tenure_is_ephemeral(e->tenure) == YES))
		return false;
	if (e->error)
		return true;
	switch (e->kind) {
	case EVENT_ESTABLISHED:
	case EVENT_DISCONNECT:
	case EVENT_CLOSE:
	case EVENT_TIME_WAIT:
	case EVENT_RELEASE:
		return f->states;
	case EVENT_EXISTING:
		return f->existing || (f->states && e->reconciled);
	default:
		return true;
	}
}

bool filter_shows(const struct filter *f, const struct event *e)
{
	return filter_selects(f, e) && filter_displays(f, e);
}

/* --- lives ------------------------------------------------------------------------------- */

static bool life_has_port(const struct filter *f, const struct life *l)
{
	if (in_ranges(f->ports, f->ports_len, life_number(l, l->local.port)))
		return true;
	for (size_t i = 0; i < l->tenures_len; i++) {
		if (in_ranges(f->ports, f->ports_len, life_number(l, l->tenures[i].port)))
			return true;
	}
	return false;
}

static bool life_has_flag(const struct life *l, enum tristate (*flag)(const struct tenure *))
{
	for (size_t i = 0; i < l->tenures_len; i++) {
		if (flag(&l->tenures[i]) == YES)
			return true;
	}
	return false;
}

static bool life_has_failure(const struct life *l)
{
	for (size_t i = 0; i < l->phases_len; i++) {
		if (l->phases[i].error)
			return true;
	}
	return false;
}

bool filter_selects_life(const struct filter *f, const struct life *l)
{
	if (!has_family(f, l) || !has_protocol(f, l) || !has_netns(f, l))
		return false;
	if (f->ports_len && !life_has_port(f, l))
		return false;
	if (f->peer_ports_len && !has_peer_port(f, l))
		return false;
	return !f->has_addr || has_addr(f, l);
}

bool filter_displays_life(const struct filter *f, const struct life *l)
{
	if (f->failed && !life_has_failure(l))
		return false;
	if (f->implicit && !life_has_flag(l, tenure_is_implicit))
		return false;
	return !f->ephemeral || life_has_flag(l, tenure_is_ephemeral);
}

bool filter_shows_life(const struct filter *f, const struct life *l)
{
	return filter_selects_life(f, l) && filter_displays_life(f, l);
}
