#!/bin/sh
# SPDX-License-Identifier: ISC
# Locations that overlap: programs of an ending answer below others, whose users and files hold; no source is shown.
. tests/lib.sh

port=$(python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
at=http://127.0.0.1:$port
mkdir -p "$tmp/www/app/deep" "$tmp/www/private" "$tmp/www/up" "$tmp/other"
for file in www/x.sh www/app/x.sh www/app/deep/index.sh www/private/x.sh www/up/x.sh other/x.sh www/x.inc.sh; do
    printf '#!/bin/sh\nprintf "Content-Type: text/plain\\n\\nran %%s of %%s" "$SCRIPT_NAME" "$REMOTE_USER"\n# %s\n' "$file" >"$tmp/$file"
    chmod +x "$tmp/$file"
done
printf 'me:%s\n' "$(openssl passwd -6 secret)" >"$tmp/users"
cat >"$tmp/site.conf" <<SITE
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$port"}
    root = "$tmp/www"
    index = {"index.html", "index.sh"}
    location "/app/" { cache-control = "no-store" }
    location "/private/" { auth = basic users = "$tmp/users" }
    location "/up/" { upload = on }
    location "/other/" { root = "$tmp/other" rewrite = {"/other/* /*"} }
    location "*.inc.sh" { cache-control = "no-cache" }
    location "*.sh" { cgi = on }
    location "*.txt" { cache-control = "max-age=5" }
    site "demands.test" {
        location "/app/" { cache-control = "no-store" }
        location "*.sh" { cgi = on auth = basic users = "$tmp/users" }
    }
}
SITE
"$wholenet" serve "$tmp/site.conf" 2>"$tmp/log" &
server=$!
children="$children $server"
wait_for curl -sf "$at/x.sh" || cat "$tmp/log"
equal "at the top" "$(curl -s $at/x.sh)" "ran /x.sh of "
equal "below a plain prefix" "$(curl -si $at/app/x.sh | tr -d '\r' | tail -n 1)" "ran /app/x.sh of "
equal "as the index of a folder there" "$(curl -s $at/app/deep/)" "ran /app/deep/index.sh of "
equal "below an ending that says less" "$(curl -s $at/x.inc.sh)" "ran /x.inc.sh of "
equal "a prefix's users hold" "$(curl -s -o /dev/null -w '%{http_code}' $at/private/x.sh)" 401
equal "… who may come gets what it does" "$(curl -s -u me:secret $at/private/x.sh)" "ran /private/x.sh of me"
equal "an ending's users hold, too" "$(curl -s -o /dev/null -w '%{http_code}' -H 'Host: demands.test' $at/app/x.sh)" 401
equal "… and are let in" "$(curl -s -u me:secret -H 'Host: demands.test' $at/app/x.sh)" "ran /app/x.sh of me"
contains "what was put there is shown, not run" "$(curl -s $at/up/x.sh)" "#!/bin/sh"
for path in /app/x.sh /private/x.sh /x.inc.sh /app//x.sh /app/%78.sh /app/./x.sh /app/x.sh/ /app/x.sh/y /other/x.sh; do
    equal "no source of $path" "$(curl -s --path-as-is -u me:secret "$at$path" | grep -c '^#!')" 0
done
capture "$wholenet" check "$tmp/site.conf"
equal "check: right" "$status" 0
contains "check: uploads" "$err" 'location "/up/" takes uploads: what of them ends with .sh is shown as it is, and not run'
contains "check: options that do not hold" "$err" 'location "/app/" goes before "*.txt"'
case $err in
*'"/app/" says itself'* | *'"/private/" says'*) not_ok "check: no doubt where there is none" ;;
*) ok "check: no doubt where there is none" ;;
esac
capture "$wholenet" check -q "$tmp/site.conf"
equal "check -q: nothing" "$status$out$err" 0
kill $server
wait $server
equal "it ends well" $? 0
finish
