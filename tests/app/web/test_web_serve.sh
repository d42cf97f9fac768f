#!/bin/sh
# SPDX-License-Identifier: ISC
# The web server as a site file has it, asked by curl: hosts, rules, codings, users, uploads, limits,
# logs, and a reload under load.
. tests/lib.sh

free_port() {
    python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

port=$(free_port)
tls_port=$(free_port)
at=http://127.0.0.1:$port
tls_at=https://127.0.0.1:$tls_port
certify() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$1" \
        -addext "subjectAltName=DNS:$1" -keyout "$tmp/$2.key" -out "$tmp/$2.pem" 2>/dev/null
}
certify localhost first
certify example.org second
mkdir -p "$tmp/www/sub" "$tmp/www/listed" "$tmp/www/private" "$tmp/www/up" "$tmp/org" "$tmp/www/.well-known"
seq 1 4000 >"$tmp/www/numbers.txt"
echo home >"$tmp/www/index.html"
echo org >"$tmp/org/index.html"
echo secret >"$tmp/www/private/x.txt"
echo hidden >"$tmp/www/.htpasswd"
echo md >"$tmp/www/a.md"
echo gone-page >"$tmp/www/missing.html"
echo pre >"$tmp/www/sub/page.css"
head -c 100000 /dev/urandom >"$tmp/www/listed/random.bin"
printf 'small' | gzip -9 >"$tmp/www/sub/page.css.gz"
touch "$tmp/www/sub/page.css.gz"
ln -s /etc/passwd "$tmp/www/leak"
touch -d '1 hour ago' "$tmp/www/numbers.txt"
ha1_md5=$(printf 'ada:the realm:love lace' | md5sum | cut -d' ' -f1)
ha1_sha=$(printf 'bob:the realm:builder' | sha256sum | cut -d' ' -f1)
{
    echo "# users"
    echo "ada:$(openssl passwd -6 'love lace')"
    echo "ada:the realm:$ha1_md5"
    echo "bob:the realm:$ha1_sha"
} >"$tmp/users"
grep -v bob "$tmp/users" >"$tmp/users.md5"

write_site() {
    cat >"$tmp/site.conf" <<SITE
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$port", "127.0.0.1:$tls_port tls"}
    certificate = "$tmp/first.pem"
    certificate-key = "$tmp/first.key"
    hsts = 1d
    connections = 1000
    root = "$tmp/www"
    access-log = "$tmp/access.log"
    header = {"X-Here: $1"}
    error-page = {"404 /missing.html"}
    location "/sub/" { precompressed = on
        cache-control = "public" }
    location "/listed/" { expires = 1h }
    location "*.md" { type = {"md text/markdown"} }
    location "= /exact" { rewrite = {"/exact /a.md"} }
    location "/old/" { redirect = "301 /new/*" }
    location "/private/" { auth = basic
        realm = "the realm"
        users = "$tmp/users" }
    location "/digest/" { auth = digest
        realm = "the realm"
        users = "$tmp/users"
        rewrite = {"/digest/* /*"} }
    location "/md5/" { auth = digest
        realm = "the realm"
        users = "$tmp/users.md5"
        rewrite = {"/md5/* /*"} }
    location "/up/" { upload = on
        body-max = 1M }
    location "/nobody/" { access = {"deny 127.0.0.0/8"} }
    location "/slow/" { rate = 2
        burst = 3
        rewrite = {"/slow/* /*"} }
    site "own.test" { root = "$tmp/org" }
    site "example.org" { names = {"*.example.org"}
        root = "$tmp/org"
        built-in = off
        certificate = "$tmp/second.pem"
        certificate-key = "$tmp/second.key"
        https-only = $2
        listing = off }
}
SITE
}

write_site one off
export WHOLENET_STATE="$tmp/state"
"$wholenet" serve -v "$tmp/site.conf" 2>"$tmp/log" &
server=$!
children="$children $server"
wait_for curl -sf "$at/" || cat "$tmp/log"

get() {
    curl -s --path-as-is --max-time 20 "$@"
}
status_of() {
    get -o /dev/null -w '%{http_code}' "$@"
}
head_of() {
    get -D - -o /dev/null "$@" | tr -d '\r'
}

equal "a file" "$(get "$at/")" home
equal "another host by its name" "$(get -H 'Host: example.org' "$at/")" org
equal "and by a wildcard" "$(get -H 'Host: www.Example.ORG:80' "$at/")" org
equal "an absolute target goes before Host" \
    "$(printf 'GET http://example.org/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' | nc -q 5 127.0.0.1 "$port" | tail -1)" org
equal "a folder without an index is not listed there" "$(status_of -H 'Host: example.org' "$at/x/")" 404
contains "a listing" "$(get "$at/listed/")" 'random.bin'
contains "sorted by size" "$(get "$at/listed/?sort=-size")" 'aria-sort="descending"'
equal "a hidden file" "$(status_of "$at/.htpasswd")" 404
equal "a link out of the root" "$(status_of "$at/leak")" 404
equal "the page for what is missing" "$(get "$at/nothing")" gone-page
contains "has the status" "$(head_of "$at/nothing")" 'HTTP/1.1 404'
contains "a field of the rule" "$(head_of "$at/")" 'X-Here: one'
contains "freshness" "$(head_of "$at/listed/random.bin")" 'Cache-Control: max-age=3600'
contains "and Expires" "$(head_of "$at/listed/random.bin")" 'Expires: '
contains "cache-control" "$(head_of "$at/sub/page.css")" 'Cache-Control: public'
contains "a type of the rule" "$(head_of "$at/a.md")" 'Content-Type: text/markdown'
equal "a rewrite" "$(get "$at/exact")" md
contains "a redirect keeps the rest" "$(head_of "$at/old/a/b?c=d")" 'Location: /new/a/b?c=d'
equal "an address that is denied" "$(status_of "$at/nobody/")" 403

# Codings
equal "gzip on the fly" "$(get --compressed -H 'Accept-Encoding: gzip' "$at/numbers.txt" | sha_of)" "$(sha_of <"$tmp/www/numbers.txt")"
contains "says so" "$(head_of -H 'Accept-Encoding: gzip' "$at/numbers.txt")" 'Content-Encoding: gzip'
contains "brotli is liked better" "$(head_of -H 'Accept-Encoding: gzip, br' "$at/numbers.txt")" 'Content-Encoding: br'
contains "and they vary" "$(head_of "$at/numbers.txt")" 'Vary: Accept-Encoding'
plain=$(head_of "$at/numbers.txt" | sed -n 's/^ETag: //p')
coded=$(head_of -H 'Accept-Encoding: gzip' "$at/numbers.txt" | sed -n 's/^ETag: //p')
check "each form has its tag" test "$plain" != "$coded"
equal "which holds for it" "$(status_of -H 'Accept-Encoding: gzip' -H "If-None-Match: $coded" "$at/numbers.txt")" 304
equal "and not for the other" "$(status_of -H "If-None-Match: $coded" "$at/numbers.txt")" 200
equal "a file beside" "$(get -H 'Accept-Encoding: gzip' "$at/sub/page.css" | gzip -d)" small
equal "only for who can read it" "$(get "$at/sub/page.css")" pre
check "what is random is not compressed" sh -c "! curl -s -D - -o /dev/null -H 'Accept-Encoding: gzip' $at/listed/random.bin | grep -qi content-encoding"
equal "a range" "$(get -r 0-4 "$at/numbers.txt" | tr '\n' ,)" 1,2,3
equal "a resumed download" "$(head -c 1000 "$tmp/www/numbers.txt" >"$tmp/part"; get -C - -o "$tmp/part" "$at/numbers.txt"; sha_of <"$tmp/part")" \
    "$(sha_of <"$tmp/www/numbers.txt")"

# A change is seen at once.
echo first >"$tmp/www/change.txt"
equal "a new file" "$(get "$at/change.txt")" first
echo second >"$tmp/www/change.txt"
equal "which changes" "$(get "$at/change.txt")" second
rm "$tmp/www/change.txt"
equal "and goes" "$(status_of "$at/change.txt")" 404

# Users
equal "nobody gets in" "$(status_of "$at/private/x.txt")" 401
contains "and is asked" "$(head_of "$at/private/x.txt")" 'WWW-Authenticate: Basic realm="the realm", charset="UTF-8"'
equal "Basic" "$(get -u 'ada:love lace' "$at/private/x.txt")" secret
equal "Basic again" "$(get -u 'ada:love lace' "$at/private/x.txt")" secret
equal "Basic with a digest's password" "$(get -u 'bob:builder' "$at/private/x.txt")" secret
equal "a wrong password" "$(status_of -u 'ada:lovelace' "$at/private/x.txt")" 401
equal "a name that is none" "$(status_of -u 'eve:love lace' "$at/private/x.txt")" 401
equal "Digest, MD5" "$(get --digest -u 'ada:love lace' "$at/md5/index.html")" home
equal "Digest, SHA-256" "$(get --digest -u bob:builder "$at/digest/index.html")" home
equal "a wrong one" "$(status_of --digest -u 'bob:builders' "$at/digest/index.html")" 401

# Uploads
equal "PUT is not for everywhere" "$(status_of -T "$tmp/site.conf" "$at/x.conf")" 405
equal "PUT makes" "$(status_of -T "$tmp/www/numbers.txt" "$at/up/n.txt")" 201
equal "what was sent" "$(sha_of <"$tmp/www/up/n.txt")" "$(sha_of <"$tmp/www/numbers.txt")"
equal "PUT replaces" "$(echo new | status_of -T - "$at/up/n.txt")" 204
equal "what was there" "$(cat "$tmp/www/up/n.txt")" new
tag=$(head_of "$at/up/n.txt" | sed -n 's/^ETag: //p')
equal "If-Match that holds" "$(echo newer | status_of -H "If-Match: $tag" -T - "$at/up/n.txt")" 204
equal "If-Match that does not" "$(echo newest | status_of -H "If-Match: $tag" -T - "$at/up/n.txt")" 412
equal "has changed nothing" "$(cat "$tmp/www/up/n.txt")" newer
equal "If-None-Match: *" "$(echo no | status_of -H 'If-None-Match: *' -T - "$at/up/n.txt")" 412
equal "too much" "$(head -c 2000000 /dev/zero | status_of -T - "$at/up/big")" 413
equal "a part" "$(echo part | status_of -H 'Content-Range: bytes 0-4/10' -T - "$at/up/n.txt")" 400
equal "a folder that is none" "$(echo x | status_of -T - "$at/up/none/x")" 409
equal "nothing is left of them" "$(ls -A "$tmp/www/up")" n.txt
equal "DELETE" "$(status_of -X DELETE "$at/up/n.txt")" 204
equal "is gone" "$(status_of -X DELETE "$at/up/n.txt")" 404
contains "OPTIONS says it" "$(head_of -X OPTIONS "$at/up/")" 'Allow: GET, HEAD, PUT, DELETE, OPTIONS'

# TLS
secure() {
    get --cacert "$1" --resolve "$2:$tls_port:127.0.0.1" "https://$2:$tls_port$3"
}
equal "https" "$(secure "$tmp/first.pem" localhost /a.md)" md
equal "another name has its own certificate" "$(secure "$tmp/second.pem" example.org /)" org
equal "and no other" "$(secure "$tmp/first.pem" example.org /)" ""
equal "a large file" "$(secure "$tmp/first.pem" localhost /listed/random.bin | sha_of)" "$(sha_of <"$tmp/www/listed/random.bin")"
"$wholenet" trust >"$tmp/root.pem"
equal "who has none gets one by our own root" "$(secure "$tmp/root.pem" own.test /)" org
contains "HSTS is said" "$(head_of --http1.1 -k "https://127.0.0.1:$tls_port/")" 'Strict-Transport-Security: max-age=86400'
check "but not in clear" sh -c "! curl -s -D - -o /dev/null $at/ | grep -qi strict-transport"

# HTTP/2
two() {
    get -k --http2 "$@"
}
equal "HTTP/2 in clear" "$(get --http2-prior-knowledge -w '%{http_version}' "$at/")" "home
2"
equal "HTTP/2 by ALPN" "$(get -k -w '%{http_version}' "https://127.0.0.1:$tls_port/")" "home
2"
equal "a large file" "$(two "$tls_at/listed/random.bin" | sha_of)" "$(sha_of <"$tmp/www/listed/random.bin")"
equal "a host by its authority" "$(two -H 'Host: example.org' "$tls_at/")" org
equal "a range" "$(two -r 0-4 "$tls_at/numbers.txt" | tr '\n' ,)" 1,2,3
equal "ranges" "$(two -r 0-1,4-5 -o /dev/null -w '%{http_code}' "$tls_at/numbers.txt")" 206
contains "HEAD" "$(two -I "$tls_at/numbers.txt")" "content-length: $(wc -c <"$tmp/www/numbers.txt")"
equal "what is missing" "$(two "$tls_at/nothing")" gone-page
equal "an upload" "$(two -o /dev/null -w '%{http_code}' -T "$tmp/www/numbers.txt" "$tls_at/up/h2.txt")" 201
equal "arrives whole" "$(sha_of <"$tmp/www/up/h2.txt")" "$(sha_of <"$tmp/www/numbers.txt")"
equal "too much" "$(head -c 2000000 /dev/zero >"$tmp/big"; two -o /dev/null -w '%{http_code}' -T "$tmp/big" "$tls_at/up/big")" 413
equal "where it may not be" "$(two -o /dev/null -w '%{http_code}' -T "$tmp/site.conf" "$tls_at/x")" 405
equal "a password" "$(two -u 'ada:love lace' "$tls_at/private/x.txt")" secret
equal "many at once" "$(two --parallel --parallel-max 50 -o /dev/null -w '%{http_code}\n' "$tls_at/numbers.txt?[1-100]" | sort | uniq -c | tr -s ' ')" " 100 200"
check "frames that are none, floods, and what is cut" python3 tests/app/web/http2_abuse.py "$port"

# A rate
codes=$(for _ in 1 2 3 4 5 6; do status_of "$at/slow/a.md"; echo; done | sort | uniq -c | tr -s ' ' | tr '\n' ';')
contains "a rate lets a burst in" "$codes" ' 3 200;'
contains "and says 429 to the rest" "$codes" ' 3 429;'

# A reload under load: each request is answered, by one configuration or the other.
write_site two on
: >"$tmp/codes"
for _ in 1 2 3 4; do
    (for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
        get -o /dev/null -w '%{http_code} %{num_connects}\n' "$at/numbers.txt" "$at/index.html" -o /dev/null
    done >>"$tmp/codes") &
    loads="${loads:-} $!"
done
mv "$tmp/access.log" "$tmp/access.log.1"
for _ in 1 2 3; do
    kill -HUP $server
    sleep 0.1
done
for load in $loads; do
    wait "$load"
done
equal "every request was answered" "$(cut -d' ' -f1 "$tmp/codes" | sort | uniq -c | tr -s ' ')" " 120 200"
contains "by the new configuration" "$(head_of "$at/")" 'X-Here: two'
contains "to https" "$(head_of -H 'Host: example.org' "$at/a?b=c")" "Location: https://example.org:$tls_port/a?b=c"
sed -i 's/listing = off/listing = maybe/' "$tmp/site.conf"
kill -HUP $server
wait_for grep -q "expected on or off" "$tmp/log"
contains "what is wrong changes nothing" "$(head_of "$at/")" 'X-Here: two'
status=$(status_of "$at/")
wait_for grep -q '"GET / HTTP/1.1" 200 ' "$tmp/access.log"
check "the log went on in a new file" grep -q '"GET / HTTP/1.1" 200 ' "$tmp/access.log"
check "and has who it was" grep -q ' - ada \[' "$tmp/access.log.1"
check "a crowd of half-open requests, huge heads, and clients that do not read" \
    python3 tests/app/web/http_crowd.py "$port" $server 10000
kill $server
wait $server
equal "it ends well" $? 0
finish
