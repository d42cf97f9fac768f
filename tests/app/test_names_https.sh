#!/bin/sh
# SPDX-License-Identifier: ISC
# DNS over HTTPS (RFC 8484) as its clients see it: wholenet lookup, kdig(1), curl(1) over HTTP/1.1 and
# HTTP/2, in clear and by TLS; answers that come at once, later, and never. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
for program in curl python3; do
    if ! command -v $program >/dev/null; then
        skip "DNS over HTTPS" "$program is not installed"
        finish
    fi
done
export WHOLENET_STATE="$tmp/state"
set -- $(python3 -c '
import socket
all = [socket.create_server(("127.0.0.1", 0)) for i in range(4)]
print(*(s.getsockname()[1] for s in all))')
dns=$1 clear=$2 tls=$3 outside=$4
at=http://127.0.0.1:$clear/dns-query
tls_at=https://localhost:$tls/dns-query
root=$tmp/state/root.pem

# Who is asked outside: slow.example is answered after half a second, never.example not at all.
cat >"$tmp/outside.py" <<'END'
import socket, struct, sys, threading
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", int(sys.argv[1])))
print("ready", flush=True)
while True:
    query, client = s.recvfrom(4096)
    end = query.index(b"\0", 12) + 5
    name = query[12:end - 4].lower()
    soa = b"\xc0\x0c" + struct.pack("!HHLH", 6, 1, 900, 22) + b"\0\0" + struct.pack("!5L", 1, 2, 3, 4, 77)
    a = b"\xc0\x0c" + struct.pack("!HHLH4B", 1, 1, 300, 4, 192, 0, 2, 7)
    exists = b"nothing" not in name
    flags = 0x8180 | (0 if exists else 3)
    known = exists and query[end - 4:end - 2] == b"\0\1"
    reply = query[:2] + struct.pack("!5H", flags, 1, known, not known, 0) + query[12:end] + (a if known else soa)
    if b"never" not in name:
        threading.Timer(0.5 if b"slow" in name else 0, s.sendto, (reply, client)).start()
END
python3 "$tmp/outside.py" "$outside" >"$tmp/outside.log" &
children="$children $!"
wait_for test -s "$tmp/outside.log"

write_site() {
    cat >"$tmp/site.conf" <<END
control = "doh$$"
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$dns"
    resolve = forward
    forward = {"127.0.0.1:$outside"}
    insecure = {"example"}
    record = {"box A 10.0.2.80", "$1"$(i=2; while [ $i -le 100 ]; do
        printf ', "many A 192.0.2.%d"' $i; i=$((i + 1)); done)}
}
web {
    listen = {"127.0.0.1:$clear", "127.0.0.1:$tls tls"}
    location "= /dns-query" { dns = on }
}
END
}
write_site "one A 10.0.0.1"
"$wholenet" serve "$tmp/site.conf" >"$tmp/site.log" 2>&1 &
server=$!
children="$children $server"
wait_for curl -sf -o /dev/null "http://127.0.0.1:$clear/healthz" || cat "$tmp/site.log"

# ---- wholenet lookup, kdig ----
look() {
    capture "$wholenet" lookup @127.0.0.1 -p "$tls" +timeout=5 +tries=1 "+tls-ca=$root" \
        +tls-hostname=localhost +short "$@"
}
look +https box.home.arpa
equal "lookup, by POST" "$out" 10.0.2.80
capture "$wholenet" lookup @127.0.0.1 -p "$tls" +timeout=5 +tries=1 +https box.home.arpa many.home.arpa
contains "lookup speaks HTTP/2" "$out" "HTTP/2"
look +https +https-get box.home.arpa
equal "lookup, by GET" "$out" 10.0.2.80
look +https slow1.example
equal "lookup, what comes later" "$out" 192.0.2.7
look +https=/other box.home.arpa
equal "lookup, another path: status 4" "$status" 4
if kdig --help 2>/dev/null | grep -q '+\[no\]https'; then
    kdig="kdig @127.0.0.1 -p $tls +https +tls-ca=$root +tls-hostname=localhost +timeout=5 +retry=0"
    equal "kdig, by POST" "$($kdig +short box.home.arpa)" 10.0.2.80
    equal "kdig, by GET" "$($kdig +https-get +short box.home.arpa)" 10.0.2.80
    equal "kdig, what comes later" "$($kdig +short slow2.example)" 192.0.2.7
    contains "kdig, much" "$($kdig many.home.arpa)" "ANSWER: 99"
    contains "kdig, what does not exist" "$($kdig nothing.example)" "status: NXDOMAIN"
    contains "kdig, padded" "$($kdig +padding=128 box.home.arpa)" "Received 468 B"
else
    skip "kdig" "it has no +https"
fi

# ---- curl ----
query() { # NAME [TYPE [OPCODE]]: a query on the standard output
    python3 -c '
import struct, sys
name = b"".join(bytes([len(x)]) + x.encode() for x in sys.argv[1].split(".")) + b"\0"
kind, opcode = (int(x) for x in (sys.argv[2:] + ["1", "0"])[:2] if x) if len(sys.argv) > 3 else (int((sys.argv[2:] + ["1"])[0]), 0)
sys.stdout.buffer.write(struct.pack("!6H", 0, 0x100 | opcode << 11, 1, 0, 0, 0) + name + struct.pack("!2H", kind, 1))' "$@"
}
encoded() { query "$@" | base64 -w0 | tr '+/' '-_' | tr -d =; }
get() { curl -s --max-time 20 --cacert "$root" "$@"; }
status_of() { get -o /dev/null -w '%{http_code}' "$@"; }
# What a reply says: its RCODE, and how many answers.
told() { python3 -c '
import struct, sys
m = sys.stdin.buffer.read()
print(len(m) and "%d %d" % (struct.unpack("!H", m[2:4])[0] & 15, struct.unpack("!H", m[6:8])[0]))'; }
head_of() { get -D - -o /dev/null "$@" | tr -d '\r' | tr 'A-Z' 'a-z'; }

www=$(encoded box.home.arpa)
query box.home.arpa >"$tmp/www"
for way in "--http1.1 $at" "--http2-prior-knowledge $at" "--http1.1 $tls_at" "--http2 $tls_at"; do
    url=${way#* }
    how="${way%% *} $(echo "$url" | cut -d: -f1)"
    http=${way%% *}
    equal "$how: GET" "$(get $http "$url?dns=$www" | told)" "0 1"
    equal "$how: GET among others" "$(get $http "$url?a=b&dns=$www&c" | told)" "0 1"
    type="Content-Type: application/dns-message"
    equal "$how: POST" "$(get $http -H "$type" --data-binary "@$tmp/www" "$url" | told)" "0 1"
    equal "$how: a type in capitals" "$(get $http -H "Content-Type: Application/DNS-Message" \
        --data-binary "@$tmp/www" "$url" | told)" "0 1"
    head=$(head_of $http "$url?dns=$www")
    contains "$how: the type" "$head" "content-type: application/dns-message"
    contains "$how: fresh as its TTL says" "$head" "cache-control: max-age=60"
    equal "$how: HEAD" "$(get $http -I "$url?dns=$www" | tr -d '\r' | tr 'A-Z' 'a-z' | grep '^content-type')" \
        "content-type: application/dns-message"
    name=slow$(echo "$how" | tr -dc a-z0-9).example
    equal "$how: what comes later" "$(get $http "$url?dns=$(encoded "$name")" | told)" "0 1"
    contains "$how: what does not exist, fresh as its SOA says" \
        "$(head_of $http "$url?dns=$(encoded "nothing$name")")" "cache-control: max-age=77"
    contains "$how: nor of this type" \
        "$(head_of $http "$url?dns=$(encoded "x$name" 16)")" "cache-control: max-age=77"
    # curl 7.88 fails at any second request over HTTP/2 without TLS.
    [ $http = --http2-prior-knowledge ] || equal "$how: two later on a connection" "$(get $http "$url?dns=$(encoded "a$name")" \
        "$url?dns=$(encoded "b$name")" | wc -c)" $((2 * $(get $http "$url?dns=$(encoded "a$name")" | wc -c)))
    # What is wrong.
    equal "$how: no parameter" "$(status_of $http "$url")" 400
    equal "$how: an empty one" "$(status_of $http "$url?dns=")" 400
    equal "$how: no base64url" "$(status_of $http "$url?dns=a+b/")" 400
    equal "$how: with padding" "$(status_of $http "$url?dns=$(base64 -w0 <"$tmp/www" | tr '+/' '-_')=")" 400
    equal "$how: no query" "$(status_of $http "$url?dns=AAAA")" 400
    equal "$how: too long" "$(status_of $http "$url?dns=$(head -c 4100 /dev/zero | base64 -w0 | tr -d =)")" 414
    equal "$how: another type" "$(status_of $http -H "Content-Type: text/plain" --data-binary "@$tmp/www" "$url")" 415
    equal "$how: no type" "$(status_of $http -H "Content-Type:" --data-binary "@$tmp/www" "$url")" 415
    equal "$how: an empty body" "$(status_of $http -H "$type" -d "" "$url")" 400
    head -c 4097 /dev/zero >"$tmp/large"
    equal "$how: too large" "$(status_of $http -H "$type" --data-binary "@$tmp/large" "$url")" 413
    equal "$how: too large, in chunks" "$(status_of $http -H "$type" -H "Transfer-Encoding: chunked" \
        --data-binary "@$tmp/large" "$url")" 413
    equal "$how: PUT" "$(status_of $http -X PUT -H "$type" --data-binary "@$tmp/www" "$url")" 405
    contains "$how: … with what there is" "$(head_of $http -X DELETE "$url")" "allow: get, head, post, options"
    equal "$how: a message that is an error is a reply" \
        "$(get $http "$url?dns=$(encoded box.home.arpa 1 3)" | told)" "4 0"
    equal "$how: a transfer is refused" "$(get $http "$url?dns=$(encoded home.arpa 252)" | told)" "5 0"
    # Who does not wait.
    status_of $http --max-time 0.2 "$url?dns=$(encoded "gone$name")" >/dev/null
done
if get --http2 -o /dev/null -w '%{http_version}' "$tls_at?dns=$www" | grep -q 2; then
    i=0
    while [ $i -lt 40 ]; do # all on one connection of HTTP/2, and some of them slow
        printf 'url = "%s?dns=%s"\noutput = "%s"\n' "$tls_at" "$(encoded "slow-m$i.example")" "$tmp/many.$i"
        i=$((i + 1))
    done >"$tmp/many"
    begin=$(date +%s%N)
    get --http2 -Z --parallel-max 40 -K "$tmp/many" 2>/dev/null
    taken=$((($(date +%s%N) - begin) / 1000000))
    good=0
    for file in "$tmp"/many.*; do [ "$(told <"$file")" = "0 1" ] && good=$((good + 1)); done
    equal "forty at once" $good 40
    check "… side by side: $taken ms" [ $taken -lt 10000 ]
fi
sleep 1
count=$("$wholenet" status --json "doh$$" | sed -n 's/.*"queries_https":\([0-9]*\).*/\1/p')
check "they are counted: $count" [ "${count:-0}" -gt 90 ]
waiting() { # how many questions wait for an answer
    "$wholenet" status --json "doh$$" | sed -n 's/.*"forwarding":\([0-9]*\).*/\1/p'
}
that_many_wait() {
    [ "$(waiting)" = "$1" ]
}
equal "nobody waits any more" "$(waiting)" 0

# ---- the names go while somebody waits ----
status_of --http1.1 "$at?dns=$(encoded never.example)" >"$tmp/one" &
one=$!
status_of --http2 "$tls_at?dns=$(encoded never1.example)" >"$tmp/two" &
two=$!
wait_for that_many_wait 2
write_site "two A 10.0.0.2"
kill -HUP $server
wait $one $two
equal "other names: who waits is told" "$(cat "$tmp/one")" 503
equal "… by HTTP/2 too" "$(cat "$tmp/two")" 503
equal "… and the others answer" "$(get "$at?dns=$(encoded two.home.arpa)" | told)" "0 1"
status_of --http2 "$tls_at?dns=$(encoded never2.example)" >/dev/null &
three=$!
wait_for that_many_wait 1
kill $server
wait $server
equal "it ends well while somebody waits" "$?" 0
wait $three

printf 'link "host" { address = "127.0.0.1/8" }\nweb { location "= /q" { dns = on } }\n' >"$tmp/bad.conf"
capture "$wholenet" check "$tmp/bad.conf"
equal "without names" "$status" 1
contains "… it is told" "$err$out" 'web: dns: it is answered by the block "names", and there is none'
finish
