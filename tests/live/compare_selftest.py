#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Does compare.py find what is wrong? Needs no privileges and no portlife.

Runs a few scenarios, makes the recording that a perfect portlife would have made of them, which
must pass, and then one wrong recording after the other, each of which must not. Prints TAP.
"""

import contextlib
import copy
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True
import compare  # pylint: disable=wrong-import-position

SCENARIOS = os.environ.get("SCENARIOS", str(HERE.parent.parent / "build/tests/scenarios"))
CHOSEN = ("connect_without_bind 4", "connect_without_bind 6", "bind_twice 4", "never_accepted 4",
          "bind_zero_refused_connect_again 6", "deferred_bind_then_connect 4", "threads 4",
          "udp_disconnect_and_send 4", "udp_reuse_port 6", "udp_own_range_used_up 4",
          "reuse_address 4")
WALL = "2026-01-02T03:04:05"


def moment(ts_ns):
    """`time` and `ts_ns` of a line; the run starts on a full second."""
    seconds, ns = divmod(ts_ns, compare.SECOND_NS)
    minutes, seconds = divmod(seconds + 5, 60)
    assert minutes < 50
    return {"time": f"2026-01-02T03:{minutes + 4:02}:{seconds:02}.{ns:09}Z", "ts_ns": ts_ns}


class Perfect:
    """Says what a portlife that is always right would say of the runs."""

    def __init__(self, runs):
        self.boot_ns = min(run.begin["ns"] for run in runs) - 1000
        self.events = []
        self.lives = []
        self.sockets = 0
        for run in runs:
            self.tell(run)

    @staticmethod
    def identity(run, number, parent, wanted):
        """The keys that every line of one socket has."""
        begin = run.begin
        return {"socket": number, "parent": parent, "pid": min(run.pids), "pid_host": None,
                "comm": begin["comm"], "uid": begin["uid"], "netns": wanted["netns"],
                "cgroup": begin["cgroup"], "dev": None, "family": wanted["inet"],
                "proto": wanted["proto"], "existing": False, "reconciled": False}

    def tell(self, run):
        """Adds the events and lives of one run."""
        numbers = {tag: self.sockets + n for n, tag in enumerate(run.tags(), 1)}
        self.sockets += len(numbers)
        for tag, number in numbers.items():
            told = [self.event(run, numbers, wanted) for wanted in run.events[tag]
                    if not wanted["optional"]]
            self.events += told
            self.lives.append(self.life(run, numbers, tag, told))
            assert number == self.lives[-1]["socket"]

    def event(self, run, numbers, wanted):
        """One event as it was expected."""
        said = dict.fromkeys(compare.KEYS["event"])
        said.update(self.identity(run, numbers[wanted["tag"]], numbers.get(wanted["parent"]),
                                  wanted))
        said.update({key: value for key, value in wanted.items()
                     if key in said and key != "parent"})
        said.update(moment(wanted.get("before_ns", wanted["after_ns"] + 1) - self.boot_ns))
        said.update(type="event", holders_omitted=None, findings=[])
        said["options"] = wanted.get("options", [])
        if said["local"] is None:
            said["local"] = {"addr": "127.0.0.1", "port": wanted.get("port", 0)}
        if "tid" in wanted:
            said["duration_ns"] = 1
        if "searched" in wanted:
            said["search_ns"] = 1
            said["search_tried"] = 1
        return said

    def life(self, run, numbers, tag, told):
        """One life as it was expected."""
        wanted = run.lives[tag]
        said = self.identity(run, numbers[tag], numbers.get(wanted["parent"]), wanted)
        last_ns = max([event["ts_ns"] for event in told] or [1])
        said.update(moment(last_ns + 1))
        ports = []
        for number, port in enumerate(wanted["ports"]):
            kept = wanted["time_wait"] and number == len(wanted["ports"]) - 1
            ports.append({"range": None, **port, "assigned_ns": 1,
                          "released_ns": None if kept else last_ns})
            del ports[-1]["number"]
        phases = sorted(({"phase": event["event"], "ts_ns": event["ts_ns"],
                          "errno": event["errno"]} for event in told),
                        key=lambda phase: phase["ts_ns"])
        said.update(type="life", ended=True, time_wait=wanted["time_wait"], ports=ports,
                    ports_omitted=0, phases=phases, phases_omitted=0, age_ns=last_ns,
                    local=None, peer=None)
        return said

    def lines(self):
        """The whole stream."""
        kinds = [event["event"] for event in self.events]
        start = {"type": "start", "schema": 1, "version": "0", "backend": "perfect", "kernel": "0",
                 "host": "h", "time": moment(0)["time"], "boot_ns": str(self.boot_ns), "netns": 1,
                 "ranges": [], "blind": [], "command": None}
        summary = {"type": "summary", **moment(60 * compare.SECOND_NS),
                   "events": {kind: kinds.count(kind) for kind in set(kinds)}, "origins": {},
                   "errors": {}, "ports_given": 0, "implicit": 0, "ephemeral": 0,
                   "lives": len(self.lives), "lives_ended": len(self.lives),
                   "shown": len(self.events), "lost": 0, "command": None, "elapsed_ns": 0,
                   "pressure": [], "pressure_omitted": 0, "search": None, "findings": {}}
        return copy.deepcopy([start, *self.events, *self.lives, summary])


def first(lines, kind, **keys):
    """The first line of a type with these values."""
    return next(line for line in lines if line["type"] == kind
                and all(line[key] == value for key, value in keys.items()))


def change(kind, keys, **values):
    """A mutation: one line says something else."""
    def mutate(lines):
        line = first(lines, kind, **keys)
        line.update(values)
    return mutate


def change_port(lines):
    """The right event with the wrong local port."""
    first(lines, "event", event="connect")["local"]["port"] += 1


def change_tenure(**values):
    """A life whose last port is told wrongly."""
    def mutate(lines):
        first(lines, "life", time_wait=True)["ports"][-1].update(values)
    return mutate


def drop(kind, **keys):
    """A line is missing; the counts of the summary agree, so that only the comparison can tell."""
    def mutate(lines):
        line = first(lines, kind, **keys)
        lines.remove(line)
        if kind == "event":
            lines[-1]["events"][line["event"]] -= 1
        elif kind == "life":
            lines[-1]["lives_ended"] -= 1
    return mutate


def repeat(kind, **keys):
    """A line is there twice."""
    def mutate(lines):
        line = first(lines, kind, **keys)
        lines.insert(lines.index(line), copy.deepcopy(line))
        if kind == "event":
            lines[-1]["events"][line["event"]] += 1
        elif kind == "life":
            lines[-1]["lives_ended"] += 1
    return mutate


def invent_bind(lines):
    """A bind() that never was, on a socket that was only connected."""
    connect = first(lines, "event", event="connect", port_origin="connect")
    lines.insert(lines.index(connect), {**copy.deepcopy(connect), "event": "bind"})
    lines[-1]["events"]["bind"] += 1


def invent_socket(lines):
    """A whole socket that never was."""
    listen = first(lines, "event", event="listen")
    lines.insert(1, {**copy.deepcopy(listen), "socket": 9999})
    lines[-1]["events"]["listen"] += 1


def change_time(lines):
    """An event two seconds before its call."""
    connect = first(lines, "event", event="connect")
    connect.update(moment(connect["ts_ns"] + 2 * compare.SECOND_NS))


def forget_tenure(lines):
    """Two tenures told as one."""
    life = next(line for line in lines if line["type"] == "life" and len(line["ports"]) == 2)
    life["ports"].pop(0)


def change_shared_tenure(lines):
    """A life whose port is said to have had one owner."""
    life = next(line for line in lines if line["type"] == "life"
                and any(port["shared"] for port in line["ports"]))
    for port in life["ports"]:
        port["shared"] = False


def lose_key(lines):
    """A key is absent instead of null."""
    del first(lines, "event", event="listen")["range"]


MUTATIONS = {
    "wrong origin": change("event", {"event": "connect"}, port_origin="bind0"),
    "wrong port": change_port,
    "wrong errno": change("event", {"event": "bind", "errno": "EINVAL"}, errno="EADDRINUSE"),
    "success told as a failure": change("event", {"event": "listen"}, errno="EACCES"),
    "wrong implicit": change("event", {"event": "listen"}, implicit=False),
    "wrong ephemeral": change("event", {"event": "accept"}, ephemeral=True),
    "wrong deferred": change("event", {"event": "connect", "deferred": True}, deferred=False),
    "wrong shared": change("event", {"event": "bind", "shared": True}, shared=False),
    "sharing that never was": change("event", {"event": "connect"}, shared=True),
    "sharing not known although not blind": change("event", {"event": "listen"}, shared=None),
    "no cause": change("event", {"event": "send", "errno": "EAGAIN"}, cause=None),
    "wrong cause": change("event", {"event": "send", "errno": "EAGAIN"}, cause="EACCES"),
    "a cause of nothing": change("event", {"event": "send", "errno": None}, cause="EADDRINUSE"),
    "event found late": change("event", {"event": "listen"}, reconciled=True),
    "life found late": change("life", {}, reconciled=True),
    "wrong proto": change("event", {"event": "send"}, proto="tcp"),
    "life of another proto": change("life", {"proto": "udp"}, proto="udplite"),
    "wrong by": change("event", {"event": "connect"}, by="kernel"),
    "wrong pid": change("event", {"event": "connect"}, pid=1),
    "wrong tid": change("event", {"event": "connect"}, tid=1),
    "wrong comm": change("event", {"event": "connect"}, comm="another"),
    "wrong uid": change("event", {"event": "connect"}, uid=12345),
    "wrong fd": change("event", {"event": "connect"}, fd=99),
    "no fd although not blind": change("event", {"event": "connect"}, fd=None),
    "wrong netns": change("event", {"event": "connect"}, netns=7),
    "wrong cgroup": change("event", {"event": "connect"}, cgroup="/another"),
    "wrong parent": change("event", {"event": "accept"}, parent=None),
    "wrong requested": change("event", {"event": "bind"}, requested=None),
    "wrong peer": change("event", {"event": "accept"}, peer=None),
    "wrong range": change("event", {"event": "listen"}, range=[1, 2]),
    "wrong options": change("event", {"event": "listen"}, options=["reuseaddr"]),
    "existing": change("event", {"event": "listen"}, existing=True),
    "no duration": change("event", {"event": "listen"}, duration_ns=None),
    "no search time": change("event", {"event": "listen"}, search_ns=None),
    "no ports tried in vain": change("event", {"event": "send", "errno": "EAGAIN"},
                                     search_tried=None),
    "too few tried in vain": change("event", {"event": "send", "errno": "EAGAIN"}, search_tried=2),
    "more tried than there are": change("event", {"event": "listen"}, search_tried=70000),
    "wrong time": change_time,
    "key missing": lose_key,
    "key of another type": change("event", {"event": "listen"}, fd="3"),
    "unknown key": change("event", {"event": "listen"}, extra=1),
    "missing bind": drop("event", event="bind"),
    "missing connect": drop("event", event="connect"),
    "missing send": drop("event", event="send"),
    "missing disconnect": drop("event", event="disconnect"),
    "missing accept": drop("event", event="accept"),
    "missing established": drop("event", event="established"),
    "missing close": drop("event", event="close"),
    "missing release": drop("event", event="release"),
    "missing time_wait": drop("event", event="time_wait"),
    "missing life": drop("life"),
    "missing start": drop("start"),
    "missing summary": drop("summary"),
    "connect twice": repeat("event", event="connect"),
    "release twice": repeat("event", event="release"),
    "life twice": repeat("life"),
    "a bind that never was": invent_bind,
    "a socket that never was": invent_socket,
    "two tenures as one": forget_tenure,
    "tenure of another origin": change_tenure(port_origin="unknown"),
    "tenure not shared": change_shared_tenure,
    "tenure on another port": change_tenure(port=1),
    "tenure released in TIME_WAIT": change_tenure(released_ns=5),
    "life that goes on": change("life", {}, ended=False),
    "wrong time_wait": change("life", {"time_wait": True}, time_wait=False),
    "wrong age": change("life", {}, age_ns=None),
    "no phases": change("life", {}, phases=[]),
    "lost records": change("summary", {}, lost=3),
    "wrong count": change("summary", {}, events={"listen": 0}),
}


def hide(path, reason):
    """The same run, but a backend that declares reason need not know of the client."""
    rows = [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()]
    for row in rows:
        for told in [*row.get("expect", []), row.get("life")]:
            if told and row["tag"] == "client":
                told["blind"] = reason
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def client_of(lines):
    """The lines of the one who connected first."""
    number = first(lines, "event", event="connect", family="inet")["socket"]
    return [line for line in lines if line.get("socket") == number]


def forget_client(lines):
    """Nothing was said of it."""
    for line in client_of(lines):
        lines.remove(line)
        if line["type"] == "event":
            lines[-1]["events"][line["event"]] -= 1
        else:
            lines[-1]["lives_ended"] -= 1


def doubt_client(lines):
    """Its port was found, nothing else is known."""
    for line in client_of(lines):
        unknown = {"port_origin": "unknown", "by": None, "implicit": None, "ephemeral": None,
                   "shared": None, "deferred": None}
        if line["type"] == "event":
            line.update(unknown, reconciled=True)
        else:
            line.update(reconciled=True)
            for port in line["ports"]:
                port.update(unknown)


def lie_about_client(lines):
    """What is blind may not be guessed."""
    for line in client_of(lines):
        if line["type"] == "event" and line["port_origin"]:
            line["port_origin"] = "bind"


def blind_verdict(folder, lines, paths, mutate, declared):
    """The verdict on the first run, whose client is hidden."""
    lines = copy.deepcopy(lines)
    mutate(lines)
    lines[0]["blind"] = declared
    recording = folder / "recording.jsonl"
    recording.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    _, judged = compare.judge(recording, [compare.Run(path) for path in paths])
    return judged[0].verdict, judged[0].problems


BLINDNESS = {
    "a hidden socket that was seen all the same": (lambda lines: None, ["non_syscall"], "ok"),
    "a hidden socket": (forget_client, ["non_syscall"], "blind"),
    "a hidden socket that was found": (doubt_client, ["non_syscall"], "blind"),
    "a hidden socket that is told wrongly": (lie_about_client, ["non_syscall"], "FAIL"),
    "a socket that nothing hides": (forget_client, ["compat"], "FAIL"),
    "an unknown origin that nothing hides": (doubt_client, [], "FAIL"),
}


def verdict(folder, lines, paths):
    """compare.py's exit status and output for these lines."""
    recording = folder / "recording.jsonl"
    recording.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()) as output, \
            contextlib.redirect_stderr(output):
        status = compare.main([str(recording), *paths])
    return status, output.getvalue()


def check(number, name, good, diagnosis=""):
    """One TAP line."""
    print(f"{'ok' if good else 'not ok'} {number} - {name}")
    if not good:
        print("".join(f"# {line}\n" for line in diagnosis.splitlines()), end="")
    return good


def main():
    """Prints TAP; returns the exit status."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        paths = []
        for words in CHOSEN:
            paths.append(str(folder / words.replace(" ", ".")))
            with open(paths[-1], "wb") as output:
                subprocess.run([SCENARIOS, *words.split()], stdout=output, check=True)
        lines = Perfect([compare.Run(path) for path in paths]).lines()
        print(f"1..{len(MUTATIONS) + len(BLINDNESS) + 3}")
        good = check(1, "a perfect recording", *passes(verdict(folder, lines, paths)))
        blind = copy.deepcopy(lines)
        blind[0]["blind"] = ["fd", "search_ns"]
        for line in blind[1:]:
            line.update({key: None for key in ("fd", "search_ns", "cause") if key in line})
        good &= check(2, "what is blind may be null", *passes(verdict(folder, blind, paths)))
        first(blind, "event", event="listen")["fd"] = 99
        good &= check(3, "what is blind may not be wrong",
                      verdict(folder, blind, paths)[0] == 1)
        for number, (what, mutate) in enumerate(MUTATIONS.items(), 4):
            wrong = copy.deepcopy(lines)
            mutate(wrong)
            status, output = verdict(folder, wrong, paths)
            good &= check(number, f"found: {what}", status == 1 and "\nnot ok" in output, output)
        hide(pathlib.Path(paths[0]), "non_syscall")
        for number, (what, (mutate, declared, wanted)) in enumerate(BLINDNESS.items(),
                                                                    4 + len(MUTATIONS)):
            said, problems = blind_verdict(folder, lines, paths, mutate, declared)
            good &= check(number, f"{wanted}: {what}", said == wanted,
                          "\n".join([said, *problems]))
    return 0 if good else 1


def passes(result):
    """(good, diagnosis) of a verdict that must be good."""
    return result[0] == 0, result[1]


if __name__ == "__main__":
    sys.exit(main())
