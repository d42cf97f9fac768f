#!/bin/sh
# SPDX-License-Identifier: ISC
# Ten million octets of random and mutated frames from the inside, against the program built with
# sanitizers: no crash, no leak, and the network still works after.
wholenet=$PWD/build/asan/wholenet
WHOLENET=$wholenet
. tests/lib.sh

storm=$PWD/build/release/tests/tools/storm
if [ ! -x "$wholenet" ] || [ ! -x "$storm" ]; then
    skip "a storm of hostile frames" "build/asan and build/release are not both built"
    finish
fi

for seed in 1 2; do
    cat >"$tmp/inside" <<EOF
$storm eth0 5000000 $seed || exit 10
sleep 1
ping -c 1 -W 2 10.0.2.1 || exit 11
curl -sS --max-time 5 http://www.home.arpa/healthz || exit 12
EOF
    capture timeout 120 "$wholenet" run --internet none -- sh "$tmp/inside"
    equal "seed $seed: the network works after five million octets of hostile frames" "$status" 0
    equal "… and neither sanitizer nor leak detector has anything to say" "$err" ""
done
finish
