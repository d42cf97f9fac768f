#!/bin/sh
# SPDX-License-Identifier: ISC
# The way out of the private network of wholenet run, and the way in: the host's loopback and
# resolvers, published ports, files whole both ways, a thousand connections at once.
. tests/lib.sh
mkdir "$tmp/web"
echo hello >"$tmp/web/hello"
head -c 60000000 /dev/urandom >"$tmp/web/big"
sha=$(sha_of <"$tmp/web/big")
serve_folder "$tmp/web"
inside() {
    "$wholenet" run -- sh -c "$1"
}

# ---- out ----
equal "10.0.2.2 is the host's loopback" "$(inside "curl -sS http://10.0.2.2:$port/hello")" hello
equal "… and host.home.arpa is it, too" "$(inside "curl -sS http://host.home.arpa:$port/hello")" hello
equal "a closed port of the host is refused" \
    "$(inside 'curl -sS -m 5 http://10.0.2.2:1/ 2>/dev/null; echo $?')" 7
equal "--host-loopback off refuses" \
    "$("$wholenet" run --host-loopback off -- curl -sS -m 5 "http://10.0.2.2:$port/hello" 2>/dev/null; echo $?)" 7
equal "--internet none leaves the host's loopback" \
    "$("$wholenet" run --internet none -- curl -sS -m 5 "http://10.0.2.2:$port/hello")" hello
equal "127.0.0.1 inside is not the host's" \
    "$(inside "curl -sS -m 5 http://127.0.0.1:$port/hello 2>/dev/null; echo \$?")" 7

equal "60 MB in are whole" "$(inside "curl -sS http://10.0.2.2:$port/big" | sha_of)" "$sha"
equal "60 MB out are whole" \
    "$(inside "curl -sS -T $tmp/web/big http://10.0.2.2:$port/put")" "$sha"
equal "both at once, twice" "$(inside "for i in 1 2; do
        curl -sS http://10.0.2.2:$port/big | sha256sum | cut -d' ' -f1 &
        curl -sS -T $tmp/web/big http://10.0.2.2:$port/put &
    done; wait" | sort -u)" "$sha"
equal "what a program sent before its end arrives" "$(
    python3 -c 'import socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(1)
open(sys.argv[1], "w").write(str(s.getsockname()[1]))
c = s.accept()[0]; n = 0
while True:
    b = c.recv(65536)
    if not b: break
    n += len(b)
print(n)' "$tmp/sink.port" &
    sink=$!
    wait_for test -s "$tmp/sink.port"
    "$wholenet" run --delay 50ms -- python3 -c 'import socket, sys
s = socket.create_connection(("10.0.2.2", int(sys.argv[1]))); s.sendall(b"x" * 200000)' "$(cat "$tmp/sink.port")"
    wait $sink)" 200000

# ---- UDP, and the host's resolvers ----
cat >"$tmp/udp.py" <<'SERVER'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    data, peer = s.recvfrom(65535)
    s.sendto(data.upper(), peer)
SERVER
python3 "$tmp/udp.py" >"$tmp/udp.port" &
children="$children $!"
wait_for test -s "$tmp/udp.port"
cat >"$tmp/ask.py" <<'CLIENT'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.connect((sys.argv[1], int(sys.argv[2])))
payload = b"x" * int(sys.argv[3])
s.send(payload)
print(len(s.recv(65535)))
CLIENT
for size in 1 1472 1473 9000 60000; do
    equal "a datagram of $size octets, and its answer" \
        "$(inside "python3 $tmp/ask.py 10.0.2.2 $(cat "$tmp/udp.port") $size")" $size
done

# Many at once, of one length and not: whole, each once, in their order.
cat >"$tmp/burst.py" <<'CLIENT'
import random, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
s.settimeout(5)
chance, sent, got = random.Random(1), [], []
for turn in range(60):
    size = chance.choice([1, 64, 64, 64, 512, 1200, 1472, 3000])
    for n in range(chance.choice([1, 2, 31, 40])):
        if chance.random() < 0.1:
            size = chance.choice([0, size // 2, 700])
        sent.append(b"%06d" % len(sent) + b"x" * size)
        s.sendto(sent[-1], (sys.argv[1], int(sys.argv[2])))
    while len(got) < len(sent):
        got.append(s.recv(65535))
print(got == [x.upper() for x in sent] and len(sent) > 500)
CLIENT
for options in "" "--capture $tmp/burst.pcapng" "--mtu 9000"; do
    equal "bursts of datagrams ${options%% *}" \
        "$("$wholenet" run $options -- python3 "$tmp/burst.py" 10.0.2.2 "$(cat "$tmp/udp.port")")" True
done
equal "they go in one piece, both ways, but where they are recorded" "$(
    for options in "" "--capture $tmp/burst.pcapng"; do
        "$wholenet" run $options -- sh -c "python3 $tmp/burst.py 10.0.2.2 $(cat "$tmp/udp.port") >&2
            curl -sS http://www.home.arpa/status.json" 2>/dev/null | python3 -c 'import json, sys
c = json.load(sys.stdin)
def find(x, k):
    if isinstance(x, dict):
        return x[k] if k in x else next((f for f in (find(v, k) for v in x.values()) if f is not None), None)
print(find(c, "udp_joined_out") > 100, find(c, "udp_joined_in") > 0)'
    done)" "True True
True False"

equal "a closed UDP port of the host says so" \
    "$(inside "python3 $tmp/ask.py 10.0.2.2 1 1 2>&1 | tail -1")" "ConnectionRefusedError: [Errno 111] Connection refused"

# A resolver of the host, in a mount namespace where resolv.conf names it.
cat >"$tmp/names.conf" <<'SITE'
domain = "outside.example"
control = "SELF"
link "host" { address = "127.0.0.1/8" }
names { listen = "127.0.0.9:53" record = {"www A 192.0.2.80", "six AAAA 2001:db8::80"} }
SITE
sed -i "s/SELF/outside-$$/" "$tmp/names.conf"
if [ "$(id -u)" = 0 ]; then
    "$wholenet" serve -q "$tmp/names.conf" &
    children="$children $!"
    wait_for dig +short +tries=1 @127.0.0.9 www.outside.example
    echo "nameserver 127.0.0.9" >"$tmp/resolv.conf"
    equal "other names go to the host's resolver, on its loopback" "$(unshare -m sh -c \
        "mount --bind $tmp/resolv.conf /etc/resolv.conf
         $wholenet run -- dig +short www.outside.example")" 192.0.2.80
    equal "… AAAA and over TCP, too" "$(unshare -m sh -c \
        "mount --bind $tmp/resolv.conf /etc/resolv.conf
         $wholenet run -- dig +tcp +short six.outside.example AAAA")" 2001:db8::80
fi

# ---- in ----
free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
outer=$(free_port)
"$wholenet" run -p "$outer:8000" -- python3 -m http.server 8000 --directory "$tmp/web" >/dev/null 2>&1 &
pid=$!
children="$children $pid"
check "a published port leads in" wait_for curl -sS -o "$tmp/got" "http://127.0.0.1:$outer/hello"
equal "… to what the program serves" "$(cat "$tmp/got")" hello
equal "… whole" "$(curl -sS "http://127.0.0.1:$outer/big" | sha_of)" "$sha"
capture "$wholenet" run -p "$outer:80" -- true
equal "a port that is taken is an error" "$status" 125
contains "… that says which" "$err" "cannot publish a port on 127.0.0.1:$outer: Address already in use"
kill $pid
wait $pid 2>/dev/null
equal "and the port is free again" "$("$wholenet" run -p "$outer:80" -- echo free)" free

outer=$(free_port)
"$wholenet" run -p "127.0.0.1:$outer:7000/udp" -- python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(("0.0.0.0", 7000))
while True:
    data, peer = s.recvfrom(65535); s.sendto(data + data, peer)' &
pid=$!
children="$children $pid"
check "a published UDP port leads in" wait_for sh -c "python3 $tmp/ask.py 127.0.0.1 $outer 500 | grep -x 1000"
kill $pid

# ---- many ----
cat >"$tmp/many.py" <<'CLIENT'
import asyncio, sys
async def one(port, go):
    reader, writer = await asyncio.open_connection("10.0.2.2", port)
    await go.wait()
    writer.write(b"GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
    data = await reader.read()
    writer.close()
    return data.endswith(b"hello\n")
async def main(port, count):
    go = asyncio.Event()
    tasks = [asyncio.create_task(one(port, go)) for _ in range(count)]
    await asyncio.sleep(0.5)
    go.set()
    print(sum(await asyncio.gather(*tasks)))
asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
CLIENT
equal "1000 connections at once" "$(ulimit -n 8192; inside "python3 $tmp/many.py $port 1000")" 1000
finish
