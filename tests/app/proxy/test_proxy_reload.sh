#!/bin/sh
# SPDX-License-Identifier: ISC
# SIGHUP: the proxy has another configuration, and nobody who uses it notices but by what it says.
. tests/lib.sh

set -- $(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(6)]
print(*[x.getsockname()[1] for x in s])')
origin=$1 second=$2 proxy=$3 extra=$4 secure=$5 gone=$6
at=http://127.0.0.1:$proxy
listens() {
    wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $1))" || echo "# nobody listens on port $1"
}
start() {
    "$@" >>"$tmp/children.log" 2>&1 &
    pid=$!
    children="$children $pid"
}
start python3 tests/support/stamp_origin.py serve "$origin"
start python3 tests/support/origin_server.py "$second"
site() { # OPTIONS
    printf 'link "host" { address = "127.0.0.1/8" }\nproxy {\n%s\n}\n' "$1" >"$tmp/site.conf"
}
first="listen = {\"127.0.0.1:$proxy\", \"127.0.0.1:$gone\"} servers = {\"127.0.0.1:$origin\"} name = first cache = 64M"
site "$first"
start "$wholenet" serve "$tmp/site.conf"
for port in "$origin" "$second" "$proxy"; do
    listens "$port"
done
sum() { # of what /N/SIZE is
    python3 -c "import sys; sys.path.insert(0, 'tests/support'); import stamp_origin
sys.stdout.buffer.write(stamp_origin.octets_of('$1', $2))" | cksum
}
status() {
    curl -sS -o /dev/null -D - "$@" 2>&1 | tr -d '\r' | sed -n 's/^Cache-Status: //p;s/^curl: (\([0-9]*\)).*/\1/p'
}
curl -sS -o /dev/null "$at/1/5000"
curl -sS "$at/2/3000000/slow" | cksum >"$tmp/long" &
long=$!
sleep 0.3
site "listen = {\"127.0.0.1:$proxy\", \"127.0.0.1:$extra\", \"127.0.0.1:$secure tls\"} name = second cache = 16M
    servers = {\"127.0.0.1:$second\"} access-log = \"$tmp/access.log\""
# A connection that is kept, over the reload.
python3 - "$proxy" "$pid" >"$tmp/kept" 2>&1 <<'KEPT'
import http.client, os, signal, sys, time
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
def get(path):
    c.request("GET", path)
    r = c.getresponse()
    r.read()
    return r.getheader("Via")
print(get("/1/5000"))
sock = c.sock
os.kill(int(sys.argv[2]), signal.SIGHUP)
time.sleep(0.4)
print(get("/1/5000"), c.sock is sock)
KEPT
equal "a connection goes on, with what is new" "$(cat "$tmp/kept")" "1.1 first
1.1 second True"
contains "what was stored is there" "$(status "$at/1/5000")" '"second"; hit'
equal "new requests go to the new servers" "$(curl -sS "$at/new?body=n")" n1
wait $long
equal "what is under way ends as it began" "$(cat "$tmp/long")" "$(sum 2 3000000)"
contains "new ports are listened to" "$(status -H "Host: 127.0.0.1:$proxy" "http://127.0.0.1:$extra/1/5000")" hit
contains "… with TLS, too" "$(status -k "https://127.0.0.1:$secure/1/5000")" '"second"'
equal "others are not any more" "$(status "http://127.0.0.1:$gone/1/5000")" 7
sleep 1.1
contains "a log is written from now on" "$(cat "$tmp/access.log")" "/new?body=n"

echo "ada:$(openssl passwd -6 one)" >"$tmp/users"
site "listen = {\"127.0.0.1:$proxy\"} name = third servers = {\"127.0.0.1:$second\"} users = \"$tmp/users\""
reload "$pid" "$tmp/children.log"
equal "users are asked for" "$(curl -sS -o /dev/null -w '%{http_code}' "$at/1/5000")" 407
auth="Proxy-Authorization: Basic $(printf 'ada:one' | base64)"
equal "… and let in" "$(curl -sS -o /dev/null -w '%{http_code}' -H "$auth" "$at/1/5000")" 200
echo "ada:$(openssl passwd -6 two)" >"$tmp/users"
reload "$pid" "$tmp/children.log"
equal "a file of users is read again" "$(curl -sS -o /dev/null -w '%{http_code}' -H "$auth" "$at/1/5000")" 407
echo nonsense >"$tmp/users"
reload "$pid" "$tmp/children.log"
equal "… and stays as it was when it is none" "$(curl -sS -o /dev/null -w '%{http_code}' \
    -H "Proxy-Authorization: Basic $(printf 'ada:two' | base64)" "$at/1/5000")" 200
contains "… which is said" "$(cat "$tmp/children.log")" "not reloaded, it stays as it was"
site "listen = {\"127.0.0.1:$proxy\", \"127.0.0.1:$origin\"} name = fourth servers = {\"127.0.0.1:$second\"}"
reload "$pid" "$tmp/children.log"
equal "a port that is somebody else's: nothing changes" "$(curl -sS -o /dev/null -w '%{http_code}' "$at/1/5000")" 407

site "$first"
reload "$pid" "$tmp/children.log"
python3 tests/support/stamp_origin.py check "$proxy" "$origin" 1 >/dev/null 2>&1
cat >"$tmp/many.py" <<'MANY'
import http.client, sys, threading, time
bad, done = [], [0]
def run(n):
    end = time.time() + 4
    c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=10)
    i = 0
    while time.time() < end:
        i += 1
        try:
            c.request("GET", f"/{n * 100000 + i}/70000")
            if len(c.getresponse().read()) != 70000:
                bad.append("short")
        except Exception as e:
            bad.append(repr(e))
            return
        done[0] += 1
        if i % 7 == 0:
            c.close()
threads = [threading.Thread(target=run, args=(i,)) for i in range(1, 7)]
[t.start() for t in threads]
[t.join() for t in threads]
print(len(bad), done[0] > 100, *bad[:3])
MANY
python3 "$tmp/many.py" "$proxy" >"$tmp/many" 2>&1 &
many=$!
for i in $(seq 20); do
    site "$(echo "$first" | sed "s/name = first/name = n$i/;s/64M/$((1 + i % 3 * 20))M/;s/}/}/;s/servers = {[^}]*}/servers = {\"127.0.0.1:$origin weight=$((1 + i % 2))\"}/")"
    kill -HUP "$pid"
    sleep 0.15
done
wait $many
equal "twenty reloads under load lose no request" "$(cat "$tmp/many")" "0 True"
kill "$pid"
wait "$pid" 2>/dev/null
equal "it ends in order" $? 0
finish
