#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A server on our stack over a TAP device, and the same server on lwIP; the client is Linux.

Started by run.sh in a network namespace of its own. Latencies and rates are measured with client and
server on CPU 0, bulk also on two CPUs. MSS 1460; ours with the device's offload, as it would be
used, and, in rows of their own, without.
"""
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import measure

TOOL = measure.built("bench_tool")
OURS = measure.built("tap_server")
LWIP = measure.built("peers/lwip_server")
PORT = 5201
CLIENT, SERVER = "10.9.0.1", "10.9.0.2"


class Server:
    """One of the servers on a TAP device, and the kernel's end of that."""

    def __init__(self, kind, pinned):
        words = {"ours": [OURS, "bench0", SERVER + "/24", PORT],
                 "plain": [OURS, "bench0", SERVER + "/24", PORT, "plain"],
                 "lwip": [LWIP, "bench0", SERVER, "255.255.255.0", PORT]}[kind]
        words = measure.pinned(*words) if pinned else words
        self.cpu = ["-c", "0"] if pinned else []
        self.process = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE,
                                        stdin=subprocess.DEVNULL)
        if self.process.stdout.readline() != b"ready\n":
            raise SystemExit("the server did not start")
        for command in (["addr", "add", CLIENT + "/24", "dev", "bench0"],
                        ["link", "set", "bench0", "up"]):
            subprocess.run(["ip", *command], check=True)
        self.ask("reach", SERVER, PORT, 5)

    def ask(self, *words):
        return measure.run_json([TOOL, "-C", "reno", *self.cpu, *words], 60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def small(kind, seconds):
    found = {}
    with Server(kind, True) as server:
        rtt = server.ask("rr", SERVER, PORT, seconds)
        found["rtt"] = rtt and rtt["p50_us"]
        for name, words in [("connect_byte", ["connect", SERVER, PORT, 1, seconds]),
                            ("connect", ["connect", SERVER, PORT, 0, seconds]),
                            ("udp", ["udp", SERVER, PORT, seconds])]:
            result = server.ask(*words)
            found[name] = result and result["per_second"]
    return found


def bulk(kind, seconds, pinned):
    found = {}
    with Server(kind, pinned) as server:
        for name, verb in [("to", "bulk"), ("from", "fetch")]:
            result = server.ask(verb, SERVER, PORT, 1, seconds)
            found[name] = result and result["gbit"]
    return found


def one_round(options, table):
    seconds = 0.5 if options.quick else 2
    lwip = measure.present(LWIP)
    ours, peer = small("ours", seconds), small("lwip", seconds) if lwip else {}
    table.keep("round trip p50, pinned", "µs", 2, ours["rtt"], peer.get("rtt"), False)
    for name, text in [("connect_byte", "connect, 1 octet, close, pinned"),
                       ("connect", "connect, close, pinned"),
                       ("udp", "UDP questions and answers, pinned")]:
        table.keep(text, "/s", 0, ours[name], peer.get(name))
    for pinned in True, False:
        where = "pinned" if pinned else "two CPUs"
        peer = bulk("lwip", seconds, pinned) if lwip else {}
        for kind, what in ("ours", ""), ("plain", ", no offload"):
            ours = bulk(kind, seconds, pinned)
            for name in "to", "from":
                table.keep(f"bulk {name} the server, {where}{what}", "Gbit/s", 2, ours[name],
                           peer.get(name))


def main():
    options = measure.arguments(__doc__.splitlines()[0]).parse_args()
    with open("/proc/sys/net/ipv4/tcp_congestion_control", "w") as file:
        file.write("reno")
    table = measure.Comparison("lwIP")
    for _ in range(1 if options.quick else options.rounds):
        one_round(options, table)
    measure.finish("Server over a TAP device", [table], options)


if __name__ == "__main__":
    main()
