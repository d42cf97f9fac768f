#!/bin/sh
# SPDX-License-Identifier: ISC
# Multicast DNS beside systemd-resolved, in a namespace of its own with a bus of its own: who finds whom, and who
# gives way when both want one name. TAP. Where it is not installed, RESOLVED may say where there is one, and
# RESOLVECTL where its resolvectl(1).
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
resolved=${RESOLVED:-/lib/systemd/systemd-resolved}
resolvectl=${RESOLVECTL:-resolvectl}
if [ ! -x "$resolved" ] || ! command -v "$resolvectl" >/dev/null; then
    skip "multicast DNS beside systemd-resolved" "it is not installed"
    finish
fi
if [ "$(id -u)" != 0 ] || ! command -v dbus-daemon >/dev/null || ! unshare -n -m -u true 2>/dev/null; then
    skip "multicast DNS beside systemd-resolved" "it wants root and a bus"
    finish
fi
if [ "${MDNS_INSIDE:-no}" = no ]; then
    MDNS_INSIDE=yes exec unshare -n -m "$PWD/tests/app/test_mdns_resolved.sh"
fi

mount --make-rprivate / 2>/dev/null
ip link set lo up
unshare -n -m -u sleep 600 &
other=$!
children="$children $other"
until [ "$(readlink /proc/$other/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
run_there() { exec nsenter -t "$other" -n -m -u "$@"; } # in the background: so that $! is its own
there() { nsenter -t "$other" -n -m -u "$@"; }
ip link add a0 type veth peer name b0
ip link set b0 netns "$other"
ip addr add 10.9.0.1/24 dev a0
ip link set a0 up
cat >"$tmp/prepare" <<END
set -e
ip addr add 10.9.0.2/24 dev b0
ip link set b0 up
ip link set lo up
hostname rival
mkdir -p $tmp/etc
cp -a /etc/. $tmp/etc/ 2>/dev/null || :
echo rival >$tmp/etc/hostname
grep -q ^systemd-resolve: $tmp/etc/passwd || {
    echo 'systemd-resolve:x:991:991::/:/usr/sbin/nologin' >>$tmp/etc/passwd
    echo 'systemd-resolve:x:991:' >>$tmp/etc/group
}
mkdir -p $tmp/etc/systemd
printf '[Resolve]\nLLMNR=no\nMulticastDNS=yes\nDNSStubListener=no\n' >$tmp/etc/systemd/resolved.conf
mount --bind $tmp/etc /etc
mount -t tmpfs none /run
mkdir -p /run/systemd/resolve /run/dbus
chown systemd-resolve:systemd-resolve /run/systemd/resolve
END
if ! there sh "$tmp/prepare" >"$tmp/log" 2>&1; then
    sed 's/^/# /' "$tmp/log"
    skip "multicast DNS beside systemd-resolved" "it cannot be prepared here"
    finish
fi
run_there dbus-daemon --config-file="$PWD/tests/support/bus.conf" --nofork >"$tmp/bus.log" 2>&1 &
children="$children $!"
for _ in $(seq 50); do there test -S /run/dbus/system_bus_socket && break; sleep 0.1; done
run_there "$resolved" >"$tmp/resolved.log" 2>&1 &
children="$children $!"
for _ in $(seq 50); do there "$resolvectl" mdns b0 yes 2>/dev/null && break; sleep 0.1; done

serve() { # serve HOST: until it has a name
    cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
control = "mdns-resolved-$$"
mdns { interface = a0 host = "$1" service = {"_http._tcp 8000 Front Door; path=/"} }
END
    "$wholenet" serve "$tmp/site.conf" >"$tmp/log" 2>&1 &
    site=$!
    children="$children $site"
    for _ in $(seq 100); do grep -q "$1.*local. is ours" "$tmp/log" && break; sleep 0.1; done
}
ask() { "$wholenet" lookup +short +timeout=4 +mdns=a0 "$@"; }
for _ in $(seq 5); do [ "$(ask rival.local 2>/dev/null)" = 10.9.0.2 ] && break; done
equal "its host" "$(ask rival.local)" 10.9.0.2
serve garden
contains "it finds ours" "$(there "$resolvectl" query -4 garden.local 2>&1)" "garden.local: 10.9.0.1"
contains "and our service" "$(there "$resolvectl" --type=PTR query _http._tcp.local 2>&1)" "_http._tcp.local IN PTR Front"
contains "and where it is" "$(there "$resolvectl" service 'Front Door' _http._tcp local 2>&1)" "garden.local:8000"
kill "$site"
wait "$site"
serve rival
for _ in $(seq 50); do grep -q "rival-2.local. is ours" "$tmp/log" && break; sleep 0.1; done
contains "its name is not taken" "$(cat "$tmp/log")" "rival-2.local. is ours"
equal "and is still its own" "$(ask rival.local)" 10.9.0.2
finish
