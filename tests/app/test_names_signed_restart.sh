#!/bin/sh
# SPDX-License-Identifier: ISC
# Zones that we sign, over restarts by kill -9: the serial number, the signatures and the history go on, so that a secondary
# is told what has changed and nothing else. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
for tool in nsupdate dig ldns-verify-zone; do
    command -v $tool >/dev/null || { skip "signed zones over restarts" "$tool is not installed"; finish; exit; }
done

port=$((20000 + $$ % 12000))
secret=c2VjcmV0IG9mIDMyIG9jdGV0cyBmb3IgdGhlIHRlc3Q=
zones="nsec.example nsec3.example time.example file.example"
write_zone() { # write_zone ZONE SERIAL ADDRESS
    printf '$TTL 300\n@ SOA ns.%s. h %s 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nwww A %s\n*.w TXT w\n' \
        "$1" "$2" "$3" >"$tmp/$1.zone"
    for i in $(seq 200); do echo "n$i A 192.0.2.9"; done >>"$tmp/$1.zone"
}
for zone in $zones; do
    write_zone "$zone" 10 192.0.2.10
done
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    zone = {"nsec.example nsec.example.zone", "nsec3.example nsec3.example.zone", "time.example time.example.zone",
            "file.example file.example.zone"}
    secondaries = {"127.0.0.0/8"}
    notify = {"127.0.0.2:$((port + 1))"}
    journal = "journal.db"
    update = {"key admin"}
    key "admin" { secret = "$secret" }
    signing "*" { keys = "keys" }
    signing "nsec.example" { keys = "keys" zonemd = on }
    signing "nsec3.example" { keys = "keys" nsec3 = on separate = on }
    signing "time.example" { keys = "keys" serial = unixtime }
}
END
cat >"$tmp/secondary.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.2:$((port + 1))"
    secondaries = {"127.0.0.0/8"}
$(for zone in $zones; do echo "    secondary \"$zone\" { primaries = {\"127.0.0.1:$port\"} }"; done)
}
END
ask() { dig @127.0.0.1 -p "$port" +time=1 +tries=2 "$@"; }
theirs() { dig @127.0.0.2 -p $((port + 1)) +time=1 +tries=2 "$@"; }
serial() { ask +short "$1" SOA | cut -d' ' -f3; }
whole() { grep -v '^;' | sort; }
start() {
    : >"$tmp/log"
    "$wholenet" serve -v "$tmp/site.conf" >>"$tmp/log" 2>&1 &
    server=$!
    children="$children $server"
    for _ in $(seq 100); do
        [ "$(ask +short ns.file.example)" = 192.0.2.1 ] && return
        sleep 0.1
    done
}
slay() {
    kill -KILL "$server"
    wait "$server" 2>/dev/null
}
update() { # update ZONE LINE…
    { echo "server 127.0.0.1 $port"; echo "zone $1"; shift; for line; do echo "$line"; done; echo send; } |
        nsupdate -y "hmac-sha256:admin:$secret" 2>&1
}
kept() { # kept ZONE: wait until it is
    for _ in $(seq 100); do
        [ -s "$tmp/keys/signed/$1.whole" ] && [ "$(head -c 8 "$tmp/keys/signed/$1.changes")" = WNchang1 ] && return
        sleep 0.1
    done
}
same() { # same ZONE: wait until the secondary has what we have
    for _ in $(seq 100); do
        [ "$(theirs +short "$1" SOA)" = "$(ask +short "$1" SOA)" ] && break
        sleep 0.1
    done
}
all_hold() { # all_hold WHEN
    for zone in $zones; do
        same $zone
        ask +onesoa $zone AXFR >"$tmp/axfr"
        contains "$1: $zone is right" "$(ldns-verify-zone "$tmp/axfr" 2>&1)" "Zone is verified and complete"
        equal "$1: the secondary has $zone" "$(theirs $zone AXFR | whole)" "$(ask $zone AXFR | whole)"
    done
}

start
"$wholenet" serve -v "$tmp/secondary.conf" >"$tmp/secondary.log" 2>&1 &
children="$children $!"
for zone in $zones; do
    same $zone
    kept $zone
done
for zone in $zones; do
    ask $zone AXFR | whole >"$tmp/before.$zone"
done

# Nothing happened: nothing is different.
slay
start
for zone in $zones; do
    equal "after kill -9 $zone is as it was, signatures and all" "$(ask $zone AXFR | whole)" "$(cat "$tmp/before.$zone")"
done

# Changes, killed at once, and again.
for zone in $zones; do
    first=$(serial $zone)
    eval "first_$(echo $zone | tr . _)=$first"
    equal "$zone takes an update" "$(update $zone "update add new.$zone 60 A 192.0.2.20")" ""
done
slay
start
all_hold "after an update and kill -9"
for zone in $zones; do
    eval "first=\$first_$(echo $zone | tr . _)"
    ask $zone IXFR=$first >"$tmp/ixfr"
    equal "$zone: what came before the kill is told as a difference" "$(grep -c 192.0.2.20 "$tmp/ixfr")" 1
    equal "$zone: and nothing else" "$(grep -c 192.0.2.9 "$tmp/ixfr")" 0
    equal "$zone: goes on" "$(update $zone "update delete n7.$zone")" ""
    ask $zone IXFR=$first >"$tmp/ixfr"
    equal "$zone: both changes are told from there, as one" \
        "$(grep -c "IN[[:space:]]SOA" "$tmp/ixfr") $(grep -c "^n7.*192.0.2.9" "$tmp/ixfr") $(grep -c 192.0.2.20 "$tmp/ixfr")" "4 1 1"
done
slay
start
all_hold "after another"

# A file that changes while we are away is a difference like any other. (The others' files are older than their changes.)
slay
write_zone file.example 5000 192.0.2.77
rm -f "$tmp/journal.db" "$tmp/journal.db-wal" "$tmp/journal.db-shm"
for zone in nsec.example nsec3.example time.example; do
    echo "new A 192.0.2.20" >>"$tmp/$zone.zone"
    sed -i -e '/^n7 /d' "$tmp/$zone.zone"
done
start
all_hold "with a file that has changed"
equal "it is there" "$(theirs +short www.file.example)" 192.0.2.77

# A log that was cut is good up to there; one that makes no sense is none, and then all is signed anew, once.
equal "another update" "$(update nsec.example "update add more.nsec.example 60 A 192.0.2.21")" ""
slay
echo torn >>"$tmp/keys/signed/nsec.example.changes"
start
all_hold "with a torn log"
equal "each was had whole but once, until then" "$(grep -c ", whole:" "$tmp/secondary.log")" 4
last=$(serial nsec3.example)
kept nsec3.example
slay
echo nonsense >"$tmp/keys/signed/nsec3.example.changes"
start
all_hold "with a log of no use"
check "under a serial number that is later" [ "$(serial nsec3.example)" -gt "$last" ]
kept nsec3.example
last=$(serial nsec3.example)
slay
start
equal "and the next time it goes on again" "$(serial nsec3.example)" "$last"

# A file that is wrong: what was served is, signed.
slay
echo "broken IN A nowhere" >>"$tmp/nsec.example.zone"
start
equal "with a file that is of no use the zone before it is served" "$(ask +short more.nsec.example)" 192.0.2.21
contains "as it was signed" "$(ask +dnssec more.nsec.example)" RRSIG
kill "$server"
wait "$server"
equal "it ends when told to" $? 0
finish
