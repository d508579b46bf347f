# SPDX-License-Identifier: GPL-2.0-or-later
# What golden.t and update share: reading LIST, and one replay. Sourced in tests/golden.
# shellcheck shell=bash

PORTLIFE=$(realpath -- "${PORTLIFE:-../../build/portlife}")
export TZ=UTC LC_ALL=C.UTF-8 TERM=xterm
unset NO_COLOR

# for_each FUNCTION: calls it with NAME RECORDING EXPECTED OPTION... of each line.
for_each()
{
	local name recording expected options

	while read -r name recording expected options; do
		[[ -n $name && $name != \#* ]] || continue
		# shellcheck disable=SC2086 # options are words
		"$1" "$name" "$recording" "$expected" $options
	done <LIST
}

# replay RECORDING OPTION...: what portlife says of it, on standard output: the data, then standard
# error and the status, if there is something to say.
replay()
{
	local status=0 recording=$1 talk
	shift

	{ talk=$(cd rec && "$PORTLIFE" -r "$recording" "$@" 2>&1 >&3) || status=$?; } 3>&1
	[ -z "$talk" ] || printf -- '--- standard error\n%s\n' "$talk"
	[ $status -eq 0 ] || echo "--- status $status"
}
