#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Holders that are not watched: with COMMAND, -p, --comm or --uid they are named all the same.

One program has ports in every way that there is, in a network namespace of its own, and is not
watched. Another is, and is refused each of them. What the first one knows of itself, portlife must
say: process, descriptor, how many have it, or that no process has it.
"""

import json
import os
import pathlib
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

HOLDER = """\
import json, os, socket, struct, sys, time
ADDR, PORT = (1, 2), (1, 15)

def server(port, *options, kind=socket.SOCK_STREAM):
    sock = socket.socket(socket.AF_INET, kind)
    for level, name in options:
        sock.setsockopt(level, name, 1)
    sock.bind(("0.0.0.0", port))
    if kind == socket.SOCK_STREAM:
        sock.listen()
    return sock

def child(*closed):
    pid = os.fork()
    if not pid:
        for sock in closed:
            sock.close()
        sys.stdin.read()
        os._exit(0)
    return pid

def pair(port):
    listener = server(port, ADDR)
    client = socket.create_connection(("127.0.0.1", port))
    return listener, client, listener.accept()[0]

def say(name, port, held_by, pid=None, fd=None, fds=None, **more):
    print(json.dumps(dict(more, name=name, port=port, held_by=held_by, pid=pid, fd=fd, fds=fds)),
          flush=True)

keep = []
workers = server(8000)
for _ in range(3):
    child()
say("a server with workers", 8000, "process", os.getpid(), workers.fileno(), 4)

with server(8001) as listener:
    say("an inherited descriptor", 8001, "process", child(workers), listener.fileno(), 1)

listener, client, conn = pair(8002)
listener.close(); conn.close(); client.recv(1); client.close()
say("TIME_WAIT", 8002, "time_wait")

listener, client, conn = pair(8006)
listener.close(); conn.close()
keep.append(client)
say("closed on this side only", 8006, "orphan", state="fin_wait_2")

listener, client, conn = pair(8003)
listener.close(); conn.setblocking(False)
try:
    while True:
        conn.send(bytes(65536))
except BlockingIOError:
    conn.close()
keep.append(client)
say("an orphan", 8003, "orphan")

keep.append(server(8004, kind=socket.SOCK_DGRAM))
say("UDP", 8004, "process", os.getpid(), keep[-1].fileno(), 1, udp=True)

os.seteuid(65534)
keep.append(server(8005, PORT))
os.seteuid(0)
say("SO_REUSEPORT of another user", 8005, "process", os.getpid(), keep[-1].fileno(), 1,
    reuseport=True)
say("", 0, "")
sys.stdin.read()
"""

VICTIM = """\
import json, os, socket, sys, time
ports, pause, uid = json.loads(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
if uid:
    os.setresuid(uid, uid, uid)
sys.stdin.readline()
for case in ports:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if case.get("udp") else socket.SOCK_STREAM)
    if case.get("reuseport"):
        sock.setsockopt(1, 15, 1)
    try:
        sock.bind(("0.0.0.0", case["port"]))
        print("bound")
    except OSError as error:
        print(error.errno)
    sys.stdout.flush()
    time.sleep(pause)
"""

PAUSE = 3 if live.IN_VM else 1  # lookups are made a few times a second at most
NOBODY = 65534


def check_holder(tap, what, case, event, backend):
    """One refusal: who is said to be in the way."""
    held = event["holders"] or []
    if not tap.equal(len(held), 1, f"{what}: {case['name']}: one holder"):
        return
    holder = held[0]
    for key in ("held_by", "pid", "fd", "fds"):
        tap.equal(holder[key], case[key], f"{what}: {case['name']}: {key}")
    by_kernel = backend != "tracepoint" and not case.get("udp")
    tap.equal(holder["source"], "kernel" if by_kernel else "lookup",
              f"{what}: {case['name']}: where it is known from")
    if case["held_by"] == "time_wait":
        left = holder["time_wait_left_ms"]
        tap.check(left and 0 < left <= 60000, f"{what}: the time left", left)
    if case.get("state"):
        tap.equal(holder["state"], case["state"], f"{what}: {case['name']}: the state")
    if case.get("reuseport"):
        tap.equal(holder["rule"], "same-address,reuseport-of-another-user", f"{what}: the rule")


def victim(folder, holder, cases, uid=0):
    """The command that is refused the ports of these cases."""
    path = live.write_program(folder, "victim.py", VICTIM)
    return ["nsenter", "-n", "-t", str(holder.pid), sys.executable, path, json.dumps(cases),
            str(PAUSE), str(uid)]


def refusals(tracer, holder):
    """The events of bind() that was refused next to the holder, and the backend: others on this
    machine may have the same user or name."""
    space = os.stat(f"/proc/{holder.pid}/ns/net").st_ino
    return ([event for event in tracer.events("bind")
             if event["errno"] and event["netns"] == space], tracer.lines()[0]["backend"])


def by_command(tap, folder, holder, cases):
    """All cases, the victim as COMMAND; first those that the kernel ends by itself."""
    cases = sorted(cases, key=lambda case: case["held_by"] == "process")
    tracer = live.Tracer(folder, "--", *victim(folder, holder, cases), name="command",
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    said = tracer.process.communicate(b"\n", timeout=120 * live.LIMITS)[0].split()
    tap.equal(said, [b"98"] * len(cases), "COMMAND: the program was refused each")
    events, backend = refusals(tracer, holder)
    if tap.equal([event["requested"]["port"] for event in events],
                 [case["port"] for case in cases], "COMMAND: each refusal is told of"):
        for case, event in zip(cases, events):
            check_holder(tap, "COMMAND", case, event, backend)
    texts = [line["text"] for line in tracer.lines() if line["type"] == "finding"]
    workers = next(case for case in cases if case["fds"] == 4)
    wanted = f"{holder.pid} holder fd {workers['fd']} (+3 workers) (listening)"
    tap.check(any(wanted in text for text in texts), "COMMAND: and in a sentence", wanted, *texts)


LEFT = """
import socket, time
listener = socket.create_server(("127.0.0.1", 8020))
client = socket.create_connection(("127.0.0.1", 8020))
conn = listener.accept()[0]
listener.close(); conn.close()
time.sleep(0.5)
late = socket.socket()
try:
    late.bind(("127.0.0.1", 8020))
except OSError as error:
    print(error.errno, flush=True)
time.sleep(1)
"""


def left_by_itself(tap, folder):
    """A connection of the program itself, closed on its side only: to the kernel an entry like
    those of TIME_WAIT."""
    path = live.write_program(folder, "left.py", LEFT)
    tracer = live.Tracer(folder, "--", "unshare", "-n", "sh", "-c",
                         f"ip link set lo up; exec {sys.executable} {path}", name="left",
                         stdout=subprocess.PIPE)
    said = tracer.process.communicate(timeout=120 * live.LIMITS)[0].split()
    tap.equal(said, [b"98"], "its own remains: the program was refused")
    events = [event for event in tracer.events("bind") if event["errno"]]
    tap.equal([[(h["held_by"], h["state"]) for h in event["holders"] or []] for event in events],
              [[("orphan", "fin_wait_2")]], "its own remains: nobody has it open")


def by_option(tap, folder, holder, cases, name, options):
    """The first two, the victim chosen by an option."""
    argv = victim(folder, holder, cases[:2], NOBODY)
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        tracer = live.Tracer(folder, *(options or ["-p", process.pid]), name=name).await_live()
        time.sleep(0.5 * live.PATIENCE)
        said = process.communicate(b"\n", timeout=120 * live.LIMITS)[0].split()
    tap.equal(tracer.stop(), 0, f"{name}: ends well")
    tap.equal(said, [b"98"] * 2, f"{name}: the program was refused each")
    events, backend = refusals(tracer, holder)
    if tap.equal([event["requested"]["port"] for event in events],
                 [case["port"] for case in cases[:2]], f"{name}: each refusal is told of"):
        for case, event in zip(cases, events):
            check_holder(tap, name, case, event, backend)


INIT = """\
import ctypes, socket, subprocess, sys
ctypes.CDLL(None).prctl(15, b"systemd") # the comm, PR_SET_NAME
sock = socket.socket()
sock.bind(("0.0.0.0", 8100))
sock.listen()
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""
SERVICE = """\
import socket
try:
    socket.socket().bind(("0.0.0.0", 8100))
except OSError as failed:
    print(failed.errno)
"""


def by_activation(tap, folder):
    """Process 1 is called systemd, and has the port for a service: socket activation."""
    output = pathlib.Path(folder) / "activation.output"
    done = subprocess.run(
        ["unshare", "-npf", "--mount-proc", "python3", live.write_program(folder, "init.py", INIT),
         live.PORTLIFE, *live.ATTACH, "-j", "-o", output, "--", "python3",
         live.write_program(folder, "service.py", SERVICE)], capture_output=True, check=False)
    tap.equal([done.returncode, done.stdout], [0, b"98\n"], "activation: the service is refused")
    lines = [json.loads(row) for row in output.read_text().splitlines()]
    found = [line for line in lines if line["type"] == "finding"]
    tap.equal([(line["finding"], holder["pid"], holder["comm"]) for line in found
               for holder in line["holders"]], [("bind-in-use", 1, "systemd")],
              "activation: systemd has it")
    tap.check(found and "systemctl list-sockets" in found[0]["hint"], "activation: what to do",
              found and found[0]["hint"])


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        by_activation(tap, name)
        left_by_itself(tap, name)
        path = live.write_program(name, "holder.py", HOLDER)
        other = pathlib.Path(name) / "holder" # another name, for --comm
        other.symlink_to(sys.executable)
        with subprocess.Popen(["unshare", "-n", "sh", "-c",
                               f"ip link set lo up; exec {other} {path}"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            cases = []
            while not cases or cases[-1]["port"]:
                cases.append(json.loads(holder.stdout.readline()))
            cases.pop()
            by_command(tap, name, holder, cases)
            by_option(tap, name, holder, cases, "pid", None)
            by_option(tap, name, holder, cases, "uid", [f"--uid={NOBODY}"])
            by_option(tap, name, holder, cases, "comm", ["--comm=python3"])
            holder.stdin.close()
            holder.stdout.close()
    tap.done()


if __name__ == "__main__":
    main()
