#!/bin/sh
# SPDX-License-Identifier: ISC
# Installs the Debian packages that are missing (tools/packages.txt), or names them in one line.
# Asks nothing. The kinds to set up are the arguments; without any: build run test.
set -eu
cd "$(dirname "$0")/.."
kinds=${*:-build run test}

missing=
for kind in $kinds; do
    for package in $(sed -n "s/^$kind: //p" tools/packages.txt); do
        state=$(dpkg-query -W -f '${db:Status-Abbrev}' "$package" 2>/dev/null || true)
        case $state in
        ii*) ;;
        *) case " $missing " in *" $package "*) ;; *) missing="$missing $package" ;; esac ;;
        esac
    done
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "wholenet: these packages are missing and there is no apt-get here:$missing" >&2
    exit 1
fi
if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    echo "wholenet: missing Debian packages; run as root: apt-get install$missing" >&2
    exit 1
fi
echo "wholenet: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086
if ! { $as_root apt-get install -y -q --no-install-recommends $missing ||
    { $as_root apt-get update -q &&
        $as_root apt-get install -y -q --no-install-recommends $missing; }; } >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "wholenet: apt-get could not install:$missing" >&2
    exit 1
fi
