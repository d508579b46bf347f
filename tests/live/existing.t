#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets that were there before portlife: each is shown once, with its holder, and its end is seen.
One of the two network namespaces has been left by every process.

Then the same under load: portlife starts while programs bind, connect and close as fast as they can.
No socket is shown twice and no life is left behind.
"""

import collections
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

# Makes one socket of each sort, prints what it has, and closes all when its input ends.
HOLDER = """\
import ctypes, json, os, socket, subprocess, sys, time
family = socket.AF_INET6 if sys.argv[1] == '6' else socket.AF_INET
address = '::1' if sys.argv[1] == '6' else '127.0.0.1'
subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
kept, made = [], []
def note(name, sock, origin='unknown', **more):
    try:
        peer = sock.getpeername()[:2]
    except OSError:
        peer = None
    kept.append(sock)
    made.append({'name': name, 'local': sock.getsockname()[:2], 'peer': peer, 'fd': sock.fileno(),
                 'pid': os.getpid(), 'origin': origin, 'proto': 'tcp', **more})
    return sock
def without_process(name, local, peer, origin):
    made.append({'name': name, 'local': local, 'peer': peer, 'fd': None, 'pid': None,
                 'origin': origin, 'proto': 'tcp'})
def bound(kind=socket.SOCK_STREAM):
    sock = socket.socket(family, kind)
    sock.bind((address, 0))
    return sock
def connected(server):
    sock = socket.socket(family)
    sock.connect(server.getsockname()[:2])
    return sock
listener = note('listener', bound()); listener.listen(8)
note('bound only', bound())
inherited = note('inherited', bound()); os.set_inheritable(inherited.fileno(), True)
client = note('client', connected(listener), 'connect')
child = note('accepted', listener.accept()[0])
stuck, reader = connected(listener), None
reader = note('peer of the orphan', listener.accept()[0])
stuck.setblocking(False)
try:
    while True:
        stuck.send(bytes(65536))
except BlockingIOError:
    pass
without_process('orphan', stuck.getsockname()[:2], stuck.getpeername()[:2], 'connect')
stuck.close()
first = connected(listener); second = listener.accept()[0]
without_process('TIME_WAIT', first.getsockname()[:2], first.getpeername()[:2], 'connect')
first.close(); second.recv(1); second.close()  # not both at once, or both were in TIME_WAIT
queued = note('client in the queue', connected(listener), 'connect')
without_process('not accepted', queued.getpeername()[:2], queued.getsockname()[:2], 'accept')
note('udp bound', bound(socket.SOCK_DGRAM), proto='udp')
datagram = socket.socket(family, socket.SOCK_DGRAM)
datagram.connect(kept[-1].getsockname()[:2])
note('udp connected', datagram, proto='udp')
netns = os.stat('/proc/self/ns/net').st_ino
if len(sys.argv) > 2:  # only the sockets stay
    ctypes.CDLL(None).unshare(0x40000000)
heir = subprocess.Popen(['sleep', '60'], pass_fds=[inherited.fileno()])
print(json.dumps({'netns': netns, 'made': made, 'since': time.monotonic()}), flush=True)
sys.stdin.readline()
heir.kill(); heir.wait()
child.close(); client.close(); reader.close()
for sock in kept:
    sock.close()
print('closed', flush=True)
sys.stdin.readline()
"""

LOAD = """\
import os, random, socket, subprocess, sys, time
subprocess.run(['ip', 'link', 'set', 'lo', 'up'], check=True)
open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('20000 60000')
for worker in range(3):
    if not os.fork():
        break
else:
    print(os.stat('/proc/self/ns/net').st_ino, flush=True)
    sys.stdin.readline()
    os._exit(0)
idle = []
while True:
    kind = random.choice([socket.SOCK_STREAM, socket.SOCK_STREAM, socket.SOCK_DGRAM])
    one = socket.socket(socket.AF_INET, kind)
    one.bind(('127.0.0.1', 0))
    idle.append(one)
    if kind == socket.SOCK_STREAM and random.random() < 0.5:
        one.listen(4)
        two = socket.create_connection(one.getsockname())
        three = one.accept()[0]
        three.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\\1\\0\\0\\0\\0\\0\\0\\0')
        three.close(); two.close()
    time.sleep(0.001)
    if len(idle) > 8:
        idle.pop(random.randrange(8)).close()
"""

TIME_WAIT_LATER = 20  # seconds: a light pass finds its end, or the kernel has to come round to it


class Holder:
    """A program in a network namespace of its own; what it has."""

    def __init__(self, folder, text, *args):
        path = live.write_program(folder, f"program{len(args)}.py", text)
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(["unshare", "-n", "python3", path, *args], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.said = json.loads(self.process.stdout.readline())

    def close(self):
        """It closes its sockets and stays, so that its namespace does."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self):
        """It ends."""
        self.process.stdin.close()
        self.process.wait()


class Watch(live.Tracer):
    """A portlife of which only some network namespaces are looked at: others are busy, too."""

    def __init__(self, folder, netns, **more):
        super().__init__(folder, "--existing", "--states", **more)
        self.marks = [b'"netns":%d,' % inum for inum in netns]
        self.kept = []
        self.taken = 0

    def lines(self):
        if self.output.exists():
            with open(self.output, "rb") as output:
                output.seek(self.taken)
                new = output.read()
            new = new[:new.rfind(b"\n") + 1]
            self.taken += len(new)
            self.kept += [json.loads(line) for line in new.split(b"\n")
                          if any(mark in line for mark in self.marks)]
        return [line for line in self.kept if line["type"] in ("event", "life")]


def of_netns(events, netns):
    """The events in a network namespace."""
    return [event for event in events if event["netns"] == netns]


def seen(event):
    """What an event says of a socket, as the holder says it."""
    peer = live.endpoint(event["peer"])
    return (live.endpoint(event["local"]), peer, event["proto"], event["fd"], event["pid"],
            event["port_origin"])


def wanted(thing, connects_known):
    """The same from the holder."""
    origin = thing["origin"]
    if origin == "connect" and not connects_known:
        origin = "unknown"
    peer = tuple(thing["peer"]) if thing["peer"] else None
    return (tuple(thing["local"]), peer, thing["proto"], thing["fd"], thing["pid"], origin)


def connects_are_known():
    """6.17 and later remember which ports connect() assigned."""
    major, minor = os.uname().release.split(".")[:2]
    return (int(major), int(minor)) >= (6, 17)


def check_found(tap, tracer, holder, family):
    """Each socket once, and no other."""
    netns = holder.said["netns"]
    made = holder.said["made"]
    live.wait_for(lambda: len(of_netns(tracer.events("existing"), netns)) >= len(made), 1)
    time.sleep(0.2)
    existing = of_netns(tracer.events("existing"), netns)
    said = collections.Counter(seen(event) for event in existing)
    for thing in made:
        key = wanted(thing, connects_are_known())
        times = said.pop(key, 0)
        # the clock of a virtual machine may have run on while its host was busy
        if thing["name"] in ("TIME_WAIT", "orphan") and tracer.began - holder.said["since"] > 50:
            tap.check(True, f"IPv{family}: {thing['name']} # SKIP over before portlife began")
            continue
        tap.check(times == 1, f"IPv{family}: {thing['name']}: once", key,
                  [seen(event) for event in existing
                   if event["local"]["port"] == thing["local"][1]])
    tap.equal(said, {}, f"IPv{family}: and nothing else")
    tap.check(all(event["existing"] and not event["errno"] for event in existing),
              f"IPv{family}: all are marked existing")


def check_ended(tap, tracer, holder, family, log):
    """Every socket that was found gives up its port."""
    netns = holder.said["netns"]
    found = {event["socket"]: event for event in of_netns(log, netns)
             if event["event"] == "existing"}
    gone = {event["socket"] for event in log if event["event"] in ("release", "time_wait")}
    tap.equal([seen(found[number]) for number in set(found) - gone], [],
              f"IPv{family}: each port is released, or left to TIME_WAIT")
    lives = of_netns(tracer.lives(), netns)
    tap.equal([life["socket"] for life in lives if not life["ended"]], [],
              f"IPv{family}: no life is left")
    late = [event for event in of_netns(log, netns) if event["event"] == "existing"
            and event["socket"] not in found]
    tap.equal(late, [], f"IPv{family}: nothing is found late")


def check_sorts(tap, folder):
    """One socket of each sort in two namespaces."""
    holders = [("4", Holder(folder, HOLDER, "4")), ("6", Holder(folder, HOLDER, "6", "leave"))]
    tracer = Watch(folder, [holder.said["netns"] for _, holder in holders], name="sorts")
    tracer.await_live()
    tracer.began = time.monotonic()
    for family, holder in holders:
        check_found(tap, tracer, holder, family)
    for family, holder in holders:
        tap.equal(holder.close(), "closed", f"IPv{family}: all are closed")
    time.sleep(0.3)
    for _, holder in holders:
        holder.end()
    # the namespaces go, and with them their TIME_WAIT entries
    found = {event["socket"] for event in tracer.events("existing")
             if event["netns"] in [holder.said["netns"] for _, holder in holders]}
    live.wait_for(lambda: found <= {event["socket"] for event in tracer.events()
                                    if event["event"] in ("release", "time_wait")},
                  TIME_WAIT_LATER)
    tap.equal(tracer.stop(), 0, "portlife ends well")
    log = tracer.events()
    for family, holder in holders:
        check_ended(tap, tracer, holder, family, log)


def doubles(events):
    """Sockets of which another one with the same addresses began before they ended."""
    holds, found = {}, []
    for event in sorted(events, key=lambda event: event["ts_ns"]):
        number = event["socket"]
        if event["event"] in ("release", "time_wait", "close"):
            for key in [key for key, holder in holds.items() if holder == number]:
                del holds[key]
            continue
        if event["event"] not in ("existing", "bind", "connect", "listen") or event["errno"]:
            continue
        key = (event["proto"], live.endpoint(event["local"]), live.endpoint(event["peer"]))
        if holds.get(key, number) != number:
            found.append((key, holds[key], number))
        holds[key] = number
    return found


def check_load(tap, folder, times):
    """Starts under load."""
    for count in range(times):
        load = Holder(folder, LOAD)
        time.sleep(0.1)
        tracer = Watch(folder, [load.said], name=f"load{count}").await_live()
        time.sleep(0.4)
        subprocess.run(["pkill", "-KILL", "-P", str(load.process.pid)], check=False)
        time.sleep(0.2)
        load.end()
        status = tracer.stop()
        log = of_netns(tracer.events(), load.said)
        existing = {event["socket"] for event in log if event["event"] == "existing"
                    and event["existing"]}
        tap.check(status == 0 and existing, f"start {count + 1} under load: sockets are found",
                  status, tracer.talk.read_text())
        tap.equal(doubles(log), [], "no socket twice")
        lives = of_netns(tracer.lives(), load.said)
        tap.equal([life for life in lives if not life["ended"]], [],
                  f"no life is left behind of {len(lives)}")


def main():
    """The test."""
    tap, folder = live.begin()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    with folder as name:
        check_sorts(tap, name)
        check_load(tap, name, 3 if live.IN_VM else 10)
    tap.done()


if __name__ == "__main__":
    main()
