// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * sockets.c owns what a thread of the workload does: it draws an operation, makes it, and notes
 * what came of it. What is drawn depends on the seed alone; what fails is part of the workload.
 */
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/oracle/oracle.h"

#define NAMED_PORT_FIRST 10000
#define NAMED_PORTS	 48 /* few: they shall collide */
#define CLOSED_PORT	 9

/* --- random numbers ------------------------------------------------------------------------ */

static uint32_t draw(struct thread *t, uint32_t below)
{
	/* xorshift64* */
	t->random ^= t->random >> 12;
	t->random ^= t->random << 25;
	t->random ^= t->random >> 27;
	return (uint32_t)((t->random * UINT64_C(2685821657736338717)) >> 32) % below;
}

static bool chance(struct thread *t, uint32_t percent)
{
	return draw(t, 100) < percent;
}

/* --- addresses ----------------------------------------------------------------------------- */

static struct address make_address(int family, const char *text, uint16_t port)
{
	struct address a = { .len = family == AF_INET ? sizeof(a.in) : sizeof(a.in6) };

	a.any.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		a.in.sin_port = htons(port);
		inet_pton(family, text, &a.in.sin_addr);
	} else {
		a.in6.sin6_port = htons(port);
		inet_pton(family, text, &a.in6.sin6_addr);
	}
	return a;
}

static uint16_t port_of(const struct address *a)
{
	return ntohs(a->any.sa_family == AF_INET ? a->in.sin_port : a->in6.sin6_port);
}

static struct address local_address(struct thread *t, int family, uint16_t port)
{
	static const char *const four[] = { "0.0.0.0",	 "127.0.0.1", "127.0.0.1", "127.0.0.2",
					    "127.0.0.3", "0.0.0.0",   "0.0.0.0",   "192.0.2.1" };
	static const char *const six[] = { "::", "::1", "::1", "::ffff:127.0.0.1",
					   "::", "::1", "::",  "2001:db8::1" };

	return make_address(family, (family == AF_INET ? four : six)[draw(t, 8)], port);
}

static uint16_t named_port(struct thread *t)
{
	return (uint16_t)(NAMED_PORT_FIRST + draw(t, NAMED_PORTS));
}

static bool is_any(const struct address *a)
{
	if (a->any.sa_family == AF_INET)
		return a->in.sin_addr.s_addr == htonl(INADDR_ANY);
	return IN6_IS_ADDR_UNSPECIFIED(&a->in6.sin6_addr);
}

/* Where somebody may be listening: another thread's socket, a port that is often bound, nobody's.
 */
static struct address peer_address(struct thread *t, const struct object *o)
{
	uint32_t where = draw(t, 100), first = draw(t, MAX_THREADS * SLOTS);
	uint16_t port = named_port(t);

	for (uint32_t i = 0; where < 80 && i < MAX_THREADS * SLOTS; i++) {
		uint32_t n = (first + i) % (MAX_THREADS * SLOTS);
		const struct target *target = &t->shared->targets[n / SLOTS][n % SLOTS];

		if (!atomic_load(&target->valid) || target->ns != o->ns ||
		    target->protocol != o->protocol || target->address.any.sa_family != o->family)
			continue;
		if (!is_any(&target->address))
			return target->address;
		port = port_of(&target->address);
		break;
	}
	if (where >= 90)
		port = CLOSED_PORT;
	if (o->family == AF_INET)
		return make_address(AF_INET, chance(t, 70) ? "127.0.0.1" : "127.0.0.2", port);
	return make_address(AF_INET6, chance(t, 70) ? "::1" : "::ffff:127.0.0.1", port);
}

/* --- what is known of a socket ------------------------------------------------------------- */

static void lock(struct object *o)
{
	while (atomic_exchange(&o->lock, 1))
		sched_yield();
}

static void unlock(struct object *o)
{
	atomic_store(&o->lock, 0);
}

/* A call that succeeded makes this process the one that holds; one that failed may have. */
static void note_actor(struct object *o, int pid, bool succeeded)
{
	int i;

	if (succeeded) {
		memset(o->actors, 0, sizeof(o->actors));
		o->actors[0] = pid;
		return;
	}
	for (i = 0; i < ACTORS && o->actors[i]; i++) {
		if (o->actors[i] == pid)
			return;
	}
	if (i < ACTORS)
		o->actors[i] = pid;
}

static void note(struct thread *t, const char *what, const struct object *o, int fd, int result)
{
	struct address local = { .len = sizeof(local.in6) };
	int error = result < 0 ? errno : 0;

	if (fd >= 0)
		getsockname(fd, &local.any, &local.len);
	fprintf(t->log,
		"%llu pid %d tid %d op %u %s cookie %llu ns %d proto %d fd %d = %d %s port %u\n",
		(unsigned long long)clock_ns(), getpid(), t->tid, ++t->operation, what,
		(unsigned long long)o->cookie, o->ns, o->protocol, fd, result,
		error ? strerrorname_np(error) : "", port_of(&local));
	errno = error;
}

static int option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

static struct object *object_of(struct thread *t, int fd, int ns, int family, int protocol)
{
	unsigned int n = atomic_fetch_add(&t->shared->objects_len, 1);
	socklen_t len = sizeof(uint64_t);
	struct object *o;

	if (n >= t->shared->objects_max)
		errx(1, "no room for more sockets");
	o = &t->shared->objects[n];
	o->ns = ns;
	o->family = family;
	o->protocol = protocol;
	if (getsockopt(fd, SOL_SOCKET, SO_COOKIE, &o->cookie, &len))
		err(1, "SO_COOKIE");
	return o;
}

static int tcp_state(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) ? 0 : info.tcpi_state;
}

static struct slot *empty_slot(struct thread *t, unsigned int among)
{
	for (unsigned int i = 0; i < among; i++) {
		if (!t->slots[i].object)
			return &t->slots[i];
	}
	return NULL;
}

static void fill_slot(struct slot *s, struct object *o, int fd)
{
	*s = (struct slot){ .object = o, .fd = { fd, -1 } };
}

static struct target *target_of(struct thread *t, const struct slot *s)
{
	size_t n = (size_t)(s - t->slots);

	return n < SLOTS ? &t->shared->targets[t->number][n] : NULL;
}

static void unlist(struct thread *t, struct slot *s)
{
	struct target *target = target_of(t, s);

	if (target)
		atomic_store(&target->valid, 0);
	s->listening = false;
}

static void list(struct thread *t, struct slot *s)
{
	struct target *target = target_of(t, s);
	struct address local = { .len = sizeof(local.in6) };

	if (!target || getsockname(s->fd[0], &local.any, &local.len))
		return;
	atomic_store(&target->valid, 0);
	target->ns = s->object->ns;
	target->protocol = s->object->protocol;
	target->address = local;
	atomic_store(&target->valid, 1);
}

/* --- operations ---------------------------------------------------------------------------- */

static int draw_protocol(struct thread *t)
{
	uint32_t n = draw(t, 10);

	if ((t->protocols & WITH_UDPLITE) && n == 0)
		return IPPROTO_UDPLITE;
	if ((t->protocols & WITH_UDP) && (n < 4 || !(t->protocols & WITH_TCP)))
		return IPPROTO_UDP;
	return IPPROTO_TCP;
}

static void op_socket(struct thread *t, struct slot *s)
{
	int family = chance(t, 50) ? AF_INET : AF_INET6;
	int protocol = draw_protocol(t);
	int type = (protocol == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK;
	uint32_t options = draw(t, 16);
	int fd = socket(family, type, protocol);

	if (fd < 0 && protocol == IPPROTO_UDPLITE) /* not since 7.1 */
		fd = socket(family, type, protocol = IPPROTO_UDP);
	if (fd < 0)
		err(1, "socket");
	if (options & 1)
		option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if ((options & 6) == 6)
		option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (options >= 14)
		option(fd, SOL_IP, IP_BIND_ADDRESS_NO_PORT, 1);
	if (family == AF_INET6 && chance(t, 30))
		option(fd, SOL_IPV6, IPV6_V6ONLY, 1);
	fill_slot(s, object_of(t, fd, t->ns, family, protocol), fd);
	note_actor(s->object, t->pid, true);
	note(t, "socket", s->object, fd, fd);
}

static int call_bind(struct thread *t, struct object *o, int fd, int pid, uint16_t port)
{
	struct address a = local_address(t, o->family, port);
	int result = bind(fd, &a.any, a.len);

	note(t, port ? "bind" : "bind0", o, fd, result);
	note_actor(o, pid, !result);
	if (!result && port)
		o->port_named = true;
	if (!result && !port) {
		struct address got = { .len = sizeof(got.in6) };

		/* without a port: IP_BIND_ADDRESS_NO_PORT */
		getsockname(fd, &got.any, &got.len);
		o->port_idle = port_of(&got) != 0;
	}
	return result;
}

static int call_listen(struct thread *t, struct object *o, int fd, int pid)
{
	int result = listen(fd, (int)draw(t, 12));

	note(t, "listen", o, fd, result);
	note_actor(o, pid, !result);
	if (!result)
		o->port_idle = o->shut = false;
	return result;
}

/*
 * What a call that connects did to the port from bind(0). Only what reaches SYN_SENT gives it up on
 * the way back to CLOSE; where an attempt has been made before, its outcome is all one gets.
 */
static void note_attempt(struct object *o, bool succeeded, int error)
{
	bool under_way = succeeded || error == EINPROGRESS;
	bool attempt = under_way || error == ECONNREFUSED || error == ECONNRESET ||
		       error == EADDRNOTAVAIL || error == ETIMEDOUT;

	if (error == EALREADY)
		return;
	if (attempt && !o->pending)
		o->port_idle = o->shut = false;
	o->pending = error == EINPROGRESS;
}

static int call_connect(struct thread *t, struct object *o, int fd, int pid)
{
	struct address a = peer_address(t, o);
	bool fresh = o->protocol != IPPROTO_TCP || tcp_state(fd) == TCP_CLOSE;
	int result = connect(fd, &a.any, a.len);

	note(t, "connect", o, fd, result);
	note_actor(o, pid, fresh && (!result || errno == EINPROGRESS));
	note_attempt(o, !result, result ? errno : 0);
	return result;
}

static void op_bind(struct thread *t, struct slot *s)
{
	call_bind(t, s->object, s->fd[0], t->pid, chance(t, 50) ? named_port(t) : 0);
}

static void op_listen(struct thread *t, struct slot *s)
{
	if (call_listen(t, s->object, s->fd[0], t->pid))
		return;
	s->listening = true;
	list(t, s);
}

static void op_connect(struct thread *t, struct slot *s)
{
	if (s->listening && chance(t, 80))
		return;
	call_connect(t, s->object, s->fd[0], t->pid);
}

static void op_disconnect(struct thread *t, struct slot *s)
{
	struct sockaddr a = { .sa_family = AF_UNSPEC };
	bool active = s->object->protocol == IPPROTO_TCP && tcp_state(s->fd[0]) != TCP_CLOSE;
	int result = connect(s->fd[0], &a, sizeof(a));

	note(t, "disconnect", s->object, s->fd[0], result);
	note_actor(s->object, t->pid, !result);
	if (!result && active)
		s->object->port_idle = false;
	if (!result) {
		s->object->pending = false;
		unlist(t, s);
	}
}

static void op_accept(struct thread *t, struct slot *s)
{
	struct slot *room = empty_slot(t, SLOTS);
	unsigned int first = draw(t, SLOTS);
	int fd;

	for (unsigned int i = 0; i < SLOTS && !s->listening; i++)
		s = &t->slots[(first + i) % SLOTS];
	if (!room || !s->object)
		return;
	fd = accept4(s->fd[0], NULL, NULL, SOCK_NONBLOCK);
	if (fd >= 0) {
		note_actor(s->object, t->pid, false);
		fill_slot(room, object_of(t, fd, s->object->ns, s->object->family, IPPROTO_TCP),
			  fd);
		note_actor(room->object, t->pid, true);
	}
	note(t, "accept", fd >= 0 ? room->object : s->object, fd, fd);
}

static void op_send(struct thread *t, struct slot *s)
{
	struct address a = peer_address(t, s->object);
	bool tcp = s->object->protocol == IPPROTO_TCP;
	int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
	ssize_t result;

	if (tcp && (t->protocols & WITH_FASTOPEN) && chance(t, 30)) {
		result = sendto(s->fd[0], "x", 1, flags | MSG_FASTOPEN, &a.any, a.len);
		note(t, "fastopen", s->object, s->fd[0], (int)result);
		note_actor(s->object, t->pid, false);
		note_attempt(s->object, result >= 0, result < 0 ? errno : 0);
		return;
	}
	if (tcp || chance(t, 30))
		result = send(s->fd[0], "x", 1, flags);
	else
		result = sendto(s->fd[0], "x", 1, flags, &a.any, a.len);
	note(t, "send", s->object, s->fd[0], (int)result);
	if (!tcp)
		note_actor(s->object, t->pid, false);
}

static void op_shutdown(struct thread *t, struct slot *s)
{
	static const int hows[] = { SHUT_WR, SHUT_WR, SHUT_RD, SHUT_RDWR };
	int before = s->object->protocol == IPPROTO_TCP ? tcp_state(s->fd[0]) : 0;
	int result = shutdown(s->fd[0], hows[draw(t, 4)]);

	note(t, "shutdown", s->object, s->fd[0], result);
	if ((before == TCP_LISTEN || before == TCP_SYN_SENT) && tcp_state(s->fd[0]) == TCP_CLOSE) {
		s->object->shut = true;
		s->object->pending = false;
	}
	if (s->listening && tcp_state(s->fd[0]) != TCP_LISTEN)
		unlist(t, s);
}

static void close_slot(struct thread *t, struct slot *s, bool reset)
{
	struct linger linger = { .l_onoff = 1 };
	int fd = s->fd[0];

	if (reset)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	note(t, reset ? "reset" : "close", s->object, fd, 0);
	close(fd);
	s->fd[0] = s->fd[1];
	s->fd[1] = -1;
	if (s->fd[0] >= 0)
		return;
	unlist(t, s);
	s->object = NULL;
}

static void op_duplicate(struct thread *t, struct slot *s)
{
	if (s->fd[1] >= 0)
		return;
	s->fd[1] = fcntl(s->fd[0], F_DUPFD_CLOEXEC, 0);
	note(t, "dup", s->object, s->fd[0], s->fd[1]);
}

/* A child that inherits the descriptor and acts on it. What it writes to the log is flushed. */
static void op_fork(struct thread *t, struct slot *s)
{
	uint32_t what = draw(t, 3);
	pid_t child;

	fflush(t->log);
	child = fork();
	if (child < 0)
		err(1, "fork");
	if (!child) {
		if (what == 0)
			call_bind(t, s->object, s->fd[0], getpid(), named_port(t));
		else if (what == 1)
			call_connect(t, s->object, s->fd[0], getpid());
		else
			call_listen(t, s->object, s->fd[0], getpid());
		fflush(t->log);
		_exit(0);
	}
	draw(t, 1);
	waitpid(child, NULL, 0);
	if (s->object->protocol == IPPROTO_TCP && tcp_state(s->fd[0]) == TCP_LISTEN) {
		s->listening = true;
		list(t, s);
	}
}

/* --- descriptors that go to another process ------------------------------------------------ */

union control {
	char room[CMSG_SPACE(sizeof(int))];
	struct cmsghdr align;
};

static void op_pass(struct thread *t, struct slot *s)
{
	union control control = { 0 };
	struct iovec body = { .iov_base = &s->object, .iov_len = sizeof(s->object) };
	struct msghdr message = { .msg_iov = &body,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = sizeof(control.room) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	ssize_t result;

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &s->fd[0], sizeof(int));
	result = sendmsg(t->mail_out, &message, MSG_DONTWAIT);
	note(t, "pass", s->object, s->fd[0], (int)result);
	s->object->passed = true;
}

static bool take(struct thread *t, unsigned int among)
{
	struct slot *s = empty_slot(t, among);
	struct object *o = NULL;
	union control control;
	struct iovec body = { .iov_base = &o, .iov_len = sizeof(o) };
	struct msghdr message = { .msg_iov = &body,
				  .msg_iovlen = 1,
				  .msg_control = control.room,
				  .msg_controllen = sizeof(control.room) };
	int fd;

	if (!s && among < HELD_MAX)
		return false;
	if (recvmsg(t->mail_in, &message, MSG_DONTWAIT) != sizeof(o) || !CMSG_FIRSTHDR(&message))
		return false;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	note(t, "take", o, fd, fd);
	if (s)
		fill_slot(s, o, fd);
	else
		close(fd);
	return true;
}

void sockets_drain(struct thread *t)
{
	while (take(t, HELD_MAX))
		;
	fflush(t->log);
}

/* --- the choice ---------------------------------------------------------------------------- */

static void op_close(struct thread *t, struct slot *s)
{
	close_slot(t, s, s->object->protocol == IPPROTO_TCP && chance(t, 85));
}

static const struct {
	unsigned int weight;
	void (*make)(struct thread *t, struct slot *s);
} operations[] = {
	{ 16, op_bind },     { 12, op_listen }, { 24, op_connect }, { 4, op_disconnect },
	{ 14, op_accept },   { 10, op_send },	{ 4, op_shutdown }, { 20, op_close },
	{ 2, op_duplicate }, { 2, op_pass },	{ 1, op_fork },
};

static unsigned int draw_operation(struct thread *t)
{
	uint32_t sum = 0, n;
	unsigned int i;

	for (i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
		sum += operations[i].weight;
	n = draw(t, sum);
	for (i = 0; n >= operations[i].weight; i++)
		n -= operations[i].weight;
	return i;
}

static void draw_and_make(struct thread *t)
{
	struct slot *s = &t->slots[draw(t, SLOTS)];
	unsigned int operation = draw_operation(t);
	struct object *o = s->object;

	if (!o) {
		if (!chance(t, 30) || !take(t, SLOTS))
			op_socket(t, s);
		return;
	}
	lock(o);
	operations[operation].make(t, s);
	unlock(o);
}

/* What is drawn may find nothing to do: then there is another draw. */
void sockets_operate(struct thread *t)
{
	unsigned int before = t->operation;

	for (unsigned int i = SLOTS; i < HELD_MAX; i++) {
		while (t->slots[i].object)
			close_slot(t, &t->slots[i], false);
	}
	while (t->operation == before)
		draw_and_make(t);
}

/* --- what the thread has ------------------------------------------------------------------- */

static void report(const struct thread *t, const struct slot *s, struct held *held)
{
	*held = (struct held){
		.object = s->object,
		.pid = t->pid,
		.tid = t->tid,
		.fds = s->fd[1] >= 0 ? 2 : 1,
		.state = s->object->protocol == IPPROTO_TCP ? tcp_state(s->fd[0]) : 0,
		.local.len = sizeof(held->local.in6),
		.peer.len = sizeof(held->peer.in6),
	};
	getsockname(s->fd[0], &held->local.any, &held->local.len);
	held->has_peer = !getpeername(s->fd[0], &held->peer.any, &held->peer.len);
}

void sockets_report(struct thread *t)
{
	int len = 0;

	for (unsigned int i = 0; i < HELD_MAX; i++) {
		if (t->slots[i].object)
			report(t, &t->slots[i], &t->shared->held[t->number][len++]);
	}
	t->shared->held_len[t->number] = len;
	fflush(t->log);
}
