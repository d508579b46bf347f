// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Scenarios about ports that the program did not ask for itself: the kernel's own sockets, and
 * bpf_bind() by a program on a cgroup. What must be said is put together here, below the language
 * of scenarios.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/live/scenarios.h"
#include "tests/live/scenarios_sock.h"

#define PORT	   5000
#define BOUND_PORT 5001
#define VXLAN_PORT 4789
#define STAY_MS	   6500 /* a walk every 5 s */
#define VXLAN_NAME "portlife0"

/* --- a VXLAN device: the kernel binds a UDP socket while it is up --------------------------------
 */

struct request {
	struct nlmsghdr header;
	struct ifinfomsg link;
	char attributes[256];
};

static struct rtattr *request_add(struct request *r, int type, const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)r + NLMSG_ALIGN(r->header.nlmsg_len));

	a->rta_type = (unsigned short)type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	r->header.nlmsg_len = NLMSG_ALIGN(r->header.nlmsg_len) + RTA_ALIGN(a->rta_len);
	return a;
}

static void request_end_nest(const struct request *r, struct rtattr *nest)
{
	nest->rta_len = (unsigned short)((const char *)r + r->header.nlmsg_len - (char *)nest);
}

static struct request request_for(int type, int flags)
{
	struct request r = { .header = { .nlmsg_len = NLMSG_LENGTH(sizeof(r.link)),
					 .nlmsg_type = (unsigned short)type,
					 .nlmsg_flags = (unsigned short)(NLM_F_REQUEST | NLM_F_ACK |
									 flags) } };

	return r;
}

/* Returns the errno that the kernel answers. */
static int request_send(const struct request *r)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char rest[512];
	} answer;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0 || send(fd, r, r->header.nlmsg_len, 0) < 0 ||
	    recv(fd, &answer, sizeof(answer), 0) < (ssize_t)NLMSG_LENGTH(sizeof(answer.error)))
		scenario_fail("rtnetlink: %s", error_name(errno));
	close(fd);
	return -answer.error.error;
}

/* Made and brought up in one. IPv6 if it has an IPv6 address of its own. */
static void vxlan_up(void)
{
	struct request r = request_for(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
	struct address own = address_of(AF_INET6, FOREIGN, 0);
	uint32_t id = 7;
	uint16_t port_be = htons(VXLAN_PORT);
	struct rtattr *info, *data;
	int error;

	r.link.ifi_flags = r.link.ifi_change = IFF_UP;
	request_add(&r, IFLA_IFNAME, VXLAN_NAME, sizeof(VXLAN_NAME));
	info = request_add(&r, IFLA_LINKINFO, NULL, 0);
	request_add(&r, IFLA_INFO_KIND, "vxlan", sizeof("vxlan"));
	data = request_add(&r, IFLA_INFO_DATA, NULL, 0);
	request_add(&r, IFLA_VXLAN_ID, &id, sizeof(id));
	request_add(&r, IFLA_VXLAN_PORT, &port_be, sizeof(port_be));
	if (scenario_family() == AF_INET6)
		request_add(&r, IFLA_VXLAN_LOCAL6, &own.in6.sin6_addr, sizeof(own.in6.sin6_addr));
	request_end_nest(&r, data);
	request_end_nest(&r, info);
	error = request_send(&r);
	if (error == EOPNOTSUPP)
		scenario_skip("this kernel has no VXLAN: %s", error_name(error));
	if (error)
		scenario_fail("cannot make a VXLAN device: %s", error_name(error));
}

static void vxlan_remove(void)
{
	struct request r = request_for(RTM_DELLINK, 0);
	int error;

	request_add(&r, IFLA_IFNAME, VXLAN_NAME, sizeof(VXLAN_NAME));
	error = request_send(&r);
	if (error)
		scenario_fail("cannot remove the VXLAN device: %s", error_name(error));
}

/* stays: long enough for those who only look every few seconds */
static struct sock *kernel_begin(bool stays)
{
	struct sock *s = sock_adopt("vxlan", -1, scenario_family(), SOCK_DGRAM);
	struct address bound = address_of(s->family, ANYWHERE, VXLAN_PORT);
	struct expected e = { .event = "bind", .s = s, .any_thread = true, .anyone = true };
	struct call c;

	s->blind = "non_syscall";
	call_enter(&c, s, "vxlan up");
	vxlan_up();
	call_return(&c, 0, OK);
	tenure_begin(s, "bind", "kernel", VXLAN_PORT);
	e.tenure = held_tenure(s);
	e.requested = e.local = &bound;
	e.no_peer = true;
	e.found = stays;
	call_expect(&c, e);
	call_print(&c);
	return s;
}

static void kernel_end(struct sock *s)
{
	struct expected e = { .event = "close", .s = s, .anyone = true, .optional = true };
	struct call c;

	call_enter(&c, s, "vxlan removed");
	vxlan_remove();
	call_return(&c, 0, OK);
	call_expect(&c, e);
	e.event = "release";
	e.optional = false;
	e.tenure = tenure_end(s);
	call_expect(&c, e);
	call_print(&c);
	life_print(s, "false");
}

static void kernel_socket(void)
{
	kernel_end(kernel_begin(false));
}

static void kernel_socket_stays(void)
{
	struct sock *s = kernel_begin(true);

	scenario_sleep_ms(STAY_MS);
	kernel_end(s);
}

/* A port that a kernel's socket has is taken for programs. */
static void kernel_socket_in_the_way(void)
{
	struct sock *late = sock_new_udp("late");
	struct sock *kernel = kernel_begin(false);

	sock_bind(late, ANYWHERE, VXLAN_PORT, EADDRINUSE);
	kernel_end(kernel);
	sock_bind(late, ANYWHERE, VXLAN_PORT, OK);
	sock_close(late);
}

/* --- bpf_bind() ----------------------------------------------------------------------------------
 */

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

#define STORE(size, offset, value)                                                                 \
	((struct bpf_insn){ .code = BPF_ST | BPF_MEM | (size),                                     \
			    .dst_reg = BPF_REG_10,                                                 \
			    .off = (short)(offset),                                                \
			    .imm = (int)(value) })
#define SET(reg, value)                                                                            \
	((struct bpf_insn){                                                                        \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (reg), .imm = (int)(value) })
#define COPY(reg, from)                                                                            \
	((struct bpf_insn){                                                                        \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (reg), .src_reg = (from) })
#define ADD(reg, value)                                                                            \
	((struct bpf_insn){ .code = BPF_ALU64 | BPF_ADD | BPF_K, .dst_reg = (reg), .imm = (value) })

/* r0 = bpf_bind(ctx, address, len); the call is refused if that fails. */
static int load_program(const struct address *address, int attach_type)
{
	const int base = -(int)sizeof(struct sockaddr_in6) - 4; /* 28 bytes, 8-aligned */
	struct bpf_insn program[32];
	uint32_t words[sizeof(struct sockaddr_in6) / 4];
	static char log[4096];
	union bpf_attr attr = { .prog_type = BPF_PROG_TYPE_CGROUP_SOCK_ADDR };
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	size_t n = 0;
	int fd;

	memcpy(words, &address->in6, sizeof(words));
	for (size_t i = 0; i < address->len / 4; i++)
		program[n++] = STORE(BPF_W, base + (int)i * 4, words[i]);
	program[n++] = COPY(BPF_REG_2, BPF_REG_10);
	program[n++] = ADD(BPF_REG_2, base);
	program[n++] = SET(BPF_REG_3, address->len);
	program[n++] = (struct bpf_insn){ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_bind };
	program[n++] = (struct bpf_insn){
		.code = BPF_JMP | BPF_JEQ | BPF_K, .dst_reg = BPF_REG_0, .off = 2, .imm = 0
	};
	program[n++] = SET(BPF_REG_0, 0);
	program[n++] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	program[n++] = SET(BPF_REG_0, 1);
	program[n++] = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };

	attr.expected_attach_type = (uint32_t)attach_type;
	attr.insns = (uintptr_t)program;
	attr.insn_cnt = (uint32_t)n;
	attr.license = (uintptr_t) "GPL";
	attr.log_buf = (uintptr_t)log;
	attr.log_size = sizeof(log);
	attr.log_level = 1;
	setrlimit(RLIMIT_MEMLOCK, &unlimited); /* before 5.11; later it is not asked for */
	fd = bpf(BPF_PROG_LOAD, &attr);
	if (fd < 0)
		scenario_fail("cannot load a cgroup program: %s", error_name(errno));
	return fd;
}

/* For connect() in the scenario's own cgroup, until that is removed. */
static void attach_bind(enum place at, int port)
{
	bool inet = scenario_family() == AF_INET;
	int type = inet ? BPF_CGROUP_INET4_CONNECT : BPF_CGROUP_INET6_CONNECT;
	struct address address = address_of(scenario_family(), at, port);
	union bpf_attr attr = { .attach_type = (uint32_t)type };
	int cgroup = open(world_cgroup(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (cgroup < 0)
		scenario_fail("cannot open the cgroup: %s", error_name(errno));
	attr.target_fd = (uint32_t)cgroup;
	attr.attach_bpf_fd = (uint32_t)load_program(&address, type);
	if (bpf(BPF_PROG_ATTACH, &attr))
		scenario_fail("cannot attach a cgroup program: %s", error_name(errno));
	close((int)attr.attach_bpf_fd);
	close(cgroup);
}

static void connect_with_bpf_bind(int bound_port)
{
	struct sock *server = sock_new("server");
	struct sock *client = sock_new("client");

	sock_bind(server, LOOPBACK, PORT, OK);
	sock_listen(server, 8, OK);
	attach_bind(SECOND, bound_port);
	sock_connect_rebound(client, LOOPBACK, PORT, SECOND, bound_port);
	sock_close_pair(client, sock_accept(server, "conn"));
	sock_close(server);
}

static void bpf_bind_port(void)
{
	connect_with_bpf_bind(BOUND_PORT);
}

static void bpf_bind_address(void)
{
	connect_with_bpf_bind(0);
}

static void bpf_bind_udp(void)
{
	struct sock *client = sock_new_udp("client");

	attach_bind(SECOND, BOUND_PORT);
	sock_connect_rebound(client, LOOPBACK, PORT, SECOND, BOUND_PORT);
	sock_close(client);
}

const struct scenario kernel_scenarios[] = {
	{ .name = "kernel_socket", .run = kernel_socket },
	{ .name = "kernel_socket_stays", .run = kernel_socket_stays },
	{ .name = "kernel_socket_in_the_way", .run = kernel_socket_in_the_way },
	{ .name = "bpf_bind_port",
	  .run = bpf_bind_port,
	  .two_addresses = true,
	  .own_cgroup = true },
	{ .name = "bpf_bind_address",
	  .run = bpf_bind_address,
	  .two_addresses = true,
	  .own_cgroup = true },
	{ .name = "bpf_bind_udp", .run = bpf_bind_udp, .two_addresses = true, .own_cgroup = true },
	{ .name = 0 },
};
