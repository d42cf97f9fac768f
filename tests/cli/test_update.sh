#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet update: one change from the command line, scripts in the language of nsupdate(1), keys, the zone's
# primary by its SOA, statuses; against our server and, where it is installed, BIND. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh

port=$((20000 + ($$ + 4000) % 12000))
bind_port=$((port + 1))
secret=c2VjcmV0IG9mIDMyIG9jdGV0cyBmb3IgdGhlIHRlc3Q=
printf '$TTL 300\n@ SOA ns h 10 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.10\n' >"$tmp/dyn.zone"
cp "$tmp/dyn.zone" "$tmp/bind.zone"
printf 'key "admin" {\n\talgorithm hmac-sha256;\n\tsecret "%s";\n};\n' "$secret" >"$tmp/key"
printf 'nameserver 127.0.0.1\noptions timeout:1 attempts:2\n' >"$tmp/resolv.conf"
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
control = "client-update-$$"
names {
    listen = "127.0.0.1:$port"
    zone = {"dyn.example $tmp/dyn.zone"}
    journal = "journal.db"
    update = {"key admin", "127.0.0.1 below open.dyn.example"}
    key "admin" { secret = "$secret" }
}
END
ask() { "$wholenet" lookup "@127.0.0.1" -p "$at" +short +timeout=1 +tries=2 "$@"; }
update() { "$wholenet" update --resolv-conf "$tmp/resolv.conf" -p "$at" "$@"; }
await() {
    for _ in $(seq 100); do
        [ "$(ask ns.dyn.example 2>/dev/null)" = 127.0.0.1 ] && return
        sleep 0.1
    done
}
# What a user sees who has only the command, or only a script; the same against every server.
changes() { # changes WHO RECORDS: as many as it takes in a message
    equal "$1: a record is added" "$(update -k "$tmp/key" @127.0.0.1 dyn.example add new 60 A 192.0.2.20 2>&1; echo $?)" 0
    equal "$1: it is there" "$(ask new.dyn.example)" 192.0.2.20
    equal "$1: names may be whole" "$(update -k "$tmp/key" @127.0.0.1 dyn.example add whole.dyn.example 60 A 192.0.2.21 2>&1; echo $?)" 0
    equal "$1: and so may those behind them" "$(update -k "$tmp/key" @127.0.0.1 dyn.example add alias 60 CNAME www 2>&1; echo $?)" 0
    equal "$1: all are there" "$(ask whole.dyn.example) $(ask alias.dyn.example CNAME)" "192.0.2.21 www.dyn.example."
    equal "$1: text with blanks" "$(update -k "$tmp/key" @127.0.0.1 dyn.example add spf 60 TXT "v=spf1 a;b -all" 2>&1; echo $?)" 0
    equal "$1: is one string" "$(ask spf.dyn.example TXT)" '"v=spf1 a;b -all"'
    equal "$1: replaced" "$(update -k "$tmp/key" --ttl 77 @127.0.0.1 dyn.example replace new A 192.0.2.22 2>&1; echo $?)" 0
    equal "$1: is what is there now" "$(ask new.dyn.example)" 192.0.2.22
    equal "$1: one record of two" "$(update -k "$tmp/key" @127.0.0.1 dyn.example add new 77 A 192.0.2.23 &&
        update -k "$tmp/key" @127.0.0.1 dyn.example delete new A 192.0.2.22; echo $?)" 0
    equal "$1: goes" "$(ask new.dyn.example)" 192.0.2.23
    equal "$1: a name goes" "$(update -k "$tmp/key" @127.0.0.1 dyn.example delete new; echo $?)$(ask new.dyn.example)" 0

    # The primary is found by the SOA, and the zone by the name.
    equal "$1: without a server" "$(update -k "$tmp/key" dyn.example add auto 60 A 192.0.2.30 2>&1; echo $?)" 0
    equal "$1: it was the primary" "$(ask auto.dyn.example)" 192.0.2.30
    equal "$1: a script, without a zone" "$(printf 'update add a.b.dyn.example 60 TXT x\nsend\n' |
        update -k "$tmp/key" 2>&1; echo $?)" 0
    equal "$1: which is found" "$(ask a.b.dyn.example TXT)" '"x"'

    # Scripts.
    capture update <<END
server 127.0.0.1 $at ; where
key hmac-sha256:admin $secret
zone dyn.example
prereq nxdomain s1.dyn.example
prereq yxrrset www.dyn.example A 192.0.2.10
update add s1.dyn.example. 60 IN A 192.0.2.31
ttl 90
add s2.dyn.example A 192.0.2.32
del www.dyn.example. AAAA

prereq yxdomain s1.dyn.example
prereq nxrrset s1.dyn.example AAAA
update delete s1.dyn.example A
send
answer
quit
update add never.dyn.example 60 A 192.0.2.33
send
END
    equal "$1: a script" "$status$err" 0
    contains "$1: shows what came back" "$out" "opcode: UPDATE, status: NOERROR"
    equal "$1: has done it" "$(ask s1.dyn.example)$(ask s2.dyn.example)$(ask never.dyn.example)" 192.0.2.32
    capture update -k "$tmp/key" @127.0.0.1 <<END
zone dyn.example
prereq nxdomain s2.dyn.example
update add s2.dyn.example 60 A 192.0.2.34
send
zone dyn.example
update add s3.dyn.example 60 A 192.0.2.35
END
    equal "$1: a prerequisite that does not hold" "$status" 1
    contains "$1: is named" "$err" "YXDOMAIN, a prerequisite does not hold"
    equal "$1: what was not sent was not done" "$(ask s3.dyn.example)$(ask s2.dyn.example)" 192.0.2.32
    for rule in "nxrrset www.dyn.example A:NXRRSET\|YXRRSET" "yxrrset no.dyn.example A:NXRRSET" "yxdomain no.dyn.example:NXDOMAIN"; do
        capture update -k "$tmp/key" @127.0.0.1 <<END
prereq ${rule%%:*}
update delete www.dyn.example
send
END
        equal "$1: prereq ${rule%%:*}" "$status$(echo "$err" | grep -c "${rule#*:}")" 11
    done

    # Refused.
    capture update @127.0.0.1 dyn.example add x 60 A 192.0.2.40
    equal "$1: without a key" "$status" 3
    contains "$1: it is refused" "$err" REFUSED
    capture update -y admin:d3Jvbmc= @127.0.0.1 dyn.example add x 60 A 192.0.2.40
    equal "$1: with a wrong one" "$status" 3
    contains "$1: as well" "$err" BADSIG
    capture update -k "$tmp/key" @127.0.0.1 nowhere.example add x 60 A 192.0.2.40
    equal "$1: a zone that it has not" "$status" 3

    # Large ones go over TCP.
    { echo zone dyn.example
      for i in $(seq "$2"); do echo "update add many-$i.dyn.example 60 A 192.0.2.$((i % 250))"; done
      echo send; } >"$tmp/many"
    equal "$1: $2 records at once" "$(update -k "$tmp/key" @127.0.0.1 <"$tmp/many" 2>&1; echo $?)" 0
    equal "$1: are there" "$(ask "many-$2.dyn.example")" 192.0.2.50
    capture update --tcp --json -k "$tmp/key" @127.0.0.1 dyn.example delete many-1
    equal "$1: a reply as JSON" "$(printf "%s" "$out" | python3 -c 'import json, sys
m = json.load(sys.stdin); print(m["Opcode"], m["RCODEname"], m["QNAME"], m["QTYPEname"])')" "5 NOERROR dyn.example. SOA"
}

at=$port
"$wholenet" serve "$tmp/site.conf" >"$tmp/log" 2>&1 &
children="$children $!"
await
changes "ours" 1550
equal "what needs no key" "$(update @127.0.0.1 dyn.example add a.open 60 A 192.0.2.50 2>&1; echo $?)" 0

# Without a server to ask.
capture update -n @127.0.0.1 dyn.example replace www 60 A 192.0.2.60
equal "a dry run" "$status$out" "0;; Outgoing update:
;; ZONE SECTION:
;dyn.example.	IN	SOA

;; UPDATE SECTION:
www.dyn.example.	0	ANY	A
www.dyn.example.	60	IN	A	192.0.2.60"
equal "changes nothing" "$(ask www.dyn.example)" 192.0.2.10
wrong() { # wrong NAME TEXT SCRIPT
    capture update @127.0.0.1 <<END
$3
END
    equal "$1" "$status" 2
    contains "$1: says what was expected" "$err" "$2"
}
wrong "an unknown word" 'line 2: "frobnicate": expected add' "
frobnicate x"
wrong "no TTL" "line 1: expected a TTL" "update add x.dyn.example A 192.0.2.1"
wrong "no address" "not an IPv4 address" "update add x.dyn.example 60 A 192.0.2.256"
wrong "no type" 'not a type: "NOSUCH"' "update delete x.dyn.example NOSUCH"
wrong "a type of questions" "not in zones" "update add x.dyn.example 60 ANY \\# 0"
wrong "a port" 'not a port: "99999"' "server 127.0.0.1 99999"
wrong "a key" "expected [ALGORITHM:]NAME SECRET" "key admin"
wrong "too much" '"y": nothing is expected here' "prereq nxdomain x y"
capture update dyn.example
equal "a zone alone" "$status" 2
at=$((port + 7))
capture update --timeout 300ms --tries 1 @127.0.0.1 dyn.example add x 60 A 192.0.2.1
equal "nobody there" "$status" 4

if command -v named >/dev/null; then
    mkdir "$tmp/named"
    cat >"$tmp/named/conf" <<END
options {
    directory "$tmp/named"; pid-file none; session-keyfile none; recursion no; dnssec-validation no;
    listen-on port $bind_port { 127.0.0.1; }; listen-on-v6 { none; };
};
controls { };
include "$tmp/key";
zone "dyn.example" { type primary; file "$tmp/bind.zone"; update-policy { grant admin zonesub ANY; }; };
END
    chmod -R a+rwX "$tmp"
    named -g -c "$tmp/named/conf" >"$tmp/named/log" 2>&1 &
    children="$children $!"
    at=$bind_port
    await
    changes "BIND" 1550
else
    skip "BIND" "named is not installed"
fi
finish
