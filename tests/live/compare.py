#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""compare.py RECORDING SCENARIO-OUTPUT...

Compares what portlife said (its JSON lines, of one run that saw all scenarios) with what the
scenarios saw themselves, and prints TAP: one line for the stream as a whole, one per scenario.

What portlife declares blind may be null, unknown or missing, never wrong. Knows the words of the
output and nothing of how portlife or the scenarios come by their answers.
"""

import bisect
import collections
import json
import os
import re
import sys

SECOND_NS = 1_000_000_000
PREEMPTED_MAX = 20 if os.environ.get("PORTLIFE_VM") else 0
SETTLE_NS = 2 * SECOND_NS  # what a closed connection may take to end after its scenario has

NUMBER, STRING, BOOL, LIST, OBJECT, NULL = "number", "string", "bool", "list", "object", "null"
OPTIONAL_NUMBER, OPTIONAL_STRING, OPTIONAL_BOOL = (NUMBER, NULL), (STRING, NULL), (BOOL, NULL)
OPTIONAL_LIST, OPTIONAL_OBJECT = (LIST, NULL), (OBJECT, NULL)

IDENTITY = {
    "type": STRING,
    "time": OPTIONAL_STRING,
    "ts_ns": OPTIONAL_NUMBER,
    "socket": OPTIONAL_NUMBER,
    "parent": OPTIONAL_NUMBER,
    "pid": OPTIONAL_NUMBER,
    "pid_host": OPTIONAL_NUMBER,
    "comm": OPTIONAL_STRING,
    "uid": OPTIONAL_NUMBER,
    "netns": OPTIONAL_NUMBER,
    "cgroup": OPTIONAL_STRING,
    "dev": OPTIONAL_STRING,
    "family": OPTIONAL_STRING,
    "proto": OPTIONAL_STRING,
    "local": OPTIONAL_OBJECT,
    "peer": OPTIONAL_OBJECT,
    "existing": BOOL,
    "reconciled": BOOL,
}

TENURE = {
    "port_origin": OPTIONAL_STRING,
    "by": OPTIONAL_STRING,
    "implicit": OPTIONAL_BOOL,
    "ephemeral": OPTIONAL_BOOL,
    "deferred": OPTIONAL_BOOL,
    "shared": OPTIONAL_BOOL,
    "range": OPTIONAL_LIST,
}

# The keys of each line (DESIGN 5), exactly these.
KEYS = {
    "start": {
        "type": STRING,
        "schema": NUMBER,
        "version": STRING,
        "backend": STRING,
        "kernel": STRING,
        "host": STRING,
        "time": STRING,
        "boot_ns": STRING,
        "netns": NUMBER,
        "ranges": LIST,
        "blind": LIST,
        "command": OPTIONAL_LIST,
    },
    "event": {
        **IDENTITY,
        **TENURE,
        "event": STRING,
        "time": STRING,
        "ts_ns": NUMBER,
        "fd": OPTIONAL_NUMBER,
        "tid": OPTIONAL_NUMBER,
        "requested": OPTIONAL_OBJECT,
        "errno": OPTIONAL_STRING,
        "cause": OPTIONAL_STRING,
        "search_ns": OPTIONAL_NUMBER,
        "search_tried": OPTIONAL_NUMBER,
        "duration_ns": OPTIONAL_NUMBER,
        "options": LIST,
        "holders": OPTIONAL_LIST,
        "holders_omitted": OPTIONAL_NUMBER,
        "findings": LIST,
        "explain": OPTIONAL_LIST,
    },
    "life": {
        **IDENTITY,
        "ended": BOOL,
        "time_wait": BOOL,
        "ports": LIST,
        "ports_omitted": NUMBER,
        "phases": LIST,
        "phases_omitted": NUMBER,
        "age_ns": OPTIONAL_NUMBER,
    },
    "finding": {
        **{key: kind for key, kind in IDENTITY.items() if key not in ("existing", "reconciled")},
        "finding": STRING,
        "severity": STRING,
        "text": STRING,
        "hint": STRING,
        "count": NUMBER,
        "time": STRING,
        "ts_ns": NUMBER,
        "requested": OPTIONAL_OBJECT,
        "errno": OPTIONAL_STRING,
        "cause": OPTIONAL_STRING,
        "holders": OPTIONAL_LIST,
        "holders_omitted": OPTIONAL_NUMBER,
        "pressure": OPTIONAL_OBJECT,
        "evidence": LIST,
    },
    "lost": {
        "type": STRING,
        "time": STRING,
        "ts_ns": NUMBER,
        "count": NUMBER,
        "cause": STRING,
        "cpu": NUMBER,
        "action": STRING,
    },
    "summary": {
        "type": STRING,
        "time": STRING,
        "ts_ns": NUMBER,
        "events": OBJECT,
        "origins": OBJECT,
        "errors": OBJECT,
        "ports_given": NUMBER,
        "implicit": NUMBER,
        "ephemeral": NUMBER,
        "lives": NUMBER,
        "lives_ended": NUMBER,
        "shown": NUMBER,
        "lost": NUMBER,
        "command": OPTIONAL_OBJECT,
        "elapsed_ns": NUMBER,
        "pressure": LIST,
        "pressure_omitted": NUMBER,
        "search": OPTIONAL_OBJECT,
        "findings": OBJECT,
    },
}
PORT_KEYS = {**TENURE, "port": OPTIONAL_NUMBER, "assigned_ns": OPTIONAL_NUMBER,
             "released_ns": OPTIONAL_NUMBER}
HOLDER_KEYS = {"socket": OPTIONAL_NUMBER, "pid": OPTIONAL_NUMBER, "comm": OPTIONAL_STRING,
               "uid": OPTIONAL_NUMBER, "netns": OPTIONAL_NUMBER, "unit": OPTIONAL_STRING,
               "fds": OPTIONAL_NUMBER, "fd": OPTIONAL_NUMBER, "held_by": OPTIONAL_STRING,
               "source": STRING, "local": OPTIONAL_OBJECT, "state": STRING,
               "options": LIST, "port_origin": STRING, "time_wait_left_ms": OPTIONAL_NUMBER,
               "rule": STRING}
PHASE_KEYS = {"phase": STRING, "ts_ns": OPTIONAL_NUMBER, "errno": OPTIONAL_STRING}

# A name in start.blind, and the keys that may be null because of it, where they differ. Who does
# not see the search for a port does not know its errno.
BLIND_KEYS = {"created": ["age_ns"], "request": ["requested"], "search_ns": ["search_ns", "cause"]}

# What is missing of these says nothing of who got which port, how and when.
COSTS = {"search_ns", "search_tried", "age_ns"}


# What an address may look like: IP, a raw socket's, ping's, and those of other families.
ADDRESSES = [{"addr": STRING, "port": OPTIONAL_NUMBER}, {"addr": STRING, "id": NUMBER},
             {"path": STRING}, {"cid": NUMBER, "port": NUMBER}, {"portid": NUMBER}]

# Sockets that nobody need tell of, but where a scenario is about them.
OTHERS = {"raw", "sctp", "mptcp", "unix", "netlink", "vsock"}


def number_of(address):
    """What an address has in the place of a port."""
    return next((address[key] for key in ("port", "id", "portid") if key in address), None)


def type_name(value):
    """The JSON type of a parsed value."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOL
    return {int: NUMBER, float: NUMBER, str: STRING, list: LIST, dict: OBJECT}[type(value)]


def check_keys(what, seen, wanted):
    """Sentences about keys that are missing, too many, or of another type."""
    for key in wanted.keys() - seen.keys():
        yield f"{what} has no key {key}"
    for key in seen.keys() - wanted.keys():
        yield f"{what} has an unknown key {key}"
    for key in wanted.keys() & seen.keys():
        allowed = wanted[key] if isinstance(wanted[key], tuple) else (wanted[key],)
        if type_name(seen[key]) not in allowed:
            yield f"{what}: {key} is {json.dumps(seen[key])}, not {' or '.join(allowed)}"


def check_line(line):
    """Sentences about the shape of one line."""
    kind = line.get("type")
    if kind not in KEYS:
        yield f"a line of unknown type {kind}"
        return
    yield from check_keys(kind, line, KEYS[kind])
    for key in ("local", "peer", "requested"):
        if isinstance(line.get(key), dict):
            address = dict(line[key])
            address.pop("scope", None)
            form = next((form for form in ADDRESSES if form.keys() == address.keys()),
                        ADDRESSES[0])
            yield from check_keys(f"{kind}: {key}", address, form)
    for port in line.get("ports", []):
        yield from check_keys("life: a port", port, PORT_KEYS)
    for holder in line.get("holders") or []:
        yield from check_keys(f"{kind}: a holder", holder, HOLDER_KEYS)
    for phase in line.get("phases", []):
        yield from check_keys("life: a phase", phase, PHASE_KEYS)


def wall_ns(text):
    """Nanoseconds of the day and the date of an RFC 3339 time in UTC with nine decimals."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)\.(\d{9})Z", text or "")
    if not match:
        return None
    date, hours, minutes, seconds, nanoseconds = match.groups()
    day_ns = ((int(hours) * 60 + int(minutes)) * 60 + int(seconds)) * SECOND_NS
    return date, day_ns + int(nanoseconds)


class Socket:
    """What portlife said of one socket."""

    def __init__(self, number):
        self.number = number
        self.parent = None
        self.events = []
        self.lives = []

    def pids(self):
        """Everyone who was said to have it."""
        return {line["pid"] for line in self.events + self.lives}

    def protos(self):
        """What it was said to be."""
        return {line["proto"] for line in self.events + self.lives}

    def netns(self):
        """Where it was said to be."""
        return {line["netns"] for line in self.events + self.lives}

    def ports(self):
        """The local ports it was said to have."""
        return {port["port"] for life in self.lives for port in life["ports"]}

    def first_ns(self):
        """When it was first spoken of, in ns since the start of the run."""
        times = [event["ts_ns"] for event in self.events]
        for life in self.lives:
            times += [phase["ts_ns"] for phase in life["phases"] if phase["ts_ns"] is not None]
            times.append(life["ts_ns"])
        return min(time for time in times if time is not None)


class Recording:
    """One run of portlife. Looks at every line, keeps those that may be of the given runs."""

    def __init__(self, rows, runs):
        self.pids = set().union(*(run.pids for run in runs))
        self.netns = set().union(*(run.netns for run in runs))
        self.problems = []
        self.sockets = {}
        self.first = self.last = None
        self.start = None  # of the run, as wall_ns() has it
        self.kinds = collections.Counter()
        self.shown = collections.Counter()
        self.lost = collections.Counter()  # records, by cause
        self.ended = 0
        self.lives = collections.Counter()  # life lines by socket
        row = "\n"
        for row in rows:
            self.read(row)
        if not row.endswith("\n"):
            self.complain("the last line has no end")
        self.first = self.first or {"type": None}
        is_whole = self.first["type"] == "start"
        self.boot_ns = int(self.first["boot_ns"]) if is_whole else 0
        self.backend = self.first["backend"] if is_whole else "?"
        self.declared = set(self.first["blind"] if is_whole else [])
        self.blind = {key for name in self.declared for key in BLIND_KEYS.get(name, [name])}
        self.in_time = sorted(self.sockets.values(), key=Socket.first_ns)
        self.times = [socket.first_ns() for socket in self.in_time]

    def complain(self, problem):
        """Each sentence once."""
        if problem not in self.problems:
            self.problems.append(problem)

    def read(self, row):
        """Takes one line: is it well formed, and is it one to keep?"""
        try:
            line = json.loads(row)
        except ValueError as error:
            self.complain(f"a line is not JSON: {error}: {row[:200]}")
            return
        if not isinstance(line, dict):
            self.complain(f"a line is not an object: {row[:200]}")
            return
        missing = False
        for problem in check_line(line):
            self.complain(problem)
            missing |= " has no key " in problem or "unknown type" in problem
        if missing:
            return
        if not self.first:
            self.first = line
            self.start = wall_ns(line.get("time"))
        self.last = line
        self.count(line)
        self.check_time(line)
        self.add(line)

    def count(self, line):
        """What the summary counts, too."""
        self.kinds[line["type"]] += 1
        if line["type"] == "lost":
            self.lost[line["cause"]] += line["count"]
        if line["type"] == "event":
            self.shown[line["event"]] += 1
        elif line["type"] == "life":
            self.ended += line["ended"]
            self.lives[line["socket"]] += 1

    def check_time(self, line):
        """`time` and `ts_ns` tell the same moment."""
        if line["type"] == "start" or line["time"] is None:
            return
        time = wall_ns(line["time"])
        if not time or not self.start:
            self.complain(f"time {line['time']} is not RFC 3339 with nanoseconds")
        elif time[0] == self.start[0] and time[1] - self.start[1] != line["ts_ns"]:
            self.complain(f"{line['type']}: time {line['time']} is not ts_ns after the start")

    def add(self, line):
        """Files an event or a life under its socket, if it may be of one of the runs."""
        if line["type"] not in ("event", "life") or line["socket"] is None:
            return
        if (line["pid"] is not None and line["pid"] not in self.pids
                and line["netns"] not in self.netns
                and line["socket"] not in self.sockets and line["parent"] not in self.sockets):
            return
        socket = self.sockets.setdefault(line["socket"], Socket(line["socket"]))
        if line["parent"] is not None:
            socket.parent = line["parent"]
        (socket.events if line["type"] == "event" else socket.lives).append(line)

    def between(self, begin_ns, end_ns):
        """Sockets first spoken of in this time, by their numbers."""
        low = bisect.bisect_left(self.times, begin_ns)
        high = bisect.bisect_right(self.times, end_ns)
        return sorted(self.in_time[low:high], key=lambda socket: socket.number)

    def check_stream(self):
        """Sentences about the run as a whole."""
        yield from self.problems
        if self.first["type"] != "start" or self.kinds["start"] != 1:
            yield "the first line, and only that, must be start"
        if not self.last or self.last["type"] != "summary" or self.kinds["summary"] != 1:
            yield "the last line, and only that, must be summary"
            return
        if self.last["lost"] != self.lost.total():
            yield f"summary counts {self.last['lost']} lost, {self.lost.total()} were told"
        if self.lost.total() and not self.is_preempted():
            yield f"{self.last['lost']} records were lost"
        yield from self.check_counts(self.last)
        for number, count in self.lives.items():
            if count != 1:
                yield f"socket {number} has {count} life lines"
        for socket in self.sockets.values():
            yield from self.check_socket(socket)

    def is_preempted(self):
        """A few probes skipped and counted, as an emulated CPU has it: a program that is preempted or
        interrupted is not run for others meanwhile. The scenarios must be told rightly all the same,
        those it befell when they are recorded once more."""
        return 0 < self.lost.total() <= PREEMPTED_MAX and set(self.lost) <= {"calls", "missed"}

    def check_counts(self, summary):
        """The summary counts what was shown."""
        for kind, count in summary["events"].items():
            if kind != "existing" and self.shown[kind] != count:
                yield f"summary counts {count} {kind}, {self.shown[kind]} were shown"
        if summary["lives_ended"] != self.ended:
            yield f"summary counts {summary['lives_ended']} ended lives, {self.ended} were shown"

    @staticmethod
    def check_socket(socket):
        """What must hold for any socket, whoever made it."""
        first = socket.events[0] if socket.events else None
        if first and first["event"] == "existing" and not first["pid"] and first["peer"] and \
                not socket.lives:
            return  # a TIME_WAIT entry: its life was over before anybody looked
        if not socket.lives:
            yield f"socket {socket.number} has no life line"
            return
        life = socket.lives[0]
        for event in socket.events:
            if event["family"] != life["family"] or event["netns"] != life["netns"]:
                yield f"socket {socket.number} changed its family or namespace"
        times = [phase["ts_ns"] for phase in life["phases"] if phase["ts_ns"] is not None]
        if times != sorted(times):
            yield f"socket {socket.number}: phases are not in order"


class Run:
    """One run of one scenario: what the program saw, what must have been said of it."""

    def __init__(self, path):
        self.name = path
        self.skip = None
        self.failed = None
        self.begin = None
        self.end_ns = None
        self.pids = set()
        self.netns = set()
        self.protos = set()
        self.events = collections.defaultdict(list)  # by tag, in the order of the calls
        self.lives = {}
        with open(path, encoding="utf-8") as rows:
            for row in rows:
                self.read(json.loads(row))
        if not self.failed and not self.skip and (not self.begin or not self.end_ns):
            self.failed = "the scenario did not come to its end"

    def read(self, line):
        """Takes one line of the scenario's output."""
        self.name = f"{line['scenario']}/{line['family']}"
        self.pids.add(line["pid"])
        self.skip = line.get("skip", self.skip)
        self.failed = line.get("failed", self.failed)
        self.begin = line.get("begin", self.begin)
        if "end" in line:
            self.end_ns = line["end"]["ns"]
        if "begin" in line:
            self.netns.add(line["begin"]["netns"])
        if "life" in line:
            self.lives[line["tag"]] = line["life"]
        for event in line.get("expect", []):
            self.events[event["tag"]].append(event)
            self.netns.add(event["netns"])
            self.protos.add(event["proto"])
            self.pids.add(event.get("pid", line["pid"]))

    def protos_of(self, tag):
        """What a socket is; a subflow of MPTCP is none of the program's."""
        lines = [*self.events[tag], *([self.lives[tag]] if tag in self.lives else [])]
        return {line["proto"] for line in lines}

    def tags(self):
        """The names of its sockets."""
        return list(dict.fromkeys([*self.lives, *self.events]))


class Comparison:
    """One scenario run held against one recording."""

    def __init__(self, recording, run):
        self.recording = recording
        self.run = run
        self.problems = []
        self.blind = collections.Counter()  # what was declared, and not told here
        self.sockets = {}  # by tag
        self.others = []
        self.match(self.candidates())
        for tag in run.tags():
            self.compare_socket(tag)
        for socket in self.others:
            self.problems.append(f"socket {socket.number} is of nobody: {describe_all(socket)}")

    def unseen(self):
        """What was declared and is missing here, but for costs."""
        return sorted(set(self.blind) - COSTS)

    def verdict(self):
        """ok: all was told; blind: what is missing was declared; FAIL."""
        if self.problems:
            return "FAIL"
        return "blind" if self.unseen() else "ok"

    def declared(self, wanted):
        """The reason why this backend need not know of an event or a life, or None."""
        reason = wanted.get("blind")
        return reason if reason in self.recording.declared else None

    def candidates(self):
        """Sockets of this run: by its processes or in its namespaces in its time, and children."""
        begin_ns = self.run.begin["ns"] - self.recording.boot_ns
        end_ns = self.run.end_ns - self.recording.boot_ns
        found = {}
        for socket in self.recording.between(begin_ns, end_ns):
            if socket.protos() & OTHERS - self.run.protos:
                continue
            if (socket.netns() & self.run.netns or socket.pids() & self.run.pids
                    or socket.parent in found):
                found[socket.number] = socket
        return found.values()

    def match(self, candidates):
        """Gives each tag the socket that fits best, best fits first."""
        scores = []
        for socket in candidates:
            for tag in self.run.tags():
                if not socket.protos() & self.run.protos_of(tag):
                    continue
                scores.append((self.score(tag, socket), -socket.number, tag, socket))
        free = {socket.number for socket in candidates}
        for score, _, tag, socket in sorted(scores, key=lambda s: s[:2], reverse=True):
            if score > 0 and tag not in self.sockets and socket.number in free:
                self.sockets[tag] = socket
                free.remove(socket.number)
        self.others = [socket for socket in candidates if socket.number in free]
        self.take_subflows()

    def take_subflows(self):
        """A subflow is a socket of TCP, and said to be of the MPTCP socket that it is of."""
        owners = {socket.number for socket in self.sockets.values()
                  if socket.protos() == {"mptcp"}}
        subflows = [socket for socket in self.others
                    if socket.protos() == {"tcp"} and socket.parent in owners]
        known = {socket.number for socket in subflows}
        children = [socket for socket in self.others
                    if socket.protos() == {"tcp"} and socket.parent in known]
        for tag, socket in self.sockets.items():
            accepted = any(event["event"] == "accept" for event in socket.events)
            if (socket.number in owners and not accepted
                    and "families" not in self.recording.declared
                    and socket.number not in {subflow.parent for subflow in subflows}):
                self.problems.append(f"{tag}: no subflow is said to be of it")
        known |= {socket.number for socket in children}
        if "families" in self.recording.declared and "mptcp" in self.run.protos:
            known = {socket.number for socket in self.others if socket.protos() == {"tcp"}}
        self.others = [socket for socket in self.others if socket.number not in known]

    def score(self, tag, socket):
        """How well a socket's story fits a tag's."""
        total = 0
        for wanted, said in self.pairs(tag, socket):
            if wanted and said:
                wrong = list(self.compare_event(tag, wanted, said, collections.Counter()))
                total += 20 - 3 * min(len(wrong), 5)
            elif wanted and self.declared(wanted) or said and said["reconciled"]:
                total -= 1
            elif said or not wanted["optional"]:
                total -= 3
        life = self.run.lives.get(tag)
        if life and socket.lives:
            ports = [port["port"] for port in socket.lives[0]["ports"]]
            total += 5 if ports == [port["port"] for port in life["ports"]] else 0
        return total

    def pairs(self, tag, socket):
        """(wanted, said): events of the same kind in their order; None where there is no other."""
        said = collections.defaultdict(collections.deque)
        for event in socket.events:
            said[event["event"]].append(event)
        for wanted in self.run.events[tag]:
            queue = said[wanted["event"]]
            yield wanted, queue.popleft() if queue else None
        for queue in said.values():
            for event in queue:
                yield None, event

    def compare_socket(self, tag):
        """Everything about one socket."""
        socket = self.sockets.get(tag)
        reasons = {self.declared(wanted) for wanted in self.run.events[tag]} - {None}
        if not socket:
            must_be_found = any("found" in wanted for wanted in self.run.events[tag])
            if reasons and not must_be_found:
                self.blind.update(reasons)
            else:
                self.problems.append(f"{tag}: nothing was said of this socket")
            return
        for wanted, said in self.pairs(tag, socket):
            if not said:
                self.missing(tag, wanted, socket)
            elif not wanted and self.may_be_extra(said, reasons):
                self.blind.update(reasons)
            elif not wanted:
                self.problems.append(f"{tag}: one event too many: {describe(said)}")
            else:
                self.problems += self.compare_event(tag, wanted, said, self.blind)
                self.problems += self.compare_parent(tag, wanted, said["parent"])
        if tag in self.run.lives:
            self.problems += self.compare_life(tag, self.run.lives[tag], socket)

    @staticmethod
    def may_be_extra(said, reasons):
        """An event that was not there, but that the backend may infer, or find late."""
        if said["event"] == "time_wait":
            return "time_wait_start" in reasons
        return reasons and (said["reconciled"] or said["port_origin"] in (None, "unknown"))

    def missing(self, tag, wanted, socket):
        """An event that was not told."""
        reason = self.declared(wanted)
        if "found" in wanted and not any(
                event["event"] == "existing" and event["reconciled"] and event["local"] and
                event["local"]["port"] == wanted["port"] for event in socket.events):
            self.problems.append(f"{tag}: no walk has found port {wanted['port']}")
        if wanted["optional"]:
            return
        if reason:
            self.blind[reason] += 1
        else:
            self.problems.append(f"{tag}: no event {describe_wanted(wanted)}")

    def compare_parent(self, tag, wanted, said):
        """The parent is the socket of the listener's tag."""
        parent = self.sockets.get(wanted["parent"])
        number = parent.number if parent else None
        if self.differs(self.blind, "parent", said, number, self.declared(wanted)):
            yield f"{tag}: parent is {said}, the listener {wanted['parent'] or 'none'} is {number}"

    def differs(self, blind, key, said, wanted, reason=None):
        """Compares one key; a blind one may be null or unknown. reason: the whole event may be."""
        if said == wanted:
            return False
        if said is None and key in self.recording.blind:
            # that nobody shared a port is the rule, and not worth a remark
            blind[key] += key != "shared" or wanted is True
            return False
        if reason and said in (None, "unknown"):
            blind[reason] += 1
            return False
        return True

    def compare_event(self, tag, wanted, said, blind):
        """Sentences about one event; blind counts what was not known."""
        where = f"{tag}: {wanted['event']}"
        begin = self.run.begin
        reason = self.declared(wanted)
        expected = {
            key: wanted[key]
            for key in ("errno", "cause", "pid", "tid", "fd", "port_origin", "by", "implicit",
                        "ephemeral", "deferred", "shared", "range", "requested", "local", "peer",
                        "proto", "netns") if key in wanted
        }
        expected.update(family=wanted["inet"], existing=False, reconciled=False)
        if "pid" in wanted:
            expected.update(comm=begin["comm"], uid=begin["uid"], cgroup=begin["cgroup"])
        if reason and said["reconciled"]:
            expected["reconciled"] = True
            blind[reason] += 1
        for key, value in expected.items():
            if self.differs(blind, key, said[key], value, reason):
                yield f"{where}: {key} is said to be {text(said[key])}, it was {text(value)}"
        if "port" in wanted and number_of(said["local"] or {}) != wanted["port"]:
            yield f"{where}: local is said to be {text(said['local'])}, port was {wanted['port']}"
        if said["dev"] not in wanted.get("devs", [said["dev"]]):
            yield f"{where}: dev is said to be {text(said['dev'])}, it was {wanted['devs'][0]}"
        if "options" in wanted and sorted(said["options"]) != sorted(wanted["options"]):
            yield f"{where}: options {text(said['options'])} were {text(wanted['options'])}"
        yield from self.compare_costs(where, wanted, said, blind)
        if not reason:
            yield from self.compare_moment(where, wanted, said)

    def compare_costs(self, where, wanted, said, blind):
        """Durations are there where they must be."""
        reason = self.declared(wanted)
        if wanted.get("timed") and said["duration_ns"] is None:
            if self.differs(blind, "duration_ns", None, True, reason):
                yield f"{where}: no duration_ns"
        if wanted.get("searched") and said["search_ns"] is None:
            if self.differs(blind, "search_ns", None, True, reason):
                yield f"{where}: no search_ns"
        if wanted.get("searched") and said["search_ns"] is not None:
            yield from self.compare_tried(where, wanted, said)

    @staticmethod
    def compare_tried(where, wanted, said):
        """A search that found no port went through all of the range (no scenario reserves one, or
        has an odd number of them for TCP)."""
        if not wanted["range"]:
            return  # for a port that was named
        low, high = wanted["range"]
        tried, size = said["search_tried"], high - low + 1
        in_vain = {wanted["errno"], wanted["cause"]} & {"EADDRINUSE", "EADDRNOTAVAIL"}
        if in_vain and not wanted["port_origin"]:
            if tried != size:
                yield f"{where}: search_tried is said to be {text(tried)}, it was {size}"
        elif tried is not None and not 1 <= tried <= size:
            yield f"{where}: search_tried is said to be {tried}, of a range of {size}"

    def compare_moment(self, where, wanted, said):
        """The event was when the program made the call, or soon after."""
        moment_ns = said["ts_ns"] + self.recording.boot_ns
        before_ns = wanted.get("before_ns")
        if moment_ns < wanted["after_ns"]:
            early_ns = wanted["after_ns"] - moment_ns
            yield f"{where}: said to be {early_ns} ns before its call"
        if before_ns is not None and moment_ns > before_ns:
            yield f"{where}: said to be {moment_ns - before_ns} ns too late"
        if before_ns is None and not wanted["optional"]:
            if moment_ns > self.run.end_ns + SETTLE_NS:
                yield f"{where}: said to be long after the scenario"

    def compare_life(self, tag, wanted, socket):
        """Sentences about the `life` line."""
        reason = self.declared(wanted)
        if len(socket.lives) != 1:
            yield f"{tag}: {len(socket.lives)} life lines"
            return
        said = socket.lives[0]
        if said["ended"] is not wanted["ended"]:
            yield f"{tag}: life: ended is said to be {text(said['ended'])}"
        if (wanted["time_wait"] not in ("either", said["time_wait"])
                and reason != "time_wait_start"):
            yield f"{tag}: life: time_wait is said to be {text(said['time_wait'])}"
        for key, name in (("family", "inet"), ("proto", "proto"), ("netns", "netns")):
            if said[key] != wanted[name]:
                yield f"{tag}: life: {key} is said to be {said[key]}"
        if said["reconciled"] and reason:
            self.blind[reason] += 1
        elif said["reconciled"]:
            yield f"{tag}: life: reconciled"
        if said["age_ns"] is None or said["age_ns"] <= 0:
            if said["age_ns"] is not None or "age_ns" not in self.recording.blind and not reason:
                yield f"{tag}: life: age_ns is {said['age_ns']}"
            self.blind["age_ns"] += 1
        yield from self.compare_parent(tag, wanted, said["parent"])
        yield from self.compare_ports(tag, wanted, said)
        phases = {(phase["phase"], phase["ts_ns"], phase["errno"]) for phase in said["phases"]}
        for event in socket.events:
            told = (event["event"], event["ts_ns"], event["errno"])
            if event["ts_ns"] <= said["ts_ns"] and told not in phases:
                yield f"{tag}: life: no phase for {describe(event)}"

    def compare_ports(self, tag, wanted, said):
        """The tenures of a life, in their order."""
        reason = self.declared(wanted)
        ports = wanted["ports"]
        if len(ports) != len(said["ports"]):
            if reason and len(said["ports"]) < len(ports):
                self.blind[reason] += 1
            else:
                yield f"{tag}: life: {len(said['ports'])} ports, there were {len(ports)}"
        for number, (port, port_said) in enumerate(zip(ports, said["ports"])):
            where = f"{tag}: life: port {number + 1}"
            for key, value in port.items():
                if key != "number" and self.differs(self.blind, key, port_said[key], value,
                                                    reason):
                    yield f"{where}: {key} is said to be {text(port_said[key])}, " \
                          f"it was {text(value)}"
            last = number == len(said["ports"]) - 1
            kept = last and said["time_wait"]
            begin_ns, end_ns = port_said["assigned_ns"], port_said["released_ns"]
            if begin_ns is None:
                if not reason:
                    yield f"{where}: no assigned_ns"
            elif end_ns is not None and end_ns < begin_ns:
                yield f"{where}: released before it was assigned"
            if said["ended"] and (end_ns is None) is not kept:
                yield f"{where}: released_ns is {end_ns}, TIME_WAIT {'has' if kept else 'is not'}"


def text(value):
    """A value as JSON has it."""
    return json.dumps(value, separators=(",", ":"))


def endpoint(address):
    """addr:port."""
    return ":".join(str(value) for value in address.values()) if address else "-"


def describe(event):
    """One event on one line, as it was said."""
    return f"{event['event']} {event['errno'] or 'ok'} origin {event['port_origin']} " \
           f"local {endpoint(event['local'])} peer {endpoint(event['peer'])} pid {event['pid']} " \
           f"fd {event['fd']}"


def describe_wanted(wanted):
    """One event on one line, as it was seen."""
    local = wanted.get("local") or {"addr": "", "port": wanted.get("port", "")}
    return f"{wanted['event']} {wanted['errno'] or 'ok'} origin {wanted.get('port_origin')} " \
           f"local {endpoint(local)} peer {endpoint(wanted.get('peer'))}"


def describe_all(socket):
    """A socket's events on one line."""
    return "; ".join(describe(event) for event in socket.events) or "only a life"


def report(number, name, problems, skip=None):
    """One TAP line; its diagnosis goes to stderr, which prove shows."""
    suffix = f" # SKIP {skip}" if skip else ""
    print(f"{'not ok' if problems else 'ok'} {number} - {name}{suffix}")
    if problems:
        print(f"# not ok {number} - {name}", file=sys.stderr)
    for problem in problems[:40]:
        print(f"#   {problem}", file=sys.stderr)
    if len(problems) > 40:
        print(f"#   and {len(problems) - 40} more", file=sys.stderr)


def report_story(comparison):
    """What was said and what was seen, for a person who has to find out."""
    for tag in comparison.run.tags():
        socket = comparison.sockets.get(tag)
        print(f"#   {tag}: seen: " + "; ".join(
            describe_wanted(wanted) + (" (maybe)" if wanted["optional"] else "")
            for wanted in comparison.run.events[tag]), file=sys.stderr)
        print(f"#   {tag}: said: {describe_all(socket) if socket else 'nothing'}",
              file=sys.stderr)


class Judged:
    """The verdict on one run."""

    def __init__(self, recording, run):
        self.name = run.name
        self.skip = None
        self.comparison = None
        self.problems = []
        if run.skip:
            self.verdict = "absent" if run.skip.startswith("absent:") else "skip"
            self.skip = run.skip
        elif run.failed:
            self.verdict = "FAIL"
            self.problems = [f"the scenario itself failed: {run.failed}"]
        else:
            self.comparison = Comparison(recording, run)
            self.verdict = self.comparison.verdict()
            self.problems = self.comparison.problems

    def blind(self):
        """What was declared and not told."""
        return self.comparison.blind if self.comparison else collections.Counter()

    def report(self, number, name):
        """One TAP line with its diagnosis."""
        if self.verdict == "blind":
            name += f" (blind: {' '.join(self.comparison.unseen())})"
        report(number, name, self.problems, self.skip)
        if self.problems and self.comparison:
            report_story(self.comparison)


def judge(path, runs):
    """(recording, a Judged for each run)."""
    with open(path, encoding="utf-8") as rows:
        recording = Recording(rows, runs)
    return recording, [Judged(recording, run) for run in runs]


def main(paths):
    """Prints TAP; returns the exit status."""
    recording, verdicts = judge(paths[0], [Run(path) for path in paths[1:]])
    blind = collections.Counter()
    print(f"1..{len(verdicts) + 1}")
    problems = list(recording.check_stream())
    report(1, f"the stream is whole ({recording.backend})", problems)
    bad = bool(problems)
    for number, judged in enumerate(verdicts, 2):
        judged.report(number, judged.name)
        blind += judged.blind()
        bad |= judged.verdict == "FAIL"
    for key, count in sorted(blind.items()):
        print(f"# blind: {key}, {count} times")
    return 1 if bad else 0


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__.split("\n", maxsplit=1)[0])
    sys.exit(main(sys.argv[1:]))
