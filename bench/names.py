#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A name server beside NSD and Knot DNS: queries by UDP, and a zone of a million records.

Started by run.sh in a network namespace of its own. Each server has one process or thread that
answers; dnsperf asks for the addresses of a zone of ten thousand names. Beside queries a second
there are queries a second of the server's own CPU time, which other work on the machine disturbs
less. The servers run in turns.
"""
import argparse
import contextlib
import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import measure

PORT = 5390
HEAD = "$ORIGIN {0}\n$TTL 300\n@ SOA ns h 1 3600 600 86400 60\n@ NS ns\nns A 192.0.2.1\n"


def write_zone(path, origin, count):
    with open(path, "w", encoding="ascii") as out:
        out.write(HEAD.format(origin))
        for i in range(count):
            out.write(f"host{i} A 10.{i >> 16 & 255}.{i >> 8 & 255}.{i & 255}\n")


def write_queries(path, origin, count):
    chance = random.Random(1)
    with open(path, "w", encoding="ascii") as out:
        for _ in range(2 * count):
            out.write(f"host{chance.randrange(count)}.{origin} A\n")


SITE = """link "host" {{ address = "127.0.0.1/8" }}
names {{
    listen = "127.0.0.1:{port}"
    zone = {{"{origin} {zone}"}}
}}
"""
NSD = """server:
  ip-address: 127.0.0.1@{port}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/nsd.pid"
  database: ""
  xfrdfile: "{folder}/xfrd.state"
  zonelistfile: "{folder}/zonelist"
  logfile: "{folder}/nsd.log"
  xfrdir: "{folder}"
  server-count: 1
remote-control:
  control-enable: no
zone:
  name: {origin}
  zonefile: {zone}
"""
KNOT = """server:
  rundir: {folder}
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: {folder}
zone:
  - domain: {origin}
    file: {zone}
    journal-content: none
"""
SERVERS = {
    "wholenet": (SITE, lambda path: [os.path.join(os.path.dirname(measure.BUILT), "wholenet"), "serve", "-q", path]),
    "nsd": (NSD, lambda path: ["nsd", "-d", "-c", path]),
    "knot": (KNOT, lambda path: ["knotd", "-c", path]),
}


class Server:
    """One of the servers with one zone, in a folder and a session of its own."""

    def __init__(self, kind, origin, zone):
        template, words = SERVERS[kind]
        self.folder = tempfile.mkdtemp(prefix="names-")
        path = os.path.join(self.folder, "conf")
        with open(path, "w", encoding="ascii") as out:
            out.write(template.format(folder=self.folder, origin=origin, zone=zone, port=PORT))
        self.began = time.monotonic()
        self.process = subprocess.Popen(words(path), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        self.wait(f"host1.{origin}")
        self.start = time.monotonic() - self.began

    def wait(self, name):
        for _ in range(300):
            got = subprocess.run(["dig", "@127.0.0.1", "-p", str(PORT), "+short", "+tries=1",
                                  "+time=1", name], capture_output=True, text=True, check=False)
            if got.stdout.startswith("10."):
                return
            time.sleep(0.02)
        raise SystemExit(f"{self.process.args[0]} did not start")

    def processes(self):
        """Of the session, whoever their parents are."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[3]) == self.process.pid:
                found.append((int(pid), int(fields[11]) + int(fields[12])))
        return found

    def cpu(self):
        return sum(ticks for _, ticks in self.processes()) / os.sysconf("SC_CLK_TCK")

    def memory(self):
        total = 0
        for pid, _ in self.processes():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
                total += int(re.search(r"^Pss: *(\d+)", rollup.read(), re.M).group(1))
        return total / 1024

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        for _ in range(250): # the next one wants the port
            left = self.processes()
            for pid, _ in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if not left:
                break
            time.sleep(0.02)
        shutil.rmtree(self.folder, ignore_errors=True)


def ask(server, queries, seconds):
    before = server.cpu()
    told = subprocess.run(["dnsperf", "-s", "127.0.0.1", "-p", str(PORT), "-d", queries,
                           "-l", str(seconds), "-c", "4", "-q", "200"],
                          capture_output=True, text=True, check=True).stdout
    done = int(re.search(r"Queries completed: *(\d+)", told).group(1))
    rate = float(re.search(r"Queries per second: *([\d.]+)", told).group(1))
    return {"queries a second": rate, "a CPU second": done / max(server.cpu() - before, 0.01)}


def one_round(kinds, folder, seconds, figures):
    random.shuffle(kinds)
    for kind in kinds:
        with Server(kind, "ten.example", f"{folder}/ten") as server:
            for name, value in ask(server, f"{folder}/queries", seconds).items():
                figures[kind].setdefault(name, []).append(value)
        with Server(kind, "big.example", f"{folder}/big") as server:
            figures[kind].setdefault("load, s", []).append(server.start)
            figures[kind].setdefault("load, CPU s", []).append(server.cpu())
            figures[kind].setdefault("MiB", []).append(server.memory())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", help="write all figures to this file, too")
    arguments = parser.parse_args()
    rounds, seconds, count = (1, 1, 10**5) if arguments.quick else (arguments.rounds, 5, 10**6)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    kinds = [kind for kind in SERVERS
             if kind == "wholenet" or shutil.which("knotd" if kind == "knot" else kind)]
    figures = {kind: {} for kind in kinds}
    with tempfile.TemporaryDirectory() as folder:
        write_zone(f"{folder}/ten", "ten.example.", 10**4)
        write_zone(f"{folder}/big", "big.example.", count)
        write_queries(f"{folder}/queries", "ten.example.", 10**4)
        for _ in range(rounds):
            one_round(list(kinds), folder, seconds, figures)
    print(f"median of {rounds}; the zone that is loaded has {count} records")
    for name in figures["wholenet"]:
        row = [f"{kind} {statistics.median(figures[kind][name]):.4g}" for kind in kinds]
        print(f"{name:20}", "   ".join(row))
    if arguments.json:
        with open(arguments.json, "w", encoding="ascii") as out:
            json.dump(figures, out, indent=1)


main()
