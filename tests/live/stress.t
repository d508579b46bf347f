#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Under stress nothing is mixed up: threads that race for the same descriptors, programs killed in
mid-call, portlife started and stopped under load. What is said of an operation is what its own
thread saw; no life is left behind.

STRESS is the program (build/tests/stress). Each of its operations has an address of its own.
"""

import collections
import ipaddress
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent),
                str(pathlib.Path(__file__).resolve().parents[1] / "oracle")]
sys.dont_write_bytecode = True
import live
import table

STRESS = os.environ.get("STRESS", str(live.ROOT / "build/tests/stress"))
THREADS = 4
OPERATIONS = 3000 if live.IN_VM else 20000
KILLS = 5 if live.IN_VM else 20
RESTARTS = 4 if live.IN_VM else 12
BOUND_PORT = 20000
SHOWN = 5


class Load:
    """A stress program in its own namespace."""

    def __init__(self, folder, name, operations):
        self.log = pathlib.Path(folder) / f"{name}.log"
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(
            [STRESS, str(THREADS), str(operations), str(self.log)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.space = int(self.process.stdout.readline().split()[1])
        # as long as it is open no other namespace gets the same number
        self.namespace = os.open(f"/proc/{self.process.pid}/ns/net", os.O_RDONLY)

    def outcomes(self):
        """{(kind, address): (tid, errno or None)} of what it wrote; the last line may be torn."""
        rows = [row.split() for row in self.log.read_text().split("\n")[:-1]]
        return {(kind, address): (int(tid), None if error == "0" else error)
                for kind, address, tid, error in rows}

    def kill(self):
        """In the middle of whatever it does."""
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()


def events_of(path, spaces):
    """portlife's lines about these namespaces; whole lines only."""
    wanted = [f'"netns":{inum},'.encode() for inum in spaces]
    with open(path, "rb") as rows:
        lines = [json.loads(row) for row in rows
                 if row.endswith(b"\n") and any(inum in row for inum in wanted)]
    return [line for line in lines if line.get("netns") in spaces]


def operation_of(line):
    """(kind, address) of the operation that an event tells of; None if it is of no operation."""
    request = line["requested"]
    if line["event"] not in ("bind", "connect", "connect_failed") or not request:
        return None
    if request["port"] == BOUND_PORT:
        return "bind", request["addr"]
    return "connect", request["addr"]


def owner(address):
    """The number of the thread that uses this address."""
    return ipaddress.IPv4Address(address).packed[1] % 8


def contradictions(line, operation, outcomes):
    """What an event says that its thread did not see."""
    tid, error = outcomes.get(operation, (None, None))
    said = line["errno"]
    if tid is None:
        return
    if line["tid"] != tid:
        yield f"thread {line['tid']}, it was {tid}"
    if line["event"] == "bind":
        if said != error:
            yield f"errno {said}, it was {error}"
        if not said and line["port_origin"] == "bind" and \
                live.endpoint(line["local"]) != (operation[1], BOUND_PORT):
            yield f"local {line['local']}"
    elif line["event"] == "connect":
        if (line["peer"] or {}).get("addr") != operation[1]:
            yield f"peer {line['peer']}"
        if error not in (None, "EINPROGRESS"):
            yield f"an attempt, but the call failed: {error}"
    elif said != error:
        yield f"connect_failed {said}, it was {error}"


def check_truth(tap, lines, outcomes, name):
    """Every event about an operation says what its thread saw, and there is one at most."""
    wrong, counts = [], collections.Counter()
    for line in lines:
        operation = operation_of(line) if line["type"] == "event" else None
        if not operation:
            continue
        counts[operation, line["event"]] += 1
        wrong += [f"{why}: {table.brief(line)}"
                  for why in contradictions(line, operation, outcomes)]
    wrong += [f"{n} times {what}" for what, n in counts.items() if n > 1]
    tap.check(not wrong, f"{name}: {len(counts)} events of {len(outcomes)} operations, "
              "each with its own thread, address and outcome",
              f"{len(wrong)} are wrong", *wrong[:SHOWN])
    return {operation for operation, _ in counts}


def fold(lines, spaces):
    """The table after these lines."""
    result = table.Table(spaces)
    for line in lines:
        result.feed(line)
    return result


def time_wait_is_blind(lines):
    """Does this backend declare that it does not see the end of TIME_WAIT?"""
    return "time_wait_end" in lines[0]["blind"]


def first_line(path):
    """The start line."""
    with open(path, "rb") as rows:
        return [json.loads(rows.readline())]


def check_races(tap, folder):
    """Threads on the same descriptors."""
    tracer = live.Tracer(folder, "--states", name="races").await_live()
    load = Load(folder, "races", OPERATIONS)
    tap.equal(load.process.stdout.readline(), "done\n", "races: the threads are done")
    load.process.stdin.write("\n")
    load.process.stdin.close()
    truth = table.Truth()
    for row in load.process.stdout:
        truth.feed(row.split())
    tap.equal(load.process.wait(), 0, "races: the program ends well")
    live.wait_for(lambda: b'"port":%d' % truth.marker[1] in tracer.output.read_bytes(), 5)
    lines = events_of(tracer.output, [load.space])
    blind = time_wait_is_blind(first_line(tracer.output))
    upto = next(i for i, line in enumerate(lines) if line["type"] == "event" and
                (line["local"] or {}).get("port") == truth.marker[1])
    difference = table.Difference(fold(lines[:upto], [load.space]), truth, blind)
    tap.check(not difference, f"races: the table is the kernel's ({len(truth.lives)} TIME_WAIT)",
              difference.surplus[:SHOWN], difference.missing[:SHOWN])
    outcomes = load.outcomes()
    told = check_truth(tap, lines, outcomes, "races")
    silent = {operation: error for operation, (_, error) in outcomes.items()
              if operation not in told and error not in ("EBADF", "ENOTSOCK", "EALREADY",
                                                         "EISCONN", "EINPROGRESS")}
    print(f"# races: of {len(silent)} operations nothing is said: "
          f"{collections.Counter(silent.values())}")
    tap.equal(tracer.stop(), 0, "races: portlife ends well")
    unknown = sum(line["type"] == "event" and line["port_origin"] == "unknown" for line in lines)
    print(f"# races: {unknown} events of unknown origin")


def check_kills(tap, folder):
    """Programs killed in mid-call leave no life behind."""
    tracer = live.Tracer(folder, "--states", name="kills").await_live()
    loads, outcomes = [], {}
    for number in range(KILLS):
        load = Load(folder, f"kill{number}", 0)
        time.sleep(random.uniform(0.02, 0.15) * live.PATIENCE)
        load.kill()
        loads.append(load)
        outcomes = load.outcomes()
    spaces = [load.space for load in loads]
    time.sleep(0.5 * live.PATIENCE)
    tap.equal(tracer.stop(), 0, "kills: portlife ends well")
    lines = events_of(tracer.output, spaces)
    for load in loads:
        os.close(load.namespace)
    left = [entry for entry, _ in fold([line for line in lines if line.get("ended", True)],
                                       spaces).entries()
            if entry.kind != "time_wait"]
    tap.check(not left, f"kills: {KILLS} programs killed, no port is left in the table",
              *left[:SHOWN])
    check_truth(tap, [line for line in lines if line["netns"] == spaces[-1]], outcomes, "kills")
    lives = [line for line in lines if line["type"] == "life"]
    alive = [line for line in lives if not line["ended"]]
    tap.check(lives and not alive, f"kills: {len(lives)} lives, all ended",
              f"{len(alive)} are not",
              *[json.dumps(line) for line in lines
                if line["socket"] in {life["socket"] for life in alive[:SHOWN]}])


def check_restarts(tap, folder):
    """portlife started and stopped under load says nothing wrong either."""
    load = Load(folder, "restarts", 0)
    statuses, lines = [], []
    for number in range(RESTARTS):
        tracer = live.Tracer(folder, "--states", "--existing", name=f"restart{number}")
        tracer.await_live()
        time.sleep(random.uniform(0.0, 0.1))
        statuses.append(tracer.stop(random.choice((signal.SIGINT, signal.SIGTERM))))
        lines.append(events_of(tracer.output, [load.space]))
        tracer.output.unlink()
    load.kill()
    tap.equal(statuses, [0] * RESTARTS, f"restarts: {RESTARTS} times under load, all end well")
    outcomes = load.outcomes()
    for number, rows in enumerate(lines):
        wrong = []
        for line in rows:
            operation = operation_of(line) if line["type"] == "event" else None
            if operation and owner(operation[1]) > THREADS:
                wrong.append(table.brief(line))
        if wrong:
            tap.check(False, f"restarts: run {number}", *wrong[:SHOWN])
    check_truth(tap, [line for rows in lines for line in rows], outcomes, "restarts")


def main():
    """The test."""
    tap, folder = live.begin()
    if not os.access(STRESS, os.X_OK):
        tap.check(False, f"{STRESS} is missing: make tests")
        tap.done()
    with folder as name:
        check_races(tap, name)
        check_kills(tap, name)
        check_restarts(tap, name)
    tap.done()


if __name__ == "__main__":
    main()
