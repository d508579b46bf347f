#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The program that started the project: listen() and connect() without bind()."""

import ast
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

PROGRAM = """\
import socket
s = socket.socket(); s.listen(10)                     # listen without bind
s2 = socket.socket(); s2.connect(('localhost', s.getsockname()[1]))   # connect without bind
s3, x = s.accept()
print(s.getsockname(), s2.getsockname(), s3.getsockname(), s3.getpeername())
s2.send(b'hello'); print(s3.recv(10))
"""


def run(folder, name, program):
    """(tracer, exit status, what the program printed)."""
    path = live.write_program(folder, f"{name}.py", program)
    tracer = live.Tracer(folder, "--", "python3", path, name=name, stdout=subprocess.PIPE)
    printed = tracer.process.stdout.read().decode()
    return tracer, tracer.wait(), printed


def addresses(printed):
    """The tuples of the program's first line."""
    return ast.literal_eval(printed.splitlines()[0].replace(") (", "), ("))


def check_story(tap, tracer, printed):
    """What portlife must say of the program."""
    listener, client, child, peer = addresses(printed)
    listens, connects, accepts = map(tracer.events, ("listen", "connect", "accept"))
    if not tap.check([len(listens), len(connects), len(accepts)] == [1, 1, 1],
                     "one listen, one connect, one accept", tracer.output.read_text()):
        return
    listen, connect, accept = listens[0], connects[0], accepts[0]
    tap.equal(live.endpoint(listen["local"]), listener, "listen on exactly the port printed")
    tap.equal(listen["local"]["addr"], "0.0.0.0", "listen on every address")
    tap.equal([listen["port_origin"], listen["implicit"], listen["ephemeral"]],
              ["listen", True, True], "listen gave the port: implicit, ephemeral")
    tap.equal(live.endpoint(connect["local"]), client, "connect from exactly the port printed")
    tap.equal(live.endpoint(connect["peer"]), ("127.0.0.1", listener[1]), "connect to the listener")
    tap.equal([connect["port_origin"], connect["implicit"], connect["ephemeral"]],
              ["connect", True, True], "connect gave the port: implicit, ephemeral")
    tap.equal([live.endpoint(accept["local"]), live.endpoint(accept["peer"])], [child, peer],
              "accept with exactly the addresses printed")
    tap.equal([accept["port_origin"], accept["implicit"], accept["ephemeral"]],
              ["accept", False, False], "the child has the listener's port")
    tap.equal(accept["parent"], listen["socket"], "its parent is the listener")
    tap.equal(tracer.events("bind"), [], "no bind event at all")
    tap.equal(len(tracer.events("close")), 3, "three sockets closed")
    tap.equal({event["event"] for event in tracer.events()},
              {"listen", "connect", "accept", "established", "close", "time_wait", "release"},
              "and nothing else has happened")
    tap.equal([life["ended"] for life in tracer.lives()], [True] * 3, "three lives, all ended")
    tap.equal({life["socket"] for life in tracer.lives()},
              {listen["socket"], connect["socket"], accept["socket"]}, "of these three sockets")
    tap.equal({event["comm"] for event in tracer.events()}, {"python3"}, "by python3")
    tap.equal({event["pid"] for event in tracer.events()}, {listen["pid"]}, "one process")


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        tracer, status, printed = run(name, "first", PROGRAM)
        tap.equal(status, 0, "exit status 0")
        tap.equal(printed.splitlines()[1:], ["b'hello'"], "the program ran as it stands")
        check_story(tap, tracer, printed)
        lines = tracer.lines()
        tap.equal([lines[0]["type"], lines[-1]["type"]], ["start", "summary"], "a whole stream")
        tap.equal(lines[-1]["lost"], 0, "nothing lost")
        tap.equal(lines[-1]["command"], {"exit": 0, "signal": None}, "summary has the status")

        tracer, status, _ = run(name, "three", PROGRAM + "raise SystemExit(3)\n")
        tap.equal(status, 3, "exit status of the program: 3")
        tap.equal(tracer.lines()[-1]["command"], {"exit": 3, "signal": None}, "in the summary too")

        tracer, status, _ = run(name, "killed",
                                PROGRAM + "import os; os.kill(os.getpid(), 15)\n")
        tap.equal(status, -15, "the program's signal is raised again")
        tap.equal(tracer.lines()[-1]["command"], {"exit": None, "signal": 15},
                  "in the summary too")
        tap.equal([life["ended"] for life in tracer.lives()], [True] * 3,
                  "lives end with a process that is killed")
    tap.done()


if __name__ == "__main__":
    main()
