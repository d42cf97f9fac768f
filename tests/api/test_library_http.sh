#!/bin/sh
# SPDX-License-Identifier: ISC
# libwholenet-http as another program meets it: installed, beside libwholenet in one process, its examples before
# `wholenet serve` with TLS and HTTP/2, and over a TCP/IP of their own on a TAP device.
. tests/lib.sh
# Scripts run beside each other, and share what is built.
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY

check "make install" flock build/make.lock make -s VARIANT=release WERROR=1 install DESTDIR="$tmp/root" PREFIX=/usr
lib=$tmp/root/usr/lib
export PKG_CONFIG_SYSROOT_DIR="$tmp/root" PKG_CONFIG_LIBDIR="$lib/pkgconfig" LD_LIBRARY_PATH="$lib"
equal "pkg-config knows the version" "$(pkg-config --modversion wholenet-http)" "$(cat VERSION)"
equal "a program links the one library" "$(pkg-config --libs-only-l wholenet-http | tr -d ' ')" -lwholenet-http
contains "it has a soname" "$(readelf -d "$lib/libwholenet-http.so")" "soname: [libwholenet-http.so.0]"

build() { # SOURCE PROGRAM PACKAGE [MORE…]
    source=$1 program=$2 package=$3
    shift 3
    ${CC:-gcc} -std=c99 -D_GNU_SOURCE -Wall -Wextra -Werror $(pkg-config --cflags "$package") -o "$program" \
        "$source" $(pkg-config --libs "$package") "$@"
}
cat >"$tmp/patient.c" <<'PROGRAM'
/* Takes a piece of what is at a URL every few milliseconds, the first ones after longer, and writes it to
 * standard output. */
#include <stdio.h>
#include <string.h>
#include <wholenet/http.h>
static int over;
static void on_body(void *self, struct wn_http_transfer *transfer, const void *data, size_t len)
{
    (void)self;
    fwrite(data, 1, len, stdout);
    wn_http_pause(transfer);
}
static void on_end(void *self, struct wn_http_transfer *transfer, const struct wn_http_result *result)
{
    (void)self;
    (void)transfer;
    fprintf(stderr, "%s\n", result->why);
    over = 1 + (result->error != 0 || result->response->version != WN_HTTP_2);
}
int main(int argc, char **argv)
{
    static const struct wn_http_handler calls = {NULL, NULL, on_body, on_end};
    struct wn_http_options options;
    struct wn_http_request request;
    struct wn_http_transfer *transfer;
    struct wn_http *http;
    struct wn_loop *loop = wn_loop_new();
    (void)argc;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    options.trust_file = argv[2];
    memset(&request, 0, sizeof request);
    request.size = sizeof request;
    request.url = argv[1];
    if (wn_http_new(loop, &options, &http) != 0 || wn_http_start(http, &request, &calls, NULL, &transfer) != 0)
        return 3;
    for (int rounds = 0; !over; rounds++) {
        wn_loop_run_until(loop, wn_loop_now(loop) + (rounds < 3 ? 300 : 2) * WN_MILLISECOND);
        if (!over)
            wn_http_resume(transfer);
    }
    wn_http_free(http);
    wn_loop_free(loop);
    return over - 1;
}
PROGRAM
check "a program that takes its time is built" build "$tmp/patient.c" "$tmp/patient" wholenet-http
for name in download http_tap http_hello; do
    check "examples/$name.c is built" build "examples/$name.c" "$tmp/$name" wholenet-http
done
check "... with the static library" ${CC:-gcc} -std=c99 -D_GNU_SOURCE $(pkg-config --cflags wholenet-http) \
    -o "$tmp/static_download" examples/download.c "$lib/libwholenet-http.a" \
    $(sed -n 's/^Libs.private: //p' "$lib/pkgconfig/wholenet-http.pc")
equal "... which then needs it no more" "$(readelf -d "$tmp/static_download" | grep -c libwholenet)" 0

# Both libraries in one process: each calls its own.
cat >"$tmp/plugin.c" <<'PROGRAM'
#include <wholenet/loop.h>
void *plugin(void);
void *plugin(void)
{
    struct wn_loop *loop = wn_loop_new_virtual(1);
    wn_loop_free(loop);
    return (void *)wn_loop_new_virtual;
}
PROGRAM
cat >"$tmp/host.c" <<'PROGRAM'
#include <wholenet/http.h>
void *plugin(void);
int main(void)
{
    char out[WN_HTTP_URL_MAX];
    return plugin() == (void *)wn_loop_new_virtual || wn_http_url(0, "http://x", out, sizeof out) != 0;
}
PROGRAM
check "a library with libwholenet" ${CC:-gcc} -shared -fPIC $(pkg-config --cflags wholenet) -o "$tmp/libplugin.so" \
    "$tmp/plugin.c" $(pkg-config --libs wholenet)
for order in "-L$tmp -lplugin $(pkg-config --libs wholenet-http)" "$(pkg-config --libs wholenet-http) -L$tmp -lplugin"; do
    check "... and a program with libwholenet-http" ${CC:-gcc} $(pkg-config --cflags wholenet-http) -o "$tmp/host" \
        "$tmp/host.c" $order -Wl,-rpath,"$tmp"
    check "... do not meet" "$tmp/host"
done
if command -v ${CXX:-g++} >/dev/null; then
    sed 's/(void \*)wn/(void *)\&wn/' "$tmp/host.c" | sed 's/^void \*plugin/extern "C" void *plugin/' >"$tmp/host.cc"
    check "... and one in C++" ${CXX:-g++} -std=c++11 -Wall -Wextra -Werror $(pkg-config --cflags wholenet-http) \
        -o "$tmp/host" "$tmp/host.cc" -L"$tmp" -lplugin $(pkg-config --libs wholenet-http) -Wl,-rpath,"$tmp"
    check "... does as well" "$tmp/host"
else
    skip "... and one in C++" "there is no C++ compiler"
fi

# Before a server.
export WHOLENET_STATE="$tmp/state"
set -- $(python3 -c '
import socket
all = [socket.create_server(("127.0.0.1", 0)) for i in range(2)]
print(*(s.getsockname()[1] for s in all))')
mkdir -p "$tmp/www"
head -c 30000000 /dev/urandom >"$tmp/www/large" # more than may be on its way to who pauses
seq 100000 >"$tmp/www/numbers.txt"
cat >"$tmp/site.conf" <<END
link "host" { address = "127.0.0.1/8" }
web {
    listen = {"127.0.0.1:$1", "127.0.0.1:$2 tls"}
    root = "$tmp/www"
    location "/old/" { redirect = "301 /large" }
}
END
"$wholenet" serve "$tmp/site.conf" >"$tmp/log" 2>&1 &
children="$children $!"
wait_for "$wholenet" get -q -o /dev/null "http://127.0.0.1:$1/large" || cat "$tmp/log"
get() { capture "$tmp/download" "$@"; }
get "http://127.0.0.1:$1/old/x" "$tmp/got"
equal "a download" "$status" 0
check "... of what is there" cmp "$tmp/got" "$tmp/www/large"
contains "... and from where" "$out" "200 http://127.0.0.1:$1/large"
get "https://localhost:$2/large" "$tmp/got" "$tmp/state/root.pem"
equal "over TLS and HTTP/2" "$status" 0
check "... the same" cmp "$tmp/got" "$tmp/www/large"
contains "... and how" "$out" TLSv1.3
get "https://localhost:$2/numbers.txt" "$tmp/got" "$tmp/state/root.pem"
check "what was compressed is not any more" cmp "$tmp/got" "$tmp/www/numbers.txt"
for file in large numbers.txt; do
    timeout 100 "$tmp/patient" "https://localhost:$2/$file" "$tmp/state/root.pem" >"$tmp/got"
    equal "... and piece by piece, with pauses" $? 0
    check "... it is all of $file" cmp "$tmp/got" "$tmp/www/$file"
done
get "https://localhost:$2/large" "$tmp/got"
equal "from whom nobody knows: nothing" "$status" 1
contains "... and why" "$err" "no TLS with localhost"
get "http://127.0.0.1:$1/none" "$tmp/got"
contains "what is not there" "$err" "404"
get http:// "$tmp/got"
equal "a URL that is none" "$status" 1

# A server of the library's, and others' client.
"$tmp/http_hello" 127.0.0.1:0 >"$tmp/hello" &
children="$children $!"
wait_for grep -q listening "$tmp/hello"
hello=http://$(sed -n 's/listening at //p' "$tmp/hello")
equal "http_hello greets" "$(curl -sS "$hello/")" hello
head -c 60000 "$tmp/www/numbers.txt" >"$tmp/posted"
curl -sS --data-binary "@$tmp/posted" "$hello/echo" >"$tmp/echoed"
check "... echoes" cmp "$tmp/posted" "$tmp/echoed"
equal "... within limits" "$(curl -sS -o /dev/null -w '%{http_code}' --data-binary "@$tmp/www/large" "$hello/echo")" 413
equal "... and ends" "$(curl -sS "$hello/end")" hello
equal "... after all of it" "$(tail -1 "$tmp/hello")" "GET /end"

cat >"$tmp/tap.sh" <<'SCRIPT'
ip tuntap add tap0 mode tap && ip addr add 10.9.0.1/24 dev tap0 && ip link set tap0 up && ip link set lo up
cd "$1/www" || exit 1
python3 -u -m http.server --bind 10.9.0.1 8000 >"$1/python" 2>&1 &
server=$!
for _ in $(seq 100); do ss -ltn | grep -q :8000 && break; sleep 0.05; done
"$1/http_tap" tap0 10.9.0.7/24 10.9.0.1 http://10.9.0.1:8000/large >"$1/by_tap"
status=$?
kill $server
exit $status
SCRIPT
if unshare -rn sh -c 'ip tuntap add tap7 mode tap' 2>/dev/null; then
    check "a client with a TCP/IP of its own" timeout 100 unshare -rn sh "$tmp/tap.sh" "$tmp"
    check "... gets it, too" cmp "$tmp/by_tap" "$tmp/www/large"
    contains "... from an address of its own" "$(cat "$tmp/python")" 10.9.0.7
else
    skip "a client with a TCP/IP of its own" "no network namespace with TAP devices here"
fi
finish
