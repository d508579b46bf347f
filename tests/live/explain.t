#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""--explain: the sentences under the events of a program say what the program itself saw, with the
settings of its network namespace, and with the rules of the kernel that runs.
"""

import ctypes
import json
import os
import pathlib
import re
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

CLONE_NEWNET = 0x40000000
PROGRAM = """\
import errno, json, socket, time

def new(kind=socket.SOCK_STREAM):
    s = socket.socket(socket.AF_INET, kind)
    made.append(s)
    return s

def tried(call, *args):
    try:
        call(*args)
    except OSError as error:
        return errno.errorcode[error.errno]
    return None

made, saw = [], {}
listener = new(); listener.listen(8)
saw["listen"] = listener.getsockname()[1]
client = new(); client.connect(("127.0.0.1", saw["listen"]))
saw["connect"] = client.getsockname()[1]
listener.accept()
zero = new(); zero.bind(("127.0.0.1", 0))
saw["bind0"] = zero.getsockname()[1]
named = new(); named.bind(("0.0.0.0", 80)); named.listen()
saw["named"] = 80
saw["taken"] = tried(new().bind, ("127.0.0.1", 80))
new().bind(("0.0.0.0", 20005))
late = new(); late.setsockopt(0, 24, 1); late.bind(("127.0.0.1", 0))  # IP_BIND_ADDRESS_NO_PORT
saw["no_port"] = late.getsockname()[1]
late.connect(("127.0.0.1", saw["listen"]))
saw["deferred"] = late.getsockname()[1]
sender = new(socket.SOCK_DGRAM); sender.sendto(b"x", ("127.0.0.1", 9))
saw["send"] = sender.getsockname()[1]
own = new()
saw["own"] = tried(own.setsockopt, 0, 51, 20100 | 20119 << 16)  # IP_LOCAL_PORT_RANGE
own.connect(("127.0.0.1", saw["listen"]))
saw["own_port"] = own.getsockname()[1]
gone = new(); saw["refused"] = tried(gone.connect, ("127.0.0.1", 1))
print(json.dumps(saw))
time.sleep(0.3)  # its namespace can be entered as long as it is there
"""
CHANGING = """\
import pathlib, socket, time

for reserved, patience in (("", 0), ("20000-20009", 0), ("20020", 0.15), ("", 0.15), ("20030-20033", 0.01)):
    pathlib.Path("/proc/sys/net/ipv4/ip_local_reserved_ports").write_text(reserved + "\\n")
    time.sleep(patience)
    s = socket.socket(); s.bind(("127.0.0.1", 0))
    print(s.getsockname()[1], {"": 0, "20000-20009": 10, "20020": 1, "20030-20033": 4}[reserved])
    time.sleep(patience)
"""
RANGE, RESERVED = (20000, 20199), "20000-20009,30000"


def enter_new_namespace():
    """This process moves into a network namespace with nothing but lo."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")


SET_UP = (f"ip link set lo up; cd /proc/sys/net/ipv4; echo {RANGE[0]} {RANGE[1]} >"
          f"ip_local_port_range; echo {RESERVED} >ip_local_reserved_ports; ")


class Namespace:
    """A network namespace that stays while this lasts; the pid of who is in it."""

    def __enter__(self):
        # pylint: disable-next=consider-using-with
        self.holder = subprocess.Popen(["unshare", "-n", "sh", "-c", f"({SET_UP}); echo there; "
                                        "exec sleep 1000"], stdout=subprocess.PIPE)
        assert self.holder.stdout.readline() == b"there\n"
        return self.holder.pid

    def __exit__(self, *_):
        self.holder.kill()
        self.holder.wait()


def kernel():
    """(6, 12)."""
    return tuple(map(int, os.uname().release.split(".")[:2]))


class Story:
    """What was said of the events of one run."""

    def __init__(self, events):
        self.events = events

    def of(self, event, port):
        """All sentences of the events of this kind with this port."""
        return " ".join(sentence for e in self.events if e["event"] == event
                        and port in ((e["local"] or {}).get("port"),
                                     (e["peer"] or e["requested"] or {}).get("port"))
                        for sentence in e["explain"])


def parity(port, prefers_even, call):
    """What must be said of this pick where it is from 20000 on, evenly."""
    first, is_even = ("even" if prefers_even else "odd"), port % 2 == 0
    told = f"{first} numbers first: {port} is {'even' if is_even else 'odd'}, "
    if is_even == prefers_even:
        return told + f"which hints at {call} and proves nothing."
    return told + f"so no {first} one was to be had"


def check_picks(tap, story, saw):
    """Ports that the kernel chose, how and why."""
    ports = "20000-20199 (200 ports, 10 of them reserved"
    said = story.of("listen", saw["listen"])
    tap.check("without ever having asked for a port, so the kernel picked "
              f"{saw['listen']}." in said and ports in said and
              parity(saw["listen"], False, "bind() or listen()") in said,
              "listen: the port, the range, the reserved ports, the parity", said)
    said = story.of("connect", saw["connect"])
    tap.check(f"never asked for a port, so the kernel picked {saw['connect']} for its connection to "
              f"127.0.0.1:{saw['listen']}." in said and ports in said and
              f"computed from the destination 127.0.0.1:{saw['listen']}" in said and
              parity(saw["connect"], True, "connect()") in said,
              "connect: the port, the destination, the parity", said)
    said = story.of("bind", saw["bind0"])
    tap.check(f"and the kernel picked {saw['bind0']}." in said and
              parity(saw["bind0"], False, "bind() or listen()") in said, "bind to port 0", said)
    said = story.of("send", saw["send"])
    tap.check(f"never asked for a port, so the kernel picked {saw['send']} " in said and
              "for UDP odd and even are the same" in said, "send", said)
    said = story.of("connect", saw["deferred"])
    tap.check(saw["no_port"] == 0 and "had asked for an address and no port" in said and
              f"the kernel picked {saw['deferred']}" in said, "a port that was put off", said)


def check_named(tap, story, saw):
    """Ports that the program named."""
    said = story.of("bind", 80)
    tap.check("asked for port 80 on every IPv4 address of this machine, and got it." in said and
              "Ports below 1024" in said, "a port below 1024", said)
    tap.check(saw["taken"] == "EADDRINUSE" and "asked for port 80 at the address 127.0.0.1, but it "
              "is taken." in said and "is bound to 0.0.0.0, which stands for every address" in said
              and "The other one listens" in said, "a port that is taken, and by which rule", said)
    said = story.of("bind", 20005)
    tap.check("asked for port 20005" in said, "a reserved port may be named", said)
    said = story.of("connect_failed", 1)
    tap.check(saw["refused"] == "ECONNREFUSED" and "127.0.0.1:1, refused" in said,
              "a connection that is refused", said)


def check_own_range(tap, story, saw):
    """IP_LOCAL_PORT_RANGE, where the kernel has it."""
    said = story.of("connect", saw["own_port"])
    if saw["own"]:
        tap.check(20000 <= saw["own_port"] <= 20199 and "socket's own" not in said,
                  "no range of its own on this kernel", said)
        return
    wanted = "20100-20119 is this socket's own range, set by IP_LOCAL_PORT_RANGE within 20000-20199"
    tap.check(20100 <= saw["own_port"] <= 20119 and wanted in said,
              "a range of its own, and what it narrows", said)
    tap.equal("number by number" in said, kernel() >= (6, 8), "it has no parity from 6.8 on")


def run(tap, folder, name, shell, **popen):
    """(story, what the program saw) of the program behind these shell commands."""
    path = live.write_program(folder, "program.py", PROGRAM)
    tracer = live.Tracer(folder, "--explain", "--", "sh", "-c", f"{shell} exec python3 {path}",
                         name=name, stdout=subprocess.PIPE, **popen)
    printed = tracer.process.stdout.read().decode()
    tap.equal(tracer.wait(60), 0, f"{name}: done")
    events = tracer.events()
    tap.check(events and all(isinstance(e["explain"], list) and len(e["explain"]) <= 3 and
                             all(isinstance(s, str) and s.endswith(".") for s in e["explain"])
                             for e in events), f"{name}: at most three sentences each",
              [e.get("explain") for e in events])
    first = [e["explain"][0] for e in events if e["explain"]]
    tap.equal(len(first), len(set(first)), f"{name}: nothing twice")
    return Story(events), json.loads(printed)


def check_changes(tap, folder):
    """Settings that change while it runs: the count is the one at that time, or there is none."""
    program = live.write_program(folder, "changing.py", CHANGING)
    for turn in range(2 if live.IN_VM else 4):
        tracer = live.Tracer(folder, "--explain", "--", "python3", program, name=f"changing{turn}",
                             stdout=subprocess.PIPE)
        printed = tracer.process.stdout.read().decode()
        tap.equal(tracer.wait(60), 0, "changing settings: done")
        binds = tracer.events("bind") # in order: the same port may be given twice
        saw = [tuple(map(int, line.split())) for line in printed.splitlines()]
        tap.equal([e["local"]["port"] for e in binds], [port for port, _ in saw],
                  "changing settings: the ports")
        for event, (_, count) in zip(binds, saw):
            said = re.findall(r"ports, (none|\d+)[a-z ]* reserved", " ".join(event["explain"]))
            tap.check(all(word == (str(count) if count else "none") for word in said),
                      f"changing settings: {count} reserved, or not known", said)


ODD = """\
import errno, socket
def given(kind):
    made, ports = [], []
    for _ in range(4):
        made.append(socket.socket(socket.AF_INET, kind))
        try:
            made[-1].bind(("127.0.0.1", 0))
        except OSError:
            break
        ports.append(made[-1].getsockname()[1])
    return sorted(ports)
with open("/proc/sys/net/ipv4/ip_local_port_range", "w") as file:
    file.write("40000 40002")
print(given(socket.SOCK_STREAM), given(socket.SOCK_DGRAM))
"""


def check_odd(tap, folder):
    """Of three ports TCP is given two: so it is said that the last one is left out."""
    program = live.write_program(folder, "odd.py", ODD)
    tracer = live.Tracer(folder, "--explain", "--", "python3", program, name="odd",
                         stdout=subprocess.PIPE)
    printed = tracer.process.stdout.read().decode()
    tap.equal(tracer.wait(60), 0, "an odd range: done")
    tap.equal(printed.split("\n")[0], "[40000, 40001] [40000, 40001, 40002]",
              "an odd range: TCP does not get the last port, UDP does")
    said = {proto: [" ".join(e["explain"]) for e in tracer.events() if e["proto"] == proto]
            for proto in ("tcp", "udp")}
    tap.check("40000-40002 (3 ports, of which one is left out" in said["tcp"][0] and
              "(3 ports, of which one is left out" in said["tcp"][2] and
              "that the kernel may pick is held" in said["tcp"][2],
              "an odd range: the last one is said to be left out", *said["tcp"])
    tap.check("left out" not in " ".join(said["udp"]), "... and for UDP not", *said["udp"])


def check_nothing_to_explain(tap, folder):
    """-w alone shows no events: that is said, in one line, unless -q."""
    for more, lines in ([], 1), (["-q"], 0):
        done = subprocess.run([live.PORTLIFE, *live.ATTACH, *more, "--explain", "-w",
                               f"{folder}/silent.plr", "--", "true"], capture_output=True,
                              text=True, check=False)
        told = [line for line in done.stderr.splitlines() if "--explain" in line]
        tap.equal((done.returncode, len(told), done.stdout), (0, lines, ""),
                  f"--explain -w alone {' '.join(more)}: {lines} line")


def check_text(tap, folder):
    """Under each event, indented, in 80 columns."""
    program = live.write_program(folder, "listen.py", "import socket; socket.socket().listen()")
    tracer = live.Tracer(folder, "--explain", "--", "python3", program, name="text",
                         form="-H")
    tap.equal(tracer.wait(60), 0, "text: done")
    event, *sentences = tracer.output.read_text(encoding="ascii").splitlines()
    tap.check(re.match(r"\d\d:.* python3 +tcp +listen ", event) and sentences and
              all(len(line) <= 80 and line.startswith("    ") for line in sentences) and
              sentences[0].startswith("    The program waits for connections without ever"),
              "text: sentences under their event", event, *sentences)


def main():
    """All of it, in the namespace of portlife and in another one."""
    tap, folder = live.begin()
    with folder:
        with Namespace() as pid:
            story, saw = run(tap, folder.name, "another namespace",
                             f"exec nsenter --net=/proc/{pid}/ns/net "
                             f"python3 {folder.name}/program.py ;")
            check_picks(tap, story, saw)
            check_own_range(tap, story, saw)
        enter_new_namespace()
        subprocess.run(["sh", "-c", SET_UP], check=True)
        story, saw = run(tap, folder.name, "its own namespace", "")
        check_picks(tap, story, saw)
        check_named(tap, story, saw)
        check_own_range(tap, story, saw)
        check_text(tap, folder.name)
        check_changes(tap, folder.name)
        check_nothing_to_explain(tap, folder.name)
        check_odd(tap, folder.name)
    tap.done()


main()
