#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Help and version go to standard output, and the manual page follows them.
. tests/cli/tap.sh

for option in --help --usage --version -h -V; do
	run "$PORTLIFE" "$option"
	ok "$option: status 0" is "$status" 0
	ok "$option: quiet on standard error" is "$err" ""
	ok "$option: names itself" prints portlife
done

run "$PORTLIFE" --version
ok "--version: one line" one_line out
ok "--version: a number" grep -Eq '^portlife [0-9]+\.[0-9]+' "$TAP_DIR/out"

run sh -c 'exec "$0" --help >/dev/full' "$PORTLIFE"
ok "--help into a full disk: status 1" is "$status" 1
ok "--help into a full disk: says so" says "No space left"

"$PORTLIFE" --help >"$TAP_DIR/help"
page=user/dist/portlife.1
mapfile -t options < <(grep -Eo '^ +(-[[:alnum:]], )?(-[[:alnum:]]|--[a-z0-9-]+)' "$TAP_DIR/help" |
	grep -Eo -- '-[-a-zA-Z0-9]+' | sort -u)
ok "--help shows options" test ${#options[@]} -gt 40
for option in "${options[@]}"; do
	case $option in
	--*) pattern="Fl Fl ${option#--}" ;;
	*) pattern="Fl ${option#-}" ;;
	esac
	ok "$option is in the manual page" grep -Eq -- "^\.It.* ?$pattern( |\$)" "$page"
done

mapfile -t options < <(sed -n 's/^\.It //p' "$page" | grep -Eo 'Fl (Fl )?[[:alnum:]-]+' |
	sed 's/Fl Fl /--/; s/Fl /-/' | sort -u)
for option in "${options[@]}"; do
	ok "$option of the manual page is in --help" grep -q -- "$option" "$TAP_DIR/help"
done

if command -v man >/dev/null && command -v groff >/dev/null; then
	run man -l --warnings -E UTF-8 "$page"
	ok "man has no warnings" is "$status$err" 0
else
	skip "man has no warnings" "man and groff are not here"
fi

tap_done
