#!/bin/sh
# SPDX-License-Identifier: ISC
# Keys and signed zones beside the tools of others: they accept ours, we accept theirs, keys move both ways, and a
# zone that is broken is refused. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh

plain() {
    cat <<END
\$TTL 300
@ SOA ns h 1 3600 600 86400 60
@ NS ns
@ MX 10 Mail
ns A 192.0.2.1
mail A 192.0.2.2
www CNAME web
web A 192.0.2.3
alias CNAME x.w
*.w TXT "wild"
a.b.c A 192.0.2.4
d DNAME c
open NS ns.open
ns.open A 192.0.2.5
below.empty NS ns.open
shut NS ns.shut
shut DS 12345 13 2 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
ns.shut A 192.0.2.6
END
}
has() { command -v "$1" >/dev/null; }
cd "$tmp" || exit 1
plain >example.zone
key() { "$wholenet" key -k keys "$@"; }
sign() { "$wholenet" sign -q -k keys -z example "$@" example.zone; }
verify() { "$wholenet" check -q -s -z example "$@"; }

# ---- keys ----
check "a key is made" key make example
equal "its secret is for its owner only" "$(stat -c %a keys/Kexample.+013+*.private)" 600
equal "there is one" "$(key list example | grep -c 'csk  ECDSAP256SHA256  active')" 1
equal "and one is enough" "$(key make example 2>&1)" \
    "wholenet key: the zone has keys: \`wholenet key roll\` lets others take over"
key list --json example >list.json
check "the list as JSON" python3 -c "
import json
l = json.load(open('list.json'))
assert l['zone'] == 'example.' and l['waits_for_ds'] and len(l['keys']) == 1
k = l['keys'][0]
assert k['role'] == 'csk' and k['state'] == 'active' and k['cds'] and k['bits'] == 256"
key ds example >ds
if has dnssec-dsfromkey; then
    equal "the DS is that of dnssec-dsfromkey" "$(cut -d' ' -f5- <ds | tr a-f A-F)" \
        "$(dnssec-dsfromkey -2 keys/Kexample.+013+*.key | cut -d' ' -f4-)"
fi
for a in 8 10 13 14 15 16; do
    "$wholenet" key -k "k$a" make -a $a --separate example >stems || not_ok "keys of algorithm $a"
    if has dnssec-signzone; then
        check "dnssec-signzone signs with our keys of algorithm $a" dnssec-signzone -S -K "k$a" -o example -f "bind$a" example.zone
        check "we accept that" verify "bind$a"
    fi
    if has ldns-signzone && [ "$(head -1 stems)" ]; then
        # shellcheck disable=SC2046
        check "ldns-signzone signs with our keys of algorithm $a" ldns-signzone -o example -f "ldns$a" example.zone $(sed "s,^,k$a/," stems)
        check "we accept that" verify "ldns$a"
    fi
    check "we sign with algorithm $a" "$wholenet" sign -q -k "k$a" -z example -o "ours$a" example.zone
    check "and accept that" verify "ours$a"
done

# ---- ours before others ----
judge() { # judge WHAT FILE
    check "$1: we accept it" verify --ds ds "$2"
    if has ldns-verify-zone; then
        check "$1: ldns-verify-zone accepts it" ldns-verify-zone -ZZ "$2"
    fi
    if has dnssec-verify; then
        check "$1: dnssec-verify accepts it" dnssec-verify -z -q -o example "$2"
    fi
    if has named-checkzone; then
        check "$1: named-checkzone accepts it" named-checkzone -q example "$2"
    fi
    if has kzonecheck; then
        check "$1: kzonecheck accepts it" kzonecheck -o example -d on "$2"
    fi
}
sign --zonemd -o nsec
judge "NSEC" nsec
sign --zonemd -3 -o nsec3
judge "NSEC3" nsec3
sign --zonemd -3 --salt aabbccdd --iterations 5 -o salted
judge "NSEC3 with salt" salted
sign --zonemd -3 --opt-out -o optout
judge "NSEC3 with opt-out" optout
sign -3 --delete-ds -o delete
check "a zone whose DS is to go" verify delete
equal "says so" "$(grep -c 'CDS 0 0 0 00\|CDNSKEY 0 3 0 AA==' delete)" 2
sign --serial unixtime --at 20300101000000 -o later
equal "serials by the clock" "$(sed -n 's/^example. 300 IN SOA ns.example. h.example. \([0-9]*\).*/\1/p' later)" 1893456000

# ---- others before us ----
if has dnssec-keygen && has dnssec-signzone; then
    mkdir theirs
    (cd theirs && dnssec-keygen -q -a 13 -f KSK example && dnssec-keygen -q -a 13 example) >names 2>/dev/null
    for options in "" "-3 -" "-3 aabb -H 7" "-3 - -A"; do
        # shellcheck disable=SC2086
        dnssec-signzone -S -K theirs -o example $options -f bind example.zone >log 2>&1 || sed 's/^/# /' log
        check "we accept what dnssec-signzone $options signs" verify bind
    done
    check "keys of dnssec-keygen come over" "$wholenet" key -k took import example theirs/*.key
    equal "as they were" "$("$wholenet" key -k took list example | grep -c active)" 2
    check "and sign" "$wholenet" sign -q -k took -z example -o took.signed example.zone
    check "rightly" verify took.signed
    check "dnssec-settime reads our files" dnssec-settime -p all -K took "$(basename "$(ls took/*.private | head -1)" .private)"
else
    skip "keys and zones of BIND" "bind9-utils are not installed"
fi
if has ldns-keygen && has ldns-signzone; then
    stem=$(ldns-keygen -k -a ED25519 example)
    for options in "-n" "-n -p" "" "-z simple:sha384" "-n -z simple:sha512"; do
        # shellcheck disable=SC2086
        ldns-signzone $options -o example -f ldns example.zone "$stem" >log 2>&1 || sed 's/^/# /' log
        check "we accept what ldns-signzone $options signs" verify ldns
    done
    check "keys of ldns-keygen come over" "$wholenet" key -k ltook import example "$stem"
    check "and sign" "$wholenet" sign -q -k ltook -z example -o ltook.signed example.zone
    check "rightly" verify ltook.signed
else
    skip "keys and zones of ldns" "ldnsutils are not installed"
fi
if has kzonesign; then
    mkdir knot
    cat >knot.conf <<END
database:
    storage: $tmp/knot
policy:
  - id: p
    algorithm: ecdsap256sha256
    single-type-signing: on
    nsec3: on
zone:
  - domain: example
    storage: $tmp
    file: example.zone
    dnssec-signing: on
    dnssec-policy: p
    zonemd-generate: zonemd-sha512
END
    if kzonesign -c knot.conf -o knot example >log 2>&1; then
        check "we accept what kzonesign signs" verify knot/example.zone
    else
        sed 's/^/# /' log
        not_ok "kzonesign signs"
    fi
else
    skip "zones of Knot" "kzonesign is not installed"
fi

# ---- broken ones ----
refuse() { # refuse NAME WANTED [OPTIONS]
    # shellcheck disable=SC2086
    verify ${3-} --ds ds broken >log 2>&1
    equal "refused: $1" "$?" 1
    contains "… with the reason" "$(cat log)" "$2"
}
sed 's/^web.example. 300 IN A 192.0.2.3/web.example. 300 IN A 192.0.2.33/' nsec >broken
refuse "another address" "web.example. A: a signature is wrong"
grep -v '^web.example. 300 IN RRSIG A ' nsec >broken
refuse "a signature is gone" "web.example. A: not signed"
(cat nsec; echo "new.example. 300 IN A 192.0.2.9") >broken
refuse "a name that is not signed" "new.example. A: not signed"
grep -v '^mail.example. [0-9]* IN NSEC ' nsec >broken
refuse "an NSEC is gone" "mail.example. NSEC: there is none"
grep -v '^ns.open.example. ' nsec >broken
refuse "glue is gone" "ZONEMD: the digest is not that of the zone"
sed 's/^\(web.example.\) 300 IN A/\1 301 IN A/' nsec >broken
refuse "another TTL" "web.example. A: the TTL is not that which was signed"
grep -v ' IN NSEC3 ' nsec3 >broken
refuse "no NSEC3" "NSEC3"
sed 's/ IN NSEC3PARAM 1 0 0 -/ IN NSEC3PARAM 1 0 1 -/' nsec3 >broken
refuse "NSEC3PARAM is another" "NSEC3PARAM"
grep -v ' IN DNSKEY ' nsec >broken
refuse "no key" "DNSKEY: there is no key"
"$wholenet" sign -q -k k13 -z example -o broken example.zone
refuse "other keys than the parent knows" "DS: none of the parent's leads to a key"
cp nsec broken
refuse "expired" "a signature has expired" "--at $(date -u -d '+15 days' +%Y%m%d%H%M%S)"
refuse "not valid yet" "a signature is not valid yet" "--at $(date -u -d '-2 hours' +%Y%m%d%H%M%S)"
sed 's/^open.example. 300 IN NS .*/&\nopen.example. 300 IN A 192.0.2.77/' nsec >broken
refuse "the digest notices what is not signed" "ZONEMD: the digest is not that of the zone"
plain >broken
refuse "not signed at all" "DNSKEY: there is no key"

# ---- rolls ----
check "the key of a CSK is rolled" key roll example
equal "the parent is waited for" "$(key list example | grep -c 'submitted')" 1
equal "one roll at a time" "$(key roll example 2>&1)" \
    "wholenet key: a roll is under way: \`wholenet key list\` tells how far it is"
equal "both have a DS" "$(key ds example | wc -l)" 2
key ds --seen example >/dev/null
equal "then the parent has it" "$(key list example | grep -c ds-published)" 1
contains "and the rest has its time" "$(key list example)" "Activate"
equal "in the end the new one is alone" \
    "$(key list --at "$(date -u -d '+9 days' +%Y%m%d%H%M%S)" --json example | grep -c '"state": "active"\|"state": "removed"')" 2
check "a ZSK is rolled" "$wholenet" key -k k13 roll --zsk example
equal "published first" "$("$wholenet" key -k k13 list example | grep -c 'zsk .* published')" 1
check "another algorithm" "$wholenet" key -k k8 roll -a 13 example
equal "signs first" "$("$wholenet" key -k k8 list example | grep -c 'ECDSAP256SHA256  active')" 2
check "a zone signed by both" "$wholenet" sign -q -k k8 -z example -o both example.zone
check "is right" verify both

# ---- wrong usage ----
equal "no verb" "$("$wholenet" key 2>&1)" "wholenet key: expected make, list, roll, ds or import (wholenet key --help tells more)"
"$wholenet" key make --algorithm md5 example >/dev/null 2>&1
equal "no algorithm" "$?" 2
"$wholenet" sign -k empty -z example example.zone >/dev/null 2>&1
equal "no keys" "$?" 1
"$wholenet" sign --opt-out -k keys -z example example.zone >/dev/null 2>&1
equal "opt-out without NSEC3" "$?" 2
cd "$top" || exit 1
finish
