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


def main():
    """A recording as it is (0), and its first block's records without their checksum (1)."""
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for path in map(pathlib.Path, sys.argv[2:]):
        data = path.read_bytes()
        (folder / f"{path.stem}-0").write_bytes(b"\0" + data)
        for block in blocks(data):
            (folder / f"{path.stem}-1").write_bytes(b"\1" + block)
            break


main()
