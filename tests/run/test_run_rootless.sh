#!/bin/sh
# SPDX-License-Identifier: ISC
# wholenet run by an ordinary user: no privilege, and all that root has.
. tests/lib.sh
if [ "$(id -u)" = 0 ]; then
    if ! rootless; then
        skip "wholenet run as an ordinary user" "no mount namespaces here"
        finish
    fi
    # The program must be where that user may read it.
    cp "$wholenet" "$tmp/wholenet"
    chmod 755 "$tmp/wholenet"
    wholenet=$tmp/wholenet
else
    run=
fi
if ! $run "$wholenet" run -- true 2>"$tmp/why"; then
    skip "wholenet run as an ordinary user" "$(cat "$tmp/why")"
    finish
fi
user=$($run id -u)
inside() {
    $run "$wholenet" run -- sh -c "$1"
}
equal "the user is the same inside" "$(inside 'id -u')" "$user"
equal "an address by DHCP" "$(inside 'ip -4 -o addr show eth0' | awk '{print $4}')" 10.0.2.15/24
equal "names" "$(inside 'dig +short www.home.arpa')" 10.0.2.1
equal "pages" "$(inside 'curl -sS -o /dev/null -w %{http_code} http://www.home.arpa/')" 200
equal "resolv.conf is another inside" "$(inside 'grep nameserver /etc/resolv.conf')" "nameserver 10.0.2.1"
check "ping" inside 'ping -c 1 -W 2 -q 10.0.2.1'
check "ip link set" inside 'ip link set eth0 mtu 1300'
check "a server on a low port" inside 'python3 -c "import socket; socket.socket().bind((\"0.0.0.0\", 80))"'
check "a raw socket" inside 'python3 -c "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)"'
equal "no right on the host's files" "$(inside 'touch /etc/wholenet-test 2>/dev/null; echo $?')" 1
equal "exit statuses" "$(inside 'exit 42'; echo $?)" 42
serve_folder "$tmp"
echo hello >"$tmp/hello"
equal "the host's loopback" "$(inside "curl -sS http://10.0.2.2:$port/hello")" hello
$run "$wholenet" run -- sleep 904 &
pid=$!
wait_for pgrep -x -f "sleep 904"
kill -KILL $pid
wait $pid 2>/dev/null
sleep 0.2
check "nothing is left after SIGKILL" sh -c '! pgrep -x -f "sleep 904"'
if [ "$(id -u)" = 0 ] && [ "$(stat -c %a /dev/net/tun)" = 600 ]; then
    capture setpriv --reuid 65534 --regid 65534 --clear-groups "$wholenet" run -- true
    equal "without the right to open /dev/net/tun it fails" "$status" 125
    contains "… and one line says what to do" "$err" "chmod 0666 /dev/net/tun"
    equal "… one" "$(wc -l <"$tmp/err")" 1
fi
finish
