#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""In a pid namespace of its own, portlife names processes as that namespace does."""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

INITIAL_PIDNS = 0xEFFFFFFC

# Waits for a line if asked to, then listens, and lets a thread and a child do the same.
PROGRAM = """\
import json, os, socket, sys, threading
if sys.argv[1:] == ['wait']:
    sys.stdin.readline()
def listen():
    s = socket.socket(); s.listen(1)
    seen.append([os.getpid(), threading.get_native_id(), s.getsockname()[1]])
    return s
seen = []
mine = listen()
thread = threading.Thread(target=listen); thread.start(); thread.join()
to_parent, to_child = os.pipe()
if os.fork() == 0:
    theirs = listen()
    os.write(to_child, json.dumps(seen[-1]).encode())
    os._exit(0)
os.wait()
seen.append(json.loads(os.read(to_parent, 1000)))
print(json.dumps(seen), flush=True)
"""


def check_pids(tap, what, tracer, seen):
    """Every listen is told with the pid and tid that the program saw."""
    said = sorted([e["pid"], e["tid"], e["local"]["port"]] for e in tracer.events("listen"))
    tap.equal(said, sorted(seen), f"{what}: pids and tids are those of the namespace")
    hosts = {event["pid"]: event["pid_host"] for event in tracer.events("listen")}
    tap.check(all(host and host != pid for pid, host in hosts.items()),
              f"{what}: pid_host is another", hosts)
    lives = {life["pid"] for life in tracer.lives()}
    tap.equal(lives, {pid for pid, _, _ in seen}, f"{what}: lives have them too")
    return hosts


def inside(folder):
    """The part that runs in the namespace: -p PID of a process that is there already."""
    path = os.path.join(folder, "program.py")
    with subprocess.Popen(["python3", path, "wait"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as program:
        tracer = live.Tracer(folder, "-p", program.pid, name="given").await_live()
        program.stdin.write(b"\n")
        program.stdin.close()
        seen = json.loads(program.stdout.readline())
        program.wait()
    live.wait_for(lambda: len(tracer.lives()) >= len(seen) - 1, 2)
    status = tracer.stop()
    print(json.dumps({"seen": seen, "pid": program.pid, "status": status}))


def host_pid_of(inner_pid, marker):
    """The pid here of the process that has inner_pid in its own namespace."""
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            status = (entry / "status").read_text()
            command = (entry / "cmdline").read_text()
        except OSError:
            continue
        pids = next((row.split()[1:] for row in status.splitlines()
                     if row.startswith("NSpid:")), [])
        if len(pids) > 1 and pids[-1] == str(inner_pid) and marker in command:
            return int(entry.name)
    return None


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        path = live.write_program(name, "program.py", PROGRAM)
        unshare = ["unshare", "-pf", "--mount-proc"]

        tracer = live.Tracer.__new__(live.Tracer)
        tracer.output = pathlib.Path(name) / "command.jsonl"
        done = subprocess.run(
            [*unshare, live.PORTLIFE, *live.ATTACH, "-j", "-o", tracer.output, "--", "python3",
             path], capture_output=True, check=False)
        if tap.check(done.returncode == 0, "COMMAND in a pid namespace", done.stderr.decode()):
            check_pids(tap, "COMMAND", tracer, json.loads(done.stdout))

        done = subprocess.run([*unshare, "python3", __file__, "--inside", name],
                              capture_output=True, check=False)
        if tap.check(done.returncode == 0, "-p PID in a pid namespace", done.stderr.decode()):
            told = json.loads(done.stdout.splitlines()[-1])
            tap.equal(told["status"], 0, "portlife stops well")
            tracer.output = pathlib.Path(name) / "given.output"
            own = [entry for entry in told["seen"] if entry[0] == told["pid"]]
            tap.equal(len(own), 2, "two of the three sockets are of that process")
            check_pids(tap, "-p PID", tracer, own)

        if os.stat("/proc/self/ns/pid").st_ino == INITIAL_PIDNS:
            check_host_pid(tap, name, path)
    tap.done()


def check_host_pid(tap, folder, path):
    """pid_host is the pid that the initial namespace has for it."""
    output = pathlib.Path(folder) / "host.jsonl"
    with subprocess.Popen(
            ["unshare", "-pf", "--mount-proc", live.PORTLIFE, *live.ATTACH, "-j", "-o", output,
             "--", "python3", path, "wait"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL) as tracer:
        inner = None

        def found():
            nonlocal inner
            for pid in range(2, 12):
                host = host_pid_of(pid, path)
                command = host and pathlib.Path(f"/proc/{host}/comm").read_text().strip()
                if command == "python3":
                    inner = (pid, host)
            return inner

        live.wait_for(found, 10)
        tracer.stdin.write(b"\n")
        tracer.stdin.close()
        tracer.stdout.read()
        tracer.wait()
    said = [json.loads(row) for row in output.read_text().splitlines()]
    pids = {(line["pid"], line["pid_host"]) for line in said if line["type"] == "event"}
    tap.check(inner in pids, "pid_host is the pid outside", inner, pids)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2])
    else:
        main()
