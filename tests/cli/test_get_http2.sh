#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet get over HTTP/2: chosen by ALPN or known before, many URLs on one connection, uploads, and how it is told.
. tests/lib.sh
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
if ! command -v openssl >/dev/null || ! command -v python3 >/dev/null; then
    skip "HTTP/2" "openssl or python3 is not installed"
    finish
fi
export WHOLENET_STATE="$tmp/state"
set -- $(python3 -c '
import socket
all = [socket.create_server(("127.0.0.1", 0)) for i in range(2)]
print(*(s.getsockname()[1] for s in all))')
plain=http://127.0.0.1:$1
at=https://localhost:$2
mkdir -p "$tmp/www/up"
for i in $(seq 1 40); do
    head -c $((i * 5000)) /dev/urandom >"$tmp/www/f$i"
done
head -c 9000000 /dev/urandom >"$tmp/www/large"
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$1", "127.0.0.1:$2 tls"}
    root = "$tmp/www"
    location "/up/" { upload = on
        body-max = 20M }
    location "/old/" { redirect = "301 /f1" }
}
END
"$wholenet" serve "$tmp/site.conf" >"$tmp/log" 2>&1 &
children="$children $!"
wait_for "$wholenet" get -q -o /dev/null $plain/f1 || cat "$tmp/log"
root=$tmp/state/root.pem
get() { capture "$wholenet" get --ca-file "$root" "$@"; }
cd "$tmp" || exit 1

get -v -o one $at/f1
check "https: the octets" cmp one www/f1
contains "… by HTTP/2" "$err" "> GET /f1 HTTP/2"
contains "… as is the answer" "$err" "< HTTP/2 200"
get -i -I $at/f1
equal "-I" "$(printf '%s' "$out" | head -1 | tr -d '\r')" "HTTP/2 200"
get --http1.1 -I $at/f1
equal "--http1.1" "$(printf '%s' "$out" | head -1 | tr -d '\r')" "HTTP/1.1 200 OK"
get -I $plain/f1
equal "http: HTTP/1.1" "$(printf '%s' "$out" | head -1 | tr -d '\r')" "HTTP/1.1 200 OK"
get --http2-prior-knowledge -I $plain/f1
equal "--http2-prior-knowledge" "$(printf '%s' "$out" | head -1 | tr -d '\r')" "HTTP/2 200"
get -o large $at/large
check "a large file" cmp large www/large
get $at/nothing
equal "404: status 8" "$status" 8
get $at/old/x -o two
check "a redirect" cmp two www/f1
get -T large $at/up/large
check "an upload" cmp large www/up/large
"$wholenet" get --ca-file "$root" -q -T - $at/up/piped <large >out
check "from standard input" cmp large www/up/piped
cat large | "$wholenet" get --ca-file "$root" -q -T - $at/up/piped2 >out
check "from a pipe" cmp large www/up/piped2
head -c 25000000 /dev/zero >huge
get -T huge $at/up/huge
equal "one that is not wanted: status 8" "$status" 8
contains "… and why" "$err" "413"
rm huge

urls=
for i in $(seq 1 40); do
    urls="$urls $at/f$i"
done
mkdir many && cd many || exit 1
get -j -Z -O $urls
equal "-Z: status 0" "$status" 0
told() { printf '%s\n' "$out" | python3 -c "import json,sys; all=[json.loads(l) for l in sys.stdin]; print(($1))"; }
equal "… all of them" "$(told 'len(all), sum(t["octets"] for t in all)')" "(40, 4100000)"
equal "… over one connection" "$(told 'sum(not t["reused"] for t in all), {t["version"] for t in all}')" "(1, {'HTTP/2'})"
for i in $(seq 1 40); do
    cmp "f$i" "../www/f$i" || echo "f$i differs"
done >differences
equal "… as they are" "$(cat differences)" ""
get --http1.1 -j --parallel-max 4 -O $urls
equal "--parallel-max 4 with HTTP/1.1: connections" "$(told 'sum(not t["reused"] for t in all), len(all)')" "(4, 40)"
get -Z $at/f1 $at/f2
equal "-Z without files: status 2" "$status" 2
contains "… and what was expected" "$err" "a file for each URL"
get -Z -O $at/f1 $at/nothing http://127.0.0.1:1/f3
equal "the worst status of all" "$status" 8
check "… the others are there" cmp f1 ../www/f1

# A server that has it, and one that has not, of others.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tmp/k.pem" \
    -out "$tmp/c.pem" -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
nginx=$(command -v nginx || echo /usr/sbin/nginx)
if [ -x "$nginx" ]; then
    port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cat >"$tmp/nginx.conf" <<END
daemon off; master_process off; pid $tmp/nginx.pid; error_log $tmp/nginx.log;
events {}
http { access_log off; client_body_temp_path $tmp/n1; proxy_temp_path $tmp/n2; fastcgi_temp_path $tmp/n3;
    uwsgi_temp_path $tmp/n4; scgi_temp_path $tmp/n5;
    server { listen 127.0.0.1:$port ssl http2; root $tmp/www; http2_max_concurrent_streams 5;
        keepalive_requests 6; ssl_certificate $tmp/c.pem; ssl_certificate_key $tmp/k.pem; } }
END
    "$nginx" -c "$tmp/nginx.conf" -e "$tmp/nginx.log" >"$tmp/nginx.out" 2>&1 &
    children="$children $!"
    wait_for "$wholenet" get -k -q -o /dev/null https://localhost:$port/f1
    capture "$wholenet" get -k -j -Z -O $(for i in $(seq 1 40); do echo "https://localhost:$port/f$i"; done)
    equal "nginx, which says GOAWAY after 6, and takes 5 at a time: all of them" \
        "$(told 'len(all), {t["status"] for t in all}, {t["version"] for t in all}')" "(40, {200}, {'HTTP/2'})"
    check "… as they are" cmp f40 ../www/f40
    capture "$wholenet" get -k -T ../large https://localhost:$port/up/x
    equal "… an upload that it does not take: status 8" "$status" 8
else
    skip "nginx" "it is not installed"
fi
cd "$top" || exit 1
python3 -u tests/support/odd_server.py "$tmp/c.pem" "$tmp/k.pem" >"$tmp/tls" 2>"$tmp/tls.log" &
children="$children $!"
wait_for test -s "$tmp/tls"
old=https://localhost:$(cat "$tmp/tls")
capture "$wholenet" get -k -I $old/echo
equal "a server without HTTP/2" "$(printf '%s' "$out" | head -1 | tr -d '\r')" "HTTP/1.1 200 OK"
capture "$wholenet" get -k --http2-prior-knowledge $old/echo
equal "… when nothing else will do: status 1" "$status" 1
contains "… and why" "$err" "does not speak HTTP/2"
capture "$wholenet" get -k -Z -j -o "$tmp/1" -o "$tmp/2" -o "$tmp/3" $old/echo/a $old/echo/b $old/echo/c
equal "… several of it" "$(told 'len(all), {t["status"] for t in all}, {t["version"] for t in all}')" "(3, {200}, {'HTTP/1.1'})"
finish
