#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The kprobe backend with more threads waiting than the kernel has kretprobe instances.

Threads that wait in accept() need none: every descriptor is right and nothing is lost. Threads that
wait in connect() use them up: all but connect(AF_UNSPEC) is told as ever, and each return of that one
which was missed is in `lost`.

Probes that are skipped while connections end, as in a softirq that has interrupted another probe: what
is in TIME_WAIT is told of all the same.
"""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

# what register_kretprobe() takes at most, and some more
THREADS = max(10, 2 * os.cpu_count()) + 20
REPEATED = 5

ACCEPTING = """\
import json, os, socket, sys, threading
threads = int(sys.argv[1])
server = socket.socket(); server.bind(('127.0.0.1', 0)); server.listen(threads)
port = server.getsockname()[1]
found, lock, opened, kept = [], threading.Lock(), threading.Event(), []
def accept():
    conn, peer = server.accept()
    with lock:
        found.append([conn.fileno(), peer[1]])
        kept.append(conn)
def waiting():
    states = []
    for task in os.listdir('/proc/self/task'):
        try:
            states.append(open(f'/proc/self/task/{task}/syscall').read().split()[0])
        except OSError:
            pass
    return sum(state in ('43', '202', '288', '242') for state in states)
workers = [threading.Thread(target=accept) for _ in range(threads)]
for worker in workers:
    worker.start()
while waiting() < threads:
    pass
for _ in range(threads):
    client = socket.socket(); client.connect(('127.0.0.1', port)); kept.append(client)
    os.close(os.open('/dev/null', os.O_RDONLY))
for worker in workers:
    worker.join()
print(json.dumps({'port': port, 'found': found}), flush=True)
"""

# A queue of one is full after one. TCP has no way to a multicast address.
CONNECTING = """\
import ctypes, json, os, socket, sys, threading, time
threads, repeated = int(sys.argv[1]), int(sys.argv[2])
full = socket.socket(); full.listen(0)
address = ('127.0.0.1', full.getsockname()[1])
first = socket.socket(); first.connect(address)
hanging = [socket.socket() for _ in range(threads)]
def hang(sock):
    try:
        sock.connect(address)
    except OSError:
        pass
for sock in hanging:
    threading.Thread(target=hang, args=(sock,), daemon=True).start()
while not all(sock.getsockname()[1] for sock in hanging):
    time.sleep(0.01)
said = {'full': address[1], 'hanging': [sock.getsockname()[1] for sock in hanging]}
server = socket.socket(); server.bind(('127.0.0.1', 0)); server.listen(1)
said['server'] = server.getsockname()[1]
client = socket.socket(); client.connect(server.getsockname())
said['client'] = client.getsockname()[1]
conn, _ = server.accept()
said['fd'] = conn.fileno()
closed = socket.socket(); closed.bind(('127.0.0.1', 0))
said['closed'] = closed.getsockname()[1]
refused = socket.socket()
try:
    refused.connect(closed.getsockname())
except ConnectionRefusedError:
    said['refused'] = True
taken = socket.socket()
try:
    taken.bind(server.getsockname())
except OSError:
    said['taken'] = True
libc = ctypes.CDLL(None)
for _ in range(repeated):
    away = socket.socket()
    try:
        away.connect(('224.0.0.1', 9))
    except OSError:
        pass
    away.bind(('127.0.0.1', 0))
    libc.connect(away.fileno(), bytes(16), 16)
print(json.dumps(said), flush=True)
os._exit(0)
"""

ENDING = """\
import json, os, socket, sys
server = socket.socket(); server.bind(('127.0.0.1', 0)); server.listen()
client, bound = socket.socket(), socket.socket()
bound.bind(('127.0.0.1', 0))
ports, conns = [], []
for sock in client, bound:
    sock.connect(server.getsockname())
    ports.append(sock.getsockname()[1])
    conns.append(server.accept()[0])
print(json.dumps({'server': server.getsockname()[1], 'ports': ports}), flush=True)
sys.stdin.readline()
client.close(); bound.close()
for conn in conns:
    conn.recv(1)  # its end, or both sides might close at once and both be left in TIME_WAIT
for sock in *conns, server:
    sock.close()
print('closed', flush=True)
sys.stdin.readline()
"""

SWITCH = pathlib.Path("/sys/kernel/debug/kprobes/enabled")


def run(folder, name, program, *args):
    """A program under portlife; what both said."""
    path = live.write_program(folder, f"{name}.py", program)
    tracer = live.Tracer(folder, "--states", "--", "python3", path, *args, name=name,
                         stdout=subprocess.PIPE)
    said = tracer.process.stdout.readline()
    status = tracer.wait()
    if status == 3:
        return None, tracer
    return (json.loads(said) if said else {}), tracer


def losses(tracer, cause):
    """How many of a cause."""
    return sum(line["count"] for line in tracer.lines()
               if line["type"] == "lost" and line["cause"] == cause)


def check_accept(tap, folder):
    """Threads that wait in accept()."""
    said, tracer = run(folder, "accepting", ACCEPTING, THREADS)
    if said is None:
        print("1..0 # SKIP " + tracer.talk.read_text(errors="replace").splitlines()[-1])
        sys.exit(0)
    told = [[event["fd"], event["peer"]["port"]] for event in tracer.events("accept")]
    tap.equal(sorted(told), sorted(said["found"]),
              f"{THREADS} threads wait in accept(): each descriptor is right")
    tap.equal(losses(tracer, "calls"), 0, "nothing is lost")


def check_connect(tap, folder):
    """Threads that wait in connect()."""
    said, tracer = run(folder, "connecting", CONNECTING, THREADS, REPEATED)
    connects = tracer.events("connect")
    hanging = {event["local"]["port"] for event in connects
               if event["peer"]["port"] == said["full"]}
    tap.check(len(said["hanging"]) == THREADS and set(said["hanging"]) <= hanging,
              f"{THREADS} threads wait in connect(): all are told of", hanging, said)
    tap.equal([event["local"]["port"] for event in connects
               if event["peer"]["port"] == said["server"]], [said["client"]],
              "another connect()")
    tap.equal([event["fd"] for event in tracer.events("accept")
               if event["local"]["port"] == said["server"]], [said["fd"]], "its accept()")
    tap.equal([event["errno"] for event in tracer.events("bind")
               if event["requested"]["port"] == said["server"]], ["EADDRINUSE"],
              "a bind() that fails")
    tap.equal(sorted(event["errno"] for event in tracer.events("connect_failed")),
              ["ECONNREFUSED"] + ["ENETUNREACH"] * REPEATED, "each connect() that fails, once")
    missed = losses(tracer, "calls")
    tap.equal(len(tracer.events("disconnect")) + missed, REPEATED,
              "whatever was missed is in `lost`, and nothing else")
    print(f"# {missed} of {REPEATED} missed")


def check_skipped(tap, folder):
    """No kprobe hits while connections end; tracepoints do."""
    tracer = live.Tracer(folder, "--states", name="ending").await_live()
    path = live.write_program(folder, "ending.py", ENDING)
    with subprocess.Popen(["python3", path], text=True, stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as program:
        said = json.loads(program.stdout.readline())
        SWITCH.write_text("0", encoding="ascii")
        try:
            program.stdin.write("\n")
            program.stdin.flush()
            tap.equal(program.stdout.readline(), "closed\n", "connections end unseen")
        finally:
            SWITCH.write_text("1", encoding="ascii")
        live.wait_for(lambda: len(tracer.events("time_wait")) >= len(said["ports"]), 2)
        program.stdin.close()
    tracer.stop()
    ended = {event["socket"]: event["local"]["port"] for event in tracer.events("time_wait")
             if event["pid"] == program.pid}
    tap.equal(sorted(ended.values()), sorted(said["ports"]), "TIME_WAIT is told of all the same")
    told = {event["socket"] for event in tracer.events() if event["pid"] == program.pid
            and event["event"] in ("bind", "connect", "accept")}
    lives = {life["socket"]: life for life in tracer.lives() if life["socket"] in told}
    tap.equal(sorted(number for number, life in lives.items() if life["time_wait"]), sorted(ended),
              "and only of those: the others gave up their port")
    tap.equal([life["ended"] for life in lives.values()], [True] * 5, "each life ends")


def main():
    """The test."""
    live.ATTACH = ["--attach=kprobe"]
    tap, folder = live.begin()
    with folder as name:
        check_accept(tap, name)
        check_connect(tap, name)
        check_skipped(tap, name)
    tap.done()


if __name__ == "__main__":
    main()
