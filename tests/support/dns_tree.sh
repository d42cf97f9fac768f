# SPDX-License-Identifier: ISC
# dns_tree.sh - a small tree of zones on the host's loopback, each zone served by an NSD of its own,
# for scripts that test what asks from the root down. After `. tests/lib.sh`:
#
#   dns_tree_start PORT        root 127.0.0.11, tree. 127.0.0.12, example.tree. 127.0.0.13,
#                              other.tree. 127.0.0.14; $tmp/roots.zone has the hints
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
tree. 172800 NS ns.tree.
ns.tree. 172800 A 127.0.0.12
END
    cat >"$tmp/tree/tree.zone" <<'END'
tree. 3600 SOA ns.tree. admin.tree. 1 1800 900 604800 60
tree. 172800 NS ns.tree.
ns.tree. 172800 A 127.0.0.12
example.tree. 3600 NS ns.example.tree.
ns.example.tree. 3600 A 127.0.0.13
other.tree. 3600 NS ns.other.tree.
ns.other.tree. 3600 A 127.0.0.14
glueless.tree. 3600 NS ns.example.tree.
END
    cat >"$tmp/tree/example.tree.zone" <<'END'
example.tree. 3600 SOA ns.example.tree. admin.example.tree. 7 1800 900 604800 30
example.tree. 3600 NS ns.example.tree.
ns.example.tree. 3600 A 127.0.0.13
www.example.tree. 300 A 192.0.2.1
www.example.tree. 300 AAAA 2001:db8::1
alias.example.tree. 300 CNAME www.other.tree.
loop.example.tree. 300 CNAME pool.example.tree.
pool.example.tree. 300 CNAME loop.example.tree.
short.example.tree. 1 A 192.0.2.2
old.example.tree. 300 DNAME www.example.tree.
*.wild.example.tree. 300 TXT "anything"
a.b.c.d.example.tree. 300 A 192.0.2.5
END
    i=1
    while [ $i -le 120 ]; do
        echo "many.example.tree. 300 A 198.51.100.$i"
        i=$((i + 1))
    done >>"$tmp/tree/example.tree.zone"
    cat >"$tmp/tree/other.tree.zone" <<'END'
other.tree. 3600 SOA ns.other.tree. admin.other.tree. 7 1800 900 604800 30
other.tree. 3600 NS ns.other.tree.
ns.other.tree. 3600 A 127.0.0.14
www.other.tree. 300 A 192.0.2.80
END
    printf '. 3600000 NS a.root.\na.root. 3600000 A 127.0.0.11\n' >"$tmp/roots.zone"
}

# What a script that wants signed zones does with $tmp/tree/*.zone before they are served.
dns_tree_sign() {
    :
}

dns_tree_start() {
    mkdir -p "$tmp/tree"
    dns_tree_zones
    dns_tree_sign
    dns_tree_server 127.0.0.11 . "$1" root.zone
    dns_tree_server 127.0.0.12 tree "$1" tree.zone
    dns_tree_server 127.0.0.13 example.tree "$1" example.tree.zone
    dns_tree_server 127.0.0.14 other.tree "$1" other.tree.zone
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
