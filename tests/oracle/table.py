# SPDX-License-Identifier: GPL-2.0-or-later
"""The table "socket -> port" three times over: rebuilt from portlife's JSON lines, read from what
the workload prints of the kernel and of its own descriptors; and the difference.

An entry is a namedtuple Entry, one for each port that a socket has or has left to TIME_WAIT. `kind`
is bound, listen, connecting, connected or time_wait, or found where a walk does not say more, or doubtful after a loss;
`address` is None where the stream does not say it. What the kernel has of one socket on one port
(TIME_WAIT, and the socket itself still bound to the port that its program named) is one here.
"""

import collections
import json

Entry = collections.namedtuple("Entry", "netns proto address port peer kind")
MARKER_PORTS = range(62000, 64000)
ASSIGNING = {"bind", "listen", "connect", "accept", "send", "existing"}
PROTOCOLS = {6: "tcp", 17: "udp", 136: "udplite"}
LISTEN, SYN_SENT, TIME_WAIT, CLOSE = 10, 2, 6, 7


class Tenure:
    """What portlife has said of a socket's hold on a port."""

    def __init__(self, port):
        self.port = port
        self.address = None
        self.peer = None
        self.kind = None
        self.waits = []  # (address, peer) of TIME_WAIT entries


class Socket:
    """What portlife has said of one socket."""

    def __init__(self, line):
        self.netns = line["netns"]
        self.proto = line["proto"]
        self.tenures = {}       # port: Tenure, and of these ...
        self.port = 0           # ... the one that the socket itself has
        self.child_over = False  # its port was given up before anybody accepted it
        self.found = False      # by a walk
        self.ended = False
        self.pid = None
        self.lines = collections.deque(maxlen=24)

    def entry(self, tenure):
        """As an entry of the table."""
        peer = None if tenure.kind in ("bound", "listen") else tenure.peer
        return Entry(self.netns, self.proto, tenure.address, tenure.port, peer, tenure.kind)

    def now(self):
        """The tenure that is the socket's own, or None."""
        return self.tenures.get(self.port)

    def waits_on(self, line):
        """Has the port of this line gone to TIME_WAIT?"""
        tenure = self.tenures.get((line["local"] or {}).get("port"))
        return bool(tenure and tenure.waits)

    def take(self, line, kind):
        """The socket has the port of this line; addresses as the line has them."""
        local, peer = line["local"], line["peer"]
        self.port = (local or {}).get("port") or 0
        if self.port:
            tenure = self.tenures.setdefault(self.port, Tenure(self.port))
            tenure.address = local["addr"]
            tenure.peer = (peer["addr"], peer["port"]) if peer and peer["port"] else None
            tenure.kind = kind

    def clear(self):
        """Its connection is over, the port stays; the address that is left is not told."""
        tenure = self.now()
        if tenure:
            tenure.address, tenure.peer, tenure.kind = None, None, "bound"

    def wait(self, line):
        """A TIME_WAIT entry has the connection, and the port; the socket too if it named it."""
        own = self.port
        self.take(line, "time_wait")
        self.now().waits.append((self.now().address, self.now().peer))
        if line["port_origin"] != "bind" or own != self.port:
            self.port = own if own != self.port else 0

    def doubt(self):
        """Records were lost. A pass will tell who has a port, but not of a peer that is another
        now."""
        for tenure in self.tenures.values():
            tenure.address, tenure.peer, tenure.kind = None, None, "doubtful"

    def release(self, line):
        """The port of this line is given up."""
        port = (line["local"] or {}).get("port")
        self.tenures.pop(port, None)
        if port == self.port:
            self.port = 0
        self.child_over = True

    def end(self):
        """The socket is gone; what is in TIME_WAIT stays."""
        self.ended = True
        self.tenures = {port: tenure for port, tenure in self.tenures.items() if tenure.waits}
        for tenure in self.tenures.values():
            tenure.address, tenure.peer = tenure.waits[-1]
            tenure.kind = "time_wait"


class Table:
    """Follows the JSON lines of one run; without `doubts` a loss is believed to be made good."""

    def __init__(self, spaces, doubts=True):
        self.doubts = doubts
        self.spaces = set(spaces)
        self.sockets = {}
        self.lost = 0

    def feed(self, line):
        """One line, parsed."""
        if line["type"] == "lost":
            self.lost += line["count"]
            for socket in self.sockets.values() if self.doubts else ():
                socket.doubt()
        if line["type"] not in ("event", "life") or line["netns"] not in self.spaces or \
                line["proto"] not in PROTOCOLS.values():
            return
        socket = self.sockets.setdefault(line["socket"], Socket(line))
        socket.lines.append(line)
        if line["type"] == "event":
            self.apply(socket, line)
        elif line["ended"]:
            socket.end()
        if socket.ended and not socket.tenures:
            del self.sockets[line["socket"]]

    def apply(self, socket, line):
        """What an event does to a socket."""
        event = line["event"]
        if line["pid"]:
            socket.pid = line["pid"]
        if event == "release":
            socket.release(line)
        elif event == "time_wait":
            socket.wait(line)
        elif event == "established":
            if socket.now() and socket.now().kind != "doubtful":
                socket.now().kind = "connected"
        elif event == "disconnect":
            if not line["errno"]:
                socket.clear()
        elif event == "connect_failed":
            self.failed(socket, line)
        elif event in ASSIGNING and (not line["errno"] or event == "connect"):
            self.assigned(socket, line)
        elif line["port_origin"] and not socket.port:
            socket.take(line, "found")  # a call that failed is the first that is seen of it

    @staticmethod
    def failed(socket, line):
        """A failed attempt leaves the port, or release says that it does not; of a datagram
        socket the call may have given the port before it failed."""
        if line["proto"] == "tcp":
            if socket.now() and socket.now().kind in ("connecting", "connected"):
                socket.clear()
        elif line["local"] and line["local"]["port"] and not socket.port:
            socket.take(line, "bound")

    @staticmethod
    def assigned(socket, line):
        """The events that give a port, or find a socket with one."""
        event, tcp = line["event"], line["proto"] == "tcp"
        if event == "listen":
            socket.take(line, "listen")
        elif event == "accept":
            if not socket.child_over and not socket.waits_on(line):
                socket.take(line, "connected")
        elif event == "existing":
            socket.found = True
            socket.take(line, "found")
        elif tcp and event in ("connect", "send"):
            socket.take(line, "connecting")
        elif line["peer"] and line["peer"]["port"]:
            socket.take(line, "connected")
        else:
            socket.take(line, "bound")

    def entries(self):
        """[(Entry, Socket)] of all that hold a port now."""
        return [(socket.entry(tenure), socket) for socket in self.sockets.values()
                for tenure in socket.tenures.values() if tenure.port not in MARKER_PORTS]


class Truth:
    """One checkpoint: what the kernel has, and what the workload knows of its descriptors."""

    def __init__(self):
        self.lives = {}     # (cookie, port): {Entry}
        self.unknown = set() # cookies that the workload never had in its hands
        self.actors = {}    # cookie: pids that acted on it last
        self.holders = {}   # cookie: pids that have a descriptor
        self.pids = set()   # of all who have any
        self.shut = set()   # cookies: listeners and attempts that shutdown() ended
        self.passed = set() # cookies: have been in nobody's hands for a while
        self.marker = None  # (netns, port)
        self.own = []       # (cookie, Entry) of bound TCP sockets, by the workload's own account
        self.kernel_tells_bound = False

    def feed(self, words):
        """One line of the workload; False after the last."""
        if words[0] == "marker":
            self.marker = int(words[1]), int(words[2])
        elif words[0] == "kernel":
            self.kernel(words)
        elif words[0] == "held":
            self.held(words)
        return words[0] != "end"

    def kernel(self, words):
        """kernel NETNS PROTO FAMILY STATE TIME_WAIT LOCAL PORT PEER PORT INODE COOKIE KNOWN"""
        netns, proto, state, cookie = int(words[1]), int(words[2]), int(words[4]), int(words[11])
        port, peer = int(words[7]), (words[8], int(words[9]))
        if not port or port in MARKER_PORTS:
            return
        if proto != 6:
            kind = "connected" if peer[1] else "bound"
        elif words[5] == "1" or state == TIME_WAIT:
            kind = "time_wait"
        else:
            # CLOSE: the kernel tells of bound sockets, since 6.12
            kind = {LISTEN: "listen", SYN_SENT: "connecting", CLOSE: "bound"}.get(
                state, "connected")
            self.kernel_tells_bound |= state == CLOSE
        has_peer = kind in ("connecting", "connected", "time_wait")
        self.lives.setdefault((cookie, port), set()).add(Entry(
            netns, PROTOCOLS[proto], words[6], port, peer if has_peer else None, kind))
        if words[12] == "0":
            self.unknown.add(cookie)

    def held(self, words):
        """held NETNS PROTO FAMILY STATE BOUND LOCAL PORT PID COOKIE FDS SHUT PASSED ACTOR..."""
        cookie = int(words[9])
        self.actors[cookie] = set(map(int, words[13:]))
        self.holders.setdefault(cookie, set()).add(int(words[8]))
        self.pids.add(int(words[8]))
        if words[11] == "1":
            self.shut.add(cookie)
        if words[12] == "1":
            self.passed.add(cookie)
        if words[5] == "1":
            self.own.append((cookie, Entry(int(words[1]), PROTOCOLS[int(words[2])], words[6],
                                           int(words[7]), None, "bound")))

    def complete(self, kernel_tells_bound):
        """Adds the bound sockets where the kernel does not tell of them; where it does, returns
        what the two accounts differ in."""
        told = {(cookie, entry) for (cookie, _), kinds in self.lives.items() for entry in kinds
                if entry.kind == "bound" and entry.proto == "tcp"}
        if kernel_tells_bound:
            return told ^ set(self.own)
        for cookie, entry in self.own:
            self.lives.setdefault((cookie, entry.port), set()).add(entry)
        return set()

    def entries(self):
        """[(set of Entry, cookie)]: what a socket's port may be called, any of them."""
        return [(kinds, cookie) for (cookie, _), kinds in self.lives.items()]

    def unaccepted(self, cookie, kinds):
        """Made by the kernel, taken by nobody yet: portlife tells at accept()."""
        return cookie in self.unknown and all(e.kind in ("connected", "time_wait") for e in kinds)


def same(said, true, may_be_over, shut):
    """Is an entry of portlife's this one of the kernel's? As long as the program keeps descriptor
    and port no event tells that a connection is over, or its TIME_WAIT, or that shutdown() has
    ended a listener or an attempt. The address that is left then is not told either."""
    if said.kind == "doubtful":
        return (said.netns, said.proto, said.port) == (true.netns, true.proto, true.port)
    linked = said.peer and said.kind in ("connected", "time_wait", "found")
    over = may_be_over and said.proto == "tcp" and (linked or shut)
    if over and true.kind == "bound":
        return said._replace(kind="bound", peer=None, address=None) == true._replace(address=None)
    if said.address is None:
        true = true._replace(address=None)
    if said.kind == "found":
        true = true._replace(kind="found")
    return said == true


def ends_unseen(said, entry):
    """Of all that is said of a port: is this a TIME_WAIT entry, the end of which some backend cannot
    see? What a walk found may be one if nobody has it; but then nothing else tells of it."""
    if entry.kind == "found":
        return entry.peer and sum(other[:5] == entry[:5] for other, _ in said) == 1
    return entry.kind in ("time_wait", "doubtful")


class Difference:
    """What two tables differ in; false if they do not."""

    def __init__(self, table, truth, blind_time_wait):
        self.truth = truth
        self.lost = table.lost
        self.surplus = []  # (Entry, Socket): portlife says, the kernel does not
        self.missing = []  # (kinds, cookie): the kernel has, portlife does not say
        self.wrong_pid = []  # (Entry, Socket, cookie, pids)
        self.by_port = collections.defaultdict(list)
        said = collections.defaultdict(list)
        for kinds, cookie in truth.entries():
            self.by_port[self.key(next(iter(kinds)))].append((kinds, cookie))
        for entry, socket in table.entries():
            said[self.key(entry)].append((entry, socket))
        for key in self.by_port.keys() | said.keys():
            self.compare(said.get(key, []), self.by_port.get(key, []), blind_time_wait)

    @staticmethod
    def key(entry):
        """Entries with another key cannot be the same."""
        return entry.netns, entry.proto, entry.port

    def fits(self, said, true):
        """0: another socket; 1: this one, but held by somebody else; 2: this one, if what is not
        told is granted, but nobody need tell of it; 3: if that is granted; 4: this one."""
        (entry, socket), (kinds, cookie) = said, true
        actors = self.truth.actors
        may_be_over = cookie in actors and not socket.ended
        if not any(same(entry, kind, may_be_over, cookie in self.truth.shut) for kind in kinds):
            return 0
        # the record of who acted last may be what was lost
        if cookie in actors and socket.pid not in actors[cookie] and not self.lost and \
                not (socket.found and self.may_hold(socket.pid, cookie)):
            return 1
        if any(entry in (kind, kind._replace(address=None)) for kind in kinds):
            return 4
        return 2 if self.truth.unaccepted(cookie, kinds) else 3

    def may_hold(self, pid, cookie):
        """What a walk can find: somebody with a descriptor. Of one that was passed on also nobody,
        while it was under way, or one who has closed his descriptor since: that is the end of
        nothing, so no event tells."""
        truth = self.truth
        return pid in truth.holders[cookie] or (cookie in truth.passed and
                                                (not pid or pid in truth.pids))

    def compare(self, said, true, blind_time_wait):
        """The sockets of one port: pairs as many as there can be, those with the right pid first."""
        pairs = pair_up(len(said), len(true), lambda i, j: self.fits(said[i], true[j]))
        for i, (entry, socket) in enumerate(said):
            if i not in pairs:
                if not (blind_time_wait and ends_unseen(said, entry)):
                    self.surplus.append((entry, socket))
                continue
            cookie = true[pairs[i]][1]
            if self.fits(said[i], true[pairs[i]]) == 1:
                self.wrong_pid.append((entry, socket, cookie, self.truth.actors[cookie]))
        self.missing += [pair for j, pair in enumerate(true) if j not in pairs.values()
                         and not self.truth.unaccepted(pair[1], pair[0])]

    def __bool__(self):
        return bool(self.surplus or self.missing or self.wrong_pid)


def pair_up(rows, columns, fits):
    """{row: column} of a largest matching; what fits better is tried first."""
    owner = {}

    def place(row, least, seen):
        """Gives the row a column, moving others if need be (Kuhn)."""
        for column in range(columns):
            if column not in seen and fits(row, column) >= least:
                seen.add(column)
                if column not in owner or place(owner[column], least, seen):
                    owner[column] = row
                    return True
        return False

    for least in (4, 3, 2, 1):
        for row in range(rows):
            if row not in owner.values():
                place(row, least, set())
    return {row: column for column, row in owner.items()}


def brief(line):
    """A line of portlife's, short."""
    keys = ("type", "event", "ended", "ts_ns", "socket", "pid", "fd", "local", "peer", "errno",
            "port_origin", "existing", "reconciled")
    return json.dumps({key: line[key] for key in keys if line.get(key) is not None})
