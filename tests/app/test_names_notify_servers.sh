#!/bin/sh
# SPDX-License-Identifier: ISC
# The servers that a zone names are told that it has changed: by their addresses in zones of ours, and by
# those that the resolver finds; the primary is not, nor who is no server of it. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
command -v dig >/dev/null || { skip "telling the servers of a zone" "dig is not installed"; finish; exit; }

ours=$((20000 + $$ % 6000))
theirs=$((ours + 6000))
zone() { # zone SERIAL SERVER
    printf '$TTL 300\n@ SOA ns h %s 86400 86400 864000 60\n@ NS ns\n@ NS %s\nns A 127.0.0.1\nns2 A 127.0.0.2\n' "$1" "$2"
    printf 'v TXT %s\n' "$1"
}
mkdir "$tmp/zones"
zone 1 ns2 >"$tmp/zones/near.example.zone"
zone 1 x.else.example. >"$tmp/zones/far.example.zone"
zone 1 nobody.else.example. >"$tmp/zones/none.example.zone"
printf '$TTL 300\n@ SOA ns h 1 86400 86400 864000 60\n@ NS ns\nns A 127.0.0.3\nx A 127.0.0.3\n' >"$tmp/else"
cat >"$tmp/primary.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$ours"
    zones = "$tmp/zones"
    secondaries = {"127.0.0.0/8"}
    notify = {servers}
    servers-port = $theirs
    resolve = forward
    forward-for = {"else.example 127.0.0.4:$theirs"}
}
END
cat >"$tmp/secondary.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "0.0.0.0:$theirs"
    zone = {"else.example $tmp/else"}
    secondary "near.example" { primaries = {"127.0.0.1:$ours"} }
    secondary "far.example" { primaries = {"127.0.0.1:$ours"} }
    secondary "none.example" { primaries = {"127.0.0.1:$ours"} }
}
END
for name in primary secondary; do
    "$wholenet" serve -vv "$tmp/$name.conf" >"$tmp/$name.log" 2>&1 &
    eval "$name=$!"
    children="$children $!"
done
# The resolver's answer is looked for four times, the last one fifteen seconds after the first.
until_it_is() { # until_it_is WANT NAME: up to twenty-five seconds
    for _ in $(seq 250); do
        got=$(dig @127.0.0.2 -p "$theirs" +time=1 +tries=1 +short TXT "$2" 2>&1)
        [ "$got" = "\"$1\"" ] && return
        sleep 0.1
    done
}
for name in near far none; do
    until_it_is 1 v.$name.example
    equal "$name.example has come" "$got" '"1"'
done
zone 2 ns2 >"$tmp/zones/near.example.zone"
zone 2 x.else.example. >"$tmp/zones/far.example.zone"
zone 2 nobody.else.example. >"$tmp/zones/none.example.zone"
kill -HUP "$primary"
until_it_is 2 v.near.example
equal "a server with an address in the zone is told" "$got" '"2"'
until_it_is 2 v.far.example
equal "one with an address elsewhere, too" "$got" '"2"'
equal "one that does not exist is not" "$(dig @127.0.0.2 -p "$theirs" +short TXT v.none.example)" '"1"'
sent=$("$wholenet" status --json "$primary" | sed -n 's/.*"notifies_out":\([0-9]*\).*/\1/p')
check "nobody else is, and who has answered is not told again" [ "$sent" -le 6 ]
kill "$primary" "$secondary"
wait "$primary"
equal "it ends when told to" $? 0
finish
