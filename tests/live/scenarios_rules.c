// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "tests/live/scenarios_rules.h"

/* How many sockets and TIME_WAIT entries of the scenario have a port. */
#define OWNED_PORTS 256

struct owned_port {
	uint64_t key; /* netns, protocol, port; 0: free */
	int owners;
};

static struct table {
	int lock;
	struct owned_port ports[OWNED_PORTS];
} * table; /* shared by all processes of the scenario */

void rules_begin(void)
{
	table = mmap(NULL, sizeof(*table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (table == MAP_FAILED)
		abort();
}

/* Adds change to the owners of the port; returns how many there were. */
static int change_owners(const struct sock *s, int port, int change)
{
	uint64_t key = (uint64_t)s->netns << 32 | (uint64_t)s->protocol << 16 | (uint64_t)port;
	int found = -1, before, after;

	while (__atomic_test_and_set(&table->lock, __ATOMIC_ACQUIRE))
		;
	for (int i = 0; i < OWNED_PORTS; i++) {
		if (table->ports[i].key == key) {
			found = i;
			break;
		}
		if (found < 0 && !table->ports[i].owners)
			found = i;
	}
	if (found < 0)
		abort();
	before = table->ports[found].key == key ? table->ports[found].owners : 0;
	after = before + change > 0 ? before + change : 0; /* known from before exec */
	table->ports[found] = (struct owned_port){ .key = key, .owners = after };
	__atomic_clear(&table->lock, __ATOMIC_RELEASE);
	return before;
}

struct tenure *last_tenure(struct sock *s)
{
	return s->tenures_len ? &s->tenures[s->tenures_len - 1] : NULL;
}

struct tenure *held_tenure(struct sock *s)
{
	return s->holds ? last_tenure(s) : NULL;
}

void tenure_know(struct sock *s, const char *origin, const char *by, int port)
{
	bool implicit =
		!strcmp(origin, "connect") || !strcmp(origin, "listen") || !strcmp(origin, "send");

	if (s->holds || s->tenures_len == TENURES || !port)
		scenario_fail("%s: %s cannot give it port %d", s->tag, origin, port);
	s->tenures[s->tenures_len++] = (struct tenure){
		.origin = origin,
		.by = by,
		.port = port,
		.implicit = implicit,
		.ephemeral = implicit || !strcmp(origin, "bind0"),
		.deferred = implicit && s->port_deferred,
		.shared = ALONE,
	};
	s->holds = true;
	s->port_locked = !strcmp(origin, "bind");
}

/* An accepted child has its listener's port, but that is not called sharing. */
void tenure_begin(struct sock *s, const char *origin, const char *by, int port)
{
	bool had_owner = change_owners(s, port, 1) > 0;

	tenure_know(s, origin, by, port);
	if (had_owner && strcmp(origin, "accept") != 0)
		last_tenure(s)->shared = SHARED;
}

struct tenure *tenure_end(struct sock *s)
{
	struct tenure *t = held_tenure(s);

	if (t)
		change_owners(s, t->port, -1);
	s->holds = false;
	return t;
}

struct tenure *tenure_end_with_connection(struct sock *s)
{
	return s->port_locked ? NULL : tenure_end(s);
}

int sock_port(const struct sock *s)
{
	if (!s->tenures_len)
		scenario_fail("%s never had a port", s->tag);
	return s->tenures[s->tenures_len - 1].port;
}
