#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet get --segments: a file by several connections; servers that cannot, that change it, that break off; -C.
. tests/lib.sh
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
if ! command -v python3 >/dev/null; then
    skip "--segments" "python3 is not installed"
    finish
fi
python3 -u tests/support/range_server.py >"$tmp/port" 2>"$tmp/server.log" &
children="$children $!"
wait_for test -s "$tmp/port"
at=http://127.0.0.1:$(cat "$tmp/port")
get() { capture "$wholenet" get "$@"; }
asked() { "$wholenet" get $at/log | sort; }
cd "$tmp" || exit 1

get -o whole $at/file
asked >/dev/null
get --segments 4 -O -j $at/file
equal "in four parts: status 0" "$status" 0
check "… the octets" cmp file whole
equal "… as was asked for" "$(asked)" "file -
file bytes=1500000-2249999
file bytes=2250000-2999999
file bytes=750000-1499999"
equal "… all are counted" "$(printf '%s' "$out" | python3 -c 'import json,sys; t=json.load(sys.stdin); print(t["octets"], t["status"], t["exit"])')" "3000000 200 0"
check "… and nothing is left beside" test ! -e file.segments
head -c 5000000 /dev/zero >file
get --segments 16 -O $at/file
check "no more parts than are worth it, over a longer file" cmp file whole
equal "… so many" "$(asked | wc -l)" 11
get --segments 4 -o led $at/elsewhere
check "behind a redirect" cmp led whole
asked >/dev/null
get --segments 4 -O $at/dated
check "known by its date" cmp dated whole
equal "… in parts" "$(asked | wc -l)" 4
for name in weak whole liar brief; do
    get --segments 4 -o "got-$name" $at/$name
    equal "$name: status 0" "$status" 0
done
check "a weak ETag: in one piece" cmp got-weak whole
check "no ranges: in one piece" cmp got-whole whole
check "none in spite of what it says" cmp got-liar whole
equal "… in one piece" "$(asked | grep -c '^weak\|^whole\|^brief')" 3
equal "… one that is short, too" "$(wc -c <got-brief)" 100000

get --segments 4 -O $at/wrong
check "other ranges than were asked for: in one piece" cmp wrong whole
get --segments 4 -O --retry 9 $at/cut
check "answers that break off, with --retry" cmp cut whole
get --segments 4 -o cut2 $at/cut
equal "… without: status 5" "$status" 5
contains "… where" "$err" "octets from"
check "… what is there is noted" test -s cut2.segments
head -c 4000000 /dev/zero >>cut2 # as if it had been longer before
asked >/dev/null
get -C -o cut2 --retry 9 $at/cut
check "-C goes on" cmp cut2 whole
equal "… from where it was" "$(asked | grep -c 'bytes=0-\|cut -$')" 0
get --segments 4 -O $at/few
equal "a server that wants fewer connections: status 0" "$status" 0
check "… gets them one after the other" cmp few whole
get --segments 4 -O $at/changes
equal "a file that changes meanwhile: status 0" "$status" 0
check "… is of one piece" python3 -c 'a = open("whole", "rb").read(); open("changes", "rb").read() in (a, a[::-1]) or 1/0'

# ---- killed ----
"$wholenet" get -q --segments 4 -O $at/slow &
pid=$!
noted() { # notes are made every two seconds
    python3 -c 'import json; print(sum(at > start for start, at, end in json.load(open("slow.segments"))["segments"]) > 2 or 1/0)'
}
wait_for noted
kill -9 $pid
wait $pid 2>/dev/null
asked >/dev/null
check "some of it was noted" noted
get -C -O $at/slow
equal "… from where it was" "$(asked | grep -c 'bytes=0-\|slow -$')" 0
equal "after a kill: status 0" "$status" 0
check "… the octets" cmp slow whole
check "… nothing is left beside" test ! -e slow.segments
"$wholenet" get -q --segments 4 -O $at/changed &
pid=$!
wait_for sh -c 'test -s changed.segments && test "$(du -k changed | cut -f1)" -gt 300'
kill -9 $pid
wait $pid 2>/dev/null
get -q -o - $at/change
get -C --segments 4 -O $at/changed
equal "when it has changed meanwhile: status 0" "$status" 0
check "… it is the new one, and whole" python3 -c 'open("changed", "rb").read() == open("whole", "rb").read()[::-1] or 1/0'
echo '{"url": "'$at/file'", "length": 3000000, "validator": "x", "segments": [[0, 5, 3], [3, 9, 3000000]]}' >file.segments
head -c 100 whole >file
get -C -O $at/file
check "a note that is nonsense is not believed" cmp file whole
get --segments 4 $at/file
equal "--segments without a file: status 2" "$status" 2
get --segments 99 -O $at/file
contains "--segments 99" "$err" "expected a number from 1 to 16"
finish
