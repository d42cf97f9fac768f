#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet serve: a site on a TAP device and on the host's own sockets; reload, status, the end.
. tests/lib.sh
if [ "$(id -u)" != 0 ]; then
    skip "wholenet serve" "needs root for a network namespace"
    finish
fi
if [ "${IN_NAMESPACE:-}" = "" ]; then
    # All of it in a network namespace of its own: abstract sockets, devices and ports are.
    rm -rf "$tmp"
    trap - EXIT
    exec env IN_NAMESPACE=yes unshare -n -m sh "$0"
fi
ip link set lo up
mount -t sysfs sysfs /sys 2>/dev/null

start() {
    "$wholenet" serve "$@" 2>"$tmp/serve.log" &
    pid=$!
    children="$children $pid"
    wait_for grep -q "serving" "$tmp/serve.log"
}
stop() {
    kill -"$1" $pid
    wait $pid
}
answers() {
    dig +short +tries=1 +time=1 "@$1" "$2" 2>/dev/null | grep -qx "$3"
}

# ---- on a TAP device: the kernel is the guest ----
cat >"$tmp/tap.conf" <<'SITE'
domain = "lab.example"
control = "lab"
link "tap:wn0" { address = "10.77.0.1/24" }
gateway { internet = none publish = {"127.0.0.1:8080:80"} }
addresses { lease-time = 1h }
names { record = {"one A 10.77.0.51"} }
web { }
SITE
start "$tmp/tap.conf"
contains "it says what it serves" "$(cat "$tmp/serve.log")" \
    "serving lab.example on tap:wn0, 10.77.0.1/24; wholenet status lab tells more"
check "the device is there, and up" sh -c 'ip link show up dev wn0 | grep -q wn0'
ip address add 10.77.0.5/24 dev wn0
check "the gateway answers" ping -c 1 -W 2 -q 10.77.0.1
check "names" answers 10.77.0.1 www.lab.example 10.77.0.1
equal "pages" "$(curl -sS -o /dev/null -w '%{http_code}' http://10.77.0.1/)" 200

status=$("$wholenet" status)
contains "status: the site" "$status" "$tmp/tap.conf, lab.example"
contains "status: the link" "$status" "link wn0  10.77.0.1/24"
contains "status: what is published" "$status" "published 127.0.0.1:8080 -> 80/tcp"
contains "status: counters" "$status" "answered 1"
equal "status by name, as JSON" "$("$wholenet" status --json lab |
    python3 -c 'import json, sys; s = json.load(sys.stdin); print(s["name"], s["site"]["domain"], s["links"][0]["name"])')" \
    "lab lab.example wn0"
capture "$wholenet" serve "$tmp/tap.conf"
equal "a second one of that name is refused" "$status" 1
contains "… with the reason" "$err" "a running wholenet has this name"

# ---- reload ----
mkfifo "$tmp/go"
python3 -c 'import socket, sys
s = socket.create_connection(("10.77.0.1", 80)); print("open", flush=True); sys.stdin.readline()
s.sendall(b"GET / HTTP/1.1\r\nHost: www.lab.example\r\nConnection: close\r\n\r\n"); print(s.recv(12).decode())' \
    >"$tmp/held" <"$tmp/go" &
holder=$!
exec 8>"$tmp/go"
wait_for grep -q open "$tmp/held"
sed -i 's/one A 10.77.0.51/one A 10.77.0.52/' "$tmp/tap.conf"
kill -HUP $pid
check "SIGHUP: what has changed is taken over" wait_for answers 10.77.0.1 one.lab.example 10.77.0.52
contains "… and it says so" "$(cat "$tmp/serve.log")" "reloaded $tmp/tap.conf"
echo >&8
wait $holder
equal "… a connection to what has not goes on" "$(sed -n 2p "$tmp/held")" "HTTP/1.1 200"
cp "$tmp/tap.conf" "$tmp/right.conf"
echo 'nonsense = 1' >>"$tmp/tap.conf"
kill -HUP $pid
wait_for grep -q "not reloaded" "$tmp/serve.log"
contains "a file that is wrong is refused, with its line" "$(cat "$tmp/serve.log")" \
    "not reloaded, all stays as it was: $tmp/tap.conf:8: no such option 'nonsense'"
check "… and all stays as it was" answers 10.77.0.1 one.lab.example 10.77.0.52
python3 -m http.server 8081 --bind 127.0.0.1 >/dev/null 2>&1 &
children="$children $!"
wait_for curl -s -o /dev/null http://127.0.0.1:8081/
sed 's/8080:80/8081:80/; s/10.77.0.52/10.77.0.53/' "$tmp/right.conf" >"$tmp/tap.conf"
kill -HUP $pid
wait_for grep -q "8081" "$tmp/serve.log"
contains "a port that is taken is refused" "$(cat "$tmp/serve.log")" \
    "cannot publish a port on 127.0.0.1:8081: Address already in use"
check "… and all stays as it was" answers 10.77.0.1 one.lab.example 10.77.0.52
sed 's/10.77.0.1/10.78.0.1/' "$tmp/right.conf" >"$tmp/tap.conf"
kill -HUP $pid
check "another link takes a restart" wait_for grep -q "that takes a restart" "$tmp/serve.log"
cp "$tmp/right.conf" "$tmp/tap.conf"

stop TERM
equal "SIGTERM: a clean end" $? 0
check "the device is gone" sh -c '! ip link show dev wn0'
capture "$wholenet" status
equal "nobody answers any more" "$status" 1
contains "… which is told" "$err" "no wholenet of yours is running"

# ---- on the host's own sockets ----
cat >"$tmp/host.conf" <<'SITE'
domain = "here.example"
link "host" { address = "127.0.0.1/8" }
names { listen = 5300 record = {"a A 192.0.2.1"} }
web { listen = "127.0.0.2:8088" root = "$WEB" }
SITE
mkdir "$tmp/web"
echo content >"$tmp/web/file"
sed -i "s|\$WEB|$tmp/web|" "$tmp/host.conf"
start "$tmp/host.conf"
equal "names on the host's sockets" "$(dig +short -p 5300 @127.0.0.1 a.here.example)" 192.0.2.1
equal "… over TCP" "$(dig +tcp +short -p 5300 @127.0.0.1 a.here.example)" 192.0.2.1
equal "files on the host's sockets" "$(curl -sS http://127.0.0.2:8088/file)" content
contains "status" "$("$wholenet" status)" "link host  127.0.0.1/8"
"$wholenet" run -- sleep 20 &
children="$children $!"
wait_for sh -c "[ \"\$($wholenet status 2>&1 | grep -c several)\" = 1 ]"
contains "several running ones have to be named" "$("$wholenet" status 2>&1)" "several are running, name one:"
contains "… by their process" "$("$wholenet" status $pid)" here.example
stop INT
equal "SIGINT: a clean end" $? 0

# ---- what cannot be served ----
printf 'web {}\n' >"$tmp/wrong.conf"
capture "$wholenet" serve "$tmp/wrong.conf"
equal "a site without a link" "$status" 1
contains "… says what is missing" "$err" 'it has no link: expected link "tap:NAME"'
printf 'link "host" { address = "127.0.0.1/8" }\nweb { listen = 8081 }\n' >"$tmp/wrong.conf"
capture "$wholenet" serve "$tmp/wrong.conf"
contains "a port that is taken" "$err" "cannot serve web pages: 127.0.0.1:8081: Address already in use"
equal "… in one line" "$(wc -l <"$tmp/err")" 1
finish
