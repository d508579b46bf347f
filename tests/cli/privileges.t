#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Without privileges: status 3, one line, and COMMAND is not run.
. tests/cli/tap.sh

cp -- "$PORTLIFE" "$TAP_DIR/portlife"
chmod 755 "$TAP_DIR" "$TAP_DIR/portlife"
if [ "$(id -u)" -ne 0 ]; then
	as=()
elif command -v setpriv >/dev/null; then
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs)
else
	skip "nobody cannot trace" "setpriv is not here"
	tap_done
	exit
fi

refused "nobody cannot trace" 3 "portlife: " "${as[@]}" "$TAP_DIR/portlife"
refused "nobody cannot trace a COMMAND" 3 "portlife: " "${as[@]}" "$TAP_DIR/portlife" -j -- echo ran
refused "usage comes first" 2 "out of range" "${as[@]}" "$TAP_DIR/portlife" -P 0
run "${as[@]}" "$TAP_DIR/portlife" doctor
ok "doctor: status 3" is "$status" 3
ok "doctor: says why" test -n "$out"
run "${as[@]}" "$TAP_DIR/portlife" --help
ok "--help needs nothing" is "$status" 0

tap_done
