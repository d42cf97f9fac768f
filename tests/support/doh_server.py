#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A server of DNS over HTTPS: doh_server.py PORT CERTIFICATE KEY.

Any name has the address 192.0.X.Y: X is the query's length modulo 128, Y 1 for POST, 2 for GET. Names that begin
with "chunked" come in chunks; other paths than /dns-query are not found, and /wrong is text.
"""
import base64
import http.server
import ssl
import struct
import sys
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, query, kind):
        end = 12
        while query[end] != 0:
            end += 1 + query[end]
        record = b"\xc0\x0c" + struct.pack("!HHLH", 1, 1, 60, 4) + bytes([192, 0, len(query) % 128, kind])
        message = query[:2] + struct.pack("!5H", 0x8180, 1, 1, 0, 0) + query[12:end + 5] + record
        path = urllib.parse.urlparse(self.path).path
        if path not in ("/dns-query", "/wrong"):
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/plain" if path == "/wrong" else "application/dns-message")
        if query[13:20] == b"chunked":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for i in range(0, len(message), 10):
                piece = message[i:i + 10]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", str(len(message)))
        self.end_headers()
        self.wfile.write(message)

    def do_POST(self):
        if self.headers["Content-Type"] != "application/dns-message":
            self.send_error(415)
            return
        query = self.rfile.read(int(self.headers["Content-Length"]))
        self.reply(query, 1 if query[:2] == b"\0\0" else 9)

    def do_GET(self):
        text = urllib.parse.parse_qs(urllib.parse.urlparse(self.path).query)["dns"][0]
        if "=" in text:
            self.send_error(400)
            return
        self.reply(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), 2)


server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2], sys.argv[3])
context.set_alpn_protocols(["http/1.1"])
server.socket = context.wrap_socket(server.socket, server_side=True)
print("ready", flush=True)
server.serve_forever()
