// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "tests/live/scenarios_steps.h"

/* Of <linux/sctp.h>, which asks for more than it is worth. */
#define SCTP_ASSOCIATIONS 29
#define SCTP_BINDX_ADD	  100
#define SCTP_PEELOFF	  102
#define SCTP_CONNECTX	  110

/* Sockets that the backend of system calls does not see, or not whole. */
static const char *blind_of(const struct sock *s)
{
	bool ping = s->protocol == IPPROTO_ICMP || s->protocol == IPPROTO_ICMPV6;

	return ping && s->type == SOCK_DGRAM ? NULL : "families";
}

struct sock *step_new(const char *tag, int family, int type, int protocol)
{
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);
	struct sock *s;

	if (fd < 0 && (errno == EPROTONOSUPPORT || errno == EAFNOSUPPORT || errno == ENOPROTOOPT ||
		       errno == ESOCKTNOSUPPORT))
		scenario_skip("absent: %s", error_name(errno));
	if (fd < 0)
		scenario_fail("socket: %s", error_name(errno));
	s = sock_adopt(tag, fd, family, type);
	s->protocol = protocol;
	s->blind = blind_of(s);
	return s;
}

struct address step_unix(const char *path)
{
	struct address a = { .len = 0 };
	size_t len = strlen(path);

	a.un.sun_family = AF_UNIX;
	memcpy(a.un.sun_path, path, len);
	if (*path == '@')
		a.un.sun_path[0] = 0;
	a.len = (socklen_t)(sizeof(sa_family_t) + len);
	return a;
}

struct address step_unix_unnamed(void)
{
	struct address a = { .len = sizeof(sa_family_t) };

	a.un.sun_family = AF_UNIX;
	return a;
}

struct address step_netlink(uint32_t portid)
{
	struct address a = { .len = sizeof(a.nl) };

	a.nl = (struct sockaddr_nl){ .nl_family = AF_NETLINK, .nl_pid = portid };
	return a;
}

struct address step_vsock(uint32_t cid, uint32_t port)
{
	struct address a = { .len = sizeof(a.vm) };

	a.vm = (struct sockaddr_vm){ .svm_family = AF_VSOCK, .svm_cid = cid, .svm_port = port };
	return a;
}

/* The kernel counts the NUL of a path to the name, getsockname() tells it, and nobody wants it. */
static struct address trimmed(struct address a)
{
	if (a.len && a.any.sa_family == AF_UNIX && a.un.sun_path[0] && a.len > sizeof(sa_family_t))
		a.len = (socklen_t)(sizeof(sa_family_t) +
				    strnlen(a.un.sun_path, a.len - sizeof(sa_family_t)));
	return a;
}

/* The call is over: has it given the socket a port or a name? */
static bool take_port(struct call *c, struct sock *s, const char *origin)
{
	int port = s->type == SOCK_RAW && s->family != AF_NETLINK ? 0 : address_port(&c->local);

	c->local = trimmed(c->local);
	c->peer = trimmed(c->peer);
	if (s->holds || !port)
		return false;
	tenure_begin(s, origin, "user", port);
	return true;
}

static struct expected expect_call(const char *event, struct call *c, struct sock *s, int error)
{
	return (struct expected){
		.event = event,
		.s = s,
		.by_call = true,
		.fd = s->fd,
		.error = error,
		.tenure = held_tenure(s),
		.no_tenure = !s->holds,
		.local = s->holds ? &c->local : NULL,
	};
}

/* Both return an association or nothing; what bind() and connect() are for other sockets. */
static int by_bindx(int fd, const struct sockaddr *to, socklen_t len)
{
	return setsockopt(fd, IPPROTO_SCTP, SCTP_BINDX_ADD, to, len) < 0 ? -1 : 0;
}

static int by_connectx(int fd, const struct sockaddr *to, socklen_t len)
{
	return setsockopt(fd, IPPROTO_SCTP, SCTP_CONNECTX, to, len) < 0 ? -1 : 0;
}

static int by_accept(int fd)
{
	return accept4(fd, NULL, NULL, SOCK_CLOEXEC);
}

/* The one association of a socket that may have many becomes a socket of its own. */
static int by_peeling_off(int fd)
{
	struct {
		uint32_t count, id;
	} list = { 0, 0 };
	struct {
		uint32_t id;
		int fd;
	} peeled = { 0, -1 };
	socklen_t len = sizeof(list);
	char message;

	if (recv(fd, &message, 1, 0) < 0 ||
	    getsockopt(fd, IPPROTO_SCTP, SCTP_ASSOCIATIONS, &list, &len) < 0)
		return -1;
	peeled.id = list.id;
	len = sizeof(peeled);
	return getsockopt(fd, IPPROTO_SCTP, SCTP_PEELOFF, &peeled, &len) < 0 ? -1 : peeled.fd;
}

static void bind_by(int (*way)(int, const struct sockaddr *, socklen_t), struct sock *s,
		    struct address to, bool chosen, int error)
{
	struct expected e;
	struct call c;
	bool got;

	call_enter(&c, s, "bind");
	c.requested = to;
	call_return(&c, way(s->fd, &to.any, to.len), error);
	/* after a failure getsockname() of netlink shows the port id that the socket did not get */
	got = !error && take_port(&c, s, chosen ? "bind0" : "bind");
	e = expect_call("bind", &c, s, error);
	e.requested = &c.requested;
	e.no_peer = !error;
	e.searched = got && chosen;
	if (error)
		e.local = NULL;
	if (s->type == SOCK_RAW && !error)
		e.local = &c.local;
	call_expect(&c, e);
	call_print(&c);
}

void step_bind(struct sock *s, struct address to, bool chosen, int error)
{
	bind_by(bind, s, to, chosen, error);
}

void step_bindx(struct sock *s, struct address to, bool chosen, int error)
{
	bind_by(by_bindx, s, to, chosen, error);
}

void step_listen(struct sock *s, int error)
{
	struct expected e;
	struct call c;

	call_enter(&c, s, "listen");
	call_return(&c, listen(s->fd, 4), error);
	take_port(&c, s, "listen");
	e = expect_call("listen", &c, s, error);
	call_expect(&c, e);
	call_print(&c);
}

static void connect_by(int (*way)(int, const struct sockaddr *, socklen_t), struct sock *s,
		       struct address to, int error)
{
	struct expected e;
	struct call c;
	bool got;

	call_enter(&c, s, "connect");
	c.requested = to;
	call_return(&c, way(s->fd, &to.any, to.len), error);
	got = take_port(&c, s, "connect");
	e = expect_call(error ? "connect_failed" : "connect", &c, s, error);
	e.requested = &c.requested;
	e.searched = got;
	if (!error && c.peer.len > sizeof(sa_family_t) && s->family != AF_NETLINK)
		e.peer = &c.peer;
	if (error)
		e.local = NULL;
	call_expect(&c, e);
	call_print(&c);
}

void step_connect(struct sock *s, struct address to, int error)
{
	connect_by(connect, s, to, error);
}

void step_connectx(struct sock *s, struct address to, int error)
{
	connect_by(by_connectx, s, to, error);
}

void step_send(struct sock *s, struct address to, const void *data, size_t len, int error)
{
	struct expected e;
	struct call c;

	call_enter(&c, s, "sendto");
	call_return(&c, (int)sendto(s->fd, data, len, 0, &to.any, to.len), error);
	if (take_port(&c, s, "send")) {
		e = expect_call("send", &c, s, OK);
		e.searched = true;
		/* SCTP takes the address with the association, after it has the port */
		if (s->protocol == IPPROTO_SCTP)
			e.local = NULL;
		call_expect(&c, e);
	}
	call_print(&c);
}

void step_disconnect(struct sock *s, bool loses_port)
{
	struct sockaddr unspecified = { .sa_family = AF_UNSPEC };
	struct tenure *gone = NULL;
	struct expected e = { .event = "disconnect", .s = s, .by_call = true };
	struct call c;

	call_enter(&c, s, "disconnect");
	call_return(&c, connect(s->fd, &unspecified, sizeof(unspecified)), OK);
	if (loses_port)
		gone = tenure_end(s);
	e.tenure = held_tenure(s);
	call_expect(&c, e);
	if (gone)
		call_expect(&c, (struct expected){ .event = "release", .s = s, .tenure = gone });
	call_print(&c);
}

static struct sock *accept_by(int (*way)(int), struct sock *listener, const char *tag)
{
	struct expected e = { .event = "accept", .by_call = true };
	struct call c;
	struct sock *s;
	int fd;

	call_enter(&c, listener, "accept");
	fd = way(listener->fd);
	if (fd < 0)
		scenario_fail("%s: accept: %s", listener->tag, error_name(errno));
	s = sock_child(listener, tag, fd);
	s->protocol = listener->protocol;
	c.s = s;
	call_return(&c, fd, OK);
	c.local = trimmed(c.local);
	e.s = s;
	e.tenure = held_tenure(s);
	e.local = &c.local;
	call_expect(&c, e);
	call_print(&c);
	return s;
}

struct sock *step_accept(struct sock *listener, const char *tag)
{
	return accept_by(by_accept, listener, tag);
}

struct sock *step_peel_off(struct sock *many, const char *tag)
{
	return accept_by(by_peeling_off, many, tag);
}

static void close_it(struct sock *s, bool late)
{
	struct call c;
	struct tenure *held = held_tenure(s);
	int fd = s->fd;

	call_enter(&c, s, "close");
	s->fd = -1;
	call_return(&c, close(fd), OK);
	call_expect(&c, (struct expected){ .event = "close",
					   .s = s,
					   .tenure = late ? NULL : held,
					   .before_ns = late ? 0 : c.returned_ns });
	held = tenure_end(s);
	/* the peer may have ended the connection, and with it the port, before */
	if (held)
		call_expect(&c, (struct expected){ .event = "release",
						   .s = s,
						   .tenure = held,
						   .after_ns = late ? s->created_ns : 0 });
	call_print(&c);
	life_print(s, "false");
}

void step_close(struct sock *s)
{
	close_it(s, false);
}

void step_close_late(struct sock *s)
{
	close_it(s, true);
}
