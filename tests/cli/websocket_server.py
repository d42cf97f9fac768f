#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""WebSocket servers for our client. websocket_server.py lib: of python3-websockets, an echo, compressed as it likes;
raw: octet by octet, what the path says, right or wrong. Prints its port; `raw` appends to the file FOLDER/closes the
code with which each client has closed."""
import asyncio
import base64
import hashlib
import socket
import struct
import sys
import threading
import zlib

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


def library():
    import websockets

    async def echo(ws, path):
        if path == "/first":
            await ws.send("chosen " + str(ws.subprotocol))
        async for message in ws:
            await ws.send(message)
            if message == "leave":
                await ws.close(4001, "as you said")

    async def serve():
        async with websockets.serve(echo, "127.0.0.1", 0, subprotocols=["two", "one"], max_size=None) as server:
            print(server.sockets[0].getsockname()[1], flush=True)
            await asyncio.Future()
    asyncio.run(serve())


class Peer:
    def __init__(self, connection, folder):
        self.connection, self.folder, self.keys = connection, folder, []
        self.closing = False
        self.file = connection.makefile("rb")

    def frame(self, opcode, payload=b"", final=True, rsv=0, masked=False):
        first = (0x80 if final else 0) | rsv | opcode
        mask = 0x80 if masked else 0
        if len(payload) < 126:
            head = struct.pack(">BB", first, len(payload) | mask)
        else:
            head = struct.pack(">BBQ", first, 127 | mask, len(payload)) if len(payload) > 65535 else \
                struct.pack(">BBH", first, 126 | mask, len(payload))
        self.connection.sendall(head + (b"\0\0\0\0" if masked else b"") + payload)

    def read(self):
        head = self.file.read(2)
        if len(head) < 2:
            return None, b""
        length = head[1] & 127
        if length > 125:
            length = int.from_bytes(self.file.read(2 if length == 126 else 8), "big")
        if not head[1] & 128:
            return "not masked", b""
        key = self.file.read(4)
        self.keys.append(key)
        payload = bytes(b ^ key[i % 4] for i, b in enumerate(self.file.read(length)))
        return (head[0] & 15, payload) if not head[0] & 64 else ("compressed", payload)

    def until_close(self):
        while True:
            opcode, payload = self.read()
            if opcode == 8:
                with open(self.folder + "/closes", "a") as f:
                    f.write((str(struct.unpack(">H", payload[:2])[0]) if payload else "none") + "\n")
            if opcode == 8 and not self.closing:
                self.frame(8, payload[:2])
            if opcode is None or opcode == 8:
                return

    def run(self):
        head = []
        while (line := self.file.readline().strip()) != b"":
            head.append(line.decode("latin-1"))
        path = head[0].split()[1]
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
        accept = base64.b64encode(hashlib.sha1((fields.get("sec-websocket-key", "") + GUID).encode()).digest()).decode()
        more = ""
        if path == "/login" and "authorization" not in fields:
            self.connection.sendall(b"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n")
            return self.run()
        if path == "/away":
            self.connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /fields\r\nContent-Length: 0\r\n\r\n")
            return self.run()
        if path == "/wrong-accept":
            accept = base64.b64encode(b"x" * 20).decode()
        if path in ("/takeover", "/bad-deflate"):
            more = "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n"
        if path == "/client-bits":
            more = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=10\r\n"
        if path == "/extension":
            more = "Sec-WebSocket-Extensions: x-other\r\n"
        if path == "/protocol":
            more = "Sec-WebSocket-Protocol: other\r\n"
        if path == "/fields":
            more = "Set-Cookie: ws=1\r\n"
        upgrade = "other" if path == "/wrong-upgrade" else "WebSocket"
        self.connection.sendall(f"HTTP/1.1 101 Switching\r\nUpgrade: {upgrade}\r\nConnection: Upgrade\r\n"
                                f"Sec-WebSocket-Accept: {accept}\r\n{more}\r\n".encode())
        self.act(path, fields)
        self.connection.shutdown(socket.SHUT_WR)

    def act(self, path, fields):
        frame = self.frame
        if path.startswith("/close/"):
            code = int(path[7:])
            self.closing = True
            frame(8, struct.pack(">H", code) + b"so it \x1bis" if code else b"")
        elif path == "/cut":
            frame(1, b"the last word")
            return
        elif path == "/keys":
            for _ in range(4):
                self.read()
            good = len(set(self.keys)) == 4 and b"\0\0\0\0" not in self.keys
            frame(1, b"new keys" if good else b"bad keys")
        elif path == "/ping":
            frame(9, b"are you there")
            opcode, payload = self.read()
            frame(1, b"pong " + payload if opcode == 10 else b"no pong")
        elif path == "/fields":
            frame(1, " ".join(fields.get(n, "-") for n in ("cookie", "authorization", "x-one", "sec-websocket-version",
                                                           "upgrade", "connection", "origin")).encode())
        elif path == "/login":
            frame(1, fields["authorization"].encode())
        elif path == "/fragments":
            frame(1, b"in \xc3", final=False)
            frame(9, b"between")
            frame(0, b"\xa9 two", final=True)
        elif path == "/takeover":
            deflate = zlib.compressobj(wbits=-10)
            for i in range(5):
                text = deflate.compress(b"the same words again and again ") + deflate.flush(zlib.Z_SYNC_FLUSH)
                frame(1, text[:-4], rsv=0x40)
            last = deflate.compress(b"the same words again and again ") + deflate.flush(zlib.Z_FINISH)
            frame(1, last + b"\0", rsv=0x40)
            frame(1, b"plain")
        elif path == "/lines":
            frame(1, b"two\nlines")
            frame(2, b"\x00\xff")
        wrong = {"/masked": (1, b"x", True, 0, True), "/reserved": (1, b"x", True, 0x20),
                 "/opcode": (3, b"x"), "/not-agreed": (1, b"x", True, 0x40), "/no-text": (1, b"\xff"),
                 "/half": (1, b"\xc3"), "/large": (2, b"x" * 2000), "/bad-deflate": (1, b"\xff\xff\xff", True, 0x40),
                 "/nothing-continued": (0, b"x"), "/long-ping": (9, b"x" * 126), "/bomb": (2, b"")}
        if path in wrong and path != "/bomb":
            frame(*wrong[path])
        self.until_close()


def serve(listener, folder):
    while True:
        connection, _ = listener.accept()
        connection.settimeout(20)

        def run(peer=Peer(connection, folder), connection=connection):
            try:
                peer.run()
            except OSError:
                pass
            connection.close()
        threading.Thread(target=run, daemon=True).start()


if sys.argv[1] == "lib":
    library()
else:
    listener = socket.create_server(("127.0.0.1", 0))
    print(listener.getsockname()[1], flush=True)
    serve(listener, sys.argv[2])
