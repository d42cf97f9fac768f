#!/bin/sh
# SPDX-License-Identifier: ISC
# The network that a program of wholenet run finds: address, gateway, names, pages, as options say.
. tests/lib.sh
inside() {
    "$wholenet" run -- sh -c "$1"
}

# ---- the built-in site ----
equal "the first address of the pool, by DHCP" \
    "$(inside 'ip -4 -o address show dev eth0' | awk '{print $4, $6}')" "10.0.2.15/24 10.0.2.255"
contains "… from a real exchange" "$("$wholenet" run -v -- true 2>&1)" "by DHCP in"
equal "… whose packet socket looks at no frame after that" \
    "$(inside 'sleep 1; wc -l </proc/net/packet')" 1
equal "the default route" "$(inside 'ip -4 route show default' | awk '{print $3, $5}')" "10.0.2.1 eth0"
equal "the loopback interface is up" "$(inside 'ping -c 1 -W 1 -q 127.0.0.1 >/dev/null && echo up')" up
equal "MTU 1500" "$(inside 'ip link show eth0' | grep -o 'mtu [0-9]*')" "mtu 1500"
check "the gateway answers ping" inside 'ping -c 1 -W 2 -q 10.0.2.1'
check "the host's loopback answers ping" inside 'ping -c 1 -W 2 -q 10.0.2.2'
contains "the gateway's entry in the ARP table" \
    "$(inside 'ping -c 1 -q 10.0.2.1 >/dev/null; ip neighbour show 10.0.2.1')" "lladdr 02:00:0a:00:02:01"
for name in gateway ns www; do
    equal "$name.home.arpa is the gateway" "$(inside "dig +short $name.home.arpa")" 10.0.2.1
done
equal "host.home.arpa is the host's loopback" "$(inside 'dig +short host.home.arpa')" 10.0.2.2
equal "the program's own name" "$(inside 'dig +short guest.home.arpa')" 10.0.2.15
equal "… and back" "$(inside 'dig +short -x 10.0.2.15')" guest.home.arpa.
contains "an address back to a name" "$(inside 'dig +short -x 10.0.2.1')" gateway.home.arpa.
contains "a name that the site does not have" "$(inside 'dig nothing.home.arpa')" "status: NXDOMAIN"
equal "names over TCP" "$(inside 'dig +tcp +short www.home.arpa')" 10.0.2.1
equal "the search domain completes names" "$(inside 'getent ahostsv4 www' | awk 'NR==1{print $1}')" 10.0.2.1
equal "/etc/hosts stays" "$(inside 'cat /etc/hosts')" "$(cat /etc/hosts)"
equal "the page" "$(inside 'curl -sS -o /dev/null -w %{http_code} http://www.home.arpa/')" 200
contains "… says what network this is" "$(inside 'curl -sS http://www.home.arpa/status.json')" \
    '"network":"10.0.2.0/24"'
equal "https, without a warning and by HTTP/2" \
    "$(inside 'curl -sS -o /dev/null -w "%{http_code} %{http_version} %{ssl_verify_result}" https://www.home.arpa/')" "200 2 0"
equal "… by the short name, and for who does not look at the host's file" \
    "$(inside 'curl -sS -o /dev/null -w %{http_code} https://www/; python3 -c "
import urllib.request; print(urllib.request.urlopen(\"https://10.0.2.1/healthz\").status)"')" 200200
equal "… whose authority goes with the network, and is another the next time" \
    "$(for i in 1 2; do inside 'head -20 "$SSL_CERT_FILE"' | sed '/END/q' | cksum; done | sort -u | wc -l)" 2
mkdir "$tmp/run"
XDG_RUNTIME_DIR=$tmp/run inside 'sleep 0.5; ls $XDG_RUNTIME_DIR' >"$tmp/left"
equal "… and leaves nothing, not even while the program runs" "$(ls "$tmp/run"; cat "$tmp/left")" ""
equal "a port without a service is refused" \
    "$(inside 'curl -sS http://10.0.2.1:81/ 2>/dev/null; echo $?')" 7
equal "ping without privilege, whatever the host allows" "$(inside 'cat /proc/sys/net/ipv4/ping_group_range' |
    awk '{print ($2 >= $1) ? "yes" : "no"}')" yes

# ---- resolv.conf in all the forms that hosts have it ----
if [ "$(id -u)" = 0 ]; then
    # In a mount namespace with another /etc, which the commands prepare.
    with_etc() {
        unshare -m sh -c "mkdir -p $tmp/up $tmp/work && mount -t tmpfs none $tmp/up &&
            mkdir $tmp/up/u $tmp/up/w && mount -t overlay -o lowerdir=/etc,upperdir=$tmp/up/u,workdir=$tmp/up/w \
            none /etc && mount -t tmpfs none /run && { $1; } &&
            $wholenet run -- sh -c 'dig +short www.home.arpa; getent ahostsv4 www.home.arpa | head -1 | cut -d\  -f1'"
    }
    both="10.0.2.1
10.0.2.1"
    equal "a resolv.conf that is a link" \
        "$(with_etc 'mkdir /run/x; echo >/run/x/r; ln -sf /run/x/r /etc/resolv.conf')" "$both"
    equal "a link to systemd-resolved's" "$(with_etc 'mkdir -p /run/systemd/resolve
        echo >/run/systemd/resolve/stub-resolv.conf
        ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf')" "$both"
    equal "a link that leads nowhere" "$(with_etc 'ln -sf /nowhere/r /etc/resolv.conf')" "$both"
    equal "no resolv.conf at all" "$(with_etc 'rm /etc/resolv.conf')" "$both"
    equal "an /etc that cannot be written" \
        "$(with_etc 'mount -o remount,ro,bind /etc || mount --bind -o ro /etc /etc')" "$both"
fi

# ---- what options change ----
equal "--address moves the network" \
    "$("$wholenet" run --address 192.168.7.0/24 -- sh -c 'ip -4 -o addr show eth0; ip route show default;
        dig +short www.home.arpa host.home.arpa' | awk 'NR==1{print $4} NR==2{print $3} NR>2')" \
    "192.168.7.15/24
192.168.7.1
192.168.7.1
192.168.7.2"
equal "a small network" "$("$wholenet" run --address 172.30.1.8/29 -- ip -4 -o addr show eth0 |
    awk '{print $4}')" 172.30.1.11/29
for mtu in 576 1280 9000 65520; do
    equal "--mtu $mtu" "$("$wholenet" run --mtu $mtu -- sh -c \
        'ip link show eth0 | grep -o "mtu [0-9]*"; curl -sS -o /dev/null -w %{http_code} http://www.home.arpa/')" \
        "mtu $mtu
200"
done
equal "--hostname is the host's name and in DNS" \
    "$("$wholenet" run --hostname box -- sh -c 'uname -n; dig +short box.home.arpa')" "box
10.0.2.15"
equal "a guest cannot be www" "$("$wholenet" run -q --hostname www -- dig +short www.home.arpa)" 10.0.2.1
equal "--internet none: other names do not exist" \
    "$("$wholenet" run --internet none -- dig example.com | grep -o 'status: [A-Z]*')" "status: NXDOMAIN"
equal "--internet none: other addresses are unreachable, at once" \
    "$("$wholenet" run --internet none -- curl -sS -m 3 http://192.0.2.1/ 2>/dev/null; echo $?)" 7
contains "-v says what happens" "$("$wholenet" run -v -- true 2>&1)" "lease begins: 10.0.2.15"
contains "… and at the end what passed" "$("$wholenet" run -v -- true 2>&1)" "frames"
equal "without -v nothing is said" "$("$wholenet" run -- true 2>&1)" ""

# ---- site files ----
cat >"$tmp/lab.conf" <<'SITE'
domain = "lab.test"
link "tap:lab" { address = "10.77.0.1/24" mtu = 1400 }
addresses { host "printer" { mac = "02:00:00:00:77:10" address = "10.77.0.10" } }
names { record = {"files CNAME gateway", "text TXT \"a b\""} }
web { name = "pages" root = "$WEB" }
SITE
mkdir "$tmp/web"
echo content >"$tmp/web/file.txt"
sed -i "s|\$WEB|$tmp/web|" "$tmp/lab.conf"
lab() {
    "$wholenet" run -c "$tmp/lab.conf" -- sh -c "$1"
}
equal "-c: the file's network" "$(lab 'ip -4 -o addr show eth0' | awk '{print $4}')" 10.77.0.15/24
equal "-c: its MTU" "$(lab 'ip link show eth0' | grep -o 'mtu [0-9]*')" "mtu 1400"
equal "-c: its domain" "$(lab 'grep search /etc/resolv.conf')" "search lab.test"
equal "-c: its hosts" "$(lab 'dig +short printer.lab.test; dig +short -x 10.77.0.10')" "10.77.0.10
printer.lab.test."
equal "-c: its records" "$(lab 'dig +short files.lab.test; dig +short text.lab.test TXT')" \
    'gateway.lab.test.
10.77.0.1
"a b"'
equal "-c: its files" "$(lab 'curl -sS http://pages.lab.test/file.txt')" content
equal "-c: without a gateway there is no way out" "$(lab 'ip route show default')" ""
equal "options come after the file" \
    "$("$wholenet" run -c "$tmp/lab.conf" --mtu 1300 -- ip link show eth0 | grep -o 'mtu [0-9]*')" "mtu 1300"
printf 'link "tap:x" {}\nnames {}\n' >"$tmp/fixed.conf"
equal "without an address service the inside is configured all the same" \
    "$("$wholenet" run -c "$tmp/fixed.conf" -- ip -4 -o addr show eth0 | awk '{print $4}')" 10.0.2.15/24

# ---- the capture ----
"$wholenet" run --capture "$tmp/x.pcapng" -- sh -c 'echo "$WHOLENET_CAPTURE"; curl -sS -o /dev/null http://www.home.arpa/' >"$tmp/name"
equal "WHOLENET_CAPTURE names it" "$(cat "$tmp/name")" "$tmp/x.pcapng"
tshark -r "$tmp/x.pcapng" >"$tmp/frames" 2>"$tmp/tshark.log"
equal "tshark reads it" "$(cat "$tmp/tshark.log" | grep -v 'Running as user' | head -3)" ""
for what in 'DHCP Discover' 'DHCP ACK' 'Who has 10.0.2.1' 'Standard query response .* A www.home.arpa A 10.0.2.1' \
    'SYN, ACK' 'GET / HTTP/1.1' 'HTTP/1.1 200 OK' 'FIN, ACK'; do
    check "it has: $what" grep -q "$what" "$tmp/frames"
done
equal "checksums in it are right" "$(tshark -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE \
    -r "$tmp/x.pcapng" -Y 'ip.checksum.status == 0 || udp.checksum.status == 0' 2>/dev/null)" ""
finish
