#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real servers in each other's way, each as holder and as victim: Python's http.server and busybox
httpd, which the tests need anyway; nginx with two workers and redis where they are installed.
"""

import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

PORT = 8080
NGINX = """\
daemon off;
worker_processes 2;
pid {folder}/{name}.pid;
error_log {folder}/{name}.log;
events {{ worker_connections 16; }}
http {{ access_log off; server {{ listen {port}; }} }}
"""


def nginx(folder, name):
    """The command of an nginx that listens on PORT."""
    path = pathlib.Path(folder) / f"{name}.conf"
    path.write_text(NGINX.format(folder=folder, name=name, port=PORT), encoding="utf-8")
    return ["nginx", "-e", f"{folder}/{name}.log", "-c", str(path)]


def redis(_folder, _name):
    """Likewise of a redis, which has one process."""
    return ["redis-server", "--port", str(PORT), "--bind", "0.0.0.0", "--save", "", "--daemonize", "no"]


def http_server(_folder, _name):
    """Likewise of Python's own server."""
    return ["python3", "-m", "http.server", "--bind", "0.0.0.0", str(PORT)]


def httpd(_folder, _name):
    """Likewise of busybox's."""
    return ["busybox", "httpd", "-f", "-p", f"0.0.0.0:{PORT}"]


def listens(pid):
    """Does somebody listen on PORT in the network namespace of this process?"""
    with open(f"/proc/{pid}/net/tcp", encoding="ascii") as table:
        return any(f":{PORT:04X} 00000000:0000 0A" in row for row in table)


def workers_of(pid):
    """Its children."""
    return subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE,
                          check=False).stdout.split()


def check(tap, folder, name, holder, victim):
    """One server has the port, another one wants it."""
    argv = ["unshare", "-n", "sh", "-c", 'ip link set lo up; exec "$@"', "sh", *holder[1]]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        ready = live.wait_for(lambda: listens(process.pid) and
                              len(workers_of(process.pid)) == holder[2] - 1, 10)
        tap.check(ready, f"{name}: the holder listens")
        tracer = live.Tracer(folder, "--", "nsenter", "-n", "-t", process.pid, *victim[1],
                             name=name, stdout=subprocess.DEVNULL)
        status = tracer.wait(30)
        tap.check(status not in (0, "still running"), f"{name}: the other one gives up", status)
        refused = [event for event in tracer.events("bind") if event["errno"] == "EADDRINUSE"
                   and event["requested"]["port"] == PORT]
        if tap.check(refused, f"{name}: it was refused the port", tracer.lines()):
            said = [(held["pid"], held["comm"], held["fds"], held["state"])
                    for held in refused[0]["holders"] or []]
            tap.equal(said, [(process.pid, holder[0], holder[2], "listening")],
                      f"{name}: who is in the way, in how many processes")
            tap.equal(refused[0]["comm"], victim[0], f"{name}: of whom")
        text = next((line["text"] for line in tracer.lines() if line["type"] == "finding"), "")
        wanted = f"{process.pid} {holder[0]} fd "
        tap.check(wanted in text, f"{name}: and in a sentence", text)
        process.terminate()


def main():
    """The test."""
    tap, folder = live.begin()
    with folder as name:
        pathlib.Path(name).chmod(0o777)
        python = ("python3", http_server(name, "python"), 1)
        busybox = ("busybox", httpd(name, "busybox"), 1)
        first = ("nginx", nginx(name, "first"), 3)
        second = ("nginx", nginx(name, "second"), 3)
        redis_server = ("redis-server", redis(name, "redis"), 1)
        for holder, victim in ((python, busybox), (busybox, python), (first, second),
                               (first, redis_server), (redis_server, first)):
            pair = f"{holder[0]} and {victim[0]}"
            if shutil.which(holder[0]) and shutil.which(victim[0]):
                check(tap, name, pair, holder, victim)
            else:
                print(f"# {pair}: not installed")
    tap.done()


if __name__ == "__main__":
    main()
