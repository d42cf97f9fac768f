#!/bin/sh
# SPDX-License-Identifier: ISC
# tour.sh - looks around in the private network of `wholenet run`: wholenet run -- examples/tour.sh
set -u

step() {
    printf '\n%s\n  $ %s\n' "$1" "$2"
    sh -c "$2" 2>&1 | sed 's/^/  /'
}

gateway=$(ip -4 route show default | cut -d' ' -f3)
[ -n "$gateway" ] || {
    echo "tour.sh: this is no network of wholenet run: there is no default route" >&2
    exit 1
}
domain=$(sed -n 's/^search //p' /etc/resolv.conf)

step "1. An address, which came by DHCP:" "ip -4 -o address show dev eth0 | sed 's/ brd.*//'"
step "2. The gateway, found by ARP:" "ping -c 1 -q $gateway | sed -n 4p; ip neighbour show $gateway"
step "3. A name, asked of the site's DNS:" "dig +noall +answer www.$domain"
step "   … and the address back to names:" "dig +short -x $gateway"
step "4. A page, over the site's TCP and HTTP:" \
    "curl -sS -o /dev/null -w '%{http_code} %{content_type}, %{size_download} octets in %{time_total} s\n' http://www.$domain/"
step "5. What the network says of itself, also to \`wholenet status\` outside:" \
    "curl -sS http://www.$domain/status.json | grep -o '\"leases\":\[[^]]*]'"
if [ -n "${WHOLENET_CAPTURE:-}" ]; then
    printf '\n6. Every frame of this is on record. Look at it with:\n  $ tshark -r %s\n' "$WHOLENET_CAPTURE"
else
    printf '\n6. Every frame of this can be on record:\n  $ wholenet run --capture tour.pcapng -- %s\n' "$0"
fi
