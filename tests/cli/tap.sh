# SPDX-License-Identifier: GPL-2.0-or-later
# What the TAP scripts share: run a command, look at its status and output, report. Sourced with
# the top of the tree as working directory.
# shellcheck shell=bash

PORTLIFE=$(realpath -- "${PORTLIFE:-build/portlife}")
TAP_DIR=$(mktemp -d)
trap 'rm -rf "$TAP_DIR"' EXIT
TAP_COUNT=0
TAP_FAILED=0
export LC_ALL=C.UTF-8
unset NO_COLOR

if [ ! -x "$PORTLIFE" ]; then
	echo "Bail out! $PORTLIFE is not there: run make, or set PORTLIFE"
	exit 1
fi

# run COMMAND...: leaves $status, $out and $err (its output, as files $TAP_DIR/out and err too).
run() {
	"$@" >"$TAP_DIR/out" 2>"$TAP_DIR/err" </dev/null
	status=$?
	out=$(tr -d '\0' <"$TAP_DIR/out")
	err=$(tr -d '\0' <"$TAP_DIR/err")
}

# ok NAME CONDITION...: the condition is a command.
ok() {
	local name=$1
	shift
	TAP_COUNT=$((TAP_COUNT + 1))
	if "$@"; then
		echo "ok $TAP_COUNT - $name"
		return
	fi
	TAP_FAILED=$((TAP_FAILED + 1))
	echo "not ok $TAP_COUNT - $name"
	# on stderr, which prove shows
	printf '%s\n' "not ok $TAP_COUNT - $name" "failed: $*" "status: ${status-}" "out: ${out-}" \
		"err: ${err-}" | cat -v | sed 's/^/# /' >&2
}

# Where everything that the tests need has been installed (PORTLIFE_TEST_ALL), a skip is a failure.
skip() {
	TAP_COUNT=$((TAP_COUNT + 1))
	if [ -n "${PORTLIFE_TEST_ALL:-}" ]; then
		TAP_FAILED=$((TAP_FAILED + 1))
		echo "not ok $TAP_COUNT - $1: skipped where it should run: $2"
		return
	fi
	echo "ok $TAP_COUNT - $1 # SKIP $2"
}

tap_done() {
	echo "1..$TAP_COUNT"
	[ "$TAP_FAILED" -eq 0 ]
}

one_line() {
	[ "$(wc -l <"$TAP_DIR/$1")" -eq 1 ]
}

# says TEXT: the last run's standard error has it.
says() {
	[[ $err == *"$1"* ]]
}

prints() {
	[[ $out == *"$1"* ]]
}

is() {
	[ "$1" = "$2" ]
}

# refused NAME STATUS TEXT COMMAND...: one line with TEXT on standard error, nothing else.
refused() {
	local name=$1 want=$2 text=$3
	shift 3
	run "$@"
	ok "$name: status $want" is "$status" "$want"
	ok "$name: one line" one_line err
	ok "$name: says what" says "$text"
	ok "$name: no data" is "$out" ""
}
