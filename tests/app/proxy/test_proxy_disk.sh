#!/bin/sh
# SPDX-License-Identifier: ISC
# The proxy's second tier: what is in files after an end in order, a kill and a full disk; two proxies and one
# directory; what is read from files by every kind of client.
. tests/lib.sh

set -- $(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
print(*[x.getsockname()[1] for x in s])')
origin=$1 proxy=$2 secure=$3 second=$4
at=http://127.0.0.1:$origin
python3 tests/support/stamp_origin.py serve "$origin" >>"$tmp/children.log" 2>&1 &
children="$children $!"
origin_pid=$!

site() { # NAME PORT OPTIONS
    printf 'link "host" { address = "127.0.0.1/8" }\nproxy { listen = {"127.0.0.1:%s", "127.0.0.1:%s tls"} name = %s\n%s\n}\n' \
        "$2" "$secure" "$1" "$3" >"$tmp/$1.conf"
}
listens() {
    wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $1))" || echo "# nobody listens on port $1"
}
serve() { # NAME; sets $pid
    "$wholenet" serve "$tmp/$1.conf" >>"$tmp/$1.log" 2>&1 &
    pid=$!
    children="$children $pid"
    listens "$proxy"
}
end() {
    kill "$1" "$pid"
    wait "$pid" 2>/dev/null
}
get() {
    curl -sS --max-time 20 -x "http://127.0.0.1:$proxy" "$@"
}
how() { # what the cache did
    get -o /dev/null -D - "$@" | tr -d '\r' | sed -n 's/^Cache-Status: "[a-z]*"; \([a-z-]*\).*/\1/p'
}
count() { # NAME of a counter
    "$wholenet" status --json "$pid" | python3 -c "import json, sys; print(json.load(sys.stdin)['services']['proxy']['$1'])"
}
loaded() {
    [ "$(count disk_loading)" = 0 ]
}
check_all() {
    python3 tests/support/stamp_origin.py check "$proxy" "$origin" "$@"
}
sum() { # of what /N/SIZE is
    python3 -c "import sys; sys.path.insert(0, 'tests/support'); import stamp_origin
sys.stdout.buffer.write(stamp_origin.octets_of('$1', $2))" | cksum
}
files() {
    find "$tmp/cache" -type f ! -name lock | wc -l
}

site one "$proxy" "disk = \"$tmp/cache\" cache = 8M object-max = 1M disk-size = 200M"
listens "$origin"
serve one

# ---- an end in order ----

equal "responses pass, small and large" "$(check_all 90)" "answers=90 hits=0 broken=0 wrong=0"
check "… and are written" wait_for sh -c "[ \$(find $tmp/cache -type f ! -name '*.new' ! -name lock | wc -l) = 90 ]"
equal "what is not in memory comes from its file" "$(check_all 90 | sed 's/hits=8[0-9]/hits=8x/;s/hits=90/hits=8x/')" \
    "answers=90 hits=8x broken=0 wrong=0"
check "… and the large ones do" [ "$(count disk_hits)" -ge 5 ]
equal "a large one is whole" "$(get "$at/8/2000000" | cksum)" "$(sum 8 2000000)"
equal "a purge" "$(get -X PURGE "$at/8/2000000")" '{"purged": 1}'
equal "… takes the file, too" "$(how "$at/8/2000000")" fwd
get -o /dev/null "$at/7/300000"
end -TERM
equal "nothing is left half done" "$(find "$tmp/cache" -name '*.new' | wc -l)" 0
get_purged=$(files)
kill "$origin_pid"
serve one
check "after a start it is found again" wait_for loaded
equal "… all of it" "$(count disk_loaded)" "$get_purged"
equal "… and answers without an origin" "$(check_all 90 | grep -v no-cache |
    sed 's/answers.*broken=0 wrong=[0-9]$/few/')" few
equal "a range" "$(get -r 100000-100099 "$at/17/2000000" | cksum)" "$(
    python3 -c "import sys; sys.path.insert(0, 'tests/support'); import stamp_origin
sys.stdout.buffer.write(stamp_origin.octets_of('17', 2000000)[100000:100100])" | cksum)"
equal "a client of 1.0" "$(get -0 "$at/17/2000000" | cksum)" "$(sum 17 2000000)"
equal "one by TLS" "$(curl -sS --max-time 20 --proxy-insecure -x "https://127.0.0.1:$secure" "$at/17/2000000" | cksum)" \
    "$(sum 17 2000000)"
equal "HEAD" "$(get -I "$at/17/2000000" | tr -d '\r' | sed -n 's/^Content-Length: //p')" 2000000
equal "a conditional request" "$(get -o /dev/null -w '%{http_code}' -H 'If-None-Match: "17-2000000"' "$at/17/2000000")" 304

# ---- two of them ----

python3 tests/support/stamp_origin.py serve "$origin" >>"$tmp/children.log" 2>&1 &
children="$children $!"
listens "$origin"
site two "$second" "disk = \"$tmp/cache\""
sed -i "s/, \"127.0.0.1:$secure tls\"//" "$tmp/two.conf"
out=$("$wholenet" serve "$tmp/two.conf" 2>&1)
equal "another proxy does not start with the same directory" $? 1
contains "… and says why" "$out" "another process has its cache there"
echo x >"$tmp/no-directory"
sed "s|$tmp/cache|$tmp/no-directory|" "$tmp/two.conf" >"$tmp/three.conf"
out=$("$wholenet" serve "$tmp/three.conf" 2>&1)
contains "nor with a file for one" "$out" "Not a directory"

# ---- kills ----

wrong=0 hits=0
for round in 1 2 3 4 5; do
    check_all 200 3 >"$tmp/check" &
    checking=$!
    python3 -c "import random, time; time.sleep(0.2 + 0.7 * random.Random($round).random())"
    end -KILL
    serve one
    wait $checking
    sed -n '/^#/p' "$tmp/check"
    wrong=$((wrong + $(sed -n 's/.*wrong=//p' "$tmp/check")))
    hits=$((hits + $(sed -n 's/.*hits=\([0-9]*\).*/\1/p' "$tmp/check")))
done
equal "kill -9 at any time: all that is served is whole" "$wrong" 0
check "… and much is served ($hits hits)" [ "$hits" -gt 200 ]
equal "… and all of it afterwards" "$(check_all 200 | sed 's/.*broken/broken/')" "broken=0 wrong=0"

# ---- what happens to files ----

wait_for loaded
get -o /dev/null "$at/26/2000000"
sleep 0.3
end -TERM
find "$tmp/cache" -type f -size +1000k -exec truncate -s 1000000 {} +
find "$tmp/cache" -type f ! -name lock -size -3k -exec sh -c 'printf XXXX | dd of="$1" conv=notrunc bs=1 seek=0 2>/dev/null' _ {} \;
serve one
check "files that are cut or changed" wait_for loaded
equal "… are not served" "$(check_all 200 | sed 's/.*broken/broken/')" "broken=0 wrong=0"
end -TERM
serve one
wait_for loaded
find "$tmp/cache" -type f ! -name lock -delete
equal "files that somebody takes away are had anew" "$(check_all 200 | sed 's/.*broken/broken/')" "broken=0 wrong=0"
end -TERM
sed -i 's/^start \(.*\) boot .*/start \1 boot another/' "$tmp/cache/lock"
find "$tmp/cache" -type f -size +100k -exec sh -c 'printf XXXX | dd of="$1" conv=notrunc bs=1 seek=70000 2>/dev/null' _ {} \;
serve one
check "after a crash of the machine" wait_for loaded
equal "… octets are compared first" "$(check_all 200 | sed 's/.*broken/broken/')" "broken=0 wrong=0"
end -TERM

# ---- room ----

sed -i 's/disk-size = 200M/disk-size = 5M/' "$tmp/one.conf"
serve one
wait_for loaded
check "a smaller bound holds at once" [ "$(count disk_octets)" -le $((5 * 1024 * 1024)) ]
equal "… and goes on to" "$(check_all 200 | sed 's/.*broken/broken/')" "broken=0 wrong=0"
check "… when more comes" [ "$(du -sb --exclude lock "$tmp/cache" | cut -f1)" -le $((5 * 1024 * 1024 + 257 * 8192)) ]
end -TERM
small="mkdir -p $tmp/small && mount -t tmpfs -o size=3m none $tmp/small"
if unshare -rm sh -c "$small" 2>/dev/null; then
    sed "s|$tmp/cache|$tmp/small/cache|;s/disk-size = 5M/disk-size = 100M/" "$tmp/one.conf" >"$tmp/small.conf"
    unshare -rm sh -c "$small && exec '$wholenet' serve $tmp/small.conf" >>"$tmp/small.log" 2>&1 &
    pid=$!
    children="$children $pid"
    listens "$proxy"
    equal "a disk that is full hurts nobody" "$(check_all 200 | sed 's/.*broken/broken/'; check_all 200 | sed 's/.*broken/broken/')" \
        "broken=0 wrong=0
broken=0 wrong=0"
    contains "… and is complained of" "$(cat "$tmp/small.log")" "No space left on device"
    end -TERM
else
    skip "a disk that is full" "nothing can be mounted here"
fi
finish
