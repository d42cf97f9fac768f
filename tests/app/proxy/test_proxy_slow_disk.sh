#!/bin/sh
# SPDX-License-Identifier: ISC
# A disk on which every call takes two seconds: who does not need it is answered as ever, who does is answered by the
# origin, and what was purged is gone before that is said.
. tests/lib.sh

case ${VARIANT:-} in asan | tsan)
    skip "a slow disk" "nothing can be loaded before a sanitizer"
    finish
    ;;
esac
if ! ${CC:-cc} -D_GNU_SOURCE -shared -fPIC -O1 -o "$tmp/slow.so" tests/app/proxy/slow_disk.c -ldl 2>"$tmp/cc.log"; then
    skip "a slow disk" "no compiler here"
    finish
fi
set -- $(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*[x.getsockname()[1] for x in s])')
origin=$1 proxy=$2
at=http://127.0.0.1:$origin
listens() {
    wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $1))" || echo "# nobody listens on port $1"
}
python3 tests/support/stamp_origin.py serve "$origin" >>"$tmp/children.log" 2>&1 &
children="$children $!"
printf 'link "host" { address = "127.0.0.1/8" }\nproxy { listen = {"127.0.0.1:%s"} name = one disk = "%s" cache = 1M object-max = 128k disk-size = 200M }\n' \
    "$proxy" "$tmp/cache" >"$tmp/one.conf"
serve() {
    SLOW_DISK="$tmp/cache" SLOW_DISK_TIME="$tmp/time" LD_PRELOAD="$tmp/slow.so" \
        "$wholenet" serve "$tmp/one.conf" >>"$tmp/one.log" 2>&1 &
    pid=$!
    children="$children $pid"
    listens "$proxy"
}
get() {
    curl -sS --max-time 30 -x "http://127.0.0.1:$proxy" "$@"
}
how() {
    get -o /dev/null -D - "$@" | tr -d '\r' | sed -n 's/^Cache-Status: "[a-z]*"; \([a-z-]*\).*/\1/p'
}
count() {
    "$wholenet" status --json "$pid" | python3 -c "import json, sys; print(json.load(sys.stdin)['services']['proxy']['$1'])"
}
sum() {
    python3 -c "import sys; sys.path.insert(0, 'tests/support'); import stamp_origin
sys.stdout.buffer.write(stamp_origin.octets_of('$1', $2))" | cksum
}
written() {
    [ "$(count disk_written)" = "$1" ]
}
seconds() { # COMMAND…: how many, whole, it takes
    python3 -c "import subprocess, sys, time
t = time.monotonic(); subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); print(int(time.monotonic() - t))" "$@"
}

listens "$origin"
serve
for i in $(seq 40); do get -o /dev/null "$at/$i/60000"; done # more than memory holds
get -o /dev/null "$at/90/2000000"
check "all is written" wait_for written 41
get -o /dev/null "$at/40/60000"
echo 2000 >"$tmp/time"
for i in 1 2 3 4; do get -o /dev/null "$at/$i/60000" & done        # from files
for i in 51 52 53; do get -o /dev/null "$at/$i/60000" & done       # to files
for i in 91 92; do get "$at/$i/2000000" | cksum >"$tmp/large$i" & done # to files, as they come
get "$at/90/2000000" | cksum >"$tmp/large90" &                     # a large one of a file
python3 - "$proxy" "$at" >"$tmp/times" <<'PY'
import http.client, sys, time
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
longest, hits, end, i = 0, 0, time.monotonic() + 5, 0
while time.monotonic() < end:
    i += 1
    target = sys.argv[2] + ("/40/60000" if i % 2 else f"/x{i}/100")
    begin = time.monotonic()
    c.request("GET", target, headers={} if i % 2 else {"Cache-Control": "no-store"})
    r = c.getresponse()
    hits += "hit" in r.getheader("Cache-Status")
    r.read()
    longest = max(longest, time.monotonic() - begin)
    time.sleep(0.02)
print(int(longest * 1000), hits)
PY
read -r longest hits <"$tmp/times"
check "others do not wait for a slow disk (at most $longest ms)" [ "$longest" -lt 1000 ]
check "… and have what is in memory ($hits hits)" [ "$hits" -gt 20 ]
wait_for sh -c "! pgrep -P $$ curl"
equal "what goes to a file as it comes goes past it" "$(cat "$tmp/large91" "$tmp/large92")" "$(sum 91 2000000; sum 92 2000000)"
equal "what is in a file is had of the origin" "$(cat "$tmp/large90")" "$(sum 90 2000000)"
check "… in time" [ "$(seconds curl -sS -o /dev/null -x "http://127.0.0.1:$proxy" "$at/7/60000")" -lt 2 ]
contains "the disk is complained of" "$(cat "$tmp/one.log")" "the disk of the cache's directory: it is slow"
equal "only-if-cached does not go there" "$(get -o /dev/null -w '%{http_code}' -H 'Cache-Control: only-if-cached' "$at/8/60000")" 504
rm "$tmp/time"
sleep 2.5
equal "a disk that is well again is used" "$(how "$at/9/60000")" hit
equal "… for what is new, too" "$(get "$at/93/2000000" | cksum; sleep 0.5; how "$at/93/2000000")" "$(sum 93 2000000)
hit"
echo 300 >"$tmp/time"
equal "a purge" "$(get -X PURGE "$at/9/60000")" '{"purged": 1}'
kill -KILL "$pid"
wait "$pid" 2>/dev/null
rm "$tmp/time"
serve
wait_for sh -c "\"$wholenet\" status --json $pid | grep -q '\"disk_loading\":0'"
equal "… holds from when it is said" "$(how "$at/9/60000")" fwd
equal "… and all else is there" "$(how "$at/10/60000")" hit
kill "$pid"
wait "$pid" 2>/dev/null
equal "it ends in order" $? 0
finish
