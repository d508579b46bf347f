#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is in the way, by which rule, and what to do: the program knows, portlife must say the same.

Everything happens in a network namespace of the program's own. A case is what the program tried, the
errno it got, the findings and the rule that it stands for, and the fix, which must work.
"""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

PROGRAM = """\
import errno, json, os, socket, sys
TCP, UDP, V4, V6 = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.AF_INET, socket.AF_INET6
ADDR, PORT, NO_PORT = (1, 2), (1, 15), (0, 24)
V6ONLY = (41, 26)

def make(*options, family=V4, kind=TCP):
    sock = socket.socket(family, kind)
    for level, name in options:
        sock.setsockopt(level, name, 1)
    return sock

def server(port, *options, address="0.0.0.0", listen=True, user=0, **more):
    os.setresuid(user, user, 0)
    try:
        sock = make(*options, **more)
        sock.bind((address, port))
        if listen and more.get("kind", TCP) == TCP:
            sock.listen()
    finally:
        os.setresuid(0, 0, 0)
    return sock

def attempt(name, findings, rule, call, fix=None):
    error = None
    try:
        call()
    except OSError as failed:
        error = errno.errorcode[failed.errno]
    fixed = True
    try:
        if fix:
            fix()
    except OSError as failed:
        fixed = errno.errorcode[failed.errno]
    print(json.dumps([name, error, findings, rule, fixed]), flush=True)

def binds(port, *options, address="0.0.0.0", **more):
    return lambda: keep.append(server(port, *options, address=address, listen=False, **more))

keep = [server(8000)]
USE = ["bind-in-use"]
attempt("two servers", USE, "same-address,listening", binds(8000))
attempt("an address against a wildcard", USE, "wildcard-holder,listening",
        binds(8000, address="127.0.0.1"))
keep.append(server(8001, address="127.0.0.1"))
attempt("a wildcard against an address", USE, "wildcard-asked,listening", binds(8001),
        binds(8001, address="127.0.0.2"))
attempt(":: against 0.0.0.0", USE, "dual-stack,listening", binds(8000, address="::", family=V6),
        binds(8000, V6ONLY, address="::", family=V6))
keep.append(server(8002, address="::", family=V6))
attempt("0.0.0.0 against ::", USE, "dual-stack,listening", binds(8002))
keep.append(server(8003, listen=False))
attempt("bound, without SO_REUSEADDR", USE, "same-address,no-reuseaddr", binds(8003))
attempt("SO_REUSEADDR here only", USE, "same-address,reuseaddr-missing-there", binds(8003, ADDR))
keep.append(server(8004, ADDR, listen=False))
attempt("SO_REUSEADDR there only", USE, "same-address,reuseaddr-missing-here", binds(8004),
        binds(8004, ADDR))
keep.append(server(8005, PORT, user=65534))
attempt("SO_REUSEPORT of another user", USE, "same-address,reuseport-of-another-user",
        binds(8005, PORT), binds(8005, PORT, user=65534))
attempt("SO_REUSEPORT missing", USE, "same-address,reuseport-missing-here", binds(8005))
keep.append(server(8006, kind=UDP))
attempt("UDP", USE, "same-address,no-reuseaddr", binds(8006, kind=UDP), binds(8006))
client = make(); client.connect(("127.0.0.1", 8001))
attempt("a connection took the port", USE, "wildcard-asked,no-reuseaddr",
        binds(client.getsockname()[1]))
twin = make(ADDR); twin.bind(("127.0.0.1", 8007)); twin.connect(("127.0.0.1", 8001))
other = make(ADDR); other.bind(("127.0.0.1", 8007))
attempt("the same connection", ["connect-tuple-in-use"], "same-connection",
        lambda: other.connect(("127.0.0.1", 8001)))
first = server(8008, ADDR, listen=False)
keep.append(server(8008, ADDR))
attempt("listen() came too late", ["listen-lost-port"], "same-address,listening", first.listen)
attempt("a foreign address", ["bind-not-local"], None, binds(8009, address="192.0.2.1"))
attempt("twice", ["bind-twice"], None, lambda: keep[0].bind(("0.0.0.0", 8010)))
early = make(); early.bind(("127.0.0.1", 0))
attempt("bind(0) before connect()", ["early-bind"], None, lambda: early.connect(("127.0.0.1", 8001)))
late = make(NO_PORT); late.bind(("127.0.0.1", 0))
attempt("and without", [], None, lambda: late.connect(("127.0.0.1", 8001)))
plain = make()
attempt("listen() without bind()", ["listen-random-port"], None, plain.listen)
with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
    file.write("40000 40001")
used = [make() for _ in range(3)]
for sock in used[:2]:
    sock.connect(("127.0.0.1", 8001))
attempt("no port for one peer", ["ports-exhausted"], None,
        lambda: used[2].connect(("127.0.0.1", 8001)),
        lambda: used[2].connect(("127.0.0.1", 8000)))
attempt("no port for bind(0)", ["ports-exhausted"], None, lambda: make().bind(("127.0.0.1", 0)))
"""


SLOW = "slow-port-search"


def without_slowness(line):
    """In a virtual machine any search may take long."""
    if line["type"] == "event":
        line["findings"] = [identity for identity in line["findings"] if identity != SLOW]
    return line


def check_case(tap, case, event):
    """One attempt, as the program and portlife saw it."""
    name, error, findings, rule, fixed = case
    tap.equal(event["errno"], error, f"{name}: {error}")
    tap.equal(event["findings"], findings, f"{name}: found")
    rules = {holder["rule"] for holder in event["holders"] or []}
    tap.equal(rules, {rule} if rule else set(), f"{name}: the rule")
    pids = {holder["pid"] for holder in event["holders"] or []}
    tap.equal(pids, {event["pid"]} if rule else set(), f"{name}: whose it is")
    tap.equal(fixed, True, f"{name}: the fix helps")


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        path = live.write_program(name, "cases.py", PROGRAM)
        tracer = live.Tracer(name, "--", "unshare", "-n", "sh", "-c",
                             f"ip link set lo up; exec python3 {path}", name="cases",
                             stdout=subprocess.PIPE)
        cases = [json.loads(row) for row in tracer.process.stdout.read().decode().splitlines()]
        tap.equal(tracer.wait(), 0, "the program ends well")
        tap.check(len(cases) >= 21, "all cases were tried", len(cases))
        lines = [without_slowness(line) for line in tracer.lines()]
        found = [line for line in lines if line["type"] == "event" and line["findings"]
                 and line["comm"] == "python3"]
        expected = [case for case in cases if case[2]]
        if tap.equal([event["findings"] for event in found], [case[2] for case in expected],
                     "each was found, and nothing else"):
            for case, event in zip(expected, found):
                check_case(tap, case, event)
        told = {line["finding"] for line in lines if line["type"] == "finding"} - {SLOW}
        tap.equal(told, {identity for case in cases for identity in case[2]},
                  "each finding has its line")
        tap.check(all(line["hint"] and line["text"] for line in lines
                      if line["type"] == "finding"), "with a sentence and a hint")
    tap.done()


if __name__ == "__main__":
    main()
