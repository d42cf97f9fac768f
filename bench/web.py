#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The web server beside nginx, h2o and lighttpd: files over the kernel's sockets, one worker each.

    bench/web.py [--quick] [--only CASE,…] [--servers NAME,…]

wrk loads; the servers run in turns, round after round. Server and load share the machine's cores, so
beside requests a second there are requests a second of the server's own CPU time, which other work on
the machine disturbs less. Needs wrk, curl, and for the comparison nginx-light, h2o and lighttpd
(peers: in tools/packages.txt).
"""
import argparse
import getpass
import os
import re
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

PROGRAM = os.path.abspath("build/release/wholenet")
OURS = """link "host" {{ address = "127.0.0.1/8" }}
web {{
    listen = {{"127.0.0.1:{port}"}}
    root = "{root}"
    connections = 20000
    {extra}
}}
"""
NGINX = """daemon off; master_process off; worker_processes 1; error_log /dev/null crit; pid {folder}/nginx.pid;
worker_rlimit_nofile 40000;
events {{ worker_connections 20000; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 600;
open_file_cache max=1000 inactive=60s; types {{ text/plain txt; }}
client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
scgi_temp_path {folder};
server {{ listen 127.0.0.1:{port} backlog=4096; listen 127.0.0.1:{port2} http2; root {root}; }} }}
"""
H2O = """num-threads: 1
max-connections: 20000
http1-request-timeout: 600
pid-file: {folder}/h2o.pid
user: {user}
listen: {{ host: 127.0.0.1, port: {port} }}
hosts:
  default:
    paths:
      "/":
        file.dir: {root}
"""
LIGHTTPD = """server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{root}"
server.pid-file = "{folder}/lighttpd.pid"
server.max-fds = 40000
server.max-connections = 20000
server.max-keep-alive-requests = 100000000
server.max-keep-alive-idle = 600
server.network-backend = "sendfile"
mimetype.assign = ( ".txt" => "text/plain" )
"""
LUA = """init = function(args)
  local r = {}
  for i = 1, 16 do r[i] = wrk.format("GET", "/1k.txt") end
  requests = table.concat(r)
end
request = function() return requests end
"""


class Server:
    def __init__(self, name, folder, root):
        self.name = name
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port2 = free.getsockname()[1] if name == "nginx" else self.port  # of HTTP/2 in clear
        values = {"port": self.port, "port2": self.port2, "folder": folder, "root": root, "extra": "", "user": getpass.getuser()}
        text = {"wholenet": OURS, "nginx": NGINX, "h2o": H2O, "lighttpd": LIGHTTPD}[name].format(**values)
        self.conf = f"{folder}/{name}.conf"
        with open(self.conf, "w", encoding="ascii") as file:
            file.write(text)
        command = {
            "wholenet": [PROGRAM, "serve", "-q", self.conf],
            "nginx": ["nginx", "-c", self.conf, "-p", folder, "-e", "/dev/null"],
            "h2o": ["h2o", "-c", self.conf],
            "lighttpd": ["lighttpd", "-D", "-f", self.conf],
        }[name]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        stdin=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{name} does not start")

    def processes(self):
        """It and its children."""
        found, todo = [], [self.process.pid]
        while todo:
            pid = todo.pop()
            found.append(pid)
            try:
                with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                    todo += [int(word) for word in file.read().split()]
            except OSError:
                pass
        return found

    def cpu(self):
        ticks = 0
        for pid in self.processes():
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self):
        total = 0
        for pid in self.processes():
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                total += int(re.search(r"^Private_Dirty:\s+(\d+)", file.read(), re.M).group(1)) * 1024
        return total

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


def wrk(server, seconds, path, connections, *more, per_request=1):
    before = server.cpu()
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *more,
               f"http://127.0.0.1:{server.port}{path}"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    used = server.cpu() - before
    requests, took = re.search(r"(\d+) requests in ([\d.]+)s", out).groups()
    took = float(took)
    errors = re.search(r"Non-2xx.*", out)
    if errors:
        print(f"# {server.name}: {errors.group(0)}", file=sys.stderr)
    p99 = re.search(r"99%\s+(\S+)", out)
    return {"rate": int(requests) / took, "per_cpu": int(requests) / used if used > 0 else 0,
            "p99": p99.group(1) if p99 else ""}


def h2load(server, seconds, path):
    before = server.cpu()
    out = subprocess.run(["h2load", "-t1", "-c16", "-m16", f"-D{seconds}", f"http://127.0.0.1:{server.port2}{path}"],
                         capture_output=True, text=True, check=True).stdout
    used = server.cpu() - before
    done = int(re.search(r"(\d+) succeeded", out).group(1))
    return {"rate": done / seconds, "per_cpu": done / used if used > 0 else 0, "p99": ""}


def large(server, seconds, path):
    """Octets a second of one download after another."""
    before, begun, octets = server.cpu(), time.monotonic(), 0
    while time.monotonic() - begun < seconds or octets == 0:
        done = subprocess.run(["curl", "-s", "-o", "/dev/null", "-w", "%{size_download}",
                               f"http://127.0.0.1:{server.port}{path}"], capture_output=True, text=True, check=True)
        octets += int(done.stdout)
    used = server.cpu() - before
    return {"rate": octets / (time.monotonic() - begun) / 1e6, "per_cpu": octets / used / 1e6 if used else 0, "p99": ""}


def idle(server, count):
    """Octets of memory for each connection that has been answered once."""
    warm = socket.create_connection(("127.0.0.1", server.port))
    request = b"GET /1k.txt HTTP/1.1\r\nHost: h\r\n\r\n"
    warm.sendall(request)
    warm.recv(4096)
    before = server.memory()
    held = []
    for _ in range(count):
        s = socket.create_connection(("127.0.0.1", server.port))
        s.sendall(request)
        held.append(s)
        s.recv(4096)
    time.sleep(0.5)
    each = (server.memory() - before) / count
    for s in held:
        s.close()
    warm.close()
    return {"rate": each, "per_cpu": each, "p99": ""}


CASES = {
    "keepalive": ("1 KiB, 64 connections kept", "requests/s",
                  lambda s, t, lua: wrk(s, t, "/1k.txt", 64)),
    "pipelined": ("1 KiB, 16 requests at a time", "requests/s",
                  lambda s, t, lua: wrk(s, t, "/1k.txt", 64, "-s", lua)),
    "connect": ("1 KiB, a connection for each", "requests/s",
                lambda s, t, lua: wrk(s, t, "/1k.txt", 64, "-H", "Connection: close")),
    "1m": ("1 MiB, 16 connections", "requests/s", lambda s, t, lua: wrk(s, t, "/1m.bin", 16)),
    "1g": ("1 GiB, one download", "MB/s", lambda s, t, lua: large(s, t, "/1g.bin")),
    "h2": ("1 KiB by HTTP/2 in clear, 16 connections, 16 requests at a time", "requests/s",
           lambda s, t, lua: h2load(s, t, "/1k.txt")),
    "idle": ("10,000 idle connections", "octets each", lambda s, t, lua: idle(s, 10000)),
}


def main():
    parser = argparse.ArgumentParser(description="The web server beside others.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--servers", default="wholenet,nginx,h2o,lighttpd")
    arguments = parser.parse_args()
    seconds, rounds = (2, 2) if arguments.quick else (4, 5)
    names = [n for n in arguments.servers.split(",") if n == "wholenet" or shutil.which(n)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        root = f"{folder}/root"
        os.mkdir(root)
        for name, size in (("1k.txt", 1024), ("1m.bin", 1 << 20), ("1g.bin", 1 << 30)):
            with open(f"{root}/{name}", "wb") as file:
                file.truncate(size)
            os.utime(f"{root}/{name}", (1e9, 1e9))
        lua = f"{folder}/pipeline.lua"
        with open(lua, "w", encoding="ascii") as file:
            file.write(LUA)
        servers = [Server(name, folder, root) for name in names]
        try:
            for case in arguments.only.split(","):
                title, unit, run = CASES[case]
                if case == "1g": # into the page cache
                    subprocess.run(["cat", f"{root}/1g.bin"], stdout=subprocess.DEVNULL, check=True)
                results = {s.name: [] for s in servers}
                for _ in range(1 if case == "idle" else rounds):
                    for s in servers:
                        results[s.name].append(run(s, seconds, lua))
                print(f"\n{title}, {unit}:")
                best = {key: max((statistics.median(r[key] for r in results[n]) for n in names if n != "wholenet"),
                                 default=0) for key in ("rate", "per_cpu")}
                for name in names:
                    rate, per_cpu = (statistics.median(r[key] for r in results[name]) for key in ("rate", "per_cpu"))
                    line = f"  {name:10} {rate:12,.0f}"
                    if case != "idle":
                        line += f"  {per_cpu:12,.0f} a CPU second  {results[name][-1]['p99']:>9}"
                        if name == "wholenet" and best["rate"]:
                            line += f"   {rate / best['rate']:.2f} × the best, {per_cpu / best['per_cpu']:.2f} × by CPU"
                    print(line, flush=True)
        finally:
            for s in servers:
                s.stop()


main()
