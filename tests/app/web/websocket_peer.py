#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A WebSocket client of others (python3-websockets, python3-h2) and a raw one, against our server. Prints TAP-like
lines "ok NAME" or "not ok NAME": websocket_peer.py PORT lib|raw|h2"""
import asyncio
import base64
import hashlib
import os
import socket
import struct
import sys
import time

port = int(sys.argv[1])
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def told(name, good, why=""):
    print(("ok " if good else "not ok ") + name + ("" if good else f" # {why}"), flush=True)


# ---- python3-websockets ----

async def with_library():
    import websockets
    at = f"ws://127.0.0.1:{port}"
    for compression in (None, "deflate"):
        how = compression or "plain"
        async with websockets.connect(at + "/echo", compression=compression, max_size=None) as ws:
            told(f"{how}: the extension is agreed upon", bool(ws.extensions) == (compression is not None))
            for size in (0, 1, 125, 126, 65535, 65536, 1000000):
                text = "é" * (size // 2) + "x" * (size % 2)
                await ws.send(text)
                told(f"{how}: text of {size}", await ws.recv() == text)
                data = os.urandom(size)
                await ws.send(data)
                told(f"{how}: {size} octets", await ws.recv() == data)
            await ws.send(["in ", "three ", "pieces"])
            told(f"{how}: fragments", await ws.recv() == "in three pieces")
            pong = await ws.ping(b"payload")
            await asyncio.wait_for(pong, 5)
            told(f"{how}: a ping", True)
            many = [f"message {i}" for i in range(2000)]

            async def send_all():
                for message in many:
                    await ws.send(message)
            sender = asyncio.ensure_future(send_all())
            told(f"{how}: 2000 in their order", [await ws.recv() for _ in many] == many)
            await sender
            await ws.close(1000, "done")
            told(f"{how}: a close", ws.close_code == 1000, ws.close_code)
        async with websockets.connect(at + "/echo", compression=compression, max_size=None) as ws:
            try:
                await ws.send(b"\0" * 1100000 if compression else os.urandom(1100000))
                await ws.recv()
            except websockets.ConnectionClosed:
                pass
            told(f"{how}: a message that is too large", ws.close_code == 1009, ws.close_code)
    async with websockets.connect(at + "/upper/a/b?x=y") as ws:
        await ws.send("hello")
        told("a program's answer", await ws.recv() == "HELLO")
        await ws.send("info")
        told("what it is told", await ws.recv() == "GET /upper /a/b x=y HTTP/1.1")
        await ws.send("bad")
        try:
            await ws.recv()
        except websockets.ConnectionClosed:
            pass
        told("a line that is no text", ws.close_code == 1011, ws.close_code)
    async with websockets.connect(at + "/upper/") as ws:
        await ws.send("quit")
        try:
            await ws.recv()
        except websockets.ConnectionClosed:
            pass
        told("a program that ends", ws.close_code == 1000, ws.close_code)
    async with websockets.connect(at + "/binary") as ws:
        data = os.urandom(300000)
        await ws.send(data)
        back = b""
        while len(back) < len(data):
            back += await ws.recv()
        told("octets to a program and back", back == data)
    for origin, want in (("http://evil.test", False), (f"http://127.0.0.1:{port}", True), (None, True)):
        try:
            async with websockets.connect(at + "/echo", origin=origin) as ws:
                good = True
        except websockets.InvalidStatusCode as error:
            good = False
            told("… with 403", error.status_code == 403, error.status_code)
        told(f"from {origin}: {'let in' if want else 'refused'}", good == want)
    async with websockets.connect(at + "/from", origin="https://good.test"):
        told("from an origin of the list", True)
    peers = [await websockets.connect(at + "/echo") for _ in range(100)]
    for i, ws in enumerate(peers):
        await ws.send(str(i))
    told("a hundred at a time", [await ws.recv() for ws in peers] == [str(i) for i in range(100)])
    for ws in peers:
        await ws.close()


# ---- octet by octet ----

def handshake(path="/echo", extra="", version="13", key=None, method="GET"):
    key = key or base64.b64encode(os.urandom(16)).decode()
    peer = socket.create_connection(("127.0.0.1", port))
    peer.settimeout(10)
    peer.sendall((f"{method} {path} HTTP/1.1\r\nHost: h\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
                  f"Sec-WebSocket-Version: {version}\r\nSec-WebSocket-Key: {key}\r\n{extra}\r\n").encode())
    head = b""
    while b"\r\n\r\n" not in head:
        piece = peer.recv(1)
        if not piece:
            break
        head += piece
    return peer, head, key


def frame(opcode, payload, final=True, masked=True, rsv=0):
    first = (0x80 if final else 0) | rsv | opcode
    if len(payload) < 126:
        head = struct.pack(">BB", first, len(payload) | (0x80 if masked else 0))
    else:
        head = struct.pack(">BBH", first, 126 | (0x80 if masked else 0), len(payload))
    if not masked:
        return head + payload
    key = os.urandom(4)
    return head + key + bytes(b ^ key[i % 4] for i, b in enumerate(payload))


def read_all(peer):
    got = b""
    try:
        while piece := peer.recv(65536):
            got += piece
    except (ConnectionError, socket.timeout):
        got += b"<lost>"
    return got


def with_octets():
    peer, head, key = handshake(key="dGhlIHNhbXBsZSBub25jZQ==")
    told("the sample of RFC 6455 §1.3", b"101" in head and b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in head, head)
    peer.sendall(b"".join(bytes([b]) for b in frame(1, b"hi")))
    told("an echo", peer.recv(100) == b"\x81\x02hi")
    peer.sendall(frame(8, struct.pack(">H", 1000)))
    told("a close is answered, and the connection ends", read_all(peer) == b"\x88\x02\x03\xe8")
    for name, octets, code in (
            ("no mask", frame(1, b"x", masked=False), 1002),
            ("a reserved bit", frame(1, b"x", rsv=0x20), 1002),
            ("a reserved opcode", frame(5, b"x"), 1002),
            ("a continuation of nothing", frame(0, b"x"), 1002),
            ("compressed without agreement", frame(1, b"x", rsv=0x40), 1002),
            ("a ping in fragments", frame(9, b"x", final=False), 1002),
            ("text that is none", frame(1, b"\xed\xa0\x80"), 1007),
            ("a close code of nobody's", frame(8, struct.pack(">H", 1005)), 1002)):
        peer, _, _ = handshake()
        peer.sendall(octets)
        got = read_all(peer)
        told(name, got == b"\x88\x02" + struct.pack(">H", code), got)
    peer, head, _ = handshake(extra="Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n")
    told("a small window is not agreed upon", b"101" in head and b"permessage" not in head, head)
    peer, head, _ = handshake(extra="Sec-WebSocket-Extensions: permessage-deflate; x=y, permessage-deflate; "
                                    "client_max_window_bits; server_max_window_bits=15\r\n")
    told("the first offer that suits", b"permessage-deflate; server_no" in head and b"bits=15" in head, head)
    peer.sendall(frame(1, b"\xf2\x48\xcd\xc9\xc9\x07\x00", rsv=0x40))
    told("Hello of RFC 7692 §7.2.3.1", peer.recv(100) == b"\x81\x05Hello")
    peer.sendall(frame(1, b"\xff\xff\xff\xff", rsv=0x40))
    got = read_all(peer)
    told("what cannot be inflated", got == b"\x88\x02\x03\xef", got)
    for name, args, status in (("another version", {"version": "8"}, b"426"), ("a short key", {"key": "YWJj"}, b"400"),
                               ("POST", {"method": "POST"}, b"426")):
        peer, head, _ = handshake(**args)
        told(name, head.startswith(b"HTTP/1.1 " + status), head)
        told("… says what is spoken", status != b"426" or b"Sec-WebSocket-Version: 13" in head)
    peer, _, _ = handshake("/patient")
    start = time.time()
    got = peer.recv(100)
    told("silence is asked for a word", got == b"\x89\x00" and time.time() - start < 3, got)
    peer.sendall(frame(10, b""))
    told("a pong keeps it", peer.recv(100) == b"\x89\x00")
    told("and more silence ends it", read_all(peer) in (b"<lost>", b""))
    peer, _, _ = handshake("/echo")
    peer.setblocking(False)
    sent = 0
    try:
        for _ in range(2000):
            sent += peer.send(frame(2, b"z" * 60000))
    except BlockingIOError:
        pass
    told("who does not read is not read", sent < 60000 * 2000, sent)
    peer.close()


# ---- RFC 8441 ----

def with_http2():
    import h2.config
    import h2.connection
    import h2.events
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
    peer = socket.create_connection(("127.0.0.1", port))
    peer.settimeout(5)
    connection.initiate_connection()
    peer.sendall(connection.data_to_send())
    seen = []

    def turn(until):
        while True:
            for event in seen:
                if until(event):
                    seen.remove(event)
                    return event
            data = peer.recv(65536)
            if not data:
                raise EOFError
            seen.extend(connection.receive_data(data))
            peer.sendall(connection.data_to_send())

    settings = turn(lambda e: isinstance(e, h2.events.RemoteSettingsChanged))
    told("SETTINGS_ENABLE_CONNECT_PROTOCOL", any(int(c) == 8 and v.new_value == 1 for c, v in
                                                settings.changed_settings.items()))

    def open_stream(path, protocol="websocket", extra=()):
        stream = connection.get_next_available_stream_id()
        connection.send_headers(stream, [(":method", "CONNECT"), (":protocol", protocol), (":scheme", "http"),
                                         (":path", path), (":authority", f"127.0.0.1:{port}"),
                                         ("sec-websocket-version", "13"), *extra])
        peer.sendall(connection.data_to_send())
        response = turn(lambda e: isinstance(e, h2.events.ResponseReceived) and e.stream_id == stream)
        return stream, dict(response.headers)

    def send(stream, data):
        connection.send_data(stream, data)
        peer.sendall(connection.data_to_send())

    stream, head = open_stream("/echo")
    told("200", head[":status"] == "200", head)
    told("no key", "sec-websocket-accept" not in head)
    send(stream, frame(1, b"over h2"))
    data = turn(lambda e: isinstance(e, h2.events.DataReceived) and e.stream_id == stream)
    told("an echo", data.data == b"\x81\x07over h2", data.data)
    other, head = open_stream("/upper/")
    send(other, frame(1, b"both"))
    data = turn(lambda e: isinstance(e, h2.events.DataReceived) and e.stream_id == other)
    told("a program on another stream", data.data == b"\x81\x04BOTH", data.data)
    send(stream, frame(8, struct.pack(">H", 1000)))
    data = turn(lambda e: isinstance(e, h2.events.DataReceived) and e.stream_id == stream)
    told("a close", data.data == b"\x88\x02\x03\xe8", data.data)
    turn(lambda e: isinstance(e, h2.events.StreamEnded) and e.stream_id == stream)
    told("the stream ends with it", True)
    connection.reset_stream(other)
    peer.sendall(connection.data_to_send())
    _, head = open_stream("/echo", protocol="other")
    told("another protocol", head[":status"] == "501", head)
    _, head = open_stream("/echo", extra=[("origin", "http://evil.test")])
    told("another origin", head[":status"] == "403", head)


{"lib": lambda: asyncio.run(with_library()), "raw": with_octets, "h2": with_http2}[sys.argv[2]]()
