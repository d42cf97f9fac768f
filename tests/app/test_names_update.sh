#!/bin/sh
# SPDX-License-Identifier: ISC
# Zones that change while they are served: nsupdate(1) and knsupdate(1) with keys, who may do what, what
# survives a restart and kill -9, and what becomes of it when the zone's file is edited. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
command -v nsupdate >/dev/null || { skip "updates" "nsupdate is not installed"; finish; }
command -v dig >/dev/null || { skip "updates" "dig is not installed"; finish; }

port=$((20000 + $$ % 12000))
secret=c2VjcmV0IG9mIDMyIG9jdGV0cyBmb3IgdGhlIHRlc3Q=
zone() { # zone SERIAL
    printf '$TTL 300\n@ SOA ns h %s 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nwww A 192.0.2.10\n' "$1"
}
zone 10 >"$tmp/dyn.zone"
zone 10 >"$tmp/other.zone"
command -v python3 >/dev/null || { skip "updates" "python3 is not installed"; finish; }
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
control = "update-$$"
names {
    listen = "127.0.0.1:$port"
    zone = {"dyn.example $tmp/dyn.zone", "other.example $tmp/other.zone"}
    journal = "journal.db"
    secondaries = {"127.0.0.1"}
    update = {"key admin", "127.0.0.3 name here.dyn.example types A", "127.0.0.3 below other.example",
              "key host.dyn.example self types A AAAA", "key sub below sub.dyn.example types TXT"}
    key "admin" { secret = "$secret" }
    key "host.dyn.example" { secret = "$secret" }
    key "sub" { secret = "$secret" }
}
END
start() {
    "$wholenet" serve "$tmp/site.conf" >>"$tmp/log" 2>&1 &
    server=$!
    children="$children $server"
    for _ in $(seq 50); do
        [ "$(ask +short ns.dyn.example)" = 192.0.2.1 ] && return
        sleep 0.1
    done
}
ask() { dig @127.0.0.1 -p "$port" +time=1 +tries=2 "$@"; }
update() { # update KEY COMMANDS…: prints what nsupdate says
    key=$1
    shift
    { echo "server 127.0.0.1 $port"; for line; do echo "$line"; done; echo send; } |
        nsupdate -y "hmac-sha256:$key:$secret" 2>&1
}
serial() { ask +short dyn.example SOA | cut -d' ' -f3; }

start
equal "an update with a key" "$(update admin 'update add new.dyn.example 60 A 192.0.2.20')" ""
equal "is there at once" "$(ask +short new.dyn.example)" 192.0.2.20
equal "with the next serial number" "$(serial)" 11
equal "over TCP too" "$({ echo "server 127.0.0.1 $port"; echo 'update add tcp.dyn.example 60 TXT "t"'; echo send; } |
    nsupdate -v -y "hmac-sha256:admin:$secret" 2>&1)" ""
equal "which is there" "$(ask +short tcp.dyn.example TXT)" '"t"'
equal "what is there already changes nothing" "$(update admin 'update add new.dyn.example 60 A 192.0.2.20')$(serial)" 12
contains "a prerequisite that fails" "$(update admin 'prereq nxdomain new.dyn.example' \
    'update add new.dyn.example 60 A 192.0.2.21')" YXDOMAIN
contains "another" "$(update admin 'prereq yxrrset no.dyn.example A' 'update delete www.dyn.example')" NXRRSET
contains "a name that is not of the zone" "$(update admin 'zone dyn.example' 'update add x.example 60 A 192.0.2.1')" NOTZONE
contains "a zone that is not ours" "$(update admin 'zone nowhere.example' \
    'update add x.nowhere.example 60 A 192.0.2.1')" NOTAUTH
contains "a key that is wrong" "$(printf 'server 127.0.0.1 %s\nupdate add x.dyn.example 60 A 192.0.2.1\nsend\n' "$port" |
    nsupdate -y "hmac-sha256:admin:d3Jvbmc=" 2>&1)" BADSIG
contains "no key" "$(printf 'server 127.0.0.1 %s\nupdate add x.dyn.example 60 A 192.0.2.1\nsend\n' "$port" |
    nsupdate 2>&1)" REFUSED
equal "and nothing has changed" "$(serial)" 12

# Who may do what.
equal "a host its own name" "$(update host.dyn.example 'update add host.dyn.example 60 A 192.0.2.30')" ""
contains "but no other" "$(update host.dyn.example 'update add host2.dyn.example 60 A 192.0.2.30')" REFUSED
contains "nor another type" "$(update host.dyn.example 'update add host.dyn.example 60 TXT x')" REFUSED
equal "all below a name" "$(update sub 'update add a.b.sub.dyn.example 60 TXT x')" ""
contains "but not beside it" "$(update sub 'update add asub.dyn.example 60 TXT x')" REFUSED
contains "nor in another zone" "$(update sub 'prereq nxdomain www.other.example' \
    'update add other.example 60 TXT x')" REFUSED
equal "an address that may" "$(printf 'local 127.0.0.3\nserver 127.0.0.1 %s\nupdate add here.dyn.example 60 A 192.0.2.31\nsend\n' \
    "$port" | nsupdate 2>&1)" ""
equal "several at once, whole" "$(update admin 'update delete www.dyn.example' \
    'update add www.dyn.example 60 CNAME new.dyn.example' 'update delete tcp.dyn.example TXT')" ""
equal "as it was said" "$(ask +short www.dyn.example | tr '\n' ' ')" "new.dyn.example. 192.0.2.20 "
equal "each of one message is one serial number" "$(serial)" 16
if command -v knsupdate >/dev/null; then
    equal "knsupdate" "$({ echo "server 127.0.0.1 $port"; echo 'zone dyn.example.'; echo 'origin dyn.example.'
        echo 'prereq nxdomain knot'; echo 'add knot 60 A 192.0.2.40'; echo send; } |
        knsupdate -y "hmac-sha256:admin:$secret" 2>&1)" ""
    equal "which is there" "$(ask +short knot.dyn.example)" 192.0.2.40
    equal "and goes" "$({ echo "server 127.0.0.1 $port"; echo 'zone dyn.example.'; echo 'del knot.dyn.example.'
        echo send; } | knsupdate -y "hmac-sha256:admin:$secret" 2>&1)$(ask +short knot.dyn.example)" ""
else
    skip "knsupdate" "knsupdate is not installed"
fi

# What was changed survives: an end in peace, a reload, kill -9.
before=$(ask dyn.example AXFR | grep -v "^;"; serial; ask +short www.dyn.example; ask +short a.b.sub.dyn.example TXT)
kill -TERM "$server"
wait "$server"
equal "a quiet end" "$?" 0
start
equal "after a restart all is as it was" \
    "$(ask dyn.example AXFR | grep -v "^;"; serial; ask +short www.dyn.example; ask +short a.b.sub.dyn.example TXT)" "$before"
kill -HUP "$server"
equal "an update right after a reload" "$(update admin 'update add reload.dyn.example 60 A 192.0.2.50')" ""
sleep 0.5
equal "is not lost" "$(ask +short reload.dyn.example)" 192.0.2.50

# At random instants it is killed while updates come, many of them at once; each that was acknowledged is
# there.
lost=
for round in 1 2 3 4 5 6; do
    python3 tests/support/dns_updates.py "$port" other.example "r$round" 16 >"$tmp/acknowledged" 2>"$tmp/client.log" &
    client=$!
    wait_for test -s "$tmp/acknowledged" # so that it is under way, however busy the machine
    sleep "0.$((1 + round))$round"
    kill -9 "$server"
    wait "$server" 2>/dev/null
    wait "$client" || lost="$lost client: $(cat "$tmp/client.log")"
    start
    ask other.example AXFR | sed -n 's/^\(r[0-9-]*\)\.other\.example\..*/\1/p' | sort >"$tmp/there"
    sort "$tmp/acknowledged" | comm -23 - "$tmp/there" >"$tmp/lost"
    [ -s "$tmp/acknowledged" ] || lost="$lost nothing was acknowledged in round $round"
    lost="$lost$(cat "$tmp/lost")"
    echo "# round $round: $(wc -l <"$tmp/acknowledged") acknowledged"
done
equal "kill -9 loses nothing that was acknowledged" "$lost" ""

# The zone's file is edited.
kept=$(serial)
zone 9 >"$tmp/dyn.zone"
kill -HUP "$server"
wait_for grep -q "has serial 9" "$tmp/log"
equal "an older file does not take away what was changed" "$(serial)" "$kept"
contains "and that is said" "$(cat "$tmp/log")" "the file has serial 9, and its changes lead to $kept"
zone 10000 >"$tmp/dyn.zone"
kill -HUP "$server"
for _ in $(seq 50); do
    [ "$(serial)" = 10000 ] && break
    sleep 0.1
done
equal "a newer one takes the place of all" "$(serial) $(ask +short new.dyn.example)" "10000 "
contains "and that is said too" "$(cat "$tmp/log")" "which are forgotten"
equal "and changes go on from there" "$(update admin 'update add new.dyn.example 60 A 192.0.2.70')$(serial)" 10001
zone 10000 | sed 's/www A .*/www A 192.0.2.77/' >"$tmp/dyn.zone"
echo 'new A 192.0.2.70' >>"$tmp/dyn.zone"
kill -HUP "$server"
wait_for grep -q "without a new serial" "$tmp/log"
contains "a file that was changed without a new number" "$(cat "$tmp/log")" "without a new serial number?"
equal "is not taken" "$(ask +short new.dyn.example)" 192.0.2.70
contains "status tells of updates" "$("$wholenet" status --json "update-$$" 2>&1)" '"updates":'
sed -i 's/journal = .*//' "$tmp/site.conf"
contains "without a journal there are none" "$("$wholenet" check "$tmp/site.conf" 2>&1)" "expected a journal too"
finish
