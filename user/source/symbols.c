// SPDX-License-Identifier: GPL-2.0-or-later
#include "user/source/symbols.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "ADDRESS TYPE NAME\t[MODULE]": the name, if it is a function's. */
static char *line_function(char *line)
{
	char *type = strchr(line, ' ');
	char *name = type ? strchr(type + 1, ' ') : NULL;

	if (!name || tolower((unsigned char)type[1]) != 't')
		return NULL;
	name++;
	name[strcspn(name, " \t\n")] = '\0';
	return name;
}

/* A whole copy of the function: not its .cold or .part, which lack its entry. */
static bool is_copy(const char *symbol, const char *name, size_t name_len)
{
	const char *suffix = symbol + name_len;

	return !strncmp(symbol, name, name_len) && suffix[0] == '.' && !strstr(suffix, ".cold") &&
	       !strstr(suffix, ".part.") &&
	       (!strncmp(suffix, ".isra.", 6) || !strncmp(suffix, ".constprop.", 11) ||
		!strncmp(suffix, ".llvm.", 6));
}

int symbol_find(const char *name, char found[SYMBOL_LEN])
{
	FILE *file = fopen("/proc/kallsyms", "re");
	size_t name_len = strlen(name), room = 0;
	char *line = NULL;
	int error = -ENOENT;

	if (!file)
		return -errno;
	while (getline(&line, &room, file) > 0) {
		const char *symbol = line_function(line);

		if (!symbol)
			continue;
		if (!strcmp(symbol, name)) {
			snprintf(found, SYMBOL_LEN, "%s", symbol);
			error = 0;
			break;
		}
		if (error && is_copy(symbol, name, name_len) && strlen(symbol) < SYMBOL_LEN) {
			snprintf(found, SYMBOL_LEN, "%s", symbol);
			error = 0; /* the function itself may still come */
		}
	}
	free(line);
	fclose(file);
	return error;
}

int symbols_find(const char *const *names, bool *there, size_t len)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	char *line = NULL;
	size_t room = 0;

	for (size_t i = 0; i < len; i++)
		there[i] = false;
	if (!file)
		return -errno;
	while (getline(&line, &room, file) > 0) {
		const char *symbol = line_function(line);

		for (size_t i = 0; symbol && i < len; i++)
			if (names[i] && *names[i] == *symbol && !strcmp(names[i], symbol))
				there[i] = true;
	}
	free(line);
	fclose(file);
	return 0;
}

uint64_t symbol_address(const char *name)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	size_t name_len = strlen(name), room = 0;
	uint64_t address = 0;
	char *line = NULL;
	ssize_t len;

	if (!file)
		return 0;
	/* "ADDRESS TYPE NAME\n" */
	while (!address && (len = getline(&line, &room, file)) > 0)
		if ((size_t)len > name_len + 3 && line[len - 1] == '\n' &&
		    !memcmp(line + len - 1 - name_len, name, name_len) &&
		    line[len - 2 - (ssize_t)name_len] == ' ')
			address = strtoull(line, NULL, 16);
	free(line);
	fclose(file);
	return address;
}
