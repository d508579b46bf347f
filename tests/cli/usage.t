#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Wrong command lines end with status 2 and one line that says what and what to do.
. tests/cli/tap.sh

usage() {
	local text=$1
	shift
	refused "portlife ${*@Q}" 2 "$text" "$PORTLIFE" "$@"
}

usage "unrecognized option '--nonsense'" --nonsense
usage "invalid option -- 'Z'" -Z
usage "requires an argument" -P
usage "'0' is out of range; ports are 1 to 65535" -P 0
usage "'65536' is out of range" -P 65536
usage "the range '90-80' is reversed; write 80-90" -P 90-80
usage "out of range" -P 1-65536
usage "the list is empty" -P ""
usage "empty item" -P 80,,443
usage "neither a port nor a range of ports" -P http
usage "out of range" --peer-port=70000
usage "the list is empty" -p ""
usage "is no process id" -p self
usage "pid 4194304 does not exist" -p 4194304
usage "is no address" --addr=nowhere
usage "is no user id" --uid=root
usage "'dccp' is none of tcp, udp" --proto=udp,dccp
usage "the path is empty" --cgroup=
usage "is no namespace" --netns=/dev/null
usage "/proc/4194304/ns/net: No such file or directory" --netns=4194304
usage "is no name of a device" --dev=a-name-of-a-device-too-long
usage "'late-bind' is no finding" --fail-on=bind-in-use,late-bind
usage "--netns takes the number" -r tests/golden/rec/mix.plr --netns=$$
usage "is no duration" --duration=soon
usage "is no number of events" --count=0
usage "is no backend" --attach=magic
usage "power of two" --buffer=3M
usage "exclude each other" -p 1 -- true
usage "no COMMAND" --
usage "portlife --user=nobody -- COMMAND" --user=nobody
usage "no such user" --user=nobody-of-that-name -- true

# a pid that did exist
sleep 0 &
gone=$!
wait "$gone"
usage "pid $gone does not exist" -p "$gone"

# the right line is shown
usage "portlife -P 8080" 8080
usage "portlife -j -P 80,443" -j 80,443
usage "portlife -- python3 x.py" python3 x.py
usage "portlife -4 -- curl -s 'a b'" -4 curl -s 'a b'
for later in top report; do
	usage "this version does not have '$later'" "$later"
done
usage "doctor takes no arguments" doctor 80
usage "neither a port nor a range" ports http
usage "'65536' is out of range" ports 80,65536
usage "ports runs no COMMAND" ports -- true
usage "-x is for watching" ports -x
usage "look once" ports --no-resync
usage "look at this machine now" ports -r file
usage "'ports' and 'why' look once" ports --attach=fentry
usage "'ports' and 'why' look once" why --duration=1s 80
usage "portlife ports -l" -l
usage "portlife ports -l" why -l EACCES
usage "portlife ports --pressure" --pressure
usage "about the whole range" ports --pressure 80
usage "about the whole range" ports --pressure -l
usage "why: what?" why
usage "'EWHAT' is no PORT" why EWHAT
usage "one question at a time" why 80 443
usage "IPv4 or IPv6?" why -4 "[::1]:80"
usage "IPv4 or IPv6?" why -6 127.0.0.1:80
usage "TCP or UDP?" why -tu 80
usage "'0' is out of range" why 0
usage "'65536' is out of range" why 127.0.0.1:65536
usage "write [::1]:80 for IPv6" why ::1:80
usage "write [::1]:80 for IPv6" why '[::1]'
usage "is no address" why 127.0.0.256:80
usage "no such port" why --proto=raw 1
usage "--proto first" why 4242 --proto=netlink
usage "nor CID:NUMBER" why --proto=vsock 1:x
usage "is no number of 32 bits" why --proto=netlink 1:2
usage "is no address" why 10.0.0.0/8:80
usage "is no address" why 0.0.0.0%:80
usage "has no port" why 127.0.0.1:
usage "--connect is for 'why'" --connect 10.0.0.1:80
usage "--connect is about TCP" why -u --connect 10.0.0.1:80
usage "--from goes with --connect" why --from 10.0.0.1 80
usage "one question at a time" why --connect 10.0.0.1:80 80
usage "is no address and port" why --connect 80
usage "is no address" why --connect '*:80'
usage "has no port" why --connect 10.0.0.1:http
usage "is no address" why --connect 10.0.0.1:80 --from here
usage "one process at a time" why -p 1,$$ 80
usage "one question at a time" why EACCES EINVAL
usage "why runs no COMMAND" why -- true
usage "doctor runs no COMMAND" doctor -- true
usage "lesson runs no COMMAND" lesson -- true
usage "there is no 'no-such-lesson'" lesson no-such-lesson
usage "there is no '0'" lesson 0
usage "one at a time" lesson 1 2
usage "not both" lesson --all 1
usage "--source is for one" lesson --source
usage "--source is for one" lesson --source --all
usage "--source is for one" lesson --source -r file 1
usage "which one is to be recorded" lesson -w file
usage "--all runs them" lesson --all -r file
usage "choose what to watch" lesson -P 80 1
usage "choose what to watch" lesson --duration=1s 1
usage "portlife lesson --all" --all
usage "portlife lesson --all" ports --source
usage "\\x1b[31m" $'\033[31m'

tap_done
