#!/bin/sh
# SPDX-License-Identifier: ISC
# Names served by several threads: all of them give the same answers, what is for the first alone reaches it
# from each, and nothing is lost when zones are loaded again under load. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
for tool in dig nsupdate dnsperf python3; do
    command -v $tool >/dev/null || { skip "workers" "$tool is not installed"; finish; }
done

port=$((20000 + $$ % 12000))
secret=c2VjcmV0IG9mIDMyIG9jdGV0cyBmb3IgdGhlIHRlc3Q=
zone() { # zone SERIAL ADDRESS: with a thousand names
    printf '$TTL 300\n@ SOA ns h %s 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n' "$1"
    seq -f "h%g A $2" 1 1000
}
zone 10 192.0.2.10 >"$tmp/dyn.zone"
zone 10 192.0.2.10 >"$tmp/big.zone"
seq -f 'h%g.big.example A' 1 1000 >"$tmp/queries"
cat >"$tmp/site.conf" <<END
workers = 2
link "host" { address = "127.0.0.1/8" }
control = "workers-$$"
names {
    listen = "127.0.0.1:$port"
    zone = {"dyn.example dyn.zone", "big.example big.zone"}
    journal = "journal.db"
    secondaries = {"127.0.0.1"}
    update = {"key admin"}
    key "admin" { secret = "$secret" }
}
END
ask() { dig @127.0.0.1 -p "$port" +time=2 +tries=2 "$@"; }
start() {
    "$wholenet" serve "$tmp/site.conf" >>"$tmp/log" 2>&1 &
    server=$!
    children="$children $server"
    for _ in $(seq 50); do
        [ "$(ask +short ns.dyn.example)" = 192.0.2.1 ] && return
        sleep 0.1
    done
}
# From ports of their own, so that some come to each: what all have said, once.
all() { for _ in 1 2 3 4 5 6 7 8 9 10; do ask "$@"; done | sort -u; }
update() { # update [-v] COMMAND…
    over=
    [ "$1" = -v ] && { over=-v; shift; }
    { echo "server 127.0.0.1 $port"; for line; do echo "$line"; done; echo send; } |
        nsupdate $over -y "hmac-sha256:admin:$secret" 2>&1
}
names() { "$wholenet" status --json "workers-$$" | python3 -c "import json, sys; print(json.load(sys.stdin)['services']['names']['$1'])"; }

start
equal "there is one worker more" "$(cat "/proc/$server/task"/*/comm | grep -c '^worker ')" 1
contains "the status says so" "$("$wholenet" status --json "workers-$$")" '"workers":2'
equal "all give one answer" "$(all +short h7.big.example)" 192.0.2.10
equal "over TCP too" "$(all +tcp +short h7.big.example)" 192.0.2.10
equal "a cookie of one is good with the others" "$(for _ in 1 2 3 4 5 6 7 8; do
    ask +cookie=0102030405060708 ns.dyn.example | sed -n 's/.*COOKIE: \([0-9a-f]*\).*/\1/p'; done >"$tmp/cookies"
    for cookie in $(cat "$tmp/cookies"); do for _ in 1 2 3 4; do
        ask +cookie="$cookie" ns.dyn.example | grep -c 'COOKIE: .*(good)'; done; done | sort -u)" 1
said=
for i in 1 2 3 4 5 6 7 8 9 10; do
    said="$said$(update "update add u$i.dyn.example 60 A 192.0.2.$i")$(update -v "update add t$i.dyn.example 60 A 192.0.2.$i")"
done
equal "updates that come to each are carried out" "$said" ""
for i in 1 5 10; do
    equal "and seen by all ($i)" "$(all +short u$i.dyn.example; all +short t$i.dyn.example)" "192.0.2.$i
192.0.2.$i"
done
equal "each counted once" "$(names updates)" 20
contains "one without the key is refused by all" "$(for _ in 1 2 3 4 5 6; do
    printf 'server 127.0.0.1 %s\nupdate add x.dyn.example 60 A 192.0.2.1\nsend\n' "$port" | nsupdate 2>&1; done | sort | uniq -c)" \
    "6 update failed: REFUSED"
equal "the zone whole, from each" "$(for _ in 1 2 3 4 5 6; do ask +tcp +onesoa dyn.example AXFR | grep -c 'IN.A'; done | sort -u)" 1021
contains "what has changed, from each" "$(for _ in 1 2 3 4 5 6; do ask +tcp dyn.example IXFR=29 | grep -c 'IN.A'; done | sort | uniq -c)" "6 1"
before=$(names queries_udp)
all +short h1.big.example >/dev/null
equal "what all were asked is counted" "$(($(names queries_udp) - before))" 10

# ---- under load ----

dnsperf -s 127.0.0.1 -p "$port" -d "$tmp/queries" -c 20 -q 40 -Q 20000 -l 8 >"$tmp/dnsperf" 2>&1 &
load=$!
children="$children $load"
sleep 0.5
for serial in 11 12 13 14 15; do
    zone $serial "192.0.2.$serial" >"$tmp/big.zone.new"
    mv "$tmp/big.zone.new" "$tmp/big.zone"
    kill -HUP "$server"
    update "update add l$serial.dyn.example 60 A 192.0.2.1" >>"$tmp/updates"
    sleep 0.5
done
loaded() { [ "$(ask +short big.example SOA | cut -d' ' -f3)" = 15 ]; }
wait_for loaded
wait $load
contains "loading zones again loses no query" "$(cat "$tmp/dnsperf")" "Queries lost:         0 "
contains "and all were answered" "$(grep 'Response codes' "$tmp/dnsperf")" "(100.00%)"
contains "by answers" "$(grep 'Response codes' "$tmp/dnsperf")" "NOERROR"
equal "updates go on meanwhile" "$(cat "$tmp/updates")" ""
equal "all have the new zone" "$(all +short h7.big.example)" 192.0.2.15
equal "and the updates" "$(all +short l15.dyn.example)" 192.0.2.1

# ---- the end ----

kill -9 "$server"
wait "$server" 2>/dev/null
start
equal "what was acknowledged has survived kill -9" "$(all +short t10.dyn.example)" 192.0.2.10
capture "$wholenet" serve "$tmp/site.conf"
contains "another cannot take the port" "$err" "running wholenet has this name"
sed "s/workers-$$/other-$$/" "$tmp/site.conf" >"$tmp/other.conf"
capture "$wholenet" serve "$tmp/other.conf"
contains "nor under another name" "$err" "Address already in use"
sed 's/workers = 2/workers = 3/' "$tmp/site.conf" >"$tmp/site.new"
mv "$tmp/site.new" "$tmp/site.conf"
kill -HUP "$server"
wait_for grep -q "number of workers has changed" "$tmp/log"
check "another number takes a restart" grep -q "number of workers has changed" "$tmp/log"
kill -TERM "$server"
wait "$server"
equal "SIGTERM ends all of them" "$?" 0
finish
