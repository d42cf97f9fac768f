#!/bin/sh
# SPDX-License-Identifier: ISC
# No path leads out of the root, past what a location demands, or to another host.
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib.sh
command -v python3 >/dev/null || { skip "paths that lead out" "python3 is not installed"; finish; }
port=$((20000 + $$ % 6000))
mkdir -p "$tmp/www/sub" "$tmp/www/guarded" "$tmp/www/cgi" "$tmp/secret"
echo SECRET | tee "$tmp/secret/key" >"$tmp/www/guarded/key"
echo SECRET >"$tmp/www/.hidden"
echo home >"$tmp/www/index.html"
echo text >"$tmp/www/sub/text"
ln -s "$tmp/secret" "$tmp/www/link"
ln -s ../../secret/key "$tmp/www/sub/link"
ln -s ../sub "$tmp/www/sub/within"
printf '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\nenv\n' >"$tmp/www/cgi/env.sh"
chmod +x "$tmp/www/cgi/env.sh"
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
control = "escape-$$"
web {
    listen = "127.0.0.1:$port"
    root = "$tmp/www"
    location "/guarded/" { access = {"deny all"} }
    location "/cgi/" { cgi = on }
    location "/old/" { redirect = "301 /new/*" }
    location "/older" { redirect = "301 https://other.example*" }
    location "/way/" { rewrite = {"/way/* /sub/*"} }
    location "/put/" { upload = on }
    location "/dav/" { webdav = on }
}
END
mkdir "$tmp/www/put" "$tmp/www/dav"
"$wholenet" serve "$tmp/site.conf" >"$tmp/out.log" 2>&1 &
children="$children $!"
wait_for python3 -c "import socket; socket.create_connection(('127.0.0.1', $port)).close()"
python3 tests/app/web/web_escape.py "$port" "$tmp"
