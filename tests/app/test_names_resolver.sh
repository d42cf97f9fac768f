#!/bin/sh
# SPDX-License-Identifier: ISC
# Recursion as dig(1) sees it: a site that resolves names by asking a tree of servers (NSD) on the
# host's loopback, from the root down.
. tests/lib.sh
. tests/support/dns_tree.sh

for tool in nsd dig; do
    command -v $tool >/dev/null || {
        skip "recursion" "$tool is not installed"
        finish
        exit
    }
done
port=$((20000 + $$ % 12000))
tree=$((port + 1))
dns_tree_start $tree
cat >"$tmp/site.conf" <<END
domain = "home.arpa"
control = "resolver$port"
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    resolve = recursive
    roots = "$tmp/roots.zone"
    servers-port = $tree
    outgoing = ipv4
    stale = 1h
    recursion-for = {"127.0.0.1"}
    record = {"out CNAME www.example.tree."}
    policy = {"block.list $tmp/block.zone"}
    hosts = "$tmp/hosts"
}
END
printf '192.0.2.77 printer.lan printer\n' >"$tmp/hosts"
cat >"$tmp/block.zone" <<END
@ 60 SOA . . 1 2 3 4 5
ads.example.tree CNAME .
*.ads.example.tree CNAME .
32.5.2.0.192.rpz-ip CNAME rpz-drop.
END
"$wholenet" serve "$tmp/site.conf" 2>"$tmp/log" &
server=$!
children="$children $server"
ask() { dig @127.0.0.1 -p $port +time=5 +tries=1 "$@" | tr -s '\t' ' '; }
tries=0
until [ "$(ask +short localhost)" = 127.0.0.1 ] || [ $tries -gt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
done

equal "a name" "$(ask +short www.example.tree)" 192.0.2.1
contains "with RA, without AA" "$(ask www.example.tree)" "flags: qr rd ra;"
equal "another type" "$(ask +short AAAA www.example.tree)" 2001:db8::1
equal "an alias over zones" "$(ask +short alias.example.tree)" "www.other.tree.
192.0.2.80"
equal "an alias of the site that leads outside" "$(ask +short out.home.arpa)" "www.example.tree.
192.0.2.1"
contains "no such name" "$(ask nobody.example.tree)" "status: NXDOMAIN"
contains "… with the SOA" "$(ask nobody.example.tree)" "example.tree. "
contains "nothing of that type" "$(ask MX www.example.tree)" "status: NOERROR"
equal "a wildcard" "$(ask +short TXT x.y.wild.example.tree)" '"anything"'
contains "a name on a list" "$(ask x.ads.example.tree)" "status: NXDOMAIN"
contains "… as the reply says" "$(ask x.ads.example.tree)" "EDE: 15 (Blocked)"
equal "a name of the hosts file" "$(ask +short printer.lan)" 192.0.2.77
equal "… and the way back" "$(ask +short -x 192.0.2.77)" ""
contains "an address on a list" "$(ask +time=1 a.b.c.d.example.tree)" "no servers could be reached"
echo 'elsewhere CNAME .' >>"$tmp/block.zone"
sed -i '/rpz-ip/d' "$tmp/block.zone"
kill -HUP $server
tries=0
until [ "$(ask +time=1 +short a.b.c.d.example.tree)" = 192.0.2.5 ] || [ $tries -gt 20 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
contains "a list that was read again" "$(ask elsewhere)" "status: NXDOMAIN"
echo 'x.rpz-ip CNAME .' >>"$tmp/block.zone"
kill -HUP $server
wait_for grep -q "that is no rule" "$tmp/log"
contains "one that is wrong is not" "$(cat "$tmp/log")" "block.zone: line 5: that is no rule"
contains "… and the one before it stays" "$(ask x.ads.example.tree)" "status: NXDOMAIN"
equal "below empty names" "$(ask +short a.b.c.d.example.tree)" 192.0.2.5
contains "aliases in a ring" "$(ask loop.example.tree)" "status: SERVFAIL"
equal "a long answer, by TCP on both sides" "$(ask +short many.example.tree | wc -l | tr -d ' ')" 120
equal "over TCP" "$(ask +tcp +short www.example.tree)" 192.0.2.1
contains "a zone without glue, whose server refuses" "$(ask www.glueless.tree)" "status: SERVFAIL"
contains "no recursion wanted" "$(ask +norecurse www.other.tree)" "status: REFUSED"
contains "who may not" "$(dig -b 127.0.0.2 @127.0.0.1 -p $port +time=2 +tries=1 www.other.tree)" \
    "status: REFUSED"
contains "special names stay here" "$(ask www.test)" "status: NXDOMAIN"
contains "private addresses, too" "$(ask -x 192.168.1.1)" "status: NXDOMAIN"
contains "the root itself" "$(ask NS .)" "a.root."

status_count() { "$wholenet" status --json "resolver$port" | sed -n "s/.*\"$1\": *\([0-9]*\).*/\1/p"; }
before=$(status_count asked_outside)
equal "again" "$(ask +short www.example.tree)" 192.0.2.1
equal "… out of the cache" "$(status_count asked_outside)" "$before"

equal "something short-lived" "$(ask +short short.example.tree)" 192.0.2.2
dns_tree_stop 127.0.0.13
sleep 1.2
stale=$(ask short.example.tree)
contains "… with its server dead is stale" "$stale" "short.example.tree. 30 IN A 192.0.2.2"
contains "… as the reply says" "$stale" "EDE: 3 (Stale Answer)"
equal "what is remembered is still there" "$(ask +short AAAA www.example.tree)" 2001:db8::1

# ---- what it remembers ----
cache() { "$wholenet" cache -s resolver$port "$@"; }
contains "statistics" "$(cache stats)" "answered_from_cache"
contains "… of servers" "$(cache stats)" "server 127.0.0.12:$tree"
contains "… as JSON" "$(cache --json stats)" '"latency":[{"count":'
contains "what is remembered" "$(cache dump)" "2001:db8::1"
contains "… as JSON" "$(cache --json dump)" '"kind":"data"'
contains "a name is forgotten" "$(cache flush www.example.tree)" " flushed"
equal "… for good" "$(cache dump | grep -c '^www.example.tree')" 0
cache --below flush . >/dev/null
equal "all is forgotten" "$(cache dump)" ""
contains "no name" "$(cache flush a..b 2>&1)" "that is not a name"

kill -TERM $server
wait $server
equal "ends cleanly" $? 0

# ---- complaints ----
wrong() { # NAME PART LINES
    printf 'link "host" { address = "127.0.0.1/8" }\nnames {\n%s\n}\n' "$3" >"$tmp/wrong.conf"
    contains "$1" "$("$wholenet" check "$tmp/wrong.conf" 2>&1)" "$2"
}
wrong "resolve says what" "expected recursive, forward or none" "resolve = sometimes"
wrong "forward without addresses" "expected forward or forward-for to say to whom" "resolve = forward"
wrong "addresses without forward" "need resolve = forward" 'resolve = recursive
forward = {"127.0.0.9"}'
wrong "forward-for without recursion" "it needs resolve = recursive or forward" 'resolve = none
forward-for = {"a 127.0.0.9"}'
wrong "forward-for without addresses" "a domain and whom to ask" 'forward-for = {"a"}'
wrong "a version that there is not" "both, ipv4 or ipv6" "outgoing = ipv5"
wrong "a cache too small" "at least 64k" "cache = 1k"
printf 'nonsense\n' >"$tmp/bad.zone"
sed "s|roots = .*|roots = \"$tmp/bad.zone\"|" "$tmp/site.conf" >"$tmp/roots.conf"
capture timeout 5 "$wholenet" serve "$tmp/roots.conf"
contains "a file of roots that is none" "$err" "roots: $tmp/bad.zone: line 1"
finish
