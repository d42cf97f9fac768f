#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A FastCGI application for tests: fcgi_app.py PATH|PORT|ADDRESS:PORT [NAME]. What it does is its PATH_INFO."""
import os
import socket
import struct
import sys
import threading
import time

NAME = sys.argv[2] if len(sys.argv) > 2 else "app"
requests = 0


def record(kind, content, padding=0):
    return struct.pack(">BBHHBB", 1, kind, 1, len(content), padding, 0) + content + b"\0" * padding


class Request:
    """One request on a connection; standard input is read as it is asked for."""

    def __init__(self, connection):
        self.connection = connection
        self.ended = False
        self.parameters = {}

    def read_record(self):
        head = self.connection.read(8)
        if len(head) < 8:
            raise EOFError
        _, kind, _, length, padding, _ = struct.unpack(">BBHHBB", head)
        content = self.connection.read(length)
        self.connection.read(padding)
        return kind, content

    def begin(self):
        kind, content = self.read_record()
        assert kind == 1, kind
        self.keep = content[2] & 1
        pairs = b""
        while True:
            kind, content = self.read_record()
            assert kind == 4, kind
            if not content:
                break
            pairs += content
        while pairs:
            lengths = []
            for _ in range(2):
                if pairs[0] < 128:
                    lengths.append(pairs[0])
                    pairs = pairs[1:]
                else:
                    lengths.append(struct.unpack(">I", pairs[:4])[0] & 0x7FFFFFFF)
                    pairs = pairs[4:]
            name, value = pairs[:lengths[0]], pairs[lengths[0]:sum(lengths)]
            pairs = pairs[sum(lengths):]
            self.parameters[name.decode()] = value.decode("latin-1")

    def read(self):
        """The next octets of standard input; empty at its end."""
        while not self.ended:
            kind, content = self.read_record()
            if kind == 2:
                raise EOFError
            if kind == 5:
                self.ended = not content
                return content
        return b""

    def write(self, data, kind=6):
        for i in range(0, len(data), 60000):
            part = data[i:i + 60000]
            self.connection.write(record(kind, part, -len(part) % 8))
        self.connection.flush()

    def end(self, status=0):
        while not self.ended:
            self.read()
        self.connection.write(record(6, b"") + record(3, struct.pack(">IB3x", 0, status), 5))
        self.connection.flush()


def serve(request):
    path = request.parameters.get("PATH_INFO", "")
    text = b"Content-Type: text/plain\r\n\r\n"
    if path == "/env":
        body = "".join(f"{k}={v}\n" for k, v in sorted(request.parameters.items()))
        request.write(b"Content-Type: text/plain\nX-App: " + NAME.encode() + b"\n\n" + body.encode("latin-1"))
    elif path == "/who":
        request.write(text + f"{NAME} {requests}".encode())
    elif path == "/echo":
        request.write(b"Content-Type: application/octet-stream\r\n\r\n")
        while data := request.read():
            request.write(data)
    elif path == "/length":
        total = 0
        while data := request.read():
            total += len(data)
        request.write(b"Content-Length: 20\r\n" + text + str(total).encode().ljust(20))
    elif path == "/early":
        request.write(b"Status: 403 No\r\n" + text + b"not read")
    elif path.startswith("/big/"):
        request.write(text)
        left = int(path[5:])
        while left > 0:
            part = min(left, 65536)
            request.write(b"x" * part)
            left -= part
    elif path == "/tick":
        request.write(b"Content-Type: text/event-stream\r\n\r\n")
        for i in range(1000):
            request.write(f"data: {i}\n\n".encode())
            time.sleep(0.3)
    elif path == "/status":
        request.write(b"Status: 418 Teapot\nContent-Type: text/plain\n\nshort and stout")
    elif path == "/none":
        request.write(b"Status: 204\n\n")
    elif path == "/local":
        request.write(b"Location: /numbers.txt?a=b\n\n")
    elif path == "/self":
        request.write(b"Location: " + request.parameters["SCRIPT_NAME"].encode() + b"/self\n\n")
    elif path == "/away":
        request.write(b"Location: http://example.org/x\n\n")
    elif path == "/moved":
        request.write(b"Status: 301 Moved\nLocation: /there\nContent-Type: text/plain\n\ngo")
    elif path == "/cookies":
        request.write(b"".join(b"Set-Cookie: c%d=%s\n" % (i, b"v" * 300) for i in range(30)) + text)
    elif path == "/hints":
        request.write(b"Status: 103\nLink: </style.css>; rel=preload\n\n")
        time.sleep(0.1)
        request.write(text + b"hinted")
    elif path == "/stderr":
        request.write(b"a complaint\nof two lines\n", kind=7)
        request.write(text + b"said")
    elif path == "/malformed":
        request.write(b"no head at all\n\n")
    elif path == "/empty":
        pass
    elif path == "/cut":
        request.write(b"Content-Length: 1000\r\n" + text + b"part")
        raise EOFError
    elif path == "/short":
        request.write(b"Content-Length: 1000\r\n" + text + b"part")
    elif path == "/long":
        request.write(b"Content-Length: 4\r\n" + text + b"part and more")
    elif path == "/slow":
        time.sleep(3)
        request.write(text + b"late")
    elif path == "/full":
        request.end(2)
        return False
    elif path == "/garbage":
        request.connection.write(b"GARBAGE " * 4)
        request.connection.flush()
        raise EOFError
    else:
        request.write(b"Status: 404 Not Found\n" + text + b"no such thing")
    request.end()
    return request.keep


def talk(peer):
    global requests
    with peer, peer.makefile("rwb") as connection:
        try:
            while True:
                request = Request(connection)
                request.begin()
                requests += 1
                if not serve(request):
                    break
        except (EOFError, ConnectionError, BrokenPipeError) as error:
            print(f"{NAME}: gone: {type(error).__name__}", file=sys.stderr, flush=True)


at = sys.argv[1]
if at.isdigit() or at[0].isdigit():
    host, _, port = at.rpartition(":")
    listener = socket.create_server((host or "127.0.0.1", int(port)))
else:
    if os.path.exists(at):
        os.unlink(at)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(at)
    listener.listen(128)
while True:
    threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()
