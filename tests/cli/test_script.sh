#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet script: what it says of scripts that pass and of those that do not, and its exit status.
. tests/lib.sh

good="$tmp/folder/good.pkt"
bad="$tmp/folder/inner/bad.pkt"
mkdir -p "$tmp/folder/inner"
cat >"$good" <<'END'
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 < S 0:0(0) win 5000 <mss MSS>
   +0 > S. 0:0(0) ack 1 <mss 1460>
END
sed 's/mss 1460/mss 1461/' "$good" >"$bad"
echo "nothing" >"$tmp/folder/readme"

capture "$wholenet" script -D MSS=1000 "$good"
equal "a script that passes: status" "$status" 0
contains "… is counted" "$out" "1 script: 1 passed"
equal "… and nothing else is said" "$(echo "$out" | wc -l)" 1
capture "$wholenet" script -D MSS=1000 "$tmp/folder"
equal "one of two fails: status" "$status" 1
contains "… the file and the line" "$out" "bad.pkt:5: failed at 0.000000 s"
contains "… what differs" "$out" "TCP options: expected mss 1461, got mss 1460"
contains "… what was expected" "$out" "expected    0.000000 > S. 0:0(0) ack 1 <mss 1461>"
contains "… what came" "$out" "got         0.000000 > S. 0:0(0) ack 1 win 64240 <mss 1460>"
contains "… both are counted" "$out" "2 scripts: 1 passed, 1 failed"
cat >"$tmp/cookie.pkt" <<'END'
    0 `sysctl -q net.ipv4.tcp_fastopen=0x3
       sysctl -q net.ipv4.tcp_fastopen_key=a1a1a1a1-b2b2b2b2-c3c3c3c3-d4d4d4d4`
   +0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0 bind(3, ..., ...) = 0
   +0 listen(3, 1) = 0
   +0 setsockopt(3, SOL_TCP, TCP_FASTOPEN, [2], 4) = 0
   +0 < S 0:0(0) win 5000 <mss 1460,FO,nop,nop>
   +0 > S. 0:0(0) ack 1 <mss 1460,FO TFO_COOKIE,nop,nop>
END
capture "$wholenet" script "$tmp/cookie.pkt"
equal "what the public scripts take for granted is defined" "$status" 0
capture "$wholenet" script -D TFO_COOKIE=0000000000000000 "$tmp/cookie.pkt"
equal "… and can be defined otherwise" "$status" 1
capture "$wholenet" script "$good"
equal "a script that is not right: status" "$status" 1
contains "… line and column" "$out" 'good.pkt:4:32: wrong: expected an MSS, not "MSS"'
capture "$wholenet" script -v -D MSS=1000 "$good"
contains "verbose: calls" "$out" "0.000000   listen(3, 1) = 0"
contains "verbose: packets in" "$out" "0.000000 < S 0:0(0) win 5000 <mss 1000>"
contains "verbose: packets out" "$out" "0.000000 > S. 0:0(0) ack 1 win"
contains "verbose: the outcome" "$out" "good.pkt: passed"
capture "$wholenet" script -q -D MSS=1000 "$tmp/folder"
equal "quiet: status" "$status" 1
equal "quiet: nothing is said" "$out$err" ""
cat >"$tmp/look.py" <<'END'
import json, sys
report = json.load(open(sys.argv[1]))
assert report["scripts"] == 2 and report["passed"] == 1 and report["failed"] == 1
bad = [r for r in report["results"] if r["outcome"] == "failed"]
assert bad[0]["line"] == 5 and bad[0]["file"].endswith("inner/bad.pkt")
END
"$wholenet" script --json -D MSS=1000 "$tmp/folder" >"$tmp/report.json"
check "json: it is" python3 "$tmp/look.py" "$tmp/report.json"
capture "$wholenet" script --profile freebsd -D MSS=1000 "$good"
equal "another profile" "$status" 0
check "recorded" "$wholenet" script -q -D MSS=1000 --capture "$tmp/out.pcapng" "$good"
if command -v tcpdump >/dev/null; then
    contains "the recording can be read" "$(tcpdump -nr "$tmp/out.pcapng" 2>/dev/null)" "Flags [S.]"
else
    skip "the recording can be read" "no tcpdump"
fi
capture "$wholenet" script --profile nonsense "$good"
equal "a profile that is not there: status" "$status" 2
contains "… is named" "$err" 'there is no profile "nonsense"'
capture "$wholenet" script "$tmp/not-there.pkt"
equal "a file that is not there: status" "$status" 2
mkdir "$tmp/empty"
capture "$wholenet" script "$tmp/empty"
equal "a folder without scripts: status" "$status" 2
capture "$wholenet" script
equal "no file: status" "$status" 2
capture "$wholenet" script -D MSS "$good"
equal "a definition without a value: status" "$status" 2
finish
