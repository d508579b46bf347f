#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line while probes are live: COMMAND, statuses, signals, outputs, hostile names.
# Needs what portlife needs to trace, and python3 and jq.
. tests/cli/tap.sh

if ! "$PORTLIFE" doctor >/dev/null 2>&1; then
	echo "not ok 1 - portlife cannot trace here"
	echo "1..1"
	exit 0
fi

listen='import socket; s = socket.socket(); s.listen(); print(s.getsockname()[1], flush=True)'
many='import socket
for i in range(2000):
    s = socket.socket(); s.bind(("127.0.0.1", 0)); s.close()'

valid_json() {
	jq -e . "$1" >/dev/null
}

# --- COMMAND that does not run
refused "COMMAND not found" 127 "cannot run $TAP_DIR/none: No such file" \
	"$PORTLIFE" -qjo "$TAP_DIR/data" -- "$TAP_DIR/none"
echo 'echo ran' >"$TAP_DIR/plain"
refused "COMMAND not executable" 126 "cannot run $TAP_DIR/plain: Permission denied" \
	"$PORTLIFE" -qjo "$TAP_DIR/data" -- "$TAP_DIR/plain"

# --- COMMAND's end is ours
for code in 0 1 3 77 126; do
	run "$PORTLIFE" -q -o "$TAP_DIR/data" -- sh -c "exit $code"
	ok "status $code is passed on" is "$status" "$code"
	ok "status $code: nothing said" is "$out$err" ""
done
for signal in TERM KILL SEGV; do
	run bash -c '"$0" -q -o "$1" -- sh -c "kill -$2 \$\$"; exit $?' \
		"$PORTLIFE" "$TAP_DIR/data" "$signal"
	ok "SIG$signal is raised again" is "$status" $((128 + $(kill -l "$signal")))
done
run bash -c '"$0" -qjo "$1" -- sh -c "kill -9 \$\$"; exit $?' "$PORTLIFE" "$TAP_DIR/data"
ok "the summary has the signal" \
	is "$(tail -n 1 "$TAP_DIR/data" | jq -c .command)" '{"exit":null,"signal":9}'
run "$PORTLIFE" -qjo "$TAP_DIR/data" -- sh -c 'exit 5'
ok "the summary has the status" \
	is "$(tail -n 1 "$TAP_DIR/data" | jq -c .command)" '{"exit":5,"signal":null}'

# --- COMMAND's streams are its own
printf 'to be read' >"$TAP_DIR/in"
"$PORTLIFE" -qjo "$TAP_DIR/data" -- sh -c 'cat; echo talk >&2' \
	<"$TAP_DIR/in" >"$TAP_DIR/out" 2>"$TAP_DIR/err"
ok "stdin and stdout are kept" is "$(cat "$TAP_DIR/out")" "to be read"
ok "stderr is kept" is "$(cat "$TAP_DIR/err")" talk
run "$PORTLIFE" -q -- python3 -c "$listen"
ok "without -o data goes to stderr" says "python3      tcp   listen   $out listen   IE 0.0.0.0"
ok "... and stdout is COMMAND's alone" one_line out
run "$PORTLIFE" -qjo - -- python3 -c "$listen"
ok "-o - is stdout" is "$(grep -c '"type":"summary"' "$TAP_DIR/out")" 1
ok "-o -: nothing on stderr" is "$err" ""
run "$PORTLIFE" -o "$TAP_DIR/data" -- python3 -c "$listen"
ok "the first line says what, by which, where and how long" \
	grep -Eq '^portlife: watching .*python3.*(fentry|kprobe|tracepoint).*Linux .*stops' \
	"$TAP_DIR/err"
ok "the summary is at the end" grep -Eq '^1 port given: 1 listen; ' <(tail -n 2 "$TAP_DIR/err" | head -n 1)

# --- no escape codes in files and pipes, colour when asked
ok "no escape code in a file" is "$(grep -c $'\033' "$TAP_DIR/data")" 0
run "$PORTLIFE" -q --color=always -o - -- python3 -c "$listen"
ok "--color=always" grep -q $'\033' "$TAP_DIR/out"

# --- a disk that is full, a reader that left
run "$PORTLIFE" -q -o /dev/full -- python3 -c "$many"
ok "full disk: status 1" is "$status" 1
ok "full disk: one line" one_line err
ok "full disk: named" says "cannot write /dev/full: No space left on device"
run "$PORTLIFE" -qj -o /dev/full -- sh -c 'exit 0'
ok "full disk, JSON, at the end: status 1" is "$status" 1
ok "full disk, JSON, at the end: one line" one_line err
"$PORTLIFE" -q -o - -- python3 -c "$many" 2>"$TAP_DIR/err" | head -n 1 >"$TAP_DIR/out"
status=${PIPESTATUS[0]}
err=$(cat "$TAP_DIR/err")
ok "reader gone: status 0" is "$status" 0
ok "reader gone: quiet" is "$err" ""
"$PORTLIFE" -qj --duration=20s 2>"$TAP_DIR/err" | head -n 1 >"$TAP_DIR/out" &
pipe=$!
sleep 2
python3 -c "$many"
wait "$pipe"
ok "reader gone, watching: one line was read" one_line out
ok "reader gone, watching: quiet" is "$(cat "$TAP_DIR/err")" ""

# --- when to stop
begin=$SECONDS
run "$PORTLIFE" -q --duration=1s
ok "--duration: status 0" is "$status" 0
ok "--duration: took about that" test $((SECONDS - begin)) -le 10
run "$PORTLIFE" -qj --count=3 -o "$TAP_DIR/data" -- python3 -c "$many"
ok "--count: that many events" is "$(grep -c '"type":"event"' "$TAP_DIR/data")" 3
ok "--count: still a summary" is "$(tail -n 1 "$TAP_DIR/data" | jq -r .type)" summary
for signal in INT TERM HUP; do
	: >"$TAP_DIR/err"
	# a job of a script ignores SIGINT from its start, one of nohup SIGHUP: undo that
	env --default-signal=INT,HUP "$PORTLIFE" -j >"$TAP_DIR/data" 2>"$TAP_DIR/err" &
	pid=$!
	for _ in $(seq 100); do
		grep -q watching "$TAP_DIR/err" && break
		sleep 0.1
	done
	kill -"$signal" "$pid"
	wait "$pid"
	status=$?
	ok "SIG$signal: status 0" is "$status" 0
	ok "SIG$signal: a summary" is "$(tail -n 1 "$TAP_DIR/data" | jq -r .type)" summary
done

# --- a name that is an attack
hostile='import ctypes, socket
name = b"\033]0;\"\\\n\xff\xc2\x9b\xe2\x80\xae"
ctypes.CDLL(None).prctl(15, name, 0, 0, 0)
s = socket.socket(); s.listen()'
run "$PORTLIFE" -q -o "$TAP_DIR/data" -- python3 -c "$hostile"
ok "hostile comm, text: shown" grep -Fq '\x1b]0;"' "$TAP_DIR/data"
ok "hostile comm, text: no control bytes" \
	is "$(LC_ALL=C tr -d '\n\040-\176' <"$TAP_DIR/data" | wc -c)" 0
ok "hostile comm, text: one line" is "$(grep -c ' listen ' "$TAP_DIR/data")" 1
ok "hostile comm, text: columns stand" grep -Eq '^.{34}tcp   listen ' "$TAP_DIR/data"
run "$PORTLIFE" -qj -o "$TAP_DIR/data" -- python3 -c "$hostile"
ok "hostile comm, JSON: valid" valid_json "$TAP_DIR/data"
ok "hostile comm, JSON: every line" \
	is "$(jq -r .type "$TAP_DIR/data" | wc -l)" "$(wc -l <"$TAP_DIR/data")"
ok "hostile comm, JSON: as it was" is \
	"$(jq -r 'select(.event == "listen") | .comm | @json' "$TAP_DIR/data" | cut -c1-16)" \
	'"\u001b]0;\"\\\n'
ok "hostile comm, JSON: no control bytes" \
	is "$(LC_ALL=C tr -d '\n\040-\176\357\277\275' <"$TAP_DIR/data" | wc -c)" 0

# shellcheck disable=SC2016 # $0 is the inner shell's
run unshare -m sh -c 'mount -t tmpfs none /sys/kernel/btf && exec "$0"' "$PORTLIFE"
ok "no BTF: status 3" is "$status" 3
ok "no BTF: one line that says what is missing" says "/sys/kernel/btf/vmlinux, cannot be read"
ok "no BTF: and nothing else" one_line err
ok "no BTF: no data" is "$out" ""

tap_done
