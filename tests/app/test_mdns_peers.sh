#!/bin/sh
# SPDX-License-Identifier: ISC
# Multicast DNS between two network namespaces that a cable joins: what another program (python3-zeroconf)
# announces is found by `wholenet lookup`. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
peer_python=/usr/bin/python3
"$peer_python" -c 'import zeroconf' 2>/dev/null || { skip "multicast DNS" "python3-zeroconf is not installed"; finish; }
if [ "${MDNS_INSIDE:-no}" = no ]; then
    unshare -r -n true 2>/dev/null || { skip "multicast DNS" "no namespaces here"; finish; }
    MDNS_INSIDE=yes exec unshare -r -n "$PWD/tests/app/test_mdns_peers.sh"
fi

ip link set lo up
unshare -n sleep 600 &
other=$!
children="$children $other"
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
there() { nsenter -t "$other" -n "$@"; }
ip link add a0 type veth peer name b0
ip link set b0 netns "$other"
ip addr add 10.9.0.1/24 dev a0
ip link set a0 up
there ip addr add 10.9.0.2/24 dev b0
there ip link set b0 up
there ip link set lo up
sleep 2 # IPv6 addresses are looked at by the kernel first

ask() { "$wholenet" lookup +short +timeout=4 "$@"; }
mkfifo "$tmp/end"
there "$peer_python" tests/support/mdns_peer.py 10.9.0.2 announce other "Front Door" 8080 <"$tmp/end" >"$tmp/peer" 2>&1 &
children="$children $!"
exec 9>"$tmp/end"
for _ in $(seq 100); do grep -q ready "$tmp/peer" && break; sleep 0.1; done
equal "another's host" "$(ask other.local)" 10.9.0.2
equal "on a link that is named" "$(ask other.local +mdns=a0)" 10.9.0.2
equal "the types of services" "$(ask -t PTR _services._dns-sd._udp.local)" _http._tcp.local.
equal "one of them" "$(ask -t PTR _http._tcp.local)" 'Front\032Door._http._tcp.local.'
equal "where it is" "$(ask -t SRV 'Front\032Door._http._tcp.local')" "0 0 8080 other.local."
contains "all of it in one reply" "$("$wholenet" lookup -t PTR _http._tcp.local | grep -v '^;' | tr '\t\n' '  ')" "IN A 10.9.0.2"
equal "as JSON" "$("$wholenet" lookup +json other.local | python3 -c '
import json, sys
m = json.load(sys.stdin); print(m["QNAME"], m["answerRRs"][0]["rdataA"])')" "other.local. 10.9.0.2"
capture "$wholenet" lookup +timeout=2 nobody.local
equal "nobody: silence" "$status" 4
contains "is called so" "$out" "nobody on the link has answered"
capture "$wholenet" lookup +mdns=nosuch0 other.local
equal "a link that is not there" "$status" 4
contains "is named" "$err" nosuch0
capture "$wholenet" lookup @10.9.0.2 +timeout=1 +tries=1 other.local
equal "who names a server asks that one" "$status" 4
exec 9>&-
for _ in $(seq 50); do [ -z "$(ask other.local +timeout=1 2>/dev/null)" ] && break; sleep 0.2; done
equal "after its goodbye it is gone" "$(ask other.local +timeout=2 2>/dev/null)" ""
finish
