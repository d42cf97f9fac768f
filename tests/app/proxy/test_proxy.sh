#!/bin/sh
# SPDX-License-Identifier: ISC
# The proxy as a site file has it, forward and reverse, with curl before it, an origin that does odd things
# behind it, and nginx and Squid on either side where they are installed.
. tests/lib.sh

free_ports() {
    python3 -c 'import socket, sys
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*[x.getsockname()[1] for x in s])' "$1"
}

# A child that ends with the test; its id in $started.
start() {
    "$@" >>"$tmp/children.log" 2>&1 &
    started=$!
    children="$children $started"
}

listens() {
    for _ in $(seq 100); do
        python3 -c "import socket; socket.create_connection(('127.0.0.1', $1)).close()" 2>/dev/null && return
        sleep 0.05
    done
    echo "# nobody listens on port $1"
}

# Sends what comes in to a port, octet for octet, and prints all that is answered.
raw() {
    python3 -c "import socket, sys
s = socket.create_connection(('127.0.0.1', $1))
s.sendall(sys.stdin.buffer.read())
d = b''
while (p := s.recv(65536)): d += p
print(d.decode('latin-1').replace('\r\n', '|'))"
}

set -- $(free_ports 10)
origin=$1 forward=$2 reverse=$3 second=$4 dead=$5 extra=$6 chain=$7 guarded=$8 squid=$9
shift 9
nginx=$1
at=http://127.0.0.1:$origin
start python3 tests/support/origin_server.py "$origin"
start python3 tests/support/origin_server.py "$second"
echo "ada:$(openssl passwd -6 'love lace')" >"$tmp/users"

site() { # NAME BLOCK
    printf 'link "host" { address = "127.0.0.1/8" }\nproxy {\n%s\n}\n' "$2" >"$tmp/$1.conf"
    start "$wholenet" serve "$tmp/$1.conf"
}
site forward "listen = {\"127.0.0.1:$forward\"} name = forward connect-ports = {$origin}
    access-log = \"$tmp/forward.log\" answer-timeout = 2s connect-timeout = 1s"
forward_pid=$started
site reverse "listen = {\"127.0.0.1:$reverse\"} name = reverse
    servers = {\"127.0.0.1:$origin\", \"127.0.0.1:$dead\", \"127.0.0.1:$second\"}"
site chain "listen = {\"127.0.0.1:$chain\"} name = chain parents = {\"127.0.0.1:$forward\"}"
site guarded "listen = {\"127.0.0.1:$guarded\"} name = guarded users = \"$tmp/users\" realm = \"our realm\""
for port in $origin $second $forward $reverse $chain $guarded; do
    listens "$port"
done

get() {
    curl -sS --max-time 10 -x "http://127.0.0.1:$forward" "$@"
}
fields() {
    get -o /dev/null -D - "$@" | tr -d '\r'
}
code() {
    get -o /dev/null -w '%{http_code}' "$@"
}

# ---- what is stored ----

no="h=Cache-Control:no-store"
ok100="h=Cache-Control:max-age=100"
equal "a response passes" "$(get "$at/a?body=a&$no")" a1
equal "… and is not stored when it must not be" "$(get "$at/a?body=a&$no")" a2
equal "one that may be is" "$(get "$at/b?body=b&$ok100"; get "$at/b?body=b&$ok100")" b1b1
out=$(fields "$at/b?body=b&$ok100")
contains "… and says so" "$out" 'Cache-Status: "forward"; hit; ttl='
contains "… with its age" "$out" 'Age: 0'
contains "… and by whom it came" "$out" 'Via: 1.1 forward'
equal "no-cache asks the origin" "$(get -H 'Cache-Control: no-cache' "$at/b?body=b&$ok100")" b2
equal "an entity tag is validated" "$(get "$at/t?h=Cache-Control:max-age=0&h=ETag:%22x%22"
    get "$at/t?h=Cache-Control:max-age=0&h=ETag:%22x%22")" 11
tagged="$at/u?$ok100&h=ETag:%22y%22&body=z"
equal "a client's own tag gets 304" \
    "$(code -H 'If-None-Match: "y"' "$tagged"; get "$tagged"; code -H 'If-None-Match: "y"' "$tagged")" 304z2304
equal "POST goes through, and what was stored goes" \
    "$(get -d x=y "$at/b?body=b&$ok100")$(get "$at/b?body=b&$ok100")" b3b4
long="$at/r?size=100000&$ok100"
equal "a range of what is stored" "$(get "$long" | wc -c; get -r 5-9 "$long")" "100000
xxxxx"
equal "HEAD is answered by a stored GET" "$(code -I "$long")" 200
equal "a purge" "$(get -X PURGE "$long")" '{"purged": 1}'
equal "only-if-cached without anything stored: 504" "$(code -H 'Cache-Control: only-if-cached' "$at/none")" 504
slow=
for i in 1 2 3 4 5; do
    get "$at/slow?wait=0.7&$ok100" >"$tmp/slow$i" &
    slow="$slow $!"
done
wait $slow
equal "requests at once for the same thing are one" "$(cat "$tmp"/slow?)" 11111

# ---- bodies and framing ----

equal "a chunked response" "$(get "$at/c?size=300000&chunked=1" | wc -c)" 300000
equal "… to a client of 1.0" "$(get -0 "$at/c0?size=300000&chunked=1" | wc -c)" 300000
contains "… with trailers" "$(printf 'GET %s/tr?trailer=X-Sum:7 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "$at" |
    raw "$forward")" "||1|1|0|X-Sum:7||"
equal "a large response" "$(get "$at/big?size=30000000" | wc -c)" 30000000
resident() {
    awk '/VmRSS/ {print $2}' "/proc/$forward_pid/status"
}
before=$(resident)
get --limit-rate 100k --max-time 3 -o /dev/null "$at/endless?size=300000000&chunked=1&$no" 2>/dev/null
grown=$(($(resident) - before))
[ "${VARIANT:-}" = asan ] || check "a slow reader does not fill the memory ($grown KiB)" [ "$grown" -lt 8192 ]
head -c 5000000 /dev/urandom >"$tmp/upload"
equal "a large upload" "$(get -T "$tmp/upload" "$at/length")" 5000000
equal "… in chunks" "$(get -H 'Transfer-Encoding: chunked' -T - "$at/length" <"$tmp/upload")" 5000000
equal "… with 100-continue" "$(get -H 'Expect: 100-continue' -T "$tmp/upload" "$at/length")" 5000000
contains "103 is passed on at once" "$(fields "$at/early?early=1")" "103 Early Hints
Link: </x>; rel=preload"
equal "a body that breaks off is not taken for whole" \
    "$(get "$at/cut?size=1000&cut=10" 2>/dev/null | wc -c; get -o /dev/null "$at/cut?size=1000&cut=10" 2>/dev/null || echo $?)" "10
18"
get "$at/w" >/dev/null
equal "a request that meets a closed connection is made again" "$(code "$at/dropped?drop=1")" 200
out=$(get -H 'Connection: X-Hop' -H 'X-Hop: 1' -H 'X-End: 2' -H 'TE: trailers' -H 'Keep-Alive: 5' "$at/echo")
equal "fields of the connection stay behind" \
    "$(echo "$out" | grep -ci -e '^X-Hop' -e '^TE:' -e '^Keep-Alive' -e '^Connection')" 0
contains "… others go on" "$out" "X-End: 2"
contains "… with Via" "$out" "Via: 1.1 forward"
contains "the target is in origin form" "$out" "GET /echo HTTP/1.1"

# Who has said that nothing follows is let go of when the answer has been sent, whether he ends or not (RFC 9112 §9.6).
equal "a client that has said close is not waited for" "$(python3 -c "import os, socket, time
def count(): return len(os.listdir('/proc/$forward_pid/fd'))
def ask():
    s = socket.create_connection(('127.0.0.1', $forward))
    s.sendall(b'GET $at/left?size=200000&$no HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    while s.recv(65536): pass
    return s
first = ask().close(); time.sleep(0.3); before = count()
kept = [ask() for _ in range(5)]
end = time.time() + 2
while count() > before and time.time() < end: time.sleep(0.05)
print(count() - before)")" 0

# ---- what goes wrong ----

out=$(get -w '%{http_code}' "http://127.0.0.1:$dead/x")
contains "an origin that is not there: 502" "$out" 502
contains "… and what was tried" "$out" "127.0.0.1:$dead: Connection refused"
equal "a name that does not exist: 502" "$(code "http://no-such-name.invalid/")" 502
equal "an origin that does not answer: 504" "$(code "$at/late?wait=4")" 504
equal "a request that came through before: 508" "$(code -H 'Via: 1.1 forward' "$at/x")" 508
equal "TRACE: 405" "$(code -X TRACE "$at/x")" 405
contains "a scheme without a protocol: 501" "$(printf 'GET gopher://x/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' |
    raw "$forward")" "HTTP/1.1 501 "

# ---- tunnels ----

equal "CONNECT" "$(get -p "$at/p?body=through")" through1
equal "… to a port that is not for it: 403" \
    "$(get -p -o /dev/null -w '%{http_connect}' "http://127.0.0.1:$dead/" 2>/dev/null)" 403
equal "another protocol follows an upgrade" "$(python3 -c "import socket
s = socket.create_connection(('127.0.0.1', $forward))
s.sendall(b'GET $at/ws HTTP/1.1\r\nHost: x\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n')
d = b''
while not d.endswith(b'\r\n\r\n'): d += s.recv(1)
s.sendall(b'hello'); print(d[9:12].decode(), s.recv(5).decode())")" "101 hello"

# ---- who may ----

with() {
    curl -sS --max-time 10 -x "http://127.0.0.1:$guarded" "$@"
}
equal "without a password: 407" "$(with -o /dev/null -w '%{http_code}' "$at/g")" 407
contains "… with a challenge" "$(with -o /dev/null -D - "$at/g")" 'Proxy-Authenticate: Basic realm="our realm"'
equal "with a wrong one: 407" "$(with -U ada:x -o /dev/null -w '%{http_code}' "$at/g")" 407
equal "with the right one" "$(with -U 'ada:love lace' "$at/g?body=g")" g1
equal "… which the origin does not see" "$(with -U 'ada:love lace' "$at/echo" | grep -ci '^proxy-auth')" 0
equal "who is wrong too often is not looked at" "$(for i in $(seq 25); do with -U "ada:$i" -o /dev/null -w '%{http_code}' "$at/g"; done | tail -c 3)" 429
equal "… who was right before is" "$(with -U 'ada:love lace' "$at/h?body=h")" h1
contains "a browser finds the proxy" "$(curl -sS "http://127.0.0.1:$forward/proxy.pac")" "PROXY 127.0.0.1:$forward"

# ---- reverse ----

back() {
    curl -sS --max-time 10 "$@"
}
here=http://127.0.0.1:$reverse
equal "a server that is dead is passed over" \
    "$(for i in 1 2 3 4 5 6; do back "$here/rr?body=s"; done | tr -d '0-9')" ssssss
equal "… and both others have their part" \
    "$(for i in 1 2 3 4 5 6 7 8; do back "$here/turns?$no"; done | fold -w1 | sort | uniq -c | awk '{print $1}' | sort -u)" 2
out=$(back -H 'X-Forwarded-For: 10.9.9.9' "$here/echo")
contains "servers hear who asked" "$out" "X-Forwarded-For: 10.9.9.9, 127.0.0.1"
contains "… in the standard way, too" "$out" "Forwarded: for=127.0.0.1;host="
equal "what is stored answers" "$(back "$here/s?body=s&$ok100"; back "$here/s?body=s&$ok100")" s1s1
contains "CONNECT is not for it: 405" "$(printf 'CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\nConnection: close\r\n\r\n' |
    raw "$reverse")" "HTTP/1.1 405 "
equal "pipelined requests are answered in order" "$(
    for i in 0 1 2 3 4 5 6; do printf 'GET /pipe%d?body=%d- HTTP/1.1\r\nHost: x\r\n\r\n' $i $i; done |
        { cat; printf 'GET /pipe7?body=7- HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'; } | raw "$reverse" |
        grep -o '||[0-7]-' | tr -d '|\n-')" 01234567

# ---- TLS ----

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" -keyout "$tmp/key.pem" -out "$tmp/cert.pem" 2>/dev/null
set -- $(free_ports 4)
web=$1 clear=$2 secure=$3 trusting=$4
mkdir -p "$tmp/www"
seq 1 200000 >"$tmp/www/numbers.txt"
printf 'link "host" { address = "127.0.0.1/8" }\nweb { listen = {"127.0.0.1:%s tls"} certificate = "%s" certificate-key = "%s" root = "%s" }\n' \
    "$web" "$tmp/cert.pem" "$tmp/key.pem" "$tmp/www" >"$tmp/web.conf"
start "$wholenet" serve "$tmp/web.conf"
site tls "listen = {\"127.0.0.1:$clear\", \"127.0.0.1:$secure tls\"} certificate = \"$tmp/cert.pem\" certificate-key = \"$tmp/key.pem\"
    servers = {\"https://localhost:$web\"} trust = \"$tmp/cert.pem\""
site trusting "listen = {\"127.0.0.1:$trusting\"} trust = \"$tmp/cert.pem\" connect-ports = {$web}"
for port in $web $clear $secure $trusting; do
    listens "$port"
done
want=$(cksum <"$tmp/www/numbers.txt")
equal "an origin with TLS" "$(back "http://127.0.0.1:$clear/numbers.txt" | cksum)" "$want"
equal "… and a client" "$(back --cacert "$tmp/cert.pem" "https://localhost:$secure/numbers.txt" | cksum)" "$want"
equal "a tunnel for TLS" "$(back -x "http://127.0.0.1:$trusting" --cacert "$tmp/cert.pem" "https://localhost:$web/numbers.txt" | cksum)" "$want"
contains "a target with https is fetched by TLS" \
    "$(printf 'GET https://localhost:%s/numbers.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' "$web" | raw "$trusting" | head -1)" \
    "HTTP/1.1 200 OK|"
contains "… if its certificate is trusted" \
    "$(get -w '%{http_code}' --request-target "https://localhost:$web/x" "http://localhost:$web/x")" 502

# ---- proxies behind proxies ----

equal "a parent" "$(curl -sS -x "http://127.0.0.1:$chain" "$at/chain?body=c")" c1
contains "… both are in Via" "$(curl -sS -x "http://127.0.0.1:$chain" "$at/echo")" "Via: 1.1 chain, 1.1 forward"

if command -v nginx >/dev/null; then
    mkdir -p "$tmp/nginx"
    cat >"$tmp/nginx.conf" <<NGINX
pid $tmp/nginx/pid;
error_log $tmp/nginx/error.log;
daemon off;
events {}
http {
    access_log off;
    client_body_temp_path $tmp/nginx/b; proxy_temp_path $tmp/nginx/p; fastcgi_temp_path $tmp/nginx/f;
    uwsgi_temp_path $tmp/nginx/u; scgi_temp_path $tmp/nginx/s;
    server { listen 127.0.0.1:$nginx; root $tmp/www; location /back/ { proxy_pass http://127.0.0.1:$reverse/; } }
}
NGINX
    start nginx -c "$tmp/nginx.conf"
    listens "$nginx"
    equal "nginx is the origin" "$(get "http://127.0.0.1:$nginx/numbers.txt" | cksum)" "$want"
    equal "… stored, and validated" "$(get "http://127.0.0.1:$nginx/numbers.txt" | cksum)" "$want"
    equal "nginx before us" "$(back "http://127.0.0.1:$nginx/back/n?body=n")" n1
else
    skip "nginx is the origin" "there is no nginx"
fi

if command -v squid >/dev/null; then
    mkdir -p "$tmp/squid"
    chmod 777 "$tmp/squid"
    squid_conf() {
        cat >"$tmp/squid.conf" <<SQUID
http_port 127.0.0.1:$squid
pid_filename none
cache_log $tmp/squid/cache.log
access_log none
coredump_dir $tmp/squid
netdb_filename none
cache deny all
http_access allow all
shutdown_lifetime 0 seconds
$1
SQUID
    }
    squid_conf "cache_peer 127.0.0.1 parent $forward 0 no-query no-digest default name=ours
never_direct allow all"
    start squid -N -f "$tmp/squid.conf"
    listens "$squid"
    equal "Squid is the child" "$(curl -sS --max-time 10 -x "http://127.0.0.1:$squid" "$at/squid?body=q")" q1
    contains "… and both are in Via" \
        "$(curl -sS --max-time 10 -x "http://127.0.0.1:$squid" "$at/echo" | grep Via)" ", 1.1 forward"
    kill "$started"
    wait "$started" 2>/dev/null
    squid_conf ""
    start squid -N -f "$tmp/squid.conf"
    listens "$squid"
    site parent "listen = {\"127.0.0.1:$extra\"} name = parent parents = {\"127.0.0.1:$squid\"} connect-ports = {443, $origin}"
    listens "$extra"
    equal "Squid is the parent" "$(curl -sS --max-time 10 -x "http://127.0.0.1:$extra" "$at/squid2?body=q")" q1
else
    skip "Squid is the child" "there is no Squid"
fi

# ---- what is seen of it ----

"$wholenet" status --json "$forward_pid" >"$tmp/status" 2>&1
equal "the status has counters" "$(python3 -c "import json; s = json.load(open('$tmp/status'))['services']['proxy']
print(s['hits'] > 3, s['collapsed'] >= 4, s['tunnels'] >= 2, s['stored'] > 5, s['open'] >= 0)")" "True True True True True"
sleep 1.2
contains "each request is in the log, with what the cache did" "$(cat "$tmp/forward.log")" "cache=hit"
contains "… tunnels too" "$(cat "$tmp/forward.log")" "cache=tunnel"
kill "$forward_pid"
wait "$forward_pid" 2>/dev/null
equal "it ends in order" $? 0
finish
