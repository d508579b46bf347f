// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kernel.c asks the kernel for its sockets by sock_diag(7). It knows nothing of the workload.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/oracle/oracle.h"

#define TIMER_TIME_WAIT 3 /* idiag_timer of a TIME_WAIT entry, whatever state it stands for */

int kernel_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int room = 1 << 20;

	if (fd < 0)
		err(1, "sock_diag");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return fd;
}

static struct kernel_socket *add(struct kernel_table *table)
{
	if (table->len == table->room) {
		table->room = table->room ? 2 * table->room : 1024;
		table->sockets = realloc(table->sockets, table->room * sizeof(*table->sockets));
		if (!table->sockets)
			err(1, "memory");
	}
	return &table->sockets[table->len++];
}

/* A request that is not a connection yet is no socket and owns no port. */
static bool is_request(const struct inet_diag_msg *m)
{
	return m->idiag_state == TCP_SYN_RECV && !m->idiag_inode;
}

static void take(struct kernel_table *table, uint32_t netns, int protocol,
		 const struct inet_diag_msg *m)
{
	size_t len = m->idiag_family == AF_INET ? 4 : 16;
	struct kernel_socket *s;

	if (protocol == IPPROTO_TCP && is_request(m))
		return;
	s = add(table);
	memset(s, 0, sizeof(*s));
	memcpy(s->local, m->id.idiag_src, len);
	memcpy(s->peer, m->id.idiag_dst, len);
	s->cookie = m->id.idiag_cookie[0] | (uint64_t)m->id.idiag_cookie[1] << 32;
	s->inode = m->idiag_inode;
	s->netns = netns;
	s->local_port = ntohs(m->id.idiag_sport);
	s->peer_port = ntohs(m->id.idiag_dport);
	s->family = m->idiag_family;
	s->protocol = (uint16_t)protocol;
	s->state = m->idiag_state;
	s->time_wait = protocol == IPPROTO_TCP && m->idiag_timer == TIMER_TIME_WAIT;
}

static void ask(int fd, int family, int protocol)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} request = {
		.head = { .nlmsg_len = sizeof(request),
			  .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			  .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.body = { .sdiag_family = (uint8_t)family,
			  .sdiag_protocol = (uint8_t)protocol,
			  .idiag_states = ~0U }, /* BOUND_INACTIVE too, where there is one */
	};

	if (send(fd, &request, sizeof(request), 0) != sizeof(request))
		err(1, "sock_diag: send");
}

/* Returns true when the dump is at its end; *interrupted: the table changed under it. */
static bool read_answers(int fd, uint32_t netns, int protocol, struct kernel_table *table,
			 bool *interrupted)
{
	static char buffer[1 << 16] __attribute__((aligned(8)));
	ssize_t len = recv(fd, buffer, sizeof(buffer), 0);
	const struct nlmsghdr *h = (const struct nlmsghdr *)buffer;

	if (len < 0)
		err(1, "sock_diag: recv");
	for (; NLMSG_OK(h, (unsigned int)len); h = NLMSG_NEXT(h, len)) {
		if (h->nlmsg_flags & NLM_F_DUMP_INTR)
			*interrupted = true;
		if (h->nlmsg_type == NLMSG_DONE)
			return true;
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = NLMSG_DATA(h);

			/* a protocol that this kernel does not have */
			if (error->error == -ENOENT || error->error == -EPROTONOSUPPORT)
				return true;
			errno = -error->error;
			err(1, "sock_diag");
		}
		take(table, netns, protocol, NLMSG_DATA(h));
	}
	return false;
}

int kernel_dump(int fd, uint32_t netns, int protocol, struct kernel_table *table)
{
	static const int families[] = { AF_INET, AF_INET6 };

	bool interrupted = false;

	for (size_t i = 0; i < 2; i++) {
		ask(fd, families[i], protocol);
		while (!read_answers(fd, netns, protocol, table, &interrupted))
			;
	}
	return interrupted ? -1 : 0;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct kernel_socket));
}

void kernel_sort(struct kernel_table *table)
{
	if (table->len)
		qsort(table->sockets, table->len, sizeof(*table->sockets), compare);
}

bool kernel_equal(const struct kernel_table *a, const struct kernel_table *b)
{
	return a->len == b->len &&
	       (!a->len || !memcmp(a->sockets, b->sockets, a->len * sizeof(*a->sockets)));
}

void kernel_print(const struct kernel_table *table, bool (*known)(uint64_t cookie))
{
	for (size_t i = 0; i < table->len; i++) {
		const struct kernel_socket *s = &table->sockets[i];
		char local[INET6_ADDRSTRLEN], peer[INET6_ADDRSTRLEN];

		inet_ntop(s->family, s->local, local, sizeof(local));
		inet_ntop(s->family, s->peer, peer, sizeof(peer));
		printf("kernel %u %u %u %u %u %s %u %s %u %u %llu %d\n", s->netns, s->protocol,
		       s->family, s->state, s->time_wait, local, s->local_port, peer, s->peer_port,
		       s->inode, (unsigned long long)s->cookie, known(s->cookie));
	}
}
