#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An origin whose octets can be told: for tests of caches that keep them.

    stamp_origin.py serve PORT
    stamp_origin.py check PROXY PORT COUNT [SECONDS]

/N/SIZE is SIZE octets that only /N/SIZE has, fresh for a day, with an entity tag; /N/SIZE/chunked comes in
chunks, and /N/SIZE/slow in pieces. `check` asks by the proxy for COUNT of them, many at a time, each whole or
in part, for so many seconds, and complains of each octet that is not right; it prints how many answers it
had, how many of them were hits, and how many were broken off.
"""
import hashlib
import http.client
import random
import socketserver
import sys
import threading
import time


def octets_of(name, size):
    block = b"".join(hashlib.sha256(f"{name} {size} {i}".encode()).digest() for i in range(32))
    return (block * (size // len(block) + 1))[:size]


class Handler(socketserver.StreamRequestHandler):
    def handle(self):
        while self.one():
            pass

    def one(self):
        line = self.rfile.readline()
        fields = {}
        while True:
            field = self.rfile.readline()
            if field in (b"\r\n", b""):
                break
            name, value = field.decode().split(":", 1)
            fields[name.lower()] = value.strip()
        if not line:
            return False
        _, name, size, *how = line.split()[1].decode().split("/")
        body = octets_of(name, int(size))
        tag = f'"{name}-{size}"'
        out = ["HTTP/1.1 200 OK", "Cache-Control: max-age=86400", f"ETag: {tag}",
               "Date: " + time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())]
        if fields.get("if-none-match") == tag:
            out[0] = "HTTP/1.1 304 Not Modified"
            self.wfile.write("\r\n".join(out + ["", ""]).encode())
            return True
        out.append("Transfer-Encoding: chunked" if how == ["chunked"] else f"Content-Length: {size}")
        self.wfile.write("\r\n".join(out + ["", ""]).encode())
        for at in range(0, len(body), 50000):
            piece = body[at:at + 50000]
            if how == ["slow"]:
                time.sleep(0.02)
            self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n" if how == ["chunked"] else piece)
        if how == ["chunked"]:
            self.wfile.write(b"0\r\n\r\n")
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


SIZES = [0, 1, 100, 5000, 60000, 65536, 70000, 300000, 2000000]


def ask(proxy, origin, number, counts, chance):
    size = SIZES[number % len(SIZES)]
    path = f"http://127.0.0.1:{origin}/{number}/{size}" + ("/chunked" if number % 5 == 0 else "")
    want, headers, first = octets_of(str(number), size), {}, 0
    if size > 10 and chance.random() < 0.3:
        first = chance.randrange(size - 5)
        headers["Range"] = f"bytes={first}-{first + 4}"
        want = want[first:first + 5]
    if chance.random() < 0.05:
        headers["Cache-Control"] = "no-cache"
    try:
        c = http.client.HTTPConnection("127.0.0.1", proxy, timeout=10)
        c.request("GET", path, headers=headers)
        r = c.getresponse()
        got = r.read()
    except (OSError, http.client.HTTPException):
        counts["broken"] += 1
        return
    finally:
        c.close()
    if r.status == 200 and "Range" in headers:
        want = octets_of(str(number), size)
    if r.status not in (200, 206) or got != want:
        counts["wrong"] += 1
        print(f"# {path} {headers}: status {r.status}, {len(got)} octets that are not right")
    counts["answers"] += 1
    counts["hits"] += "; hit" in r.getheader("Cache-Status", "")


def check(proxy, origin, count, seconds):
    counts = dict.fromkeys(("answers", "hits", "broken", "wrong"), 0)
    end = time.time() + seconds

    def run(seed):
        chance = random.Random(seed)
        numbers = list(range(count))[seed::8]
        chance.shuffle(numbers)
        while True:
            for number in numbers:
                ask(proxy, origin, number, counts, chance)
                if seconds and time.time() > end:
                    return
            if not seconds:
                return

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    print(*(f"{name}={counts[name]}" for name in counts))


if __name__ == "__main__":
    numbers = [int(x) for x in sys.argv[2:]]
    if sys.argv[1] == "serve":
        Server(("127.0.0.1", numbers[0]), Handler).serve_forever()
    check(*numbers[:3], numbers[3] if len(numbers) > 3 else 0)
