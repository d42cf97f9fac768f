#!/bin/sh
# SPDX-License-Identifier: ISC
# DNS over TLS as its clients see it: kdig(1), OpenSSL, Python; and the site's own certificates. TAP.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib.sh
export WHOLENET_STATE="$tmp/state"
port=$((20000 + $$ % 12000))
tls=$((port + 1))

cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
names {
    listen = "127.0.0.1:$port"
    listen-tls = "127.0.0.1:$tls"
    record = {"www A 10.0.2.80"$(i=2; while [ $i -le 100 ]; do
        printf ', "many A 192.0.2.%d"' $i; i=$((i + 1)); done)}
}
END
"$wholenet" serve "$tmp/site.conf" >"$tmp/site.log" 2>&1 &
server=$!
children="$children $server"
root="$tmp/state/root.pem"
wait_for test -s "$tmp/state/home.arpa-127.0.0.1.pem"
sleep 0.2

# ---- the root ----
equal "trust prints the root" "$("$wholenet" trust)" "$(cat "$root")"
equal "… and where it is" "$("$wholenet" trust --path)" "$root"
equal "… and one elsewhere" "$("$wholenet" trust -p -f "$tmp/other")" "$tmp/other/root.pem"
equal "keys are their owner's alone" "$(stat -c %a "$tmp/state" "$tmp/state/root.key" | xargs)" "700 600"
contains "the bundle has the root" "$("$wholenet" trust --bundle)" "$(sed -n 2p "$root")"
capture "$wholenet" trust --folder /proc/nowhere
equal "a folder that cannot be made" "$status" 1
contains "… is told" "$err" "cannot make the folder /proc/nowhere: No such file or directory"

# ---- Python's own ssl: a client that has nothing of ours ----
ask() {
    python3 - "$root" "$tls" "$@" <<'END'
import socket, ssl, struct, sys
root, port, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
context = ssl.create_default_context(cafile=root)
def query(number, name, padding=None):
    labels = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
    options = b"" if padding is None else struct.pack("!HH", 12, padding) + bytes(padding)
    message = struct.pack("!6H", number, 0x100, 1, 0, 0, 1) + labels + struct.pack("!2H", 1, 1)
    message += struct.pack("!BHHLH", 0, 41, 1232, 0, len(options)) + options
    return struct.pack("!H", len(message)) + message
def connect(name="localhost", session=None):
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), timeout=10),
                               server_hostname=name, session=session)
def reply(file):
    length = struct.unpack("!H", file.read(2))[0]
    message = file.read(length)
    return struct.unpack("!H", message[:2])[0], length
s = connect()
file = s.makefile("rb")
if what == "pipeline":      # a hundred questions in one piece, cut in two in the middle of a message
    octets = b"".join(query(i, "www.home.arpa" if i % 2 else "many.home.arpa") for i in range(100))
    s.sendall(octets[:1001])
    s.sendall(octets[1001:])
    print(sorted(reply(file)[0] for i in range(100)) == list(range(100)))
elif what == "padding":
    s.sendall(query(1, "www.home.arpa", 20) + query(2, "www.home.arpa") + query(3, "many.home.arpa", 0))
    print([reply(file)[1] % 468 for i in range(3)][::2])
elif what == "end":         # no more questions: both sides end as they should
    s.sendall(query(1, "www.home.arpa"))
    plain = s.unwrap
    print(reply(file)[0], end=" ")
    s.unwrap()
    print("ended")
elif what == "resume":
    s.sendall(query(1, "www.home.arpa"))
    reply(file)
    again = connect(session=s.session)
    print(again.session_reused)
elif what == "idle":        # RFC 7766 §6.2.3
    s.settimeout(15)
    print(s.recv(1) == b"")
elif what == "nonsense":    # too short to be a query: it speaks no DNS
    s.sendall(b"\0\3abc")
    try:
        print(s.recv(1) == b"")
    except ConnectionResetError:
        print(True)
END
}
equal "a hundred questions at once" "$(ask pipeline)" True
equal "replies are padded for who pads" "$(ask padding)" "[0, 0]"
equal "close_notify is answered" "$(ask end)" "1 ended"
equal "sessions are resumed" "$(ask resume)" True
equal "who speaks no DNS is cut off" "$(ask nonsense)" True
ask idle >"$tmp/idle" &
idle=$!

# ---- OpenSSL ----
show() {
    openssl s_client -connect "127.0.0.1:$tls" -CAfile "$root" -verify_return_error "$@" \
        </dev/null 2>&1
}
if command -v openssl >/dev/null; then
    contains "the certificate is right" "$(show -verify_hostname ns.home.arpa)" "Verification: OK"
    contains "… by address" "$(show -verify_ip 127.0.0.1)" "Verification: OK"
    contains "… and not for others" "$(show -verify_hostname ns.example)" "hostname mismatch"
    contains "ALPN says dot" "$(show -alpn dot)" "ALPN protocol: dot"
    contains "TLS 1.2 is there" "$(show -tls1_2)" "New, TLSv1.2, Cipher is ECDHE"
    contains "nothing older is" "$(show -tls1_1 -cipher ALL@SECLEVEL=0)" "Cipher is (NONE)"
else
    skip "the certificate by openssl" "openssl is not installed"
fi

# ---- kdig ----
if command -v kdig >/dev/null; then
    kdig="kdig @127.0.0.1 -p $tls +tls-ca=$root +timeout=5 +retry=0"
    equal "kdig, strict" "$($kdig +tls-hostname=ns.home.arpa +short www.home.arpa)" 10.0.2.80
    equal "kdig, opportunistic" \
        "$(kdig @127.0.0.1 -p "$tls" +tls +timeout=5 +retry=0 +short www.home.arpa)" 10.0.2.80
    contains "kdig, long" "$($kdig +tls-hostname=ns.home.arpa many.home.arpa)" "ANSWER: 99"
    contains "kdig does not believe another name" \
        "$($kdig +tls-hostname=ns.example www.home.arpa 2>&1)" "failed"
else
    skip "kdig" "kdig is not installed"
fi

# ---- other certificates, while it runs ----
cp "$tmp/state/home.arpa-127.0.0.1.pem" "$tmp/old.pem"
rm "$tmp/state"/home.arpa-*
kill -HUP $server
wait_for test -s "$tmp/state/home.arpa-127.0.0.1.pem"
check "a reload makes what is missing" sh -c "! cmp -s $tmp/old.pem $tmp/state/home.arpa-127.0.0.1.pem"
equal "… and it answers on" "$(ask pipeline)" True
sed -i "s|listen-tls.*|&\n    certificate = \"$tmp/nothing.pem\"|" "$tmp/site.conf"
capture "$wholenet" serve "$tmp/site.conf"
equal "a certificate that is not there" "$status" 1
contains "… is told" "$err" "names over TLS: cannot use the certificate in $tmp/nothing.pem: No such file or directory"

wait $idle
equal "an idle connection ends with close_notify" "$(cat "$tmp/idle")" True
kill $server
wait $server
equal "it ends well" "$?" 0

# ---- in a private network all trust it ----
cat >"$tmp/run.conf" <<END
names {
    listen = "53"
    listen-tls = "853"
}
END
if "$wholenet" run -- true 2>/dev/null; then
    equal "inside of run there is no warning" "$(env -i PATH="$PATH" WHOLENET_STATE="$WHOLENET_STATE" \
        "$wholenet" run -c "$tmp/run.conf" -- python3 -c '
import socket, ssl
context = ssl.create_default_context()
s = context.wrap_socket(socket.create_connection(("ns.home.arpa", 853)), server_hostname="ns.home.arpa")
print(s.version())')" TLSv1.3
    if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
        contains "… nor for who reads the host's file" "$("$wholenet" run -c "$tmp/run.conf" -- \
            cat /etc/ssl/certs/ca-certificates.crt)" "$(sed -n 2p "$root")"
        equal "… and programs are told of a file that everybody may read" "$(env -i PATH="$PATH" \
            WHOLENET_STATE="$WHOLENET_STATE" "$wholenet" run -c "$tmp/run.conf" -- printenv SSL_CERT_FILE)" \
            /etc/ssl/certs/ca-certificates.crt
    fi
else
    skip "inside of run" "wholenet run needs /dev/net/tun and namespaces here"
fi
finish
