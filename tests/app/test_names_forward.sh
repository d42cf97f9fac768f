#!/bin/sh
# SPDX-License-Identifier: ISC
# Updates of a zone that we have from BIND, passed on to it (RFC 2136 §6), as nsupdate(1) sends them: unsigned, with a
# key of ours, with one that only BIND knows, with one that nobody knows. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
. tests/support/dns_peers.sh
for tool in named dig nsupdate; do
    command -v $tool >/dev/null || { skip "updates for a primary" "$tool is not installed"; finish; exit; }
done

ours=$((20000 + $$ % 6000))
theirs=$((ours + 6000))
mkdir "$tmp/named"
printf '$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n' >"$tmp/named/zone"
named_head 127.0.0.1 "$theirs" >"$tmp/named/conf"
cat >>"$tmp/named/conf" <<END
key "transfer" { algorithm hmac-sha256; secret "$secret"; };
key "theirs" { algorithm hmac-sha512; secret "$secret"; };
zone "f.example" {
    type primary;
    file "zone";
    allow-transfer { key transfer; };
    allow-update { key transfer; key theirs; };
    also-notify { 127.0.0.1 port $ours key transfer; };
};
END
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$ours"
    key "transfer" { secret = "$secret" }
    key "known" { secret = "$secret" }
    forward-updates-for = {"127.0.0.1"}
    secondary "f.example" { primaries = {"127.0.0.99:9", "127.0.0.1:$theirs key transfer"} }
}
END
named -g -c "$tmp/named/conf" >"$tmp/named/log" 2>&1 &
named=$!
children="$children $named"
"$wholenet" serve -vv "$tmp/site.conf" >"$tmp/log" 2>&1 &
server=$!
children="$children $server"
update() { # update ADDRESS COMMANDS NSUPDATE-ARGUMENTS…: 0 when it was acknowledged, by who was asked
    local=$1
    commands=$2
    shift 2
    printf 'local %s\nserver 127.0.0.1 %s\nzone f.example\n%b\nsend\n' "$local" "$ours" "$commands" |
        nsupdate "$@" >"$tmp/update" 2>&1
}
until_it_is 192.0.2.1 127.0.0.1 "$ours" ns.f.example A
equal "the zone is here" "$got" 192.0.2.1

check "an update without a signature" update 127.0.0.1 'add a.f.example 60 A 192.0.2.10'
until_it_is 192.0.2.10 127.0.0.1 "$ours" a.f.example A
equal "is carried out by the primary, and comes back" "$got" 192.0.2.10
check "one with a key of ours" update 127.0.0.1 'add b.f.example 60 A 192.0.2.11' -y "hmac-sha256:known:$secret"
until_it_is 192.0.2.11 127.0.0.1 "$ours" b.f.example A
equal "is, too" "$got" 192.0.2.11
check "by TCP" update 127.0.0.1 'add c.f.example 60 A 192.0.2.12' -v
check "one with a key that only the primary knows" \
    update 127.0.0.1 'add d.f.example 60 A 192.0.2.13' -y "hmac-sha512:theirs:$secret"
until_it_is 192.0.2.13 127.0.0.1 "$ours" d.f.example A
equal "is judged there" "$got" 192.0.2.13
check "that by TCP" update 127.0.0.1 'add e.f.example 60 A 192.0.2.14' -v -y "hmac-sha512:theirs:$secret"
update 127.0.0.1 'add x.f.example 60 A 192.0.2.15' -y "hmac-sha512:nobody:$secret"
contains "one with a key that nobody knows is refused there" "$(cat "$tmp/update")" "BADKEY"
update 127.0.0.1 'add x.f.example 60 A 192.0.2.15' -y "hmac-sha256:known:AAAA$secret"
contains "one with a key of ours that is wrong is refused here" "$(cat "$tmp/update")" "BADSIG"
update 127.0.0.1 'prereq nxdomain a.f.example\nadd x.f.example 60 A 192.0.2.15'
contains "what the primary says comes back" "$(cat "$tmp/update")" "YXDOMAIN"
update 127.0.0.2 'add x.f.example 60 A 192.0.2.15'
contains "who may not is refused" "$(cat "$tmp/update")" "REFUSED"
update 127.0.0.2 'add x.f.example 60 A 192.0.2.15' -y "hmac-sha512:theirs:$secret"
contains "whatever his key" "$(cat "$tmp/update")" "BADKEY"
contains "it is counted" "$("$wholenet" status --json "$server" 2>&1)" '"updates_forwarded":7'

# A primary that takes the message and says nothing: whether it was carried out nobody knows, so that no other gets it.
if command -v python3 >/dev/null; then
    odd=$((ours + 6001))
    python3 - "$odd" "$tmp/ready" <<'END' &
import socket, sys
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
open(sys.argv[2], "w").close()
while True:
    c, _ = s.accept()
    c.recv(100)
    c.close()
END
    children="$children $!"
    for _ in $(seq 100); do
        [ -e "$tmp/ready" ] && break
        sleep 0.1
    done
    sed "s/127.0.0.99:9/127.0.0.1:$odd/; s/127.0.0.1:$ours/127.0.0.1:$((ours + 1))/" "$tmp/site.conf" >"$tmp/odd.conf"
    "$wholenet" serve "$tmp/odd.conf" >"$tmp/log.odd" 2>&1 &
    children="$children $!"
    for _ in $(seq 100); do
        [ "$(dig @127.0.0.1 -p $((ours + 1)) +short ns.f.example 2>&1)" = 192.0.2.1 ] && break
        sleep 0.1
    done
    printf 'server 127.0.0.1 %s\nzone f.example\nadd odd.f.example 60 A 192.0.2.16\nsend\n' $((ours + 1)) |
        nsupdate >"$tmp/update" 2>&1
    contains "a primary that takes it and says nothing" "$(cat "$tmp/update")" "SERVFAIL"
    equal "is the only one that gets it" "$(dig @127.0.0.1 -p "$theirs" +short odd.f.example)" ""
else
    skip "a primary that takes it and says nothing" "python3 is not installed"
    skip "is the only one that gets it" "python3 is not installed"
fi
kill "$named"
wait "$named"
update 127.0.0.1 'add x.f.example 60 A 192.0.2.15'
contains "without a primary there is nobody to do it" "$(cat "$tmp/update")" "SERVFAIL"
equal "and nothing of it is here" "$(dig @127.0.0.1 -p "$ours" +short x.f.example)" ""
kill "$server"
wait "$server"
equal "it ends when told to" $? 0
finish
