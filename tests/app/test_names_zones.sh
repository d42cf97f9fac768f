#!/bin/sh
# SPDX-License-Identifier: ISC
# Zones from files, as dig(1) sees them: a directory and a list of them, views by address, reload
# without a lost query, errors that leave the old zone in its place. And wholenet check beside
# named-checkzone. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
command -v dig >/dev/null || { skip "zones from files" "dig is not installed"; finish; }

port=$((20000 + $$ % 12000))
mkdir "$tmp/zones"
zone() { # zone SERIAL ADDRESS
    printf '$TTL 300\n@ SOA ns h %s 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nwww A %s\n' "$1" "$2"
}
zone 1 192.0.2.10 >"$tmp/zones/one.example.zone"
zone 1 192.0.2.20 >"$tmp/zones/two.example.zone"
zone 1 192.0.2.30 >"$tmp/named"
zone 1 10.0.0.30 >"$tmp/inside"
zone 1 192.0.2.40 >"$tmp/listed"
echo "listed.example $tmp/listed # from a list" >"$tmp/list"
# The second record for its name is an error: the zone's names are nobody's else.
{ zone 1 192.0.2.50; echo 'www CNAME ns'; } >"$tmp/zones/broken.example.zone"
write_site() {
    cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    zones = "$tmp/zones"
    zone = {"named.example $tmp/named"}
    view "inside" {
        clients = {"127.0.0.2", "127.0.1.0/24"}
        zone = {"named.example $tmp/inside"}
        zones = "$tmp/list"
    }
    $1
}
END
}
write_site 'identity = "here"'
"$wholenet" serve -v "$tmp/site.conf" >"$tmp/log" 2>&1 &
server=$!
children="$children $server"
ask() { dig @127.0.0.1 -p "$port" +time=1 +tries=2 "$@"; }
until_it_is() { # until_it_is WANT DIG-ARGUMENTS…: up to five seconds
    want=$1
    shift
    for _ in $(seq 50); do
        got=$(ask +short "$@" 2>&1)
        [ "$got" = "$want" ] && return
        sleep 0.1
    done
}
until_it_is 192.0.2.10 www.one.example
equal "a zone of a directory" "$got" 192.0.2.10
equal "another one" "$(ask +short www.two.example)" 192.0.2.20
equal "a zone that is named" "$(ask +short www.named.example)" 192.0.2.30
equal "others see another one" "$(ask -b 127.0.0.2 +short www.named.example)" 10.0.0.30
equal "by network too" "$(ask -b 127.0.1.77 +short www.named.example)" 10.0.0.30
equal "and what everybody sees" "$(ask -b 127.0.0.2 +short www.one.example)" 192.0.2.10
equal "a zone of a list" "$(ask -b 127.0.0.2 +short www.listed.example)" 192.0.2.40
contains "which others do not see" "$(ask www.listed.example)" "status: REFUSED"
contains "a zone with an error is not served" "$(ask www.broken.example)" "status: SERVFAIL"
contains "and why is said" "$(cat "$tmp/log")" \
    "zones/broken.example.zone:6: www.broken.example. CNAME: a CNAME must be"
contains "who it is" "$(ask +nsid www.one.example)" '("here")'
contains "cookies" "$(ask www.one.example)" "(good)"
contains "no version" "$(ask CH TXT version.bind)" "status: REFUSED"

# Reload: one has changed, one is broken now, one is gone, one is new, one is mended.
zone 2 192.0.2.11 >"$tmp/zones/one.example.zone"
echo 'www A 192.0.2.256' >>"$tmp/named"
rm "$tmp/zones/two.example.zone"
zone 1 192.0.2.60 >"$tmp/zones/new.example.zone"
zone 2 192.0.2.50 >"$tmp/zones/broken.example.zone"
write_site 'version = "secret"
    minimal = on'
kill -HUP "$server"
until_it_is 192.0.2.11 www.one.example
equal "a zone that has changed" "$got" 192.0.2.11
until_it_is 192.0.2.60 www.new.example
equal "a new one" "$got" 192.0.2.60
until_it_is 192.0.2.50 www.broken.example
equal "one that was mended" "$got" 192.0.2.50
contains "one that is gone" "$(ask www.two.example)" "status: REFUSED"
equal "one that is wrong now is served as it was" "$(ask +short www.named.example)" 192.0.2.30
contains "with file, line and column" "$(cat "$tmp/log")" \
    "$tmp/named:6:7: not an IPv4 address: \"192.0.2.256\""
contains "and what follows" "$(cat "$tmp/log")" "the one before it is served on"
equal "the manner too" "$(ask +short CH TXT version.bind)" '"secret"'
lines=$(ask +nsid www.one.example)
case $lines in *'("here")'*) not_ok "and what is not said any more" ;; *) ok "and what is not said any more" ;; esac

# A hundred reloads of ten thousand records, and a client that asks all the while.
{ zone 1 192.0.2.70; echo '$GENERATE 1-10000 h$ A 192.0.2.$'; } | sed 's/192\.0\.2\.\$/192.0.2.1/' \
    >"$tmp/zones/large.example.zone"
kill -HUP "$server"
until_it_is 192.0.2.1 h10000.large.example
equal "ten thousand records" "$got" 192.0.2.1
if command -v dnsperf >/dev/null; then
    (for _ in $(seq 20); do kill -HUP "$server"; sleep 0.1; done) &
    reloads=$!
    echo "h77.large.example A" >"$tmp/queries"
    dnsperf -s 127.0.0.1 -p "$port" -d "$tmp/queries" -l 2 -Q 2000 -t 1 >"$tmp/perf" 2>&1
    wait "$reloads"
    lost=$(sed -n 's/.*Queries lost: *\([0-9]*\).*/\1/p' "$tmp/perf")
    equal "no query is lost meanwhile" "$lost" 0
    contains "nor refused" "$(cat "$tmp/perf")" "(100.00%)"
else
    skip "no query is lost meanwhile" "dnsperf is not installed"
    skip "nor refused" "dnsperf is not installed"
fi
# Zones told whole, to those who may.
write_site 'secondaries = {"127.0.0.3"}'
reload "$server" "$tmp/log"
contains "nobody else has a zone whole" "$(ask AXFR one.example)" "Transfer failed"
equal "a secondary has" "$(ask -b 127.0.0.3 AXFR one.example +noall +answer | sed 's/[ 	]*;.*//; s/[ 	][ 	]*/ /g')" \
    "one.example. 300 IN SOA ns.one.example. h.one.example. 2 3600 600 86400 60
one.example. 300 IN NS ns.one.example.
ns.one.example. 300 IN A 192.0.2.1
www.one.example. 300 IN A 192.0.2.11
one.example. 300 IN SOA ns.one.example. h.one.example. 2 3600 600 86400 60"
contains "many records in many messages" "$(ask -b 127.0.0.3 AXFR large.example)" \
    "XFR size: 10005 records"
contains "a change is told as that" "$(ask -b 127.0.0.3 IXFR=1 one.example)" "XFR size: 6 records"
contains "but not to who has it" "$(ask -b 127.0.0.3 IXFR=2 one.example)" "XFR size: 1 records"
contains "no zone of ours" "$(ask -b 127.0.0.3 AXFR nobody.example)" "Transfer failed"

# A flood of one question; and a client that asks by TCP all the same.
write_site 'rate-limit = 10
    rate-slip = 4'
reload "$server" "$tmp/log"
flood=$(python3 - "$port" <<'END'
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
query = bytes.fromhex("0001000000010000000000000377777703") + b"one\7example\0\0\1\0\1"
for i in range(90):
    s.sendto(query, ("127.0.0.1", int(sys.argv[1])))
s.settimeout(0.5)
whole = short = 0
try:
    while True:
        reply = s.recv(512)
        short += reply[2] >> 1 & 1
        whole += 1 - (reply[2] >> 1 & 1)
except TimeoutError:
    pass
print(whole, short)
END
)
equal "a flood gets ten replies, and every fourth of the others says: by TCP" "$flood" "10 20"
equal "who does so gets one" "$(ask +tcp +short www.one.example)" 192.0.2.11
contains "the limit is counted" "$("$wholenet" status --json "$server" 2>&1)" '"rate_dropped":60'

kill "$server"
wait "$server"
equal "it ends when told to" $? 0

# Who is told to read its zones again while it reads them for the first time does so later.
{ zone 1 192.0.2.80; echo '$GENERATE 1-300000 h$ A 192.0.2.1'; } >"$tmp/zones/large.example.zone"
write_site ''
"$wholenet" serve "$tmp/site.conf" >"$tmp/log" 2>&1 &
server=$!
children="$children $server"
sleep 0.2
kill -HUP "$server"
until_it_is 192.0.2.1 h300000.large.example
equal "a signal while it starts does no harm" "$got" 192.0.2.1
kill "$server"
wait "$server"
equal "and it ends when told to, again" $? 0
rm "$tmp/zones/large.example.zone"

# What cannot be looked at keeps it from starting.
write_site 'nonsense = on'
capture "$wholenet" check "$tmp/site.conf"
contains "an option that is none" "$err" "known here: listen, "
sed -i "s|zones = \"$tmp/zones\"|zones = \"$tmp/nowhere\"|; /nonsense/d" "$tmp/site.conf"
capture "$wholenet" serve "$tmp/site.conf"
contains "a directory that is not there" "$err" "zones \"$tmp/nowhere\": No such file or directory"

# wholenet check, beside named-checkzone where that is there.
mkdir "$tmp/check"
put() { # put GOOD|BAD NAME LINES: a zone example that is that
    printf '$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n'"$3" >"$tmp/check/$1-$2"
}
put GOOD plain 'a A 192.0.2.2\n'
put GOOD comment 'a TXT ( "x" ; y\n "z" )\n'
put GOOD outside 'other. A 192.0.2.2\n'
put GOOD glue 'd NS ns.d\n'
put GOOD generate '$GENERATE 1-5 h$ A 192.0.2.$\n'
put GOOD unknown 'a TYPE65280 \\# 2 0102\n'
put BAD address 'a A 192.0.2.256\n'
put BAD type 'a FOO x\n'
put BAD cname 'a CNAME b.\na A 192.0.2.2\n'
put BAD cnames 'a CNAME b.\na CNAME c.\n'
put BAD apex '@ CNAME b.\n'
put BAD soa '@ SOA ns h 2 2 3 4 5\n'
put BAD below 'x SOA ns h 2 2 3 4 5\n'
put BAD class 'a CH A 192.0.2.2\n'
put BAD parenthesis 'a TXT ( x\n'
put BAD quote 'a TXT "x\n'
put BAD extra 'a PTR x y\n'
put BAD missing 'a MX 10\n'
put BAD label 'a..b A 192.0.2.2\n'
put BAD wildcard '*.w NS ns\n'
put BAD dname '@ DNAME other.\n'
put BAD digest 'd NS ns\nd DS 1 8 2 aabb\n'
put BAD include '$INCLUDE nowhere\n'
put BAD range '$GENERATE 3-1 h$ A 192.0.2.$\n'
put BAD long "$(printf 'x%.0s' $(seq 64)) A 192.0.2.2\n"
printf '$TTL 60\n@ NS ns\nns A 192.0.2.1\n' >"$tmp/check/BAD-no-soa"
printf '$TTL 60\n@ SOA ns h 1 2 3 4 5\n' >"$tmp/check/BAD-no-ns"
printf '$TTL 60\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n' >"$tmp/check/BAD-no-address"
: >"$tmp/check/BAD-empty"
for file in "$tmp"/check/*; do
    want=${file##*/}
    capture "$wholenet" check --zone example "$file"
    got=BAD
    [ "$status" = 0 ] && got=GOOD
    equal "check: $want" "$got" "${want%%-*}"
    if command -v named-checkzone >/dev/null; then
        got=BAD
        named-checkzone example "$file" >/dev/null 2>&1 && got=GOOD
        equal "named-checkzone agrees: $want" "$got" "${want%%-*}"
    else
        skip "named-checkzone agrees: $want" "named-checkzone is not installed"
    fi
done
finish
