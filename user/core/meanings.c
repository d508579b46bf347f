/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meanings.c owns the texts. Each is from the kernel's source: __inet_bind() and __inet6_bind()
 * (addresses, privilege, state), inet_csk_get_port() and udp_lib_get_port() (conflicts, the choice
 * of a port), __inet_hash_connect() (ports for connections), inet_autobind() (EAGAIN, whatever the
 * reason was), inet_csk_listen_start() (the second look at listen()).
 */
#include "user/core/meanings.h"

#include <errno.h>
#include <strings.h>

static const struct meaning in_use[] = {
	{ "bind",
	  "Another socket has the port, on an address that overlaps, and the two may not share it. "
	  "SO_REUSEADDR shares if both have it and none of them listens; SO_REUSEPORT if both have "
	  "it and belong to one user.",
	  "portlife why PORT names the holder and says what to do" },
	{ "bind",
	  "With port 0: every port of the range is taken by something that does not share it.",
	  "portlife ports --pressure shows what has used the range up; a socket that will "
	  "connect() needs no port from bind(): set IP_BIND_ADDRESS_NO_PORT" },
	{ "listen",
	  "bind() had shared the port under SO_REUSEADDR, and another socket listens there by now; "
	  "or the socket had no port, and none was left in the range.",
	  "portlife why PORT" },
	{ "connect",
	  "TCP and UDP do not give it: without a port left, connect() says EADDRNOTAVAIL for TCP "
	  "and EAGAIN for UDP.",
	  NULL },
	{ "send", "UDP does not give it: without a port left, a send says EAGAIN.", NULL },
};

static const struct meaning not_available[] = {
	{ "bind",
	  "The address is none of this network namespace's. It says nothing about the port.",
	  "bind 0.0.0.0 or ::, or wait until the address is there, or set IP_FREEBIND" },
	{ "listen", "Not given.", NULL },
	{ "connect",
	  "TCP, no port from bind(): for this destination none of the range is left. Each one has "
	  "a connection to the same address and port, or was taken by bind().",
	  "portlife ports --pressure shows by what; use more source or destination addresses, keep "
	  "connections open, widen ip_local_port_range" },
	{ "connect",
	  "TCP, with a port from bind(): a connection between the same two addresses and ports "
	  "exists, maybe in TIME_WAIT.",
	  "let connect() choose the port" },
	{ "send", "TCP Fast Open: as connect().", NULL },
};

static const struct meaning again[] = {
	{ "bind", "Not given.", NULL },
	{ "listen", "Not given.", NULL },
	{ "connect",
	  "UDP, on a socket without a port: none was left in the range. (TCP says EADDRNOTAVAIL; a "
	  "TCP connect() that only goes on in the background says EINPROGRESS.)",
	  "portlife ports --pressure -u shows what has used the range up" },
	{ "send",
	  "UDP, the first send of a socket without a port: none was left in the range. On a socket "
	  "that has one: it is non-blocking and its buffer is full, which has nothing to do with "
	  "ports.",
	  "portlife ports --pressure -u; for a full buffer wait until poll(2) says it is "
	  "writable" },
};

static const struct meaning access_denied[] = {
	{ "bind",
	  "The port is below ip_unprivileged_port_start and the process lacks "
	  "CAP_NET_BIND_SERVICE.",
	  "setcap cap_net_bind_service=+ep PROGRAM, AmbientCapabilities= of systemd, socket "
	  "activation, or another port" },
	{ "bind", "Any other port: a security module (SELinux, AppArmor) refused it.",
	  "look into the audit log; semanage port -l shows the ports that SELinux lets a service "
	  "bind" },
	{ "listen", "Only a security module (SELinux, AppArmor) gives it.",
	  "look into the audit log" },
	{ "connect",
	  "UDP to a broadcast address without SO_BROADCAST; or a route of type prohibit; or a "
	  "security module.",
	  "ip route get ADDRESS shows the route" },
	{ "send", "As connect().", NULL },
};

static const struct meaning invalid[] = {
	{ "bind",
	  "The socket has a port already (a second bind(), or one after connect(), listen() or a "
	  "send); or the address is shorter than its family has it; or a link-local IPv6 address "
	  "comes without its interface; or IPv6 multicast is asked for by TCP, or an address of "
	  "IPv4 by a socket with IPV6_V6ONLY.",
	  "one socket, one bind(): make a new socket" },
	{ "listen", "The socket is connected, or connecting.", "make a new socket" },
	{ "connect",
	  "The address is shorter than its family has it; a link-local IPv6 address comes without "
	  "its interface; or a route of type blackhole.",
	  "ip route get ADDRESS shows the route" },
	{ "send", "The destination has port 0, or its address is too short.", NULL },
};

static const struct meaning not_permitted[] = {
	{ "bind", "A cgroup program (bind4, bind6, post_bind) refused it.",
	  "bpftool cgroup tree shows the programs" },
	{ "listen", "Not given.", NULL },
	{ "connect", "A cgroup program (connect4, connect6) refused it.",
	  "bpftool cgroup tree shows the programs" },
	{ "send",
	  "A firewall rule drops what goes out (UDP), or a cgroup program (sendmsg4, sendmsg6) "
	  "refused it.",
	  "nft list ruleset, bpftool cgroup tree" },
};

static const struct meaning refused[] = {
	{ "bind", "Not given.", NULL },
	{ "listen", "Not given.", NULL },
	{ "connect",
	  "The other side answered that nobody listens there. The port of this side was all right, "
	  "and is free again unless bind() had named it.",
	  "if the other side is this machine: portlife ports -l PORT" },
	{ "send",
	  "UDP: an earlier datagram met a port that nobody has; the error comes with the next call "
	  "on the connected socket.",
	  "if the other side is this machine: portlife ports -l PORT" },
};

#define LIST(array) .list = (array), .len = sizeof(array) / sizeof((array)[0])

static const struct meanings all[] = {
	{ .name = "EADDRINUSE",
	  .error = EADDRINUSE,
	  .text = "address already in use",
	  .settings = MEANING_RANGE,
	  LIST(in_use) },
	{ .name = "EADDRNOTAVAIL",
	  .error = EADDRNOTAVAIL,
	  .text = "cannot assign requested address",
	  .settings = MEANING_RANGE | MEANING_NONLOCAL,
	  LIST(not_available) },
	{ .name = "EAGAIN",
	  .error = EAGAIN,
	  .text = "resource temporarily unavailable",
	  .settings = MEANING_RANGE,
	  LIST(again) },
	{ .name = "EACCES",
	  .error = EACCES,
	  .text = "permission denied",
	  .settings = MEANING_PRIVILEGED,
	  LIST(access_denied) },
	{ .name = "EINVAL", .error = EINVAL, .text = "invalid argument", LIST(invalid) },
	{ .name = "EPERM", .error = EPERM, .text = "operation not permitted", LIST(not_permitted) },
	{ .name = "ECONNREFUSED",
	  .error = ECONNREFUSED,
	  .text = "connection refused",
	  LIST(refused) },
};

const struct meanings *meanings_at(size_t index)
{
	return index < sizeof(all) / sizeof(all[0]) ? &all[index] : NULL;
}

const struct meanings *meanings_find(const char *name)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strcasecmp(name, all[i].name))
			return &all[i];
	return NULL;
}
