/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * taken.c owns the making of rows: what was found is sorted by socket, then by port.
 */
#include "user/core/taken.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "user/core/family.h"
#include "user/core/names.h"
#include "user/core/state.h"

#define SOCK_BINDPORT_LOCK 8	 /* bind() named the port */
#define TIME_WAIT_MS	   60000 /* TCP_TIMEWAIT_LEN: no timer of an entry is longer */
#define SOCK_CONNECT_BIND  16	 /* connect() chose it; 6.17+ */

/* How long a TIME_WAIT entry has to live. */
struct wait {
	struct wire_sock sock;
	uint32_t left_ms;
};

struct taken {
	struct port_holder *found;
	size_t found_len, found_max;
	struct wait *waits;
	size_t waits_len, waits_max;
	struct port_row *rows;
	size_t rows_len;
	struct names *names;
	struct paths *paths; /* of AF_UNIX */
	uint32_t own_netns;
};

struct taken *taken_new(uint32_t own_netns)
{
	struct taken *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->own_netns = own_netns;
	p->names = names_new();
	if (!p->names) {
		free(p);
		return NULL;
	}
	return p;
}

void taken_free(struct taken *p)
{
	if (!p)
		return;
	names_free(p->names);
	family_free(&p->paths);
	free(p->found);
	free(p->waits);
	free(p->rows);
	free(p);
}

/* Room for one more in an array. NULL: memory is short, and the array is as it was. */
static void *grow(void *array, size_t len, size_t *max, size_t size)
{
	size_t more = *max ? 2 * *max : 1024;
	void *grown;

	if (len < *max)
		return array;
	grown = reallocarray(array, more, size);
	if (grown)
		*max = more;
	return grown;
}

static int add_found(struct taken *p, const struct wire_call *c)
{
	struct port_holder *grown;

	if (!c->sock.local_port)
		return 0;
	grown = grow(p->found, p->found_len, &p->found_max, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	p->found = grown;
	p->found[p->found_len++] = (struct port_holder){
		.sock = c->sock,
		.who = c->who,
		.facts = c->facts,
		.fd = c->fd,
		.sock_uid = c->facts & WIRE_F_SOCK_UID ? c->sock_uid : 0,
	};
	return 0;
}

int taken_add(struct taken *p, const void *record)
{
	const struct wire_head *head = record;
	const struct wire_name *name = record;

	if (head->kind == WIRE_NAME)
		return names_learn(p->names, name, name->text);
	if (head->kind == WIRE_ADDRESS)
		return family_learn(&p->paths, record);
	if (head->kind == WIRE_FOUND) {
		struct wire_call found;

		memcpy(&found, record, sizeof(found));
		family_translate(p->paths, &found);
		return add_found(p, &found);
	}
	return 0;
}

int taken_add_time_wait(struct taken *p, const struct wire_sock *sock, uint32_t left_ms)
{
	struct wait *grown = grow(p->waits, p->waits_len, &p->waits_max, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	p->waits = grown;
	p->waits[p->waits_len++] = (struct wait){ .sock = *sock, .left_ms = left_ms };
	return 0;
}

/* --- rows -------------------------------------------------------------------------------- */

static int compare_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

/* By socket; what has a process before what has none, by pid and descriptor. */
static int compare_found(const void *left, const void *right)
{
	const struct port_holder *a = left, *b = right;

	if (a->sock.id != b->sock.id)
		return compare_u64(a->sock.id, b->sock.id);
	if (a->fd < 0 || b->fd < 0)
		return (a->fd < 0) - (b->fd < 0);
	if (a->who.pid_host != b->who.pid_host)
		return compare_u64(a->who.pid_host, b->who.pid_host);
	return compare_u64((uint32_t)a->fd, (uint32_t)b->fd);
}

static bool is_same_holder(const struct port_holder *a, const struct port_holder *b)
{
	return a->sock.id == b->sock.id && (b->fd < 0 || a->who.pid_host == b->who.pid_host);
}

/* One entry for each process; its lowest descriptor stands for the others. */
static void drop_doubles(struct taken *p)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->found_len; i++)
		if (!kept || !is_same_holder(&p->found[kept - 1], &p->found[i]))
			p->found[kept++] = p->found[i];
	p->found_len = kept;
}

static int make_rows(struct taken *p)
{
	p->rows = calloc(p->found_len ? p->found_len : 1, sizeof(*p->rows));
	if (!p->rows)
		return -ENOMEM;
	for (size_t i = 0; i < p->found_len; i++) {
		struct port_holder *found = &p->found[i];

		if (i && found[-1].sock.id == found->sock.id)
			p->rows[p->rows_len - 1].holders_len++;
		else
			p->rows[p->rows_len++] =
				(struct port_row){ .holders = found, .holders_len = 1 };
	}
	return 0;
}

static const struct wire_sock *sock_of(const struct port_row *row)
{
	return &row->holders[0].sock;
}

/* Rows of one port: 0. */
static int compare_port(const struct wire_sock *a, const struct wire_sock *b)
{
	if (a->netns != b->netns)
		return compare_u64(a->netns, b->netns);
	if (a->protocol != b->protocol)
		return compare_u64(a->protocol, b->protocol);
	return compare_u64(a->local_port, b->local_port);
}

static int compare_rows(const void *left, const void *right, void *arg)
{
	const struct wire_sock *a = sock_of(left), *b = sock_of(right);
	uint32_t own = *(const uint32_t *)arg;
	int order;

	if (a->netns != b->netns && (a->netns == own || b->netns == own))
		return a->netns == own ? -1 : 1;
	order = compare_port(a, b);
	if (order)
		return order;
	if (port_is_listener(left) != port_is_listener(right))
		return port_is_listener(left) ? -1 : 1;
	if (a->family != b->family)
		return compare_u64(a->family, b->family);
	order = memcmp(a->local, b->local, sizeof(a->local));
	return order ? order : compare_u64(a->id, b->id);
}

static bool is_same_thing(const struct port_row *a, const struct port_row *b)
{
	const struct life left = port_life(a), right = port_life(b);

	return !record_is_named(left.protocol) || endpoint_is_same_name(&left.local, &right.local);
}

/* Rows of one port. Where that is a token, others than the first one's owners may have it. */
static void count_owners_of(struct port_row *rows, size_t len)
{
	for (size_t first = 0; first < len; first++) {
		uint32_t owners = 0;

		if (rows[first].owners)
			continue;
		for (size_t i = first; i < len; i++)
			owners += is_same_thing(&rows[first], &rows[i]);
		for (size_t i = first; i < len; i++)
			if (is_same_thing(&rows[first], &rows[i]))
				rows[i].owners = owners;
	}
}

static void count_owners(struct taken *p)
{
	size_t first = 0;

	for (size_t i = 1; i <= p->rows_len; i++) {
		if (i < p->rows_len &&
		    !compare_port(sock_of(&p->rows[first]), sock_of(&p->rows[i])))
			continue;
		count_owners_of(&p->rows[first], i - first);
		first = i;
	}
}

static int compare_connections(const void *left, const void *right)
{
	const struct wire_sock *a = &((const struct wait *)left)->sock;
	const struct wire_sock *b = &((const struct wait *)right)->sock;
	int order = compare_port(a, b);

	if (!order)
		order = compare_u64(a->peer_port, b->peer_port);
	if (!order)
		order = memcmp(a->local, b->local, sizeof(a->local));
	return order ? order : memcmp(a->peer, b->peer, sizeof(a->peer));
}

static void join_waits(struct taken *p)
{
	if (!p->waits_len)
		return;
	qsort(p->waits, p->waits_len, sizeof(*p->waits), compare_connections);
	for (size_t i = 0; i < p->rows_len; i++) {
		const struct wait key = { .sock = *sock_of(&p->rows[i]) };
		const struct wait *found;

		if (key.sock.state != TCP_TIME_WAIT)
			continue;
		found = bsearch(&key, p->waits, p->waits_len, sizeof(key), compare_connections);
		if (!found)
			continue;
		p->rows[i].time_wait_left_ms = found->left_ms;
		p->rows[i].in_fin_wait = found->sock.state == TCP_FIN_WAIT2;
	}
}

int taken_finish(struct taken *p)
{
	int error;

	if (p->found_len)
		qsort(p->found, p->found_len, sizeof(*p->found), compare_found);
	drop_doubles(p);
	error = make_rows(p);
	if (error)
		return error;
	qsort_r(p->rows, p->rows_len, sizeof(*p->rows), compare_rows, &p->own_netns);
	count_owners(p);
	join_waits(p);
	return 0;
}

const struct port_row *taken_rows(const struct taken *p, size_t *len)
{
	*len = p->rows_len;
	return p->rows;
}

const struct names *taken_names(const struct taken *p)
{
	return p->names;
}

/* --- what a row says --------------------------------------------------------------------- */

static bool is_tcp(const struct wire_sock *sock)
{
	return sock->protocol == IPPROTO_TCP;
}

/* ... or has states like those of TCP. */
static bool has_states(const struct wire_sock *sock)
{
	return is_tcp(sock) || record_is_named(sock->protocol) || sock->protocol == IPPROTO_SCTP;
}

bool port_is_listener(const struct port_row *row)
{
	const struct wire_sock *sock = sock_of(row);

	if (has_states(sock))
		return sock->state == TCP_LISTEN;
	return !sock->peer_port;
}

uint32_t port_age_min_ms(const struct port_row *row)
{
	uint32_t left_ms = row->in_fin_wait ? 0 : row->time_wait_left_ms;

	return left_ms && left_ms < TIME_WAIT_MS ? TIME_WAIT_MS - left_ms : 0;
}

enum port_keeper port_keeper(const struct port_row *row)
{
	const struct port_holder *h = row->holders;

	if (h->sock.state == TCP_TIME_WAIT)
		return row->in_fin_wait ? KEPT_BY_ORPHAN : KEPT_BY_TIME_WAIT;
	if (h->fd >= 0)
		return KEPT_BY_PROCESS;
	if (h->facts & WIRE_F_KERN_SOCK)
		return KEPT_BY_KERNEL;
	if (h->fd == TAKEN_FD_UNSEEN)
		return KEPT_BY_UNKNOWN;
	if (h->facts & WIRE_F_CHILD)
		return KEPT_BY_QUEUE;
	if (is_tcp(&h->sock) && h->sock.state != TCP_LISTEN && h->sock.state != TCP_CLOSE)
		return KEPT_BY_ORPHAN;
	return KEPT_BY_UNKNOWN;
}

const char *port_keeper_name(enum port_keeper keeper)
{
	static const char *const names[] = {
		[KEPT_BY_PROCESS] = "process",	   [KEPT_BY_QUEUE] = "queue",
		[KEPT_BY_TIME_WAIT] = "time_wait", [KEPT_BY_ORPHAN] = "orphan",
		[KEPT_BY_KERNEL] = "kernel",	   [KEPT_BY_UNKNOWN] = NULL,
	};

	return names[keeper];
}

const char *port_state(const struct port_row *row)
{
	const struct wire_sock *sock = sock_of(row);

	if (!has_states(sock))
		return sock->peer_port ? "connected" : "bound";
	return state_name(row->in_fin_wait ? TCP_FIN_WAIT2 : sock->state);
}

enum port_origin port_row_origin(const struct port_row *row)
{
	const struct wire_sock *sock = sock_of(row);

	if (sock->userlocks & SOCK_CONNECT_BIND)
		return ORIGIN_CONNECT;
	if (sock->userlocks & SOCK_BINDPORT_LOCK)
		return ORIGIN_BIND;
	return port_keeper(row) == KEPT_BY_QUEUE ? ORIGIN_ACCEPT : ORIGIN_UNKNOWN;
}

struct life port_life(const struct port_row *row)
{
	const struct port_holder *h = row->holders;
	const struct wire_sock *sock = &h->sock;

	return (struct life){
		.who = h->who,
		.who_known = h->fd >= 0,
		.local = endpoint_make(sock->family, sock->local, sock->local_port, sock->scope),
		.peer = endpoint_make(sock->family, sock->peer, sock->peer_port, sock->scope),
		.netns = sock->netns,
		.ifindex = sock->ifindex,
		.protocol = sock->protocol,
		.options = sock->options,
		.existing = true,
		.holds_port = true,
		.kern = h->facts & WIRE_F_KERN_SOCK,
	};
}

struct tenure port_tenure(const struct port_row *row)
{
	return (struct tenure){
		.port = sock_of(row)->local_port,
		.origin = (uint8_t)port_row_origin(row),
		.by = row->holders[0].facts & WIRE_F_KERN_SOCK ? BY_KERNEL : BY_NONE,
		.shared = row->owners > 1 ? YES : NO,
	};
}
