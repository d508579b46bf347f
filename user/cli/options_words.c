/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "user/cli/options_words.h"

#include <errno.h>
#include <string.h>

#include "user/cli/options_values.h"
#include "user/util/say.h"

#define LINE_MAX_BYTES 700

struct line {
	char text[LINE_MAX_BYTES];
	size_t len;
	bool full;
};

static void line_add(struct line *line, const char *text, size_t len)
{
	if (line->full || len >= sizeof(line->text) - 4 - line->len) {
		line->full = true; /* the rest shows as an ellipsis */
		return;
	}
	memcpy(line->text + line->len, text, len);
	line->len += len;
}

static bool word_is_plain(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789%+,-./:=@_";

	return *word && word[strspn(word, plain)] == 0;
}

/* As a shell reads it back. */
static void line_add_word(struct line *line, const char *word)
{
	if (line->len)
		line_add(line, " ", 1);
	if (word_is_plain(word)) {
		line_add(line, word, strlen(word));
		return;
	}
	line_add(line, "'", 1);
	for (; *word; word++) {
		if (*word == '\'')
			line_add(line, "'\\''", 4);
		else
			line_add(line, word, 1);
	}
	line_add(line, "'", 1);
}

/* The command line with one word put in before argv[at]. */
static const char *line_with(struct line *line, int argc, char **argv, int at, const char *added)
{
	*line = (struct line){ .len = 0 };
	line_add_word(line, "portlife");
	for (int i = 1; i < argc; i++) {
		if (i == at)
			line_add_word(line, added);
		line_add_word(line, argv[i]);
	}
	if (line->full)
		memcpy(line->text + line->len, "...", 3);
	return line->text;
}

static bool word_is_ports(const char *word)
{
	return word[strspn(word, "0123456789,-")] == 0 && strpbrk(word, "0123456789");
}

static bool word_is_later(const char *word)
{
	static const char *const later[] = { "top", "report" };

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (!strcmp(later[i], word))
			return true;
	return false;
}

static bool word_is_name(const char *word)
{
	return (*word >= 'A' && *word <= 'Z') || (*word >= 'a' && *word <= 'z');
}

/* ERRNO, or [ADDR[%DEV]:]PORT */
static int options_take_why(struct options *o, const char *word)
{
	if (o->errno_asked || o->asked.port || o->asked.family) {
		say("why: '%s' is too much; one question at a time", word);
		return -EINVAL;
	}
	o->errno_asked = meanings_find(word);
	if (o->errno_asked)
		return 0;
	if (*word == '/' || *word == '@')
		return options_set_asked_path(o, "why", word);
	if (!word_is_name(word) || strchr(word, ':'))
		return options_set_asked(o, "why", word);
	say("why: '%s' is no PORT, no ADDR:PORT, and none of EADDRINUSE, EADDRNOTAVAIL, EAGAIN, "
	    "EACCES, EINVAL, EPERM, ECONNREFUSED",
	    word);
	return -EINVAL;
}

int options_take_word(struct options *o, int argc, char **argv, int at)
{
	static const struct {
		const char *word;
		enum options_command command;
	} commands[] = { { "doctor", OPTIONS_DOCTOR },
			 { "ports", OPTIONS_PORTS },
			 { "why", OPTIONS_WHY },
			 { "lesson", OPTIONS_LESSON } };
	const char *word = argv[at];
	struct line line;

	if (o->command == OPTIONS_DOCTOR) {
		say("doctor: '%s' is too much; doctor takes no arguments", word);
		return -EINVAL;
	}
	if (o->command == OPTIONS_PORTS)
		return options_add_ports("ports", word, &o->ports, &o->filter.ports_len);
	if (o->command == OPTIONS_WHY)
		return options_take_why(o, word);
	if (o->command == OPTIONS_LESSON)
		return options_take_lesson(o, word);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (!strcmp(word, commands[i].word)) {
			o->command = commands[i].command;
			return 0;
		}
	}
	if (word_is_later(word))
		say("this version does not have '%s'; it has 'portlife' to watch, 'portlife "
		    "ports', 'portlife why', 'portlife lesson' and 'portlife doctor' (a program of "
		    "that name is run by: %s)",
		    word, line_with(&line, argc, argv, at, "--"));
	else if (word_is_ports(word))
		say("'%s' is no command; to watch a port, write: %s", word,
		    line_with(&line, argc, argv, at, "-P"));
	else
		say("'%s' is no command of portlife; to run and watch it, write: %s", word,
		    line_with(&line, argc, argv, at, "--"));
	return -EINVAL;
}

int options_take_command(struct options *o, char **argv, int at)
{
	if (o->command != OPTIONS_WATCH) {
		static const char *const names[] = {
			[OPTIONS_DOCTOR] = "doctor",
			[OPTIONS_PORTS] = "ports",
			[OPTIONS_WHY] = "why",
			[OPTIONS_LESSON] = "lesson",
		};
		const char *name = names[o->command];

		say("%s: '%s' is too much; %s runs no COMMAND", name, argv[at], name);
		return -EINVAL;
	}
	o->live.command = argv + at;
	o->filter.command = true;
	return 0;
}
