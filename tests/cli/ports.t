#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The commands that look at the machine once, without privileges: what can be known is shown, and
# what is missing is said.
. tests/cli/tap.sh

cp -- "$PORTLIFE" "$TAP_DIR/portlife"
chmod 755 "$TAP_DIR" "$TAP_DIR/portlife"
as=()
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	as=(setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs)
fi
as+=("$TAP_DIR/portlife")

# one socket of this user, one that is only bound, for as long as the test takes
python=$(PATH=/usr/bin:/bin command -v python3) # one that this user may execute
[ -n "$python" ] && exec 5< <(exec "${as[@]:0:${#as[@]}-1}" "$python" -c '
import socket, sys, time
listener = socket.create_server(("127.0.0.1", 0))
datagram = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
datagram.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], datagram.getsockname()[1], flush=True)
time.sleep(60)') && holder=$!
if [ -n "${holder:-}" ] && read -r -t 20 listens bound <&5; then
	run "${as[@]}" ports "$listens"
	ok "ports: status 0" is "$status" 0
	ok "ports: a header and one line" is "$(wc -l <"$TAP_DIR/out")" 2
	ok "ports: the process" grep -Eq "^ +$holder python3 +tcp +listening +$listens " \
		"$TAP_DIR/out"
	if [ "$(id -u)" -ne 0 ] || command -v setpriv >/dev/null; then
		ok "ports: one line about what is missing" one_line err
		ok "ports: names it" says "only this network namespace"
		run "${as[@]}" ports -q "$listens"
		ok "ports -q: nothing about it" is "$err" ""
	fi
	run "${as[@]}" ports -H "$bound"
	ok "ports -H: no header" one_line out
	run "${as[@]}" ports -H -t "$bound"
	ok "ports -t: no UDP" is "$out" ""
	run "${as[@]}" ports -l -H -P "$listens" "$bound"
	ok "ports -l: both may be sent to" is "$(wc -l <"$TAP_DIR/out")" 2
	if command -v jq >/dev/null; then
		run "${as[@]}" ports -j
		ok "ports -j: JSON of one type" is "$(jq -r .type <<<"$out" | sort -u)" port
		ok "ports -j: the same keys in every line" \
			is "$(jq -c keys_unsorted <<<"$out" | sort -u | wc -l)" 1
	else
		skip "ports -j is JSON" "jq is not here"
	fi
	run "${as[@]}" why -q "127.0.0.1:$listens"
	ok "why PORT: status 5" is "$status" 5
	ok "why PORT: no" grep -q "^bind() to 127.0.0.1:$listens, TCP, .*: no\$" "$TAP_DIR/out"
	ok "why PORT: who has it" grep -Eq "^ +$holder python3 " "$TAP_DIR/out"
	if command -v jq >/dev/null; then
		run "${as[@]}" why -qj "127.0.0.1:$listens"
		ok "why -j PORT: the answer" is "$(jq -r .answer.plain <<<"$out")" no
		keys=$(jq -c keys_unsorted <<<"$out")
		run "${as[@]}" why -j EAGAIN
		ok "why -j: the same keys whatever is asked" \
			is "$(jq -c keys_unsorted <<<"$out")" "$keys"
	fi
	kill "$holder"
else
	skip "ports of this user" "python3 is not here"
fi
run sh -c 'exec "$0" ports >/dev/full' "$PORTLIFE"
ok "ports into a full disk: status 1" is "$status" 1

# an address that nobody has: 192.0.2.0/24 is for documentation
run "${as[@]}" why -q 192.0.2.1:8080
if [ "$(cat /proc/sys/net/ipv4/ip_nonlocal_bind)" = 0 ]; then
	ok "why with a foreign address: status 5" is "$status" 5
	ok "why with a foreign address: says so" prints EADDRNOTAVAIL
fi
first=$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)
if [ "$first" -gt 1 ]; then
	run "${as[@]}" why -q --uid=65534 $((first - 1))
	ok "why with a privileged port: status 5" is "$status" 5
	ok "why with a privileged port: says so" prints CAP_NET_BIND_SERVICE
fi
run "${as[@]}" why -q 127.0.0.1%nodevice:80
ok "why with a device that is not there: status 1" is "$status" 1
ok "why with a device that is not there: says so" says "no device 'nodevice'"

for errno in EADDRINUSE EADDRNOTAVAIL EAGAIN EACCES EINVAL EPERM ECONNREFUSED; do
	run "${as[@]}" why "$errno"
	ok "why $errno: status 0" is "$status" 0
	ok "why $errno: quiet on standard error" is "$err" ""
	ok "why $errno: names it" prints "$errno: "
	for call in bind listen connect send; do
		ok "why $errno: $call" grep -q "^$call " "$TAP_DIR/out"
	done
	ok "why $errno: no line above 92 columns" test "$(wc -L <"$TAP_DIR/out")" -le 92
done
read -r lo hi </proc/sys/net/ipv4/ip_local_port_range
run "${as[@]}" why eaddrnotavail
ok "why: the range of this machine" prints " $lo-$hi: $((hi - lo + 1)) ports"
run "${as[@]}" why EACCES
ok "why: the first port for anybody" \
	prints " $(cat /proc/sys/net/ipv4/ip_unprivileged_port_start)"
run "${as[@]}" why -j EACCES
ok "why -j: one line" one_line out
if command -v jq >/dev/null; then
	ok "why -j: JSON" is "$(jq -r .type,.errno <<<"$out" | paste -sd,)" why,EACCES
fi

tap_done
