#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""spoiled.py PORTLIFE COPY HOW RECORDING PLACE...: a recording spoiled at one place after the other, in
COPY. HOW: `cut` off there, or `flip` the lowest bit. Each time portlife must end with status 1 and one
line that names the file, after data with which the whole recording's begins. Prints the places where
it does not.
"""

import pathlib
import subprocess
import sys


def read(portlife, path):
    """What portlife makes of a recording."""
    return subprocess.run([portlife, "-qjr", path], stdin=subprocess.DEVNULL, capture_output=True,
                          check=False)


def main():
    """The places, by what is wrong there."""
    portlife, copy, how, recording, *places = sys.argv[1:]
    data = pathlib.Path(recording).read_bytes()
    good = read(portlife, recording)
    assert good.stdout and not good.returncode and places
    for place in map(int, places):
        spoiled = data[:place]
        if how == "flip":
            spoiled += bytes([data[place] ^ 1]) + data[place + 1:]
        pathlib.Path(copy).write_bytes(spoiled)
        done = read(portlife, copy)
        told = done.stderr.decode(errors="replace")
        if (done.returncode != 1 or told.count("\n") != 1 or not told.endswith("\n")
                or f"portlife: {copy}: " not in told or not good.stdout.startswith(done.stdout)):
            print(place, done.returncode, told.strip())


main()
