#!/bin/sh
# SPDX-License-Identifier: ISC
# Locations that servers behind answer: paths, fields, content both ways, other protocols, by HTTP/1 and HTTP/2.
. tests/lib.sh

set -- $(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*[x.getsockname()[1] for x in s])')
origin=$1 second=$2 dead=$3 port=$4
at=http://127.0.0.1:$port
listens() {
    wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $1))" || echo "# nobody listens on port $1"
}
start() {
    "$@" >>"$tmp/children.log" 2>&1 &
    pid=$!
    children="$children $pid"
}
start python3 tests/support/origin_server.py "$origin"
start python3 tests/support/origin_server.py "$second"
mkdir -p "$tmp/www"
echo own >"$tmp/www/own.txt"
site() {
    cat >"$tmp/web.conf" <<SITE
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$port"} root = "$tmp/www"
    location "/api/" { pass = {"http://127.0.0.1:$origin"} $1 }
    location "/v/" { pass = {"http://127.0.0.1:$origin/echo/"} }
    location "= /echo" { pass = {"127.0.0.1:$origin"} }
    location "/host/" { pass = {"http://127.0.0.1:$origin/echo?/"} }
    location "/kept/" { pass = {"127.0.0.1:$origin"} pass-keep-host = on }
    location "/cached/" { pass = {"127.0.0.1:$origin"} pass-cache = 16M }
    location "/both/" { pass = {"127.0.0.1:$dead", "127.0.0.1:$origin", "127.0.0.1:$second"} }
    location "/sticky/" { pass = {"127.0.0.1:$origin", "127.0.0.1:$second"} pass-balance = cookie }
    location "/dead/" { pass = {"127.0.0.1:$dead"} }
    location "/closed/" { pass = {"127.0.0.1:$origin"} access = {"deny all"} }
    location "/api/own/" { pass = {none} }
}
SITE
}
site ""
sed -i '/location "\/host\/"/d' "$tmp/web.conf"
start "$wholenet" serve "$tmp/web.conf"
web=$pid
for p in "$origin" "$second" "$port"; do
    listens "$p"
done
get() {
    curl -sS --max-time 10 "$@"
}
code() {
    get -o /dev/null -w '%{http_code}' "$@"
}
two=--http2-prior-knowledge

# ---- what is asked for ----

equal "a request goes on, and its answer back" "$(get "$at/api/a?body=a")" a1
contains "files beside are files" "$(get "$at/own.txt")" own
out=$(get -H 'X-Forwarded-For: 10.9.9.9' -H 'Connection: X-Hop' -H 'X-Hop: 1' -H 'X-End: 2' "$at/echo?q=%20x")
contains "its path and query" "$out" "GET /echo?q=%20x HTTP/1.1"
contains "… the server's own name" "$out" "Host: 127.0.0.1:$origin"
contains "… and on whose behalf" "$out" "X-Forwarded-For: 10.9.9.9, 127.0.0.1"
contains "… in the standard way, too" "$out" "Forwarded: for=127.0.0.1;host="
contains "… fields go along" "$out" "X-End: 2"
equal "an answer has one Date, the server's" "$(for v in --http1.1 $two; do get $v -o /dev/null -D - "$at/api/d" | grep -ci '^date:'; done)" "1
1"
equal "… but those of the connection" "$(echo "$out" | grep -ci '^X-Hop')" 0
cat >"$tmp/see.py" <<'SEE'
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    c, _ = s.accept()
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        d = c.recv(1)
        if not d: break
        head += d
    body = head.split(b"\r\n")[0].split(b" ")[1] if head else b""
    c.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nLocation: http://127.0.0.1:%s/in/there?x\r\nContent-Length: %d\r\n\r\n" % (sys.argv[1].encode(), len(body)) + body)
    c.close()
SEE
see=$(python3 -c 'import socket; print(socket.create_server(("127.0.0.1", 0)).getsockname()[1])')
start python3 "$tmp/see.py" "$see"
listens "$see"
sed -i "/location \"\/v\/\"/c location \"/v/\" { pass = {\"http://127.0.0.1:$see/in/\"} }\nlocation \"/w/\" { pass = {\"http://127.0.0.1:$see\"} }" "$tmp/web.conf"
reload "$web" "$tmp/children.log"
sees() {
    get --path-as-is "$at$1"
}
equal "a prefix gives way to another" "$(sees /v/x/y?z=1)" "/in/x/y?z=1"
equal "… also when it is written otherwise" "$(sees /a/../%76/x%20%c3%a4)" "/in/x%20%C3%A4"
equal "what needs no other form stays as it is" "$(sees '/v/a%3Bb;c%41')" "/in/a%3Bb;cA"
equal "… which nobody leaves" "$(sees /v/a/../../w/secret)" "/w/secret"
equal "… by dots in other clothes" "$(sees /v/%2e%2e/w/x)" "/w/x"
contains "Location is what the client knows" "$(get -o /dev/null -D - "$at/v/x")" "Location: /v/there?x"
contains "… also without another prefix" "$(get -o /dev/null -D - "$at/w/x")" "Location: /in/there?x"
contains "the client's Host if it is wished" "$(get -H 'Host: a.example' "$at/kept/x?wait=0" >/dev/null; echo yes)" yes

# ---- content ----

head -c 5000000 /dev/urandom >"$tmp/upload"
sed -i "s|location \"= /echo\"|location \"= /length\" { pass = {\"127.0.0.1:$origin\"} }\n&|" "$tmp/web.conf"
reload "$web" "$tmp/children.log"
equal "a large upload" "$(get -T "$tmp/upload" "$at/length")" 5000000
equal "… in chunks" "$(get -H 'Transfer-Encoding: chunked' -T - "$at/length" <"$tmp/upload")" 5000000
equal "… with 100-continue" "$(get -H 'Expect: 100-continue' -T "$tmp/upload" "$at/length")" 5000000
equal "… by HTTP/2" "$(get $two -T "$tmp/upload" "$at/length")" 5000000
equal "a large answer" "$(get "$at/api/big?size=30000000" | wc -c)" 30000000
equal "… in chunks" "$(get "$at/api/c?size=300000&chunked=1" | wc -c)" 300000
equal "… by HTTP/2" "$(get $two "$at/api/big2?size=3000000" | wc -c)" 3000000
equal "… to a client of 1.0" "$(get -0 "$at/api/c0?size=300000&chunked=1" | wc -c)" 300000
equal "HEAD" "$(get -I "$at/api/h?size=7" | tr -d '\r' | sed -n 's/^Content-Length: //Ip')" 7
equal "an answer without content" "$(code "$at/api/n?status=204")" 204
equal "a body that breaks off is not taken for whole" \
    "$(get -o /dev/null "$at/api/cut?size=1000&cut=10" 2>/dev/null || echo broken)" broken
equal "… by HTTP/2, too" "$(get $two -o /dev/null "$at/api/cut2?size=1000&cut=10" 2>/dev/null || echo broken)" broken
contains "103 is passed on at once" "$(get -o /dev/null -D - "$at/api/early?early=1")" "103 Early Hints"
trailers() { # PATH FIELDS…: what follows the last chunk
    python3 -c "import socket, sys
s = socket.create_connection(('127.0.0.1', $port))
s.sendall(''.join(x + '\\r\\n' for x in ['GET ' + sys.argv[1] + ' HTTP/1.1', 'Host: x', 'Connection: close', *sys.argv[2:], '']).encode())
d = b''
while (p := s.recv(65536)): d += p
print((d.decode().split('\\r\\n0\\r\\n') + ['\\r\\n'])[1].replace('\\r\\n', '|'))" "$@"
}
equal "trailers go to who wants them (RFC 9110 6.5.1)" "$(trailers '/api/t?trailer=X-Sum:7&body=t' 'TE: trailers')" "X-Sum:7||"
equal "… only to such" "$(trailers '/api/t?trailer=X-Sum:7&body=t')" "|"
equal "… also from the cache" "$(for i in 1 2; do trailers '/cached/t?trailer=X-Sum:7&h=Cache-Control:max-age=100' 'TE: deflate, trailers'; done)" "X-Sum:7||
X-Sum:7||"
equal "… by HTTP/2" "$(get $two -v -o /dev/null "$at/api/t2?trailer=X-Sum:7&body=t" 2>&1 | tr -d '\r' | grep -i '^< x-sum')" "< x-sum: 7"
equal "… and not with what has no place there" "$(trailers '/api/t?trailer=Cache-Control:max-age%3D7&body=t' 'TE: trailers')" "|"
resident() {
    awk '/VmRSS/ {print $2}' "/proc/$web/status"
}
before=$(resident)
get --limit-rate 100k --max-time 3 -o /dev/null "$at/api/endless?size=300000000&chunked=1" 2>/dev/null
grown=$(($(resident) - before))
[ "${VARIANT:-}" = asan ] || check "a slow reader does not fill the memory ($grown KiB)" [ "$grown" -lt 8192 ]
equal "another protocol follows an upgrade" "$(python3 -c "import socket
s = socket.create_connection(('127.0.0.1', $port))
s.sendall(b'GET /api/ws HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n')
d = b''
while not d.endswith(b'\r\n\r\n'): d += s.recv(1)
s.sendall(b'hello'); print(d[9:12].decode(), s.recv(5).decode())
s.sendall(b'x' * 300000); n = 0
while n < 300000: n += len(s.recv(65536))
s.shutdown(socket.SHUT_WR); print(s.recv(1) == b'')")" "101 hello
True"

# ---- which server ----

equal "a server that is dead is passed over" \
    "$(for i in 1 2 3 4 5 6; do get "$at/both/rr?body=s"; done | tr -d '0-9')" ssssss
first=$(get -c "$tmp/jar" "$at/sticky/who?body=x")
equal "a cookie brings to the same server" "$(for i in 2 3 4; do get -b "$tmp/jar" "$at/sticky/who?body=x"; done)" x2x3x4
equal "all dead: 502" "$(code "$at/dead/x")" 502
equal "what is stored answers" "$(for i in 1 2; do get "$at/cached/s?body=s&h=Cache-Control:max-age=100"; done)" s1s1
equal "… only where it is wished" "$(for i in 1 2; do get "$at/api/s2?body=s&h=Cache-Control:max-age=100"; done)" s1s2
equal "rules hold before" "$(code "$at/closed/x")" 403
equal "TRACE: 405" "$(code -X TRACE "$at/api/x")" 405

# ---- a reload ----

get "$at/api/slow?wait=1.5&body=slow" >"$tmp/slow" &
slow=$!
sleep 0.3
sed -i "s|location \"/api/\" { pass = {\"http://127.0.0.1:$origin\"}|location \"/api/\" { pass = {\"http://127.0.0.1:$second\"}|" "$tmp/web.conf"
reload "$web" "$tmp/children.log"
equal "after a reload another server answers" "$(get "$at/api/a?body=a")" a1
wait $slow
equal "… and what is under way ends as it began" "$(cat "$tmp/slow")" slow1
kill "$web"
wait "$web" 2>/dev/null
equal "it ends in order" $? 0
for bad in "ftp://x" "http://x/a?b" "x weight=0" "x/"; do
    printf 'web { location "/" { pass = {"%s"} } }\n' "$bad" >"$tmp/bad.conf"
    out=$("$wholenet" check "$tmp/bad.conf" 2>&1)
    contains "servers that are none: $bad" "$out" "expected servers such as http://10.0.0.5:8000"
done
finish
