#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Sends updates (RFC 2136) to a server on this machine, so many at a time, and prints the names that were acknowledged.

    dns_updates.py PORT ZONE PREFIX OUTSTANDING [COUNT]     until COUNT are acknowledged, or nobody answers
"""
import socket
import struct
import sys


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def update(number, zone, label):
    head = struct.pack(">6H", number, 5 << 11, 1, 0, 1, 0) + name(zone) + struct.pack(">2H", 6, 1)
    return head + name(f"{label}.{zone}") + struct.pack(">2HIH", 1, 1, 60, 4) + bytes([192, 0, 2, 60])


def main():
    port, zone, prefix, outstanding = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
    count = int(sys.argv[5]) if len(sys.argv) > 5 else 60000
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.3", 0))
    s.connect(("127.0.0.1", port))
    s.settimeout(1)
    sent = acknowledged = 0
    try:
        while acknowledged < count:
            while sent - acknowledged < outstanding and sent < count:
                s.send(update(sent, zone, f"{prefix}-{sent}"))
                sent += 1
            number, flags = struct.unpack(">2H", s.recv(512)[:4])
            if flags & 15 != 0:
                return f"{prefix}-{number}: rcode {flags & 15}"
            acknowledged += 1
            print(f"{prefix}-{number}", flush=True)
    except OSError:
        pass  # it is gone
    return 0


sys.exit(main())
