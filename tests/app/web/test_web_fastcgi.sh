#!/bin/sh
# SPDX-License-Identifier: ISC
# Requests that FastCGI applications answer: what they are told, bodies both ways, redirects, early hints,
# events, and what goes wrong with them, over HTTP/1.1 and HTTP/2.
. tests/lib.sh

free_port() {
    python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
port=$(free_port)
app_port=$(free_port)
dead_port=$(free_port)
at=http://127.0.0.1:$port
mkdir -p "$tmp/www/cgi"
seq 1 1000 >"$tmp/www/numbers.txt"
head -c 3000000 /dev/urandom >"$tmp/blob"
cat >"$tmp/www/cgi/hello.sh" <<'CGI'
#!/bin/sh
printf 'Content-Type: text/plain\n\n%s %s %s\n' "$REQUEST_METHOD" "$PATH_INFO" "$(cat)"
CGI
chmod +x "$tmp/www/cgi/hello.sh"
mkdir "$tmp/www/site"
cp -p "$tmp/www/cgi/hello.sh" "$tmp/www/site/index.wrap"
cat >"$tmp/site.conf" <<SITE
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$port"}
    root = "$tmp/www"
    header = {"X-Rule: yes"}
    index = {"index.html", "index.wrap"}
    location "*.wrap" { fastcgi = {"unix:$tmp/wrap.sock"} }
    location "= /numbers.txt" { early-hints = "</numbers.css>; rel=preload" }
    location "/app/" { fastcgi = {"unix:$tmp/app.sock"}
        param = {"APP_MODE two words"}
        body-max = 5M }
    location "/tcp" { fastcgi = {"127.0.0.1:$app_port"}
        answer-timeout = 1s }
    location "/pair/" { fastcgi = {"unix:$tmp/app.sock", "127.0.0.1:$app_port"} }
    location "/half/" { fastcgi = {"127.0.0.1:$dead_port", "unix:$tmp/app.sock"} }
    location "/dead/" { fastcgi = {"127.0.0.1:$dead_port", "unix:$tmp/nobody.sock"} }
    location "/files/" { fastcgi = {"unix:$tmp/wrap.sock"}
        script = files
        rewrite = {"/files/* /cgi/*"} }
    location "/cgi/" { fastcgi = {"unix:$tmp/wrap.sock"}
        script = files }
}
SITE
app=tests/app/web/fcgi_app.py
python3 $app "$tmp/app.sock" one 2>"$tmp/one.log" &
children="$children $!"
python3 $app "$app_port" two 2>"$tmp/two.log" &
children="$children $!"
"$wholenet" serve -v "$tmp/site.conf" 2>"$tmp/log" &
server=$!
children="$children $server"
wait_for curl -sf "$at/" || cat "$tmp/log"
wait_for curl -sf "$at/app/who"
wait_for curl -sf "$at/tcp/who"

lacks() {
    case $2 in
    *"$3"*) not_ok "$1" ;;
    *) ok "$1" ;;
    esac
}
get() {
    curl -s --path-as-is --max-time 20 "$@"
}
status_of() {
    get -o /dev/null -w '%{http_code}' "$@"
}
head_of() {
    get -D - -o /dev/null "$@" | tr -d '\r'
}

# ---- what it is told: RFC 3875 §4.1 ----
env=$(get -H 'X-Some-Thing: a' -H 'X-Some-Thing: b' -H 'Proxy: evil' -H 'X_Some_Thing: spoof' \
    -H 'Cookie: k=v' "$at/app/env?x=1&y=%20")
for want in GATEWAY_INTERFACE=CGI/1.1 "SCRIPT_NAME=/app" "PATH_INFO=/env" "PATH_TRANSLATED=$tmp/www/env" \
    "QUERY_STRING=x=1&y=%20" "REQUEST_URI=/app/env?x=1&y=%20" REQUEST_METHOD=GET REMOTE_ADDR=127.0.0.1 \
    SERVER_NAME=127.0.0.1 "SERVER_PORT=$port" SERVER_PROTOCOL=HTTP/1.1 "DOCUMENT_ROOT=$tmp/www" \
    "HTTP_X_SOME_THING=a, b" HTTP_COOKIE=k=v "APP_MODE=two words" REQUEST_SCHEME=http; do
    contains "told: $want" "$env" "$want"
done
lacks "httpoxy" "$env" HTTP_PROXY
lacks "no length without a body" "$env" CONTENT_LENGTH
lacks "a field with an underscore passes for no other" "$env" spoof
contains "by HTTP/2" "$(get --http2-prior-knowledge "$at/app/env")" "SERVER_PROTOCOL=HTTP/2"
contains "a body's length and type" "$(get -d a=b "$at/app/env")" "CONTENT_LENGTH=3"
contains "a path is decoded" "$(get "$at/tcp/env/%41")" "no such thing"
contains "the rule's fields" "$(head_of "$at/app/env")" "X-Rule: yes"
contains "the program's fields" "$(head_of "$at/app/env")" "X-App: one"

# ---- bodies ----
for version in --http1.1 --http2-prior-knowledge; do
    get $version --data-binary @"$tmp/blob" -o "$tmp/back" "$at/app/echo"
    equal "3 MB there and back $version" "$(cmp "$tmp/blob" "$tmp/back" && echo same)" same
    equal "of unknown length, gathered $version" \
        "$(head -c 500000 "$tmp/blob" | get $version -T - -X POST "$at/app/length" | tr -d ' ')" 500000
    equal "gathered no further $version" "$(status_of $version -X POST -T - "$at/app/length" <"$tmp/blob")" 411
    equal "longer than the rule has it $version" \
        "$(head -c 6000000 /dev/zero | status_of $version --data-binary @- "$at/app/length")" 413
    equal "20 MB back $version" "$(get $version "$at/app/big/20000000" | wc -c)" 20000000
    equal "an answer before the body $version" \
        "$(status_of $version --data-binary @"$tmp/blob" "$at/tcp/early")" 403
    equal "HEAD $version" "$(get $version -I -w '%{http_code} %{size_download}' -o /dev/null "$at/app/big/100000")" "200 0"
    equal "a status $version" "$(status_of $version "$at/app/status")" 418
    equal "204 $version" "$(status_of $version "$at/app/none")" 204
    equal "a head of 9 KB $version" "$(head_of $version "$at/app/cookies" | grep -ic '^set-cookie: c')" 30
    equal "more than it announced $version" "$(get $version "$at/app/long")" part
    get $version -o /dev/null "$at/app/short" && not_ok "less than announced $version" || ok "less than announced $version"
    get $version -o /dev/null "$at/app/cut" && not_ok "cut off $version" || ok "cut off $version"
    equal "a local redirect $version" "$(get $version "$at/app/local" | tail -1)" 1000
    equal "a local redirect of a form $version" "$(get $version -d x=y "$at/app/local" | head -1)" 1
    equal "redirects for ever $version" "$(status_of $version "$at/app/self")" 502
    contains "a redirect elsewhere $version" "$(get $version -o /dev/null -w '%{http_code} %{redirect_url}' "$at/app/away")" \
        "302 http://example.org/x"
    contains "one with its own status $version" "$(get $version -o /dev/null -w '%{http_code} %{redirect_url}' "$at/app/moved")" \
        "301 $at/there"
    equal "no head $version" "$(status_of $version "$at/app/malformed")" 502
    equal "nothing $version" "$(status_of $version "$at/app/empty")" 502
    equal "no records $version" "$(status_of $version "$at/app/garbage")" 502
    equal "overloaded $version" "$(status_of $version "$at/app/full")" 503
    equal "none is there $version" "$(status_of $version "$at/dead/who")" 502
    equal "one of two is there $version" "$(get $version "$at/half/who" | cut -d' ' -f1)" one
    equal "too slow $version" "$(status_of $version "$at/tcp/slow")" 504
    events=$(get $version -N --max-time 2 "$at/app/tick" | grep -c data:)
    equal "events come as they are made $version" "$([ "$events" -ge 4 ] && [ "$events" -le 8 ] && echo yes)" yes
    equal "hints of the rule $version" "$(get $version -D - -o /dev/null "$at/numbers.txt" | grep -ic '^link: </numbers.css>')" 1
    contains "early hints $version" "$(get $version -D - -o /dev/null "$at/app/hints" | tr -d '\r')" "rel=preload"
done
equal "100 (Continue)" "$(get -v -H 'Expect: 100-continue' --data-binary @"$tmp/blob" -o /dev/null "$at/app/echo" 2>&1 | grep -c '< HTTP/1.1 100')" 1
equal "HTTP/1.0" "$(get --http1.0 "$at/app/big/100000" | wc -c)" 100000
equal "a reader that is slow" "$(get --limit-rate 2M "$at/app/big/5000000" | wc -c)" 5000000

# ---- connections and servers ----
a=$(get "$at/pair/who" | cut -d' ' -f1)
b=$(get "$at/pair/who" | cut -d' ' -f1)
equal "two are asked in turn" "$(printf '%s\n%s\n' "$a" "$b" | sort | tr '\n' ' ')" "one two "
before=$(ss -xtn 2>/dev/null | grep -c "$tmp/app.sock")
i=0
while [ $i -lt 50 ]; do get -o /dev/null "$at/app/who"; i=$((i + 1)); done
after=$(ss -xtn 2>/dev/null | grep -c "$tmp/app.sock")
equal "connections are kept" "$([ "$after" -le $((before + 2)) ] && echo yes)" yes
get --max-time 1 "$at/app/tick" >/dev/null
wait_for grep -q 'one: gone' "$tmp/one.log"
ok "an application is told that the client has gone"
get "$at/app/stderr" >/dev/null
wait_for grep -q 'a complaint' "$tmp/log"
contains "what it complains of" "$(cat "$tmp/log")" "/app/stderr: of two lines"

# ---- a peer of others ----
if command -v fcgiwrap >/dev/null && command -v spawn-fcgi >/dev/null; then
    spawn-fcgi -n -s "$tmp/wrap.sock" -- "$(command -v fcgiwrap)" 2>/dev/null &
    children="$children $!"
    wait_for test -S "$tmp/wrap.sock"
    equal "fcgiwrap" "$(get -d 'a form' "$at/cgi/hello.sh/more")" "POST /more a form"
    equal "fcgiwrap, HTTP/2" "$(get --http2-prior-knowledge "$at/files/hello.sh")" "GET  "
    equal "an index that is a program" "$(get "$at/site/")" "GET  "
    equal "no such program" "$(status_of "$at/cgi/none.sh")" 404
    equal "a folder is none" "$(status_of "$at/cgi/")" 404
else
    skip "fcgiwrap" "fcgiwrap or spawn-fcgi is not here"
fi

if command -v h2load >/dev/null; then
    contains "many at once" "$(h2load -n 2000 -c 10 -m 10 "$at/app/who" 2>/dev/null)" "2000 succeeded"
fi
kill -0 $server && ok "the server goes on" || not_ok "the server goes on"
kill $server
wait $server
equal "it ends well" $? 0
finish
