#!/bin/sh
# SPDX-License-Identifier: ISC
# One command for each benchmark; see README.md beside this. Builds what it needs, makes a network
# namespace that stands for the host, and runs there: nothing leaves the machine.
#
#   bench/run.sh [gateway] [OPTION…]    `wholenet run` beside its peers
#   bench/run.sh stacks|server|lossy|names [OPTION…]
#   bench/run.sh all [OPTION…]          one after the other, with JSON under build/bench/
set -eu
cd "$(dirname "$0")/.."
what=gateway
case ${1:-} in
gateway | stacks | server | lossy | names | all) what=$1 && shift ;;
esac
make -s VARIANT=release benches
mkdir -p build/bench

run_one() {
    name=$1
    shift
    test "$name" != gateway || name=bench
    unshare --user --map-root-user --net --mount --propagation slave \
        python3 "bench/$name.py" "$@"
}

if [ "$what" = all ]; then
    for each in stacks server lossy names gateway; do
        run_one "$each" --json "build/bench/$each.json" "$@"
    done
else
    run_one "$what" "$@"
fi
