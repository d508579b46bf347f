#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Replays every recording of LIST and compares what portlife says with what it said when somebody
# last looked. PORTLIFE: the program (build/portlife). Needs no privilege.
cd "$(dirname "$0")" || exit 1
if [ -n "${PORTLIFE:-}" ]; then
	PORTLIFE=$(cd "$OLDPWD" && realpath -- "$PORTLIFE")
fi
# shellcheck source=tests/golden/golden.sh
. ./golden.sh

if [ ! -x "$PORTLIFE" ]; then
	echo "Bail out! $PORTLIFE is not there: run make, or set PORTLIFE"
	exit 1
fi
said=$(mktemp)
trap 'rm -f "$said"' EXIT
count=0 bad=0

# tell CONDITION NAME: one TAP line
tell()
{
	count=$((count + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $count - $2"
	else
		bad=$((bad + 1))
		echo "not ok $count - $2"
	fi
}

compare()
{
	local name=$1 recording=$2 expected=out/$3
	shift 3

	replay "$recording" "$@" >"$said"
	if cmp -s "$said" "$expected"; then
		tell 0 "$name: -r $recording $*"
		return
	fi
	tell 1 "$name: -r $recording $*"
	echo "# $expected and what was said; if that is right, tests/golden/update $name"
	diff -u "$expected" "$said" 2>&1 | tail -n +3 | head -n 20 | cut -c 1-400 | cat -v |
		sed 's/^/#   /'
}

# Nothing lies about that no line of LIST uses.
unused()
{
	local folder=$1 column=$2 file left=

	for file in "$folder"/*; do
		awk -v file="${file##*/}" -v column="$column" \
			'!/^#/ && $column == file { found = 1 } END { exit !found }' LIST ||
			left="$left $file"
	done
	[ -z "$left" ]
	tell $? "every file of $folder is used$left"
}

for_each compare
unused rec 2
unused out 3
echo "1..$count"
[ "$bad" -eq 0 ]
