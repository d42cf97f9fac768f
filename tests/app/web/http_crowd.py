#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A crowd of half-open requests at a web server: it stays within bounds, and honest clients are answered.

    http_crowd.py PORT PID [COUNT]

COUNT connections (20,000) come one after the other, each with half a head; as many as may be are held.
Every thousandth time an honest client asks. Then huge heads, and clients that do not read.
"""
import collections
import resource
import socket
import sys
import time

PORT, PID = int(sys.argv[1]), int(sys.argv[2])
COUNT = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
HELD = min(4000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 100)


def connect():
    return socket.create_connection(("127.0.0.1", PORT), timeout=10)


def memory():
    with open(f"/proc/{PID}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def ask(head=b"GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"):
    """The status, as bytes; b"" when there is no answer."""
    try:
        with connect() as s:
            s.sendall(head)
            return s.recv(65536).split(b" ")[1]
    except (OSError, IndexError):
        return b""


def main():
    failures = 0
    before, largest = memory(), 0
    held = collections.deque()
    answers = collections.Counter()
    slowest = 0
    for i in range(COUNT):
        try:
            s = connect()
            s.sendall(b"GET / HTTP/1.1\r\nHost: h\r\nX-%d: " % i + b"y" * 500)
            held.append(s)
        except OSError:
            pass
        if len(held) > HELD:
            held.popleft().close()
        if i % 1000 == 999:
            begun = time.monotonic()
            for _ in range(30): # a 503 says to come again
                answer = ask()
                if answer == b"200":
                    break
                time.sleep(0.1)
            answers[answer] += 1
            slowest = max(slowest, time.monotonic() - begun)
            largest = max(largest, memory())
    for s in held:
        s.close()
    print(f"# {COUNT} half-open: {dict(answers)}, slowest {slowest:.2f} s, {largest - before} kB more at the most")
    failures += answers[b"200"] != COUNT // 1000 or largest - before > 64 * 1024
    for head, want in ((b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", b"414"),
                       (b"GET / HTTP/1.1\r\nHost: h\r\nA: " + b"b" * 70000 + b"\r\n\r\n", b"431"),
                       (b"GET / HTTP/1.1\r\nHost: h\r\n" + b"A: b\r\n" * 200 + b"\r\n", b"431")):
        got = ask(head)
        if got != want:
            failures += 1
            print(f"# a huge head got {got}, not {want}")
    silent = [connect() for _ in range(200)]
    for s in silent:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.sendall(b"GET /.wholenet/bytes/1G HTTP/1.1\r\nHost: h\r\n\r\n" * 5)
    time.sleep(0.5)
    more = memory() - before
    print(f"# 200 that do not read: {more} kB more")
    failures += ask() != b"200" or more > 160 * 1024
    return 1 if failures else 0


sys.exit(main())
