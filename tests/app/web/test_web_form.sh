#!/bin/sh
# SPDX-License-Identifier: ISC
# The built-in site's form: both encodings, the cookie and the token, what is refused.
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib.sh
command -v curl >/dev/null || { skip "the form" "curl is not installed"; finish; }

port=$((20000 + $$ % 12000))
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
control = "form-$$"
web { listen = "127.0.0.1:$port" }
END
"$wholenet" serve "$tmp/site.conf" >"$tmp/out.log" 2>&1 &
children="$children $!"
url=http://127.0.0.1:$port/form
wait_for curl -s -o /dev/null "$url"

visit() { curl -sS -b "$tmp/jar" -c "$tmp/jar" "$@"; }
said() { visit "$url" | grep -o '<p id="said">.*</p><form' | sed 's/<[^>]*>//g; s/<form//'; }
token() { visit "$url" | grep -o 'name="token" value="[^"]*"' | cut -d'"' -f4; }
status() { visit -o /dev/null -w %{http_code} "$@"; }

equal "at first nothing was said" "$(said)" "You have not said anything yet."
equal "a form leads back by 303" "$(visit -o /dev/null -w '%{http_code} %{redirect_url}' \
    --data-urlencode "token=$(token)" --data-urlencode 'note=<b> & ü' "$url")" "303 $url"
equal "… and the session has it, escaped" "$(said)" "You said: &lt;b&gt; &amp; ü"
printf 'line\r\n\r\nline' >"$tmp/file.txt"
equal "a form with a file" "$(status -F "token=$(token)" -F note=two -F "file=@$tmp/file.txt" "$url")" 303
equal "… is told of" "$(said)" "You said: two, and sent file.txt, 12 octets"
token=$(token)
equal "a token holds while the session does" "$(status -d "token=$token&note=three" "$url")" 303
equal "without a token it is refused" "$(status -d note=four "$url")" 403
equal "… with another session's, too" \
    "$(curl -sS -o /dev/null -w %{http_code} -c "$tmp/other" -b "$tmp/other" -d "token=$token&note=five" "$url")" 403
sed 's/\(wholenet-form\t\).\{40\}/\1AAAAAGsAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/' "$tmp/jar" >"$tmp/forged"
equal "… and with a cookie that was changed" "$(curl -sS -o /dev/null -w %{http_code} -b "$tmp/forged" \
    -d "token=$token&note=six" "$url")" 403
equal "nothing of that was kept" "$(said)" "You said: three"
equal "another type is not taken" "$(status -H 'Content-Type: text/plain' -d x "$url")" 415
equal "a form that breaks off" \
    "$(status -H 'Content-Type: multipart/form-data; boundary=x' -d '--x' "$url")" 400
equal "one that is too large" "$(head -c 300000 /dev/zero | status -H \
    'Content-Type: application/x-www-form-urlencoded' --data-binary @- "$url")" 413
equal "a large one whose length is not said" "$(head -c 300000 /dev/zero | status -H 'Transfer-Encoding: chunked' \
    -H 'Content-Type: application/x-www-form-urlencoded' --data-binary @- "$url")" 413
equal "PUT" "$(status -T "$tmp/file.txt" "$url")" 405
contains "the cookie is no script's" "$(curl -sSi "$url" | grep -i ^set-cookie)" "HttpOnly; SameSite=Lax"
finish
