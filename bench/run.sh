#!/bin/sh
# SPDX-License-Identifier: ISC
# Compares `wholenet run` with its peers; see README.md beside this. Builds what it needs, makes a
# network namespace that stands for the host, and runs bench.py in it: nothing leaves the machine.
set -eu
cd "$(dirname "$0")/.."
make -s VARIANT=release all
mkdir -p build/bench
${CC:-gcc} -O2 -Wall -Wextra -D_GNU_SOURCE -pthread bench/bench_tool.c -o build/bench/bench_tool
exec unshare --user --map-root-user --net --mount --propagation slave \
    python3 bench/bench.py "$@"
