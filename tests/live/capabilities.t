#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Once it watches, portlife keeps only the capabilities that it will still need, and still does what
they are for.
"""

import os
import pathlib
import signal
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

NUMBERS = {"dac_read_search": 2, "kill": 5, "sys_ptrace": 19, "sys_admin": 21, "perfmon": 38,
           "bpf": 39}
WALKS = {"dac_read_search", "sys_ptrace", "sys_admin", "perfmon", "bpf"}
ASKS_NEED_BPF = tuple(map(int, os.uname().release.split(".")[:2])) < (5, 19)
PROGRAM = """\
import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
c = socket.socket(); c.connect(s.getsockname())
"""


def sets(pid):
    """{"CapPrm": number, ...} of a process."""
    rows = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return {row.split()[0][:-1]: int(row.split()[1], 16) for row in rows if row[:3] == "Cap"}


def number(names):
    """A set as the kernel has it, of those that this process could give."""
    return sum(1 << NUMBERS[name] for name in names) & sets("self")["CapPrm"]


def make_cgroup():
    """A new one, None if there is no cgroup2."""
    roots = [row.split()[4] for row in pathlib.Path("/proc/self/mountinfo").read_text(
        encoding="utf-8").splitlines() if " - cgroup2 " in row]
    if not roots:
        return None
    group = pathlib.Path(roots[0]) / f"portlife-test-{os.getpid()}"
    group.mkdir(exist_ok=True)
    return group


def check(tap, folder, name, options, wanted):
    """One run: what it keeps, and what it says of a program in a namespace and a cgroup that are
    newer than that."""
    tracer = live.Tracer(folder, *options, name=name).await_live()
    live.wait_for(lambda: sets(tracer.pid)["CapPrm"] == wanted, 5)
    have = sets(tracer.pid)
    tap.equal([hex(have[key]) for key in ("CapPrm", "CapEff", "CapInh", "CapAmb")],
              [hex(wanted), hex(wanted), "0x0", "0x0"], f"{name}: the capabilities that stay")
    group = make_cgroup()
    enter = f"echo $$ >{group}/cgroup.procs; " if group else ""
    path = live.write_program(folder, "program.py", PROGRAM)
    subprocess.run(["unshare", "-n", "sh", "-c", f"{enter}ip link set lo up; exec python3 {path}"],
                   check=True)
    live.wait_for(lambda: tracer.events("connect"), 5)
    events = tracer.events("connect")
    tap.equal(tracer.stop(), 0, f"{name}: ends well")
    tap.equal({(event["errno"], event["cgroup"]) for event in events},
              {(None, f"/{group.name}" if group else None)}, f"{name}: names the program's cgroup")
    tap.equal(tracer.lines()[-1]["lost"], 0, f"{name}: nothing lost")
    if group:
        group.rmdir()


def main():
    """The test."""
    tap, temporary = live.begin()
    with temporary as folder:
        check(tap, folder, "a watch", [], number(WALKS))
        check(tap, folder, "--no-resync", ["--no-resync"],
              number({"bpf"} if ASKS_NEED_BPF else set()))
        tracer = live.Tracer(folder, "--user=nobody", "--", "sleep", "60", name="command")
        tracer.await_live()
        live.wait_for(lambda: sets(tracer.pid)["CapPrm"] == number(WALKS | {"kill"}), 5)
        tap.equal(hex(sets(tracer.pid)["CapEff"]), hex(number(WALKS | {"kill"})),
                  "with COMMAND: the one to signal it")
        tap.equal(tracer.stop(), -signal.SIGINT, "a signal reaches COMMAND, of whatever user")
    tap.done()


if __name__ == "__main__":
    main()
