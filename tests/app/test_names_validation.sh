#!/bin/sh
# SPDX-License-Identifier: ISC
# Validation as dig(1) sees it: a tree of zones that BIND's tools have signed, served by NSD, and a
# site that resolves their names with the root's key as its anchor.
. tests/lib.sh
. tests/support/dns_tree.sh

for tool in nsd dig dnssec-signzone dnssec-keygen dnssec-dsfromkey; do
    command -v $tool >/dev/null || {
        skip "validation" "$tool is not installed"
        finish
        exit
    }
done
port=$((20000 + $$ % 12000))
tree=$((port + 3))

# sign ZONE FILE OPTIONS…: the DS goes to $tmp/ds
sign() {
    zone=$1 file=$2
    shift 2
    mkdir -p "$tmp/keys"
    ksk=$(dnssec-keygen -q -K "$tmp/keys" -L 3600 -a ECDSAP256SHA256 -f KSK "$zone")
    zsk=$(dnssec-keygen -q -K "$tmp/keys" -L 3600 -a ECDSAP256SHA256 "$zone")
    cat "$tmp/keys/$ksk.key" "$tmp/keys/$zsk.key" >>"$tmp/tree/$file"
    dnssec-signzone -q -P -K "$tmp/keys" -d "$tmp/keys" -o "$zone" -O full "$@" \
        -f "$tmp/tree/$file.signed" "$tmp/tree/$file" "$tmp/keys/$ksk" "$tmp/keys/$zsk" \
        >/dev/null 2>"$tmp/sign.log" || cat "$tmp/sign.log"
    mv "$tmp/tree/$file.signed" "$tmp/tree/$file"
    dnssec-dsfromkey -2 "$tmp/keys/$ksk.key" 2>/dev/null | sed 's/IN DS/3600 IN DS/' >"$tmp/ds"
}
dns_tree_sign() {
    echo 'forged.example.tree. 300 A 192.0.2.66' >>"$tmp/tree/example.tree.zone"
    echo '*.sentinel.example.tree. 300 A 192.0.2.85' >>"$tmp/tree/example.tree.zone"
    sign example.tree example.tree.zone -3 - -H 0
    sed -i 's/^\(forged.*\)192.0.2.66/\1192.0.2.67/' "$tmp/tree/example.tree.zone"
    cat "$tmp/ds" >>"$tmp/tree/tree.zone"
    sign tree tree.zone
    cat "$tmp/ds" >>"$tmp/tree/root.zone"
    sign . root.zone
    cp "$tmp/ds" "$tmp/anchors.zone"
}
dns_tree_start $tree

site() { # NAME PORT LINES
    cat >"$tmp/$1.conf" <<END
domain = "home.arpa"
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$2"
    resolve = recursive
    roots = "$tmp/roots.zone"
    anchors = "$tmp/anchors.zone"
    servers-port = $tree
    outgoing = ipv4
    $3
}
END
    serve $1 $2
}
serve() { # NAME PORT
    "$wholenet" serve "$tmp/$1.conf" 2>"$tmp/$1.log" &
    children="$children $!"
    eval "pid_$1=$!"
    tries=0
    until [ "$(dig @127.0.0.1 -p "$2" +time=1 +tries=1 +short localhost)" = 127.0.0.1 ] ||
        [ $tries -gt 50 ]; do
        tries=$((tries + 1))
        sleep 0.1
    done
}
site usual $port ""
site later $((port + 1)) "validation-date = 20600101000000"
site insecure $((port + 2)) 'insecure = {"example.tree"}'
# those that forward, to one that validates and to one that does not
site plain $((port + 4)) 'insecure = {"."}'
for to in usual plain; do
    to_port=$(sed -n 's/ *listen = "127.0.0.1:\(.*\)"/\1/p' "$tmp/$to.conf")
    sed "/roots =/d
        s/resolve = .*/resolve = forward forward = {\"127.0.0.1:$to_port\"}/
        s/listen = .*/listen = \"127.0.0.1:$((to_port + 5))\"/" "$tmp/usual.conf" >"$tmp/by_$to.conf"
    serve by_$to $((to_port + 5))
done

ask() { dig @127.0.0.1 -p $port +time=5 +tries=1 "$@" | tr -s '\t' ' '; }
contains "a signed name is authentic" "$(ask +dnssec www.example.tree)" "flags: qr rd ra ad;"
contains "… with its signature" "$(ask +dnssec www.example.tree)" "IN RRSIG A 13 3 300"
contains "… which only they get who ask for it" "$(ask +noall +answer www.example.tree | wc -l)" "1"
contains "… as AD" "$(ask +noad www.example.tree)" "flags: qr rd ra;"
contains "over again" "$(ask +ad www.example.tree)" "flags: qr rd ra ad;"
contains "no such name" "$(ask +dnssec nobody.example.tree)" "status: NXDOMAIN"
contains "… is authentic" "$(ask +dnssec nobody.example.tree)" "flags: qr rd ra ad;"
contains "… with what shows it" "$(ask +dnssec nobody.example.tree)" "IN NSEC3 1 "
ask nobody.tree >/dev/null
contains "what a zone has denied denies other names" "$(ask +dnssec nobodyelse.tree)" "EDE: 29"
contains "… as NXDOMAIN" "$(ask +dnssec nobodyelse.tree)" "status: NXDOMAIN"
contains "… which is authentic" "$(ask +dnssec nobodyelse.tree)" "flags: qr rd ra ad;"
contains "… with what shows it" "$(ask +dnssec nobodyelse.tree)" "IN NSEC "
contains "… and not those that there are" "$(ask +short ns.tree)" "127.0.0.12"
contains "… nor what was delegated" "$(ask +short www.other.tree)" "192.0.2.80"
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    ask gone$i.example.tree >/dev/null
done
contains "… also where names are hashed" "$(ask +dnssec goneagain.example.tree)" "EDE: 29"
contains "… and is authentic" "$(ask +dnssec goneagain.example.tree)" "flags: qr rd ra ad;"
contains "… which names that there are survive" "$(ask +short www.example.tree)" "192.0.2.1"
tag=$(sed 's/.*DS \([0-9]*\) .*/\1/' "$tmp/ds")
tag=$(printf %05d "$tag")
other=$(printf %05d $(((${tag#0} + 1) % 60000)))
# RFC 8509
equal "a key that is an anchor" "$(ask +short root-key-sentinel-is-ta-$tag.sentinel.example.tree)" 192.0.2.85
contains "… says who denies it" "$(ask root-key-sentinel-not-ta-$tag.sentinel.example.tree)" SERVFAIL
contains "one that is not" "$(ask root-key-sentinel-is-ta-$other.sentinel.example.tree)" SERVFAIL
equal "… the other way round" "$(ask +short root-key-sentinel-not-ta-$other.sentinel.example.tree)" 192.0.2.85
equal "… and nobody who looks himself" "$(ask +cd +short root-key-sentinel-not-ta-$tag.sentinel.example.tree)" 192.0.2.85
contains "nothing of that type" "$(ask +dnssec MX www.example.tree)" "flags: qr rd ra ad;"
contains "no such top-level domain" "$(ask +dnssec www.nowhere)" "flags: qr rd ra ad;"
contains "a wildcard" "$(ask +dnssec TXT x.y.wild.example.tree)" "flags: qr rd ra ad;"
contains "below a DNAME" "$(ask +dnssec www.old.example.tree)" "DNAME"
contains "keys" "$(ask +dnssec DNSKEY example.tree)" "flags: qr rd ra ad;"
contains "DS" "$(ask +dnssec DS example.tree)" "flags: qr rd ra ad;"
contains "a zone that is not signed" "$(ask +dnssec www.other.tree)" "flags: qr rd ra;"
contains "… is answered" "$(ask +dnssec www.other.tree)" "192.0.2.80"
contains "no DS" "$(ask +dnssec DS other.tree)" "flags: qr rd ra ad;"
contains "an alias from one to the other" "$(ask +dnssec alias.example.tree)" "flags: qr rd ra;"
contains "… is answered, too" "$(ask alias.example.tree)" "192.0.2.80"
contains "what is forged is not" "$(ask forged.example.tree)" "status: SERVFAIL"
contains "… and why" "$(ask forged.example.tree)" "EDE: 6 (DNSSEC Bogus)"
contains "… but with CD" "$(ask +cd +short forged.example.tree)" "192.0.2.67"
contains "… and is not authentic" "$(ask +cd +dnssec forged.example.tree)" "flags: qr rd ra cd;"
contains "at another date all is over" \
    "$(dig @127.0.0.1 -p $((port + 1)) +time=5 +tries=1 www.example.tree)" "status: SERVFAIL"
contains "… and why" \
    "$(dig @127.0.0.1 -p $((port + 1)) +time=5 +tries=1 www.example.tree)" "EDE: 7 (Signature Expired)"
contains "a domain that is not to be validated" \
    "$(dig @127.0.0.1 -p $((port + 2)) +time=5 +tries=1 +short forged.example.tree)" "192.0.2.67"

for by in 5 9; do
    ask() { dig @127.0.0.1 -p $((port + by)) +time=5 +tries=1 "$@" | tr -s '\t' ' '; }
    contains "forwarded: a signed name is authentic" "$(ask +dnssec www.example.tree)" "flags: qr rd ra ad;"
    contains "… no such name" "$(ask +dnssec nobody.example.tree)" "flags: qr rd ra ad;"
    contains "… a zone that is not signed" "$(ask +dnssec www.other.tree)" "flags: qr rd ra;"
    contains "… is answered" "$(ask +dnssec www.other.tree)" "192.0.2.80"
    contains "… an alias from one to the other" "$(ask alias.example.tree)" "192.0.2.80"
    contains "… what is forged is not" "$(ask forged.example.tree)" "status: SERVFAIL"
    contains "… and why" "$(ask forged.example.tree)" "EDE: 6 (DNSSEC Bogus)"
    contains "… but with CD" "$(ask +cd +short forged.example.tree)" "192.0.2.67"
done

# ---- anchors that change ----
ask() { dig @127.0.0.1 -p $port +time=5 +tries=1 "$@" | tr -s '\t' ' '; }
sed 's/ 13 2 / 13 2 00/' "$tmp/ds" | sed 's/..$//' >"$tmp/anchors.zone"
kill -HUP $pid_usual
tries=0
until ask www.example.tree | grep -q SERVFAIL || [ $tries -gt 20 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
contains "other anchors are taken on SIGHUP" "$(ask www.example.tree)" "status: SERVFAIL"
echo nonsense >"$tmp/anchors.zone"
kill -HUP $pid_usual
wait_for grep -q "stay as they were" "$tmp/usual.log"
contains "… but not what is none" "$(cat "$tmp/usual.log")" "roots and anchors stay as they were"
cp "$tmp/ds" "$tmp/anchors.zone"
sed 's|anchors = .*|anchors = root|' "$tmp/usual.conf" >"$tmp/root.conf"
equal "the anchors of the Internet" "$("$wholenet" check "$tmp/root.conf" 2>&1 >/dev/null)" ""

# ---- complaints ----
echo 'www.example.tree. 300 A 192.0.2.1' >"$tmp/bad.zone"
sed "s|anchors = .*|anchors = \"$tmp/bad.zone\"|" "$tmp/usual.conf" >"$tmp/bad.conf"
capture timeout 5 "$wholenet" serve "$tmp/bad.conf"
contains "anchors that are none" "$err" "anchors: $tmp/bad.zone: expected DS or DNSKEY records"
printf 'link "host" { address = "127.0.0.1/8" }\nnames {\nresolve = recursive\nvalidation-date = 20261301000000\n}\n' \
    >"$tmp/wrong.conf"
contains "a date that is none" "$("$wholenet" check "$tmp/wrong.conf" 2>&1)" "a date such as"
finish
