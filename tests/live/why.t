#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`why` where the answer hangs on more than the two sockets' options: whose they are, connections,
addresses that bind() takes or refuses, the order of UDP sockets; and what it says to nobody.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live
from asking import FOLDER, NOBODY, TAP, TCP, UDP, V4, V6, compare, make, portlife, really


def test_why_users():
    """SO_REUSEPORT compares the users who made the sockets, whoever their processes are by now."""
    for kind, port in (TCP, 7410), (UDP, 7411):
        ready, say = os.pipe()
        child = os.fork()
        if not child:
            kept = make(V4, kind, ["reuseport"], port=port)
            os.setuid(NOBODY)
            os.write(say, b"x")
            time.sleep(60)
            kept.close()
            os._exit(0)
        os.read(ready, 1)
        compare("reuseport by root, who became another user", port, kind)
        _, lines = portlife("why", "-u" if kind == UDP else "-t", f"--uid={NOBODY}", port)
        TAP.equal((lines[0]["answer"]["reuseport"], lines[0]["holders"][0]["uid"]), ("no", NOBODY),
                  "why --uid: the user of its process may not")
        os.kill(child, 9)
        os.waitpid(child, 0)


def test_why_accepted_by_another_user():
    """A server of root with SO_REUSEPORT whose worker, another user, has accepted a connection."""
    listener = make(V4, TCP, ["reuseport"], port=7414)
    listener.listen(1)
    client = socket.create_connection(("127.0.0.1", 7414))
    ready, say = os.pipe()
    child = os.fork()
    if not child:
        os.setuid(NOBODY)
        accepted = listener.accept()[0]
        listener.close()
        os.write(say, b"x")
        time.sleep(60)
        accepted.close()
        os._exit(0)
    os.read(ready, 1)
    for _ in range(2):
        _, lines = portlife("why", 7414)
        TAP.equal((lines[0]["answer"], really(V4, TCP, None, 7414, ["reuseport"], None)),
                  ({"plain": "no", "reuseaddr": "no", "reuseport": "depends", "both": "depends"},
                   "yes"), "why: a connection accepted by another user")
        TAP.check("another user accepted" in (lines[0]["missing"] or ""), "why: says so", lines)
        listener.close() # the bucket remembers it
    client.close()
    os.kill(child, 9)
    os.waitpid(child, 0)


def test_why_order():
    """UDP: of one that shares by SO_REUSEPORT and one that does not, the order decides."""
    kept = [make(V4, UDP, how, port=7412) for how in (["reuseaddr"], ["reuseaddr", "reuseport"])]
    _, lines = portlife("why", "-u", 7412)
    TAP.equal(lines[0]["answer"], {"plain": "no", "reuseaddr": "yes", "reuseport": "depends",
                                   "both": "yes"}, "why: UDP, some share by SO_REUSEPORT")
    TAP.check("comes to first" in lines[0]["missing"], "why: on what it depends", lines)
    for sock in kept:
        sock.close()


def test_why_dual_stack():
    """A socket that was bound to :: and is connected by now is in the way of 0.0.0.0."""
    listener = make(V6, TCP, address="::", port=7413)
    listener.listen(1)
    client = socket.create_connection(("::1", 7413))
    accepted = listener.accept()[0]
    listener.close()
    compare("a connection that :: has accepted", 7413)
    for sock in client, accepted:
        sock.close()
    datagram = make(V6, UDP, address="::", port=7414)
    datagram.connect(("::1", 9))
    compare("a datagram socket of :: that is connected", 7414, UDP)
    datagram.close()


def test_why_addresses():
    """Addresses that bind() takes or refuses, by name."""
    wrong = []
    for kind in TCP, UDP:
        for address in ("255.255.255.255", "224.0.0.1", "127.255.255.255", "127.1.2.3", "0.0.0.1",
                        "192.0.2.1", "240.0.0.1", "::2", "fe80::1", "ff02::1", "ff05::1",
                        "::ffff:127.0.0.1", "::ffff:192.0.2.1"):
            inet6 = ":" in address
            asked = f"[{address}]" if inet6 else address
            _, lines = portlife("why", "-u" if kind == UDP else "-t", f"{asked}:7415")
            said, fact = lines[0]["answer"]["plain"], really(
                V6 if inet6 else V4, kind, address, 7415, [], None)
            if (said == "yes") != (fact == "yes") or said not in ("yes", "no"):
                wrong.append((address, kind, said, fact, lines[0]["obstacle"]))
    TAP.check(not wrong, "why: addresses", *wrong)


def test_unprivileged():
    """Of another user's connections nobody else knows the process: that makes them no orphans."""
    program = shutil.copy(live.PORTLIFE, FOLDER.name)
    listener = make(V4, TCP, address="127.0.0.1", port=7600)
    listener.listen(4)
    client = socket.create_connection(listener.getsockname())
    accepted = listener.accept()[0]
    client.shutdown(socket.SHUT_WR) # a state that orphans have, too
    run = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups",
                          program, "ports", "-qjt"], capture_output=True, check=False)
    rows = {(row["local"]["port"], row["state"]): row["held_by"]
            for row in map(json.loads, run.stdout.splitlines()) if row["peer"]}
    TAP.equal((run.returncode, rows.get((7600, "close_wait"), rows),
               rows.get((client.getsockname()[1], "fin_wait_2"), rows)), (0, None, None),
              "as nobody: whose a connection is was not to be seen")
    for sock in client, accepted, listener:
        sock.close()


test_why_users()
test_why_accepted_by_another_user()
test_why_order()
test_why_dual_stack()
test_why_addresses()
test_unprivileged()
FOLDER.cleanup()
TAP.done()
