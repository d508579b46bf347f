#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`ports` and `why` in a network namespace of their own, compared with what the sockets' own program
knows, and with what bind() then really says.
"""

import errno
import json
import os
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live
from asking import (FOLDER, NETNS, NOBODY, OUTSIDE, TAP, TCP, UDP, V4, V6, compare,
                    make, portlife, really, setting)


def ports(*args):
    """The rows of this namespace."""
    status, rows = portlife("ports", *args)
    assert status == 0, status
    return [row for row in rows if row["netns"] == NETNS]


def row_of(rows, sock, peer=None):
    """The one row with the socket's address (and, of a connection, its peer)."""
    name = sock.getsockname()[:2]
    found = [row for row in rows if live.endpoint(row["local"]) == name
             and (peer is None or live.endpoint(row["peer"]) == peer)
             and row["proto"] == ("tcp" if sock.type == TCP else "udp")]
    return found[0] if len(found) == 1 else {"found": found}


def leave_time_wait(listener):
    """A connection whose server's side waits; the listener stays. The client's port."""
    client = socket.create_connection(listener.getsockname()[:2])
    accepted = listener.accept()[0]
    accepted.close()
    assert client.recv(1) == b""
    port = client.getsockname()[1]
    client.close()
    return port


# --- the table --------------------------------------------------------------------------------


def check_row(name, row, **wanted):
    """One TAP line about the keys of a row."""
    TAP.equal({key: row.get(key, row) for key in wanted}, wanted, name)


def test_table():
    """One socket of each sort."""
    listener = make(V4, TCP, ["reuseaddr"], "127.0.0.1")
    listener.listen(8)
    address = listener.getsockname()
    bound = make(V4, TCP)
    datagram = make(V6, UDP, port=5353)
    shared = [make(V4, TCP, ["reuseport"], port=7100) for _ in range(2)]
    for sock in shared:
        sock.listen(1)
    client = socket.create_connection(address)
    accepted = listener.accept()[0]
    waiting = leave_time_wait(listener)
    half_closed = socket.create_connection(address)
    half_peer = listener.accept()[0]
    half_name = half_closed.getsockname()
    half_closed.close() # and half_peer never
    queued = socket.create_connection(address)
    orphan = socket.create_connection(address)
    reader = listener.accept()[0]  # of queued
    orphan_peer = listener.accept()[0]
    queued.close()
    reader.close()
    queued = socket.create_connection(address)
    orphan.setblocking(False)
    try:
        while True:
            orphan.send(bytes(65536))
    except BlockingIOError:
        pass
    orphan_name = orphan.getsockname()
    orphan.close()
    heirs = [subprocess.Popen(["sleep", "60"], pass_fds=[listener.fileno()]) for _ in range(2)]
    me = {"pid": os.getpid(), "held_by": "process", "uid": 0}
    rows = ports()

    row = row_of([r for r in rows if not r["peer"]], listener)
    first = min(os.getpid(), *(h.pid for h in heirs)) # pids wrap
    check_row("a listener", row, pid=first, held_by="process", uid=0, fd=listener.fileno(),
              state="listening", shared=True, options=["reuseaddr"], port_origin="unknown",
              comm=COMM if first == os.getpid() else "sleep", existing=True)
    TAP.equal({(p["pid"], p["fd"]) for p in row.get("processes", [])},
              {(pid, listener.fileno()) for pid in [os.getpid(), *(h.pid for h in heirs)]},
              "a listener: the processes that inherited it")
    check_row("a socket that is only bound", row_of(rows, bound), **me, fd=bound.fileno(),
              state="bound", shared=False, peer=None, owners=1)
    check_row("a datagram socket", row_of(rows, datagram), **me, state="bound", family="inet6",
              port_origin="bind", implicit=False, ephemeral=False)
    pair = [r for r in rows if r["local"]["port"] == 7100]
    TAP.equal([(r["owners"], r["shared"], r["fd"], r["options"]) for r in pair],
              [(2, True, sock.fileno(), ["reuseport"]) for sock in shared],
              "two owners of one port")
    check_row("a client", row_of(rows, client), **me, state="established",
              port_origin=CONNECT_ORIGIN, shared=False)
    check_row("an accepted connection", row_of(rows, accepted, client.getsockname()), **me,
              fd=accepted.fileno(), shared=True)
    check_row("a connection nobody has accepted",
              row_of(rows, listener, queued.getsockname()), held_by="queue", pid=None, fd=None,
              port_origin="accept", processes=[])
    left = row_of(rows, listener, (address[0], waiting))
    check_row("TIME_WAIT", left, held_by="time_wait", state="time_wait", pid=None)
    TAP.check(40000 < (left.get("time_wait_left_ms") or 0) <= 60000, "TIME_WAIT: what is left",
              left)
    TAP.equal(left["age_min_ns"] or 0, (60000 - left["time_wait_left_ms"]) * 1000000,
              "and for how long it has been there at least")
    TAP.equal({(r["age_ns"], r["age_min_ns"]) for r in rows if r["state"] != "time_wait"},
              {(None, None)}, "of no socket the kernel knows the age")
    lost = [r for r in rows if live.endpoint(r["local"]) == orphan_name]
    TAP.equal([(r["held_by"], r["pid"]) for r in lost], [("orphan", None)], "an orphan")
    half = next((r for r in rows if live.endpoint(r["local"]) == half_name), {})
    check_row("closed on this side only", half, held_by="orphan", state="fin_wait_2", pid=None)
    TAP.check(40000 < (half.get("time_wait_left_ms") or 0) <= 60000, "and what is left of it", half)

    TAP.equal({r["state"] for r in ports("-l")}, {"listening", "bound"}, "-l: listeners")
    TAP.equal(len(ports("-l", "-t", 7100)), 2, "-l -t PORT")
    TAP.equal([r["local"]["port"] for r in ports("-u")], [5353], "-u")
    TAP.equal({r["pid"] for r in ports("-p", heirs[0].pid)}, {first},
              "-p of a process that inherited a socket: shown")
    text = subprocess.run([live.PORTLIFE, "ports", "-4", f"--netns={NETNS}"], check=True,
                          capture_output=True, text=True).stdout.splitlines()
    TAP.check(len(text) > 5 and max(map(len, text)) < 120, "text: lines that fit", *text)
    for heir in heirs:
        heir.kill()
        heir.wait()
    for sock in (listener, bound, datagram, *shared, client, accepted, queued, half_peer,
                 orphan_peer):
        sock.close()


# --- the range --------------------------------------------------------------------------------


def test_hostile_name():
    """A process of a name that a terminal would obey, in a unit of systemd's."""
    group = None
    roots = [line.split()[4] for line in pathlib.Path("/proc/self/mountinfo").read_text(
        encoding="utf-8").splitlines() if " - cgroup2 " in line]
    for port, options in (7402, []), (7403, ["reuseport"]), (7404, ["reuseaddr", "reuseport"]):
        left = make(V4, TCP, options, "127.0.0.1", port)
        left.listen(8)
        client = socket.create_connection(left.getsockname())
        accepted = left.accept()[0]
        left.close()
        accepted.close()
        client.recv(1)
        client.close()
        compare(f"TIME_WAIT that a socket with {options} left", port)

    ready, say = os.pipe()
    child = os.fork()
    if not child:
        pathlib.Path("/proc/self/comm").write_bytes(b"\x1b[31m\"evil\n")
        kept = make(V4, TCP, port=7150)
        os.write(say, b"x")
        time.sleep(60)
        kept.close()
        os._exit(0)
    os.read(ready, 1)
    if roots:
        group = pathlib.Path(roots[0]) / f"portlife-test-{child}.service"
        group.mkdir()
        (group / "cgroup.procs").write_text(str(child), encoding="ascii")
    text = subprocess.run([live.PORTLIFE, "ports", "-H", "7150"], check=True,
                          capture_output=True).stdout
    TAP.check(b"\x1b" not in text and text.count(b"\n") == 1 and b"\\x1b[31m" in text,
              "a hostile name is escaped", text)
    row = ports(7150)[0]
    TAP.equal((row.get("comm"), row.get("pid")), ("\x1b[31m\"evil\n", child),
              "a hostile name in JSON")
    if group:
        TAP.equal((row["unit"], group.name.encode() in text), (group.name, True),
                  "the unit that has it")
    else:
        TAP.check(True, "the unit that has it # SKIP no cgroup2")
    os.kill(child, 9)
    os.waitpid(child, 0)
    if group:
        group.rmdir()


def test_pressure():
    """What takes a range of 100 ports, 10 of them reserved."""
    setting("ip_local_port_range", "40000 40099")
    setting("ip_local_reserved_ports", "40010-40019")
    listener = make(V4, TCP, address="127.0.0.1", port=7200)
    listener.listen(64)
    kept = []
    for _ in range(20):
        kept.append(socket.create_connection(listener.getsockname()))
        kept.append(listener.accept()[0])
    for _ in range(5):
        client = socket.create_connection(listener.getsockname())
        accepted = listener.accept()[0]
        client.close()
        accepted.recv(1)
        accepted.close()
    kept += [make(V4, TCP, address="127.0.0.1") for _ in range(10)]
    kept.append(make(V4, UDP))
    status, lines = portlife("ports", "--pressure", f"--netns={NETNS}")
    TAP.equal((status, [(p["proto"], p["type"]) for p in lines]),
              (0, [("tcp", "pressure"), ("udp", "pressure")]), "--pressure: a line a protocol")
    tcp, udp = lines
    TAP.equal((tcp["range"], tcp["reserved"], tcp["usable"], tcp["taken"], tcp["left"]),
              ([40000, 40099], [[40010, 40019]], 90, 35, 55), "--pressure: the range")
    by = tcp["by"]
    TAP.equal((by["bind"], by["connect"] + by["unknown"], by["time_wait"]), (10, 20, 5),
              "--pressure: by what")
    TAP.check(not (by["unknown"] and CONNECT_KNOWN), "--pressure: the kernel knows connect()", by)
    top = tcp["destinations"][0]
    TAP.equal((live.endpoint(top["peer"]), top["connections"], top["time_wait"], top["used"]),
              (("127.0.0.1", 7200), 20, 5, 35), "--pressure: the destination")
    TAP.equal(udp["taken"], 1, "--pressure: UDP")
    # the same said by bind(): what is left is left
    more = []
    try:
        while True:
            more.append(make(V4, TCP, address="127.0.0.1"))
    except OSError as error:
        TAP.equal((error.errno, len(more)), (errno.EADDRINUSE, tcp["left"]),
                  "--pressure: as many as were left can be had by bind()")
    for sock in (*kept, *more, listener):
        sock.close()
    setting("ip_local_reserved_ports", "")
    setting("ip_local_port_range", "32768 60999")


# --- would bind() succeed ---------------------------------------------------------------------


def test_why():
    """Holders of all sorts."""
    both = ["reuseaddr", "reuseport"]
    holders = [
        ("nobody", None, {}),
        ("bound to all", 0, {}),
        ("bound to all, reuseaddr", 0, {"options": ["reuseaddr"]}),
        ("bound to all, reuseport", 0, {"options": ["reuseport"]}),
        ("listens on all", 1, {}),
        ("listens on all, reuseaddr", 1, {"options": ["reuseaddr"]}),
        ("listens on one, both", 1, {"options": both, "address": "127.0.0.1"}),
        ("bound to one, both", 0, {"options": both, "address": "127.0.0.1"}),
        ("listens on :: and IPv4", 1, {"family": V6}),
        ("listens on :: only", 1, {"family": V6, "v6only": 1}),
        ("listens on ::1, reuseport", 1,
         {"family": V6, "address": "::1", "options": ["reuseport"]}),
        ("bound to lo", 0, {"device": "lo"}),
    ]
    for number, (name, listens, how) in enumerate(holders):
        port = 7300 + number
        how.setdefault("family", V4)
        holder = None if listens is None else make(kind=TCP, port=port, **how)
        if listens:
            holder.listen(4)
        compare(name, port)
        if how.get("device"):
            compare(f"{name}, asked from lo", port, device="lo")
        if holder:
            holder.close()
    for options in ([], ["reuseaddr"], ["reuseport"]):
        holder = make(V4, UDP, options, "127.0.0.1", 7350)
        compare(f"a datagram socket, {options}", 7350, UDP)
        holder.close()


def test_why_connections():
    """Connections, TIME_WAIT, another user, another namespace."""
    listener = make(V4, TCP, ["reuseaddr"], "127.0.0.1", 7400)
    listener.listen(8)
    client = socket.create_connection(listener.getsockname())
    accepted = listener.accept()[0]
    compare("an outgoing connection", client.getsockname()[1])
    listener.close()
    compare("a connection of a server that is gone", 7400)
    accepted.close()
    client.recv(1)
    client.close()
    compare("TIME_WAIT", 7400)
    _, lines = portlife("why", "127.0.0.1:7400")
    TAP.equal([(h["state"], h["pid"]) for h in lines[0]["holders"]], [("time_wait", None)],
              "why: TIME_WAIT is named")

    ready, say = os.pipe()
    child = os.fork()
    if not child:
        os.setuid(NOBODY)
        other = make(V4, TCP, ["reuseport"], port=7401)
        other.listen(1)
        os.write(say, b"x")
        time.sleep(60)
        os._exit(0)
    os.read(ready, 1)
    compare("reuseport by another user", 7401)
    _, lines = portlife("why", f"--uid={NOBODY}", 7401)
    TAP.equal((lines[0]["answer"]["plain"], lines[0]["answer"]["reuseport"]), ("no", "yes"),
              "why --uid: that user may")
    TAP.equal(lines[0]["holders"][0]["pid"], child, "why: the holder")
    outside = subprocess.run(["nsenter", f"--net=/proc/self/fd/{OUTSIDE}", live.PORTLIFE, "why",
                              "-j", "-p", str(child), "7401"], pass_fds=[OUTSIDE],
                             capture_output=True, check=False)
    line = json.loads(outside.stdout)
    TAP.equal((line["netns"], line["uid"], line["answer"]["plain"], line["answer"]["reuseport"]),
              (NETNS, NOBODY, "no", "yes"), "why -p from another namespace")
    status, lines = portlife("why", f"--netns={os.fstat(OUTSIDE).st_ino}", 7401)
    TAP.equal((status, lines[0]["answer"]["plain"]), (0, "yes"),
              "why: the same port in another network namespace")
    os.kill(child, 9)
    os.waitpid(child, 0)


def connects(address, port):
    """The errno of one more connection, or its socket."""
    sock = socket.socket(V4, TCP)
    try:
        sock.connect((address, port))
        return sock
    except OSError as error:
        sock.close()
        return errno.errorcode[error.errno]


def test_why_connect():
    """A range of six ports: one reserved, one bound, the others used up for one destination."""
    setting("ip_local_port_range", "40000 40005")
    setting("ip_local_reserved_ports", "40005")
    setting("tcp_tw_reuse", "0")
    listener = make(V4, TCP, address="127.0.0.1", port=7500)
    listener.listen(16)
    kept = [make(V4, TCP, address="127.0.0.2", port=40000)]
    for used in range(1, 6):
        status, lines = portlife("why", "--connect", "127.0.0.1:7500")
        there = lines[0]["destination"]
        if CONNECT_KNOWN:
            TAP.equal((status, lines[0]["answer"]["plain"], there["usable"], there["used"],
                       there["left"], live.endpoint(lines[0]["local"])),
                      (0 if used < 5 else 5, "yes" if used < 5 else "no", 5, used, 5 - used,
                       ("127.0.0.1", 0)),
                      f"why --connect: {used} of 5 used up")
        fact = connects("127.0.0.1", 7500)
        TAP.equal(fact if used == 5 else isinstance(fact, socket.socket),
                  "EADDRNOTAVAIL" if used == 5 else True, "... and connect() says so")
        if used < 5:
            kept += [fact, listener.accept()[0]]
    status, lines = portlife("why", "--connect", "127.0.0.1:7500")
    TAP.equal((status, lines[0]["answer"]["plain"]), (5, "no"), "why --connect: used up")
    if CONNECT_KNOWN:
        status, lines = portlife("why", "--connect", "127.0.0.1:7500", "--from", "127.0.0.9")
        TAP.equal((status, lines[0]["destination"]["left"]), (0, 4),
                  "why --connect --from: another address has them all")
    status, lines = portlife("why", "--connect", "[::ffff:127.0.0.1]:7500")
    TAP.equal((status, lines[0]["answer"]["plain"], lines[0]["destination"]["used"]), (5, "no", 5)
              if CONNECT_KNOWN else (5, "no", lines[0]["destination"]["usable"]),
              "why --connect: the same address in IPv6")
    status, lines = portlife("why", "--connect", "0.0.0.0:7500")
    TAP.equal((status, live.endpoint(lines[0]["peer"])), (5, ("127.0.0.1", 7500)),
              "why --connect: no address is this machine")
    TAP.equal([portlife("why", "--connect", "[::1]:7500", "--from", "127.0.0.1"),
               portlife("why", "--connect", "[fe80::1]:7500")], [(2, []), (2, [])],
              "why --connect: what cannot be asked")
    status, lines = portlife("why", "--connect", "127.0.0.1:7500", "--from", "192.0.2.1")
    TAP.equal((status, lines[0]["answer"]["plain"]), (5, "no"), "why --connect: a foreign --from")
    status, lines = portlife("why", "--connect", "192.0.2.1:80")
    TAP.equal((status, lines[0]["answer"]["plain"]), (5, "no"), "why --connect: no route")
    for sock in (*kept, listener):
        sock.close()
    setting("ip_local_reserved_ports", "")
    test_why_connect_odd()
    setting("ip_local_port_range", "32768 60999")


def test_why_connect_odd():
    """Of three ports connect() looks at two: the third may be left and still not be had."""
    setting("ip_local_port_range", "41000 41002")
    listener = make(V4, TCP, address="127.0.0.1", port=7501)
    listener.listen(16)
    kept = [listener, connects("127.0.0.1", 7501), connects("127.0.0.1", 7501)]
    status, lines = portlife("why", "--connect", "127.0.0.1:7501")
    TAP.equal((status, lines[0]["answer"]["plain"], lines[0]["destination"]["left"]),
              (5, "depends", 1), "why --connect: an odd number of ports")
    for sock in kept:
        sock.close()


def test_why_without_holder():
    """What cannot be had although nobody has it."""
    def bound():  # TIME_WAIT ends by itself
        return sum(row["state"] != "time_wait" for row in ports())
    before = bound()
    status, lines = portlife("why", "192.0.2.1:80")
    TAP.equal((status, lines[0]["obstacle"], really(V4, TCP, "192.0.2.1", 80, [], None)),
              (5, "address", "EADDRNOTAVAIL"), "why: a foreign address")
    status, lines = portlife("why", "[2001:db8::1]:80")
    TAP.equal((status, lines[0]["obstacle"]), (5, "address"), "why: a foreign address of IPv6")
    status, lines = portlife("why", f"--uid={NOBODY}", 80)
    TAP.equal((status, lines[0]["obstacle"]), (5, "privilege"), "why: a privileged port")
    setting("ip_unprivileged_port_start", "80")
    status, lines = portlife("why", f"--uid={NOBODY}", 80)
    TAP.equal((status, lines[0]["obstacle"]), (0, None), "why: the sysctl counts")
    setting("ip_local_reserved_ports", "8080")
    status, lines = portlife("why", 8080)
    TAP.equal((status, lines[0]["is_reserved"], really(V4, TCP, None, 8080, [], None)),
              (0, True, "yes"), "why: a reserved port may be bound by name")
    setting("ip_nonlocal_bind", "1")
    status, lines = portlife("why", "192.0.2.1:80")
    TAP.equal((status, really(V4, TCP, "192.0.2.1", 80, [], None)), (0, "yes"),
              "why: ip_nonlocal_bind")
    TAP.equal(bound(), before, "why has bound nothing")


COMM = pathlib.Path("/proc/self/comm").read_text(encoding="ascii").strip()
RELEASE = tuple(int(part) for part in os.uname().release.split(".")[:2])
CONNECT_KNOWN = RELEASE >= (6, 17)
CONNECT_ORIGIN = "connect" if CONNECT_KNOWN else "unknown"
test_table()
test_hostile_name()
test_pressure()
test_why()
test_why_connections()
test_why_connect()
test_why_without_holder()
FOLDER.cleanup()
TAP.done()
