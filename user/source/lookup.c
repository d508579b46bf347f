// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/lookup.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "user/core/record.h"
#include "user/source/diag.h"
#include "user/source/make.h"
#include "user/source/namespaces.h"
#include "user/source/naming.h"

/* All open files of all processes are gone through: rarely, and for a small part of the time. */
#define APART_NS    250000000ULL
#define APART_TIMES 5

#define FOUND_MAX 32 /* NOTED_LATER of core/noted.h */
#define SEEN_MAX  64 /* processes of one socket that are told apart */
#define HINTS_MAX 16
#define ANSWERS	  256 /* records read from the iterator at once */

/* States in which a socket without a process still has its port. */
#define DIAG_ORPHANS                                                                               \
	(1U << TCP_FIN_WAIT1 | 1U << TCP_FIN_WAIT2 | 1U << TCP_CLOSING | 1U << TCP_LAST_ACK)

/* A socket, with a process that has it and the number of those. */
struct found {
	struct wire_holder holder;
	size_t seen_len;
	uint32_t seen[SEEN_MAX]; /* processes, pid_host */
};

struct lookup {
	struct bpf_link *link;
	struct naming *naming;
	int wanted_fd; /* map .data.wanted */
	int own_netns_fd;
	uint64_t start_ns; /* what sockets' numbers count from */
	uint64_t not_before_ns;
	struct wire_wanted wanted;
	const struct wire_call *refused;
	size_t found_len;
	bool cut; /* there were more */
	struct found found[FOUND_MAX];
	/* of the kernel's list of holders that came last: who touched them last */
	uint64_t hints_asker;
	size_t hints_len;
	struct {
		uint64_t inode;
		uint32_t owner;
	} hints[HINTS_MAX];
	struct wire_holder answers[ANSWERS];
};

struct lookup *lookup_new(struct bpf_object *object, struct naming *naming, uint64_t start_ns)
{
	struct lookup *l = object ? calloc(1, sizeof(*l)) : NULL;

	if (!l)
		return NULL;
	l->naming = naming;
	l->start_ns = start_ns;
	l->own_netns_fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	l->wanted_fd = bpf_object__find_map_fd_by_name(object, ".data.wanted");
	l->link = bpf_program__attach_iter(bpf_object__find_program_by_name(object, "find_files"),
					   NULL);
	if (libbpf_get_error(l->link))
		l->link = NULL;
	if (l->link && l->wanted_fd >= 0)
		return l;
	lookup_free(l);
	return NULL;
}

void lookup_free(struct lookup *l)
{
	if (!l)
		return;
	bpf_link__destroy(l->link);
	if (l->own_netns_fd >= 0)
		close(l->own_netns_fd);
	free(l);
}

/* --- what is asked ------------------------------------------------------------------------- */

/* The port that was refused to a program that named it, 0 if the record is of no such thing. */
static uint16_t refused_port(const struct wire_call *c)
{
	if (!record_is_walked(c->sock.protocol))
		return 0;
	switch (c->head.kind) {
	case WIRE_BIND:
		return c->error == EADDRINUSE && (c->facts & WIRE_F_REQUEST) ? c->req_port : 0;
	case WIRE_LISTEN:
		return c->error == EADDRINUSE ? c->port_before : 0;
	case WIRE_CONNECT_FAILED:
		return c->error == EADDRNOTAVAIL && !record_is_datagram(c->sock.protocol)
			       ? c->port_before
			       : 0;
	default:
		return 0;
	}
}

static void take_hint(struct lookup *l, const struct wire_holder *h)
{
	if (h->asker != l->hints_asker) {
		l->hints_asker = h->asker;
		l->hints_len = 0;
	}
	if (!h->inode || !h->owner || l->hints_len == HINTS_MAX)
		return;
	l->hints[l->hints_len].inode = h->inode;
	l->hints[l->hints_len++].owner = h->owner;
}

/* Who touched the socket last, 0 if nobody is known. */
static uint32_t owner_of(const struct lookup *l, uint64_t inode)
{
	for (size_t i = 0; i < l->hints_len; i++)
		if (l->hints[i].inode == inode)
			return l->hints[i].owner;
	return 0;
}

/* --- what is found ------------------------------------------------------------------------- */

static bool is_bound(const struct wire_sock *sock)
{
	return sock->state == TCP_LISTEN || sock->state == TCP_CLOSE;
}

/* The place of a socket; NULL if there is no room for it. Who listens takes another one's. */
static struct found *place_for(struct lookup *l, const struct wire_holder *h)
{
	for (size_t i = 0; h->inode && i < l->found_len; i++)
		if (l->found[i].holder.inode == h->inode)
			return &l->found[i];
	if (l->found_len < FOUND_MAX) {
		l->found[l->found_len].seen_len = 0;
		return &l->found[l->found_len++];
	}
	l->cut = true;
	for (size_t i = 0; is_bound(&h->sock) && i < FOUND_MAX; i++) {
		if (!is_bound(&l->found[i].holder.sock)) {
			l->found[i].seen_len = 0;
			return &l->found[i];
		}
	}
	return NULL;
}

/* Is it the first descriptor of this process? Of very many processes not all are told apart. */
static bool is_another_process(struct found *f, uint32_t pid)
{
	for (size_t i = 0; i < f->seen_len; i++)
		if (f->seen[i] == pid)
			return false;
	if (f->seen_len < SEEN_MAX)
		f->seen[f->seen_len++] = pid;
	return true;
}

/* Made since the refusal, as its number tells: it was in nobody's way. */
static bool is_younger(const struct lookup *l, const struct wire_holder *h)
{
	return h->sock.id &&
	       h->sock.id >> WIRE_SOCKET_CPU_BITS > l->refused->head.ts_ns - l->start_ns;
}

static void take_process(struct lookup *l, const struct wire_holder *h)
{
	struct found *f;
	uint32_t processes;

	if (h->sock.id == l->refused->sock.id || is_younger(l, h))
		return;
	f = place_for(l, h);
	if (!f)
		return;
	if (!f->seen_len) {
		f->holder = *h;
		is_another_process(f, h->who.pid_host);
		return;
	}
	if (!is_another_process(f, h->who.pid_host))
		return;
	processes = f->holder.processes + 1;
	if (h->who.pid_host == owner_of(l, h->inode))
		f->holder = *h;
	f->holder.processes = processes;
}

static int find_processes(struct lookup *l)
{
	int fd = bpf_iter_create(bpf_link__fd(l->link));
	size_t have = 0;
	ssize_t len;

	if (fd < 0)
		return -errno;
	do {
		size_t i = 0;

		len = read(fd, (char *)l->answers + have, sizeof(l->answers) - have);
		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			continue; /* many files without an answer */
		have += len > 0 ? (size_t)len : 0;
		for (; (i + 1) * sizeof(l->answers[0]) <= have; i++)
			take_process(l, &l->answers[i]);
		have -= i * sizeof(l->answers[0]);
		memmove(l->answers, &l->answers[i], have);
	} while (len && (len > 0 || errno == EAGAIN || errno == EINTR));
	close(fd);
	return len < 0 ? -errno : 0;
}

/* A TIME_WAIT entry, or a socket that its process has closed. */
static int take_orphan(void *arg, const struct diag_sock *found)
{
	bool waits = found->is_entry;
	struct lookup *l = arg;
	struct wire_holder h = {
		.inode = found->inode,
		.sock = found->sock,
		.fd = -1,
		.flags = WIRE_H_LATER | (waits ? WIRE_H_LEFT : WIRE_H_UID | WIRE_H_ORPHAN),
		.uid = waits ? 0 : found->uid,
		.left_ms = waits ? found->time_wait_left_ms : 0,
	};
	struct found *f;

	if (found->sock.local_port != l->wanted.port || found->inode)
		return 0;
	h.sock.netns = l->wanted.netns;
	if (waits && h.sock.state == TCP_FIN_WAIT2)
		h.flags |= WIRE_H_FIN_WAIT;
	if (waits)
		h.sock.state = TCP_TIME_WAIT;
	f = place_for(l, &h);
	if (f)
		f->holder = h;
	return 0;
}

static int dump_orphans(void *arg)
{
	return diag_dump(IPPROTO_TCP, DIAG_ORPHANS | DIAG_TIME_WAIT, take_orphan, arg);
}

/*
 * Where the kernel's own list was not read and no process has the port: the kernel goes through
 * all connections of the machine for this. sock_diag does not show SO_REUSEADDR.
 */
static void find_orphans(struct lookup *l)
{
	char path[64];
	struct netns netns = { .inum = l->refused->sock.netns, .path = path, .fd = -1 };

	if (l->hints_asker == l->refused->sock.id || l->wanted.protocol != IPPROTO_TCP ||
	    l->found_len)
		return;
	snprintf(path, sizeof(path), "/proc/%u/ns/net", l->refused->who.pid);
	netns_visit(&netns, l->own_netns_fd, dump_orphans, l);
}

/* --- the records --------------------------------------------------------------------------- */

static int tell(struct lookup *l, int (*give)(void *, const void *, size_t), void *arg)
{
	struct made made;
	int outcome = 0;

	for (size_t i = 0; i < l->found_len && !outcome; i++) {
		struct wire_holder *h = &l->found[i].holder;

		h->asker = l->refused->sock.id;
		make_holder(&made, h);
		outcome = naming_look(l->naming, made.bytes, give, arg);
		if (!outcome)
			outcome = give(arg, made.bytes, sizeof(*h));
	}
	if (outcome)
		return outcome;
	return give(arg, made.bytes,
		    make_holders(&made, l->refused->sock.id, l->wanted.port, (uint32_t)l->found_len,
				 l->cut));
}

/* CPU time of this thread. */
static uint64_t used_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static void rest(struct lookup *l, uint64_t took_ns)
{
	uint64_t pause_ns = took_ns * APART_TIMES;

	l->not_before_ns = clock_boot_ns() + (pause_ns > APART_NS ? pause_ns : APART_NS);
}

int lookup_look(struct lookup *l, const void *record, int (*give)(void *, const void *, size_t),
		void *arg)
{
	const struct wire_head *head = record;
	const struct wire_call *call = record;
	uint64_t begin;
	uint32_t zero = 0;
	uint16_t port;

	if (!l)
		return 0;
	if (head->kind == WIRE_HOLDER)
		take_hint(l, record);
	else if (head->kind == WIRE_HOLDERS)
		l->hints_asker = ((const struct wire_holders *)record)->asker;
	port = record_is_call(head->kind) ? refused_port(call) : 0;
	if (!port || clock_boot_ns() < l->not_before_ns)
		return 0;
	begin = used_ns();
	l->wanted = (struct wire_wanted){
		.netns = call->sock.netns,
		.protocol = call->sock.protocol,
		.port = port,
	};
	l->refused = call;
	l->found_len = 0;
	l->cut = false;
	if (bpf_map_update_elem(l->wanted_fd, &zero, &l->wanted, BPF_ANY) || find_processes(l))
		return 0;
	find_orphans(l);
	rest(l, used_ns() - begin);
	l->hints_asker = 0;
	l->hints_len = 0;
	return tell(l, give, arg);
}
