#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet get ws://…: what goes and comes, with a server of others (python3-websockets), with our own over TLS and
# through proxies, and with one that breaks each rule (RFC 6455, RFC 7692).
. tests/lib.sh
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
get() { capture timeout 60 "$wholenet" get "$@"; }

python3 -u tests/cli/websocket_server.py raw "$tmp" >"$tmp/port" 2>"$tmp/server.log" &
children="$children $!"
wait_for test -s "$tmp/port"
at=ws://127.0.0.1:$(cat "$tmp/port")

# ---- octet by octet ----
get $at/keys --message one --message two --message three --message four --count 1
equal "each message has a mask of its own (RFC 6455 §5.3)" "$status $out" "0 new keys"
get $at/ping --count 1 </dev/null
equal "a ping is answered (§5.5.2)" "$status $out" "0 pong are you there"
get $at/fragments --count 1 </dev/null
equal "fragments, and a ping between them (§5.4)" "$status $out" "0 in é two"
get $at/takeover --count 7 </dev/null
equal "messages that refer to those before, and a final block (RFC 7692 §7.2.3)" \
    "$status $(printf '%s' "$out" | sort | uniq -c | tr -s ' ' | tr '\n' ',')" \
    "0  1 plain, 6 the same words again and again ,"
get -u me:secret -H "X-One: 1" -b a=b $at/fields --basic --count 1 </dev/null
equal "fields, cookies, credentials (§4.1)" "$status $out" "0 a=b Basic bWU6c2VjcmV0 1 13 websocket Upgrade -"
get -c "$tmp/jar" $at/away --count 1 </dev/null
equal "a redirect is followed" "$status $out" "0 - - - 13 websocket Upgrade -"
contains "cookies of the handshake are kept" "$(cat "$tmp/jar")" "ws"
get -u me:secret $at/login --count 1 </dev/null
equal "who asks is told when the server wants to know" "$status $out" "0 Basic bWU6c2VjcmV0"
get -j $at/lines --count 2 </dev/null
equal "--json: an object for each message" "$out" '{"message":"text","text":"two\nlines"}
{"message":"binary","base64":"AP8="}'
contains "… and what became of it" "$err" '"messages":2,"close":1000'
get -i -o "$tmp/file" $at/lines --count 1 </dev/null
contains "-i -o: the head, in a file" "$(cat "$tmp/file")" "101 Switching"

# ---- closes ----
get $at/close/1000 --count 0 </dev/null
equal "the server closes: 1000" "$status$err" 0
get $at/close/0 --count 0 </dev/null
equal "… without a code" "$status$err" 0
get $at/close/1000 --count 1 </dev/null
equal "… before what was waited for" "$status" 5
get $at/close/1011 --count 0 </dev/null
equal "… 1011: status 8" "$status" 8
contains "… code and reason are told, and steer no terminal" "$err" "closed by the server: 1011, internal error: so it ?is"
get $at/close/4999 --count 0 </dev/null
equal "… 4999" "$status" 8
get $at/cut --count 0 </dev/null
equal "it is cut off: status 5" "$status $out" "5 the last word"
contains "… 1006" "$err" 1006
: >"$tmp/closes"
capture sh -c "printf 'a\\nb' | $wholenet get $at/x"
equal "the end of standard input closes" "$status $(cat "$tmp/closes")" "0 1000"

# ---- what no server may do ----
refuses() {
    : >"$tmp/closes"
    get $4 $at/$1 --count 0 </dev/null
    equal "/$1: told $2, status $3" "$(tail -n 1 "$tmp/closes") $status" "$2 $3"
}
refuses masked 1002 5 ""
refuses reserved 1002 5 ""
refuses opcode 1002 5 ""
refuses not-agreed 1002 5 --raw
refuses nothing-continued 1002 5 ""
refuses long-ping 1002 5 ""
refuses no-text 1007 5 ""
refuses half 1007 5 ""
refuses bad-deflate 1007 5 ""
refuses close/999 1002 5 ""
refuses large 1009 1 "--max-size 1999"
for path in wrong-accept wrong-upgrade extension protocol client-bits; do
    get $at/$path --count 0 </dev/null
    equal "/$path is no handshake (RFC 6455 §4.1)" "$status" 5
done
contains "… and says why" "$err" "extension that it was not offered"

# ---- the command line ----
for wrong in "--message x" "--count 1" "--binary" "--subprotocol a"; do
    get http://127.0.0.1/ $wrong
    equal "$wrong is for WebSockets" "$status" 2
done
for wrong in "-d x" "-F a=b" "-I" "-X PUT" "-0" "--http2-prior-knowledge" "--recursive" "$at/y"; do
    get $at/x $wrong
    equal "$wrong is not" "$status" 2
done
get $at/x --subprotocol "a b"
equal "--subprotocol: expected a token" "$status" 2
capture sh -c "printf '\\377\\n' | $wholenet get $at/x"
equal "what is no UTF-8 is not sent as text" "$status" 1
contains "… says what to do" "$err" "--binary"
get -m 500ms $at/x --count 1 </dev/null
equal "--timeout: status 6" "$status" 6
equal "… says goodbye" "$(tail -n 1 "$tmp/closes")" 1001

# ---- a server of others ----
python_with() {
    for python in python3 /usr/bin/python3; do
        "$python" -c "import $1" 2>/dev/null && return 0
    done
    return 1
}
if python_with websockets; then
    $python -u tests/cli/websocket_server.py lib >"$tmp/lib" 2>"$tmp/lib.log" &
    children="$children $!"
    wait_for test -s "$tmp/lib"
    other=ws://127.0.0.1:$(cat "$tmp/lib")
    seq 20000 >"$tmp/many"
    for raw in "" --raw; do
        timeout 60 "$wholenet" get $raw $other/ <"$tmp/many" >"$tmp/back"
        check "python3-websockets $raw: a file of 20,000 lines" cmp "$tmp/many" "$tmp/back"
        cat "$tmp/many" | timeout 60 "$wholenet" get $raw $other/ --count 20000 >"$tmp/back"
        check "python3-websockets $raw: a pipe of them" cmp "$tmp/many" "$tmp/back"
        head -c 3000000 /dev/urandom >"$tmp/octets"
        timeout 60 "$wholenet" get $raw --binary $other/ <"$tmp/octets" >"$tmp/back"
        check "python3-websockets $raw: octets" cmp "$tmp/octets" "$tmp/back"
        head -c 2000000 /dev/zero | tr '\0' x >"$tmp/long"
        timeout 60 "$wholenet" get $raw $other/ --count 1 <"$tmp/long" | head -c 2000000 >"$tmp/back"
        check "python3-websockets $raw: a line of 2 MB" cmp "$tmp/long" "$tmp/back"
    done
    get $other/first --subprotocol "x, two" --count 1 </dev/null
    equal "… a subprotocol" "$out" "chosen two"
    get $other/first --subprotocol "three" --count 1 </dev/null
    equal "… none of ours" "$out" "chosen None"
    get $other/ --message leave
    equal "… a close" "$status $out" "8 leave"
    contains "… with its code" "$err" "4001, private use: as you said"
else
    skip "python3-websockets" "it is not here"
fi

# ---- our own, with TLS, and through a proxy ----
port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
tls=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
proxy=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
cat >"$tmp/site.conf" <<SITE
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$port", "127.0.0.1:$tls tls"}
    location "/echo" { websocket = echo }
}
proxy { listen = {"127.0.0.1:$proxy"}
    connect-ports = {$port, $tls} }
SITE
HOME=$tmp "$wholenet" serve "$tmp/site.conf" >"$tmp/serve.log" 2>&1 &
children="$children $!"
wait_for curl -sf "http://127.0.0.1:$port/healthz" || cat "$tmp/serve.log"
seq 2000 >"$tmp/many"
timeout 60 "$wholenet" get ws://127.0.0.1:$port/echo <"$tmp/many" >"$tmp/back"
check "ours: 2000 lines" cmp "$tmp/many" "$tmp/back"
timeout 60 "$wholenet" get -k wss://127.0.0.1:$tls/echo <"$tmp/many" >"$tmp/back"
check "wss: 2000 lines" cmp "$tmp/many" "$tmp/back"
get wss://127.0.0.1:$tls/echo --message x --count 1
equal "wss with whom nobody vouches for: status 4" "$status" 4
get -v -x http://127.0.0.1:$proxy ws://127.0.0.1:$port/echo --message x --count 1
equal "through a proxy" "$status $out" "0 x"
get -k -x http://127.0.0.1:$proxy wss://127.0.0.1:$tls/echo --message x --count 1
equal "wss through a proxy" "$status $out" "0 x"
get -x http://127.0.0.1:9 ws://127.0.0.1:$port/echo --message x --count 1
equal "a proxy that is not there: status 4" "$status" 4
get ws://127.0.0.1:$port/nothing --count 1 </dev/null
equal "nothing there: status 8" "$status$out" 8
get ws://127.0.0.1:$port/ --count 1 </dev/null
equal "no WebSocket there: status 8" "$status$out" 8
contains "… and why" "$err" "no WebSocket"
finish
