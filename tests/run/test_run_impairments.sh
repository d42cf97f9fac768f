#!/bin/sh
# SPDX-License-Identifier: ISC
# Faults on demand: each impairment does what it says, the same again with the same seed, and what
# TCP carries over it stays whole.
. tests/lib.sh
mkdir "$tmp/web"
head -c 3000000 /dev/urandom >"$tmp/web/file"
sha=$(sha_of <"$tmp/web/file")
serve_folder "$tmp/web"

# The average round trip in whole milliseconds.
round_trip() {
    "$wholenet" run "$@" -- ping -c 5 -i 0.05 -q 10.0.2.1 | sed -n 's|.*= [^/]*/\([0-9]*\).*|\1|p'
}
milliseconds=$(round_trip --delay 20ms)
check "--delay 20ms: a round trip takes 40 ms and little more ($milliseconds)" \
    test "$milliseconds" -ge 40 -a "$milliseconds" -lt 55
milliseconds=$(round_trip)
check "without it a round trip takes no time ($milliseconds)" test "$milliseconds" -lt 10

replies() {
    "$wholenet" run "$@" -- ping -c 100 -i 0.005 -W 1 -q 10.0.2.1 |
        sed -n 's/.* \([0-9]*\) received.*/\1/p'
}
got=$(replies --loss 20% --seed 1)
check "--loss 20%: about 64 of 100 pings come back ($got)" test "$got" -gt 44 -a "$got" -lt 84
equal "--seed: the same again" "$(replies --loss 20% --seed 1)" "$got"
contains "--duplicate 50%: duplicates" \
    "$("$wholenet" run --duplicate 50% --seed 3 -- ping -c 20 -i 0.005 -q 10.0.2.1)" duplicates
got=$(replies --corrupt 30% --seed 5)
check "--corrupt 30%: corrupted pings do not come back ($got)" test "$got" -gt 20 -a "$got" -lt 80

transfer() {
    options=$1
    equal "in, whole, with $options" \
        "$("$wholenet" run $options -- curl -sS -m 60 "http://10.0.2.2:$port/file" | sha_of)" "$sha"
    equal "out, whole, with $options" \
        "$("$wholenet" run $options -- curl -sS -m 60 -T "$tmp/web/file" "http://10.0.2.2:$port/put")" "$sha"
}
transfer "--loss 2% --seed 11"
transfer "--reorder 10% --delay 2ms --jitter 1ms --seed 12"
transfer "--duplicate 5% --seed 13"
transfer "--corrupt 1% --seed 14"
transfer "--delay 5ms --loss 1% --congestion bbr --seed 16"
transfer "--rate 50mbit --queue 200 --mark 20 --ecn ask"
transfer "--delay 5ms --loss 1% --duplicate 1% --reorder 5% --corrupt 0.5% --seed 15"

began=$(date +%s%N)
"$wholenet" run --rate 8mbit -- curl -sS -o /dev/null "http://10.0.2.2:$port/file"
took=$((($(date +%s%N) - began) / 1000000))
check "--rate 8mbit: 3 MB take three seconds ($took ms)" test "$took" -ge 2900 -a "$took" -lt 6000

"$wholenet" run --loss 30% --seed 2 --capture "$tmp/lossy.pcapng" -- ping -c 20 -i 0.01 -q 10.0.2.1 >/dev/null
check "frames that the wire loses say so in the capture" sh -c \
    "tshark -r $tmp/lossy.pcapng -T fields -e frame.comment 2>/dev/null | grep -q ."
contains "and in the status page" "$("$wholenet" run --delay 1ms --loss 10% --seed 4 -- \
    curl -sS http://www.home.arpa/status.json)" '"loss":0.1'
finish
