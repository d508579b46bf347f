#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A range that is used up, tens of thousands of candidates for each connect(): traced, one that fails
# must cost at most 1.3 times as much as untraced, and nothing is written for a candidate. In a
# virtual machine whose clock counts instructions these are instructions of the whole system; it needs
# IP_LOCAL_PORT_RANGE (6.3, and Debian's 6.1), or filling the range takes very long:
#
#   tests/vm/run --icount --kernel 6.1 -- tests/bench/exhaustion.t
#
#   COUNT (20)   PORTLIFE (build/portlife)   EXHAUSTION (build/tests/exhaustion)   ATTACH
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)
portlife=${PORTLIFE:-$root/build/portlife}
program=${EXHAUSTION:-$root/build/tests/exhaustion}
count=${COUNT:-20}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
failed=0
number=0

check() # GOOD NAME
{
	local word=ok
	number=$((number + 1))
	if [ "$1" != 1 ]; then
		word='not ok'
		failed=1
		echo "# not ok $number - $2" >&2
	fi
	echo "$word $number - $2"
}

measure() # connect|bind
{
	echo "$1 $count" >&"$to"
	read -r ns <&"$from"
	echo "$ns"
}

# Of two measurements before and after, the lower one.
lower() { [ "$1" -lt "$2" ] && echo "$1" || echo "$2"; }

if [ "$(id -u)" != 0 ]; then
	printf '1..1\nnot ok 1 - needs root\n'
	exit 1
fi

coproc "$program"
from=${COPROC[0]} to=${COPROC[1]}
pid=$COPROC_PID
read -r used <&"$from" || used=0
check "$((used > 28000))" "the range is used up: $used ports"

declare -A before traced
for what in connect bind; do
	measure $what >/dev/null # caches
	before[$what]=$(measure $what)
done
"$portlife" ${ATTACH:+"--attach=$ATTACH"} -p "$pid" -j -o "$dir/json" 2>"$dir/talk" &
tracer=$!
until [ -s "$dir/talk" ] || ! kill -0 $tracer 2>/dev/null; do sleep 0.1; done
sleep 3 # the walk through what is there already
for what in connect bind; do traced[$what]=$(measure $what); done
kill -INT $tracer
wait $tracer || true
for what in connect bind; do
	after=$(measure $what)
	base=$(lower "${before[$what]}" "$after")
	ratio=$((${traced[$what]} * 1000 / base))
	echo "# $what: untraced ${before[$what]} and $after ns, traced ${traced[$what]} ns"
	check "$((ratio <= 1300))" \
		"a $what() that fails costs $((ratio / 1000)).$(printf %03d $((ratio % 1000))) times the untraced"
done
exec {to}>&-
wait "$pid" || true

events=$(grep -cE '"event":"(bind|connect_failed|connect)"' "$dir/json" || true)
check "$((events == 2 * count))" "one event for each that failed: $events"
whole=$(grep -c '"search_tried":28232,' "$dir/json" || true)
check "$((whole == events))" "each is said to have gone through 28232 ports: $whole"
lost=$(grep -c '"type":"lost"' "$dir/json" || true)
check "$((lost == 0))" "nothing was lost"
echo "1..$number"
exit $failed
