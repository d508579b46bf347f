// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/diag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES	   (64U << 10)
#define BOUND_INACTIVE	   13 /* TCP_BOUND_INACTIVE of the kernel's net/tcp_states.h */
#define TIMER_OF_TIME_WAIT 3

struct request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 diag;
};

static int ask(int fd, uint8_t family, uint16_t protocol, uint32_t states)
{
	struct request request = {
		.head = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.diag = {
			.sdiag_family = family,
			.sdiag_protocol = (uint8_t)protocol,
			.idiag_ext = 0,
			.idiag_states = states,
		},
	};

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

static void read_attributes(struct wire_sock *sock, const struct inet_diag_msg *msg, int len)
{
	const struct rtattr *attr = (const struct rtattr *)(msg + 1);

	for (; RTA_OK(attr, len); attr = RTA_NEXT(attr, len))
		if (attr->rta_type == INET_DIAG_SKV6ONLY && *(const uint8_t *)RTA_DATA(attr))
			sock->options |= WIRE_O_V6ONLY;
}

static void read_message(struct diag_sock *d, const struct inet_diag_msg *msg, int len,
			 uint16_t protocol)
{
	size_t addr_len = msg->idiag_family == AF_INET ? 4 : 16;
	struct wire_sock *sock = &d->sock;

	*d = (struct diag_sock){ .inode = msg->idiag_inode, .uid = msg->idiag_uid };
	sock->cookie = (uint64_t)msg->id.idiag_cookie[1] << 32 | msg->id.idiag_cookie[0];
	sock->family = msg->idiag_family;
	sock->protocol = protocol;
	sock->state = msg->idiag_state == BOUND_INACTIVE ? TCP_CLOSE : msg->idiag_state;
	sock->ifindex = msg->id.idiag_if;
	if (sock->ifindex)
		sock->options |= WIRE_O_BINDTODEVICE;
	sock->local_port = ntohs(msg->id.idiag_sport);
	sock->peer_port = ntohs(msg->id.idiag_dport);
	memcpy(sock->local, msg->id.idiag_src, addr_len);
	memcpy(sock->peer, msg->id.idiag_dst, addr_len);
	d->is_entry = msg->idiag_timer == TIMER_OF_TIME_WAIT;
	if (d->is_entry)
		d->time_wait_left_ms = msg->idiag_expires;
	read_attributes(sock, msg, len);
}

/* 1: the dump is over. */
static int take_message(const struct nlmsghdr *head, uint16_t protocol,
			int (*give)(void *, const struct diag_sock *), void *arg)
{
	struct diag_sock found;

	if (head->nlmsg_type == NLMSG_DONE)
		return 1;
	if (head->nlmsg_type == NLMSG_ERROR) {
		const struct nlmsgerr *error = NLMSG_DATA(head);

		return head->nlmsg_len < NLMSG_LENGTH(sizeof(*error)) || !error->error
			       ? -EPROTO
			       : error->error;
	}
	if (head->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    head->nlmsg_len < NLMSG_LENGTH(sizeof(struct inet_diag_msg)))
		return 0;
	read_message(&found, NLMSG_DATA(head),
		     (int)(head->nlmsg_len - NLMSG_LENGTH(sizeof(struct inet_diag_msg))), protocol);
	return give(arg, &found);
}

static int take_answers(int fd, uint16_t protocol, int (*give)(void *, const struct diag_sock *),
			void *arg)
{
	static _Alignas(8) char answers[ANSWER_BYTES];
	int status = 0;

	while (!status) {
		ssize_t len = recv(fd, answers, sizeof(answers), 0);
		const struct nlmsghdr *head = (const struct nlmsghdr *)answers;
		unsigned int left = len > 0 ? (unsigned int)len : 0;

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return len ? -errno : -EPROTO;
		for (; !status && NLMSG_OK(head, left); head = NLMSG_NEXT(head, left))
			status = take_message(head, protocol, give, arg);
	}
	return status == 1 ? 0 : status;
}

int diag_dump(uint16_t protocol, uint32_t states, int (*give)(void *arg, const struct diag_sock *),
	      void *arg)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int error = 0;

	for (size_t i = 0; i < 2 && !error; i++) {
		int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

		if (fd < 0)
			return -errno;
		error = ask(fd, families[i], protocol, states);
		if (!error)
			error = take_answers(fd, protocol, give, arg);
		close(fd);
	}
	return error;
}
