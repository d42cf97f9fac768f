#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet run --proxy: what a program asks of port 80 outside comes by a cache, of which it knows nothing. The
# outside is a network namespace with addresses of its own.
if [ "${1:-}" != inside ]; then
    . tests/lib.sh
    if ! unshare -n true 2>/dev/null; then
        skip "a cache that nobody knows of" "no network namespaces here"
        finish
    fi
    exec unshare -n sh "$0" inside
fi
. tests/lib.sh
ip link set lo up
ip address add 192.0.2.1/32 dev lo
ip address add 192.0.2.2/32 dev lo
cat >"$tmp/server.py" <<'SERVER'
import http.server, sys, threading
counts = {}
class H(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        key = (self.server.server_address[0], self.path)
        counts[key] = counts.get(key, 0) + 1
        body = f"{key[0]} {counts[key]} {self.headers.get('Via', '-')}".encode()
        if self.path == "/big":
            body = b"x" * 5000000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=100")
        self.end_headers()
        self.wfile.write(body)
    def do_POST(self):
        body = str(len(self.rfile.read(int(self.headers["Content-Length"])))).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a): pass
for address, port in (("192.0.2.1", 80), ("192.0.2.2", 80), ("192.0.2.1", 8080), ("127.0.0.1", 80)):
    threading.Thread(target=http.server.ThreadingHTTPServer((address, port), H).serve_forever).start()
SERVER
python3 "$tmp/server.py" >>"$tmp/children.log" 2>&1 &
children="$children $!"
wait_for python3 -c "import socket; socket.create_connection(('192.0.2.2', 80))"

cat >"$tmp/inside.sh" <<'INSIDE'
get() { curl -sS --max-time 10 "$@"; echo; }
get http://192.0.2.1/a
get http://192.0.2.1/a
get http://192.0.2.1:8080/a
get -H 'Host: 192.0.2.2' http://192.0.2.1/b
get http://192.0.2.2/b
get http://192.0.2.2/b
get -H 'Host: nowhere.invalid' http://192.0.2.1/c
get -H 'Host: nowhere.invalid' http://192.0.2.1/c
get http://192.0.2.1/big | wc -c
head -c 300000 /dev/zero | get -X POST --data-binary @- http://192.0.2.1/post
get http://10.0.2.2/host
get -0 -H Host: http://192.0.2.1/a
curl -sS -o /dev/null -w '%{http_code}\n' --max-time 5 http://192.0.2.3/
get -D - -o /dev/null http://192.0.2.1/a | tr -d '\r' | grep -c '^Age:'
INSIDE
"$wholenet" run --proxy on -- sh "$tmp/inside.sh" >"$tmp/out" 2>"$tmp/err"
line() {
    sed -n "$1p" "$tmp/out"
}
contains "a request outside goes by the proxy" "$(line 1)" "192.0.2.1 1 1.1 "
equal "… and is answered by what is stored" "$(line 2)" "$(line 1)"
equal "other ports are let alone" "$(line 3)" "192.0.2.1 2 -"
contains "one that names another host goes where it was going" "$(line 4)" "192.0.2.1 1 "
contains "… and is not what others get of that host" "$(line 5)" "192.0.2.2 1 "
equal "… who get what is stored of it" "$(line 6)" "$(line 5)"
contains "a name without an address: it goes there" "$(line 7)" "192.0.2.1 1 "
contains "… and nothing is stored" "$(line 8)" "192.0.2.1 2 "
equal "a large answer" "$(line 9)" 5000001
equal "content" "$(line 10)" 300000
equal "the host's loopback is let alone" "$(line 11)" "127.0.0.1 1 -"
equal "a client that names no host" "$(line 12)" "$(line 1)"
equal "an address that is not there" "$(line 13)" 502
equal "what is stored has an age" "$(line 14)" 1
[ "$results" = 14 ] && [ "$failures" = 0 ] || sed 's/^/# /' "$tmp/err" | head -20

mkdir "$tmp/cache"
"$wholenet" run --proxy on --proxy-disk "$tmp/cache" -- curl -sS http://192.0.2.1/kept >"$tmp/first"
equal "with a directory it outlives the run" \
    "$("$wholenet" run --proxy on --proxy-disk "$tmp/cache" -- sh -c 'sleep 0.5; curl -sS http://192.0.2.1/kept')" "$(cat "$tmp/first")"
equal "without the option nothing is stored" "$("$wholenet" run -- curl -sS http://192.0.2.1/plain)" "192.0.2.1 1 -"
printf 'proxy { transparent = on }\n' >"$tmp/bad.conf"
out=$("$wholenet" check "$tmp/bad.conf" 2>&1)
contains "a site file without a gateway" "$out" "expected a gateway and no servers"
finish
