#!/bin/sh
# SPDX-License-Identifier: ISC
# Many connections through the gateway: a thousand at a time, a hundred thousand one after the other, and
# what they leave behind in the gateway's process: nothing.
. tests/lib.sh

flows=$PWD/build/${VARIANT:-release}/tests/tools/flows

"$flows" serve 127.0.0.1 0 >"$tmp/port" &
children="$children $!"
wait_for test -s "$tmp/port"
port=$(cat "$tmp/port")

# A client that closes first keeps each of its ports for a minute, unless it may take them again.
ports="echo 1024 65535 >/proc/sys/net/ipv4/ip_local_port_range
echo 1 >/proc/sys/net/ipv4/tcp_tw_reuse"

check "1,000 connections at a time are opened, used and closed" \
    "$wholenet" run -- sh -c "$ports; exec $flows open 10.0.2.2 $port 1000 1000"

cat >"$tmp/inside" <<EOF
$ports
$flows open 10.0.2.2 $port 50 20000 || exit 1
touch "$tmp/warm"
while [ ! -e "$tmp/go" ]; do sleep 0.1; done
$flows open 10.0.2.2 $port 50 80000 || exit 1
touch "$tmp/done"
while [ ! -e "$tmp/end" ]; do sleep 0.1; done
EOF

wait_long() {
    for _ in $(seq 1200); do
        [ -e "$1" ] && return 0
        kill -0 "$gateway" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}

descriptors() {
    find "/proc/$gateway/fd" -type l 2>/dev/null | wc -l
}

resident() {
    sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$gateway/status"
}

"$wholenet" run -- sh "$tmp/inside" >"$tmp/log" 2>&1 &
gateway=$!
children="$children $gateway"
if wait_long "$tmp/warm"; then
    sleep 1
    descriptors_before=$(descriptors)
    resident_before=$(resident)
    touch "$tmp/go"
    check "100,000 connections one after another, none lost" wait_long "$tmp/done"
    sleep 1
    equal "no descriptor is left open" "$(descriptors)" "$descriptors_before"
    grown=$(($(resident) - resident_before))
    check "memory has not grown (by $grown KiB of $resident_before)" test "$grown" -le 1024
    touch "$tmp/end"
    wait "$gateway"
    equal "and the program ends well" $? 0
else
    sed 's/^/# /' "$tmp/log"
    not_ok "20,000 connections one after another, none lost"
fi
finish
