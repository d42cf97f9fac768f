# SPDX-License-Identifier: ISC
"""A small Internet of names for resolvers that ask from the root down: three NSDs at addresses of the
loopback, port 53: the root, the domain "tree.", and some hundred zones below it with all the names."""
import os
import random
import shutil
import signal
import subprocess
import tempfile
import time

ROOT, TOP, LEAVES = "127.0.0.11", "127.0.0.12", "127.0.0.13"
HEAD = "$ORIGIN {0}\n$TTL 86400\n@ SOA ns h 1 3600 600 86400 60\n@ NS {1}\n"
NSD = """server:
  ip-address: {address}
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  pidfile: "{folder}/{address}.pid"
  database: ""
  xfrdfile: "{folder}/{address}.state"
  zonelistfile: "{folder}/{address}.list"
  logfile: "{folder}/{address}.log"
  xfrdir: "{folder}"
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
"""
WHOLENET = """link "host" {{ address = "127.0.0.1/8" }}
names {{
    listen = "127.0.0.1:{port}"
    resolve = recursive
    roots = "{tree}/hints"
    cache = 1G
}}
"""
UNBOUND = """server:
  interface: 127.0.0.1
  port: {port}
  username: ""
  chroot: ""
  directory: "{folder}"
  pidfile: "{folder}/unbound.pid"
  use-syslog: no
  do-daemonize: no
  num-threads: 1
  do-not-query-localhost: no
  access-control: 127.0.0.0/8 allow
  module-config: "iterator"
  root-hints: "{tree}/hints"
  msg-cache-size: 512m
  rrset-cache-size: 1g
remote-control:
  control-enable: no
"""
KRESD = """net.listen('127.0.0.1', {port}, {{ kind = 'dns' }})
cache.open(1000*MB, 'lmdb://{folder}')
trust_anchors.remove('.')
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
modules.unload('detect_time_skew')
modules.load('hints > iterate')
hints.root({{ ['ns.root.'] = '127.0.0.11' }})
policy.add(policy.all(policy.FLAGS({{'ALLOW_LOCAL'}})))
"""
BIND = """options {{
  directory "{folder}";
  pid-file "{folder}/named.pid";
  session-keyfile "{folder}/session.key";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  recursion yes;
  dnssec-validation no;
  max-cache-size 1g;
  recursive-clients 10000;
}};
controls {{ }};
zone "." {{ type hint; file "{tree}/hints"; }};
"""
RESOLVERS = {
    "unbound": (UNBOUND, lambda path: ["unbound", "-d", "-c", path]),
    "kresd": (KRESD, lambda path: ["kresd", "-n", "-q", "-c", path, os.path.dirname(path)]),
    "named": (BIND, lambda path: ["named", "-f", "-n", "1", "-c", path]),
}


class Tree:
    """The three servers, and in its folder `hints` and `all`, every name's question once."""

    def __init__(self, zones, names):
        self.folder = tempfile.mkdtemp(prefix="tree-")
        os.chmod(self.folder, 0o755)
        self.write_zones(zones, names // zones)
        self.processes = [self.start(ROOT, ["."]), self.start(TOP, ["tree."]),
                          self.start(LEAVES, [f"z{i}.tree." for i in range(zones)])]
        for address, name in ((ROOT, "."), (TOP, "tree."), (LEAVES, "z0.tree.")):
            self.wait(address, name)

    def path(self, zone):
        return os.path.join(self.folder, zone.rstrip(".") or "root")

    def write_zones(self, zones, each):
        questions = []
        with open(self.path("hints"), "w", encoding="ascii") as out:
            out.write(f". 86400 NS ns.root.\nns.root. 86400 A {ROOT}\n")
        with open(self.path("."), "w", encoding="ascii") as out:
            out.write(HEAD.format(".", "ns.root.") + f"ns.root. A {ROOT}\n"
                      f"tree. NS ns.tree.\nns.tree. A {TOP}\n")
        with open(self.path("tree."), "w", encoding="ascii") as out:
            out.write(HEAD.format("tree.", "ns") + f"ns A {TOP}\n")
            out.writelines(f"z{i} NS ns.z{i}\nns.z{i} A {LEAVES}\n" for i in range(zones))
        for i in range(zones):
            with open(self.path(f"z{i}.tree."), "w", encoding="ascii") as out:
                out.write(HEAD.format(f"z{i}.tree.", "ns") + f"ns A {LEAVES}\n")
                out.writelines(f"host{j} A 10.{i >> 8}.{i & 255}.{j & 255}\n" for j in range(each))
            questions += [f"host{j}.z{i}.tree. A\n" for j in range(each)]
        random.Random(3).shuffle(questions)
        with open(self.path("all"), "w", encoding="ascii") as out:
            out.writelines(questions)

    def start(self, address, zones):
        path = self.path(f"{address}.conf")
        with open(path, "w", encoding="ascii") as out:
            out.write(NSD.format(address=address, folder=self.folder))
            out.writelines(f'zone:\n  name: "{zone}"\n  zonefile: "{self.path(zone)}"\n' for zone in zones)
        return subprocess.Popen(["nsd", "-d", "-c", path], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL, start_new_session=True)

    @staticmethod
    def wait(address, name):
        for _ in range(300):
            got = subprocess.run(["dig", f"@{address}", "+short", "+tries=1", "+time=1", "SOA", name],
                                 capture_output=True, text=True, check=False)
            if "3600" in got.stdout:
                return
            time.sleep(0.02)
        raise SystemExit(f"the server at {address} did not start")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)
