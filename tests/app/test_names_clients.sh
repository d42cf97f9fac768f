#!/bin/sh
# SPDX-License-Identifier: ISC
# Clients and checkers that know nothing of us, on port 53 of a network of their own: a tree of zones that we
# sign and serve, a resolver of ours that validates, and before them glibc, systemd-resolved, host(1), kdig(1),
# drill(1) with its chases and traces, delv(1), dnsviz(1), ldns-verify-zone(1) and named-checkzone(1). TAP.
#
# Where systemd-resolved is not installed, RESOLVED may say where there is one.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
if [ "${CLIENTS_INSIDE:-no}" = no ]; then
    user=$([ "$(id -u)" = 0 ] || echo -r)
    unshare $user -n -m true 2>/dev/null || { skip "clients" "no namespaces here"; finish; }
    CLIENTS_INSIDE=yes exec unshare $user -n -m "$PWD/tests/app/test_names_clients.sh"
fi
lacks() { command -v "$1" >/dev/null && return 1; skip "$1" "it is not installed"; }
ip link set lo up
# Without an address that leads out, some look for none.
ip link add out0 type veth peer name out1 && ip link set out1 up && ip addr add 198.18.1.1/24 dev out0 && ip link set out0 up &&
    ip route add default via 198.18.1.2
ip addr add 198.18.2.1/32 dev lo # of the tree's server: dnsviz wants no private one

# ---- a tree: the root, example., and two zones below; the DS of each is its CDS ----
mkdir "$tmp/zones"
apex='$TTL 300
@ SOA ns.example. h.example. 1 3600 600 86400 60
@ NS ns.example.
'
root() {
    printf '%s' "$apex"
    printf 'example. NS ns.example.\nns.example. A 198.18.2.1\narpa. NS ns.example.\n'
}
example() {
    printf '%s' "$apex"
    printf 'ns A 198.18.2.1\nwww A 198.18.0.3\nwww AAAA 2001:db8::3\nalias CNAME www\nmail MX 10 www\n*.wild TXT "wild"\n'
    printf '_http._tcp SRV 0 0 80 www\nlong TXT "%0250d" "%0250d" "%0250d" "%0250d" "%0250d" "%0250d"\n' 1 2 3 4 5 6
    printf 'nsec3 NS ns.example.\nopen NS ns.example.\nd DNAME w.nsec3\n'
}
below() { printf '%s' "$apex"; printf 'www A 192.0.2.4\na.b TXT "deep"\n*.w A 192.0.2.5\n'; }
arpa() { printf '%s' "$apex"; printf '3.0.18.198.in-addr PTR www.example.\n'; }
root >"$tmp/zones/root"
example >"$tmp/zones/example"
below >"$tmp/zones/nsec3.example"
below >"$tmp/zones/open.example"
arpa >"$tmp/zones/arpa"
cat >"$tmp/tree.conf" <<END
link "host" { address = "127.0.0.1/8" }
control = "clients-tree-$$"
names {
    listen = "198.18.2.1:53"
    resolve = none
    zone = {". $tmp/zones/root", "example $tmp/zones/example", "nsec3.example $tmp/zones/nsec3.example",
            "open.example $tmp/zones/open.example", "arpa $tmp/zones/arpa"}
    secondaries = {"198.18.0.0/15"}
    signing "." { keys = "keys" }
    signing "example" { keys = "keys" }
    signing "arpa" { keys = "keys" }
    signing "nsec3.example" { keys = "keys" nsec3 = on separate = on }
}
END
"$wholenet" serve "$tmp/tree.conf" >"$tmp/tree.log" 2>&1 &
tree=$!
children="$children $tree"
ask() { "$wholenet" lookup @198.18.2.1 +short +timeout=1 +tries=1 "$@" 2>/dev/null; }
await() { # await COMMAND…: until it prints something
    for _ in $(seq 100); do [ -n "$("$@")" ] && return; sleep 0.1; done
}
await ask example DNSKEY
await ask nsec3.example CDS
delegate() { ask "$1" CDS | sed "s/^/$1. DS /"; }
delegate nsec3.example >>"$tmp/zones/example"
delegate example >>"$tmp/zones/root"
delegate arpa >>"$tmp/zones/root"
sed -i 's/ 1 3600 / 2 3600 /' "$tmp/zones/root" "$tmp/zones/example"
kill -HUP "$tree"
await ask nsec3.example DS
await ask example DS

# ---- a resolver ----
printf '. 300 NS ns.example.\nns.example. 300 A 198.18.2.1\n' >"$tmp/roots"
ask . DNSKEY | grep '^257 ' | sed 's/^/. 300 IN DNSKEY /' >"$tmp/anchor"
cat >"$tmp/resolver.conf" <<END
link "host" { address = "127.0.0.1/8" }
control = "clients-resolver-$$"
names { listen = "127.0.0.2:53" resolve = recursive roots = "$tmp/roots" anchors = "$tmp/anchor" outgoing = ipv4 }
END
"$wholenet" serve "$tmp/resolver.conf" >"$tmp/resolver.log" 2>&1 &
children="$children $!"
await_resolver() { "$wholenet" lookup @127.0.0.2 +short +timeout=1 +tries=1 www.example 2>/dev/null; }
await await_resolver
sed 's/^/# /' "$tmp/tree.log" "$tmp/resolver.log"

# ---- those who ask ----
if ! lacks host; then
    equal "host" "$(host www.example 127.0.0.2 | tail -2)" "www.example has address 198.18.0.3
www.example has IPv6 address 2001:db8::3"
    contains "host, an alias" "$(host alias.example 127.0.0.2)" "alias.example is an alias for www.example."
    contains "host, backwards" "$(host 198.18.0.3 127.0.0.2)" "domain name pointer www.example."
    contains "host, nothing" "$(host no.example 127.0.0.2)" "NXDOMAIN"
    contains "host -l, a zone" "$(host -l example 198.18.2.1)" "www.example has address 198.18.0.3"
fi
if ! lacks kdig; then
    contains "kdig, validated" "$(kdig @127.0.0.2 +dnssec www.nsec3.example)" "qr rd ra ad"
    contains "kdig, denied" "$(kdig @127.0.0.2 +dnssec no.nsec3.example)" "NXDOMAIN"
    contains "kdig, what is too long for a datagram" "$(kdig @127.0.0.2 long.example TXT 2>/dev/null)" "(TCP)"
    contains "kdig, a transfer" "$(kdig @198.18.2.1 AXFR nsec3.example)" "a.b.nsec3.example."
fi
if ! lacks drill; then
    contains "drill -S, up to the anchor" "$(drill -S -k "$tmp/anchor" @127.0.0.2 www.example A 2>&1)" \
        ";; Chase successful"
    contains "drill -S, through NSEC3" "$(drill -S -k "$tmp/anchor" @127.0.0.2 www.nsec3.example A 2>&1)" \
        ";; Chase successful"
    drill -T -D -4 -k "$tmp/anchor" -r "$tmp/roots" www.example >"$tmp/drill" 2>&1
    contains "drill -T, from the root" "$(cat "$tmp/drill")" "198.18.0.3"
    contains "drill -T, all of it trusted" "$(cat "$tmp/drill")" "[T] www.example."
    equal "drill -T, nothing bogus" "$(grep -c '^\[B\]' "$tmp/drill")" 0
    drill -T -D -4 -k "$tmp/anchor" -r "$tmp/roots" www.nsec3.example >"$tmp/drill" 2>&1
    contains "drill -T, with NSEC3" "$(cat "$tmp/drill")" "[T] www.nsec3.example."
fi
if ! lacks delv; then
    sed 's/^\. 300 IN DNSKEY \(257 3 [0-9]*\) \(.*\)$/trust-anchors { "." static-key \1 "\2"; };/' "$tmp/anchor" >"$tmp/anchor.delv"
    trusts() { delv @127.0.0.2 -a "$tmp/anchor.delv" "$@" 2>&1; }
    for name in www.example www.nsec3.example x.w.nsec3.example x.d.example; do
        contains "delv, $name" "$(trusts "$name")" "; fully validated"
    done
    contains "delv, a wildcard" "$(trusts x.wild.example TXT)" "; fully validated"
    contains "delv, what is denied" "$(trusts no.nsec3.example)" "; negative response, fully validated"
    contains "delv, what is not signed" "$(trusts www.open.example)" "; unsigned answer"
fi

# ---- those who check zones ----
for zone in example nsec3.example arpa .; do
    "$wholenet" lookup @198.18.2.1 AXFR $zone +nocomments +nocmd +nostats +noquestion | grep -v '^;' | grep . |
        awk '!(seen[$0]++ && $4 == "SOA")' >"$tmp/whole"
    if command -v ldns-verify-zone >/dev/null; then
        contains "ldns-verify-zone, $zone" "$(ldns-verify-zone -V 3 "$tmp/whole" 2>&1)" "Zone is verified and complete"
    fi
    if command -v named-checkzone >/dev/null; then
        contains "named-checkzone, $zone" "$(named-checkzone -i local -k fail -r fail $zone "$tmp/whole" 2>&1 | tail -1)" OK
    fi
done
lacks ldns-verify-zone || :
lacks named-checkzone || :
if ! lacks dnsviz; then

    for name in www.example www.nsec3.example no.nsec3.example; do
        dnsviz probe -4 -A -a . -x .+:ns.example=198.18.2.1 "$name" >"$tmp/viz.json" 2>"$tmp/viz.log"
        dnsviz grok -l warning <"$tmp/viz.json" >"$tmp/viz" 2>>"$tmp/viz.log"
        equal "dnsviz has nothing to say against $name" "$(cat "$tmp/viz")" ""
        contains "and finds it signed" "$(dnsviz grok <"$tmp/viz.json" 2>&1)" '"status": "VALID"'
    done
fi

# ---- the C library ----
mount --make-rprivate / 2>/dev/null
mkdir "$tmp/etc"
cp -a /etc/. "$tmp/etc/" 2>/dev/null
rm -f "$tmp/etc/resolv.conf"
printf 'nameserver 127.0.0.2\nsearch nsec3.example\noptions timeout:2 attempts:1\n' >"$tmp/etc/resolv.conf"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$tmp/etc/nsswitch.conf"
if mount --bind "$tmp/etc" /etc 2>/dev/null; then
    equal "getent ahosts" "$(getent ahosts www.example | awk '{print $1}' | sort -u | tr '\n' ' ')" "198.18.0.3 2001:db8::3 "
    equal "getent hosts, backwards" "$(getent hosts 198.18.0.3 | awk '{print $2}')" www.example
    equal "getent, an alias" "$(getent ahostsv4 alias.example | awk 'NR == 1 {print $1, $3}')" "198.18.0.3 www.example"
    equal "getent, a name that is completed" "$(getent ahostsv4 x.w | awk 'NR == 1 {print $1}')" 192.0.2.5
    equal "getent, nothing" "$(getent hosts no.example; echo $?)" 2
    equal "getent, what is bogus" "$(printf 'options edns0 trust-ad\n' >>/etc/resolv.conf; getent ahostsv4 www.nsec3.example | awk 'NR == 1 {print $1}')" 192.0.2.4
else
    skip "getent" "nothing can be mounted here"
fi

# ---- systemd-resolved, with a bus of its own ----
resolved=${RESOLVED:-/lib/systemd/systemd-resolved}
if [ ! -x "$resolved" ]; then
    skip "systemd-resolved" "it is not installed"
elif [ "$(id -u)" != 0 ] || ! command -v dbus-daemon >/dev/null || ! mount -t tmpfs none /run 2>/dev/null; then
    skip "systemd-resolved" "it wants root and a bus"
elif [ "$(awk 'NR == 1 {print $3}' /proc/self/uid_map)" = 1 ]; then
    skip "systemd-resolved" "it wants a user of its own"
else
    grep -q ^systemd-resolve: /etc/passwd || {
        echo 'systemd-resolve:x:991:991::/:/usr/sbin/nologin' >>/etc/passwd
        echo 'systemd-resolve:x:991:' >>/etc/group
    }
    mkdir -p /etc/systemd /etc/dnssec-trust-anchors.d /run/systemd/resolve /run/dbus
    chown systemd-resolve:systemd-resolve /run/systemd/resolve
    sed 's/^\. 300 /. /' "$tmp/anchor" >/etc/dnssec-trust-anchors.d/root.positive
    cat >/etc/systemd/resolved.conf <<END
[Resolve]
DNS=127.0.0.2
FallbackDNS=
Domains=~.
LLMNR=no
MulticastDNS=no
DNSSEC=yes
END
    dbus-daemon --config-file=tests/support/bus.conf --nofork 2>"$tmp/bus.log" &
    children="$children $!"
    for _ in $(seq 50); do [ -S /run/dbus/system_bus_socket ] && break; sleep 0.1; done
    SYSTEMD_LOG_LEVEL=debug SYSTEMD_LOG_TARGET=console "$resolved" >"$tmp/resolved.log" 2>&1 &
    children="$children $!"
    through() { "$wholenet" lookup @127.0.0.53 +timeout=3 +tries=1 "$@" 2>/dev/null; }
    await through +short www.example
    equal "systemd-resolved" "$(through +short www.example)" 198.18.0.3
    contains "systemd-resolved believes our signatures" "$(through +dnssec www.example)" "qr rd ra ad"
    contains "and those below NSEC3" "$(through +dnssec www.nsec3.example)" "qr rd ra ad"
    contains "and what we deny" "$(through +dnssec no.nsec3.example)" "status: NXDOMAIN"
    equal "and what is not signed" "$(through +short www.open.example)" 192.0.2.4
    equal "systemd-resolved, backwards" "$(through +short -x 198.18.0.3)" www.example.
    equal "systemd-resolved, a wildcard" "$(through +short x.wild.example TXT)" '"wild"'
    equal "getent by way of it" "$(printf 'nameserver 127.0.0.53\n' >/etc/resolv.conf; getent ahostsv4 www.example | awk 'NR == 1 {print $1}')" 198.18.0.3
fi
finish
