#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Who is in the way, by which rule, and what to do: the program knows, portlife must say the same.

Everything happens in a network namespace of the program's own. A case is what the program tried, the
errno it got, the findings and the rule that it stands for, and the fix, which must work.
"""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

PROGRAM = """\
import ctypes, errno, json, os, socket, struct, sys, time
TCP, UDP, V4, V6 = socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.AF_INET, socket.AF_INET6
ADDR, PORT, NO_PORT = (1, 2), (1, 15), (0, 24)
V6ONLY = (41, 26)

def make(*options, family=V4, kind=TCP):
    sock = socket.socket(family, kind)
    for level, name in options:
        sock.setsockopt(level, name, 1)
    return sock

def server(port, *options, address="0.0.0.0", listen=True, user=0, **more):
    os.setresuid(user, user, 0)
    try:
        sock = make(*options, **more)
        sock.bind((address, port))
        if listen and more.get("kind", TCP) == TCP:
            sock.listen()
    finally:
        os.setresuid(0, 0, 0)
    return sock

def attempt(name, findings, rule, call, fix=None):
    error = None
    try:
        call()
    except OSError as failed:
        error = errno.errorcode[failed.errno]
    fixed = True
    try:
        if fix:
            fix()
    except OSError as failed:
        fixed = errno.errorcode[failed.errno]
    print(json.dumps([name, error, findings, rule, fixed]), flush=True)

def binds(port, *options, address="0.0.0.0", **more):
    return lambda: keep.append(server(port, *options, address=address, listen=False, **more))

def setting(name, value):
    with open(f"/proc/sys/net/ipv4/{name}", "w") as file:
        file.write(value)

def leave_time_wait(port, *options):
    old = server(port, *options)
    peer = socket.create_connection(("127.0.0.1", port))
    conn = old.accept()[0]
    old.close()
    conn.close() # who closes first has the TIME_WAIT
    peer.recv(1)
    peer.close()

def on_device(port, device):
    sock = make()
    sock.setsockopt(1, 25, device.encode() + bytes(1))
    sock.bind(("0.0.0.0", port))
    keep.append(sock)
    return sock

def refuse_binds():
    # a program of the cgroup that says no: r0 = 0; exit
    libc = ctypes.CDLL(None, use_errno=True)
    code = ctypes.create_string_buffer(struct.pack("<BBhiBBhi", 0xb7, 0, 0, 0, 0x95, 0, 0, 0))
    words = ctypes.create_string_buffer(b"GPL")
    load = struct.pack("<IIQQIIQII16sII", 18, 2, ctypes.addressof(code), ctypes.addressof(words),
                       0, 0, 0, 0, 0, b"no", 0, 8)
    program = libc.syscall(BPF, 5, load, len(load))
    if program < 0:
        raise OSError(ctypes.get_errno(), "a program for a cgroup")
    with open("/proc/self/mounts") as mounts:
        root = next(row.split()[1] for row in mounts if row.split()[2] == "cgroup2")
    path = f"{root}/portlife-findings-{os.getpid()}"
    os.mkdir(path)
    with open("/proc/self/cgroup") as groups:
        home = next(row.strip()[3:] for row in groups if row.startswith("0::"))
    folder = os.open(path, os.O_RDONLY)
    attach = struct.pack("<IIIII", folder, program, 8, 0, 0)
    if libc.syscall(BPF, 8, attach, len(attach)):
        raise OSError(ctypes.get_errno(), "attaching it")
    def move(where):
        with open(f"{where}/cgroup.procs", "w") as file:
            file.write("0")
    def back():
        move(root + home)
        os.close(folder)
        os.rmdir(path)
    move(path)
    return back
BPF = {"x86_64": 321, "aarch64": 280}[os.uname().machine]

keep = [server(8000)]
USE = ["bind-in-use"]
attempt("two servers", USE, "same-address,listening", binds(8000))
attempt("an address against a wildcard", USE, "wildcard-holder,listening",
        binds(8000, address="127.0.0.1"))
keep.append(server(8001, address="127.0.0.1"))
attempt("a wildcard against an address", USE, "wildcard-asked,listening", binds(8001),
        binds(8001, address="127.0.0.2"))
attempt(":: against 0.0.0.0", USE, "dual-stack,listening", binds(8000, address="::", family=V6),
        binds(8000, V6ONLY, address="::", family=V6))
keep.append(server(8002, address="::", family=V6))
attempt("0.0.0.0 against ::", USE, "dual-stack,listening", binds(8002))
keep.append(server(8003, listen=False))
attempt("bound, without SO_REUSEADDR", USE, "same-address,no-reuseaddr", binds(8003))
attempt("SO_REUSEADDR here only", USE, "same-address,reuseaddr-missing-there", binds(8003, ADDR))
keep.append(server(8004, ADDR, listen=False))
attempt("SO_REUSEADDR there only", USE, "same-address,reuseaddr-missing-here", binds(8004),
        binds(8004, ADDR))
keep.append(server(8005, PORT, user=65534))
attempt("SO_REUSEPORT of another user", USE, "same-address,reuseport-of-another-user",
        binds(8005, PORT), binds(8005, PORT, user=65534))
attempt("SO_REUSEPORT missing", USE, "same-address,reuseport-missing-here", binds(8005))
keep.append(server(8006, kind=UDP))
attempt("UDP", USE, "same-address,no-reuseaddr", binds(8006, kind=UDP), binds(8006))
client = make(); client.connect(("127.0.0.1", 8001))
attempt("a connection took the port", USE, "wildcard-asked,no-reuseaddr",
        binds(client.getsockname()[1]))
twin = make(ADDR); twin.bind(("127.0.0.1", 8007)); twin.connect(("127.0.0.1", 8001))
other = make(ADDR); other.bind(("127.0.0.1", 8007))
attempt("the same connection", ["connect-tuple-in-use"], "same-connection",
        lambda: other.connect(("127.0.0.1", 8001)))
first = server(8008, ADDR, listen=False)
keep.append(server(8008, ADDR))
attempt("listen() came too late", ["listen-lost-port"], "same-address,listening", first.listen)
attempt("a foreign address", ["bind-not-local"], None, binds(8009, address="192.0.2.1"))
attempt("twice", ["bind-twice"], None, lambda: keep[0].bind(("0.0.0.0", 8010)))
early = make(); early.bind(("127.0.0.1", 0))
attempt("bind(0) before connect()", ["early-bind"], None, lambda: early.connect(("127.0.0.1", 8001)))
late = make(NO_PORT); late.bind(("127.0.0.1", 0))
attempt("and without", [], None, lambda: late.connect(("127.0.0.1", 8001)))
leave_time_wait(8011)
def patient(call):
    # where the kernel's list is not read, it is looked up, a few times a second
    time.sleep(float(sys.argv[1]))
    return call
attempt("TIME_WAIT, no SO_REUSEADDR", USE + ["time-wait-holds-port"], "wildcard-asked,no-reuseaddr",
        patient(binds(8011)))
attempt("TIME_WAIT, SO_REUSEADDR here only", USE + ["time-wait-holds-port"],
        "wildcard-asked,reuseaddr-missing-there", patient(binds(8011, ADDR)))
leave_time_wait(8012, ADDR)
attempt("TIME_WAIT, SO_REUSEADDR there only", USE + ["time-wait-holds-port"],
        "wildcard-asked,reuseaddr-missing-here", patient(binds(8012)))
attempt("TIME_WAIT, SO_REUSEADDR on both", [], None, patient(binds(8012, ADDR)))
on_device(8013, "lo").listen()
attempt("one device on both", USE, "same-address,same-device,listening",
        lambda: on_device(8013, "lo"), lambda: on_device(8013, "v0").close())
attempt("a device on one", USE, "same-address,listening", binds(8013))
attempt("a privileged port", ["bind-denied"], None, binds(80, user=65534),
        lambda: (setting("ip_unprivileged_port_start", "80"), binds(80, user=65534)()))
setting("ip_local_reserved_ports", "8014")
attempt("a reserved port, by name", [], None, binds(8014))
back = refuse_binds()
attempt("a cgroup's program", ["bind-refused-by-policy"], None, binds(8015),
        lambda: (back(), binds(8015)()))
plain = make()
attempt("listen() without bind()", ["listen-random-port"], None, plain.listen)
setting("ip_local_port_range", "40010 40019")
def narrow():
    sock = make()
    sock.setsockopt(0, 51, struct.pack("@I", 40012 << 16 | 40012))
    sock.connect(("127.0.0.1", 8001))
    keep.append(sock)
try:
    narrow()
    attempt("a narrow range of the socket's own", ["ports-exhausted"], None, narrow,
            lambda: make().connect(("127.0.0.1", 8001)))
except OSError as failed: # IP_LOCAL_PORT_RANGE came with 6.3
    if failed.errno != errno.ENOPROTOOPT:
        raise
setting("ip_local_port_range", "40000 40001")
used = [make() for _ in range(3)]
for sock in used[:2]:
    sock.connect(("127.0.0.1", 8001))
attempt("no port for one peer", ["ports-exhausted"], None,
        lambda: used[2].connect(("127.0.0.1", 8001)),
        lambda: used[2].connect(("127.0.0.1", 8000)))
def late_bind():
    sock = make(NO_PORT)
    sock.bind(("127.0.0.1", 0))
    sock.connect(("127.0.0.1", 8013))
attempt("no port for bind(0)", ["ports-exhausted"], None, lambda: make().bind(("127.0.0.1", 0)),
        late_bind)
datagrams = [make(kind=UDP) for _ in range(3)]
for sock in datagrams[:2]:
    sock.sendto(b"x", ("127.0.0.1", 8006))
attempt("no port for UDP", ["ports-exhausted"], None,
        lambda: datagrams[2].sendto(b"x", ("127.0.0.1", 8006)), binds(40002, kind=UDP))
if ctypes.CDLL(None).unshare(0x40000000): # CLONE_NEWNET
    raise SystemExit("no network namespace")
attempt("the same port elsewhere", [], None, binds(8000))
"""


SLOW = "slow-port-search"


def without_slowness(line):
    """In a virtual machine any search may take long."""
    if line["type"] == "event":
        line["findings"] = [identity for identity in line["findings"] if identity != SLOW]
    return line


def rules_of(rule, backend):
    """What may be said of it: who looks afterwards does not see the options of TIME_WAIT."""
    said = {rule} if rule else set()
    if backend == "tracepoint" and rule == "wildcard-asked,no-reuseaddr":
        said.add("wildcard-asked,unknown")
    if backend == "tracepoint" and rule == "wildcard-asked,reuseaddr-missing-here":
        said.add("wildcard-asked,unknown")
    return said


def check_case(tap, case, event, backend):
    """One attempt, as the program and portlife saw it."""
    name, error, findings, rule, fixed = case
    tap.equal(event["errno"], error, f"{name}: {error}")
    tap.equal(event["findings"], findings, f"{name}: found")
    rules = {holder["rule"] for holder in event["holders"] or []}
    tap.check(rules <= rules_of(rule, backend) and bool(rules) == bool(rule), f"{name}: the rule",
              rules, rule)
    pids = {holder["pid"] for holder in event["holders"] or [] if holder["held_by"] != "time_wait"}
    wanted = {event["pid"]} if rule and not name.startswith("TIME_WAIT") else set()
    tap.equal(pids, wanted, f"{name}: whose it is")
    tap.equal(fixed, True, f"{name}: the fix helps")


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        path = live.write_program(name, "cases.py", PROGRAM)
        tracer = live.Tracer(name, "--", "unshare", "-n", "sh", "-c",
                             "ip link set lo up; ip link add v0 type veth peer name v1; "
                             f"exec python3 {path} {3 if live.IN_VM else 1}",
                             name="cases",
                             stdout=subprocess.PIPE)
        cases = [json.loads(row) for row in tracer.process.stdout.read().decode().splitlines()]
        tap.equal(tracer.wait(), 0, "the program ends well")
        tap.check(len(cases) >= 32, "all cases were tried", len(cases)) # 33 from 6.1 on
        lines = [without_slowness(line) for line in tracer.lines()]
        found = [line for line in lines if line["type"] == "event" and line["findings"]
                 and line["comm"] == "python3"]
        expected = [case for case in cases if case[2]]
        if tap.equal([event["findings"] for event in found], [case[2] for case in expected],
                     "each was found, and nothing else"):
            for case, event in zip(expected, found):
                check_case(tap, case, event, lines[0]["backend"])
        told = {line["finding"] for line in lines if line["type"] == "finding"} - {SLOW}
        tap.equal(told, {identity for case in cases for identity in case[2]},
                  "each finding has its line")
        tap.check(all(line["hint"] and line["text"] for line in lines
                      if line["type"] == "finding"), "with a sentence and a hint")
    tap.done()


if __name__ == "__main__":
    main()
