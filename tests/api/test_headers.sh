#!/bin/sh
# SPDX-License-Identifier: ISC
# The public headers: C99 and C++11 without a warning, each on its own and all together, and not a
# name that does not begin with wn_ or WN_.
. tests/lib.sh

compiles() {
    ${CC:-gcc} -std=c99 -pedantic -Wall -Wextra -Wstrict-prototypes -Wundef -Werror -Iinclude \
        -fsyntax-only -x c "$1"
}
compiles_cxx() {
    ${CXX:-g++} -std=c++11 -pedantic -Wall -Wextra -Werror -Iinclude -fsyntax-only -x c++ "$1"
}

: >"$tmp/all.c"
for header in include/wholenet/*.h; do
    name=${header#include/}
    echo "#include <$name>" | tee -a "$tmp/all.c" >"$tmp/one.c"
    echo "int unused;" >>"$tmp/one.c"
    check "<$name> is C99" compiles "$tmp/one.c"
    if command -v ${CXX:-g++} >/dev/null; then
        check "... and C++11" compiles_cxx "$tmp/one.c"
    else
        skip "... and C++11" "there is no C++ compiler"
    fi
done
cat >>"$tmp/all.c" <<'PROGRAM'
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <wholenet/socket.h>
int unused;
PROGRAM
check "all of them beside the system's" compiles "$tmp/all.c"

tests/api/header_names.py >"$tmp/functions"
tests/api/header_names.py --others >"$tmp/others"
check "they declare functions" test "$(wc -l <"$tmp/functions")" -gt 90
equal "every function begins with wn_" "$(grep -v '^wn_' "$tmp/functions")" ""
equal "every other name begins with wn_, WN_ or WHOLENET_" \
    "$(grep -v -e '^wn_' -e '^WN_' -e '^WHOLENET_' "$tmp/others")" ""
check "... and there are many" test "$(wc -l <"$tmp/others")" -gt 200
finish
