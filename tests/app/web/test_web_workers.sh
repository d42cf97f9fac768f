#!/bin/sh
# SPDX-License-Identifier: ISC
# Web pages served by several threads: limits hold for all together, a nonce of one is good with the others,
# and a reload under load loses no request. TAP.
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib.sh
for tool in curl openssl python3; do
    command -v $tool >/dev/null || { skip "workers" "$tool is not installed"; finish; }
done

port=$((20000 + $$ % 12000))
mkdir "$tmp/root"
echo hello >"$tmp/root/a.txt"
echo "alice:r:$(printf alice:r:secret | md5sum | cut -d' ' -f1)" >"$tmp/users"
config() { # config CACHE-CONTROL
    cat <<END
workers = 2
link "host" { address = "127.0.0.1/8" }
control = "web-$$"
web {
    listen = {"127.0.0.1:$port", "127.0.0.1:$((port + 1)) tls"}
    certificate = "cert.pem"
    certificate-key = "key.pem"
    root = "root"
    access-log = "log"
    connections = 40
    cache-control = "$1"
    location "/private/" { auth = digest users = "users" realm = r }
}
END
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -days 2 \
    -keyout "$tmp/key.pem" -out "$tmp/cert.pem" 2>/dev/null
config one >"$tmp/site.conf"
"$wholenet" serve "$tmp/site.conf" >"$tmp/out.log" 2>&1 &
server=$!
children="$children $server"
get() { curl -sS "$@"; }
url=http://127.0.0.1:$port
wait_for get "$url/a.txt"

equal "all serve" "$(for _ in 1 2 3 4 5 6 7 8 9 10; do get "$url/a.txt"; done | sort -u)" hello
equal "the page about the site too" "$(for _ in 1 2 3 4 5 6 7 8; do get "$url/.wholenet/status.json" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["site"]["domain"])'; done | sort -u)" home.arpa

cat >"$tmp/nonce.py" <<'END'
# One nonce on many connections; connections beyond the limit of all.
import hashlib, http.client, re, select, sys, socket, time
port = int(sys.argv[1])
md5 = lambda text: hashlib.md5(text.encode()).hexdigest()
def ask(path, headers={}):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers=headers)
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply
if sys.argv[2] == "nonce":
    challenges = ask("/private/x").headers.get_all("WWW-Authenticate")
    challenge = [c for c in challenges if "SHA-256" not in c][0]
    nonce = re.search('nonce="([^"]*)"', challenge)[1]
    answer = md5(":".join((md5("alice:r:secret"), nonce, "00000001", "c", "auth", md5("GET:/private/x"))))
    field = (f'Digest username="alice", realm="r", nonce="{nonce}", uri="/private/x", qop=auth, nc=00000001, '
             f'cnonce="c", response="{answer}", algorithm=MD5')
    print(*sorted({ask("/private/x", {"Authorization": field}).status for _ in range(12)}))
else:
    kept, refused = [], 0
    for _ in range(60):
        s = socket.create_connection(("127.0.0.1", port))
        s.sendall(b"POST /.wholenet/sink HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n")  # at work until its body is here
        kept.append(s)
        time.sleep(0.005)
    end = time.monotonic() + 10
    while kept and time.monotonic() < end:
        for s in select.select(kept, [], [], 0.5)[0]:
            kept.remove(s)
            try:
                refused += s.recv(12).startswith(b"HTTP/1.1 503")
            except ConnectionError:
                refused += 1
        if refused >= 20:
            end = min(end, time.monotonic() + 0.5)
    print(refused)
END
equal "a nonce of one is good with the others" "$(python3 "$tmp/nonce.py" "$port" nonce)" 404
equal "connections are bounded for all together" "$(python3 "$tmp/nonce.py" "$port" connections)" 20
cat >"$tmp/resume.py" <<'END'
# Handshakes by the ticket of the one before, which may have been another worker's.
import socket, ssl, sys
context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
session, resumed = None, 0
for _ in range(13):
    with socket.create_connection(("127.0.0.1", int(sys.argv[1]))) as raw:
        with context.wrap_socket(raw, session=session) as s:
            s.sendall(b"GET /a.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
            while s.recv(65536):
                pass
            session, resumed = s.session, resumed + s.session_reused
print(resumed)
END
equal "TLS goes on with any of them" "$(python3 "$tmp/resume.py" "$((port + 1))")" 12
status() { "$wholenet" status --json "web-$$" | python3 -c "import json, sys; print(json.load(sys.stdin)['services']['web']['$1'])"; }
before=$(status requests)
for _ in 1 2 3 4 5 6 7 8 9 10; do get "$url/a.txt" >/dev/null; done
equal "requests of all are counted" "$(($(status requests) - before))" 10

# ---- a reload under load ----

cat >"$tmp/load.py" <<'END'
import http.client, sys, threading, time
port, ends, bad, count = int(sys.argv[1]), time.monotonic() + 5, [], []
def client(kept):
    connection = None
    while time.monotonic() < ends:
        try:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/a.txt")
            reply = connection.getresponse()
            if reply.status != 200 or reply.read() != b"hello\n":
                bad.append(reply.status)
            count.append(1)
        except Exception as error:
            bad.append(error)
        if not kept or bad:
            connection.close()
            connection = None
threads = [threading.Thread(target=client, args=(i % 2 == 0,)) for i in range(8)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print("bad", bad[:5], "enough", len(count) > 500)
END
python3 "$tmp/load.py" "$port" >"$tmp/load" 2>&1 &
load=$!
for value in two three four five six; do
    sleep 0.6
    config "$value" >"$tmp/site.conf"
    kill -HUP "$server"
done
wait $load
equal "a reload loses no request" "$(cat "$tmp/load")" "bad [] enough True"
equal "all have the new configuration" "$(for _ in 1 2 3 4 5 6 7 8; do
    get -D - -o /dev/null "$url/a.txt" | tr -d '\r' | grep -i cache-control; done | sort -u | tr A-Z a-z)" "cache-control: six"
kill -TERM "$server"
wait "$server"
equal "SIGTERM ends all of them" "$?" 0
equal "lines of the log are whole" "$(grep -cv '^127.0.0.1 - [^ ]* \[.*\] "[^"]*" [0-9]* [0-9]* "[^"]*" "[^"]*"$' "$tmp/log")" 0
check "and all there" test "$(grep -c '"GET /a.txt' "$tmp/log")" -gt 500
finish
