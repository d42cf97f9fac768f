# SPDX-License-Identifier: ISC
"""A web server for tests: files of a folder, and PUT to have the SHA-256 of what was sent.

Prints its port on 127.0.0.1. Answers many connections at once, and lets each wait for /slow/N ms.
"""
import hashlib
import http.server
import os
import socketserver
import sys
import time


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path.startswith("/slow/"):
            time.sleep(int(self.path[6:]) / 1000)
            self.answer(b"slow\n")
        elif self.path == "/who":
            self.answer((self.client_address[0] + "\n").encode())
        else:
            super().do_GET()

    def do_PUT(self):
        digest, left = hashlib.sha256(), int(self.headers["Content-Length"])
        while left > 0:
            piece = self.rfile.read(min(left, 1 << 16))
            if not piece:
                return
            digest.update(piece)
            left -= len(piece)
        self.answer((digest.hexdigest() + "\n").encode())

    def answer(self, body):
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 1024


os.chdir(sys.argv[1])
server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
