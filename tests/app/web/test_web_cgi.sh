#!/bin/sh
# SPDX-License-Identifier: ISC
# CGI programs in C, Python and sh: what they are told, forms, streams both ways, and their limits.
. tests/lib.sh

free_port() {
    python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
port=$(free_port)
at=http://127.0.0.1:$port
bin=$tmp/www/cgi-bin
mkdir -p "$bin/sub"
echo static >"$tmp/www/index.html"
head -c 3000000 /dev/urandom >"$tmp/blob"
cp "build/${VARIANT:-release}/tests/tools/cgi_form" "$bin/form"
cp "$bin/form" "$bin/sub/form"
cat >"$bin/parts.py" <<'CGI'
#!/usr/bin/env python3
import email.parser, email.policy, os, sys
length = int(os.environ["CONTENT_LENGTH"])
body = sys.stdin.buffer.read(length)
text = b"Content-Type: " + os.environ["CONTENT_TYPE"].encode() + b"\r\n\r\n" + body
message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(text)
print("Status: 200 OK\nContent-Type: text/plain; charset=utf-8\n")
for part in message.iter_parts():
    name = part.get_param("name", header="Content-Disposition")
    print(name, part.get_filename() or "-", len(part.get_payload(decode=True)))
CGI
program() {
    cat >"$bin/$1"
    chmod +x "$bin/$1"
}
chmod +x "$bin/parts.py"
program cat <<'CGI'
#!/bin/sh
printf 'Content-Type: application/octet-stream\n\n'
exec cat
CGI
program events <<'CGI'
#!/bin/sh
printf 'Content-Type: text/event-stream\nCache-Control: no-store\n\n'
i=0
while [ $i -lt 100 ]; do printf 'data: %s\n\n' $i; i=$((i + 1)); sleep 0.3; done
CGI
program sleeper <<'CGI'
#!/bin/sh
echo $$ >"$0.pid"
sleep 300 &
echo $! >"$0.child"
wait
CGI
program nap <<'CGI'
#!/bin/sh
sleep 1.5
printf 'Content-Type: text/plain\n\nrested'
CGI
program fails <<'CGI'
#!/bin/sh
echo 'what went wrong' >&2
exit 3
CGI
program leaves <<'CGI'
#!/bin/sh
sleep 3 &
printf 'Content-Type: text/plain\n\ngone'
CGI
program deaf <<'CGI'
#!/bin/sh
exec <&-
printf 'Content-Type: text/plain\n\nnot heard'
CGI
program hungry.py <<'CGI'
#!/usr/bin/env python3
try:
    data = bytearray(512 << 20)
    print("Content-Type: text/plain\n\ngot it")
except MemoryError:
    print("Content-Type: text/plain\n\nrefused")
CGI
program busy <<'CGI'
#!/bin/sh
while :; do :; done
CGI
program big <<'CGI'
#!/bin/sh
printf 'Content-Type: text/plain\n\n'
exec head -c 20000000 /dev/zero
CGI
echo 'echo no' >"$bin/notrun"
ln -s /bin/date "$bin/leak"
cat >"$tmp/site.conf" <<SITE
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$port"}
    root = "$tmp/www"
    cgi-processes = 4
    location "/cgi-bin/" { cgi = on
        answer-timeout = 2s }
    location "/limited/" { cgi = on
        cgi-cpu = 1s
        rewrite = {"/limited/* /cpu/*"} }
    location "/cpu/" { cgi = on
        cgi-cpu = 1s
        cgi-memory = 256M
        root = "$bin" }
    location "/patient/" { cgi = on
        rewrite = {"/patient/* /wait/*"} }
    location "/wait/" { cgi = on
        root = "$bin" }
}
SITE
ln -s . "$bin/wait"
ln -s . "$bin/cpu"
"$wholenet" serve -v "$tmp/site.conf" 2>"$tmp/log" &
server=$!
children="$children $server"
wait_for curl -sf "$at/" || cat "$tmp/log"

get() {
    curl -s --path-as-is --max-time 30 "$@"
}
status_of() {
    get -o /dev/null -w '%{http_code}' "$@"
}
line_of() {
    get "$@" | tr '\n' ' '
}

contains "told where it is" "$(line_of "$at/cgi-bin/sub/form/a/b?x=y" -H 'Proxy: evil')" \
    "query x=y script /cgi-bin/sub/form info /a/b proxy - folder $bin/sub"
contains "a form in C (urlencoded)" "$(line_of -d 'a=b&c=d' "$at/cgi-bin/form")" \
    "method POST type application/x-www-form-urlencoded length 7 count 7"
echo file >"$tmp/upload.txt"
equal "a form in Python (multipart)" "$(line_of -F 'name=value' -F "file=@$tmp/upload.txt" "$at/cgi-bin/parts.py")" \
    "name - 5 file upload.txt 5 "
for version in --http1.1 --http2-prior-knowledge; do
    get $version --data-binary @"$tmp/blob" -o "$tmp/back" "$at/cgi-bin/cat"
    equal "3 MB there and back $version" "$(cmp "$tmp/blob" "$tmp/back" && echo same)" same
    equal "20 MB to a slow reader $version" "$(get $version --limit-rate 20M "$at/cgi-bin/big" | wc -c)" 20000000
    events=$(get $version -N --max-time 2 "$at/cgi-bin/events" | grep -c data:)
    equal "events as they are made $version" "$([ "$events" -ge 4 ] && [ "$events" -le 8 ] && echo yes)" yes
    equal "one that does not read $version" "$(get $version --data-binary @"$tmp/blob" "$at/cgi-bin/deaf")" "not heard"
    equal "one that leaves others behind $version" "$(get $version -w '%{time_total}' "$at/cgi-bin/leaves" | cut -c1-5)" gone0
    equal "one that fails $version" "$(status_of $version "$at/cgi-bin/fails")" 502
    equal "none of that name $version" "$(status_of $version "$at/cgi-bin/none")" 404
    equal "not executable $version" "$(status_of $version "$at/cgi-bin/notrun")" 403
    equal "a link out of the root $version" "$(status_of $version "$at/cgi-bin/leak")" 404
    equal "a folder $version" "$(status_of $version "$at/cgi-bin/sub/")" 404
done
contains "its complaints are in the log" "$(cat "$tmp/log")" "/cgi-bin/fails: what went wrong"
contains "and how it ended" "$(cat "$tmp/log")" "/cgi-bin/fails: the program has ended with 3"

# ---- ends and limits ----
ended() {
    ! grep -qs '^State:.[^Z]' "/proc/$1/status"
}
equal "no answer in time" "$(status_of "$at/cgi-bin/sleeper")" 504
wait_for ended "$(cat "$bin/sleeper.pid")"
check "it is ended" ended "$(cat "$bin/sleeper.pid")"
check "and what it has started" ended "$(cat "$bin/sleeper.child")"
rm "$bin/sleeper.pid"
get --max-time 1 "$at/cgi-bin/sleeper" &
wait_for test -s "$bin/sleeper.pid"
wait $!
wait_for ended "$(cat "$bin/sleeper.pid")"
check "it is ended when the client has gone" ended "$(cat "$bin/sleeper.pid")"
contains "memory has a limit" "$(get "$at/cpu/hungry.py")" refused
equal "so has time at work" "$(status_of "$at/limited/busy")" 502
i=0
requests=
while [ $i -lt 12 ]; do
    get "$at/patient/nap" >"$tmp/nap.$i" &
    requests="$requests $!"
    i=$((i + 1))
done
four_run() {
    [ "$(pgrep -c -f "$bin/wait/nap")" = 4 ]
}
check "so many run at a time" wait_for four_run
for request in $requests; do wait "$request"; done
equal "others wait their turn" "$(cat "$tmp"/nap.* | grep -o rested | wc -l)" 12
cat >"$tmp/crowd.py" <<'PY'
import socket, sys, time
port = int(sys.argv[1])
peers = []
for _ in range(160):
    peer = socket.create_connection(("127.0.0.1", port))
    peer.sendall(b"GET /cgi-bin/sleeper HTTP/1.1\r\nHost: h\r\n\r\n")
    peers.append(peer)
time.sleep(0.5)
refused = 0
for peer in peers:
    peer.setblocking(False)
    try:
        got = peer.recv(4096)
        refused += got.startswith(b"HTTP/1.1 503") and b"Retry-After" in got
    except BlockingIOError:
        pass
print(refused)
PY
equal "and too many are told to come again" "$(python3 "$tmp/crowd.py" "$port")" 28
wait_for test "$(pgrep -c -f "$bin/sleeper")" = 0
equal "static files go on" "$(get "$at/")" static
kill $server
wait $server
equal "it ends well" $? 0

# ---- the example ----
cp -r "$top/examples/programs" "$tmp/programs"
sed "s/\"8080\"/\"127.0.0.1:$port\"/" "$top/examples/programs.conf" >"$tmp/programs.conf"
"$wholenet" serve "$tmp/programs.conf" 2>"$tmp/log" &
server=$!
children="$children $server"
wait_for curl -sf "$at/" || cat "$tmp/log"
equal "examples/programs.conf: a program" "$(get "$at/hello.sh/you")" "Hello you, you have asked by GET from 127.0.0.1."
contains "… events" "$(get -N --max-time 2 "$at/clock.sh")" "data: "
equal "… WebDAV" "$(get -o /dev/null -w '%{http_code}' -T "$tmp/upload.txt" "$at/files/up.txt")" 201
equal "… WebSocket" "$(status_of "$at/shout")" 426
equal "… an application that does not listen" "$(status_of "$at/app/")" 502
kill $server
wait $server
finish
