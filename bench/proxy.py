#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The caching proxy beside Varnish, nginx and Squid: hits of a cache in memory, over the kernel's sockets.

    bench/proxy.py [--quick] [--rounds N] [--servers NAME,…]

wrk loads; the proxies run in turns, round after round, each before the same origin, which is asked once for
each object. Proxy and load share the machine's cores, so beside requests a second there are requests a
second of the proxy's own CPU time, which other work on the machine disturbs less. Needs wrk, and for the
comparison varnish, nginx-light and squid; those that are not installed are left out.
"""
import argparse
import http.server
import os
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

PROGRAM = os.path.abspath("build/release/wholenet")
OURS = """link "host" {{ address = "127.0.0.1/8" }}
proxy {{ listen = {{"127.0.0.1:{port}"}} servers = {{"127.0.0.1:{origin}"}} cache = 256M }}
"""
NGINX = """daemon off; master_process off; worker_processes 1; error_log /dev/null crit; pid {folder}/nginx.pid;
events {{ worker_connections 20000; }}
http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000;
open_file_cache max=1000 inactive=60s;
client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
proxy_cache_path {folder}/cache keys_zone=one:16m;
server {{ listen 127.0.0.1:{port} backlog=4096; location / {{ proxy_cache one; proxy_pass http://127.0.0.1:{origin}; }} }} }}
"""
SQUID = """http_port 127.0.0.1:{port} accel defaultsite=127.0.0.1 no-vhost
cache_peer 127.0.0.1 parent {origin} 0 no-query no-digest originserver
pid_filename none
cache_log {folder}/squid.log
access_log none
coredump_dir {folder}
netdb_filename none
http_access allow all
cache_mem 256 MB
maximum_object_size_in_memory 16 MB
shutdown_lifetime 0 seconds
"""
OBJECTS = {"1 KiB": 1024, "64 KiB": 65536, "1 MiB": 1 << 20}
NAMES = ["wholenet", "varnish", "nginx", "squid"]


class Origin(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        last = self.path.rsplit("/", 1)[1]
        size = int(last) if last.isdigit() else 0
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Cache-Control", "max-age=100000")
        self.send_header("Content-Length", str(size))
        self.end_headers()
        self.wfile.write(b"x" * size)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a proxy that has ended


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


class Proxy:
    def __init__(self, name, origin):
        self.name, self.port = name, free_port()
        self.folder = tempfile.mkdtemp()
        os.chmod(self.folder, 0o777)
        values = {"port": self.port, "folder": self.folder, "origin": origin}
        conf = f"{self.folder}/conf"
        if name != "varnish":
            text = {"wholenet": OURS, "nginx": NGINX, "squid": SQUID}[name].format(**values)
            with open(conf, "w", encoding="ascii") as file:
                file.write(text)
        command = {
            "wholenet": [PROGRAM, "serve", "-q", conf],
            "nginx": ["nginx", "-c", conf, "-p", self.folder, "-e", "/dev/null"],
            "squid": ["squid", "-N", "-f", conf],
            "varnish": ["varnishd", "-F", "-n", self.folder + "/v", "-a", f"127.0.0.1:{self.port}", "-b",
                        f"127.0.0.1:{origin}", "-s", "malloc,256m", "-j", "none"],
        }[name]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        stdin=subprocess.DEVNULL)
        for _ in range(400):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{name} does not start")

    def cpu(self):
        ticks, todo = 0, [self.process.pid]
        while todo:
            pid = todo.pop()
            with open(f"/proc/{pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
            with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
                todo += [int(word) for word in file.read().split()]
        return ticks / os.sysconf("SC_CLK_TCK")

    def load(self, size, seconds, connections):
        """Requests a second, by the clock and by the proxy's CPU time."""
        url = f"http://127.0.0.1:{self.port}/{size}"
        for _ in range(2):
            subprocess.run(["curl", "-sS", "-o", "/dev/null", url], check=True)
        before = self.cpu()
        done = subprocess.run(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", url],
                              capture_output=True, text=True, check=True)
        used = self.cpu() - before
        total = int(re.search(r"(\d+) requests in", done.stdout).group(1))
        if "Non-2xx" in done.stdout:
            sys.exit(f"{self.name}: {done.stdout}")
        return float(re.search(r"Requests/sec:\s+([\d.]+)", done.stdout).group(1)), total / max(used, 0.01)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one short round")
    parser.add_argument("--servers", default=",".join(NAMES))
    chosen = parser.parse_args()
    programs = {"wholenet": PROGRAM, "varnish": "varnishd", "nginx": "nginx", "squid": "squid"}
    names = [n for n in chosen.servers.split(",") if shutil.which(programs[n])]
    rounds, seconds = (1, 1) if chosen.quick else (chosen.rounds, 3)
    origin = Server(("127.0.0.1", 0), Origin)
    threading.Thread(target=origin.serve_forever, daemon=True).start()
    proxies = [Proxy(name, origin.server_address[1]) for name in names]
    rates = {}
    try:
        for turn in range(rounds):
            for label, size in OBJECTS.items():
                for proxy in proxies[turn % len(proxies):] + proxies[:turn % len(proxies)]:
                    rates.setdefault((label, proxy.name), []).append(proxy.load(size, seconds, 50))
    finally:
        for proxy in proxies:
            proxy.stop()
    print(f"{'object':>8} {'proxy':>10} {'requests/s':>12} {'per CPU s':>12} {'ours : it':>10} {'by CPU':>8}")
    for label in OBJECTS:
        for name in names:
            clock, cpu = zip(*rates[label, name])
            ratios = [[a[i] / b[i] for a, b in zip(rates[label, names[0]], rates[label, name])] for i in (0, 1)]
            print(f"{label:>8} {name:>10} {statistics.median(clock):12,.0f} {statistics.median(cpu):12,.0f} "
                  f"{statistics.median(ratios[0]):10.2f} {statistics.median(ratios[1]):8.2f}")
    return 0


sys.exit(main())
