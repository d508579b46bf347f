#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How full a range is: by what, in the findings and in the summary, live and replayed; TIME_WAIT
that is in the way; what the sysctls of the program's own network namespace change.

Everything happens in a network namespace of the program's own; it says itself what it did.
"""

import json
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

PROGRAM = """\
import errno, json, os, socket, time
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
REUSEADDR = (socket.SOL_SOCKET, socket.SO_REUSEADDR)
keep = []

def setting(name, value):
    with open("/proc/sys/net/ipv4/" + name, "w") as file:
        file.write(value)

def make(*options, kind=TCP):
    sock = socket.socket(socket.AF_INET, kind)
    for level, name in options:
        sock.setsockopt(level, name, 1)
    keep.append(sock)
    return sock

def attempt(name, call, *address):
    error = None
    try:
        call(*address)
    except OSError as failed:
        error = errno.errorcode[failed.errno]
    print(json.dumps([name, error]), flush=True)

def wait_left(port, *options):
    # the server closes first: TIME_WAIT has its port
    server = make(*options)
    server.bind(("127.0.0.1", port))
    server.listen()
    client = make()
    client.connect(("127.0.0.1", port))
    child = server.accept()[0]
    child.close()
    server.close()
    client.recv(1)
    client.close()

setting("ip_local_port_range", "40000 40011")
setting("ip_local_reserved_ports", "8080,40010-40011")
setting("ip_unprivileged_port_start", "2000")
service = make(); service.bind(("127.0.0.1", 8001)); service.listen()
other = make(); other.bind(("127.0.0.1", 8002)); other.listen()
time.sleep(0.3) # long enough for whoever looks at the namespace

wait_left(8003)
attempt("TIME_WAIT, no option", make().bind, ("127.0.0.1", 8003))
attempt("TIME_WAIT, the new one has it", make(REUSEADDR).bind, ("127.0.0.1", 8003))
wait_left(8004, REUSEADDR)
attempt("TIME_WAIT, the old one had it", make().bind, ("127.0.0.1", 8004))
attempt("TIME_WAIT, both", make(REUSEADDR).bind, ("127.0.0.1", 8004))
os.setresuid(65534, 65534, 0)
attempt("below the start", make().bind, ("127.0.0.1", 1500))
attempt("above it", make().bind, ("127.0.0.1", 2000))
os.setresuid(0, 0, 0)
attempt("a reserved port by name", make().bind, ("127.0.0.1", 40010))
for _ in range(3):
    make().bind(("127.0.0.1", 0))
for _ in range(7):
    make().connect(("127.0.0.1", 8001))
attempt("no port to one peer", make().connect, ("127.0.0.1", 8001))
make().connect(("127.0.0.1", 8002))
attempt("no port for bind(0)", make().bind, ("127.0.0.1", 0))
for _ in range(10):
    make(kind=UDP).connect(("127.0.0.1", 9))
attempt("no port for UDP", make(kind=UDP).sendto, b"x", ("127.0.0.1", 9))
print(json.dumps(["netns", os.stat("/proc/self/ns/net").st_ino]), flush=True)
time.sleep(0.3)
"""

# what is to be found of each attempt: errno, findings, what the first sentence has in it
HELD = ["bind-in-use", "time-wait-holds-port"]
SLOW = "slow-port-search" # in a virtual machine any search may be
RANGE = "no port of 40000-40011 (12 ports, 2 of them reserved)"
CASES = {
    "TIME_WAIT, no option": ("EADDRINUSE", HELD, "is held by TIME_WAIT"),
    "TIME_WAIT, the new one has it": ("EADDRINUSE", HELD, "is held by TIME_WAIT"),
    "TIME_WAIT, the old one had it": ("EADDRINUSE", HELD, "is held by TIME_WAIT"),
    "TIME_WAIT, both": (None, [], None),
    "below the start": ("EACCES", ["bind-denied"], "ip_unprivileged_port_start (2000)"),
    "above it": (None, [], None),
    "a reserved port by name": (None, [], None),
    "no port to one peer": (
        "EADDRNOTAVAIL", ["ports-exhausted"],
        RANGE + " was free for connect() to 127.0.0.1:8001, "
        "hence EADDRNOTAVAIL: 3 bound, 7 connected to there"),
    "no port for bind(0)": (
        "EADDRINUSE", ["ports-exhausted"],
        RANGE + " was free for bind() to 127.0.0.1:0, "
        "hence EADDRINUSE: 3 bound, 7 connected"),
    "no port for UDP": (
        "EAGAIN", ["ports-exhausted"],
        "hence EAGAIN: 10 from connect() or a send"),
}


def check_attempts(tap, attempts, lines):
    """What failed is found, with the facts."""
    events = [line for line in lines if line["type"] == "event" and line["errno"]
              and line["comm"] == "python3"]
    sentences = [line for line in lines if line["type"] == "finding" and line["comm"] == "python3"]
    for name, error in attempts:
        wanted_error, wanted_findings, text = CASES[name]
        tap.equal(error, wanted_error, f"{name}: {wanted_error}")
        if not error:
            continue
        event = events.pop(0) if events else {"errno": None, "findings": None}
        found = [identity for identity in event["findings"] or [] if identity != SLOW]
        tap.equal((event["errno"], found), (error, wanted_findings), f"{name}: found")
        if "ports-exhausted" in wanted_findings and event["search_ns"] is not None:
            tap.equal(event["search_tried"], 10, f"{name}: each port but the reserved was tried")
        told = [line for line in sentences if line["finding"] == wanted_findings[0]
                and line["socket"] == event.get("socket")]
        if told: # once a minute
            tap.check(text in told[0]["text"], f"{name}: the sentence", told[0]["text"])
    tap.equal(events, [], "nothing else failed")
    told = {line["finding"] for line in sentences} - {SLOW}
    tap.equal(told, {identity for case in CASES.values() for identity in case[1]} | {"ports-low"},
              "each finding has its line")
    tap.check(all(line["evidence"] for line in sentences), "and evidence")


LOW = "8 of the 10 ports of 40000-40011 that are not reserved are taken"


def check_low(tap, lines):
    """A range is low when four fifths of it are taken, not before and not later."""
    low = [line for line in lines if line["type"] == "finding" and line["finding"] == "ports-low"]
    tap.equal([line["text"] for line in low],
              [LOW + " for connections to 127.0.0.1:8001: 3 bound, 5 connected to there",
               LOW + ": 8 from connect() or a send"], "ports get low")


def check_pressure(tap, lines):
    """The counts in the findings are those of the program."""
    full = [line["pressure"] for line in lines if line["type"] == "finding"
            and line["finding"] == "ports-exhausted"]
    said = [(p["proto"], p["range"], p["reserved"], p["usable"], p["by"]["bind"],
             p["by"]["connect"], p["by"]["time_wait"]) for p in full]
    common = [40000, 40011], [[8080, 8080], [40010, 40011]], 10
    tap.equal(said, [("tcp", *common, 3, 7, 0), ("tcp", *common, 3, 7, 0),
                     ("udp", *common, 0, 10, 0)], "what has the ports, in JSON")


def check_summary(tap, summary, netns):
    """The namespace's range, and what came and went."""
    rows = {row["proto"]: row for row in summary["pressure"] if row["netns"] == netns}
    if not tap.equal(set(rows), {"tcp", "udp"}, "the summary has the namespace"):
        return
    tcp, udp = rows["tcp"], rows["udp"]
    tap.equal((tcp["range"], tcp["usable"], tcp["unprivileged_port_start"], tcp["all"]),
              ([40000, 40011], 10, 2000, False), "its settings")
    # two clients, three bind(0), seven connections and one more, one that was named
    tap.equal((tcp["assigned"], udp["assigned"]), (14, 10), "ports that were assigned")
    tap.equal(udp["released"], 10, "and released")
    tap.check(tcp["assigned_per_s"] > 0, "at a rate", tcp["assigned_per_s"])
    search = summary["search"]
    if search is not None:
        tap.equal(sum(row["count"] for row in search["histogram"]), search["count"],
                  "the histogram has every search")
        tap.check(search["count"] >= 24 and search["max_ns"] > 0, "they were timed", search)


def summary_of(talk):
    """The lines about ports given, ranges and searches."""
    return re.findall(r"^(?:\d+ ports? given|tcp|udp|port searches).*$", talk, re.MULTILINE)


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        path = live.write_program(name, "pressure.py", PROGRAM)
        recording, shown = pathlib.Path(name) / "run.plr", pathlib.Path(name) / "shown"
        run = subprocess.run([live.PORTLIFE, *live.ATTACH, "-v", "-w", recording, "-o", shown,
                              "--", "unshare", "-n", "sh", "-c",
                              f"ip link set lo up; exec python3 {path}"],
                             capture_output=True, text=True, check=False)
        tap.equal(run.returncode, 0, "the program ends well")
        said = [json.loads(row) for row in run.stdout.splitlines()]
        attempts, netns = said[:-1], said[-1][1]
        tap.equal([attempt[0] for attempt in attempts], list(CASES), "all was tried")
        again = subprocess.run([live.PORTLIFE, "-v", "-r", recording], capture_output=True,
                               text=True, check=False)
        tap.check(again.stdout == shown.read_text(), "a replay says the same")
        tap.equal(summary_of(again.stderr), summary_of(run.stderr), "and has the same summary")
        tap.check(len(summary_of(run.stderr)) >= 3, "with the ranges", run.stderr)
        replay = subprocess.run([live.PORTLIFE, "-j", "-r", recording], capture_output=True,
                                text=True, check=True)
        lines = [json.loads(row) for row in replay.stdout.splitlines()]
        check_attempts(tap, attempts, lines)
        check_low(tap, lines)
        check_pressure(tap, lines)
        check_summary(tap, lines[-1], netns)
    tap.done()


if __name__ == "__main__":
    main()
