#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Frames of HTTP/2 that no good client sends: each ends as RFC 9113 says, and the server goes on.

    http2_abuse.py PORT
"""
import socket
import struct
import sys
import time

PORT = int(sys.argv[1])
MAGIC = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RST, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS = 1, 4


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name, value):
    """Never indexed, no Huffman."""
    return b"\x10" + bytes([len(name)]) + name + length(len(value)) + value


def length(n):
    if n < 127:
        return bytes([n])
    out, n = b"\x7f", n - 127
    while n >= 128:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def head(path=b"/", method=b"GET", more=b""):
    return (literal(b":method", method) + literal(b":scheme", b"http") + literal(b":path", path) +
            literal(b":authority", b"h") + more)


def get(stream, path=b"/"):
    return frame(HEADERS, END_STREAM | END_HEADERS, stream, head(path))


class Client:
    def __init__(self, begin=True):
        self.s = socket.create_connection(("127.0.0.1", PORT))
        self.s.settimeout(5)
        self.data = b""
        self.gone = False
        if begin:
            self.send(MAGIC + frame(SETTINGS, 0, 0))

    def send(self, octets):
        try:
            self.s.sendall(octets)
        except OSError:
            self.gone = True

    def read(self, wanted, seconds=5):
        """Frames until one is of the kinds wanted, or the end: (kind, flags, stream, payload) of it, or None."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            while len(self.data) >= 9 and len(self.data) >= 9 + int.from_bytes(self.data[:3], "big"):
                size = int.from_bytes(self.data[:3], "big")
                got = (self.data[3], self.data[4], int.from_bytes(self.data[5:9], "big") & 0x7fffffff,
                       self.data[9:9 + size])
                self.data = self.data[9 + size:]
                if got[0] in wanted:
                    return got
            try:
                more = self.s.recv(65536)
            except OSError:
                return None
            if not more:
                self.gone = True
                return None
            self.data += more
        return None

    def error(self, seconds=2):
        """Of the GOAWAY or RST_STREAM that comes; -1: the connection ends without."""
        got = self.read((GOAWAY, RST), seconds)
        if got is None:
            return -1
        return int.from_bytes(got[3][4:8] if got[0] == GOAWAY else got[3][:4], "big")

    def answered(self, stream):
        got = self.read((HEADERS,))
        return got is not None and got[2] == stream


failures = 0


def check(name, good):
    global failures
    if not good:
        failures += 1
        print(f"# fails: {name}")


PROTOCOL, FLOW, FRAME_SIZE, COMPRESSION, CALM = 1, 3, 6, 9, 11


def broken(name, octets, errors):
    c = Client()
    c.send(octets)
    got = c.error()
    check(f"{name}: {got}", got in errors)


def main():
    c = Client()
    c.send(get(1))
    check("a plain request", c.answered(1))

    c = Client(False)
    for octet in MAGIC + frame(SETTINGS, 0, 0) + get(1):
        c.send(bytes([octet]))
    check("octet by octet", c.answered(1))

    broken("data on stream 0", frame(DATA, 0, 0, b"x"), (PROTOCOL,))
    broken("an even stream", get(2), (PROTOCOL,))
    # nghttp2 takes it for one that was closed, whose frames may still have been on their way (§5.1).
    broken("a stream that goes back", get(5) + get(3), (PROTOCOL, 5, -1))
    broken("data for nobody", frame(DATA, 0, 1, b"x"), (PROTOCOL, 5))
    broken("a push by the client", frame(PUSH, END_HEADERS, 1, b"\0\0\0\2" + head()), (PROTOCOL,))
    broken("settings of a bad length", frame(SETTINGS, 0, 0, b"12345"), (FRAME_SIZE,))
    broken("an acknowledgement with a payload", frame(SETTINGS, 1, 0, b"123456"), (FRAME_SIZE,))
    broken("a window of nothing", frame(WINDOW, 0, 0, b"\0\0\0\0"), (PROTOCOL,))
    broken("a window beyond bounds", frame(WINDOW, 0, 0, b"\x7f\xff\xff\xff"), (FLOW,))
    broken("a frame that is too long", frame(DATA, 0, 1, b"x" * 16385), (FRAME_SIZE,))
    broken("HPACK that is none", frame(HEADERS, END_STREAM | END_HEADERS, 1, b"\xff\xff\xff\xff\xff\xff"),
           (COMPRESSION,))
    broken("a continuation of nothing", frame(CONTINUATION, END_HEADERS, 1, head()), (PROTOCOL,))
    broken("something between a head and its continuation",
           frame(HEADERS, END_STREAM, 1, head()) + frame(PING, 0, 0, b"12345678"), (PROTOCOL,))
    broken("capitals in a name", frame(HEADERS, END_STREAM | END_HEADERS, 1, head(more=literal(b"A", b"b"))), (PROTOCOL,))
    broken("a field of the connection",
           frame(HEADERS, END_STREAM | END_HEADERS, 1, head(more=literal(b"connection", b"close"))), (PROTOCOL,))
    broken("no :path", frame(HEADERS, END_STREAM | END_HEADERS, 1, literal(b":method", b"GET")), (PROTOCOL,))
    broken("two :paths", frame(HEADERS, END_STREAM | END_HEADERS, 1, head(more=literal(b":path", b"/x"))), (PROTOCOL,))
    broken("less than was announced", frame(HEADERS, END_HEADERS, 1, head(b"/up/x", b"PUT", literal(b"content-length", b"9")))
           + frame(DATA, END_STREAM, 1, b"x"), (PROTOCOL,))

    c = Client()
    c.send(frame(HEADERS, END_STREAM | END_HEADERS, 1, head(more=literal(b"host", b"other"))))
    check("Host that differs gets an answer", c.answered(1))
    c.send(frame(HEADERS, END_STREAM, 3, head(more=literal(b"x", b"y" * 8000))) +
           frame(CONTINUATION, 0, 3, literal(b"x", b"y" * 8000)) +
           frame(CONTINUATION, END_HEADERS, 3, literal(b"x", b"y" * 8000)))
    check("a head that is too long gets an answer", c.answered(3))

    c = Client()
    c.send(frame(HEADERS, END_STREAM, 1, head()))
    for _ in range(2000):
        c.send(frame(CONTINUATION, 0, 1, b""))
    check("a flood of continuations ends", c.error() != 0 or c.gone)

    c = Client()
    for i in range(5000):
        c.send(get(2 * i + 1) + frame(RST, 0, 2 * i + 1, b"\0\0\0\x08"))
        if c.gone:
            break
    check("rapid reset ends", c.read((GOAWAY,)) is not None or c.gone)

    for kind, payload in ((PING, b"12345678"), (SETTINGS, b"")):
        c = Client()
        c.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.s.settimeout(1)
        try:
            for _ in range(400):
                c.s.sendall(frame(kind, 0, 0, payload) * 1000)
        except OSError:
            pass
        c.s.close()

    held = [Client() for _ in range(50)]
    for client in held:
        client.send(b"".join(get(2 * i + 1) for i in range(100)))
    check("a hundred streams each", all(client.answered(1) for client in held))
    for client in held:
        client.s.close()
    c = Client()
    c.send(b"".join(frame(HEADERS, END_HEADERS, 2 * i + 1, head(b"/up/x%d" % i, b"PUT")) for i in range(150)))
    check("more streams than may be are refused", c.error() == 7)

    c = Client()
    c.send(get(1))
    check("and the server goes on", c.answered(1))
    return failures


sys.exit(min(main(), 1))
