# SPDX-License-Identifier: ISC
"""A web site for tests of mirrors. Prints its port on 127.0.0.1; another origin is localhost at that port.

GET /.log tells what was asked for, a line each, and forgets it.
"""
import email.utils
import http.server
import socketserver
import sys
import threading

DATE = "Sat, 01 Nov 2025 00:00:00 GMT"
HTML, CSS, PNG = "text/html", "text/css", "image/png"
PAGES = {
    "/": (HTML, """<!doctype html><link rel="stylesheet" href="/css/main.css"><link rel="icon" href="icon.png">
<a href="a.html">a</a> <a href=dir/>dir</a> <a href='b.html?x=1&amp;y=2#there'>b</a> <a href="#here">here</a>
<a href="mailto:x@y">m</a> <a href="http://localhost:PORT/other.html">other</a> <a href="gone.html">gone</a>
<img src="img/1.png" srcset="img/2.png 2x, img/3.png 3x"><script>"<a href='script.html'>"</script>
<!-- <a href="comment.html"> --><a href="private/x.html">private</a><a href="moved">moved</a>
<a href="javascript:x()">j</a><a href="a.html#2">a again</a><a href="file.zip">zip</a>
<p style="background: url(&quot;img/4.png&quot;)"><a href="caf%C3%A9.html">e</a><form action="/form"></form>"""),
    "/a.html": (HTML, '<base href="/dir/deep/"><a href="c.html">c</a><img src="../../img/1.png"><a href="..">up</a>'),
    "/b.html?x=1&y=2": (HTML, "<a href='/a.html'>a</a><a href=\"?x=2\">self</a>"),
    "/b.html?x=2": (HTML, "end"),
    "/dir/": (HTML, '<a href="d.html">d</a><a href="../a.html">a</a><a href="deep/c.html">c</a>'),
    "/dir/d.html": (HTML, '<meta http-equiv="refresh" content="5; url=e.html"><a href="/dir">no slash</a>'),
    "/dir/e.html": (HTML, '<iframe src="frame.html"></iframe>'),
    "/dir/frame.html": (HTML, '<img src="f.png"><a href="/far/1.html">far</a>'),
    "/dir/f.png": (PNG, "f"),
    "/dir/deep/c.html": (HTML, '<a href="/">home</a><a href="/dir/d.html">d</a>'),
    "/caf%C3%A9.html": ("text/html; charset=iso-8859-1", '<a href="na\xefve.html">n</a>'),
    "/na%C3%AFve.html": (HTML, "n"),
    "/css/main.css": (CSS, '@import "sub/more.css"; body { background: url(../img/bg.png) } /* url(no.png) */'),
    "/css/sub/more.css": (CSS, "p { background: url('deep.png') }"),
    "/css/sub/deep.png": (PNG, "deep"),
    "/file.zip": ("application/zip", "zip"),
    "/icon.png": (PNG, "i"),
    "/private/x.html": (HTML, "private"),
    "/new.html": (HTML, '<a href="a.html">a</a>'),
    "/other.html": (HTML, '<a href="/other2.html">x</a>'),
    "/other2.html": (HTML, "x"),
    "/robots.txt": ("text/plain", "User-agent: *\nDisallow: /private/\nDisallow: /secret/\n"),
    "/evil/": (HTML, '<a href="%2e%2e/%2e%2e/escaped.html">1</a><a href="..%2f..%2fescaped.html">2</a>'
                     '<a href="/evil/..;/x%00y%0a.html">3</a><a href="/evil/' + "l" * 400 + '.html">4</a>'
                     '<a href="/evil/x">5</a><a href="/evil/x/y">6</a><a href="/evil/q?a/../../b">7</a>'
                     '<a href="//127.0.0.1:PORT/evil//double">8</a><a href="/evil/%5c..%5cz">9</a>'
                     '<a href="/evil/X">10</a>'),
}
for i in range(1, 5):
    PAGES["/img/%d.png" % i] = (PNG, "image %d" % i)
PAGES["/img/bg.png"] = (PNG, "bg")
for i in range(1, 9):
    PAGES["/far/%d.html" % i] = (HTML, '<a href="%d.html">next</a>' % (i + 1))
MOVED = {"/moved": "/new.html", "/dir": "/dir/", "/out": "http://localhost:PORT/other.html"}
log = []
lock = threading.Lock()
port = 0
robots_status = 200


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, kind="text/plain", body=b"", **fields):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        global robots_status
        if self.path == "/.log":
            with lock:
                text = "".join(line + "\n" for line in sorted(log))
                log.clear()
            self.answer(200, body=text.encode())
            return
        if self.path.startswith("/.robots/"):
            robots_status = int(self.path[9:])
            self.answer(200)
            return
        with lock:
            log.append(self.path)
        page = PAGES.get(self.path)
        if self.path == "/robots.txt" and robots_status != 200:
            self.answer(robots_status)
        elif self.path in MOVED:
            self.answer(301, Location=MOVED[self.path].replace("PORT", str(port)))
        elif page is None and self.path.startswith("/evil/"):
            self.answer(200, HTML, b"evil", Last_Modified=DATE)
        elif page is None:
            self.answer(404, HTML, b"<a href='/never.html'>not here</a>")
        elif self.headers.get("If-Modified-Since") == DATE:
            self.send_response(304)
            self.end_headers()
        else:
            body = page[1].replace("PORT", str(port)).encode("latin-1")
            self.answer(200, page[0], body, Last_Modified=DATE)

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
port = server.server_address[1]
print(port, flush=True)
server.serve_forever()
