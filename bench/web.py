#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The web server beside nginx, h2o and lighttpd: files over the kernel's sockets, one worker each or more.

    bench/web.py [--quick] [--only CASE,…] [--servers NAME,…] [--workers N]
    bench/web.py --stack [--quick]      our own stack through a TAP device beside the kernel's over veth

wrk loads; the servers run in turns, round after round. Server and load share the machine's cores, so
beside requests a second there are requests a second of the server's own CPU time, which other work on
the machine disturbs less. Needs wrk, h2load, curl and openssl, and for the comparison nginx-light, h2o
and lighttpd (peers: in tools/packages.txt).
"""
import argparse
import getpass
import os
import re
import resource
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

PROGRAM = os.path.abspath("build/release/wholenet")
OURS = """workers = {workers}
link "host" {{ address = "127.0.0.1/8" }}
web {{
    listen = {{"127.0.0.1:{port}", "127.0.0.1:{port_tls} tls"}}
    certificate = "{folder}/cert.pem"
    certificate-key = "{folder}/key.pem"
    root = "{root}"
    connections = 20000
}}
"""
STACK = """link "{link}" {{ address = "{address}/24" }}
web {{ listen = {{"{address}:80"}}
    root = "{root}"
}}
"""
NGINX = """daemon off; master_process {master}; worker_processes {workers}; error_log /dev/null crit; pid {folder}/nginx.pid;
worker_rlimit_nofile 40000;
events {{ worker_connections 20000; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; keepalive_timeout 600;
open_file_cache max=1000 inactive=60s; types {{ text/plain txt; }}
client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
scgi_temp_path {folder};
ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; ssl_protocols TLSv1.2 TLSv1.3;
server {{ listen 127.0.0.1:{port} backlog=4096{reuse}; listen 127.0.0.1:{port2} http2{reuse}; root {root};
listen 127.0.0.1:{port_tls} ssl http2{reuse}; }} }}
"""
H2O = """num-threads: {workers}
max-connections: 20000
http1-request-timeout: 600
pid-file: {folder}/h2o.pid
user: {user}
listen: {{ host: 127.0.0.1, port: {port} }}
listen: {{ host: 127.0.0.1, port: {port_tls}, ssl: {{ certificate-file: {folder}/cert.pem, key-file: {folder}/key.pem }} }}
hosts:
  default:
    paths:
      "/":
        file.dir: {root}
"""
LIGHTTPD = """{lighttpd_workers}server.port = {port}
server.bind = "127.0.0.1"
server.document-root = "{root}"
server.pid-file = "{folder}/lighttpd.pid"
server.max-fds = 40000
server.max-connections = 20000
server.max-keep-alive-requests = 100000000
server.max-keep-alive-idle = 600
server.network-backend = "sendfile"
mimetype.assign = ( ".txt" => "text/plain" )
server.modules += ( "mod_openssl" )
$SERVER["socket"] == "127.0.0.1:{port_tls}" {{ ssl.engine = "enable"
ssl.pemfile = "{folder}/cert.pem"
ssl.privkey = "{folder}/key.pem" }}
"""
LUA = """init = function(args)
  local r = {}
  for i = 1, 16 do r[i] = wrk.format("GET", "/1k.txt") end
  requests = table.concat(r)
end
request = function() return requests end
"""


workers = 1  # of each server


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


class Server:
    def __init__(self, name, folder, root):
        self.name = name
        self.folder = folder
        self.port, self.port2, self.port_tls = (free_port() for _ in range(3))
        if name != "nginx":
            self.port2 = self.port  # of HTTP/2 in clear
        values = {"port": self.port, "port2": self.port2, "port_tls": self.port_tls, "folder": folder, "root": root,
                  "user": getpass.getuser(), "workers": workers, "master": "on" if workers > 1 else "off",
                  "reuse": " reuseport" if workers > 1 else "",
                  "lighttpd_workers": f"server.max-worker = {workers}\n" if workers > 1 else ""}
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


def wrk(server, seconds, path, connections, *more, tls=False):
    before = server.cpu()
    at = f"https://127.0.0.1:{server.port_tls}" if tls else f"http://127.0.0.1:{server.port}"
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", *more, at + path]
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


def h2load(server, seconds, path, at_a_time=16, tls=False):
    before = server.cpu()
    at = f"https://127.0.0.1:{server.port_tls}" if tls else f"http://127.0.0.1:{server.port2}"
    out = subprocess.run(["h2load", "-t1", "-c16", f"-m{at_a_time}", f"-D{seconds}", at + path],
                         capture_output=True, text=True, check=True).stdout
    used = server.cpu() - before
    done = int(re.search(r"(\d+) succeeded", out).group(1))
    return {"rate": done / seconds, "per_cpu": done / used if used > 0 else 0, "p99": ""}


def full_handshakes(server, seconds):
    """Connections with no ticket, four at a time, with a request each. (wrk offers the tickets that it got.)"""
    before = server.cpu()
    command = ["openssl", "s_time", "-connect", f"127.0.0.1:{server.port_tls}", "-new", "-www", "/1k.txt",
               "-time", str(seconds)]
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
               for _ in range(4)]
    done = sum(int(re.search(r"(\d+) connections in \d+ real", c.communicate()[0]).group(1)) for c in clients)
    used = server.cpu() - before
    return {"rate": done / seconds, "per_cpu": done / used if used > 0 else 0, "p99": ""}


def resumed(server, seconds, _):
    """Handshakes by the ticket of the one before, as long as there are any; with a request each."""
    before = server.cpu()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    session, done, reused, begun = None, 0, 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        with socket.create_connection(("127.0.0.1", server.port_tls)) as raw:
            with context.wrap_socket(raw, session=session) as s:
                s.sendall(b"GET /1k.txt HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
                while s.recv(65536):
                    pass
                session, done, reused = s.session, done + 1, reused + s.session_reused
    if reused < done - 1:
        print(f"# {server.name}: {done - reused} of {done} handshakes were full", file=sys.stderr)
    used = server.cpu() - before
    return {"rate": done / seconds, "per_cpu": done / used if used > 0 else 0, "p99": ""}


def at_half_load(server, seconds):
    """How long 99 of 100 requests took at most, in µs, at half the rate that the server has at most, which does
    not wait for answers."""
    log = f"{server.folder}/latency.log"
    rate = wrk(server, seconds, "/1k.txt", 64)["rate"] / 2
    subprocess.run(["h2load", "--h1", "-t1", "-c64", f"-D{seconds}", f"--rps={rate / 64:.1f}", f"--log-file={log}",
                    f"http://127.0.0.1:{server.port}/1k.txt"], capture_output=True, check=True)
    with open(log, encoding="ascii") as file:
        took = sorted(int(line.split()[2]) for line in file)
    os.unlink(log)
    return {"rate": took[len(took) * 99 // 100], "per_cpu": took[len(took) // 2], "p99": f"{rate:,.0f}/s"}


def large(server, seconds, path, tls=False):
    """Octets a second of one download after another."""
    at = f"https://127.0.0.1:{server.port_tls}" if tls else f"http://127.0.0.1:{server.port}"
    before, begun, octets = server.cpu(), time.monotonic(), 0
    while time.monotonic() - begun < seconds or octets == 0:
        done = subprocess.run(["curl", "-sk", "--http1.1", "-o", "/dev/null", "-w", "%{size_download}", at + path],
                              capture_output=True, text=True, check=True)
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
    try:
        for _ in range(count):
            held.append(socket.create_connection(("127.0.0.1", server.port), 5))
            held[-1].sendall(request)
            held[-1].recv(4096)
        time.sleep(0.5)
        each = (server.memory() - before) / count
    except OSError as error:
        print(f"# {server.name}: after {len(held)} connections: {error}", file=sys.stderr)
        each = float("nan")
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
    "h2-1": ("the same, one at a time", "requests/s", lambda s, t, lua: h2load(s, t, "/1k.txt", 1)),
    "h2-100": ("the same, 100 at a time", "requests/s", lambda s, t, lua: h2load(s, t, "/1k.txt", 100)),
    "tls": ("1 KiB over TLS, 64 connections kept", "requests/s", lambda s, t, lua: wrk(s, t, "/1k.txt", 64, tls=True)),
    "tls-h2": ("1 KiB by HTTP/2 over TLS, 16 connections, 16 requests at a time", "requests/s",
               lambda s, t, lua: h2load(s, t, "/1k.txt", tls=True)),
    "handshake": ("1 KiB over TLS, a full handshake for each, four at a time", "requests/s",
                  lambda s, t, lua: full_handshakes(s, t)),
    "resumed": ("1 KiB over TLS, a resumed handshake for each, 64 at a time", "requests/s",
                lambda s, t, lua: wrk(s, t, "/1k.txt", 64, "-H", "Connection: close", tls=True)),
    "resumed-1": ("the same, one after another", "requests/s", resumed),
    "tls-1m": ("1 MiB over TLS, 16 connections", "requests/s", lambda s, t, lua: wrk(s, t, "/1m.bin", 16, tls=True)),
    "tls-1g": ("1 GiB over TLS, one download", "MB/s", lambda s, t, lua: large(s, t, "/1g.bin", tls=True)),
    "p99": ("1 KiB at half of each server's highest rate, 64 connections: 99 in a hundred took at most, and the "
            "median", "µs", lambda s, t, lua: at_half_load(s, t)),
    "idle": ("10,000 idle connections", "octets each", lambda s, t, lua: idle(s, 10000)),
}


# ---- our own stack ----

class Stack:
    """`wholenet serve` with a network of its own in this namespace: its stack behind a TAP device, or the
    kernel's in a namespace at the other end of a veth pair."""

    def __init__(self, kind, folder, root):
        self.name, self.folder, self.holder = kind, folder, None
        self.address = {"tap": "10.9.0.2", "veth": "10.9.1.2"}[kind]
        with open(f"{folder}/{kind}.conf", "w", encoding="ascii") as file:
            file.write(STACK.format(link="tap:web0" if kind == "tap" else "host", address=self.address, root=root))
        command = [PROGRAM, "serve", "-q", f"{folder}/{kind}.conf"]
        if kind == "veth":
            self.holder = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo ready; exec sleep 1000"],
                                           stdout=subprocess.PIPE)
            self.holder.stdout.readline()
            enter = ["nsenter", f"--net=/proc/{self.holder.pid}/ns/net"]
            for words in (["ip", "link", "add", "web1", "type", "veth", "peer", "name", "web2", "netns", str(self.holder.pid)],
                          [*enter, "ip", "addr", "add", f"{self.address}/24", "dev", "web2"],
                          [*enter, "ip", "link", "set", "web2", "up"]):
                subprocess.run(words, check=True)
            command = [*enter, *command]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        device = "web0" if kind == "tap" else "web1"
        while subprocess.run(["ip", "link", "show", device], capture_output=True, check=False).returncode != 0:
            time.sleep(0.05)
        subprocess.run(["ip", "addr", "add", self.address[:-1] + "1/24", "dev", device], check=True)
        subprocess.run(["ip", "link", "set", device, "up"], check=True)
        for _ in range(200):
            try:
                socket.create_connection((self.address, 80), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{kind} does not start")

    def run(self, seconds, path, connections, *more):
        before = Server.cpu(self)
        out = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", *more, f"http://{self.address}{path}"],
                             capture_output=True, text=True, check=True).stdout
        used = Server.cpu(self) - before
        requests, took = re.search(r"(\d+) requests in ([\d.]+)s", out).groups()
        return int(requests) / float(took), int(requests) / used

    def processes(self):
        return Server.processes(self)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        if self.holder:
            self.holder.terminate()
            self.holder.wait()


def stack_table(seconds, rounds):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        root = make_root(folder)
        servers = [Stack("tap", folder, root), Stack("veth", folder, root)]
        try:
            for title, words in (("1 KiB, 64 connections kept", ("/1k.txt", 64)),
                                 ("1 KiB, a connection for each", ("/1k.txt", 64, "-H", "Connection: close")),
                                 ("1 MiB, 16 connections", ("/1m.bin", 16))):
                found = {s.name: [] for s in servers}
                for _ in range(rounds):
                    for s in servers:
                        found[s.name].append(s.run(seconds, *words))
                tap, veth = ([statistics.median(column) for column in zip(*found[s.name])] for s in servers)
                print(f"\n{title}, requests/s:")
                print(f"  own stack, TAP   {tap[0]:12,.0f}  {tap[1]:12,.0f} a CPU second   {tap[0] / veth[0]:.2f} × the kernel's, "
                      f"{tap[1] / veth[1]:.2f} × by CPU")
                print(f"  kernel's, veth   {veth[0]:12,.0f}  {veth[1]:12,.0f} a CPU second", flush=True)
        finally:
            for s in servers:
                s.stop()


def make_root(folder):
    os.chmod(folder, 0o755)
    root = f"{folder}/root"
    os.mkdir(root)
    for name, size in (("1k.txt", 1024), ("1m.bin", 1 << 20), ("1g.bin", 1 << 30)):
        with open(f"{root}/{name}", "wb") as file:
            file.truncate(size)
        os.utime(f"{root}/{name}", (1e9, 1e9))
    return root


def main():
    parser = argparse.ArgumentParser(description="The web server beside others.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default=",".join(CASES))
    parser.add_argument("--stack", action="store_true")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--servers", default="wholenet,nginx,h2o,lighttpd")
    parser.add_argument("--workers", type=int, default=1, help="threads or processes of each server")
    arguments = parser.parse_args()
    global workers
    workers = arguments.workers
    seconds, rounds = (2, 2) if arguments.quick else (4, 5)
    if arguments.stack and not arguments.inside:
        os.execvp("unshare", ["unshare", "--user", "--map-root-user", "--net", "--mount", sys.executable,
                              os.path.abspath(__file__), "--inside", *sys.argv[1:]])
    if arguments.stack:
        stack_table(seconds, rounds)
        return
    names = [n for n in arguments.servers.split(",") if n == "wholenet" or shutil.which(n)]
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with tempfile.TemporaryDirectory() as folder:
        root = make_root(folder)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                        "-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"], capture_output=True, check=True)
        lua = f"{folder}/pipeline.lua"
        with open(lua, "w", encoding="ascii") as file:
            file.write(LUA)
        servers = [Server(name, folder, root) for name in names]
        try:
            for case in arguments.only.split(","):
                title, unit, run = CASES[case]
                if case in ("1g", "tls-1g"): # into the page cache
                    subprocess.run(["cat", f"{root}/1g.bin"], stdout=subprocess.DEVNULL, check=True)
                results = {s.name: [] for s in servers}
                for _ in range(1 if case == "idle" else rounds):
                    for s in servers:
                        results[s.name].append(run(s, seconds, lua))
                print(f"\n{title}, {unit}:")
                which = min if unit in ("µs", "octets each") else max
                best = {key: which((statistics.median(r[key] for r in results[n]) for n in names if n != "wholenet"),
                                 default=0) for key in ("rate", "per_cpu")}
                for name in names:
                    rate, per_cpu = (statistics.median(r[key] for r in results[name]) for key in ("rate", "per_cpu"))
                    line = f"  {name:10} {rate:12,.0f}"
                    if case == "p99":
                        line += f"  {per_cpu:12,.0f}  at {results[name][-1]['p99']}"
                    elif case != "idle":
                        line += f"  {per_cpu:12,.0f} a CPU second  {results[name][-1]['p99']:>9}"
                        if name == "wholenet" and best["rate"]:
                            line += f"   {rate / best['rate']:.2f} × the best, {per_cpu / best['per_cpu']:.2f} × by CPU"
                    print(line, flush=True)
        finally:
            for s in servers:
                s.stop()


main()
