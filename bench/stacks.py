#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Two stacks in one process, on one core, beside lwIP; what idle connections cost; instructions.

`make benches` first; bench/run.sh does. lwIP is compared when liblwip-dev is installed, and
instructions are counted when valgrind is. No network of the machine is touched.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import measure

PAIR = measure.built("stack_pair")
MEMORY = measure.built("stack_memory")
LWIP = measure.built("peers/lwip_pair")
SEGMENTS = ["pair_output_a", "pair_input_b", "pair_output_b", "pair_input_a"]


def bulk(options, table):
    seconds = 0.5 if options.quick else 2
    for streams in 1, 1000:
        for offload in [], ["offload"]:
            ours = measure.run_json(measure.pinned(PAIR, "bulk", streams, seconds, *offload))
            peer = None
            if measure.present(LWIP):
                peer = measure.run_json(measure.pinned(LWIP, "bulk", streams, seconds))
            name = f"{streams:,} stream{'s' if streams > 1 else ''}, MSS 1460"
            if offload:
                name += ", with offload (lwIP has none)"
            table.keep(name, "Gbit/s", 2, ours and ours["gbit"], peer and peer["gbit"])


def workers(options, table):
    """Two threads, each with two stacks and half of the streams, beside one with all of them."""
    seconds = 0.5 if options.quick else 2
    for offload in [], ["offload"]:
        one, two = (measure.run_json([PAIR, "workers", count, 1000, seconds, *offload])
                    for count in (1, 2))
        for key, text in [("gbit", "by the clock"), ("gbit_cpu", "by the workers' own CPU")]:
            name = f"1,000 streams, MSS 1460{', with offload' if offload else ''}, {text}"
            table.keep(name, "Gbit/s", 2, two and two[key], one and one[key])


def memory(options):
    count = 100000 if options.quick else 1000000
    found = {"idle": measure.run_json(measure.pinned(MEMORY, "idle", count), 300),
             "syn": measure.run_json(measure.pinned(MEMORY, "syn", 20000)),
             "time-wait": measure.run_json(measure.pinned(MEMORY, "time-wait", 30000))}
    print("| what | octets a connection, at A / at B |\n|---|--:|")
    for name, text in [("idle", "idle, established"), ("syn", "half open (B)"),
                       ("time-wait", "TIME-WAIT (A)")]:
        if found[name]:
            print(f"| {text}, {found[name]['count']:,} of them | {found[name]['a_each']:.0f} / "
                  f"{found[name]['b_each']:.0f} |")
    idle = found["idle"]
    if idle:
        rates = ", ".join(f"{step['per_second'] / 1000:.0f}" for step in idle["steps"])
        pauses = ", ".join(f"{step['longest_ms']:.1f}" for step in idle["steps"])
        print(f"\n{count:,} connections, both ends in one process: {idle['resident_mb']:.0f} MB, "
              f"{idle['resident_each']:.0f} octets each for both ends.\nOpened, thousands a second, by "
              f"tenths: {rates}.\nLongest batch of 32 in each tenth, ms: {pauses}.\n")
    return found


def instructions(options):
    """By the four ways through the two stacks, from callgrind's inclusive counts."""
    if not shutil.which("valgrind"):
        return None
    octets = 2000000 if options.quick else 20000000
    found = {}
    for offload in [], ["offload"]:
        with tempfile.TemporaryDirectory(prefix="wholenet-bench-") as folder:
            out = os.path.join(folder, "callgrind")
            counts = measure.run_json(["valgrind", "-q", "--tool=callgrind",
                                       f"--callgrind-out-file={out}", PAIR, "count", 1, octets,
                                       *offload], 600)
            listing = subprocess.run(["callgrind_annotate", "--inclusive=yes", "--threshold=100", out],
                                     capture_output=True, text=True).stdout
        if not counts:
            return None
        way = {name: int(m.group(1).replace(",", "")) for name in SEGMENTS
               if (m := re.search(rf"^\s*([\d,]+) .*:{name}\b", listing, re.M))}
        found["offload" if offload else "plain"] = {
            "segments": counts["segments"], "acks": counts["acks"],
            "heap_calls": counts["heap_calls"],
            "send": way["pair_output_a"] / counts["segments"],
            "receive": way["pair_input_b"] / counts["segments"],
            "ack_made": way["pair_output_b"] / counts["acks"],
            "ack_taken": way["pair_input_a"] / counts["acks"]}
    print("| instructions (callgrind), one stream, MSS 1460 | a segment sent | a segment received | "
          "an ACK made | an ACK taken | segments an ACK |\n|---|--:|--:|--:|--:|--:|")
    for name, row in found.items():
        print(f"| {name} | {row['send']:,.0f} | {row['receive']:,.0f} | {row['ack_made']:,.0f} | "
              f"{row['ack_taken']:,.0f} | {row['segments'] / row['acks']:.1f} |")
    print()
    return found


def main():
    parser = measure.arguments(__doc__.splitlines()[0])
    parser.add_argument("--only", choices=["bulk", "workers", "memory", "instructions"])
    options = parser.parse_args()
    table = measure.Comparison("lwIP")
    shards = measure.Comparison("one worker", "two workers")
    extra = {}
    if options.only in (None, "bulk"):
        for _ in range(1 if options.quick else options.rounds):
            bulk(options, table)
    if options.only in (None, "workers"):
        for _ in range(1 if options.quick else options.rounds):
            workers(options, shards)
    if options.only in (None, "memory"):
        extra["memory"] = memory(options)
    if options.only in (None, "instructions"):
        extra["instructions"] = instructions(options)
    measure.finish("Stack to stack", [table, shards], options, extra)


if __name__ == "__main__":
    main()
