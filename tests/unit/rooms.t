#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The rule of dependencies, as user/README.md has it: util <- core <- source, sink, lesson <- cli
# <- main; core is pure; only source knows libbpf; bpf/ knows nothing of user/.
set -u
cd "$(dirname "$0")/../.." || exit 1
n=0 failed=0

# $1: what holds; $2: the lines that break it
holds()
{
	n=$((n + 1))
	if [ -z "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "$2" | sed 's/^/# /'
		failed=1
	fi
}

# includes of room $1 that are not of the rooms (or headers) in the pattern $2
others()
{
	grep -HnE '^#include "' "user/$1"/*.[ch] 2>/dev/null | grep -vE "\"($2)" || true
}

holds "util knows only util" "$(others util 'user/util/')"
holds "core knows only util and the wire format" \
	"$(others core 'bpf/wire\.h|user/(util|core)/')"
holds "source knows no sink and no command" \
	"$(others source 'bpf/wire\.h|user/(util|core|source)/')"
holds "sink knows no source and no command" \
	"$(others sink 'bpf/wire\.h|user/(util|core|sink)/')"
holds "lesson knows no source and no sink" \
	"$(others lesson 'bpf/wire\.h|user/(util|core|lesson)/')"
holds "main knows only the commands" "$(grep -HnE '^#include "' user/main.c | grep -v '"user/cli/')"
holds "the probes know nothing of user/" \
	"$(grep -HnE '^#include "user/' bpf/*.[ch] vmlinux/*.h)"
holds "only source knows libbpf" \
	"$(grep -HnE '^#include ["<]bpf/(bpf|libbpf|btf)\.h' user/main.c user/{cli,core,sink,util}/*.[ch])"
holds "core is pure: no stdio, no clock, no files" \
	"$(grep -HnE '^#include <(stdio|time|fcntl|unistd|locale|sys/stat|dirent)\.h>' user/core/*.[ch])"
holds "no atoi, strtok, sprintf, strcpy, strcat" \
	"$(grep -HnE '\b(atoi|strtok|sprintf|strcpy|strcat)\(' user/*.c user/*/*.[ch])"
holds "every file says its licence" \
	"$(find bpf user vmlinux tests Makefile -type f \( -name '*.[chS]' -o -name '*.py' -o -name '*.t' \
		-o -name Makefile \) -exec grep -L 'SPDX-License-Identifier: GPL-2.0-or-later' {} +)"
echo "1..$n"
exit $failed
