#!/bin/sh
# SPDX-License-Identifier: ISC
# Catalog zones (RFC 9432) between us, BIND and Knot: members of theirs become zones of ours, with groups, change
# of ownership, new labels and broken catalogs; and what we serve becomes zones of theirs. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
. tests/support/dns_peers.sh
for tool in named dig nsupdate; do
    command -v $tool >/dev/null || { skip "catalog zones" "$tool is not installed"; finish; exit; }
done

ours=$((20000 + $$ % 6000))
theirs=$((ours + 6000))
mkdir "$tmp/named" "$tmp/knot" "$tmp/knot/db" "$tmp/zones" "$tmp/members"
zone() { # zone SERIAL ADDRESS
    printf '$TTL 300\n@ SOA ns h %s 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nwww A %s\n' "$1" "$2"
}
catalog() { # catalog LINES
    printf '$TTL 0\n@ SOA invalid. invalid. 1 3600 600 86400 0\n@ NS invalid.\nversion TXT "2"\n%b' "$1"
}
for i in 1 2 3 4 6 7; do
    zone 1 192.0.2.$i >"$tmp/named/m$i"
done
zone 1 192.0.2.1 >"$tmp/named/evil" # a member that "accept" does not have
zone 1 192.0.2.10 >"$tmp/knot/k1.zone"
zone 1 192.0.2.11 >"$tmp/knot/k2.zone"
catalog 'a.zones PTR m1.example.\nb.zones PTR m2.example.\nd.zones PTR m4.example.\ngroup.d.zones TXT "special"\n' \
    >"$tmp/named/cat1"
catalog 'evil.zones PTR evil.example.\n' >"$tmp/named/cat2"
zone 1 192.0.2.50 >"$tmp/zones/o1.example.zone"
{
    named_head 127.0.0.1 "$theirs" "allow-new-zones yes;
    catalog-zones { zone \"cat.ours\" default-primaries { 127.0.0.1 port $ours key transfer; }
                    min-update-interval 0; };"
    cat <<END
key "transfer" { algorithm hmac-sha256; secret "$secret"; };
zone "cat.ours" { type secondary; file "cat.ours"; primaries { 127.0.0.1 port $ours key transfer; }; };
END
    for zone in m1 m2 m3 m4 m6 m7 evil cat1 cat2; do
        case $zone in cat*) name=$zone.theirs ;; *) name=$zone.example ;; esac
        echo "zone \"$name\" { type primary; file \"$zone\"; allow-transfer { key transfer; };"
        echo "    allow-update { key transfer; }; also-notify { 127.0.0.1 port $ours key transfer; }; };"
    done
} >"$tmp/named/conf"
cat >"$tmp/knot/conf" <<END
server:
    listen: 127.0.0.32@$theirs
    rundir: "$tmp/knot"
    user: root
database:
    storage: "$tmp/knot/db"
key:
  - id: transfer
    algorithm: hmac-sha256
    secret: $secret
remote:
  - id: ours
    address: 127.0.0.1@$ours
    key: transfer
acl:
  - id: news
    address: 127.0.0.1
    action: notify
  - id: whole
    key: transfer
    action: transfer
template:
  - id: default
    storage: "$tmp/knot"
  - id: member
    storage: "$tmp/knot"
    master: ours
    acl: news
zone:
  - domain: cat.ours
    master: ours
    acl: news
    catalog-role: interpret
    catalog-template: member
  - domain: cat3.theirs
    catalog-role: generate
    acl: whole
    notify: ours
  - domain: k1.example
    file: k1.zone
    catalog-role: member
    catalog-zone: cat3.theirs
    acl: whole
  - domain: k2.example
    file: k2.zone
    catalog-role: member
    catalog-zone: cat3.theirs
    catalog-group: special
    acl: whole
log:
  - target: stderr
    any: info
END
write_site() {
    cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$ours"
    zones = "$tmp/zones"
    publish-catalog = "cat.ours"
    key "transfer" { secret = "$secret" }
    secondaries = {"key transfer"}
    notify = {"127.0.0.1:$theirs", "127.0.0.32:$theirs"}
    secondary "cat1.theirs" { primaries = {"127.0.0.1:$theirs key transfer"} file = "kept-cat1" }
    secondary "cat2.theirs" { primaries = {"127.0.0.1:$theirs key transfer"} file = "kept-cat2" }
    catalog "cat1.theirs" {
        directory = "members"
        group "special" { primaries = {"127.0.0.99:9"} }
    }
    catalog "cat2.theirs" { directory = "members" accept = {"net", "m2.example", "m6.example", "m7.example"} }
    secondary "cat3.theirs" { primaries = {"127.0.0.32:$theirs key transfer"} }
    catalog "cat3.theirs" {
        group "special" { primaries = {"127.0.0.98:9"} }
    }
}
END
}
write_site
named -g -c "$tmp/named/conf" >"$tmp/named/log" 2>&1 &
named=$!
children="$children $named"
"$wholenet" serve -vv "$tmp/site.conf" >"$tmp/log" 2>&1 &
server=$!
children="$children $server"
if command -v knotd >/dev/null; then
    knotd -c "$tmp/knot/conf" >"$tmp/knot/log" 2>&1 &
    children="$children $!"
fi
until_log() { # until_log TEXT
    for _ in $(seq 100); do
        grep -qF "$1" "$tmp/log" && return
        sleep 0.1
    done
}
status_of() { dig @127.0.0.1 -p "$ours" +time=3 "$@" | sed -n 's/.*status: \([A-Z]*\).*/\1/p'; }

# ---- theirs are ours ----

until_it_is 192.0.2.1 127.0.0.1 "$ours" www.m1.example
equal "a member is a zone of ours" "$got" 192.0.2.1
until_it_is 192.0.2.2 127.0.0.1 "$ours" www.m2.example
equal "and another" "$got" 192.0.2.2
equal "what is no member is not" "$(status_of www.m3.example)" REFUSED
until_log "zone m4.example.: 127.0.0.99:9 is of no use"
contains "a group has primaries of its own" "$(cat "$tmp/log")" "zone m4.example.: 127.0.0.99:9 is of no use"

nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat1.theirs\nadd c.zones.cat1.theirs 0 PTR m3.example.\ndelete a.zones.cat1.theirs PTR'
until_it_is 192.0.2.3 127.0.0.1 "$ours" www.m3.example
equal "one that comes" "$got" 192.0.2.3
equal "one that goes" "$(status_of www.m1.example)" REFUSED
check "and nothing is kept of it" [ ! -e "$tmp/members/m1.example.zone" ]
for _ in $(seq 50); do
    [ -s "$tmp/members/m3.example.zone" ] && break
    sleep 0.1
done
check "of the others there is" [ -s "$tmp/members/m3.example.zone" ]

until_log "zone evil.example. is not had: expected one that"
contains "what is not accepted is not had" "$(cat "$tmp/log")" 'cat2.theirs: zone evil.example. is not had: expected one that "accept" has'

# Broken ones are not gone by.
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat1.theirs\nadd b.zones.cat1.theirs 0 PTR m1.example.'
until_log "is not gone by"
contains "a broken catalog" "$(cat "$tmp/log")" "b.zones.cat1.theirs. expected one PTR record"
equal "changes nothing" "$(dig @127.0.0.1 -p "$ours" +short www.m2.example)" 192.0.2.2
equal "neither way" "$(status_of www.m1.example)" REFUSED
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat1.theirs\ndelete b.zones.cat1.theirs PTR m1.example.'

# Another label: it begins anew.
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat1.theirs\ndelete c.zones.cat1.theirs PTR\nadd c2.zones.cat1.theirs 0 PTR m3.example.'
until_log "zone m3.example. is to begin anew"
contains "with another label a member begins anew" "$(cat "$tmp/log")" "zone m3.example. is to begin anew"
until_it_is 192.0.2.3 127.0.0.1 "$ours" www.m3.example
equal "and is there again" "$got" 192.0.2.3

# Another catalog has it: no, until the first gives it away.
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat2.theirs\nadd b.zones.cat2.theirs 0 PTR m2.example.'
until_log "catalog cat2.theirs: zone m2.example. is not had"
contains "what is another's is not taken" "$(cat "$tmp/log")" "catalog cat2.theirs: zone m2.example. is not had"
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat1.theirs\nadd coo.b.zones.cat1.theirs 0 PTR cat2.theirs.'
until_log "catalog cat2.theirs: zone m2.example. is its own now"
contains "what is given away is" "$(cat "$tmp/log")" "catalog cat2.theirs: zone m2.example. is its own now"
equal "and served all the while" "$(dig @127.0.0.1 -p "$ours" +short www.m2.example)" 192.0.2.2
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat1.theirs\ndelete coo.b.zones.cat1.theirs PTR\ndelete b.zones.cat1.theirs PTR'
sleep 1
equal "after the first has let go, too" "$(dig @127.0.0.1 -p "$ours" +short www.m2.example)" 192.0.2.2
check "and was not begun anew, as its label is the same" \
    [ "$(grep -c "zone m2.example. is to begin anew" "$tmp/log")" = 0 ]

# What was let go and not given begins anew, under the same label as well (§5.3).
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat1.theirs\nadd f.zones.cat1.theirs 0 PTR m6.example.'
until_it_is 192.0.2.6 127.0.0.1 "$ours" www.m6.example
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat2.theirs\nadd f.zones.cat2.theirs 0 PTR m6.example.'
until_log "catalog cat2.theirs: zone m6.example. is not had"
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat1.theirs\ndelete f.zones.cat1.theirs PTR'
until_log "catalog cat2.theirs: zone m6.example. is to begin anew"
contains "what is let go and taken by another begins anew" "$(cat "$tmp/log")" \
    "catalog cat2.theirs: zone m6.example. is to begin anew"
until_it_is 192.0.2.6 127.0.0.1 "$ours" www.m6.example
equal "and is had from that one" "$got" 192.0.2.6

# What a file has here is no member's any more, and is one again when it has not.
zone 9 192.0.2.93 >"$tmp/zones/m3.example.zone"
kill -HUP "$server"
until_it_is 192.0.2.93 127.0.0.1 "$ours" www.m3.example
equal "a file goes before a member" "$got" 192.0.2.93
rm "$tmp/zones/m3.example.zone"
kill -HUP "$server"
until_it_is 192.0.2.3 127.0.0.1 "$ours" www.m3.example
equal "without it, it is a member again" "$got" 192.0.2.3

# Knot's own catalog
if command -v knotd >/dev/null; then
    until_it_is 192.0.2.10 127.0.0.1 "$ours" www.k1.example
    equal "a member that Knot has listed" "$got" 192.0.2.10
    until_log "zone k2.example.: 127.0.0.98:9 is of no use"
    contains "and its group" "$(cat "$tmp/log")" "zone k2.example.: 127.0.0.98:9 is of no use"
else
    skip "a member that Knot has listed" "knotd is not installed"
    skip "and its group" "knotd is not installed"
fi

# ---- ours are theirs ----

until_it_is 192.0.2.50 127.0.0.1 "$theirs" www.o1.example
equal "BIND has what we serve" "$got" 192.0.2.50
if command -v knotd >/dev/null; then
    until_it_is 192.0.2.50 127.0.0.32 "$theirs" www.o1.example
    equal "so has Knot" "$got" 192.0.2.50
else
    skip "so has Knot" "knotd is not installed"
fi
zone 1 192.0.2.51 >"$tmp/zones/o2.example.zone"
rm "$tmp/zones/o1.example.zone"
kill -HUP "$server"
until_it_is 192.0.2.51 127.0.0.1 "$theirs" www.o2.example
equal "a new one" "$got" 192.0.2.51
if command -v knotd >/dev/null; then
    until_it_is 192.0.2.51 127.0.0.32 "$theirs" www.o2.example
    equal "for Knot, too" "$got" 192.0.2.51
else
    skip "for Knot, too" "knotd is not installed"
fi
until_it_is "" 127.0.0.1 "$theirs" www.o1.example
equal "one that is gone" "$got" ""
contains "the difference is told" \
    "$(dig @127.0.0.1 -p "$ours" -y "hmac-sha256:transfer:$secret" IXFR=1 cat.ours)" "XFR size: "
equal "a reload leaves members as they are" "$(dig @127.0.0.1 -p "$ours" +short www.m2.example)" 192.0.2.2

# A catalog that breaks, and a restart by the worst way: it holds on as it was when it was right (§5.1), and whose a
# zone is stays so.
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat1.theirs\nadd g.zones.cat1.theirs 0 PTR m7.example.'
until_it_is 192.0.2.7 127.0.0.1 "$ours" www.m7.example
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat2.theirs\nadd g2.zones.cat2.theirs 0 PTR m7.example.'
until_log "catalog cat2.theirs: zone m7.example. is not had"
nsupdate_to 127.0.0.1 "$theirs" transfer 'zone cat1.theirs\nadd g.zones.cat1.theirs 0 PTR m1.example.'
until_log "catalog cat1.theirs is not gone by, the one before it is: g.zones.cat1.theirs."
for _ in $(seq 50); do
    grep -q m1.example "$tmp/kept-cat1" && [ -s "$tmp/members/m7.example.zone" ] && break
    sleep 0.1
done
kill "$named"
kill -KILL "$server"
wait "$server" 2>/dev/null
start_anew() { # start_anew LOG
    "$wholenet" serve -vv "$tmp/site.conf" >"$1" 2>&1 &
    server=$!
    children="$children $server"
}
start_anew "$tmp/log2"
until_it_is 192.0.2.7 127.0.0.1 "$ours" www.m7.example
equal "members of a broken catalog are served after a restart" "$got" 192.0.2.7
equal "and those of the other one, though nobody is there" \
    "$(dig @127.0.0.1 -p "$ours" +short www.m2.example)" 192.0.2.2
contains "that it is broken is said" "$(cat "$tmp/log2")" "catalog cat1.theirs is not gone by"
contains "the other one does not get its member" "$(cat "$tmp/log2")" \
    "catalog cat2.theirs: zone m7.example. is not had: it is another's here"

# What changes while we are away is seen by what was kept: a new label, and a member that goes.
kill -KILL "$server"
wait "$server" 2>/dev/null
sed -i -e '/^g\.zones.*m1\.example/d' -e 's/^g\.zones/new.zones/' -e '/^c2\.zones/d' "$tmp/kept-cat1"
check "a member that will go is there" [ -s "$tmp/members/m3.example.zone" ]
start_anew "$tmp/log3"
for _ in $(seq 100); do
    grep -qF "zone m7.example. is to begin anew" "$tmp/log3" && break
    sleep 0.1
done
contains "a label that has changed meanwhile" "$(cat "$tmp/log3")" \
    "catalog cat1.theirs: zone m7.example. is to begin anew"
for _ in $(seq 50); do
    [ ! -e "$tmp/members/m7.example.zone" ] && break
    sleep 0.1
done
check "of it nothing is left" [ ! -e "$tmp/members/m7.example.zone" ]
check "nor of the member that is none any more" [ ! -e "$tmp/members/m3.example.zone" ]
equal "which is not served" "$(status_of www.m3.example)" REFUSED
kill "$server"
wait "$server"
equal "it ends when told to" $? 0
finish
