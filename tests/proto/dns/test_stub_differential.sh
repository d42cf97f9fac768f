#!/bin/sh
# SPDX-License-Identifier: ISC
# The stub resolver beside the C library's, in a network and with files of their own: which names of the search
# list are asked for, and the order of what is found. TAP.
cd "$(dirname "$0")/../../.." || exit 1
. tests/lib.sh
tool="$top/build/${VARIANT:-release}/tests/tools/resolve"
[ -n "${WHOLENET:-}" ] && tool="$(dirname "$WHOLENET")/tests/tools/resolve"
if ! unshare -nm true 2>/dev/null || ! command -v python3 >/dev/null || [ ! -x "$tool" ]; then
    skip "the stub beside the C library's" "needs root, python3 and tests/tools/resolve"
    finish
fi
cat >"$tmp/site.conf" <<'END'
domain = "one.test"
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:53"
    closed = on
    record = {"www A 10.0.0.80", "www AAAA 2001:db8::80", "four A 192.0.2.4", "six AAAA 2001:db8::6",
              "txt TXT x", "many A 198.51.100.1", "many A 10.0.0.5", "many A 192.0.2.7",
              "local A 127.0.0.5", "local AAAA ::1", "alias CNAME www", "chain CNAME alias",
              "prefix AAAA 2001:db8:ffff::1", "prefix AAAA 2001:db8::5",
              "far AAAA 2001:db8:1::1", "far A 203.0.113.1", "linked A 169.254.7.7", "linked A 10.0.0.9",
              "host.two.test. A 10.0.0.22", "txt.two.test. A 10.0.0.23", "deep.er.two.test. A 10.0.0.24"}
}
END
# Names, by rules of which RFC 3484, which the library has, and RFC 6724 say the same: not what lies within one
# network (§2.2), and no unique local addresses (§2.1).
names="www four six txt many local alias chain prefix far linked host host.one.test deep.er nobody nobody.test
www.one.test www.one.test. host. a..b localhost x.localhost"
cat >"$tmp/theirs.py" <<'END'
import socket, sys
errors = {socket.EAI_NONAME: "no such name", socket.EAI_NODATA: "no address", socket.EAI_AGAIN: "try again"}
for name in sys.argv[1:]:
    try:
        found = [i[4][0] for i in socket.getaddrinfo(name, 80, type=socket.SOCK_STREAM, flags=0)]
        print(name + ": " + " ".join(found))
    except UnicodeError:
        print(name + ": no such name")
    except socket.gaierror as e:
        print(name + ": " + errors.get(e.errno, str(e)))
END
cat >"$tmp/inside.sh" <<END
ip link set lo up
ip tuntap add d0 mode tap
ip address add 10.0.0.2/24 dev d0
ip address add 2001:db8::2/64 dev d0 nodad
ip link set d0 up
ip route add default via 10.0.0.1
mount --make-rprivate /
mount --bind $tmp/resolv.conf \$(readlink -f /etc/resolv.conf)
echo 'hosts: dns' >$tmp/nsswitch.conf
mount --bind $tmp/nsswitch.conf /etc/nsswitch.conf
$wholenet serve $tmp/site.conf >$tmp/site.log 2>&1 &
for i in \$(seq 50); do $tool $tmp/resolv.conf www.one.test | grep -q 80 && break; sleep 0.1; done
$tool $tmp/resolv.conf $(echo $names) >$tmp/ours
python3 $tmp/theirs.py $(echo $names) >$tmp/theirs
kill \$!
END
compare() { # NAME RESOLV.CONF
    printf '%b' "$2" >"$tmp/resolv.conf"
    unshare -nm sh "$tmp/inside.sh"
    for name in $names; do
        equal "$1: $name" "$(grep "^$name:" "$tmp/ours")" "$(grep "^$name:" "$tmp/theirs")"
    done
}
compare "two domains" 'nameserver 127.0.0.1\nsearch one.test two.test\n'
compare "ndots" 'nameserver 127.0.0.1\nsearch one.test two.test\noptions ndots:2\n'
compare "over TCP" 'nameserver 127.0.0.1\nsearch two.test one.test\noptions use-vc\n'
finish
