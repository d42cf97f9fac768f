#!/bin/sh
# SPDX-License-Identifier: ISC
# WebDAV: litmus, cadaver, and what they do not look at, over HTTP/1.1 and HTTP/2.
. tests/lib.sh

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
at=http://127.0.0.1:$port
mkdir -p "$tmp/www/dav" "$tmp/www/plain"
echo outside >"$tmp/outside"
ln -s "$tmp/outside" "$tmp/www/dav/link"
cat >"$tmp/site.conf" <<SITE
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$port"}
    root = "$tmp/www"
    location "/dav/" { webdav = on }
}
SITE
"$wholenet" serve -v "$tmp/site.conf" 2>"$tmp/log" &
server=$!
children="$children $server"
wait_for curl -sf "$at/.wholenet/healthz" || cat "$tmp/log"

get() {
    curl -s --path-as-is --max-time 20 "$@"
}
status_of() {
    get -o /dev/null -w '%{http_code}' "$@"
}

if command -v litmus >/dev/null; then
    (cd "$tmp" && litmus "$at/dav/" >"$tmp/litmus.log" 2>&1)
    equal "litmus: basic, copymove, props, locks, http" "$(grep -c 'FAIL' "$tmp/litmus.log")" 0
    equal "… all of them" "$(grep -c '^<- summary' "$tmp/litmus.log")" 5
    grep -E 'FAIL|WARNING|summary' "$tmp/litmus.log" | sed 's/^/# /'
else
    skip "litmus" "litmus is not here"
fi
if command -v cadaver >/dev/null; then
    echo content >"$tmp/local.txt"
    printf 'mkcol box\nput %s box/a.txt\ncopy box/a.txt box/b.txt\nmove box/b.txt c.txt\npropset box/a.txt colour blue\npropget box/a.txt colour\nls box\ndelete box/a.txt\nrmcol box\nquit\n' \
        "$tmp/local.txt" | HOME=$tmp cadaver "$at/dav/" >"$tmp/cadaver.log" 2>&1
    equal "cadaver: nothing fails" "$(grep -ci 'failed' "$tmp/cadaver.log")" 0
    contains "cadaver: a property" "$(cat "$tmp/cadaver.log")" blue
    equal "cadaver: a move" "$(get "$at/dav/c.txt")" content
    grep -i failed "$tmp/cadaver.log" | sed 's/^/# /'
else
    skip "cadaver" "cadaver is not here"
fi

contains "OPTIONS says what there is" "$(get -D - -o /dev/null -X OPTIONS "$at/dav/" | tr -d '\r')" "DAV: 1, 2"
equal "not elsewhere" "$(status_of -X PROPFIND -H 'Depth: 0' "$at/plain/")" 405
echo '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><propfind xmlns="DAV:"><prop><x>&b;</x></prop></propfind>' >"$tmp/entities.xml"
for version in --http1.1 --http2-prior-knowledge; do
    equal "a folder $version" "$(status_of $version -X MKCOL "$at/dav/f")" 201
    equal "once $version" "$(status_of $version -X MKCOL "$at/dav/f")" 405
    equal "not below nothing $version" "$(status_of $version -X MKCOL "$at/dav/none/f")" 409
    equal "not with a body $version" "$(status_of $version -X MKCOL -d x "$at/dav/g")" 415
    equal "a file $version" "$(status_of $version -T "$tmp/log" "$at/dav/f/a%20b.txt")" 201
    contains "members $version" "$(get $version -X PROPFIND -H 'Depth: 1' "$at/dav/f")" "<D:href>/dav/f/a%20b.txt</D:href>"
    equal "not for ever down $version" "$(status_of $version -X PROPFIND "$at/dav/f")" 403
    contains "… and why $version" "$(get $version -X PROPFIND -H 'Depth: infinity' "$at/dav/f")" propfind-finite-depth
    equal "entities are refused $version" "$(status_of $version -X PROPFIND -H 'Depth: 0' --data-binary @"$tmp/entities.xml" "$at/dav/f")" 400
    equal "no XML $version" "$(status_of $version -X PROPFIND -H 'Depth: 0' -d 'x' "$at/dav/f")" 400
    contains "a live property is not set $version" "$(get $version -X PROPPATCH -d '<propertyupdate xmlns="DAV:"><set><prop><getetag>x</getetag><a xmlns="urn:x">1</a></prop></set></propertyupdate>' "$at/dav/f")" \
        "424 Failed Dependency"
    contains "a dead one is $version" "$(get $version -X PROPPATCH -d '<propertyupdate xmlns="DAV:"><set><prop><a xmlns="urn:x">1 &#60; 2<b c="d"/></a></prop></set></propertyupdate>' "$at/dav/f/a%20b.txt")" "200 OK"
    equal "a copy with all in it $version" "$(status_of $version -X COPY -H "Destination: $at/dav/g" "$at/dav/f")" 201
    contains "and its properties $version" "$(get $version -X PROPFIND -H 'Depth: 0' -d '<propfind xmlns="DAV:"><prop><a xmlns="urn:x"/></prop></propfind>' "$at/dav/g/a%20b.txt")" \
        '<a xmlns="urn:x">1 &#60; 2<b xmlns="urn:x" c="d"></b></a>'
    equal "not over what is there $version" "$(status_of $version -X MOVE -H 'Overwrite: F' -H "Destination: $at/dav/g" "$at/dav/f")" 412
    equal "over it $version" "$(status_of $version -X MOVE -H "Destination: $at/dav/g" "$at/dav/f")" 204
    equal "what was moved is gone $version" "$(status_of $version "$at/dav/f/")" 404
    equal "not into itself $version" "$(status_of $version -X COPY -H "Destination: $at/dav/g/h" "$at/dav/g")" 403
    equal "not to another server $version" "$(status_of $version -X COPY -H "Destination: http://example.org/dav/h" "$at/dav/g")" 502
    equal "not out of the location $version" "$(status_of $version -X COPY -H "Destination: $at/plain/h" "$at/dav/g")" 403
    equal "properties are no files $version" "$(status_of $version "$at/dav/g/.davprops.a%20b.txt")" 404
    equal "nor written $version" "$(status_of $version -T "$tmp/log" "$at/dav/g/.davprops")" 403
    equal "a link is not followed $version" "$(status_of $version -X PROPFIND -H 'Depth: 0' "$at/dav/link")" 403
    etag=$(get $version -D - -o /dev/null "$at/dav/g/a%20b.txt" | tr -d '\r' | sed -n 's/^etag: //Ip')
    equal "If that fails $version" "$(status_of $version -X DELETE -H 'If: (["no"])' "$at/dav/g/a%20b.txt")" 412
    equal "If of a lock $version" "$(status_of $version -T "$tmp/log" -H 'If: (<urn:uuid:x>)' "$at/dav/g/a%20b.txt")" 412
    equal "If that is none $version" "$(status_of $version -X DELETE -H 'If: x' "$at/dav/g/a%20b.txt")" 400
    equal "If that holds $version" "$(status_of $version -X DELETE -H "If: ([$etag])" "$at/dav/g/a%20b.txt")" 204
    equal "a folder goes $version" "$(status_of $version -X DELETE "$at/dav/g")" 204
    equal "once $version" "$(status_of $version -X DELETE "$at/dav/g")" 404
done
lockinfo='<lockinfo xmlns="DAV:"><lockscope><exclusive/></lockscope><locktype><write/></locktype><owner>me &amp; you</owner></lockinfo>'
lock() {
    get -D - -X LOCK -H "Depth: $2" -H "Timeout: Second-$3" -d "$lockinfo" "$at$1" | tr -d '\r'
}
token_of() {
    sed -n 's/^lock-token: //Ip'
}
get -o /dev/null -X MKCOL "$at/dav/l"
get -o /dev/null -T "$tmp/log" "$at/dav/l/f"
held=$(lock /dav/l infinity 100)
token=$(echo "$held" | token_of)
contains "a lock says whose it is" "$held" "<D:owner>me &#38; you</D:owner>"
contains "and how long it is" "$held" "<D:timeout>Second-100</D:timeout>"
contains "it is told of what is below" "$(get -X PROPFIND -H 'Depth: 0' "$at/dav/l/f")" "<D:activelock>"
equal "what is below is locked" "$(status_of -T "$tmp/log" "$at/dav/l/f")" 423
equal "not who has the token" "$(status_of -T "$tmp/log" -H "If: <$at/dav/l> ($token)" "$at/dav/l/f")" 204
equal "a token of nobody" "$(status_of -T "$tmp/log" -H "If: (<urn:uuid:x>)" "$at/dav/l/f")" 412
equal "nothing comes in" "$(status_of -X COPY -H "Destination: $at/dav/l/g" "$at/dav/link2")" 404
equal "… nor is moved out" "$(status_of -X MOVE -H "Destination: $at/dav/out" "$at/dav/l/f")" 423
equal "another lock is excluded" "$(status_of -X LOCK -d "$lockinfo" "$at/dav/l/f")" 423
equal "a refresh" "$(status_of -X LOCK -H "If: ($token)" -H 'Timeout: Infinite' "$at/dav/l")" 200
equal "an unlock of another's" "$(status_of -X UNLOCK -H 'Lock-Token: <urn:uuid:x>' "$at/dav/l")" 409
equal "an unlock" "$(status_of -X UNLOCK -H "Lock-Token: $token" "$at/dav/l")" 204
equal "then it is free" "$(status_of -T "$tmp/log" "$at/dav/l/f")" 204
lock /dav/l/f 0 1 >/dev/null
equal "a short lock" "$(status_of -T "$tmp/log" "$at/dav/l/f")" 423
free_again() {
    [ "$(status_of -T "$tmp/log" "$at/dav/l/f")" = 204 ]
}
check "ends by itself" wait_for free_again
lock /dav/l/new 0 100 >"$tmp/new"
contains "what is not there is made" "$(cat "$tmp/new")" " 201 "
equal "a lock goes with what it is on" "$(status_of -X DELETE -H "If: ($(token_of <"$tmp/new"))" "$at/dav/l/new") $(status_of -T "$tmp/log" "$at/dav/l/new")" "204 201"
equal "a lock of no kind" "$(status_of -X LOCK -d '<lockinfo xmlns="DAV:"/>' "$at/dav/l/f")" 422
equal "the top stays" "$(status_of -X DELETE "$at/dav/")" 403
mkdir -p "$tmp/www/dav/many/deep/er"
for i in $(seq 300); do echo $i >"$tmp/www/dav/many/deep/$i"; done
head -c 30000000 /dev/zero >"$tmp/www/dav/many/deep/er/large"
equal "a large folder" "$(status_of -X COPY -H "Destination: $at/dav/more" "$at/dav/many")" 201
check "as it was" diff -r "$tmp/www/dav/many" "$tmp/www/dav/more"
equal "is removed" "$(status_of -X DELETE "$at/dav/more")" 204
nothing_left() {
    ! ls -A "$tmp/www/dav" | grep -q '^\.dav-'
}
check "with nothing left behind" wait_for nothing_left
kill $server
wait $server
equal "it ends well" $? 0
finish
