#!/bin/sh
# SPDX-License-Identifier: ISC
# Chromium, unmodified: a folder, a form with a cookie session, over HTTPS, on our stack and on the host's.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
for tool in chromium certutil python3; do
    command -v $tool >/dev/null || { skip "a browser" "$tool is not installed"; finish; }
done
mkdir -p "$tmp/root/sub" "$tmp/state"
echo aaa >"$tmp/root/a.txt"
export WHOLENET_STATE="$tmp/state"
seen() { sed -n "s/^$1: //p" "$2"; }
check_visit() { # check_visit WHERE LOG FORM-PATH
    equal "$1: HTTPS without a warning" "$(seen secure "$2")" True
    equal "$1: … by HTTP/2" "$(seen protocol "$2")" h2
    equal "$1: the form, at first" "$(seen form "$2")" "You have not said anything yet."
    equal "$1: … keeps what was said, and shows it as text" "$(seen said "$2")" "You said: hello <i>"
    equal "$1: … back where it was" "$(seen where "$2")" "$3"
    equal "$1: … by a cookie that no script has" "$(seen 'cookie for scripts' "$2")" "''"
    equal "$1: … and no other site" "$(seen cookie "$2")" "__Host-wholenet-form httpOnly secure Lax"
    equal "$1: a form without the token is refused" "$(seen forged "$2")" 403
    equal "$1: … and changes nothing" "$(seen still "$2")" "You said: hello <i>"
}

cat >"$tmp/inside.conf" <<END
addresses { }
names { record = "files A 10.0.2.1" }
web {
    listen = {80, "443 tls"}
    site "files.home.arpa" { root = "root" }
}
END
"$wholenet" run -c "$tmp/inside.conf" -- sh -c "
    timeout 100 python3 tests/run/browser.py https://www.home.arpa / >$tmp/own.log 2>&1
    FORM=/.wholenet/form timeout 100 python3 tests/run/browser.py https://files.home.arpa /./ >$tmp/files.log 2>&1"
check_visit "our stack" "$tmp/own.log" /form
equal "our stack: a folder" "$(seen list "$tmp/files.log")" "Name Size Modified (UTC) sub/ a.txt"
equal "our stack: … and a file of it, by a click" "$(seen file "$tmp/files.log")" aaa
"$wholenet" run -- timeout 100 python3 tests/run/browser.py https://www.home.arpa / >"$tmp/builtin.log" 2>&1
check_visit "the built-in site" "$tmp/builtin.log" /form

port=$((20000 + $$ % 12000))
cat >"$tmp/host.conf" <<END
link "host" { address = "127.0.0.1/8" }
control = "browser-$$"
web {
    listen = "127.0.0.1:$port tls"
    root = "root"
}
END
"$wholenet" serve "$tmp/host.conf" >"$tmp/out.log" 2>&1 &
children="$children $!"
wait_for test -s "$tmp/state/root.pem"
wait_for curl -s --cacert "$tmp/state/root.pem" -o /dev/null "https://localhost:$port/"
SSL_CERT_FILE=$tmp/state/root.pem FORM=/.wholenet/form timeout 100 python3 tests/run/browser.py \
    "https://localhost:$port" /./ >"$tmp/host.log" 2>&1
check_visit "the host's sockets" "$tmp/host.log" /.wholenet/form
equal "the host's sockets: a folder" "$(seen list "$tmp/host.log")" "Name Size Modified (UTC) sub/ a.txt"
equal "the host's sockets: … and a file of it" "$(seen file "$tmp/host.log")" aaa
finish
