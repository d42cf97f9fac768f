#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Compares user-mode networks: each in turn, round after round, in the same minutes.

Started by run.sh in a network namespace of its own, which stands for the host. Prints a table in
Markdown with medians (and extremes) and the ratio to the best peer; --json writes every sample.
"""
import argparse
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

TOOL = os.path.abspath("build/release/bench/bench_tool")
FORWARDER = os.path.abspath("build/release/bench/peers/tap_forward")
WHOLENET = os.path.abspath("build/release/wholenet")
INSIDE_PORT = 5201  # published: the server in the namespace
HOST_PORT = 5300  # the server on the host
PINNED_PORT = 5400  # another one, on CPU 0
MANY = 15000  # connections; a process here has 20,000 descriptors at most
CONGESTION = "reno"  # always allowed, also without rights; the same on every socket

# key, text, unit, digits, whether more is better
METRICS = [
    ("out_1", "out of the namespace, 1 stream", "Gbit/s", 2, True),
    ("out_4", "out of the namespace, 4 streams", "Gbit/s", 2, True),
    ("in_1", "into the namespace, 1 stream", "Gbit/s", 2, True),
    ("in_4", "into the namespace, 4 streams", "Gbit/s", 2, True),
    ("fetch_1", "download by a client inside, 1 stream", "Gbit/s", 2, True),
    ("fetch_4", "download by a client inside, 4 streams", "Gbit/s", 2, True),
    ("cpu_out", "own CPU, out, 1 stream", "s/GB", 2, False),
    ("cpu_in", "own CPU, in, 1 stream", "s/GB", 2, False),
    ("cpu_fetch", "own CPU, download, 1 stream", "s/GB", 2, False),
    ("connect_byte", "connect, 1 octet, close, pinned", "/s", 0, True),
    ("connect", "connect, close, pinned", "/s", 0, True),
    ("rtt_p50", "round trip p50, pinned", "µs", 1, False),
    ("rtt_p99", "round trip p99, pinned", "µs", 1, False),
    ("udp", "UDP questions and answers, pinned", "/s", 0, True),
    ("open_1000", "opening 1,000 connections that stay", "/s", 0, True),
    ("open_many", "opening up to 15,000 that stay, pinned, 10 s at most", "/s", 0, True),
    ("open_even", "… the last tenth's rate by the first's, when all were opened", "", 2, True),
    ("own_each", "… own memory for each", "octets", 0, False),
    ("rss_idle", "memory, idle", "MiB", 1, False),
    ("rss_1000", "memory with 1,000 connections", "MiB", 1, False),
    ("rss_peak", "memory, peak of the whole run", "MiB", 1, False),
    ("start", "start until the first octet has come back", "ms", 0, False),
]


# ---- processes ----


def tool(*arguments, cpu=None):
    options = ["-C", CONGESTION] + (["-c", str(cpu)] if cpu is not None else [])
    return [TOOL, *options, *map(str, arguments)]


def children(pid):
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            found += open(f"/proc/{pid}/task/{task}/children").read().split()
    except OSError:
        pass
    return [int(child) for child in found]


def peer_processes(roots):
    """The processes of the peer itself: the tree below `roots` without the measuring tool."""
    pending, found = list(roots), []
    while pending:
        pid = pending.pop()
        pending += children(pid)
        try:
            name = open(f"/proc/{pid}/comm").read().strip()
        except OSError:
            continue
        if name != "bench_tool":
            found.append(pid)
    return found


def cpu_seconds(roots):
    total = 0
    for pid in peer_processes(roots):
        try:
            fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def memory(roots, field):
    """MiB of all the peer's processes: VmRSS, or VmHWM, its peak."""
    total = 0
    for pid in peer_processes(roots):
        try:
            lines = open(f"/proc/{pid}/status").read().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in lines if line.startswith(field + ":"))
    return total / 1024


class Failed(Exception):
    pass


def run_json(command, timeout):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout,
                              stdin=subprocess.PIPE)
    except subprocess.TimeoutExpired:
        raise Failed(f"no result after {timeout:.0f} s: {' '.join(command[1:])}")
    try:
        return json.loads(done.stdout)
    except ValueError:
        raise Failed((done.stderr.strip() or "no result") + ": " + " ".join(command[1:]))


# ---- the peers ----


class Peer:
    """A running network with our agent in it."""

    host = "10.0.2.2"  # the host's loopback as seen from inside
    published = "127.0.0.1"  # the server inside, as seen from the host
    a_peer = True  # something to be better than; not a bound

    def __init__(self, folder, pinned):
        self.folder = folder
        self.cpu = 0 if pinned else None
        self.port = PINNED_PORT if pinned else HOST_PORT
        self.socket = os.path.join(folder, "agent")
        self.processes = []

    def spawn(self, command, **more):
        if self.cpu is not None:
            command = ["taskset", "-c", str(self.cpu), *command]
        log = open(os.path.join(self.folder, "log"), "ab")
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                   start_new_session=True, **more)
        self.processes.append(process)
        return process

    def roots(self):
        return [process.pid for process in self.processes]

    def agent(self):
        return tool("agent", self.socket, INSIDE_PORT)

    def wait(self):
        deadline = time.monotonic() + 15
        while not os.path.exists(self.socket):
            if time.monotonic() > deadline or self.processes[0].poll() is not None:
                log = open(os.path.join(self.folder, "log"), errors="replace").read()
                raise Failed("it did not start: " + log[-800:])
            time.sleep(0.001)

    def inside(self, *arguments, timeout=30):
        options = ["-c", "0"] if self.cpu is not None else []
        return run_json([TOOL, "ask", self.socket, *options, *map(str, arguments)], timeout)

    def stop(self):
        try:
            subprocess.run([TOOL, "ask", self.socket, "quit"], timeout=5,
                           stdin=subprocess.DEVNULL, capture_output=True)
        except subprocess.TimeoutExpired:
            pass
        for process in reversed(self.processes):
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


class Wholenet(Peer):
    program = WHOLENET

    def start(self):
        self.spawn([self.program, "run", "-p", f"127.0.0.1:{INSIDE_PORT}:{INSIDE_PORT}", "--",
                    *self.agent()])
        self.wait()

    @staticmethod
    def present():
        return os.path.exists(Wholenet.program)


class Pasta(Peer):
    def start(self):
        self.spawn(["pasta", "-f", "-q", "--config-net", "-4", "-a", "10.0.2.15", "-n", "24",
                    "-g", self.host, "-t", f"127.0.0.1/{INSIDE_PORT}", "-u", "none", "-T", "none",
                    "-U", "none", "--", *self.agent()])
        self.wait()

    @staticmethod
    def present():
        return shutil.which("pasta")


class Slirp4netns(Peer):
    options = []

    def start(self):
        namespace = self.spawn(["unshare", "--user", "--map-root-user", "--net", *self.agent()])
        self.wait()
        api = os.path.join(self.folder, "api")
        ready, signal_ready = os.pipe()
        self.spawn(["slirp4netns", "--configure", *self.options, "--api-socket", api,
                    "--ready-fd", str(signal_ready), str(namespace.pid), "tap0"],
                   pass_fds=[signal_ready])
        os.close(signal_ready)
        os.read(ready, 1)
        os.close(ready)
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(api)
            request = {"proto": "tcp", "host_addr": "127.0.0.1", "host_port": INSIDE_PORT,
                       "guest_addr": "10.0.2.100", "guest_port": INSIDE_PORT}
            control.sendall(json.dumps({"execute": "add_hostfwd", "arguments": request}).encode())
            control.shutdown(socket.SHUT_WR)
            answer = control.recv(4096)
        if b"error" in answer:
            raise Failed(answer.decode())

    @staticmethod
    def present():
        return shutil.which("slirp4netns")


class Slirp4netnsLarge(Slirp4netns):
    options = ["--mtu=65520"]


class Forwarder(Peer):
    """Two TAP devices with a process between them that only copies: the kernel's TCP on both ends."""

    host = "10.0.2.2"
    published = "10.0.2.15"
    a_peer = False

    def start(self):
        namespace = self.spawn(["unshare", "--net", *self.agent()])
        self.wait()
        self.spawn([FORWARDER, "outer", "inner"])
        inside = ["nsenter", "--net=/proc/%d/ns/net" % namespace.pid]
        deadline = time.monotonic() + 5
        while subprocess.run(["ip", "link", "show", "inner"], capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise Failed("no devices")
            time.sleep(0.01)
        for command in (["ip", "link", "set", "inner", "netns", str(namespace.pid)],
                        ["ip", "addr", "add", "10.0.2.2/24", "dev", "outer"],
                        ["ip", "link", "set", "outer", "up"],
                        [*inside, "ip", "addr", "add", "10.0.2.15/24", "dev", "inner"],
                        [*inside, "ip", "link", "set", "inner", "up"],
                        [*inside, "sysctl", "-qw", f"net.ipv4.tcp_congestion_control={CONGESTION}"]):
            subprocess.run(command, check=True)

    @staticmethod
    def present():
        return os.path.exists(FORWARDER)


class Loopback(Peer):
    """No network between: what the machine and the measuring tool can do at most."""

    host = "127.0.0.1"
    a_peer = False

    def start(self):
        self.spawn(self.agent())
        self.wait()

    @staticmethod
    def present():
        return True


PEERS = {
    "wholenet": Wholenet,
    "pasta": Pasta,
    "slirp4netns": Slirp4netns,
    "slirp4netns-65520": Slirp4netnsLarge,
    "forwarder": Forwarder,
    "loopback": Loopback,
}


# ---- measuring ----


class Round:
    def __init__(self, options, samples, name):
        self.options = options
        self.samples = samples
        self.name = name

    def keep(self, metric, value):
        self.samples.setdefault(metric, []).append(value)

    def attempt(self, what, *arguments):
        try:
            what(*arguments)
        except Failed as failure:
            print(f"{self.name}: {failure}", file=sys.stderr)

    def bulk(self, peer, direction, streams):
        seconds = self.options.bulk_seconds
        arguments = ["bulk", peer.host, peer.port, streams, seconds]
        before = cpu_seconds(peer.roots())
        if direction in ("out", "fetch"):
            arguments[0] = "bulk" if direction == "out" else "fetch"
            result = peer.inside(*arguments, timeout=6 * seconds + 20)
        else:
            arguments[1:3] = [peer.published, INSIDE_PORT]
            result = run_json(tool(*arguments), 6 * seconds + 20)
        used = cpu_seconds(peer.roots()) - before
        if result["failed"]:
            raise Failed(f"{direction}: {result['failed']} of {streams} streams broke")
        self.keep(f"{direction}_{streams}", result["gbit"])
        if streams == 1 and peer.processes and not isinstance(peer, Loopback):
            self.keep(f"cpu_{direction}", used / (result["octets"] / 1e9))

    def hold(self, peer, count, seconds, while_held):
        """Opens connections; `while_held` is called with the result while they stay open."""
        options = ["-c", str(peer.cpu)] if peer.cpu is not None else []
        holder = subprocess.Popen([TOOL, "ask", peer.socket, *options, "hold", peer.host,
                                   str(peer.port), str(count), str(seconds)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        timer = time.monotonic()
        line = holder.stdout.readline()
        try:
            while_held(json.loads(line))
        except ValueError:
            raise Failed(f"holding connections failed after {time.monotonic() - timer:.1f} s")
        finally:
            holder.stdin.close()
            holder.wait()

    def memory(self, peer):
        self.keep("rss_idle", memory(peer.roots(), "VmRSS"))

        def held(result):
            if result["opened"] != 1000:
                raise Failed(f"{result['opened']} of 1000 connections opened")
            self.keep("open_1000", 1000 / result["seconds"])
            self.keep("rss_1000", memory(peer.roots(), "VmRSS"))

        self.hold(peer, 1000, 30, held)

    def many(self, peer):
        before = memory(peer.roots(), "VmRSS")

        def held(result):
            self.keep("open_many", result["opened"] / result["seconds"])
            if result["opened"] == MANY:
                self.keep("open_even", result["steps"][0] / result["steps"][-1])
            if result["opened"] > 0:
                more = memory(peer.roots(), "VmRSS") - before
                self.keep("own_each", more * 1024 * 1024 / result["opened"])

        self.hold(peer, MANY, 10, held)

    def small(self, peer):
        seconds = self.options.small_seconds
        limit = 4 * seconds + 20
        with_byte = peer.inside("connect", peer.host, peer.port, 1, seconds, timeout=limit)
        self.keep("connect_byte", with_byte["per_second"])
        result = peer.inside("rr", peer.host, peer.port, seconds, timeout=limit)
        self.keep("rtt_p50", result["p50_us"])
        self.keep("rtt_p99", result["p99_us"])
        self.keep("udp", peer.inside("udp", peer.host, peer.port, seconds, timeout=limit)["per_second"])
        bare = peer.inside("connect", peer.host, peer.port, 0, seconds, timeout=limit)
        self.keep("connect", bare["per_second"])

    def run(self, peer_class):
        with tempfile.TemporaryDirectory(prefix="wholenet-bench-") as folder:
            peer = peer_class(folder, pinned=False)
            try:
                begin = time.monotonic()
                peer.start()
                peer.inside("reach", peer.host, peer.port, 10)
                self.keep("start", (time.monotonic() - begin) * 1000)
                if peer_class is not Loopback:
                    self.attempt(self.memory, peer)
                for streams in 1, 4:
                    for direction in "out", "in", "fetch":
                        self.attempt(self.bulk, peer, direction, streams)
                if peer_class is not Loopback:
                    self.keep("rss_peak", memory(peer.roots(), "VmHWM"))
            except Failed as failure:
                print(f"{self.name}: {failure}", file=sys.stderr)
            finally:
                peer.stop()
        with tempfile.TemporaryDirectory(prefix="wholenet-bench-") as folder:
            peer = peer_class(folder, pinned=True)
            try:
                peer.start()
                peer.inside("reach", peer.host, peer.port, 10)
                self.attempt(self.small, peer)
                if peer_class is not Loopback:
                    self.attempt(self.many, peer)
            except Failed as failure:
                print(f"{self.name}: {failure}", file=sys.stderr)
            finally:
                peer.stop()


# ---- the host's side ----


def make_host():
    """Gives the namespace we are in what a host has: loopback, an interface, a default route."""
    def ip(*arguments):
        subprocess.run(["ip", *arguments], check=True)

    ip("link", "set", "lo", "up")
    ip("link", "add", "uplink", "type", "veth", "peer", "name", "nowhere")
    ip("addr", "add", "192.0.2.1/24", "dev", "uplink")
    ip("link", "set", "uplink", "up")
    ip("link", "set", "nowhere", "up")
    ip("route", "add", "default", "via", "192.0.2.254")
    for name, value in [("tcp_congestion_control", CONGESTION),
                        ("ip_local_port_range", "10000 65000")]:
        with open(f"/proc/sys/net/ipv4/{name}", "w") as file:
            file.write(value)


# ---- the result ----


def cell(values, digits):
    if not values:
        return "–"
    middle = statistics.median(values)
    text = f"{middle:,.{digits}f}"
    if len(values) > 1:
        text += f" ({min(values):,.{digits}f}–{max(values):,.{digits}f})"
    return text


def ratio(results, key, more_is_better, others):
    """Of our median to the best one of `others`, above 1 where ours is better."""
    ours = results.get("wholenet", {}).get(key)
    medians = [statistics.median(results[name][key]) for name in others if results[name].get(key)]
    if not ours or not medians:
        return "–"
    best = max(medians) if more_is_better else min(medians)
    ours = statistics.median(ours)
    if best == 0 or ours == 0:
        return "–"
    return f"{ours / best if more_is_better else best / ours:.2f}"


def table(results):
    names = list(results)
    ratios = {"best peer": [name for name in names if name != "wholenet" and PEERS[name].a_peer]}
    if "forwarder" in names:
        ratios["forwarder"] = ["forwarder"]
    heads = names + [f"wholenet / {what}" for what in ratios]
    lines = ["| | " + " | ".join(heads) + " |", "|---|" + "--:|" * len(heads)]
    for key, text, unit, digits, more in METRICS:
        cells = [cell(results[name].get(key, []), digits) for name in names]
        cells += [ratio(results, key, more, others) for others in ratios.values()]
        lines.append(f"| {text}, {unit} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def versions():
    def first_line(*command):
        try:
            done = subprocess.run(command, capture_output=True, text=True)
            return (done.stdout or done.stderr).splitlines()[0]
        except (OSError, IndexError):
            return "absent"

    def package(name):
        return first_line("dpkg-query", "-W", "-f", "${Version}", name)

    model = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return {
        "wholenet": first_line(Wholenet.program, "version"),
        "pasta": package("passt"),
        "slirp4netns": package("slirp4netns"),
        "kernel": os.uname().release,
        "cpu": f"{os.cpu_count()} x {model[0] if model else '?'}",
        "date": time.strftime("%Y-%m-%d"),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="one short round, to see that it works")
    parser.add_argument("--peers", default=",".join(PEERS), help="comma-separated; default: all")
    parser.add_argument("--wholenet", metavar="PROGRAM", default=WHOLENET, help="another build")
    parser.add_argument("--json", metavar="FILE", help="write every sample to FILE")
    options = parser.parse_args()
    options.bulk_seconds = 1 if options.quick else 4
    options.small_seconds = 0.5 if options.quick else 2
    rounds = 1 if options.quick else options.rounds
    Wholenet.program = os.path.abspath(options.wholenet)
    names = [name for name in options.peers.split(",") if PEERS[name].present()]

    make_host()
    servers = [subprocess.Popen(tool("serve", "0.0.0.0", HOST_PORT)),
               subprocess.Popen(tool("serve", "0.0.0.0", PINNED_PORT, cpu=0))]
    results = {name: {} for name in names}
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        for number in range(rounds):
            shift = number % len(names)
            for name in names[shift:] + names[:shift]:
                print(f"round {number + 1} of {rounds}: {name}", file=sys.stderr)
                Round(options, results[name], name).run(PEERS[name])
    finally:
        for server in servers:
            server.kill()
    facts = versions()
    print(f"{facts['cpu']}, Linux {facts['kernel']}, {facts['date']}; {facts['wholenet']}, "
          f"passt {facts['pasta']}, slirp4netns {facts['slirp4netns']}; {rounds} rounds: median "
          "(min–max)\n")
    print(table(results))
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"facts": facts, "rounds": rounds, "samples": results}, file, indent=1)


main()
