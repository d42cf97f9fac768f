#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet get: methods, bodies, redirects, credentials, cookies, codings, files that are gone on with,
# retries, proxies, TLS, what is reported, exit status.
. tests/lib.sh
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY

python3 -u tests/support/odd_server.py >"$tmp/port" 2>"$tmp/server.log" &
children="$children $!"
wait_for test -s "$tmp/port"
at=http://127.0.0.1:$(cat "$tmp/port")
get() { capture "$wholenet" get "$@"; }
# A member of what /echo has told.
told() { printf '%s' "$out" | python3 -c "import json,sys; t=json.load(sys.stdin); print(($1))"; }

# ---- what there is ----
get $at/echo/x
equal "a page: status 0" "$status" 0
equal "GET" "$(told 't["method"], t["path"], t["version"]')" "('GET', '/echo/x', 'HTTP/1.1')"
contains "who we are" "$(told 't["fields"]["user-agent"]')" "wholenet/"
get "${at#http://}/echo"
equal "http:// may be left out" "$status" 0
get "$at/echo/a b?c=é#f"
equal "what may not stand in a URL is encoded" "$(told 't["path"]')" "/echo/a%20b?c=%C3%A9"
get $at/nothing
equal "404: status 8" "$status" 8
equal "… the page is shown" "$out" "nothing here"
contains "… and why" "$err" "404 Not Found"
get -o "$tmp/kept" $at/echo
cp "$tmp/kept" "$tmp/before"
get -o "$tmp/kept" $at/nothing
check "an error's page takes no file's place" cmp "$tmp/kept" "$tmp/before"
get $at/chunks
equal "chunks" "$out" "hello world"
get $at/hint
equal "interim responses are no answer" "$out" "after a hint"
get -I $at/echo
contains "HEAD" "$out" "HTTP/1.1 200 OK"
get -i $at/chunks
contains "-i: the head" "$out" "Transfer-Encoding: chunked"
contains "-i: the body" "$out" "hello world"
get -0 $at/echo
equal "HTTP/1.0" "$(told 't["version"]')" "HTTP/1.0"
get -X PATCH $at/echo
equal "-X" "$(told 't["method"]')" PATCH
get -H "X-One: 1" -H "Accept:" -H "X-Empty;" -H "User-Agent: me" -H "Host: other.test" $at/echo
equal "-H" "$(told '[t["fields"].get(k) for k in ("x-one","accept","x-empty","user-agent","host")]')" \
    "['1', None, '', 'me', 'other.test']"
get $at/echo $at/echo $at/echo
equal "one connection for several" \
    "$(printf '%s' "$out" | python3 -c 'import json,sys; print([json.loads(l)["seen"] for l in sys.stdin])')" "[1, 2, 3]"
get $at/close $at/echo
contains "a connection that was closed is replaced" "$out" '"seen": 1'
equal "… without a word" "$status$err" 0

# ---- as with curl and wget ----
get -fsSL $at/nothing
equal "-f: no page of an error" "$status$out" 8
contains "-S: but what it was" "$err" "404 Not Found"
get -s $at/nothing
equal "-s: not a word" "$status$out$err" "8nothing here"
get --compressed -L -m 5.5 $at/chunks
equal "-L, --compressed, seconds without a unit" "$status$out" "0hello world"
get -s -o "$tmp/o" --write-out '%{http_code} %{size_download} %{num_redirects} %{nope} 100%% %{method} %{filename_effective}\t\\|' $at/chunks
equal "--write-out" "$status$out" "0200 11 0 %{nope} 100% GET $tmp/o	\\|"
get -s --write-out '%{http_code} %{exitcode}' http://127.0.0.1:9/
equal "--write-out of what has failed" "$status$out" "40 4"
get -w '%{http_code}' $at/x
contains "-w is not curl's" "$err" "--write-out"
for pair in "--request:--method" "--cacert:--ca-file" "--no-check-certificate:--insecure" "-D:--include" "--tries:--retry" "-O-:-o FILE"; do
    get "${pair%%:*}" $at/x
    equal "${pair%%:*}: status 2" "$status" 2
    contains "… it is told what it is here" "$err" "${pair#*:}"
done
printf 'hello' >"$tmp/begun"
get -C - -o "$tmp/begun" $at/chunks
equal "-C -" "$status$err" 0
get -x "" $at/chunks
equal "-x '': no proxy" "$status" 0
get --level 0 --recursive -P "$tmp/mirror" $at/chunks
equal "--level 0" "$status" 0

# ---- bodies ----
get -d a=1 -d b=2 $at/echo
equal "-d" "$(told 't["method"], t["body"], t["fields"]["content-type"]')" \
    "('POST', 'a=1&b=2', 'application/x-www-form-urlencoded')"
printf 'one\r\ntwo\n' >"$tmp/lines"
get -d @"$tmp/lines" $at/echo
equal "-d @file without line ends" "$(told 't["body"]')" onetwo
get --data-raw @"$tmp/lines" $at/echo
equal "--data-raw @file with them" "$(told 'repr(t["body"])')" "'one\\r\\ntwo\\n'"
get --data-urlencode "q=a b&é" $at/echo
equal "--data-urlencode" "$(told 't["body"]')" "q=a%20b%26%C3%A9"
get -G -d q=1 --data-urlencode "r= " "$at/echo?p=0"
equal "-G" "$(told 't["method"], t["path"], t["len"]')" "('GET', '/echo?p=0&q=1&r=%20', 0)"
get -F "a=text;type=text/html" -F "f=@$tmp/lines;filename=\"x\".txt" -F "n=<$tmp/lines" $at/echo
equal "-F" "$(told 'repr(t["body"].replace(t["fields"]["content-type"].split("boundary=")[1], "B"))')" \
    "'--B\\r\\nContent-Disposition: form-data; name=\"a\"\\r\\nContent-Type: text/html\\r\\n\\r\\ntext\\r\\n--B\\r\\nContent-Disposition: form-data; name=\"f\"; filename=\"%22x%22.txt\"\\r\\nContent-Type: application/octet-stream\\r\\n\\r\\none\\r\\ntwo\\n\\r\\n--B\\r\\nContent-Disposition: form-data; name=\"n\"\\r\\n\\r\\none\\r\\ntwo\\n\\r\\n--B--\\r\\n'"
head -c 5000000 /dev/urandom >"$tmp/large"
get -T "$tmp/large" $at/echo/
equal "-T" "$(told 't["method"], t["path"], t["len"], t["sha"]')" \
    "('PUT', '/echo/large', 5000000, '$(sha_of <"$tmp/large")')"
"$wholenet" get -T - $at/echo <"$tmp/large" >"$tmp/out"
out=$(cat "$tmp/out")
equal "-T - of a file" "$(told 't["sha"], t["fields"].get("content-length")')" "('$(sha_of <"$tmp/large")', '5000000')"
cat "$tmp/large" | "$wholenet" get -T - $at/echo >"$tmp/out"
out=$(cat "$tmp/out")
equal "-T - of a pipe, in chunks" "$(told 't["sha"], t["fields"].get("transfer-encoding")')" \
    "('$(sha_of <"$tmp/large")', 'chunked')"
get -d @"$tmp/none" $at/echo
contains "a file that is not there" "$err" "No such file"

# ---- redirects ----
for case in "301 GET GET" "302 POST GET" "303 PUT GET" "307 POST POST" "308 PUT PUT"; do
    set -- $case
    get -X $2 -d x $at/redirect/$1/y
    equal "$1 after $2" "$(told 't["method"], t["path"]')" "('$3', '/echo/y')"
done
get --keep-method -d x $at/redirect/301
equal "--keep-method" "$(told 't["method"], t["body"]')" "('POST', 'x')"
get --max-redirects 0 $at/redirect/301
equal "--max-redirects 0" "$status$out" 0elsewhere
get --max-redirects 5 $at/round
equal "round and round: status 9" "$status" 9
get -H "Authorization: a" -H "Cookie: c=1" "$at/redirect/302?http://localhost:${at##*:}/echo"
equal "secrets are not for another origin" \
    "$(told 't["fields"]["host"].split(":")[0], t["fields"].get("authorization"), t["fields"].get("cookie")')" "('localhost', None, None)"
get "$at/redirect/302?mailto:x"
equal "Location without a host: status 5" "$status" 5

# ---- credentials ----
get -u me:secret $at/basic
equal "Basic when asked" "$out" "welcome 2"
get --basic -u me:secret $at/basic
equal "--basic at once" "$out" "welcome 1"
get "http://me:secret@${at#http://}/basic"
equal "of the URL" "$out" "welcome 2"
get -u me:secret -d x=1 $at/basic
equal "the body again" "$out" "welcome 2
x=1"
get -u me:wrong $at/basic
equal "wrong ones: status 8" "$status" 8
get $at/basic
equal "none" "$status" 8
get -u me:secret $at/digest $at/digest $at/digest
equal "Digest, also when the nonce is stale" "$out" "welcome
welcome
welcome"
get -u "me:secret" "$at/redirect/302?http://localhost:${at##*:}/basic"
equal "-u is not for another origin" "$status" 8

# ---- cookies ----
get -c "$tmp/jar" "$at/set?a=1;Path=/&b=2;Path=/echo;Max-Age=1000&c=3;Path=/;Max-Age=0"
get -c "$tmp/jar" $at/echo
equal "a jar" "$(told 't["fields"]["cookie"]')" "b=2; a=1"
equal "… that others may not read" "$(stat -c %a "$tmp/jar")" 600
get -b "$tmp/jar" $at/echo
equal "-b FILE" "$(told 't["fields"]["cookie"]')" "b=2; a=1"
get -b "x=9" -c "$tmp/jar" $at/echo
equal "-b DATA" "$(told 't["fields"]["cookie"]')" "x=9; b=2; a=1"
if command -v curl >/dev/null; then
    out=$(curl -s -b "$tmp/jar" $at/echo)
    equal "curl(1) reads the jar" "$(told 'sorted(t["fields"]["cookie"].split("; "))')" "['a=1', 'b=2']"
else
    skip "curl(1) reads the jar" "curl is not installed"
fi

# ---- codings ----
for coding in gzip deflate; do
    get $at/coded/$coding
    equal "$coding is undone" "$(printf '%s\n' "$out" | sort -u)" "coded text"
done
get --raw -o "$tmp/raw" $at/coded/gzip
equal "--raw: it is not" "$(gunzip -c "$tmp/raw" | sort -u)" "coded text"
get $at/coded/wrong
equal "a body that is not coded so: status 5" "$status" 5
get $at/coded/cut
equal "one that ends too early: status 5" "$status" 5
get --max-size 100k $at/infinite
equal "--max-size" "$status" 1
get --max-size 100k -o "$tmp/bomb" $at/coded/bomb
equal "… of what is unpacked" "$status" 1
check "… of which no more is written" test "$(wc -c <"$tmp/bomb")" -le 102400
get --max-size 100k -o "$tmp/much" $at/big
equal "… announced" "$status" 1
check "… is not begun" test ! -e "$tmp/much"

# ---- files ----
cd "$tmp" || exit 1
get -O $at/big
equal "-O" "$(wc -c <big)" 2000000
cp big whole
head -c 700000 whole >big
get -C -O $at/big
check "-C goes on" cmp big whole
get -C -O $at/big
equal "-C with all of it" "$status" 0
contains "… says so" "$err" "has all of it already"
head -c 700000 whole >part
get -C -o part $at/big/whole
check "a server without ranges: from the beginning" cmp part whole
head -c 700000 whole >part
get -C -o part $at/big/wrong
equal "other octets than asked for: status 5" "$status" 5
check "… and the file as it was" test "$(wc -c <part)" = 700000
get -r 0-15 $at/big
equal "-r" "$status" 0
get -O $at/echo/a%2fb%2e
check "no slash comes into a name" test -f a_b.
get -O $at/echo/
check "a directory's page is index.html" test -f index.html
get -o one -o two $at/status/200 $at/chunks
equal "-o for each" "$(cat one two)" "a page
hello world"
get -o "$tmp/no/such" $at/chunks
equal "a file that cannot be made: status 7" "$status" 7
"$wholenet" get $at/big >/dev/full 2>err
equal "a full disk: status 7" "$?" 7
"$wholenet" get $at/infinite 2>err | head -c 10 >/dev/null
contains "a reader that goes away" "$(cat err)" "Broken pipe"
cd "$top" || exit 1

# ---- what may pass ----
get --retry 3 $at/flaky/a
equal "--retry after 503" "$status$out" 0now
get $at/flaky/b
equal "without: status 8" "$status" 8
get --retry 3 -o "$tmp/resumed" $at/big/cut
equal "a connection that breaks off" "$status" 0
check "… the file is whole" cmp "$tmp/resumed" "$tmp/whole"
get --retry 1 $at/big/cut2
equal "not to standard output twice: status 5" "$status" 5
get $at/garbage
equal "no HTTP: status 5" "$status" 5
get -m 300ms $at/silence
equal "--timeout: status 6" "$status" 6
get http://127.0.0.1:1/
equal "nobody there: status 4" "$status" 4
contains "… and who that was" "$err" "127.0.0.1:1"
get http://no-such-host.invalid/
equal "no such name: status 3" "$status" 3
get --resolve no-such-host.invalid:${at##*:}:127.0.0.1 http://no-such-host.invalid:${at##*:}/echo
equal "--resolve" "$(told 't["fields"]["host"]')" "no-such-host.invalid:${at##*:}"

# ---- proxies ----
get -x $at -U p:q http://www.test/x
equal "a proxy" "$out" "by proxy http://www.test/x"
get -x "http://p:q@${at#http://}" http://www.test/x
equal "… with its user in the URL" "$out" "by proxy http://www.test/x"
get -x $at http://www.test/x
equal "… that wants one: status 8" "$status" 8
get -x $at -U p:q https://www.test/x
equal "no tunnel: status 4" "$status" 4
contains "… and its answer" "$err" "404"
capture env http_proxy="http://p:q@${at#http://}" "$wholenet" get http://www.test/y
equal "http_proxy" "$out" "by proxy http://www.test/y"
for list in www.test .test test "a.b, www.test:80" "*"; do
    capture env http_proxy=$at no_proxy="$list" "$wholenet" get --resolve "www.test:80:127.0.0.1" http://www.test/
    equal "no_proxy=$list" "$status" 4
done
capture env http_proxy=$at no_proxy="est,ww.test,www.test:81" "$wholenet" get http://www.test/
equal "no_proxy of others" "$status" 8
capture env http_proxy=$at no_proxy=127.0.0.0/8 "$wholenet" get $at/chunks
equal "no_proxy of a prefix" "$status" 0

# ---- TLS ----
if command -v openssl >/dev/null; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$tmp/k.pem" \
        -out "$tmp/c.pem" -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost 2>/dev/null
    python3 -u tests/support/odd_server.py "$tmp/c.pem" "$tmp/k.pem" >"$tmp/tls" 2>"$tmp/tls.log" &
    children="$children $!"
    wait_for test -s "$tmp/tls"
    s=https://localhost:$(cat "$tmp/tls")
    get $s/chunks
    equal "a certificate of nobody: status 4" "$status" 4
    contains "… and what is wrong with it" "$err" "certificate of localhost"
    get --ca-file "$tmp/c.pem" $s/chunks $s/big -o "$tmp/secret" -o "$tmp/secret2"
    check "https" cmp "$tmp/secret2" "$tmp/whole"
    get --ca-file "$tmp/c.pem" https://127.0.0.1:${s##*:}/chunks
    equal "another name: status 4" "$status" 4
    get -k https://127.0.0.1:${s##*:}/chunks
    equal "-k" "$out" "hello world"
    pin=$(openssl x509 -in "$tmp/c.pem" -pubkey -noout | openssl pkey -pubin -outform der |
        openssl dgst -sha256 -binary | base64)
    get --pin "sha256//$pin" $s/chunks
    equal "--pin" "$out" "hello world"
    get --pin "sha256//$(printf %032d 0 | base64)" $s/chunks
    equal "another key: status 4" "$status" 4
    get -k "$at/redirect/302?$s/chunks"
    equal "from http to https" "$out" "hello world"
else
    skip "https" "openssl is not installed"
fi

# ---- what is reported ----
get -v $at/chunks
contains "-v: the request" "$err" "> GET /chunks HTTP/1.1"
contains "-v: the answer" "$err" "< HTTP/1.1 200 OK"
get -v $at/colours
equal "a server's escapes do not reach the terminal" "$(printf '%s' "$err" | grep -c "$(printf '\033')")" 0
get -t $at/chunks
contains "-t" "$err" "first octet"
get -j -o "$tmp/x" $at/redirect/302/z
equal "-j" "$(told 't["status"], t["redirects"], t["url"].split("/")[-1], t["exit"], t["file"], t["seconds"]["all"] > 0')" \
    "(200, 1, 'z', 0, '$tmp/x', True)"
get -j http://127.0.0.1:1/
contains "-j when it fails" "$err" '"exit":4,"reason":"cannot connect'
get -q $at/nothing
equal "-q" "$err" ""

# ---- the command line ----
get
equal "no URL: status 2" "$status" 2
get http://
equal "no host: status 2" "$status" 2
contains "… and what was expected" "$err" "expected a host"
get gopher://x/
contains "another scheme" "$err" 'nothing here that speaks "gopher"'
get -H "no field" $at/
equal "-H without a colon: status 2" "$status" 2
get -H "A: b
c" $at/
equal "no line ends in fields: status 2" "$status" 2
get -d x -F a=b $at/
equal "-d and -F: status 2" "$status" 2
get -C $at/big
equal "-C without a file: status 2" "$status" 2
get $at/echo -X DELETE
equal "options after the URL" "$(told 't["method"]')" DELETE
finish
