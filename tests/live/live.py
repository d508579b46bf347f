# SPDX-License-Identifier: GPL-2.0-or-later
"""What the live tests share: TAP, starting and stopping portlife, reading what it wrote.

Environment: PORTLIFE (the program), ATTACH (a backend, else portlife's own choice), PORTLIFE_VM (set
in a slow virtual machine: wait longer).
"""

import atexit
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORTLIFE = os.environ.get("PORTLIFE", str(ROOT / "build/portlife"))
ATTACH = [f"--attach={os.environ['ATTACH']}"] if os.environ.get("ATTACH") else []
IN_VM = bool(os.environ.get("PORTLIFE_VM"))
PATIENCE = 6 if IN_VM else 1  # factor on every pause
# ... and on every time limit: while a guest waits for a file of the host its clock, which counts
# instructions, goes on from one timer to the next
LIMITS = 60 if IN_VM else 1

# A job of a script ignores SIGINT from its start, one of nohup SIGHUP, and what is started here
# would too, COMMAND among it.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Tap:
    """Counts and prints; ends the program with what it found."""

    def __init__(self):
        self.count = 0
        self.bad = 0

    def check(self, good, name, *diagnosis):
        """One TAP line; what is not good is told on stderr too, which prove shows."""
        self.count += 1
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        if not good:
            self.bad += 1
            print(f"# not ok {self.count} - {name}", file=sys.stderr)
            for thing in diagnosis:
                for line in str(thing).splitlines():
                    print(f"#   {line[:2000]}", file=sys.stderr)
        sys.stdout.flush()
        return good

    def equal(self, said, wanted, name):
        """One TAP line about two values."""
        return self.check(said == wanted, name, f"said:   {said!r}", f"wanted: {wanted!r}")

    def done(self):
        """The plan, and the exit status."""
        print(f"1..{self.count}")
        sys.exit(1 if self.bad else 0)


def begin():
    """A Tap and a directory for this test; fails clearly where live tests cannot run."""
    why = None
    if os.geteuid() != 0:
        why = "live tests need root"
    elif not os.access(PORTLIFE, os.X_OK):
        why = f"{PORTLIFE} is missing: make"
    if why:
        print(f"1..1\nnot ok 1 - {why}")
        sys.exit(1)
    folder = tempfile.TemporaryDirectory(prefix="portlife-")
    pathlib.Path(folder.name).chmod(0o755)
    return Tap(), folder


class Tracer:
    """A portlife that runs, its output (JSON or text) and its talk in files."""

    def __init__(self, folder, *args, name="portlife", form="-j", **popen):
        self.output = pathlib.Path(folder) / f"{name}.output"
        self.talk = pathlib.Path(folder) / f"{name}.talk"
        self.argv = [PORTLIFE, *ATTACH, form, "-o", str(self.output), *map(str, args)]
        with open(self.talk, "wb") as talk:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(self.argv, stderr=talk, **popen)
        self.pid = self.process.pid
        atexit.register(self.kill)  # a test that fails leaves nothing behind to be waited for

    def kill(self):
        """Ends it if it still runs."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def await_live(self):
        """Returns when the probes are live: it has said what it watches."""
        if not wait_for(lambda: self.talk.stat().st_size or self.process.poll() is not None, 60):
            raise TimeoutError("portlife did not become ready")
        if self.process.poll() is not None:
            raise RuntimeError(f"portlife ended: {self.talk.read_text(errors='replace')}")
        return self

    def wait(self, seconds=30):
        """Its exit status; negative: the signal."""
        try:
            return self.process.wait(seconds * LIMITS)
        except subprocess.TimeoutExpired:
            self.kill()
            return "still running"

    def stop(self, number=signal.SIGINT):
        """Asks it to stop; its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def lines(self):
        """What it has written so far."""
        if not self.output.exists():
            return []
        text = self.output.read_text(encoding="utf-8")
        return [json.loads(row) for row in text.split("\n")[:-1]]

    def events(self, kind=None):
        """Its events, of one kind or of all."""
        return [line for line in self.lines() if line["type"] == "event"
                and kind in (None, line["event"])]

    def lives(self):
        """Its lives."""
        return [line for line in self.lines() if line["type"] == "life"]


def wait_for(condition, seconds):
    """Polls until it is true; returns it, or what it was when time was over."""
    deadline = time.monotonic() + seconds * LIMITS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def write_program(folder, name, text):
    """A Python program in a file; its path."""
    path = pathlib.Path(folder) / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def endpoint(address):
    """(addr, port), as the socket module has it."""
    return (address["addr"], address["port"]) if address else None
