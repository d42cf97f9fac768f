# SPDX-License-Identifier: ISC
# dns_tree.sh - a small tree of zones on the host's loopback, each zone served by an NSD of its own,
# for scripts that test what asks from the root down. After `. tests/lib.sh`:
#
#   dns_tree_start PORT        root 127.0.0.11, test. 127.0.0.12, example.test. 127.0.0.13,
#                              other.test. 127.0.0.14; $tmp/roots.zone has the hints
#   dns_tree_stop ADDRESS      one of them dies

dns_tree_server() { # ADDRESS ZONE PORT
    mkdir -p "$tmp/tree/$1"
    cat >"$tmp/tree/$1/nsd.conf" <<END
server:
    ip-address: $1
    port: $3
    username: ""
    chroot: ""
    zonesdir: "$tmp/tree"
    database: ""
    pidfile: "$tmp/tree/$1/pid"
    xfrdfile: "$tmp/tree/$1/xfrd.state"
    zonelistfile: "$tmp/tree/$1/zone.list"
    xfrdir: "$tmp/tree/$1"
    hide-version: yes
    server-count: 1
    rrl-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: "$2"
    zonefile: "$4"
    provide-xfr: 127.0.0.1 NOKEY
END
    nsd -d -c "$tmp/tree/$1/nsd.conf" >"$tmp/tree/$1/log" 2>&1 &
    children="$children $!"
    eval "tree_pid_$(echo "$1" | tr . _)=$!"
}

dns_tree_zones() {
    cat >"$tmp/tree/root.zone" <<'END'
. 518400 SOA a.root. admin. 1 1800 900 604800 60
. 518400 NS a.root.
a.root. 518400 A 127.0.0.11
test. 172800 NS ns.test.
ns.test. 172800 A 127.0.0.12
END
    cat >"$tmp/tree/test.zone" <<'END'
test. 3600 SOA ns.test. admin.test. 1 1800 900 604800 60
test. 172800 NS ns.test.
ns.test. 172800 A 127.0.0.12
example.test. 3600 NS ns.example.test.
ns.example.test. 3600 A 127.0.0.13
other.test. 3600 NS ns.other.test.
ns.other.test. 3600 A 127.0.0.14
glueless.test. 3600 NS ns.example.test.
END
    cat >"$tmp/tree/example.test.zone" <<'END'
example.test. 3600 SOA ns.example.test. admin.example.test. 7 1800 900 604800 30
example.test. 3600 NS ns.example.test.
ns.example.test. 3600 A 127.0.0.13
www.example.test. 300 A 192.0.2.1
www.example.test. 300 AAAA 2001:db8::1
alias.example.test. 300 CNAME www.other.test.
loop.example.test. 300 CNAME pool.example.test.
pool.example.test. 300 CNAME loop.example.test.
short.example.test. 1 A 192.0.2.2
old.example.test. 300 DNAME www.example.test.
*.wild.example.test. 300 TXT "anything"
a.b.c.d.example.test. 300 A 192.0.2.5
END
    i=1
    while [ $i -le 120 ]; do
        echo "many.example.test. 300 A 198.51.100.$i"
        i=$((i + 1))
    done >>"$tmp/tree/example.test.zone"
    cat >"$tmp/tree/other.test.zone" <<'END'
other.test. 3600 SOA ns.other.test. admin.other.test. 7 1800 900 604800 30
other.test. 3600 NS ns.other.test.
ns.other.test. 3600 A 127.0.0.14
www.other.test. 300 A 192.0.2.80
END
    printf '. 3600000 NS a.root.\na.root. 3600000 A 127.0.0.11\n' >"$tmp/roots.zone"
}

dns_tree_start() {
    mkdir -p "$tmp/tree"
    dns_tree_zones
    dns_tree_server 127.0.0.11 . "$1" root.zone
    dns_tree_server 127.0.0.12 test "$1" test.zone
    dns_tree_server 127.0.0.13 example.test "$1" example.test.zone
    dns_tree_server 127.0.0.14 other.test "$1" other.test.zone
    for address in 127.0.0.11 127.0.0.12 127.0.0.13 127.0.0.14; do
        tries=0
        until "$wholenet" lookup "@$address" -p "$1" +norecurse +short +timeout=1 +tries=1 . SOA \
            >/dev/null 2>&1 || [ $? -ne 4 ] || [ $tries -gt 40 ]; do
            tries=$((tries + 1))
            sleep 0.1
        done
    done
}

dns_tree_stop() {
    eval "kill \$tree_pid_$(echo "$1" | tr . _)"
}
