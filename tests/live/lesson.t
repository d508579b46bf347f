#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every lesson on the kernel that runs: its verdict, the same program in plain Python, without
privilege, replayed, and with a recording whose events do not bear the verdict out.

In a virtual machine only the verdicts: all else is the same on every kernel.
"""

import json
import os
import pathlib
import pty
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.dont_write_bytecode = True
import live

NOBODY = 65534
IP_LOCAL_PORT_RANGE = 51
KERNEL_WORDS = re.compile(r"bucket|tenure|ephemeral|implicit|hash|inet_|skb|probe|eBPF|namespace")
CALLS = re.compile(r"\.(bind|listen|connect|sendto)\(|\.accept\(")
DEPENDS = {"why-no-client-bind", "odd-and-even", "last-port"}
TRUE = {"what-bind-changes", "puzzle-3", "puzzle-5", "puzzle-8"}
STEP, START, STOP = 80, 64, 69  # enum wire_kind


def expected(name):
    """The verdict that this kernel must give, by other means than the lesson's."""
    if name == "own-range":
        with socket.socket() as s:
            try:
                s.setsockopt(socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("I", 0))
                return "false"
            except OSError:
                return "true"
    if name == "spoiled-port":
        version = tuple(int(n) for n in re.findall(r"\d+", os.uname().release)[:2])
        return "true" if version >= (6, 17) else "false"
    return "depends" if name in DEPENDS else "true" if name in TRUE else "false"


def run(*args, argv0=(), program=live.PORTLIFE, **more):
    """portlife lesson ARGS, to its end."""
    attach = [] if "-r" in args or argv0 else live.ATTACH
    # a guest whose clock counts instructions skips what it idles: no time limit of its own there
    return subprocess.run([*argv0, program, "lesson", *args, *attach], capture_output=True,
                          text=True, check=False, timeout=None if live.IN_VM else 120, **more)


def parse(result):
    """Its JSON lines by type."""
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    return {kind: [line for line in lines if line["type"] == kind]
            for kind in ("start", "step", "verdict", "summary")}


def check_verdicts(tap, result, traced, how):
    """All of them, with all that has to be there."""
    said = parse(result)
    tap.equal((result.returncode, len(said["start"]), len(said["summary"])), (0, 1, 1),
              f"{how}: status 0, a whole stream")
    tap.equal({v["lesson"]: v["verdict"] for v in said["verdict"]},
              {v["lesson"]: expected(v["lesson"]) for v in said["verdict"]},
              f"{how}: every verdict is right")
    tap.equal([v["contradiction"] for v in said["verdict"] if v["contradiction"]], [],
              f"{how}: none is contradicted")
    tap.check(all(v["traced"] == traced for v in said["verdict"]), f"{how}: traced is {traced}")
    tap.check(all((s["events"] is None) != traced for s in said["step"]),
              f"{how}: events are null where nobody watched")
    if traced:
        silent = [s["call"] for s in said["step"] if CALLS.search(s["call"]) and not s["events"]
                  and s["lesson"] not in ("other-sockets", "udp-without-bind")]
        tap.equal(silent, [], f"{how}: under each call stands what the kernel did")
        wrong = [s["call"] for s in said["step"] for e in s["events"] or ()
                 if e["name"] == s["name"] and e["event"] in ("bind", "listen") and not e["errno"]
                 and e["port"] != s["after"].get("port", e["port"])]
        tap.equal(wrong, [], f"{how}: with the port that the socket has then")
    return said


def check_prose(tap, said):
    """First sentences are for people who know no kernel."""
    kernel = [v["lesson"] for v in said["verdict"]
              for text in (v["question"], re.split(r"[.:;] ", v["answer"])[0])
              if KERNEL_WORDS.search(text)]
    tap.equal(kernel, [], "no kernel words in a question and in the first sentence of its answer")


def python_says(text):
    """The errnos that the script's calls met, by call in their order."""
    calls = []
    for line in text.splitlines():
        if line.startswith(">>> "):
            calls.append([line[4:], None])
        elif line.startswith("    failed: "):
            calls[-1][1] = line.split()[1]
    return [tuple(call) for call in calls]


def shown(text):
    """What a lesson shows of its calls, without what portlife saw, and whatever was chosen."""
    lines = [line.split(" (no longer")[0] for line in text.splitlines()
             if line.startswith((">>> ", "    ")) and not line.startswith("     ")
             and not line.startswith("    kernel: ")]
    lines = [re.sub(r"(failed: \w+) - .*", r"\1", line) for line in lines]
    return [re.sub(r"(@)[0-9a-f]{5}\b|(:|number |= )[1-9]\d*", r"\1\2N", line) for line in lines]


def check_source(tap, said, texts):
    """--source runs by itself and shows the same."""
    different = []
    for verdict in said["verdict"]:
        name = verdict["lesson"]
        script = run(name, "--source").stdout
        result = subprocess.run([sys.executable, "-"], input=script, capture_output=True,
                                text=True, check=False, timeout=60)
        ours = [(s["call"], s["errno"]) for s in said["step"] if s["lesson"] == name]
        if result.returncode or python_says(result.stdout) != ours:
            different.append((name, result.stderr, python_says(result.stdout), ours))
        if shown(result.stdout) != shown(texts[name]):
            different.append((name, shown(result.stdout), shown(texts[name])))
    tap.equal(different, [], "--source of each: python3 makes the same calls, with the same errors, and "
              "shows the same")


def check_text(tap, folder, texts):
    """What a person sees; texts: by lesson."""
    result = run("--all")
    texts.update(zip(re.findall(r"^Lesson \d+: (.*)$", result.stdout, re.M),
                     re.split(r"^Lesson \d+: ", result.stdout, flags=re.M)[1:]))
    wide = [line for line in result.stdout.splitlines() if len(line) > 80]
    tap.equal((result.returncode, wide), (0, []), "--all as text: nothing beyond 80 columns")
    tap.check("\033" not in result.stdout, "... and no escape code")
    explained = run("why-no-client-bind", "--explain").stdout
    tap.check("The program never asked for a port, so the kernel picked" in
              " ".join(explained.split()), "--explain says why")
    tap.equal([line for line in explained.splitlines() if len(line) > 80], [], "... in 80 columns")
    path = f"{folder}/one.plr"
    one = run("listen-without-bind", "-w", path)
    again = run("-r", path)
    tap.equal((again.returncode, again.stdout), (one.returncode, one.stdout),
              "a lesson that was recorded is replayed word for word")
    result = run("-r", path, "time-wait")
    tap.equal((result.returncode, result.stdout), (1, ""), "a lesson that is not in it: status 1")
    for words in "Claim:", "Verdict:  FALSE", "kernel: listen gives it port", "--source | python3":
        tap.check(words in one.stdout, f"it shows '{words}'")
    return path


def check_guess(tap):
    """Who sits at a terminal is asked first."""
    master, slave = pty.openpty()
    os.write(master, b"what?\n" + b"m" * 63 + b"no\ny\n")
    result = run("puzzle-1", stdin=slave)
    tap.equal(result.stdout.count("y or n? "), 2, "a quiz asks again, once for each line")
    tap.check("Your guess: yes; the kernel's answer: yes" in " ".join(result.stdout.split()),
              "a quiz at a terminal takes a guess", result.stdout)
    result = run("puzzle-1", stdin=subprocess.DEVNULL)
    tap.check(result.returncode == 0 and "guess" not in result.stdout,
              "... and elsewhere waits for nobody")
    os.close(master)
    os.close(slave)


def check_interrupted(tap, how, *command):
    """Ctrl-C at a terminal reaches the lesson's program as well: no failure of it."""
    with subprocess.Popen([*command, "lesson", "--all"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, start_new_session=True) as process:
        process.stdout.readline()  # the first one is over
        os.killpg(process.pid, signal.SIGINT)
        _, talk = process.communicate(timeout=60)
        tap.check(process.returncode == 0 and "too early" not in talk,
                  f"{how}, interrupted with its program: status 0", process.returncode, talk)


def check_unprivileged(tap, folder):
    """An ordinary user; and one who may not even have a network of his own."""
    program = f"{folder}/portlife"
    shutil.copy(live.PORTLIFE, program)
    os.chmod(program, 0o755)
    nobody = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    result = run("--all", "-j", argv0=nobody, program=program)
    check_verdicts(tap, result, False, "as nobody")
    tap.check("not traced" in result.stderr, "as nobody: says that it is not traced")
    check_interrupted(tap, "as nobody", *nobody, program)
    forbid = ["unshare", "-U", "-r", "sh", "-c", "echo 0 >/proc/sys/user/max_user_namespaces; "
              'exec setpriv --bounding-set=-all --inh-caps=-all "$0" "$@"']
    result = run("listen-without-bind", argv0=forbid, program=program)
    tap.check(result.returncode == 3, "no network of one's own: status 3", result.returncode,
              result.stderr)
    tap.check("NOT SHOWN" in result.stdout, "... and it says that nothing was shown")
    tap.check("runs now" not in result.stdout, "... and not that a program runs")
    result = run("puzzle-1", argv0=forbid, program=program)
    tap.check("NOT SHOWN" in result.stdout and "kernel's answer" not in result.stdout,
              "... a quiz that was not played has no answer", result.stdout)


def whole(data, kind):
    """The records of this kind in an uncompressed recording: they are stored whole."""
    found, at = [], 0
    while True:
        at = data.find(bytes([kind]), at)
        if at < 0:
            return found
        size = data[at + 1:at + 3]
        if size == data[at + 3:at + 5] and data[at + 5:at + 7] == bytes([kind, 1]):
            found.append(data[at:at + 3 + struct.unpack("<H", size)[0]])
            at += len(found[-1])
        else:
            at += 1


def check_contradiction(tap, folder, path):
    """The same calls with none of their events: no verdict stands on that."""
    data = pathlib.Path(path).read_bytes()
    records = [*whole(data, START)[:1], *whole(data, STEP), *whole(data, STOP)[-1:]]
    body = b"".join(records)
    text_len = struct.unpack_from("<I", data, 12)[0]
    block = struct.pack("<6I", 0x6b6c426c, 0, len(body), len(body), len(records), zlib.crc32(body))
    bare = pathlib.Path(folder) / "bare.plr"
    bare.write_bytes(data[:24 + text_len] + block + body)
    result = run("-r", str(bare))
    tap.check(result.returncode == 1, "a verdict that its events contradict: status 1",
              result.returncode, result.stdout[-500:], result.stderr)
    tap.check("WRONG:" in result.stdout and "portlife saw no listen" in
              " ".join(result.stdout.split()), "... and it is said which", result.stdout[-800:])


def main():
    """All of it."""
    tap, folder = live.begin()
    said = check_verdicts(tap, run("--all", "-j"), True, "as root")
    check_prose(tap, said)
    if not live.IN_VM:
        path = check_text(tap, folder.name, texts := {})
        check_source(tap, said, texts)
        check_guess(tap)
        check_interrupted(tap, "as root", live.PORTLIFE, *live.ATTACH)
        check_contradiction(tap, folder.name, path)
        check_unprivileged(tap, folder.name)
    tap.done()


main()
