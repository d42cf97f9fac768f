#!/bin/sh
# SPDX-License-Identifier: ISC
# Runs every fuzz target under libFuzzer for SECONDS each (default 60), from its corpus.
set -eu
cd "$(dirname "$0")/.."
seconds=${1:-60}
libraries=$(pkg-config --libs $(sed -n 's/^PACKAGES := //p' Makefile)) # as the program has them
make -s VARIANT=fuzz CC=clang \
    CFLAGS='-O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined' \
    build/fuzz/libwholenet.a
for source in fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    corpus=fuzz/corpus/${name#fuzz_}
    mkdir -p "$corpus" "build/fuzz/found/$name"
    clang -O1 -g -fsanitize=address,undefined,fuzzer -std=c17 -D_GNU_SOURCE -Isrc -I. "$source" \
        build/fuzz/libwholenet.a $libraries -o "build/fuzz/$name"
    echo "== $name, $seconds s"
    "build/fuzz/$name" -max_total_time="$seconds" -print_final_stats=0 -verbosity=0 \
        "build/fuzz/found/$name" "$corpus"
done
