#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""An origin that does what its requests say, for tests of proxies.

    origin_server.py PORT

The query of a target has, percent-encoded: status=N, h=Name:Value (as often as wanted), body=TEXT,
size=N (octets of a body), wait=SECONDS (before the answer), chunked=1, trailer=Name:Value, early=1 (103 before
it), cut=N (closes after N octets), drop=1 (closes without an answer, once for each target). A body is followed
by the number of the request, counted for each path. /echo answers with the request; /stop?N takes
only N octets of it. Upgrade: echo switches.
"""
import socketserver
import sys
import threading
import time
import urllib.parse

counts, dropped, lock = {}, set(), threading.Lock()


class Handler(socketserver.StreamRequestHandler):
    def read_head(self):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self.rfile.readline()
            if not line:
                return None
            head += line
        return head.decode("latin-1")

    def read_body(self, fields):
        if "chunked" in fields.get("transfer-encoding", ""):
            body = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                body += self.rfile.read(size)
                if size == 0:
                    while self.rfile.readline() not in (b"\r\n", b""):
                        pass
                    return body
                self.rfile.readline()
        return self.rfile.read(int(fields.get("content-length", 0)))

    def handle(self):
        while self.one():
            pass

    def one(self):
        head = self.read_head()
        if head is None:
            return False
        method, target, _ = head.split("\r\n")[0].split(" ")
        fields = {}
        for line in head.split("\r\n")[1:-2]:
            name, value = line.split(":", 1)
            fields[name.lower()] = value.strip()
        path, _, query = target.partition("?")
        asked = urllib.parse.parse_qs(query)
        with lock:
            counts[path] = counts.get(path, 0) + 1
            number = counts[path]
            if "drop" in asked and target not in dropped:
                dropped.add(target)
                return False
        if fields.get("upgrade") == "echo":
            self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n")
            while True:
                octets = self.request.recv(4096)
                if not octets:
                    return False
                self.request.sendall(octets)
        if fields.get("expect") == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        content = self.read_body(fields)
        return self.answer(method, path, asked, number, head, content)

    def answer(self, method, path, asked, number, head, content):
        time.sleep(float(asked.get("wait", ["0"])[0]))
        if "early" in asked:
            self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>; rel=preload\r\n\r\n")
            self.wfile.flush()
        body = (asked.get("body", [""])[0] + str(number)).encode()
        if "size" in asked:
            body = b"x" * int(asked["size"][0])
        if path == "/echo":
            body = head.encode("latin-1") + content
        if path == "/length":
            body = str(len(content)).encode()
        status = int(asked.get("status", ["200"])[0])
        out = [f"HTTP/1.1 {status} Whatever", "Date: " + time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())]
        fields = [h for h in asked.get("h", [])]
        etag = [h[5:].strip() for h in fields if h.lower().startswith("etag:")]
        if etag and f"If-None-Match: {etag[0]}\r\n" in head:
            out[0] = "HTTP/1.1 304 Not Modified"
            self.wfile.write("\r\n".join(out + fields + ["", ""]).encode())
            return True
        chunked = "chunked" in asked or "trailer" in asked
        if chunked:
            out.append("Transfer-Encoding: chunked")
        elif status not in (204, 304):
            out.append(f"Content-Length: {len(body)}")
        self.wfile.write("\r\n".join(out + fields + ["", ""]).encode("latin-1"))
        if method == "HEAD" or status in (204, 304):
            return True
        if "cut" in asked:
            self.wfile.write(body[: int(asked["cut"][0])])
            return False
        if not chunked:
            self.wfile.write(body)
            return True
        for at in range(0, len(body), 1000):
            piece = body[at:at + 1000]
            self.wfile.write(f"{len(piece):x};x=y\r\n".encode() + piece + b"\r\n")
        self.wfile.write(("0\r\n" + "".join(t + "\r\n" for t in asked.get("trailer", [])) + "\r\n").encode())
        return True


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128


Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
