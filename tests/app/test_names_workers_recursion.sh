#!/bin/sh
# SPDX-License-Identifier: ISC
# Recursion by several threads: each asks for itself, and all have one cache: what one has found the others
# have, what is flushed is gone for all. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
. tests/support/dns_tree.sh
for tool in nsd dig dnsperf python3; do
    command -v $tool >/dev/null || { skip "recursion" "$tool is not installed"; finish; }
done

port=$((20000 + $$ % 12000))
tree=$((port + 1))
dns_tree_start $tree
cat >"$tmp/site.conf" <<END
workers = 3
link "host" { address = "127.0.0.1/8" }
control = "recursion-$$"
names {
    listen = "127.0.0.1:$port"
    resolve = recursive
    roots = "$tmp/roots.zone"
    servers-port = $tree
    outgoing = ipv4
    cache = 1m
    policy = {"block.list $tmp/block.zone"}
}
END
printf '@ 60 SOA . . 1 2 3 4 5\nads.example.tree CNAME .\n' >"$tmp/block.zone"
"$wholenet" serve "$tmp/site.conf" 2>"$tmp/log" &
server=$!
children="$children $server"
ask() { dig @127.0.0.1 -p "$port" +time=5 +tries=1 "$@"; }
all() { for _ in $(seq 16); do ask "$@"; done | sort -u; }
names() { "$wholenet" status --json "recursion-$$" | python3 -c "import json, sys; print(json.load(sys.stdin)['services']['names']['$1'])"; }
cache() { "$wholenet" cache -s "recursion-$$" "$@"; }
up() { [ "$(ask +short localhost)" = 127.0.0.1 ]; }
wait_for up

equal "a name" "$(ask +short www.example.tree)" 192.0.2.1
outside=$(names asked_outside)
equal "all have it" "$(all +short www.example.tree)" 192.0.2.1
equal "from the one cache" "$(names asked_outside)" "$outside"
equal "what one has found out about servers' zones, too" "$(all +short www.example.tree AAAA)" 2001:db8::1
contains "the cache is told once" "$(cache dump | grep -c '^www.example.tree.*[[:space:]]A[[:space:]]')" 1
contains "what is flushed" "$(cache flush www.example.tree)" flushed
outside=$(names asked_outside)
equal "is asked for again" "$(all +short www.example.tree)" 192.0.2.1
check "by one of them" test "$(names asked_outside)" -gt "$outside"
contains "a list counts for all" "$(all ads.example.tree | grep status: | sed 's/id: .*//' | sort | uniq -c)" "16 ;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN"
printf '@ 60 SOA . . 1 2 3 4 5\nwww.example.tree CNAME .\n' >"$tmp/block.zone"
reload "$server" "$tmp/log"
contains "and another one too" "$(all www.example.tree | grep status: | sed 's/id: .*//' | sort | uniq -c)" "16 ;; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN"

# More names than there is room for, by many clients at once.
seq -f 'n%g.wild.example.tree A' 1 6000 >"$tmp/queries"
dnsperf -s 127.0.0.1 -p "$port" -d "$tmp/queries" -c 24 -q 60 -n 3 >"$tmp/dnsperf" 2>&1
contains "a flood of names loses none" "$(cat "$tmp/dnsperf")" "Queries lost:         0 "
equal "and each is answered" "$(sed -n 's/.*Response codes: *//p' "$tmp/dnsperf" | grep -c SERVFAIL)" 0
check "the cache keeps within its bound" test "$(names cache_octets)" -le 1048576
kill -TERM "$server"
wait "$server"
equal "SIGTERM ends all of them" "$?" 0
finish
