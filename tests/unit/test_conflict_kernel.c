/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_conflict_kernel.c: conflict_rule() against the kernel that runs, with real sockets on the
 * loopback device: every pair of addresses, options and states must get the same answer from both.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <unistd.h>

#include "tests/unit/records.h"
#include "user/core/conflict.h"

#define ADDR WIRE_O_REUSEADDR
#define PORT WIRE_O_REUSEPORT

static const struct {
	const char *text;
	bool v6only;
} addresses[] = {
	{ "0.0.0.0", false },	{ "127.0.0.1", false },
	{ "127.0.0.2", false }, { "::", false },
	{ "::", true },		{ "::1", false },
	{ "::1", true },	{ "::ffff:127.0.0.1", false },
};
#define ADDRESSES (sizeof(addresses) / sizeof(addresses[0]))

/* What a socket is made with. */
struct making {
	size_t address;
	uint16_t options;
	bool on_device;
	int type;
};

static void set(int fd, int level, int name)
{
	static const int one = 1;

	assert_int_equal(setsockopt(fd, level, name, &one, sizeof(one)), 0);
}

static int socket_make(const struct making *m)
{
	bool v6 = strchr(addresses[m->address].text, ':') != NULL;
	int fd = socket(v6 ? AF_INET6 : AF_INET, m->type | SOCK_CLOEXEC, 0);
	int v6only = addresses[m->address].v6only;

	assert_true(fd >= 0);
	if (v6)
		assert_int_equal(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(int)),
				 0);
	if (m->options & ADDR)
		set(fd, SOL_SOCKET, SO_REUSEADDR);
	if (m->options & PORT)
		set(fd, SOL_SOCKET, SO_REUSEPORT);
	if (m->on_device)
		assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	return fd;
}

/* 0 or the errno */
static int socket_bind(int fd, size_t address, uint16_t port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { .any = { .sa_family = AF_INET } };
	socklen_t len = sizeof(a.v4);

	a.v4.sin_port = htons(port);
	if (strchr(addresses[address].text, ':')) {
		len = sizeof(a.v6);
		a.v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
		assert_int_equal(inet_pton(AF_INET6, addresses[address].text, &a.v6.sin6_addr), 1);
	} else {
		assert_int_equal(inet_pton(AF_INET, addresses[address].text, &a.v4.sin_addr), 1);
	}
	return bind(fd, &a.any, len) ? errno : 0;
}

static uint16_t socket_port(int fd)
{
	struct sockaddr_in6 a = { 0 }; /* the port is where that of IPv4 is */
	socklen_t len = sizeof(a);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin6_port);
}

/* To a port that nobody is given by chance: other programs of this machine go on meanwhile. */
static void socket_bind_alone(int fd, size_t address)
{
	static uint16_t next;
	int error = EADDRINUSE;

	if (!next)
		next = (uint16_t)(10000 + getpid() % 15000);
	for (int tries = 0; error == EADDRINUSE && tries < 1000; tries++) {
		error = socket_bind(fd, address, next);
		next = next < 29999 ? next + 1 : 10000;
	}
	assert_int_equal(error, 0);
}

static struct conflict_side side_of(const struct making *m)
{
	struct conflict_side side = {
		.options = m->options,
		.uid = geteuid(),
		.uid_known = true,
		.ifindex = m->on_device ? if_nametoindex("lo") : 0,
	};
	const char *text = addresses[m->address].text;

	side.family = strchr(text, ':') ? AF_INET6 : AF_INET;
	assert_int_equal(inet_pton(side.family, text, side.addr), 1);
	if (addresses[m->address].v6only)
		side.options |= WIRE_O_V6ONLY;
	return side;
}

/* As it is when it holds: bind() to one address of IPv6 has set the option. */
static struct conflict_side holder_side_of(const struct making *m)
{
	struct conflict_side side = side_of(m);

	if (!strcmp(addresses[m->address].text, "::1"))
		side.options |= WIRE_O_V6ONLY;
	return side;
}

static unsigned int refused, allowed; /* by the kernel, in this test */

/* Returns whether both say the same. */
static bool agree(const struct making *asked, const struct making *holder, uint16_t port,
		  bool listening, bool time_wait)
{
	struct conflict_side a = side_of(asked), h = holder_side_of(holder);
	int fd = socket_make(asked);
	int error = socket_bind(fd, asked->address, port);
	struct conflict c;

	close(fd);
	h.listening = listening;
	h.time_wait = time_wait;
	assert_true(!error || error == EADDRINUSE);
	refused += error != 0;
	allowed += !error;
	c = conflict_rule(&a, &h, asked->type == SOCK_STREAM);
	if ((c.answer == YES) == (error == EADDRINUSE))
		return true;
	print_error("%s: %s%s, options %x%s, against %s%s, options %x%s%s%s: the kernel says %s\n",
		    asked->type == SOCK_STREAM ? "tcp" : "udp", addresses[asked->address].text,
		    addresses[asked->address].v6only ? " v6only" : "", asked->options,
		    asked->on_device ? " lo" : "", addresses[holder->address].text,
		    addresses[holder->address].v6only ? " v6only" : "", holder->options,
		    holder->on_device ? " lo" : "", listening ? " listening" : "",
		    time_wait ? " TIME_WAIT" : "", error ? errno_symbol(error) : "yes");
	return false;
}

static bool has_inet6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	bool has = fd >= 0 && !socket_bind(fd, 5, 0);

	if (fd >= 0)
		close(fd);
	return has;
}

/* All that may ask for what this one holds. */
static unsigned int ask_all(const struct making *holder, uint16_t port, bool listening)
{
	struct making asked = { .type = holder->type };
	unsigned int wrong = 0;

	for (asked.address = 0; asked.address < ADDRESSES; asked.address++) {
		for (asked.options = 0; asked.options <= (ADDR | PORT); asked.options++) {
			for (int device = 0; device < 2; device++) {
				asked.on_device = device;
				wrong += !agree(&asked, holder, port, listening, false);
			}
		}
	}
	return wrong;
}

static unsigned int hold_all(int type, bool listening)
{
	struct making holder = { .type = type };
	unsigned int wrong = 0;

	refused = allowed = 0;
	for (holder.address = 0; holder.address < ADDRESSES; holder.address++) {
		for (holder.options = 0; holder.options <= (ADDR | PORT); holder.options++) {
			for (int device = 0; device < 2; device++) {
				int fd;

				holder.on_device = device;
				fd = socket_make(&holder);
				socket_bind_alone(fd, holder.address);
				if (listening)
					assert_int_equal(listen(fd, 1), 0);
				wrong += ask_all(&holder, socket_port(fd), listening);
				close(fd);
			}
		}
	}
	print_message("%u refused, %u allowed\n", refused, allowed);
	assert_true(refused > 100 && allowed > 100);
	return wrong;
}

static void tcp_that_is_bound(void **state)
{
	(void)state;
	if (!has_inet6())
		skip();
	assert_int_equal(hold_all(SOCK_STREAM, false), 0);
}

static void tcp_that_listens(void **state)
{
	(void)state;
	if (!has_inet6())
		skip();
	assert_int_equal(hold_all(SOCK_STREAM, true), 0);
}

static void udp(void **state)
{
	(void)state;
	if (!has_inet6())
		skip();
	assert_int_equal(hold_all(SOCK_DGRAM, false), 0);
}

/* A datagram socket that was bound to ::, and has the address ::1 since connect(). */
static void udp_that_is_connected(void **state)
{
	struct making asked = { .type = SOCK_DGRAM };
	const struct making holder = { .address = 3, .type = SOCK_DGRAM };
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(9) };
	unsigned int wrong = 0;
	int fd;

	(void)state;
	if (!has_inet6())
		skip();
	fd = socket_make(&holder);
	socket_bind_alone(fd, holder.address);
	to.sin6_addr = in6addr_loopback;
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	for (asked.address = 0; asked.address < ADDRESSES; asked.address++) {
		struct conflict_side a = side_of(&asked), h = side_of(&holder);
		int other = socket_make(&asked);
		int error = socket_bind(other, asked.address, socket_port(fd));

		close(other);
		memcpy(h.addr, &in6addr_loopback, sizeof(h.addr));
		assert_true(!error || error == EADDRINUSE);
		if ((conflict_rule(&a, &h, false).answer == YES) == (error != 0))
			continue;
		print_error("%s against ::1 of ::\n", addresses[asked.address].text);
		wrong++;
	}
	close(fd);
	assert_int_equal(wrong, 0);
}

/* A server on 127.0.0.1 that closed first; returns its port. */
static uint16_t leave_time_wait(const struct making *m)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int listener = socket_make(m), client = socket(AF_INET, SOCK_STREAM, 0), child;
	uint16_t port;
	char byte;

	socket_bind_alone(listener, m->address);
	assert_int_equal(listen(listener, 1), 0);
	port = socket_port(listener);
	to.sin_port = htons(port);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(client, (struct sockaddr *)&to, sizeof(to)), 0);
	child = accept(listener, NULL, NULL);
	assert_true(child >= 0);
	close(listener);
	close(child);
	assert_int_equal(read(client, &byte, 1), 0); /* the FIN is there */
	close(client);
	return port;
}

static void time_wait(void **state)
{
	struct making holder = { .address = 1, .type = SOCK_STREAM };
	unsigned int wrong = 0;

	(void)state;
	for (holder.options = 0; holder.options <= (ADDR | PORT); holder.options++) {
		uint16_t port = leave_time_wait(&holder);
		struct making asked = { .type = SOCK_STREAM };

		for (asked.address = 0; asked.address < 3; asked.address++) {
			for (asked.options = 0; asked.options <= (ADDR | PORT); asked.options++)
				wrong += !agree(&asked, &holder, port, false, true);
		}
	}
	assert_int_equal(wrong, 0);
}

/* The user of a socket is who made it; root can be another for a while. */
static void another_user(void **state)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };
	unsigned int wrong = 0;

	(void)state;
	if (geteuid())
		skip();
	for (size_t i = 0; i < 2; i++) {
		struct making m = { .options = PORT, .type = types[i] };
		struct conflict_side asked = side_of(&m), holder = side_of(&m);
		int held = socket_make(&m), fd;

		assert_int_equal(socket_bind(held, m.address, 0), 0);
		assert_int_equal(seteuid(65534), 0);
		asked.uid = geteuid();
		fd = socket_make(&m);
		wrong += socket_bind(fd, m.address, socket_port(held)) != EADDRINUSE;
		assert_int_equal(seteuid(0), 0);
		wrong += conflict_rule(&asked, &holder, !i).answer != YES;
		close(fd);
		close(held);
	}
	assert_int_equal(wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_that_is_bound),
		cmocka_unit_test(tcp_that_listens),
		cmocka_unit_test(udp),
		cmocka_unit_test(udp_that_is_connected),
		cmocka_unit_test(time_wait),
		cmocka_unit_test(another_user),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
