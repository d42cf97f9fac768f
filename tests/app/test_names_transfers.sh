#!/bin/sh
# SPDX-License-Identifier: ISC
# Zones between us and NSD, Knot and BIND, both ways: whole and by difference, signed, told of by NOTIFY.
# Each has a zone that we have from it, and has one from us. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
. tests/support/dns_peers.sh
command -v dig >/dev/null || { skip "transfers" "dig is not installed"; finish; }

ours=$((20000 + $$ % 10000))
theirs=$((ours + 10000))
mkdir "$tmp/zones" "$tmp/kept"

zone() { # zone SERIAL ADDRESS
    printf '$TTL 300\n@ SOA ns h %s 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nwww A %s\n' "$1" "$2"
    seq 2000 | sed 's/.*/h& TXT "some text for host &, so that there are several messages"/'
    printf 'old%s A 192.0.2.9\n_x._tcp SRV 1 2 3 ns\nsub NS ns.sub\nns.sub A 192.0.2.7\n*.wild MX 10 ns\n' "$1"
}
zone 1 192.0.2.1 >"$tmp/zones/ours.example.zone"

# ---- the others, each with ADDRESS and the zone NAME.example ----

peer_nsd() {
    mkdir -p "$tmp/nsd"
    cat >"$tmp/nsd/conf" <<END
server:
    ip-address: $1
    port: $theirs
    username: ""
    chroot: ""
    zonesdir: "$tmp/nsd"
    database: ""
    pidfile: "$tmp/nsd/pid"
    xfrdfile: "$tmp/nsd/xfrd.state"
    zonelistfile: "$tmp/nsd/zone.list"
    xfrdir: "$tmp/nsd"
    server-count: 1
    rrl-ratelimit: 0
    verbosity: 2
remote-control:
    control-enable: no
key:
    name: "transfer"
    algorithm: hmac-sha256
    secret: "$secret"
zone:
    name: "nsd.example"
    zonefile: "zone"
    notify: 127.0.0.1@$ours transfer
    provide-xfr: 127.0.0.0/8 transfer
    create-ixfr: yes
    store-ixfr: yes
zone:
    name: "ours.example"
    zonefile: "ours"
    request-xfr: 127.0.0.1@$ours transfer
    allow-notify: 127.0.0.0/8 transfer
    provide-xfr: 127.0.0.0/8 transfer
END
    exec nsd -d -c "$tmp/nsd/conf" >"$tmp/nsd/log" 2>&1
}

peer_knot() {
    mkdir -p "$tmp/knot/db"
    cat >"$tmp/knot/conf" <<END
server:
    listen: $1@$theirs
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
  - id: out
    key: transfer
    action: [transfer, notify]
zone:
  - domain: knot.example
    file: "$tmp/knot/zone"
    notify: ours
    acl: out
    zonefile-load: difference
    journal-content: changes
  - domain: ours.example
    file: "$tmp/knot/ours"
    master: ours
    acl: out
log:
  - target: stderr
    any: info
END
    exec knotd -c "$tmp/knot/conf" >"$tmp/knot/log" 2>&1
}

peer_named() {
    mkdir -p "$tmp/named"
    named_head "$1" "$theirs" "ixfr-from-differences yes;" >"$tmp/named/conf"
    cat >>"$tmp/named/conf" <<END
key "transfer" { algorithm hmac-sha256; secret "$secret"; };
server 127.0.0.1 { keys { transfer; }; };
zone "named.example" {
    type primary;
    file "zone";
    allow-transfer { key transfer; };
    also-notify { 127.0.0.1 port $ours; };
};
zone "ours.example" {
    type secondary;
    file "ours";
    masterfile-format text;
    primaries { 127.0.0.1 port $ours key transfer; };
    allow-notify { key transfer; };
};
END
    exec named -g -c "$tmp/named/conf" >"$tmp/named/log" 2>&1
}

# ---- all together ----

address_of() {
    case $1 in nsd) echo 127.0.0.31 ;; knot) echo 127.0.0.32 ;; named) echo 127.0.0.1 ;; esac # BIND wants an address of an interface
}
peers=
secondaries=
notify=
for peer in nsd knot named; do
    case $peer in knot) command=knotd ;; *) command=$peer ;; esac
    if ! command -v $command >/dev/null; then
        skip "transfers from and to $peer" "$command is not installed"
        continue
    fi
    peers="$peers $peer"
    address=$(address_of $peer)
    mkdir -p "$tmp/$peer"
    zone 1 192.0.2.1 >"$tmp/$peer/zone"
    secondaries="$secondaries
    secondary \"$peer.example\" {
        primaries = {\"127.0.0.99:9\", \"$address:$theirs key transfer\"} # the first is nobody
        file = \"kept/$peer\"
    }"
    notify="$notify \"$address:$theirs key transfer\","
done
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$ours"
    zone = {"ours.example $tmp/zones/ours.example.zone"}
    key "transfer" { secret = "$secret" }
    secondaries = {"key transfer"}
    notify = {${notify%,}}
    $secondaries
}
END
"$wholenet" serve -vv "$tmp/site.conf" >"$tmp/log" 2>&1 &
server=$!
children="$children $server"
for peer in $peers; do
    "peer_$peer" "$(address_of $peer)" &
    eval "pid_$peer=$!"
    children="$children $!"
done

records() { # records SERVER PORT ZONE: how many, and a sum of them all
    dig "@$1" -p "$2" -y "hmac-sha256:transfer:$secret" +noall +answer AXFR "$3" |
        sed 's/[ 	][ 	]*/ /g' | grep -v TSIG | sort >"$tmp/records"
    echo "$(wc -l <"$tmp/records") records, $(cksum <"$tmp/records")"
}

for peer in $peers; do
    address=$(address_of $peer)
    until_it_is 192.0.2.1 127.0.0.1 "$ours" "www.$peer.example"
    equal "$peer: we have its zone" "$got" 192.0.2.1
    equal "$peer: all of it" "$(records 127.0.0.1 "$ours" "$peer.example")" \
        "$(records "$address" "$theirs" "$peer.example")"
    contains "$peer: whole, at first" "$(cat "$tmp/log")" "zone $peer.example.: serial 1 from $address:$theirs, whole: 20"
    until_it_is 192.0.2.1 "$address" "$theirs" www.ours.example
    equal "$peer: it has our zone" "$got" 192.0.2.1
    equal "$peer: all of ours" "$(records "$address" "$theirs" ours.example)" \
        "$(records 127.0.0.1 "$ours" ours.example)"
done
contains "who does not answer is passed over" "$(cat "$tmp/log")" "127.0.0.99:9 is of no use: Connection refused"

# Theirs change: we are told, and have what is new, by difference.
sleep 1.1 # Knot looks at times in seconds
for peer in $peers; do
    zone 2 192.0.2.2 >"$tmp/$peer/zone"
    eval "kill -HUP \$pid_$peer"
done
for peer in $peers; do
    address=$(address_of $peer)
    until_it_is 192.0.2.2 127.0.0.1 "$ours" "www.$peer.example"
    equal "$peer: we have what is new" "$got" 192.0.2.2
    contains "$peer: by difference" "$(cat "$tmp/log")" "serial 2 from $address:$theirs, changes since 1: 8 records"
    equal "$peer: it is all the same" "$(records 127.0.0.1 "$ours" "$peer.example")" \
        "$(records "$address" "$theirs" "$peer.example")"
    contains "$peer: who has it from us gets the difference too" \
        "$(dig @127.0.0.1 -p "$ours" -y "hmac-sha256:transfer:$secret" IXFR=1 "$peer.example")" "XFR size: 8 records"
done

# Ours changes: they are told.
zone 2 192.0.2.2 >"$tmp/zones/ours.example.zone"
kill -HUP "$server"
for peer in $peers; do
    address=$(address_of $peer)
    until_it_is 192.0.2.2 "$address" "$theirs" www.ours.example
    equal "$peer: it has what is new of ours" "$got" 192.0.2.2
    equal "$peer: all the same" "$(records "$address" "$theirs" ours.example)" \
        "$(records 127.0.0.1 "$ours" ours.example)"
done

# What was kept is served when we start again, though nobody is there.
for peer in $peers; do
    eval "kill \$pid_$peer"
done
kill "$server"
wait "$server"
equal "it ends when told to" $? 0
"$wholenet" serve -vv "$tmp/site.conf" >"$tmp/log2" 2>&1 &
server=$!
children="$children $server"
for peer in $peers; do
    until_it_is 192.0.2.2 127.0.0.1 "$ours" "www.$peer.example"
    equal "$peer: its zone was kept" "$got" 192.0.2.2
done
kill "$server"
wait "$server"
# Over TLS (RFC 9103), from one of our own.
if command -v openssl >/dev/null; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tmp/key.pem" \
        -out "$tmp/cert.pem" -days 2 -subj "/CN=ns.test" -addext "subjectAltName=DNS:ns.test" 2>/dev/null
    cat >"$tmp/primary.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$ours"
    listen-tls = "127.0.0.1:$((ours + 1))"
    certificate = "$tmp/cert.pem"
    certificate-key = "$tmp/key.pem"
    zone = {"ours.example zones/ours.example.zone"}
    key "transfer" { secret = "$secret" }
    secondaries = {"key transfer"}
    notify = {"127.0.0.1:$((ours + 2)) key transfer"}
}
END
    secure() { # secure PRIMARY: the secondary
        cat >"$tmp/secure.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$((ours + 2))"
    key "transfer" { secret = "$secret" }
    primaries-trust = "cert.pem"
    secondary "ours.example" { primaries = {"$1 key transfer"} }
}
END
    }
    secure "127.0.0.1:$((ours + 1))#other.test"
    "$wholenet" serve -vv "$tmp/primary.conf" >"$tmp/log3" 2>&1 &
    server=$!
    "$wholenet" serve -vv "$tmp/secure.conf" >"$tmp/log4" 2>&1 &
    second=$!
    children="$children $server $second"
    sleep 1
    contains "tls: nothing from who has another name" "$(cat "$tmp/log4")" "is of no use: "
    contains "… its names are answered" "$(dig @127.0.0.1 -p $((ours + 2)) www.ours.example)" SERVFAIL
    secure "127.0.0.1:$((ours + 1))#ns.test"
    kill -HUP "$second"
    until_it_is 192.0.2.2 127.0.0.1 "$((ours + 2))" www.ours.example
    equal "tls: the zone from who has the right one" "$got" 192.0.2.2
    zone 3 192.0.2.3 >"$tmp/zones/ours.example.zone"
    kill -HUP "$server"
    until_it_is 192.0.2.3 127.0.0.1 "$((ours + 2))" www.ours.example
    equal "tls: news" "$got" 192.0.2.3
    contains "tls: by difference" "$(cat "$tmp/log4")" "changes since 2: 8 records"
    secure "127.0.0.1:$((ours + 1))#"
    kill -HUP "$second"
    zone 4 192.0.2.4 >"$tmp/zones/ours.example.zone"
    kill -HUP "$server"
    until_it_is 192.0.2.4 127.0.0.1 "$((ours + 2))" www.ours.example
    equal "tls: from anybody" "$got" 192.0.2.4
    kill "$server" "$second"
    wait "$second"
    equal "tls: it ends when told to" $? 0
    wait "$server"
else
    skip "tls" "openssl is not installed"
fi
equal "no file is left beside" "$(ls "$tmp/kept" | grep -c '\.')" 0
finish
