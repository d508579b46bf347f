/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * puzzles.c asks when two sockets may have one port. The reader guesses, then the kernel answers.
 */
#include "user/lesson/all.h"
#include "user/lesson/run.h"

#define ONE_PORT SETTING("ip_local_port_range", "60000 60000")
#define TWO_SERVERS                                                                                \
	TCP("red"), BIND("red", "127.0.0.1", 5000), LISTEN("red"), TCP("blue"),                    \
		BIND("blue", "127.0.0.1", 5001), LISTEN("blue")
#define LAST NOTE("And now?")

#define CLAIM	       "There is one port, and it is taken: the last call must fail."
#define QUESTION(what) "Two sockets and one port: " what

/* What the puzzle asks about is its last call that is no bookkeeping. */
static void puzzle_judge(const struct run *run, struct verdict *v)
{
	const struct lesson *lesson = run->lesson;
	const struct did *last = &run->did[lesson->steps_len - 1];

	/* all that leads to it must have worked, else the question was not asked */
	for (size_t i = 0; i + 1 < lesson->steps_len; i++)
		if (run->did[i].step->op != STEP_NOTE && !worked(&run->did[i]))
			return;
	if (worked(last) && last->after.port)
		verdict_say(v, VERDICT_FALSE, "It works, from port %u: %s", last->after.port,
			    lesson->text[0]);
	else if (failed(last))
		verdict_say(v, VERDICT_TRUE, "It fails (%s): %s", did_outcome(last),
			    lesson->text[1]);
}

static const struct step puzzle_1_steps[] = {
	ONE_PORT, TCP("s1"), BIND("s1", "127.0.0.1", 0),
	LAST,	  TCP("s2"), BIND("s2", "127.0.0.2", 0),
};

const struct lesson lesson_puzzle_1 = {
	.name = "puzzle-1",
	.question = QUESTION("bind(), at two addresses of the machine."),
	.claim = CLAIM,
	.quiz = "Does the second bind() succeed?",
	.text = { "the two sockets have different addresses, and a port is taken at an address.",
		  "this kernel does not give one port out at two addresses." },
	PROGRAM(puzzle_1_steps),
	.judge = puzzle_judge,
};

static const struct step puzzle_2_steps[] = {
	ONE_PORT,
	TWO_SERVERS,
	TCP("s1"),
	CONNECT("s1", "127.0.0.1", 5000),
	LAST,
	TCP("s2"),
	BIND("s2", "127.0.0.2", 0),
};

const struct lesson lesson_puzzle_2 = {
	.name = "puzzle-2",
	.question = QUESTION("connect(), then bind() at another address."),
	.claim = CLAIM,
	.quiz = "Does the bind() succeed?",
	.text = { "the first one's address is 127.0.0.1, and bind() compares addresses, too.",
		  "to this kernel a connected socket has the port at every address." },
	PROGRAM(puzzle_2_steps),
	.judge = puzzle_judge,
};

static const struct step puzzle_3_steps[] = {
	ONE_PORT,
	TWO_SERVERS,
	TCP("s1"),
	BIND("s1", "127.0.0.1", 0),
	CONNECT("s1", "127.0.0.1", 5000),
	LAST,
	TCP("s2"),
	CONNECT("s2", "127.0.0.1", 5001),
};

const struct lesson lesson_puzzle_3 = {
	.name = "puzzle-3",
	.question = QUESTION("bind() and connect(), then another connect()."),
	.claim = CLAIM,
	.quiz = "Does the second connect(), to the other server, succeed?",
	.text = { "to this kernel it is enough that the two connections differ.",
		  "the connections would differ, but bind() took the port for one socket, and "
		  "connect() passes over such ports." },
	PROGRAM(puzzle_3_steps),
	.judge = puzzle_judge,
};

static const struct step puzzle_4_steps[] = {
	ONE_PORT,
	TWO_SERVERS,
	TCP("s1"),
	CONNECT("s1", "127.0.0.1", 5000),
	LAST,
	TCP("s2"),
	CONNECT("s2", "127.0.0.1", 5001),
};

const struct lesson lesson_puzzle_4 = {
	.name = "puzzle-4",
	.question = QUESTION("two connect(), to two servers."),
	.claim = CLAIM,
	.quiz = "Does the second connect() succeed?",
	.text = { "the two connections go to different servers, so they can share a port.",
		  "this kernel gives every connection a port of its own." },
	PROGRAM(puzzle_4_steps),
	.judge = puzzle_judge,
};

static const struct step puzzle_5_steps[] = {
	ONE_PORT, TCP("s1"), BIND("s1", "127.0.0.1", 0),
	LAST,	  TCP("s2"), BIND("s2", "127.0.0.1", 0),
};

const struct lesson lesson_puzzle_5 = {
	.name = "puzzle-5",
	.question = QUESTION("bind() twice at the same address."),
	.claim = CLAIM,
	.quiz = "Does the second bind() succeed?",
	.text = { "this kernel gives a bound port out twice.",
		  "the same address and the same port, and neither of them has agreed to share." },
	PROGRAM(puzzle_5_steps),
	.judge = puzzle_judge,
};

static const struct step puzzle_6_steps[] = {
	NOTE("Both name the port, and both have set SO_REUSEADDR."),
	TCP("s1"),
	SET("s1", REUSEADDR, 1),
	BIND("s1", "127.0.0.1", 60000),
	LAST,
	TCP("s2"),
	SET("s2", REUSEADDR, 1),
	BIND("s2", "127.0.0.1", 60000),
};

const struct lesson lesson_puzzle_6 = {
	.name = "puzzle-6",
	.question = QUESTION("bind() twice to the same port, with SO_REUSEADDR."),
	.claim = CLAIM,
	.quiz = "Does the second bind() succeed?",
	.text = { "both have set SO_REUSEADDR, and neither listens. Without it on both it fails.",
		  "SO_REUSEADDR on both is not enough for this kernel." },
	PROGRAM(puzzle_6_steps),
	.judge = puzzle_judge,
};

static const struct step puzzle_7_steps[] = {
	ONE_PORT,
	TWO_SERVERS,
	TCP("s1"),
	SET("s1", REUSEADDR, 1),
	CONNECT("s1", "127.0.0.1", 5000),
	LAST,
	TCP("s2"),
	SET("s2", REUSEADDR, 1),
	BIND("s2", "127.0.0.1", 60000),
};

const struct lesson lesson_puzzle_7 = {
	.name = "puzzle-7",
	.question = QUESTION("connect(), then bind() to that port, with SO_REUSEADDR."),
	.claim = CLAIM,
	.quiz = "Does the bind() succeed?",
	.text = { "both have set SO_REUSEADDR, and a connection does not listen.",
		  "a connection is in the way of bind(), whatever both have set." },
	PROGRAM(puzzle_7_steps),
	.judge = puzzle_judge,
};

static const struct step puzzle_8_steps[] = {
	ONE_PORT,
	TWO_SERVERS,
	TCP("s1"),
	BIND("s1", "127.0.0.1", 60000),
	LAST,
	TCP("s2"),
	CONNECT("s2", "127.0.0.1", 5000),
};

const struct lesson lesson_puzzle_8 = {
	.name = "puzzle-8",
	.question = QUESTION("bind() to it, then connect() from another socket."),
	.claim = CLAIM,
	.quiz = "Does the connect() succeed?",
	.text = { "the bound socket is not connected, so nothing is in the way.",
		  "the bound socket is not even connected, but connect() passes over ports that "
		  "somebody has bound." },
	PROGRAM(puzzle_8_steps),
	.judge = puzzle_judge,
};
