#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What can go wrong with the output before anything is traced.
. tests/cli/tap.sh

refused "-o into a missing directory" 1 "$TAP_DIR/no/file: No such file or directory" \
	"$PORTLIFE" -o "$TAP_DIR/no/file"
refused "-o a directory" 1 "$TAP_DIR: Is a directory" "$PORTLIFE" -o "$TAP_DIR"
refused "-o with an empty name" 2 "empty" "$PORTLIFE" -o ""
refused "doctor -o into a missing directory" 1 "No such file" "$PORTLIFE" doctor -o "$TAP_DIR/no/f"
refused "a COMMAND is not run when -o fails" 1 "No such file" \
	"$PORTLIFE" -o "$TAP_DIR/no/file" -- touch "$TAP_DIR/ran"
ok "... indeed not" test ! -e "$TAP_DIR/ran"

run "$PORTLIFE" doctor -j
ok "doctor -j: status 0 or 3" grep -Eqx '0|3' <<<"$status"
if command -v jq >/dev/null; then
	ok "doctor -j: JSON of one type" is "$(jq -r .type <<<"$out" | sort -u)" doctor
	ok "doctor -j: the same keys in every line" \
		is "$(jq -c keys_unsorted <<<"$out" | sort -u | wc -l)" 1
	ok "doctor -j: ends in a verdict" is "$(tail -n 1 <<<"$out" | jq -r .item)" verdict
else
	skip "doctor -j is JSON" "jq is not here"
fi
text_status=$status
run "$PORTLIFE" doctor
ok "doctor: the same status as text" is "$status" "$text_status"
ok "doctor: says something" test -n "$out"
run sh -c 'exec "$0" doctor >/dev/full' "$PORTLIFE"
ok "doctor into a full disk: status 1" is "$status" 1
ok "doctor into a full disk: one line" one_line err

tap_done
