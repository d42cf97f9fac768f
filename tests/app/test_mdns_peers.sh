#!/bin/sh
# SPDX-License-Identifier: ISC
# Multicast DNS between two network namespaces that a cable joins: what another program (python3-zeroconf)
# announces is found by `wholenet lookup` and by who asks our name server, and it finds what a site announces;
# conflicts, links that come and addresses that change. TAP.
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
run_there() { exec nsenter -t "$other" -n "$@"; } # in the background: so that $! is its own
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
run_there "$peer_python" tests/support/mdns_peer.py 10.9.0.2 announce other "Front Door" 8080 <"$tmp/end" >"$tmp/peer" 2>&1 &
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

# A site that announces itself, under a name that the other has.
port=$((20000 + ($$ + 7000) % 12000))
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
control = "mdns-$$"
workers = 2
names { listen = "127.0.0.1:$port" resolve = none local = mdns }
mdns { host = "garden" service = {"_http._tcp 8000 Front Door; path=/; v=1", "_ipp._tcp 631"} }
END
"$wholenet" serve "$tmp/site.conf" >"$tmp/log" 2>&1 &
site=$!
children="$children $site"
for _ in $(seq 60); do grep -q "Front.* is ours" "$tmp/log" && break; sleep 0.1; done
for _ in $(seq 60); do grep -q "garden.local. is ours" "$tmp/log" && break; sleep 0.1; done
contains "a host's name is ours" "$(cat "$tmp/log")" "a0: garden.local. is ours"
contains "one that another has is not taken" "$(cat "$tmp/log")" 'a0: Front\032Door\032\(2\)._http._tcp.local. is ours'
there "$peer_python" tests/support/mdns_peer.py 10.9.0.2 browse _http._tcp.local. 4 >"$tmp/browse"
contains "another finds our service" "$(cat "$tmp/browse")" "Front Door (2)._http._tcp.local. garden.local. 8000 10.9.0.1 path=/ v=1"
contains "as it finds its own" "$(cat "$tmp/browse")" "Front Door._http._tcp.local. other.local. 8080 10.9.0.2 path=/"
equal "we see both" "$(ask -t PTR _http._tcp.local | sort)" 'Front\032Door._http._tcp.local.
Front\032Door\032\(2\)._http._tcp.local.'
equal "and all types" "$(ask -t PTR _services._dns-sd._udp.local | sort)" '_http._tcp.local.
_ipp._tcp.local.'
equal "a service without a name has the host's" "$(ask -t PTR _ipp._tcp.local)" "garden._ipp._tcp.local."
equal "an address of the link that nobody has" "$(ask -x 169.254.7.7 +timeout=1 2>/dev/null)" ""
dns() { "$wholenet" lookup "@127.0.0.1" -p "$port" +short +timeout=5 +tries=1 "$@"; }
equal "who asks our name server" "$(dns other.local)" 10.9.0.2
equal "is told the same" "$(dns -t PTR _http._tcp.local | sort)" 'Front\032Door._http._tcp.local.
Front\032Door\032\(2\)._http._tcp.local.'
equal "also of our own host" "$(dns garden.local)" 10.9.0.1
capture dns nobody.local
equal "of nobody there is nothing" "$status" 1
capture dns -t TXT garden.local
equal "nor of a type that a host has not" "$status" 1
equal "by TCP as well" "$(dns +tcp other.local)" 10.9.0.2
command -v dig >/dev/null && equal "dig is told so" \
    "$(dig @127.0.0.1 -p "$port" -t A nobody.local +time=5 | grep -o 'status: [A-Z]*')" "status: NXDOMAIN"
equal "the status tells of links and names" "$("$wholenet" status --json "mdns-$$" | python3 -c '
import json, sys
links = json.load(sys.stdin)["services"]["mdns"]
print([(l["link"], n["state"]) for l in links for n in l["names"] if n["name"] == "garden.local."], links[0]["records"] > 0)')" \
    "[('a0', 'held')] True"
"$wholenet" check --builtin | sed 's/^names {/&\n    local = mdns/' >"$tmp/run.conf"
if "$wholenet" run -c "$tmp/run.conf" -- true 2>"$tmp/run.log"; then
    equal "a program in a network of its own" \
        "$("$wholenet" run -c "$tmp/run.conf" -- "$wholenet" lookup @10.0.2.1 +short +timeout=5 other.local 2>&1)" 10.9.0.2
else
    sed 's/^/# /' "$tmp/run.log"
    skip "a program in a network of its own" "it cannot have one here"
fi
ip addr add 10.9.0.3/24 dev a0
for _ in $(seq 8); do [ "$(ask garden.local | sort | tail -1)" = 10.9.0.3 ] && break; sleep 0.5; done
equal "an address more" "$(ask garden.local | sort | tr '\n' ' ')" "10.9.0.1 10.9.0.3 "
# Who waits for an answer while links change is not told at once that there is none.
"$wholenet" lookup "@127.0.0.1" -p "$port" +timeout=6 +tries=1 +nocmd late.local >"$tmp/late" 2>&1 &
late=$!
sleep 0.5
ip addr add 10.9.0.4/24 dev a0
wait "$late"
took=$(sed -n 's/^;; Query time: \([0-9]*\) msec/\1/p' "$tmp/late")
check "a question is not given up when links change" [ "${took:-0}" -ge 2500 ]
ip addr del 10.9.0.4/24 dev a0
ip link add c0 type veth peer name d0
ip addr add 10.8.0.1/24 dev c0
ip addr add 10.8.0.2/24 dev d0
ip link set d0 up
ip link set c0 up
for _ in $(seq 50); do grep -q "c0: Front.*Door._http.* is ours" "$tmp/log" && break; sleep 0.2; done
contains "a link more, where nobody has the name" "$(cat "$tmp/log")" 'c0: Front\032Door._http._tcp.local. is ours'
for _ in $(seq 50); do grep -q "d0: garden.* is ours" "$tmp/log" && break; sleep 0.2; done
contains "and its other end, which is the host's own" "$(cat "$tmp/log")" "d0: garden.local. is ours"
equal "nobody has made way for himself" "$(grep -c 'garden-2' "$tmp/log")" 0
run_there "$peer_python" tests/support/mdns_peer.py 10.9.0.2 browse _http._tcp.local. 8 >"$tmp/browse" &
browser=$!
for _ in $(seq 40); do grep -q "^+ Front Door (2)" "$tmp/browse" && break; sleep 0.1; done
kill "$site"
wait "$site"
equal "it ends" "$?" 0
wait "$browser"
contains "and another hears its goodbye" "$(cat "$tmp/browse")" "- Front Door (2)._http._tcp.local."
exec 9>&-
sleep 1.5
equal "after its goodbye it is gone" "$(ask other.local +timeout=2 2>/dev/null)" ""
finish
