/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain.c owns the choice: which rules hold for an event, and which sentences the program has not
 * been told yet.
 */
#include "user/core/explain.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "user/core/explain_rules.h"

/*
 * What was said, as numbers of sentence and program. Of very many the place is taken by later
 * ones: something may then be said twice, but nothing grows.
 */
#define SAID_MAX   8192
#define SAID_WAYS  8
#define SAID_PLACE (SAID_MAX - SAID_WAYS)

struct said {
	uint64_t key[SAID_MAX];
	unsigned int next; /* to be overwritten, of the ways */
};

struct explain {
	struct said first, more;
};

static const struct explain_table *const tables[] = {
	&explain_search, &explain_bind,	   &explain_bind_failed,
	&explain_listen, &explain_connect, &explain_connect_failed,
	&explain_send,	 &explain_accept,  &explain_end,
};
/* Where a number is no port of this kind, and for what no other rule has words. */
static const struct explain_table *const last_table = &explain_other;

#define TABLES (sizeof(tables) / sizeof(tables[0]))

struct explain *explain_new(void)
{
	return calloc(1, sizeof(struct explain));
}

void explain_free(struct explain *explain)
{
	free(explain);
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	const unsigned char *p = bytes;

	while (len--)
		hash = (hash ^ *p++) * UINT64_C(0x100000001b3); /* FNV-1a */
	return hash;
}

/* True the first time. */
static bool say_once(struct said *said, uint64_t key)
{
	size_t place = (size_t)(key >> 32) % SAID_PLACE;
	uint64_t *ways = &said->key[place];

	key |= 1; /* 0: nothing */
	for (unsigned int i = 0; i < SAID_WAYS; i++) {
		if (ways[i] == key)
			return false;
		if (!ways[i]) {
			ways[i] = key;
			return true;
		}
	}
	ways[said->next++ % SAID_WAYS] = key;
	return true;
}

/* Of one program, which is what it calls itself. */
static uint64_t key_of(const struct about *a, const void *bytes, size_t len)
{
	static const struct wire_who nobody;
	const struct wire_who *who = a->event->who ? a->event->who : &nobody;
	uint64_t hash = hash_bytes(UINT64_C(0xcbf29ce484222325), who->comm, sizeof(who->comm));

	return hash_bytes(hash, bytes, len);
}

static bool holds(const struct explain_rule *rule, const struct about *a)
{
	return (rule->events >> a->event->kind & 1) && !(rule->needs & ~a->facts) &&
	       (!rule->when || rule->when(a));
}

static struct sentence *sentence_of(const struct about *a, struct explanation *x)
{
	struct sentence *s = &x->list[x->len];

	s->names = a->core->names;
	s->len = 0;
	return s;
}

/* Has it ports that IPv4 and IPv6 have in common, with bind(), listen() and connect()? */
static bool has_ports(const struct about *a)
{
	switch (a->life->protocol) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_MPTCP:
		return true;
	default:
		return false;
	}
}

static const struct explain_rule *first_of(const struct explain_table *table, const struct about *a)
{
	for (size_t i = 0; i < table->first_len; i++)
		if (holds(&table->first[i], a))
			return &table->first[i];
	return NULL;
}

static const struct explain_rule *find_first(const struct about *a)
{
	const struct explain_rule *found = NULL;

	for (size_t i = 0; has_ports(a) && !found && i < TABLES; i++)
		found = first_of(tables[i], a);
	return found ? found : first_of(last_table, a);
}

static void add_first(struct explain *explain, const struct about *a, struct explanation *x)
{
	const struct explain_rule *rule = find_first(a);
	struct sentence *s = sentence_of(a, x);

	if (!rule)
		return;
	explain_expand(a, rule->text, false, s);
	x->len += say_once(&explain->first, key_of(a, s->text, s->len));
}

static void add_rule(struct explain *explain, const struct about *a,
		     const struct explain_rule *rule, struct explanation *x)
{
	struct sentence *s = sentence_of(a, x);

	explain_expand(a, rule->text, true, s);
	if (!say_once(&explain->more, key_of(a, s->text, s->len)))
		return;
	s->len = 0;
	explain_expand(a, rule->text, false, s);
	x->len++;
}

static void add_more(struct explain *explain, const struct about *a,
		     const struct explain_table *table, struct explanation *x)
{
	for (size_t i = 0; i < table->more_len && x->len < EXPLANATION_MAX; i++)
		if (holds(&table->more[i], a))
			add_rule(explain, a, &table->more[i], x);
}

void explain_event(struct core *core, const struct event *e, struct explanation *x)
{
	struct about a = explain_about(core, e);

	x->len = 0;
	add_first(core->explain, &a, x);
	if (!has_ports(&a))
		add_more(core->explain, &a, last_table, x);
	for (size_t i = 0; has_ports(&a) && i < TABLES; i++)
		add_more(core->explain, &a, tables[i], x);
}
