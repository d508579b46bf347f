#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A short run of the fuzzer over the golden recordings: it must end by itself, with nothing found.
# FUZZ_SECONDS: how short. The seed is printed; what is found is kept in build/fuzz.
set -u
cd "$(dirname "$0")/../.." || exit 1
build=$PWD/${BUILD:-build}
seed=${FUZZ_SEED:-$RANDOM}
corpus=$(mktemp -d) || exit 1
trap 'rm -rf "$corpus"' EXIT

echo "1..2"
if python3 tests/fuzz/seed.py "$corpus" tests/golden/rec/*.plr && [ -n "$(ls "$corpus")" ]; then
	echo "ok 1 - seeds from the golden recordings"
else
	echo "not ok 1 - seeds from the golden recordings"
fi
if log=$(cd "$build/fuzz" && ./fuzz_replay -seed="$seed" -max_total_time="${FUZZ_SECONDS:-8}" \
	-max_len=16384 -timeout=20 -rss_limit_mb=2048 "$corpus" 2>&1); then
	echo "ok 2 - nothing found with seed $seed"
else
	echo "not ok 2 - found with seed $seed"
	printf '%s\n' "$log" | tail -n 40 | sed 's/^/# /'
	exit 1
fi
