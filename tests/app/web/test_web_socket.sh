#!/bin/sh
# SPDX-License-Identifier: ISC
# WebSocket: the protocol with clients of others and octet by octet, over HTTP/1.1 and HTTP/2, and programs
# behind it.
. tests/lib.sh

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$tmp/upper.py" <<'PY'
#!/usr/bin/python3
import os, sys
print("program begins", file=sys.stderr, flush=True)
for line in sys.stdin:
    line = line.rstrip("\n")
    if line == "info":
        e = os.environ
        print(e["REQUEST_METHOD"], e["SCRIPT_NAME"], e.get("PATH_INFO", "-"), e["QUERY_STRING"],
              e["SERVER_PROTOCOL"], flush=True)
    elif line == "quit":
        sys.exit(0)
    elif line == "bad":
        sys.stdout.buffer.write(b"\xff\xfe\n")
        sys.stdout.flush()
    else:
        print(line.upper(), flush=True)
PY
printf '#!/bin/sh\nread x\necho "$WEBSOCKET_PROTOCOL of $HTTP_SEC_WEBSOCKET_PROTOCOL"\n' >"$tmp/protocol"
chmod +x "$tmp/upper.py" "$tmp/protocol"
cat >"$tmp/site.conf" <<SITE
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$port"}
    location "/echo" { websocket = echo }
    location "/upper/" { websocket = "$tmp/upper.py first second" }
    location "/binary" { websocket = "cat"
        websocket-mode = binary }
    location "/from" { websocket = echo
        websocket-origin = {"https://good.test"} }
    location "/patient" { websocket = echo
        websocket-ping = 1s }
    location "/any" { websocket = "$tmp/protocol"
        websocket-protocol = any }
    location "/two" { websocket = "$tmp/protocol"
        websocket-protocol = {"chat.v2", "chat.v1"} }
    location "/silent" { websocket = "$tmp/protocol" }
    location "/behind/" { pass = "http://127.0.0.1:$port/" }
    location "/none" { websocket = "$tmp/nothing" }
}
SITE
"$wholenet" serve -v "$tmp/site.conf" 2>"$tmp/log" &
server=$!
children="$children $server"
wait_for curl -sf "http://127.0.0.1:$port/healthz" || cat "$tmp/log"

peer() {
    timeout 120 "$1" tests/app/web/websocket_peer.py "$port" "$2" >"$tmp/peer.log" 2>"$tmp/peer.err"
    ended=$?
    while IFS= read -r line; do
        case $line in
        "ok "*) ok "$2: ${line#ok }" ;;
        *) not_ok "$2: ${line#not ok }" ;;
        esac
    done <"$tmp/peer.log"
    equal "$2: to its end" $ended 0
    [ $ended = 0 ] || sed 's/^/# /' "$tmp/peer.err"
}
python_with() {
    for python in python3 /usr/bin/python3; do
        "$python" -c "import $1" 2>/dev/null && return 0
    done
    return 1
}
peer python3 raw
if python_with websockets; then peer $python lib; else skip "lib" "python3-websockets is not here"; fi
if python_with h2; then peer $python h2; else skip "h2" "python3-h2 is not here"; fi
at=http://127.0.0.1:$port
equal "an ordinary request" "$(curl -s -o /dev/null -w '%{http_code}' "$at/echo")" 426
equal "one over HTTP/2" "$(curl -s --http2-prior-knowledge -o /dev/null -w '%{http_code}' "$at/echo")" 426
equal "a program that is not there" "$(curl -s -o /dev/null -w '%{http_code}' --max-time 5 -H 'Connection: Upgrade' \
    -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' -H 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==' "$at/none")" 500

# ---- subprotocols (RFC 6455 §1.9) ----
chosen() {
    "$wholenet" get -i --raw ws://127.0.0.1:$port/$1 --subprotocol "$2" --message x --count 1 2>&1 | tr -d '\r' |
        sed -n 's/^Sec-WebSocket-Protocol: /told /p; / of /p' | paste -sd ';'
}
equal "the one that the server prefers" "$(chosen two "chat.v1, chat.v2")" "told chat.v2;chat.v2 of chat.v1, chat.v2"
equal "the one that both know" "$(chosen two "x, chat.v1")" "told chat.v1;chat.v1 of x, chat.v1"
equal "none that both know" "$(chosen two "Chat.v1, y")" " of Chat.v1, y"
equal "any: the one that the client prefers" "$(chosen any "b, a")" "told b;b of b, a"
equal "nothing is chosen by default" "$(chosen silent "a")" " of a"
equal "the server behind chooses" "$(chosen behind/two "chat.v1")" "told chat.v1;chat.v1 of chat.v1"
equal "several fields are one list" "$(python3 -c "import socket
s = socket.create_connection(('127.0.0.1', $port)); s.settimeout(10)
s.sendall(b'GET /two HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n'
          b'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: chat.v1\r\n\r\n')
head = s.recv(4096)
print(head.count(b'Sec-WebSocket-Protocol: chat.v1'))")" 1
contains "complaints are in the log" "$(cat "$tmp/log")" "/upper/: program begins"
no_program() {
    ! pgrep -f "$tmp/upper.py"
}
wait_for no_program
check "programs end with their clients" no_program
kill $server
wait $server
equal "it ends well" $? 0
finish
