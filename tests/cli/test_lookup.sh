#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet lookup: the layout of dig(1), JSON, exit status, resolv.conf, transfers, +trace.
. tests/lib.sh
. tests/support/dns_tree.sh

port=$((20000 + $$ % 12000))
cat >"$tmp/site.conf" <<END
domain = "home.arpa"
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    closed = on
    record = {"www CNAME gw", "gw A 10.0.2.1", "@ MX 10 mail", "mail A 10.0.2.3",
              "@ TXT \"two words\"", "deep.er A 10.0.2.9"$(i=1; while [ $i -le 100 ]; do
        printf ', "many A 192.0.2.%d"' $i; i=$((i + 1)); done)}
}
END
"$wholenet" serve "$tmp/site.conf" 2>"$tmp/log" &
children="$children $!"

ask() { capture "$wholenet" lookup @127.0.0.1 -p $port +timeout=2 +tries=1 "$@"; }
plain() { printf '%s\n' "$out" | tr '\t' ' ' | tr -s ' '; }

tries=0
until ask +short localhost; [ "$status" = 0 ] || [ $tries -gt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
done

ask www.home.arpa
equal "an answer: status 0" "$status" 0
contains "the header" "$out" ";; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: "
contains "the flags" "$out" ";; flags: qr aa rd ra; QUERY: 1, ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 1"
contains "the question" "$(plain)" ";www.home.arpa. IN A"
contains "the alias" "$(plain)" "www.home.arpa. 60 IN CNAME gw.home.arpa."
contains "what it leads to" "$(plain)" "gw.home.arpa. 60 IN A 10.0.2.1"
contains "who answered" "$out" ";; SERVER: 127.0.0.1#$port(127.0.0.1) (UDP)"
ask bücher.home.arpa
contains "a name that is not ASCII" "$(plain)" ";xn--bcher-kva.home.arpa. IN A"
ask +noidn bücher.home.arpa
contains "… and its octets" "$(plain)" ";b\\195\\188cher.home.arpa. IN A"
ask "$(printf 'a\377.home.arpa')"
equal "… one that is none: status 2" "$status" 2
if command -v dig >/dev/null; then
    theirs=$(dig @127.0.0.1 -p $port +noall +answer www.home.arpa home.arpa mx | tr -s '\t' ' ')
    ask +noall +answer www.home.arpa home.arpa mx
    equal "the records are those that dig shows" "$(plain | grep .)" \
        "$(printf '%s\n' "$theirs" | grep .)"
else
    skip "the records are those that dig shows" "dig is not installed"
fi

ask +short mx home.arpa
equal "+short" "$out" "10 mail.home.arpa."
ask +short home.arpa txt gw.home.arpa
equal "several questions" "$out" "\"two words\"
10.0.2.1"
ask +short -x 10.0.2.1
equal "nothing by reverse: status 1" "$status" 1
ask nobody.home.arpa
equal "no such name: status 1" "$status" 1
contains "… which is said" "$out" "status: NXDOMAIN"
ask home.arpa AXFR
equal "a transfer that is refused: status 3" "$status" 3
ask +short CH TXT version.bind
equal "another class, refused: status 3" "$status" 3
ask +tcp gw.home.arpa
contains "+tcp" "$out" "(TCP)"
ask +noedns +ignore many.home.arpa
contains "a truncated reply" "$out" "flags: qr aa tc"
ask +noedns many.home.arpa
contains "… is asked for again over TCP" "$out" "ANSWER: 100"
ask +dnssec +cd +ad +norecurse gw.home.arpa
contains "flags" "$out" "flags: qr aa ra"
contains "DO" "$out" "; EDNS: version: 0, flags: do; udp: "

ask --json gw.home.arpa
if command -v python3 >/dev/null; then
    equal "JSON" "$(printf '%s' "$out" | python3 -c '
import json, sys
m = json.load(sys.stdin)
r = m["answerRRs"][0]
print(m["QNAME"], m["RCODE"], m["AA"], r["NAME"], r["TYPEname"], r["TTL"], r["rdataA"], m["transport"])')" \
        "gw.home.arpa. 0 1 gw.home.arpa. A 60 10.0.2.1 udp"
fi

capture "$wholenet" lookup @127.0.0.1 -p 1 +timeout=1 +tries=1 gw.home.arpa
equal "nobody there: status 4" "$status" 4
contains "… which is said" "$out" "communications error to 127.0.0.1#1: "

# ---- resolv.conf ----
cat >"$tmp/resolv.conf" <<END
nameserver 127.0.0.1
search nowhere.test er.home.arpa home.arpa
options ndots:1 timeout:2 attempts:1
END
stub() { capture "$wholenet" lookup --resolv-conf "$tmp/resolv.conf" -p $port "$@"; }
stub +short gw.home.arpa
equal "the servers of resolv.conf" "$out" "10.0.2.1"
stub +short deep
equal "a name is what it says" "$status" 1
stub +search +short deep
equal "+search tries the suffixes" "$out" "10.0.2.9"
stub +search +short gw
equal "… one after the other" "$out" "10.0.2.1"
stub +ndots=2 +short mail.home
equal "+ndots, and nothing found" "$status" 1

# ---- complaints ----
complaint() { # NAME PART ARGUMENTS…
    name=$1 part=$2
    shift 2
    capture "$wholenet" lookup "$@"
    equal "$name: status 2" "$status" 2
    contains "$name: said" "$err" "$part"
}
complaint "an unknown word" "there is no option +frobnicate" +frobnicate a.test
complaint "a number that is none" "+bufsize=x" +bufsize=x a.test
complaint "a word without its value" "expected +tries" +tries a.test
complaint "a word that has no contrary" "expected +tries" +notries a.test
complaint "an address that is none" "expected an IPv4 or IPv6 address" -x nonsense
complaint "both versions" "expected one of" -4 -6 a.test
capture "$wholenet" lookup "a..b"
equal "a name that is none: status 2" "$status" 2

# ---- a tree ----
if command -v nsd >/dev/null; then
    dns_tree_start $port
    capture "$wholenet" lookup @127.0.0.13 -p $port +norecurse AXFR example.tree
    equal "a transfer: status 0" "$status" 0
    contains "… with its end" "$out" ";; XFR size: 133 records"
    capture "$wholenet" lookup @127.0.0.13 -p $port +short SOA example.tree
    capture "$wholenet" lookup -p $port --roots "$tmp/roots.zone" +trace www.example.tree
    equal "+trace: status 0" "$status" 0
    equal "+trace asks from the root down" \
        "$(printf '%s\n' "$out" | sed -n 's/^;; Received .* from \([^#]*\)#.*/\1/p' | tr '\n' ' ')" \
        "127.0.0.11 127.0.0.12 127.0.0.13 "
    contains "+trace: the end" "$(plain)" "www.example.tree. 300 IN A 192.0.2.1"
    capture "$wholenet" lookup @127.0.0.11 -p $port +trace www.other.tree
    contains "+trace, with what a server says of the root" "$(plain)" \
        "www.other.tree. 300 IN A 192.0.2.80"
    capture "$wholenet" lookup -p $port --roots "$tmp/roots.zone" +trace a.glueless.tree
    contains "+trace finds servers without glue" "$out" "127.0.0.13#$port"
    capture "$wholenet" lookup -p $port --roots "$tmp/roots.zone" +trace nobody.example.tree
    equal "+trace: no such name" "$status" 1
else
    skip "a tree" "nsd is not installed"
fi
finish
