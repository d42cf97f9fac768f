#!/bin/sh
# SPDX-License-Identifier: ISC
# The root's keys are rolled and revoked (RFC 5011) with BIND's tools, and a site follows: its clock is set by
# validation-date, and what it knows survives it in a file.
. tests/lib.sh
. tests/support/dns_tree.sh

for tool in nsd dig dnssec-signzone dnssec-keygen dnssec-dsfromkey dnssec-revoke; do
    command -v $tool >/dev/null || {
        skip "trust anchors that are rolled" "$tool is not installed"
        finish
        exit
    }
done
port=$((20000 + $$ % 12000))
tree=$((port + 1))
day=86400
now=$(date +%s)

key() { dnssec-keygen -q -K "$tmp/keys" -L 3600 -a ECDSAP256SHA256 "$@" .; }
# sign_root KSK…: these sign, with the same ZSK
sign_root() {
    cp "$tmp/root.plain" "$tmp/tree/root.zone"
    for name in "$@" "$zsk"; do cat "$tmp/keys/$name.key" >>"$tmp/tree/root.zone"; done
    set -- $(for name in "$@" "$zsk"; do echo "$tmp/keys/$name"; done)
    dnssec-signzone -q -P -K "$tmp/keys" -d "$tmp/keys" -o . -O full -s now-1d -e now+200d \
        -f "$tmp/root.signed" "$tmp/tree/root.zone" "$@" >/dev/null 2>"$tmp/sign.log" || cat "$tmp/sign.log"
    mv "$tmp/root.signed" "$tmp/tree/root.zone"
}
dns_tree_sign() {
    mkdir -p "$tmp/keys"
    cp "$tmp/tree/root.zone" "$tmp/root.plain"
    first=$(key -f KSK) second=$(key -f KSK) zsk=$(key)
    dnssec-dsfromkey -2 "$tmp/keys/$first.key" 2>/dev/null | sed 's/IN DS/3600 IN DS/' >"$tmp/anchors.zone"
    sign_root "$first" "$second"
}
restart_root() {
    kill "$tree_pid_127_0_0_11"
    wait "$tree_pid_127_0_0_11" 2>/dev/null
    dns_tree_server 127.0.0.11 . $tree root.zone
    until_is "NOERROR" dig @127.0.0.11 -p $tree +time=1 +tries=1 SOA .
}
until_is() { # TEXT COMMAND…: at most 20 s
    text=$1 tries=0
    shift
    until "$@" 2>/dev/null | grep -q "$text" || [ $tries -gt 100 ]; do
        tries=$((tries + 1))
        sleep 0.2
    done
}
serve() { # DAYS
    cat >"$tmp/site.conf" <<END
domain = "home.arpa"
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    resolve = recursive
    roots = "$tmp/roots.zone"
    anchors = "$tmp/anchors.zone"
    anchors-state = state
    servers-port = $tree
    outgoing = ipv4
    validation-date = $(date -u -d @$((now + $1 * day)) +%Y%m%d%H%M%S)
}
END
    "$wholenet" serve "$tmp/site.conf" 2>"$tmp/log" &
    pid=$!
    children="$children $pid"
    until_is 127.0.0.1 ask +short localhost
}
stop() {
    kill $pid
    wait $pid 2>/dev/null
}
ask() { dig @127.0.0.1 -p $port +time=5 +tries=1 "$@"; }
tag() { echo "$1" | sed 's/.*+0*//'; }
state() { grep -v '^#' "$tmp/state" | cut -d' ' -f2 | sort | paste -s -d' ' -; }

dns_tree_start $tree
serve 0
until_is "pending" cat "$tmp/state"
equal "one key is trusted, the other waits" "$(state)" "pending valid"
contains "the log says which" "$(cat "$tmp/log")" "trust anchor of .: key $(tag "$second") is pending"
contains "names are authentic" "$(ask +dnssec SOA .)" "flags: qr rd ra ad;"
stop

serve 29
sleep 4
equal "29 days later it still waits" "$(state)" "pending valid"
stop

serve 31
until_is "key $(tag "$second") is valid" cat "$tmp/log"
equal "31 days later both are trusted" "$(state)" "valid valid"
stop

dnssec-revoke -K "$tmp/keys" "$first" >/dev/null
revoked=$(cd "$tmp/keys" && grep -l 'DNSKEY.385 3' ./*.key | sed 's|./||; s/.key$//')
sign_root "$revoked" "$second"
restart_root
serve 40
until_is "revoked" cat "$tmp/state"
equal "the first key has revoked itself" "$(state)" "revoked valid"
contains "names are authentic by the second, which nobody has configured" "$(ask +dnssec SOA .)" \
    "flags: qr rd ra ad;"
reload $pid "$tmp/log"
contains "… on SIGHUP as well" "$(ask +dnssec SOA .)" "flags: qr rd ra ad;"
equal "… of which nothing is forgotten" "$(state)" "revoked valid"
stop

# Somebody else serves a root of his own.
rm "$tmp/keys/$revoked".*
third=$(key -f KSK)
sign_root "$third"
restart_root
serve 41
contains "what none of them has signed is bogus" "$(ask SOA .)" "status: SERVFAIL"
until_is "no keys of the trust anchor" cat "$tmp/log"
equal "… and changes nothing" "$(state)" "revoked valid"
stop

dnssec-revoke -K "$tmp/keys" "$second" >/dev/null
rm "$tmp/keys/$second".*
sign_root "$(cd "$tmp/keys" && grep -l 'DNSKEY.385 3' ./*.key | sed 's|./||; s/.key$//')" "$third"
restart_root
serve 42
until_is "revoked revoked" state
equal "the last key revokes itself, which nobody else need have signed" "$(state)" "revoked revoked"
contains "… and nothing is trusted any more" "$(ask SOA .)" "status: SERVFAIL"
stop

echo ". valid 1 2 nonsense" >>"$tmp/state"
capture timeout 5 "$wholenet" serve "$tmp/site.conf"
contains "a file that is none" "$err" "anchors-state: $tmp/state: line 5: expected flags"
sed '/anchors =/d' "$tmp/site.conf" >"$tmp/none.conf"
contains "anchors-state without anchors" "$("$wholenet" check "$tmp/none.conf" 2>&1)" "it needs anchors"
finish
