/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/lesson/perform.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "user/lesson/run.h"
#include "user/lesson/world.h"

#define PATIENCE_MS	 3000 /* for a connection or a byte that should be there already */
#define LESSON_SECONDS	 60   /* then the process ends itself: nothing here takes long */
#define LOCAL_PORT_RANGE 51   /* IP_LOCAL_PORT_RANGE, <linux/in.h> of 6.3 */

/* What the calls so far have left. */
struct stage {
	struct {
		const char *name;
		int fd;
	} sockets[LESSON_SOCKETS_MAX];
	size_t sockets_len;
	unsigned int addresses;
	uint16_t told;
};

struct address {
	struct sockaddr_storage storage;
	socklen_t len;
};

static uint64_t now_ns(void)
{
	struct timespec ts = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000U + (uint64_t)ts.tv_nsec;
}

static int *stage_socket(struct stage *stage, const char *name)
{
	for (size_t i = 0; i < stage->sockets_len; i++)
		if (!strcmp(stage->sockets[i].name, name))
			return &stage->sockets[i].fd;
	return NULL;
}

static int stage_fd(struct stage *stage, const char *name)
{
	const int *fd = name ? stage_socket(stage, name) : NULL;

	return fd ? *fd : -1;
}

static int stage_add(struct stage *stage, const char *name, int fd)
{
	if (fd < 0)
		return -errno;
	if (stage->sockets_len == LESSON_SOCKETS_MAX) {
		close(fd);
		return -EMFILE;
	}
	stage->sockets[stage->sockets_len].name = name;
	stage->sockets[stage->sockets_len++].fd = fd;
	return fd;
}

static int family_of(int fd)
{
	int family = AF_UNSPEC;
	socklen_t len = sizeof(family);

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	return family;
}

static uint16_t port_of(int fd)
{
	struct sockaddr_in6 sin6 = { .sin6_port = 0 };
	socklen_t len = sizeof(sin6);

	/* sin_port and sin6_port are in the same place */
	return getsockname(fd, (struct sockaddr *)&sin6, &len) ? 0 : ntohs(sin6.sin6_port);
}

static int unix_address(struct address *a, const char *name)
{
	struct sockaddr_un *sun = (struct sockaddr_un *)&a->storage;
	size_t len = strlen(name);

	if (len >= sizeof(sun->sun_path))
		return -EINVAL;
	memcpy(sun->sun_path, name, len);
	if (*name == '@')
		sun->sun_path[0] = '\0';
	a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return 0;
}

/* The kernel as the one to talk with, or any port. */
static int other_address(struct address *a, int family)
{
	struct sockaddr_vm *svm = (struct sockaddr_vm *)&a->storage;

	a->len = sizeof(struct sockaddr_nl);
	if (family == AF_NETLINK)
		return 0;
	a->len = sizeof(*svm);
	svm->svm_cid = VMADDR_CID_ANY;
	svm->svm_port = VMADDR_PORT_ANY;
	return 0;
}

/* The address that a step names, for a socket of fd's family. */
static int step_address(struct stage *stage, const struct step *s, int fd, struct address *a)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)&a->storage;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)&a->storage;
	uint16_t port = s->port;
	int family = family_of(fd);

	if (s->port_of)
		port = strcmp(s->port_of, TOLD) ? port_of(stage_fd(stage, s->port_of))
						: stage->told;
	memset(a, 0, sizeof(*a));
	a->storage.ss_family = (sa_family_t)family;
	if (family == AF_UNIX)
		return unix_address(a, s->addr);
	if (family == AF_NETLINK || family == AF_VSOCK)
		return other_address(a, family);
	sin->sin_port = htons(port);
	a->len = family == AF_INET6 ? sizeof(*sin6) : sizeof(*sin);
	if (family == AF_INET6)
		return inet_pton(AF_INET6, s->addr, &sin6->sin6_addr) == 1 ? 0 : -EINVAL;
	return inet_pton(AF_INET, s->addr, &sin->sin_addr) == 1 ? 0 : -EINVAL;
}

static int set_option(int fd, const struct step *s)
{
	static const struct {
		int level, name;
	} options[] = {
		[OPTION_REUSEADDR] = { SOL_SOCKET, SO_REUSEADDR },
		[OPTION_REUSEPORT] = { SOL_SOCKET, SO_REUSEPORT },
		[OPTION_NO_PORT] = { IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT },
		[OPTION_RANGE] = { IPPROTO_IP, LOCAL_PORT_RANGE },
	};

	return setsockopt(fd, options[s->option].level, options[s->option].name, &s->value,
			  sizeof(s->value))
		       ? -errno
		       : 0;
}

static int await(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return poll(&p, 1, PATIENCE_MS) == 1 ? 0 : -EAGAIN;
}

static int call_accept(struct stage *stage, const struct step *s)
{
	int fd = stage_fd(stage, s->from);
	int err = fd < 0 ? -EBADF : await(fd);

	return err ? err : stage_add(stage, s->socket, accept4(fd, NULL, NULL, SOCK_CLOEXEC));
}

/* A datagram with something in it: an echo request where that is what the protocol carries. */
static int call_send_to(int fd, const struct address *a)
{
	static const unsigned char echo[] = { 8, 0, 0xf7, 0xff, 0, 0, 0, 0 };
	int protocol = 0;
	socklen_t len = sizeof(protocol);
	ssize_t sent;

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	sent = protocol == IPPROTO_ICMP && family_of(fd) == AF_INET
		       ? sendto(fd, echo, sizeof(echo), 0, (const struct sockaddr *)&a->storage,
				a->len)
		       : sendto(fd, "hi", 2, 0, (const struct sockaddr *)&a->storage, a->len);
	return sent < 0 ? -errno : (int)sent;
}

static int call_send_port(struct stage *stage, const struct step *s, int fd)
{
	char text[8];
	int len = snprintf(text, sizeof(text), "%u", port_of(stage_fd(stage, s->port_of)));
	ssize_t sent = send(fd, text, (size_t)len, MSG_NOSIGNAL);

	return sent < 0 ? -errno : (int)sent;
}

static int call_hear_port(struct stage *stage, int fd)
{
	char text[8] = "";
	int err = await(fd);

	if (err)
		return err;
	if (recv(fd, text, sizeof(text) - 1, 0) < 0)
		return -errno;
	stage->told = (uint16_t)strtoul(text, NULL, 10);
	return stage->told;
}

static int call_close(struct stage *stage, const char *name)
{
	int *fd = stage_socket(stage, name);
	int err = fd && !close(*fd) ? 0 : -EBADF;

	if (fd)
		*fd = -1;
	return err;
}

static int call_name(int fd, bool peer)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	int err = peer ? getpeername(fd, (struct sockaddr *)&ss, &len)
		       : getsockname(fd, (struct sockaddr *)&ss, &len);

	return err ? -errno : 0;
}

static int call_addressed(struct stage *stage, const struct step *s, int fd)
{
	struct address a;
	int err = step_address(stage, s, fd, &a);

	if (err)
		return err;
	if (s->op == STEP_SEND_TO)
		return call_send_to(fd, &a);
	err = s->op == STEP_BIND ? bind(fd, (const struct sockaddr *)&a.storage, a.len)
				 : connect(fd, (const struct sockaddr *)&a.storage, a.len);
	return err ? -errno : 0;
}

/* What a call on the lesson's world returned; *other: as wire_step.other. */
static int call_world(struct stage *stage, const struct step *s, int *other)
{
	int numbers[2] = { 0 }, err;
	size_t count;

	switch (s->op) {
	case STEP_SETTING:
		return world_write_setting(s->text, s->set_to);
	case STEP_READ_SETTING:
		err = world_read_setting(s->text, numbers, &count);
		if (err)
			return err;
		*other = count == 2 ? numbers[1] : -1;
		return numbers[0];
	case STEP_ADDRESS:
		return world_add_address(s->addr, ++stage->addresses);
	case STEP_PRIVILEGE:
		return world_set_privilege(s->value);
	default:
		return 0;
	}
}

/* Makes the call; returns what it returned or minus its errno. */
static int call(struct stage *stage, const struct step *s, int fd)
{
	if (fd < 0 && s->op != STEP_SOCKET && s->op != STEP_ACCEPT)
		return -EBADF; /* the kernel may not have the socket's family */
	switch (s->op) {
	case STEP_SOCKET:
		if (s->text && !world_has_protocol(s->text))
			return -EPROTONOSUPPORT;
		return stage_add(stage, s->socket,
				 socket(s->family, s->type | SOCK_CLOEXEC, s->protocol));
	case STEP_OPTION:
		return set_option(fd, s);
	case STEP_BIND:
	case STEP_CONNECT:
	case STEP_SEND_TO:
		return call_addressed(stage, s, fd);
	case STEP_LISTEN:
		return listen(fd, 5) ? -errno : 0;
	case STEP_ACCEPT:
		return call_accept(stage, s);
	case STEP_SEND_PORT:
		return call_send_port(stage, s, fd);
	case STEP_HEAR_PORT:
		return call_hear_port(stage, fd);
	case STEP_GETSOCKNAME:
	case STEP_GETPEERNAME:
		return call_name(fd, s->op == STEP_GETPEERNAME);
	case STEP_CLOSE:
		return call_close(stage, s->socket);
	default:
		return -ENOSYS;
	}
}

/* What has a number instead of a port: port is 1 if it has one. */
static void place_of_number(struct wire_place *place, const struct sockaddr_storage *ss)
{
	const struct sockaddr_nl *snl = (const struct sockaddr_nl *)ss;
	const struct sockaddr_vm *svm = (const struct sockaddr_vm *)ss;

	if (ss->ss_family == AF_NETLINK) {
		memcpy(place->addr, &snl->nl_pid, sizeof(snl->nl_pid));
		place->port = snl->nl_pid != 0;
	} else if (ss->ss_family == AF_VSOCK && svm->svm_port != VMADDR_PORT_ANY) {
		memcpy(place->addr, &svm->svm_cid, sizeof(svm->svm_cid));
		memcpy(place->addr + 4, &svm->svm_port, sizeof(svm->svm_port));
		place->port = 1;
	}
}

static void place_of(struct wire_place *place, int fd, bool peer)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);

	*place = (struct wire_place){ 0 };
	if (fd < 0 || (peer ? getpeername(fd, (struct sockaddr *)&ss, &len)
			    : getsockname(fd, (struct sockaddr *)&ss, &len)))
		return;
	if (peer && ss.ss_family == AF_NETLINK)
		return; /* the kernel, which is nobody in particular */
	place->family = ss.ss_family;
	place_of_number(place, &ss);
	if (ss.ss_family == AF_INET) {
		memcpy(place->addr, &((struct sockaddr_in *)&ss)->sin_addr, 4);
		place->port = ntohs(((struct sockaddr_in *)&ss)->sin_port);
	} else if (ss.ss_family == AF_INET6) {
		memcpy(place->addr, &((struct sockaddr_in6 *)&ss)->sin6_addr, 16);
		place->port = ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
	} else if (ss.ss_family == AF_UNIX) {
		place->port = (uint16_t)(len - offsetof(struct sockaddr_un, sun_path));
		memcpy(place->addr, ((struct sockaddr_un *)&ss)->sun_path,
		       place->port < 16 ? place->port : 16);
	}
}

/* A record of one step, written in one piece. */
static void tell(int results, const struct lesson *lesson, struct wire_step *step)
{
	_Alignas(8) unsigned char record[PERFORM_RECORD_MAX] = { 0 };
	size_t len = strlen(lesson->name);

	step->program = lesson_program(lesson);
	step->text_len = (uint16_t)len;
	step->head.kind = WIRE_STEP;
	step->head.version = WIRE_VERSION;
	step->head.len_bytes = (uint16_t)((sizeof(*step) + len + 7) & ~7UL);
	memcpy(record, step, sizeof(*step));
	memcpy(record + sizeof(*step), lesson->name, len);
	if (write(results, record, step->head.len_bytes) != step->head.len_bytes)
		_exit(1);
}

static void make_step(struct stage *stage, const struct lesson *lesson, size_t number, int results)
{
	const struct step *s = &lesson->steps[number];
	struct wire_step step = { .number = (uint16_t)number, .other = -1 };
	int fd = stage_fd(stage, s->socket);

	if (s->op == STEP_NOTE)
		return;
	place_of(&step.before, fd, false);
	step.head.ts_ns = now_ns();
	step.result = s->socket ? call(stage, s, fd) : call_world(stage, s, &step.other);
	step.end_ns = now_ns();
	fd = stage_fd(stage, s->socket);
	if (s->socket)
		step.other = fd;
	place_of(&step.after, fd, false);
	place_of(&step.peer, fd, true);
	tell(results, lesson, &step);
}

static void perform(const struct lesson *lesson, int results)
{
	struct stage stage = { .sockets_len = 0 };
	struct wire_step end = { .number = (uint16_t)lesson->steps_len, .other = -1 };
	int err;

	alarm(LESSON_SECONDS);
	prctl(PR_SET_NAME, lesson->name); /* its first 15 bytes: who it was, in what is told */
	err = world_enter();
	for (size_t i = 0; i < lesson->steps_len && !err; i++)
		make_step(&stage, lesson, i, results);
	end.head.ts_ns = now_ns();
	end.result = err;
	for (size_t i = 0; i < stage.sockets_len; i++)
		if (stage.sockets[i].fd >= 0)
			close(stage.sockets[i].fd);
	end.end_ns = now_ns();
	tell(results, lesson, &end);
	alarm(0);
}

static void __attribute__((noreturn)) perform_orders(int orders, int results)
{
	size_t len;
	const struct lesson *const *lessons = lessons_all(&len);
	unsigned char number;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* a terminal's Ctrl-C goes to both: whoever gave the orders ends the lesson */
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while (read(orders, &number, 1) == 1 && number && number <= len)
		perform(lessons[number - 1], results);
	_exit(0);
}

int performer_start(struct performer *p)
{
	int orders[2], results[2], err;

	*p = (struct performer){ .orders = -1, .results = -1 };
	if (pipe2(orders, O_CLOEXEC))
		return -errno;
	if (pipe2(results, O_CLOEXEC)) {
		err = -errno;
		close(orders[0]);
		close(orders[1]);
		return err;
	}
	p->pid = fork();
	err = p->pid < 0 ? -errno : 0;
	if (!p->pid) {
		close(orders[1]);
		close(results[0]);
		perform_orders(orders[0], results[1]);
	}
	close(orders[0]);
	close(results[1]);
	p->orders = orders[1];
	p->results = results[0];
	if (!err && fcntl(p->results, F_SETFL, O_NONBLOCK))
		err = -errno;
	if (p->pid < 0)
		p->pid = 0;
	if (err)
		performer_free(p);
	return err;
}

int performer_order(struct performer *p, size_t number)
{
	unsigned char byte = (unsigned char)number;

	return write(p->orders, &byte, 1) == 1 ? 0 : -errno;
}

/* Reads until there are so many bytes of the record. False: not yet, or never. */
static bool performer_read(struct performer *p, size_t wanted, bool *ended)
{
	while (p->got < wanted) {
		ssize_t n = read(p->results, p->record + p->got, wanted - p->got);

		if (n < 0 && errno == EINTR)
			continue;
		*ended = !n || (n < 0 && errno != EAGAIN);
		if (n <= 0)
			return false;
		p->got += (size_t)n;
	}
	return true;
}

const struct wire_step *performer_next(struct performer *p, bool *ended)
{
	const struct wire_step *step = (const struct wire_step *)p->record;

	*ended = false;
	if (!performer_read(p, sizeof(*step), ended))
		return NULL;
	*ended = step->head.len_bytes > sizeof(p->record); /* not ours */
	if (*ended || !performer_read(p, step->head.len_bytes, ended))
		return NULL;
	p->got = 0;
	return step;
}

void performer_free(struct performer *p)
{
	if (p->orders >= 0)
		close(p->orders);
	if (p->results >= 0)
		close(p->results);
	p->orders = p->results = -1;
	if (p->pid > 0) {
		kill(p->pid, SIGKILL);
		waitpid(p->pid, NULL, 0);
	}
	p->pid = 0;
}
