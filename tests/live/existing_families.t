#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets beyond TCP, UDP and ping that were there before portlife: each is shown once, with its
process and descriptor; it is named when it stands in the way; its end is seen. A connection that is
accepted later is told of with its descriptor.
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
made = []
def note(name, sock, proto, local, origin='unknown'):
    made.append({'name': name, 'fd': sock.fileno(), 'proto': proto, 'local': local, 'origin': origin})
    return sock
def bound(address, *what):
    sock = socket.socket(*what)
    sock.bind(address)
    return sock
def if_any(name, *what):
    try:
        return note(name, bound(('127.0.0.1', 0), *what), name, None)
    except OSError:
        return None
UNIX, DGRAM = socket.AF_UNIX, socket.SOCK_DGRAM
abstract, path = f'portlife-{os.getpid()}', f'{sys.argv[1]}/path'
listener = note('a listener', bound('\\0' + abstract, UNIX), 'unix', {'path': '@' + abstract})
listener.listen()
named = note('a path', bound(path, UNIX, DGRAM), 'unix', {'path': path})
client = socket.socket(UNIX); client.connect('\\0' + abstract)
child = note('accepted', listener.accept()[0], 'unix', {'path': '@' + abstract}, 'accept')
nothing = socket.socket(UNIX)
route = note('netlink', bound((0, 0), socket.AF_NETLINK, socket.SOCK_RAW, 0), 'netlink', None)
multi = if_any('mptcp', socket.AF_INET, socket.SOCK_STREAM, 262)
streams = if_any('sctp', socket.AF_INET, socket.SOCK_STREAM, 132)
try:
    machine = note('vsock', bound((socket.VMADDR_CID_ANY, 5555), socket.AF_VSOCK), 'vsock',
                   {'cid': 4294967295, 'port': 5555})
except OSError:
    machine = None
for sock, local in ((route, lambda: {'portid': route.getsockname()[0]}),
                    (multi, lambda: {'addr': '127.0.0.1', 'port': multi.getsockname()[1]}),
                    (streams, lambda: {'addr': '127.0.0.1', 'port': streams.getsockname()[1]})):
    if sock:
        made[[thing['fd'] for thing in made].index(sock.fileno())]['local'] = local()
print(json.dumps(made), flush=True)
sys.stdin.readline()
second = socket.socket(UNIX)
try:
    second.bind('\\0' + abstract)
except OSError as error:
    assert error.errno == errno.EADDRINUSE
late = socket.socket(UNIX); late.connect('\\0' + abstract)
print(listener.accept()[0].fileno(), flush=True)
for sock in (listener, named, child, route, multi, streams, machine):
    if sock:
        sock.close()
print('closed', flush=True)
sys.stdin.readline()
"""


def found_of(tracer, pid):
    """What the walk at the start has told of this process."""
    return [event for event in tracer.events("existing") if event["pid"] == pid
            and event["proto"] != "tcp"]


def check_later(tap, tracer, pid, first, accepted):
    """What happened afterwards to sockets that were there before."""
    mine = [event for event in tracer.events() if event["pid"] == pid]
    refused = [event for event in mine if event["errno"] == "EADDRINUSE"]
    tap.equal([[(h["pid"], h["state"]) for h in event["holders"]] for event in refused],
              [[(pid, "listening")]], "a name that is taken: who has it, and only that")
    listener = [event["socket"] for event in mine if event["event"] == "existing"
                and event["fd"] == first["fd"]]
    tap.equal([(event["fd"], event["parent"]) for event in mine if event["event"] == "accept"],
              [(accepted, *listener)], "a connection accepted later: its descriptor, its listener")


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        path = live.write_program(name, "program.py", PROGRAM)
        with subprocess.Popen(["python3", path, name], text=True, stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE) as program:
            made = json.loads(program.stdout.readline())
            tracer = live.Tracer(name, "--existing", "--states", "--proto=all").await_live()
            live.wait_for(tracer.lines, 10)
            backend = tracer.lines()[0]["backend"]
            if backend == "tracepoint":
                made = [thing for thing in made if thing["proto"] in ("mptcp", "sctp")]
            live.wait_for(lambda: len(found_of(tracer, program.pid)) >= len(made), 10)
            program.stdin.write("\n")
            program.stdin.flush()
            accepted = int(program.stdout.readline())
            tap.equal(program.stdout.readline(), "closed\n", "the program is through")
            tap.equal(tracer.stop(), 0, "portlife ends well")
            program.stdin.close()
        found = found_of(tracer, program.pid)
        for thing in made:
            seen = [{"name": thing["name"], "fd": event["fd"], "proto": event["proto"],
                     "local": {key: event["local"][key] for key in thing["local"]},
                     "origin": event["port_origin"]} for event in found
                    if event["proto"] == thing["proto"] and event["fd"] == thing["fd"]]
            tap.equal(seen, [thing], f"{thing['name']}: once")
        tap.equal(len(found), len(made), "and nothing else")
        lives = {life["socket"]: life["ended"] for life in tracer.lives()}
        tap.equal([lives.get(event["socket"]) for event in found], [True] * len(found),
                  "each life ends")
        if backend != "tracepoint":
            check_later(tap, tracer, program.pid, made[0], accepted)
    tap.done()


if __name__ == "__main__":
    main()
