#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A forced loss: the smallest buffer, portlife stopped while a program makes a known number of
records. What was sent is what was received and what is counted as lost, exactly; and within two
seconds of its going on the table is the program's again.
"""

import json
import pathlib
import signal
import subprocess
import sys
import time

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent),
                str(pathlib.Path(__file__).resolve().parents[1] / "oracle")]
sys.dont_write_bytecode = True
import live
import table

BUFFER = "64K"
CALLS = 4000  # many times what the buffer holds
ROUNDS = 3
WITHIN_SECONDS = 2

# Commands on stdin, an answer to each. A bind() that fails is one record, whatever became of others.
PROGRAM = """\
import json, os, socket, struct, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
RESET = struct.pack("ii", 1, 0)
bound = socket.socket(); bound.bind(("127.0.0.1", 0))
listener = socket.socket(); listener.bind(("127.0.0.1", 0)); listener.listen(64)
held = [("listen", listener), ("bound", bound)]
def make(number):
    kind = number % 6
    family = socket.AF_INET6 if number % 2 else socket.AF_INET
    address = "::1" if number % 2 else "127.0.0.1"
    if kind in (0, 1):
        s = socket.socket(family); s.bind((address, 0)); held.append(("bound", s))
    elif kind == 2:
        s = socket.socket(family); s.bind((address, 0)); s.listen(1); held.append(("listen", s))
    elif kind in (3, 4):
        s = socket.socket(family, socket.SOCK_DGRAM); s.bind((address, 0))
        held.append(("bound", s))
    else:
        s = socket.socket(); s.connect(listener.getsockname()); child = listener.accept()[0]
        for end in (s, child):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            held.append(("connected", end))
def entry(kind, s):
    local, peer = s.getsockname()[:2], None
    if kind == "connected":
        peer = s.getpeername()[:2]
    return ["udp" if s.type & socket.SOCK_DGRAM else "tcp", *local, peer]
count = 0
for row in sys.stdin:
    command, _, number = row.partition(" ")
    if command == "fail":
        for _ in range(int(number)):
            try:
                bound.bind(("127.0.0.1", 0))
            except OSError:
                pass
        answer = int(number)
    elif command == "change":
        # both ends of a connection go or stay together
        gone = [item for item in held[2:] if item[0] != "connected"][::2]
        for item in gone:
            held.remove(item); item[1].close()
        for _ in range(int(number)):
            count += 1; make(count)
        answer = len(held)
    else:
        answer = [entry(*item) for item in held]
    print(json.dumps(answer), flush=True)
"""


class Program:
    """The program, in a network namespace of its own."""

    def __init__(self, folder):
        path = live.write_program(folder, "program.py", PROGRAM)
        # pylint: disable-next=consider-using-with
        self.process = subprocess.Popen(["unshare", "-n", "python3", path], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self.process.pid
        self.ask("table")
        self.space = pathlib.Path(f"/proc/{self.pid}/ns/net").stat().st_ino

    def ask(self, command):
        """Its answer."""
        self.process.stdin.write(f"{command}\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def entries(self):
        """What it holds: protocol, address, port and peer."""
        return sorted(f"{proto} {address}:{port} > {peer and tuple(peer)}"
                      for proto, address, port, peer in self.ask("table"))


def said(tracer, program):
    """The table that portlife's lines make, likewise."""
    result = table.Table([program.space], doubts=False)
    for line in tracer.lines():
        result.feed(line)
    return sorted(f"{entry.proto} {entry.address}:{entry.port} > {entry.peer}"
                  for entry, _ in result.entries())


def counted(tracer, program):
    """(failed calls told of, records told to be lost in the buffer)."""
    lines = tracer.lines()
    told = sum(line["type"] == "event" and line["pid"] == program.pid and
               line["errno"] == "EINVAL" for line in lines)
    return told, sum(line["count"] for line in lines if line["type"] == "lost")


def await_quiet(tracer):
    """Returns when portlife has nothing more to say."""
    size = -1
    while tracer.output.stat().st_size != size:
        size = tracer.output.stat().st_size
        time.sleep(0.3 * live.PATIENCE)


def check_count(tap, tracer, program):
    """Nothing is lost but what is counted."""
    sent = 0
    for _ in range(ROUNDS):
        tracer.process.send_signal(signal.SIGSTOP)
        sent += program.ask(f"fail {CALLS}")
        tracer.process.send_signal(signal.SIGCONT)
        await_quiet(tracer)
        told, lost = counted(tracer, program)
        tap.check(lost and told + lost == sent,
                  f"{sent} records sent = {told} received + {lost} lost", f"{told + lost}")
    return sent


def check_table(tap, tracer, program):
    """After a loss in which sockets came and went unseen, the table is right again."""
    for number in range(ROUNDS):
        tracer.process.send_signal(signal.SIGSTOP)
        program.ask(f"fail {CALLS}")
        program.ask("change 24")
        tracer.process.send_signal(signal.SIGCONT)
        start = time.monotonic()
        true = program.entries()
        live.wait_for(lambda: said(tracer, program) == true, WITHIN_SECONDS)
        seconds = time.monotonic() - start
        table_said = said(tracer, program)
        tap.check(table_said == true,
                  f"loss {number + 1}: the table is right {seconds:.2f} s after portlife goes on",
                  *(f"said, not true: {entry}" for entry in sorted(set(table_said) - set(true))),
                  *(f"true, not said: {entry}" for entry in sorted(set(true) - set(table_said))))


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        program = Program(name)
        recording = pathlib.Path(name) / "recording.plr"
        tracer = live.Tracer(name, "--states", "--existing", f"--buffer={BUFFER}",
                             "-w", recording, "-p", program.pid).await_live()
        sent = check_count(tap, tracer, program)
        check_table(tap, tracer, program)
        program.process.stdin.close()
        tap.equal(program.process.wait(), 0, "the program ends well")
        tap.equal(tracer.stop(), 0, "portlife ends well")
        told, lost = counted(tracer, program)
        summary = tracer.lines()[-1]
        tap.equal([summary["type"], summary["lost"]], ["summary", lost],
                  "the summary has what the lines say is lost")
        tap.check(told + lost >= sent + ROUNDS * CALLS,
                  f"at the end: {told} received + {lost} lost, of calls and of changes")
        replay = subprocess.run([live.PORTLIFE, "-j", "--states", "--existing", "-r", recording,
                                 "-p", str(program.pid)],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
        tap.equal(json.loads(replay.stdout.splitlines()[-1])["lost"], lost,
                  "and so has the recording's")
    tap.done()


if __name__ == "__main__":
    main()
