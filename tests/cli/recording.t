#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Recordings, as far as they need no privilege: reading good and bad ones, refusing to write.
. tests/cli/tap.sh

rec=tests/golden/rec
good=$rec/connect.plr
bad=$TAP_DIR/bad.plr
size=$(stat -c %s "$good")

# number OFFSET BYTES FILE: what stands there, little endian
number() {
	od -An -v -tu"$2" -j "$1" -N "$2" "$3" | tr -d ' '
}

# spoiled HOW RECORDING PLACE...: where $bad, spoiled there, is not read as it has to be.
spoiled() {
	python3 tests/cli/spoiled.py "$PORTLIFE" "$bad" "$@" || echo "spoiled.py: status $?"
}

# --- what is no recording
refused "-r of nothing" 1 "$TAP_DIR/none: No such file or directory" "$PORTLIFE" -r "$TAP_DIR/none"
refused "-r of a directory" 1 "$TAP_DIR: Is a directory" "$PORTLIFE" -r "$TAP_DIR"
: >"$bad"
refused "-r of an empty file" 1 "$bad: not a recording: empty" "$PORTLIFE" -r "$bad"
echo hello >"$bad"
refused "-r of a few bytes" 1 "$bad: not a recording" "$PORTLIFE" -r "$bad"
refused "-r of a text" 1 "Makefile: not a recording" "$PORTLIFE" -r Makefile
head -c 100000 "$PORTLIFE" >"$bad"
refused "-r of a program" 1 "$bad: not a recording" "$PORTLIFE" -r "$bad"
refused "-r of zeros" 1 "/dev/zero: not a recording" "$PORTLIFE" -jr /dev/zero
refused "-r of /dev/null" 1 "/dev/null: not a recording: empty" "$PORTLIFE" -r /dev/null
refused "-r of a newer format" 1 "newer" "$PORTLIFE" -r "$rec/newer-format.plr"
refused "-r of newer records" 1 "newer" "$PORTLIFE" -jr "$rec/newer-records.plr"

# --- good, by file and by pipe
run "$PORTLIFE" -jr "$good"
ok "-r: status 0" is "$status" 0
ok "-r: quiet" is "$err" ""
ok "-r: ends in a summary" grep -q '"type":"summary"' <(tail -n 1 "$TAP_DIR/out")
cp "$TAP_DIR/out" "$TAP_DIR/whole"
run "$PORTLIFE" -j --read="$good"
ok "--read" cmp -s "$TAP_DIR/out" "$TAP_DIR/whole"
run bash -c 'cat "$1" | "$0" -jr -' "$PORTLIFE" "$good"
ok "-r - from a pipe" cmp -s "$TAP_DIR/out" "$TAP_DIR/whole"
run bash -c 'for ((i = 0; i < $2; i += 50)); do tail -c +$((i + 1)) "$1" | head -c 50; done | "$0" -jr -' \
	"$PORTLIFE" "$good" "$size"
ok "-r - from a pipe, bit by bit" cmp -s "$TAP_DIR/out" "$TAP_DIR/whole"
run bash -c 'exec "$0" -jr - <"$1"' "$PORTLIFE" "$good"
ok "-r - from a file" cmp -s "$TAP_DIR/out" "$TAP_DIR/whole"
run bash -c 'head -c 700 "$1" | "$0" -qr -' "$PORTLIFE" "$good"
ok "-r - that ends early: status 1" is "$status" 1
ok "-r - that ends early: one line" one_line err
ok "-r - that ends early: said of standard input" says "portlife: standard input: "
run "$PORTLIFE" -jr "$good" -o "$TAP_DIR/data"
ok "-r -o FILE" cmp -s "$TAP_DIR/data" "$TAP_DIR/whole"
ok "-r -o FILE: nothing else" is "$out$err" ""
if [ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null; then
	cp -- "$PORTLIFE" "$TAP_DIR/portlife"
	cp -- "$good" "$TAP_DIR/good.plr"
	chmod 755 "$TAP_DIR" "$TAP_DIR/portlife"
	chmod 644 "$TAP_DIR/good.plr"
	as=()
	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs)
	run "${as[@]}" "$TAP_DIR/portlife" -jr "$TAP_DIR/good.plr"
	ok "-r needs no privilege" cmp -s "$TAP_DIR/out" "$TAP_DIR/whole"
	mkdir -m 777 "$TAP_DIR/nobody"
	refused "-w needs it" 3 "portlife: " "${as[@]}" "$TAP_DIR/portlife" -w "$TAP_DIR/nobody/new"
	ok "-w without it leaves no file" test ! -e "$TAP_DIR/nobody/new"
	cp "$good" "$TAP_DIR/nobody/old"
	[ "$(id -u)" -ne 0 ] || chown 65534 "$TAP_DIR/nobody/old"
	run "${as[@]}" "$TAP_DIR/portlife" -w "$TAP_DIR/nobody/old"
	ok "-w without it leaves an old file alone" cmp -s "$TAP_DIR/nobody/old" "$good"
	refused "-w: COMMAND is not run" 3 "portlife: " "${as[@]}" "$TAP_DIR/portlife" \
		-w "$TAP_DIR/nobody/new" -- echo ran
	install -m 000 /dev/null "$TAP_DIR/nobody/none"
	refused "-r of what one may not read" 1 "Permission denied" "${as[@]}" "$TAP_DIR/portlife" \
		-r "$TAP_DIR/nobody/none"
else
	skip "without privilege" "setpriv is not here"
fi

# --- cut off: everywhere in the heads and in the first records, then now and then
text_len=$(number 12 4 "$good")
block=$((24 + text_len))
# shellcheck disable=SC2046 # numbers
ok "cut off at any place: status 1, one line, the data before it" is "$(spoiled cut "$good" \
	$(seq 1 40; seq $((block - 2)) $((block + 60)); seq $((block + 61)) 17 $((size - 2))) $((size - 1)))" ""

# --- one bit wrong
# shellcheck disable=SC2046
ok "one bit wrong at any place: status 1, one line, the data before it" is "$(spoiled flip "$good" \
	$(seq 0 30; seq $((block - 3)) $((block + 40)); seq 35 11 $((size - 1))))" ""
deflated=$rec/fentry-calls.plr
size=$(stat -c %s "$deflated")
# shellcheck disable=SC2046
ok "the same of a deflated one" is "$(spoiled flip "$deflated" $(seq 1000 97 $((size - 1))) $((size - 1)))" ""

# --- more than there should be
{ cat "$good"; echo more; } >"$bad"
run "$PORTLIFE" -qjr "$bad"
ok "bytes after the end: status 1" is "$status" 1
ok "bytes after the end: one line" one_line err
ok "bytes after the end: all the data" cmp -s "$TAP_DIR/out" "$TAP_DIR/whole"
cat "$good" "$good" >"$bad"
run "$PORTLIFE" -qjr "$bad"
ok "two recordings in a row: status 1" is "$status" 1
ok "two recordings in a row: one line" one_line err

# --- where the data goes
run bash -c '"$0" -r "$1" | head -n 1; exit "${PIPESTATUS[0]}"' "$PORTLIFE" "$rec/lost.plr"
ok "a reader that left: status 0" is "$status" 0
run bash -c '"$0" -qr "$1" | head -n 1' "$PORTLIFE" "$rec/mix.plr"
ok "a reader that left: quiet" is "$err" ""
run bash -c 'for i in 1 2 3 4 5 6; do "$0" -qjr "$1" | head -n 1; done' "$PORTLIFE" "$rec/lost.plr"
ok "a reader that left, six times: only what was lost is told" \
	is "$(grep -vc 'lost on CPU' "$TAP_DIR/err")" 0
refused "-r -o /dev/full" 1 "cannot write /dev/full: No space left on device" \
	"$PORTLIFE" -qr "$rec/mix.plr" -o /dev/full
refused "-r -o /dev/full, while reading" 1 "cannot write /dev/full: No space left on device" \
	"$PORTLIFE" -qjr "$rec/failures.plr" -o /dev/full
run sh -c 'exec "$0" -qjr "$1" >/dev/full' "$PORTLIFE" "$rec/failures.plr"
ok "-r to a full standard output: status 1" is "$status" 1
ok "-r to a full standard output: one line" one_line err
refused "-r -o into a missing directory" 1 "No such file" \
	"$PORTLIFE" -r "$good" -o "$TAP_DIR/no/file"

# --- writing where nothing can be written, before anything is traced
refused "-w into a missing directory" 1 "cannot write $TAP_DIR/no/file: No such file" \
	"$PORTLIFE" -w "$TAP_DIR/no/file"
refused "-w a directory" 1 "cannot write $TAP_DIR: Is a directory" "$PORTLIFE" -w "$TAP_DIR"
if command -v script >/dev/null; then
	run script -qec "'$PORTLIFE' -w - 2>'$TAP_DIR/talk'" /dev/null
	ok "-w - on a terminal: status 1" is "$status" 1
	ok "-w - on a terminal: nothing on it" is "$out" ""
	cp "$TAP_DIR/talk" "$TAP_DIR/err"
	err=$(<"$TAP_DIR/talk")
	ok "-w - on a terminal: one line" one_line err
	ok "-w - on a terminal: says why" says "-w -: a terminal is no place for a recording"
	run script -qec "'$PORTLIFE' -w /dev/tty -- touch '$TAP_DIR/ran' 2>'$TAP_DIR/talk'" /dev/null
	ok "-w /dev/tty: status 1" is "$status" 1
	ok "-w /dev/tty: one line" is "$(wc -l <"$TAP_DIR/talk")" 1
	ok "-w /dev/tty: COMMAND is not run" test ! -e "$TAP_DIR/ran"
	status=0
	timeout 20 script -qec "'$PORTLIFE' -r - 2>'$TAP_DIR/talk'" /dev/null >"$TAP_DIR/out" \
		</dev/null || status=$?
	ok "-r - on a terminal: status 1" is "$status" 1
	ok "-r - on a terminal: one line" is "$(wc -l <"$TAP_DIR/talk")" 1
	ok "-r - on a terminal: says why" grep -q "a terminal holds no recording" "$TAP_DIR/talk"
else
	skip "recordings and terminals" "script is not here"
fi

# --- wrong command lines
usage() {
	local text=$1
	shift
	refused "portlife ${*@Q}" 2 "$text" "$PORTLIFE" "$@"
}
usage "both go to standard output" -j -w -
usage "both go to standard output" -w - -o -
usage "both go to standard output" -w - -o - -- true
usage "-r and COMMAND" -r "$good" -- true
usage "-r and -w" -r "$good" -w "$TAP_DIR/copy"
ok "-r and -w: nothing was written" test ! -e "$TAP_DIR/copy"
usage "live run" -r "$good" --attach=tracepoint
usage "live run" -r "$good" --duration=1s
usage "live run" -r "$good" --no-resync
usage "--compress" --compress
usage "--compress" --compress -r "$good"
usage "empty" -r ""
usage "empty" -w ""
usage "requires an argument" -w
usage "requires an argument" -r
usage "is no duration" -r "$good" --duration=x

# --- what was found, what was lost
fails=tests/golden/rec/failures.plr
run "$PORTLIFE" -qr "$fails" --fail-on=bind-twice,early-bind
ok "--fail-on: found" is "$status" 5
run "$PORTLIFE" -r "$fails" --fail-on=bind-twice
ok "--fail-on: says what" says "--fail-on: found bind-twice"
run "$PORTLIFE" -r "$fails" --fail-on=early-bind
ok "--fail-on: not found" is "$status" 0
run "$PORTLIFE" -r "$fails" --fail-on=bind-twice -P 1
ok "--fail-on: not among what is chosen" is "$status" 0
run "$PORTLIFE" -r "$good" --fail-on=implicit-bind
ok "--fail-on: a flag" is "$status" 5
run "$PORTLIFE" -r tests/golden/rec/lost.plr --strict
ok "--strict: lost" is "$status" 4
run "$PORTLIFE" -r tests/golden/rec/lost.plr --strict --fail-on=bind-twice
ok "--strict comes first" is "$status" 4
run "$PORTLIFE" -r "$good" --strict
ok "--strict: nothing lost" is "$status" 0

tap_done
