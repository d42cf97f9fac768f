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
chmod +x "$tmp/upper.py"
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
