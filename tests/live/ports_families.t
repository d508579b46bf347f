#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`ports` and `why` for protocols other than TCP and UDP, compared with what bind() says."""

import ctypes
import errno
import json
import os
import pathlib
import socket
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

CLONE_NEWNET = 0x40000000
V4, TCP, UDP = socket.AF_INET, socket.SOCK_STREAM, socket.SOCK_DGRAM


def portlife(*args):
    """Exit status, lines as JSON."""
    run = subprocess.run([live.PORTLIFE, *map(str, args), "-j"], capture_output=True, check=False)
    return run.returncode, [json.loads(line) for line in run.stdout.splitlines()]


def ports(*args):
    """The rows of this namespace."""
    status, rows = portlife("ports", *args)
    assert status == 0, status
    return [row for row in rows if row["netns"] == NETNS]


def socket_if_any(*what):
    """A socket, or None where the kernel has no such protocol (any more)."""
    try:
        return socket.socket(*what)
    except OSError:
        return None


def test_mptcp():
    """The port of an MPTCP socket is its first subflow's, which no descriptor leads to."""
    server = socket_if_any(V4, TCP, 262)
    if not server:
        return
    with server, socket.socket(V4, TCP, 262) as client:
        server.bind(("127.0.0.1", 5700))
        server.listen()
        client.connect(("127.0.0.1", 5700))
        with server.accept()[0] as conn:
            rows = {row["local"]["port"] if row["state"] == "listening" else
                    (row["local"]["port"], row["peer"]["port"]): (row["pid"], row["fd"])
                    for row in ports("--proto=tcp") if row["local"]["port"] >= 5700}
            port = client.getsockname()[1]
            me = os.getpid()
            TAP.equal([rows.get(key) for key in (5700, (5700, port), (port, 5700))],
                      [(me, server.fileno()), (me, conn.fileno()), (me, client.fileno())],
                      "MPTCP: whose its ports are")
            status, lines = portlife("why", "--proto=mptcp", "127.0.0.1:5700")
            TAP.equal((status, lines[0]["holders"][0]["pid"]), (5, me), "... and why says so")


def test_other_protocols():
    """`why` answers for the protocol that it is asked about."""
    lite = socket_if_any(V4, UDP, 136)
    if lite:
        with lite:
            lite.bind(("127.0.0.1", 5701))
            TAP.equal([portlife("why", f"--proto={name}", "127.0.0.1:5701")[0]
                       for name in ("udplite", "udp", "tcp")], [5, 0, 0],
                      "why: UDP-Lite has ports of its own")
    pathlib.Path("/proc/sys/net/ipv4/ping_group_range").write_text("0 0", encoding="ascii")
    with socket.socket(V4, UDP, socket.IPPROTO_ICMP) as first, \
            socket.socket(V4, UDP, socket.IPPROTO_ICMP) as second:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        first.bind(("127.0.0.1", 77))
        status, lines = portlife("why", "--proto=ping", 77)
        TAP.equal((status, lines[0]["proto"], lines[0]["holders"][0]["pid"]),
                  (5, "ping", os.getpid()), "why: an id of ping that its holder does not share")
        try:
            second.bind(("127.0.0.1", 77))
            TAP.check(False, "... bind() says so, too")
        except OSError as error:
            TAP.equal(error.errno, errno.EADDRINUSE, "... bind() says so, too")
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        status, lines = portlife("why", "--proto=ping", 77)
        second.bind(("127.0.0.1", 77))
        TAP.equal(status, 0, "... and one that it does")
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as route, \
            socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16) as generic:
        for sock in (route, generic):
            sock.bind((4242, 0))
        rows = [row for row in ports("--proto=netlink") if row["local"]["portid"] == 4242]
        TAP.equal([(row["shared"], row["owners"]) for row in rows], [(False, 1)] * 2,
                  "netlink: each protocol has numbers of its own")


def why_unix(name):
    """The answer about an abstract name, the states of who is in the way, and what bind() says."""
    status, lines = portlife("why", f"@{name}")
    answer, holders = lines[0]["answer"]["plain"], lines[0]["holders"]
    try:
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(f"\0{name}")
        fact = "yes"
    except OSError as error:
        fact = errno.errorcode[error.errno]
    return status, answer, [holder["state"] for holder in holders], fact


def test_unix():
    """What accept() has made has its listener's name, and does not hold it."""
    with socket.socket(socket.AF_UNIX) as client, socket.socket(socket.AF_UNIX) as listener:
        listener.bind("\0why")
        listener.listen()
        client.connect("\0why")
        with listener.accept()[0]:
            TAP.equal(why_unix("why"), (5, "no", ["listening"], "EADDRINUSE"),
                      "unix: of a listener and its connections the listener is in the way")
            listener.close()
            TAP.equal(why_unix("why"), (5, "depends", ["established"], "yes"),
                      "unix: whether a connection holds its name is not to be seen")
        TAP.equal(why_unix("why"), (0, "yes", [], "yes"), "unix: nobody has the name")
    with socket.socket(socket.AF_UNIX, UDP) as first, socket.socket(socket.AF_UNIX, UDP) as second:
        first.bind("\0one")
        second.bind("\0two")
        first.connect("\0two")
        TAP.equal(why_unix("one")[:3], (5, "no", ["bound"]),
                  "unix: a datagram socket holds its name, connected or not")


TAP, FOLDER = live.begin()
if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
    raise OSError(ctypes.get_errno(), "unshare")
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
NETNS = os.stat("/proc/self/ns/net").st_ino
test_mptcp()
test_other_protocols()
test_unix()
FOLDER.cleanup()
TAP.done()
