#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How many ports a search looks at, where the program can know it: it leaves one port of its range
free, and every connect() must find that one. The kernel begins each search for the same destination
behind where the one before has ended, and by chance up to seven steps further: after eight ports or
more there is no chance, so the next search goes the whole way round.
"""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

PROGRAM = """\
import json, socket, struct
RESET = struct.pack("ii", 1, 0)

def setting(name, value):
    with open("/proc/sys/net/ipv4/" + name, "w") as file:
        file.write(value)

def bound(*address):
    sock = socket.socket()
    sock.bind(address)
    return sock

def connect(server):
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    client.connect(server.getsockname())
    port = client.getsockname()[1]
    child = server.accept()[0]
    client.close() # a reset: nothing is left on the port
    child.close()
    return port

setting("ip_local_port_range", "40000 40019")
setting("ip_local_reserved_ports", "40005")
for number, free in enumerate((None, 40008, 40007)):
    server = bound("127.0.0.1", 8000 + number)
    server.listen()
    others = [bound("127.0.0.1", port) for port in range(40000, 40020)
              if free and port not in (free, 40005)]
    print(json.dumps([connect(server) for _ in range(12)]), flush=True)
    for sock in others + [server]:
        sock.close()
"""


def follows(tried, least, most, whole):
    """A search of this many, and the next: all are possible, and what has no chance in it is so."""
    return all(least <= count <= most for count in tried) and all(
        after == whole for before, after in zip(tried, tried[1:]) if before >= whole - 2)


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        path = live.write_program(name, "search.py", PROGRAM)
        output = pathlib.Path(name) / "run"
        run = subprocess.run([live.PORTLIFE, *live.ATTACH, "-j", "-o", output, "--", "unshare",
                              "-n", "sh", "-c", f"ip link set lo up; exec python3 {path}"],
                             capture_output=True, text=True, check=False)
        if not tap.equal(run.returncode, 0, "the program ends well"):
            print(run.stderr, file=sys.stderr)
        ports = [json.loads(row) for row in run.stdout.splitlines()]
        lines = [json.loads(row) for row in output.read_text().splitlines()]
    events = [line for line in lines if line["type"] == "event" and line["event"] == "connect"]
    tap.equal([event["local"]["port"] for event in events], sum(ports, []), "the ports are told")
    tried = [event["search_tried"] for event in events]
    if "search_ns" in lines[0]["blind"]:
        tap.equal(set(tried), {None}, "this backend sees no search")
        tap.done()
    if tried and tried[0] is None:
        tried[0] = 1  # the first connect() since the kernel started: it makes its table meanwhile
    even, odd = tried[12:24], tried[24:]
    tap.equal(tried[:12], [1] * 12, "of free ports the first one is taken")
    tap.check(follows(even, 1, 10, 10), "one of the first parity is free", even)
    # ten of the other parity first; one that is reserved lies just before it
    tap.check(follows(odd, 11, 19, 19), "one of the second parity is free", odd)
    search = lines[-1]["search"]
    tap.equal(search["tried"]["max"], max(even + odd), "the summary has the longest way")
    tap.done()


if __name__ == "__main__":
    main()
