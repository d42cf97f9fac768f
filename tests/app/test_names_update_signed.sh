#!/bin/sh
# SPDX-License-Identifier: ISC
# A zone that is signed here and updated: each change is signed before it is acknowledged, told as one to
# secondaries, and survives kill -9. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
for tool in nsupdate dig ldns-verify-zone; do
    command -v $tool >/dev/null || { skip "updates of signed zones" "$tool is not installed"; finish; }
done

port=$((20000 + $$ % 12000))
secret=c2VjcmV0IG9mIDMyIG9jdGV0cyBmb3IgdGhlIHRlc3Q=
for zone in nsec.example nsec3.example; do
    printf '$TTL 300\n@ SOA ns.%s. h 10 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nwww A 192.0.2.10\n*.w TXT w\n' \
        $zone >"$tmp/$zone.zone"
done
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    zone = {"nsec.example $tmp/nsec.example.zone", "nsec3.example $tmp/nsec3.example.zone"}
    secondaries = {"127.0.0.0/8"}
    notify = {"127.0.0.2:$((port + 1))"}
    journal = "journal.db"
    update = {"key admin"}
    key "admin" { secret = "$secret" }
    signing "nsec.example" { keys = "keys" zonemd = on }
    signing "nsec3.example" { keys = "keys" nsec3 = on separate = on }
}
END
ask() { dig @127.0.0.1 -p "$port" +time=1 +tries=2 "$@"; }
start() {
    "$wholenet" serve "$tmp/site.conf" >>"$tmp/log" 2>&1 &
    server=$!
    children="$children $server"
    for _ in $(seq 100); do
        [ "$(ask +short ns.nsec3.example)" = 192.0.2.1 ] && return
        sleep 0.1
    done
}
update() {
    { echo "server 127.0.0.1 $port"; for line; do echo "$line"; done; echo send; } |
        nsupdate -y "hmac-sha256:admin:$secret" 2>&1
}
serial() { ask +short "$1" SOA | cut -d' ' -f3; }
verify() { # verify ZONE: what is wrong with the zone as it is told to secondaries
    ask +onesoa "$1" AXFR >"$tmp/axfr"
    ldns-verify-zone "$tmp/axfr" 2>&1
}

# It follows by differences: what it has in the end shows whether each was right.
cat >"$tmp/secondary.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.2:$((port + 1))"
    secondaries = {"127.0.0.0/8"}
    secondary "nsec.example" { primaries = {"127.0.0.1:$port"} }
    secondary "nsec3.example" { primaries = {"127.0.0.1:$port"} }
}
END
theirs() { dig @127.0.0.2 -p $((port + 1)) +time=1 +tries=2 "$@"; }
whole() { grep -v '^;' | sort; }

start
"$wholenet" serve -v "$tmp/secondary.conf" >"$tmp/secondary.log" 2>&1 &
children="$children $!"
for _ in $(seq 50); do
    [ "$(theirs +short ns.nsec3.example)$(theirs +short ns.nsec.example)" = 192.0.2.1192.0.2.1 ] && break
    sleep 0.1
done
for zone in nsec.example nsec3.example; do
    before=$(serial $zone)
    equal "$zone: records come" "$(update "update add new.$zone 60 A 192.0.2.20" "update add a.b.$zone 60 TXT x")" ""
    contains "$zone: signed" "$(ask +dnssec new.$zone)" "RRSIG"
    contains "$zone: the whole holds" "$(verify $zone)" "Zone is verified and complete"
    equal "$zone: one serial number further" "$(serial $zone)" $((before + 1))
    ask $zone IXFR=$before >"$tmp/ixfr"
    equal "$zone: told as one change: the SOA of each side, and around both" \
        "$(grep -c "IN[[:space:]]SOA" "$tmp/ixfr")" 4
    contains "$zone: with what came" "$(cat "$tmp/ixfr")" "192.0.2.20"
    equal "$zone: and nothing of what stayed" "$(grep -c "192.0.2.10" "$tmp/ixfr")" 0
    equal "$zone: records go" "$(update "update delete new.$zone" "update delete www.$zone A")" ""
    contains "$zone: the whole holds without them" "$(verify $zone)" "Zone is verified and complete"
    equal "$zone: a delegation comes" "$(update "update add sub.$zone 60 NS ns.sub.$zone" \
        "update add ns.sub.$zone 60 A 192.0.2.30")" ""
    contains "$zone: the whole holds with it" "$(verify $zone)" "Zone is verified and complete"
    equal "$zone: a set changes in place" "$(update "update delete ns.$zone A" "update add ns.$zone 60 A 192.0.2.1" \
        "update add ns.$zone 60 AAAA 2001:db8::1")" ""
    contains "$zone: the whole holds then" "$(verify $zone)" "Zone is verified and complete"
    equal "$zone: all at the apex goes, but for what must stay" "$(update "update add $zone 60 TXT x" \
        "update delete $zone")" ""
    contains "$zone: the whole still holds" "$(verify $zone)" "Zone is verified and complete"
    contains "$zone: keys are the signer's" "$(update "update delete $zone DNSKEY")" REFUSED
    equal "$zone: the SOA's own timers" "$(update "update add $zone 300 SOA ns.$zone. h.$zone. 10000 1 2 86400 60")" ""
    equal "$zone: with a number of the requestor's" "$(serial $zone)" 10000
    contains "$zone: the whole holds after that" "$(verify $zone)" "Zone is verified and complete"
done
for zone in nsec.example nsec3.example; do
    for _ in $(seq 50); do
        [ "$(theirs +short $zone SOA)" = "$(ask +short $zone SOA)" ] && break
        sleep 0.1
    done
    equal "$zone: a secondary that was told by differences has the same" "$(theirs $zone AXFR | whole)" \
        "$(ask $zone AXFR | whole)"
done
equal "of which it got each whole but once" "$(grep -c ", whole:" "$tmp/secondary.log")" 2
last=$(serial nsec.example)
kill -9 "$server"
wait "$server" 2>/dev/null
start
for zone in nsec.example nsec3.example; do
    equal "$zone: after kill -9 what was changed is there" \
        "$(ask +short a.b.$zone TXT) $(ask +short www.$zone) $(ask +short ns.$zone AAAA)" '"x"  2001:db8::1'
    contains "$zone: signed" "$(verify $zone)" "Zone is verified and complete"
done
equal "under the same serial number" "$(serial nsec.example)" "$last"
equal "and goes on from there" "$(update 'update add again.nsec.example 60 A 192.0.2.40')" ""
kill -HUP "$server"
equal "also while it is loaded again" "$(update 'update add reload.nsec.example 60 A 192.0.2.50')" ""
sleep 1
equal "of which nothing is lost" "$(ask +short again.nsec.example) $(ask +short reload.nsec.example)" "192.0.2.40 192.0.2.50"
contains "and all is signed" "$(verify nsec.example)" "Zone is verified and complete"
finish
