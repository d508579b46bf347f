#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A connect() that hangs is in the output while it hangs."""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

# A queue of one is full after one. The main thread tells the port while the other one hangs.
PROGRAM = """\
import json, os, socket, struct, sys, threading, time
family = socket.AF_INET6 if sys.argv[1] == '6' else socket.AF_INET
address = '::1' if sys.argv[1] == '6' else '127.0.0.1'
server = socket.socket(family); server.listen(0)
port = server.getsockname()[1]
first = socket.socket(family); first.connect((address, port))
hanging = socket.socket(family)
hanging.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', 30, 0))
def hang():
    try:
        hanging.connect((address, port))
    except OSError:
        pass
    print('returned', flush=True)
    os._exit(0)
threading.Thread(target=hang, daemon=True).start()
while not hanging.getsockname()[1]:
    time.sleep(0.01)
print(json.dumps([os.getpid(), hanging.getsockname()[1], port]), flush=True)
sys.stdin.readline()
os._exit(0)
"""


CONNECT = ("42", "203")  # the number of the system call: x86-64, arm64


def hangs_still(pid):
    """Some thread of the process waits in connect()."""
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        if (task / "syscall").read_text().split()[0] in CONNECT:
            return True
    return False


def check_family(tap, folder, family):
    """One program that hangs."""
    path = live.write_program(folder, "hanging.py", PROGRAM)
    tracer = live.Tracer(folder, "--", "python3", path, family, name=f"hang{family}",
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    pid, local_port, port = json.loads(tracer.process.stdout.readline())

    def shown():
        return [event for event in tracer.events("connect")
                if event["local"]["port"] == local_port]

    live.wait_for(shown, 2)
    events = shown()
    tap.check(hangs_still(pid), f"IPv{family}: the call hangs")
    tap.equal(len(events), 1, f"IPv{family}: it is in the output already")
    for event in events:
        tap.equal(
            [event["port_origin"], event["errno"], event["peer"]["port"], event["pid"]],
            ["connect", None, port, pid], f"IPv{family}: with its port, peer and process")
    tracer.process.stdin.close()
    tap.equal(tracer.wait(), 0, f"IPv{family}: portlife ends with the program")
    outcome = [event["event"] for event in tracer.events() if event["event"] == "connect_failed"]
    tap.equal(outcome, [], f"IPv{family}: no outcome is invented for it")
    tap.check(all(life["ended"] for life in tracer.lives()), f"IPv{family}: all lives ended",
              tracer.output.read_text())


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        for family in "46":
            check_family(tap, name, family)
    tap.done()


if __name__ == "__main__":
    main()
