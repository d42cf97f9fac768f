# SPDX-License-Identifier: ISC
# lib.sh - what the test scripts share: results as TAP, a folder for what they make, servers that
# end with them. A script begins with `. tests/lib.sh` and ends with `finish`.
#
#   check NAME COMMAND…        ok when the command ends with 0
#   equal NAME GOT WANT        ok when the two are the same
#   contains NAME TEXT PART    ok when PART is somewhere in TEXT
#   skip NAME REASON           not to be tested here
#   capture COMMAND…           runs it: $status, $out, $err
#
# As root it has a network of its own, so that no port it takes is another's, and nothing it sends goes anywhere.
set -u
if [ "$(id -u)" = 0 ] && [ -z "${OWN_NETWORK:-}" ] && unshare -n ip link set lo up 2>/dev/null; then
    OWN_NETWORK=yes exec unshare -n sh -c 'ip link set lo up; exec "$0" "$@"' "$0" "$@"
fi
wholenet=${WHOLENET:-$PWD/build/${VARIANT:-release}/wholenet}
top=$PWD
tmp=$(mktemp -d)
chmod 755 "$tmp"
results=0
failures=0
children=

cleanup() {
    for child in $children; do
        kill "$child" 2>/dev/null
    done
    rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

ok() {
    results=$((results + 1))
    echo "ok $results - $1"
}

not_ok() {
    results=$((results + 1))
    failures=$((failures + 1))
    echo "not ok $results - $1"
}

skip() {
    results=$((results + 1))
    echo "ok $results - $1 # skip $2"
}

check() {
    name=$1
    shift
    if "$@" >"$tmp/check.log" 2>&1; then
        ok "$name"
    else
        echo "# $* ended with $?"
        sed 's/^/# /' "$tmp/check.log" | tail -20
        not_ok "$name"
    fi
}

equal() {
    if [ "$2" = "$3" ]; then
        ok "$1"
    else
        printf '%s\n' "got:  $2" "want: $3" | sed 's/^/# /'
        not_ok "$1"
    fi
}

contains() {
    case $2 in
    *"$3"*) ok "$1" ;;
    *)
        printf '%s\n' "got:  $2" "want: … $3 …" | sed 's/^/# /'
        not_ok "$1"
        ;;
    esac
}

capture() {
    "$@" >"$tmp/out" 2>"$tmp/err"
    status=$?
    out=$(cat "$tmp/out")
    err=$(cat "$tmp/err")
}

# Waits until a command succeeds, twenty seconds at most.
wait_for() {
    for _ in $(seq 400); do
        if "$@" >/dev/null 2>&1; then
            return 0
        fi
        sleep 0.05
    done
    return 1
}

# Has a server read its configuration again, and waits until its log says that it has: reload PID LOG.
reload() {
    reloads=$(grep -c reloaded "$2")
    kill -HUP "$1"
    wait_for more_lines reloaded "$reloads" "$2"
}

more_lines() { # more_lines TEXT COUNT FILE: of those with the text
    [ "$(grep -c "$1" "$3")" -gt "$2" ]
}

# A web server of the host, on a free port of 127.0.0.1, for the folder: sets $port.
serve_folder() {
    python3 -u "$top/tests/support/web_server.py" "$1" >"$tmp/port" 2>"$tmp/server.log" &
    children="$children $!"
    wait_for test -s "$tmp/port"
    port=$(cat "$tmp/port")
}

sha_of() {
    sha256sum | cut -d' ' -f1
}

# Sets $run: a command line that runs wholenet as an ordinary user, in a mount namespace in which
# that user may open /dev/net/tun. False when this machine cannot.
rootless() {
    cat >"$tmp/rootless" <<'SCRIPT'
set -e
mount --make-rprivate /
if ! setpriv --reuid 65534 --regid 65534 --clear-groups test -w /dev/net/tun; then
    mkdir -p "$TUN"
    mount -t tmpfs none "$TUN"
    mknod -m 666 "$TUN/tun" c 10 200
    mount --bind "$TUN/tun" /dev/net/tun
fi
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
SCRIPT
    run="env TUN=$tmp/tun unshare -m sh $tmp/rootless"
    $run true 2>/dev/null
}

finish() {
    echo "1..$results"
    [ "$failures" = 0 ]
    exit
}

if [ "$(id -u)" != 0 ] && ! "$wholenet" run -- true 2>/dev/null; then
    skip "$0" "wholenet run needs /dev/net/tun and namespaces here"
    finish
fi
