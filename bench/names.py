#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A name server beside NSD and Knot DNS, and a resolver beside Unbound and Knot Resolver.

Started by run.sh in a network namespace of its own. Each server has one process or thread that
answers; dnsperf asks. Beside queries a second there are queries a second of the server's own CPU
time, which other work on the machine disturbs less. The servers run in turns.

Authority: a zone of ten thousand names by UDP and by TCP, how long answers take when half as much is
asked as there could be, and a zone of a million records. Resolvers: the same ten thousand names from
the cache, in the clear and over TLS; names that must be asked for, each once, from an NSD with the million records; memory when
they are all known. And from the root down, over the tree of names_tree.py, beside BIND as well: each of
its names once.
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
import names_tree

PORT = 5390
UPSTREAM = 5391
TLS_PORT = 5392
CERTIFICATE = tempfile.mkdtemp(prefix="names-") # with cert.pem and key.pem
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


def write_all(path, origin, count):
    """Each name once."""
    numbers = list(range(count))
    random.Random(2).shuffle(numbers)
    with open(path, "w", encoding="ascii") as out:
        out.writelines(f"host{i}.{origin} A\n" for i in numbers)


SITE = """workers = {workers}
link "host" {{ address = "127.0.0.1/8" }}
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
  server-count: {workers}
  reuseport: {several}
  rrl-ratelimit: 0
  tcp-count: 200
remote-control:
  control-enable: no
zone:
  name: {origin}
  zonefile: {zone}
"""
NSD_MORE = """zone:
  name: ten.example
  zonefile: {zone}.ten
"""
KNOT = """server:
  rundir: {folder}
  listen: 127.0.0.1@{port}
  udp-workers: {workers}
  tcp-workers: {workers}
  background-workers: 1
database:
  storage: {folder}
zone:
  - domain: {origin}
    file: {zone}
    journal-content: none
"""
WORK = """workers = {workers}
link "host" {{ address = "127.0.0.1/8" }}
names {{
    listen = "127.0.0.1:{port}"
    listen-tls = "127.0.0.1:{tls}"
    certificate = "{certificate}/cert.pem"
    certificate-key = "{certificate}/key.pem"
    resolve = forward
    forward = {{"127.0.0.1:{upstream}"}}
    cache = 1G
}}
"""
UNBOUND = """server:
  interface: 127.0.0.1
  interface: 127.0.0.1@{tls}
  port: {port}
  tls-port: {tls}
  tls-service-key: "{certificate}/key.pem"
  tls-service-pem: "{certificate}/cert.pem"
  incoming-num-tcp: 100
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  do-daemonize: no
  num-threads: {workers}
  so-reuseport: {several}
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  module-config: "iterator"
  msg-cache-size: 512m
  rrset-cache-size: 1g
remote-control:
  control-enable: no
forward-zone:
  name: "."
  forward-addr: 127.0.0.1@{upstream}
"""
KRESD = """net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})
net.listen('127.0.0.1', {tls}, {{ kind = 'tls' }})
net.tls('{certificate}/cert.pem', '{certificate}/key.pem')
cache.open(1000*MB, 'lmdb://{folder}')
trust_anchors.remove('.')
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
modules.unload('detect_time_skew')
policy.add(policy.all(policy.STUB('127.0.0.1@{upstream}')))
"""


def wholenet(path):
    return [os.path.join(os.path.dirname(measure.BUILT), "wholenet"), "serve", "-q", path]


workers = 1 # of each server

RESOLVERS = {
    "wholenet": (WORK, wholenet),
    "unbound": (UNBOUND, lambda path: ["unbound", "-d", "-c", path]),
    "kresd": (KRESD, lambda path: ["kresd", "-n", "-q", "-c", path, os.path.dirname(path)]),
}
TREE_RESOLVERS = {"wholenet": (names_tree.WHOLENET, wholenet), **names_tree.RESOLVERS}
SERVERS = {
    "wholenet": (SITE, wholenet),
    "nsd": (NSD, lambda path: ["nsd", "-d", "-c", path]),
    "knot": (KNOT, lambda path: ["knotd", "-c", path]),
}


class Server:
    """One of the servers with one zone, in a folder and a session of its own."""

    def __init__(self, program, origin, zone=None, port=PORT, tree=None):
        template, words = program
        self.port = port
        self.folder = tempfile.mkdtemp(prefix="names-")
        path = os.path.join(self.folder, "conf")
        with open(path, "w", encoding="ascii") as out:
            out.write(template.format(folder=self.folder, origin=origin, zone=zone, port=port,
                                      upstream=UPSTREAM, tls=TLS_PORT, certificate=CERTIFICATE,
                                      workers=workers, several="yes" if workers > 1 else "no", tree=tree))
        self.began = time.monotonic()
        self.process = subprocess.Popen(words(path), stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        self.wait(f"host1.{origin}")
        self.start = time.monotonic() - self.began

    def wait(self, name):
        for _ in range(300):
            got = subprocess.run(["dig", "@127.0.0.1", "-p", str(self.port), "+short", "+tries=1",
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


def make_certificate():
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-subj", "/CN=localhost", "-days", "2", "-keyout", f"{CERTIFICATE}/key.pem",
                    "-out", f"{CERTIFICATE}/cert.pem"], check=True, capture_output=True)
    for path in (CERTIFICATE, f"{CERTIFICATE}/key.pem"): # servers give up their privileges
        os.chmod(path, 0o755)


def dnsperf(queries, *words):
    clients = 4 if workers == 1 else 32 # the kernel shares them out by their ports
    return subprocess.run(["dnsperf", "-s", "127.0.0.1", "-p", str(PORT), "-d", queries, "-c", str(clients),
                           *map(str, words)], capture_output=True, text=True, check=True).stdout


def ask(server, queries, seconds, *words):
    before = server.cpu()
    told = dnsperf(queries, "-l", seconds, "-q", 200, *words)
    done = int(re.search(r"Queries completed: *(\d+)", told).group(1))
    rate = float(re.search(r"Queries per second: *([\d.]+)", told).group(1))
    return rate, done / max(server.cpu() - before, 0.01)


def p99(queries, seconds, rate):
    """Milliseconds, from each answer that dnsperf tells of; what is lost took as long as it waits."""
    told = dnsperf(queries, "-l", seconds, "-q", 200, "-Q", int(rate), "-v")
    times = sorted(5 if line.startswith("> T ") else float(line.split()[-1])
                   for line in told.splitlines() if line.startswith("> "))
    return 1000 * times[len(times) * 99 // 100]


def measure_authority(kind, folder, seconds, add):
    program = SERVERS[kind]
    with Server(program, "ten.example", f"{folder}/ten") as server:
        rate, work = ask(server, f"{folder}/queries", seconds)
        add("UDP, queries/s", rate)
        add("UDP, queries/CPU s", work)
        add("UDP, p99 at half, ms", p99(f"{folder}/queries", seconds, rate / 2))
        rate, work = ask(server, f"{folder}/queries", seconds, "-m", "tcp")
        add("TCP, queries/s", rate)
        add("TCP, queries/CPU s", work)
    with Server(program, "big.example", f"{folder}/big") as server:
        add("load, s", server.start)
        add("load, CPU s", server.cpu())
        add("MiB", server.memory())


def measure_resolver(kind, folder, seconds, add):
    program = RESOLVERS[kind]
    with Server(program, "ten.example") as server:
        dnsperf(f"{folder}/queries", "-n", 1, "-q", 50)
        rate, work = ask(server, f"{folder}/queries", seconds)
        add("cached, queries/s", rate)
        add("cached, queries/CPU s", work)
        add("cached, p99 at half, ms", p99(f"{folder}/queries", seconds, rate / 2))
        rate, work = ask(server, f"{folder}/queries", seconds, "-m", "dot", "-p", TLS_PORT)
        add("cached, TLS, queries/s", rate)
        add("cached, TLS, queries/CPU s", work)
    with Server(program, "big.example") as server:
        empty = server.memory()
        rate, work = ask(server, f"{folder}/all", seconds)
        add("missed, queries/s", rate)
        add("missed, queries/CPU s", work)
        told = dnsperf(f"{folder}/all", "-n", 1, "-q", 200)
        lost = float(re.search(r"Queries lost: *(\d+)", told).group(1))
        add("all names cached, MiB", server.memory() - empty)
        add("… of which were lost", lost)


def measure_tree(kind, tree, seconds, add):
    """Until all names were asked for, however long that takes."""
    del seconds
    with Server(TREE_RESOLVERS[kind], "z0.tree", tree=tree) as server:
        before = server.cpu()
        told = dnsperf(f"{tree}/all", "-n", 1, "-q", 200)
        done = int(re.search(r"Queries completed: *(\d+)", told).group(1))
        add("from the root, queries/s", float(re.search(r"Queries per second: *([\d.]+)", told).group(1)))
        add("from the root, queries/CPU s", done / max(server.cpu() - before, 0.01))
        add("… of which were not answered well", int(re.search(r"Queries sent: *(\d+)", told).group(1)) -
            sum(map(int, re.findall(r"NOERROR (\d+)", told))))


def one_round(what, kinds, folder, seconds, figures):
    random.shuffle(kinds)
    for kind in kinds:
        what(kind, folder, seconds,
             lambda name, value, of=figures[kind]: of.setdefault(name, []).append(value))


def compare(what, programs, folder, options, figures):
    kinds = [kind for kind, (_, words) in programs.items() if shutil.which(words("")[0])]
    figures.update({kind: {} for kind in kinds})
    for _ in range(options.rounds):
        one_round(what, list(kinds), folder, options.seconds, figures)
    for name in next(iter(figures.values()), {}):
        row = [f"{kind} {statistics.median(figures[kind][name]):.4g}" for kind in kinds]
        print(f"{name:24}", "   ".join(row), flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["authority", "resolver", "tree"])
    parser.add_argument("--json", help="write all figures to this file, too")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--servers", help="only these, with commas")
    options = parser.parse_args()
    global workers
    workers = options.workers
    if workers > 1:
        RESOLVERS.pop("kresd") # has one thread
    for programs in (SERVERS, RESOLVERS, TREE_RESOLVERS):
        for kind in [kind for kind in programs if options.servers and kind not in options.servers.split(",")]:
            programs.pop(kind)
    options.seconds, count = (1, 10**5) if options.quick else (5, 10**6)
    options.rounds = 1 if options.quick else options.rounds
    subprocess.run(["ip", "link", "set", "lo", "up"], check=False)
    figures = {"authority": {}, "resolver": {}, "tree": {}}
    make_certificate()
    with tempfile.TemporaryDirectory() as folder:
        write_zone(f"{folder}/ten", "ten.example.", 10**4)
        os.symlink(f"{folder}/ten", f"{folder}/big.ten")
        write_zone(f"{folder}/big", "big.example.", count)
        write_queries(f"{folder}/queries", "ten.example.", 10**4)
        write_all(f"{folder}/all", "big.example.", count)
        print(f"median of {options.rounds}; workers: {workers}; the zone that is loaded has {count} records; "
              f"load average {os.getloadavg()[0]:.1f}")
        if options.only in (None, "authority"):
            compare(measure_authority, SERVERS, folder, options, figures["authority"])
        if options.only in (None, "resolver"):
            upstream = (NSD + NSD_MORE, lambda path: ["nsd", "-d", "-c", path])
            with Server(upstream, "big.example", f"{folder}/big", UPSTREAM):
                compare(measure_resolver, RESOLVERS, folder, options, figures["resolver"])
    if options.only in (None, "tree"):
        with names_tree.Tree(500, count // 5) as tree:
            compare(measure_tree, TREE_RESOLVERS, tree.folder, options, figures["tree"])
    shutil.rmtree(CERTIFICATE, ignore_errors=True)
    if options.json:
        with open(options.json, "w", encoding="ascii") as out:
            json.dump(figures, out, indent=1)


main()
