#!/bin/sh
# SPDX-License-Identifier: ISC
# The library as another program meets it: installed into a folder, found by pkg-config, with the
# names that its headers and its manual pages say and no other; and the examples, built against it.
. tests/lib.sh

check "make install" flock build/make.lock make -s VARIANT=release WERROR=1 install DESTDIR="$tmp/root" PREFIX=/usr
lib=$tmp/root/usr/lib
man3=$tmp/root/usr/share/man/man3
export PKG_CONFIG_SYSROOT_DIR="$tmp/root" PKG_CONFIG_LIBDIR="$lib/pkgconfig"
equal "pkg-config knows the version" "$(pkg-config --modversion wholenet)" "$(cat VERSION)"

# Names.
exports() { # LIBRARY
    nm -D --defined-only "$lib/$1.so" | awk '$2 != "A" {sub("@.*", "", $3); print $3}' | sort >"$tmp/exported"
    nm -g --defined-only "$lib/$1.a" | awk 'NF == 3 {print $3}' | sort >"$tmp/static"
}
tests/api/header_names.py | sort >"$tmp/declared"
tests/api/header_names.py --plain | sort >"$tmp/plain"
exports libwholenet
equal "what is exported is what the headers declare" "$(diff "$tmp/exported" "$tmp/plain")" ""
equal "... in the static library, too" "$(diff "$tmp/static" "$tmp/plain")" ""
exports libwholenet-http
equal "what libwholenet-http exports is all of it" "$(diff "$tmp/exported" "$tmp/declared")" ""
equal "... in the static library, too" "$(diff "$tmp/static" "$tmp/declared")" ""
for page in man/*.3; do
    sed -n '/^\.Sh NAME/,/^\.Sh SYNOPSIS/s/^\.Nm \([a-z0-9_]*\).*/\1/p' "$page"
done | grep -v '^wholenet$' | sort >"$tmp/named"
equal "the manual has a page for each" "$(diff "$tmp/named" "$tmp/declared")" ""
for page in man/*.3; do
    for name in $(sed -n '/^\.Sh NAME/,/^\.Sh SYNOPSIS/s/^\.Nm \(wn_[a-z0-9_]*\).*/\1/p' "$page"); do
        grep -q -e "^\.F[no] $name\b" "$page" || echo "$page: no synopsis of $name"
        sed '1,/^\.Sh DESCRIPTION/d' "$page" | grep -q "^\.Fn $name\b" || echo "$page: $name is not described"
    done
done >"$tmp/missing"
equal "... which shows how it is called, and says what it does" "$(cat "$tmp/missing")" ""
equal "a page for each name is installed" \
    "$(while read -r name; do [ -f "$man3/$name.3" ] || echo "$name"; done <"$tmp/declared")" ""
equal "... and the links lead to pages" \
    "$(sed -n 's/^\.so man3\///p' "$man3"/*.3 | sort -u | while read -r page; do
        [ -f "$man3/$page" ] || echo "$page"
    done)" ""
if command -v mandoc >/dev/null; then
    check "the pages are in order" mandoc -Tlint -Wwarning man/*.3
else
    skip "the pages are in order" "there is no mandoc"
fi
equal "it needs the C library only" \
    "$(readelf -d "$lib/libwholenet.so" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | grep -v -e '^libc\.so' -e '^ld-linux')" ""
contains "it has a soname" "$(readelf -d "$lib/libwholenet.so")" "soname: [libwholenet.so.0]"

# The names of settings and options in the manual.
cat >"$tmp/names.c" <<'PROGRAM'
#include <stdio.h>
#include <wholenet/tcp.h>
int main(int argc, char **argv)
{
    const char *name;
    (void)argv;
    for (size_t place = 0;
         (name = argc > 1 ? wn_tcp_each_option(&place) : wn_stack_each_setting(&place)) != NULL;)
        puts(name);
    return 0;
}
PROGRAM
build() { # SOURCE PROGRAM STANDARD
    ${CC:-gcc} -std="$3" -D_GNU_SOURCE -Wall -Wextra -Werror $(pkg-config --cflags wholenet) -o "$2" "$1" \
        $(pkg-config --libs wholenet)
}
items() { # PAGE SECTION
    sed -n "/^\\.Ss $2\$/,/^\\.S[hs] /s/^\\.It Li \\([a-z0-9_]*\\)\$/\\1/p" "man/$1" | sort
}
export LD_LIBRARY_PATH="$lib"
check "a program is built by pkg-config" build "$tmp/names.c" "$tmp/names" c99
equal "wn_stack(3) names every setting" "$("$tmp/names" | sort)" "$(items wn_stack.3 Settings)"
equal "every member of the profile is a setting" "$("$tmp/names" | sort)" \
    "$(sed -n '/^struct tcp_profile {/,/^};/s/^    [a-z][^;]* \([a-z0-9_]*\);.*/\1/p' src/stack/tcp/tcp_profile.h |
        grep -vx name | sort)"
equal "wn_tcp(3) names every option" "$("$tmp/names" options | sort)" "$(items wn_tcp.3 Options)"

# The examples, with the shared library and with the static one.
for name in two_hosts echo tap; do
    check "examples/$name.c is built" build "examples/$name.c" "$tmp/$name" c99
done
check "two hosts in one process" "$tmp/two_hosts"
equal "... from one seed the same" "$("$tmp/two_hosts" 5)" "$("$tmp/two_hosts" 5)"
check "... with the static library" ${CC:-gcc} -std=c99 -D_GNU_SOURCE $(pkg-config --cflags wholenet) \
    -o "$tmp/static_hosts" examples/two_hosts.c "$lib/libwholenet.a"
equal "... the same" "$(LD_LIBRARY_PATH= "$tmp/static_hosts" 5)" "$("$tmp/two_hosts" 5)"
equal "... which needs no other library" "$(readelf -d "$tmp/static_hosts" | grep -c libwholenet)" 0

# For packetdrill.
equal "the shared object for packetdrill shows what the tool looks for" \
    "$(nm -D --defined-only "$lib/libwholenet-packetdrill.so" | awk '{print $3}' | sort | tr '\n' ' ')" \
    "close getsockopt packetdrill_interface_init "
check "its driver is built" flock build/make.lock make -s VARIANT=release WERROR=1 build/release/tests/api/drill_tool
check "... and drives it as the tool does" env CMOCKA_MESSAGE_OUTPUT=STDOUT timeout 100 \
    build/release/tests/api/drill_tool "$lib/libwholenet-packetdrill.so"

cat >"$tmp/talk.py" <<'PROGRAM'
import os, socket, struct, subprocess, sys, time

folder = sys.argv[1]


def host(*command):
    process = subprocess.Popen([folder + "/" + command[0], "tap0", *command[1:]], stdout=subprocess.PIPE)
    while not os.path.exists("/sys/class/net/tap0") and subprocess.run(
            ["ip", "link", "show", "tap0"], capture_output=True).returncode != 0:
        time.sleep(0.01)
    subprocess.run("ip addr add 10.9.0.1/24 dev tap0 && ip link set tap0 up", shell=True, check=True)
    return process


def read_all(stream, size=None):
    out = b""
    while size is None or len(out) < size:
        part = stream.recv(65536)
        if not part:
            break
        out += part
    return out


echo = host("echo", "10.9.0.7/24")
for size in (1, 1000, 3000000):
    text = os.urandom(size)
    with socket.create_connection(("10.9.0.7", 7), 20) as stream:
        sent = 0
        got = b""
        while sent < size:
            part = text[sent:sent + 32768]
            stream.sendall(part)
            got += read_all(stream, len(part))
            sent += len(part)
        stream.shutdown(socket.SHUT_WR)
        got += read_all(stream)
    assert got == text, size
echo.kill()
echo.wait()

tap = host("tap", "10.9.0.8/24", "2")
assert subprocess.run(["ping", "-c1", "-W5", "-q", "10.9.0.8"], stdout=subprocess.DEVNULL).returncode == 0
since_1900 = time.time() + 2208988800
with socket.create_connection(("10.9.0.8", 37), 20) as stream:
    assert abs(struct.unpack("!I", read_all(stream))[0] - since_1900) < 100
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
    udp.settimeout(20)
    udp.sendto(b"", ("10.9.0.8", 37))
    assert abs(struct.unpack("!I", udp.recv(4))[0] - since_1900) < 100
counters = dict(line.split() for line in tap.communicate(timeout=20)[0].decode().splitlines())
assert tap.returncode == 0
assert counters["icmpInEchos"] == "1" and counters["tcpPassiveOpens"] == "1", counters
PROGRAM
if unshare -rn sh -c 'ip tuntap add tap7 mode tap' 2>/dev/null; then
    check "an echo server and a host by events, on TAP devices, and the kernel as their peer" \
        timeout 100 unshare -rn python3 "$tmp/talk.py" "$tmp"
else
    skip "examples on TAP devices" "no network namespace with TAP devices here"
fi
finish
