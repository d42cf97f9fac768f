#!/bin/sh
# SPDX-License-Identifier: ISC
# WebDAV by two workers: a lock that one of them has given holds with the other, and of many at once one is given.
. tests/lib.sh

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
mkdir -p "$tmp/www/dav"
cat >"$tmp/site.conf" <<SITE
workers = 2
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$port"}
    root = "$tmp/www"
    location "/dav/" { webdav = on }
}
SITE
"$wholenet" serve "$tmp/site.conf" 2>"$tmp/log" &
server=$!
children="$children $server"
wait_for curl -sf "http://127.0.0.1:$port/.wholenet/healthz" || cat "$tmp/log"
contains "OPTIONS: class 2" "$(curl -s -D - -o /dev/null -X OPTIONS "http://127.0.0.1:$port/dav/" | tr -d '\r')" "DAV: 1, 2"
if command -v litmus >/dev/null; then
    (cd "$tmp" && litmus "http://127.0.0.1:$port/dav/" >"$tmp/litmus.log" 2>&1)
    equal "litmus: basic, copymove, props, locks, http" "$(grep -c 'FAIL' "$tmp/litmus.log")" 0
    equal "… all of them" "$(grep -c '^<- summary' "$tmp/litmus.log")" 5
    grep -E 'FAIL|WARNING|summary' "$tmp/litmus.log" | sed 's/^/# /'
else
    skip "litmus" "litmus is not here"
fi
cat >"$tmp/many.py" <<'PY'
import http.client, sys, threading
port, rounds, count = int(sys.argv[1]), 20, 16
body = ('<?xml version="1.0"?><lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope>'
        '<locktype><write/></locktype></lockinfo>')
peers = [http.client.HTTPConnection("127.0.0.1", port, timeout=30) for _ in range(count)]
def ask(peer, method, path, body=None, fields={}):
    peer.request(method, path, body, fields)
    answer = peer.getresponse()
    answer.read()
    return answer
wrong = []
for i in range(rounds):
    path, got = f"/dav/file{i}", [None] * count
    start = threading.Barrier(count)
    def run(k):
        start.wait()
        got[k] = ask(peers[k], "LOCK", path, body, {"Timeout": "Second-60"})
    threads = [threading.Thread(target=run, args=(k,)) for k in range(count)]
    for t in threads: t.start()
    for t in threads: t.join()
    given = [a for a in got if a.status in (200, 201)]
    if len(given) != 1 or any(a.status != 423 for a in got if a not in given):
        wrong.append(("given", [a.status for a in got]))
        continue
    token = given[0].getheader("Lock-Token")
    put = [ask(p, "PUT", path, "x").status for p in peers]
    if set(put) != {423}:
        wrong.append(("without", put))
    put = [ask(p, "PUT", path, "x", {"If": f"({token})"}).status for p in peers]
    if set(put) != {204}:
        wrong.append(("with", put))
    gone = ask(peers[i % count], "UNLOCK", path, None, {"Lock-Token": token}).status
    put = [ask(p, "PUT", path, "x").status for p in peers]
    if gone != 204 or set(put) != {204}:
        wrong.append(("after", gone, put))
print(wrong or "well")
PY
equal "of 16 at once one is given, which holds everywhere" "$(python3 "$tmp/many.py" $port)" well
kill $server
wait $server
equal "it ends well" $? 0
finish
