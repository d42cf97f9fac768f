#!/bin/sh
# SPDX-License-Identifier: ISC
# A proxy that sends no faster than it is told: a connection, a client, a tunnel.
. tests/lib.sh

set -- $(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
print(*[x.getsockname()[1] for x in s])')
origin=$1 proxy=$2 clients=$3
at=http://127.0.0.1:$origin
listens() {
    wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $1))" || echo "# nobody listens on port $1"
}
start() {
    "$@" >>"$tmp/children.log" 2>&1 &
    children="$children $!"
}
start python3 tests/support/stamp_origin.py serve "$origin"
site() { # NAME PORT OPTIONS
    printf 'link "host" { address = "127.0.0.1/8" }\nproxy { listen = {"127.0.0.1:%s"} name = %s connect-ports = {%s}\n%s\n}\n' \
        "$2" "$1" "$origin" "$3" >"$tmp/$1.conf"
    start "$wholenet" serve "$tmp/$1.conf"
    listens "$2"
}
listens "$origin"
site one "$proxy" "rate = 400k"
site all "$clients" "client-rate = 400k cache = 64M"
# Tenths of a second for so many requests at once, each of 800,000 octets.
tenths() { # PORT COUNT CURL-OPTIONS
    port=$1 count=$2
    shift 2
    python3 - "$port" "$count" "$at" "$@" <<'TENTHS'
import subprocess, sys, time
port, count, at, *options = sys.argv[1:]
begin = time.time()
children = [subprocess.Popen(["curl", "-sS", "-m", "30", "-o", "/dev/null", "-w", "%{size_download}", "-x",
                              f"http://127.0.0.1:{port}", *options, f"{at}/1/800000"],
                             stdout=subprocess.PIPE) for _ in range(int(count))]
assert all(c.communicate()[0] == b"800000" for c in children)
print(int((time.time() - begin) * 10))
TENTHS
}
between() { # NAME TENTHS LEAST MOST
    check "$1 ($2 tenths of a second)" [ "$2" -ge "$3" -a "$2" -le "$4" ]
}
between "a connection has its rate" "$(tenths "$proxy" 1)" 13 35
between "… each its own" "$(tenths "$proxy" 3)" 13 35
between "… also what is stored" "$(tenths "$proxy" 1)" 13 35
between "… in a tunnel, too" "$(tenths "$proxy" 1 -p)" 13 35
between "a client has one rate for all of its connections" "$(tenths "$clients" 3)" 53 90
finish
