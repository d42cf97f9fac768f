#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A DNS server over TLS that tells by its answers how it was asked.

dot_server.py ADDRESS PORT CERTIFICATE KEY: any name has the address 192.0.X.Y, where X is the query's length
modulo 128 and Y counts the connections. Names that begin with "close" are the last to be answered on their
connection, those with "mute" never are and neither is what follows them there, and "late" is answered after what
was asked behind it.
"""
import socket
import ssl
import struct
import sys
import threading

address, port, certificate, key = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
listener = socket.create_server((address, port), reuse_port=False)
print("ready", flush=True)


def answer(query, number, length):
    end = 12
    while query[end] != 0:
        end += 1 + query[end]
    question = query[12:end + 5]
    record = b"\xc0\x0c" + struct.pack("!HHLH", 1, 1, 60, 4) + bytes([192, 0, length % 128, number])
    reply = query[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + question + record
    return struct.pack("!H", len(reply)) + reply


def serve(plain, number):
    late = []
    try:
        stream = context.wrap_socket(plain, server_side=True)
        file = stream.makefile("rb")
        while head := file.read(2):
            length = struct.unpack("!H", head)[0]
            query = file.read(length)
            label = query[13:13 + query[12]].lower()
            if label.startswith(b"mute"):
                file.read()
            if label.startswith(b"late"):
                late.append((query, length))
                continue
            stream.sendall(answer(query, number, length))
            for other in late:
                stream.sendall(answer(other[0], number, other[1]))
            late = []
            if label.startswith(b"close"):
                stream.unwrap()
                stream.close()
                return
    except OSError:
        pass


number = 0
while True:
    connection, _ = listener.accept()
    number += 1
    threading.Thread(target=serve, args=(connection, number), daemon=True).start()
