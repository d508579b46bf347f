#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes seeds for fuzz_replay from recordings: seed.py DIRECTORY RECORDING..."""

import pathlib
import struct
import sys

HEAD, BLOCK = struct.Struct("<8sHHIII"), struct.Struct("<IIIIII")


def blocks(data):
    """The stored bytes of each block that is not deflated; a damaged file ends early."""
    if len(data) < HEAD.size:
        return
    at = HEAD.size + HEAD.unpack_from(data)[3]
    while at + BLOCK.size <= len(data):
        _, flags, stored, _, _, _ = BLOCK.unpack_from(data, at)
        at += BLOCK.size
        if not flags:
            yield data[at:at + stored]
        at += stored


# bpf/wire.h: the head, and what follows it in each kind of record
HEAD_OF, SOCK, WHO = "<HBBHHQ", "QQQQQIIHHBBHHHI16s16s", "QIIII16s"
CALL = SOCK + WHO + "QIiiIQHHHHHHI16s"
BIND, FOUND, SEND, RELEASE, TW_END, TIME_WAIT, END = 1, 7, 8, 18, 19, 20, 25
HOLDER, HOLDERS = 26, 27
START, STOP, PASS, SETTINGS = 64, 69, 70, 71
PASS_FACT, FULL = 1 << 14, 2
TCP, UDP = 6, 17


def record(kind, ts_ns, layout, *fields):
    """One wire record."""
    size = struct.calcsize(HEAD_OF) + struct.calcsize("<" + layout)
    return struct.pack(HEAD_OF + layout, size, kind, 1, 0, 0, ts_ns, *fields)


def call(kind, ts_ns, number, protocol=TCP, state=7, port=80, before=0, facts=0):
    """A call on an IPv4 socket, by nobody."""
    return record(kind, ts_ns, CALL, number, 0, 0, 0, 0, 1, 0, 2, protocol, state, 0, 0, port, 0,
                  0, b"", b"", 0, 0, 0, 0, 0, b"", 0, facts, -1, 0, 0, 0, before, 0, 0, 0, 0, 0, 0,
                  b"")


def walk(number, begin, *between):
    """A whole walk through the kernel's sockets."""
    return b"".join([record(PASS, begin, "IHH", number, 1, FULL), *between,
                     record(PASS, begin + 9, "IHH", number, 2, FULL)])


def holder(ts_ns, asker, number, state, flags=0, left_ms=0, processes=0, fd=-1):
    """Who has port 80, in the way of a socket."""
    return record(HOLDER, ts_ns, "QQ" + SOCK + WHO + "IiIIII", asker, 4711, number, 0, 0, 0, 0, 1, 0,
                  2, TCP, state, 0, 0, 80, 0, 0, b"", b"", 0, 0, 0, 0, 0, b"", flags, fd, 0,
                  left_ms, processes, 0)


def refusal(ts_ns, number):
    """bind() to port 80 has failed: EADDRINUSE."""
    return record(BIND, ts_ns, CALL, number, 0, 0, 0, 0, 1, 0, 2, TCP, 7, 0, 0, 0, 0, 0, b"", b"", 0,
                  0, 0, 0, 0, b"", 0, 1, -1, 98, 0, 0, 0, 0, 0, 2, 80, 0, 0, b"")


def conflicts():
    """The kernel's list of holders and what was looked up, whole and not."""
    return b"".join([
        holder(31, 9, 2, 10), holder(31, 9, 0, 1, 2 ** 2), holder(31, 9, 0, 6, 2 ** 3, 36000),
        record(HOLDERS, 31, "QIIIIHHHH", 9, 3, 4, 2, 7, 80, 0, 0, 0),
        holder(32, 9, 0, 10, 1 + 2 + 4, processes=5, fd=6),
        record(HOLDERS, 32, "QIIIIHHHH", 9, 1, 0, 1, 0, 80, 0, 0, 0), refusal(33, 9),
        record(HOLDERS, 34, "QIIIIHHHH", 9, 2, 0, 4, 0, 80, 0, 0, 0), refusal(35, 9)])


def story():
    """Plain records: sends, walks, refusals, TIME_WAIT found and followed, lives that are gone."""
    return b"".join([
        record(START, 1, "QIIIIHHHHHHHH", 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0),
        record(SETTINGS, 1, "IIIIHHHH8s", 1, 15, 1024, 3, 70, 90, 7, 0, b"75,80-8"),
        call(SEND, 2, 1, UDP), call(BIND, 3, 2), call(BIND, 4, 3),
        record(TIME_WAIT, 5, "QiHH", 2, 0, 80, 1),
        walk(1, 10, call(FOUND, 11, 1, UDP, 1, 81, 81, PASS_FACT),
             call(FOUND, 12, 4, TCP, 6, 82, 82, PASS_FACT),
             call(FOUND, 13, 5, TCP, 10, 83, 83, PASS_FACT),
             call(FOUND, 14, 3, TCP, 7, 0, 0, PASS_FACT)),
        record(TW_END, 20, "QiHH", 2, 0, 80, 0), record(RELEASE, 21, "QiHH", 5, 0, 83, 0),
        call(FOUND, 22, 2, TCP, 6, 80, 80, PASS_FACT), walk(2, 30), conflicts(),
        record(END, 40, "QQQQIHH", 1, 0, 0, 0, 4, 81, 0), record(STOP, 50, "Q", 9)])


def main():
    """A recording as it is (0), its first block's records without their checksum (1), records (2)."""
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "story-2").write_bytes(b"\2" + story())
    for path in map(pathlib.Path, sys.argv[2:]):
        data = path.read_bytes()
        (folder / f"{path.stem}-0").write_bytes(b"\0" + data)
        for block in blocks(data):
            (folder / f"{path.stem}-1").write_bytes(b"\1" + block)
            break


main()
