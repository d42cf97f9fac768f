#!/bin/sh
# SPDX-License-Identifier: ISC
# The site's web server inside `wholenet run` asks applications: in the network by our own stack, on the host by a
# socket with a path.
. tests/lib.sh

cat >"$tmp/site.conf" <<SITE
domain = "home.arpa"
link "tap:eth0" { address = "10.0.2.1/24" }
addresses { pool = "10.0.2.15-10.0.2.15" }
names { }
web {
    name = www
    listen = {80}
    location "/inside/" { fastcgi = {"10.0.2.15:9000"} }
    location "/host/" { fastcgi = {"unix:$tmp/app.sock"} }
    location "/nobody/" { fastcgi = {"10.0.2.15:9001"} }
}
SITE
head -c 2000000 /dev/urandom >"$tmp/blob"
cat >"$tmp/ask.sh" <<'ASK'
python3 tests/app/web/fcgi_app.py 0.0.0.0:9000 inside &
app=$!
for _ in $(seq 50); do
    curl -sf http://www.home.arpa/inside/who >/dev/null && break
    sleep 0.1
done
for at in inside host; do
    curl -s http://www.home.arpa/$at/who | cut -d' ' -f1
    for version in --http1.1 --http2-prior-knowledge; do
        curl -s $version --data-binary @"$1" http://www.home.arpa/$at/echo | cmp - "$1" && echo same
    done
done
curl -s -o /dev/null -w '%{http_code}\n' http://www.home.arpa/nobody/who
kill $app
ASK
if ! "$wholenet" run -- true 2>/dev/null; then
    skip "applications inside and on the host" "no network can be made here"
    finish
fi
python3 tests/app/web/fcgi_app.py "$tmp/app.sock" host 2>/dev/null &
children="$children $!"
equal "applications inside and on the host" \
    "$(timeout 60 "$wholenet" run -c "$tmp/site.conf" -- sh "$tmp/ask.sh" "$tmp/blob" 2>"$tmp/log" | tr '\n' ' ')" \
    "inside same same host same same 502 "
finish
