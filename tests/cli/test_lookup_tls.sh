#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet lookup over TLS and HTTPS: by a server of ours, and by one that tells how it was asked. TAP.
. tests/lib.sh
export WHOLENET_STATE="$tmp/state"
port=$((20000 + $$ % 12000))
tls=$((port + 1))
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    listen-tls = "127.0.0.1:$tls"
    secondaries = {"127.0.0.0/8"}
    zone = {"example.org $top/examples/zones/example.org.zone"}
    record = {"www A 10.0.2.80"$(i=1; while [ $i -le 100 ]; do
        printf ', "many A 192.0.2.%d"' $i; i=$((i + 1)); done)}
}
END
"$wholenet" serve "$tmp/site.conf" >"$tmp/site.log" 2>&1 &
children="$children $!"
root="$tmp/state/root.pem"
chain="$tmp/state/home.arpa-127.0.0.1.pem"
wait_for test -s "$chain"
sleep 0.3
ask() { capture "$wholenet" lookup @127.0.0.1 -p $tls +timeout=5 +tries=1 "$@"; }

ask +tls www.home.arpa
equal "over TLS: status 0" "$status" 0
contains "… which is said" "$out" ";; SERVER: 127.0.0.1#$tls(127.0.0.1) (TLS)"
contains "… with what was agreed on" "$out" ";; TLS: TLSv1.3, TLS_AES_128_GCM_SHA256, certificate of home.arpa (not checked)"
contains "replies are padded, as queries are" "$out" ";; MSG SIZE  rcvd: 468"
ask +tls +nopadding www.home.arpa
contains "… or not" "$out" ";; MSG SIZE  rcvd: 58"
ask +tls many.home.arpa
contains "a long reply" "$out" "ANSWER: 100"
ask +tls www.home.arpa gw.home.arpa
contains "sessions are resumed" "$out" ", resumed"
ask +tls example.org AXFR
equal "a zone, whole (RFC 9103)" "$status" 0
contains "… begins and ends with its SOA" "$out" "SOA"
ask --json +tls www.home.arpa
contains "JSON says it, too" "$out" '"transport":"tls"'

ask "+tls-ca=$root" www.home.arpa
equal "by a trusted certificate of the address" "$status" 0
contains "… which is said" "$out" "certificate of home.arpa"
ask "+tls-ca=$root" +tls-hostname=ns.home.arpa +short www.home.arpa
equal "… and of a name" "$out" 10.0.2.80
ask "+tls-ca=$root" +tls-hostname=ns.example +short www.home.arpa
equal "another name: status 4" "$status" 4
contains "… with the reason" "$err" "not for ns.example"
ask +tls-ca +short www.home.arpa
equal "nobody we trust: status 4" "$status" 4
contains "… with the reason" "$err" "whom we do not trust"
if command -v openssl >/dev/null; then
    pin=$(openssl x509 -in "$chain" -noout -pubkey | openssl pkey -pubin -outform der |
        openssl dgst -sha256 -binary | openssl base64)
    ask "+tls-pin=$pin" +short www.home.arpa
    equal "by its key" "$out" 10.0.2.80
fi
ask "+tls-pin=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" +short www.home.arpa
contains "by another's" "$err" "the key of 127.0.0.1 is not the one that is pinned"
ask +tls-pin=AAAA www.home.arpa
equal "what is no pin: status 2" "$status" 2
ask +tls-ca=/nonexistent www.home.arpa
equal "no such file: status 2" "$status" 2
contains "… which is said" "$err" "cannot use the certificates in /nonexistent: No such file or directory"
ask +tls +trace www.home.arpa
equal "+trace asks in the clear: status 2" "$status" 2
capture "$wholenet" lookup @127.0.0.1 -p $port +timeout=2 +tries=1 +tls +short www.home.arpa
equal "a server without TLS: status 4" "$status" 4

# ---- HTTPS ----
if ! command -v python3 >/dev/null; then
    skip "over HTTPS" "python3 is not installed"
    finish
fi
https=$((port + 2))
python3 tests/support/doh_server.py $https "$chain" "$tmp/state/home.arpa-127.0.0.1.key" \
    >"$tmp/doh.log" 2>&1 &
children="$children $!"
wait_for test -s "$tmp/doh.log"
get() { capture "$wholenet" lookup @127.0.0.1 -p $https +timeout=5 +tries=1 "$@"; }
get +https www.example
equal "over HTTPS: status 0" "$status" 0
contains "… which is said" "$out" "(HTTPS)"
get +https +short www.example
equal "by POST, with id 0, padded" "$out" 192.0.0.1
get +https-get +short www.example
equal "by GET" "$out" 192.0.0.2
get +https +short chunked.example
equal "a reply in chunks" "$out" 192.0.0.1
get +https "+tls-ca=$root" +tls-hostname=www.home.arpa +short www.example
equal "with a certificate that is checked" "$out" 192.0.0.1
get +https=/other +short www.example
equal "another path: status 4" "$status" 4
contains "… with the reason" "$err" "the server says by HTTP: 404"
get +https=/wrong +short www.example
contains "what is no message" "$err" "what the server sends is no application/dns-message"
finish
