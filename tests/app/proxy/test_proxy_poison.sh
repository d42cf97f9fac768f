#!/bin/sh
# SPDX-License-Identifier: ISC
# Nobody gives others what he likes by way of the cache, nor comes by it to where he may not.
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib.sh
command -v python3 >/dev/null || { skip "a poisoned cache" "python3 is not installed"; finish; }
port=$((20000 + $$ % 3000))
cat >"$tmp/origin.py" <<'END'
# Answers with what it was asked, to be stored for a minute; "?s=NUMBER" sets the status, "?h=FIELD" adds a field.
import re
import socket
import sys
import threading
import urllib.parse


def talk(connection):
    try:
        with connection:
            converse(connection)
    except OSError:
        pass  # the proxy has gone


def converse(connection):
    data = b""
    while True:
        while b"\r\n\r\n" not in data:
            got = connection.recv(65536)
            if not got:
                return
            data += got
        head, data = data.split(b"\r\n\r\n", 1)
        length = re.search(rb"(?mi)^content-length: *(\d+)", head)
        size = int(length[1]) if length else 0
        while len(data) < size:
            data += connection.recv(65536)
        data = data[size:]
        target = head.split(b" ")[1].decode()
        if re.search(rb"(?mi)^upgrade:", head):
            connection.sendall(b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nsmuggled")
            return
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(target).query))
        fields = query.get("h", "X: y") + ("" if "ache-" in query.get("h", "") else "\r\nCache-Control: max-age=60")
        body = b"" if head.startswith(b"HEAD") else head
        connection.sendall(f"HTTP/1.1 {query.get('s', 200)} OK\r\n{fields}\r\nContent-Length: {len(head)}\r\n\r\n".encode() + body)


listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()
END
python3 "$tmp/origin.py" $((port + 1)) &
children="$children $!"
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
control = "poison-$$"
proxy { listen = "127.0.0.1:$port" servers = "127.0.0.1:$((port + 1))" }
proxy { listen = "127.0.0.1:$((port + 2))" }
web {
    listen = "127.0.0.1:$((port + 3))"
    location "/" { pass = "http://127.0.0.1:$((port + 1))" pass-cache = 1M }
}
END
"$wholenet" serve "$tmp/site.conf" >"$tmp/out.log" 2>&1 &
children="$children $!"
listening() { python3 -c "import socket; socket.create_connection(('127.0.0.1', $1)).close()"; }
wait_for listening $((port + 1))
wait_for listening "$port"
wait_for listening $((port + 3))
python3 tests/app/proxy/proxy_poison.py "$port" $((port + 1)) $((port + 2)) $((port + 3))
