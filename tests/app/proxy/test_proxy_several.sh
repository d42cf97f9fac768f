#!/bin/sh
# SPDX-License-Identifier: ISC
# Several proxies in one site file: each with its own cache, servers and log; a reload changes one of them.
. tests/lib.sh

set -- $(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*[x.getsockname()[1] for x in s])')
origin=$1 forward=$2 reverse=$3 third=$4
at=http://127.0.0.1:$origin
listens() {
    wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $1))" || echo "# nobody listens on port $1"
}
start() {
    "$@" >>"$tmp/children.log" 2>&1 &
    pid=$!
    children="$children $pid"
}
start python3 tests/support/origin_server.py "$origin"
site() { # OPTIONS of the second
    cat >"$tmp/site.conf" <<SITE
link "host" { address = "127.0.0.1/8" }
proxy { listen = {"127.0.0.1:$forward"} name = forward access-log = "$tmp/forward.log" disk = "$tmp/cache" }
proxy { listen = {"127.0.0.1:$reverse"} $1 access-log = "$tmp/reverse.log" }
$2
SITE
}
site "name = reverse servers = {\"127.0.0.1:$origin\"}" "proxy { listen = {\"127.0.0.1:$third\"} name = third cache = 0 }"
start "$wholenet" serve "$tmp/site.conf"
for port in "$origin" "$forward" "$reverse" "$third"; do
    listens "$port"
done
get() {
    curl -sS --max-time 10 "$@"
}
ok100="h=Cache-Control:max-age=100"
equal "the first" "$(for i in 1 2; do get -x "http://127.0.0.1:$forward" "$at/a?body=a&$ok100"; done)" a1a1
equal "… the second, with a cache of its own" "$(for i in 1 2; do get -H "Host: 127.0.0.1:$origin" "http://127.0.0.1:$reverse/a?body=a&$ok100"; done)" a2a2
equal "… the third, with none" "$(for i in 1 2; do get -x "http://127.0.0.1:$third" "$at/a?body=a&$ok100"; done)" a3a4
equal "the status tells of each" "$("$wholenet" status --json "$pid" | python3 -c "import json, sys
s = json.load(sys.stdin)['services']
print(s['proxy']['hits'], *(f'{n}:{p[\"hits\"]}' for n, p in s['proxies'].items()))")" "1 forward:1 reverse:1 third:0"
site "name = other servers = {\"127.0.0.1:$origin\"}" "proxy { listen = {\"127.0.0.1:$third\"} name = third cache = 0 }"
reload "$pid" "$tmp/children.log"
contains "a reload changes one" "$(get -o /dev/null -D - -H "Host: 127.0.0.1:$origin" "http://127.0.0.1:$reverse/a?body=a&$ok100")" '"other"; hit'
contains "… and not the others" "$(get -o /dev/null -D - -x "http://127.0.0.1:$forward" "$at/a?body=a&$ok100")" '"forward"; hit'
sleep 1.1
equal "each has its log" "$(grep -c 'GET ' "$tmp/forward.log") $(grep -c 'GET ' "$tmp/reverse.log")" "3 3"
site "name = reverse servers = {\"127.0.0.1:$origin\"}" ""
reload "$pid" "$tmp/children.log"
equal "one less: it is gone" "$(get "http://127.0.0.1:$third/" 2>/dev/null; echo $?)" 7
contains "… and the others go on" "$(get -o /dev/null -D - -H "Host: 127.0.0.1:$origin" "http://127.0.0.1:$reverse/a?body=a&$ok100")" '"reverse"; hit'
site "name = reverse servers = {\"127.0.0.1:$origin\"}" "proxy { listen = {\"127.0.0.1:$third\"} name = again }"
reload "$pid" "$tmp/children.log"
equal "one more: it is there" "$(get -x "http://127.0.0.1:$third" "$at/again?body=g")" g1
contains "… and the others go on" "$(get -o /dev/null -D - -x "http://127.0.0.1:$forward" "$at/a?body=a&$ok100")" '"forward"; hit'
kill "$pid"
wait "$pid" 2>/dev/null
equal "it ends in order" $? 0
for i in 1 2 3 4 5 6 7 8 9; do echo "proxy { listen = {\"127.0.0.1:$((9000 + i))\"} }"; done >"$tmp/many.conf"
contains "too many" "$("$wholenet" check "$tmp/many.conf" 2>&1)" 'more than 8 blocks "proxy"'
{ echo 'proxy { }'; echo 'proxy { balance = odd }'; } >"$tmp/bad.conf"
contains "what is wrong with the second is said" "$("$wholenet" check "$tmp/bad.conf" 2>&1)" ':2: balance "odd"'
finish
