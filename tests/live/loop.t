#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A hundred thousand connections in a tight loop: nothing lost, nothing kept.

LOOP is the program (build/tests/loop), LOOP_CYCLES how often it connects. In a virtual machine the
kernel is told to keep few TIME_WAIT entries: what they hold is not past, and has to be remembered.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

LOOP = os.environ.get("LOOP", str(live.ROOT / "build/tests/loop"))
CYCLES = int(os.environ.get("LOOP_CYCLES", "20000" if live.IN_VM else "100000"))
PAUSE = CYCLES // 10
SLACK_KB = 16  # a few pages come and go; one byte kept per cycle would be more
TIME_WAIT_KB = 0.25  # what a TIME_WAIT entry that the kernel keeps may cost: it is not past
TIME_WAITS = pathlib.Path("/proc/sys/net/ipv4/tcp_max_tw_buckets")


def anonymous_kb(pid):
    """RssAnon: the memory that is portlife's own (the ring buffer is not)."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(row.split()[1]) for row in status.splitlines() if row.startswith("RssAnon:"))


def time_waits():
    """How many TIME_WAIT entries the kernel keeps."""
    words = pathlib.Path("/proc/net/sockstat").read_text().split()
    return int(words[words.index("tw") + 1])


def await_quiet(path):
    """Returns when portlife has written all that there is to write."""
    size = -1
    while path.stat().st_size != size:
        size = path.stat().st_size
        time.sleep(0.5 * live.PATIENCE)


def count(path, *parts):
    """How many lines have all of these parts; fast enough for a million lines."""
    wanted = [part.encode() for part in parts]
    with open(path, "rb") as rows:
        return sum(all(part in row for part in wanted) for row in rows)


def main():
    """The test."""
    tap, folder = live.begin()
    if not os.access(LOOP, os.X_OK):
        tap.check(False, f"{LOOP} is missing: make")
        tap.done()
    if live.IN_VM:
        TIME_WAITS.write_text(str(PAUSE // 10))
    with folder as name:
        tracer = live.Tracer(name, "--", LOOP, CYCLES, 4, PAUSE, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE)
        go_on = tracer.process.stdin
        tap.equal(tracer.process.stdout.readline(), b"paused\n", f"{PAUSE} cycles done")
        await_quiet(tracer.output)
        early_kb = anonymous_kb(tracer.pid) - TIME_WAIT_KB * time_waits()
        go_on.write(b"\n")
        go_on.flush()
        tap.equal(tracer.process.stdout.readline(), b"done\n", f"{CYCLES} cycles done")
        await_quiet(tracer.output)
        late_kb = anonymous_kb(tracer.pid) - TIME_WAIT_KB * time_waits()
        go_on.write(b"\n")
        go_on.close()
        own = json.loads(tracer.process.stdout.readline())
        tap.equal(tracer.wait(120), 0, "exit status 0")

        with open(tracer.output, "rb") as file:
            file.seek(max(0, tracer.output.stat().st_size - 100000))
            summary = json.loads(file.read().splitlines()[-1])
        tap.equal([summary["type"], summary["lost"]], ["summary", 0], "nothing lost")
        tap.equal(count(tracer.output, '"type":"lost"'), 0, "and no line says so")
        ended = count(tracer.output, '"type":"life"', '"ended":true')
        tap.equal(ended, own["sockets"], "every life ended")
        tap.equal(count(tracer.output, '"type":"life"'), own["sockets"], "and was told once")
        tap.equal(count(tracer.output, '"event":"connect"', '"port_origin":"connect"'), CYCLES,
                  "every connect()")
        tap.equal(count(tracer.output, '"event":"accept"', '"port_origin":"accept"'), CYCLES,
                  "every accept()")
        tap.check(late_kb <= early_kb + SLACK_KB,
                  f"RssAnon after {CYCLES} cycles no higher than after {PAUSE}, but for TIME_WAIT",
                  f"{early_kb} kB, then {late_kb} kB")
        print(f"# {own['ns_per_cycle']} ns per cycle, RssAnon {early_kb} kB, then {late_kb} kB")
    tap.done()


if __name__ == "__main__":
    main()
