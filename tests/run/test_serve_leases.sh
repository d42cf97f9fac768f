#!/bin/sh
# SPDX-License-Identifier: ISC
# What was acknowledged survives: a lease that a host was given is known to the server that comes
# after one that was killed. In a network namespace of its own, on a TAP device.
. tests/lib.sh

if [ "$(id -u)" != 0 ] || ! command -v udhcpc >/dev/null; then
    skip "leases survive kill -9" "needs root and udhcpc"
    finish
fi

cat >"$tmp/site.conf" <<EOF
control = "leases-test"
link "tap:wn0" { address = "10.99.0.1/24" }
addresses {
    pool = "10.99.0.50-10.99.0.60"
    leases = "$tmp/leases.db"
}
EOF
cat >"$tmp/inside" <<EOF
ip link set lo up
ip tuntap add dev wn0 mode tap
ip link set wn0 up
"$wholenet" serve "$tmp/site.conf" & server=\$!
for _ in \$(seq 50); do "$wholenet" status leases-test >/dev/null 2>&1 && break; sleep 0.1; done
udhcpc -f -n -q -t 5 -i wn0 -x hostname:box -s "$tmp/script" >/dev/null 2>&1 || exit 3
kill -9 \$server
wait \$server 2>/dev/null
"$wholenet" serve "$tmp/site.conf" & server=\$!
for _ in \$(seq 50); do "$wholenet" status leases-test >/dev/null 2>&1 && break; sleep 0.1; done
"$wholenet" status --json leases-test >"$tmp/status.json"
kill \$server
wait \$server
EOF
cat >"$tmp/script" <<EOF
#!/bin/sh
[ "\$1" = bound ] && echo "\$ip" >"$tmp/address"
exit 0
EOF
chmod 755 "$tmp/script"
capture timeout 60 unshare -n sh "$tmp/inside"
equal "a host gets an address, the server is killed and starts again" "$status" 0
address=$(cat "$tmp/address" 2>/dev/null)
contains "the address is of the pool" "$address" 10.99.0.
contains "the new server knows the lease" "$(cat "$tmp/status.json" 2>/dev/null)" "\"address\":\"$address\""
contains "… and the host's name" "$(cat "$tmp/status.json" 2>/dev/null)" '"hostname":"box"'

sed 's|leases = .*|leases = "/nonexistent/leases.db"|' "$tmp/site.conf" >"$tmp/wrong.conf"
capture timeout 10 unshare -n sh -c "ip tuntap add dev wn0 mode tap; exec '$wholenet' serve '$tmp/wrong.conf'"
equal "a file that cannot be made ends the start" "$status" 1
contains "… and one line says which" "$err" "/nonexistent/leases.db"
finish
