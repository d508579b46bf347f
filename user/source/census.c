// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/census.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/vm_sockets.h>
#include <linux/vm_sockets_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_BYTES	 (32U << 10)
#define SOCKET_LISTENS	 0x10000 /* __SO_ACCEPTCON of the kernel's linux/net.h, in /proc/net/unix */
#define SOCKET_CONNECTED 3	 /* SS_CONNECTED */

/* --- AF_UNIX ------------------------------------------------------------------------------ */

/* Num: RefCount Protocol Flags Type St Inode Path; an abstract name has @ for each NUL. */
static bool read_unix(char *line, struct diag_sock *d)
{
	unsigned int flags, type, state;
	unsigned long inode;
	int at = 0;
	size_t len;

	if (sscanf(line, "%*[^:]: %*x %*x %x %x %x %lu%n", &flags, &type, &state, &inode, &at) !=
		    4 ||
	    line[at] != ' ')
		return false;
	d->inode = inode;
	d->path = line + at + 1;
	len = strcspn(d->path, "\n");
	if (!len || len > WIRE_PATH_MAX)
		return false;
	d->path_bytes = (uint16_t)len;
	if (*d->path == '@')
		line[at + 1] = '\0';
	d->sock = (struct wire_sock){
		.family = AF_UNIX,
		.protocol = WIRE_PROTOCOL_UNIX,
		.state = flags & SOCKET_LISTENS				   ? TCP_LISTEN
			 : state == SOCKET_CONNECTED && type != SOCK_DGRAM ? TCP_ESTABLISHED
									   : TCP_CLOSE,
		.local_port = 1,
	};
	return true;
}

/* sk Eth Pid Groups Rmem Wmem Dump Locks Drops Inode; Eth is the protocol, Pid the port id. */
static bool read_netlink(char *line, struct diag_sock *d)
{
	unsigned int protocol, portid;
	unsigned long inode;

	if (sscanf(line, "%*x %u %u %*x %*d %*d %*d %*d %*u %lu", &protocol, &portid, &inode) !=
		    3 ||
	    !portid)
		return false;
	*d = (struct diag_sock){ .inode = inode };
	d->sock = (struct wire_sock){
		.family = AF_NETLINK,
		.protocol = WIRE_PROTOCOL_NETLINK,
		.state = TCP_CLOSE,
		.local_port = 1,
	};
	memcpy(d->sock.local, &portid, sizeof(portid));
	memcpy(d->sock.local + 4, &protocol, sizeof(protocol));
	return true;
}

static int read_table(const char *name, bool (*read_line)(char *, struct diag_sock *),
		      int (*give)(void *, const struct diag_sock *), void *arg)
{
	FILE *file = fopen(name, "re");
	char *line = NULL;
	size_t room = 0;
	int error = 0;

	if (!file)
		return -errno;
	while (!error && getline(&line, &room, file) > 0) {
		struct diag_sock found = { .inode = 0 };

		if (read_line(line, &found))
			error = give(arg, &found);
	}
	free(line);
	fclose(file);
	return error;
}

/* --- AF_VSOCK ----------------------------------------------------------------------------- */

static void read_vsock(const struct vsock_diag_msg *msg, struct diag_sock *d)
{
	bool has_peer = msg->vdiag_dst_port != VMADDR_PORT_ANY;
	const uint32_t local[] = { msg->vdiag_src_cid, msg->vdiag_src_port };
	const uint32_t peer[] = { msg->vdiag_dst_cid, msg->vdiag_dst_port };

	*d = (struct diag_sock){ .inode = msg->vdiag_ino };
	d->sock = (struct wire_sock){
		.family = AF_VSOCK,
		.protocol = WIRE_PROTOCOL_VSOCK,
		.state = msg->vdiag_state,
		.local_port = msg->vdiag_src_port != VMADDR_PORT_ANY,
	};
	memcpy(d->sock.local, local, sizeof(local));
	if (has_peer)
		memcpy(d->sock.peer, peer, sizeof(peer));
}

static int take_vsock(const struct nlmsghdr *head, int (*give)(void *, const struct diag_sock *),
		      void *arg)
{
	const struct nlmsgerr *error = NLMSG_DATA(head);
	struct diag_sock found;

	if (head->nlmsg_type == NLMSG_DONE)
		return 1;
	if (head->nlmsg_type == NLMSG_ERROR)
		return head->nlmsg_len < NLMSG_LENGTH(sizeof(*error)) || !error->error
			       ? -EPROTO
			       : error->error;
	if (head->nlmsg_len < NLMSG_LENGTH(sizeof(struct vsock_diag_msg)))
		return 0;
	read_vsock(NLMSG_DATA(head), &found);
	return found.sock.local_port ? give(arg, &found) : 0;
}

static int ask_vsock(int fd, int (*give)(void *, const struct diag_sock *), void *arg)
{
	struct {
		struct nlmsghdr head;
		struct vsock_diag_req diag;
	} request = {
		.head = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.diag = { .sdiag_family = AF_VSOCK, .vdiag_states = UINT32_MAX },
	};
	static _Alignas(8) char answers[ANSWER_BYTES];
	int status = 0;

	if (send(fd, &request, sizeof(request), 0) < 0)
		return -errno;
	while (!status) {
		ssize_t len = recv(fd, answers, sizeof(answers), 0);
		const struct nlmsghdr *head = (const struct nlmsghdr *)answers;
		unsigned int left = len > 0 ? (unsigned int)len : 0;

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0)
			return len ? -errno : -EPROTO;
		for (; !status && NLMSG_OK(head, left); head = NLMSG_NEXT(head, left))
			status = take_vsock(head, give, arg);
	}
	return status == 1 ? 0 : status;
}

static int census_vsock(int (*give)(void *, const struct diag_sock *), void *arg)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	int error = fd < 0 ? -errno : ask_vsock(fd, give, arg);

	if (fd >= 0)
		close(fd);
	return error;
}

int census_take(uint32_t families, int (*give)(void *arg, const struct diag_sock *), void *arg)
{
	int error = 0, missing = 0;

	if (families & WIRE_FAMILY_UNIX)
		error = read_table("/proc/net/unix", read_unix, give, arg);
	if (!error && (families & WIRE_FAMILY_NETLINK))
		error = read_table("/proc/net/netlink", read_netlink, give, arg);
	if (!error && (families & WIRE_FAMILY_VSOCK))
		error = census_vsock(give, arg);
	if (error == -ENOENT)
		missing = error;
	if ((!error || missing) && (families & WIRE_FAMILY_SCTP))
		error = diag_dump(IPPROTO_SCTP, DIAG_ALL, give, arg);
	return error ? error : missing;
}
