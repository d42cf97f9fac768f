# SPDX-License-Identifier: ISC
"""A web server for tests of clients: redirects, challenges, cookies, codings, connections that break.

Prints its port on 127.0.0.1. With a certificate and a key as arguments it speaks TLS.
"""
import gzip
import hashlib
import http.server
import json
import socketserver
import ssl
import sys
import threading
import zlib

BIG = b"".join(b"%07d\n" % i for i in range(250000))  # 2,000,000 octets
ETAG = '"big-1"'
counts = {}
lock = threading.Lock()


def count(name):
    with lock:
        counts[name] = counts.get(name, 0) + 1
        return counts[name]


def md5(text):
    return hashlib.md5(text.encode()).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen = 0  # requests on this connection

    def answer(self, status=200, body=b"", **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        if "Transfer_Encoding" not in fields:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def body(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            whole = b""
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                piece = self.rfile.read(size)
                self.rfile.readline()
                if size == 0:
                    return whole
                whole += piece
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def everything(self):
        self.seen += 1
        body = self.body()
        path, _, query = self.path.partition("?")
        if "://" in path:  # we are a proxy
            if self.headers.get("Proxy-Authorization") != "Basic cDpx":
                self.answer(407, Proxy_Authenticate='Basic realm="p"')
                return
            self.answer(200, b"by proxy " + self.path.encode() + b"\n")
            return
        name, _, rest = path.strip("/").partition("/")
        getattr(self, "on_" + name.replace("-", "_"), self.on_nothing)(rest, query, body)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_CONNECT = everything

    def on_nothing(self, rest, query, body):
        self.answer(404, b"nothing here\n")

    def on_echo(self, rest, query, body):
        fields = {k.lower(): v for k, v in self.headers.items()}
        what = {"method": self.command, "path": self.path, "fields": fields, "seen": self.seen,
                "version": self.request_version, "len": len(body),
                "body": body[:4096].decode("latin-1"), "sha": hashlib.sha256(body).hexdigest()}
        self.answer(200, json.dumps(what).encode() + b"\n")

    def on_redirect(self, rest, query, body):
        status, _, rest = rest.partition("/")
        self.answer(int(status), b"elsewhere\n", Location=query or "/echo/" + rest)

    def on_round(self, rest, query, body):
        self.answer(302, Location="/round/%d" % (int(rest or 0) + 1))

    def on_status(self, rest, query, body):
        self.answer(int(rest), b"a page\n")

    def on_flaky(self, rest, query, body):
        if count("flaky" + rest) < 3:
            self.answer(503, b"later\n", Retry_After="0")
        else:
            self.answer(200, b"now\n")

    def on_basic(self, rest, query, body):
        if self.headers.get("Authorization") != "Basic bWU6c2VjcmV0":
            self.answer(401, WWW_Authenticate='Basic realm="x"')
        else:
            self.answer(200, b"welcome %d\n" % self.seen + body)

    def on_digest(self, rest, query, body):
        given = self.headers.get("Authorization", "")
        parts = dict(p.strip().split("=", 1) for p in given[7:].split(",")) if given else {}
        parts = {k: v.strip('"') for k, v in parts.items()}
        nonce = "nonce-%d" % (1 if count("digest") < 3 else 2)
        if parts:
            a1, a2 = md5("me:here:secret"), md5(self.command + ":" + self.path)
            want = md5(":".join([a1, parts["nonce"], parts["nc"], parts["cnonce"], "auth", a2]))
            if want == parts["response"] and parts["nonce"] == nonce:
                self.answer(200, b"welcome\n")
                return
        stale = ", stale=true" if parts and parts["nonce"] != nonce else ""
        self.answer(401, WWW_Authenticate='Basic realm="b", Digest realm="here", qop="auth", '
                    'algorithm=MD5, nonce="%s"%s' % (nonce, stale))

    def on_set(self, rest, query, body):
        self.send_response(200)
        for cookie in query.split("&"):
            self.send_header("Set-Cookie", cookie.replace("+", " "))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def on_coded(self, rest, query, body):
        text = b"coded text\n" * 1000
        if rest == "gzip":
            text = gzip.compress(text)
        elif rest == "deflate":
            text = zlib.compress(text)
        elif rest == "bomb":
            rest, text = "gzip", gzip.compress(bytes(50000000))
        elif rest == "wrong":
            rest = "gzip"
        elif rest == "cut":
            rest, text = "gzip", gzip.compress(text)[:-9]
        self.answer(200, text, Content_Encoding=rest)

    def on_big(self, rest, query, body):
        first, status, fields = 0, 200, {"ETag": ETAG, "Accept_Ranges": "bytes"}
        asked = self.headers.get("Range")
        if asked and self.headers.get("If-Range", ETAG) == ETAG and rest != "whole":
            first = int(asked.removeprefix("bytes=").split("-")[0])
            if first >= len(BIG):
                self.answer(416, Content_Range="bytes */%d" % len(BIG))
                return
            status = 206
            fields["Content_Range"] = "bytes %d-%d/%d" % (first, len(BIG) - 1, len(BIG))
            if rest == "wrong":
                fields["Content_Range"] = "bytes 5-%d/%d" % (len(BIG) - 1, len(BIG))
        if rest.startswith("cut") and count(rest) < 3:  # breaks off in the middle
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(BIG) - first))
            self.end_headers()
            self.wfile.write(BIG[first:first + 600000])
            self.close_connection = True
            return
        self.answer(status, BIG[first:], **fields)

    def on_close(self, rest, query, body):
        """Says that it keeps the connection, and does not."""
        self.answer(200, b"closing\n")
        self.close_connection = True

    def on_garbage(self, rest, query, body):
        self.wfile.write(b"this is no HTTP\r\n\r\n")
        self.close_connection = True

    def on_silence(self, rest, query, body):
        threading.Event().wait(20)

    def on_hint(self, rest, query, body):
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        self.answer(200, b"after a hint\n")

    def on_chunks(self, rest, query, body):
        self.answer(200, b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nA: b\r\n\r\n", Transfer_Encoding="chunked")

    def on_infinite(self, rest, query, body):
        self.answer(200, Transfer_Encoding="chunked")
        while True:
            self.wfile.write(b"400\r\n" + b"x" * 1024 + b"\r\n")

    def on_colours(self, rest, query, body):
        self.answer(200, b"x\n", X_Bad="\033[31mred")

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
if len(sys.argv) > 2:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
