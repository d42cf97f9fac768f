#!/bin/sh
# SPDX-License-Identifier: ISC
# What listens on the proxy's own loopback is for clients on that host alone: asked for, stored, on a
# connection that waits, or on its way for somebody else. In a network namespace of its own.
if [ "${1:-}" != inside ]; then
    . tests/lib.sh
    if ! unshare -rn true 2>/dev/null; then
        skip "who may ask for the loopback" "no network namespaces here"
        finish
    fi
    exec unshare -rn sh "$0" inside
fi
. tests/lib.sh
ip link set lo up
ip address add 192.0.2.1/32 dev lo

start() {
    "$@" >>"$tmp/children.log" 2>&1 &
    children="$children $!"
}
start python3 tests/support/origin_server.py 8001
cat >"$tmp/site.conf" <<SITE
link "host" { address = "127.0.0.1/8" }
proxy { listen = {"0.0.0.0:3128"} allow = {"everybody"} connect-ports = {8001} }
SITE
start "$wholenet" serve "$tmp/site.conf"
for port in 8001 3128; do
    wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $port))"
done
near() {
    curl -sS --max-time 10 -x http://127.0.0.1:3128 "$@"
}
far() { # whose address is not of the loopback
    curl -sS --max-time 10 --interface 192.0.2.1 -x http://192.0.2.1:3128 "$@"
}
status="-o /dev/null -w %{http_code}"
at=http://127.0.0.1:8001
stored="$at/s?body=s&h=Cache-Control:max-age=100"
equal "a client on this host may ask for its loopback" "$(near "$at/x?body=x&h=Cache-Control:no-store")" x1
equal "one from elsewhere may not, on a connection that waits for it either" "$(far $status "$at/x")" 403
equal "what is stored" "$(near "$stored"; near "$stored")" s1s1
equal "… is not for it" "$(far $status "$stored"; far -I $status "$stored"; far -r 0-0 $status "$stored")" 403403403
equal "… by no name" "$(near "http://localhost:8001/n?body=n&h=Cache-Control:max-age=9"
    far $status "http://localhost:8001/n?body=n&h=Cache-Control:max-age=9")" n1403
equal "what is of the proxy's links alone is for it alone, too" "$(near $status http://169.254.169.254/; far $status http://169.254.169.254/)" 502403
near "$at/w?wait=1&body=w&h=Cache-Control:max-age=9" >"$tmp/waiting" &
waiting=$!
equal "… and what is on its way is not either" "$(far $status "$at/w?wait=1&body=w&h=Cache-Control:max-age=9")" 403
wait $waiting
equal "… which goes on to who may have it" "$(cat "$tmp/waiting")" w1
equal "a tunnel" "$(near -p "$at/t?body=t"; far -p -o /dev/null -w '%{http_connect}' "$at/t" 2>/dev/null)" t1403
far -m 0.3 -o /dev/null "$at/gone?wait=1&h=Cache-Control:max-age=9" 2>/dev/null
equal "who goes away early does not get it asked for" "$(near "$at/gone?h=Cache-Control:max-age=9")" 1
finish
