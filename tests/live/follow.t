#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose sockets are shown: COMMAND and its descendants, -p, --uid, --comm, and what they do."""

import collections
import ipaddress
import json
import os
import pathlib
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

OTHER_UID = 12345
BUSY_PORT = 21987
OTHER_PORT = 21986
SCENARIOS = os.environ.get("SCENARIOS", str(live.ROOT / "build/tests/scenarios"))

# The parent ends at once; the grandchild, in a session of its own, goes on for a while.
DAEMON = """\
import os, socket, sys, time
s = socket.socket(); s.listen(1)
if os.fork() == 0:
    t = socket.socket(); t.listen(1)
    os.setsid()
    if os.fork() == 0:
        time.sleep(1)
        u = socket.socket(); u.listen(1)
        with open(sys.argv[1], 'w') as f:
            f.write(f'{os.getpid()} {u.getsockname()[1]}')
    os._exit(0)
"""

# Two of these run side by side. Each waits for a line, then does a little of everything.
TRAFFIC = """\
import os, socket, sys
with open('/proc/self/comm', 'w') as f:
    f.write(sys.argv[1])
port = int(sys.argv[2])
def server(family, address):
    s = socket.socket(family)
    if address:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(address)
    s.listen(8)
    return s
def talk(s, address):
    client = socket.socket(s.family); client.connect((address, s.getsockname()[1]))
    child = s.accept()[0]
    client.close(); child.close()
print('ready', flush=True)
sys.stdin.readline()
explicit = server(socket.AF_INET, ('127.0.0.1', port)); talk(explicit, '127.0.0.1')
implicit = server(socket.AF_INET, None); talk(implicit, '127.0.0.1')
zero = server(socket.AF_INET6, ('::1', 0)); talk(zero, '::1')
late = socket.socket()
try:
    late.bind(('127.0.0.1', port))
except OSError:
    pass
lonely = socket.socket(socket.AF_INET6)
try:
    lonely.connect(('::1', 9))
except OSError:
    pass
"""


def check_daemon(tap, folder):
    """COMMAND is followed until its last descendant is gone, and nobody else."""
    path = live.write_program(folder, "daemon.py", DAEMON)
    told = pathlib.Path(folder) / "grandchild"
    tracer = live.Tracer(folder, "--", "python3", path, told, name="daemon").await_live()
    with socket.socket() as unrelated:
        unrelated.listen(1)
        tap.check(tracer.process.poll() is None, "portlife stays while a descendant lives")
        tap.equal(tracer.wait(), 0, "and ends well")
    tap.check(told.exists(), "after the grandchild, not before")
    pid, port = map(int, told.read_text().split())
    listens = tracer.events("listen")
    tap.equal(len(listens), 3, "parent, child and grandchild are shown")
    last = [(e["pid"], e["local"]["port"]) for e in listens if e["pid"] == pid]
    tap.equal(last, [(pid, port)], "the grandchild with its pid and port")
    pids = {e["pid"] for e in tracer.events()} | {life["pid"] for life in tracer.lives()}
    tap.check(os.getpid() not in pids, "sockets of others are not", pids)
    tap.check(all(life["ended"] for life in tracer.lives()), "all lives ended",
              tracer.output.read_text())


def start_traffic(folder, comm, port, user):
    """A program that is ready for traffic."""
    path = live.write_program(folder, "traffic.py", TRAFFIC)
    # pylint: disable-next=consider-using-with
    program = subprocess.Popen(["python3", path, comm, str(port)], user=user,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    program.stdout.readline()
    return program


def in_network(network):
    """Is an address in this network?"""
    wanted = ipaddress.ip_network(network)

    def has(address):
        return address is not None and ipaddress.ip_address(address["addr"]) in wanted
    return has


def has_port(event, port):
    """Local or, by bind(), requested port."""
    asked = event["event"] == "bind" and event["requested"] or {}
    return port in ((event["local"] or {}).get("port"), asked.get("port"))


def assigns(event):
    """Did this event give the port?"""
    return not event["errno"] and event["event"] in {
        "bind": ("bind",), "bind0": ("bind",), "listen": ("listen",), "connect": ("connect",),
        "accept": ("accept",)}.get(event["port_origin"], ())


def filters(first, second):
    """Options, and which events of all they must leave (--states is given with each)."""
    loopback6 = in_network("::1/128")
    return {
        ("-p", first): lambda e: e["pid"] == first,
        ("-p", f"{first},{second}"): lambda e: True,
        ("--uid", OTHER_UID): lambda e: e["pid"] == second,
        ("--comm", "traffic-a"): lambda e: e["pid"] == first,
        ("-P", BUSY_PORT): lambda e: has_port(e, BUSY_PORT),
        ("-P", f"{OTHER_PORT}-{BUSY_PORT}"):
            lambda e: has_port(e, BUSY_PORT) or has_port(e, OTHER_PORT),
        ("--addr=::1",): lambda e: any(map(loopback6, (e["local"], e["peer"], e["requested"]))),
        ("-4",): lambda e: e["family"] == "inet",
        ("-6",): lambda e: e["family"] == "inet6",
        ("-x",): lambda e: e["errno"],
        ("--implicit",): lambda e: assigns(e) and e["implicit"],
        ("--ephemeral",): lambda e: assigns(e) and e["ephemeral"],
    }


def story(events, pids):
    """Countable events of these processes; a child's is known by its listener's port."""
    return collections.Counter(
        (e["event"], e["pid"], live.endpoint(e["local"]), live.endpoint(e["peer"]), e["errno"])
        for e in events if e["pid"] in pids)


def check_filters(tap, folder):
    """Each filter shows of real traffic exactly what it should, and some of it."""
    programs = [start_traffic(folder, "traffic-a", BUSY_PORT, 0),
                start_traffic(folder, "traffic-b", OTHER_PORT, OTHER_UID)]
    pids = {program.pid for program in programs}
    everything = live.Tracer(folder, "--states", name="everything")
    tracers = {options: live.Tracer(folder, "--states", *options, name=f"filter{number}")
               for number, options in enumerate(filters(*[p.pid for p in programs]))}
    for tracer in (everything, *tracers.values()):
        tracer.await_live()
    for program in programs:
        program.stdin.write(b"\n")
        program.stdin.close()
        program.wait()
    lives = 2 * (3 + 6 + 2)
    live.wait_for(lambda: sum(l["ended"] and l["pid"] in pids for l in everything.lives()) >= lives,
                  2)
    for tracer in (everything, *tracers.values()):
        status = tracer.stop()
        if status != 0:
            tap.equal(status, 0, f"{tracer.argv} ends well")
    said = [e for e in everything.events() if e["pid"] in pids]
    tap.check(len(said) > 40, "all of it without a filter", len(said))
    for options, shown in filters(*[p.pid for p in programs]).items():
        wanted = story(filter(shown, said), pids)
        got = story(tracers[options].events(), pids)
        name = " ".join(map(str, options)).replace(str(programs[0].pid), "A").replace(
            str(programs[1].pid), "B")
        tap.check(wanted and got == wanted, f"{name}: {sum(wanted.values())} events",
                  "too many: " + json.dumps(list(got - wanted)),
                  "missing: " + json.dumps(list(wanted - got)))
        check_only_chosen(tap, options, name, tracers[options], pids, programs)


def check_only_chosen(tap, options, name, tracer, pids, programs):
    """A filter by process shows no other process at all."""
    chosen = {"-p": {programs[0].pid}, "--comm": {programs[0].pid}, "--uid": {programs[1].pid}}
    if options[0] in chosen:
        wanted = pids if "," in str(options[1]) else chosen[options[0]]
        others = {e["pid"] for e in tracer.events()} - wanted
        tap.equal(others, set(), f"{name}: nobody else")


def check_text(tap, folder, options, wanted):
    """Which events are lines of text."""
    program = start_traffic(folder, "traffic-a", BUSY_PORT, 0)
    tracer = live.Tracer(folder, "-p", program.pid, *options, name="text", form="-H").await_live()
    program.stdin.write(b"\n")
    program.stdin.close()
    program.wait()
    name = " ".join(["text", *options])
    tap.equal(tracer.stop(), 0, f"{name}: -p PID ends when asked to")
    rows = tracer.output.read_text().splitlines()
    kinds = collections.Counter(row.split()[4] for row in rows)
    tap.check(all(kinds[kind] == count for kind, count in wanted.items()),
              f"{name}: {len(wanted)} kinds of events", kinds)
    return kinds


def check_states(tap, folder):
    """As text, only what gives a port, or fails; all of it with --states."""
    wanted = {"bind": 3, "listen": 3, "connect": 4, "accept": 3, "failed": 1}
    kinds = check_text(tap, folder, [], wanted)
    tap.equal(set(kinds) - set(wanted) - {"finding"}, set(), "and nothing else")
    check_text(tap, folder, ["--states"], {**wanted, "estab": 6, "close": 11, "timewait": 3})


def check_other_doors(tap, folder):
    """A connection is its process's also where the backend cannot see the call that made it."""
    tracer = live.Tracer(folder, "--", SCENARIOS, "uring_connect", "4", name="uring",
                         stdout=subprocess.DEVNULL)
    tap.equal(tracer.wait(), 0, "a program of io_uring ends well")
    accepted = {live.endpoint(event["peer"]): event["pid"] for event in tracer.events("accept")}
    connected = {live.endpoint(event["local"]): event["pid"] for event in tracer.events("connect")
                 if live.endpoint(event["local"]) in accepted}
    tap.check(accepted and connected == accepted, "its connections are followed, with its pid",
              f"accepted: {accepted}", f"connected: {connected}")


# The client has reset the connection before anybody accepts it.
RESET_IN_QUEUE = """\
import socket, struct
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(1)
c = socket.socket(); c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
c.connect(s.getsockname()); c.close()
child, peer = s.accept()
print(child.fileno(), *child.getsockname(), *peer)
"""


def check_reset_in_queue(tap, folder):
    """accept() hands out a connection that is over, and has given up its port, all the same."""
    seen = pathlib.Path(folder) / "reset.seen"
    with open(seen, "wb") as file:
        tracer = live.Tracer(folder, "--", sys.executable, "-c", RESET_IN_QUEUE, name="reset",
                             stdout=file)
        tap.equal(tracer.wait(), 0, "a program that accepts what was reset ends well")
    tap.equal([[str(event["fd"]), event["local"]["addr"], str(event["local"]["port"]),
                event["peer"]["addr"], str(event["peer"]["port"])]
               for event in tracer.events("accept")], [seen.read_text().split()],
              "a connection reset in the queue is accepted once")


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        check_daemon(tap, name)
        check_filters(tap, name)
        check_states(tap, name)
        check_other_doors(tap, name)
        check_reset_in_queue(tap, name)
    tap.done()


if __name__ == "__main__":
    main()
