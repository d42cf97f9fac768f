#!/bin/sh
# SPDX-License-Identifier: ISC
# Signed zones as a validator sees them: signed by the tools of BIND and of ldns, with NSEC, NSEC3 and
# NSEC3 with opt-out, served by us, asked by delv(1), which believes nothing. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
. tests/support/dns_plain_zone.sh
for tool in dnssec-keygen dnssec-signzone delv dig; do
    command -v $tool >/dev/null || { skip "signed zones" "$tool is not installed"; finish; }
done

port=$((20000 + $$ % 12000))
mkdir "$tmp/zones" "$tmp/keys"
: >"$tmp/anchors"
sign() { # sign ZONE OPTIONS…: by the tools of BIND
    zone=$1
    shift
    plain >"$tmp/keys/$zone"
    (cd "$tmp/keys" && dnssec-keygen -q -a ECDSAP256SHA256 -f KSK "$zone" >ksk &&
        dnssec-keygen -q -a ECDSAP256SHA256 "$zone" >zsk &&
        dnssec-signzone -q -S -o "$zone" "$@" -f "$tmp/zones/$zone.zone" "$zone" >"$tmp/sign.log" 2>&1) ||
        sed 's/^/# /' "$tmp/sign.log"
    anchor "$zone" "$tmp/keys/$(cat "$tmp/keys/ksk").key"
}
anchor() { # of delv: the key, as it stands in its file
    sed -n 's/^\([^ 	]*\)[ 	].*DNSKEY[ 	]*\(257\) \(3\) \([0-9]*\) \(.*\)$/\1 \2 \3 \4 \5/p' "$2" |
        while read -r name flags protocol algorithm key; do
            key=$(echo "$key" | sed 's/;.*//' | tr -d ' ')
            echo "trust-anchors { \"$name\" static-key $flags $protocol $algorithm \"$key\"; };"
        done >"$tmp/anchor.$1"
}
sign nsec.example
sign nsec3.example -3 -
sign salted.example -3 aabbccdd -H 5
sign optout.example -3 - -A
zones="nsec.example nsec3.example salted.example optout.example"
if command -v ldns-signzone >/dev/null && command -v ldns-keygen >/dev/null; then
    plain >"$tmp/keys/ldns.example"
    if (cd "$tmp/keys" && key=$(ldns-keygen -k -a ED25519 ldns.example) &&
        ldns-signzone -n -o ldns.example -f "$tmp/zones/ldns.example.zone" ldns.example "$key" &&
        echo "$key" >ldns.key) >"$tmp/sign.log" 2>&1; then
        zones="$zones ldns.example"
        anchor ldns.example "$tmp/keys/$(cat "$tmp/keys/ldns.key").key"
    else
        sed 's/^/# /' "$tmp/sign.log"
        skip "zones signed by ldns" "ldns-signzone did not sign"
    fi
else
    skip "zones signed by ldns" "ldns-signzone is not installed"
fi
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    zones = "$tmp/zones"
    secondaries = {"127.0.0.1"}
}
END
"$wholenet" serve "$tmp/site.conf" >"$tmp/log" 2>&1 &
server=$!
children="$children $server"
wait_for grep -q "serving" "$tmp/log"
sed 's/^/# /' "$tmp/log"

# believes WANT ZONE NAME TYPE: delv ends with that verdict on NAME.ZONE.
believes() {
    got=$(delv @127.0.0.1 -p "$port" -a "$tmp/anchor.$2" +root="$2" "$3.$2" "$4" 2>&1)
    contains "$3.$2 $4: $1" "$got" "; $1"
}
for zone in $zones; do
    # With opt-out there may be a closer name that is not signed (RFC 5155 §9.2).
    case $zone in
    optout.*) wild="unsigned answer" ;;
    *) wild="fully validated" ;;
    esac
    # delv wants the apex' name alone for itself.
    got=$(delv @127.0.0.1 -p "$port" -a "$tmp/anchor.$zone" +root="$zone" "$zone" SOA 2>&1)
    contains "$zone SOA" "$got" "; fully validated"
    got=$(delv @127.0.0.1 -p "$port" -a "$tmp/anchor.$zone" +root="$zone" "$zone" TXT 2>&1)
    contains "$zone TXT" "$got" "; negative response, fully validated"
    believes "fully validated" "$zone" ns A
    believes "fully validated" "$zone" www A
    believes "negative response, fully validated" "$zone" ns AAAA
    believes "fully validated" "$zone" www AAAA
    believes "negative response, fully validated" "$zone" nobody A
    believes "negative response, fully validated" "$zone" x.nobody.ns A
    believes "fully validated" "$zone" gone A
    believes "negative response, fully validated" "$zone" b.c A
    believes "negative response, fully validated" "$zone" x.b.c A
    believes "$wild" "$zone" x.w TXT
    believes "$wild" "$zone" y.x.w TXT
    believes "negative response, fully validated" "$zone" x.w A
    believes "fully validated" "$zone" alias TXT
    believes "fully validated" "$zone" a.b.d A
    believes "fully validated" "$zone" shut DS
    believes "negative response, fully validated" "$zone" open DS
    believes "negative response, fully validated" "$zone" empty A
    referral=$(dig @127.0.0.1 -p "$port" +norec +dnssec "x.open.$zone")
    case $zone in
    nsec.*) contains "$zone: a referral denies DS" "$referral" "NSEC	" ;;
    *) contains "$zone: a referral denies DS" "$referral" " NSEC3 1 " ;;
    esac
    contains "$zone: a referral has DS" "$(dig @127.0.0.1 -p "$port" +norec +dnssec "x.shut.$zone")" \
        "IN	DS	12345"
    if command -v ldns-verify-zone >/dev/null; then
        dig @127.0.0.1 -p "$port" AXFR "$zone" +onesoa +noall +answer >"$tmp/whole"
        check "$zone: what a secondary gets is whole" ldns-verify-zone "$tmp/whole"
    else
        skip "$zone: what a secondary gets is whole" "ldns-verify-zone is not installed"
    fi
done
kill "$server"
wait "$server"
equal "it ends when told to" $? 0
finish
