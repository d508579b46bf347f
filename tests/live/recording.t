#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A recording is the run: what -r says of it is what the live run said, byte for byte. And what is
left of it when the recorder is killed, or cannot write.

SCENARIOS and LOOP are the programs (build/tests/...), LOOP_CYCLES how often the busy loop connects,
KILLS how often a recorder is killed.
"""

import json
import os
import pathlib
import random
import re
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

SCENARIOS = os.environ.get("SCENARIOS", str(live.ROOT / "build/tests/scenarios"))
LOOP = os.environ.get("LOOP", str(live.ROOT / "build/tests/loop"))
CYCLES = int(os.environ.get("LOOP_CYCLES", "2000" if live.IN_VM else "20000"))
KILLS = int(os.environ.get("KILLS", "4" if live.IN_VM else "10"))
BYTES_PER_RECORD = 24
# A network namespace of its own, where the TIME_WAIT entries of a busy loop take no one's place.
APART = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
OLD_SECONDS = 1.5  # a block is written when it is half a second old, if the reader keeps up


def portlife(*args, shell="", **popen):
    """Runs it to its end; status, output, talk. `shell` surrounds it: "$@" stands for it."""
    argv = [live.PORTLIFE, *map(str, args)]
    if shell:
        argv = ["bash", "-c", shell, "bash", *argv]
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False,
                          stderr=subprocess.PIPE, timeout=120 * live.PATIENCE, **popen)
    return done.returncode, done.stdout, done.stderr.decode(errors="replace")


def record(*args, **more):
    """The same of a live run."""
    return portlife(*live.ATTACH, *args, **more)


def difference(said, wanted):
    """The first lines that are not the same, for a diagnosis."""
    said, wanted = said.splitlines(), wanted.splitlines()
    for number, pair in enumerate(zip(said, wanted)):
        if pair[0] != pair[1]:
            return f"line {number + 1}\nreplayed: {pair[0]!r}\nlive:     {pair[1]!r}"
    return f"{len(said)} lines replayed, {len(wanted)} live"


def check_replay(tap, name, recording, live_output, *options):
    """One TAP line: the replay with these options is what the live run wrote into that file."""
    status, said, talk = portlife("-qr", recording, *options)
    wanted = pathlib.Path(live_output).read_bytes()
    return tap.check(status == 0 and said == wanted and wanted, name, f"status {status}", talk,
                     difference(said, wanted))


def all_scenarios(tap, folder):
    """Every scenario over each of its families under one portlife."""
    recording = folder / "all.plr"
    tracer = live.Tracer(folder, "-w", recording, name="all").await_live()
    listing = subprocess.run([SCENARIOS, "--list"], check=True, stdout=subprocess.PIPE, text=True)
    bad = []
    rows = listing.stdout.splitlines()
    for row in rows[::6] if live.IN_VM else rows:
        name, *families = row.split()
        for family in families:
            done = subprocess.run([*APART, SCENARIOS, name, family], check=False,
                                  stdout=subprocess.DEVNULL)
            if done.returncode:
                bad.append(f"{name} {family}")
    time.sleep(0.5 * live.PATIENCE)
    tap.equal(bad, [], "the scenarios did as they should")
    tap.equal(tracer.stop(), 0, "all scenarios under one portlife -j -o A -w B")
    check_replay(tap, "all scenarios: -j -r B is A", recording, tracer.output, "-j")
    text = portlife("-qr", recording)[1]
    tap.check(text.count(b"\n") > 100, "all scenarios: -r B as text", f"{len(text)} bytes")


def filtered(tap, folder):
    """COMMAND runs with options that choose or form: the same ones choose and form the same."""
    recording, output = folder / "one.plr", folder / "one.output"
    for options, command in [
        ("-j", "connect_without_bind 4"),
        ("-j --compress", "threads 6"),
        ("-j -P 5000", "local_port_range 4"),
        ("-j -P 1-65535", "bind_zero_then_connect 6"),
        ("-j --peer-port=5000", "local_port_range 6"),
        ("-j --implicit", "accept_three 4"),
        ("-j --ephemeral", "bind_zero 4"),
        ("-j -x", "bind_twice 4"),
        ("-j -4", "dual_stack_listener 6"),
        ("-j -6", "dual_stack_listener 6"),
        ("-j --addr=127.0.0.0/8", "dual_stack_listener 6"),
        ("-j --comm=scenarios", "child_accepts 4"),
        ("-j --uid=0", "bind_twice 6"),
        ("-j --existing", "closed_by_exit 4"),
        ("", "connect_refused 4"),
        ("--states --time=delta --implicit", "disconnect_implicit 6"),
        ("--states --time=boot --color=always -H", "server_resets 4"),
    ]:
        options = options.split()
        how = " ".join([*options, command])
        status, _, talk = record("-q", *options, "-o", output, "-w", recording, "--", SCENARIOS,
                                 *command.split())
        if tap.check(status == 0, f"{how}: recorded", f"status {status}", talk):
            options = [option for option in options if option != "--compress"]
            check_replay(tap, f"{how}: replayed", recording, output, *options)
    # where --count ends the run it is another moment, but the same event
    record("-qj", "--count=3", "-o", output, "-w", recording, "--", SCENARIOS, "accept_three", "6")
    said = portlife("-qjr", recording, "--count=3")[1].splitlines()
    tap.equal(said[:4], output.read_bytes().splitlines()[:4], "-j --count=3: the same events")
    tap.check(b'"summary"' in said[-1], "-j --count=3: and a summary", said[-1])
    status, _, talk = record("-j", "-o", output, "-w", recording, "--", "sh", "-c", "exit 7")
    tap.equal(status, 7, "the status is COMMAND's")
    check_replay(tap, "and in the recording", recording, output, "-j")


def modes(tap, folder):
    """For the owner's eyes, also if the file was there with another mode."""
    recording = folder / "mode.plr"
    for name in "new", "old":
        status, _, talk = record("-q", "-w", recording, "--", "true", umask=0)
        tap.check(status == 0, f"a {name} file: recorded", f"status {status}", talk)
        tap.equal(oct(stat.S_IMODE(recording.stat().st_mode)), "0o600", f"a {name} file: mode")
        recording.write_bytes(b"x" * 100000)
        recording.chmod(0o644)


def busy_loop(tap, folder):
    """What a busy loop takes on disk, and that nothing of it is missing."""
    recording = folder / "loop.plr"
    for more in [], ["--compress"]:
        how = " ".join(["a busy loop", *more])
        status, out, talk = record("-w", recording, *more, "--", LOOP, CYCLES)
        tap.equal(status, 0, f"{how}: recorded")
        tap.equal([out.count(b"\n"), out[:9]], [1, b'{"cycles"'], f"{how}: only COMMAND prints")
        told = re.search(r"(\d+) records, (\d+) bytes written to ", talk)
        size = recording.stat().st_size
        if tap.check(told is not None, f"{how}: says how much it is", talk):
            records, told_size = map(int, told.groups())
            tap.equal(told_size, size, f"{how}: as much as it is")
            tap.check(size <= BYTES_PER_RECORD * records,
                      f"{how}: at most {BYTES_PER_RECORD} bytes a record",
                      f"{size} bytes for {records} records")
            print(f"# {size / records:.1f} bytes a record{', deflated' if more else ''}")
        status, said, talk = portlife("-jr", recording, "-P1")
        summary = json.loads(said.splitlines()[-1])
        tap.equal([status, summary["type"], summary["lost"]], [0, "summary", 0],
                  f"{how}: replayed, nothing lost")
        said = portlife("-jqr", recording, "--implicit")[1]
        tap.equal(said.count(b'"event":"connect"'), CYCLES, f"{how}: every connect()")


class Busy:
    """A program that connects all the time."""

    def __init__(self):
        self.process = None

    def __enter__(self):
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            ["sh", "-c", f"while '{LOOP}' 200000 >/dev/null; do :; done"], start_new_session=True)
        return self

    def pause(self):
        """Leaves the machine to others."""
        os.killpg(self.process.pid, signal.SIGSTOP)

    def resume(self):
        """Goes on."""
        os.killpg(self.process.pid, signal.SIGCONT)

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def last_moment(recording):
    """Replays what is left, of each cycle the connect(): status, talk, and when the last was, by the
    boot clock (ns)."""
    argv = [live.PORTLIFE, "-qjr", str(recording), "--ephemeral"]
    first, tail = b"", b""
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as replay:
        while chunk := replay.stdout.read(1 << 20):
            first = first or chunk[:100000].split(b"\n")[0]
            tail = tail[-65536:] + chunk
        talk = replay.stderr.read().decode()
    rows = tail.split(b"\n")
    moment = None
    if len(rows) > 2 and rows[-1] == b"":
        moment = int(json.loads(first)["boot_ns"]) + json.loads(rows[-2])["ts_ns"]
    return replay.returncode, talk, moment


def kills(tap, folder):
    """A recorder that is killed leaves what it has written, at most about a second old."""
    recording = folder / "killed.plr"
    chance = random.Random(int(os.environ.get("SEED", "1")))
    oldest = 0
    with Busy() as busy:
        for count in range(KILLS):
            talk = folder / "killed.talk"
            with open(talk, "wb") as errors:
                # pylint: disable-next=consider-using-with
                tracer = subprocess.Popen([live.PORTLIFE, *live.ATTACH, "-w", str(recording)],
                                          stderr=errors)
            live.wait_for(lambda: talk.stat().st_size or tracer.poll() is not None, 10)
            time.sleep(0.8 + chance.random())
            now_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            tracer.kill()
            tracer.wait()
            busy.pause()
            status, said, moment = last_moment(recording)
            old = (now_ns - moment) / 1e9 if moment else None
            tap.check(status == 1 and said.count("\n") == 1 and str(recording) in said
                      and re.search(r"at byte \d+, after \d+ records", said)
                      and old is not None and old <= OLD_SECONDS,
                      f"killed recorder {count + 1}: replays to about where it was killed",
                      f"status {status}; {old} s old", said, talk.read_text())
            oldest = max(oldest, old or 0)
            busy.resume()
    print(f"# the oldest of {KILLS} ended {oldest:.3f} s before its recorder")


def one_line(tap, status, talk, name):
    """A failure is told in one line and by the status."""
    tap.check(status == 1 and talk.count("\n") == 1, f"{name}: status 1, one line",
              f"status {status}", talk)


def cannot_write(tap, folder):
    """A full disk and a reader that left: one line, status 1, and what is written is good."""
    status, _, talk = record("-q", "-w", "/dev/full", "--", LOOP, CYCLES)
    one_line(tap, status, talk, "/dev/full")
    tap.check("cannot write /dev/full: No space left on device" in talk, "/dev/full: named", talk)

    status, _, talk = record("-q", "-w", "/dev/full", "--", "true")
    one_line(tap, status, talk, "/dev/full, at the end")

    small = folder / "small"
    small.mkdir()
    saved = folder / "saved.plr"
    status, _, talk = record(
        "-q", "-w", small / "it.plr", "--", LOOP, CYCLES * 5, env={**os.environ, "SMALL": str(small)},
        shell='exec unshare -m bash -c \'mount -t tmpfs -o size=96k small "$SMALL" || exit 99; '
              f'"$@"; status=$?; cp "$SMALL/it.plr" {saved}; exit $status\' bash "$@"')
    one_line(tap, status, talk, "a disk that fills")
    told = re.search(r"No space left on device; (\d+) records are in it", talk)
    tap.check(told, "a disk that fills: says how many records are in it", talk)
    if saved.exists() and told:
        status, said, talk = portlife("-qjr", saved)
        one_line(tap, status, talk, "what was written replays")
        tap.check(f"after {told[1]} records" in talk, "as many records as were told", told[0], talk)
        tap.check(said.count(b"\n") > 10, "and they say something", said[-1000:])

    with Busy():
        status, out, talk = record(
            "-q", "-w", "-", shell='"$@" | head -c 1000 | wc -c; exit ${PIPESTATUS[0]}')
    one_line(tap, status, talk, "a reader that left")
    tap.equal(out.strip(), b"1000", "a reader that left: it had what it wanted")


def pipes(tap, folder):
    """-w - into -r -, and that COMMAND's own output does no harm."""
    output = folder / "pipe.output"
    status, out, talk = record("-q", "-j", "-o", output, "-w", "-", "--", "true",
                               shell=f'"$@" | "{live.PORTLIFE}" -qjr -')
    tap.equal([status, out, talk], [0, output.read_bytes(), ""], "-w - | -r -")
    # COMMAND has the same standard output: its words are no part of a recording
    status, out, talk = record("-q", "-w", "-", "--", "echo", "from COMMAND")
    output.write_bytes(out)
    replayed = portlife("-qjr", output)
    tap.check(status == 2 or (status == 0 and replayed[0] == 0),
              "-w - with a COMMAND that prints: refused, or a good recording",
              f"status {status}, then {replayed[0]}", talk, replayed[2])


def main():
    """The tests, those that take longest last."""
    tap, temporary = live.begin()
    for program in SCENARIOS, LOOP:
        if not os.access(program, os.X_OK):
            tap.check(False, f"{program} is missing: make")
            tap.done()
    with temporary as name:
        folder = pathlib.Path(name)
        for part in all_scenarios, filtered, modes, pipes, cannot_write, busy_loop, kills:
            part(tap, folder)
    tap.done()


if __name__ == "__main__":
    main()
