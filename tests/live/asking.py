# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of `ports` and `why` share: a network namespace of their own, sockets in it, the
question, and what bind() then really says. Importing it begins the test.
"""

import ctypes
import errno
import json
import os
import pathlib
import socket
import subprocess

import live

CLONE_NEWNET = 0x40000000
V4, V6 = socket.AF_INET, socket.AF_INET6
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
NOBODY = 65534
OPTIONS = {"reuseaddr": socket.SO_REUSEADDR, "reuseport": socket.SO_REUSEPORT}
ASKED = {  # the four ways to ask
    "plain": [], "reuseaddr": ["reuseaddr"], "reuseport": ["reuseport"],
    "both": ["reuseaddr", "reuseport"],
}
ADDRESSES = ["0.0.0.0", "127.0.0.1", "::"] + ([] if live.IN_VM else ["127.0.0.2", "::1"])


def enter_new_namespace():
    """This process moves into a network namespace with nothing but lo."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    return os.stat("/proc/self/ns/net").st_ino


def setting(name, value):
    """A sysctl of this namespace."""
    pathlib.Path(f"/proc/sys/net/ipv4/{name}").write_text(value, encoding="ascii")


def portlife(*args):
    """Exit status, lines as JSON."""
    run = subprocess.run([live.PORTLIFE, *map(str, args), "-j"], capture_output=True, check=False)
    return run.returncode, [json.loads(line) for line in run.stdout.splitlines()]


def make(family, kind, options=(), address=None, port=0, v6only=None, device=None):
    """A bound socket."""
    sock = socket.socket(family, kind)
    for option in options:
        sock.setsockopt(socket.SOL_SOCKET, OPTIONS[option], 1)
    if v6only is not None:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
    if device:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    try:
        sock.bind((address or ("0.0.0.0" if family == V4 else "::"), port))
    except OSError:
        sock.close()
        raise
    return sock


def really(family, kind, address, port, options, device):
    """What bind() says."""
    try:
        make(family, kind, options, address, port, device=device).close()
        return "yes"
    except OSError as error:
        return "no" if error.errno == errno.EADDRINUSE else errno.errorcode[error.errno]


def compare(name, port, kind=TCP, device=None):
    """For each address and four ways: `why`, then bind()."""
    wrong, depended = [], 0
    for address in ADDRESSES:
        family = V6 if ":" in address else V4
        text = f"[{address}%{device}]" if family == V6 else f"{address}%{device}"
        text = text if device else text.replace("%None", "")
        status, lines = portlife("why", "-u" if kind == UDP else "-t", f"{text}:{port}")
        answer = lines[0]["answer"]
        if status != (0 if answer["plain"] == "yes" else 5):
            wrong.append((address, "status", status))
        for way, options in ASKED.items():
            said, fact = answer[way], really(family, kind, address, port, options, device)
            depended += said == "depends"
            if said != fact and said != "depends":
                wrong.append((address, way, f"why: {said}", f"bind(): {fact}"))
    TAP.check(not wrong, f"why: {name}", *wrong)
    TAP.check(not depended, f"why: {name}: depends never",
              depended)


TAP, FOLDER = live.begin()
OUTSIDE = os.open("/proc/self/ns/net", os.O_RDONLY)
NETNS = enter_new_namespace()
