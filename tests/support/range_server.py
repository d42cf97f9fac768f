# SPDX-License-Identifier: ISC
"""A web server for tests of clients that get a file in parts. Prints its port on 127.0.0.1.

/file      ranges, a strong ETag                   /dated      only a date       /weak   only a weak ETag
/whole     no ranges, and says so                  /liar       says that it has ranges, and has none
/cut       each answer breaks off after 200,000    /few        no more than two answers at a time: 503
/changes   another file from the third request on  /changed    the same from the second "generation" on
/wrong     other ranges than were asked for
/slow      200 kB/s for each answer                  /brief      too short to be divided
/elsewhere leads to /file                          /log        what was asked for: ranges, a line each
"""
import hashlib
import http.server
import socketserver
import threading
import time

SIZE = 3000000
BIG = b"".join(b"%09d\n" % i for i in range(SIZE // 10))
OTHER = BIG[::-1]
lock = threading.Lock()
log = []
counts = {}
state = {"changed": False, "active": 0, "most": 0}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def head(self, status, length, fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def simple(self, status, text, **fields):
        self.head(status, len(text), fields)
        self.wfile.write(text)

    def do_GET(self):
        name = self.path.strip("/").split("?")[0]
        if name == "log":
            with lock:
                text = "".join(line + "\n" for line in log)
                log.clear()
            self.simple(200, text.encode())
        elif name == "change":
            state["changed"] = True
            self.simple(200, b"")
        elif name == "elsewhere":
            self.simple(302, b"", Location="/file")
        else:
            self.file(name)

    def file(self, name):
        asked = self.headers.get("Range")
        with lock:
            log.append("%s %s" % (name, asked or "-"))
            counts[name] = counts.get(name, 0) + 1
            state["active"] += 1
            busy = state["active"] > 2
        try:
            if name == "few" and busy:
                self.simple(503, b"busy")
                return
            self.send(name, asked)
        finally:
            with lock:
                state["active"] -= 1

    def send(self, name, asked):
        other = (name == "changes" and counts[name] > 2) or (name == "changed" and state["changed"])
        body = OTHER if other else BIG
        if name == "brief":
            body = body[:100000]
        etag = '"%s"' % hashlib.sha256(body).hexdigest()[:8]
        fields = {"Accept-Ranges": "none" if name == "whole" else "bytes"}
        if name == "dated":
            fields["Last-Modified"] = validator = "Sat, 01 Nov 2025 00:00:00 GMT"
        elif name == "weak":
            fields["ETag"] = validator = "W/" + etag
        else:
            fields["ETag"] = validator = etag
        first, last, status = 0, len(body), 200
        if asked and name not in ("whole", "liar") and self.headers.get("If-Range", validator) == validator:
            low, high = asked.removeprefix("bytes=").split("-")
            first, last = int(low), min(int(high) + 1 if high else len(body), len(body))
            if name == "wrong":
                first, last = first + 1, min(last + 1, len(body))
            status = 206
            fields["Content-Range"] = "bytes %d-%d/%d" % (first, last - 1, len(body))
        self.head(status, last - first, fields)
        if name == "cut" and last - first > 200000:
            last = first + 200000
            self.close_connection = True
        while first < last:
            step = min(50000, last - first)
            self.wfile.write(body[first:first + step])
            first += step
            if name in ("slow", "few", "changed"):
                time.sleep(0.25 if name == "slow" else 0.05)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
