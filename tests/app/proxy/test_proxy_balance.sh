#!/bin/sh
# SPDX-License-Identifier: ISC
# Several servers behind a proxy: asked whether they are well, left out, back, by weight, by cookie.
. tests/lib.sh

set -- $(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(5)]
print(*[x.getsockname()[1] for x in s])')
one=$1 two=$2 three=$3 proxy=$4 sticky=$5
listens() {
    wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $1))" || echo "# nobody listens on port $1"
}
# /who is the server's name; /healthy is 200 or what the file says.
cat >"$tmp/server.py" <<'SERVER'
import http.server, os, sys
name, port, said = sys.argv[1], int(sys.argv[2]), sys.argv[3]
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        healthy = open(said).read().strip() if os.path.exists(said) else "200"
        body = name.encode()
        self.send_response(int(healthy) if self.path == "/healthy" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)
    do_POST = do_GET
    def log_message(self, *a): pass
http.server.ThreadingHTTPServer(("127.0.0.1", port), H).serve_forever()
SERVER
server() { # NAME PORT; sets $pid
    python3 "$tmp/server.py" "$1" "$2" "$tmp/said-$1" >>"$tmp/children.log" 2>&1 &
    pid=$!
    children="$children $pid"
    listens "$2"
}
server a "$one"
a_pid=$pid
server b "$two"
server c "$three"
site() { # NAME PORT OPTIONS
    printf 'link "host" { address = "127.0.0.1/8" }\nproxy { listen = {"127.0.0.1:%s"} name = %s\n%s\n}\n' "$2" "$1" "$3" >"$tmp/$1.conf"
    "$wholenet" serve "$tmp/$1.conf" >>"$tmp/children.log" 2>&1 &
    pid=$!
    children="$children $pid"
    listens "$2"
}
site sticky "$sticky" "servers = {\"127.0.0.1:$one\", \"127.0.0.1:$two\", \"127.0.0.1:$three\"} balance = cookie"
site plain "$proxy" "servers = {\"127.0.0.1:$one weight=3\", \"127.0.0.1:$two\", \"127.0.0.1:$three backup\"}
    health = \"/healthy 200ms timeout=1s rise=2 fall=2\""
who() { # COUNT
    for _ in $(seq "$1"); do
        curl -sS "http://127.0.0.1:$proxy/who"
    done | fold -w1 | sort | tr -d '\n'
}
state() { # of the servers, as 1 and 0
    "$wholenet" status --json "$pid" | python3 -c "import json, sys
print(*(int(s['up']) for s in json.load(sys.stdin)['services']['proxy']['servers']))"
}
becomes() {
    for _ in $(seq 100); do
        [ "$(state)" = "$1" ] && return
        sleep 0.05
    done
    return 1
}
equal "by weight, and no backup" "$(who 8)" aaaaaabb
equal "a server behind health checks is up" "$(state)" "1 1 1"
echo 503 >"$tmp/said-a"
check "one that says that it is not well is out" becomes "0 1 1"
equal "… and gets nothing" "$(who 4)" bbbb
echo 503 >"$tmp/said-b"
check "when all are" becomes "0 0 1"
equal "… the backup has it" "$(who 3)" ccc
rm "$tmp/said-a" "$tmp/said-b"
check "they come back" becomes "1 1 1"
equal "… and get their share" "$(who 8)" aaaaaabb
kill "$a_pid"
wait "$a_pid" 2>/dev/null
check "one that is gone is found out" becomes "0 1 1"
equal "… without a request that failed" "$(who 3)" bbb

jar="$tmp/jar"
first=$(curl -sS -c "$jar" "http://127.0.0.1:$sticky/who")
check "a cookie brings to the same server" [ "$(for _ in 1 2 3 4; do curl -sS -b "$jar" "http://127.0.0.1:$sticky/who"; done)" = "$first$first$first$first" ]
contains "… which scripts do not see" "$(curl -sS -D - -o /dev/null "http://127.0.0.1:$sticky/who")" "HttpOnly; SameSite=Lax"
equal "… and which is set once" "$(curl -sS -D - -o /dev/null -b "$jar" "http://127.0.0.1:$sticky/who" | grep -ci set-cookie)" 0
equal "one that is made up is none" "$(curl -sS -D - -o /dev/null -H 'Cookie: wn-server=0123456789abcdef' "http://127.0.0.1:$sticky/who" | grep -ci set-cookie)" 1
out=$(printf 'proxy { servers = {"127.0.0.1 weight=0"} }\n' >"$tmp/bad.conf"; "$wholenet" check "$tmp/bad.conf" 2>&1)
contains "a weight that is none" "$out" "with weight=N or backup behind"
for bad in "healthy 5s" "/h 5" "/h timeout=x" "/h status=99" "/h rise=0"; do
    printf 'proxy { servers = {"127.0.0.1"} health = "%s" }\n' "$bad" >"$tmp/bad.conf"
    out=$("$wholenet" check "$tmp/bad.conf" 2>&1)
    contains "a check that is none: $bad" "$out" "a path and an interval"
done
finish
