#!/bin/sh
# SPDX-License-Identifier: ISC
# Queries and transfers that are signed (TSIG, RFC 8945), as dig(1) and kdig(1) send them; and wholenet
# lookup with keys. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
command -v dig >/dev/null || { skip "signed queries" "dig is not installed"; finish; }

port=$((20000 + $$ % 12000))
secret=c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldC0hIQ==
mkdir "$tmp/zones"
{
    printf '$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\nwww A 192.0.2.2\n'
    echo '$GENERATE 1-3000 h$ TXT "so that there are many messages"'
} >"$tmp/zones/one.example.zone"
cat >"$tmp/file.key" <<END
key "file" { algorithm hmac-sha512; secret "$secret"; };
END
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    zones = "$tmp/zones"
    secondaries = {"key transfer", "127.0.0.3 key file"}
    key "transfer" { secret = "$secret" }
    key "sha1.example" { algorithm = hmac-sha1 secret = "$secret" }
    key "file" { algorithm = hmac-sha512 file = "file.key" }
}
END
"$wholenet" serve -v "$tmp/site.conf" >"$tmp/log" 2>&1 &
server=$!
children="$children $server"
ask() { dig @127.0.0.1 -p "$port" +time=1 +tries=2 "$@" 2>&1; }
for _ in $(seq 50); do
    [ "$(ask +short www.one.example)" = 192.0.2.2 ] && break
    sleep 0.1
done

signed() { # signed NAME TEXT: a reply that dig believes
    case $2 in
    *"Some TSIG could not"* | *"verify"*) not_ok "$1" ;;
    *"TSIG	hmac"*NOERROR*) ok "$1" ;;
    *) not_ok "$1" ;;
    esac
}
signed "a signed query has a signed reply" "$(ask -y "hmac-sha256:transfer:$secret" www.one.example)"
signed "by TCP too" "$(ask +tcp -y "hmac-sha1:sha1.example:$secret" www.one.example)"
signed "a key of a file" "$(ask -k "$tmp/file.key" www.one.example)"
signed "what is refused is signed" "$(ask -y "hmac-sha256:transfer:$secret" www.elsewhere)"
contains "another secret" "$(ask -y "hmac-sha256:transfer:AAAA$secret" www.one.example)" BADSIG
contains "another algorithm" "$(ask -y "hmac-sha1:transfer:$secret" www.one.example)" BADKEY
contains "an unknown key" "$(ask -y "hmac-sha256:nobody:$secret" www.one.example)" "status: NOTAUTH"
contains "who does not sign gets no zone" "$(ask AXFR one.example)" "Transfer failed"
contains "nor who has another key" "$(ask -y "hmac-sha1:sha1.example:$secret" AXFR one.example)" \
    "Transfer failed"
contains "nor who has the right one in the wrong place" "$(ask -k "$tmp/file.key" AXFR one.example)" \
    "Transfer failed"
got=$(ask -y "hmac-sha256:transfer:$secret" AXFR one.example)
contains "with the key it comes" "$got" "XFR size: 3005 records"
signed "and is signed" "$got"
contains "in the right place too" "$(ask -b 127.0.0.3 -k "$tmp/file.key" AXFR one.example)" \
    "XFR size: 3005 records"
if command -v kdig >/dev/null; then
    got=$(kdig @127.0.0.1 -p "$port" -y "hmac-sha256:transfer:$secret" AXFR one.example 2>&1)
    contains "kdig takes it" "$got" "3005 records"
    case $got in *WARNING*) not_ok "and believes it" ;; *) ok "and believes it" ;; esac
else
    skip "kdig takes it" "kdig is not installed"
    skip "and believes it" "kdig is not installed"
fi

# Our own client.
look() { "$wholenet" lookup @127.0.0.1 -p "$port" "$@" 2>&1; }
contains "lookup -y" "$(look -y "transfer:$secret" www.one.example)" "TSIG	hmac-sha256."
equal "believes it" "$(look -y "transfer:$secret" +short www.one.example)" 192.0.2.2
contains "lookup -k" "$(look -k "$tmp/file.key" www.one.example)" "TSIG	hmac-sha512."
got=$(look -y "transfer:$secret" AXFR one.example)
contains "a zone of many messages" "$got" "XFR size: 3005 records"
case $got in *"$secret"*) not_ok "the secret is not repeated" ;; *) ok "the secret is not repeated" ;; esac
capture "$wholenet" lookup @127.0.0.1 -p "$port" -y "nobody:$secret" www.one.example
contains "who is not known" "$out" "the signature is not right: BADKEY"
equal "scripts can tell" "$status" 3
capture "$wholenet" lookup @127.0.0.1 -p "$port" -y "hmac-md5:a:$secret" www.one.example
contains "what a key looks like" "$err" "[ALGORITHM:]NAME:SECRET"
equal "is a matter of usage" "$status" 2

# Another key after a reload.
sed -i 's/key "transfer" { secret = .*/key "transfer" { algorithm = hmac-sha384 secret = "AAAA" }/' "$tmp/site.conf"
reload "$server" "$tmp/log"
contains "a key that has changed" "$(ask -y "hmac-sha256:transfer:$secret" www.one.example)" BADKEY
signed "as it is now" "$(ask -y "hmac-sha384:transfer:AAAA" www.one.example)"
kill "$server"
wait "$server"
equal "it ends when told to" $? 0
case $(cat "$tmp/log") in *"$secret"*) not_ok "no secret is logged" ;; *) ok "no secret is logged" ;; esac
finish
