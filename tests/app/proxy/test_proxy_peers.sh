#!/bin/sh
# SPDX-License-Identifier: ISC
# The proxy and the web server beside those of others: h2o and nginx behind our proxy, h2o and nginx before our
# web server, our web server's locations before them, and Squid, with a cache, on either side.
. tests/lib.sh

set -- $(python3 -c 'import socket
s = [socket.create_server(("127.0.0.1", 0)) for _ in range(8)]
print(*[x.getsockname()[1] for x in s])')
web=$1 proxy=$2 h2o=$3 nginx=$4 squid=$5 chained=$6 parent=$7 origin=$8
listens() {
    wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $1))" || echo "# nobody listens on port $1"
}
start() {
    "$@" >>"$tmp/children.log" 2>&1 &
    started=$!
    children="$children $started"
}
mkdir -p "$tmp/www" "$tmp/nginx" "$tmp/squid"
chmod 777 "$tmp/squid"
seq 1 200000 >"$tmp/www/numbers.txt"
touch -d "10 days ago" "$tmp/www/numbers.txt"
head -c 3000000 /dev/urandom >"$tmp/upload"
want=$(cksum <"$tmp/www/numbers.txt")
start python3 tests/support/origin_server.py "$origin"
cat >"$tmp/web.conf" <<SITE
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$web"} root = "$tmp/www"
    location "/h2o/" { pass = {"http://127.0.0.1:$h2o/files/"} }
    location "/nginx/" { pass = {"http://127.0.0.1:$nginx/files/"} pass-cache = 16M }
    location "/origin/" { pass = {"127.0.0.1:$origin"} }
    location "= /length" { pass = {"127.0.0.1:$origin"} }
}
proxy { listen = {"127.0.0.1:$proxy"} name = ours connect-ports = {$web} }
SITE
start "$wholenet" serve "$tmp/web.conf"
listens "$web"
listens "$proxy"
get() {
    curl -sS --max-time 20 "$@"
}
how() {
    get -o /dev/null -D - "$@" | tr -d '\r' | sed -n 's/^Cache-Status: "ours"; \([a-z-]*\).*/\1/p'
}

if command -v h2o >/dev/null; then
    cat >"$tmp/h2o.conf" <<H2O
listen: {host: 127.0.0.1, port: $h2o}
num-threads: 1
hosts:
  "default":
    paths:
      "/files":
        file.dir: $tmp/www
      "/back":
        proxy.reverse.url: "http://127.0.0.1:$web/"
H2O
    start h2o -c "$tmp/h2o.conf"
    listens "$h2o"
    at=http://127.0.0.1:$h2o
    equal "h2o behind our proxy" "$(get -x "http://127.0.0.1:$proxy" "$at/files/numbers.txt" | cksum)" "$want"
    equal "… stored" "$(how -x "http://127.0.0.1:$proxy" "$at/files/numbers.txt")" hit
    equal "… and validated" "$(get -x "http://127.0.0.1:$proxy" -H 'Cache-Control: no-cache' "$at/files/numbers.txt" | cksum)" "$want"
    equal "a range of it" "$(get -x "http://127.0.0.1:$proxy" -r 100-199 "$at/files/numbers.txt")" "$(tail -c +101 "$tmp/www/numbers.txt" | head -c 100)"
    equal "h2o before our server" "$(get "$at/back/numbers.txt" | cksum)" "$want"
    equal "… by HTTP/2" "$(get --http2-prior-knowledge "$at/back/numbers.txt" | cksum)" "$want"
    equal "… with content" "$(get -T "$tmp/upload" "$at/back/length")" 3000000
    equal "… in chunks" "$(get "$at/back/origin/c?size=300000&chunked=1" | wc -c)" 300000
    equal "our location before h2o" "$(get "http://127.0.0.1:$web/h2o/numbers.txt" | cksum)" "$want"
    equal "… by HTTP/2" "$(get --http2-prior-knowledge "http://127.0.0.1:$web/h2o/numbers.txt" | cksum)" "$want"
    contains "… whose redirects are the client's" \
        "$(mkdir -p "$tmp/www/d"; get -o /dev/null -D - "http://127.0.0.1:$web/h2o/d")" "/h2o/d/"
else
    skip "h2o" "there is no h2o"
fi

if command -v nginx >/dev/null; then
    cat >"$tmp/nginx.conf" <<NGINX
pid $tmp/nginx/pid;
error_log $tmp/nginx/error.log;
daemon off;
events {}
http {
    access_log off;
    client_max_body_size 100m;
    client_body_temp_path $tmp/nginx/b; proxy_temp_path $tmp/nginx/p; fastcgi_temp_path $tmp/nginx/f;
    uwsgi_temp_path $tmp/nginx/u; scgi_temp_path $tmp/nginx/s;
    upstream ours { server 127.0.0.1:$web; keepalive 4; }
    server {
        listen 127.0.0.1:$nginx;
        location /files/ { alias $tmp/www/; }
        location /back/ { proxy_pass http://ours/; proxy_http_version 1.1; proxy_set_header Connection ""; }
    }
}
NGINX
    start nginx -c "$tmp/nginx.conf"
    listens "$nginx"
    at=http://127.0.0.1:$nginx
    equal "nginx before our server, which keeps its connections" \
        "$(for i in 1 2 3; do get "$at/back/numbers.txt" | cksum; done | sort -u)" "$want"
    equal "… with content" "$(get -T "$tmp/upload" "$at/back/length")" 3000000
    equal "our location before nginx" "$(get "http://127.0.0.1:$web/nginx/numbers.txt" | cksum)" "$want"
    equal "… with a cache" "$(get "http://127.0.0.1:$web/nginx/numbers.txt" | cksum)" "$want"
    contains "… that says so" "$(get -o /dev/null -D - "http://127.0.0.1:$web/nginx/numbers.txt")" "; hit"
else
    skip "nginx" "there is no nginx"
fi

if command -v squid >/dev/null; then
    squid_site() { # NAME PORT OPTIONS
        cat >"$tmp/$1.conf" <<SQUID
http_port 127.0.0.1:$2
pid_filename none
cache_log $tmp/squid/$1.log
access_log none
coredump_dir $tmp/squid
netdb_filename none
cache_mem 16 MB
http_access allow all
shutdown_lifetime 0 seconds
visible_hostname $1
$3
SQUID
        start squid -N -f "$tmp/$1.conf"
        listens "$2"
    }
    squid_site child "$squid" "cache_peer 127.0.0.1 parent $proxy 0 no-query no-digest default name=ours
never_direct allow all"
    squid_site parent "$parent" ""
    printf 'link "host" { address = "127.0.0.1/8" }\nproxy { listen = {"127.0.0.1:%s"} name = ours parents = {"127.0.0.1:%s"} }\n' \
        "$chained" "$parent" >"$tmp/chained.conf"
    start "$wholenet" serve "$tmp/chained.conf"
    listens "$chained"
    at=http://127.0.0.1:$origin
    ok100="h=Cache-Control:max-age=100&h=ETag:%22q%22"
    equal "Squid with a cache is our child" "$(for i in 1 2; do get -x "http://127.0.0.1:$squid" "$at/q?body=q&$ok100"; done)" q1q1
    equal "… and what it validates, we have" \
        "$(get -x "http://127.0.0.1:$squid" -H 'Cache-Control: max-age=0' "$at/q?body=q&$ok100" | cut -c1)" q
    equal "… a large one" "$(get -x "http://127.0.0.1:$squid" "$at/big?size=20000000" | wc -c)" 20000000
    equal "… an upload" "$(get -x "http://127.0.0.1:$squid" -T "$tmp/upload" "$at/length")" 3000000
    equal "Squid with a cache is our parent" "$(for i in 1 2; do get -x "http://127.0.0.1:$chained" "$at/p?body=p&$ok100"; done)" p1p1
    equal "… and knows what we have forgotten" "$(get -X PURGE -x "http://127.0.0.1:$chained" "$at/p?body=p&$ok100"
        get -x "http://127.0.0.1:$chained" "$at/p?body=p&$ok100")" '{"purged": 1}
p1'
    contains "… both speak of it" "$(get -o /dev/null -D - -x "http://127.0.0.1:$chained" "$at/both?body=b&$ok100")" "1.1 parent"
    equal "… an upload in chunks" "$(get -x "http://127.0.0.1:$chained" -H 'Transfer-Encoding: chunked' -T - "$at/length" <"$tmp/upload")" 3000000
else
    skip "Squid" "there is no Squid"
fi
finish
