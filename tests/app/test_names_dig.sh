#!/bin/sh
# SPDX-License-Identifier: ISC
# The name service as dig(1) sees it: a site on the host's loopback, asked from outside. TAP.
set -u
cd "$(dirname "$0")/../.."
program=${WHOLENET:-build/release/wholenet}

skip() {
    echo "ok 1 - the name service answers dig # SKIP $1"
    echo "1..1"
    exit 0
}
command -v dig > /dev/null || skip "dig is not installed"
[ -x "$program" ] || skip "$program is not built"
"$program" help serve > /dev/null 2>&1 || skip "this build has no serve"

folder=$(mktemp -d)
port=$((20000 + $$ % 12000))
upstream_port=$((port + 1))
trap 'kill $server $upstream 2> /dev/null; rm -rf "$folder"' EXIT
server=
upstream=

# The forwarder of the site is another site, for which the world is closed.
cat > "$folder/upstream.conf" << END
domain = "up.example"
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$upstream_port"
    closed = on
    record = {"www A 192.0.2.80", "many A 192.0.2.1"$(i=2; while [ $i -le 100 ]; do
        printf ', "many A 192.0.2.%d"' $i; i=$((i + 1)); done)}
}
END
cat > "$folder/site.conf" << END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    forward = {"127.0.0.1:$upstream_port"}
    record = {"gateway A 10.0.2.1", "www CNAME gateway", "@ MX 10 mail", "mail A 10.0.2.3",
              "_s._tcp SRV 1 2 3 mail", "*.w A 10.0.2.9", "out CNAME www.up.example.",
              "@ TXT \"two words\"", "@ CAA 0 issue \"ca.example\""}
}
END
"$program" serve "$folder/upstream.conf" > "$folder/upstream.log" 2>&1 & upstream=$!
"$program" serve "$folder/site.conf" > "$folder/site.log" 2>&1 & server=$!

ask() { dig @127.0.0.1 -p "$port" +time=2 +tries=1 "$@"; }

tries=0
until ask +short localhost > /dev/null 2>&1; do
    tries=$((tries + 1))
    if [ $tries -gt 50 ] || ! kill -0 $server 2> /dev/null; then
        sed 's/^/# /' "$folder/site.log" "$folder/upstream.log"
        echo "not ok 1 - the service starts"
        echo "1..1"
        exit 1
    fi
    sleep 0.1
done

number=0
failed=0
# check NAME PATTERN DIG-ARGUMENTS…: one line of dig's answer matches the pattern.
check() {
    name=$1
    pattern=$2
    shift 2
    number=$((number + 1))
    output=$(ask "$@" 2>&1)
    if printf '%s\n' "$output" | tr '\t' ' ' | grep -Eq "$pattern"; then
        echo "ok $number - $name"
    else
        printf '%s\n' "$output" | sed 's/^/# /'
        echo "not ok $number - $name"
        failed=1
    fi
}

check "an address" '^10\.0\.2\.1$' +short gateway.home.arpa
check "an alias and what it leads to" 'gateway\.home\.arpa\. +60 +IN +A +10\.0\.2\.1' www.home.arpa
check "mail exchangers with their addresses" 'mail\.home\.arpa\. +60 +IN +A +10\.0\.2\.3' MX home.arpa
check "services" '^1 2 3 mail\.home\.arpa\.$' +short SRV _s._tcp.home.arpa
check "text" '^"two words"$' +short TXT home.arpa
check "certification authorities" '^0 issue "ca\.example"$' +short CAA home.arpa
check "a wildcard" '^10\.0\.2\.9$' +short x.y.w.home.arpa
check "the answer is authoritative" 'flags: qr aa rd ra;' gateway.home.arpa
check "EDNS" 'EDNS: version: 0, flags: do;' +dnssec gateway.home.arpa
check "a version of EDNS to come" 'status: BADVERS' +edns=1 +noednsneg gateway.home.arpa
check "no such name" 'status: NXDOMAIN' nobody.home.arpa
check "no such name, with the SOA" '^home\.arpa\. +60 +IN +SOA' nobody.home.arpa
check "no such type" 'status: NOERROR' AAAA gateway.home.arpa
check "case is given back" '^;GaTeWay\.home\.arpa\.' GaTeWay.home.arpa
check "localhost" '^127\.0\.0\.1$' +short a.localhost
check "reverse names of private addresses stay here" 'status: NXDOMAIN' -x 192.168.7.7
check "another opcode" 'status: NOTIMP' +opcode=status gateway.home.arpa
check "no zone transfers" 'Transfer failed|REFUSED' AXFR home.arpa
check "another class" 'status: REFUSED' CH TXT version.bind
check "over TCP" '^10\.0\.2\.1$' +tcp +short gateway.home.arpa
check "two questions over one connection" '^10\.0\.2\.3$' +tcp +keepopen +short gateway.home.arpa \
    mail.home.arpa
check "forwarded" '^192\.0\.2\.80$' +short www.up.example
check "forwarded, over TCP" '^192\.0\.2\.80$' +tcp +short www.up.example
check "an alias that leads outside" '^192\.0\.2\.80$' +short out.home.arpa
check "what does not exist outside either" 'status: NXDOMAIN' nobody.example
check "a long answer is truncated for UDP" 'flags: qr tc rd ra;' +notcp +ignore +noedns many.up.example
check "and is whole over TCP" 'ANSWER: 100,' many.up.example
check "without recursion nobody is asked" 'status: REFUSED' +norecurse www.up.example
echo "1..$number"
exit $failed
