#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A lossy path: our stack with Linux, and Linux with Linux, over the same virtual wire in real time.

Started by run.sh in a network namespace of its own. The wire is ours (sim/wire.h): delay both ways,
loss both ways, a rate with a queue of one round trip. A fetch and a push of some seconds, after which
the ratio of the goodput is taken; rounds take turns.
"""
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import measure

TOOL = measure.built("bench_tool")
OURS = measure.built("tap_server")
WIRE = measure.built("tap_wire")
PORT = 5201
CLIENT, SERVER = "10.9.0.1", "10.9.0.2"
OUR_NAMES = {"reno": "newreno"}


def impairments(options):
    frames = options.rate * 1e6 * options.rtt / 1e3 / 8 / 1514
    return [f"delay={options.rtt / 2}", f"loss={options.loss}", f"rate={options.rate}",
            f"queue={max(10, int(frames))}"]


def ip(*words):
    subprocess.run(["ip", *words], check=True)


def started(words):
    process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE,
                               stdin=subprocess.DEVNULL)
    if process.stdout.readline() != b"ready\n":
        raise SystemExit(f"{words[0]} did not start")
    return process


class Path:
    """The client's end is `bench0` here; the server is Linux in another namespace, or our stack."""

    def __init__(self, kind, algorithm, options):
        self.algorithm = algorithm
        self.processes = []
        wire = impairments(options)
        if kind == "ours":
            self.processes.append(started([OURS, "bench0", SERVER + "/24", PORT,
                                           "congestion=" + OUR_NAMES.get(algorithm, algorithm),
                                           *wire]))
        else:
            self.processes.append(started([WIRE, "bench0", "bench1", *wire]))
            server = subprocess.Popen(["unshare", "--net", "sh", "-c",
                                       f"read go; exec {TOOL} -C {algorithm} serve {SERVER} {PORT}"],
                                      stdin=subprocess.PIPE)
            self.processes.append(server)
            time.sleep(0.2)
            ip("link", "set", "bench1", "netns", str(server.pid))
            inside = ["nsenter", f"--net=/proc/{server.pid}/ns/net", "ip"]
            for words in (["addr", "add", SERVER + "/24", "dev", "bench1"],
                          ["link", "set", "bench1", "up"]):
                subprocess.run([*inside, *words], check=True)
            server.stdin.write(b"go\n")
            server.stdin.close()
        ip("addr", "add", CLIENT + "/24", "dev", "bench0")
        ip("link", "set", "bench0", "up")
        self.ask("reach", SERVER, PORT, 10)

    def ask(self, *words):
        return measure.run_json([TOOL, "-C", self.algorithm, *words], 120)

    def goodput(self, verb, seconds):
        result = self.ask(verb, SERVER, PORT, 1, seconds)
        return result and result["gbit"] * 1000

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.kill()
            process.wait()


def one_round(options, table):
    for algorithm in options.algorithms.split(","):
        found = {}
        for kind in "ours", "linux":
            with Path(kind, algorithm, options) as path:
                for verb in "fetch", "bulk":
                    found[kind, verb] = path.goodput(verb, options.seconds)
        for verb, text in ("fetch", "ours sends"), ("bulk", "ours receives"):
            table.keep(f"{algorithm}, {text}", "Mbit/s", 1, found["ours", verb],
                       found["linux", verb])


def main():
    parser = measure.arguments(__doc__.splitlines()[0])
    parser.add_argument("--algorithms", default="bbr,cubic,reno")
    parser.add_argument("--rtt", type=float, default=50, help="milliseconds")
    parser.add_argument("--loss", type=float, default=1, help="percent, each way")
    parser.add_argument("--rate", type=float, default=100, help="Mbit/s")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    options.seconds = 3 if options.quick else options.seconds
    table = measure.Comparison("Linux ↔ Linux", "ours ↔ Linux")
    for _ in range(1 if options.quick else options.rounds):
        one_round(options, table)
    measure.finish(f"{options.rtt:g} ms, {options.loss:g} % loss, {options.rate:g} Mbit/s", [table],
                   options)


if __name__ == "__main__":
    main()
