#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals: stop and drain, stop at once, leave nothing behind, and who gets the terminal's."""

import ctypes
import os
import pathlib
import pty
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

LIBC = ctypes.CDLL(None, use_errno=True)
SYS_BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]
BPF_PROG_GET_FD_BY_ID, BPF_LINK_GET_FD_BY_ID = 13, 30

# Says what it got and exits with a status of its own for each signal.
CATCHER = """\
import os, signal, socket
def catch(number, frame):
    os.write(1, signal.Signals(number).name.encode() + b'\\n')
    os._exit({signal.SIGINT: 7, signal.SIGTERM: 8, signal.SIGHUP: 9}[number])
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, catch)
s = socket.socket(); s.listen(1)
os.write(1, b'ready\\n')
while True:
    signal.pause()
"""


def make_sockets(count):
    """Some events; the ports listened on."""
    ports = set()
    for _ in range(count):
        with socket.socket() as s:
            s.listen(1)
            ports.add(s.getsockname()[1])
    return ports


def check_stop(tap, folder, number):
    """A signal: what has happened is told, then the summary, status 0."""
    name = signal.Signals(number).name
    tracer = live.Tracer(folder, "-p", os.getpid(), name=name).await_live()
    ports = make_sockets(200)
    tap.equal(tracer.stop(number), 0, f"{name}: status 0")
    lines = tracer.lines()
    tap.equal([lines[0]["type"], lines[-1]["type"]], ["start", "summary"],
              f"{name}: a whole stream")
    tap.equal(len(tracer.events("listen")), 200, f"{name}: everything before it is told")
    tap.equal({e["local"]["port"] for e in tracer.events("listen")}, ports,
              f"{name}: with the right ports")


def check_second(tap, number):
    """A second one ends portlife at once, even if nobody reads what it has to say."""
    name = signal.Signals(number).name
    with subprocess.Popen([live.PORTLIFE, *live.ATTACH, "-j", "--states", "-o", "-"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stderr.readline()
        for _ in range(20):
            make_sockets(200)
            time.sleep(0.05)
        process.send_signal(number)
        time.sleep(0.5 * live.PATIENCE)
        tap.check(process.poll() is None, f"{name}: waits for its reader")
        process.send_signal(number)
        try:
            process.wait(2 * live.PATIENCE)
            ended = True
        except subprocess.TimeoutExpired:
            ended = False
            process.kill()
        tap.check(ended, f"{name}: a second one ends it at once")


def bpf_ids(pid):
    """(command, id) of the programs and links that a process holds."""
    ids = set()
    for entry in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            rows = entry.read_text().splitlines()
        except OSError:
            continue
        for row in rows:
            key, _, value = row.partition(":")
            if key == "prog_id":
                ids.add((BPF_PROG_GET_FD_BY_ID, int(value)))
            elif key == "link_id":
                ids.add((BPF_LINK_GET_FD_BY_ID, int(value)))
    return ids


def bpf_exists(command, number):
    """Does the kernel still have this program or link?"""
    attr = (ctypes.c_uint32 * 32)(number)
    fd = LIBC.syscall(SYS_BPF, command, ctypes.byref(attr), ctypes.sizeof(attr))
    if fd >= 0:
        os.close(fd)
    return fd >= 0


def check_kill(tap, folder):
    """SIGKILL: the kernel takes away all that was attached."""
    tracer = live.Tracer(folder, name="killed").await_live()
    make_sockets(10)
    ids = bpf_ids(tracer.pid)
    tap.check(len(ids) > 2 and all(bpf_exists(*i) for i in ids), "it holds programs and links", ids)
    tap.equal(tracer.stop(signal.SIGKILL), -9, "SIGKILL ends it")
    left = []

    def gone():
        left[:] = [i for i in ids if bpf_exists(*i)]
        return not left

    live.wait_for(gone, 5)
    tap.equal(left, [], "nothing of it is left in the kernel")
    tap.equal(tracer.output.read_text()[-1:], "\n", "its output ends with a whole line")
    again = live.Tracer(folder, "-p", os.getpid(), name="again").await_live()
    make_sockets(3)
    again.stop()
    tap.equal(len(again.events("listen")), 3, "another one works")


def read_until(fd, word):
    """What comes from a terminal until a word does."""
    text = b""
    deadline = time.monotonic() + 15 * live.PATIENCE
    while word not in text and time.monotonic() < deadline:
        try:
            text += os.read(fd, 1000)
        except OSError:
            break
    return text


def check_terminal(tap, folder, path):
    """^C goes to COMMAND; portlife ends with its status."""
    output = pathlib.Path(folder) / "terminal.jsonl"
    argv = [live.PORTLIFE, *live.ATTACH, "-j", "-o", str(output), "--", "python3", path]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    read_until(terminal, b"ready")
    os.write(terminal, b"\x03")
    text = read_until(terminal, b"SIGINT")
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    os.close(terminal)
    tap.check(b"SIGINT" in text, "^C reaches COMMAND", text)
    tap.equal(status, 7, "^C: portlife ends with COMMAND's status")
    tap.check('"type":"summary"' in output.read_text(), "^C: and with a summary")


def check_passed_on(tap, folder, path, number, wanted):
    """TERM and HUP are passed on to COMMAND."""
    name = signal.Signals(number).name
    tracer = live.Tracer(folder, "--", "python3", path, name=f"command-{name}",
                         stdout=subprocess.PIPE)
    tracer.process.stdout.readline()
    status = tracer.stop(number)
    tap.equal(tracer.process.stdout.read().decode().strip(), name, f"{name} reaches COMMAND")
    tap.equal(status, wanted, f"{name}: portlife ends with COMMAND's status")
    tap.equal(tracer.lines()[-1]["type"], "summary", f"{name}: and with a summary")


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            check_stop(tap, name, number)
        check_second(tap, signal.SIGINT)
        check_second(tap, signal.SIGTERM)
        check_kill(tap, name)
        path = live.write_program(name, "catcher.py", CATCHER)
        check_terminal(tap, name, path)
        check_passed_on(tap, name, path, signal.SIGTERM, 8)
        check_passed_on(tap, name, path, signal.SIGHUP, 9)
    tap.done()


if __name__ == "__main__":
    main()
