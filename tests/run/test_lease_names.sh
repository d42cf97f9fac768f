#!/bin/sh
# SPDX-License-Identifier: ISC
# A host that gets a lease has a name, forward and reverse, the moment it has the address, and none when it
# gives it back (RFC 4702, RFC 4703). In a network namespace of its own, on a TAP device.
. tests/lib.sh

if [ "$(id -u)" != 0 ] || ! command -v udhcpc >/dev/null || ! command -v dig >/dev/null; then
    skip "names of leases" "needs root, udhcpc and dig"
    finish
fi

cat >"$tmp/site.conf" <<EOF
control = "lease-names-$$"
link "tap:wn0" { address = "10.99.0.1/24" }
addresses { pool = "10.99.0.50-10.99.0.60" }
names { closed = on }
EOF
cat >"$tmp/inside" <<EOF
ip link set lo up
ip tuntap add dev wn0 mode tap
ip link set wn0 up
"$wholenet" serve "$tmp/site.conf" & server=\$!
for _ in \$(seq 50); do "$wholenet" status lease-names-$$ >/dev/null 2>&1 && break; sleep 0.1; done
ask() { dig @10.99.0.1 +time=1 +tries=3 +short "\$@"; }
udhcpc -f -R -t 5 -i wn0 -F Box.elsewhere.example -p "$tmp/pid" -s "$tmp/script" >"$tmp/udhcpc.log" 2>&1 & client=\$!
for _ in \$(seq 100); do [ -s "$tmp/address" ] && break; sleep 0.1; done
address=\$(cat "$tmp/address")
ask box.home.arpa >"$tmp/forward"
ask -x \$address >"$tmp/reverse"
ask box.home.arpa DHCID | tr -d " " >"$tmp/dhcid"
before=\$(ask home.arpa SOA | cut -d' ' -f3)
kill \$client # which gives the lease back
wait \$client
for _ in \$(seq 50); do [ -z "\$(ask box.home.arpa)" ] && break; sleep 0.1; done
ask box.home.arpa >"$tmp/gone"
ask -x \$address >>"$tmp/gone"
echo \$((\$(ask home.arpa SOA | cut -d' ' -f3) - before)) >"$tmp/serials"
kill \$server
wait \$server
EOF
cat >"$tmp/script" <<EOF
#!/bin/sh
if [ "\$1" = bound ]; then
    ip addr add "\$ip/24" dev wn0
    echo "\$ip" >"$tmp/address"
fi
exit 0
EOF
chmod 755 "$tmp/script"
capture timeout 60 unshare -n sh "$tmp/inside"
address=$(cat "$tmp/address" 2>/dev/null)
contains "a host gets an address" "$address" 10.99.0.
equal "its name leads there" "$(cat "$tmp/forward" 2>/dev/null)" "$address"
equal "and back" "$(cat "$tmp/reverse" 2>/dev/null)" "box.home.arpa."
equal "the name says whose it is" "$(wc -w <"$tmp/dhcid" 2>/dev/null)" 1
equal "what it gives back is gone" "$(cat "$tmp/gone" 2>/dev/null)" ""
equal "each is one change of the zone" "$(cat "$tmp/serials" 2>/dev/null)" 1
finish
