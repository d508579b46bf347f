/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_explain_other.c: what --explain says of sockets that have something else instead of a port.
 */
#include "tests/unit/scenes.h"

/* Numbers that are no ports are not called so. */
static void other_families_have_no_ports(void **state)
{
	static const struct {
		uint8_t kind;
		const char *said;
	} kinds[] = {
		{ WIRE_BIND, "The program asked for an address of its own, and got it.\n" },
		{ WIRE_CONNECT, "The program chose whom to talk with.\n" },
		{ WIRE_LISTEN, "The program waits for connections.\n" },
		{ WIRE_ACCEPT, "The program took a connection.\n" },
		{ WIRE_SEND, "The program sent something.\n" },
		{ WIRE_DISCONNECT, "The program let go of the other side.\n" },
	};
	struct wire_call c = call_new(WIRE_BIND, 1, BOOT_NS + 100), found;
	struct scene s;

	(void)state;
	c.sock.protocol = 200; /* none that portlife knows */
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		c.head.kind = kinds[i].kind;
		s = scene_of(c);
		assert_string_equal(scene_play(&s, 1), kinds[i].said);
	}
	c.head.kind = WIRE_CONNECT;
	c.sock.local_port = 7;
	s = scene_of(c);
	scene_add_edge(&s, edge_new(WIRE_ESTABLISHED, 1, BOOT_NS + 200, 0, 0));
	scene_close(&s, 600, 7, 0);
	SAYS(&s, "A connection is there.");
	SAYS(&s, "The program is done with this.");
	SAYS(&s, "What it had has been given back.");
	SAYS_NOT(&s, "port");
	s.len = 1;
	scene_close(&s, 600, 7, 599);
	SAYS(&s, "The connection is over.");
	found = found_new(1, BOOT_NS + 10, 7, WIRE_F_EXISTING);
	found.sock.protocol = 200;
	s = scene_of(found);
	SAYS(&s, "This was there before portlife began to watch.");
	s.records[0].call.facts = WIRE_F_PASS;
	SAYS_NOT(&s, "This was there");
	SAYS(&s, "Nobody saw this happen");
}

/* --- names of AF_UNIX ------------------------------------------------------------------------ */

/* Closed, and with it goes the name. */
static void unix_close(struct world *w)
{
	struct wire_end end = end_new(1, BOOT_NS + 600);

	end.close_ns = BOOT_NS + 590;
	end.port = 1;
	end.release_ns = BOOT_NS + 599;
	FEED(w, end);
}

/* All that is said of this call of a UNIX socket with this name, asked for or made up. */
static const char *unix_story(uint8_t kind, int error, const char *asked, size_t asked_len,
			      const char *local, size_t local_len, bool closes)
{
	static const struct filter all = { .states = true };
	static char said[sizeof(((struct world *)0)->explained)];
	struct wire_call c = call_new(kind, 1, BOOT_NS + 100);
	struct wire_address a = { .head = head_new(WIRE_ADDRESS, sizeof(a), BOOT_NS + 99),
				  .id = 1 };
	struct world *w = world_new(&all);

	assert_int_equal(core_explain(w->core), 0);
	world_start(w, 0);
	c.sock.family = AF_UNIX;
	c.sock.protocol = WIRE_PROTOCOL_UNIX;
	c.sock.local_port = local_len ? 1 : 0;
	c.error = error;
	if (asked) {
		a.side = WIRE_ADDRESS_REQUEST;
		a.path_bytes = (uint16_t)asked_len;
		memcpy(a.path, asked, asked_len);
		FEED(w, a);
		c.facts |= WIRE_F_REQUEST;
		c.req_family = AF_UNIX;
		c.req_port = asked_len ? 1 : 0;
	}
	if (local_len) {
		memset(a.path, 0, sizeof(a.path));
		a.side = WIRE_ADDRESS_LOCAL;
		a.path_bytes = (uint16_t)local_len;
		memcpy(a.path, local, local_len);
		FEED(w, a);
	}
	FEED(w, c);
	if (closes)
		unix_close(w);
	memcpy(said, w->explained, sizeof(said));
	world_free(w);
	return said;
}

static const char *unix_said(uint8_t kind, int error, const char *asked, size_t asked_len,
			     const char *local, size_t local_len)
{
	return unix_story(kind, error, asked, asked_len, local, local_len, false);
}

#define FILE_STAYS                                                                                 \
	"The name is a file: it stays when the socket is closed, and nobody else gets the name "   \
	"until somebody removes it.\n"
#define NO_FILE                                                                                    \
	"The name begins with a zero byte, shown as @: it is no file, holds in this network "      \
	"namespace, and goes with the socket.\n"

static void names_of_unix(void **state)
{
	(void)state;
	assert_string_equal(unix_said(WIRE_BIND, 0, "/run/a", 6, "/run/a", 6),
			    "The program asked for the name /run/a, and got it.\n" FILE_STAYS);
	assert_string_equal(unix_said(WIRE_BIND, 0, "\0a", 2, "\0a", 2),
			    "The program asked for the name @a, and got it.\n" NO_FILE);
	assert_string_equal(
		unix_said(WIRE_BIND, 0, "", 0,
			  "\0"
			  "00a1b",
			  6),
		"The program asked for any name, and the kernel made up @00a1b.\n" NO_FILE);
	assert_string_equal(
		unix_said(WIRE_SEND, 0, NULL, 0,
			  "\0"
			  "00a1b",
			  6),
		"The program asked for no name, so the kernel made up @00a1b.\n" NO_FILE);
	assert_non_null(strstr(unix_story(WIRE_BIND, 0, "/run/a", 6, "/run/a", 6, true),
			       "The program no longer has the name /run/a.\n"));
}

static void names_of_unix_that_are_taken(void **state)
{
	(void)state;
	assert_string_equal(
		unix_said(WIRE_BIND, EADDRINUSE, "/run/a", 6, "", 0),
		"The program asked for the name /run/a, but it is taken.\n"
		"EADDRINUSE of a path says that there is a file of that name; whether a "
		"program still has it is another question.\n");
	assert_string_equal(unix_said(WIRE_BIND, EADDRINUSE, "\0a", 2, "", 0),
			    "The program asked for the name @a, but it is taken.\n"
			    "bind() failed with EADDRINUSE.\n");
	assert_string_equal(unix_said(WIRE_BIND, EACCES, "/run/a", 6, "", 0),
			    "The program asked the kernel for something, and was refused.\n"
			    "bind() failed with EACCES.\n");
}

/* --- numbers -------------------------------------------------------------------------------- */

#define ID                                                                                         \
	"It is the id of its ICMP echo requests, by which the kernel finds the socket for an "     \
	"answer; net.ipv4.ip_local_port_range has no say in it."

static void ids_of_pings(void **state)
{
	struct wire_call c = named_bind(any4, 77);
	struct scene s;

	(void)state;
	c.sock.protocol = IPPROTO_ICMP;
	s = scene_of(c);
	SAYS(&s, "The program asked for the number 77, and got it.");
	SAYS(&s, ID);
	SAYS_NOT(&s, "netlink");
	s.records[0].call.req_port = 0;
	s.records[0].call.sock.userlocks = 0;
	SAYS(&s, "The program asked for any number, and the kernel picked 77.");
	SAYS_NOT(&s, "and got it");
	s.records[0].call.head.kind = WIRE_SEND;
	SAYS(&s, "The program asked for no number, so the kernel picked 77.");
	SAYS(&s, ID);
	SAYS_NOT(&s, "asked for any");
	SAYS_NOT(&s, "looked through");
	s.records[0].call.sock.protocol = 200;
	SAYS_NOT(&s, ID);
	SAYS_NOT(&s, "number");
}

static void numbers_of_netlink(void **state)
{
	struct wire_call c = call_new(WIRE_BIND, 1, BOOT_NS + 100);
	const uint32_t number = 4711;
	struct scene s;

	(void)state;
	c.sock.family = c.req_family = AF_NETLINK;
	c.sock.protocol = WIRE_PROTOCOL_NETLINK;
	c.sock.local_port = 1;
	c.facts |= WIRE_F_REQUEST;
	memcpy(c.sock.local, &number, sizeof(number));
	s = scene_of(c);
	SAYS(&s, "The program asked for any number, and the kernel picked 4711.");
	SAYS(&s, "It is a port id of netlink, of 32 bits; who asks for any mostly gets its process "
		 "id.");
	SAYS_NOT(&s, "ICMP");
	memcpy(c.req_addr, &number, sizeof(number));
	c.req_port = 1;
	s = scene_of(c);
	SAYS(&s, "The program asked for the number 4711, and got it.");
	scene_close(&s, 600, 1, 0);
	SAYS(&s, "The number 4711 has been given back.");
	c.error = EADDRINUSE;
	c.sock.local_port = 0;
	memset(c.sock.local, 0, 4);
	s = scene_of(c);
	SAYS(&s, "The program asked for the number 4711, but it is taken.");
	SAYS(&s, "bind() failed with EADDRINUSE.");
}

static void ports_of_vsock(void **state)
{
	struct wire_call c = call_new(WIRE_CONNECT, 1, BOOT_NS + 100);
	const uint32_t number[2] = { UINT32_MAX, 1234567 };
	struct scene s;

	(void)state;
	c.sock.family = AF_VSOCK;
	c.sock.protocol = WIRE_PROTOCOL_VSOCK;
	c.sock.local_port = 1;
	memcpy(c.sock.local, number, sizeof(number));
	s = scene_of(c);
	SAYS(&s, "The program asked for no number, so the kernel picked 1234567.");
	SAYS(&s, "It is a port of VSOCK, of 32 bits, between virtual machines and their host; "
		 "net.ipv4.ip_local_port_range has no say in it.");
	SAYS_NOT(&s, "netlink");
	c.head.kind = WIRE_BIND;
	c.facts |= WIRE_F_REQUEST;
	c.req_family = AF_VSOCK;
	c.req_port = 1;
	memcpy(c.req_addr, number, sizeof(number));
	s = scene_of(c);
	SAYS(&s, "The program asked for the number 1234567, and got it.");
	SAYS(&s, "It is a port of VSOCK");
}

static void raw_sockets_have_no_port(void **state)
{
	struct wire_call c = named_bind(own4, 0);
	struct scene s;

	(void)state;
	c.sock.protocol = WIRE_PROTOCOL_RAW;
	c.sock.userlocks = LOCK_ADDRESS;
	s = scene_of(c);
	SAYS(&s, "The program asked for the address 10.0.0.1, and got it.");
	SAYS(&s, "A raw socket has no port: where others keep theirs, it has the number of its "
		 "protocol.");
	s.records[0].call.error = EADDRNOTAVAIL;
	SAYS(&s, "The program asked for the address 10.0.0.1, and was refused.");
	s.records[0].call.sock.protocol = 200;
	SAYS_NOT(&s, "raw");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_families_have_no_ports), cmocka_unit_test(names_of_unix),
		cmocka_unit_test(names_of_unix_that_are_taken), cmocka_unit_test(ids_of_pings),
		cmocka_unit_test(numbers_of_netlink),		cmocka_unit_test(ports_of_vsock),
		cmocka_unit_test(raw_sockets_have_no_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
