/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * test_explain_end.c: what --explain says of accepted connections, of how ports are given up, and
 * what it chooses to say. Each sentence where it must be, and not in the nearest case in which it
 * would not be true.
 */
#include "tests/unit/scenes.h"
#include "user/core/explain_rules.h"

#define NEVER                                                                                      \
	"The program never asked for a port, so the kernel picked 40000 for its connection to "    \
	"10.0.0.9:443."

/* --- accept() ------------------------------------------------------------------------------- */

static void a_connection_taken(void **state)
{
	struct scene s = scene_of(accepted(0));

	(void)state;
	SAYS(&s, "A connection from 10.0.0.9:443 to port 8080 is complete, whether or not the "
		 "program has asked for it yet.");
	SAYS(&s, "The kernel made a socket for it in state ESTABLISHED, with the listener's port "
		 "8080; it waits in the listener's queue until accept() takes it.");
	SAYS(&s, "The program took a connection that 10.0.0.9:443 had made to its port 8080.");
	SAYS(&s, "accept() made no choice: the new socket has the listener's port 8080, and what "
		 "tells connections to it apart is the other end, here 10.0.0.9:443.");
	SAYS(&s, "The kernel made it one more owner of the port: that stays in use at least "
		 "until the listener and all its connections are closed.");
	SAYS(&s, "getsockname() here gives 10.0.0.1:8080, as getpeername() does at the other end, "
		 "and the other way round, unless something on the way rewrites addresses (NAT).");
	SAYS_NOT(&s, "The other side agreed");
}

/* --- the end -------------------------------------------------------------------------------- */

static void a_disconnect(void **state)
{
	struct wire_call c = seen_call(WIRE_DISCONNECT, 500, 8080, 8080);
	struct scene s = scene_of(named_bind(own4, 8080));

	(void)state;
	c.sock.userlocks = LOCK_PORT;
	scene_add(&s, connecting(8080, 8080));
	scene_add(&s, c);
	SAYS(&s, "The program let go of the other side, and keeps port 8080.");
	SAYS(&s, "connect() with AF_UNSPEC clears the other end; the port is locked "
		 "(SOCK_BINDPORT_LOCK), as bind() had named it.");
	SAYS_NOT(&s, "and of port");
	SAYS_NOT(&s, "the port goes");
	s.records[2].call.sock.userlocks = 0;
	SAYS_NOT(&s, "the port is locked");
	s = scene_of(connecting(0, 40000));
	scene_add(&s, seen_call(WIRE_DISCONNECT, 500, 40000, 0));
	SAYS(&s, "The program let go of the other side, and of port 40000 with it.");
	SAYS(&s, "connect() with AF_UNSPEC clears the other end; the port goes, too, as it is not "
		 "locked (no SOCK_BINDPORT_LOCK).");
	SAYS_NOT(&s, "keeps port");
}

static void a_close(void **state)
{
	struct scene s = scene_of(connecting(0, 40000)), bound = scene_of(named_bind(any4, 8080));
	struct scene server = scene_of(listening(any4, 0, 40001));

	(void)state;
	scene_close(&s, 600, 40000, 0);
	scene_close(&bound, 600, 8080, 0);
	scene_close(&server, 600, 40001, 0);
	SAYS(&s, "The program has closed what it had at port 40000."); /* nobody had agreed */
	SAYS_NOT(&s, "done with");
	SAYS_NOT(&s, "close() gives back");
	SAYS(&bound, "The program has closed what it had at port 8080.");
	SAYS_NOT(&bound, "close() gives back");
	SAYS(&server, "The program has closed what waited for connections at 0.0.0.0:40001.");
	SAYS(&server,
	     "Connections that accept() has taken keep port 40001 in use: each is an owner "
	     "of it, the listener was only one of them.");
	SAYS_NOT(&bound, "that accept() has taken");
	SAYS(&bound, "Port 8080 has been given back.");
	SAYS(&s, "Port 40000 has been given back.");
	SAYS_NOT(&s, "The connection with");
	scene_add_edge(&s, edge_new(WIRE_ESTABLISHED, 1, BOOT_NS + 500, 0, 0));
	s.records[3] = s.records[1]; /* before the end, not behind it */
	s.records[1] = s.records[2];
	s.records[2] = s.records[3];
	SAYS(&s, "The connection with 10.0.0.9:443 has given back port 40000.");
	SAYS(&s, "The program is done with 10.0.0.9:443, and with port 40000 for that.");
	SAYS(&s, "close() gives back the descriptor; the port stays in use until the connection is "
		 "over, and after that if this side goes through TIME_WAIT.");
	s = scene_of(as_udp(connecting(0, 40000)));
	scene_close(&s, 600, 40000, 0);
	SAYS(&s, "The program is done with 10.0.0.9:443, and with port 40000 for that.");
	SAYS_NOT(&s, "close() gives back");
	/* a server that was refused has never waited */
	server.records[0].call.port_before = 40001;
	server.records[0].call.error = EADDRINUSE;
	server.records[0].call.sock.state = TCP_CLOSE;
	SAYS_NOT(&server, "what waited for");
	SAYS_NOT(&server, "that accept() has taken");
	SAYS(&server, "The program has closed what it had at port 40001.");
	SAYS_NOT(&bound, "The connection with");
	SAYS(&bound, "A release is not yet a free port: others who share it, connections accepted "
		     "at it, and TIME_WAIT are owners of their own.");
	SAYS_NOT(&bound, "was the listener's");
}

static void a_close_without_a_port(void **state)
{
	struct scene s = scene_of(refused_bind(any4, 80, EACCES)),
		     gone = scene_of(connecting(0, 40000));

	(void)state;
	scene_close(&s, 600, 0, 0);
	SAYS(&s, "The program is done; it had no port.");
	scene_add_edge(&gone, edge_new(WIRE_RELEASE, 1, BOOT_NS + 450, 40000, 0));
	scene_add(&gone, refused_connect(0, 0, ECONNREFUSED))->start_ns = BOOT_NS + 395;
	scene_close(&gone, 600, 0, 0);
	SAYS(&gone, "The program is done; it had no port any more.");
	SAYS_NOT(&gone, "it had no port.");
}

static void the_listeners_port_is_not_free(void **state)
{
	struct scene s = scene_of(accepted(0));

	(void)state;
	scene_close(&s, 600, 8080, 0);
	SAYS(&s, "Port 8080 was the listener's: it stays in use as long as the listener is there.");
}

static void time_wait_keeps_a_port(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));

	(void)state;
	scene_close(&s, 600, 40000, 599);
	SAYS(&s, "The connection to 10.0.0.9:443 is over, but the kernel keeps port 40000 for a "
		 "while, for something may still be on its way.");
	SAYS(&s, "TIME_WAIT comes to the side that closes first and lasts 60 s; it belongs to no "
		 "process, so lists of processes do not show it.");
	SAYS(&s, "bind() to 10.0.0.1:40000 is refused meanwhile, unless this socket had "
		 "SO_REUSEADDR (or "
		 "SO_REUSEPORT) and the new one has it, too.");
	SAYS_NOT(&s, "no longer");
	SAYS_NOT(&s, "concluded");
	s.blind = WIRE_B_TIME_WAIT_START; /* concluded from the states */
	SAYS_NOT(&s, "comes to the side");
	SAYS(&s, "That it is in TIME_WAIT now is concluded from the states it went through: this "
		 "backend does not see TIME_WAIT itself.");
	s.blind = 0;
	scene_add_edge(&s, edge_new(WIRE_TW_END, 1, BOOT_NS + 700, 40000, 0));
	SAYS(&s, "The kernel no longer keeps port 40000 for a connection that is over.");
	SAYS_NOT(&s, "A release is not yet");
	SAYS_NOT(&s, "given back");
}

static void what_was_there_before(void **state)
{
	struct wire_call c = found_new(1, BOOT_NS + 10, 40000, WIRE_F_EXISTING);
	struct scene s;

	(void)state;
	c.sock.peer_port = 443;
	s = scene_of(c);
	s.kernel = "6.17.8";
	SAYS(&s, "The program had port 40000 before portlife began to watch; how it got it was not "
		 "seen.");
	SAYS_NOT(&s, "Since 6.17");
	s.records[0].call.sock.userlocks = LOCK_CONNECT;
	SAYS(&s, "The program had port 40000 before portlife began to watch; the kernel had picked "
		 "it for a connection.");
	SAYS(&s, "Since 6.17 a socket carries a note, SOCK_CONNECT_BIND, that its port is from "
		 "connect().");
	s.records[0].call.facts = WIRE_F_PASS; /* found, but not there before */
	SAYS(&s,
	     "Nobody saw this happen: portlife found it when it compared what it knew with what "
	     "there is.");
	SAYS_NOT(&s, "before portlife began");
}

/* --- the choice ----------------------------------------------------------------------------- */

static unsigned int count(const char *text, const char *what)
{
	unsigned int found = 0;

	for (; (text = strstr(text, what)); text++)
		found++;
	return found;
}

static void nothing_is_said_twice_to_a_program(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));
	const char *said;

	(void)state;
	said = scene_play(&s, 5);
	assert_int_equal(count(said, NEVER), 1); /* the very same */
	assert_int_equal(count(said, "hints at connect()"), 1);
	assert_int_equal(count(said, "SYN_SENT"), 1);
	scene_add(&s, connecting(0, 40002))->sock.id = 2;
	said = scene_play(&s, 5);
	assert_int_equal(count(said, "never asked"), 2); /* of two ports */
	assert_int_equal(count(said, "hints at connect()"), 1);
	s.records[1].call.who = who_new(200, "curl");
	said = scene_play(&s, 5);
	assert_int_equal(count(said, "hints at connect()"), 2); /* to two programs */
	s.records[1].call.who = who_new(100, "python3");
	s.records[1].call.sock.local_port = 40001; /* what it says is not the same */
	said = scene_play(&s, 5);
	assert_int_equal(count(said, "hints at connect()"), 1);
	assert_int_equal(count(said, "was to be had"), 1);
}

static void three_sentences_at_most(void **state)
{
	struct scene s = scene_of(connecting(0, 40000));

	(void)state;
	assert_int_equal(count(scene_play(&s, 1), "\n"), 3);
	s.records[0].call.sock.protocol = 200; /* its number is no port */
	s.records[0].call.sock.state = TCP_ESTABLISHED;
	assert_string_equal(scene_play(&s, 1), "The program chose whom to talk with.\n");
	s.records[0].call.head.kind = WIRE_CONNECT_FAILED;
	s.records[0].call.error = EPERM;
	assert_string_equal(scene_play(&s, 1),
			    "The program asked the kernel for something, and was refused.\n"
			    "connect() failed with EPERM.\n");
}

static const struct explain_table *const tables[] = {
	&explain_search,  &explain_bind,  &explain_bind_failed,	   &explain_listen,
	&explain_connect, &explain_send,  &explain_connect_failed, &explain_accept,
	&explain_end,	  &explain_other,
};

/* A sentence needs to know what it names, and that it was seen or found late. */
static void check_needs(const struct explain_rule *rule)
{
	static const struct {
		const char *word;
		uint32_t any_of;
	} words[] = {
		{ "{peer", FACT_PEER },
		{ "{request", FACT_REQUEST },
		{ "{every-asked}", FACT_REQUEST },
		{ "{range}", FACT_RANGE },
		{ "{namespace-range}", FACT_SETTINGS },
		{ "{start}", FACT_UNPRIVILEGED },
		{ "{holder}", FACT_HOLDER },
		{ "{origin}", FACT_ORIGIN },
		{ "{port}", FACT_PORT | FACT_ORIGIN | FACT_GIVEN },
		{ "{own}", FACT_PORT | FACT_ORIGIN | FACT_GIVEN },
		{ "{number}", FACT_ORIGIN | FACT_OK },
		{ "{errno}", FACT_FAILED },
		{ "{cause}", FACT_FAILED },
		{ "state is", FACT_SOCKET },
		{ "SOCK_BINDPORT_LOCK is", FACT_SOCKET },
		{ "never asked for a port", FACT_WHOLE_LIFE },
		{ "without ever having asked", FACT_WHOLE_LIFE },
		{ "lasts 60 s", FACT_TIME_WAIT },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strstr(rule->text, words[i].word) && !(rule->needs & words[i].any_of))
			fail_msg("%s need not be known in: %s", words[i].word, rule->text);
	if (!(rule->needs & (FACT_SEEN | FACT_LATE | FACT_FAILED)))
		fail_msg("may not have been seen: %s", rule->text);
	if (!(rule->needs & (FACT_OK | FACT_FAILED | FACT_LATE)))
		fail_msg("may have failed: %s", rule->text);
}

static void a_sentence_knows_what_it_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (size_t j = 0; j < tables[i]->first_len; j++)
			check_needs(&tables[i]->first[j]);
		for (size_t j = 0; j < tables[i]->more_len; j++)
			check_needs(&tables[i]->more[j]);
	}
}

/* The kernel's words come from the second sentence on. */
static void the_first_sentence_is_plain(void **state)
{
	static const char *const words[] = {
		"socket", "bind",      "listen(", "connect(", "accept(", "SO_",	    "SOCK_",
		"IP_",	  "TIME_WAIT", "SYN",	  "CLOSE",    "EADDR",	 "ECONN",   "ephemeral",
		"bucket", "errno",     "sysctl",  "net.",     "state",	 "kernel's"
	};
	const struct wire_call calls[] = {
		named_bind(any4, 80),
		zero_bind(own4, 40001),
		listening(any4, 0, 40001),
		connecting(0, 40000),
		connecting(80, 80),
		refused_bind(any4, 80, EADDRINUSE),
		accepted(0),
		refused_connect(0, 0, EADDRNOTAVAIL),
		refused_bind(any4, 80, EACCES),
		refused_connect(0, 0, ENETUNREACH),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		struct scene s = scene_of(calls[i]);
		char first[512];
		const char *said = scene_play(&s, 1);

		snprintf(first, sizeof(first), "%.*s", (int)strcspn(said, "\n"), said);
		assert_true(first[0]);
		for (size_t j = 0; j < sizeof(words) / sizeof(words[0]); j++)
			if (strstr(first, words[j]))
				fail_msg("\"%s\" is in: %s", words[j], first);
	}
	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++)
		for (size_t j = 0; j < tables[i]->first_len; j++)
			for (size_t k = 0; k < sizeof(words) / sizeof(words[0]); k++)
				if (strstr(tables[i]->first[j].text, words[k]))
					fail_msg("\"%s\" is in: %s", words[k],
						 tables[i]->first[j].text);
}

static void other_namespaces_have_their_own_settings(void **state)
{
	struct scene s = scene_of(zero_bind(any4, 40001));

	(void)state;
	s.reserved = "50000";
	SAYS(&s, "1 of them reserved");
	s.records[0].call.sock.netns++;
	SAYS_NOT(&s, "reserved");
}

/* What is not known is left out of the first sentence, too. */
static void what_is_not_known_is_left_out(void **state)
{
	struct wire_call c = connecting(40000, 40000);
	struct scene s;

	(void)state;
	c.sock.peer_port = 0;
	s = scene_of(c);
	SAYS(&s, "The program connects from port 40000.");
	s.records[0].call.port_before = 0; /* to port 0 */
	SAYS(&s, "The program had no port, so the kernel picked 40000 to connect from.");
	SAYS_NOT(&s, "connects from port");
	s.records[0].call.port_before = 40000;
	s.records[0].call.head.kind = WIRE_SEND;
	s.records[0].call.facts &= ~(uint32_t)WIRE_F_REQUEST;
	s.records[0].call.req_family = s.records[0].call.req_port = 0;
	memset(s.records[0].call.req_addr, 0, 16);
	SAYS(&s, "The program sent from port 40000.");
	s.records[0].call.error = EPERM;
	SAYS(&s, "The program sent from port 40000, and it failed.");
	s.records[0].call.head.kind = WIRE_CONNECT_FAILED;
	SAYS(&s, "The program wanted to reach somebody, and that failed.");
	s = scene_of(seen_call(WIRE_DISCONNECT, 500, 0, 0));
	SAYS(&s, "The program let go of the other side.");
	s.records[0].call.error = EPERM;
	SAYS(&s, "The program wanted to let go of the other side, and that failed.");
	s = scene_of(listening(any4, 0, 40001));
	scene_close(&s, 600, 40001, 599);
	SAYS(&s,
	     "The connection is over, but the kernel keeps port 40001 for a while, for something "
	     "may still be on its way.");
	s = scene_of(listening(any4, 0, 40001));
	scene_add_end(&s, end_new(1, BOOT_NS + 600))->flags = WIRE_E_PASS;
	SAYS(&s, "Nobody saw it happen, but port 40001 has been given back.");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_connection_taken),
		cmocka_unit_test(a_disconnect),
		cmocka_unit_test(a_close),
		cmocka_unit_test(a_close_without_a_port),
		cmocka_unit_test(the_listeners_port_is_not_free),
		cmocka_unit_test(time_wait_keeps_a_port),
		cmocka_unit_test(what_was_there_before),
		cmocka_unit_test(nothing_is_said_twice_to_a_program),
		cmocka_unit_test(three_sentences_at_most),
		cmocka_unit_test(a_sentence_knows_what_it_says),
		cmocka_unit_test(the_first_sentence_is_plain),
		cmocka_unit_test(other_namespaces_have_their_own_settings),
		cmocka_unit_test(what_is_not_known_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
