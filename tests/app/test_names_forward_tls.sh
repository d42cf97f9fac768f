#!/bin/sh
# SPDX-License-Identifier: ISC
# Forwarders that are asked over TLS: strict and opportunistic, on connections that are shared. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
export WHOLENET_STATE="$tmp/state"
if ! command -v dig >/dev/null; then
    skip "forwarding over TLS" "dig is not installed"
    finish
fi
port=$((20000 + $$ % 10000))
upstream=$((port + 1))

# A certificate for localhost, 127.0.0.1 and names in up.example.
cat >"$tmp/maker.conf" <<END
domain = "up.example"
link "host" { address = "127.0.0.1/8" }
names { listen = "127.0.0.1:$((port + 9))" listen-tls = "127.0.0.1:$((port + 8))" }
END
"$wholenet" serve "$tmp/maker.conf" >/dev/null 2>&1 &
maker=$!
wait_for test -s "$tmp/state/up.example-127.0.0.1.pem"
kill $maker
wait $maker
root="$tmp/state/root.pem"
chain="$tmp/state/up.example-127.0.0.1.pem"
key="$tmp/state/up.example-127.0.0.1.key"

python3 tests/support/dot_server.py 127.0.0.1 $upstream "$chain" "$key" >"$tmp/dot.log" 2>&1 &
children="$children $!"
wait_for test -s "$tmp/dot.log"

start_site() { # PORT FORWARD [OPTIONS]
    cat >"$tmp/site$1.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$1"
    forward = {"$2"}
    forward-trust = "$root"
    ${3:-}
}
END
    "$wholenet" serve "$tmp/site$1.conf" >"$tmp/site$1.log" 2>&1 &
    children="$children $!"
    wait_for dig @127.0.0.1 -p "$1" +tries=1 +time=1 +short localhost
}
ask() { # PORT NAME…
    at=$1
    shift
    dig @127.0.0.1 -p "$at" +tries=1 +time=12 +short "$@" | xargs
}

# ---- strict ----
start_site $port "127.0.0.1:$upstream#ns.up.example"
equal "asked over TLS, by a padded query" "$(ask $port one.example)" 192.0.0.1
equal "the next ones on the same connection" "$(ask $port two.example three.example)" "192.0.0.1 192.0.0.1"
ask $port late.example >"$tmp/late" &
late=$!
sleep 0.3
equal "what is answered out of order" "$(ask $port four.example)" 192.0.0.1
wait $late
equal "… is told from one another" "$(cat "$tmp/late")" 192.0.0.1
equal "the server ends the connection" "$(ask $port close.example)" 192.0.0.1
# The second, or a later one: on a busy machine what takes long is asked twice.
fifth=$(ask $port five.example)
case $fifth in
192.0.0.1) not_ok "… and another is opened" ;;
192.0.0.*) ok "… and another is opened" ;;
*) not_ok "… and another is opened" ;;
esac

for i in $(seq 60); do echo "x$i.example A"; done >"$tmp/queries"
if command -v dnsperf >/dev/null; then
    contains "sixty at once on one connection" \
        "$(dnsperf -s 127.0.0.1 -p $port -d "$tmp/queries" -n 1 -q 60 2>&1)" "NOERROR 60 (100.00%)"
    equal "… which is still the same" "$(ask $port six.example)" "$fifth"
else
    skip "sixty at once" "dnsperf is not installed"
fi
ask $port mute.example >"$tmp/mute" &
mute=$!
sleep 5
contains "one that says nothing any more is left" "$(ask $port seven.example)" "192.0.0."
wait $mute

start_site $((port + 2)) "127.0.0.1:$upstream#ns.other.example"
contains "another name than the certificate's is not believed" \
    "$(dig @127.0.0.1 -p $((port + 2)) +tries=1 +time=12 one.example)" "status: SERVFAIL"
sed -i "s|forward-trust.*||" "$tmp/site$port.conf"
start_site $((port + 3)) "127.0.0.1:$upstream#ns.up.example" "# no trust"
sed -i '/forward-trust/d; s/127.0.0.1:'$((port + 3))'/127.0.0.1:'$((port + 4))'/' "$tmp/site$((port + 3)).conf"
"$wholenet" serve "$tmp/site$((port + 3)).conf" >"$tmp/untrusted.log" 2>&1 &
children="$children $!"
wait_for dig @127.0.0.1 -p $((port + 4)) +tries=1 +time=1 +short localhost
contains "nor one whom the host does not trust" \
    "$(dig @127.0.0.1 -p $((port + 4)) +tries=1 +time=12 one.example)" "status: SERVFAIL"

# ---- opportunistic ----
start_site $((port + 5)) "127.0.0.1:$upstream#"
contains "without a name nothing is checked" "$(ask $((port + 5)) one.example)" "192.0.0."
cat >"$tmp/clear.sh" <<END
ip link set lo up
cd $top
cat >$tmp/up.conf <<UP
domain = "up.example"
link "host" { address = "127.0.0.1/8" }
names { listen = "127.0.0.1:53" closed = on record = {"www A 192.0.2.80"} }
UP
cat >$tmp/opportunistic.conf <<DOWN
link "host" { address = "127.0.0.1/8" }
names { listen = "127.0.0.1:5301" forward = {"127.0.0.1#"} }
DOWN
sed 's/5301/5302/; s/#/#ns.up.example/' $tmp/opportunistic.conf >$tmp/strict.conf
$wholenet serve $tmp/up.conf >/dev/null 2>&1 & a=\$!
$wholenet serve $tmp/opportunistic.conf >/dev/null 2>&1 & b=\$!
$wholenet serve $tmp/strict.conf >/dev/null 2>&1 & c=\$!
sleep 1
dig @127.0.0.1 -p 5301 +tries=1 +time=12 +short www.up.example
dig @127.0.0.1 -p 5302 +tries=1 +time=12 www.up.example | grep -o SERVFAIL
kill \$a \$b \$c
END
if unshare -n true 2>/dev/null; then
    equal "who has no TLS is asked in the clear; not so by the strict profile" \
        "$(unshare -n sh "$tmp/clear.sh" | xargs)" "192.0.2.80 SERVFAIL"
else
    skip "in the clear" "no namespaces here"
fi

# ---- the site file ----
printf 'link "host" { address = "127.0.0.1/8" }\nnames { forward = {"192.0.2.1#not a name"} }\n' >"$tmp/wrong.conf"
contains "a name that is none is told" "$("$wholenet" check "$tmp/wrong.conf" 2>&1)" \
    "wrong.conf:2: forward \"192.0.2.1#not a name\": expected host, or addresses of resolvers"
finish
