#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The list of lessons, their source and their JSON, without any privilege.
. tests/cli/tap.sh

wide() {
	awk 'length($0) > 80' "$TAP_DIR/out"
}

run "$PORTLIFE" lesson
ok "the list: status 0" is "$status" 0
ok "the list: nothing beyond 80 columns" is "$(wide)" ""
ok "the list: begins with the question that began it" grep -q '^  1  why-no-client-bind ' "$TAP_DIR/out"
mapfile -t names < <(sed -n 's/^ *[0-9][0-9]*  \([a-z0-9-]*\) .*/\1/p' "$TAP_DIR/out")
ok "the list: all of them" test ${#names[@]} -ge 21

for ((i = 0; i < ${#names[@]}; i++)); do
	"$PORTLIFE" lesson "${names[i]}" --source >"$TAP_DIR/by-name"
	run "$PORTLIFE" lesson $((i + 1)) --source
	ok "${names[i]}: by name or number" cmp -s "$TAP_DIR/by-name" "$TAP_DIR/out"
	ok "${names[i]}: is Python" python3 -c \
		'import sys; compile(open(sys.argv[1]).read(), "lesson", "exec")' "$TAP_DIR/out"
done

run "$PORTLIFE" lesson -r tests/golden/rec/lesson-6.12.plr
ok "all of a recording: status 0" is "$status" 0
ok "... and nothing beyond 80 columns" is "$(wide)" ""
ok "... with the verdicts counted" prints "Verdicts: 4 true, 22 false, 3 depends; 0 contradicted"

if command -v jq >/dev/null; then
	run "$PORTLIFE" lesson -j
	ok "the list as JSON" is "$(jq -r .lesson <<<"$out" | tr '\n' ' ')" "${names[*]} "
	run "$PORTLIFE" lesson -j -r tests/golden/rec/lesson-6.12.plr
	ok "JSON: from start to summary" is "$(jq -r .type <<<"$out" | uniq | tr '\n' ' ' |
		sed 's/\(step verdict \)*summary/.../')" "start ... "
	for type in step verdict; do
		ok "JSON: the same keys in every $type" is "$(jq -c "select(.type == \"$type\") |
			keys_unsorted" <<<"$out" | sort -u | wc -l)" 1
	done
	run "$PORTLIFE" lesson -j -r tests/golden/rec/lesson-6.12.plr time-wait
	ok "JSON: one of several" is "$(jq -r 'select(.type == "verdict") | .lesson' <<<"$out")" \
		time-wait
else
	skip "JSON" "jq is not here"
fi

run sh -c 'exec "$0" lesson -r tests/golden/rec/lesson-6.12.plr >/dev/full' "$PORTLIFE"
ok "into a full disk: status 1" is "$status" 1
ok "... told of once" one_line err
run "$PORTLIFE" lesson -r tests/golden/rec/connect.plr
ok "a recording without a lesson: status 1" is "$status" 1
ok "... says so" says "no lesson is in it"

tap_done
