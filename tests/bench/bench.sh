#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tracing costs a tight loop of connect, accept and close: the loop alone and under
# `portlife -j -o FILE`, in turns. Prints medians in ns per cycle and their ratio. Needs root.
#
#   ROUNDS (7)   CYCLES (50000)   PORTLIFE (build/portlife)   LOOP (build/tests/loop)   ATTACH
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
portlife=${PORTLIFE:-$root/build/portlife}
loop=${LOOP:-$root/build/tests/loop}
rounds=${ROUNDS:-7}
cycles=${CYCLES:-50000}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

nanoseconds()
{
	jq .ns_per_cycle
}

untraced()
{
	"$loop" "$cycles" | nanoseconds >>"$dir/untraced"
}

traced()
{
	"$portlife" -j -o "$dir/output" ${ATTACH:+"--attach=$ATTACH"} -- "$loop" "$cycles" \
		2>"$dir/stderr" | nanoseconds >>"$dir/traced"
	tail -n 1 "$dir/output" | jq .lost >>"$dir/lost"
	rm "$dir/output"
}

median()
{
	sort -n "$1" | sed -n "$((($(wc -l <"$1") + 1) / 2))p"
}

untraced # warm up
: >"$dir/untraced"
for ((round = 1; round <= rounds; round++)); do
	untraced
	traced
done

alone=$(median "$dir/untraced")
watched=$(median "$dir/traced")
lost=$(awk '{ sum += $1 } END { print sum + 0 }' "$dir/lost")
printf '%d cycles, %d rounds in turns\n' "$cycles" "$rounds"
printf 'untraced  %6d ns per cycle (%s)\n' "$alone" "$(sort -n "$dir/untraced" | xargs)"
printf 'traced    %6d ns per cycle (%s)\n' "$watched" "$(sort -n "$dir/traced" | xargs)"
printf 'ratio     %6s\n' "$(awk -v a="$alone" -v b="$watched" 'BEGIN { printf "%.3f", b / a }')"
printf 'lost      %6d\n' "$lost"
